/** Losses that ask for a margin: between classes, or between a score and a threshold. */
import * as aten from '../../aten/operators.generated';
import { expected, type NativeError, show } from '../../errors';
import { number, withDefaults } from '../../options';
import { sameShape, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { registerDerivative } from '../../tensor/value-and-grad';
import type { Reduction } from '../../types';
import { asIndexTarget, asOptionalTensor, asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { unit } from './constants';
import {
  type Explanation,
  explainBroadcast,
  explainExpand,
  explainExpandOf,
  explainIntegers,
  explainMargins,
  type IndexRange,
} from './explain';
import { asyncForm, inOneCall, itemForm, outForm } from './forms';

/** Options of losses that only reduce. */
export interface ReductionOptions {
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link hingeEmbeddingLoss}. */
export interface HingeEmbeddingLossOptions extends ReductionOptions {
  /** How far apart dissimilar pairs should be. Default 1. */
  margin?: number | undefined;
}

/** Options of {@link multiMarginLoss}. */
export interface MultiMarginLossOptions extends ReductionOptions {
  /** The power of the violation, 1 or 2. Default 1. */
  p?: 1 | 2 | undefined;
  /** By how much the target's score should lead. Default 1. */
  margin?: number | undefined;
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
}

/** Options of {@link multilabelSoftMarginLoss}. */
export interface MultilabelSoftMarginLossOptions extends ReductionOptions {
  /** A weight for each class, broadcast to the input's shape. Absent: 1 each. */
  weight?: TensorLike | undefined;
}

/** @internal */
export const reductionDefaults = Object.freeze({ reduction: 'mean' }) satisfies Required<ReductionOptions>;

/** @internal */
export const hingeEmbeddingLossDefaults = Object.freeze({
  margin: 1,
  reduction: 'mean',
}) satisfies Required<HingeEmbeddingLossOptions>;

/** @internal */
export const multiMarginLossDefaults = Object.freeze({
  p: 1,
  margin: 1,
  weight: undefined,
  reduction: 'mean',
}) satisfies Required<MultiMarginLossOptions>;

/** @internal */
export const multilabelSoftMarginLossDefaults = Object.freeze({
  weight: undefined,
  reduction: 'mean',
}) satisfies Required<MultilabelSoftMarginLossOptions>;

/**
 * Hinge loss of a distance: similar pairs (1) should be near, dissimilar ones (-1) at least `margin` apart.
 *
 * **Formula**: `l = x` where y = 1, `max(0, margin - x)` where y = -1, the sum of both for any other y.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch) -> `[]`, with `'none'` that
 * shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; integers with `'none'` and `'sum'`; every device.
 *
 * **Gradient**: to the input.
 *
 * @example hingeEmbeddingLoss(tensor([0.5, 0.25]), tensor([1, -1]), { reduction: 'none' }).toArray() // [0.5, 0.75]
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.hinge_embedding_loss`, `aten::hinge_embedding_loss`.
 */
export function hingeEmbeddingLoss(input: TensorLike, target: TensorLike, options?: HingeEmbeddingLossOptions): Tensor {
  const found = inOneCall(hingeEmbeddingLoss, input, target, options);
  if (found !== undefined) return found;
  const op = 'hingeEmbeddingLoss';
  const filled = withDefaults<HingeEmbeddingLossOptions>(op, options, hingeEmbeddingLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const margin = number(op, "option 'margin'", filled.margin);
  const distances = asTensor(op, 'input', input);
  const labels = asTensor(op, 'target', target, distances);
  return explained(
    op,
    { arguments: { input: distances, target: labels } },
    () => aten.hinge_embedding_loss(distances, labels, margin, reduction),
    () => explainBroadcast('target', labels, 'input', distances),
  );
}
hingeEmbeddingLoss.item = itemForm(hingeEmbeddingLoss);
hingeEmbeddingLoss.out = outForm(hingeEmbeddingLoss);
hingeEmbeddingLoss.async = asyncForm(hingeEmbeddingLoss);

/**
 * Logistic loss of scores with signs as targets.
 *
 * **Formula**: `l = ln(1 + e^(-y x))`. PyTorch does not stabilise it: it overflows for large `-y x`, and so does this.
 *
 * **Shapes**: input and target of the same shape; a target that broadcasts to the input is accepted -> `[]`, with
 * `'none'` the input's shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input.
 *
 * @param target 1 or -1.
 * @example softMarginLoss(tensor([0]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not fit.
 *
 * **Source**: `torch.nn.functional.soft_margin_loss`, `aten::soft_margin_loss`.
 */
export function softMarginLoss(input: TensorLike, target: TensorLike, options?: ReductionOptions): Tensor {
  const found = inOneCall(softMarginLoss, input, target, options);
  if (found !== undefined) return found;
  const call = readSoftMargin(input, target, options);
  return explainedSoftMargin(call, () => aten.soft_margin_loss(call.input, call.target, call.reduction));
}
softMarginLoss.item = itemForm(softMarginLoss);
softMarginLoss.out = outForm(softMarginLoss);
softMarginLoss.async = asyncForm(softMarginLoss);
registerDerivative(softMarginLoss, (_into, input, target, options) => {
  const call = readSoftMargin(input, target, options);
  const { input: x, target: y, reduction } = call;
  if (reduction === 0 || y.dtype !== x.dtype || !sameShape(x.shape, y.shape)) return undefined;
  return explainedSoftMargin(call, () => ({
    value: aten.soft_margin_loss(x, y, reduction),
    grad: aten.soft_margin_loss_backward(unit(x), x, y, reduction),
  }));
});

interface MarginCall {
  input: Tensor;
  target: Tensor;
  reduction: number;
}

function readSoftMargin(input: TensorLike, target: TensorLike, options: ReductionOptions | undefined): MarginCall {
  const op = 'softMarginLoss';
  const filled = withDefaults<ReductionOptions>(op, options, reductionDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const scores = asTensor(op, 'input', input);
  return { input: scores, target: asTensor(op, 'target', target, scores), reduction };
}

function explainedSoftMargin<T>({ input, target }: MarginCall, compute: () => T): T {
  const explain = (): Explanation | undefined =>
    explainIntegers('input', input) ?? explainExpandOf("'target'", target, 'input', input);
  return explained('softMarginLoss', { arguments: { input, target } }, compute, explain);
}

/**
 * Hinge loss between the target's score and every other one.
 *
 * **Formula**: `l_n = sum_(i != y) w[y] * max(0, margin - x[y] + x[i])^p / C`.
 *
 * **Shapes**: input `[C]` or `[N, C]`, target `[]` or `[N]` -> `[]`, with `'none'` the target's shape.
 *
 * **Dtypes and devices**: float64, float32; every device.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: for an empty batch PyTorch gives uninitialised memory as mean and sum; here they are NaN
 * and 0.
 *
 * @param target class indices in [0, C).
 * @example multiMarginLoss(tensor([[0.1, 0.2, 0.4, 0.8]]), [3]).item() // 0.3249…
 *
 * @throws TorchError `INVALID_ARGUMENT` for another `p` and a weight that is not 1-D, `UNKNOWN_OPTION`; NativeError
 *   `RUNTIME` for shapes that do not fit and class indices out of range, `NOT_IMPLEMENTED` for half types.
 *
 * **Source**: `torch.nn.functional.multi_margin_loss`, `aten::multi_margin_loss`.
 */
export function multiMarginLoss(input: TensorLike, target: TensorLike, options?: MultiMarginLossOptions): Tensor {
  const found = inOneCall(multiMarginLoss, input, target, options);
  if (found !== undefined) return found;
  const call = readMultiMargin(input, target, options);
  const { input: x, target: y, p, margin, weight, reduction } = call;
  return explainedMultiMargin(call, () =>
    reduceEmptyBatch(x, reduction, (code) => aten.multi_margin_loss(x, y, p, margin, weight, code)),
  );
}
multiMarginLoss.item = itemForm(multiMarginLoss);
multiMarginLoss.out = outForm(multiMarginLoss);
multiMarginLoss.async = asyncForm(multiMarginLoss);
registerDerivative(multiMarginLoss, (_into, input, target, options) => {
  const call = readMultiMargin(input, target, options);
  const { input: x, target: y, p, margin, weight, reduction } = call;
  if (reduction === 0 || x.numel === 0) return undefined;
  return explainedMultiMargin(call, () => ({
    value: aten.multi_margin_loss(x, y, p, margin, weight, reduction),
    grad: aten.multi_margin_loss_backward(unit(x), x, y, p, margin, weight, reduction),
  }));
});

interface MultiMarginCall extends MarginCall {
  p: 1 | 2;
  margin: number;
  weight: Tensor | undefined;
}

function readMultiMargin(
  input: TensorLike,
  target: TensorLike,
  options: MultiMarginLossOptions | undefined,
): MultiMarginCall {
  const op = 'multiMarginLoss';
  const filled = withDefaults<MultiMarginLossOptions>(op, options, multiMarginLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const p = checkPower(op, filled.p);
  const margin = number(op, "option 'margin'", filled.margin);
  const scores = asTensor(op, 'input', input);
  return {
    input: scores,
    target: asIndexTarget(op, 'target', target, { input: scores, range: () => classRange(scores) }),
    weight: asOptionalTensor(op, 'weight', filled.weight, scores),
    p,
    margin,
    reduction,
  };
}

/** The class indices that scores allow. */
function classRange(scores: Tensor): IndexRange {
  return { classes: scores.isDisposed ? 0 : (scores.shape.at(-1) ?? 1) };
}

function explainedMultiMargin<T>({ input, target, weight }: MultiMarginCall, compute: () => T): T {
  const op = 'multiMarginLoss';
  return explained(
    op,
    { arguments: { input, target }, options: { weight } },
    () => {
      checkClassWeight(op, weight);
      return compute();
    },
    (refusal) =>
      explainMargins({ input, target, weight }, input.ndim === 2 ? input.shape.slice(0, 1) : [1], 0, refusal),
  );
}

/** @internal Refuses weights of {@link multiMarginLoss} that are no vector. */
export function checkClassWeight(op: string, weight: Tensor | undefined): void {
  if (weight === undefined || weight.ndim === 1) return;
  throw expected(op, "option 'weight'", 'to have 1 dimension, one weight a class', shapeText(weight.shape));
}

/** @internal The power of {@link multiMarginLoss}, if it is 1 or 2. */
export function checkPower(op: string, p: unknown): 1 | 2 {
  if (p === 1 || p === 2) return p;
  throw expected(op, "option 'p'", 'to be 1 or 2', show(p));
}

/**
 * Hinge loss between the scores of a sample's labels and those of all other classes.
 *
 * **Formula**: `l_n = sum_j sum_i max(0, 1 - (x[y_j] - x[i])) / C` over the labels y_j before the first -1 and the classes
 * i that are no label.
 *
 * **Shapes**: input and target `[C]` or `[N, C]` -> `[]`, with `'none'` `[]` or `[N]`.
 *
 * **Dtypes and devices**: float64, float32; every device.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: for an empty batch PyTorch gives uninitialised memory as mean and sum; here they are NaN
 * and 0.
 *
 * @param target class indices in [0, C), ended by -1.
 * @example multilabelMarginLoss(tensor([[0.1, 0.2, 0.4, 0.8]]), [[3, 0, -1, 1]]).item() // 0.85…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not fit and class
 *   indices out of range, behind the -1 too, `NOT_IMPLEMENTED` for half types.
 *
 * **Source**: `torch.nn.functional.multilabel_margin_loss`, `aten::multilabel_margin_loss`.
 */
export function multilabelMarginLoss(input: TensorLike, target: TensorLike, options?: ReductionOptions): Tensor {
  const found = inOneCall(multilabelMarginLoss, input, target, options);
  if (found !== undefined) return found;
  const call = readMultilabelMargin(input, target, options);
  const { input: x, target: y, reduction } = call;
  return explainedMultilabelMargin(call, () =>
    reduceEmptyBatch(x, reduction, (code) => aten.multilabel_margin_loss(x, y, code)),
  );
}
multilabelMarginLoss.item = itemForm(multilabelMarginLoss);
multilabelMarginLoss.out = outForm(multilabelMarginLoss);
multilabelMarginLoss.async = asyncForm(multilabelMarginLoss);
registerDerivative(multilabelMarginLoss, (_into, input, target, options) => {
  const call = readMultilabelMargin(input, target, options);
  const { input: x, target: y, reduction } = call;
  if (reduction === 0 || x.numel === 0) return undefined;
  return explainedMultilabelMargin(call, () => {
    const [value, isTarget] = aten.multilabel_margin_loss_forward(x, y, reduction) as [Tensor, Tensor];
    return { value, grad: aten.multilabel_margin_loss_backward(unit(x), x, y, reduction, isTarget) };
  });
});

function readMultilabelMargin(
  input: TensorLike,
  target: TensorLike,
  options: ReductionOptions | undefined,
): MarginCall {
  const op = 'multilabelMarginLoss';
  const filled = withDefaults<ReductionOptions>(op, options, reductionDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const scores = asTensor(op, 'input', input);
  // -1 ends a row of labels.
  const range = (): IndexRange => ({ ...classRange(scores), lowest: -1 });
  return { input: scores, target: asIndexTarget(op, 'target', target, { input: scores, range }), reduction };
}

function explainedMultilabelMargin<T>({ input, target }: MarginCall, compute: () => T): T {
  const explain = (refusal: NativeError): Explanation | undefined =>
    explainMargins({ input, target }, input.ndim === 0 ? [1] : input.shape, -1, refusal);
  return explained('multilabelMarginLoss', { arguments: { input, target } }, compute, explain);
}

/** The kernels leave mean and sum of an empty batch unwritten: there the (empty) losses are reduced apart. */
function reduceEmptyBatch(input: Tensor, reduction: number, call: (reduction: number) => Tensor): Tensor {
  if (reduction === 0 || input.ndim !== 2 || input.shape[0] !== 0) return call(reduction);
  const losses = call(0);
  return reduction === 1 ? aten.mean(losses) : aten.sum(losses);
}

/**
 * Binary cross entropy of each class, averaged over the classes.
 *
 * **Formula**: `l_n = -sum_c w[c] * (y ln sigmoid(x) + (1 - y) ln sigmoid(-x)) / C`.
 *
 * **Shapes**: input and target `[…, C]` -> `[]`, with `'none'` `[…]`; target and weight broadcast.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input, target and weight.
 *
 * @param target 0 or 1 for each class.
 * @example multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for an input without dimensions, `UNKNOWN_OPTION`; NativeError `RUNTIME` for
 *   shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.multilabel_soft_margin_loss`, which composes ATen operators as this function does.
 */
export function multilabelSoftMarginLoss(
  input: TensorLike,
  target: TensorLike,
  options?: MultilabelSoftMarginLossOptions,
): Tensor {
  const found = inOneCall(multilabelSoftMarginLoss, input, target, options);
  if (found !== undefined) return found;
  const op = 'multilabelSoftMarginLoss';
  const filled = withDefaults<MultilabelSoftMarginLossOptions>(op, options, multilabelSoftMarginLossDefaults);
  reductionCode(op, filled.reduction);
  const x = asTensor(op, 'input', input);
  const y = asTensor(op, 'target', target, x);
  const weight = asOptionalTensor(op, 'weight', filled.weight, x);
  return explained(
    op,
    { arguments: { input: x, target: y }, options: { weight } },
    () => {
      if (x.ndim === 0) throw expected(op, "'input'", 'to have at least 1 dimension, the classes', 'shape []');
      const positive = aten.mul_Tensor(y, aten.log_sigmoid(x));
      const negative = aten.mul_Tensor(aten.rsub_Scalar(y, 1), aten.log_sigmoid(aten.neg(x)));
      const byClass = aten.neg(aten.add_Tensor(positive, negative));
      const weighted = weight === undefined ? byClass : aten.mul_Tensor(byClass, weight);
      const classDim = x.ndim - 1;
      const losses = aten.div_Scalar(aten.sum_dim_IntList(weighted, [classDim]), x.shape[classDim] as number);
      if (filled.reduction === 'none') return losses;
      return filled.reduction === 'sum' ? aten.sum(losses) : aten.mean(losses);
    },
    () =>
      explainIntegers('input', x) ??
      explainBroadcast('target', y, 'input', x) ??
      explainExpand('weight', weight, 'input', x),
  );
}
multilabelSoftMarginLoss.item = itemForm(multilabelSoftMarginLoss);
multilabelSoftMarginLoss.out = outForm(multilabelSoftMarginLoss);
multilabelSoftMarginLoss.async = asyncForm(multilabelSoftMarginLoss);
