/** RMSprop. */
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';
import { type Batch, counter, countStep, shifted, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { capturing, common, flag, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-2),
  /** How much of the running mean of squares stays at each step. */
  alpha: positive(0.99),
  /** Added to the denominator. */
  eps: positive(1e-8),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  /** How much of the velocity stays at each step. */
  momentum: positive(0),
  /** Divide by the deviation from the mean of gradients. */
  centered: flag(false),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

function init(parameter: Tensor, group: Group): Record<string, Tensor> {
  return {
    step: counter(0, parameter, group),
    squareAvg: zeros(parameter),
    ...(group.momentum > 0 && { momentumBuffer: zeros(parameter) }),
    ...(group.centered && { gradAvg: zeros(parameter) }),
  };
}

function update(batch: Batch, group: Group): void {
  const { params, lists, of } = batch;
  const { alpha, eps, weightDecay, momentum } = group;
  const lr = numberIn(group.lr);
  countStep(batch);
  const grads = withDecay(batch, weightDecay);
  const squares = of('squareAvg');
  lists.mulNumber_(squares, alpha);
  lists.addcmul_(squares, grads, grads, 1 - alpha);
  const roots = shifted(batch, rootsOf(batch, grads, group), eps);
  if (momentum === 0) {
    lists.addcdiv_(params, grads, roots, -lr);
    return;
  }
  const velocities = of('momentumBuffer');
  lists.mulNumber_(velocities, momentum);
  lists.addcdiv_(velocities, grads, roots);
  lists.add_(params, velocities, -lr);
}

/** The deviations of the gradients: from their mean if that is kept, else from 0. */
function rootsOf({ lists, of }: Batch, grads: Batch['grads'], { centered, alpha }: Group): Batch['grads'] {
  if (!centered) return lists.sqrt(of('squareAvg'));
  const means = of('gradAvg');
  lists.lerp_(means, grads, 1 - alpha);
  const variances = lists.addcmul(of('squareAvg'), means, means, -1);
  lists.sqrt_(variances);
  return variances;
}

/**
 * RMSprop: steps by gradients divided by the root of the running mean of their squares.
 *
 * **Formula**: `g = g + weightDecay * p`; `v = alpha * v + (1 - alpha) * g^2`; if `centered`, `m = lerp(m, g, 1 - alpha)`
 * and `s = sqrt(v - m^2) + eps`, else `s = sqrt(v) + eps`; `p = p - lr * g / s`, or with a momentum
 * `b = momentum * b + g / s` and `p = p - lr * b`.
 *
 * **Options**, all also by position: `lr` (0.01), `alpha` (0.99), `eps` (1e-8), `weightDecay` (0), `momentum` (0),
 * `centered` (`false`), `capturable`, `foreach`, `maximize`, `differentiable`.
 *
 * @example const optimizer = new optim.RMSprop(model.parameters(), { lr: 1e-3, momentum: 0.9 });
 *
 * **Source**: `torch.optim.RMSprop`.
 */
export class RMSprop extends optimizerClass({
  options,
  positional: [
    'lr',
    'alpha',
    'eps',
    'weightDecay',
    'momentum',
    'centered',
    'capturable',
    'foreach',
    'maximize',
    'differentiable',
  ],
  init,
  counters: ['step'],
  viewsAsReal: ['squareAvg', 'gradAvg', 'momentumBuffer'],
  update,
}) {}
