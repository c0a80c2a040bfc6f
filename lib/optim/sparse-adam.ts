/** Adam for sparse gradients. */
import { expected } from '../errors';
import { wrap } from '../torch/bind';
import { sparseCooTensor } from '../torch/operators.generated';
import { aten } from '../torch/ops';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { negated, over, power, times } from './arithmetic';
import { type Batch, refuseComplex, zeros } from './batch';
import { optimizerClass } from './declare';
import { above, betas, flag, type OptionValues, positive, rate } from './options';

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: above(rate(1e-3)),
  /** How much of the running means stays at each step. */
  betas,
  /** Added to the denominator. */
  eps: above(positive(1e-8)),
  /** Go up the gradient instead of down. */
  maximize: flag(false),
} as const;

type Group = OptionValues<typeof options>;

function update({ grads, tensors, states }: Batch, group: Group): void {
  for (const state of states) state.step = (state.step as number) + 1;
  for (const [i, parameter] of tensors.entries()) {
    scope(() => updateOne(parameter, wrap(grads[i]), states[i] as Record<string, Tensor | number>, group));
  }
}

/** Only the elements at the indices of the gradient change, and the means there. */
function updateOne(parameter: Tensor, given: Tensor, state: Record<string, Tensor | number>, group: Group): void {
  const { lr, eps } = group;
  const [beta1, beta2] = group.betas;
  const grad = given.coalesce();
  const [indices, values] = [aten._indices(grad), aten._values(grad)];
  if (values.numel() === 0) return;
  const sparse = (of: Tensor): Tensor => sparseCooTensor(indices, of, grad.shape);
  const [mean, square, step] = [state.expAvg as Tensor, state.expAvgSq as Tensor, state.step as number];
  const oldMeans = aten._values(mean.sparseMask(grad));
  const means = values.sub(oldMeans).mul_(1 - beta1);
  mean.add_(sparse(means));
  const oldSquares = aten._values(square.sparseMask(grad));
  const squares = values
    .pow(2)
    .sub_(oldSquares)
    .mul_(1 - beta2);
  square.add_(sparse(squares));
  const numerators = means.add_(oldMeans);
  const denominators = squares.add_(oldSquares).sqrt_().add_(eps);
  const root = Math.sqrt(1 - power(beta2, step));
  const size = over(times(lr, root), 1 - power(beta1, step));
  parameter.add_(sparse(times(negated(size), numerators.div_(denominators)) as Tensor));
}

/**
 * {@link Adam} for sparse gradients, as of embeddings: what a gradient does not name stays as it is, its means too.
 *
 * **Options**, all also by position: `lr` (0.001), `betas` ([0.9, 0.999]), `eps` (1e-8), `maximize` (`false`).
 *
 * @example const optimizer = new optim.SparseAdam(embedding.parameters());
 *
 * **Source**: `torch.optim.SparseAdam`.
 */
export class SparseAdam extends optimizerClass({
  options,
  positional: ['lr', 'betas', 'eps', 'maximize'],
  gradients: 'sparse',
  isOneByOne: true,
  checkParameter: (op, label, parameter) => {
    refuseComplex(op, label, parameter);
    if (parameter.isSparse) throw expected(op, label, 'to be dense', 'a sparse one');
  },
  init: (parameter: Tensor) => ({ step: 0, expAvg: zeros(parameter), expAvgSq: zeros(parameter) }),
  update,
}) {}
