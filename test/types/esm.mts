/** An ES module sees the same names and types as CommonJS does. Nothing here runs. */
import * as torch from 'libtorch-losses';
import { cuda, nn, type Tensor, tensor } from 'libtorch-losses';
import { type NdArray, softmax } from 'libtorch-losses/reference';

export const loss: Tensor = new nn.CrossEntropyLoss().forward(tensor([[1, 2]]), [0]);
export const same: typeof nn.functional.crossEntropy = torch.nn.functional.crossEntropy;
export const available: boolean = cuda.isAvailable();
export const probabilities: NdArray = softmax([1, 2], 0).value;

export function refused(): void {
  // @ts-expect-error: losses are in nn.functional
  torch.crossEntropy(tensor([[1, 2]]), [0]);
  // @ts-expect-error: not a reduction, here either
  nn.functional.crossEntropy(tensor([[1, 2]]), [0], { reduction: 'average' });
}
