/** Losses computed element by element: one formula, one derivative for each argument. */
import type { Reduction } from '../types';
import { elementwise, sumTo } from './layout';
import type { NdArray } from './ndarray';
import { type Differentiable, reduced } from './reduction';

/** The loss of one element of each argument, and its derivatives by those that can be differentiated. */
export interface PointwiseFormula<Name extends string> {
  readonly loss: (...elements: number[]) => number;
  readonly slopes: Readonly<Record<Name, (...elements: number[]) => number>>;
}

/**
 * A loss of the elements at the same place in every argument, in the order of `args`, shapes broadcast; gradients are
 * summed over the axes that were. Callers have checked that the shapes agree.
 *
 * @param divisor what a mean divides by; the number of elements by default
 */
export function pointwise<Name extends string>(
  op: string,
  args: Readonly<Record<NoInfer<Name>, NdArray>> & Readonly<Record<string, NdArray>>,
  reduction: Reduction,
  formula: PointwiseFormula<Name>,
  divisor?: number,
): Differentiable<Record<Name, NdArray>> {
  const arrays = Object.values<NdArray>(args);
  const losses = elementwise(formula.loss, ...arrays);
  return reduced(op, losses, reduction, divisor ?? losses.size, (upstream) => {
    const gradients = {} as Record<Name, NdArray>;
    for (const name of Object.keys(formula.slopes) as Name[]) {
      const byElement = elementwise((u, ...elements) => u * formula.slopes[name](...elements), upstream, ...arrays);
      gradients[name] = sumTo(byElement, args[name].shape);
    }
    return gradients;
  });
}
