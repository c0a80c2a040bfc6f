/** Normalization over features and groups of channels as modules. {@link BatchNorm1d} and its like are in `batch-norm.ts`. */
import { expected } from '../../errors';
import type { Tensor } from '../../torch/tensor';
import { groupNorm, layerNorm, localResponseNorm } from '../functional/normalization';
import { rmsNorm } from '../functional/operators.generated';
import { ones_, zeros_ } from '../init';
import type { Parameter } from '../parameter';
import { checkSizes, layer, type Resettable, uninitialized } from './layer';
import type { Module } from './module';

/** The parameters of a normalization. */
export interface AffineState extends Resettable {
  /** What is multiplied with; `undefined` unless there are parameters. */
  weight: Parameter | undefined;
  /** What is added; `undefined` without a bias. */
  bias: Parameter | undefined;
}

/** Makes the parameters of a normalization, of one shape. */
export function makeAffine(
  self: Module & AffineState,
  shape: readonly number[],
  options: Parameters<typeof uninitialized>[1],
  [hasWeight, hasBias]: readonly [boolean, boolean],
): void {
  self.registerParameter('weight', hasWeight ? uninitialized(shape, options) : undefined);
  self.registerParameter('bias', hasWeight && hasBias ? uninitialized(shape, options) : undefined);
}

/** Their first values: ones and zeros. */
export function resetAffine({ weight, bias }: AffineState): void {
  if (weight !== undefined) ones_(weight);
  if (bias !== undefined) zeros_(bias);
}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` over the last dimensions, whose sizes are `normalizedShape`. **Shapes**:
 * `[…, normalizedShape]` -> the same. **Source**: `torch.nn.LayerNorm`; Ba et al., Layer Normalization, 2016.
 */
export class LayerNorm extends layer<'LayerNorm', [input: Tensor], Tensor, AffineState>('LayerNorm', {
  make(self, options) {
    const shape = [options.normalizedShape].flat();
    checkSizes('LayerNorm', { normalizedShape: shape });
    self.normalizedShape = shape;
    makeAffine(self, shape, options, [self.elementwiseAffine, options.bias]);
  },
  reset: resetAffine,
  forward: ({ normalizedShape, weight, bias, eps }, input) =>
    layerNorm(input, normalizedShape as readonly number[], weight, bias, eps),
  text: '{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}, bias={bias}',
}) {}

/** What {@link RMSNorm} has besides its options. */
export interface RMSNormState extends Resettable {
  /** What is multiplied with; `undefined` unless there are parameters. */
  weight: Parameter | undefined;
}

/**
 * `x / sqrt(mean(x^2) + eps) * weight` over the last dimensions, whose sizes are `normalizedShape`; the default of `eps` is
 * that of the dtype. **Shapes**: `[…, normalizedShape]` -> the same. **Source**: `torch.nn.RMSNorm`; Zhang and Sennrich,
 * Root Mean Square Layer Normalization, 2019.
 */
export class RMSNorm extends layer<'RMSNorm', [input: Tensor], Tensor, RMSNormState>('RMSNorm', {
  make(self, options) {
    const shape = [options.normalizedShape].flat();
    checkSizes('RMSNorm', { normalizedShape: shape });
    self.normalizedShape = shape;
    self.registerParameter('weight', self.elementwiseAffine ? uninitialized(shape, options) : undefined);
  },
  reset({ weight }) {
    if (weight !== undefined) ones_(weight);
  },
  forward: ({ normalizedShape, weight, eps }, input) =>
    rmsNorm(input, normalizedShape as readonly number[], weight ?? null, eps ?? null),
  text: '{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}',
}) {}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` over each of `numGroups` groups of channels. **Shapes**: `[N, C, …]` -> the
 * same. **Source**: `torch.nn.GroupNorm`; Wu and He, Group Normalization, 2018.
 */
export class GroupNorm extends layer<'GroupNorm', [input: Tensor], Tensor, AffineState>('GroupNorm', {
  make(self, options) {
    const { numChannels, numGroups, affine } = self;
    checkSizes('GroupNorm', { numChannels });
    if (numGroups <= 0 || numChannels % numGroups !== 0) {
      throw expected('GroupNorm', "'numChannels'", `to be a multiple of numGroups, ${numGroups}`, String(numChannels));
    }
    makeAffine(self, [numChannels], options, [affine, options.bias]);
  },
  reset: resetAffine,
  forward: ({ numGroups, weight, bias, eps }, input) => groupNorm(input, numGroups, weight, bias, eps),
  text: '{num_groups}, {num_channels}, eps={eps}, affine={affine}, bias={bias}',
}) {}

/**
 * `x / (k + alpha * mean(x^2))^beta` over `size` neighbouring channels. **Shapes**: `[N, C, …]` -> the same. **Source**:
 * `torch.nn.LocalResponseNorm`.
 */
export class LocalResponseNorm extends layer('LocalResponseNorm', {
  forward: ({ size, alpha, beta, k }, input: Tensor) => localResponseNorm(input, size, alpha, beta, k),
  text: '{size}, alpha={alpha}, beta={beta}, k={k}',
}) {}
