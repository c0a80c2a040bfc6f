/** Pooling. Average pooling is a single operator, in `operators.generated.ts`. */

import { expected } from '../../errors';
import { rand } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import type { Aten } from '../../torch/ops/aten.generated';
import type { Tensor } from '../../torch/tensor';
import type { FunctionalCalls } from '../python.generated';
import { define, defineAlike, operator } from './define';

type Pair = [output: Tensor, indices: Tensor];
type Size = number | readonly number[];

/** A function of {@link FunctionalCalls} whose name begins so. */
type Named<Begin extends string> = keyof FunctionalCalls & `${Begin}${string}`;

/** Max pooling by one operator or, where indices are asked for, another. */
function maxPool<Name extends Named<'maxPool'>>(
  name: Name,
  plain: keyof Aten,
  indexed: keyof Aten,
): FunctionalCalls[Name] {
  type Args = [input: Tensor, size: Size, stride: Size | undefined, padding: Size, dilation: Size, ceilMode: boolean];
  return defineAlike(name, (...args: [...Args, returnIndices: boolean]) => {
    const [input, size, stride = [], padding, dilation, ceilMode, returnIndices] = args;
    return operator<Tensor | Pair>(returnIndices ? indexed : plain)(input, size, stride, padding, dilation, ceilMode);
  });
}

/**
 * The maximum of each window of `kernelSize`, `stride` apart (default: the window's size). `returnIndices` gives `[output,
 * indices]`. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C, L']`. **Source**: `torch.nn.functional.max_pool1d`.
 */
export const maxPool1d = maxPool('maxPool1d', 'max_pool1d', 'max_pool1d_with_indices');

/** {@link maxPool1d} over two dimensions. **Shapes**: `[N, C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.functional.max_pool2d`. */
export const maxPool2d = maxPool('maxPool2d', 'max_pool2d', 'max_pool2d_with_indices');

/** {@link maxPool1d} over three. **Shapes**: `[N, C, D, H, W]` -> `[N, C, D', H', W']`. **Source**: `torch.nn.functional.max_pool3d`. */
export const maxPool3d = maxPool('maxPool3d', 'max_pool3d', 'max_pool3d_with_indices');

/** {@link maxPool1d} with where each maximum is: `[output, indices]`. **Source**: `torch.nn.functional.max_pool1d_with_indices`. */
export const maxPool1dWithIndices = maxPool(
  'maxPool1dWithIndices',
  'max_pool1d_with_indices',
  'max_pool1d_with_indices',
);

/** {@link maxPool2d} with where each maximum is: `[output, indices]`. **Source**: `torch.nn.functional.max_pool2d_with_indices`. */
export const maxPool2dWithIndices = maxPool(
  'maxPool2dWithIndices',
  'max_pool2d_with_indices',
  'max_pool2d_with_indices',
);

/** {@link maxPool3d} with where each maximum is: `[output, indices]`. **Source**: `torch.nn.functional.max_pool3d_with_indices`. */
export const maxPool3dWithIndices = maxPool(
  'maxPool3dWithIndices',
  'max_pool3d_with_indices',
  'max_pool3d_with_indices',
);

/** Pooling at random places; `always`: whether indices are given in any case. */
function fractionalMaxPool<Name extends Named<'fractionalMaxPool'>>(
  op: Name,
  dims: 2 | 3,
  always = false,
): FunctionalCalls[Name] {
  type Sizes = [kernelSize: readonly number[], outputSize?: readonly number[], outputRatio?: readonly number[]];
  return defineAlike(
    op,
    (input: Tensor, ...[kernelSize, outputSize, ratio, ...rest]: [...Sizes, boolean?, Tensor?]) => {
      const [returnIndices, samples] = rest;
      const { shape, dtype, device } = input;
      if (outputSize === undefined && ratio?.length !== dims) {
        const actual = ratio === undefined ? 'neither' : `a ratio of ${ratio.length} numbers`;
        throw expected(op, "'outputSize' or 'outputRatio'", `to be given, with ${dims} numbers`, actual);
      }
      const size = outputSize ?? (ratio ?? []).map((part, i) => Math.trunc((shape.at(i - dims) ?? 0) * part));
      const batch = shape.length === dims + 1 ? 1 : (shape[0] ?? 0);
      const drawn = samples ?? rand([batch, shape.at(-1 - dims) ?? 0, dims], { dtype, device });
      const pair = operator<Pair>(`fractional_max_pool${dims}d`)(input, kernelSize, size, drawn);
      return always || returnIndices ? pair : pair[0];
    },
  );
}

/**
 * The maximum of windows whose places are drawn at random, `outputSize` of them or `outputRatio` of the input's size.
 * **Shapes**: `[N, C, H, W]` or `[C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.functional.fractional_max_pool2d`.
 */
export const fractionalMaxPool2d = fractionalMaxPool('fractionalMaxPool2d', 2);

/** {@link fractionalMaxPool2d} over three dimensions. **Source**: `torch.nn.functional.fractional_max_pool3d`. */
export const fractionalMaxPool3d = fractionalMaxPool('fractionalMaxPool3d', 3);

/** {@link fractionalMaxPool2d} as `[output, indices]`. **Source**: `torch.nn.functional.fractional_max_pool2d_with_indices`. */
export const fractionalMaxPool2dWithIndices = fractionalMaxPool('fractionalMaxPool2dWithIndices', 2, true);

/** {@link fractionalMaxPool3d} as `[output, indices]`. **Source**: `torch.nn.functional.fractional_max_pool3d_with_indices`. */
export const fractionalMaxPool3dWithIndices = fractionalMaxPool('fractionalMaxPool3dWithIndices', 3, true);

type AdaptiveSize = number | readonly (number | null | undefined)[];

/** The size of the output, of which an absent part is the input's. */
function filled(op: string, size: AdaptiveSize, { shape }: Tensor): number[] {
  const parts = Array.isArray(size) ? size : [size];
  if (shape.length > parts.length) return parts.map((part, i) => part ?? shape.at(i - parts.length));
  throw expected(op, "'input'", `to have more than ${parts.length} dimensions`, String(shape.length));
}

function adaptiveMaxPool<Name extends Named<'adaptiveMaxPool'>>(
  op: Name,
  name: keyof Aten,
  always = false,
): FunctionalCalls[Name] {
  return defineAlike(op, (input: Tensor, size: AdaptiveSize, returnIndices: boolean) => {
    const pair = operator<Pair>(name)(input, filled(op, size, input));
    return always || returnIndices ? pair : pair[0];
  });
}

/**
 * The means of as many windows as `outputSize` says; an absent part of it is the input's. **Shapes**: `[N, C, H, W]` or
 * `[C, H, W]` -> `[N, C, H', W']`. **Source**: `torch.nn.functional.adaptive_avg_pool2d`.
 */
export const adaptiveAvgPool2d = define('adaptiveAvgPool2d', (input, size) =>
  aten.adaptive_avg_pool2d(input, filled('adaptiveAvgPool2d', size, input)),
);

/** {@link adaptiveAvgPool2d} over three dimensions. **Source**: `torch.nn.functional.adaptive_avg_pool3d`. */
export const adaptiveAvgPool3d = define('adaptiveAvgPool3d', (input, size) =>
  aten.adaptive_avg_pool3d(input, filled('adaptiveAvgPool3d', size, input)),
);

/**
 * The maxima of as many windows as `outputSize` says; `returnIndices` gives `[output, indices]`. **Shapes**: `[N, C, L]` or
 * `[C, L]` -> `[N, C, L']`. **Source**: `torch.nn.functional.adaptive_max_pool1d`.
 */
export const adaptiveMaxPool1d = adaptiveMaxPool('adaptiveMaxPool1d', 'adaptive_max_pool1d');

/** {@link adaptiveMaxPool1d} over two dimensions. **Source**: `torch.nn.functional.adaptive_max_pool2d`. */
export const adaptiveMaxPool2d = adaptiveMaxPool('adaptiveMaxPool2d', 'adaptive_max_pool2d');

/** {@link adaptiveMaxPool1d} over three. **Source**: `torch.nn.functional.adaptive_max_pool3d`. */
export const adaptiveMaxPool3d = adaptiveMaxPool('adaptiveMaxPool3d', 'adaptive_max_pool3d');

/** {@link adaptiveMaxPool1d} as `[output, indices]`. **Source**: `torch.nn.functional.adaptive_max_pool1d_with_indices`. */
export const adaptiveMaxPool1dWithIndices = adaptiveMaxPool(
  'adaptiveMaxPool1dWithIndices',
  'adaptive_max_pool1d',
  true,
);

/** {@link adaptiveMaxPool2d} as `[output, indices]`. **Source**: `torch.nn.functional.adaptive_max_pool2d_with_indices`. */
export const adaptiveMaxPool2dWithIndices = adaptiveMaxPool(
  'adaptiveMaxPool2dWithIndices',
  'adaptive_max_pool2d',
  true,
);

/** {@link adaptiveMaxPool3d} as `[output, indices]`. **Source**: `torch.nn.functional.adaptive_max_pool3d_with_indices`. */
export const adaptiveMaxPool3dWithIndices = adaptiveMaxPool(
  'adaptiveMaxPool3dWithIndices',
  'adaptive_max_pool3d',
  true,
);

function lpPool<Name extends Named<'lpPool'>>(name: Name, max: keyof Aten, average: keyof Aten): FunctionalCalls[Name] {
  return defineAlike(name, (input: Tensor, p: number, size: Size, stride: Size | undefined, ceilMode: boolean) => {
    const window = [size, stride ?? [], 0] as const;
    if (p === Infinity) return operator(max)(input.abs(), ...window, 1, ceilMode);
    if (p === -Infinity) return operator(max)(input.abs().neg(), ...window, 1, ceilMode).neg();
    const means = operator(average)(input.pow(p), ...window, ceilMode);
    const count = [size].flat().reduce((product, length) => product * length, 1);
    return means
      .sign()
      .mul(means.abs().relu())
      .mul(count)
      .pow(1 / p);
  });
}

/**
 * The p-norm of each window: `(sum x^p)^(1/p)`. **Shapes**: `[N, C, L]` or `[C, L]` -> `[N, C, L']`. **Source**:
 * `torch.nn.functional.lp_pool1d`.
 */
export const lpPool1d = lpPool('lpPool1d', 'max_pool1d', 'avg_pool1d');

/** {@link lpPool1d} over two dimensions. **Source**: `torch.nn.functional.lp_pool2d`. */
export const lpPool2d = lpPool('lpPool2d', 'max_pool2d', 'avg_pool2d');

/** {@link lpPool1d} over three. **Source**: `torch.nn.functional.lp_pool3d`. */
export const lpPool3d = lpPool('lpPool3d', 'max_pool3d', 'avg_pool3d');

/** The size of an unpooled output: as asked for, or the smallest from which pooling gives the input. */
function unpooledSize(
  op: string,
  { shape }: Tensor,
  kernel: number[],
  stride: number[],
  padding: number[],
  wanted: number[] | undefined,
): number[] {
  const dims = kernel.length;
  const smallest = kernel.map((length, d) => {
    const pooled = shape[shape.length - dims + d] as number;
    return (pooled - 1) * (stride[d] as number) + length - 2 * (padding[d] as number);
  });
  const size = wanted?.length === dims + 2 ? wanted.slice(2) : (wanted ?? smallest);
  if (size.length !== dims) {
    throw expected(op, "'outputSize'", `to have ${dims} or ${dims + 2} numbers`, String(size.length));
  }
  for (const [d, length] of size.entries()) {
    const [low, high] = [
      (smallest[d] as number) - (stride[d] as number),
      (smallest[d] as number) + (stride[d] as number),
    ];
    const fits = wanted === undefined || (low < length && length < high);
    if (fits && length >= 0) continue;
    throw expected(op, `'outputSize[${d}]'`, `to be >= 0 and between ${low} and ${high}`, String(length));
  }
  return size;
}

function maxUnpool<Name extends Named<'maxUnpool'>>(
  op: Name,
  run: (input: Tensor, indices: Tensor, size: number[], stride: number[], padding: number[]) => Tensor,
): FunctionalCalls[Name] {
  type Args = [input: Tensor, indices: Tensor, kernel: Size, stride: Size | undefined, padding: Size, wanted?: Size];
  return defineAlike(op, (...[input, indices, kernel, stride, padding, wanted]: Args) => {
    const [size, steps, padded] = [[kernel].flat(), [stride ?? kernel].flat(), [padding].flat()];
    const output = unpooledSize(op, input, size, steps, padded, wanted === undefined ? undefined : [wanted].flat());
    return run(input, indices, output, steps, padded);
  });
}

/**
 * Puts maxima back where {@link maxPool1dWithIndices} found them, zeros elsewhere. **Shapes**: `[N, C, L']` -> `[N, C, L]`;
 * `outputSize` chooses among the sizes that pool to the same. **Source**: `torch.nn.functional.max_unpool1d`.
 */
export const maxUnpool1d = maxUnpool('maxUnpool1d', (input, indices, size) =>
  aten.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [...size, 1]).squeeze(-1),
);

/** {@link maxUnpool1d} over two dimensions. **Source**: `torch.nn.functional.max_unpool2d`. */
export const maxUnpool2d = maxUnpool('maxUnpool2d', (input, indices, size) => aten.max_unpool2d(input, indices, size));

/** {@link maxUnpool1d} over three. **Source**: `torch.nn.functional.max_unpool3d`. */
export const maxUnpool3d = maxUnpool('maxUnpool3d', (input, indices, size, stride, padding) =>
  aten.max_unpool3d(input, indices, size, stride, padding),
);
