/** PyTorch's classes of storages, by the dtypes of this package. **Source**: `torch.storage`. */
import type { DType } from '../../types';

/** The class of the storage of each dtype, without its module `torch`. */
export const storageTypes: Readonly<Record<DType, string>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
  complex64: 'ComplexFloatStorage',
  complex128: 'ComplexDoubleStorage',
};

/** Of bytes whose dtype the tensors say. */
export const untypedStorage = 'torch.storage.UntypedStorage';

/** The dtypes of storages, by the full names of their classes. */
export const storageDTypes: ReadonlyMap<string, DType> = new Map(
  Object.entries(storageTypes).map(([dtype, name]) => [`torch.${name}`, dtype as DType]),
);
