/** Linear and bilinear layers. */
import { expected } from '../../errors';
import type { Tensor } from '../../torch/tensor';
import type { Device, DType } from '../../types';
import { bilinear, linear } from '../functional/operators.generated';
import { kaimingUniform_, uniform_ } from '../init';
import type { Parameter } from '../parameter';
import { checkSizes, layer, type Resettable, uninitialized } from './layer';

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** Whether a bias is added. Default `true`. */
  bias?: boolean | null | undefined;
  /** Element type of the parameters. Default float32. */
  dtype?: DType | null | undefined;
  /** Where the parameters are. Default `'cpu'`. */
  device?: Device | null | undefined;
}

/** What {@link Linear} has besides its options. */
export interface LinearState extends Resettable {
  /** `[outFeatures, inFeatures]` */
  weight: Parameter;
  /** `[outFeatures]`; `undefined` without a bias. */
  bias: Parameter | undefined;
}

/** Draws weight and bias uniformly from ±1 / sqrt(fan-in), rounded the way PyTorch's own steps round it. */
export function resetFan({ weight, bias }: { weight: Parameter; bias: Parameter | undefined }): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (bias === undefined) return;
  const fan = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  const bound = fan > 0 ? 1 / Math.sqrt(fan) : 0;
  uniform_(bias, -bound, bound);
}

/**
 * `y = x * weight^T + bias`. The parameters are drawn uniformly from ±1 / sqrt(inFeatures). **Shapes**: `[…, inFeatures]` ->
 * `[…, outFeatures]`. **Source**: `torch.nn.Linear`.
 */
export class Linear extends layer<'Linear', [input: Tensor], Tensor, LinearState>('Linear', {
  make(self, options) {
    const { inFeatures, outFeatures } = self;
    checkSizes('Linear', { inFeatures, outFeatures });
    self.weight = uninitialized([outFeatures, inFeatures], options);
    self.registerParameter('bias', options.bias ? uninitialized([outFeatures], options) : undefined);
  },
  reset: resetFan,
  forward: ({ weight, bias }, input) => linear(input, weight, bias),
  text: 'in_features={in_features}, out_features={out_features}, bias={bias}',
}) {}

/** What {@link Bilinear} has besides its options. */
export interface BilinearState extends Resettable {
  /** `[outFeatures, in1Features, in2Features]` */
  weight: Parameter;
  /** `[outFeatures]`; `undefined` without a bias. */
  bias: Parameter | undefined;
}

/**
 * `y = x1^T * weight * x2 + bias`. **Shapes**: `[…, in1Features]`, `[…, in2Features]` -> `[…, outFeatures]`. **Source**:
 * `torch.nn.Bilinear`.
 */
export class Bilinear extends layer<'Bilinear', [input1: Tensor, input2: Tensor], Tensor, BilinearState>('Bilinear', {
  make(self, options) {
    const { in1Features, in2Features, outFeatures } = self;
    if (in1Features <= 0) throw expected('Bilinear', "'in1Features'", 'to be an integer > 0', String(in1Features));
    checkSizes('Bilinear', { in2Features, outFeatures });
    self.weight = uninitialized([outFeatures, in1Features, in2Features], options);
    self.registerParameter('bias', options.bias ? uninitialized([outFeatures], options) : undefined);
  },
  reset({ weight, bias }) {
    const bound = 1 / Math.sqrt(weight.size(1));
    uniform_(weight, -bound, bound);
    if (bias !== undefined) uniform_(bias, -bound, bound);
  },
  inputs: '(Tensor input1, Tensor input2)',
  forward: ({ weight, bias }, input1, input2) => bilinear(input1, input2, weight, bias),
  text: 'in1_features={in1_features}, in2_features={in2_features}, out_features={out_features}, bias={bias}',
}) {}
