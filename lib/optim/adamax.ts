/** Adamax. */
import type { Handle, NativeValue } from '../binding/native';
import { operator } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import { forEachOf, numberIn, power, quotient } from './arithmetic';
import { type Batch, counter, countStep, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { betas, capturing, common, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(2e-3),
  /** How much of the running means stays at each step. */
  betas,
  /** Added to the denominator. */
  eps: positive(1e-8),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

function update(batch: Batch, group: Group): void {
  const { params, lists, of } = batch;
  const { lr, betas, eps, weightDecay, differentiable } = group;
  const [beta1, beta2] = betas;
  const counts = countStep(batch);
  const grads = withDecay(batch, weightDecay);
  const [averages, norms] = [of('expAvg'), of('expInf')];
  lists.lerp_(averages, grads, 1 - beta1);
  lists.mulNumber_(norms, beta2);
  const sizes = lists.abs(grads);
  lists.addNumber_(sizes, eps);
  if (differentiable) takeLargest(batch, norms, sizes);
  else lists.maximum_(norms, sizes);
  // Lists of PyTorch take the number of a rate that is a tensor.
  const given = batch.mode === 'foreach' ? numberIn(lr) : lr;
  const rates = forEachOf(counts, (step) => -quotient(given, 1 - power(beta1, step)));
  lists.addcdivNumbers_(params, averages, norms, rates);
}

/** The larger of both, as `amax` of a graph has it, which shares gradients among equals. */
function takeLargest({ lists }: Batch, norms: readonly Handle[], sizes: readonly Handle[]): void {
  const call = (name: string, ...args: NativeValue[]): Handle =>
    lists.own(operator(`aten::${name}`, '')(...args) as Handle);
  for (const [i, norm] of norms.entries()) {
    const both = call('cat', [call('unsqueeze', norm, 0), call('unsqueeze', sizes[i], 0)], 0);
    lists.copy_([norm], [call('amax', both, [0], false)]);
  }
}

/**
 * Adamax: {@link Adam} by the largest gradient so far, which decays, in place of the mean of squares.
 *
 * **Formula**: `g = g + weightDecay * p`; `m = lerp(m, g, 1 - beta1)`; `u = max(beta2 * u, |g| + eps)`;
 * `p = p - lr / (1 - beta1^t) * m / u`.
 *
 * **Options**, the first five also by position: `lr` (0.002), `betas` ([0.9, 0.999]), `eps` (1e-8), `weightDecay` (0),
 * `foreach`; `maximize`, `differentiable`, `capturable`.
 *
 * @example const optimizer = new optim.Adamax(model.parameters());
 *
 * **Source**: `torch.optim.Adamax`.
 */
export class Adamax extends optimizerClass({
  options,
  positional: ['lr', 'betas', 'eps', 'weightDecay', 'foreach'],
  init: (parameter: Tensor, group: Group) => ({
    step: counter(0, parameter, group),
    expAvg: zeros(parameter),
    expInf: zeros(parameter),
  }),
  counters: ['step'],
  viewsAsReal: ['expAvg', 'expInf'],
  update,
}) {}
