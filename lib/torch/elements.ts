/** Elements between JavaScript and native memory: nested arrays and typed arrays in, typed arrays and nested arrays out. */

import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { expected, show, TorchError } from '../errors';
import { type Complex, type DType, isComplex, type NestedArray, type Scalar, type TypedArray } from '../types';
import { dtypeCode, dtypeName } from './dtype';
import { decodeHalf, encodeHalf, type HalfDType } from './half';

/** Elements in row-major order with the dtype that they came as. */
export interface Elements {
  values: readonly (Scalar | Complex)[];
  shape: number[];
  /** `float32` for numbers, `int64` for bigints, `bool` for booleans, `complex64` if one is complex. */
  dtype: DType;
}

/** The dtype that a typed array's elements have; 16-bit unsigned ones need to be told (float16 or bfloat16 bits). */
const arrayDTypes: Readonly<Record<string, DType | undefined>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float16',
  BigInt64Array: 'int64',
  Int32Array: 'int32',
  Int16Array: 'int16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

const halfDTypes: readonly unknown[] = ['float16', 'bfloat16'];

/** How deep arrays may be nested; PyTorch's own bound. Arrays that hold themselves end here too. */
const maxDimensions = 128;

/** Bounds of the integer dtypes. */
const integerBounds: Readonly<Partial<Record<DType, readonly [bigint, bigint]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int8: [-128n, 127n],
  uint8: [0n, 255n],
};

/** Whether a value is a typed array (of any realm). */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(Object.prototype.toString.call(value) === '[object DataView]');
}

/**
 * The dtype of a typed array's elements: what its kind says; for `Uint16Array` what `asked` says, which must be one of
 * the 16-bit floats, whose bits it then holds.
 */
export function arrayDType(op: string, array: TypedArray, asked: DType | undefined): DType {
  const kind = Object.prototype.toString.call(array).slice(8, -1);
  if (kind === 'Uint16Array' && halfDTypes.includes(asked)) return asked as DType;
  const dtype = arrayDTypes[kind];
  if (dtype !== undefined) return dtype;
  const hint = kind === 'Uint16Array' ? " (give dtype 'float16' or 'bfloat16' if it holds their bits)" : '';
  throw expected(op, "'data'", `to be a typed array of a dtype that libtorch has`, `${show(array)}${hint}`);
}

/** A typed array as native code reads it: kinds that Node-API has no name for are seen as their bits. */
export function asReadable(array: TypedArray): TypedArray {
  if (Object.prototype.toString.call(array) !== '[object Float16Array]') return array;
  return new Uint16Array(array.buffer, array.byteOffset, array.length);
}

/**
 * Flattens nested arrays. Typed arrays count as innermost ones, and keep their dtype where there is nothing else;
 * `asked` is the dtype that the bits of a `Uint16Array` are of.
 */
export function flatten(op: string, data: unknown, asked?: DType): Elements {
  const shape: number[] = [];
  const values: (Scalar | Complex)[] = [];
  const kinds = new Set<DType | undefined>();
  const visit = (item: unknown, depth: number, path: string): void => {
    if (Array.isArray(item) || isTypedArray(item)) {
      if (depth === maxDimensions) {
        throw expected(op, "'data'", `to have at most ${maxDimensions} dimensions`, 'arrays that are nested deeper');
      }
      const { length } = item;
      // A proxy of an array may say anything.
      if (!Number.isSafeInteger(length)) throw expected(op, `'${path}'`, 'to be an array', 'one without a length');
      if (values.length === 0 && depth === shape.length) shape.push(length);
      if (depth >= shape.length || length !== shape[depth]) throw ragged(op, path, shape[depth], length);
      const kind = isTypedArray(item) ? arrayDType(op, item, asked) : undefined;
      const elements = isTypedArray(item) && kind !== undefined ? decoded(item, kind) : item;
      for (let i = 0; i < length; i++) visit(elements[i], depth + 1, `${path}[${i}]`);
      if (depth === shape.length - 1) kinds.add(kind);
      return;
    }
    if (typeof item !== 'number' && typeof item !== 'bigint' && typeof item !== 'boolean' && !isComplexNumber(item)) {
      throw expected(op, `'${path}'`, 'to be a number, bigint or boolean, or an array of them', show(item));
    }
    if (depth !== shape.length) throw ragged(op, path, shape[depth], undefined);
    values.push(item);
  };
  visit(data, 0, 'data');
  const [kind] = kinds.size === 1 ? kinds : [];
  return { values, shape, dtype: kind ?? commonDType(op, values) };
}

/** A typed array's elements as numbers, also where it holds the bits of 16-bit floats. */
function decoded(array: TypedArray, dtype: DType): ArrayLike<Scalar> {
  const bits = Object.prototype.toString.call(array) === '[object Uint16Array]';
  return bits ? decodeHalf(array as Uint16Array, dtype as HalfDType) : array;
}

function ragged(op: string, path: string, length: number | undefined, actual: number | undefined): Error {
  const shown = actual === undefined ? 'a single element' : `an array of length ${actual}`;
  const what = length === undefined ? 'to be a single element' : `to be an array of length ${length}`;
  return expected(op, `'${path}'`, `${what}, as its siblings are`, shown);
}

/** Whether a value is a complex number, `{ re, im }`. */
export function isComplexNumber(value: unknown): value is Complex {
  if (typeof value !== 'object' || value === null) return false;
  try {
    const { re, im } = value as { re?: unknown; im?: unknown };
    return typeof re === 'number' && typeof im === 'number';
  } catch {
    // A proxy may refuse every question.
    return false;
  }
}

function commonDType(op: string, values: readonly (Scalar | Complex)[]): DType {
  // Real numbers among complex ones are complex ones, too.
  if (values.some((value) => typeof value === 'object') && values.every((value) => /^[no]/.test(typeof value))) {
    return 'complex64';
  }
  const kind = typeof values[0];
  const other = values.findIndex((value) => typeof value !== kind);
  if (other >= 0) {
    throw expected(op, "'data'", `to hold elements of one type`, `a ${kind} and ${show(values[other])}`);
  }
  return scalarDType(values[0] as Scalar);
}

/** `int64` for a bigint, `bool` for a boolean, else `float32`. */
export function scalarDType(value: Scalar | undefined): DType {
  return typeof value === 'bigint' ? 'int64' : typeof value === 'boolean' ? 'bool' : 'float32';
}

/** Plain values as the typed array that native memory of the dtype is copied from. */
export function pack(op: string, values: readonly (Scalar | Complex)[], dtype: DType): TypedArray {
  if (isComplex(dtype)) {
    const parts = values.flatMap((value) => (typeof value === 'object' ? [value.re, value.im] : [Number(value), 0]));
    return dtype === 'complex64' ? Float32Array.from(parts) : Float64Array.from(parts);
  }
  return packReal(
    op,
    values.map((value, i) => realOf(op, value, i, dtype)),
    dtype,
  );
}

function realOf(op: string, value: Scalar | Complex, i: number, dtype: DType): Scalar {
  if (typeof value !== 'object') return value;
  throw expected(op, `element ${i} of 'data'`, `to be a real number, as ${dtype} holds`, show(value));
}

function packReal(op: string, values: readonly Scalar[], dtype: DType): TypedArray {
  switch (dtype) {
    case 'float64':
      return Float64Array.from(values, Number);
    case 'float32':
      return Float32Array.from(values, Number);
    case 'float16':
    case 'bfloat16':
      return encodeHalf(values.map(Number), dtype);
    case 'bool':
      // NaN is not zero, and so it is true, as in PyTorch.
      return Uint8Array.from(values, (value) => (value === 0 || value === 0n || value === false ? 0 : 1));
    default:
      return packIntegers(op, values, dtype);
  }
}

function packIntegers(op: string, values: readonly Scalar[], dtype: DType): TypedArray {
  const [low, high] = integerBounds[dtype] as readonly [bigint, bigint];
  const integers = values.map((value, i) => {
    const integer = typeof value === 'number' && !Number.isInteger(value) ? undefined : BigInt(value);
    if (integer !== undefined && integer >= low && integer <= high) return integer;
    throw expected(op, `element ${i} of 'data'`, `to be an integer that ${dtype} holds`, show(value));
  });
  if (dtype === 'int64') return BigInt64Array.from(integers);
  const Kind = { int32: Int32Array, int16: Int16Array, int8: Int8Array, uint8: Uint8Array }[dtype as 'int32'];
  return Kind.from(integers, Number);
}

/** The typed array of each dtype's bits: patterns for 16-bit floats, bytes for bool, real and imaginary parts in turn. */
export const bitArrays = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  complex64: Float32Array,
  complex128: Float64Array,
} as const satisfies Readonly<Record<DType, unknown>>;

/** The native memory's own form: bits for 16-bit floats, bytes for bool. */
export function copyOut(handle: Handle): { dtype: DType; array: TypedArray } {
  const dtype = dtypeName(native().dtype(handle));
  const length = native().numel(handle) * (isComplex(dtype) ? 2 : 1);
  const Kind = bitArrays[dtype];
  if (Kind === undefined) throw expected('toTypedArray', 'the dtype', 'to be one that JavaScript has', dtype);
  let array: TypedArray;
  try {
    array = new Kind(length);
  } catch (cause) {
    const message = `toTypedArray: expected an array that fits in memory, but received a tensor of ${length} elements`;
    throw new TorchError('OUT_OF_MEMORY', message, { op: 'toTypedArray', cause });
  }
  native().copyTo(handle, array);
  return { dtype, array };
}

/** The tensor itself on the CPU; of a device a copy, when that is there: the JavaScript thread waits for neither. */
export function fetched(handle: Handle): Promise<Handle> {
  return new Promise((resolve, reject) => {
    if (native().device(handle) === 'cpu') resolve(handle);
    else native().asyncCopy(handle, (copy, error) => (copy === undefined ? reject(error) : resolve(copy)));
  });
}

/** A copy of the elements in the typed array that users get. */
export function readTypedArray(handle: Handle): TypedArray {
  const { dtype, array } = copyOut(handle);
  const Float16 = (globalThis as { Float16Array?: new (buffer: ArrayBufferLike) => TypedArray }).Float16Array;
  return dtype === 'float16' && Float16 !== undefined ? new Float16(array.buffer) : array;
}

/** The elements as numbers and booleans; integers beyond 2^53 as bigint. */
export function readElements(handle: Handle): ArrayLike<Scalar> {
  const { dtype, array } = copyOut(handle);
  if (dtype === 'float16' || dtype === 'bfloat16') return decodeHalf(array as Uint16Array, dtype);
  if (dtype === 'bool') return Array.from(array as Uint8Array, (byte) => byte !== 0);
  // One object an element, which callers see as an element of a type that they did not ask for.
  if (isComplex(dtype)) return complexNumbers(array as Float64Array) as unknown as ArrayLike<Scalar>;
  if (dtype !== 'int64') return array;
  return Array.from(array as BigInt64Array, (integer) => {
    const number = Number(integer);
    return Number.isSafeInteger(number) ? number : integer;
  });
}

/** An element that native code gives: its objects may belong to another realm. */
export function asScalar(value: Scalar | Complex): Scalar | Complex {
  return typeof value === 'object' ? { ...value } : value;
}

/** Real and imaginary parts in turn as numbers. */
export function complexNumbers(parts: ArrayLike<number>): Complex[] {
  return Array.from({ length: parts.length / 2 }, (_, i) => ({
    re: parts[2 * i] as number,
    im: parts[2 * i + 1] as number,
  }));
}

/** Elements in row-major order as nested arrays; for shape `[]` the element itself. */
export function nest(values: ArrayLike<Scalar>, shape: readonly number[]): NestedArray {
  let at = 0;
  const take = (depth: number): NestedArray => {
    if (depth === shape.length) return values[at++] as Scalar;
    return Array.from({ length: shape[depth] as number }, () => take(depth + 1));
  };
  return take(0);
}

/** A native tensor with a copy of plain values. */
export function fromValues(
  op: string,
  values: readonly (Scalar | Complex)[],
  dtype: DType,
  shape: readonly number[],
): Handle {
  return native().fromBytes(pack(op, values, dtype), dtypeCode(dtype, op), shape);
}
