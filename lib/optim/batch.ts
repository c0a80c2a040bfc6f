/** What an optimizer computes a step with, and what several of them do alike. */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { expected } from '../errors';
import { handleOf, isTensor } from '../torch/bind';
import { tensor } from '../torch/create';
import { viewAsReal, zerosLike } from '../torch/operators.generated';
import { keep } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import type { Numeric } from './arithmetic';
import { type Lists, oneByOne } from './lists';
import type { ParameterState } from './state-dict';

/** How parameters are moved: all in one call of each operator, by one operator for everything, or in the plain order. */
export type Mode = 'single' | 'foreach' | 'fused';

/** Parameters of a group that have gradients, with all that a step of them needs. */
export interface Batch {
  readonly params: readonly Handle[];
  readonly grads: readonly Handle[];
  readonly tensors: readonly Tensor[];
  readonly states: readonly ParameterState[];
  /** The operators; what they make is given back when the batch is done. */
  readonly lists: Lists;
  readonly mode: Mode;
  readonly hasSparse: boolean;
  /** The tensors of a name in the states. */
  of(name: string): Handle[];
}

/** The parameters of a batch that pass a test. */
export function partOf(batch: Batch, test: (i: number) => boolean): Batch {
  const pick = <T>(list: readonly T[]): T[] => list.filter((_, i) => test(i));
  const { params, grads, tensors, states } = batch;
  return {
    ...batch,
    params: pick(params),
    grads: pick(grads),
    tensors: pick(tensors),
    states: pick(states),
    of: (name) => pick(batch.of(name)),
  };
}

/** A complex tensor as pairs of real numbers, over the same memory. */
export const asReal = (tensor: Tensor): Tensor => (tensor.isComplex() ? viewAsReal(tensor) : tensor);

/** Refuses complex parameters. */
export function refuseComplex(op: string, label: string, parameter: Tensor): void {
  if (parameter.isComplex()) throw expected(op, label, 'to be real', parameter.dtype);
}

/** Refuses what goes with no fused operator. */
export function refuseFusedWith(
  op: string,
  { fused, foreach, differentiable }: { fused: boolean | null; foreach: boolean | null; differentiable: boolean },
): void {
  if (fused !== true) return;
  if (differentiable) throw expected(op, "option 'fused'", 'to be false with differentiable: true', 'true');
  if (foreach === true) throw expected(op, "option 'fused'", 'to be false with foreach: true', 'true');
}

/** Counts a step of a batch, and gives the numbers of each parameter. */
export function countStep({ of, lists }: Batch): number[] {
  const steps = of('step');
  lists.addNumber_(steps, 1);
  return steps.map((step) => native().item(step) as number);
}

/** The gradients with a share of the parameters. */
export function withDecay({ params, grads, lists }: Batch, weightDecay: number): readonly Handle[] {
  return weightDecay === 0 ? grads : lists.add(grads, params, weightDecay);
}

/** The handle of a tensor, for each of a list. */
export const repeated = (list: readonly Handle[], value: Tensor): Handle[] => list.map(() => handleOf(value) as Handle);

/** Scales the tensors of a list; by a tensor where that is what stands for the number, which half types show. */
export function scale({ lists }: Batch, list: readonly Handle[], by: Numeric): void {
  if (isTensor(by)) lists.mul_(list, repeated(list, by));
  else lists.mulNumber_(list, by);
}

/** A list that was just made, with a number added; a graph may have saved it, which keeps it as it is. */
export function shifted({ lists }: Batch, list: readonly Handle[], by: number): readonly Handle[] {
  if (lists === oneByOne) return lists.addNumber(list, by);
  lists.addNumber_(list, by);
  return list;
}

/** Zeros like a parameter. */
export function zeros(parameter: Tensor): Tensor {
  return keep(zerosLike(parameter, { memoryFormat: 'preserve_format' }));
}

/** A number in a tensor, as states have it. */
export function counter(value: number, parameter: Tensor, group: object): Tensor {
  const { capturable, fused } = group as { capturable?: boolean; fused?: boolean | null };
  const device = capturable === true || fused === true ? parameter.device : 'cpu';
  return keep(tensor(value, { dtype: 'float32', device }));
}
