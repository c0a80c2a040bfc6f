/** Elementwise arithmetic and activations against JavaScript's own numbers, with the values where formulas part. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal, seen } from './support';

const { tensor } = torch;
const special = [0, -0, 1, -1, 0.5, -0.5, 1.5, -2.5, 3.7, 1e-9, 40, -40, Infinity, -Infinity, NaN];

/** Equal to a relative 1e-13: the two libraries' last places may differ. NaN, infinities and zeros as they are. */
function near(value: number): unknown {
  if (!Number.isFinite(value) || value === 0) return value;
  return { asymmetricMatch: (other: unknown) => Math.abs((other as number) - value) <= 1e-13 * Math.abs(value) };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Halves to the even neighbour. */
function roundEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const unary: readonly [string, (x: torch.Tensor) => torch.Tensor, (x: number) => number][] = [
  ['neg', torch.neg, (x) => -x],
  ['abs', torch.abs, Math.abs],
  ['exp', torch.exp, Math.exp],
  ['expm1', torch.expm1, Math.expm1],
  ['log', torch.log, Math.log],
  ['log1p', torch.log1p, Math.log1p],
  ['sqrt', torch.sqrt, Math.sqrt],
  ['rsqrt', torch.rsqrt, (x) => 1 / Math.sqrt(x)],
  ['square', torch.square, (x) => x * x],
  ['reciprocal', torch.reciprocal, (x) => 1 / x],
  ['floor', torch.floor, Math.floor],
  ['ceil', torch.ceil, Math.ceil],
  ['round', torch.round, roundEven],
  ['tanh', torch.tanh, Math.tanh],
  ['sigmoid', torch.sigmoid, sigmoid],
  ['logsigmoid', torch.nn.functional.logsigmoid, (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)))],
];

test.each(unary)('%s', (_name, operator, formula) => {
  const result = operator(tensor(special, { dtype: 'float64' })).toArray<number[]>();
  special.forEach((x, i) => {
    expect([x, result[i]]).toEqual([x, near(formula(x))]);
  });
});

test('sign and relu of zeros and NaN', () => {
  // ATen's sign of NaN is 0 and of -0 is 0, JavaScript's are themselves.
  expect(tensor([-3, -0, 0, 2, NaN]).sign().toArray()).toEqual([-1, 0, 0, 1, 0]);
  expect(tensor([-3, 0, 2, NaN, -Infinity]).relu().toArray()).toEqual([0, 0, 2, NaN, 0]);
});

test('logit is the inverse of sigmoid; eps keeps it finite', () => {
  expect(torch.logit(tensor([0, 0.5, 1, 2, NaN])).toArray()).toEqual([-Infinity, 0, Infinity, NaN, NaN]);
  const [low, middle, high] = tensor([0, 0.5, 1], { dtype: 'float64' }).logit({ eps: 0.25 }).toArray<number[]>();
  expect([low, middle, high]).toEqual([near(-Math.log(3)), 0, near(Math.log(3))]);
});

test('softmax and logSoftmax do not overflow, sum to 1 and take a dtype', () => {
  const x = tensor([[1000, 1001, 1002]], { dtype: 'float64' });
  const weights = [0, 1, 2].map(Math.exp);
  const total = weights.reduce((a, b) => a + b);
  expect(x.softmax(1).toArray()).toEqual([weights.map((w) => near(w / total))]);
  expect(x.logSoftmax(-1).toArray()).toEqual([weights.map((w) => near(Math.log(w / total)))]);
  expect(tensor([1, 2], { dtype: 'float16' }).softmax(0, { dtype: 'float32' }).dtype).toBe('float32');
  expect(tensor([-Infinity, -Infinity]).softmax(0).toArray()).toEqual([NaN, NaN]);
});

const pairs: readonly [number, number][] = special.flatMap((a) =>
  [0, -0, 2, -3, 0.5, Infinity, NaN].map((b) => [a, b] as [number, number]),
);

const binary: readonly [
  string,
  (a: torch.Tensor, b: torch.Tensor) => torch.Tensor,
  (a: number, b: number) => number,
][] = [
  ['add', (a, b) => a.add(b), (a, b) => a + b],
  ['add with alpha', (a, b) => a.add(b, { alpha: 3 }), (a, b) => a + 3 * b],
  ['sub', (a, b) => a.sub(b), (a, b) => a - b],
  ['sub with alpha', (a, b) => a.sub(b, { alpha: 0.5 }), (a, b) => a - 0.5 * b],
  ['mul', (a, b) => a.mul(b), (a, b) => a * b],
  ['div', (a, b) => a.div(b), (a, b) => a / b],
  ['maximum', (a, b) => a.maximum(b).add(0), (a, b) => Math.max(a, b) + 0],
  ['minimum', (a, b) => a.minimum(b).add(0), (a, b) => Math.min(a, b) + 0],
  // C's pow, which is ATen's, gives 1 for 1^NaN and (±1)^±Infinity.
  ['pow', (a, b) => a.pow(b), (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b)],
];

test.each(binary)('%s', (_name, operator, formula) => {
  const column = (k: 0 | 1): torch.Tensor =>
    tensor(
      pairs.map((pair) => pair[k]),
      { dtype: 'float64' },
    );
  const result = operator(column(0), column(1)).toArray<number[]>();
  pairs.forEach(([a, b], i) => {
    expect([a, b, result[i]]).toEqual([a, b, near(formula(a, b))]);
  });
});

test('shapes broadcast, and where they do not the sizes are named', () => {
  const [a, b] = [tensor([[1], [2]]), tensor([10, 20, 30])];
  expect(a.add(b).toArray()).toEqual([
    [11, 21, 31],
    [12, 22, 32],
  ]);
  expectNative(
    refusal(() => b.add(tensor([1, 2]))),
    'RUNTIME',
    /size of tensor a \(3\).*size of tensor b \(2\)/,
  );
});

describe('numbers as operands', () => {
  const integers = tensor([7n, -8n]);

  test('whole numbers keep integers integers, others make them floats', () => {
    expect(seen(integers.add(1))).toEqual({ dtype: 'int64', shape: [2], values: [8, -7] });
    expect(seen(integers.add(1.5))).toEqual({ dtype: 'float32', shape: [2], values: [8.5, -6.5] });
    expect(seen(integers.mul(NaN)).dtype).toBe('float32');
    expect(seen(integers.add(1e300)).dtype).toBe('float32');
    expect(seen(integers.div(2))).toEqual({ dtype: 'float32', shape: [2], values: [3.5, -4] });
  });

  test('a negative zero is a float, since integers have none', () => {
    expect(seen(tensor([3, -3], { dtype: 'float64' }).mul(-0))).toEqual({
      dtype: 'float64',
      shape: [2],
      values: [-0, 0],
    });
    expect(integers.mul(-0).dtype).toBe('float32');
    expect(integers.mul(0).dtype).toBe('int64');
  });

  test('bigints are exact up to 64 bits, and refused beyond', () => {
    const large = tensor([2n ** 62n]);
    expect(large.add(2n ** 62n - 1n).item<bigint>()).toBe(2n ** 63n - 1n);
    expect(large.add(2n ** 53n + 1n).item<bigint>()).toBe(2n ** 62n + 2n ** 53n + 1n);
    expect(refusal(() => large.add(2n ** 63n))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'other' });
  });

  test('booleans are numbers of dtype bool', () => {
    expect(seen(integers.mul(true))).toEqual({ dtype: 'int64', shape: [2], values: [7, -8] });
    expect(tensor([true]).mul(true).dtype).toBe('bool');
  });

  test('integer powers with negative exponents, and subtraction of booleans, are libtorch’s refusals', () => {
    expectNative(
      refusal(() => integers.pow(-1)),
      'RUNTIME',
      /negative integer powers/,
    );
    expectNative(
      refusal(() => tensor([true]).sub(tensor([true]))),
      torch.libtorchVersion() >= '2.14' ? 'NOT_IMPLEMENTED' : 'RUNTIME',
      /[Ss]ubtraction/,
    );
  });
});

test('clamp with either bound, both or none', () => {
  const x = tensor([-2, 0.5, NaN, 3]);
  expect(x.clamp({ min: 0 }).toArray()).toEqual([0, 0.5, NaN, 3]);
  expect(x.clamp({ max: 1 }).toArray()).toEqual([-2, 0.5, NaN, 1]);
  expect(x.clamp({ min: 2, max: 1 }).toArray()).toEqual([1, 1, NaN, 1]);
  expectNative(
    refusal(() => x.clamp({})),
    'RUNTIME',
    /[Aa]t least one of/,
  );
});

test('xlogy is 0 where the factor is 0, maskedFill and where choose', () => {
  expect(
    tensor([0, 0, 2])
      .xlogy(tensor([0, NaN, 1]))
      .toArray(),
  ).toEqual([0, NaN, 0]);
  const mask = tensor([true, false]);
  expect(tensor([1, 2]).maskedFill(mask, -Infinity).toArray()).toEqual([-Infinity, 2]);
  expect(torch.where(mask, tensor([1, 2]), tensor([3, 4])).toArray()).toEqual([1, 4]);
});
