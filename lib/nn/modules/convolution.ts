/** Convolutions as modules. */
import { expected, show } from '../../errors';
import { oneOf } from '../../options';
import type { Tensor } from '../../torch/tensor';
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  pad,
} from '../functional/operators.generated';
import type { Parameter } from '../parameter';
import { checkSizes, type LayerClass, layer, type Resettable, setProperty, tuple, uninitialized } from './layer';
import { resetFan } from './linear';
import type { Module } from './module';
import { pythonText } from './print';

/** What a convolution has besides its options. */
export interface ConvState extends Resettable {
  /** `[outChannels, inChannels / groups, k…]`, transposed `[inChannels, outChannels / groups, k…]`. */
  weight: Parameter;
  /** `[outChannels]`; `undefined` without a bias. */
  bias: Parameter | undefined;
  /** Whether it is transposed. */
  readonly transposed: boolean;
  /** How many elements are added at one end of each dimension of the result: 0 unless it is transposed. */
  outputPadding: readonly number[];
}

type Sizes = readonly number[];

/** The options that all convolutions share, a number for each dimension. */
interface Options {
  inChannels: number;
  outChannels: number;
  kernelSize: number | Sizes;
  stride: number | Sizes;
  padding: number | Sizes | string;
  dilation: number | Sizes;
  groups: number;
  paddingMode: string;
}

type Self = Module & Options & ConvState;
type Given = Parameters<typeof uninitialized>[1] & { bias: boolean };

const paddingModes = ['zeros', 'reflect', 'replicate', 'circular'] as const;

function make(name: string, dims: number, self: Self, options: Given, transposed: boolean): void {
  for (const key of ['kernelSize', 'stride', 'dilation', 'padding'] as const) {
    const value = self[key];
    if (typeof value !== 'string') Object.assign(self, { [key]: tuple(value, dims) });
  }
  const outputPadding = tuple(transposed ? self.outputPadding : 0, dims);
  for (const [key, value] of Object.entries({ transposed, outputPadding })) setProperty(self, key, value);
  const { inChannels, outChannels, groups, kernelSize } = self;
  check(name, self);
  const kernel = kernelSize as Sizes;
  const shape = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
  self.weight = uninitialized([...shape, ...kernel], options);
  self.registerParameter('bias', options.bias ? uninitialized([outChannels], options) : undefined);
}

function check(
  name: string,
  { inChannels, outChannels, kernelSize, groups, padding, stride, paddingMode, transposed }: Self,
): void {
  checkSizes(name, { inChannels, outChannels, kernelSize });
  if (groups <= 0) throw expected(name, "'groups'", 'to be an integer > 0', String(groups));
  for (const [argument, channels] of Object.entries({ inChannels, outChannels })) {
    if (channels % groups === 0) continue;
    throw expected(name, `'${argument}'`, `to be a multiple of groups, ${groups}`, String(channels));
  }
  if (typeof padding === 'string') {
    oneOf(name, "'padding'", padding, ['same', 'valid']);
    if (padding === 'same' && (stride as Sizes).some((step) => step !== 1)) {
      throw expected(name, "'stride'", "to be 1 where padding is 'same'", show(stride));
    }
  }
  oneOf(name, "'paddingMode'", paddingMode, transposed ? ['zeros'] : paddingModes);
}

function text(self: Self): string {
  const { inChannels, outChannels, kernelSize, stride, padding, dilation, outputPadding, groups, bias, paddingMode } =
    self;
  const isAll = (value: Options['padding'], number: number): boolean =>
    Array.isArray(value) && value.every((each) => each === number);
  return [
    `${inChannels}, ${outChannels}, kernel_size=${pythonText(kernelSize)}, stride=${pythonText(stride)}`,
    ...(isAll(padding, 0) ? [] : [`padding=${pythonText(padding)}`]),
    ...(isAll(dilation, 1) ? [] : [`dilation=${pythonText(dilation)}`]),
    ...(isAll(outputPadding, 0) ? [] : [`output_padding=${pythonText(outputPadding)}`]),
    ...(groups === 1 ? [] : [`groups=${groups}`]),
    ...(bias === undefined ? ['bias=False'] : []),
    ...(paddingMode === 'zeros' ? [] : [`padding_mode=${paddingMode}`]),
  ].join(', ');
}

type Numbered<Begin extends string> = `${Begin}${1 | 2 | 3}d`;

function convolution<Name extends Numbered<'Conv'>>(
  name: Name,
  run: typeof conv2d,
): LayerClass<Name, [input: Tensor], Tensor, ConvState> {
  const dims = Number(name.at(-2));
  return layer<Name, [input: Tensor], Tensor, Options & ConvState>(name, {
    make: (self, options) => make(name, dims, self, options as unknown as Given, false),
    reset: resetFan,
    forward(self, input) {
      const { weight, bias = null, padding, groups, paddingMode } = self;
      const [stride, dilation] = [self.stride as Sizes, self.dilation as Sizes];
      if (paddingMode === 'zeros') return run(input, weight, bias, stride, padding as Sizes, dilation, groups);
      return run(pad(input, ends(self), paddingMode), weight, bias, stride, tuple(0, dims), dilation, groups);
    },
    text,
  });
}

/** How much is added at both ends of each dimension, from the last one on. */
function ends({ padding, dilation, kernelSize }: Self): number[] {
  const sizes = [...(kernelSize as Sizes).keys()].reverse();
  if (padding === 'valid') return sizes.flatMap(() => [0, 0]);
  if (padding !== 'same')
    return sizes.flatMap((d) => [(padding as Sizes)[d] as number, (padding as Sizes)[d] as number]);
  return sizes.flatMap((d) => {
    const total = ((dilation as Sizes)[d] as number) * (((kernelSize as Sizes)[d] as number) - 1);
    const left = Math.floor(total / 2);
    return [left, total - left];
  });
}

/**
 * Each output is a sum over channels and a window of the input, with weights that are the same everywhere. `padding` may be
 * `'same'` or `'valid'`. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C', L']`. **Source**: `torch.nn.Conv1d`.
 */
export class Conv1d extends convolution('Conv1d', conv1d as typeof conv2d) {}

/** {@link Conv1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C', H', W']`. **Source**: `torch.nn.Conv2d`. */
export class Conv2d extends convolution('Conv2d', conv2d) {}

/** {@link Conv1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C', D', H', W']`. **Source**: `torch.nn.Conv3d`. */
export class Conv3d extends convolution('Conv3d', conv3d as typeof conv2d) {}

type TransposedInputs = [input: Tensor, outputSize?: Sizes | { outputSize?: Sizes | null } | null];

function transposedConvolution<Name extends Numbered<'ConvTranspose'>>(
  name: Name,
  run: typeof convTranspose2d,
): LayerClass<Name, TransposedInputs, Tensor, ConvState> {
  const dims = Number(name.at(-2));
  return layer<Name, TransposedInputs, Tensor, Options & ConvState>(name, {
    make: (self, options) => make(name, dims, self, options as unknown as Given, true),
    reset: resetFan,
    inputs: '(Tensor input, int[]? output_size=None)',
    forward(self, input, outputSize) {
      const outputPadding = paddingFor(name, self, input, outputSize as Sizes | undefined, dims);
      const { weight, bias = null, groups } = self;
      const [stride, padding, dilation] = [self.stride, self.padding, self.dilation] as Sizes[];
      return run(input, weight, bias, stride as Sizes, padding as Sizes, outputPadding, groups, dilation as Sizes);
    },
    text,
  });
}

/** How much is added at one end for an output of the size that is asked for. */
function paddingFor(name: string, self: Self, input: Tensor, wanted: Sizes | undefined, dims: number): Sizes {
  if (wanted === undefined) return self.outputPadding;
  const { shape } = input;
  const others = shape.length === dims + 2 ? 2 : 1;
  const size = wanted.length === others + dims ? wanted.slice(others) : wanted;
  if (size.length !== dims) {
    throw expected(name, "'outputSize'", `to have ${dims} or ${others + dims} numbers`, show(wanted));
  }
  const [stride, padding, dilation, kernel] = [self.stride, self.padding, self.dilation, self.kernelSize] as Sizes[];
  return size.map((length, d) => {
    const at = (sizes: Sizes | undefined): number => sizes?.[d] as number;
    const reach = at(dilation) * (at(kernel) - 1) + 1;
    const least = ((shape[d + others] as number) - 1) * at(stride) - 2 * at(padding) + reach;
    if (length >= least && length < least + at(stride)) return length - least;
    throw expected(name, `'outputSize[${d}]'`, `to be in [${least}, ${least + at(stride) - 1}]`, String(length));
  });
}

/**
 * The gradient of {@link Conv1d} by its input, as a layer: each input goes into a window of the output. `outputSize` chooses
 * among the sizes that fit. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C', L']`. **Source**: `torch.nn.ConvTranspose1d`.
 */
export class ConvTranspose1d extends transposedConvolution(
  'ConvTranspose1d',
  convTranspose1d as typeof convTranspose2d,
) {}

/**
 * {@link ConvTranspose1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C', H', W']`. **Source**:
 * `torch.nn.ConvTranspose2d`.
 */
export class ConvTranspose2d extends transposedConvolution('ConvTranspose2d', convTranspose2d) {}

/**
 * {@link ConvTranspose1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C', D', H', W']`. **Source**:
 * `torch.nn.ConvTranspose3d`.
 */
export class ConvTranspose3d extends transposedConvolution(
  'ConvTranspose3d',
  convTranspose3d as typeof convTranspose2d,
) {}
