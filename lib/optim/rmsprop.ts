/** RMSprop. */
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';
import { type Batch, counter, countStep, optimizerClass, shifted, withDecay, zeros } from './declare';
import { choice, flag, positive, rate, type Values } from './options';

const options = {
  lr: rate(1e-2),
  alpha: positive(0.99),
  eps: positive(1e-8),
  weightDecay: positive(0),
  momentum: positive(0),
  centered: flag(false),
  capturable: flag(false),
  foreach: choice,
  maximize: flag(false),
  differentiable: flag(false),
} as const;

type Group = Values<typeof options>;

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
