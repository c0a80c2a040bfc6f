/// <reference lib="esnext.disposable" preserve="true" />
/** The Tensor class: a handle to a native tensor. Its operators are attached by `methods.ts`. */

import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { TorchError } from '../errors';
import { boolean } from '../options';
import {
  type Device,
  type DType,
  itemsizes,
  type Layout,
  layouts,
  type MemoryFormat,
  type NestedArray,
  type Scalar,
  type TypedArray,
} from '../types';
import { operator, registerTensorClass, unwrap, unwrapList } from './bind';
import { type CastOptions, cast } from './cast';
import { contentTag, identityTag } from './comparison-tag';
import { type Stream, streamHandle } from './cuda/streams';
import { dtypeName } from './dtype';
import { asScalar, fetched, nest, readElements, readTypedArray } from './elements';
import { type Index, index, indexPut } from './indexing';
import type { TensorMethods } from './methods';
import { aten } from './ops';
import type { TensorViews } from './prototype';
import { track } from './scope';
import {
  type BackwardOptions,
  type DimForm,
  readBackward,
  readFlag,
  readMemoryFormat,
  sizesAlong,
} from './tensor-arguments';
import { jsonOf, primitiveOf, type TensorJSON, textOf } from './tensor-text';

/** `util.inspect.custom`, whose type would make users of the declarations need those of Node. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** What only this module has: the constructor asks for it, so that no handle but a native one gets in. */
const key = Symbol('libtorch-losses.tensor');

/** The methods that are operators: `x.softmax(1)` is `torch.softmax(x, 1)`. */
export interface Tensor extends TensorMethods, TensorViews {}

/**
 * A multi-dimensional array of one element type on one device, with its place in the graph of gradients: libtorch's own
 * tensor. Made by {@link tensor}, the other factories and every operator; never by `new`.
 *
 * Its memory is given back when the object is garbage-collected, and at once by `dispose()`, `using` or {@link scope}.
 *
 * **Source**: `torch.Tensor`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: methods.ts attaches exactly what the interface declares.
export class Tensor implements Disposable {
  readonly #handle: Handle;
  /** What `grad` gave last: the same object as long as it is the same gradient. */
  #grad: Tensor | undefined;

  /** @internal Tensors are made by factories and operators. */
  constructor(handle: Handle, made: symbol) {
    if (made !== key) {
      const message = "Tensor: expected to be made by tensor(), zeros(), …, but received a call of 'new Tensor'";
      throw new TorchError('INVALID_ARGUMENT', message, { op: 'Tensor' });
    }
    this.#handle = handle;
    track(this);
  }

  static {
    registerTensorClass({
      wrap: (handle) => new Tensor(handle, key),
      handleOf: (value) =>
        typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined,
    });
  }

  /** The size of each dimension: `[]` for a scalar. */
  get shape(): number[] {
    return Array.from(native().shape(this.#handle));
  }

  /** The element type, by PyTorch's name. */
  get dtype(): DType {
    return dtypeName(native().dtype(this.#handle));
  }

  /** Where the elements live: `'cpu'`, `'cuda:0'`, … */
  get device(): Device {
    return native().device(this.#handle);
  }

  /** The number of dimensions. */
  get ndim(): number {
    return native().ndim(this.#handle);
  }

  /** How elements are laid out: `'strided'`, or a format of sparse tensors. */
  get layout(): Layout {
    return layouts[native().layout(this.#handle)] as Layout;
  }

  /** Bytes of one element. */
  get itemsize(): number {
    return itemsizes[dtypeName(native().dtype(this.#handle))];
  }

  /** Bytes of all elements. */
  get nbytes(): number {
    return this.itemsize * this.numel();
  }

  /** Whether the elements live on a CUDA device. */
  get isCuda(): boolean {
    return native().device(this.#handle).startsWith('cuda');
  }

  /** Whether the tensor has no elements, but a shape and a dtype only. */
  get isMeta(): boolean {
    return native().device(this.#handle) === 'meta';
  }

  /** Whether the layout is `'sparse_coo'`. */
  get isSparse(): boolean {
    return layouts[native().layout(this.#handle)] === 'sparse_coo';
  }

  /** The number of elements. */
  numel(): number {
    return native().numel(this.#handle);
  }

  /** The number of dimensions. */
  dim(): number {
    return native().ndim(this.#handle);
  }

  /** The size of each dimension, or of one. **Source**: `torch.Tensor.size`. */
  size(): number[];
  size(dim: number | DimForm): number;
  size(dim?: number | DimForm): number | number[] {
    return sizesAlong('size', Array.from(native().shape(this.#handle)), dim);
  }

  /** How many elements apart neighbours of each dimension lie in memory, or those of one. **Source**: `torch.Tensor.stride`. */
  stride(): number[];
  stride(dim: number | DimForm): number;
  stride(dim?: number | DimForm): number | number[] {
    return sizesAlong('stride', Array.from(native().strides(this.#handle)), dim);
  }

  /** Whether the tensor was made in {@link inferenceMode}, where no gradient can ever reach it. */
  isInference(): boolean {
    return native().isInference(this.#handle);
  }

  /** Bytes of one element. **Source**: `torch.Tensor.element_size`. */
  elementSize(): number {
    return itemsizes[dtypeName(native().dtype(this.#handle))];
  }

  /** Whether the elements lie in row-major order without gaps, or in that of a memory format. */
  isContiguous(memoryFormat?: MemoryFormat | { memoryFormat?: MemoryFormat | null | undefined } | null): boolean {
    const format = memoryFormat === undefined ? memoryFormat : readMemoryFormat(memoryFormat);
    if (format === undefined) return native().isContiguous(this.#handle);
    return aten.is_contiguous.memory_format(this, format);
  }

  /** Whether operations on this tensor are recorded for gradients. */
  get requiresGrad(): boolean {
    return native().requiresGrad(this.#handle);
  }

  /** Starts or stops recording operations on this leaf, as {@link requiresGrad_} does. */
  set requiresGrad(value: boolean) {
    native().setRequiresGrad(this.#handle, boolean('requiresGrad', "'value'", value));
  }

  /** Whether the tensor was made by the user, and not by an operation that is recorded: leaves get a `grad`. */
  get isLeaf(): boolean {
    return native().isLeaf(this.#handle);
  }

  /** Whether the tensor is not a leaf and keeps its gradient all the same, see {@link retainGrad}. */
  get retainsGrad(): boolean {
    return native().retainsGrad(this.#handle);
  }

  /** The name of the recorded operation that made this tensor (`'NllLossBackward0'`); `undefined` for a leaf. */
  get gradFn(): string | undefined {
    return native().gradFn(this.#handle);
  }

  /** The gradient that `backward()` accumulated; `undefined` before the first and for tensors that are not leaves. */
  get grad(): Tensor | undefined {
    const known = this.#grad === undefined ? undefined : this.#grad.#handle;
    const handle = native().gradient(this.#handle, known);
    if (handle === undefined) this.#grad = undefined;
    else if (handle !== known) this.#grad = new Tensor(handle, key);
    return this.#grad;
  }

  /** Sets or (`null`, `undefined`) clears the accumulated gradient. */
  set grad(gradient: Tensor | null | undefined) {
    native().setGradient(this.#handle, gradient == null ? undefined : unwrap(gradient, 'grad', 'value'));
    this.#grad = gradient ?? undefined;
  }

  /** Starts or stops recording operations on this leaf; returns the tensor itself. Floating dtypes only. */
  requiresGrad_(requiresGrad?: boolean | { requiresGrad?: boolean | null | undefined }): this {
    native().setRequiresGrad(this.#handle, readFlag('requiresGrad_', 'requiresGrad', requiresGrad, true));
    return this;
  }

  /** Keeps the gradient of a tensor that is not a leaf in its `grad` too; returns the tensor itself. */
  retainGrad(): this {
    native().retainGrad(this.#handle);
    return this;
  }

  /**
   * Computes the gradients of this tensor with respect to the graph's leaves and adds them to their `grad`.
   *
   * @throws NativeError `RUNTIME` if the tensor has more than one element and no `gradient` is given, if nothing
   *   requires a gradient, or if the graph was freed by an earlier pass.
   *
   * @example loss.backward();
   * @example out.backward(gradient, { retainGraph: true });
   *
   * **Source**: `torch.Tensor.backward`.
   */
  backward(options?: BackwardOptions | null): void;
  backward(
    gradient: Tensor | null | undefined,
    retainGraph?: boolean | null,
    createGraph?: boolean,
    inputs?: Tensor | readonly Tensor[],
  ): void;
  backward(gradient: Tensor | null | undefined, options: Omit<BackwardOptions, 'gradient'>): void;
  backward(...args: unknown[]): void {
    const [gradient, retainGraph, createGraph, inputs] = readBackward(...args);
    native().backward(
      [this.#handle],
      gradient === undefined ? undefined : [unwrap(gradient, 'backward', 'gradient')],
      retainGraph,
      createGraph,
      inputs === undefined
        ? undefined
        : unwrapList((Array.isArray(inputs) ? inputs : [inputs]) as Tensor[], 'backward', 'inputs'),
    );
  }

  /**
   * The only element, as a number; booleans come as `boolean`, integers beyond 2^53 as `bigint`.
   *
   * @throws NativeError `RUNTIME` if the tensor has not exactly one element.
   */
  item<T extends Scalar = number>(): T {
    return asScalar(native().item(this.#handle)) as T;
  }

  /** The elements as nested arrays (a scalar as itself); integers beyond 2^53 come as `bigint`. */
  toArray<T extends NestedArray = NestedArray<number>>(): T {
    return nest(readElements(this.#handle), this.shape) as T;
  }

  /**
   * A copy of the elements in row-major order: `Float32Array` for float32, `BigInt64Array` for int64, `Uint8Array` for
   * bool, `Float16Array` for float16 where the runtime has it and else their bits as `Uint16Array`, bfloat16 always bits.
   */
  toTypedArray<T extends TypedArray = TypedArray>(): T {
    return readTypedArray(this.#handle) as T;
  }

  /**
   * {@link item} when the device has computed it: the JavaScript thread does not wait.
   *
   * @throws NativeError `RUNTIME` if the tensor has not exactly one element.
   */
  async itemAsync<T extends Scalar = number>(): Promise<T> {
    if (this.numel() !== 1) return this.item<T>();
    return asScalar(native().item(await fetched(this.#handle))) as T;
  }

  /** {@link toTypedArray} when the device has computed the elements: the JavaScript thread does not wait. */
  async toTypedArrayAsync<T extends TypedArray = TypedArray>(): Promise<T> {
    return readTypedArray(await fetched(this.#handle)) as T;
  }

  /**
   * Says that a stream other than the one that the tensor was made on uses it: its memory goes to nobody else before that
   * is done. Nothing happens on the CPU.
   *
   * **Source**: `torch.Tensor.record_stream`.
   */
  recordStream(stream: Stream): void {
    const isOnCpu = this.device === 'cpu';
    const used = streamHandle('recordStream', "'stream'", stream);
    if (!isOnCpu) native().recordStream(this.#handle, used);
  }

  /**
   * The tensor with another dtype, on another device, or both; itself if nothing changes and `copy` is not set.
   *
   * @example x.to('float64');
   * @example x.to('cuda', 'float16', { nonBlocking: true });
   * @example x.to(other);
   *
   * **Source**: `torch.Tensor.to`.
   */
  to(target: DType | Device | Tensor | CastOptions, options?: CastOptions): Tensor;
  to(dtype: DType | Tensor, nonBlocking?: boolean, copy?: boolean, options?: CastOptions): Tensor;
  to(device: Device | null, dtype?: DType | null, nonBlocking?: boolean, copy?: boolean, options?: CastOptions): Tensor;
  to(...args: unknown[]): Tensor {
    return cast(this, args);
  }

  /**
   * The elements at indices, as Python's brackets give them: a view for numbers, {@link slice}, `null` and `'...'`; a copy
   * where a tensor, a list or a mask is among them.
   *
   * Python's `x[0]` is `x.index(0)`; `x[1:, None, ..., mask]` is `x.index(slice(1, null), null, '...', mask)`.
   *
   * **Source**: `torch.Tensor.__getitem__`.
   */
  index(...indices: Index[]): Tensor {
    return index(this, indices);
  }

  /**
   * Writes to the elements at indices, as an assignment to Python's brackets does; with `accumulate` adds to them. Returns
   * the tensor itself.
   *
   * Python's `x[0, 1:] = 7` is `x.indexPut_([0, slice(1, null)], 7)`.
   *
   * **Source**: `torch.Tensor.__setitem__`, `torch.Tensor.index_put_`.
   */
  indexPut_(
    indices: readonly Index[],
    values: Tensor | Scalar | NestedArray,
    accumulate?: boolean | { accumulate?: boolean | null | undefined },
  ): this {
    indexPut(this, indices, values, readFlag('indexPut_', 'accumulate', accumulate, false));
    return this;
  }

  /**
   * What arithmetic and templates make of a tensor: the number of one element, or the printed form as text.
   *
   * @throws TorchError `INVALID_ARGUMENT` for arithmetic with more elements: JavaScript's operators know numbers only.
   */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): number | bigint | string {
    return primitiveOf(this, hint);
  }

  /** Whether {@link dispose} was called, or the scope that owned the tensor has ended. */
  get isDisposed(): boolean {
    return native().isDisposed(this.#handle);
  }

  /** Gives the memory back now. Later uses throw {@link DisposedError}; disposing again does nothing. */
  dispose(): void {
    native().dispose(this.#handle);
  }

  /** {@link dispose}, at the end of a block that declares the tensor with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The text that PyTorch prints for this tensor. */
  toString(): string {
    return textOf(this);
  }

  /**
   * What test runners tell tensors apart by, see the document on testing: the printed form and a digest of dtype, shape,
   * device and all elements. Reading it reads the elements.
   */
  get [Symbol.toStringTag](): string {
    if (#handle in this) return contentTag(this, this.#handle);
    // The class itself has a name; a proxy of a tensor is not a tensor, and equals itself only.
    return (this as unknown) === Tensor.prototype ? 'Tensor' : identityTag(this, 'Tensor');
  }

  /**
   * What `JSON.stringify`, snapshots and the differences that jest and vitest print show: all elements in row-major order.
   * NaN, infinities and integers beyond 2^53 are strings, complex numbers `{ re, im }`. Tensors of the meta device have no `data`.
   */
  toJSON(): TensorJSON {
    return jsonOf(this);
  }

  /** What `console.log` shows: the printed form. */
  [inspectCustom](): string {
    return this.toString();
  }
}

/** @internal What constructors of subclasses pass on: a handle of the same memory, in no graph. */
export function subclassArguments(op: string, data: Tensor): [handle: Handle, made: symbol] {
  return [operator('aten::detach', '')(unwrap(data, op, 'data')) as Handle, key];
}
