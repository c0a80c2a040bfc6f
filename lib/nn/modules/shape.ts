/** Modules that arrange elements anew: flattening, folding, shuffling and upsampling. */
import type { Tensor } from '../../torch/tensor';
import { fold, interpolate, unfold } from '../functional/interpolate';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../functional/operators.generated';
import { type LayerClass, type LayerName, layer, setProperty } from './layer';
import { pythonText } from './print';

/** Makes one dimension of several. **Shapes**: `[N, …]` -> `[N, M]`. **Source**: `torch.nn.Flatten`. */
export class Flatten extends layer('Flatten', {
  forward: ({ startDim, endDim }, input: Tensor) => input.flatten(startDim, endDim),
  text: 'start_dim={start_dim}, end_dim={end_dim}',
}) {}

/** Makes several dimensions of one. **Shapes**: `[…, M, …]` -> `[…, U1, U2, …]`. **Source**: `torch.nn.Unflatten`. */
export class Unflatten extends layer('Unflatten', {
  forward: ({ dim, unflattenedSize }, input: Tensor) => input.unflatten(dim, unflattenedSize),
  text: 'dim={dim}, unflattened_size={unflattened_size}',
}) {}

/**
 * Adds up windows where they overlap. **Shapes**: `[N, C * kH * kW, L]` or `[C * kH * kW, L]` -> `[N, C, H, W]`. **Source**:
 * `torch.nn.Fold`.
 */
export class Fold extends layer('Fold', {
  forward: ({ outputSize, kernelSize, dilation, padding, stride }, input: Tensor) =>
    fold(input, outputSize, kernelSize, dilation, padding, stride),
  text: 'output_size={output_size}, kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}',
}) {}

/** The windows of an image, as columns. **Shapes**: `[N, C, H, W]` -> `[N, C * kH * kW, L]`. **Source**: `torch.nn.Unfold`. */
export class Unfold extends layer('Unfold', {
  forward: ({ kernelSize, dilation, padding, stride }, input: Tensor) =>
    unfold(input, kernelSize, dilation, padding, stride),
  text: 'kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}',
}) {}

/** Channels as pixels: `r = upscaleFactor`. **Shapes**: `[…, C * r^2, H, W]` -> `[…, C, H * r, W * r]`. **Source**: `torch.nn.PixelShuffle`. */
export class PixelShuffle extends layer('PixelShuffle', {
  forward: ({ upscaleFactor }, input: Tensor) => pixelShuffle(input, upscaleFactor),
  text: 'upscale_factor={upscale_factor}',
}) {}

/** Pixels as channels: `r = downscaleFactor`. **Shapes**: `[…, C, H * r, W * r]` -> `[…, C * r^2, H, W]`. **Source**: `torch.nn.PixelUnshuffle`. */
export class PixelUnshuffle extends layer('PixelUnshuffle', {
  forward: ({ downscaleFactor }, input: Tensor) => pixelUnshuffle(input, downscaleFactor),
  text: 'downscale_factor={downscale_factor}',
}) {}

/** Mixes the channels of `groups`. **Shapes**: `[N, C, …]` -> the same. **Source**: `torch.nn.ChannelShuffle`. */
export class ChannelShuffle extends layer('ChannelShuffle', {
  forward: ({ groups }, input: Tensor) => channelShuffle(input, groups),
  text: 'groups={groups}',
}) {}

type Size = number | readonly number[];

/** The options of upsampling. */
interface Options {
  size: Size | undefined;
  scaleFactor: Size | undefined;
  mode: string;
  alignCorners: boolean | undefined;
  recomputeScaleFactor: boolean | undefined;
}

/** `fixed`: the options that the class has by itself. */
function upsample<Name extends LayerName & `Upsampl${string}`>(
  name: Name,
  fixed: Partial<Options> = {},
): LayerClass<Name> {
  return layer<Name, [input: Tensor], Tensor, Options>(name, {
    make(self) {
      for (const [key, value] of Object.entries(fixed)) setProperty(self, key, value);
      // As in Python, where 0 counts as nothing.
      if (self.scaleFactor === 0) self.scaleFactor = undefined;
    },
    forward: ({ size, scaleFactor, mode, alignCorners, recomputeScaleFactor }, input) =>
      interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor }),
    text: ({ size, scaleFactor, mode }) =>
      `${scaleFactor === undefined ? `size=${pythonText(size)}` : `scale_factor=${pythonText(scaleFactor, 'float')}`}, mode='${mode}'`,
  });
}

/**
 * An image, a signal or a volume of another `size`, or `scaleFactor` times as large. `mode`: `'nearest'`, `'linear'`,
 * `'bilinear'`, `'bicubic'` or `'trilinear'`. **Shapes**: `[N, C, …]` -> `[N, C, …]`. **Source**: `torch.nn.Upsample`.
 */
export class Upsample extends upsample('Upsample') {}

/** {@link Upsample} with the nearest pixel. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.UpsamplingNearest2d`. */
export class UpsamplingNearest2d extends upsample('UpsamplingNearest2d', { mode: 'nearest' }) {}

/**
 * {@link Upsample} with corners on corners. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**:
 * `torch.nn.UpsamplingBilinear2d`.
 */
export class UpsamplingBilinear2d extends upsample('UpsamplingBilinear2d', { mode: 'bilinear', alignCorners: true }) {}
