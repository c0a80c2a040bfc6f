/** Tensors as text, as JSON, and as the values that JavaScript's operators ask for. */

import { native } from '../binding/load';
import { expected } from '../errors';
import type { Complex, Device, DType, Scalar } from '../types';
import { unwrap, wrap } from './bind';
import { fromValues, readElements } from './elements';
import { formatTensor, printedIndices } from './print';
import type { Tensor } from './tensor';

/** A number, a boolean, or a text for numbers that JSON lacks. */
type JSONElement = number | boolean | string;

/** A tensor as JSON; `tensor({ data, shape }, { dtype })` takes finite ones back. */
export interface TensorJSON {
  /** The element type; absent with all else for a tensor that was disposed. */
  dtype?: DType;
  /** Where the elements live. */
  device?: Device;
  /** The size of each dimension. */
  shape?: number[];
  /** All elements in row-major order; absent for a tensor of the meta device. */
  data?: (JSONElement | { re: JSONElement; im: JSONElement })[];
  /** That the tensor was disposed. */
  disposed?: true;
}

/** The text that PyTorch prints. */
export function textOf(tensor: Tensor): string {
  if (tensor.isDisposed) return 'tensor(disposed)';
  const { dtype, shape, device, requiresGrad, gradFn } = tensor;
  const data = device === 'meta' ? undefined : native().withGradMode(false, () => readPrinted(tensor, shape));
  return formatTensor({ dtype, shape, data, device, requiresGrad, gradFn });
}

/** The elements that the printed form shows; the rest of a large tensor is not touched. */
function readPrinted(tensor: Tensor, shape: readonly number[]): ArrayLike<Scalar> {
  let shown = tensor;
  for (const [dim, indices] of printedIndices(shape).entries()) {
    if (indices.length === shape[dim]) continue;
    const at = wrap(fromValues('toString', indices, 'int64', [indices.length]));
    shown = shown.indexSelect(dim, at.to({ device: shown.device }));
  }
  return readElements(unwrap(shown, 'toString', 'tensor'));
}

/** The form for `JSON.stringify`. */
export function jsonOf(tensor: Tensor): TensorJSON {
  if (tensor.isDisposed) return { disposed: true };
  const { dtype, shape, device } = tensor;
  if (device === 'meta') return { dtype, device, shape };
  return { dtype, device, shape, data: Array.from(readElements(unwrap(tensor, 'toJSON', 'tensor')), jsonElement) };
}

function jsonElement(value: Scalar | Complex): JSONElement | { re: JSONElement; im: JSONElement } {
  return typeof value === 'object' ? { re: jsonScalar(value.re), im: jsonScalar(value.im) } : jsonScalar(value);
}

function jsonScalar(value: Scalar): JSONElement {
  return typeof value === 'boolean' || Number.isFinite(value) ? (value as number | boolean) : String(value);
}

/** The number of one element; for templates the text. */
export function primitiveOf(tensor: Tensor, hint: 'number' | 'string' | 'default'): number | bigint | string {
  if (hint === 'string') return tensor.toString();
  const value = tensor.numel() === 1 ? tensor.item<Scalar>() : undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return Number(value);
  const what = 'to be of one real element where an operator of JavaScript needs a number';
  const hintText = 'write x.add(y), x.mul(2), x.lt(y), … for the elements';
  throw expected('Tensor', 'the tensor', what, `one of shape [${tensor.shape.join(', ')}]: ${hintText}`);
}

/** PyTorch's legacy names of tensor types. */
export function typeNameOf(dtype: DType): string {
  return `torch.${typeNames[dtype]}Tensor`;
}

const typeNames: Readonly<Record<DType, string>> = {
  float64: 'Double',
  float32: 'Float',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
  complex64: 'ComplexFloat',
  complex128: 'ComplexDouble',
};
