/** What test runners take for equal: never different tensors, and equal ones wherever they are nested. */
import assert from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import * as torch from 'libtorch-losses';
import { scores } from './support';

const { tensor } = torch;

/** What compares two values: it throws if they differ. */
const runners: readonly [string, (a: unknown, b: unknown) => void][] = [
  ['assert.deepStrictEqual', assert.deepStrictEqual],
  ['assert.deepEqual', assert.deepEqual],
  ['util.isDeepStrictEqual', (a, b) => assert(isDeepStrictEqual(a, b))],
  ['toEqual', (a, b) => expect(a).toEqual(b)],
  ['toStrictEqual', (a, b) => expect(a).toStrictEqual(b)],
  ['toContainEqual', (a, b) => expect([a]).toContainEqual(b)],
];

/** How values are nested. */
const nestings: readonly [string, (x: unknown) => unknown][] = [
  ['alone', (x) => x],
  ['in an object', (x) => ({ x })],
  ['in an array', (x) => [1, x]],
  ['in a Map', (x) => new Map([['x', x]])],
];

const disposed = (): torch.Tensor => {
  const x = tensor([1, 2]);
  x.dispose();
  return x;
};

const lastOne = (): torch.Tensor => {
  const x = torch.zeros([1000]);
  x.narrow(0, 999, 1).fill_(1);
  return x;
};

const nan = (bits: number): torch.Tensor => tensor(new Float32Array(Uint32Array.of(bits, 0x3f800000).buffer));

describe.each(runners)('%s', (_name, compare) => {
  const isEqual = (a: unknown, b: unknown): boolean => {
    try {
      compare(a, b);
      return true;
    } catch {
      return false;
    }
  };

  test.each<[string, torch.Tensor, torch.Tensor]>([
    ['values', tensor([1, 2]), tensor([1, 3])],
    ['the last of many values', torch.zeros([1000]), lastOne()],
    ['shapes', tensor([1, 2]), tensor([[1, 2]])],
    ['lengths', tensor([1, 2]), tensor([1, 2, 2])],
    ['dtypes of the same bytes', torch.zeros([2]), torch.zeros([2], { dtype: 'int32' })],
    ['dtypes of the same values', tensor([1, 2]), tensor([1, 2], { dtype: 'float64' })],
    ['signs of zero', tensor([0]), tensor([-0])],
    ['NaN and a number', tensor([Number.NaN]), tensor([1])],
    ['tensors that are disposed', disposed(), disposed()],
    ['a tensor that is disposed', tensor([1, 2]), disposed()],
  ])('tells apart %s', (_what, a, b) => {
    for (const [, nested] of nestings) {
      expect(isEqual(nested(a), nested(b))).toBe(false);
      expect(isEqual(nested(b), nested(a))).toBe(false);
    }
  });

  test.each<[string, torch.Tensor, torch.Tensor]>([
    ['values', tensor([1, 2]), tensor([1, 2])],
    ['nothing', tensor([]), tensor([])],
    ['a view and its copy', scores().t(), scores().t().clone()],
    ['NaNs of different bits', nan(0x7fc00000), nan(0xffc00001)],
    [
      'NaNs of 16 bits',
      tensor([Number.NaN, 1], { dtype: 'bfloat16' }),
      tensor([-Number.NaN, 1], { dtype: 'bfloat16' }),
    ],
    ['a leaf and a constant', tensor([1, 2], { requiresGrad: true }), tensor([1, 2])],
  ])('takes for equal %s', (_what, a, b) => {
    for (const [, nested] of nestings) expect(isEqual(nested(a), nested(b))).toBe(true);
  });

  test('other objects that hide what they are', () => {
    const { BatchEvaluator, distributions, nn } = torch;
    const evaluator = () => new BatchEvaluator(nn.functional.mseLoss);
    expect(isEqual(evaluator(), evaluator())).toBe(false);
    const categorical = (...probs: number[]) => new distributions.Categorical({ probs: tensor(probs) });
    expect(isEqual(categorical(1, 3), categorical(3, 1))).toBe(false);
    expect(isEqual(categorical(1, 3), categorical(1, 3))).toBe(true);
  });
});

test('a tensor is printed as before, and has no property of its own', () => {
  const x = tensor([1, 2]);
  expect([inspect(x), String(x), Object.keys(x)]).toEqual(['tensor([1., 2.])', 'tensor([1., 2.])', []]);
});

test('JSON has the elements, and makes the tensor again', () => {
  const x = tensor([[1, 2.5]], { dtype: 'float64' });
  const text = JSON.stringify({ x });
  expect(text).toBe('{"x":{"dtype":"float64","shape":[1,2],"data":[1,2.5]}}');
  const { x: json } = JSON.parse(text);
  expect(tensor(json, { dtype: json.dtype })).toEqual(x);
  expect(JSON.stringify(disposed())).toBe('"tensor(disposed)"');
});
