/** How losses of many elements become one number, and how a gradient finds its way back to each of them. */
import { expected } from '../errors';
import type { Reduction } from '../types';
import { sum } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown } from './ndarray';

/** A value that knows its derivative. `Gradients` names the arguments that it can be differentiated by. */
export interface Differentiable<Gradients> {
  /** The result. */
  readonly value: NdArray;
  /** The result as a number, if it has one element. */
  item(): number;
  /**
   * The gradients by the arguments, given the gradient by `value`.
   *
   * `gradOutput` has the shape of `value`; a number stands for an array filled with it. It may be left out if `value`
   * has one element, and is 1 then.
   *
   * @throws TorchError `INVALID_ARGUMENT` if it has another shape, or is left out where `value` has several elements.
   */
  backward(gradOutput?: ArraySource): Gradients;
}

/** A result of `value` whose gradients are a function of the gradient by `value`. */
export function differentiable<Gradients>(
  op: string,
  value: NdArray,
  gradients: (upstream: NdArray) => Gradients,
): Differentiable<Gradients> {
  return {
    value,
    item: () => value.item(),
    backward: (gradOutput) => gradients(readUpstream(op, gradOutput, value)),
  };
}

/**
 * Losses l_i reduced to L.
 *
 * **Formula** none: L_i = l_i; sum: L = Σ l_i; mean: L = Σ l_i / divisor
 * **Gradient** ∂L/∂l_i is 1; 1; 1 / divisor
 *
 * `gradients` is given the gradient by each l_i, whatever the reduction. What a mean divides by is up to the loss: the
 * number of elements, of rows, or a sum of weights; 0 / 0 is NaN, PyTorch's mean over nothing.
 */
export function reduced<Gradients>(
  op: string,
  losses: NdArray,
  reduction: Reduction,
  divisor: number,
  gradients: (upstream: NdArray) => Gradients,
): Differentiable<Gradients> {
  if (reduction === 'none') return differentiable(op, losses, gradients);
  const scale = reduction === 'mean' ? divisor : 1;
  const value = NdArray.full([], sum(losses.data) / scale);
  return differentiable(op, value, (upstream) => gradients(NdArray.full(losses.shape, upstream.item() / scale)));
}

function readUpstream(op: string, gradOutput: ArraySource | undefined, value: NdArray): NdArray {
  const label = "'gradOutput'";
  if (gradOutput === undefined) {
    if (value.size === 1) return NdArray.full(value.shape, 1);
    throw expected(op, label, `to be given, as the value has shape ${shown(value.shape)}`, 'undefined');
  }
  if (typeof gradOutput === 'number') return NdArray.full(value.shape, gradOutput);
  const upstream = read(op, label, gradOutput);
  if (sameShape(upstream.shape, value.shape)) return upstream;
  throw expected(op, label, `to have shape ${shown(value.shape)}`, shown(upstream.shape));
}
