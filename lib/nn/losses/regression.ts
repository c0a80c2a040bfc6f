/** Losses between numbers: absolute, squared, and what lies between them. */

import { emitWarning } from '../../binding/load';
import { expected, type NativeError } from '../../errors';
import { aten } from '../../torch/ops';
import { shapeText, shareShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { ValueAndGrad } from '../../torch/value-and-grad';
import { isFloating, type Reduction } from '../../types';
import type { TensorLike } from './arguments';
import { lossClass } from './class';
import { unit } from './constants';
import { declareLoss, type Loss } from './declare';
import { type Explanation, explainBroadcast } from './explain';
import { mean, none, numberOr, optionalTensor, reduction, sum, tensor } from './option';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';
import { reduced } from './reduce';

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

type Pair = [input: TensorLike, target: TensorLike];

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
export const l1Loss: Loss<Pair, WeightedOptions> = declareLoss({
  name: 'l1Loss',
  arguments: { input: tensor, target: tensor },
  options: { reduction, weight: optionalTensor },
  compute(call) {
    const { input, target, weight } = together('l1Loss', call);
    if (weight === undefined) return aten.l1_loss(input, target, call.reduction);
    const losses = aten.mul.Tensor(aten.abs(aten.sub.Tensor(input, target)), weight);
    return reduceWeighted(losses, weight, call.reduction);
  },
  explain: explainPair,
  evaluation: { lossesOf: 'elements', denominator: 'element weights', weighsElements: true },
});

/** {@link l1Loss} with its options. **Source**: `torch.nn.L1Loss`, which takes no weight. */
export class L1Loss extends lossClass(l1Loss, 'L1Loss', ['reduction']) {}

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
export const mseLoss: Loss<Pair, WeightedOptions> = declareLoss({
  name: 'mseLoss',
  arguments: { input: tensor, target: tensor },
  options: { reduction, weight: optionalTensor },
  compute(call) {
    const { input, target, weight } = together('mseLoss', call);
    if (weight === undefined) return pointwiseLoss(squaredError(input, target, call.reduction));
    const squares = aten.pow.Tensor_Scalar(aten.sub.Tensor(input, target), 2);
    return reduceWeighted(aten.mul.Tensor(squares, weight), weight, call.reduction);
  },
  derivative(call, into) {
    const { input, target, weight, isBroadcast } = together('mseLoss', call);
    // The gradient of an input that is broadcast is a sum of the elements' gradients.
    if (weight !== undefined || isBroadcast) return undefined;
    return differentiatePointwise(squaredError(input, target, call.reduction), into);
  },
  explain: explainPair,
  evaluation: { lossesOf: 'elements', denominator: 'element weights', weighsElements: true },
});

/** {@link mseLoss} with its options. **Source**: `torch.nn.MSELoss`, which takes no weight. */
export class MSELoss extends lossClass(mseLoss, 'MSELoss', ['reduction']) {}

function squaredError(input: Tensor, target: Tensor, reduction: number): Pointwise {
  // The kernel of 16-bit gradients rounds differently from two operators.
  const splits = (): boolean => input.dtype === 'float32' || input.dtype === 'float64';
  return {
    input,
    operands: [target],
    reduction,
    splits,
    whole: () => aten.mse_loss(input, target, reduction),
    losses: (x, [y], out) => {
      aten.mse_loss.out(x, y as Tensor, none, { out });
    },
    gradient: (x, [y], out) => {
      if (splits()) {
        // Not the backward operator, which takes the mean over the chunk.
        aten.sub.out(x, y as Tensor, { out });
        aten.mul_.Scalar(out, reduction === mean ? 2 / input.numel() : 2);
      } else {
        aten.mse_loss_backward.grad_input(unit(x), x, y as Tensor, reduction, { grad_input: out });
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
export const smoothL1Loss: Loss<Pair, SmoothL1LossOptions> = declareLoss({
  name: 'smoothL1Loss',
  arguments: { input: tensor, target: tensor },
  options: { reduction, beta: numberOr(1) },
  compute(call) {
    const { input, target } = together('smoothL1Loss', call);
    if (call.beta === 0) return aten.l1_loss(input, target, call.reduction);
    return aten.smooth_l1_loss(input, target, call.reduction, call.beta);
  },
  derivative(call, into) {
    const { reduction: code, beta } = call;
    if (!(beta > 0)) return undefined;
    return differentiatePair(call, into, {
      value: (x, y) => aten.smooth_l1_loss(x, y, code, beta),
      gradient: (one, x, y, grad) =>
        aten.smooth_l1_loss_backward.grad_input(one, x, y, code, beta, { grad_input: grad }),
    });
  },
  explain: (call, refusal) => explainPair(call) ?? explainOption(refusal, 'beta', 'to be a number >= 0', call.beta),
  evaluation: { lossesOf: 'elements' },
});

/** {@link smoothL1Loss} with its options. **Source**: `torch.nn.SmoothL1Loss`. */
export class SmoothL1Loss extends lossClass(smoothL1Loss, 'SmoothL1Loss', ['reduction', 'beta']) {}

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
export const huberLoss: Loss<Pair, HuberLossOptions, ['reduction', 'delta', 'weight']> = declareLoss({
  name: 'huberLoss',
  arguments: { input: tensor, target: tensor },
  options: { reduction, delta: numberOr(1), weight: optionalTensor },
  positional: ['reduction', 'delta', 'weight'],
  compute(call) {
    const { input, target, weight } = together('huberLoss', call);
    if (weight === undefined) return aten.huber_loss(input, target, call.reduction, call.delta);
    const losses = aten.mul.Tensor(aten.huber_loss(input, target, none, call.delta), weight);
    return reduced(losses, call.reduction);
  },
  derivative(call, into) {
    const { reduction: code, delta } = call;
    if (call.weight !== undefined || !(delta > 0)) return undefined;
    return differentiatePair(call, into, {
      value: (x, y) => aten.huber_loss(x, y, code, delta),
      gradient: (one, x, y, grad) => aten.huber_loss_backward.out(one, x, y, code, delta, { grad_input: grad }),
    });
  },
  explain: (call, refusal) => explainPair(call) ?? explainOption(refusal, 'delta', 'to be a number > 0', call.delta),
  evaluation: { lossesOf: 'elements', weighsElements: true },
});

/** {@link huberLoss} with its options. **Source**: `torch.nn.HuberLoss`, which takes no weight. */
export class HuberLoss extends lossClass(huberLoss, 'HuberLoss', ['reduction', 'delta'], ['reduction', 'delta']) {}

/** What the losses of this file are given. */
interface PairCall {
  input: Tensor;
  target: Tensor;
  weight?: Tensor | undefined;
  reduction: number;
}

/** Input and target in one shape. */
interface Together {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  /** Whether the input was broadcast to the target's shape. */
  isBroadcast: boolean;
}

/** Input and target broadcast to each other, as PyTorch's Python layer does, with its warning; the weight checked. */
function together(op: string, { input, target, weight }: PairCall): Together {
  const same = shareShape(input, target);
  if (!same) warnOfBroadcast(target.shape, input.shape);
  const [x, y] = (same ? [input, target] : aten.broadcast_tensors([input, target])) as [Tensor, Tensor];
  if (weight !== undefined && !shareShape(weight, input)) {
    const what = `to have shape ${shapeText(input.shape)} as 'input' has`;
    throw expected(op, "option 'weight'", what, shapeText(weight.shape));
  }
  return { input: x, target: y, weight, isBroadcast: !same && !shareShape(x, input) };
}

function explainPair({ input, target }: PairCall): Explanation | undefined {
  return explainBroadcast('target', target, 'input', input);
}

/** How a loss of pairs and its gradient are computed; the gradient is written into a tensor of the input's shape. */
interface PairOperators {
  value(input: Tensor, target: Tensor): Tensor;
  gradient(one: Tensor, input: Tensor, target: Tensor, into: Tensor): Tensor;
}

/** Value and gradient of a sum or mean, without a graph; `undefined` where the arguments need one. */
function differentiatePair(
  { input, target, reduction: code }: PairCall,
  into: Tensor | undefined,
  { value, gradient }: PairOperators,
): ValueAndGrad | undefined {
  const fits = isFloating(input.dtype) && target.dtype === input.dtype && input.isContiguous() && target.isContiguous();
  if (code === none || !fits || !shareShape(input, target)) return undefined;
  // The value first: the gradient may be written over the input.
  return {
    value: value(input, target),
    grad: gradient(unit(input), input, target, into ?? aten.empty_like(input)),
  };
}

/** PyTorch's own words, character for character. */
function warnOfBroadcast(target: readonly number[], input: readonly number[]): void {
  const [own, other] = [target, input].map((shape) => `torch.Size(${shapeText(shape)})`);
  emitWarning(
    `Using a target size (${own}) that is different to the input size (${other}). This will likely lead to incorrect ` +
      'results due to broadcasting. Please ensure they have the same size.',
  );
}

/** That libtorch's refusal names an option. */
function explainOption(refusal: NativeError, name: string, what: string, value: number): Explanation | undefined {
  if (!refusal.message.endsWith(`values for ${name}.`)) return undefined;
  return { label: `option '${name}'`, what, actual: String(value) };
}

/** The weighted losses reduced; `'mean'` divides by the sum of the weights. */
function reduceWeighted(losses: Tensor, weight: Tensor, code: number): Tensor {
  if (code === none) return losses;
  const total = aten.sum(losses);
  return code === sum ? total : aten.div.Tensor(total, aten.sum(weight));
}
