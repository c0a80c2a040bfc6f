/** The linear layer. */

import { expected, show } from '../../errors';
import { boolean, integer, withDefaults } from '../../options';
import type { TensorOptions } from '../../torch/create';
import { checkDevice } from '../../torch/device';
import { checkDType } from '../../torch/dtype';
import { empty } from '../../torch/operators.generated';
import type { Tensor } from '../../torch/tensor';
import { linear } from '../functional/operators.generated';
import { kaimingUniform_, uniform_ } from '../init';
import { Parameter } from '../parameter';
import { Module } from './module';

/** Options of {@link Linear}. */
export interface LinearOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Whether a bias is added. Default `true`. */
  bias?: boolean | undefined;
}

const linearDefaults: Readonly<Required<LinearOptions>> = Object.freeze({
  bias: true,
  dtype: null,
  device: undefined,
});

/**
 * `y = x * weight^T + bias` with parameters to train.
 *
 * Weight `[outFeatures, inFeatures]` and bias `[outFeatures]` are drawn uniformly from ±1 / sqrt(inFeatures), in PyTorch's
 * order: the same seed gives the same layer. **Source**: `torch.nn.Linear`.
 */
export class Linear extends Module {
  /** The number of features of an input. */
  readonly inFeatures: number;
  /** The number of features of a result. */
  readonly outFeatures: number;
  /** `[outFeatures, inFeatures]` */
  declare weight: Parameter;
  /** `[outFeatures]`; `undefined` without a bias. */
  declare bias: Parameter | undefined;

  constructor(inFeatures: number, outFeatures: number, options?: LinearOptions) {
    super();
    const op = 'Linear';
    const { bias, dtype, device } = withDefaults<LinearOptions>(op, options, linearDefaults);
    const made = {
      dtype: dtype === null ? null : checkDType(op, dtype),
      device: device === undefined ? undefined : checkDevice(op, device),
    };
    this.inFeatures = size(op, 'inFeatures', inFeatures);
    this.outFeatures = size(op, 'outFeatures', outFeatures);
    this.weight = new Parameter(empty([outFeatures, inFeatures], made));
    const hasBias = boolean(op, "option 'bias'", bias);
    this.registerParameter('bias', hasBias ? new Parameter(empty([outFeatures], made)) : undefined);
    this.resetParameters();
  }

  /** Draws the parameters anew. */
  resetParameters(): void {
    kaimingUniform_(this.weight, Math.sqrt(5));
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    if (this.bias !== undefined) uniform_(this.bias, -bound, bound);
  }

  override extraRepr(): string {
    const { inFeatures, outFeatures, bias } = this;
    return `in_features=${inFeatures}, out_features=${outFeatures}, bias=${bias === undefined ? 'False' : 'True'}`;
  }

  /** `[*, inFeatures] -> [*, outFeatures]` */
  override forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }
}

function size(op: string, argument: string, value: unknown): number {
  const count = integer(op, `'${argument}'`, value);
  if (count >= 0) return count;
  throw expected(op, `'${argument}'`, 'to be an integer >= 0', show(value));
}
