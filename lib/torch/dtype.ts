/** libtorch's integer codes of element types (`c10::ScalarType`), and what this package calls them. */
import { oneOf } from '../options';
import { type DType, dtypes } from '../types';

const codes: Readonly<Record<DType, number>> = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  complex64: 9,
  complex128: 10,
  bfloat16: 15,
};

/** Of a map, so that what is not a dtype is not asked for its name. */
const codeOf = new Map<unknown, number>(Object.entries(codes));
const names = new Map(dtypes.map((dtype) => [codes[dtype], dtype]));

/**
 * `'float32'` -> libtorch's code of it.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a name that is not a dtype.
 */
export function dtypeCode(dtype: DType, op: string): number {
  return codeOf.get(dtype) ?? codes[checkDType(op, dtype)];
}

/** The code of a dtype; `undefined` for anything else. */
export function dtypeOf(value: unknown): number | undefined {
  return codeOf.get(value);
}

/** libtorch's code -> `'float32'`; one that this package has no name for keeps its number. */
export function dtypeName(code: number): DType {
  return names.get(code) ?? (`ScalarType(${code})` as DType);
}

/** The dtype, if it is one. */
export function checkDType(op: string, value: unknown): DType {
  return oneOf(op, "option 'dtype'", value, dtypes);
}
