/** Exact sums, beside sums of integers of any length. */
import * as fc from 'fast-check';
import { ExactSum } from '../../../lib/evaluate/exact-sum';

/** A number as a multiple of the smallest one. */
function units(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

/** The number nearest to a multiple of the smallest one, ties to even. */
function nearest(sum: bigint): number {
  const magnitude = sum < 0n ? -sum : sum;
  const spare = BigInt(Math.max(0, magnitude.toString(2).length - 60));
  // The last bit tells whether anything was cut off.
  const cut = magnitude >> spare;
  const rest = (magnitude & ((1n << spare) - 1n)) === 0n ? 0n : 1n;
  const rounded = Number(spare === 0n ? cut : (cut << 1n) | rest);
  const exponent = Number(spare) - (spare === 0n ? 0 : 1) - 1074;
  // In two steps: the factor alone may be too small for a number.
  const value = rounded * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(exponent + 1000, 0);
  return sum < 0n ? -value : value;
}

function sumOf(...groups: readonly (readonly number[])[]): ExactSum {
  const sum = new ExactSum();
  for (const terms of groups) {
    const part = new ExactSum();
    part.addAll(terms);
    sum.merge(part);
  }
  return sum;
}

const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
const closeNumber = fc
  .tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -110, max: 110 }))
  .map(([n, e]) => n * 2 ** e);
const terms = fc.array(fc.oneof(anyNumber, closeNumber, fc.float({ noNaN: true, noDefaultInfinity: true })), {
  maxLength: 40,
});

test('a sum is the number nearest to that of the terms, in any order and grouping', () => {
  fc.assert(
    fc.property(terms, fc.nat(40), (all, at) => {
      const exact = nearest(all.reduce((sum, term) => sum + units(term), 0n));
      const one = new ExactSum();
      for (const term of all) one.add(term);
      const backwards = sumOf([...all].reverse());
      const merged = sumOf(all.slice(0, at), all.slice(at));
      for (const sum of [one, backwards, merged]) {
        expect(sum.value === exact ? exact : sum.value).toBe(exact);
        expect(sum.parts).toEqual(one.parts);
        expect(ExactSum.of(sum.parts).value).toBe(sum.value);
      }
      expect(one.parts.reduce((sum, part) => sum + units(part), 0n)).toBe(
        all.reduce((sum, term) => sum + units(term), 0n),
      );
    }),
    { numRuns: 2000, seed: 17 },
  );
});

test('halfway cases go to the even number, unless something follows', () => {
  const half = 2 ** -53;
  expect(sumOf([1, half]).value).toBe(1);
  expect(sumOf([1, half, 2 ** -1074]).value).toBe(1 + 2 ** -52);
  expect(sumOf([1 + 2 ** -52, half]).value).toBe(1 + 2 ** -51);
  expect(sumOf([1 + 2 ** -52, half, -(2 ** -1074)]).value).toBe(1 + 2 ** -52);
  expect(sumOf([1e100, 1, -1e100]).value).toBe(1);
});

test('NaN and infinities', () => {
  expect(sumOf([1, Number.POSITIVE_INFINITY, 2]).value).toBe(Number.POSITIVE_INFINITY);
  expect(sumOf([1, Number.NEGATIVE_INFINITY], [Number.POSITIVE_INFINITY]).value).toBeNaN();
  expect(sumOf([Number.NaN], [1]).isNaN).toBe(true);
  expect(sumOf([Number.MAX_VALUE, Number.MAX_VALUE]).value).toBe(Number.POSITIVE_INFINITY);
  expect(sumOf([Number.NaN, 3]).parts).toEqual([Number.NaN]);
  expect(ExactSum.of([]).value).toBe(0);
  expect(new ExactSum().parts).toEqual([]);
});
