/** Losses over class scores and over probabilities: cross entropy and its relatives. */
import * as aten from '../../aten/operators.generated';
import { expected, type NativeError } from '../../errors';
import { classIndex, withDefaults, within } from '../../options';
import { sameShape, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { registerDerivative } from '../../tensor/value-and-grad';
import type { Reduction } from '../../types';
import { asClassTarget, asOptionalTensor, asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { constant, unit } from './constants';
import {
  type CrossEntropyCall,
  crossEntropyInPieces,
  differentiateCrossEntropy,
  differentiateNllLoss,
  directCrossEntropy,
} from './cross-entropy-fused';
import { differentiateProbabilities, probabilitiesInPieces } from './cross-entropy-probabilities';
import { checkProbabilities, isValidated } from './device-checks';
import {
  type Explanation,
  explainClassification,
  explainExpand,
  explainIntegers,
  explainProbabilities,
  type IndexRange,
} from './explain';
import { asyncForm, inOneCall, itemForm, outForm } from './forms';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /** A class index that counts for nothing. Default -100. Class probabilities allow only negative values, which do nothing. */
  ignoreIndex?: number | bigint | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** How much of each target is spread evenly over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
}

/** Options of {@link nllLoss}. @interface */
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
  const found = inOneCall(crossEntropy, input, target, options);
  if (found !== undefined) return found;
  const call = readCrossEntropy(input, target, options);
  return explainedCrossEntropy(call, () => inPieces(call) ?? directCrossEntropy(call) ?? wholeCrossEntropy(call));
}
crossEntropy.item = itemForm(crossEntropy);
crossEntropy.out = outForm(crossEntropy);
crossEntropy.async = asyncForm(crossEntropy);
registerDerivative(crossEntropy, (into, input, target, options) => {
  const call = readCrossEntropy(input, target, options);
  return explainedCrossEntropy(call, () => differentiateCrossEntropy(call, into) ?? differentiateProbabilities(call));
});

function readCrossEntropy(
  input: TensorLike,
  target: TensorLike,
  options: CrossEntropyOptions | undefined,
): CrossEntropyCall {
  const op = 'crossEntropy';
  const filled = withDefaults<CrossEntropyOptions>(op, options, crossEntropyDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const ignoreIndex = classIndex(op, "option 'ignoreIndex'", filled.ignoreIndex);
  const labelSmoothing = within(op, "option 'labelSmoothing'", filled.labelSmoothing, 0, 1);
  const scores = asTensor(op, 'input', input);
  return {
    input: scores,
    target: asClassTarget(op, 'target', target, scores, () => indexRange(scores, ignoreIndex)),
    weight: asOptionalTensor(op, 'weight', filled.weight, scores),
    reduction,
    ignoreIndex,
    labelSmoothing,
  };
}

/** The class indices that scores allow; `undefined` for what is no scores. */
function indexRange(scores: Tensor, ignoreIndex: number | bigint): IndexRange | undefined {
  if (scores.isDisposed || scores.ndim === 0) return undefined;
  return { classes: scores.shape[scores.ndim === 1 ? 0 : 1] as number, ignoreIndex };
}

function explainedCrossEntropy<T>(call: CrossEntropyCall, compute: () => T): T {
  const { input, target, weight } = call;
  const explain = (refusal: NativeError): Explanation | undefined => explainClassification(call, true, refusal);
  return explained('crossEntropy', { arguments: { input, target }, options: { weight } }, compute, explain);
}

function inPieces(call: CrossEntropyCall): Tensor | undefined {
  return crossEntropyInPieces(call) ?? probabilitiesInPieces(call);
}

function wholeCrossEntropy({
  input,
  target,
  weight,
  reduction,
  ignoreIndex,
  labelSmoothing,
}: CrossEntropyCall): Tensor {
  return aten.cross_entropy_loss(input, target, weight, reduction, ignoreIndex, labelSmoothing);
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
  const found = inOneCall(nllLoss, input, target, options);
  if (found !== undefined) return found;
  const call = readNllLoss(input, target, options);
  return explainedNllLoss(call, () => {
    const { input: logProbs, target: labels, weight, reduction, ignoreIndex } = call;
    // The backward kernel of 4-D input writes contiguous gradients only, and refuses others after the fact.
    const given = logProbs.ndim === 4 && !logProbs.isContiguous ? logProbs.contiguous() : logProbs;
    return aten.nll_loss_nd(given, labels, weight, reduction, ignoreIndex);
  });
}
nllLoss.item = itemForm(nllLoss);
nllLoss.out = outForm(nllLoss);
nllLoss.async = asyncForm(nllLoss);
registerDerivative(nllLoss, (_into, input, target, options) => {
  const call = readNllLoss(input, target, options);
  return explainedNllLoss(call, () => differentiateNllLoss(call));
});

type NllLossCall = Omit<CrossEntropyCall, 'labelSmoothing'>;

function readNllLoss(input: TensorLike, target: TensorLike, options: NLLLossOptions | undefined): NllLossCall {
  const op = 'nllLoss';
  const filled = withDefaults<NLLLossOptions>(op, options, nllLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const ignoreIndex = classIndex(op, "option 'ignoreIndex'", filled.ignoreIndex);
  const logProbs = asTensor(op, 'input', input);
  return {
    input: logProbs,
    target: asClassTarget(op, 'target', target, logProbs, () => indexRange(logProbs, ignoreIndex)),
    weight: asOptionalTensor(op, 'weight', filled.weight, logProbs),
    reduction,
    ignoreIndex,
  };
}

function explainedNllLoss<T>(call: NllLossCall, compute: () => T): T {
  const { input, target, weight } = call;
  const explain = (refusal: NativeError): Explanation | undefined => explainClassification(call, false, refusal);
  return explained('nllLoss', { arguments: { input, target }, options: { weight } }, compute, explain);
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
  const found = inOneCall(binaryCrossEntropy, input, target, options);
  if (found !== undefined) return found;
  const call = readProbabilities(input, target, options);
  return explainedProbabilities(call, (weight) =>
    aten.binary_cross_entropy(call.input, call.target, weight, call.reduction),
  );
}
binaryCrossEntropy.item = itemForm(binaryCrossEntropy);
binaryCrossEntropy.out = outForm(binaryCrossEntropy);
binaryCrossEntropy.async = asyncForm(binaryCrossEntropy);
registerDerivative(binaryCrossEntropy, (_into, input, target, options) => {
  const call = readProbabilities(input, target, options);
  const { input: x, target: y, reduction } = call;
  if (reduction === 0) return undefined;
  return explainedProbabilities(call, (weight) => ({
    value: aten.binary_cross_entropy(x, y, weight, reduction),
    grad: aten.binary_cross_entropy_backward(unit(x), x, y, weight, reduction),
  }));
});

interface ProbabilitiesCall {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  reduction: number;
}

function readProbabilities(
  input: TensorLike,
  target: TensorLike,
  options: BinaryCrossEntropyOptions | undefined,
): ProbabilitiesCall {
  const op = 'binaryCrossEntropy';
  const filled = withDefaults<BinaryCrossEntropyOptions>(op, options, binaryCrossEntropyDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const probs = asTensor(op, 'input', input);
  return {
    input: probs,
    target: asTensor(op, 'target', target, probs),
    weight: asOptionalTensor(op, 'weight', filled.weight, probs),
    reduction,
  };
}

function explainedProbabilities<T>(call: ProbabilitiesCall, compute: (weight: Tensor | undefined) => T): T {
  const op = 'binaryCrossEntropy';
  const { input, target, weight } = call;
  return explained(
    op,
    { arguments: { input, target }, options: { weight } },
    () => {
      checkSameShape(op, input, target);
      if (isValidated(input)) {
        checkProbabilities(op, 'input', input);
        checkProbabilities(op, 'target', target);
      }
      const refused = explainExpand('weight', weight, 'target', target);
      if (refused) throw expected(op, refused.label, refused.what, refused.actual);
      // The operator itself would not broadcast a weight that is smaller than the target.
      return compute(weight?.expand(target.shape));
    },
    () => explainProbabilities(input, target),
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
  const found = inOneCall(binaryCrossEntropyWithLogits, input, target, options);
  if (found !== undefined) return found;
  const call = readLogits(input, target, options);
  return explainedLogits(call, () => pointwiseLoss(logitsLoss(call)));
}
binaryCrossEntropyWithLogits.item = itemForm(binaryCrossEntropyWithLogits);
binaryCrossEntropyWithLogits.out = outForm(binaryCrossEntropyWithLogits);
binaryCrossEntropyWithLogits.async = asyncForm(binaryCrossEntropyWithLogits);
registerDerivative(binaryCrossEntropyWithLogits, (into, input, target, options) => {
  const call = readLogits(input, target, options);
  return explainedLogits(call, () => differentiatePointwise(logitsLoss(call), into));
});

interface LogitsCall {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  posWeight: Tensor | undefined;
  reduction: number;
}

function readLogits(
  input: TensorLike,
  target: TensorLike,
  options: BinaryCrossEntropyWithLogitsOptions | undefined,
): LogitsCall {
  const op = 'binaryCrossEntropyWithLogits';
  const filled = withDefaults<BinaryCrossEntropyWithLogitsOptions>(op, options, binaryCrossEntropyWithLogitsDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const logits = asTensor(op, 'input', input);
  return {
    input: logits,
    target: asTensor(op, 'target', target, logits),
    weight: asOptionalTensor(op, 'weight', filled.weight, logits),
    posWeight: asOptionalTensor(op, 'posWeight', filled.posWeight, logits),
    reduction,
  };
}

function explainedLogits<T>({ input, target, weight, posWeight }: LogitsCall, compute: () => T): T {
  const op = 'binaryCrossEntropyWithLogits';
  return explained(
    op,
    { arguments: { input, target }, options: { weight, posWeight } },
    () => {
      checkSameShape(op, input, target);
      return compute();
    },
    () =>
      explainIntegers('input', input) ??
      explainExpand('weight', weight, 'target', target) ??
      explainExpand('posWeight', posWeight, 'target', target),
  );
}

function logitsLoss({ input, target, weight, posWeight, reduction }: LogitsCall): Pointwise {
  return {
    input,
    operands: [target, weight, posWeight],
    reduction,
    splits: true,
    whole: () => aten.binary_cross_entropy_with_logits(input, target, weight, posWeight, reduction),
    losses: (x, [y, w, p], out) => {
      const target = y as Tensor;
      const logSigmoid = aten.log_sigmoid(x);
      if (p !== undefined) {
        const logWeight = aten.add__Scalar(aten.mul_Tensor(aten.sub_Scalar(p, 1), target), 1);
        aten.mul__Tensor(logSigmoid, logWeight);
      }
      const negative = aten.mul__Tensor(aten.rsub_Scalar(target, 1), x);
      if (w === undefined) aten.sub_out(negative, logSigmoid, undefined, out);
      else aten.mul_out(aten.sub__Tensor(negative, logSigmoid), w, out);
    },
    gradient: (x, [y, w, p], out) => {
      const grad = aten.sigmoid(x);
      const target = y as Tensor;
      if (p !== undefined) {
        const positive = aten.mul_Tensor(p, target);
        const both = aten.sub__Tensor(aten.add_Scalar(positive, 1), target);
        aten.copy_(grad, aten.sub__Tensor(aten.mul__Tensor(both, grad), positive));
      } else {
        aten.sub__Tensor(grad, target);
      }
      if (w !== undefined) aten.mul__Tensor(grad, w);
      if (reduction === 1) aten.div_out(grad, constant(input.numel, x), out);
      else aten.copy_(out, grad);
    },
  };
}

function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  const shape = input.shape;
  if (sameShape(shape, target.shape)) return;
  throw expected(op, "'target'", `to have shape ${shapeText(shape)} as 'input' has`, shapeText(target.shape));
}
