/** Windows for filters and spectra: `signal.windows.hann(512, { sym: false })`. **Source**: `torch.signal.windows`. */

import { expected } from '../../errors';
import type { Device, DType, Layout } from '../../types';
import { tensor } from '../create';
import { defineFunction } from '../functions';
import { aten } from '../ops';
import type { Tensor } from '../tensor';

/** What every window takes. */
export interface WindowOptions {
  /** Whether the window is symmetric, as filters want it; `false`: periodic, as spectra want it. Default `true`. */
  sym?: boolean | null | undefined;
  /** `'float32'` (the default) or `'float64'`. */
  dtype?: DType | null;
  /** `'strided'`. */
  layout?: Layout | null | undefined;
  /** Where the window is made. Default `'cpu'`. */
  device?: Device | null | undefined;
  /** Whether the window's own operations are recorded for gradients. Default `false`. */
  requiresGrad?: boolean | null | undefined;
}

/** A window of M points. */
export type Window<Own = object> = (M: number, options?: Own & WindowOptions) => Tensor;

/** A window with an option that has no default. */
export type WindowOf<Own> = (M: number, options: Own & WindowOptions) => Tensor;

/** How the tensors of a window are made. */
interface Made {
  op: string;
  M: number;
  sym: boolean;
  dtype: DType;
  device: Device | undefined;
  requiresGrad: boolean;
}

/** A window, declared by its own options in PyTorch's notation and what it computes where it has more than one point. */
function window<Declared>(
  name: string,
  own: string,
  compute: (made: Made, ...own: never[]) => Tensor,
  check: (op: string, sym: boolean, ...own: never[]) => void = () => undefined,
): Declared {
  const op = `signal.windows.${name}`;
  return defineFunction(
    op,
    `(int M, *, ${own === '' ? '' : `${own}, `}bool sym=True, ScalarType? dtype=None, Layout? layout=None,
      Device? device=None, bool requires_grad=False)`,
    (M: number, ...given: unknown[]) => {
      const [sym, type, layout, device, requiresGrad] = given.slice(-5) as [
        boolean,
        DType | undefined,
        Layout | undefined,
        Device | undefined,
        boolean,
      ];
      const dtype = type ?? 'float32';
      if (M < 0) throw expected(op, "'M'", 'to be >= 0', String(M));
      if (layout !== undefined && layout !== 'strided') throw expected(op, "'layout'", "to be 'strided'", layout);
      if (dtype !== 'float32' && dtype !== 'float64') {
        throw expected(op, "'dtype'", "to be 'float32' or 'float64'", dtype);
      }
      const options = given.slice(0, -5) as never[];
      check(op, sym, ...options);
      const made = { op, M: Number(M), sym, dtype, device, requiresGrad };
      return made.M === 0 ? leaf(made, aten.empty.memory_format([0], { dtype, device })) : compute(made, ...options);
    },
  );
}

function leaf({ requiresGrad }: Made, made: Tensor): Tensor {
  return requiresGrad ? made.requiresGrad_() : made;
}

/** Evenly spaced points. */
function points(made: Made, start: number, end: number): Tensor {
  const { M, dtype, device } = made;
  return leaf(made, aten.linspace(start, end, M, { dtype, device }));
}

/** A window of one point, where there would be no distance between points. */
function single(made: Made): Tensor {
  return leaf(made, aten.ones([1], { dtype: made.dtype, device: made.device }));
}

/** How many steps of the formula the window has: one less than points where it is symmetric. */
function steps({ M, sym }: Made): number {
  return sym ? M - 1 : M;
}

/**
 * The triangle from 0 over 1 to 0.
 *
 * **Formula**: `w_n = 1 - |2n / N - 1|` with N = M - 1, or M where it is periodic.
 *
 * @example signal.windows.bartlett(3).tolist() // [0, 1, 0]
 *
 * **Source**: `torch.signal.windows.bartlett`.
 */
export const bartlett: Window = window('bartlett', '', (made) => {
  if (made.M === 1) return single(made);
  const k = points(made, -1, -1 + (made.M - 1) * (2 / steps(made)));
  return aten.rsub.Scalar(aten.abs(k), 1);
});

function cosines(made: Made, a: readonly number[]): Tensor {
  const { M, dtype, device } = made;
  if (M === 1) return single(made);
  if (a.length === 0) throw expected(made.op, "'a'", 'to have a coefficient', '[]');
  const k = points(made, 0, (M - 1) * ((2 * Math.PI) / steps(made)));
  const signed = a.map((w, i) => (i % 2 === 0 ? w : -w));
  const weights = leaf(made, tensor(signed, { dtype, device }));
  const i = leaf(made, aten.arange(a.length, { dtype, device }));
  const each = aten.mul.Tensor(weights.unsqueeze(-1), aten.cos(aten.mul.Tensor(i.unsqueeze(-1), k)));
  return aten.sum.dim_IntList(each, [0]);
}

/**
 * A sum of cosines with coefficients `a`.
 *
 * **Formula**: `w_n = sum_i (-1)^i * a_i * cos(2 pi i n / N)` with N = M - 1, or M where it is periodic.
 *
 * **Source**: `torch.signal.windows.general_cosine`.
 */
export const generalCosine: WindowOf<{
  /** The coefficients. */
  a: readonly number[];
}> = window('generalCosine', 'float[] a', (made, a: readonly number[]) => cosines(made, a));

/**
 * `alpha` and one cosine.
 *
 * **Formula**: `w_n = alpha - (1 - alpha) * cos(2 pi n / N)` with N = M - 1, or M where it is periodic.
 *
 * **Source**: `torch.signal.windows.general_hamming`.
 */
export const generalHamming: Window<{
  /** The constant part. Default 0.54. */
  alpha?: number | null | undefined;
}> = window('generalHamming', 'float alpha=0.54', (made, alpha: number) => cosines(made, [alpha, 1 - alpha]));

/** {@link generalHamming} with `alpha` 0.54. **Source**: `torch.signal.windows.hamming`. */
export const hamming: Window = window('hamming', '', (made) => cosines(made, [0.54, 1 - 0.54]));

/** {@link generalHamming} with `alpha` 0.5. **Source**: `torch.signal.windows.hann`. */
export const hann: Window = window('hann', '', (made) => cosines(made, [0.5, 0.5]));

/** {@link generalCosine} with three coefficients of Blackman. **Source**: `torch.signal.windows.blackman`. */
export const blackman: Window = window('blackman', '', (made) => cosines(made, [0.42, 0.5, 0.08]));

/** {@link generalCosine} with four coefficients of Nuttall. **Source**: `torch.signal.windows.nuttall`. */
export const nuttall: Window = window('nuttall', '', (made) =>
  cosines(made, [0.3635819, 0.4891775, 0.1365995, 0.0106411]),
);

/**
 * Half a wave of a sine.
 *
 * **Formula**: `w_n = sin(pi * (n + 0.5) / N)` with N = M, or M + 1 where it is periodic.
 *
 * **Source**: `torch.signal.windows.cosine`.
 */
export const cosine: Window = window('cosine', '', (made) => {
  const { M, sym } = made;
  const constant = Math.PI / (!sym && M > 1 ? M + 1 : M);
  return aten.sin(points(made, 0.5 * constant, (0.5 + (M - 1)) * constant));
});

/** Where the middle of a window is. */
function middle({ M, sym }: Made): number {
  return (!sym && M > 1 ? M : M - 1) / 2;
}

/**
 * Exponential decay on both sides.
 *
 * **Formula**: `w_n = exp(-|n - center| / tau)`.
 *
 * **Source**: `torch.signal.windows.exponential`.
 */
export const exponential: Window<{
  /** Where it is 1. Default: the middle. Symmetric windows have no other. */
  center?: number | null | undefined;
  /** How slow it decays, > 0. Default 1. */
  tau?: number | null | undefined;
}> = window(
  'exponential',
  'float? center=None, float tau=1.',
  (made, given: number | undefined, tau: number) => {
    const center = given ?? middle(made);
    const constant = 1 / tau;
    const k = points(made, -center * constant, (-center + (made.M - 1)) * constant);
    return aten.exp(aten.neg(aten.abs(k)));
  },
  (op, sym, center: number | undefined, tau: number) => {
    if (tau <= 0) throw expected(op, "'tau'", 'to be > 0', String(tau));
    if (sym && center !== undefined) {
      throw expected(op, "'center'", "to be absent where 'sym' is true", String(center));
    }
  },
);

/**
 * A bell of standard deviation `std`.
 *
 * **Formula**: `w_n = exp(-((n - center) / (std * sqrt(2)))^2)`.
 *
 * **Source**: `torch.signal.windows.gaussian`.
 */
export const gaussian: Window<{
  /** The standard deviation in points, > 0. Default 1. */
  std?: number | null | undefined;
}> = window(
  'gaussian',
  'float std=1.',
  (made, std: number) => {
    const start = -middle(made);
    const constant = 1 / (std * Math.SQRT2);
    const k = points(made, start * constant, (start + (made.M - 1)) * constant);
    return aten.exp(aten.neg(aten.pow.Tensor_Scalar(k, 2)));
  },
  (op, _sym, std: number) => {
    if (std <= 0) throw expected(op, "'std'", 'to be > 0', String(std));
  },
);

/**
 * The window of Kaiser, whose shape `beta` chooses: the larger, the wider its spectrum's main lobe.
 *
 * **Formula**: `w_n = i0(beta * sqrt(1 - ((n - N/2) / (N/2))^2)) / i0(beta)` with N = M - 1, or M where it is periodic.
 *
 * **Source**: `torch.signal.windows.kaiser`.
 */
export const kaiser: Window<{
  /** The shape, >= 0. Default 12. */
  beta?: number | null | undefined;
}> = window(
  'kaiser',
  'float beta=12.',
  (made, given: number) => {
    const { M, dtype, device } = made;
    if (M === 1) return single(made);
    // In the window's dtype from here on, as PyTorch has it: rounded otherwise, the root may be of a negative number.
    const beta = tensor(given, { dtype, device });
    const start = aten.neg(beta);
    const constant = aten.div.Scalar(aten.mul.Scalar(beta, 2), steps(made));
    const end = aten.minimum(beta, aten.add.Tensor(start, aten.mul.Scalar(constant, M - 1)));
    const k = leaf(made, aten.linspace.Tensor_Tensor(start, end, M, { dtype, device }));
    const root = aten.sqrt(aten.sub.Tensor(aten.mul.Tensor(beta, beta), aten.pow.Tensor_Scalar(k, 2)));
    return aten.div.Tensor(aten.i0(root), aten.i0(beta));
  },
  (op, _sym, beta: number) => {
    if (beta < 0) throw expected(op, "'beta'", 'to be >= 0', String(beta));
  },
);
