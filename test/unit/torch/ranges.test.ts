/** Factories of ranges, fills and random numbers. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal, seen } from './support';

test('zeros, ones, full, eye and what is like another', () => {
  expect(seen(torch.zeros([2]))).toEqual({ dtype: 'float32', shape: [2], values: [0, 0] });
  expect(seen(torch.ones([], { dtype: 'int8' }))).toEqual({ dtype: 'int8', shape: [], values: 1 });
  expect(seen(torch.full([2], 1.5))).toEqual({ dtype: 'float32', shape: [2], values: [1.5, 1.5] });
  expect(seen(torch.full([1], 7n))).toEqual({ dtype: 'int64', shape: [1], values: [7] });
  expect(seen(torch.full([1], false))).toEqual({ dtype: 'bool', shape: [1], values: [false] });
  expect(torch.eye(2).toArray()).toEqual([
    [1, 0],
    [0, 1],
  ]);
  const like = torch.tensor([[1n, 2n]]);
  expect(seen(torch.zerosLike(like))).toEqual({ dtype: 'int64', shape: [1, 2], values: [[0, 0]] });
  expect(seen(torch.onesLike(like, { dtype: 'float64' }))).toEqual({
    dtype: 'float64',
    shape: [1, 2],
    values: [[1, 1]],
  });
  expect(torch.fullLike(like, 9).toArray()).toEqual([[9, 9]]);
  expect(torch.emptyLike(like, { dtype: 'float32', requiresGrad: true }).requiresGrad).toBe(true);
  expect([torch.randLike(torch.ones([3])).shape, torch.randnLike(torch.ones([3])).shape]).toEqual([[3], [3]]);
  expect(torch.empty([0, 4]).shape).toEqual([0, 4]);
});

test('arange by its end, by both and by a step', () => {
  expect(seen(torch.arange(3))).toEqual({ dtype: 'int64', shape: [3], values: [0, 1, 2] });
  expect(torch.arange(1, 4).toArray()).toEqual([1, 2, 3]);
  expect(torch.arange(5, 0, -2).toArray()).toEqual([5, 3, 1]);
  expect(seen(torch.arange(0, 1, 0.25))).toEqual({ dtype: 'float32', shape: [4], values: [0, 0.25, 0.5, 0.75] });
  expect(torch.arange(2, { dtype: 'float64' }).dtype).toBe('float64');
  expect(torch.arange(0, 2, 1, { requiresGrad: true, dtype: 'float32' }).requiresGrad).toBe(true);
  // An options object that is absent is absent, wherever it would stand.
  expect(torch.arange(1, 3, undefined as never).toArray()).toEqual([1, 2]);
  expect(torch.arange(3, 3).shape).toEqual([0]);
});

test('linspace has both ends', () => {
  expect(torch.linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(torch.linspace(3, 7, 1).toArray()).toEqual([3]);
  expect(torch.linspace(0, 1, 0).shape).toEqual([0]);
});

test('randint, randperm, rand and randn have their ranges, and the seed decides', () => {
  const draw = (): unknown[] => {
    torch.manualSeed(42);
    return [torch.randint(-2, 3, [500]), torch.randperm(20), torch.rand([100]), torch.randn([100])].map((x) =>
      x.toArray(),
    );
  };
  const [integers, order, uniform] = draw() as [number[], number[], number[]];
  expect(draw()).toEqual(draw());
  expect(new Set(integers)).toEqual(new Set([-2, -1, 0, 1, 2]));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(torch.randint(0, 5, []).shape).toEqual([]);
});

test('seeds are integers in [-2^63, 2^64); negative ones count down from 2^64', () => {
  const first = (seed: number | bigint): number => {
    torch.manualSeed(seed);
    return torch.rand([1]).item();
  };
  expect(first(-1)).toBe(first(2n ** 64n - 1n));
  expect(first(0)).not.toBe(first(1));
  for (const seed of [0.5, NaN, Infinity, 2 ** 53, 2n ** 64n, -(2n ** 63n) - 1n, '1', null, undefined]) {
    expect(refusal(() => torch.manualSeed(seed as never))).toMatchObject({ op: 'manualSeed', argument: 'seed' });
  }
});

test.each<[string, () => unknown, RegExp]>([
  ['a step of 0', () => torch.arange(0, 1, 0), /step must be nonzero/],
  ['a step away from the end', () => torch.arange(0, 1, -1), /bound/],
  ['an end that is none', () => torch.arange(0, NaN), /unsupported range/],
  ['an endless range', () => torch.arange(0, Infinity), /unsupported range/],
  ['a negative count', () => torch.linspace(0, 1, -1), /number of steps must be non-negative/],
  ['no integer between the bounds', () => torch.randint(3, 3, [1]), /from=3 >= to=3/],
  ['integers that the dtype lacks', () => torch.randint(0, 300, [1], { dtype: 'uint8' }), /out of bounds/],
  ['a negative permutation', () => torch.randperm(-1), /negative dimension -1/],
  ['a negative matrix', () => torch.eye(-1), /n must be greater or equal to 0/],
  ['a fill that an integer cannot be', () => torch.full([1], NaN, { dtype: 'int64' }), /without overflow/],
])('libtorch refuses %s', (_name, call, words) => {
  expectNative(refusal(call), 'RUNTIME', words);
});

test('a range beyond memory', () => {
  expectNative(
    refusal(() => torch.arange(2 ** 50)),
    'OUT_OF_MEMORY',
    /can't allocate memory/,
  );
});

test.each<[string, () => unknown, string]>([
  ['arange of nothing', () => (torch.arange as () => unknown)(), 'end'],
  ['arange of text', () => torch.arange('3' as never), 'end'],
  ['arange of null', () => torch.arange(null as never), 'end'],
  ['arange of four numbers', () => torch.arange(0, 1, 1, 1 as never), 'the call'],
  ['linspace from text', () => torch.linspace('0' as never, 1, 2), 'start'],
  ['linspace by fractions', () => torch.linspace(0, 1, 2.5), 'steps'],
  ['eye of a fraction', () => torch.eye(1.5), 'n'],
  ['randint between fractions', () => torch.randint(0.5, [1]), 'high'],
  ['randperm of infinity', () => torch.randperm(Infinity), 'n'],
  ['full of text', () => torch.full([1], '1' as never), 'fillValue'],
  ['full of a list', () => torch.full([1], [1] as never), 'fillValue'],
  ['fullLike of null', () => torch.fullLike(torch.ones([1]), null as never), 'fillValue'],
  ['zerosLike a list', () => torch.zerosLike([1] as never), 'input'],
])('%s is refused before libtorch', (_name, call, argument) => {
  expect(refusal(call)).toMatchObject({ code: expect.stringMatching(/INVALID_ARGUMENT|UNKNOWN_OPTION/), argument });
});
