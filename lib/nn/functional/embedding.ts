/** Losses over pairs and triplets of vectors or scores, and the distances that they use. */
import * as aten from '../../aten/operators.generated';
import { expected } from '../../errors';
import { boolean, callable, finite, integer, number, withDefaults } from '../../options';
import { broadcastable, broadcastShapes, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { type Explanation, explainBroadcast } from './explain';
import { asyncForm, inOneCall, itemForm, outForm } from './forms';

/** Options of {@link marginRankingLoss} and {@link cosineEmbeddingLoss}. */
export interface MarginOptions {
  /** How far the hinge lies from 0. Default 0. */
  margin?: number | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link tripletMarginLoss}. */
export interface TripletMarginLossOptions {
  /** By how much nearer the positive should be than the negative, > 0. Default 1. */
  margin?: number | undefined;
  /** The norm of the distance. Default 2. */
  p?: number | undefined;
  /** What is added to each difference before the norm. Default 1e-6. */
  eps?: number | undefined;
  /** Whether the positive's distance from the negative counts if it is smaller than the anchor's. Default `false`. */
  swap?: boolean | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** A distance between vectors: `[N, D]`, `[N, D]` -> `[N]`. */
export type DistanceFunction = (x1: Tensor, x2: Tensor) => Tensor;

/** Options of {@link tripletMarginWithDistanceLoss}. */
export interface TripletMarginWithDistanceLossOptions {
  /** What measures; absent: {@link pairwiseDistance}. */
  distanceFunction?: DistanceFunction | undefined;
  /** By how much nearer the positive should be than the negative, > 0. Default 1. */
  margin?: number | undefined;
  /** Whether the positive's distance from the negative counts if it is smaller than the anchor's. Default `false`. */
  swap?: boolean | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** The norm. Default 2. */
  p?: number | undefined;
  /** What is added to each difference before the norm. Default 1e-6. */
  eps?: number | undefined;
  /** Keep the last dimension with size 1. Default `false`. */
  keepdim?: boolean | undefined;
}

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default 1. */
  dim?: number | undefined;
  /** The least norm that is divided by. Default 1e-8. */
  eps?: number | undefined;
}

/** @internal */
export const marginDefaults = Object.freeze({ margin: 0, reduction: 'mean' }) satisfies Required<MarginOptions>;

/** @internal */
export const tripletMarginLossDefaults = Object.freeze({
  margin: 1,
  p: 2,
  eps: 1e-6,
  swap: false,
  reduction: 'mean',
}) satisfies Required<TripletMarginLossOptions>;

/** @internal */
export const tripletMarginWithDistanceLossDefaults = Object.freeze({
  distanceFunction: undefined,
  margin: 1,
  swap: false,
  reduction: 'mean',
}) satisfies Required<TripletMarginWithDistanceLossOptions>;

/** @internal */
export const pairwiseDistanceDefaults = Object.freeze({
  p: 2,
  eps: 1e-6,
  keepdim: false,
}) satisfies Required<PairwiseDistanceOptions>;

/** @internal */
export const cosineSimilarityDefaults = Object.freeze({
  dim: 1,
  eps: 1e-8,
}) satisfies Required<CosineSimilarityOptions>;

/**
 * Hinge loss of a ranking: with target 1 the first input should be the greater by `margin`, with -1 the second.
 *
 * **Formula**: `l = max(0, -y * (x1 - x2) + margin)`.
 *
 * **Shapes**: three tensors of as many dimensions, which broadcast -> `[]`, with `'none'` the common shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, integers; every device.
 *
 * **Gradient**: to both inputs and the target.
 *
 * @param target 1 or -1.
 * @example marginRankingLoss(tensor([1]), tensor([3]), tensor([1])).item() // 2
 *
 * @throws TorchError `INVALID_ARGUMENT` for different numbers of dimensions, `UNKNOWN_OPTION`; NativeError `RUNTIME` for
 *   shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.margin_ranking_loss`, `aten::margin_ranking_loss`.
 */
export function marginRankingLoss(
  input1: TensorLike,
  input2: TensorLike,
  target: TensorLike,
  options?: MarginOptions,
): Tensor {
  const found = inOneCall(marginRankingLoss, input1, input2, target, options);
  if (found !== undefined) return found;
  const op = 'marginRankingLoss';
  const filled = withDefaults<MarginOptions>(op, options, marginDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const margin = number(op, "option 'margin'", filled.margin);
  const x1 = asTensor(op, 'input1', input1);
  const x2 = asTensor(op, 'input2', input2, x1);
  const labels = asTensor(op, 'target', target, x1);
  return explained(
    op,
    { arguments: { input1: x1, input2: x2, target: labels } },
    () => {
      checkSameDimensions(op, { input1: x1, input2: x2, target: labels });
      return aten.margin_ranking_loss(x1, x2, labels, margin, reduction);
    },
    () => explainBroadcast('input2', x2, 'input1', x1) ?? explainBroadcast('target', labels, 'input1', x1),
  );
}
marginRankingLoss.item = itemForm(marginRankingLoss);
marginRankingLoss.out = outForm(marginRankingLoss);
marginRankingLoss.async = asyncForm(marginRankingLoss);

/**
 * Loss of the angle between vectors: similar pairs (1) should point the same way, dissimilar ones (-1) have a cosine of
 * at most `margin`.
 *
 * **Formula**: `l = 1 - cos(x1, x2)` where y = 1, `max(0, cos(x1, x2) - margin)` where y = -1, 0 for any other y.
 *
 * **Shapes**: inputs `[D]` and target `[]`, or inputs `[N, D]` and target `[N]` -> `[]`, with `'none'` the target's shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, integers; every device.
 *
 * **Gradient**: to both inputs.
 *
 * @param target 1 or -1.
 * @example cosineEmbeddingLoss(tensor([[1, 0]]), tensor([[0, 1]]), tensor([1])).item() // 1
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not fit.
 *
 * **Source**: `torch.nn.functional.cosine_embedding_loss`, `aten::cosine_embedding_loss`.
 */
export function cosineEmbeddingLoss(
  input1: TensorLike,
  input2: TensorLike,
  target: TensorLike,
  options?: MarginOptions,
): Tensor {
  const found = inOneCall(cosineEmbeddingLoss, input1, input2, target, options);
  if (found !== undefined) return found;
  const op = 'cosineEmbeddingLoss';
  const filled = withDefaults<MarginOptions>(op, options, marginDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const margin = number(op, "option 'margin'", filled.margin);
  const x1 = asTensor(op, 'input1', input1);
  const x2 = asTensor(op, 'input2', input2, x1);
  const labels = asTensor(op, 'target', target, x1);
  return explained(
    op,
    { arguments: { input1: x1, input2: x2, target: labels } },
    () => aten.cosine_embedding_loss(x1, x2, labels, margin, reduction),
    () => explainEmbedding(x1, x2, labels),
  );
}
cosineEmbeddingLoss.item = itemForm(cosineEmbeddingLoss);
cosineEmbeddingLoss.out = outForm(cosineEmbeddingLoss);
cosineEmbeddingLoss.async = asyncForm(cosineEmbeddingLoss);

function explainEmbedding(x1: Tensor, x2: Tensor, target: Tensor): Explanation | undefined {
  const { ndim } = target;
  if (ndim > 1) return { label: "'target'", what: 'to have 0 or 1 dimensions', actual: shapeText(target.shape) };
  for (const [argument, tensor] of [
    ['input1', x1],
    ['input2', x2],
  ] as const) {
    if (tensor.ndim === ndim + 1) continue;
    const what = `to have shape ${ndim === 0 ? '[D]' : '[N, D]'}, one dimension more than 'target'`;
    return { label: `'${argument}'`, what, actual: shapeText(tensor.shape) };
  }
  const refused = explainBroadcast('input2', x2, 'input1', x1);
  if (refused) return refused;
  const pairs = broadcastShapes(x1.shape, x2.shape).slice(0, -1);
  if (broadcastable(target.shape, pairs)) return undefined;
  return { label: "'target'", what: `to have shape ${shapeText(pairs)}`, actual: shapeText(target.shape) };
}

/**
 * Hinge loss of distances: the anchor should be nearer to the positive than to the negative by `margin`.
 *
 * **Formula**: `l = max(0, d(a, p) - d(a, n) + margin)` with `d(x, y) = ||x - y + eps||_p`; with `swap` d(a, n) is the
 * smaller one of d(a, n) and d(p, n).
 *
 * **Shapes**: three tensors `[D]` or `[N, D]`, which broadcast -> `[]`, with `'none'` `[]` or `[N]`.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, integers; every device.
 *
 * **Gradient**: to all three.
 *
 * @example tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 1]])).item() // 4.9999…
 *
 * @throws TorchError `INVALID_ARGUMENT` for a margin that is not positive, `UNKNOWN_OPTION`; NativeError `RUNTIME` for
 *   shapes that do not fit.
 *
 * **Source**: `torch.nn.functional.triplet_margin_loss`, `aten::triplet_margin_loss`; V. Balntas and others, "Learning
 * shallow convolutional feature descriptors with triplet losses" (2016).
 */
export function tripletMarginLoss(
  anchor: TensorLike,
  positive: TensorLike,
  negative: TensorLike,
  options?: TripletMarginLossOptions,
): Tensor {
  const found = inOneCall(tripletMarginLoss, anchor, positive, negative, options);
  if (found !== undefined) return found;
  const op = 'tripletMarginLoss';
  const filled = withDefaults<TripletMarginLossOptions>(op, options, tripletMarginLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const margin = checkTripletMargin(op, filled.margin);
  const p = number(op, "option 'p'", filled.p);
  const eps = number(op, "option 'eps'", filled.eps);
  const swap = boolean(op, "option 'swap'", filled.swap);
  const triplet = readTriplet(op, anchor, positive, negative);
  return explained(
    op,
    { arguments: namedTriplet(triplet) },
    () => aten.triplet_margin_loss(...triplet, margin, p, eps, swap, reduction),
    () => explainTriplet(triplet),
  );
}
tripletMarginLoss.item = itemForm(tripletMarginLoss);
tripletMarginLoss.out = outForm(tripletMarginLoss);
tripletMarginLoss.async = asyncForm(tripletMarginLoss);

type Triplet = [anchor: Tensor, positive: Tensor, negative: Tensor];

function readTriplet(op: string, anchor: TensorLike, positive: TensorLike, negative: TensorLike): Triplet {
  const a = asTensor(op, 'anchor', anchor);
  return [a, asTensor(op, 'positive', positive, a), asTensor(op, 'negative', negative, a)];
}

function namedTriplet([anchor, positive, negative]: Triplet): Record<string, Tensor> {
  return { anchor, positive, negative };
}

/** @internal The distance to measure by: {@link pairwiseDistance} if none is given. */
export function readDistance(op: string, value: DistanceFunction | undefined): DistanceFunction {
  return value === undefined ? pairwiseDistance : callable(op, "option 'distanceFunction'", value);
}

/** @internal A margin > 0; as in PyTorch, NaN passes. */
export function checkTripletMargin(op: string, value: unknown): number {
  const margin = number(op, "option 'margin'", value);
  if (margin <= 0) throw expected(op, "option 'margin'", 'to be > 0', String(margin));
  return margin;
}

function explainTriplet([anchor, positive, negative]: Triplet): Explanation | undefined {
  for (const [argument, tensor] of [
    ['positive', positive],
    ['negative', negative],
  ] as const) {
    const refused =
      explainDimensions(argument, tensor, 'anchor', anchor) ?? explainBroadcast(argument, tensor, 'anchor', anchor);
    if (refused) return refused;
  }
  return undefined;
}

/** That an argument has not as many dimensions as another. */
function explainDimensions(argument: string, tensor: Tensor, name: string, other: Tensor): Explanation | undefined {
  if (tensor.ndim === other.ndim) return undefined;
  const what = `to have ${other.ndim} dimensions as '${name}' of shape ${shapeText(other.shape)} has`;
  return { label: `'${argument}'`, what, actual: shapeText(tensor.shape) };
}

/** Refuses arguments that have not as many dimensions as the first of them. */
function checkSameDimensions(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  const [[name, first], ...others] = Object.entries(tensors) as [[string, Tensor], ...[string, Tensor][]];
  for (const [argument, tensor] of others) {
    const refused = explainDimensions(argument, tensor, name, first);
    if (refused) throw expected(op, refused.label, refused.what, refused.actual);
  }
}

/**
 * {@link tripletMarginLoss} with a distance of one's own, written in tensor operators.
 *
 * **Formula**: `l = max(0, margin + d(a, p) - d(a, n))`; with `swap` d(a, n) is the smaller one of d(a, n) and d(p, n).
 *
 * **Shapes**: three tensors of as many dimensions -> `[]`, with `'none'` what the distance gives.
 *
 * **Dtypes and devices**: those of the distance.
 *
 * **Gradient**: to all three, through the distance.
 *
 * @example tripletMarginWithDistanceLoss(tensor([[0]]), tensor([[2]]), tensor([[1]]), { distanceFunction: (x, y) => x.sub(y).abs().sum(1) }).item() // 2
 *
 * @throws TorchError `INVALID_ARGUMENT` for a margin that is not positive, different numbers of dimensions or a
 *   distance that gives no tensor, `UNKNOWN_OPTION`; what the distance throws.
 *
 * **Source**: `torch.nn.functional.triplet_margin_with_distance_loss`, which composes ATen operators as this function does.
 */
export function tripletMarginWithDistanceLoss(
  anchor: TensorLike,
  positive: TensorLike,
  negative: TensorLike,
  options?: TripletMarginWithDistanceLossOptions,
): Tensor {
  const found = inOneCall(tripletMarginWithDistanceLoss, anchor, positive, negative, options);
  if (found !== undefined) return found;
  const op = 'tripletMarginWithDistanceLoss';
  const filled = withDefaults<TripletMarginWithDistanceLossOptions>(op, options, tripletMarginWithDistanceLossDefaults);
  reductionCode(op, filled.reduction);
  const margin = checkTripletMargin(op, filled.margin);
  const swap = boolean(op, "option 'swap'", filled.swap);
  const distance = readDistance(op, filled.distanceFunction);
  const triplet = readTriplet(op, anchor, positive, negative);
  const [a, p, n] = triplet;
  return explained(
    op,
    { arguments: namedTriplet(triplet) },
    () => {
      checkSameDimensions(op, namedTriplet(triplet));
      const toPositive = distance(a, p);
      let toNegative = distance(a, n);
      if (swap) toNegative = aten.minimum(toNegative, distance(p, n));
      const losses = aten.clamp_min(aten.sub_Tensor(aten.add_Scalar(toPositive, margin), toNegative), 0);
      if (filled.reduction === 'none') return losses;
      return filled.reduction === 'sum' ? aten.sum(losses) : aten.mean(losses);
    },
    // What the caller's own function needs is not known here.
    () => (distance === pairwiseDistance ? explainTriplet(triplet) : undefined),
  );
}
tripletMarginWithDistanceLoss.item = itemForm(tripletMarginWithDistanceLoss);
tripletMarginWithDistanceLoss.out = outForm(tripletMarginWithDistanceLoss);
tripletMarginWithDistanceLoss.async = asyncForm(tripletMarginWithDistanceLoss);

/**
 * The distance between vectors.
 *
 * **Formula**: `||x1 - x2 + eps||_p` over the last dimension.
 *
 * **Shapes**: `[…, D]` and `[…, D]`, which broadcast -> `[…]`.
 *
 * **Gradient**: to both.
 *
 * @example pairwiseDistance(tensor([[0, 0]]), tensor([[3, 4]]), { eps: 0 }).item() // 5
 *
 * **Source**: `torch.nn.functional.pairwise_distance`, `aten::pairwise_distance`.
 */
export function pairwiseDistance(x1: Tensor, x2: Tensor, options?: PairwiseDistanceOptions): Tensor {
  const op = 'pairwiseDistance';
  const { p, eps, keepdim } = withDefaults<PairwiseDistanceOptions>(op, options, pairwiseDistanceDefaults);
  const [norm, offset] = [number(op, "option 'p'", p), finite(op, "option 'eps'", eps)];
  return aten.pairwise_distance(x1, x2, norm, offset, boolean(op, "option 'keepdim'", keepdim));
}

/**
 * The cosine of the angle between vectors.
 *
 * **Formula**: `x1 . x2 / (max(||x1||, eps) * max(||x2||, eps))` along `dim`.
 *
 * **Shapes**: two tensors that broadcast -> their common shape without `dim`.
 *
 * **Gradient**: to both.
 *
 * @example cosineSimilarity(tensor([[1, 0]]), tensor([[0, 1]])).item() // 0
 *
 * **Source**: `torch.nn.functional.cosine_similarity`, `aten::cosine_similarity`.
 */
export function cosineSimilarity(x1: Tensor, x2: Tensor, options?: CosineSimilarityOptions): Tensor {
  const op = 'cosineSimilarity';
  const { dim, eps } = withDefaults<CosineSimilarityOptions>(op, options, cosineSimilarityDefaults);
  return aten.cosine_similarity(x1, x2, integer(op, "option 'dim'", dim), finite(op, "option 'eps'", eps));
}
