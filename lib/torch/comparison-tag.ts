/**
 * How test runners distinguish objects of this library.
 *
 * `assert.deepStrictEqual`, jest, vitest and chai see own properties only, and native tensors have none: any two would
 * be equal. All of them compare what `Object.prototype.toString` says first, which asks the `Symbol.toStringTag` of the
 * prototype. A getter there costs nothing until objects are compared.
 */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { type DType, isComplex, type Scalar, type TypedArray } from '../types';
import { complexNumbers, copyOut } from './elements';
import { decodeHalf } from './half';
import { formatTensor } from './print';

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

/** A tag that only this object has. */
export function identityTag(object: object, name: string): string {
  let identity = identities.get(object);
  if (identity === undefined) {
    lastIdentity += 1;
    identity = lastIdentity;
    identities.set(object, identity);
  }
  return `${name} #${identity}`;
}

/**
 * A tag that tensors of the same dtype, shape, device and elements share. Elements are compared as by `Object.is`: NaN
 * equals NaN, and -0 differs from 0. A tensor whose elements cannot be read (disposed, of the meta device, in a trace)
 * equals itself only.
 */
export function contentTag(object: object, handle: Handle): string {
  try {
    const { dtype, array } = copyOut(handle);
    const shape = Array.from(native().shape(handle));
    const device = native().device(handle);
    // Loaded here, because programs that compare nothing should not wait for it.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const hash = createHash('sha256').update(`${dtype} [${shape.join()}] ${device} `);
    hash.update(asBytes(canonical(array, dtype)));
    const text = formatTensor({ dtype, shape, data: printable(array, dtype), device });
    return `${text} sha256:${hash.digest('hex').slice(0, 32)}`;
  } catch {
    return identityTag(object, 'tensor without elements');
  }
}

/** The elements with one pattern for every NaN, and one for `true`. Changes the array. */
function canonical(array: TypedArray, dtype: DType): TypedArray {
  if (dtype === 'float32' || dtype === 'float64' || isComplex(dtype)) return replaced(array, Number.isNaN, NaN);
  if (dtype === 'float16') return replaced(array, (bits) => (bits & 0x7fff) > 0x7c00, 0x7e00);
  if (dtype === 'bfloat16') return replaced(array, (bits) => (bits & 0x7fff) > 0x7f80, 0x7fc0);
  if (dtype === 'bool') return replaced(array, (byte) => byte !== 0, 1);
  return array;
}

function replaced(array: TypedArray, matches: (value: number) => boolean, by: number): TypedArray {
  const values = array as Float64Array;
  for (let i = 0; i < values.length; i++) if (matches(values[i] as number)) values[i] = by;
  return array;
}

function asBytes({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function printable(array: TypedArray, dtype: DType): ArrayLike<Scalar> {
  // One object an element, as the printed form takes them.
  if (isComplex(dtype)) return complexNumbers(array as Float64Array) as unknown as ArrayLike<Scalar>;
  return dtype === 'float16' || dtype === 'bfloat16' ? decodeHalf(array as Uint16Array, dtype) : array;
}

/** Whether jest or vitest ask, in their comparison of things that can be walked through. */
export function isComparing(): boolean {
  const { stackTraceLimit } = Error;
  // The runner is a few calls above, however short a stack the program wants.
  Error.stackTraceLimit = 10;
  try {
    return /^\s+at (?:Object\.)?iterableEquality\b/m.test(String(new Error().stack));
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
