/** Memory of the caller's that results are written into. */

import { native } from '../binding/load';
import { expected, show } from '../errors';
import type { TypedArray } from '../types';
import { isTensor, unwrap } from './bind';
import { checkShareable, fromTypedArray } from './create';
import { arrayDType, isTypedArray } from './elements';
import { sameShape } from './shape';
import type { Tensor } from './tensor';

/** A destination for a result: a tensor, or a typed array of its elements. */
export type Buffer = Tensor | TypedArray;

/** How the memory of two tensors overlaps; in the same places, elements of the same index coincide. */
export type Overlap = 'none' | 'same places' | 'partial';

const overlaps: readonly Overlap[] = ['none', 'same places', 'partial'];

/** Whether a tensor uses memory of another one, or of a typed array. An expanded tensor overlaps itself in part. */
export function overlap(tensor: Tensor, other: Tensor | TypedArray): Overlap {
  const handle = isTensor(other) ? unwrap(other, 'overlap', 'other') : other;
  return overlaps[native().overlap(unwrap(tensor, 'overlap', 'tensor'), handle)] as Overlap;
}

/** A buffer as a tensor, if it has shape (a typed array: the number of elements) and dtype of another one. */
export function asBuffer(op: string, label: string, given: unknown, like: Tensor): Tensor {
  const { shape, dtype } = like;
  const what = `to be ${dtype} of shape [${shape}]`;
  if (isTensor(given)) {
    if (given.dtype !== dtype || !sameShape(given.shape, shape)) {
      throw expected(op, label, what, `${given.dtype} of shape [${given.shape}]`);
    }
    if (overlap(given, given) !== 'partial') return given;
    throw expected(op, label, 'to have memory for each element', 'an expanded tensor (clone() it)');
  }
  if (isTypedArray(given) && arrayDType(op, given, dtype) === dtype && given.length === like.numel()) {
    checkShareable(op, label, given);
    return fromTypedArray(given, { shape, dtype });
  }
  throw expected(op, label, what, show(given));
}
