/** Comparisons against JavaScript's own, and closeness by its formula. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const { tensor } = torch;
const values = [0, -0, 1, -1, 1 + 2 ** -52, Infinity, -Infinity, NaN];
const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));

const comparisons: readonly [
  string,
  (a: torch.Tensor, b: torch.Tensor | number) => torch.Tensor,
  (a: number, b: number) => boolean,
][] = [
  ['eq', torch.eq, (a, b) => a === b],
  ['ne', torch.ne, (a, b) => a !== b],
  ['lt', torch.lt, (a, b) => a < b],
  ['le', torch.le, (a, b) => a <= b],
  ['gt', torch.gt, (a, b) => a > b],
  ['ge', torch.ge, (a, b) => a >= b],
];

test.each(comparisons)('%s of tensors and of numbers', (_name, operator, formula) => {
  const [a, b] = [0, 1].map((k) =>
    tensor(
      pairs.map((pair) => pair[k] as number),
      { dtype: 'float64' },
    ),
  );
  const result = operator(a as torch.Tensor, b as torch.Tensor);
  expect(result.dtype).toBe('bool');
  expect(result.toArray()).toEqual(pairs.map(([x, y]) => formula(x, y)));
  for (const y of values) {
    expect([y, operator(tensor(values, { dtype: 'float64' }), y).toArray()]).toEqual([
      y,
      values.map((x) => formula(x, y)),
    ]);
  }
});

test('int64 is compared with a bigint exactly', () => {
  const x = tensor([2n ** 53n, 2n ** 53n + 1n]);
  expect(x.eq(2n ** 53n + 1n).toArray()).toEqual([false, true]);
});

test('isnan, isinf, isfinite', () => {
  const x = tensor([0, NaN, Infinity, -Infinity]);
  expect(x.isnan().toArray()).toEqual([false, true, false, false]);
  expect(x.isinf().toArray()).toEqual([false, false, true, true]);
  expect(x.isfinite().toArray()).toEqual([true, false, false, false]);
});

test('isclose and allclose: |a - b| <= atol + rtol * |b|', () => {
  const [a, b] = [tensor([100, 0, NaN, Infinity]), tensor([101, 1e-9, NaN, Infinity])];
  expect(a.isclose(b).toArray()).toEqual([false, true, false, true]);
  expect(a.isclose(b, { rtol: 0.01 }).toArray()).toEqual([true, true, false, true]);
  expect(a.isclose(b, { atol: 1, equalNan: true }).toArray()).toEqual([true, true, true, true]);
  expect([a.allclose(b, { atol: 1 }), a.allclose(b, { atol: 1, equalNan: true })]).toEqual([false, true]);
  expect(torch.zeros([0]).allclose(torch.ones([0]))).toBe(true);
});

test.each([
  [{ rtol: -1 }, /rtol must be greater than or equal to zero/],
  [{ atol: -1 }, /atol must be greater than or equal to zero/],
])('closeness refuses %p', (options, words) => {
  const x = torch.ones([1]);
  expectNative(
    refusal(() => x.allclose(x, options)),
    'RUNTIME',
    words,
  );
});

test('equal asks for shape and elements, and NaN equals nothing', () => {
  const x = tensor([1, 2]);
  expect([x.equal(tensor([1, 2])), x.equal(tensor([[1, 2]])), x.equal(tensor([1, 3]))]).toEqual([true, false, false]);
  expect(tensor([NaN]).equal(tensor([NaN]))).toBe(false);
});

test('logical operators take any dtype; NaN is true', () => {
  const [a, b] = [tensor([0, 2, NaN, 0]), tensor([0n, 0n, 1n, 5n])];
  expect(a.logicalNot().toArray()).toEqual([true, false, false, true]);
  expect(a.logicalAnd(b).toArray()).toEqual([false, false, true, false]);
  expect(a.logicalOr(b).toArray()).toEqual([false, true, true, true]);
});
