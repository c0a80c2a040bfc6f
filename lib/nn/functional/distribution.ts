/** Losses between distributions. */
import * as aten from '../../aten/operators.generated';
import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { boolean, number, oneOf, withDefaults } from '../../options';
import { noGrad } from '../../tensor/autograd';
import { refuseIf } from '../../tensor/recording';
import { sameShape, shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { registerDerivative } from '../../tensor/value-and-grad';
import { type Reduction, reductions } from '../../types';
import { asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { unit } from './constants';
import { explainBroadcast, explainIntegers } from './explain';
import { asyncForm, inOneCall, itemForm, outForm } from './forms';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';

/** How {@link klDiv} reduces. */
export const klDivReductions = [...reductions, 'batchmean'] as const;

/** Options of {@link klDiv}. */
export interface KLDivOptions {
  /** Default `'mean'`; `'batchmean'`, the sum divided by the first size, is the divergence of the definition. */
  reduction?: (typeof klDivReductions)[number] | undefined;
  /** Whether the target holds log-probabilities too. Default `false`. */
  logTarget?: boolean | undefined;
}

/** @internal */
export const klDivDefaults = Object.freeze({
  reduction: 'mean',
  logTarget: false,
}) satisfies Required<KLDivOptions>;

/** PyTorch's own words, character for character. */
const meanWarning =
  "reduction: 'mean' divides the total loss by both the batch size and the support size." +
  "'batchmean' divides only by the batch size, and aligns with the KL div math definition." +
  "'mean' will be changed to behave the same as 'batchmean' in the next major release.";

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
export function klDiv(input: TensorLike, target: TensorLike, options?: KLDivOptions): Tensor {
  const found = inOneCall(klDiv, input, target, options);
  if (found !== undefined) return found;
  const call = readKlDiv(input, target, options);
  if (call.reduction === 'mean') emitWarning(meanWarning);
  const loss = explainedKlDiv(call, () => pointwiseLoss(divergence(call)));
  return batchMean(call, loss);
}
klDiv.item = itemForm(klDiv);
klDiv.out = outForm(klDiv);
klDiv.async = asyncForm(klDiv);
registerDerivative(klDiv, (into, input, target, options) => {
  const call = readKlDiv(input, target, options);
  const found = explainedKlDiv(call, () => differentiatePointwise(divergence(call), into));
  return found && { value: batchMean(call, found.value), grad: found.grad };
});

interface KlDivCall {
  input: Tensor;
  target: Tensor;
  reduction: (typeof klDivReductions)[number];
  logTarget: boolean;
}

function readKlDiv(input: TensorLike, target: TensorLike, options: KLDivOptions | undefined): KlDivCall {
  const op = 'klDiv';
  const filled = withDefaults<KLDivOptions>(op, options, klDivDefaults);
  const reduction = oneOf(op, "option 'reduction'", filled.reduction, klDivReductions);
  const logTarget = boolean(op, "option 'logTarget'", filled.logTarget);
  const logProbs = asTensor(op, 'input', input);
  return { input: logProbs, target: asTensor(op, 'target', target, logProbs), reduction, logTarget };
}

function explainedKlDiv<T>({ input, target }: KlDivCall, compute: () => T): T {
  return explained(
    'klDiv',
    { arguments: { input, target } },
    compute,
    () =>
      explainIntegers('input', input) ??
      explainIntegers('target', target) ??
      explainBroadcast('target', target, 'input', input),
  );
}

/** What the sum is divided by for `'batchmean'`: the first size, if there is one. */
function batchSize({ input, reduction }: KlDivCall): number | undefined {
  return reduction === 'batchmean' ? input.shape[0] : undefined;
}

function batchMean(call: KlDivCall, loss: Tensor): Tensor {
  const size = batchSize(call);
  return size === undefined ? loss : aten.div_Scalar(loss, size);
}

function divergence(call: KlDivCall): Pointwise {
  const { input, target, reduction, logTarget } = call;
  const code = reductionCode('klDiv', reduction === 'batchmean' ? 'sum' : reduction);
  return {
    input,
    operands: [target],
    reduction: code,
    // The exponential is MKL's, which may depend on where an element lies.
    splits: !logTarget,
    whole: () => aten.kl_div(input, target, code, logTarget),
    losses: (x, [y], out) => {
      const target = y as Tensor;
      if (logTarget) aten.mul_out(aten.exp(target), aten.sub_Tensor(target, x), out);
      else aten.sub_out(aten.xlogy_Tensor(target, target), aten.mul_Tensor(target, x), undefined, out);
    },
    gradient: (x, [y], out) => {
      const one = unit(x);
      const count = reduction === 'mean' ? input.numel : batchSize(call);
      const upstream = aten.neg(count === undefined ? one : aten.div_Scalar(one, count));
      const probabilities = logTarget ? aten.exp(y as Tensor) : (y as Tensor);
      // A target that is broadcast: the gradient has the input's shape.
      const whole = sameShape((y as Tensor).shape, x.shape);
      aten.mul_out(whole ? probabilities : aten.expand(probabilities, x.shape), upstream, out);
    },
  };
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

/** @internal */
export const poissonNllLossDefaults = Object.freeze({
  logInput: true,
  full: false,
  eps: 1e-8,
  reduction: 'mean',
}) satisfies Required<PoissonNllLossOptions>;

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
export function poissonNllLoss(input: TensorLike, target: TensorLike, options?: PoissonNllLossOptions): Tensor {
  const found = inOneCall(poissonNllLoss, input, target, options);
  if (found !== undefined) return found;
  const op = 'poissonNllLoss';
  const filled = withDefaults<PoissonNllLossOptions>(op, options, poissonNllLossDefaults);
  const reduction = reductionCode(op, filled.reduction);
  const logInput = boolean(op, "option 'logInput'", filled.logInput);
  const full = boolean(op, "option 'full'", filled.full);
  const eps = number(op, "option 'eps'", filled.eps);
  const rates = asTensor(op, 'input', input);
  const counts = asTensor(op, 'target', target, rates);
  return explained(
    op,
    { arguments: { input: rates, target: counts } },
    () => aten.poisson_nll_loss(rates, counts, logInput, full, eps, reduction),
    () => explainBroadcast('target', counts, 'input', rates),
  );
}
poissonNllLoss.item = itemForm(poissonNllLoss);
poissonNllLoss.out = outForm(poissonNllLoss);
poissonNllLoss.async = asyncForm(poissonNllLoss);

/** Options of {@link gaussianNllLoss}. */
export interface GaussianNllLossOptions {
  /** Whether the constant `ln(2 pi) / 2` is added. Default `false`. */
  full?: boolean | undefined;
  /** The least variance that is used. Default 1e-6. */
  eps?: number | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** @internal */
export const gaussianNllLossDefaults = Object.freeze({
  full: false,
  eps: 1e-6,
  reduction: 'mean',
}) satisfies Required<GaussianNllLossOptions>;

/** `ln(2 pi) / 2` as Python computes it: Math.log need not round the same way. */
const halfLogTwoPi = 0.9189385332046727;

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
export function gaussianNllLoss(
  input: TensorLike,
  target: TensorLike,
  variance: TensorLike,
  options?: GaussianNllLossOptions,
): Tensor {
  const found = inOneCall(gaussianNllLoss, input, target, variance, options);
  if (found !== undefined) return found;
  const op = 'gaussianNllLoss';
  const filled = withDefaults<GaussianNllLossOptions>(op, options, gaussianNllLossDefaults);
  reductionCode(op, filled.reduction);
  const full = boolean(op, "option 'full'", filled.full);
  const eps = number(op, "option 'eps'", filled.eps);
  const means = asTensor(op, 'input', input);
  const targets = asTensor(op, 'target', target, means);
  const given = typeof variance === 'number' ? variance : asTensor(op, 'variance', variance, means);
  const tensors = { input: means, target: targets, ...(typeof given !== 'number' && { variance: given }) };
  let losses = explained(
    op,
    { arguments: tensors },
    () => {
      const clamped = readVariance(op, means, given).clone();
      noGrad(() => aten.clamp_(clamped, eps));
      const squares = aten.pow_Tensor_Scalar(aten.sub_Tensor(means, targets), 2);
      return aten.mul_Scalar(aten.add_Tensor(aten.log(clamped), aten.div_Tensor(squares, clamped)), 0.5);
    },
    () =>
      explainBroadcast('target', targets, 'input', means) ??
      (typeof given === 'number' ? undefined : explainIntegers('variance', given)),
  );
  if (full) losses = aten.add__Scalar(losses, halfLogTwoPi);
  if (filled.reduction === 'none') return losses;
  return filled.reduction === 'sum' ? aten.sum(losses) : aten.mean(losses);
}
gaussianNllLoss.item = itemForm(gaussianNllLoss);
gaussianNllLoss.out = outForm(gaussianNllLoss);
gaussianNllLoss.async = asyncForm(gaussianNllLoss);

/** The variance in a shape that broadcasts to the input's. */
function readVariance(op: string, input: Tensor, value: Tensor | number): Tensor {
  const constant = typeof value === 'number';
  const variance = constant ? aten.mul_Scalar(aten.ones_like(input), value) : value;
  const negative = (actual: string): Error => expected(op, "'variance'", 'to be >= 0', actual);
  if (!constant) refuseIf(aten.any(aten.lt_Scalar(variance, 0)), () => negative('negative entries'));
  else if (value < 0) throw negative(String(value));
  const [own, wanted] = [variance.shape, input.shape];
  if (sameShape(own, wanted)) return variance;
  if (sameShape(own, wanted.slice(0, -1))) return aten.unsqueeze(variance, -1);
  const others = own.filter((size, dim) => size !== wanted[dim]);
  if (own.length === wanted.length && others.length === 1 && others[0] === 1) return variance;
  const shapes = `${shapeText(wanted)}, or ${shapeText(wanted.slice(0, -1))}, or one dimension of size 1`;
  throw expected(op, "'variance'", `to have shape ${shapes}`, shapeText(own));
}
