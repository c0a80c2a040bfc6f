/** How large tensors are cut into pieces that stay in a processor's caches. */
import type { Tensor } from '../../tensor/tensor';
import { isFloating, itemsizes } from '../../types';

/** What a piece of one tensor takes, in bytes: a few of them fit into the second-level cache of a core. */
const pieceBytes = 512 * 1024;

/** From here on cutting pays: below, everything fits into the caches as it is. */
const leastBytes = 2 * 1024 * 1024;

/** How many entries of the first dimension a piece has; `undefined` where cutting does not pay or is not possible. */
export function pieceOf(tensor: Tensor): number | undefined {
  const { numel } = tensor;
  // First what is cheapest to know of a small tensor.
  if (numel * 8 < leastBytes) return undefined;
  const { dtype } = tensor;
  const bytes = numel * itemsizes[dtype];
  if (bytes < leastBytes || !isFloating(dtype) || !tensor.isContiguous || tensor.device !== 'cpu') return undefined;
  const [entries = 1] = tensor.shape;
  return Math.max(1, Math.floor((pieceBytes * entries) / bytes));
}
