/** Adagrad. */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { expected } from '../errors';
import { handleOf, isTensor, operator, wrap } from '../torch/bind';
import { fullLike, sparseCooTensor } from '../torch/operators.generated';
import { aten } from '../torch/ops';
import { keep, scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { forEachOf, quotient } from './arithmetic';
import { type Batch, counter, countStep, partOf, refuseFusedWith, shifted, withDecay } from './batch';
import { optimizerClass } from './declare';
import { common, fusing, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-2),
  /** How fast the learning rate falls with the number of steps. */
  lrDecay: positive(0),
  /** The share of the parameter that is added to its gradient. */
  weightDecay: positive(0),
  /** The sum of squares to begin with. */
  initialAccumulatorValue: positive(0),
  /** Added to the denominator. */
  eps: positive(1e-10),
  ...common,
  ...fusing,
} as const;

type Group = OptionValues<typeof options>;

function init(parameter: Tensor, group: Group, optimizer: { readonly defaults: Group }): Record<string, Tensor> {
  const { initialAccumulatorValue: value } = optimizer.defaults;
  const filled = parameter.isComplex() ? { re: value, im: value } : value;
  return { step: counter(0, parameter, group), sum: keep(fullLike(parameter.detach(), filled)) };
}

function update(batch: Batch, group: Group): void {
  if (batch.mode === 'fused') {
    fused(batch, group);
  } else if (batch.hasSparse) {
    for (const [i, grad] of batch.grads.entries()) {
      const one = partOf(batch, (j) => j === i);
      if (native().layout(grad) === 0) updateDense(one, group);
      else scope(() => updateSparse(one, group));
    }
  } else updateDense(batch, group);
}

const divisors = (batch: Batch, { lrDecay }: Group): number[] =>
  forEachOf(countStep(batch), (step) => 1 + (step - 1) * lrDecay);

function updateDense(batch: Batch, group: Group): void {
  const { params, lists, of, mode } = batch;
  const decays = divisors(batch, group);
  const grads = withDecay(batch, group.weightDecay);
  const sums = of('sum');
  lists.addcmul_(sums, grads, grads, 1);
  const roots = shifted(batch, lists.sqrt(sums), group.eps);
  if (mode === 'foreach') {
    lists.addcdiv_(params, scaledGradients(batch, grads, decays, group), roots);
    return;
  }
  const sizes = decays.map((decay) => -quotient(group.lr, decay));
  lists.addcdivNumbers_(params, grads, roots, sizes);
}

/** With lists PyTorch scales the gradients first; copies in place, which half types show. */
function scaledGradients(
  { lists }: Batch,
  grads: readonly Handle[],
  decays: readonly number[],
  { lr, weightDecay, maximize }: Group,
): readonly Handle[] {
  const isCopy = weightDecay !== 0 || maximize;
  if (isTensor(lr)) {
    const sizes = decays.map((decay) => lists.own(handleOf(lr.neg().div(decay)) as Handle));
    if (!isCopy) return lists.mul(grads, sizes);
    lists.mul_(grads, sizes);
    return grads;
  }
  const sizes = decays.map((decay) => -lr / decay);
  if (!isCopy) return lists.mulNumbers(grads, sizes);
  lists.mulNumbers_(grads, sizes);
  return grads;
}

/** One parameter by a sparse gradient, whose indices must occur once: the update is not linear. */
function updateSparse(batch: Batch, group: Group): void {
  const [decay] = divisors(batch, group) as [number];
  if (group.weightDecay !== 0) {
    throw expected('Adagrad', "option 'weightDecay'", 'to be 0 for sparse gradients', String(group.weightDecay));
  }
  const [parameter] = batch.tensors as readonly [Tensor];
  const grad = wrap(batch.grads[0]).coalesce();
  const [indices, values] = [aten._indices(grad), aten._values(grad)];
  const sparse = (of: Tensor): Tensor => sparseCooTensor(indices, of, grad.shape);
  const sum = batch.states[0]?.sum as Tensor;
  sum.add_(sparse(values.pow(2)));
  const root = aten._values(sum.sparseMask(grad)).sqrt_().add_(group.eps);
  parameter.add_(sparse(values.div(root)), { alpha: -quotient(group.lr, decay) });
}

/** One native operator for everything. */
function fused({ params, grads, of, lists, hasSparse, tensors }: Batch, group: Group): void {
  const { lr, lrDecay, weightDecay, eps, maximize } = group;
  if (hasSparse || tensors.some((parameter) => parameter.isComplex())) {
    throw expected('Adagrad', "option 'fused'", 'to be false for sparse gradients and complex parameters', 'true');
  }
  const steps = of('step');
  lists.addNumber_(steps, 1);
  const rest = [lrDecay, weightDecay, eps, maximize] as const;
  const states = [of('sum'), steps] as const;
  if (isTensor(lr)) operator('aten::_fused_adagrad_', 'tensor_lr')(params, grads, ...states, handleOf(lr), ...rest);
  else operator('aten::_fused_adagrad_', '')(params, grads, ...states, lr, ...rest);
}

/**
 * Adagrad: each element steps by its own share of all squared gradients so far.
 *
 * **Formula**: `g = g + weightDecay * p`; `s = s + g^2`; `p = p - lr / (1 + (t - 1) * lrDecay) * g / (sqrt(s) + eps)`, with
 * `initialAccumulatorValue` as the first `s`.
 *
 * **Options**, the first six also by position: `lr` (0.01), `lrDecay` (0), `weightDecay` (0), `initialAccumulatorValue` (0),
 * `eps` (1e-10), `foreach`; `maximize`, `differentiable`, `fused`. Gradients may be sparse.
 *
 * @example const optimizer = new optim.Adagrad(model.parameters(), 0.01);
 *
 * **Source**: `torch.optim.Adagrad`.
 */
export class Adagrad extends optimizerClass({
  options,
  positional: ['lr', 'lrDecay', 'weightDecay', 'initialAccumulatorValue', 'eps', 'foreach'],
  gradients: 'any',
  check: refuseFusedWith,
  init,
  isEager: true,
  counters: ['step'],
  viewsAsReal: ['sum'],
  update,
}) {}
