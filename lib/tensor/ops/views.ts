/**
 * Views, indexing and copies. Views share the memory of their input. Negative dimensions count from the end. **Source**:
 * the functions of the same names in `torch`.
 */
import * as aten from '../../aten/operators.generated';
import { expected, show } from '../../errors';
import { integer } from '../../options';
import type { Tensor } from '../tensor';

/** The list, if its elements are integers. */
function integers(op: string, argument: string, values: readonly number[]): readonly number[] {
  if (!Array.isArray(values)) throw expected(op, `'${argument}'`, 'to be an array of integers', show(values));
  for (let i = 0; i < values.length; i++) integer(op, `'${argument}[${i}]'`, values[i]);
  return values;
}

/** The same elements in another shape (one size may be -1: what is left); a copy only where no view can be */
export function reshape(input: Tensor, shape: readonly number[]): Tensor {
  return aten.reshape(input, integers('reshape', 'shape', shape));
}

/** The same memory in another shape; an error where that cannot be */
export function view(input: Tensor, shape: readonly number[]): Tensor {
  return aten.view(input, integers('view', 'shape', shape));
}

/** The dimensions from startDim to endDim as one */
export function flatten(input: Tensor, startDim = 0, endDim = -1): Tensor {
  const [start, end] = [integer('flatten', "'startDim'", startDim), integer('flatten', "'endDim'", endDim)];
  return aten.flatten_using_ints(input, start, end);
}

/** Two dimensions exchanged */
export function transpose(input: Tensor, dim0: number, dim1: number): Tensor {
  return aten.transpose_int(input, integer('transpose', "'dim0'", dim0), integer('transpose', "'dim1'", dim1));
}

/** The transpose of a matrix */
export function t(input: Tensor): Tensor {
  return aten.t(input);
}

/** The dimensions in another order */
export function permute(input: Tensor, dims: readonly number[]): Tensor {
  return aten.permute(input, integers('permute', 'dims', dims));
}

/** A new dimension of size 1 at `dim` */
export function unsqueeze(input: Tensor, dim: number): Tensor {
  return aten.unsqueeze(input, integer('unsqueeze', "'dim'", dim));
}

/** Without the dimensions of size 1: all of them, or `dim` if it is one */
export function squeeze(input: Tensor, dim?: number): Tensor {
  return dim === undefined ? aten.squeeze(input) : aten.squeeze_dim(input, integer('squeeze', "'dim'", dim));
}

/** Dimensions of size 1 repeated to the shape, without memory; -1 keeps a size */
export function expand(input: Tensor, shape: readonly number[]): Tensor {
  return aten.expand(input, integers('expand', 'shape', shape));
}

/** A view of the memory by sizes, strides and offset, counted in elements */
export function asStrided(
  input: Tensor,
  size: readonly number[],
  stride: readonly number[],
  storageOffset?: number,
): Tensor {
  const offset = storageOffset === undefined ? undefined : integer('asStrided', "'storageOffset'", storageOffset);
  return aten.as_strided(input, integers('asStrided', 'size', size), integers('asStrided', 'stride', stride), offset);
}

/** The slice at one index of a dimension, which is dropped */
export function select(input: Tensor, dim: number, index: number): Tensor {
  return aten.select_int(input, integer('select', "'dim'", dim), integer('select', "'index'", index));
}

/** `length` slices of a dimension from `start` on */
export function narrow(input: Tensor, dim: number, start: number, length: number): Tensor {
  const [from, count] = [integer('narrow', "'start'", start), integer('narrow', "'length'", length)];
  return aten.narrow(input, integer('narrow', "'dim'", dim), from, count);
}

/** The slices start, start + step, … below end of a dimension; absent: from the first, to the last, every one */
export function slice(input: Tensor, dim: number, start?: number, end?: number, step = 1): Tensor {
  const bound = (argument: string, value: number | undefined): number | undefined =>
    value === undefined ? undefined : integer('slice', argument, value);
  const [from, to] = [bound("'start'", start), bound("'end'", end)];
  return aten.slice_Tensor(input, integer('slice', "'dim'", dim), from, to, integer('slice', "'step'", step));
}

/** The slices of a dimension as an array of tensors */
export function unbind(input: Tensor, dim = 0): Tensor[] {
  return aten.unbind_int(input, integer('unbind', "'dim'", dim));
}

/** The slices of a dimension at the indices of a 1-D tensor, copied */
export function indexSelect(input: Tensor, dim: number, index: Tensor): Tensor {
  return aten.index_select(input, integer('indexSelect', "'dim'", dim), index);
}

/** `out[i][j] = input[i][index[i][j]]` for dim 1, and so for every dim */
export function gather(input: Tensor, dim: number, index: Tensor): Tensor {
  return aten.gather(input, integer('gather', "'dim'", dim), index);
}

/** The elements where the mask is true, as a 1-D copy */
export function maskedSelect(input: Tensor, mask: Tensor): Tensor {
  return aten.masked_select(input, mask);
}

/** The matrix product; 1-D operands are vectors, further dimensions are batches */
export function matmul(input: Tensor, other: Tensor): Tensor {
  return aten.matmul(input, other);
}

/** A copy with memory of its own; gradients flow through it */
export function clone(input: Tensor): Tensor {
  return aten.clone(input);
}

/** The tensor with its elements in row-major order: itself, or a copy */
export function contiguous(input: Tensor): Tensor {
  return aten.contiguous(input);
}

/** The same memory, outside of the graph of gradients */
export function detach(input: Tensor): Tensor {
  return aten.detach(input);
}
