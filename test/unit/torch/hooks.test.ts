/** Hooks of tensors, `apply_` and `map_`. What is expected is what PyTorch 2.13 gives. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const { tensor, ones, zeros } = torch;
const leaf = (): torch.Tensor => ones(2, { requiresGrad: true });
const doubledGradient = (x: torch.Tensor): torch.Tensor => torch.grad(x.mul(2).sum(), x)[0] as torch.Tensor;

describe('registerHook', () => {
  test('hooks run in order, each with what the one before gave', () => {
    const x = leaf();
    const y = x.mul(2);
    const seen: unknown[] = [];
    y.registerHook((gradient) => {
      seen.push(gradient.tolist());
    });
    y.registerHook((gradient) => gradient.mul(3));
    y.registerHook((gradient) => {
      seen.push(gradient.tolist());
      return null;
    });
    y.sum().backward();
    expect(seen).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(x.grad).toEqual(tensor([6, 6]));
  });

  test('of leaves, for backward() and for grad(), until removed', () => {
    const x = leaf();
    const hook = x.registerHook((gradient) => gradient.mul(10));
    x.mul(2).sum().backward();
    expect([x.grad, doubledGradient(x)]).toEqual([tensor([20, 20]), tensor([20, 20])]);
    hook.remove();
    hook.remove();
    expect(doubledGradient(x)).toEqual(tensor([2, 2]));
  });

  test('a hook may remove itself', () => {
    const x = leaf();
    const hook = x.registerHook((gradient) => {
      hook.remove();
      return gradient.mul(0);
    });
    expect([doubledGradient(x), doubledGradient(x)]).toEqual([tensor([0, 0]), tensor([2, 2])]);
  });

  test('belongs to the values before a change in place', () => {
    const seen: unknown[] = [];
    const y = leaf().mul(2);
    y.registerHook((gradient) => void seen.push(['before', gradient.tolist()]));
    y.mul_(3);
    y.registerHook((gradient) => void seen.push(['after', gradient.tolist()]));
    y.sum().backward();
    expect(seen).toEqual([
      ['after', [1, 1]],
      ['before', [3, 3]],
    ]);
  });

  test('is part of the graph of the gradients, and comes before retained ones', () => {
    const x = tensor([3], { requiresGrad: true });
    const square = x.pow(2);
    square.registerHook((gradient) => gradient.mul(x));
    const first = torch.grad(square, x, { createGraph: true })[0] as torch.Tensor;
    expect([first.item(), torch.grad(first, x)[0]?.item()]).toEqual([18, 12]);
    const other = x.pow(2).retainGrad();
    other.registerHook((gradient) => gradient.mul(5));
    other.backward();
    expect([other.grad?.item(), x.grad?.item()]).toEqual([5, 30]);
  });

  test('sees undefined where nothing was computed from the tensor', () => {
    const [first, second] = ones(3, { requiresGrad: true }).mul(1).split([1, 2]) as [torch.Tensor, torch.Tensor];
    const seen: unknown[] = [];
    first.registerHook((gradient) => void seen.push(gradient));
    second.sum().backward();
    expect(seen).toEqual([undefined]);
  });

  test('gradients live as long as somebody holds them, but no longer than their scope', () => {
    const x = leaf();
    const kept: torch.Tensor[] = [];
    const y = x.mul(2);
    y.registerHook((gradient) => void kept.push(gradient));
    y.sum().backward();
    expect(kept[0]).toEqual(tensor([1, 1]));
    torch.scope(() => {
      const z = x.mul(2);
      z.registerHook((gradient) => {
        kept.push(gradient);
        return gradient.mul(2);
      });
      x.grad = null;
      z.sum().backward();
    });
    expect([kept[1]?.isDisposed, x.grad?.tolist()]).toEqual([true, [4, 4]]);
  });

  test('what hooks may not give', () => {
    const x = leaf();
    const failing = (hook: (gradient: torch.Tensor) => unknown): torch.TorchError => {
      const registered = x.registerHook(hook as () => torch.Tensor);
      try {
        return refusal(() => doubledGradient(x));
      } finally {
        registered.remove();
      }
    };
    expectNative(
      failing(() => ones(3)),
      'RUNTIME',
      /has changed the size of value/,
    );
    expectNative(
      failing((gradient) => gradient.double()),
      'RUNTIME',
      /has changed the type of value/,
    );
    expect(failing(() => 3).message).toBe(
      "registerHook: expected 'the result of the hook' to be a Tensor, but received 3",
    );
    expect(failing(async () => undefined).message).toContain('but received a Promise');
    const own = new RangeError('own');
    x.registerHook(() => {
      throw own;
    });
    expect(() => doubledGradient(x)).toThrow(own);
  });

  test('refusals', () => {
    expectNative(
      refusal(() => ones(2).registerHook(() => undefined)),
      'RUNTIME',
      /doesn't require gradient/,
    );
    expect(refusal(() => leaf().registerHook(3 as never)).message).toBe(
      "registerHook: expected 'hook' to be a function, but received 3",
    );
  });
});

describe('apply_ and map_', () => {
  test('replace elements in row-major order, whatever the strides', () => {
    const x = torch.arange(4).float().reshape(2, 2);
    const order: number[] = [];
    const transposed = x.t();
    const same = transposed.apply_((element) => {
      order.push(element);
      return element * 2;
    });
    expect(same).toBe(transposed);
    expect([order, x.tolist()]).toEqual([
      [0, 2, 1, 3],
      [
        [0, 2],
        [4, 6],
      ],
    ]);
    expect(zeros(2, 2).map_(tensor([1, 2]), (a, b) => a + b)).toEqual(tensor([[1, 2], [1, 2]])); // biome-ignore format: one line
    expect(zeros(2).map2_(ones(2), ones(2), (a, b, c) => a + b + c)).toEqual(tensor([2, 2]));
  });

  test('results become elements of the dtype', () => {
    const filled = (dtype: torch.DType, value: unknown): unknown =>
      zeros(1, { dtype })
        .apply_(() => value as number)
        .tolist();
    expect(filled('int64', 1.5)).toEqual([1]);
    expect(filled('int64', 2n ** 60n)).toEqual([2n ** 60n]);
    expect(filled('int64', true)).toEqual([1]);
    expect(filled('uint8', -1)).toEqual([255]);
    expect(filled('bool', 0.5)).toEqual([true]);
    expect(filled('float16', 1e9)).toEqual([Infinity]);
    expect(filled('complex64', { re: 1, im: 2 })).toEqual([{ re: 1, im: 2 }]);
    expect(filled('float32', tensor(3))).toEqual([3]);
  });

  test('are refused as in PyTorch, or do nothing', () => {
    const message = (call: () => unknown): string => refusal(call).message;
    expect(message(() => zeros(1, { dtype: 'uint8' }).apply_(() => 300))).toContain('an integer that uint8 holds');
    expect(message(() => zeros(1).apply_(() => 'a' as never))).toContain('to give a number for an element of float32');
    expect(message(() => zeros(1).apply_(3 as never))).toContain("'callable' to be a function");
    expect(message(() => leaf().apply_(() => 1))).toContain('to require no gradient');
    expect(message(() => zeros(2).map_(leaf(), () => 1))).toContain('to require no gradient');
    expect(message(() => zeros(2).map_(ones(2).double(), () => 1))).toContain("'other' to be float32");
    expect(message(() => zeros(2).map_(3 as never, () => 1))).toContain("'other' to be a Tensor");
    expect(zeros(2, { device: 'meta' }).apply_(() => 1).shape).toEqual([2]);
    expect(zeros(0).apply_(() => 1).shape).toEqual([0]);
  });
});
