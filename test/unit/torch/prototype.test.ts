/** Accidents of JavaScript are errors, and no wrong numbers. */
import * as torch from 'libtorch-losses';
import { refusal } from '../reference/support';

const { tensor } = torch;

describe('operators of JavaScript', () => {
  test('see the number of one element', () => {
    const loss = tensor(1.5);
    expect([+loss, (loss as never) * 2, `${tensor([2])}`]).toEqual([1.5, 3, 'tensor([2.])']);
    expect(tensor([2n ** 60n])[Symbol.toPrimitive]('number')).toBe(2n ** 60n);
    expect(+tensor(true)).toBe(1);
  });

  test('refuse others, with the method to write', () => {
    const x = tensor([1, 2]);
    expect(refusal(() => (x as never) * 2).message).toContain('x.mul(2)');
    expect(refusal(() => (x as never) + 1).code).toBe('INVALID_ARGUMENT');
    expect(refusal(() => (x as never) < 1).code).toBe('INVALID_ARGUMENT');
    expect(refusal(() => +torch.ops.aten.complex(tensor(1), tensor(2))).code).toBe('INVALID_ARGUMENT');
  });
});

describe('assignments', () => {
  test('work for what can be assigned', () => {
    const x = tensor([1, 2]);
    x.requiresGrad = true;
    expect(x.requiresGrad).toBe(true);
    x.grad = torch.ones(2);
    x.grad = null;
    expect(x.grad).toBeUndefined();
    x.data = tensor([3, 4]);
    expect(x.tolist()).toEqual([3, 4]);
    expect(x.data.requiresGrad).toBe(false);
  });

  test.each([
    ['requires_grad', "did you mean 'requiresGrad'?"],
    ['shape', 'which is read only'],
    ['T', 'which is read only'],
    ['foo', "expected an assignment to 'requiresGrad', 'grad', 'data'"],
  ])('to %s are refused', (key, words) => {
    const x = tensor([1]) as unknown as Record<string, unknown>;
    expect(
      refusal(() => {
        x[key] = true;
      }).message,
    ).toContain(words);
    expect(Object.keys(x)).toEqual([]);
  });
});

test('views are properties, made anew when they are read', () => {
  const x = tensor([[1, 2]]);
  expect([x.T.shape, x.mT.shape, x.H.shape, x.mH.shape]).toEqual([
    [2, 1],
    [2, 1],
    [2, 1],
    [2, 1],
  ]);
  const z = torch.ops.aten.complex(tensor([1]), tensor([2]));
  z.real.fill_(5);
  expect([z.real.tolist(), z.imag.tolist()]).toEqual([[5], [2]]);
  expect('T' in x).toBe(true);
  expect(x instanceof Object).toBe(true);
  expect((x as unknown as PromiseLike<unknown>).then).toBeUndefined();
});

test('attributes and methods are what they are in Python', () => {
  const x = torch.zeros(2, 3);
  expect([x.dim(), x.ndim, x.numel(), x.nelement(), x.size(), x.size(-1), x.stride(), x.stride(0)]).toEqual([
    ...[2, 2, 6, 6],
    ...[[2, 3], 3, [3, 1], 3],
  ]);
  expect([x.elementSize(), x.itemsize, x.nbytes, x.layout, x.isCuda, x.isSparse, x.isMeta]).toEqual([
    ...[4, 4, 24, 'strided'],
    ...[false, false, false],
  ]);
  expect(refusal(() => x.size(2)).message).toBe("size: expected 'dim' to be in [-2, 1], but received 2");
  expect(x.isContiguous()).toBe(true);
  expect(torch.zeros(1, 2, 3, 4).isContiguous(torch.channelsLast)).toBe(false);
});

test('no graph notices changes to data, whose memory is the tensor’s own', () => {
  const leaf = tensor([1, 1, 1], { requiresGrad: true });
  const doubled = leaf.mul(2);
  const product = doubled.mul(doubled);
  const { data } = doubled;
  data.mul_(3);
  expect([doubled.tolist(), data.requiresGrad, data.gradFn]).toEqual([[6, 6, 6], false, undefined]);
  product.sum().backward();
  // As PyTorch has it: 2 * 6 * 2, for the graph does not know that the factors have changed.
  expect(leaf.grad?.tolist()).toEqual([24, 24, 24]);

  const again = leaf.mul(2);
  const squared = again.mul(again);
  again.detach().mul_(3);
  expect(() => squared.sum().backward()).toThrow(/modified by an inplace operation/);
});
