/** RAdam. */
import type { Handle } from '../binding/native';
import { handleOf, isTensor } from '../torch/bind';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { forEachOf, type Numeric, numberIn, oneMinus, over, power, times } from './arithmetic';
import { type Batch, counter, countStep, partOf, repeated, scale, shifted, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { betas, capturing, common, flag, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-3),
  /** How much of the running means stays at each step. */
  betas,
  /** Added to the denominator. */
  eps: positive(1e-8),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  /** Take weight decay from the parameter, and not through the means. */
  decoupledWeightDecay: flag(false),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

/** The length of the mean that the averages approximate, after a step and after infinitely many. */
function lengths(step: number, beta2: number): { now: number; ever: number } {
  const ever = 2 / (1 - beta2) - 1;
  const decayed = power(beta2, step);
  return { now: ever - (2 * step * decayed) / (1 - decayed), ever };
}

/** The variance's rectification; 0 while the averages are too short to have one. */
function rectification(step: number, beta2: number): number {
  const { now, ever } = lengths(step, beta2);
  if (!(now > 5)) return 0;
  return power(((now - 4) * (now - 2) * ever) / ((ever - 4) * (ever - 2) * now), 0.5);
}

function update(batch: Batch, group: Group): void {
  const { params, lists, of } = batch;
  const { lr, betas, weightDecay, decoupledWeightDecay } = group;
  const [beta1, beta2] = betas;
  const counts = countStep(batch);
  let { grads } = batch;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) scope(() => scale(batch, params, oneMinus(times(lr, weightDecay))));
    else grads = withDecay(batch, weightDecay);
  }
  const squares = of('expAvgSq');
  lists.lerp_(of('expAvg'), grads, 1 - beta1);
  lists.mulNumber_(squares, beta2);
  lists.addcmul_(squares, grads, grads, 1 - beta2);
  const rectified = forEachOf(counts, (step) => rectification(step, beta2));
  if (batch.mode === 'foreach') scope(() => moveLists(batch, group, counts, rectified));
  else move(batch, group, counts, rectified);
}

/** PyTorch's plain order of operations. */
function move(batch: Batch, { lr, betas, eps }: Group, counts: readonly number[], rectified: readonly number[]): void {
  const { lists } = batch;
  const early = (isEarly: boolean): void => {
    const test = (i: number): boolean => (rectified[i] === 0) === isEarly;
    const { params, of, ...rest } = partOf(batch, test);
    if (params.length === 0) return;
    const steps = counts.filter((_, i) => test(i));
    const corrections = forEachOf(steps, (step) => 1 - power(betas[0], step));
    const means = lists.divNumbers(of('expAvg'), corrections);
    let moves = isTensor(lr) ? lists.mul(means, repeated(means, lr)) : lists.mulNumber(means, lr);
    if (!isEarly) {
      const roots = shifted({ params, of, ...rest }, lists.sqrt(of('expAvgSq')), eps);
      const scales = forEachOf(steps, (step) => power(1 - power(betas[1], step), 0.5));
      moves = lists.mul(moves, lists.mulNumbers(lists.reciprocal(roots), scales));
      moves = lists.mulNumbers(
        moves,
        rectified.filter((_, i) => test(i)),
      );
    }
    lists.add_(params, moves, -1);
  };
  early(true);
  early(false);
}

/** The order that PyTorch has for lists: other bits. */
function moveLists(
  { params, lists, of }: Batch,
  { lr, betas, eps }: Group,
  counts: readonly number[],
  rectified: readonly number[],
): void {
  const share = (i: number, of: number): Numeric => over(times(lr, of), 1 - power(betas[0], counts[i] as number));
  const plain = rectified.map((rect, i) => times(share(i, rect > 0 ? 0 : 1), -1));
  const scales = rectified.map((rect, i) => {
    const root = power(1 - power(betas[1], counts[i] as number), 0.5);
    return times(times(root, share(i, rect)), -1);
  });
  const buffers = lists.sqrt(of('expAvgSq'));
  lists.addNumber_(buffers, eps);
  if (isTensor(lr))
    lists.div_(
      buffers,
      scales.map((scale) => handleOf(scale) as Handle),
    );
  else lists.divNumbers_(buffers, scales.map(numberIn));
  lists.reciprocal_(buffers);
  if (isTensor(lr))
    lists.add_(
      buffers,
      plain.map((part) => handleOf(part) as Handle),
    );
  else lists.addNumbers_(buffers, plain.map(numberIn));
  lists.addcmul_(params, of('expAvg'), buffers);
}

/**
 * RAdam: {@link Adam} whose step is rectified for the variance of its first steps, which have none.
 *
 * **Formula**: `m`, `v` as in Adam; `r = 2 / (1 - beta2) - 1`, `q = r - 2 * t * beta2^t / (1 - beta2^t)`; if `q > 5`,
 * `p = p - lr * m / (1 - beta1^t) * sqrt(1 - beta2^t) / (sqrt(v) + eps) * sqrt((q - 4) * (q - 2) * r / ((r - 4) * (r - 2) * q))`,
 * else `p = p - lr * m / (1 - beta1^t)`.
 *
 * **Options**, the first five also by position: `lr` (0.001), `betas` ([0.9, 0.999]), `eps` (1e-8), `weightDecay` (0),
 * `decoupledWeightDecay` (`false`); `foreach`, `maximize`, `capturable`, `differentiable`.
 *
 * @example const optimizer = new optim.RAdam(model.parameters());
 *
 * **Source**: `torch.optim.RAdam`.
 */
export class RAdam extends optimizerClass({
  options,
  positional: ['lr', 'betas', 'eps', 'weightDecay', 'decoupledWeightDecay'],
  init: (parameter: Tensor, group: Group) => ({
    step: counter(0, parameter, group),
    expAvg: zeros(parameter),
    expAvgSq: zeros(parameter),
  }),
  counters: ['step'],
  viewsAsReal: ['expAvg', 'expAvgSq'],
  update,
}) {}
