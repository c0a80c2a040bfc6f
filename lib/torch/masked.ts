/**
 * Reductions and normalizations that leave masked elements out: `masked.sum(x, 1, { mask })` sums the elements where
 * the mask is true.
 *
 * Masks broadcast to the input. What is left out counts as the neutral element of the operation. Tensors and masks are
 * dense: sparse ones, and Python's MaskedTensor, are not taken. **Source**: `torch.masked`.
 */

import { expected } from '../errors';
import { type Complex, type DType, isComplex, isFloating, type Scalar } from '../types';
import { tensor } from './create';
import { defineFunction } from './functions';
import { aten } from './ops';
import { shapeText } from './shape';
import type { Tensor } from './tensor';

type Integer = number | bigint;
type Dims = Integer | readonly Integer[] | null;

/** What every masked operation takes. */
export interface MaskedOptions {
  /** The dtype of the result. Default: that of the input, int64 for sums and products of smaller integers. */
  dtype?: DType | null;
  /** True where an element counts. Absent: all count. */
  mask?: Tensor | null | undefined;
}

/** What masked reductions take. */
export interface MaskedReductionOptions extends MaskedOptions {
  /** Keep the reduced dimensions with size 1. Default `false`. */
  keepdim?: boolean | null | undefined;
}

/** A reduction over some dimensions, by default over all. */
export type MaskedReduction = {
  (input: Tensor, dim?: Dims, options?: MaskedReductionOptions): Tensor;
  (input: Tensor, options: MaskedReductionOptions & { dim?: Dims | undefined }): Tensor;
};

/** A reduction over one dimension, by default over all elements. */
export type MaskedIndex = {
  (input: Tensor, dim?: Integer | null, options?: MaskedReductionOptions): Tensor;
  (input: Tensor, options: MaskedReductionOptions & { dim?: Integer | null | undefined }): Tensor;
};

/** An operation along one dimension. */
export type MaskedAlong = {
  (input: Tensor, dim: Integer, options?: MaskedOptions): Tensor;
  (input: Tensor, options: MaskedOptions & { dim: Integer }): Tensor;
};

/** The operations that differ in what leaves their result as it is. */
type Neutral = 'sum' | 'prod' | 'amax' | 'amin' | 'logsumexp' | 'norm of -inf' | 'median';

const integerBounds: Readonly<Partial<Record<DType, readonly [low: Scalar, high: Scalar]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 255],
};

/** What leaves the result as it is. */
function neutral(op: string, of: Neutral, { dtype }: Tensor): Scalar | Complex {
  const bounds = isFloating(dtype) ? ([-Infinity, Infinity] as const) : integerBounds[dtype];
  const [low, high] = bounds ?? [];
  if (of === 'sum') return 0;
  if (of === 'prod') return 1;
  if (of === 'median') return Number.NaN;
  if (of === 'logsumexp' && isComplex(dtype)) return { re: -Infinity, im: 0 };
  const found = of === 'amin' || of === 'norm of -inf' ? high : low;
  if (found !== undefined) return found;
  throw expected(op, "'input'", 'to be of a dtype with an order', dtype);
}

/** The input with what does not count replaced by what leaves the result as it is. */
function counted(op: string, of: Neutral, input: Tensor, mask: Tensor | undefined): Tensor {
  checkDense(op, 'input', input);
  if (mask === undefined) return input;
  const fill = tensor(neutral(op, of, input), { dtype: input.dtype, device: input.device });
  return aten.where.self(canonical(op, input, mask), input, fill);
}

/** The mask as booleans in the shape of the input. */
function canonical(op: string, input: Tensor, mask: Tensor): Tensor {
  checkDense(op, 'mask', mask);
  const [shape, given] = [input.shape, mask.shape];
  if (given.length > shape.length) {
    throw expected(op, "'mask'", `to have at most ${shape.length} dimensions, as 'input' has`, shapeText(given));
  }
  return aten.broadcast_to(mask, shape).to('bool');
}

function checkDense(op: string, name: string, given: Tensor): void {
  if (given.layout === 'strided') return;
  throw expected(op, `'${name}'`, 'to be strided', `${given.layout} (toDense() makes it so)`);
}

/** Each dimension once, counted from the first, in order; all of them where none is named. */
function dimsOf(op: string, dim: Dims | undefined, ndim: number): number[] {
  const given = dim === undefined || dim === null ? [] : [dim].flat().map(Number);
  if (given.length === 0) return Array.from({ length: ndim }, (_, i) => i);
  const count = Math.max(ndim, 1);
  const dims = given.map((entry) => {
    if (entry >= -count && entry < count) return (entry + count) % count;
    throw expected(op, "'dim'", `to be in [${-count}, ${count - 1}]`, String(entry));
  });
  // As PyTorch, which compares with what was read before.
  const twice = given.find((entry, i) => dims.slice(0, i).includes(entry));
  if (twice !== undefined) throw expected(op, "'dim'", 'to name each dimension once', `${twice} twice`);
  return dims.sort((a, b) => a - b);
}

const small: readonly DType[] = ['uint8', 'bool', 'int8', 'int16', 'int32'];

/** The dtype of sums and products: small integers become int64. */
const widened = (dtype: DType): DType => (small.includes(dtype) ? 'int64' : dtype);

interface Reduced {
  op: string;
  input: Tensor;
  /** As it was given. */
  dim: Dims | undefined;
  dims: number[];
  keepdim: boolean;
  dtype: DType | undefined;
  mask: Tensor | undefined;
}

/** A reduction, declared by what it computes. */
function reduction(name: string, compute: (call: Reduced) => Tensor): MaskedReduction {
  const op = `masked.${name}`;
  return defineFunction(
    op,
    '(Tensor self, int[1]? dim=None, *, bool? keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: Dims | undefined, keepdim: boolean, dtype?: DType, mask?: Tensor) =>
      compute({ op, input, dim, dims: dimsOf(op, dim, input.ndim), keepdim, dtype, mask }),
  );
}

/** The sum of the elements. **Source**: `torch.masked.sum`. */
export const sum: MaskedReduction = reduction('sum', summed);

function summed({ op, input, dims, keepdim, dtype, mask }: Reduced): Tensor {
  const type = dtype ?? widened(input.dtype);
  return aten.sum.dim_IntList(counted(op, 'sum', input, mask), dims, keepdim, { dtype: type });
}

/** The product of the elements. **Source**: `torch.masked.prod`. */
export const prod: MaskedReduction = reduction('prod', ({ op, input, dims, keepdim, dtype, mask }) =>
  dims.reduceRight<Tensor>(
    (result, dim) => aten.prod.dim_int(result, dim, keepdim),
    counted(op, 'prod', input, mask).to(dtype ?? widened(input.dtype)),
  ),
);

/** The largest element; the lowest of the dtype where none counts. **Source**: `torch.masked.amax`. */
export const amax: MaskedReduction = reduction('amax', ({ op, input, dims, keepdim, dtype, mask }) =>
  aten.amax(counted(op, 'amax', input, mask), dims, keepdim).to(dtype ?? input.dtype),
);

/** The smallest element; the highest of the dtype where none counts. **Source**: `torch.masked.amin`. */
export const amin: MaskedReduction = reduction('amin', ({ op, input, dims, keepdim, dtype, mask }) =>
  aten.amin(counted(op, 'amin', input, mask), dims, keepdim).to(dtype ?? input.dtype),
);

/** The mean of the elements; NaN where none counts. **Source**: `torch.masked.mean`. */
export const mean: MaskedReduction = reduction('mean', (call) => {
  const { op, input, mask } = call;
  const dtype = call.dtype ?? input.dtype;
  if (!isFloating(dtype) && !isComplex(dtype)) throw expected(op, "'dtype'", 'to be floating point or complex', dtype);
  return aten.div.Tensor(summed({ ...call, dtype, mask }), countOf(call));
});

/** How many elements count, as int64. */
function countOf(call: Reduced): Tensor {
  const { op, input, mask, dims, keepdim } = call;
  checkDense(op, 'input', input);
  const each = mask === undefined ? aten.ones_like(input, { dtype: 'int64' }) : canonical(op, input, mask);
  return aten.sum.dim_IntList(each, dims, keepdim);
}

/** The logarithm of the sum of the exponentials. **Source**: `torch.masked.logsumexp`. */
export const logsumexp: MaskedReduction = reduction('logsumexp', ({ op, input, dims, keepdim, dtype, mask }) =>
  aten.logsumexp(counted(op, 'logsumexp', input, mask), dims, keepdim).to(dtype ?? input.dtype),
);

function indexOf(name: string, of: 'amax' | 'amin', operator: () => typeof aten.argmax): MaskedIndex {
  const op = `masked.${name}`;
  return defineFunction(
    op,
    '(Tensor self, int? dim=None, *, bool? keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: Integer | undefined, keepdim: boolean, dtype?: DType, mask?: Tensor) =>
      operator()(counted(op, of, input, mask), dim, keepdim).to(dtype ?? input.dtype),
  );
}

/** Where the largest element is, in the dtype of the input as in PyTorch. **Source**: `torch.masked.argmax`. */
export const argmax: MaskedIndex = indexOf('argmax', 'amax', () => aten.argmax);

/** Where the smallest element is, in the dtype of the input as in PyTorch. **Source**: `torch.masked.argmin`. */
export const argmin: MaskedIndex = indexOf('argmin', 'amin', () => aten.argmin);

/**
 * The median along a dimension, by default the last; NaN where none counts, which is an error for integers.
 *
 * **Source**: `torch.masked.median`.
 */
export const median: MaskedIndex = defineFunction(
  'masked.median',
  '(Tensor self, int dim=-1, *, bool keepdim=False, ScalarType? dtype=None, Tensor? mask=None)',
  (input: Tensor, dim: Integer, keepdim: boolean, dtype?: DType, mask?: Tensor) => {
    const op = 'masked.median';
    const [along] = dimsOf(op, dim, Math.max(input.ndim, 1)) as [number];
    const isFloat = isFloating(input.dtype);
    const values = counted(op, 'median', isFloat ? input : input.to('float32'), mask);
    const [found] = aten.nanmedian.dim(values, along, keepdim);
    if (isFloat) return found;
    if (!aten.any(aten.isnan(found)).item<boolean>()) return found.to(dtype ?? input.dtype);
    throw expected(
      op,
      "'mask'",
      'to leave an element of each row where the dtype is not a floating one',
      'a row without',
    );
  },
);

/** A norm by its order. */
export type MaskedNorm = {
  (input: Tensor, ord?: Scalar | null, dim?: Dims, options?: MaskedReductionOptions): Tensor;
  (input: Tensor, ord: Scalar | null, options: MaskedReductionOptions & { dim?: Dims | undefined }): Tensor;
  (input: Tensor, options: MaskedReductionOptions & { ord?: Scalar | null; dim?: Dims | undefined }): Tensor;
};

/** The vector norm of an order, by default 2. **Source**: `torch.masked.norm`. */
export const norm: MaskedNorm = defineFunction(
  'masked.norm',
  `(Tensor self, Scalar ord=2., int[1]? dim=None, *, bool? keepdim=False, ScalarType? dtype=None, Tensor? mask=None)`,
  (input: Tensor, ord: Scalar, dim: Dims | undefined, keepdim: boolean, dtype?: DType, mask?: Tensor) =>
    normOf('masked.norm', { input, ord, dim, keepdim, dtype, mask }),
);

function normOf(op: string, call: Omit<Reduced, 'op' | 'dims'> & { ord: Scalar }): Tensor {
  const { input, ord, dim, keepdim, dtype, mask } = call;
  const values = counted(op, ord === -Infinity ? 'norm of -inf' : 'sum', input, mask);
  return aten.linalg_vector_norm(values, ord, dimsOf(op, dim, input.ndim), keepdim, { dtype: dtype ?? input.dtype });
}

/** Named arguments of {@link normalize}. */
export interface NormalizeOptions extends MaskedOptions {
  /** The least that is divided by. Default 1e-12. */
  eps?: number | null | undefined;
}

/** Divided by the norm along a dimension. **Source**: `torch.masked.normalize`. */
export const normalize: {
  (input: Tensor, ord: Scalar, dim: Integer, options?: NormalizeOptions): Tensor;
  (input: Tensor, options: NormalizeOptions & { ord: Scalar; dim: Integer }): Tensor;
} = defineFunction(
  'masked.normalize',
  '(Tensor self, Scalar ord, int dim, *, float eps=1e-12, ScalarType? dtype=None, Tensor? mask=None)',
  (input: Tensor, ord: Scalar, dim: Integer, eps: number, dtype?: DType, mask?: Tensor) => {
    const op = 'masked.normalize';
    const norms = normOf(op, { input, ord, dim, keepdim: true, dtype, mask });
    const least = aten.new_full(norms, [], eps);
    return aten.div.Tensor(counted(op, 'sum', input, mask), aten.maximum(norms, least));
  },
);

/** What {@link std} and {@link var} take by name. */
export interface VarianceOptions extends MaskedReductionOptions {
  /** What is taken off the count. Default 1. */
  correction?: number | null | undefined;
}

/** A standard deviation or variance. */
export type MaskedVariance = {
  (input: Tensor, dim?: Dims, unbiased?: boolean | null, options?: VarianceOptions): Tensor;
  (input: Tensor, dim: Dims, options: VarianceOptions & { unbiased?: boolean | null | undefined }): Tensor;
  (input: Tensor, options: VarianceOptions & { dim?: Dims | undefined; unbiased?: boolean | null | undefined }): Tensor;
};

function variance(name: string, finish: (variance: Tensor) => Tensor): MaskedVariance {
  const op = `masked.${name}`;
  return defineFunction(
    op,
    `(Tensor self, int[1]? dim=None, bool? unbiased=None, *, float? correction=None, bool? keepdim=False,
      ScalarType? dtype=None, Tensor? mask=None)`,
    (
      input: Tensor,
      dim: Dims | undefined,
      unbiased: boolean | undefined,
      correction: number | undefined,
      keepdim: boolean,
      dtype?: DType,
      mask?: Tensor,
    ) => {
      if (unbiased !== undefined && correction !== undefined) {
        throw expected(op, "'correction'", "to be absent where 'unbiased' is given", String(correction));
      }
      const call = { op, input, dim, dims: dimsOf(op, dim, input.ndim), keepdim, dtype, mask };
      return finish(varianceOf(call, correction ?? (unbiased === false ? 0 : 1)));
    },
  );
}

/** In PyTorch's steps, whose bits they are. */
function varianceOf(call: Reduced, correction: number): Tensor {
  const { input, keepdim } = call;
  const own = isFloating(input.dtype) || isComplex(input.dtype) ? input.dtype : 'float32';
  const dtype = call.dtype ?? own;
  const computed = isFloating(dtype) || isComplex(dtype) ? dtype : 'float32';
  const kept = { ...call, keepdim: true };
  let count = countOf(kept);
  const center = aten.div.Tensor(summed({ ...kept, dtype }), count);
  const apart = aten.sub.Tensor(input, center);
  const total = summed({ ...call, input: aten.mul.Tensor(apart, aten.conj(apart)), dtype: computed });
  if (!keepdim) count = count.reshape(total.shape);
  if (correction !== 0) {
    const real = computed === 'complex64' ? 'float32' : computed === 'complex128' ? 'float64' : computed;
    count = aten.sub.Scalar(count.to(real), correction);
    count = aten.maximum(count, aten.new_zeros(count, []));
  }
  return aten.div.Tensor(total, count).to(dtype);
}

/** The standard deviation; NaN where none counts. **Source**: `torch.masked.std`. */
export const std: MaskedVariance = variance('std', (found) => aten.sqrt(found));

const masked_var: MaskedVariance = variance('var', (found) => found);

/** The variance; NaN where none counts. **Source**: `torch.masked.var`. */
export { masked_var as var };

function along(name: string, of: Neutral, compute: (input: Tensor, dim: number, dtype: DType) => Tensor): MaskedAlong {
  const op = `masked.${name}`;
  return defineFunction(
    op,
    '(Tensor self, int dim, *, ScalarType? dtype=None, Tensor? mask=None)',
    (input: Tensor, dim: Integer, dtype?: DType, mask?: Tensor) => {
      const [only] = dimsOf(op, dim, Math.max(input.ndim, 1)) as [number];
      return compute(counted(op, of, input, mask), only, dtype ?? input.dtype);
    },
  );
}

/** The softmax of the elements that count; 0 elsewhere. **Source**: `torch.masked.softmax`. */
export const softmax: MaskedAlong = along('softmax', 'amax', (input, dim, dtype) =>
  aten.softmax.int(input, dim, dtype),
);

/** The logarithm of {@link softmax}. **Source**: `torch.masked.log_softmax`. */
export const logSoftmax: MaskedAlong = along('logSoftmax', 'amax', (input, dim, dtype) =>
  aten.log_softmax.int(input, dim, dtype),
);

/** The softmax of the negatives. **Source**: `torch.masked.softmin`. */
export const softmin: MaskedAlong = along('softmin', 'amin', (input, dim, dtype) =>
  aten.softmax.int(aten.neg(input), dim, dtype),
);

/** The sum of the elements up to each. **Source**: `torch.masked.cumsum`. */
export const cumsum: MaskedAlong = along('cumsum', 'sum', (input, dim, dtype) =>
  aten.cumsum(input, dim, { dtype }).to(dtype),
);

/** The product of the elements up to each. **Source**: `torch.masked.cumprod`. */
export const cumprod: MaskedAlong = along('cumprod', 'prod', (input, dim, dtype) =>
  aten.cumprod(input, dim, { dtype }).to(dtype),
);

/** Named arguments of {@link logaddexp}. */
export interface LogAddExpOptions {
  /** The dtype of the result. Default: that of the input. */
  dtype?: DType | null;
  /** True where an element of the input counts. Absent: all count. */
  inputMask?: Tensor | null | undefined;
  /** True where an element of the other counts. Absent: all count. */
  otherMask?: Tensor | null | undefined;
}

/** The logarithm of the sum of two exponentials, each by its mask. **Source**: `torch.masked.logaddexp`. */
export const logaddexp: (input: Tensor, other: Tensor, options?: LogAddExpOptions) => Tensor = defineFunction(
  'masked.logaddexp',
  '(Tensor self, Tensor other, *, ScalarType? dtype=None, Tensor? input_mask=None, Tensor? other_mask=None)',
  (input: Tensor, other: Tensor, dtype?: DType, inputMask?: Tensor, otherMask?: Tensor) => {
    const op = 'masked.logaddexp';
    const values = [counted(op, 'amax', input, inputMask), counted(op, 'amax', other, otherMask)] as const;
    return aten.logaddexp(...values).to(dtype ?? input.dtype);
  },
);
