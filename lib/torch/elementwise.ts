/**
 * `apply_` and `map_`: functions of JavaScript, called for every element. For tests and sketches: each call is slow.
 */

import { expected, show } from '../errors';
import { callable } from '../options';
import { type Complex, type DType, isComplex, isFloating, type Scalar } from '../types';
import { isTensor, unwrap, wrap } from './bind';
import { fromValues, isComplexNumber, readElements } from './elements';
import { aten } from './ops';
import type { Tensor } from './tensor';

/** The result of a function for an element: a number of any kind, or a tensor of one element. */
export type ElementResult = Scalar | Complex | Tensor;

/** Replaces each element by the result of a function of it and of the elements of other tensors in its place. */
export function replaceElements(
  op: string,
  tensor: Tensor,
  others: readonly Tensor[],
  fn: (...elements: never[]) => ElementResult,
): Tensor {
  unwrap(tensor, op, 'tensor');
  const { dtype, shape, device } = tensor;
  callable(op, "'callable'", fn);
  const operands = [tensor, ...others.map((other) => aten.expand(sameKind(op, other, dtype), shape))];
  for (const { requiresGrad } of [tensor, ...others]) {
    if (requiresGrad) throw expected(op, 'the tensors', 'to require no gradient', 'one that does (detach() does not)');
  }
  if (device === 'meta' || tensor.numel() === 0) return tensor;
  if (device !== 'cpu') throw expected(op, 'the tensor', 'to be on the CPU', device);
  const elements = operands.map((operand) => readElements(unwrap(operand, op, 'tensor')));
  const results = Array.from({ length: tensor.numel() }, (_, i) =>
    converted(op, fn(...(elements.map((list) => list[i]) as never[])), dtype),
  );
  // As in PyTorch, graphs do not notice.
  aten.copy_(aten.data(tensor), wrap(fromValues(op, results, dtype, shape)));
  return tensor;
}

function sameKind(op: string, other: unknown, dtype: DType): Tensor {
  if (!isTensor(other)) throw expected(op, "'other'", 'to be a Tensor', show(other));
  if (other.dtype !== dtype) throw expected(op, "'other'", `to be ${dtype}, as the tensor is`, other.dtype);
  return other;
}

/** The number that an element of the dtype becomes. */
function converted(op: string, given: ElementResult, dtype: DType): Scalar | Complex {
  const value = isTensor(given) ? given.item<Scalar>() : given;
  if (isComplex(dtype) && isComplexNumber(value)) return value;
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
    throw expected(op, 'the function', `to give a number for an element of ${dtype}`, show(given));
  }
  if (isFloating(dtype) || isComplex(dtype) || dtype === 'bool') return value;
  const integer = typeof value === 'bigint' ? value : Math.trunc(Number(value));
  // Negative numbers wrap around, as in PyTorch.
  return dtype === 'uint8' && integer < 0 && integer >= -255 ? Number(integer) + 256 : integer;
}
