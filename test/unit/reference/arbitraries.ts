/** What properties are tried on: scores with their targets, log-odds, vectors; and how two losses are compared. */
import * as fc from 'fast-check';
import type { Differentiable, NdArray } from '../../../lib/reference';
import { near } from './support';

export const score = fc.double({ min: -20, max: 20, noNaN: true });
export const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true });

/** N rows of C scores, with a class, a distribution and a weight for each. */
export const classified = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain(([n, c]) =>
  fc.record({
    scores: table(score, n, c),
    targets: fc.array(fc.nat(c - 1), { minLength: n, maxLength: n }),
    distributions: table(probability, n, c).map((rows) => rows.map(normalized)),
    weight: fc.array(probability, { minLength: c, maxLength: c }),
    labelSmoothing: fc.constantFrom(0, 0.1, 0.7, 1),
  }),
);

/** Log-odds, and a yes, no or between for each. */
export const binary = fc
  .array(fc.tuple(score, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 8 })
  .map((pairs) => ({ odds: pairs.map(([x]) => x), targets: pairs.map(([, t]) => t) }));

/** Two, or three, vectors a row, and a sign for each row. */
export const embedded = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([n, d]) =>
  fc.record({
    x1: table(score, n, d),
    x2: table(score, n, d),
    x3: table(score, n, d),
    signs: fc.array(fc.constantFrom(1, -1), { minLength: n, maxLength: n }),
  }),
);

export const width = fc.double({ min: 0.01, max: 10, noNaN: true });

export function table(element: fc.Arbitrary<number>, n: number, c: number): fc.Arbitrary<number[][]> {
  return fc.array(fc.array(element, { minLength: c, maxLength: c }), { minLength: n, maxLength: n });
}

function normalized(row: readonly number[]): number[] {
  const total = row.reduce((a, b) => a + b);
  return row.map((element) => element / total);
}

export function expectSame(
  actual: Differentiable<{ input: NdArray }>,
  expected: Differentiable<{ input: NdArray }>,
): void {
  expect(actual.value.toArray()).toEqual(near(expected.value.toArray(), 10));
  expect(actual.backward(1).input.toArray()).toEqual(near(expected.backward(1).input.toArray(), 10));
}
