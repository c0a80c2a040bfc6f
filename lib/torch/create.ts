/** Factories of tensors. **Source**: `torch.tensor`, `torch.zeros`, `torch.randn`, … */

import { types } from 'node:util';
import { native } from '../binding/load';
import { expected, show } from '../errors';
import { boolean, withDefaults } from '../options';
import type { Complex, Device, DType, NestedArray, Scalar, TypedArray } from '../types';
import { isTensor, wrap } from './bind';
import { checkDevice } from './device';
import { checkDType, dtypeCode } from './dtype';
import { arrayDType, asReadable, flatten, fromValues, isComplexNumber, isTypedArray } from './elements';
import type { Tensor } from './tensor';

/** Options of every factory. */
export interface TensorOptions {
  /** Element type; what it is by default, each factory says. */
  dtype?: DType | null;
  /** Where the tensor is made. Default `'cpu'`. */
  device?: Device | undefined;
  /** Whether operations on the tensor are recorded for gradients. Default `false`. */
  requiresGrad?: boolean | undefined;
}

/** Options of {@link tensor}. */
export interface FromDataOptions extends TensorOptions {
  /** The shape of flat data; its product must be the number of elements. */
  shape?: readonly number[] | undefined;
}

/** Flat elements with their shape: tensors of onnxruntime (`dims`) are accepted as they are. */
export interface FlatData {
  /** The elements, row by row. */
  data: TypedArray | readonly (Scalar | Complex)[];
  /** The shape, by onnxruntime's name. */
  dims?: readonly number[] | undefined;
  /** The shape. */
  shape?: readonly number[] | undefined;
}

/** Data for a tensor. */
export type TensorData = Tensor | NestedArray<Scalar | Complex> | TypedArray | readonly TypedArray[] | FlatData;

const tensorDefaults: Readonly<Required<TensorOptions>> = Object.freeze({
  dtype: null,
  device: undefined,
  requiresGrad: false,
});

/** @internal */
export const fromDataDefaults: Readonly<Required<FromDataOptions>> = Object.freeze({
  ...tensorDefaults,
  shape: undefined,
});

const typedArrayDefaults = Object.freeze({ dtype: null, requiresGrad: false, shape: undefined });

interface CheckedOptions {
  dtype: DType | undefined;
  device: Device | undefined;
  requiresGrad: boolean;
}

function check(op: string, { dtype, device, requiresGrad }: TensorOptions): CheckedOptions {
  return {
    dtype: dtype === null || dtype === undefined ? undefined : checkDType(op, dtype),
    device: device === undefined ? undefined : checkDevice(op, device),
    requiresGrad: boolean(op, "option 'requiresGrad'", requiresGrad),
  };
}

/** A list of sizes: integers >= 0 whose product a double holds exactly. */
function checkShape(op: string, shape: readonly number[]): readonly number[] {
  if (!Array.isArray(shape)) throw expected(op, "'shape'", 'to be an array of sizes', show(shape));
  let numel = 1;
  for (const [i, size] of shape.entries()) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw expected(op, `'shape[${i}]'`, 'to be an integer >= 0', show(size));
    }
    numel *= size;
  }
  if (!Number.isSafeInteger(numel)) throw expected(op, "'shape'", 'to have at most 2^53 elements', `[${shape}]`);
  return shape;
}

function finish(made: Tensor, { requiresGrad }: CheckedOptions): Tensor {
  return requiresGrad ? made.requiresGrad_() : made;
}

/**
 * A new tensor with a copy of the data.
 *
 * **Shapes**: nested arrays give theirs; a typed array is one-dimensional unless `shape` says otherwise.
 *
 * **Dtypes**: numbers become float32, bigints int64, booleans bool and `{ re, im }` complex64; typed arrays keep their
 * type (a `Uint16Array` holds the bits of the float16 or bfloat16 that `dtype` names). `dtype` converts; a number that
 * an integer dtype cannot hold exactly is an error, where Python's truncates.
 *
 * @example tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * @example tensor(new Int32Array([1, 0, 2]), { dtype: 'int64' })
 * @example tensor(await session.run(feeds).logits) // onnxruntime: { data, dims }
 *
 * @throws TorchError `INVALID_ARGUMENT` for ragged or mixed arrays, for a shape that does not fit or of a
 *   Tensor, for unknown dtypes, for `dtype: undefined` and for unavailable devices; `UNKNOWN_OPTION`.
 *
 * **Source**: `torch.tensor`.
 */
export function tensor(data: TensorData, options?: FromDataOptions): Tensor {
  return make('tensor', data, withDefaults<FromDataOptions>('tensor', options, fromDataDefaults));
}

/** A new tensor; `op` is what errors call the function that makes it. */
function make(op: string, data: TensorData, filled: FromDataOptions): Tensor {
  const checked = check(op, filled);
  if (isTensor(data)) {
    refuseShape(op, filled);
    return copied(data, checked);
  }
  const isArray = Array.isArray(data) || isTypedArray(data) || isComplexNumber(data);
  const isObject = typeof data === 'object' && data !== null && !isArray;
  const flat = isObject ? readFlatData(op, data as FlatData, filled.shape) : { data, shape: filled.shape };
  const shape = flat.shape === undefined ? undefined : checkShape(op, flat.shape);
  const made = isTypedArray(flat.data)
    ? fromArray(op, flat.data, shape, checked)
    : fromNested(op, flat.data, shape, checked);
  return finish(made, checked);
}

/** Refuses a shape for what has one. */
function refuseShape(op: string, { shape }: FromDataOptions): void {
  if (shape === undefined) return;
  throw expected(
    op,
    "option 'shape'",
    "to be absent where 'data' is a Tensor (reshape() gives it another)",
    show(shape),
  );
}

/** A copy of a tensor that is in no graph, or in one of its own. */
function copied(data: Tensor, checked: CheckedOptions): Tensor {
  if (checked.dtype === undefined && checked.device === undefined) return finish(data.detach().clone(), checked);
  const { dtype = data.dtype, device = data.device } = checked;
  return finish(data.detach().to({ dtype, device, copy: true }), checked);
}

/** @internal Whether a value is flat data with its shape. A Tensor, be it of another copy of this package, is none. */
export function isFlatData(value: unknown): value is FlatData {
  return typeof value === 'object' && value !== null && 'data' in value && !('requiresGrad' in value);
}

function readFlatData(
  op: string,
  flat: FlatData,
  shape: readonly number[] | undefined,
): { data: FlatData['data']; shape: readonly number[] | undefined } {
  const { data } = flat;
  if (!isTypedArray(data) && !Array.isArray(data)) {
    throw expected(op, "'data'", 'to be numbers, nested arrays, a typed array or { data, dims }', show(flat));
  }
  return { data, shape: shape ?? flat.dims ?? flat.shape };
}

function fromArray(
  op: string,
  array: TypedArray,
  shape: readonly number[] | undefined,
  { dtype, device }: CheckedOptions,
): Tensor {
  const own = arrayDType(op, array, dtype);
  checkAttached(op, array);
  checkCount(op, array.length, shape);
  const made = wrap(native().fromBytes(asReadable(array), dtypeCode(own, op), shape ?? [array.length]));
  if ((dtype ?? own) === own && (device ?? 'cpu') === 'cpu') return made;
  return made.to({ dtype: dtype ?? own, device: device ?? 'cpu' });
}

function fromNested(
  op: string,
  data: unknown,
  shape: readonly number[] | undefined,
  { dtype, device }: CheckedOptions,
): Tensor {
  const flat = flatten(op, data, dtype);
  checkCount(op, flat.values.length, shape);
  const made = wrap(fromValues(op, flat.values, dtype ?? flat.dtype, shape ?? flat.shape));
  return device === undefined ? made : made.to({ device });
}

function checkCount(op: string, count: number, shape: readonly number[] | undefined): void {
  if (shape === undefined || shape.reduce((product, size) => product * size, 1) === count) return;
  throw expected(op, "'shape'", `to have ${count} elements, as 'data' has`, `[${shape}]`);
}

function checkAttached(op: string, array: TypedArray): void {
  if (!(array.buffer as { detached?: boolean }).detached && !isDetached(array)) return;
  throw expected(op, "'data'", 'to have its memory', 'a typed array whose ArrayBuffer was detached');
}

/** Node 20 has no `ArrayBuffer.prototype.detached`: there a view of a detached buffer cannot be made. */
function isDetached({ buffer }: TypedArray): boolean {
  try {
    new Uint8Array(buffer as ArrayBuffer, 0, 0);
    return false;
  } catch {
    return true;
  }
}

/** A property of a class of the runtime as the class itself has it, whatever an object of it was given over that. */
function intrinsic(prototype: object | null, name: string, of: unknown): unknown {
  return prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, name)?.get?.call(of);
}

/** @internal Throws if the memory of an array may change its size, or another thread may write to it at any time. */
export function checkShareable(op: string, label: string, array: TypedArray): void {
  const buffer = intrinsic(Object.getPrototypeOf(Uint8Array.prototype), 'buffer', array);
  if (types.isSharedArrayBuffer(buffer)) {
    throw expected(op, label, 'to be written by this thread alone', 'a view of a SharedArrayBuffer (tensor() copies)');
  }
  if (intrinsic(ArrayBuffer.prototype, 'resizable', buffer) === true) {
    throw expected(op, label, 'to have memory of fixed size', 'a view of a resizable buffer (tensor() copies)');
  }
}

/**
 * A tensor that shares the memory of a typed array: no copy, and writes to one are seen in the other.
 *
 * The array stays alive as long as any tensor uses its memory. If its ArrayBuffer is detached (transferred to a worker)
 * meanwhile, later uses of the tensor throw `DETACHED`.
 *
 * @example const x = fromTypedArray(new Float32Array(12), { shape: [3, 4] });
 *
 * @throws TorchError `INVALID_ARGUMENT` if the array is over a SharedArrayBuffer, resizable or detached, or the shape
 *   does not fit.
 *
 * **Source**: `torch.from_numpy`.
 */
export function fromTypedArray(array: TypedArray, options?: Omit<FromDataOptions, 'device'>): Tensor {
  const op = 'fromTypedArray';
  const filled = withDefaults<Omit<FromDataOptions, 'device'>>(op, options, typedArrayDefaults);
  const { shape, requiresGrad } = filled;
  const { dtype } = check(op, filled);
  if (!isTypedArray(array)) throw expected(op, "'array'", 'to be a typed array', show(array));
  const own = arrayDType(op, array, dtype);
  if (dtype !== undefined && dtype !== own) {
    throw expected(op, "option 'dtype'", `to be '${own}', which the array holds`, `'${dtype}' (tensor() converts)`);
  }
  checkAttached(op, array);
  checkShareable(op, "'array'", array);
  if (shape !== undefined) checkCount(op, array.length, checkShape(op, shape));
  const made = wrap(native().share(asReadable(array), dtypeCode(own, op), shape ?? [array.length]));
  return boolean(op, "option 'requiresGrad'", requiresGrad) ? made.requiresGrad_() : made;
}

/** Named arguments of {@link asTensor}. */
export type AsTensorOptions = Omit<FromDataOptions, 'requiresGrad'>;

const asTensorDefaults: Readonly<Required<AsTensorOptions>> = Object.freeze({
  dtype: null,
  device: undefined,
  shape: undefined,
});

/**
 * A tensor as it is, or converted, with its graph; anything else as {@link tensor} makes one of it.
 *
 * **Source**: `torch.as_tensor`.
 */
export function asTensor(data: TensorData, options?: AsTensorOptions): Tensor {
  const op = 'asTensor';
  const filled = { ...withDefaults<AsTensorOptions>(op, options, asTensorDefaults), requiresGrad: false };
  if (!isTensor(data)) return make(op, data, filled);
  refuseShape(op, filled);
  const { dtype, device } = check(op, filled);
  return data.to({ dtype: dtype ?? data.dtype, device: device ?? data.device });
}
