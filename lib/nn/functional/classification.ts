/** Losses over class scores and over probabilities: cross entropy and its relatives. */
import * as aten from '../../aten/operators.generated';
import { expected } from '../../errors';
import { integer, withDefaults, within } from '../../options';
import { sameShape, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { asClassTarget, asOptionalTensor, asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { explainClassification, explainExpand, explainIntegers, explainProbabilities } from './explain';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /** A class index that counts for nothing. Default -100. Class probabilities allow only negative values, which do nothing. */
  ignoreIndex?: number | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** How much of each target is spread evenly over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
}

/** Options of {@link nllLoss}. */
export type NLLLossOptions = Omit<CrossEntropyOptions, 'labelSmoothing'>;

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions {
  /** A weight for each element, broadcast to the target's shape. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A weight for the positive part of each element, broadcast to the target's shape. Absent: 1 each. */
  posWeight?: TensorLike | undefined;
}

/** @internal */
export const crossEntropyDefaults = Object.freeze({
  weight: undefined,
  ignoreIndex: -100,
  reduction: 'mean',
  labelSmoothing: 0,
}) satisfies Required<CrossEntropyOptions>;

/** @internal */
export const nllLossDefaults = Object.freeze({
  weight: undefined,
  ignoreIndex: -100,
  reduction: 'mean',
}) satisfies Required<NLLLossOptions>;

/** @internal */
export const binaryCrossEntropyDefaults = Object.freeze({
  weight: undefined,
  reduction: 'mean',
}) satisfies Required<BinaryCrossEntropyOptions>;

/** @internal */
export const binaryCrossEntropyWithLogitsDefaults = Object.freeze({
  weight: undefined,
  reduction: 'mean',
  posWeight: undefined,
}) satisfies Required<BinaryCrossEntropyWithLogitsOptions>;

/**
 * Cross entropy between scores (logits) and class indices or class probabilities.
 *
 * **Formula**: with class indices y, `l_n = -w[y_n] * logSoftmax(x_n)[y_n]`; with probabilities p,
 * `l_n = -sum_c w[c] * p[n, c] * logSoftmax(x_n)[c]`. `'mean'` divides the sum by `sum_n w[y_n]` over the targets that are
 * not ignored, with probabilities by the number of rows. With smoothing s over C classes a target p becomes
 * `(1 - s) * p + s / C`.
 *
 * **Shapes**: input `[C]`, `[N, C]` or `[N, C, d1, …, dk]`; target `[]`, `[N]` or `[N, d1, …, dk]` class indices, or
 * probabilities of the input's shape -> `[]`, with `'none'` the shape of class indices.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16 scores; int64 class indices (uint8 for 1-D and 2-D input);
 * every device. Plain arrays and integer arrays are cast to int64.
 *
 * **Gradient**: to the input, and to a target of probabilities.
 *
 * **Difference from PyTorch**: a `labelSmoothing` that is negative or NaN is an error; PyTorch ignores it.
 *
 * @param input scores, not normalised.
 * @param target class indices in [0, C) or `ignoreIndex`, or class probabilities.
 * @example crossEntropy(tensor([[1, 2, 0.5]]), [1]).item() // 0.4643…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `INDEX` for a class index out of range, `VALUE` or
 *   `RUNTIME` for shapes and dtypes that do not fit, each with the argument that is meant.
 *
 * **Source**: `torch.nn.functional.cross_entropy`, `aten::cross_entropy_loss`.
 */
export function crossEntropy(input: TensorLike, target: TensorLike, options?: CrossEntropyOptions): Tensor {
  const op = 'crossEntropy';
  const filled = withDefaults<CrossEntropyOptions>(op, options, crossEntropyDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const ignoreIndex = integer(op, "option 'ignoreIndex'", filled.ignoreIndex);
  const smoothing = within(op, "option 'labelSmoothing'", filled.labelSmoothing, 0, 1);
  const scores = asTensor(op, 'input', input);
  const labels = asClassTarget(op, 'target', target, scores);
  const weight = asOptionalTensor(op, 'weight', filled.weight, scores);
  return explained(
    op,
    { arguments: { input: scores, target: labels }, options: { weight } },
    () => aten.cross_entropy_loss(scores, labels, weight, reduction, ignoreIndex, smoothing),
    (refusal) => explainClassification({ input: scores, target: labels, weight, ignoreIndex }, true, refusal),
  );
}

/**
 * Negative log-likelihood of class indices under log-probabilities.
 *
 * **Formula**: `l_n = -w[y_n] * x[n, y_n]`; `'mean'` divides the sum by `sum_n w[y_n]` over the targets that are not
 * ignored.
 *
 * **Shapes**: input `[C]`, `[N, C]` or `[N, C, d1, …, dk]`; target `[]`, `[N]` or `[N, d1, …, dk]` -> `[]`, with
 * `'none'` the target's shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; int64 class indices (uint8 for 1-D and 2-D input); every
 * device. Plain arrays and integer arrays are cast to int64.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: the backward pass of a 4-D input that is not contiguous (channels last) fails there; here
 * it works.
 *
 * @param input log-probabilities, as {@link logSoftmax} gives them.
 * @param target class indices in [0, C) or `ignoreIndex`.
 * @example nllLoss(tensor([[1, 2, 0.5]]).logSoftmax(1), [1]).item() // 0.4643…, as crossEntropy gives
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `INDEX` for a class index out of range, `VALUE` or
 *   `RUNTIME` for shapes and dtypes that do not fit, each with the argument that is meant.
 *
 * **Source**: `torch.nn.functional.nll_loss`, `aten::nll_loss_nd`.
 */
export function nllLoss(input: TensorLike, target: TensorLike, options?: NLLLossOptions): Tensor {
  const op = 'nllLoss';
  const filled = withDefaults<NLLLossOptions>(op, options, nllLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const ignoreIndex = integer(op, "option 'ignoreIndex'", filled.ignoreIndex);
  const logProbs = asTensor(op, 'input', input);
  const labels = asClassTarget(op, 'target', target, logProbs);
  const weight = asOptionalTensor(op, 'weight', filled.weight, logProbs);
  return explained(
    op,
    { arguments: { input: logProbs, target: labels }, options: { weight } },
    () => {
      // The backward kernel of 4-D input writes contiguous gradients only, and refuses others after the fact.
      const given = logProbs.ndim === 4 && !logProbs.isContiguous ? logProbs.contiguous() : logProbs;
      return aten.nll_loss_nd(given, labels, weight, reduction, ignoreIndex);
    },
    (refusal) => explainClassification({ input: logProbs, target: labels, weight, ignoreIndex }, false, refusal),
  );
}

/**
 * Binary cross entropy between probabilities.
 *
 * **Formula**: `l = -w * (y * ln x + (1 - y) * ln(1 - x))`, both logarithms at least -100.
 *
 * **Shapes**: input and target of the same shape -> `[]`, with `'none'` that shape; the weight broadcasts to it.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, all the same; every device.
 *
 * **Gradient**: to the input and the target; at an exact 0 or 1 the denominator is at least 1e-12.
 *
 * @param input probabilities in [0, 1].
 * @param target probabilities in [0, 1].
 * @example binaryCrossEntropy(tensor([0.5]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for shapes that differ, `UNKNOWN_OPTION`; NativeError `RUNTIME` for values
 *   outside [0, 1] and for dtypes that differ.
 *
 * **Source**: `torch.nn.functional.binary_cross_entropy`, `aten::binary_cross_entropy`.
 */
export function binaryCrossEntropy(input: TensorLike, target: TensorLike, options?: BinaryCrossEntropyOptions): Tensor {
  const op = 'binaryCrossEntropy';
  const filled = withDefaults<BinaryCrossEntropyOptions>(op, options, binaryCrossEntropyDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const probs = asTensor(op, 'input', input);
  const labels = asTensor(op, 'target', target, probs);
  const weight = asOptionalTensor(op, 'weight', filled.weight, probs);
  return explained(
    op,
    { arguments: { input: probs, target: labels }, options: { weight } },
    () => {
      checkSameShape(op, probs, labels);
      const refused = explainExpand('weight', weight, 'target', labels);
      if (refused) throw expected(op, refused.label, refused.what, refused.actual);
      // The operator itself would not broadcast a weight that is smaller than the target.
      return aten.binary_cross_entropy(probs, labels, weight?.expand(labels.shape), reduction);
    },
    () => explainProbabilities(probs, labels),
  );
}

/**
 * Binary cross entropy between logits and probabilities: {@link binaryCrossEntropy} of the sigmoid, without its
 * overflow.
 *
 * **Formula**: `l = -w * (p * y * ln sigmoid(x) + (1 - y) * ln(1 - sigmoid(x)))`, with p the positive weight.
 *
 * **Shapes**: input and target of the same shape -> `[]`, with `'none'` that shape; the weights broadcast to it.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input and the target.
 *
 * @param input logits: any number.
 * @param target probabilities; values outside [0, 1] are accepted, as in PyTorch.
 * @example binaryCrossEntropyWithLogits(tensor([0]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for shapes that differ, `UNKNOWN_OPTION`; NativeError `RUNTIME` for weights that
 *   do not broadcast.
 *
 * **Source**: `torch.nn.functional.binary_cross_entropy_with_logits`, `aten::binary_cross_entropy_with_logits`.
 */
export function binaryCrossEntropyWithLogits(
  input: TensorLike,
  target: TensorLike,
  options?: BinaryCrossEntropyWithLogitsOptions,
): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  const filled = withDefaults<BinaryCrossEntropyWithLogitsOptions>(op, options, binaryCrossEntropyWithLogitsDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const logits = asTensor(op, 'input', input);
  const labels = asTensor(op, 'target', target, logits);
  const weight = asOptionalTensor(op, 'weight', filled.weight, logits);
  const posWeight = asOptionalTensor(op, 'posWeight', filled.posWeight, logits);
  return explained(
    op,
    { arguments: { input: logits, target: labels }, options: { weight, posWeight } },
    () => {
      checkSameShape(op, logits, labels);
      return aten.binary_cross_entropy_with_logits(logits, labels, weight, posWeight, reduction);
    },
    () =>
      explainIntegers('input', logits) ??
      explainExpand('weight', weight, 'target', labels) ??
      explainExpand('posWeight', posWeight, 'target', labels),
  );
}

function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  const shape = input.shape;
  if (sameShape(shape, target.shape)) return;
  throw expected(op, "'target'", `to have shape ${shapeText(shape)} as 'input' has`, shapeText(target.shape));
}
