/** Reductions against plain loops, and what they do with NaN, nothing and dimensions that are not there. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal, seen } from './support';

const { tensor } = torch;
const rows = [
  [1, 4, -2],
  [3, 0.5, 8],
];
const x = tensor(rows, { dtype: 'float64' });
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: readonly number[]): number => total(values) / values.length;
const columns = [0, 1, 2].map((j) => rows.map((row) => row[j] as number));

test('sum and mean, of everything and along dimensions', () => {
  expect(x.sum().item()).toBe(total(rows.flat()));
  expect(x.sum(0).toArray()).toEqual(columns.map(total));
  expect(x.sum(-1, { keepdim: true }).toArray()).toEqual(rows.map((row) => [total(row)]));
  expect(x.sum([0, 1]).shape).toEqual([]);
  expect(x.sum(undefined, { keepdim: true }).shape).toEqual([1, 1]);
  expect(x.mean().item()).toBeCloseTo(average(rows.flat()), 14);
  expect(x.mean(1).toArray()).toEqual(rows.map((row) => expect.closeTo(average(row), 14)));
  expect(x.sum(0, { dtype: 'float32' }).dtype).toBe('float32');
});

test('sums of integers and booleans are int64, means of them refused', () => {
  expect(seen(tensor([true, true, false]).sum())).toEqual({ dtype: 'int64', shape: [], values: 2 });
  expect(
    tensor(new Uint8Array([200, 100]))
      .sum()
      .item(),
  ).toBe(300);
  expectNative(
    refusal(() => tensor([1n]).mean()),
    'RUNTIME',
    /must be either a floating point or complex dtype/,
  );
  expect(tensor([1n, 2n]).mean(undefined, { dtype: 'float64' }).item()).toBe(1.5);
});

test('std, var and their correction', () => {
  const variance = (values: readonly number[], correction: number): number =>
    total(values.map((v) => (v - average(values)) ** 2)) / (values.length - correction);
  expect(x.var().item()).toBeCloseTo(variance(rows.flat(), 1), 13);
  expect(x.var(1, { correction: 0 }).toArray()).toEqual(rows.map((row) => expect.closeTo(variance(row, 0), 13)));
  expect(x.std(0).toArray()).toEqual(columns.map((column) => expect.closeTo(Math.sqrt(variance(column, 1)), 13)));
});

test('extremes with their places, and NaN wins', () => {
  expect([x.max().item(), x.min().item()]).toEqual([8, -2]);
  const { values, indices } = x.max(1);
  expect([seen(values).values, seen(indices)]).toEqual([[4, 8], { dtype: 'int64', shape: [2], values: [1, 2] }]);
  expect(x.min(0, { keepdim: true }).values.toArray()).toEqual([[1, 0.5, -2]]);
  expect([x.amax(0).toArray(), x.amin([0, 1]).item()]).toEqual([[3, 4, 8], -2]);
  expect([x.argmax().item(), x.argmin().item(), x.argmax(0).toArray()]).toEqual([5, 2, [1, 0, 1]]);
  expect(x.argmax(undefined, { keepdim: true }).shape).toEqual([1, 1]);
  const nan = tensor([1, NaN, 3]);
  expect([nan.max().item(), nan.min().item(), nan.argmax().item()]).toEqual([NaN, NaN, 1]);
});

test('logsumexp is stable, cumsum runs, prod multiplies', () => {
  expect(tensor([1000, 1000], { dtype: 'float64' }).logsumexp(0).item()).toBeCloseTo(1000 + Math.LN2, 12);
  expect(x.cumsum(1).toArray()).toEqual([
    [1, 5, 3],
    [3, 3.5, 11.5],
  ]);
  expect(x.prod().item()).toBe(-96);
});

test('all and any, where everything but 0 is true', () => {
  const mask = tensor([
    [0, NaN],
    [0, 1],
  ]);
  expect([mask.all().item(), mask.any().item()]).toEqual([false, true]);
  expect(mask.all(0).toArray()).toEqual([false, true]);
  expect(mask.any(0, { keepdim: true }).toArray()).toEqual([[false, true]]);
});

test('topk and argsort', () => {
  const { values, indices } = x.topk(2);
  expect([values.toArray(), indices.toArray()]).toEqual([
    [
      [4, 1],
      [8, 3],
    ],
    [
      [1, 0],
      [2, 0],
    ],
  ]);
  expect(x.argsort().toArray()).toEqual([
    [2, 0, 1],
    [1, 0, 2],
  ]);
});

test('of nothing: sums are 0, means NaN, extremes refused', () => {
  const empty = torch.zeros([0, 3]);
  expect([empty.sum().item(), empty.mean().item(), empty.prod().item()]).toEqual([0, NaN, 1]);
  expect(empty.sum(0).toArray()).toEqual([0, 0, 0]);
  expect([empty.all().item(), empty.any().item()]).toEqual([true, false]);
  expectNative(
    refusal(() => empty.max()),
    'RUNTIME',
    /max\(\)/,
  );
  expectNative(
    refusal(() => empty.max(0)),
    'INDEX',
    /reduction dim 0 to have non-zero size/,
  );
});

test.each([
  ['a dimension beyond the last', () => x.sum(2), /Dimension out of range/],
  ['a dimension before the first', () => x.max(-3), /Dimension out of range/],
  ['softmax of one', () => x.softmax(5), /Dimension out of range/],
])('%s is out of range', (_name, call, words) => {
  expectNative(refusal(call), 'INDEX', words);
});

test('a dimension given twice, and more elements than there are', () => {
  expectNative(
    refusal(() => x.sum([0, 0])),
    'RUNTIME',
    /dim 0 appears multiple times/,
  );
  expectNative(
    refusal(() => x.topk(4)),
    'RUNTIME',
    /selected index k out of range/,
  );
});

test.each([
  ['a fraction', () => x.sum(0.5), 'dim'],
  ['text', () => x.argmax('0' as never), 'dim'],
  ['NaN', () => x.argmax(NaN), 'dim'],
  ['a list with a hole', () => x.sum([0, undefined, 1] as never), 'dim[1]'],
  ['a Map', () => x.mean(new Map() as never), 'dim'],
  ['no dimension', () => x.cumsum(undefined as never), 'dim'],
  ['keepdim as a number', () => x.sum(0, { keepdim: 1 as never }), 'keepdim'],
  ['a dtype that is none', () => x.sum(0, { dtype: 'float' as never }), 'dtype'],
  ['a correction as text', () => x.std(0, { correction: '1' as never }), 'correction'],
  ['k as a fraction', () => x.topk(1.5), 'k'],
])('dimensions and options: %s', (_name, call, argument) => {
  expect(refusal(call)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
});

// No option is accepted and then ignored: without a dimension these have nothing to keep, as in PyTorch.
test.each(['max', 'min'] as const)('%s without a dimension refuses keepdim and unknown options', (name) => {
  const method = (x[name] as (dim: undefined, options: object) => unknown).bind(x);
  expect(refusal(() => method(undefined, { keepdim: true }))).toMatchObject({ op: name, argument: 'dim' });
  expect(refusal(() => method(undefined, { keepDim: true }))).toMatchObject({
    code: 'UNKNOWN_OPTION',
    message: expect.stringContaining("did you mean 'keepdim'?"),
  });
});
