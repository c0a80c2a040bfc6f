/** Resizing, sampling and cutting of images and volumes. */

import { emitWarning } from '../../binding/load';
import { expected, TorchError } from '../../errors';
import { oneOf } from '../../options';
import { aten } from '../../torch/ops';
import type { Aten } from '../../torch/ops/aten.generated';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { FunctionalImplementations } from '../python.generated';
import { define, operator } from './define';

type One<T> = T | readonly T[];

/** The operator of each mode, by the dimensions of the input. */
const resizing = {
  nearest: { 3: 'upsample_nearest1d', 4: 'upsample_nearest2d', 5: 'upsample_nearest3d' },
  'nearest-exact': { 3: '_upsample_nearest_exact1d', 4: '_upsample_nearest_exact2d', 5: '_upsample_nearest_exact3d' },
  area: { 3: 'adaptive_avg_pool1d', 4: 'adaptive_avg_pool2d', 5: 'adaptive_avg_pool3d' },
  linear: { 3: 'upsample_linear1d' },
  bilinear: { 4: 'upsample_bilinear2d' },
  trilinear: { 5: 'upsample_trilinear3d' },
  bicubic: { 4: 'upsample_bicubic2d' },
  lanczos: { 4: '_upsample_lanczos2d_aa' },
} as const satisfies Record<string, Partial<Record<number, keyof Aten>>>;

type Mode = keyof typeof resizing;

const modes = Object.keys(resizing) as Mode[];
const aligned: readonly Mode[] = ['linear', 'bilinear', 'trilinear', 'bicubic', 'lanczos'];
const antialiased: Partial<Record<Mode, keyof Aten>> = {
  bilinear: '_upsample_bilinear2d_aa',
  bicubic: '_upsample_bicubic2d_aa',
  lanczos: '_upsample_lanczos2d_aa',
};

/** One value for each spatial dimension, given as one for all or as a list. */
function forEach(op: string, argument: string, given: One<number>, { shape }: Tensor): readonly number[] {
  const dims = Math.max(shape.length - 2, 0);
  if (!Array.isArray(given)) return Array.from({ length: dims }, () => given as number);
  if (given.length === dims) return given;
  const what = `to have ${dims} numbers, as 'input' of shape ${shapeText(shape)} has spatial dimensions`;
  throw expected(op, `'${argument}'`, what, String(given.length));
}

/** Exactly one of size and factors, for each dimension. */
function target(
  op: string,
  input: Tensor,
  size?: One<number>,
  factor?: One<number>,
): { size?: readonly number[]; factors?: readonly number[] } {
  if (size !== undefined && factor === undefined) return { size: forEach(op, 'size', size, input) };
  if (size === undefined && factor !== undefined) return { factors: forEach(op, 'scaleFactor', factor, input) };
  throw expected(op, "either 'size' or 'scaleFactor'", 'to be given', size === undefined ? 'neither' : 'both');
}

const resize: FunctionalImplementations['interpolate'] = (
  input,
  givenSize,
  scaleFactor,
  givenMode,
  alignCorners,
  recompute,
  antialias,
) => {
  const op = 'interpolate';
  const mode = oneOf(op, "'mode'", givenMode, modes);
  if (alignCorners !== undefined && !aligned.includes(mode)) {
    throw expected(op, "'alignCorners'", `to be absent with mode '${mode}'`, String(alignCorners));
  }
  let { size, factors } = target(op, input, givenSize, scaleFactor);
  if (recompute && factors === undefined)
    throw expected(op, "'recomputeScaleFactor'", "to be absent with 'size'", 'true');
  if (factors !== undefined && (recompute || mode === 'area')) {
    size = factors.map((factor, i) => Math.trunc((input.shape[i + 2] as number) * factor));
    factors = undefined;
  }
  const smooth = antialiased[mode];
  if (antialias && (smooth === undefined || input.ndim !== 4)) {
    const what = "to be false but for modes 'bilinear', 'bicubic' and 'lanczos' of 4 dimensions";
    throw expected(op, "'antialias'", what, 'true');
  }
  if (mode === 'lanczos' && (!antialias || alignCorners)) {
    throw expected(op, "mode 'lanczos'", "to have 'antialias' and no 'alignCorners'", `${antialias}, ${alignCorners}`);
  }
  const named = (resizing[mode] as Partial<Record<number, keyof Aten>>)[input.ndim];
  if (named === undefined) {
    const what = `to have ${Object.keys(resizing[mode]).join(' or ')} dimensions with mode '${mode}'`;
    throw expected(op, "'input'", what, `shape ${shapeText(input.shape)}`);
  }
  if (mode === 'area') return operator(named)(input, size);
  const { vec } = aten[antialias ? (smooth as keyof Aten) : named] as unknown as {
    vec: (...args: unknown[]) => Tensor;
  };
  return aligned.includes(mode) ? vec(input, size, alignCorners ?? false, factors) : vec(input, size, factors);
};

/**
 * Resizes to `size` or by `scaleFactor`. `mode` is `'nearest'`, `'nearest-exact'`, `'area'`, `'linear'` (3 dimensions),
 * `'bilinear'`, `'bicubic'`, `'lanczos'` (4) or `'trilinear'` (5). **Shapes**: `[N, C, L…]` -> `[N, C, L'…]`. **Source**:
 * `torch.nn.functional.interpolate`.
 */
export const interpolate = define('interpolate', resize);

function deprecated(op: string): void {
  emitWarning(`${op} is deprecated; use interpolate`);
}

/** {@link interpolate} by its old name. **Source**: `torch.nn.functional.upsample`. */
export const upsample = define('upsample', (input, size, factor, mode, alignCorners) => {
  deprecated('upsample');
  return resize(input, size, factor, mode, alignCorners, undefined, false);
});

/** {@link interpolate} to the nearest element, by its old name. **Source**: `torch.nn.functional.upsample_nearest`. */
export const upsampleNearest = define('upsampleNearest', (input, size, factor) => {
  deprecated('upsampleNearest');
  return resize(input, size, factor, 'nearest', undefined, undefined, false);
});

/** {@link interpolate} with `'bilinear'` and `alignCorners`, by its old name. **Source**: `torch.nn.functional.upsample_bilinear`. */
export const upsampleBilinear = define('upsampleBilinear', (input, size, factor) => {
  deprecated('upsampleBilinear');
  return resize(input, size, factor, 'bilinear', true, undefined, false);
});

const samplingModes = ['bilinear', 'nearest', 'bicubic'] as const;
const paddingModes = ['zeros', 'border', 'reflection'] as const;

function alignedOr(op: string, alignCorners: boolean | undefined): boolean {
  if (alignCorners === undefined) emitWarning(`${op}: 'alignCorners' is false where it is not given; pass it`);
  return alignCorners ?? false;
}

/**
 * The input at the places that a grid names, from -1 to 1 in each dimension. **Shapes**: input `[N, C, H, W]`, grid
 * `[N, H', W', 2]` -> `[N, C, H', W']`; or with a depth, and 3 coordinates. **Source**: `torch.nn.functional.grid_sample`.
 */
export const gridSample = define('gridSample', (input, grid, mode, paddingMode, alignCorners) => {
  const modeCode = samplingModes.indexOf(oneOf('gridSample', "'mode'", mode, samplingModes));
  const paddingCode = paddingModes.indexOf(oneOf('gridSample', "'paddingMode'", paddingMode, paddingModes));
  return aten.grid_sampler(input, grid, modeCode, paddingCode, alignedOr('gridSample', alignCorners));
});

/**
 * The grid of an affine map, for {@link gridSample}. **Shapes**: theta `[N, 2, 3]`, size `[N, C, H, W]` -> `[N, H, W, 2]`; theta
 * `[N, 3, 4]`, size `[N, C, D, H, W]` -> `[N, D, H, W, 3]`. **Source**: `torch.nn.functional.affine_grid`.
 */
export const affineGrid = define('affineGrid', (theta, size, alignCorners) => {
  const op = 'affineGrid';
  const align = alignedOr(op, alignCorners);
  if (!theta.isFloatingPoint()) throw expected(op, "'theta'", 'to be floating point', theta.dtype);
  const dims = size.length - 2;
  if (dims !== 2 && dims !== 3) throw expected(op, "'size'", 'to have 4 or 5 numbers', String(size.length));
  const { shape } = theta;
  if (shape.length !== 3 || !sameShape(shape.slice(1), [dims, dims + 1])) {
    throw expected(op, "'theta'", `to have shape [N, ${dims}, ${dims + 1}]`, shapeText(shape));
  }
  if (align && Math.min(...size.slice(2)) === 1) emitWarning(`${op}: a grid of size 1 has no corners to align`);
  else if (Math.min(...size) <= 0) throw expected(op, "'size'", 'to be positive', shapeText(size));
  return aten.affine_grid_generator(theta, size, align);
});

/**
 * The blocks that a window of `kernelSize` passes over, one in each column. **Shapes**: `[N, C, H, W]` -> `[N, C kH kW, L]`.
 * **Source**: `torch.nn.functional.unfold`.
 */
export const unfold = define('unfold', (input, kernelSize, dilation, padding, stride) =>
  aten.im2col(input, kernelSize, dilation, padding, stride),
);

/**
 * The sum of blocks at their places: the reverse of {@link unfold}. **Shapes**: `[N, C kH kW, L]` -> `[N, C, H, W]`.
 * **Source**: `torch.nn.functional.fold`.
 */
export const fold = define('fold', (input, outputSize, kernelSize, dilation, padding, stride) =>
  aten.col2im(input, outputSize, kernelSize, dilation, padding, stride),
);

/**
 * Refuses what is neither an integer nor a pair of them, with `message`, in which `{}` is the argument's name. **Source**:
 * `torch.nn.functional.assert_int_or_pair`.
 */
export const assertIntOrPair = define('assertIntOrPair', (given, name, message) => {
  if (typeof given === 'number' || given.length === 2) return;
  throw new TorchError('INVALID_ARGUMENT', message.replaceAll('{}', name), { argument: name });
});
