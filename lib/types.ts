/**
 * Names that every layer shares: element types, typed arrays, reductions. Lists first, unions derived from them.
 */

/** Element types of tensors, by PyTorch's names. */
export const dtypes = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'int16',
  'int8',
  'uint8',
  'bool',
  'complex64',
  'complex128',
] as const;

/** Element type of a tensor, by PyTorch's name (`torch.float32` is `'float32'`). */
export type DType = (typeof dtypes)[number];

/** Bytes of one element (`torch.float32.itemsize` is 4). */
export const itemsizes: Readonly<Record<DType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
  complex64: 8,
  complex128: 16,
};

/** The element types that carry gradients. */
export const floatingDTypes = ['float64', 'float32', 'float16', 'bfloat16'] as const satisfies readonly DType[];

/** An element type that carries gradients. */
export type FloatingDType = (typeof floatingDTypes)[number];

/** Whether elements of the dtype can carry gradients. */
export function isFloating(dtype: DType): dtype is FloatingDType {
  return (floatingDTypes as readonly DType[]).includes(dtype);
}

/** Whether elements of the dtype are complex numbers. */
export function isComplex(dtype: DType): dtype is 'complex64' | 'complex128' {
  return dtype === 'complex64' || dtype === 'complex128';
}

/** How elements are laid out, by PyTorch's names, in the order of libtorch's codes. */
export const layouts = [
  'strided',
  'sparse_coo',
  'sparse_csr',
  'mkldnn',
  'sparse_csc',
  'sparse_bsr',
  'sparse_bsc',
  'jagged',
] as const;

/** How elements are laid out: `torch.strided` is `'strided'`. */
export type Layout = (typeof layouts)[number];

/** In which order elements lie in memory, by PyTorch's names, in the order of libtorch's codes. */
export const memoryFormats = ['contiguous_format', 'preserve_format', 'channels_last', 'channels_last_3d'] as const;

/** In which order elements lie in memory: `torch.channelsLast` is `'channels_last'`. */
export type MemoryFormat = (typeof memoryFormats)[number];

/** How a loss over many elements becomes one number: `'none'` leaves it per element. */
export const reductions = ['none', 'mean', 'sum'] as const;

/** `'none'`, `'mean'` or `'sum'`, as PyTorch's losses take it. */
export type Reduction = (typeof reductions)[number];

/** A typed array that a tensor can be made of. */
export type TypedArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint16Array
  | Uint8Array
  | Uint8ClampedArray;

/** A number as JavaScript writes it: integers beyond 2^53 need a `bigint`. */
export type Scalar = number | bigint | boolean;

/** A complex number: `1 + 2j` of Python is `{ re: 1, im: 2 }`. */
export interface Complex {
  /** The real part. */
  readonly re: number;
  /** The imaginary part. */
  readonly im: number;
}

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedArray<T extends Scalar | Complex = Scalar> = T | readonly NestedArray<T>[];

/** Where a tensor lives: `'cpu'`, `'cuda'` (the current device), `'cuda:1'`, `'mps'`, … */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'mps' | (string & {});
