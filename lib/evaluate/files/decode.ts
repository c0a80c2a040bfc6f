/** Bytes to rows: byte order, order of dimensions, and dtypes that libtorch has no arithmetic for. */
import '../../torch/methods';
import { badData } from '../../io/bad-data';
import type { ElementType } from '../../io/element';
import { aten } from '../../torch/ops';
import { scope } from '../../torch/scope';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';

/**
 * Rows whose bytes lie one after the other, at an address that suits the element unless it is big-endian. No copy,
 * unless byte order or dtype need one.
 *
 * `shape` is that of the rows, `first` the index of the first one in the array: both for the message, should an unsigned
 * integer be too large.
 *
 * @throws TorchError `BAD_DATA` for a uint64 beyond int64.
 */
export function decodeRows(
  name: string,
  bytes: Tensor,
  element: ElementType,
  shape: readonly number[],
  first: number,
): Tensor {
  return scope(() => {
    const ordered = element.bigEndian ? aten.view(aten.flip(aten.view(bytes, [-1, element.size]), [1]), [-1]) : bytes;
    return widened(name, aten.view(asStored(ordered, element), shape), element, first);
  });
}

/**
 * The same of rows in Fortran order, whose first index runs fastest; made contiguous. `whole` is the shape of the array
 * that the bytes are of: that of the rows, or, where `bytes` are the memory of a file, that of all of its rows.
 */
export function decodeFortranRows(
  name: string,
  bytes: Tensor,
  element: ElementType,
  shape: readonly number[],
  whole: readonly number[],
  first: number,
): Tensor {
  return scope(() => {
    const strides = fortranStrides(whole);
    if (!element.bigEndian) {
      const elements = element.stored === 'bool' ? bytes : aten.view.dtype(bytes, element.stored);
      const contiguous = aten.contiguous(aten.as_strided(elements, shape, strides));
      return widened(name, asStored(contiguous, element), element, first);
    }
    const { size } = element;
    const sized = aten.as_strided(bytes, [...shape, size], [...strides.map((stride) => stride * size), 1]);
    return decodeRows(name, aten.view(aten.contiguous(sized), [-1]), element, shape, first);
  });
}

/** How many elements apart neighbours of each dimension lie if the first dimension runs fastest. */
function fortranStrides(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
}

/** Bytes, or elements already, as the dtype they are stored as. A byte that is not zero is true. */
function asStored(elements: Tensor, element: ElementType): Tensor {
  return element.stored === 'bool' ? aten.ne.Scalar(elements, 0) : aten.view.dtype(elements, element.stored);
}

/** Unsigned integers in a dtype that holds them: the upper bits of the wider type are cleared. */
function widened(name: string, rows: Tensor, { unsigned, size, dtype }: ElementType, first: number): Tensor {
  if (!unsigned) return rows;
  if (size < 8) return aten.bitwise_and.Scalar(aten.to.dtype_layout(rows, { dtype }), 2 ** (8 * size) - 1);
  const negative = aten.lt.Scalar(rows, 0);
  if (aten.any(negative).item<boolean>()) throw tooLarge(name, rows, negative, first);
  return rows;
}

function tooLarge(name: string, rows: Tensor, negative: Tensor, first: number): Error {
  const index = aten.select.int(aten.nonzero(negative), 0, 0).toArray<number[]>();
  const value = index.reduce((tensor, at) => aten.select.int(tensor, 0, at), rows).item<number | bigint>();
  const place = shapeText([(index[0] as number) + first, ...index.slice(1)]);
  const shown = BigInt.asUintN(64, BigInt(value));
  return badData(name, `element ${place} is ${shown}, which int64 does not hold (uint64 is read up to 2^63 - 1)`);
}
