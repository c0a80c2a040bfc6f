/** Adadelta. */
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';
import { type Batch, counter, countStep, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { capturing, common, fraction, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1, true),
  /** How much of the running means stays at each step. */
  rho: fraction(0.9),
  /** Added to the denominator. */
  eps: positive(1e-6),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

function update(batch: Batch, group: Group): void {
  const { params, lists, of } = batch;
  const { lr, rho, eps, weightDecay, differentiable } = group;
  countStep(batch);
  const grads = withDecay(batch, weightDecay);
  const [squares, steps] = [of('squareAvg'), of('accDelta')];
  lists.mulNumber_(squares, rho);
  lists.addcmul_(squares, grads, grads, 1 - rho);
  const roots = lists.addNumber(squares, eps);
  lists.sqrt_(roots);
  let deltas = lists.addNumber(steps, eps);
  lists.sqrt_(deltas);
  // A graph has saved the root.
  if (differentiable) deltas = lists.clone(deltas);
  lists.div_(deltas, roots);
  lists.mul_(deltas, grads);
  lists.mulNumber_(steps, rho);
  lists.addcmul_(steps, deltas, deltas, 1 - rho);
  lists.add_(params, deltas, -numberIn(lr));
}

/**
 * Adadelta: steps in the ratio of the running means of squared steps and squared gradients.
 *
 * **Formula**: `g = g + weightDecay * p`; `v = rho * v + (1 - rho) * g^2`; `d = sqrt(u + eps) / sqrt(v + eps) * g`;
 * `u = rho * u + (1 - rho) * d^2`; `p = p - lr * d`.
 *
 * **Options**, the first five also by position: `lr` (1), `rho` (0.9), `eps` (1e-6), `weightDecay` (0), `foreach`;
 * `capturable`, `maximize`, `differentiable`.
 *
 * @example const optimizer = new optim.Adadelta(model.parameters());
 *
 * **Source**: `torch.optim.Adadelta`.
 */
export class Adadelta extends optimizerClass({
  options,
  positional: ['lr', 'rho', 'eps', 'weightDecay', 'foreach'],
  init: (parameter: Tensor, group: Group) => ({
    step: counter(0, parameter, group),
    squareAvg: zeros(parameter),
    accDelta: zeros(parameter),
  }),
  counters: ['step'],
  viewsAsReal: ['squareAvg', 'accDelta'],
  update,
}) {}
