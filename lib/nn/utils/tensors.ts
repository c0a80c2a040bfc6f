/** Tensors that come one by one, as an array, or as what `module.parameters()` gives. */
import { expected, show } from '../../errors';
import { isTensor, showForeign } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';

/** The tensors as an array. */
export function listed(op: string, argument: string, given: Tensor | Iterable<Tensor>): Tensor[] {
  if (isTensor(given)) return [given];
  const what = 'to be a Tensor, or to go through Tensors';
  if (typeof given !== 'object' || typeof given[Symbol.iterator] !== 'function') {
    throw expected(op, `'${argument}'`, what, showForeign(given));
  }
  const list = Array.from(given);
  for (const [i, entry] of list.entries()) {
    if (!isTensor(entry)) throw expected(op, `'${argument}[${i}]'`, 'to be a Tensor', show(entry));
  }
  return list;
}

/**
 * The tensors by device and dtype, the group that began last first: libtorch keeps them in a table that gives them so, and
 * the order decides the last bit of a norm over several groups.
 */
export function byKind(tensors: readonly Tensor[]): Tensor[][] {
  const groups = new Map<string, Tensor[]>();
  for (const tensor of tensors) {
    const kind = `${tensor.device} ${tensor.dtype}`;
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [tensor]);
    else group.push(tensor);
  }
  return [...groups.values()].reverse();
}
