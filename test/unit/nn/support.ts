/** Helpers for the tests of losses and modules. */
import * as torch from 'libtorch-losses';

/** A loss in all its forms, with arguments of any type. */
export interface AnyLoss {
  (...args: unknown[]): torch.Tensor;
  item(...args: unknown[]): number;
  out(out: Float32Array, ...args: unknown[]): Float32Array;
  async(...args: unknown[]): Promise<torch.Tensor>;
}

/** The class of a loss or a distance, with arguments of any type. */
export type AnyClass = new (...args: unknown[]) => { (...inputs: unknown[]): torch.Tensor; forward: AnyLoss };

/** Work that takes some 10 ms, so that what is started after it waits. */
export function longCall(): Promise<torch.Tensor> {
  const x = torch.ones([300, 2000]);
  return torch.nn.functional.crossEntropy.async(x, torch.zeros([300], { dtype: 'int64' }), { labelSmoothing: 0.5 });
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<torch.TorchError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof torch.TorchError)) throw new Error(`expected a rejection, but received ${error}`);
  return error;
}

/** All that a tensor is. */
export const bits = (tensor: torch.Tensor): unknown[] => [
  tensor.dtype,
  tensor.shape,
  [...tensor.detach().toTypedArray()],
];
