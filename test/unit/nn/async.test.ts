/** Losses off the main thread: order, results, refusals, and what may be done with tensors meanwhile. */
import * as torch from 'libtorch-losses';
import { detach, refusal } from '../torch/support';
import { bits, longCall, rejection } from './support';

const { functional: F } = torch.nn;

const scores = (): torch.Tensor =>
  torch.tensor([
    [1, 2, 0.5],
    [0, -1, 3],
  ]);

describe('results', () => {
  test('of several calls at once are those of the calls one by one, in the order of the calls', async () => {
    const x = torch.randn([64, 10]);
    const y = torch.randint(0, 10, [64]);
    const p = x.softmax(1);
    const calls: [() => torch.Tensor, () => Promise<torch.Tensor>][] = [
      [() => F.crossEntropy(x, y), () => F.crossEntropy.async(x, y)],
      [() => F.mseLoss(x, p), () => F.mseLoss.async(x, p)],
      [() => F.nllLoss(x, y, { reduction: 'none' }), () => F.nllLoss.async(x, y, { reduction: 'none' })],
      [() => F.gaussianNllLoss(x, p, p), () => F.gaussianNllLoss.async(x, p, p)],
      [() => F.huberLoss(x, p, { weight: p }), () => F.huberLoss.async(x, p, { weight: p })],
      [() => F.multilabelSoftMarginLoss(x, p), () => F.multilabelSoftMarginLoss.async(x, p)],
    ];
    const ended: number[] = [];
    const promises = calls.map(async ([, start], i) => {
      const result = await start();
      ended.push(i);
      return result;
    });
    const results = await Promise.all(promises);
    expect(ended).toEqual(calls.map((_, i) => i));
    for (const [i, [plain]] of calls.entries()) expect(bits(results[i] as torch.Tensor)).toEqual(bits(plain()));
  });

  test('come after those of calls that were started before, short or long, or refused', async () => {
    const ended: string[] = [];
    const note = (name: string) => () => void ended.push(name);
    await Promise.all([
      longCall().then(note('long')),
      F.mseLoss.async([1], [2]).then(note('short')),
      F.crossEntropy.async(scores(), [0, 7]).catch(note('refused')),
      torch.valueAndGrad(F.mseLoss).async([1], [2]).then(note('with a gradient')),
      longCall().then(note('long')),
    ]);
    expect(ended).toEqual(['long', 'short', 'refused', 'with a gradient', 'long']);
  });

  test('a call that is not awaited runs all the same, and its failure is the promise’s own', async () => {
    const dropped = longCall();
    const refused = rejection(F.crossEntropy.async(scores(), [0, 7]));
    expect((await F.mseLoss.async([3], [1])).item()).toBe(4);
    expect((await refused).code).toBe('INDEX');
    expect((await dropped).item()).toBeCloseTo(Math.log(2000), 3);
  });

  test('do not come before the script that called has ended its turn', async () => {
    let settled = false;
    const promise = F.mseLoss.async([1], [2]).then(() => {
      settled = true;
    });
    for (const until = Date.now() + 50; Date.now() < until; );
    expect(settled).toBe(false);
    await promise;
    expect(settled).toBe(true);
  });

  test('are in the graph, whose backward pass runs on the main thread', async () => {
    const [x, w] = [scores().requiresGrad_(), scores().requiresGrad_()];
    const y = torch.tensor([1n, 0n]);
    const loss = await F.crossEntropy.async(x.mul(2), y, { reduction: 'sum' });
    expect([loss.requiresGrad, loss.isLeaf]).toEqual([true, false]);
    loss.add(1).backward();
    F.crossEntropy(w.mul(2), y, { reduction: 'sum' }).add(1).backward();
    expect(bits(x.grad as torch.Tensor)).toEqual(bits(w.grad as torch.Tensor));
  });

  test('have gradients that scripts compute, too', async () => {
    const make = (): [torch.Tensor, torch.Tensor] => [
      scores().requiresGrad_(),
      scores().t().contiguous().requiresGrad_(),
    ];
    const options = { options: { batchChunkSize: 1 } };
    const target = torch.tensor([0n, 1n]);
    const [[x, w], [x2, w2]] = [make(), make()];
    const weight = torch.tensor([1, 2]);
    const square = scores().t().contiguous();
    expect(square.shape).toEqual([3, 2]);
    const [linear, linear2] = [w.t().contiguous(), w2.t().contiguous()];
    const loss = await F.linearCrossEntropy.async(x, linear, target, { ...options, weight });
    const expected = F.linearCrossEntropy(x2, linear2, target, { ...options, weight });
    expect(bits(loss)).toEqual(bits(expected));
    for (const result of [loss, expected]) result.backward();
    expect(bits(x.grad as torch.Tensor)).toEqual(bits(x2.grad as torch.Tensor));
    expect(bits(w.grad as torch.Tensor)).toEqual(bits(w2.grad as torch.Tensor));
  });

  test('with the threads of the caller, whatever it changes afterwards', async () => {
    const before = torch.getNumThreads();
    // The order of this sum depends on the number of threads.
    const x = torch.randn([200_001]);
    const y = torch.zeros([200_001]);
    try {
      for (const threads of [1, 2]) {
        torch.setNumThreads(threads);
        const promise = F.mseLoss.async(x, y);
        const expected = bits(F.mseLoss(x, y));
        torch.setNumThreads(3 - threads);
        expect(bits(await promise)).toEqual(expected);
        expect(torch.getNumThreads()).toBe(3 - threads);
      }
    } finally {
      torch.setNumThreads(before);
    }
  });
});

describe('refusals', () => {
  test.each<[string, () => torch.Tensor, () => Promise<torch.Tensor>]>([
    [
      'of an option',
      () => F.crossEntropy(scores(), [0, 1], { labelSmoothing: 2 }),
      () => F.crossEntropy.async(scores(), [0, 1], { labelSmoothing: 2 }),
    ],
    [
      'of an unknown option',
      () => F.mseLoss(scores(), scores(), { mean: true } as never),
      () => F.mseLoss.async(scores(), scores(), { mean: true } as never),
    ],
    ['of no tensor', () => F.mseLoss('x' as never, [1]), () => F.mseLoss.async('x' as never, [1])],
    [
      'of shapes, before libtorch is asked',
      () => F.binaryCrossEntropy([0.5], [1, 0]),
      () => F.binaryCrossEntropy.async([0.5], [1, 0]),
    ],
    [
      'of shapes, by libtorch',
      () => F.mseLoss(torch.ones([2]), torch.ones([3])),
      () => F.mseLoss.async(torch.ones([2]), torch.ones([3])),
    ],
    ['of a class index', () => F.crossEntropy(scores(), [0, 7]), () => F.crossEntropy.async(scores(), [0, 7])],
    [
      'of probabilities',
      () => F.binaryCrossEntropy([0.5, 2], [1, 0]),
      () => F.binaryCrossEntropy.async([0.5, 2], [1, 0]),
    ],
    [
      'of a variance that is looked at when it is there',
      () => F.gaussianNllLoss([1], [1], [-1]),
      () => F.gaussianNllLoss.async([1], [1], [-1]),
    ],
    [
      'of dtypes',
      () => F.crossEntropy(scores(), torch.tensor([0.5, 1])),
      () => F.crossEntropy.async(scores(), torch.tensor([0.5, 1])),
    ],
  ])('%s are the same', async (_name, plain, start) => {
    const [expected, actual] = [refusal(plain), await rejection(start())];
    const told = ({ code, message, argument, op }: torch.TorchError): unknown => ({ code, message, argument, op });
    expect(told(actual)).toEqual(told(expected));
    expect(actual.constructor).toBe(expected.constructor);
    expect((actual.cause as Error | undefined)?.message).toBe((expected.cause as Error | undefined)?.message);
  });

  test('of a disposed tensor, and of one whose array is gone', async () => {
    const gone = torch.ones([2]);
    gone.dispose();
    expect(await rejection(F.mseLoss.async(gone, [1, 2]))).toMatchObject({ code: 'DISPOSED' });
    const array = new Float32Array(2);
    const shared = torch.fromTypedArray(array);
    detach(array);
    expect(await rejection(F.mseLoss.async(shared, [1, 2]))).toMatchObject({ code: 'DETACHED' });
  });

  test('leave the queue as it was', async () => {
    await rejection(F.crossEntropy.async(scores(), [0, 7]));
    expect((await F.crossEntropy.async(scores(), [0, 1])).item()).toBe(F.crossEntropy(scores(), [0, 1]).item());
  });
});

describe('arguments', () => {
  test('tensors that are disposed while they are used stay alive for the call', async () => {
    const before = longCall();
    const [x, y, weight] = [torch.randn([500, 100]), torch.randint(0, 100, [500]), torch.rand([100])];
    const expected = F.crossEntropy(x, y, { weight }).item();
    const promise = F.crossEntropy.async(x, y, { weight });
    for (const tensor of [x, y, weight]) tensor.dispose();
    torch.randn([500, 100]);
    expect((await promise).item()).toBe(expected);
    await before;
  });

  test('arrays are copied: what becomes of them afterwards changes nothing', async () => {
    const [numbers, labels, nested] = [new Float32Array([1, 2, 0.5]), BigInt64Array.of(1n), [[1, 2, 0.5]]];
    const shared = torch.fromTypedArray(numbers, { shape: [1, 3] });
    const expected = F.crossEntropy(nested, [1]).item();
    const before = longCall();
    const promises = [
      F.crossEntropy.async({ data: numbers, dims: [1, 3] }, labels),
      F.crossEntropy.async(shared, labels),
      F.crossEntropy.async(nested, [1]),
      torch
        .valueAndGrad(F.crossEntropy)
        .async({ data: numbers, dims: [1, 3] }, labels)
        .then(({ value }) => value),
      torch
        .valueAndGrad(F.crossEntropy)
        .async(shared, labels)
        .then(({ value }) => value),
    ];
    numbers.fill(9);
    labels[0] = 99n;
    (nested[0] as number[])[0] = 99;
    detach(numbers);
    for (const promise of promises) expect((await promise).item()).toBe(expected);
    await before;
  });

  test('views of tensors, expanded and transposed ones', async () => {
    const x = torch.randn([10, 7]);
    const y = torch.randn([7]).expand([7, 10].reverse());
    for (const view of [x.t().contiguous().t(), x.narrow(0, 2, 3), x.select(1, 3)]) {
      const other = view.shape.length === 1 ? y.select(1, 0) : y.narrow(0, 0, view.shape[0] as number);
      expect(bits(await F.mseLoss.async(view, other))).toEqual(bits(F.mseLoss(view, other)));
    }
  });
});

describe('while it runs', () => {
  test('tensors that it reads can be read, and used in graphs', async () => {
    const x = scores().requiresGrad_();
    const promise = F.crossEntropy.async(x, [0, 1]);
    x.square().sum().backward();
    expect(x.grad?.toArray()).toEqual([
      [2, 4, 1],
      [0, -2, 6],
    ]);
    expect(x.toTypedArray()).toEqual(Float32Array.of(1, 2, 0.5, 0, -1, 3));
    (await promise).backward();
  });

  test('they cannot be changed, nor views of them; afterwards they can', async () => {
    const x = scores();
    const other = scores();
    const view = x.narrow(0, 0, 1);
    const promise = F.crossEntropy.async(x, [0, 1]);
    const changes: (() => unknown)[] = [
      () => x.add_(1),
      () => view.zero_(),
      () => x.copy_(other),
      () => x.uniform_(),
      () => F.mseLoss.out(x, other, other, { reduction: 'none' }),
      () => torch.valueAndGrad(F.mseLoss, { gradInto: x })(other, other),
    ];
    for (const change of changes) expect(refusal(change)).toMatchObject({ code: 'IN_USE' });
    other.add_(1);
    const before = x.toArray();
    await promise;
    expect(x.toArray()).toEqual(before);
    for (const change of changes) change();
  });

  test('nor added to by a backward pass, where they are gradients', async () => {
    const [leaf, other] = [torch.ones([2, 3], { requiresGrad: true }), torch.ones([2, 3], { requiresGrad: true })];
    leaf.mul(2).sum().backward();
    other.sum().backward();
    const gradient = leaf.grad as torch.Tensor;
    const promise = F.crossEntropy.async(gradient, [0, 1]);
    const passes: (() => unknown)[] = [
      () => leaf.mul(3).sum().backward(),
      () => leaf.mul(other).sum().backward(),
      () =>
        leaf
          .mul(other)
          .sum()
          .backward({ inputs: [leaf] }),
    ];
    for (const pass of passes) expect(refusal(pass)).toMatchObject({ code: 'IN_USE' });
    // Other gradients are free, and so are those that are given back.
    other.mul(2).sum().backward();
    leaf
      .mul(other)
      .sum()
      .backward({ inputs: [other] });
    expect(torch.grad(leaf.mul(3).sum(), leaf)[0]?.toArray()).toEqual([Array(3).fill(3), Array(3).fill(3)]);
    expect(gradient.toArray()).toEqual([Array(3).fill(2), Array(3).fill(2)]);
    await promise;
    for (const pass of passes) pass();
    expect(gradient.select(0, 0).toArray()).toEqual(Array(3).fill(2 + 3 + 1 + 1));
  });

  test('also by a second call, and until the last one has ended', async () => {
    const x = scores();
    const [first, second] = [F.crossEntropy.async(x, [0, 1]), longCall().then(() => F.crossEntropy.async(x, [0, 1]))];
    await first;
    const third = F.crossEntropy.async(x, [0, 1]);
    expect(refusal(() => x.add_(1)).code).toBe('IN_USE');
    await Promise.all([second, third]);
    x.add_(1);
  });

  test('a failed call lets go of them, too', async () => {
    const [x, y] = [scores(), torch.tensor([0n, 7n])];
    const promise = F.crossEntropy.async(x, y);
    expect(refusal(() => y.zero_()).code).toBe('IN_USE');
    await rejection(promise);
    y.zero_();
    expect((await F.crossEntropy.async(x, y)).item()).toBeGreaterThan(0);
  });
});
