/** Class indices beyond 2^53, which only a bigint holds, in every option that is one. */
import * as torch from '../../../lib';

const F = torch.nn.functional;
const { tensor, nn } = torch;
const big = 2n ** 60n + 1n;
const neighbour = 2n ** 60n;

const logits = tensor([[1, 2, 0.5], [0, 1, 3]], { dtype: 'float64' }); // biome-ignore format: one line
const ignoring = tensor([1n, big]);
const smallest = F.crossEntropy(logits, [1, -7], { ignoreIndex: -7 }).item();
const linear = tensor([[1, 0], [0, 1], [0, 0.25]]); // biome-ignore format: one line

describe.each([
  ['a small bigint', -7n, tensor([1, -7], { dtype: 'int64' })],
  ['a big one', big, ignoring],
  ['the smallest of all', -(2n ** 63n), tensor([1n, -(2n ** 63n)])],
])('ignoreIndex as %s', (_, ignoreIndex, target) => {
  const options = { ignoreIndex };

  test('crossEntropy, in every form', async () => {
    expect(F.crossEntropy(logits, target, options).item()).toBe(smallest);
    expect(F.crossEntropy.item(logits, target, options)).toBe(smallest);
    expect((await F.crossEntropy.async(logits, target, options)).item()).toBe(smallest);
    expect(F.crossEntropy.out(new Float64Array(1), logits, target, { ...options, reduction: 'sum' })[0]).toBe(smallest);
    const { value, grad } = torch.valueAndGrad(F.crossEntropy)(logits, target, options);
    expect(value.item()).toBe(smallest);
    expect(grad.toArray<number[][]>()[1]).toEqual([0, 0, 0]);
    expect(new nn.CrossEntropyLoss(options).forward(logits, target).item()).toBe(smallest);
  });

  test('crossEntropy with smoothing, weights and chunks', () => {
    const more = { labelSmoothing: 0.1, weight: tensor([1, 2, 3], { dtype: 'float64' }) };
    const expected = F.crossEntropy(logits, [1, -7], { ...more, ignoreIndex: -7 });
    expect(F.crossEntropy(logits, target, { ...more, ...options })).toEqual(expected);
    const rows = torch.cat(Array.from({ length: 20_000 }, () => logits));
    const labels = torch.cat(Array.from({ length: 20_000 }, () => target));
    const sum = F.crossEntropy.item(rows, labels, { ...options, reduction: 'sum' });
    expect(sum).toBeCloseTo(20_000 * smallest, 6);
  });

  test('nllLoss and linearCrossEntropy', () => {
    const scores = logits.logSoftmax(1);
    const expected = F.nllLoss(scores, [1, -7], { ignoreIndex: -7 });
    expect(F.nllLoss(scores, target, options)).toEqual(expected);
    expect(new nn.NLLLoss(options).forward(scores, target)).toEqual(expected);
    const features = tensor([[1, 2], [3, 4]]); // biome-ignore format: one line
    for (const chunks of [undefined, { batchChunkSize: 1 }]) {
      const wanted = F.linearCrossEntropy(features, linear, [1, -7], { ignoreIndex: -7, options: chunks });
      expect(F.linearCrossEntropy(features, linear, target, { ...options, options: chunks })).toEqual(wanted);
    }
  });

  test('BatchEvaluator', () => {
    const evaluator = new torch.BatchEvaluator(F.crossEntropy, options).update(logits, target);
    const { loss, count, ignored } = evaluator.result();
    expect(loss).toBeCloseTo(smallest, 14);
    expect({ count, ignored }).toEqual({ count: 1, ignored: 1 });
    expect(JSON.parse(JSON.stringify(evaluator.state()))).toEqual(evaluator.state());
    const other = new torch.BatchEvaluator(F.crossEntropy, { ignoreIndex: 2n ** 61n }).update(logits, [0, 1]);
    expect(() => evaluator.merge(other)).toThrow(/ignoreIndex/);
  });
});

test('a neighbour that float64 cannot tell from it is out of range', () => {
  const target = tensor([1n, neighbour]);
  const options = { ignoreIndex: big };
  const message = `${neighbour} at index 1`;
  expect(() => F.crossEntropy(logits, target, options)).toThrow(message);
  expect(() => new torch.BatchEvaluator(F.crossEntropy, options).update(logits, target)).toThrow(/INDEX|at index 1/);
});

test('what is not an index of 64 bits is refused', () => {
  for (const ignoreIndex of [2n ** 63n, 2 ** 60, 0.5, '1', true]) {
    const call = (): unknown => F.crossEntropy(logits, ignoring, { ignoreIndex: ignoreIndex as number });
    expect(call).toThrow(/expected option 'ignoreIndex' to be a safe integer, or a bigint of 64 bits/);
  }
});

test('blank', () => {
  const scores = torch.rand([5, 1, 4]).logSoftmax(2);
  const expected = F.ctcLoss(scores, [[1, 2]], [5], [2], { blank: 3 });
  expect(F.ctcLoss(scores, [[1, 2]], [5], [2], { blank: 3n })).toEqual(expected);
  expect(new nn.CTCLoss({ blank: 3n }).forward(scores, [[1, 2]], [5], [2])).toEqual(expected);
  expect(() => F.ctcLoss(scores, [[1, 2]], [5], [2], { blank: 2n ** 60n })).toThrow(/'blank'/);
});

test('lengths are data too, and are looked at', () => {
  const scores = torch.rand([5, 1, 4]).logSoftmax(2);
  const call = (lengths: unknown): torch.Tensor => F.ctcLoss(scores, [[1, 2]], lengths as number[], [2]);
  expect(call({ data: Int32Array.of(5), dims: [1] })).toEqual(call([5]));
  expect(() => call({ data: [5], dims: [1, 1] })).toThrow(/expected 'inputLengths' to have shape \[N\] or \[\]/);
  expect(() => call({ data: [5.5], dims: [1] })).toThrow(/integer/);
  for (const wrong of ['5', 5])
    expect(() => call(wrong)).toThrow(/'inputLengths' to be a Tensor or an array of lengths/);
});
