/** What the tests of the reference implementation share. */
import { TorchError } from '../../../lib/errors';
import { type Differentiable, NdArray } from '../../../lib/reference';
import type { NestedArray } from '../../../lib/types';

/** Nested numbers as a matcher: each equal to `digits` decimals, NaN and infinities only to themselves. */
export function near(expected: NestedArray<number>, digits = 12): unknown {
  if (typeof expected === 'number') return Number.isFinite(expected) ? expect.closeTo(expected, digits) : expected;
  return expected.map((element) => near(element, digits));
}

/** The error that a call throws, of this package's class. */
export function refusal(call: () => unknown): TorchError {
  try {
    call();
  } catch (error) {
    if (error instanceof TorchError) return error;
    throw error;
  }
  throw new Error('the call was accepted');
}

/** Numbers of a seed (mulberry32), the same in every run. */
export class Random {
  constructor(private state: number) {}

  /** A number in [low, high). */
  uniform(low: number, high: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), 61 | bits);
    return low + ((bits ^ (bits >>> 14)) >>> 0) * 2 ** -32 * (high - low);
  }

  /** An array of numbers in [low, high). */
  array(shape: readonly number[], low: number, high: number): NdArray {
    return NdArray.from({ data: NdArray.zeros(shape).data.map(() => this.uniform(low, high)), shape });
  }

  /** An array of integers in [0, count). */
  integers(shape: readonly number[], count: number): NdArray {
    return NdArray.from({ data: this.array(shape, 0, count).data.map(Math.floor), shape });
  }
}

/**
 * Compares `backward` with central differences (f(x + h) − f(x − h)) / 2h of f = Σ u·value, u being random, by every
 * element of every argument in `at`. The differences are good to about 1e-9 here: h² is 1e-12, and the rounding of f
 * over h 1e-10.
 */
export function checkGradients(
  at: Readonly<Record<string, NdArray>>,
  f: (at: Readonly<Record<string, NdArray>>) => Differentiable<object>,
): void {
  const result = f(at);
  const upstream = new Random(99).array(result.value.shape, -2, 2);
  const gradients = result.backward(upstream) as Record<string, NdArray>;
  const contracted = (moved: Readonly<Record<string, NdArray>>): number => {
    const { value } = f(moved);
    return value.data.reduce((total, element, i) => total + element * upstream.at(i), 0);
  };
  for (const [name, x] of Object.entries(at)) {
    const shift = (i: number, by: number): NdArray =>
      NdArray.from({ data: x.data.map((element, j) => (j === i ? element + by : element)), shape: x.shape });
    const differences = x.data.map((element, i) => {
      const h = 1e-6 * Math.max(1, Math.abs(element));
      return (contracted({ ...at, [name]: shift(i, h) }) - contracted({ ...at, [name]: shift(i, -h) })) / (2 * h);
    });
    expect({ [name]: gradients[name]?.shape }).toEqual({ [name]: x.shape });
    expect({ [name]: gradients[name]?.toArray() }).toEqual({
      [name]: near(NdArray.from({ data: differences, shape: x.shape }).toArray(), 7),
    });
  }
}

/** One of every combination of the values of every key. */
export function grid<T extends Readonly<Record<string, readonly unknown[]>>>(
  axes: T,
): { [Key in keyof T]: T[Key][number] }[] {
  let combinations: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(axes)) {
    combinations = combinations.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value })));
  }
  return combinations as { [Key in keyof T]: T[Key][number] }[];
}
