/** Losses off the main thread: order, results, refusals, what may be done with tensors meanwhile, scopes and modes. */
import * as torch from 'libtorch-losses';
import { detach } from '../tensor/support';

const { functional: F } = torch.nn;

/** Work that takes some 10 ms, so that what is started after it waits. */
function longCall(): Promise<torch.Tensor> {
  const x = torch.ones([300, 2000]);
  return F.crossEntropy.async(x, torch.zeros([300], { dtype: 'int64' }), { labelSmoothing: 0.5 });
}

/** The error that a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<torch.TorchError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof torch.TorchError)) throw new Error(`expected a rejection, but received ${error}`);
  return error;
}

/** What a synchronous call throws. */
function thrown(call: () => unknown): torch.TorchError {
  try {
    call();
  } catch (error) {
    return error as torch.TorchError;
  }
  throw new Error('the call was accepted');
}

const scores = (): torch.Tensor =>
  torch.tensor([
    [1, 2, 0.5],
    [0, -1, 3],
  ]); // prettier-ignore
const bits = (tensor: torch.Tensor): unknown[] => [tensor.dtype, tensor.shape, [...tensor.detach().toTypedArray()]];

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
    const [expected, actual] = [thrown(plain), await rejection(start())];
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
    ]); // prettier-ignore
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
    for (const change of changes) expect(thrown(change)).toMatchObject({ code: 'IN_USE' });
    other.add_(1);
    const before = x.toArray();
    await promise;
    expect(x.toArray()).toEqual(before);
    for (const change of changes) change();
  });

  test('also by a second call, and until the last one has ended', async () => {
    const x = scores();
    const [first, second] = [F.crossEntropy.async(x, [0, 1]), longCall().then(() => F.crossEntropy.async(x, [0, 1]))];
    await first;
    const third = F.crossEntropy.async(x, [0, 1]);
    expect(thrown(() => x.add_(1)).code).toBe('IN_USE');
    await Promise.all([second, third]);
    x.add_(1);
  });

  test('a failed call lets go of them, too', async () => {
    const [x, y] = [scores(), torch.tensor([0n, 7n])];
    const promise = F.crossEntropy.async(x, y);
    expect(thrown(() => y.zero_()).code).toBe('IN_USE');
    await rejection(promise);
    y.zero_();
    expect((await F.crossEntropy.async(x, y)).item()).toBeGreaterThan(0);
  });
});

describe('functions off the main thread', () => {
  const square = (x: torch.Tensor): torch.Tensor => x.mul(x).sum();

  test('any function of operators', async () => {
    const fn = (x: torch.Tensor, factor: number, by: torch.Tensor): torch.Tensor => {
      const rows = x.shape[0] as number;
      const [first, second] = [0, rows / 2].map((start) => x.mul(factor).narrow(0, start, rows / 2)) as [
        torch.Tensor,
        torch.Tensor,
      ];
      return F.mseLoss(first.exp(), by).add(F.huberLoss(second, by)).add(square(x));
    };
    const [x, by] = [torch.randn([4, 3]), torch.randn([2, 3])];
    const expected = torch.valueAndGrad(fn)(x, 3, by);
    const actual = await torch.valueAndGrad(fn).async(x, 3, by);
    expect(bits(actual.value)).toEqual(bits(expected.value));
    expect(bits(actual.grad)).toEqual(bits(expected.grad));
    expect([actual.value.requiresGrad, actual.grad.requiresGrad, x.requiresGrad]).toEqual([false, false, false]);
  });

  test('may ask for shape and dtype of what is still to be computed, not for elements', async () => {
    const seen: unknown[] = [];
    const fn = (x: torch.Tensor): torch.Tensor => {
      const y = x.matmul(x.t()).to('float64').narrow(0, 1, 2);
      seen.push(y.shape, y.dtype, y.numel, y.ndim, y.device, y.isContiguous, y.requiresGrad, x.isDisposed);
      return y.sum();
    };
    const { grad } = await torch.valueAndGrad(fn).async(torch.ones([3, 2]));
    expect(seen).toEqual([[2, 3], 'float64', 6, 2, 'cpu', true, true, false]);
    expect(grad.shape).toEqual([3, 2]);
  });

  test.each<[string, (x: torch.Tensor) => unknown]>([
    ['item', (x) => x.sum().item()],
    ['toArray', (x) => x.mul(2).toArray()],
    ['toTypedArray', (x) => x.mul(2).toTypedArray()],
    ['toString', (x) => String(x.mul(2))],
    ['backward', (x) => x.sum().backward()],
    ['allclose', (x) => x.mul(2).allclose(x)],
    ['a loss as a number', (x) => F.mseLoss.item(x.mul(2), x)],
  ])('%s of what is still to be computed is refused', async (_name, read) => {
    const fn = (x: torch.Tensor): torch.Tensor => {
      const y = x.mul(2);
      read(y);
      return y.sum();
    };
    expect(await rejection(torch.valueAndGrad(fn).async(torch.ones([3])))).toMatchObject({ code: 'PENDING' });
    expect((await torch.valueAndGrad(square).async(torch.ones([3]))).value.item()).toBe(3);
  });

  test('what escapes from one cannot be used before its promise is settled, and can then', async () => {
    let escaped: torch.Tensor | undefined;
    const fn = (x: torch.Tensor): torch.Tensor => {
      escaped = x.mul(2);
      return escaped.sum();
    };
    const promise = torch.valueAndGrad(fn).async(torch.ones([3]));
    const y = escaped as unknown as torch.Tensor;
    for (const use of [
      () => y.item(),
      () => y.toArray(),
      () => y.backward(),
      () => y.add(1),
      () => F.mseLoss(y, [1, 2, 3]),
      () => torch.valueAndGrad(F.mseLoss)(y, [1, 2, 3]),
    ]) {
      expect(thrown(use)).toMatchObject({ code: 'PENDING' });
    }
    expect(await rejection(F.mseLoss.async(y, [1, 2, 3]))).toMatchObject({ code: 'PENDING' });
    expect((await promise).value.item()).toBe(6);
    // What the call did not give is not kept.
    expect(thrown(() => y.item())).toMatchObject({ code: 'PENDING' });
    y.dispose();
    expect(thrown(() => y.item())).toMatchObject({ code: 'DISPOSED' });
  });

  test('a function that throws rejects with what it threw, and records nothing for others', async () => {
    const mine = new Error('mine');
    const fn = (x: torch.Tensor): torch.Tensor => {
      x.mul(2);
      throw mine;
    };
    await expect(torch.valueAndGrad(fn).async([1])).rejects.toBe(mine);
    expect(torch.ones([2]).add(1).toArray()).toEqual([2, 2]);
    for (const reason of [undefined, null, 0]) {
      const bare = (): torch.Tensor => {
        throw reason;
      };
      await expect(torch.valueAndGrad(bare).async([1])).rejects.toBe(reason);
    }
  });

  test('a function that gives no tensor, or one that does not depend on the input', async () => {
    expect(await rejection(torch.valueAndGrad((() => 1) as never).async([1]))).toBeInstanceOf(torch.TorchError);
    const other = torch.ones([1], { requiresGrad: true });
    const error = await rejection(torch.valueAndGrad(() => other.sum()).async([1]));
    expect(error).toMatchObject({ code: 'RUNTIME', message: expect.stringMatching(/not have been used/) });
    const vector = await rejection(torch.valueAndGrad((x: torch.Tensor) => x.mul(2)).async([1, 2]));
    expect(vector).toMatchObject({ code: 'RUNTIME', message: expect.stringMatching(/only for scalar outputs/) });
  });

  test('a loss of another inside', async () => {
    const x = torch.randn([4, 5]);
    const y = torch.randint(0, 5, [4]);
    const fn = (input: torch.Tensor): torch.Tensor => F.crossEntropy(input, y, { labelSmoothing: 0.1 }).mul(3);
    const [actual, expected] = [await torch.valueAndGrad(fn).async(x), torch.valueAndGrad(fn)(x)];
    expect(bits(actual.grad)).toEqual(bits(expected.grad));
  });

  test('gradInto: into the input itself, another tensor, an array; nothing of them changes before', async () => {
    const [x, y] = [scores(), torch.tensor([1n, 0n])];
    const { value, grad } = torch.valueAndGrad(F.crossEntropy)(x, y);
    const array = new Float32Array(6);
    const into = torch.zeros([2, 3]);
    const before = x.toArray();
    for (const gradInto of [into, array, x]) {
      const promise = torch.valueAndGrad(F.crossEntropy, { gradInto }).async(x, y);
      if (gradInto instanceof torch.Tensor) expect(thrown(() => gradInto.add_(1)).code).toBe('IN_USE');
      const result = await promise;
      expect(result.grad).toBe(gradInto);
      expect(bits(result.value)).toEqual(bits(value));
      if (gradInto !== x) expect(x.toArray()).toEqual(before);
    }
    for (const written of [into.toTypedArray(), array, x.toTypedArray()]) expect(written).toEqual(grad.toTypedArray());
  });
});

describe('scopes', () => {
  test('an asynchronous scope disposes what was made in it, and what it returns escapes', async () => {
    const before = torch.memory().tensors;
    const kept: torch.Tensor[] = [];
    const result = await torch.scope(async () => {
      const x = scores();
      const loss = await F.crossEntropy.async(x, [0, 1]);
      const { value, grad } = await torch.valueAndGrad(F.crossEntropy).async(x, [0, 1]);
      kept.push(x, loss, value);
      return { grad };
    });
    expect(kept.map(({ isDisposed }) => isDisposed)).toEqual([true, true, true]);
    expect(result.grad.toArray()).toHaveLength(2);
    result.grad.dispose();
    expect(torch.memory().tensors).toBe(before);
  });

  test('a scope that ends before the call leaves the arguments alive and the result disposed', async () => {
    const expected = F.crossEntropy(scores(), [0, 1]).item();
    const { promise } = torch.scope(() => ({ promise: F.crossEntropy.async(scores(), [0, 1]) }));
    const loss = await promise;
    expect(loss.isDisposed).toBe(true);
    const { kept } = torch.scope(() => {
      const started = F.crossEntropy.async(scores(), [0, 1]);
      return { kept: started.then((tensor) => tensor) };
    });
    await kept;
    expect(expected).toBeGreaterThan(0);
  });

  test('two at once do not see each other’s tensors', async () => {
    const run = (i: number): Promise<number> =>
      torch.scope(async () => {
        const x = torch.full([4], i);
        const loss = await F.mseLoss.async(x, torch.zeros([4]), { reduction: 'sum' });
        await null;
        return loss.item<number>() + x.sum().item<number>();
      });
    expect(await Promise.all([run(1), run(2), run(3)])).toEqual([8, 24, 48]);
  });

  test('functions off the main thread may use scopes', async () => {
    const fn = (x: torch.Tensor): torch.Tensor => torch.scope(() => x.mul(2).exp().sum());
    const [actual, expected] = [await torch.valueAndGrad(fn).async([1, 2]), torch.valueAndGrad(fn)([1, 2])];
    expect(bits(actual.grad)).toEqual(bits(expected.grad));
  });
});

describe('modes', () => {
  test('noGrad and inferenceMode around the call hold for it, and end with their function', async () => {
    const x = scores().requiresGrad_();
    const before = longCall();
    const inNoGrad = torch.noGrad(() => ({ promise: F.crossEntropy.async(x, [0, 1]) })).promise;
    const inInference = torch.inferenceMode(() => ({ promise: F.crossEntropy.async(x, [0, 1]) })).promise;
    const plain = F.crossEntropy.async(x, [0, 1]);
    expect(torch.isGradEnabled()).toBe(true);
    const [a, b, c] = await Promise.all([inNoGrad, inInference, plain]);
    expect([a, b, c].map(({ requiresGrad, isInference }) => [requiresGrad, isInference])).toEqual([
      [false, false],
      [false, true],
      [true, false],
    ]);
    expect([a.item(), b.item()]).toEqual([c.item(), c.item()]);
    c.backward();
    await before;
  });

  test('modes inside of a function hold for its part alone', async () => {
    const fn = (x: torch.Tensor): torch.Tensor => x.mul(torch.noGrad(() => x.mul(1))).sum();
    const { value, grad } = await torch.valueAndGrad(fn).async([3, 4]);
    expect([value.item(), grad.toArray()]).toEqual([25, [3, 4]]);
  });

  test('valueAndGrad records inside of noGrad, too', async () => {
    const fn = (x: torch.Tensor): torch.Tensor => x.mul(x).sum();
    const { promise } = torch.noGrad(() => ({ promise: torch.valueAndGrad(fn).async([3]) }));
    expect((await promise).grad.toArray()).toEqual([6]);
  });
});
