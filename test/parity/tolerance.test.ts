/** The comparison that the parity tests rest on: what it admits, what not, and how it says so. */
import * as torch from '../../lib';
import { disagreement } from '../../lib/parity/tolerance';
import { NdArray } from '../../lib/reference';
import { type FloatingDType, floatingDTypes } from '../../lib/types';

function compare(dtype: FloatingDType, actual: number[], expected: number[], terms = 0): string | undefined {
  return disagreement('value', torch.tensor(actual, { dtype }), NdArray.from(expected), { terms });
}

test.each([
  ['float64', 1e-7],
  ['float32', 1.3e-6],
] as const)('%s: relative to each element', (dtype, relative) => {
  expect(compare(dtype, [1000 * (1 + relative / 2)], [1000])).toBeUndefined();
  expect(compare(dtype, [1000 * (1 + relative * 2)], [1000])).toContain('1 of 1 elements differ');
  expect(compare(dtype, [1000, 1.001], [1000, 1])).toMatch(/value\[1\] is 1\.001.* but the reference gives 1 /);
});

test.each([
  ['float16', 1 / 512],
  ['bfloat16', 1 / 32],
] as const)('%s: twice PyTorch’s, relative to the greatest element or term', (dtype, relative) => {
  expect(compare(dtype, [1, 0.5 * relative], [1, 0])).toBeUndefined();
  expect(compare(dtype, [1, 2 * relative], [1, 0])).toContain('1 of 2 elements differ');
  expect(compare(dtype, [0.5 * relative], [0])).toContain('1 of 1 elements differ');
  expect(compare(dtype, [0.5 * relative], [0], 1)).toBeUndefined();
});

test.each(floatingDTypes)('%s: NaN and infinity are only themselves, shapes must be equal', (dtype) => {
  expect(compare(dtype, [Number.NaN, Infinity], [Number.NaN, Infinity])).toBeUndefined();
  expect(compare(dtype, [Number.NaN], [1])).toContain('is NaN');
  expect(compare(dtype, [Infinity], [-Infinity])).toContain('is Infinity');
  expect(compare(dtype, [1], [1, 1])).toContain('[1], but the reference gives');
});

test('what float64 holds and the dtype does not is infinite there', () => {
  expect(compare('float32', [Infinity], [1e39])).toBeUndefined();
  expect(compare('float16', [Infinity], [65520])).toBeUndefined();
});
