/** Losses over pairs and triplets of vectors or scores. */

import { expected } from '../../errors';
import { callable, number } from '../../options';
import { aten } from '../../torch/ops';
import { broadcastable, broadcastShapes, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import { pairwiseDistance } from '../functional/operators.generated';
import type { TensorLike } from './arguments';
import { lossClass } from './class';
import { declareLoss, type Loss } from './declare';
import { type Explanation, explainBroadcast } from './explain';
import { booleanOr, numberOr, type Option, reduction, tensor } from './option';
import { reduced } from './reduce';

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
  /** What measures. Default {@link pairwiseDistance}. */
  distanceFunction?: DistanceFunction | undefined;
  /** By how much nearer the positive should be than the negative, > 0. Default 1. */
  margin?: number | undefined;
  /** Whether the positive's distance from the negative counts if it is smaller than the anchor's. Default `false`. */
  swap?: boolean | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

type Pair = [input1: TensorLike, input2: TensorLike, target: TensorLike];
type Triplet = [anchor: TensorLike, positive: TensorLike, negative: TensorLike];

const triplet = { anchor: tensor, positive: tensor, negative: tensor };

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
export const marginRankingLoss: Loss<Pair, MarginOptions, ['margin']> = declareLoss({
  name: 'marginRankingLoss',
  arguments: { input1: tensor, input2: tensor, target: tensor },
  options: { margin: numberOr(0), reduction },
  positional: ['margin'],
  compute({ input1, input2, target, margin, reduction: code }) {
    checkSameDimensions('marginRankingLoss', { input1, input2, target });
    return aten.margin_ranking_loss(input1, input2, target, margin, code);
  },
  explain: ({ input1, input2, target }) =>
    explainBroadcast('input2', input2, 'input1', input1) ?? explainBroadcast('target', target, 'input1', input1),
  evaluation: { lossesOf: 'elements' },
});

/** {@link marginRankingLoss} with its options. **Source**: `torch.nn.MarginRankingLoss`. */
export class MarginRankingLoss extends lossClass(
  marginRankingLoss,
  'MarginRankingLoss',
  ['margin', 'reduction'],
  ['margin'],
) {}

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
export const cosineEmbeddingLoss: Loss<Pair, MarginOptions, ['margin']> = declareLoss({
  name: 'cosineEmbeddingLoss',
  arguments: { input1: tensor, input2: tensor, target: tensor },
  options: { margin: numberOr(0), reduction },
  positional: ['margin'],
  compute: ({ input1, input2, target, margin, reduction: code }) =>
    aten.cosine_embedding_loss(input1, input2, target, margin, code),
  explain: ({ input1, input2, target }) => explainEmbedding(input1, input2, target),
  evaluation: { lossesOf: 'samples' },
});

/** {@link cosineEmbeddingLoss} with its options. **Source**: `torch.nn.CosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends lossClass(
  cosineEmbeddingLoss,
  'CosineEmbeddingLoss',
  ['margin', 'reduction'],
  ['margin'],
) {}

/** A margin > 0; as in PyTorch, NaN passes. */
const positiveMargin: Option<number> = {
  default: 1,
  check(op, label, value) {
    const margin = number(op, label, value);
    if (margin <= 0) throw expected(op, label, 'to be > 0', String(margin));
    return margin;
  },
};

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
export const tripletMarginLoss: Loss<Triplet, TripletMarginLossOptions, ['margin', 'p', 'eps', 'swap']> = declareLoss({
  name: 'tripletMarginLoss',
  arguments: triplet,
  options: { margin: positiveMargin, p: numberOr(2), eps: numberOr(1e-6), swap: booleanOr(false), reduction },
  positional: ['margin', 'p', 'eps', 'swap'],
  compute: ({ anchor, positive, negative, margin, p, eps, swap, reduction: code }) =>
    aten.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code),
  explain: explainTriplet,
  evaluation: { lossesOf: 'samples' },
});

/** {@link tripletMarginLoss} with its options. **Source**: `torch.nn.TripletMarginLoss`. */
export class TripletMarginLoss extends lossClass(
  tripletMarginLoss,
  'TripletMarginLoss',
  ['margin', 'p', 'eps', 'swap', 'reduction'],
  ['margin', 'p', 'eps', 'swap'],
) {}

/** What measures. */
const distanceFunction: Option<DistanceFunction> = {
  default: pairwiseDistance,
  check: (op, label, value) => callable(op, label, value as DistanceFunction),
};

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
export const tripletMarginWithDistanceLoss: Loss<Triplet, TripletMarginWithDistanceLossOptions> = declareLoss({
  name: 'tripletMarginWithDistanceLoss',
  arguments: triplet,
  options: { distanceFunction, margin: positiveMargin, swap: booleanOr(false), reduction },
  compute({ anchor, positive, negative, distanceFunction: distance, margin, swap, reduction: code }) {
    checkSameDimensions('tripletMarginWithDistanceLoss', { anchor, positive, negative });
    const toPositive = distance(anchor, positive);
    let toNegative = distance(anchor, negative);
    if (swap) toNegative = aten.minimum(toNegative, distance(positive, negative));
    const violation = aten.sub.Tensor(aten.add.Scalar(toPositive, margin), toNegative);
    return reduced(aten.clamp_min(violation, 0), code);
  },
  // What the caller's own function needs is not known here.
  explain: (call) => (call.distanceFunction === pairwiseDistance ? explainTriplet(call) : undefined),
  evaluation: { lossesOf: 'samples' },
});

/** {@link tripletMarginWithDistanceLoss} with its options. **Source**: `torch.nn.TripletMarginWithDistanceLoss`. */
export class TripletMarginWithDistanceLoss extends lossClass(
  tripletMarginWithDistanceLoss,
  'TripletMarginWithDistanceLoss',
  ['distanceFunction', 'margin', 'swap', 'reduction'],
) {}

function explainEmbedding(x1: Tensor, x2: Tensor, target: Tensor): Explanation | undefined {
  const { ndim } = target;
  if (ndim > 1) return { label: "'target'", what: 'to have 0 or 1 dimensions', actual: shapeText(target.shape) };
  for (const [argument, input] of Object.entries({ input1: x1, input2: x2 })) {
    if (input.ndim === ndim + 1) continue;
    const what = `to have shape ${ndim === 0 ? '[D]' : '[N, D]'}, one dimension more than 'target'`;
    return { label: `'${argument}'`, what, actual: shapeText(input.shape) };
  }
  const refused = explainBroadcast('input2', x2, 'input1', x1);
  if (refused) return refused;
  const pairs = broadcastShapes(x1.shape, x2.shape).slice(0, -1);
  if (broadcastable(target.shape, pairs)) return undefined;
  return { label: "'target'", what: `to have shape ${shapeText(pairs)}`, actual: shapeText(target.shape) };
}

function explainTriplet({ anchor, positive, negative }: Record<keyof typeof triplet, Tensor>): Explanation | undefined {
  for (const [argument, other] of Object.entries({ positive, negative })) {
    const refused =
      explainDimensions(argument, other, 'anchor', anchor) ?? explainBroadcast(argument, other, 'anchor', anchor);
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
