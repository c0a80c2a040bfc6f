/** How near libtorch's results must come to those of the float64 reference. */
import * as torch from '../index';
import type { NdArray } from '../reference';
import { type DType, itemsizes } from '../types';
import { bitsOf, difference, type Tolerance, tolerances } from './bits';

/** The facts that the accuracy of a result depends on, besides its dtype. */
export interface Accuracy {
  /** The dtype with the fewest bits among those of the arguments and the result. Absent: the result's. */
  coarsest?: DType;
  /** The size of the greatest term that the result is a sum of, if that is more than the result itself. */
  terms?: number;
  /** How many times greater rounding errors may be than PyTorch's tolerance has them. */
  growth?: number;
}

/**
 * A description of what differs by more than PyTorch's tolerances; `undefined` if nothing does.
 *
 * The reference's numbers are rounded to the dtype of the tensor first, so that 1e39 is what float32 makes of it:
 * infinity.
 */
export function disagreement(
  label: string,
  actual: torch.Tensor,
  expected: NdArray,
  { coarsest = actual.dtype, terms = 0, growth = 1 }: Accuracy = {},
): string | undefined {
  const rounded = torch.tensor(expected.data, { shape: expected.shape }).to(actual.dtype);
  const tolerance = toleranceFor(coarsest, expected, terms);
  const wider = tolerance && { ...tolerance, relative: growth * tolerance.relative };
  return difference(label, bitsOf(actual.detach()), bitsOf(rounded), wider, 'the reference gives');
}

/**
 * PyTorch's tolerance of a dtype.
 *
 * The 16-bit dtypes have about three digits, and the kernels round to them after every step (logarithm, weight, sum). A
 * small result of large terms that cancel keeps the rounding errors of the terms. So the tolerance is relative to the
 * greatest element or term there, not to each element; twice PyTorch's, for several roundings.
 */
export function toleranceFor(dtype: DType, expected: Pick<NdArray, 'data'>, terms: number): Tolerance | undefined {
  const tolerance = tolerances[dtype];
  if (tolerance === undefined || itemsizes[dtype] !== 2) return tolerance;
  const sizes = expected.data.filter(Number.isFinite).map(Math.abs);
  const greatest = sizes.reduce((a, b) => Math.max(a, b), terms);
  return { relative: 0, absolute: tolerance.absolute + 2 * tolerance.relative * greatest };
}
