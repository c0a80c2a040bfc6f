/** Stochastic gradient descent. */
import type { Handle } from '../binding/native';
import { expected, TorchError } from '../errors';
import { handleOf, isTensor, operator, wrap } from '../torch/bind';
import { keep } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';
import { type Batch, refuseFusedWith } from './batch';
import { optimizerClass } from './declare';
import { oneByOne } from './lists';
import { common, flag, fusing, number, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-3),
  /** How much of the velocity stays at each step. */
  momentum: positive(0),
  /** The share of the gradient that the velocity does without. */
  dampening: number(0),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: rate(0),
  /** Look ahead along the velocity. */
  nesterov: flag(false),
  ...common,
  ...fusing,
} as const;

type Group = OptionValues<typeof options>;

/** `p = p - lr * v`; a rate that is being learned itself is multiplied where a graph sees it. */
function descend({ params, lists }: Batch, velocities: readonly Handle[], lr: number | Tensor): void {
  if (isLearned(lr)) {
    const rates = params.map(() => handleOf(lr) as Handle);
    lists.addcmul_(params, velocities, rates, -1);
  } else lists.add_(params, velocities, -numberIn(lr));
}

function isLearned(value: number | Tensor): value is Tensor {
  return isTensor(value) && value.requiresGrad;
}

function decayed({ params, grads, lists }: Batch, decay: number | Tensor): readonly Handle[] {
  if (numberIn(decay) === 0) return grads;
  if (!isLearned(decay)) return lists.add(grads, params, numberIn(decay));
  const decays = params.map(() => handleOf(decay) as Handle);
  const before = params.map((handle) => lists.own(operator('aten::clone', '')(handle) as Handle));
  lists.addcmul_(grads, before, decays);
  return grads;
}

/** The velocities after a step: the first gradient itself, then a decaying sum. */
function accelerate({ states, lists }: Batch, grads: readonly Handle[], { momentum, dampening }: Group): Handle[] {
  const before = states.map(({ momentumBuffer }) => handleOf(momentumBuffer));
  const moving = grads.filter((_, i) => before[i] !== undefined);
  const moved = before.filter((handle) => handle !== undefined);
  if (moved.length > 0) {
    // PyTorch goes one by one where a parameter has no velocity yet.
    const operators = moved.length < before.length ? oneByOne : lists;
    operators.mulNumber_(moved, momentum);
    operators.add_(moved, moving, 1 - dampening);
  }
  return before.map((handle, i) => {
    if (handle !== undefined) return handle;
    const first = keep(wrap(operator('aten::clone', '')(lists.own(operator('aten::detach', '')(grads[i]) as Handle))));
    (states[i] as Record<string, unknown>).momentumBuffer = first;
    return handleOf(first) as Handle;
  });
}

function update(batch: Batch, group: Group): void {
  if (batch.mode === 'fused') fused(batch, group);
  else descend(batch, directions(batch, group), group.lr);
}

/** What the parameters move against. */
function directions(batch: Batch, group: Group): readonly Handle[] {
  const { lists, mode } = batch;
  const { momentum } = group;
  const gradients = decayed(batch, group.weightDecay);
  if (momentum === 0) return gradients;
  const velocities = accelerate(batch, gradients, group);
  if (!group.nesterov) return velocities;
  if (mode !== 'foreach') return lists.add(gradients, velocities, momentum);
  // With lists PyTorch changes the gradients themselves here: `p.grad` too, unless they are copies by now.
  lists.add_(gradients, velocities, momentum);
  return gradients;
}

/** One native operator for everything. */
function fused({ params, grads, states, of, hasSparse }: Batch, group: Group): void {
  const { lr, momentum, dampening, nesterov, maximize } = group;
  if (hasSparse) {
    throw new TorchError(
      'INVALID_ARGUMENT',
      'SGD: expected dense gradients with fused: true, but received a sparse one',
      {
        op: 'SGD',
      },
    );
  }
  const isFirst = momentum !== 0 && states.every(({ momentumBuffer }) => handleOf(momentumBuffer) === undefined);
  if (isFirst) {
    for (const [i, state] of states.entries()) {
      state.momentumBuffer = keep(wrap(operator('aten::empty_like', '')(grads[i])));
    }
  }
  const buffers = momentum === 0 ? [] : of('momentumBuffer');
  const rest = [dampening, nesterov, maximize, isFirst] as const;
  const decay = numberIn(group.weightDecay);
  if (isTensor(lr)) {
    operator('aten::_fused_sgd_', 'tensor_lr')(params, grads, buffers, decay, momentum, handleOf(lr), ...rest);
  } else operator('aten::_fused_sgd_', '')(params, grads, buffers, decay, momentum, lr, ...rest);
}

/**
 * Stochastic gradient descent, with momentum if that is not 0.
 *
 * **Formula**: `g = g + weightDecay * p`; in the first step `v = g`, then `v = momentum * v + (1 - dampening) * g`;
 * `p = p - lr * v`, or with `nesterov` `p = p - lr * (g + momentum * v)`.
 *
 * **Options**, the first five also by position: `lr` (0.001), `momentum` (0), `dampening` (0), `weightDecay` (0), `nesterov`
 * (`false`); `maximize`, `foreach`, `differentiable`, `fused`.
 *
 * @example const optimizer = new optim.SGD(model.parameters(), 0.1, { momentum: 0.9 });
 *
 * **Source**: `torch.optim.SGD`.
 */
export class SGD extends optimizerClass({
  options,
  positional: ['lr', 'momentum', 'dampening', 'weightDecay', 'nesterov'],
  gradients: 'any',
  check: (op, { nesterov, momentum, dampening, ...group }) => {
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      const actual = `momentum: ${momentum}, dampening: ${dampening}`;
      throw expected(op, "option 'nesterov'", 'to go with a momentum > 0 and dampening: 0', actual);
    }
    refuseFusedWith(op, group);
  },
  init: (_parameter, { momentum }) => (momentum === 0 ? undefined : {}),
  update,
}) {}
