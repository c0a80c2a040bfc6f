/** Losses between distributions. */

import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { oneOf } from '../../options';
import { noGrad } from '../../torch/autograd';
import { aten } from '../../torch/ops';
import { sameShape, shapeText, shareShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { refuseIf } from '../../torch/trace';
import { type Reduction, reductions } from '../../types';
import { asTensor, reductionCode, type TensorLike } from './arguments';
import { lossClass } from './class';
import { unit } from './constants';
import { declareLoss, type Loss } from './declare';
import { explainBroadcast, explainIntegers } from './explain';
import { type Argument, booleanOr, none, numberOr, type Option, reduction, sum, tensor } from './option';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';

/** How {@link klDiv} reduces. */
const klDivReductions = [...reductions, 'batchmean'] as const;
type KLDivReduction = (typeof klDivReductions)[number];

/** Options of {@link klDiv}. */
export interface KLDivOptions {
  /** Default `'mean'`; `'batchmean'`, the sum divided by the first size, is the divergence of the definition. */
  reduction?: KLDivReduction | undefined;
  /** Whether the target holds log-probabilities too. Default `false`. */
  logTarget?: boolean | undefined;
}

/** Options of {@link poissonNllLoss}. */
export interface PoissonNllLossOptions {
  /** Whether the input is the logarithm of the rate. Default `true`. */
  logInput?: boolean | undefined;
  /** Whether Stirling's approximation of `ln y!` is added. Default `false`. */
  full?: boolean | undefined;
  /** What keeps the logarithm of a rate of 0 finite, without `logInput`. Default 1e-8. */
  eps?: number | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link gaussianNllLoss}. */
export interface GaussianNllLossOptions {
  /** Whether the constant `ln(2 pi) / 2` is added. Default `false`. */
  full?: boolean | undefined;
  /** The least variance that is used. Default 1e-6. */
  eps?: number | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

const klDivReduction: Option<KLDivReduction> = {
  default: 'mean',
  check: (op, label, value) => oneOf(op, label, value, klDivReductions),
};

/**
 * The Kullback-Leibler divergence of the input's distribution from the target's.
 *
 * **Formula**: `l = y * (ln y - x)`, 0 where y = 0; with `logTarget` `l = e^y * (y - x)`.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch) -> `[]`, with `'none'` that
 * shape. `'batchmean'` divides the sum by the input's first size, that of a 0-dimensional input by nothing.
 *
 * **Units**: nats.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input and the target (NaN where a target is 0).
 *
 * @param input log-probabilities.
 * @param target probabilities, or with `logTarget` log-probabilities.
 * @example klDiv(tensor([0.5, 0.5]).log(), tensor([0.25, 0.75]), { reduction: 'sum' }).item() // 0.1308…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not broadcast and
 *   for integer dtypes.
 *
 * **Source**: `torch.nn.functional.kl_div`, `aten::kl_div`.
 */
export const klDiv: Loss<[input: TensorLike, target: TensorLike], KLDivOptions> = declareLoss({
  name: 'klDiv',
  arguments: { input: tensor, target: tensor },
  options: { reduction: klDivReduction, logTarget: booleanOr(false) },
  compute(call) {
    if (call.reduction === 'mean') emitWarning(meanWarning);
    return batchMean(call, pointwiseLoss(divergence(call)));
  },
  derivative(call, into) {
    const found = differentiatePointwise(divergence(call), into);
    return found && { value: batchMean(call, found.value), grad: found.grad };
  },
  explain: ({ input, target }) =>
    explainIntegers('input', input) ??
    explainIntegers('target', target) ??
    explainBroadcast('target', target, 'input', input),
  evaluation: { lossesOf: 'elements' },
});

/** {@link klDiv} with its options. **Source**: `torch.nn.KLDivLoss`. */
export class KLDivLoss extends lossClass(klDiv, 'KLDivLoss', ['reduction', 'logTarget']) {}

/** PyTorch's own words, character for character. */
const meanWarning =
  "reduction: 'mean' divides the total loss by both the batch size and the support size." +
  "'batchmean' divides only by the batch size, and aligns with the KL div math definition." +
  "'mean' will be changed to behave the same as 'batchmean' in the next major release.";

interface KLDivCall {
  input: Tensor;
  target: Tensor;
  reduction: KLDivReduction;
  logTarget: boolean;
}

/** What the sum is divided by for `'batchmean'`: the first size, if there is one. */
function batchSize({ input, reduction }: KLDivCall): number | undefined {
  return reduction === 'batchmean' ? input.shape[0] : undefined;
}

function batchMean(call: KLDivCall, loss: Tensor): Tensor {
  const size = batchSize(call);
  return size === undefined ? loss : aten.div.Scalar(loss, size);
}

function divergence(call: KLDivCall): Pointwise {
  const { input, target, reduction, logTarget } = call;
  const code = reductionCode('klDiv', reduction === 'batchmean' ? 'sum' : reduction);
  return {
    input,
    operands: [target],
    reduction: code,
    // The exponential is MKL's, which may depend on where an element lies.
    splits: () => !logTarget,
    whole: () => aten.kl_div(input, target, code, { log_target: logTarget }),
    losses: (x, [y], out) => {
      const target = y as Tensor;
      if (logTarget) aten.mul.out(aten.exp(target), aten.sub.Tensor(target, x), { out });
      else aten.sub.out(aten.xlogy.Tensor(target, target), aten.mul.Tensor(target, x), { out });
    },
    gradient: (x, [y], out) => {
      const one = unit(x);
      const count = reduction === 'mean' ? input.numel() : batchSize(call);
      const upstream = aten.neg(count === undefined ? one : aten.div.Scalar(one, count));
      const probabilities = logTarget ? aten.exp(y as Tensor) : (y as Tensor);
      // A target that is broadcast: the gradient has the input's shape.
      const whole = shareShape(y as Tensor, x);
      aten.mul.out(whole ? probabilities : aten.expand(probabilities, x.shape), upstream, { out });
    },
  };
}

/**
 * Negative log-likelihood of counts under Poisson distributions.
 *
 * **Formula**: `l = e^x - y * x`, without `logInput` `l = x - y * ln(x + eps)`; `full` adds `y ln y - y + ln(2 pi y) / 2`
 * where y > 1.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch) -> `[]`, with `'none'` that
 * shape.
 *
 * **Units**: nats.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, integers; every device.
 *
 * **Gradient**: to input and target.
 *
 * @example poissonNllLoss(tensor([0, 1]), tensor([1, 2])).item() // 0.8591…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.poisson_nll_loss`, `aten::poisson_nll_loss`.
 */
export const poissonNllLoss: Loss<
  [input: TensorLike, target: TensorLike],
  PoissonNllLossOptions,
  ['logInput', 'full']
> = declareLoss({
  name: 'poissonNllLoss',
  arguments: { input: tensor, target: tensor },
  options: { logInput: booleanOr(true), full: booleanOr(false), eps: numberOr(1e-8), reduction },
  positional: ['logInput', 'full'],
  compute: ({ input, target, logInput, full, eps, reduction: code }) =>
    aten.poisson_nll_loss(input, target, logInput, full, eps, code),
  explain: ({ input, target }) => explainBroadcast('target', target, 'input', input),
  evaluation: { lossesOf: 'elements' },
});

/** {@link poissonNllLoss} with its options. **Source**: `torch.nn.PoissonNLLLoss`. */
export class PoissonNLLLoss extends lossClass(
  poissonNllLoss,
  'PoissonNLLLoss',
  ['logInput', 'full', 'eps', 'reduction'],
  ['logInput', 'full'],
) {}

/** `ln(2 pi) / 2` as Python computes it: Math.log need not round the same way. */
const halfLogTwoPi = 0.9189385332046727;

/** A tensor, or one number for all elements. */
const tensorOrNumber: Argument<Tensor | number> = (op, name, value, _call, first) =>
  typeof value === 'number' ? value : asTensor(op, name, value, first);

/**
 * Negative log-likelihood of targets under normal distributions with the input as mean.
 *
 * **Formula**: `l = (ln v + (x - y)^2 / v) / 2` with `v = max(variance, eps)`; `full` adds `ln(2 pi) / 2`.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch); variance of the input's
 * shape, of that shape without its last dimension or with one dimension of size 1, or a number -> `[]`, with `'none'` that
 * shape.
 *
 * **Units**: nats.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input, target and variance; to the variance as if it were not clamped.
 *
 * @param variance >= 0.
 * @example gaussianNllLoss(tensor([0]), tensor([1]), tensor([1])).item() // 0.5
 *
 * @throws TorchError `INVALID_ARGUMENT` for a negative variance or one of another shape, `UNKNOWN_OPTION`.
 *
 * **Source**: `torch.nn.functional.gaussian_nll_loss`, which composes ATen operators as this function does.
 */
export const gaussianNllLoss: Loss<
  [input: TensorLike, target: TensorLike, variance: TensorLike],
  GaussianNllLossOptions,
  ['full', 'eps', 'reduction']
> = declareLoss({
  name: 'gaussianNllLoss',
  arguments: { input: tensor, target: tensor, variance: tensorOrNumber },
  options: { full: booleanOr(false), eps: numberOr(1e-6), reduction },
  positional: ['full', 'eps', 'reduction'],
  compute({ input, target, variance, full, eps, reduction: code }) {
    const clamped = readVariance('gaussianNllLoss', input, variance).clone();
    noGrad(() => aten.clamp_(clamped, eps));
    const squares = aten.pow.Tensor_Scalar(aten.sub.Tensor(input, target), 2);
    const losses = aten.mul.Scalar(aten.add.Tensor(aten.log(clamped), aten.div.Tensor(squares, clamped)), 0.5);
    if (full) aten.add_.Scalar(losses, halfLogTwoPi);
    if (code === none) return losses;
    return code === sum ? aten.sum(losses) : aten.mean(losses);
  },
  explain: ({ input, target, variance }) =>
    explainBroadcast('target', target, 'input', input) ??
    (typeof variance === 'number' ? undefined : explainIntegers('variance', variance)),
  evaluation: { lossesOf: 'elements' },
});

/** {@link gaussianNllLoss} with its options. **Source**: `torch.nn.GaussianNLLLoss`. */
export class GaussianNLLLoss extends lossClass(gaussianNllLoss, 'GaussianNLLLoss', ['full', 'eps', 'reduction']) {}

/** The variance in a shape that broadcasts to the input's. */
function readVariance(op: string, input: Tensor, value: Tensor | number): Tensor {
  const constant = typeof value === 'number';
  const variance = constant ? aten.mul.Scalar(aten.ones_like(input), value) : value;
  const negative = (actual: string): Error => expected(op, "'variance'", 'to be >= 0', actual);
  if (!constant) refuseIf(aten.any(aten.lt.Scalar(variance, 0)), () => negative('negative entries'));
  else if (value < 0) throw negative(String(value));
  const [own, wanted] = [variance.shape, input.shape];
  if (sameShape(own, wanted)) return variance;
  if (sameShape(own, wanted.slice(0, -1))) return aten.unsqueeze(variance, -1);
  const others = own.filter((size, dim) => size !== wanted[dim]);
  if (own.length === wanted.length && others.length === 1 && others[0] === 1) return variance;
  const shapes = `${shapeText(wanted)}, or ${shapeText(wanted.slice(0, -1))}, or one dimension of size 1`;
  throw expected(op, "'variance'", `to have shape ${shapes}`, shapeText(own));
}
