/**
 * Indexing as Python's brackets do it: `x.index(0, slice(1, null), null, '...', mask)` is `x[0, 1:, None, ..., mask]`.
 */

import { expected, show, TorchError } from '../errors';
import type { NestedArray, Scalar, TypedArray } from '../types';
import { isTensor } from './bind';
import { tensor } from './create';
import { isTypedArray } from './elements';
import { aten } from './ops';
import type { Tensor } from './tensor';

/** A range of indices, made by {@link slice}. */
export class Slice {
  /** Absent: from the first. */
  readonly start: number | undefined;
  /** Absent: to the last. */
  readonly stop: number | undefined;
  /** Absent: every one. */
  readonly step: number | undefined;

  /** @internal Made by {@link slice}. */
  constructor(start: number | undefined, stop: number | undefined, step: number | undefined) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** An index between brackets. */
export type Index = number | bigint | boolean | null | '...' | Slice | Tensor | NestedArray | TypedArray;

/**
 * The indices start, start + step, … before stop, for {@link Tensor.index}: `slice()` is Python's `:`, `slice(2)` is
 * `:2`, `slice(1, null)` is `1:`, `slice(null, null, 2)` is `::2`. Negative bounds count from the end.
 *
 * **Source**: Python's `slice`.
 */
export function slice(stop?: number | null): Slice;
export function slice(start: number | null, stop: number | null, step?: number | null): Slice;
export function slice(...bounds: (number | null | undefined)[]): Slice {
  for (const bound of bounds) {
    if (bound === undefined || bound === null || Number.isSafeInteger(bound)) continue;
    throw expected('slice', 'the bounds', 'to be integers or null', show(bound));
  }
  const [start, stop, step] = (bounds.length < 2 ? [undefined, ...bounds] : bounds).map((bound) => bound ?? undefined);
  if (step !== undefined && step <= 0) throw expected('slice', "'step'", 'to be greater than 0', String(step));
  return new Slice(start, stop, step);
}

/** A view by the simple indices, and the tensors that are still to index its dimensions. */
interface Selection {
  view: Tensor;
  indices: (Tensor | undefined)[];
}

/** How many dimensions an index takes. */
function dimensionsOf(index: unknown): number {
  if (index === null || index === undefined || index === '...' || typeof index === 'boolean') return 0;
  const isMask = isTensor(index) && (index.dtype === 'bool' || index.dtype === 'uint8');
  return isMask ? (index as Tensor).ndim : 1;
}

/** The indices as tensors, numbers, slices and names; lists become tensors. */
function readIndices(op: string, input: Tensor, indices: readonly unknown[]): unknown[] {
  return indices.map((index, i) => {
    if (isTensor(index) || index instanceof Slice || index === null || index === '...') return index;
    if (typeof index === 'boolean' || Number.isSafeInteger(index)) return index;
    if (typeof index === 'bigint') return Number(index);
    if (Array.isArray(index) || isTypedArray(index)) return listIndex(input, index as NestedArray);
    const what = "to be an integer, slice(), null, '...', a boolean, a Tensor or a list of indices";
    throw expected(op, `index ${i}`, what, index === undefined ? 'undefined (null adds a dimension)' : show(index));
  });
}

/** A list of indices, or of booleans as a mask, as a tensor. */
function listIndex(input: Tensor, list: NestedArray): Tensor {
  const found = tensor(list, { device: input.device });
  return found.dtype === 'float32' ? tensor(list, { dtype: 'int64', device: input.device }) : found;
}

/** Takes the indices that views are made by, and keeps the others. */
function select(op: string, input: Tensor, given: readonly unknown[]): Selection {
  const all = readIndices(op, input, given);
  const used = all.reduce((count: number, index) => count + dimensionsOf(index), 0);
  if (used > input.ndim) {
    const message = `${op}: expected at most ${input.ndim} indices, as the tensor has dimensions, but received ${used}`;
    throw new TorchError('INVALID_ARGUMENT', message, { op });
  }
  if (all.filter((index) => index === '...').length > 1) throw expected(op, "'...'", 'to be given once', 'it twice');
  const selection: Selection = { view: input, indices: [] };
  let dim = 0;
  for (const index of all) dim = take(selection, index, dim, input.ndim - used);
  return selection;
}

/** Applies one index to a dimension; returns the dimension of the next. */
function take(selection: Selection, index: unknown, dim: number, left: number): number {
  const { view, indices } = selection;
  if (index === '...') return dim + left;
  if (index === null) {
    selection.view = view.unsqueeze(dim);
    return dim + 1;
  }
  if (index instanceof Slice) {
    if (index.start !== undefined || index.stop !== undefined || index.step !== undefined) {
      selection.view = aten.slice.Tensor(view, dim, index.start, index.stop, index.step ?? 1);
    }
    return dim + 1;
  }
  const integer = integerOf(index);
  if (integer !== undefined) {
    selection.view = view.select(dim, integer);
    return dim;
  }
  const truth = truthOf(index);
  if (truth !== undefined) {
    selection.view = view.unsqueeze(dim);
    indices[dim] = tensor(truth ? [0] : [], { dtype: 'int64', device: view.device });
    return dim + 1;
  }
  indices[dim] = index as Tensor;
  return dim + 1;
}

/** The number of an index that stands for one element: a number, or a tensor of an integer without dimensions. */
function integerOf(index: unknown): number | undefined {
  if (typeof index === 'number') return index;
  if (!isTensor(index) || index.ndim !== 0 || !/^int/.test(index.dtype)) return undefined;
  return index.item();
}

/** Whether an index is `true` or `false`, or a tensor of one without dimensions; `undefined` if it is none. */
function truthOf(index: unknown): boolean | undefined {
  if (typeof index === 'boolean') return index;
  if (!isTensor(index) || index.ndim !== 0 || (index.dtype !== 'bool' && index.dtype !== 'uint8')) return undefined;
  return Boolean(index.item());
}

/** The indices that are left, on the tensor's device, absent ones as `null`. */
function tensorsOf({ view, indices }: Selection): (Tensor | null)[] {
  return Array.from(indices, (index) => {
    if (index === undefined) return null;
    return index.device === 'cpu' && view.device !== 'cpu' && index.ndim > 0
      ? index.to({ device: view.device })
      : index;
  });
}

/** `input[...indices]`: a view where all indices are numbers, slices, `null` and `'...'`; else a copy. */
export function index(input: Tensor, indices: readonly Index[]): Tensor {
  const selection = select('index', input, indices);
  if (selection.indices.length > 0) return aten.index.Tensor(selection.view, tensorsOf(selection));
  return selection.view === input ? aten.alias(input) : selection.view;
}

/** `input[...indices] = values`, or `+=` with `accumulate`. */
export function indexPut(
  input: Tensor,
  indices: readonly Index[],
  values: Tensor | Scalar | NestedArray,
  accumulate: boolean,
): Tensor {
  const op = 'indexPut_';
  if (!Array.isArray(indices)) throw expected(op, "'indices'", 'to be an array of indices', show(indices));
  const selection = select(op, input, indices);
  const { view } = selection;
  const value = isTensor(values) ? values : tensor(values as NestedArray, { dtype: view.dtype, device: view.device });
  if (selection.indices.length > 0) {
    aten.index_put_(view, tensorsOf(selection), value, accumulate);
  } else if (accumulate) {
    view.add_(value);
  } else {
    view.copy_(withoutLeadingOnes(value, view.ndim));
  }
  return input;
}

/** The tensor without the leading dimensions of size 1 that the target lacks, as Python's assignment has it. */
function withoutLeadingOnes(value: Tensor, ndim: number): Tensor {
  const { shape } = value;
  let first = 0;
  while (shape.length - first > ndim && shape[first] === 1) first++;
  return first === 0 ? value : value.view(shape.slice(first));
}
