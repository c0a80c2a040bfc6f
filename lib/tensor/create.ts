/** Factories of tensors. **Source**: `torch.tensor`, `torch.zeros`, `torch.randn`, … */

import { types } from 'node:util';
import { isTensor, wrap } from '../aten/bind';
import { checkDType, dtypeCode } from '../aten/dtype';
import * as aten from '../aten/operators.generated';
import { native } from '../binding/load';
import { expected, show } from '../errors';
import { boolean, integer, number, withDefaults } from '../options';
import type { Device, DType, NestedArray, Scalar, TypedArray } from '../types';
import { checkDevice } from './cast';
import { arrayDType, asReadable, flatten, fromValues, isTypedArray, scalarDType } from './elements';
import { checkScalar } from './ops/operands';
import type { Tensor } from './tensor';

/** What every factory takes. */
export interface TensorOptions {
  /** Element type; what it is by default, each factory says. */
  dtype?: DType | undefined;
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

/** Flat elements with their shape: what onnxruntime calls a tensor (`dims`) goes in as it is. */
export interface FlatData {
  /** The elements, row by row. */
  data: TypedArray | readonly Scalar[];
  /** The shape, by onnxruntime's name. */
  dims?: readonly number[] | undefined;
  /** The shape. */
  shape?: readonly number[] | undefined;
}

/** What a tensor can be made of. */
export type TensorData = NestedArray | TypedArray | readonly TypedArray[] | FlatData;

const tensorDefaults: Readonly<Required<TensorOptions>> = Object.freeze({
  dtype: undefined,
  device: undefined,
  requiresGrad: false,
});

const fromDataDefaults: Readonly<Required<FromDataOptions>> = Object.freeze({ ...tensorDefaults, shape: undefined });

interface CheckedOptions {
  dtype: DType | undefined;
  device: Device | undefined;
  requiresGrad: boolean;
}

function readOptions(op: string, options: TensorOptions | undefined): CheckedOptions {
  return check(op, withDefaults<TensorOptions>(op, options, tensorDefaults));
}

function check(op: string, { dtype, device, requiresGrad }: TensorOptions): CheckedOptions {
  return {
    dtype: dtype === undefined ? undefined : checkDType(op, dtype),
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
 * **Dtypes**: numbers become float32, bigints int64 and booleans bool; typed arrays keep their type (a `Uint16Array`
 * holds the bits of the float16 or bfloat16 that `dtype` names). `dtype` converts; a number that an integer dtype cannot
 * hold exactly is an error, where Python's truncates.
 *
 * @example tensor([[1, 2], [3, 4]], { requiresGrad: true })
 * @example tensor(new Int32Array([1, 0, 2]), { dtype: 'int64' })
 * @example tensor(await session.run(feeds).logits) // onnxruntime: { data, dims }
 *
 * @throws TorchError `INVALID_ARGUMENT` for ragged or mixed arrays, for a shape that does not fit, for unknown dtypes
 *   and for devices that are not there; `UNKNOWN_OPTION`.
 *
 * **Source**: `torch.tensor`.
 */
export function tensor(data: TensorData, options?: FromDataOptions): Tensor {
  const op = 'tensor';
  const filled = withDefaults<FromDataOptions>(op, options, fromDataDefaults);
  const checked = check(op, filled);
  if (isTensor(data)) throw expected(op, "'data'", 'to be numbers', 'a Tensor (use clone() or detach() to copy one)');
  const flat = isFlatData(data) ? readFlatData(op, data, filled.shape) : { data, shape: filled.shape };
  const shape = flat.shape === undefined ? undefined : checkShape(op, flat.shape);
  const made = isTypedArray(flat.data)
    ? fromArray(op, flat.data, shape, checked)
    : fromNested(op, flat.data, shape, checked);
  return finish(made, checked);
}

function isFlatData(data: unknown): data is FlatData {
  return typeof data === 'object' && data !== null && !Array.isArray(data) && !ArrayBuffer.isView(data);
}

function readFlatData(
  op: string,
  flat: FlatData,
  shape: readonly number[] | undefined,
): { data: TypedArray | readonly Scalar[]; shape: readonly number[] | undefined } {
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
  const { dtype, shape, requiresGrad } = withDefaults<FromDataOptions>(op, options, fromDataDefaults);
  if (!isTypedArray(array)) throw expected(op, "'array'", 'to be a typed array', show(array));
  const own = arrayDType(op, array, dtype);
  if (dtype !== undefined && checkDType(op, dtype) !== own) {
    throw expected(op, "option 'dtype'", `to be '${own}', which the array holds`, `'${dtype}' (tensor() converts)`);
  }
  checkAttached(op, array);
  checkShareable(op, "'array'", array);
  if (shape !== undefined) checkCount(op, array.length, checkShape(op, shape));
  const made = wrap(native().share(asReadable(array), dtypeCode(own, op), shape ?? [array.length]));
  return boolean(op, "option 'requiresGrad'", requiresGrad) ? made.requiresGrad_() : made;
}

/** A tensor filled with zeros; float32 by default. **Source**: `torch.zeros`. */
export function zeros(shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('zeros', options);
  return finish(aten.zeros(checkShape('zeros', shape), checked.dtype, undefined, checked.device), checked);
}

/** A tensor filled with ones; float32 by default. **Source**: `torch.ones`. */
export function ones(shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('ones', options);
  return finish(aten.ones(checkShape('ones', shape), checked.dtype, undefined, checked.device), checked);
}

/** A tensor whose memory is not initialised; float32 by default. **Source**: `torch.empty`. */
export function empty(shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('empty', options);
  const made = aten.empty_memory_format(checkShape('empty', shape), checked.dtype, undefined, checked.device);
  return finish(made, checked);
}

/**
 * A tensor filled with one value; by default float32 for a number, int64 for a bigint and bool for a boolean.
 * **Source**: `torch.full` (whose default for Python's integers is int64: JavaScript has one kind of number).
 */
export function full(shape: readonly number[], value: Scalar, options?: TensorOptions): Tensor {
  const checked = readOptions('full', options);
  const dtype = checked.dtype ?? scalarDType(checkScalar('full', "'value'", value));
  return finish(aten.full(checkShape('full', shape), value, dtype, undefined, checked.device), checked);
}

/**
 * The numbers start, start + step, … below end: `arange(end)`, `arange(start, end)` or `arange(start, end, step)`; int64
 * by default if all are integers, else float32. **Source**: `torch.arange`.
 */
export function arange(...args: [...range: number[], options: TensorOptions] | number[]): Tensor {
  const last = args.at(-1);
  const hasOptions = typeof last === 'object' || (last === undefined && args.length > 1);
  const options = hasOptions ? (last as TensorOptions | undefined) : undefined;
  const range = (hasOptions ? args.slice(0, -1) : args) as number[];
  if (range.length < 1 || range.length > 3) {
    throw expected(
      'arange',
      'the arguments',
      'to be end, (start, end) or (start, end, step)',
      `${range.length} numbers`,
    );
  }
  for (const bound of range) number('arange', "'range'", bound);
  const [start, end, step] = range.length === 1 ? [0, range[0] as number, 1] : [...(range as [number, number]), 1];
  const checked = readOptions('arange', options);
  const dtype = checked.dtype ?? (range.every(Number.isSafeInteger) ? 'int64' : 'float32');
  return finish(aten.arange_start_step(start, end, range[2] ?? step, dtype, undefined, checked.device), checked);
}

/** `steps` numbers from start to end, both included, evenly spaced; float32 by default. **Source**: `torch.linspace`. */
export function linspace(start: number, end: number, steps: number, options?: TensorOptions): Tensor {
  const checked = readOptions('linspace', options);
  const [first, last] = [number('linspace', "'start'", start), number('linspace', "'end'", end)];
  const count = integer('linspace', "'steps'", steps);
  return finish(aten.linspace(first, last, count, checked.dtype, undefined, checked.device), checked);
}

/** The identity matrix of n rows; float32 by default. **Source**: `torch.eye`. */
export function eye(n: number, options?: TensorOptions): Tensor {
  const checked = readOptions('eye', options);
  return finish(aten.eye(integer('eye', "'n'", n), checked.dtype, undefined, checked.device), checked);
}

/** Numbers drawn uniformly from [0, 1); float32 by default. **Source**: `torch.rand`. */
export function rand(shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('rand', options);
  return finish(aten.rand(checkShape('rand', shape), checked.dtype, undefined, checked.device), checked);
}

/** Numbers drawn from the standard normal distribution; float32 by default. **Source**: `torch.randn`. */
export function randn(shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('randn', options);
  return finish(aten.randn(checkShape('randn', shape), checked.dtype, undefined, checked.device), checked);
}

/** Integers drawn uniformly from [low, high); int64 by default. **Source**: `torch.randint`. */
export function randint(low: number, high: number, shape: readonly number[], options?: TensorOptions): Tensor {
  const checked = readOptions('randint', options);
  const [from, to] = [integer('randint', "'low'", low), integer('randint', "'high'", high)];
  const size = checkShape('randint', shape);
  return finish(aten.randint_low(from, to, size, checked.dtype ?? 'int64', undefined, checked.device), checked);
}

/** The integers 0 to n - 1 in random order; int64 by default. **Source**: `torch.randperm`. */
export function randperm(n: number, options?: TensorOptions): Tensor {
  const checked = readOptions('randperm', options);
  const count = integer('randperm', "'n'", n);
  return finish(aten.randperm(count, checked.dtype ?? 'int64', undefined, checked.device), checked);
}
