/** NAdam. */
import { native } from '../binding/load';
import { wrap } from '../torch/bind';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { forEachOf, type Numeric, negated, numberIn, oneMinus, over, power, times } from './arithmetic';
import { asReal, type Batch, counter, countStep, scale, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { betas, capturing, common, flag, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(2e-3),
  /** How much of the running means stays at each step. */
  betas,
  /** Added to the denominator. */
  eps: positive(1e-8),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  /** How fast the momentum reaches its full size. */
  momentumDecay: positive(4e-3),
  /** Take weight decay from the parameter, and not through the means. */
  decoupledWeightDecay: flag(false),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

/** How much of the mean counts in a step. */
function momentumAt(step: number, { betas, momentumDecay }: Group): number {
  return betas[0] * (1 - 0.5 * power(0.96, step * momentumDecay));
}

function update(batch: Batch, group: Group): void {
  const { params, lists, of } = batch;
  const { lr, betas, weightDecay, decoupledWeightDecay, differentiable } = group;
  const [beta1, beta2] = betas;
  const counts = countStep(batch);
  let { grads } = batch;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) scope(() => scale(batch, params, oneMinus(times(lr, weightDecay))));
    else grads = withDecay(batch, weightDecay);
  }
  const now = forEachOf(counts, (step) => momentumAt(step, group));
  const next = forEachOf(counts, (step) => momentumAt(step + 1, group));
  lists.mulNumbers_(of('muProduct'), now);
  const [averages, squares] = [of('expAvg'), of('expAvgSq')];
  lists.lerp_(averages, grads, 1 - beta1);
  lists.mulNumber_(squares, beta2);
  lists.addcmul_(squares, grads, grads, 1 - beta2);
  const roots = rootsOf(batch, counts, group);
  if (differentiable) {
    for (let i = 0; i < params.length; i++) scope(() => moveOne({ ...batch, grads }, i, roots, now, next, group));
    return;
  }
  lists.addNumber_(roots, group.eps);
  const products = of('muProduct').map((product) => native().item(product) as number);
  // Lists of PyTorch take the number of a rate that is a tensor.
  const rates = batch.mode === 'foreach' ? numberIn(lr) : lr;
  const share = (i: number, of: number, rest: number): number =>
    numberIn(over(times(negated(rates), of), 1 - (products[i] as number) * rest));
  const steps = now.map((mu, i) => share(i, 1 - mu, 1));
  const ahead = next.map((mu, i) => share(i, mu, mu));
  lists.addcdivNumbers_(params, grads, roots, steps);
  lists.addcdivNumbers_(params, averages, roots, ahead);
}

function rootsOf({ lists, of, mode }: Batch, counts: readonly number[], { betas }: Group): Batch['grads'] {
  const corrections = forEachOf(counts, (step) => 1 - power(betas[1], step));
  if (mode !== 'foreach') return lists.sqrt(lists.divNumbers(of('expAvgSq'), corrections));
  const roots = lists.sqrt(of('expAvgSq'));
  lists.divNumbers_(
    roots,
    forEachOf(corrections, (correction) => power(correction, 0.5)),
  );
  return roots;
}

/** The end of a step that a graph records. */
function moveOne(
  { grads, tensors, states }: Batch,
  i: number,
  roots: Batch['grads'],
  now: readonly number[],
  next: readonly number[],
  { lr, eps }: Group,
): void {
  const product = states[i]?.muProduct as Tensor;
  const param = asReal(tensors[i] as Tensor);
  const denominator = wrap(roots[i]).add(eps);
  const share = (of: number, rest: Numeric): Tensor => over(times(negated(lr), of), oneMinus(rest)) as Tensor;
  const [mu, muNext] = [now[i] as number, next[i] as number];
  param.addcdiv_(wrap(grads[i]).mul(share(1 - mu, product)), denominator);
  const average = asReal(states[i]?.expAvg as Tensor);
  param.addcdiv_(average.mul(share(muNext, product.mul(muNext))), denominator);
}

/**
 * NAdam: {@link Adam} with Nesterov's momentum, which grows over the first steps.
 *
 * **Formula**: `mu_t = beta1 * (1 - 0.96^(t * momentumDecay) / 2)`; `m = lerp(m, g, 1 - beta1)`;
 * `v = beta2 * v + (1 - beta2) * g^2`; `s = sqrt(v / (1 - beta2^t)) + eps`; with P the product of all `mu` so far,
 * `p = p - lr * (1 - mu_t) / (1 - P) * g / s - lr * mu_(t+1) / (1 - P * mu_(t+1)) * m / s`.
 *
 * **Options**, the first six also by position: `lr` (0.002), `betas` ([0.9, 0.999]), `eps` (1e-8), `weightDecay` (0),
 * `momentumDecay` (0.004), `decoupledWeightDecay` (`false`); `foreach`, `maximize`, `capturable`, `differentiable`.
 *
 * @example const optimizer = new optim.NAdam(model.parameters());
 *
 * **Source**: `torch.optim.NAdam`.
 */
export class NAdam extends optimizerClass({
  options,
  positional: ['lr', 'betas', 'eps', 'weightDecay', 'momentumDecay', 'decoupledWeightDecay'],
  init: (parameter: Tensor, group: Group) => ({
    step: counter(0, parameter, group),
    muProduct: counter(1, parameter, group),
    expAvg: zeros(parameter),
    expAvgSq: zeros(parameter),
  }),
  counters: ['step', 'muProduct'],
  viewsAsReal: ['expAvg', 'expAvgSq'],
  update,
}) {}
