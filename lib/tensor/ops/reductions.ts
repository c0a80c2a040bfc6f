/**
 * Reductions over all elements or along dimensions. Negative dimensions count from the end. **Source**: the functions of
 * the same names in `torch`.
 */

import { checkDType } from '../../aten/dtype';
import * as aten from '../../aten/operators.generated';
import { expected, show } from '../../errors';
import { boolean, integer, number, withDefaults } from '../../options';
import type { DType } from '../../types';
import type { Tensor } from '../tensor';

/** One dimension or several. */
export type Dims = number | readonly number[];

/** Options of reductions along dimensions. */
export interface KeepDimOptions {
  /** Keep the reduced dimensions with size 1. Default `false`. */
  keepdim?: boolean | undefined;
}

/** Options of sums and means. */
export interface ReduceOptions extends KeepDimOptions {
  /** Convert to this dtype first. Default: what the elements promote to. */
  dtype?: DType | undefined;
}

/** Options of {@link std} and {@link variance}. */
export interface CorrectionOptions extends KeepDimOptions {
  /** What is subtracted from the number of elements in the denominator. Default 1 (Bessel's). */
  correction?: number | undefined;
}

/** The extreme values along a dimension and where they are. */
export interface ValuesAndIndices {
  /** The extreme values. */
  values: Tensor;
  /** The index of each along the dimension, int64. */
  indices: Tensor;
}

const keepDimDefaults: Readonly<Required<KeepDimOptions>> = Object.freeze({ keepdim: false });
const reduceDefaults: Readonly<Required<ReduceOptions>> = Object.freeze({ keepdim: false, dtype: undefined });
const correctionDefaults: Readonly<Required<CorrectionOptions>> = Object.freeze({ keepdim: false, correction: 1 });

function readKeepDim(op: string, options: KeepDimOptions | undefined): boolean {
  return boolean(op, "option 'keepdim'", withDefaults<KeepDimOptions>(op, options, keepDimDefaults).keepdim);
}

/** The input, unless dimensions are to be kept by a function that keeps them only along a given one, as in PyTorch. */
function withoutKeepDim(op: string, input: Tensor, keepdim: boolean): Tensor {
  if (!keepdim) return input;
  throw expected(op, "'dim'", 'to be given where keepdim is true', 'undefined');
}

function readReduce(op: string, options: ReduceOptions | undefined): { keepdim: boolean; dtype: DType | undefined } {
  const { keepdim, dtype } = withDefaults<ReduceOptions>(op, options, reduceDefaults);
  return {
    keepdim: boolean(op, "option 'keepdim'", keepdim),
    dtype: dtype === undefined ? undefined : checkDType(op, dtype),
  };
}

function readDims(op: string, dim: Dims | undefined): number[] | undefined {
  if (dim === undefined) return undefined;
  if (typeof dim === 'number') return [integer(op, "'dim'", dim)];
  if (!Array.isArray(dim)) throw expected(op, "'dim'", 'to be a dimension or an array of them', show(dim));
  return Array.from(dim as readonly number[], (d, i) => integer(op, `'dim[${i}]'`, d));
}

/** The sum of all elements, or along `dim` */
export function sum(input: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  const { keepdim, dtype } = readReduce('sum', options);
  const dims = readDims('sum', dim);
  return dims === undefined && !keepdim ? aten.sum(input, dtype) : aten.sum_dim_IntList(input, dims, keepdim, dtype);
}

/** The mean of all elements, or along `dim`; floating dtypes only */
export function mean(input: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  const { keepdim, dtype } = readReduce('mean', options);
  const dims = readDims('mean', dim);
  return dims === undefined && !keepdim ? aten.mean(input, dtype) : aten.mean_dim(input, dims, keepdim, dtype);
}

/** The product of all elements */
export function prod(input: Tensor): Tensor {
  return aten.prod(input);
}

/** The standard deviation of all elements, or along `dim` */
export function std(input: Tensor, dim?: Dims, options?: CorrectionOptions): Tensor {
  const { keepdim, correction } = withDefaults<CorrectionOptions>('std', options, correctionDefaults);
  const by = number('std', "option 'correction'", correction);
  return aten.std_correction(input, readDims('std', dim), by, boolean('std', "option 'keepdim'", keepdim));
}

/** The variance of all elements, or along `dim`: `torch.var`, which is a reserved word here */
export function variance(input: Tensor, dim?: Dims, options?: CorrectionOptions): Tensor {
  const { keepdim, correction } = withDefaults<CorrectionOptions>('variance', options, correctionDefaults);
  const by = number('variance', "option 'correction'", correction);
  return aten.var_correction(input, readDims('variance', dim), by, boolean('variance', "option 'keepdim'", keepdim));
}

/** The greatest element of all */
export function max(input: Tensor): Tensor;
/** The greatest elements along `dim`, and where the first of each is */
export function max(input: Tensor, dim: number, options?: KeepDimOptions): ValuesAndIndices;
export function max(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor | ValuesAndIndices {
  const keepdim = readKeepDim('max', options);
  if (dim === undefined) return aten.max(withoutKeepDim('max', input, keepdim));
  return pair(aten.max_dim(input, integer('max', "'dim'", dim), keepdim));
}

/** The least element of all */
export function min(input: Tensor): Tensor;
/** The least elements along `dim`, and where the first of each is */
export function min(input: Tensor, dim: number, options?: KeepDimOptions): ValuesAndIndices;
export function min(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor | ValuesAndIndices {
  const keepdim = readKeepDim('min', options);
  if (dim === undefined) return aten.min(withoutKeepDim('min', input, keepdim));
  return pair(aten.min_dim(input, integer('min', "'dim'", dim), keepdim));
}

function pair([values, indices]: Tensor[]): ValuesAndIndices {
  return { values: values as Tensor, indices: indices as Tensor };
}

/** The greatest elements along `dim`; ties share the gradient */
export function amax(input: Tensor, dim: Dims, options?: KeepDimOptions): Tensor {
  return aten.amax(input, readDims('amax', dim), readKeepDim('amax', options));
}

/** The least elements along `dim`; ties share the gradient */
export function amin(input: Tensor, dim: Dims, options?: KeepDimOptions): Tensor {
  return aten.amin(input, readDims('amin', dim), readKeepDim('amin', options));
}

/** Where the greatest element is: in the flattened tensor, or along `dim` */
export function argmax(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor {
  const at = dim === undefined ? undefined : integer('argmax', "'dim'", dim);
  return aten.argmax(input, at, readKeepDim('argmax', options));
}

/** Where the least element is: in the flattened tensor, or along `dim` */
export function argmin(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor {
  const at = dim === undefined ? undefined : integer('argmin', "'dim'", dim);
  return aten.argmin(input, at, readKeepDim('argmin', options));
}

/** `ln sum e^x` along `dim`, stable for large inputs */
export function logsumexp(input: Tensor, dim: Dims, options?: KeepDimOptions): Tensor {
  return aten.logsumexp(input, readDims('logsumexp', dim) ?? [], readKeepDim('logsumexp', options));
}

/** The running sum along `dim` */
export function cumsum(input: Tensor, dim: number): Tensor {
  return aten.cumsum(input, integer('cumsum', "'dim'", dim));
}

/** Whether all elements are true (not 0): of the whole tensor, or along `dim` */
export function all(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor {
  const keepdim = readKeepDim('all', options);
  if (dim === undefined) return aten.all(withoutKeepDim('all', input, keepdim));
  return aten.all_dim(input, integer('all', "'dim'", dim), keepdim);
}

/** Whether any element is true (not 0): of the whole tensor, or along `dim` */
export function any(input: Tensor, dim?: number, options?: KeepDimOptions): Tensor {
  const keepdim = readKeepDim('any', options);
  if (dim === undefined) return aten.any(withoutKeepDim('any', input, keepdim));
  return aten.any_dim(input, integer('any', "'dim'", dim), keepdim);
}

/** The k greatest elements along the last dimension, in order, and where they are */
export function topk(input: Tensor, k: number): ValuesAndIndices {
  return pair(aten.topk(input, integer('topk', "'k'", k)));
}

/** The indices that sort the elements along `dim` (the last by default), ascending */
export function argsort(input: Tensor, dim = -1): Tensor {
  return aten.argsort(input, integer('argsort', "'dim'", dim));
}
