/** The comparison that the golden tests rest on: it must see a single bit, and say where. */

import { type Bits, difference, distance, numberOf, rawBits, tolerances } from '../../lib/parity/bits';
import type { DType } from '../../lib/types';

function bits(dtype: DType, array: ArrayBufferView, shape: number[]): Bits {
  return { dtype, shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

function doubles(...values: number[]): Bits {
  return bits('float64', Float64Array.of(...values), [values.length]);
}

const next = 1 + Number.EPSILON;

test('equal bits do not differ', () => {
  expect(difference('value', doubles(1, -0, Infinity), doubles(1, -0, Infinity))).toBeUndefined();
  expect(
    difference('value', bits('int64', new BigInt64Array(0), [0, 3]), bits('int64', new Uint8Array(0), [0, 3])),
  ).toBe(undefined);
});

test('one unit in the last place is seen, with index, values and distance', () => {
  const shape = [1, 2];
  const actual = { ...doubles(5, next), shape };
  const text = difference('value', actual, { ...doubles(5, 1), shape });
  expect(text).toContain('1 of 2 elements differ');
  expect(text).toContain('value[0, 1] is 1.0000000000000002 (0x3ff0000000000001)');
  expect(text).toContain('PyTorch gives 1 (0x3ff0000000000000), 1 ulp apart');
});

test('NaN equals NaN of any payload and nothing else', () => {
  const quiet = bits('float32', Uint32Array.of(0x7fc00000), [1]);
  const payload = bits('float32', Uint32Array.of(0xffc00123), [1]);
  const infinite = bits('float32', Uint32Array.of(0x7f800000), [1]);
  expect(difference('value', quiet, payload)).toBeUndefined();
  expect(difference('value', quiet, infinite)).toContain('is NaN (0x7fc00000), but PyTorch gives Infinity');
  expect(difference('value', infinite, quiet)).not.toContain('apart');
});

test('zeros of different sign differ by bits, though not as numbers', () => {
  expect(difference('value', doubles(-0), doubles(0))).toContain('is -0 (0x8000000000000000)');
  expect(difference('value', doubles(-0), doubles(0), tolerances.float64)).toBeUndefined();
});

test('dtype, shape and missing bytes are named', () => {
  expect(difference('value', doubles(1), bits('float32', new Float32Array(1), [1]))).toBe(
    'value is float64 [1], but PyTorch gives float32 [1]',
  );
  expect(difference('value', { ...doubles(1), shape: [] }, doubles(1))).toContain('value is float64 []');
  expect(difference('value', { ...doubles(1), shape: [2] }, { ...doubles(1, 2), shape: [2] })).toContain('has 8 bytes');
});

test('at most four elements are printed', () => {
  const text = difference('value', doubles(1, 2, 3, 4, 5, 6), doubles(9, 9, 9, 9, 9, 9)) ?? '';
  expect(text.split('\n')).toHaveLength(6);
  expect(text).toContain('and 2 more');
});

test.each([
  ['float64', 0x8000000000000001n, 0x0000000000000002n, 3n],
  ['float32', 0x3f800000n, 0x3f800004n, 4n],
  ['float16', 0xbc00n, 0xbc01n, 1n],
  ['bfloat16', 0x8000n, 0x0000n, 0n],
  ['int32', 0xffffffffn, 0x00000001n, 2n],
  ['uint8', 0xffn, 0x01n, 254n],
] as [DType, bigint, bigint, bigint][])('distance in %s', (dtype, a, b, apart) => {
  expect(distance(dtype, a, b)).toBe(apart);
  expect(distance(dtype, b, a)).toBe(apart);
});

test('numbers are read as JavaScript reads them', () => {
  const values = Float64Array.of(0.1, -2.5e-320, 1.7e308, -0, 3);
  const single = Float32Array.from(values.map(Math.fround));
  for (const [dtype, array] of [
    ['float64', values],
    ['float32', single],
  ] as const) {
    array.forEach((value, i) => {
      expect(numberOf(dtype, rawBits(bits(dtype, array, [5]), i))).toBe(value);
    });
  }
  expect(numberOf('float16', 0x3c01n)).toBe(1 + 2 ** -10);
  expect(numberOf('bfloat16', 0xc080n)).toBe(-4);
  expect(numberOf('int8', 0x80n)).toBe(-128n);
});

test('a tolerance admits what it says and no more', () => {
  const tolerance = { relative: 1e-3, absolute: 0.5 };
  expect(difference('value', doubles(1000), doubles(1001.5), tolerance)).toBeUndefined();
  expect(difference('value', doubles(1000), doubles(1001.6), tolerance)).toContain('1 of 1');
  expect(difference('value', doubles(Number.NaN), doubles(1), tolerance)).toContain('1 of 1');
  expect(difference('value', doubles(Infinity), doubles(-Infinity), tolerance)).toContain('1 of 1');
});
