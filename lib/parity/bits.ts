/**
 * Comparison of tensors to the bit: dtype, shape and every element. NaN equals only NaN, whatever its payload; zeros of
 * different sign differ. A failure names the index, both values and their distance in units in the last place (ulp).
 */

import { type Tolerance, tolerances } from '../tolerances';
import { position } from '../torch/shape';
import { type DType, itemsizes } from '../types';

export { type Tolerance, tolerances };

/** A tensor's elements in row-major order, as the little-endian bytes that hold them. */
export interface Bits {
  dtype: DType;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** The default name of the expected side of a comparison. */
const pytorch = 'PyTorch gives';

/** Bits of the fraction of each floating type; one sign bit and the exponent fill the rest. */
const fractionBits: Partial<Record<DType, number>> = { float64: 52, float32: 23, float16: 10, bfloat16: 7 };

const shownDifferences = 4;

/** Anything with a dtype, a shape and its elements as a typed array. */
export interface TensorLike {
  readonly dtype: DType;
  readonly shape: readonly number[];
  toTypedArray(): ArrayBufferView;
}

/** The bits of a tensor. */
export function bitsOf(tensor: TensorLike): Bits {
  const array = tensor.toTypedArray();
  return {
    dtype: tensor.dtype,
    shape: [...tensor.shape],
    bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

/**
 * A description of the difference; `undefined` if there is none.
 *
 * @param label what is compared, such as `value` or `gradient of input`
 * @param tolerance where to be content with less than equal bits
 * @param expectedBy what to say of the expected side
 */
export function difference(
  label: string,
  actual: Bits,
  expected: Bits,
  tolerance?: Tolerance,
  expectedBy = pytorch,
): string | undefined {
  const [head, wanted] = [describe(actual), describe(expected)];
  if (head !== wanted) return `${label} is ${head}, but ${expectedBy} ${wanted}`;
  const width = itemsizes[expected.dtype];
  const count = expected.shape.reduce((product, size) => product * size, 1);
  for (const { bytes } of [actual, expected]) {
    if (bytes.length !== count * width) return `${label} has ${bytes.length} bytes, expected ${count * width}`;
  }
  const wrong: number[] = [];
  for (let i = 0; i < count; i++) {
    if (!sameElement(actual, expected, i, tolerance)) wrong.push(i);
  }
  if (wrong.length === 0) return undefined;
  const lines = wrong.slice(0, shownDifferences).map((i) => `  ${explain(label, actual, expected, i, expectedBy)}`);
  const rest = wrong.length > shownDifferences ? [`  and ${wrong.length - shownDifferences} more`] : [];
  return [`${label}: ${wrong.length} of ${count} elements differ`, ...lines, ...rest].join('\n');
}

/** Throws an error that describes the difference. */
export function expectBits(label: string, actual: Bits, expected: Bits, tolerance?: Tolerance): void {
  const message = difference(label, actual, expected, tolerance);
  if (message !== undefined) throw new Error(message);
}

/**
 * How far the farthest two elements are apart, in units in the last place. `equal` if all bits are, and NaN meets NaN;
 * `incomparable` if dtype or shape differ, or one side alone is NaN. Zeros of different sign are 0 apart, but not
 * equal.
 */
export function farthest(actual: Bits, expected: Bits): bigint | 'equal' | 'incomparable' {
  if (describe(actual) !== describe(expected) || actual.bytes.length !== expected.bytes.length) return 'incomparable';
  let [worst, equal] = [0n, true];
  const count = expected.bytes.length / itemsizes[expected.dtype];
  for (let i = 0; i < count; i++) {
    if (sameElement(actual, expected, i, undefined)) continue;
    equal = false;
    const [a, e] = [rawBits(actual, i), rawBits(expected, i)];
    if ([a, e].some((raw) => Number.isNaN(numberOf(expected.dtype, raw)))) return 'incomparable';
    const apart = distance(expected.dtype, a, e);
    if (apart > worst) worst = apart;
  }
  return equal ? 'equal' : worst;
}

/** Distance of two elements in units in the last place; for integers their difference. */
export function distance(dtype: DType, a: bigint, b: bigint): bigint {
  const [x, y] = [ordered(dtype, a), ordered(dtype, b)];
  return x > y ? x - y : y - x;
}

/** The raw bits of one element as an unsigned number. */
export function rawBits(bits: Bits, index: number): bigint {
  const width = itemsizes[bits.dtype];
  let raw = 0n;
  for (let byte = width - 1; byte >= 0; byte--) raw = (raw << 8n) | BigInt(bits.bytes[index * width + byte] as number);
  return raw;
}

/** The number that raw bits stand for. */
export function numberOf(dtype: DType, raw: bigint): number | bigint {
  const fraction = fractionBits[dtype];
  if (fraction === undefined)
    return dtype === 'uint8' || dtype === 'bool' ? raw : BigInt.asIntN(itemsizes[dtype] * 8, raw);
  const exponentBits = itemsizes[dtype] * 8 - 1 - fraction;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = Number((raw >> BigInt(fraction)) & BigInt(2 ** exponentBits - 1));
  const part = Number(raw & ((1n << BigInt(fraction)) - 1n)) / 2 ** fraction;
  const sign = raw >> BigInt(itemsizes[dtype] * 8 - 1) === 1n ? -1 : 1;
  if (exponent === 2 ** exponentBits - 1) return part === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * part * 2 ** (1 - bias) : sign * (1 + part) * 2 ** (exponent - bias);
}

function sameElement(actual: Bits, expected: Bits, index: number, tolerance: Tolerance | undefined): boolean {
  const width = itemsizes[expected.dtype];
  let equal = true;
  for (let byte = index * width; byte < (index + 1) * width; byte++) {
    equal &&= actual.bytes[byte] === expected.bytes[byte];
  }
  if (equal || fractionBits[expected.dtype] === undefined) return equal;
  const a = numberOf(actual.dtype, rawBits(actual, index)) as number;
  const e = numberOf(expected.dtype, rawBits(expected, index)) as number;
  if (Number.isNaN(a) || Number.isNaN(e)) return Number.isNaN(a) && Number.isNaN(e);
  if (tolerance === undefined) return false;
  const finite = Number.isFinite(a) && Number.isFinite(e);
  return a === e || (finite && Math.abs(a - e) <= tolerance.absolute + tolerance.relative * Math.abs(e));
}

function explain(label: string, actual: Bits, expected: Bits, index: number, expectedBy: string): string {
  const { dtype } = expected;
  const [a, e] = [rawBits(actual, index), rawBits(expected, index)];
  const [x, y] = [numberOf(dtype, a), numberOf(dtype, e)];
  const comparable = !Number.isNaN(x) && !Number.isNaN(y);
  const unit = fractionBits[dtype] === undefined ? 'apart' : 'ulp apart';
  const apart = comparable ? `, ${distance(dtype, a, e)} ${unit}` : '';
  const place = `${label}[${position(expected.shape, index).join(', ')}]`;
  return `${place} is ${print(x)} (${hex(dtype, a)}), but ${expectedBy} ${print(y)} (${hex(dtype, e)})${apart}`;
}

/** Maps raw bits to integers in the order of the numbers; neighbours are one apart, and both zeros are 0. */
function ordered(dtype: DType, raw: bigint): bigint {
  if (fractionBits[dtype] === undefined) return numberOf(dtype, raw) as bigint;
  const magnitude = BigInt.asUintN(itemsizes[dtype] * 8 - 1, raw);
  return magnitude === raw ? raw : -magnitude;
}

function describe(bits: Bits): string {
  return `${bits.dtype} [${bits.shape.join(', ')}]`;
}

function print(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function hex(dtype: DType, raw: bigint): string {
  return `0x${raw.toString(16).padStart(itemsizes[dtype] * 2, '0')}`;
}
