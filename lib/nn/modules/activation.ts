/** Activations as modules. */
import { integer, withDefaults } from '../../options';
import { logSoftmax, relu, sigmoid, softmax } from '../../torch/operators.generated';
import type { Tensor } from '../../torch/tensor';
import { Module } from './module';

/** Options of {@link Softmax} and {@link LogSoftmax}. */
export interface DimOptions {
  /** The dimension whose elements sum to 1. PyTorch guesses an absent one, and warns; here it must be given. */
  dim: number;
}

const dimDefaults: Readonly<{ dim: number | undefined }> = Object.freeze({ dim: undefined });

function readDim(op: string, options: DimOptions): number {
  return integer(op, "option 'dim'", withDefaults<{ dim: number | undefined }>(op, options, dimDefaults).dim);
}

/** {@link softmax} along a dimension. **Source**: `torch.nn.Softmax`. */
export class Softmax extends Module {
  readonly dim: number;

  constructor(options: DimOptions) {
    super();
    this.dim = readDim('Softmax', options);
  }

  override forward(input: Tensor): Tensor {
    return softmax(input, this.dim);
  }
}

/** {@link logSoftmax} along a dimension. **Source**: `torch.nn.LogSoftmax`. */
export class LogSoftmax extends Module {
  readonly dim: number;

  constructor(options: DimOptions) {
    super();
    this.dim = readDim('LogSoftmax', options);
  }

  override forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dim);
  }
}

/** {@link sigmoid}. **Source**: `torch.nn.Sigmoid`. */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** {@link relu}. **Source**: `torch.nn.ReLU`. */
export class ReLU extends Module {
  override forward(input: Tensor): Tensor {
    return relu(input);
  }
}
