/** The constants of `torch`: dtypes and layouts are their names, so that `'float32'` does wherever `torch.float32` does. */
export const float64 = 'float64';
export const float32 = 'float32';
export const float16 = 'float16';
export const bfloat16 = 'bfloat16';
export const int64 = 'int64';
export const int32 = 'int32';
export const int16 = 'int16';
export const int8 = 'int8';
export const uint8 = 'uint8';
export const complex64 = 'complex64';
export const complex128 = 'complex128';
export const bool = 'bool';

/** Second names of dtypes. */
export const double = 'float64';
export const float = 'float32';
export const half = 'float16';
export const long = 'int64';
export const int = 'int32';
export const short = 'int16';
export const cfloat = 'complex64';
export const cdouble = 'complex128';

/** How elements are laid out. */
export const strided = 'strided';
export const sparseCoo = 'sparse_coo';
export const sparseCsr = 'sparse_csr';
export const sparseCsc = 'sparse_csc';
export const sparseBsr = 'sparse_bsr';
export const sparseBsc = 'sparse_bsc';

/** In which order elements lie in memory. */
export const contiguousFormat = 'contiguous_format';
export const preserveFormat = 'preserve_format';
export const channelsLast = 'channels_last';
export const channelsLast3d = 'channels_last_3d';

/** Numbers, as in Python's `math`. */
export const inf = Number.POSITIVE_INFINITY;
export const nan = Number.NaN;
export const { PI: pi, E: e } = Math;

/** A new dimension in {@link Tensor.index}. */
export const newaxis = null;
