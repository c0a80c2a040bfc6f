/** testing.assertClose: PyTorch's tolerances, and a message that says what differs, where and by how much. */
import * as torch from '../../../lib';
import { bitsOf } from '../../../lib/parity/bits';

const { tensor, testing } = torch;
const { assertClose } = testing;

function messageOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    expect(error).toMatchObject({ name: 'TorchError', code: 'NOT_CLOSE', op: 'assertClose' });
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

test.each([
  ['float64', 1e-7, 1e-7],
  ['float32', 1.3e-6, 1e-5],
  ['float16', 1e-3, 1e-5],
  ['bfloat16', 1.6e-2, 1e-5],
] as const)('%s has the tolerances of PyTorch', (dtype, rtol, atol) => {
  // Of a number that the dtype holds, by a step that float64 computes.
  const near = (factor: number): torch.Tensor => tensor([1 + factor * (rtol + atol)], { dtype: 'float64' });
  const close = { checkDtype: false };
  const one = tensor([1], { dtype });
  expect(() => assertClose(near(0.99), one, close)).not.toThrow();
  expect(() => assertClose(near(1.01), one, close)).toThrow(/elements are not close/);
  expect(bitsOf(one).dtype).toBe(dtype);
});

test('integers and booleans must be equal', () => {
  assertClose(tensor([1n, 2n]), tensor([1n, 2n]));
  expect(messageOf(() => assertClose(tensor([1n]), tensor([2n])))).toContain('[0] is 1, expected 2');
  expect(messageOf(() => assertClose(tensor([2n ** 60n + 1n]), tensor([2n ** 60n])))).toContain(`is ${2n ** 60n + 1n}`);
  expect(messageOf(() => assertClose(tensor([true]), tensor([false])))).toContain('[0] is true, expected false');
});

test('the message has how many, where and by how much', () => {
  const actual = tensor([[1, 2, 3], [4, 5, 6]], { dtype: 'float64' }); // biome-ignore format: one line
  const expected = [[1, 2, 2], [4, 5, 8]]; // biome-ignore format: one line
  expect(messageOf(() => assertClose(actual, expected))).toBe(
    `assertClose: 2 of 6 elements are not close (33.3%)
  greatest absolute difference: 2 at [1, 2] (1e-7 allowed)
  greatest relative difference: 0.5 at [0, 2] (1e-7 allowed)
  [0, 2] is 3, expected 2
  [1, 2] is 6, expected 8`,
  );
  const many = messageOf(() => assertClose(torch.zeros([10]), torch.ones([10])));
  expect(many).toContain('and 6 more');
});

test('NaN is close to nothing unless asked for', () => {
  const x = tensor([NaN, Infinity]);
  expect(messageOf(() => assertClose(x, x.clone()))).toContain('absolute difference: NaN at [0]');
  assertClose(x, x.clone(), { equalNan: true });
  expect(() => assertClose(x, tensor([NaN, -Infinity]), { equalNan: true })).toThrow(/elements are not close/);
});

test('shape, dtype, device and strides', () => {
  const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: one line
  expect(messageOf(() => assertClose(x, tensor([1, 2])))).toBe(
    "assertClose: expected 'actual' to have shape [2], but received [2, 2]",
  );
  expect(messageOf(() => assertClose(x, x.to('float64')))).toContain("'actual' to have dtype float64");
  assertClose(x, x.to('float64'), { checkDtype: false });
  expect(messageOf(() => assertClose(x, torch.zeros([2, 2], { device: 'meta' })))).toContain('to be on meta');
  const transposed = x.t().contiguous().t();
  assertClose(transposed, x);
  expect(messageOf(() => assertClose(transposed, x, { checkStride: true }))).toContain('to have strides [2,1]');
  assertClose(torch.zeros([0, 3]), torch.zeros([0, 3]));
});

test('plain data on either side, in a graph and with a message of its own', () => {
  assertClose([1, 2], tensor([1, 2], { dtype: 'float64' }));
  assertClose(tensor([1, 2], { requiresGrad: true }).mul(2), [2, 4]);
  assertClose(Float64Array.of(1), tensor([1], { dtype: 'float64' }));
  expect(messageOf(() => assertClose([1], [2], { msg: 'mine' }))).toBe('mine');
  expect(messageOf(() => assertClose([1], [2], { msg: (text) => `mine: ${text.slice(0, 11)}` }))).toBe(
    'mine: assertClose',
  );
});

test('what it cannot take is refused', () => {
  expect(() => assertClose([1], [1], { rtol: 1 })).toThrow(/'rtol' and 'atol' to be given together/);
  expect(() => assertClose([1], [1], { rtol: -1, atol: 0 })).toThrow(/'rtol'/);
  expect(() => assertClose([1], [1], { rtoll: 1 } as object)).toThrow(/did you mean 'rtol'/);
  expect(() => assertClose({} as never, [1])).toThrow(torch.TorchError);
  expect(() => assertClose([1], [1], { equalNan: 1 as never })).toThrow(/'equalNan'/);
});
