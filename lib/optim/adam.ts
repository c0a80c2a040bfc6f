/** Adam and its form with weight decay apart from the gradient. */
import { expected, show } from '../errors';
import { handleOf, isTensor, operator, wrap } from '../torch/bind';
import { maximum } from '../torch/operators.generated';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { forEachOf, type Numeric, negated, numberIn, oneMinus, over, power, raised, times } from './arithmetic';
import { asReal, type Batch, counter, countStep, refuseFusedWith, withDecay, zeros } from './batch';
import { optimizerClass } from './declare';
import {
  capturing,
  common,
  flag,
  fusing,
  betas as numbers,
  type Option,
  type OptionValues,
  positive,
  rate,
} from './options';

/** Two numbers in [0, 1), or two tensors that hold such. */
const betas: Option<readonly [Numeric, Numeric]> = {
  ...numbers,
  check: (op, label, value) => {
    const [a, b] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
    if (!isTensor(a) && !isTensor(b)) return numbers.check(op, label, value);
    if (!isTensor(a) || !isTensor(b)) throw expected(op, label, 'to be two numbers or two tensors', show(value));
    if (a.numel() !== 1 || b.numel() !== 1) throw expected(op, label, 'to be tensors of one element', show(value));
    numbers.check(op, label, [numberIn(a), numberIn(b)]);
    return [a.squeeze(), b.squeeze()];
  },
};

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-3),
  /** How much of the running means stays at each step. */
  betas,
  /** Added to the denominator. */
  eps: positive(1e-8),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  /** Divide by the largest mean of squares so far. */
  amsgrad: flag(false),
  /** Take weight decay from the parameter, and not through the means. */
  decoupledWeightDecay: flag(false),
  ...common,
  ...capturing,
  ...fusing,
} as const;

type Group = OptionValues<typeof options>;

function init(parameter: Tensor, group: Group): Record<string, Tensor> {
  return {
    step: counter(0, parameter, group),
    expAvg: zeros(parameter),
    expAvgSq: zeros(parameter),
    ...(group.amsgrad && { maxExpAvgSq: zeros(parameter) }),
  };
}

function update(batch: Batch, group: Group): void {
  const { lr, betas, differentiable } = group;
  const hasTensors = isTensor(lr) || betas.some(isTensor);
  if (batch.mode === 'fused') fused(batch, group);
  else if (!differentiable && !hasTensors) {
    updateLists(batch, group, numberIn(lr), numberIn(betas[0]), numberIn(betas[1]));
  } else if (batch.mode === 'foreach') {
    throw expected('Adam', "option 'foreach'", 'to be false where lr or betas are tensors', 'true');
  } else for (let i = 0; i < batch.params.length; i++) scope(() => updateOne(batch, i, group));
}

function updateLists(batch: Batch, group: Group, lr: number, beta1: number, beta2: number): void {
  const { params, of, lists } = batch;
  const { eps, weightDecay, amsgrad, decoupledWeightDecay } = group;
  const counts = countStep(batch);
  let { grads } = batch;
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) lists.mulNumber_(params, 1 - lr * weightDecay);
    else grads = withDecay(batch, weightDecay);
  }
  const [averages, squares] = [of('expAvg'), of('expAvgSq')];
  lists.lerp_(averages, grads, 1 - beta1);
  lists.mulNumber_(squares, beta2);
  lists.addcmul_(squares, grads, grads, 1 - beta2);
  const sizes = forEachOf(counts, (step) => -(lr / (1 - power(beta1, step))));
  const corrections = forEachOf(counts, (step) => power(1 - power(beta2, step), 0.5));
  const largest = amsgrad ? of('maxExpAvgSq') : squares;
  if (amsgrad) lists.maximum_(largest, squares);
  const denominators = lists.sqrt(largest);
  lists.divNumbers_(denominators, corrections);
  lists.addNumber_(denominators, eps);
  lists.addcdivNumbers_(params, averages, denominators, sizes);
}

/** One parameter, where numbers of the options are tensors or a graph records the step. */
function updateOne({ grads, tensors, states }: Batch, i: number, group: Group): void {
  const { lr, eps, weightDecay, amsgrad, differentiable, decoupledWeightDecay } = group;
  const state = states[i] as Record<string, Tensor>;
  const param = asReal(tensors[i] as Tensor);
  const [expAvg, expAvgSq] = [asReal(state.expAvg as Tensor), asReal(state.expAvgSq as Tensor)];
  const step = (state.step as Tensor).add_(1);
  const [beta1, beta2] = group.betas;
  let grad = wrap(grads[i]);
  if (weightDecay !== 0) {
    if (decoupledWeightDecay) param.mul_(oneMinus(times(lr, weightDecay)) as Tensor);
    else grad = grad.add(param, { alpha: weightDecay });
  }
  const like = { device: param.device, dtype: param.dtype };
  expAvg.lerp_(grad, oneMinus(isTensor(beta1) ? beta1.to(like) : beta1) as Tensor);
  if (differentiable && isTensor(beta2) && beta2.requiresGrad) expAvgSq.lerp_(grad.square(), oneMinus(beta2) as Tensor);
  else expAvgSq.mul_(beta2 as Tensor).addcmul_(grad, grad, { value: numberIn(oneMinus(beta2)) });
  const largest = amsgrad ? asReal(state.maxExpAvgSq as Tensor) : expAvgSq;
  if (amsgrad) largest.copy_(maximum(differentiable ? largest.clone() : largest, expAvgSq));
  if (differentiable) {
    const size = negated(over(lr, oneMinus(raised(beta1, step.clone()))));
    const correction = (oneMinus(raised(beta2, step.clone())) as Tensor).sqrt();
    const denominator = largest
      .sqrt()
      .div(correction.mul(size as Tensor))
      .add_(over(eps, size) as Tensor);
    param.addcdiv_(expAvg.clone(), denominator);
    return;
  }
  const count = step.item();
  const size = over(lr, oneMinus(raised(beta1, count)));
  const correction = raised(oneMinus(raised(beta2, count)), 0.5);
  const denominator = largest
    .sqrt()
    .div(correction as Tensor)
    .add_(eps);
  param.addcdiv_(expAvg, denominator, { value: -numberIn(size) });
}

/** One native operator for everything. */
function fused({ params, grads, of, lists }: Batch, group: Group): void {
  const { lr, betas, weightDecay, eps, amsgrad, maximize, decoupledWeightDecay } = group;
  const steps = of('step');
  lists.addNumber_(steps, 1);
  const name = decoupledWeightDecay ? 'aten::_fused_adamw_' : 'aten::_fused_adam_';
  const states = [of('expAvg'), of('expAvgSq'), amsgrad ? of('maxExpAvgSq') : [], steps];
  const rest = [numberIn(betas[0]), numberIn(betas[1]), weightDecay, eps, amsgrad, maximize];
  if (isTensor(lr)) operator(name, 'tensor_lr')(params, grads, ...states, handleOf(lr), ...rest);
  else operator(name, '')(params, grads, ...states, lr, ...rest);
}

function check(op: string, group: Group): void {
  const { lr, betas, foreach, capturable } = group;
  if (foreach === true && !capturable && (isTensor(lr) || isTensor(betas[0]))) {
    throw expected(op, "option 'foreach'", 'to be false where lr or betas are tensors', 'true');
  }
  refuseFusedWith(op, group);
}

const declaration = {
  options,
  positional: ['lr', 'betas', 'eps', 'weightDecay', 'amsgrad'],
  check,
  init,
  counters: ['step'],
  viewsAsReal: ['expAvg', 'expAvgSq', 'maxExpAvgSq'],
  update,
} as const;

/**
 * Adam: steps by the running mean of gradients, divided by the root of that of their squares.
 *
 * **Formula**: `g = g + weightDecay * p`; `m = lerp(m, g, 1 - beta1)`; `v = beta2 * v + (1 - beta2) * g^2`;
 * `p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)`; with `amsgrad` the largest `v` so far.
 *
 * **Options**, the first five also by position: `lr` (0.001), `betas` ([0.9, 0.999]), `eps` (1e-8), `weightDecay` (0),
 * `amsgrad` (`false`); `foreach`, `maximize`, `capturable`, `differentiable`, `fused`, `decoupledWeightDecay`.
 *
 * @example const optimizer = new optim.Adam(model.parameters(), { lr: 3e-4 });
 *
 * **Source**: `torch.optim.Adam`.
 */
export class Adam extends optimizerClass(declaration) {}

const { decoupledWeightDecay: _, ...adamwOptions } = { ...options, weightDecay: positive(1e-2) };

/**
 * Adam with weight decay that goes to the parameter, and not through the means.
 *
 * **Formula**: `p = p * (1 - lr * weightDecay)`, then {@link Adam} without weight decay.
 *
 * **Options**, the first five also by position: those of {@link Adam} without `decoupledWeightDecay`; `weightDecay` is 0.01.
 *
 * @example const optimizer = new optim.AdamW(model.parameters(), 3e-4, { weightDecay: 0.1 });
 *
 * **Source**: `torch.optim.AdamW`.
 */
export class AdamW extends optimizerClass({
  ...declaration,
  options: adamwOptions,
  fixed: { decoupledWeightDecay: true },
  update: declaration.update as (batch: Batch, group: OptionValues<typeof adamwOptions>) => void,
}) {}
