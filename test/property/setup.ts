/**
 * Properties are tried on the same random inputs in every run; `PROPERTY_SEED=<integer>` tries others. A failure prints
 * its seed, the smallest input that fails and the path to it.
 */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import { bitsOf, difference, type Tolerance, tolerances } from '../../lib/parity/bits';
import type { FloatingDType } from '../../lib/types';
import { quietly } from '../support/conditions';

const seed = Number(process.env.PROPERTY_SEED ?? 20260613);
if (!Number.isSafeInteger(seed))
  throw new Error(`PROPERTY_SEED is ${process.env.PROPERTY_SEED}, which is not an integer`);

quietly();

/** Tries a property on random inputs. The tensors that each try makes are disposed at its end. */
export function holds<T>(inputs: fc.Arbitrary<T>, check: (input: T) => void, numRuns = 100): void {
  const property = fc.property(inputs, (input) => torch.scope(() => check(input)));
  fc.assert(property, { seed, numRuns });
}

/** The dtypes whose bits are compared: those that training uses. */
export const dtypes: readonly FloatingDType[] = ['float32', 'float64'];

/** Two tensors that must be equal to the bit. */
export function expectSame(label: string, actual: torch.Tensor, expected: torch.Tensor): void {
  compare(label, actual, expected, undefined);
}

/** Two tensors that must be equal within PyTorch's tolerance of their dtype. */
export function expectNear(label: string, actual: torch.Tensor, expected: torch.Tensor): void {
  compare(label, actual, expected, tolerances[expected.dtype]);
}

function compare(label: string, actual: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance | undefined): void {
  const [a, e] = [bitsOf(actual.detach()), bitsOf(expected.detach())];
  const message = difference(label, a, e, tolerance, 'it should be');
  if (message !== undefined) throw new Error(message);
}
