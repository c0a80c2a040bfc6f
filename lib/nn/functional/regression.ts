/** Losses between numbers: absolute, squared, and what lies between them. */
import * as aten from '../../aten/operators.generated';
import { emitWarning } from '../../binding/load';
import { expected, type NativeError } from '../../errors';
import { number, withDefaults } from '../../options';
import { sameShape, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { registerDerivative, type ValueAndGrad } from '../../tensor/value-and-grad';
import { isFloating, type Reduction } from '../../types';
import { asOptionalTensor, asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { unit } from './constants';
import { type Explanation, explainBroadcast } from './explain';
import { asyncForm, inOneCall, itemForm, outForm } from './forms';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';

/** Options of {@link l1Loss} and {@link mseLoss}. */
export interface WeightedOptions {
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** A weight for each element, of the input's shape. Absent: 1 each. */
  weight?: TensorLike | undefined;
}

/** Options of {@link smoothL1Loss}. */
export interface SmoothL1LossOptions {
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** The difference at which the square becomes linear, >= 0; 0 makes it {@link l1Loss}. Default 1. */
  beta?: number | undefined;
}

/** Options of {@link huberLoss}. */
export interface HuberLossOptions extends WeightedOptions {
  /** The difference at which the square becomes linear, > 0. Default 1. */
  delta?: number | undefined;
}

/** @internal */
export const weightedDefaults = Object.freeze({
  reduction: 'mean',
  weight: undefined,
}) satisfies Required<WeightedOptions>;

/** @internal */
export const smoothL1LossDefaults = Object.freeze({
  reduction: 'mean',
  beta: 1,
}) satisfies Required<SmoothL1LossOptions>;

/** @internal */
export const huberLossDefaults = Object.freeze({
  reduction: 'mean',
  delta: 1,
  weight: undefined,
}) satisfies Required<HuberLossOptions>;

/** Input and target as tensors of one shape, and the weight, checked as PyTorch's Python layer checks them. */
interface Pair {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  /** Whether the input is broadcast to the target's shape. */
  isBroadcast: boolean;
}

function readPair(op: string, input: TensorLike, target: TensorLike, weight: TensorLike | undefined): Pair {
  const x = asTensor(op, 'input', input);
  const y = asTensor(op, 'target', target, x);
  const w = asOptionalTensor(op, 'weight', weight, x);
  return explained(
    op,
    { arguments: { input: x, target: y }, options: { weight: w } },
    () => {
      const [xShape, yShape] = [x.shape, y.shape];
      const same = sameShape(xShape, yShape);
      if (!same) warnOfBroadcast(yShape, xShape);
      const [first, second] = same ? [x, y] : aten.broadcast_tensors([x, y]);
      if (w !== undefined && !sameShape(w.shape, xShape)) {
        throw expected(op, "option 'weight'", `to have shape ${shapeText(xShape)} as 'input' has`, shapeText(w.shape));
      }
      const isBroadcast = !same && !sameShape((first as Tensor).shape, xShape);
      return { input: first as Tensor, target: second as Tensor, weight: w, isBroadcast };
    },
    () => explainBroadcast('target', y, 'input', x),
  );
}

/** How a loss of pairs and its gradient are computed; the gradient is written into a tensor of the input's shape. */
interface PairOperators {
  value(pair: Pair): Tensor;
  gradient(pair: Pair, one: Tensor, into: Tensor): Tensor;
}

/** Value and gradient of a sum or mean, without a graph; `undefined` where the arguments need one. */
function differentiatePair(
  pair: Pair,
  reduction: number,
  { value, gradient }: PairOperators,
  into: Tensor | undefined,
): ValueAndGrad | undefined {
  const { input, target } = pair;
  const fits = isFloating(input.dtype) && target.dtype === input.dtype && input.isContiguous;
  if (reduction === 0 || !fits || !target.isContiguous || !sameShape(input.shape, target.shape)) return undefined;
  // The value first: the gradient may be written over the input.
  return { value: value(pair), grad: gradient(pair, unit(input), into ?? aten.empty_like(input)) };
}

/** PyTorch's own words, character for character. */
function warnOfBroadcast(target: readonly number[], input: readonly number[]): void {
  const [own, other] = [target, input].map((shape) => `torch.Size(${shapeText(shape)})`);
  emitWarning(
    `Using a target size (${own}) that is different to the input size (${other}). This will likely lead to incorrect ` +
      'results due to broadcasting. Please ensure they have the same size.',
  );
}

/** The weighted losses reduced; `'mean'` divides by the sum of the weights. */
function reduceWeighted(losses: Tensor, weight: Tensor, reduction: Reduction): Tensor {
  if (reduction === 'none') return losses;
  const sum = aten.sum(losses);
  return reduction === 'sum' ? sum : aten.div_Tensor(sum, aten.sum(weight));
}

/**
 * The mean absolute error.
 *
 * **Formula**: `l = w * |x - y|`; `'mean'` divides the sum by `sum w`, without weights by the number of elements.
 *
 * **Shapes**: input and target of the same shape (others broadcast, with a warning) -> `[]`, with `'none'` that shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; integers with `'none'` and `'sum'`; every device.
 *
 * **Gradient**: to input, target and weight; 0 where both are equal.
 *
 * @example l1Loss(tensor([1, 2]), tensor([3, 2])).item() // 1
 *
 * @throws TorchError `INVALID_ARGUMENT` for a weight of another shape, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes
 *   that do not broadcast.
 *
 * **Source**: `torch.nn.functional.l1_loss`, `aten::l1_loss`.
 */
export function l1Loss(input: TensorLike, target: TensorLike, options?: WeightedOptions): Tensor {
  const found = inOneCall(l1Loss, input, target, options);
  if (found !== undefined) return found;
  const op = 'l1Loss';
  const { reduction, weight } = withDefaults<WeightedOptions>(op, options, weightedDefaults);
  const code = reductionCode(op, reduction);
  const pair = readPair(op, input, target, weight);
  if (pair.weight === undefined) return aten.l1_loss(pair.input, pair.target, code);
  const losses = aten.mul_Tensor(aten.abs(aten.sub_Tensor(pair.input, pair.target)), pair.weight);
  return reduceWeighted(losses, pair.weight, reduction as Reduction);
}
l1Loss.item = itemForm(l1Loss);
l1Loss.out = outForm(l1Loss);
l1Loss.async = asyncForm(l1Loss);

/**
 * The mean squared error.
 *
 * **Formula**: `l = w * (x - y)^2`; `'mean'` divides the sum by `sum w`, without weights by the number of elements.
 *
 * **Shapes**: input and target of the same shape (others broadcast, with a warning) -> `[]`, with `'none'` that shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input, target and weight.
 *
 * @example mseLoss(tensor([1, 2]), tensor([3, 2])).item() // 2
 *
 * @throws TorchError `INVALID_ARGUMENT` for a weight of another shape, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes
 *   that do not broadcast, `NOT_IMPLEMENTED` for integers.
 *
 * **Source**: `torch.nn.functional.mse_loss`, `aten::mse_loss`.
 */
export function mseLoss(input: TensorLike, target: TensorLike, options?: WeightedOptions): Tensor {
  const found = inOneCall(mseLoss, input, target, options);
  if (found !== undefined) return found;
  const op = 'mseLoss';
  const { reduction, weight } = withDefaults<WeightedOptions>(op, options, weightedDefaults);
  const code = reductionCode(op, reduction);
  const pair = readPair(op, input, target, weight);
  if (pair.weight === undefined) return pointwiseLoss(squaredError(pair, code));
  const squares = aten.pow_Tensor_Scalar(aten.sub_Tensor(pair.input, pair.target), 2);
  return reduceWeighted(aten.mul_Tensor(squares, pair.weight), pair.weight, reduction as Reduction);
}
mseLoss.item = itemForm(mseLoss);
mseLoss.out = outForm(mseLoss);
mseLoss.async = asyncForm(mseLoss);
registerDerivative(mseLoss, (into, input, target, options) => {
  const { reduction, weight } = withDefaults<WeightedOptions>('mseLoss', options, weightedDefaults);
  const code = reductionCode('mseLoss', reduction);
  const pair = readPair('mseLoss', input, target, undefined);
  // The gradient of an input that is broadcast is a sum of the elements' gradients.
  if (weight !== undefined || pair.isBroadcast) return undefined;
  return differentiatePointwise(squaredError(pair, code), into);
});

function squaredError({ input, target }: Pair, reduction: number): Pointwise {
  // The kernel of 16-bit gradients rounds differently from two operators.
  const splits = input.dtype === 'float32' || input.dtype === 'float64';
  return {
    input,
    operands: [target],
    reduction,
    splits,
    whole: () => aten.mse_loss(input, target, reduction),
    losses: (x, [y], out) => {
      aten.mse_loss_out(x, y as Tensor, 0, out);
    },
    gradient: (x, [y], out) => {
      if (splits) {
        // Not the backward operator, which takes the mean over the piece.
        aten.sub_out(x, y as Tensor, undefined, out);
        aten.mul__Scalar(out, reduction === 1 ? 2 / input.numel : 2);
      } else {
        aten.mse_loss_backward_grad_input(unit(x), x, y as Tensor, reduction, out);
      }
    },
  };
}

/**
 * Squared error near 0 and absolute error beyond, without a step in value or slope.
 *
 * **Formula**: `l = (x - y)^2 / (2 beta)` where `|x - y| < beta`, else `|x - y| - beta / 2`.
 *
 * **Shapes**: input and target of the same shape (others broadcast, with a warning) -> `[]`, with `'none'` that shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input and target.
 *
 * @example smoothL1Loss(tensor([0, 0]), tensor([0.5, 3]), { reduction: 'none' }).toArray() // [0.125, 2.5]
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for a negative `beta` and for shapes that
 *   do not broadcast.
 *
 * **Source**: `torch.nn.functional.smooth_l1_loss`, `aten::smooth_l1_loss`.
 */
export function smoothL1Loss(input: TensorLike, target: TensorLike, options?: SmoothL1LossOptions): Tensor {
  const found = inOneCall(smoothL1Loss, input, target, options);
  if (found !== undefined) return found;
  const op = 'smoothL1Loss';
  const filled = withDefaults<SmoothL1LossOptions>(op, options, smoothL1LossDefaults);
  const code = reductionCode(op, filled.reduction);
  const beta = number(op, "option 'beta'", filled.beta);
  const pair = readPair(op, input, target, undefined);
  if (beta === 0) return aten.l1_loss(pair.input, pair.target, code);
  return explained(
    op,
    { arguments: { input: pair.input, target: pair.target } },
    () => aten.smooth_l1_loss(pair.input, pair.target, code, beta),
    (refusal) => explainOption(refusal, 'beta', 'to be a number >= 0', beta),
  );
}
smoothL1Loss.item = itemForm(smoothL1Loss);
smoothL1Loss.out = outForm(smoothL1Loss);
smoothL1Loss.async = asyncForm(smoothL1Loss);
registerDerivative(smoothL1Loss, (into, input, target, options) => {
  const op = 'smoothL1Loss';
  const filled = withDefaults<SmoothL1LossOptions>(op, options, smoothL1LossDefaults);
  const code = reductionCode(op, filled.reduction);
  const beta = number(op, "option 'beta'", filled.beta);
  if (!(beta > 0)) return undefined;
  return differentiatePair(
    readPair(op, input, target, undefined),
    code,
    {
      value: ({ input: x, target: y }) => aten.smooth_l1_loss(x, y, code, beta),
      gradient: ({ input: x, target: y }, one, grad) =>
        aten.smooth_l1_loss_backward_grad_input(one, x, y, code, beta, grad),
    },
    into,
  );
});

/**
 * Squared error near 0 and absolute error beyond, scaled: `delta` times {@link smoothL1Loss} with beta = delta.
 *
 * **Formula**: `l = w * (x - y)^2 / 2` where `|x - y| <= delta`, else `w * delta * (|x - y| - delta / 2)`. With weights,
 * `'mean'` is the plain mean of the weighted losses: it does not divide by the sum of weights, as l1 and mse do.
 *
 * **Shapes**: input and target of the same shape (others broadcast, with a warning) -> `[]`, with `'none'` that shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input, target and weight.
 *
 * @example huberLoss(tensor([0, 0]), tensor([0.5, 3]), { reduction: 'none' }).toArray() // [0.125, 2.5]
 *
 * @throws TorchError `INVALID_ARGUMENT` for a weight of another shape, `UNKNOWN_OPTION`; NativeError `RUNTIME` for a
 *   `delta` that is not positive and for shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.huber_loss`, `aten::huber_loss`.
 */
export function huberLoss(input: TensorLike, target: TensorLike, options?: HuberLossOptions): Tensor {
  const found = inOneCall(huberLoss, input, target, options);
  if (found !== undefined) return found;
  const op = 'huberLoss';
  const filled = withDefaults<HuberLossOptions>(op, options, huberLossDefaults);
  const code = reductionCode(op, filled.reduction);
  const delta = number(op, "option 'delta'", filled.delta);
  const pair = readPair(op, input, target, filled.weight);
  const losses = explained(
    op,
    { arguments: { input: pair.input, target: pair.target } },
    () => aten.huber_loss(pair.input, pair.target, pair.weight === undefined ? code : 0, delta),
    (refusal) => explainOption(refusal, 'delta', 'to be a number > 0', delta),
  );
  if (pair.weight === undefined) return losses;
  const weighted = aten.mul_Tensor(losses, pair.weight);
  if (filled.reduction === 'none') return weighted;
  return filled.reduction === 'sum' ? aten.sum(weighted) : aten.mean(weighted);
}
huberLoss.item = itemForm(huberLoss);
huberLoss.out = outForm(huberLoss);
huberLoss.async = asyncForm(huberLoss);
registerDerivative(huberLoss, (into, input, target, options) => {
  const op = 'huberLoss';
  const filled = withDefaults<HuberLossOptions>(op, options, huberLossDefaults);
  const code = reductionCode(op, filled.reduction);
  const delta = number(op, "option 'delta'", filled.delta);
  if (filled.weight !== undefined || !(delta > 0)) return undefined;
  return differentiatePair(
    readPair(op, input, target, undefined),
    code,
    {
      value: ({ input: x, target: y }) => aten.huber_loss(x, y, code, delta),
      gradient: ({ input: x, target: y }, one, grad) => aten.huber_loss_backward_out(one, x, y, code, delta, grad),
    },
    into,
  );
});

/** That libtorch's refusal names an option. */
function explainOption(refusal: NativeError, name: string, what: string, value: number): Explanation | undefined {
  if (!refusal.message.endsWith(`values for ${name}.`)) return undefined;
  return { label: `option '${name}'`, what, actual: String(value) };
}
