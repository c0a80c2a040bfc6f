/** Helpers for tests of code that uses tensors, as `torch.testing`. */
import { isTensor } from '../aten/bind';

/**
 * An equality tester for `expect.addEqualityTesters` of jest and vitest: tensors are equal if dtype, shape, device and
 * all elements are, by `Object.is`.
 *
 * `toEqual` and `toStrictEqual` need no tester. `toMatchObject` does: it looks at own properties only, of which tensors
 * have none, and so takes any tensor for any other.
 *
 * @returns `undefined` where neither value is a tensor, which leaves them to the other testers.
 *
 * @example testing.tensorEquality(tensor([1, NaN]), tensor([1, NaN])) // true
 */
export function tensorEquality(actual: unknown, expected: unknown): boolean | undefined {
  if (!isTensor(actual) && !isTensor(expected)) return undefined;
  if (isMatcher(actual) || isMatcher(expected)) return undefined;
  if (!isTensor(actual) || !isTensor(expected)) return false;
  return actual === expected || actual[Symbol.toStringTag] === expected[Symbol.toStringTag];
}

/** Whether a value is an asymmetric matcher such as `expect.any(Tensor)`, which decides itself. */
function isMatcher(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}
