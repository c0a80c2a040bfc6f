/** What the tests of tensors share. */
import * as torch from 'libtorch-losses';
import type { NativeErrorCode } from '../../../lib/errors';

export { refusal } from '../reference/support';

/** Expects libtorch's own refusal: its kind, and its words. */
export function expectNative(error: torch.TorchError, code: NativeErrorCode, words: RegExp): void {
  expect(error).toBeInstanceOf(torch.NativeError);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(words) });
}

/** Nested elements, dtype and shape at once. */
export function seen(tensor: torch.Tensor): { dtype: string; shape: number[]; values: unknown } {
  return { dtype: tensor.dtype, shape: tensor.shape, values: tensor.toArray() };
}

/** The tensors that `fn` leaves alive: made, and neither disposed nor collected. */
export function madeBy(fn: () => unknown): number {
  const before = torch.memory().tensors;
  fn();
  return torch.memory().tensors - before;
}

/** Detaches the memory of a typed array, as a transfer to a worker does. */
export function detach(array: { buffer: ArrayBufferLike }): void {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
}

/** Value and gradient by the graph: what is not a loss of the library has no derivative of its own. */
export function byGraph<Args extends readonly [input: unknown, ...rest: readonly unknown[]]>(
  loss: (...args: Args) => torch.Tensor,
): torch.Differentiated<Args> {
  return torch.valueAndGrad((...args: Args) => loss(...args));
}

/** All that value and gradient are. */
export const elements = ({ value, grad }: torch.ValueAndGrad): unknown[] => [
  value.dtype,
  value.toTypedArray(),
  grad.shape,
  grad.toTypedArray(),
];

/** Scores of two rows over three classes. */
export const scores = (): torch.Tensor =>
  torch.tensor([
    [1, 2, 0.5],
    [0, -1, 3],
  ]);
