/** Arithmetic as Python does it: floats of the C library, and numbers that tensors of one element stand for. */
import { native } from '../binding/load';
import { isTensor } from '../torch/bind';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';

/** A number, or a tensor that holds one. */
export type Numeric = number | Tensor;

/** `base ** exponent`. */
export function power(base: number, exponent: number): number {
  return native().pow(base, exponent);
}

/** `math.cos(x)`. */
export function cosine(x: number): number {
  return native().cos(x);
}

/** A function of numbers, for each of a list; equal neighbours are computed once. */
export function forEachOf(numbers: readonly number[], fn: (value: number) => number): number[] {
  let last: number | undefined;
  let result = 0;
  return numbers.map((value) => {
    if (value !== last) result = fn(value);
    last = value;
    return result;
  });
}

/** `1 - x`. */
export function oneMinus(x: Numeric): Numeric {
  return isTensor(x) ? aten.rsub.Scalar(x, 1) : 1 - x;
}

/** `a * b`. */
export function times(a: Numeric, b: Numeric): Numeric {
  if (isTensor(a)) return a.mul(b);
  return isTensor(b) ? b.mul(a) : a * b;
}

/** `a / b`: Python divides a number by a tensor by way of the reciprocal. */
export function over(a: Numeric, b: Numeric): Numeric {
  if (isTensor(a)) return a.div(b);
  return isTensor(b) ? b.reciprocal().mul(a) : a / b;
}

/** `base ** exponent`. */
export function raised(base: Numeric, exponent: Numeric): Numeric {
  if (isTensor(base)) return base.pow(exponent);
  return isTensor(exponent) ? aten.pow.Scalar(base, exponent) : power(base, exponent);
}

/** `-x`. */
export function negated(x: Numeric): Numeric {
  return isTensor(x) ? x.neg() : -x;
}
