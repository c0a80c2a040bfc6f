/** Functions of tensors off the main thread: what they may do, and the scopes and modes around and inside of them. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';
import { bits, longCall, rejection } from './support';

const { functional: F } = torch.nn;

const scores = (): torch.Tensor =>
  torch.tensor([
    [1, 2, 0.5],
    [0, -1, 3],
  ]);

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
      seen.push(y.shape, y.dtype, y.numel(), y.ndim, y.device, y.isContiguous(), y.requiresGrad, x.isDisposed);
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
      expect(refusal(use)).toMatchObject({ code: 'PENDING' });
    }
    expect(await rejection(F.mseLoss.async(y, [1, 2, 3]))).toMatchObject({ code: 'PENDING' });
    expect((await promise).value.item()).toBe(6);
    // What the call did not give is not kept.
    expect(refusal(() => y.item())).toMatchObject({ code: 'PENDING' });
    y.dispose();
    expect(refusal(() => y.item())).toMatchObject({ code: 'DISPOSED' });
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
    const integers = await rejection(
      torch.valueAndGrad(F.crossEntropy).async(torch.ones([1, 2], { dtype: 'int64' }), [0]),
    );
    expect(integers).toMatchObject({
      code: 'RUNTIME',
      message: expect.stringMatching(/Only Tensors of floating point/),
    });
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
      if (gradInto instanceof torch.Tensor) expect(refusal(() => gradInto.add_(1)).code).toBe('IN_USE');
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
    // A collection meanwhile may have taken some of before.
    expect(torch.memory().tensors).toBeLessThanOrEqual(before);
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
    expect([a, b, c].map((loss) => [loss.requiresGrad, loss.isInference()])).toEqual([
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
