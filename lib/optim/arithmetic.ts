/** Arithmetic as Python does it: floats of the C library, and numbers that tensors of one element stand for. */
import { native } from '../binding/load';
import { isTensor } from '../torch/bind';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';

/** A number, or a tensor that holds one. */
export type Numeric = number | Tensor;

/** `max(a, b)`: the first if they cannot be compared. */
export function larger(a: number, b: number): number {
  if (b > a) return b;
  return a;
}

/** `base ** exponent`. */
export function power(base: number, exponent: number): number {
  return native().pow(base, exponent);
}

/** `math.cos(x)`. */
export function cosine(x: number): number {
  return native().cos(x);
}

/** The number that a tensor of one element holds. */
export function numberIn(value: Numeric): number {
  return isTensor(value) ? value.item<number>() : value;
}

/** `a / b` of a rate that may be a tensor, as a number: the quotient is rounded as the tensor's dtype asks for. */
export function quotient(a: Numeric, b: number): number {
  return typeof a === 'number' ? a / b : numberIn(over(a, b));
}

/** `math.log(x, base)`. */
export function logarithm(x: number, base: number): number {
  return native().log(x) / native().log(base);
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

/** `1 + x`. */
export function onePlus(x: Numeric): Numeric {
  return isTensor(x) ? x.add(1) : 1 + x;
}

/** `a + b`. */
export function plus(a: Numeric, b: Numeric): Numeric {
  if (isTensor(a)) return a.add(b);
  return isTensor(b) ? b.add(a) : a + b;
}

/** `a - b`. */
export function minus(a: Numeric, b: Numeric): Numeric {
  if (isTensor(a)) return a.sub(b);
  return isTensor(b) ? aten.rsub.Scalar(b, a) : a - b;
}

/** `a < b`, in the dtype of a tensor. */
export function isLess(a: Numeric, b: Numeric): boolean {
  if (isTensor(a)) return a.lt(b).item<boolean>();
  return isTensor(b) ? b.gt(a).item<boolean>() : a < b;
}

/** `a <= b`, in the dtype of a tensor. */
export function isAtMost(a: Numeric, b: Numeric): boolean {
  if (isTensor(a)) return a.le(b).item<boolean>();
  return isTensor(b) ? b.ge(a).item<boolean>() : a <= b;
}

/** `min(a, b)`: the first if they are equal or cannot be compared. */
export function smallest(a: Numeric, b: Numeric): Numeric {
  return isLess(b, a) ? b : a;
}

/** `max(a, b)`: the first if they are equal or cannot be compared. */
export function largest(a: Numeric, b: Numeric): Numeric {
  return isLess(a, b) ? b : a;
}

/** `abs(x)`. */
export function magnitude(x: Numeric): Numeric {
  return isTensor(x) ? x.abs() : Math.abs(x);
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
