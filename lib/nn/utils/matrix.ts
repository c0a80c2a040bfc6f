/** Weights as matrices: what norms by rows and by singular values look at. */
import type { Tensor } from '../../torch/tensor';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/convolution';
import type { AnyModule } from '../modules/module';

/** A weight as a matrix whose rows are the slices along a dimension. */
export function asMatrix(weight: Tensor, dim: number): Tensor {
  const others = Array.from({ length: weight.ndim }, (_, i) => i).filter((i) => i !== dim);
  const first = dim === 0 ? weight : weight.permute([dim, ...others]);
  return first.reshape([first.size(0), -1]);
}

/** The dimension of a module's outputs in its weight: transposed convolutions have it second. */
export function outputDim(module: AnyModule): number {
  return [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((made) => module instanceof made) ? 1 : 0;
}
