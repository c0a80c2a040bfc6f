/** Memory of the caller's that results are written into. */
import { isTensor } from '../aten/bind';
import { expected, show } from '../errors';
import type { TypedArray } from '../types';
import { fromTypedArray } from './create';
import { arrayDType, isTypedArray } from './elements';
import { sameShape } from './shape';
import type { Tensor } from './tensor';

/** What a result can be written into: a tensor, or a typed array of the elements of one. */
export type Buffer = Tensor | TypedArray;

/** A buffer as a tensor, if it has shape (a typed array: the number of elements) and dtype of another one. */
export function asBuffer(op: string, label: string, given: unknown, like: Tensor): Tensor {
  const { shape, dtype } = like;
  const what = `to be ${dtype} of shape [${shape}]`;
  if (isTensor(given)) {
    if (given.dtype === dtype && sameShape(given.shape, shape)) return given;
    throw expected(op, label, what, `${given.dtype} of shape [${given.shape}]`);
  }
  if (isTypedArray(given) && arrayDType(op, given, dtype) === dtype && given.length === like.numel) {
    return fromTypedArray(given, { shape, dtype });
  }
  throw expected(op, label, what, show(given));
}
