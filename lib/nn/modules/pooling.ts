/** Pooling as modules. */
import { expected, show } from '../../errors';
import type { Tensor } from '../../torch/tensor';
import { adaptiveAvgPool1d, avgPool1d, avgPool2d, avgPool3d } from '../functional/operators.generated';
import * as F from '../functional/pooling';
import { type LayerClass, layer, tuple } from './layer';

type Size = number | readonly number[];
type Dims = 1 | 2 | 3;
type Numbered<Begin extends string, Of extends Dims = Dims> = `${Begin}${Of}d`;

/** The windows of a layer, whose `stride` is their size by default. */
interface Windows {
  kernelSize: Size;
  stride: Size;
}

function fillStride(self: { kernelSize: Size; stride: Size | undefined }): void {
  self.stride ??= self.kernelSize;
}

function maxPool<Name extends Numbered<'MaxPool'>>(
  name: Name,
  pool: (...args: readonly never[]) => unknown,
): LayerClass<Name, [input: Tensor], Tensor, Windows> {
  type Own = Windows & { padding: Size; dilation: Size; ceilMode: boolean; returnIndices: boolean };
  type Pool = (...args: [Tensor, Size, Size, Size, Size, boolean, boolean]) => Tensor;
  return layer<Name, [input: Tensor], Tensor, Own>(name, {
    make: fillStride,
    forward: ({ kernelSize, stride, padding, dilation, ceilMode, returnIndices }, input) =>
      (pool as unknown as Pool)(input, kernelSize, stride, padding, dilation, ceilMode, returnIndices),
    text: 'kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, ceil_mode={ceil_mode}',
  });
}

/**
 * The maximum of each window of `kernelSize`; with `returnIndices` `[output, indices]`. **Shapes**: `[N, C, L]` or `[C, L]`
 * -> `[N, C, L']`. **Source**: `torch.nn.MaxPool1d`.
 */
export class MaxPool1d extends maxPool('MaxPool1d', F.maxPool1d) {}

/** {@link MaxPool1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.MaxPool2d`. */
export class MaxPool2d extends maxPool('MaxPool2d', F.maxPool2d) {}

/** {@link MaxPool1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.MaxPool3d`. */
export class MaxPool3d extends maxPool('MaxPool3d', F.maxPool3d) {}

type UnpoolInputs = [
  input: Tensor,
  indices: Tensor,
  outputSize?: readonly number[] | { outputSize?: readonly number[] | null } | null,
];

function maxUnpool<Name extends Numbered<'MaxUnpool'>>(
  name: Name,
  unpool: (...args: [Tensor, Tensor, Size, Size, Size, readonly number[] | undefined]) => Tensor,
): LayerClass<Name, UnpoolInputs, Tensor, Windows> {
  const dims = Number(name.at(-2));
  return layer<Name, UnpoolInputs, Tensor, Windows & { padding: Size }>(name, {
    make(self) {
      fillStride(self);
      for (const key of ['kernelSize', 'stride', 'padding'] as const)
        Object.assign(self, { [key]: tuple(self[key], dims) });
    },
    inputs: '(Tensor input, Tensor indices, int[]? output_size=None)',
    forward: ({ kernelSize, stride, padding }, input, indices, outputSize) =>
      unpool(input, indices, kernelSize, stride, padding, outputSize as readonly number[] | undefined),
    text: 'kernel_size={kernel_size}, stride={stride}, padding={padding}',
  });
}

/**
 * Undoes {@link MaxPool1d} as far as can be: maxima go back to where the indices say, all else is 0. **Shapes**: `[N, C, L]`
 * -> `[N, C, L']`. **Source**: `torch.nn.MaxUnpool1d`.
 */
export class MaxUnpool1d extends maxUnpool('MaxUnpool1d', F.maxUnpool1d) {}

/** {@link MaxUnpool1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.MaxUnpool2d`. */
export class MaxUnpool2d extends maxUnpool('MaxUnpool2d', F.maxUnpool2d) {}

/** {@link MaxUnpool1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.MaxUnpool3d`. */
export class MaxUnpool3d extends maxUnpool('MaxUnpool3d', F.maxUnpool3d) {}

/** The text of average pooling. */
const windows = 'kernel_size={kernel_size}, stride={stride}, padding={padding}';

/**
 * The mean of each window of `kernelSize`. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C, L']`. **Source**:
 * `torch.nn.AvgPool1d`.
 */
export class AvgPool1d extends layer('AvgPool1d', {
  make(self) {
    fillStride(self);
    for (const key of ['kernelSize', 'stride', 'padding'] as const) self[key] = tuple(self[key] as Size, 1);
  },
  forward: ({ kernelSize, stride, padding, ceilMode, countIncludePad }, input: Tensor) =>
    avgPool1d(input, kernelSize, stride as Size, padding, ceilMode, countIncludePad),
  text: windows,
}) {}

/** {@link AvgPool1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.AvgPool2d`. */
export class AvgPool2d extends layer('AvgPool2d', {
  make: fillStride,
  forward: ({ kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride }, input: Tensor) =>
    avgPool2d(input, kernelSize, stride as Size, padding, ceilMode, countIncludePad, divisorOverride ?? null),
  text: windows,
}) {}

/** {@link AvgPool1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.AvgPool3d`. */
export class AvgPool3d extends layer('AvgPool3d', {
  make: fillStride,
  forward: ({ kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride }, input: Tensor) =>
    avgPool3d(input, kernelSize, stride as Size, padding, ceilMode, countIncludePad, divisorOverride ?? null),
  text: windows,
}) {}

/** What fractional pooling has besides its options. */
export interface FractionalMaxPoolState {
  /** Where the windows lie, if it is not drawn. */
  _randomSamples: Tensor | undefined;
}

function fractionalMaxPool<Name extends Numbered<'FractionalMaxPool', 2 | 3>>(
  name: Name,
  pool: (...args: readonly never[]) => unknown,
): LayerClass<Name, [input: Tensor], Tensor, FractionalMaxPoolState> {
  const dims = Number(name.at(-2));
  type Options = {
    kernelSize: Size;
    outputSize: Size | undefined;
    outputRatio: Size | undefined;
    returnIndices: boolean;
  };
  type Pool = (...args: [Tensor, Size, Size | undefined, Size | undefined, boolean, Tensor | undefined]) => Tensor;
  return layer<Name, [input: Tensor], Tensor, FractionalMaxPoolState & Options>(name, {
    make(self, options) {
      const { kernelSize, outputSize, outputRatio } = self;
      if ([kernelSize].flat().some((size) => size <= 0)) {
        throw expected(name, "'kernelSize'", 'to be greater than 0', show(kernelSize));
      }
      if ((outputSize === undefined) === (outputRatio === undefined)) {
        const actual = outputSize === undefined ? 'neither' : 'both';
        throw expected(name, "'outputSize' or 'outputRatio'", 'to be given', actual);
      }
      self.kernelSize = tuple(kernelSize, dims);
      if (outputSize !== undefined) self.outputSize = tuple(outputSize, dims);
      if (outputRatio !== undefined) self.outputRatio = ratio(name, outputRatio, dims);
      self.registerBuffer('_randomSamples', (options as { _randomSamples?: Tensor })._randomSamples);
    },
    forward: ({ kernelSize, outputSize, outputRatio, returnIndices, _randomSamples }, input) =>
      (pool as unknown as Pool)(input, kernelSize, outputSize, outputRatio, returnIndices, _randomSamples),
  });
}

function ratio(name: string, given: Size, dims: number): readonly number[] {
  const parts = tuple(given, dims);
  for (const part of parts) {
    if (!(part > 0 && part < 1)) throw expected(name, "'outputRatio'", 'to be between 0 and 1', String(part));
  }
  return parts;
}

/**
 * The maximum of windows whose places are drawn at random: `outputSize` of them, or `outputRatio` of the input's size.
 * **Shapes**: `[N, C, H, W]` or `[C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.FractionalMaxPool2d`.
 */
export class FractionalMaxPool2d extends fractionalMaxPool('FractionalMaxPool2d', F.fractionalMaxPool2d) {}

/**
 * {@link FractionalMaxPool2d} over three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**:
 * `torch.nn.FractionalMaxPool3d`.
 */
export class FractionalMaxPool3d extends fractionalMaxPool('FractionalMaxPool3d', F.fractionalMaxPool3d) {}

const powers = 'norm_type={norm_type}, kernel_size={kernel_size}, stride={stride}, ceil_mode={ceil_mode}';

/** The p-norm of each window: `(sum x^p)^(1/p)`. **Shapes**: `[N, C, L]` -> `[N, C, L']`. **Source**: `torch.nn.LPPool1d`. */
export class LPPool1d extends layer('LPPool1d', {
  forward: ({ normType, kernelSize, stride, ceilMode }, input: Tensor) =>
    F.lpPool1d(input, normType, kernelSize, stride, ceilMode),
  text: powers,
}) {}

/** {@link LPPool1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.LPPool2d`. */
export class LPPool2d extends layer('LPPool2d', {
  forward: ({ normType, kernelSize, stride, ceilMode }, input: Tensor) =>
    F.lpPool2d(input, normType, kernelSize, stride, ceilMode),
  text: powers,
}) {}

/** {@link LPPool1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.LPPool3d`. */
export class LPPool3d extends layer('LPPool3d', {
  forward: ({ normType, kernelSize, stride, ceilMode }, input: Tensor) =>
    F.lpPool3d(input, normType, kernelSize, stride, ceilMode),
  text: powers,
}) {}

function adaptiveMaxPool<Name extends Numbered<'AdaptiveMaxPool'>>(
  name: Name,
  pool: (...args: readonly never[]) => unknown,
): LayerClass<Name> {
  type Pool = (input: Tensor, size: Size, returnIndices: boolean) => Tensor;
  return layer<Name, [input: Tensor], Tensor, { outputSize: Size; returnIndices: boolean }>(name, {
    forward: ({ outputSize, returnIndices }, input) => (pool as unknown as Pool)(input, outputSize, returnIndices),
    text: 'output_size={output_size}',
  });
}

/**
 * The maxima of as many windows as `outputSize` says; with `returnIndices` `[output, indices]`. **Shapes**: `[N, C, L]` or
 * `[C, L]` -> `[N, C, L']`. **Source**: `torch.nn.AdaptiveMaxPool1d`.
 */
export class AdaptiveMaxPool1d extends adaptiveMaxPool('AdaptiveMaxPool1d', F.adaptiveMaxPool1d) {}

/**
 * {@link AdaptiveMaxPool1d} over two dimensions; an absent part of `outputSize` is the input's. **Shapes**: `[N, C, H, W]` ->
 * `[N, C, H', W']`. **Source**: `torch.nn.AdaptiveMaxPool2d`.
 */
export class AdaptiveMaxPool2d extends adaptiveMaxPool('AdaptiveMaxPool2d', F.adaptiveMaxPool2d) {}

/**
 * {@link AdaptiveMaxPool2d} over three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**:
 * `torch.nn.AdaptiveMaxPool3d`.
 */
export class AdaptiveMaxPool3d extends adaptiveMaxPool('AdaptiveMaxPool3d', F.adaptiveMaxPool3d) {}

/**
 * The means of as many windows as `outputSize` says. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C, L']`. **Source**:
 * `torch.nn.AdaptiveAvgPool1d`.
 */
export class AdaptiveAvgPool1d extends layer('AdaptiveAvgPool1d', {
  forward: ({ outputSize }, input: Tensor) => adaptiveAvgPool1d(input, outputSize),
  text: 'output_size={output_size}',
}) {}

/**
 * {@link AdaptiveAvgPool1d} over two dimensions; an absent part of `outputSize` is the input's. **Shapes**: `[N, C, H, W]` ->
 * `[N, C, H', W']`. **Source**: `torch.nn.AdaptiveAvgPool2d`.
 */
export class AdaptiveAvgPool2d extends layer('AdaptiveAvgPool2d', {
  forward: ({ outputSize }, input: Tensor) => F.adaptiveAvgPool2d(input, outputSize),
  text: 'output_size={output_size}',
}) {}

/**
 * {@link AdaptiveAvgPool2d} over three dimensions. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**:
 * `torch.nn.AdaptiveAvgPool3d`.
 */
export class AdaptiveAvgPool3d extends layer('AdaptiveAvgPool3d', {
  forward: ({ outputSize }, input: Tensor) => F.adaptiveAvgPool3d(input, outputSize),
  text: 'output_size={output_size}',
}) {}
