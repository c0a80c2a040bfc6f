/** What the losses' arguments have in common: data that becomes tensors, reductions, and refusals explained. */
import { isTensor } from '../../aten/bind';
import { expected, NativeError, show } from '../../errors';
import { oneOf } from '../../options';
import { type FlatData, type TensorData, tensor } from '../../tensor/create';
import { isTypedArray } from '../../tensor/elements';
import { sameShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { type Reduction, reductions } from '../../types';

/** A tensor, or what one can be made of: nested arrays, a typed array, `{ data, dims }`. */
export type TensorLike = Tensor | TensorData;

/** ATen's integer codes of reductions. No other integer ever reaches an operator. */
const reductionCodes: Readonly<Record<Reduction, number>> = { none: 0, mean: 1, sum: 2 };

/** The code of a reduction, if it is one. */
export function reductionCode(op: string, reduction: unknown): number {
  return reductionCodes[oneOf(op, "option 'reduction'", reduction, reductions)];
}

/** The argument as a tensor: itself, or made of the data. */
export function asTensor(op: string, argument: string, value: TensorLike): Tensor {
  return isTensor(value) ? value : fromData(op, argument, value);
}

/** An option that is a tensor, or absent. */
export function asOptionalTensor(op: string, argument: string, value: TensorLike | undefined): Tensor | undefined {
  return value === undefined ? undefined : asTensor(op, `option '${argument}'`, value);
}

function fromData(op: string, argument: string, value: unknown): Tensor {
  if (!isData(value)) {
    const named = argument.startsWith('option ') ? argument : `'${argument}'`;
    throw expected(op, named, 'to be a Tensor, or numbers to make one of', show(value));
  }
  return tensor(value);
}

function isData(value: unknown): value is TensorData {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return true;
  if (Array.isArray(value) || isTypedArray(value)) return true;
  return typeof value === 'object' && value !== null && 'data' in value && ('dims' in value || 'shape' in value);
}

/**
 * A classification target as a tensor. Data that has the input's shape and is no integer array is class probabilities,
 * of the input's dtype; other data is class indices, cast to int64.
 */
export function asClassTarget(op: string, argument: string, value: TensorLike, input: Tensor): Tensor {
  if (isTensor(value)) return value;
  const made = fromData(op, argument, value);
  const array = isTypedArray(value) ? value : (value as FlatData).data;
  const integers = isTypedArray(array) && !/^Float/.test(Object.prototype.toString.call(array).slice(8));
  if (!integers && made.dtype !== 'int64' && sameShape(made.shape, input.shape)) return made.to(input.dtype);
  if (isTypedArray(array)) return made.to('int64');
  // From the numbers themselves, so that one that is no integer is refused instead of truncated.
  return tensor(value, { dtype: 'int64' });
}

/** What was wrong with an argument, in the words of the one formula. */
export interface Explanation {
  argument: string;
  what: string;
  actual: string;
}

/**
 * Calls an operator; if libtorch refuses, says which argument it means.
 *
 * PyTorch alone decides what is refused. `explain` looks at the arguments only after it has, so the good path pays
 * nothing; what it does not recognise keeps libtorch's own words.
 */
export function explained<T>(op: string, call: () => T, explain: (refusal: NativeError) => Explanation | undefined): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof NativeError)) throw error;
    const found = explain(error);
    if (found === undefined) throw error;
    const message = `${op}: expected '${found.argument}' ${found.what}, but received ${found.actual} (libtorch: ${error.message})`;
    throw new NativeError(error.code, message, { op, argument: found.argument, cause: error });
  }
}
