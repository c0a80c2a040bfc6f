/** Averaged stochastic gradient descent. */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { handleOf } from '../torch/bind';
import { tensor } from '../torch/create';
import { keep, scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { larger, type Numeric, numberIn, onePlus, over, raised, times } from './arithmetic';
import { type Batch, countStep, partOf, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import { oneByOne } from './lists';
import { capturing, common, number, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-2),
  /** How much of the parameter decays with each step. */
  lambd: number(1e-4),
  /** The power by which the step size falls. */
  alpha: number(0.75),
  /** The step from which on parameters are averaged. */
  t0: number(1e6, true),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

function init(parameter: Tensor, { lr }: Group): Record<string, Tensor> {
  const on = { dtype: 'float32', device: parameter.device } as const;
  const kept = (value: number): Tensor => keep(tensor(value, on));
  return { step: kept(0), eta: kept(numberIn(lr)), mu: kept(1), ax: zeros(parameter) };
}

const numbersIn = (handles: readonly Handle[]): number[] => handles.map((handle) => native().item(handle) as number);

function update(batch: Batch, group: Group): void {
  const counts = countStep(batch);
  if (batch.mode === 'foreach') moveLists(batch, group);
  else move(batch, group);
  const write = (name: string, i: number, value: Numeric): void => {
    const written = typeof value === 'number' ? tensor(value, { dtype: 'float32' }) : value;
    oneByOne.copy_([handleOf(batch.states[i]?.[name]) as Handle], [handleOf(written) as Handle]);
  };
  for (const [i, step] of counts.entries()) {
    scope(() => {
      // Lists of PyTorch compute this in the dtype of the counter.
      const count = batch.mode === 'foreach' ? (batch.states[i]?.step as Tensor) : step;
      const decay = times(times(group.lambd, group.lr), count);
      write('eta', i, over(group.lr, raised(onePlus(decay), group.alpha)));
      write('mu', i, 1 / larger(1, step - group.t0));
    });
  }
}

/** PyTorch's plain order of operations. */
function move(batch: Batch, { lambd, weightDecay }: Group): void {
  const { params, of, lists } = batch;
  const grads = withDecay(batch, weightDecay);
  const rates = numbersIn(of('eta'));
  lists.mulNumbers_(
    params,
    rates.map((eta) => 1 - lambd * eta),
  );
  oneByOne.add_(
    params,
    grads,
    rates.map((eta) => -eta),
  );
  const weights = numbersIn(of('mu'));
  const whole = partOf(batch, (i) => weights[i] === 1);
  if (whole.params.length > 0) lists.copy_(whole.of('ax'), whole.params);
  const rest = partOf(batch, (i) => weights[i] !== 1);
  if (rest.params.length === 0) return;
  const differences = lists.sub(rest.params, rest.of('ax'));
  lists.mul_(differences, rest.of('mu'));
  lists.add_(rest.of('ax'), differences);
}

/** The order that PyTorch has for lists: other bits. */
function moveLists(batch: Batch, { lambd, weightDecay }: Group): void {
  const { params, of, lists } = batch;
  const directions = lists.add(withDecay(batch, weightDecay), params, lambd);
  lists.addcmul_(params, directions, of('eta'), -1);
  lists.addcmul_(of('ax'), lists.sub(params, of('ax')), of('mu'));
}

/**
 * Averaged stochastic gradient descent: the state `ax` is the mean of the parameters from step `t0` on.
 *
 * **Formula**: `g = g + weightDecay * p`; `p = p * (1 - lambd * eta) - eta * g`; `ax = ax + mu * (p - ax)`;
 * `eta = lr / (1 + lambd * lr * t)^alpha`, `mu = 1 / max(1, t - t0)`.
 *
 * **Options**, all also by position: `lr` (0.01), `lambd` (1e-4), `alpha` (0.75), `t0` (1e6), `weightDecay` (0), `foreach`,
 * `maximize`, `differentiable`, `capturable`.
 *
 * @example const optimizer = new optim.ASGD(model.parameters(), { t0: 1000 });
 *
 * **Source**: `torch.optim.ASGD`.
 */
export class ASGD extends optimizerClass({
  options,
  positional: ['lr', 'lambd', 'alpha', 't0', 'weightDecay', 'foreach', 'maximize', 'differentiable', 'capturable'],
  init,
  counters: ['step', 'eta', 'mu'],
  viewsAsReal: ['ax'],
  update,
}) {}
