/** Elements out: `item`, nested arrays, typed arrays, text. */
import { inspect } from 'node:util';
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const { tensor } = torch;

test('item gives a number, a boolean, and a bigint where a number is not exact', () => {
  expect(tensor([[0.5]]).item()).toBe(0.5);
  expect(tensor(true).item()).toBe(true);
  expect(tensor(-0).item()).toBe(-0);
  expect(tensor(2n ** 53n - 1n).item()).toBe(2 ** 53 - 1);
  expect(tensor(2n ** 53n).item()).toBe(2n ** 53n);
  expect(tensor(-(2n ** 63n)).item()).toBe(-(2n ** 63n));
  expect(tensor(0.1, { dtype: 'bfloat16' }).item()).toBe(0.10009765625);
});

test.each([[[2]], [[0]], [[2, 0]]])('item of shape %p is refused', (shape) => {
  expectNative(
    refusal(() => torch.zeros(shape).item()),
    'RUNTIME',
    /cannot be converted to Scalar/,
  );
});

test('toArray nests as deep as the shape, safe integers as numbers', () => {
  expect(tensor(5).toArray()).toBe(5);
  expect(torch.zeros([2, 0, 3]).toArray()).toEqual([[], []]);
  expect(tensor([2n ** 53n, 1n]).toArray()).toEqual([2n ** 53n, 1]);
  expect(
    tensor([[true], [false]])
      .t()
      .toArray(),
  ).toEqual([[true, false]]);
});

test('toTypedArray copies in row-major order, however the tensor lies', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(x.t().toTypedArray()).toEqual(Float32Array.of(1, 3, 2, 4));
  expect(tensor([7]).expand([3]).toTypedArray()).toEqual(Float32Array.of(7, 7, 7));
  const copy = x.toTypedArray();
  copy.fill(0 as never);
  expect(x.sum().item()).toBe(10);
});

test('kinds of typed arrays', () => {
  const kinds: [torch.DType, string][] = [
    ['float64', 'Float64Array'],
    ['float32', 'Float32Array'],
    ['bfloat16', 'Uint16Array'],
    ['int64', 'BigInt64Array'],
    ['int32', 'Int32Array'],
    ['int16', 'Int16Array'],
    ['int8', 'Int8Array'],
    ['uint8', 'Uint8Array'],
    ['bool', 'Uint8Array'],
  ];
  for (const [dtype, kind] of kinds) {
    expect([dtype, Object.prototype.toString.call(torch.zeros([1], { dtype }).toTypedArray())]).toEqual([
      dtype,
      `[object ${kind}]`,
    ]);
  }
  expect(torch.zeros([1], { dtype: 'float16' }).toTypedArray().BYTES_PER_ELEMENT).toBe(2);
});

test('more elements than an array can have are an error of this package', () => {
  const endless = tensor([1]).expand([2 ** 40]);
  expect(refusal(() => endless.toTypedArray())).toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringContaining(`a tensor of ${2 ** 40} elements`),
    cause: expect.objectContaining({ name: 'RangeError' }),
  });
  expect(refusal(() => endless.toArray()).code).toBe('OUT_OF_MEMORY');
  expect(endless.toString()).toBe('tensor([1., 1., 1.,  ..., 1., 1., 1.])');
});

test('text is what PyTorch prints, also for console.log and in templates', () => {
  const x = tensor([1, 2.5], { requiresGrad: true });
  const text = 'tensor([1.0000, 2.5000], requires_grad=True)';
  expect([x.toString(), `${x}`, inspect(x), inspect({ x })]).toEqual([text, text, text, `{ x: ${text} }`]);
  expect(tensor([0], { requiresGrad: true }).exp().toString()).toBe('tensor([1.], grad_fn=<ExpBackward0>)');
});

test('what has no elements here says so', () => {
  const meta = torch.zeros([2], { device: 'meta' });
  for (const read of [() => meta.toArray(), () => meta.toTypedArray()]) {
    expectNative(refusal(read), 'NOT_IMPLEMENTED', /Cannot copy out of meta tensor/);
  }
  expect(meta.toString()).toBe("tensor(..., device='meta', size=(2,))");
  expect([meta.shape, meta.dtype, meta.device]).toEqual([[2], 'float32', 'meta']);
});

test('to: dtypes, devices, both, and what is neither', () => {
  const x = tensor([1.7, -1.7]);
  expect(x.to('int64').toArray()).toEqual([1, -1]);
  expect(x.to({ dtype: 'float64', device: 'cpu' }).dtype).toBe('float64');
  expect(x.to('cpu').toArray()).toEqual(x.toArray());
  expect(x.cpu().device).toBe('cpu');
  for (const target of ['float', 'gpu', 1, null, undefined, [], 'cuda:']) {
    expect(refusal(() => x.to(target as never))).toMatchObject({ op: 'to', code: 'INVALID_ARGUMENT' });
  }
  expect(refusal(() => x.to({ dtyp: 'int64' } as never)).code).toBe('UNKNOWN_OPTION');
  expect(refusal(() => x.to({ copy: 1 as never })).argument).toBe('copy');
});
