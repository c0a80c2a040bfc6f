/**
 * The constants of `torch`: dtypes and layouts are their names, so that `'float32'` does wherever `torch.float32` does.
 */

/** 64-bit floats. */
export const float64 = 'float64';
/** 32-bit floats. */
export const float32 = 'float32';
/** 16-bit floats of 11 significant bits. */
export const float16 = 'float16';
/** 16-bit floats of 8 significant bits. */
export const bfloat16 = 'bfloat16';
/** 64-bit integers. */
export const int64 = 'int64';
/** 32-bit integers. */
export const int32 = 'int32';
/** 16-bit integers. */
export const int16 = 'int16';
/** 8-bit integers. */
export const int8 = 'int8';
/** 8-bit integers without a sign. */
export const uint8 = 'uint8';
/** Complex numbers of two float32. */
export const complex64 = 'complex64';
/** Complex numbers of two float64. */
export const complex128 = 'complex128';
/** Booleans, a byte each. */
export const bool = 'bool';

/** {@link float64}. */
export const double = 'float64';
/** {@link float32}. */
export const float = 'float32';
/** {@link float16}. */
export const half = 'float16';
/** {@link int64}. */
export const long = 'int64';
/** {@link int32}. */
export const int = 'int32';
/** {@link int16}. */
export const short = 'int16';
/** {@link complex64}. */
export const cfloat = 'complex64';
/** {@link complex128}. */
export const cdouble = 'complex128';

/** Elements in memory at strides: the usual tensors. */
export const strided = 'strided';
/** Sparse, by coordinates. */
export const sparseCoo = 'sparse_coo';
/** Sparse, by compressed rows. */
export const sparseCsr = 'sparse_csr';
/** Sparse, by compressed columns. */
export const sparseCsc = 'sparse_csc';
/** Sparse, by blocks in compressed rows. */
export const sparseBsr = 'sparse_bsr';
/** Sparse, by blocks in compressed columns. */
export const sparseBsc = 'sparse_bsc';
/** Row-major order. */
export const contiguousFormat = 'contiguous_format';
/** The order of the input. */
export const preserveFormat = 'preserve_format';
/** Images `[N, C, H, W]` with the channels of a pixel side by side. */
export const channelsLast = 'channels_last';
/** Volumes `[N, C, D, H, W]` with the channels of a voxel side by side. */
export const channelsLast3d = 'channels_last_3d';

/** The dtype of floats where none is asked for. **Source**: `torch.get_default_dtype`. */
export function getDefaultDtype(): 'float32' {
  return float32;
}

/** Infinity. */
export const inf = Number.POSITIVE_INFINITY;
/** Not a number. */
export const nan = Number.NaN;
/** The circumference of a circle by its diameter. */
export const pi = Math.PI;
/** The base of the natural logarithm. */
export const e = Math.E;

/** A new dimension in {@link Tensor.index}. */
export const newaxis = null;
