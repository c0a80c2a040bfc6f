/// <reference lib="esnext.disposable" preserve="true" />
/** The Tensor class: a handle to a native tensor. Its operators are attached by `methods.ts`. */
import { registerTensorClass, unwrap, unwrapList } from '../aten/bind';
import { dtypeName } from '../aten/dtype';
import * as aten from '../aten/operators.generated';
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { TorchError } from '../errors';
import { boolean, integer, withDefaults } from '../options';
import type { Complex, Device, DType, NestedArray, Scalar, TypedArray } from '../types';
import { type CastOptions, readCast } from './cast';
import { contentTag, identityTag } from './comparison-tag';
import { type Stream, streamHandle } from './cuda/streams';
import { fetched, fromValues, nest, readElements, readTypedArray } from './elements';
import type { TensorMethods } from './methods';
import { formatTensor, printedIndices } from './print';
import { track } from './scope';

/** Options of {@link Tensor.backward}, by PyTorch's names. */
export interface BackwardOptions {
  /** The gradient of something with respect to this tensor; needed unless the tensor has one element. */
  gradient?: Tensor | undefined;
  /** Keep the graph for another backward pass; default: `createGraph`. */
  retainGraph?: boolean | undefined;
  /** Record a graph of the gradients too, for higher derivatives. Default `false`. */
  createGraph?: boolean | undefined;
  /** Accumulate gradients into these tensors only; default: every leaf that was used. */
  inputs?: readonly Tensor[] | undefined;
}

const backwardDefaults: Readonly<BackwardOptions> = Object.freeze({
  gradient: undefined,
  retainGraph: undefined,
  createGraph: false,
  inputs: undefined,
});

/** A tensor as JSON; `tensor({ data, shape }, { dtype })` takes finite ones back. */
export interface TensorJSON {
  /** The element type; absent with all else for a tensor that was disposed. */
  dtype?: DType;
  /** Where the elements live. */
  device?: Device;
  /** The size of each dimension. */
  shape?: number[];
  /** All elements in row-major order; absent for a tensor of the meta device. */
  data?: (number | boolean | string)[];
  /** That the tensor was disposed. */
  disposed?: true;
}

/** `util.inspect.custom`, whose type would make users of the declarations need those of Node. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** What only this module has: the constructor asks for it, so that no handle but a native one gets in. */
const key = Symbol('libtorch-losses.tensor');

/** The methods that are made from functions of the same name: `x.softmax(1)` is `torch.softmax(x, 1)`. */
export interface Tensor extends TensorMethods {}

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

  /** How many elements apart neighbours of each dimension lie in memory. */
  get strides(): number[] {
    return Array.from(native().strides(this.#handle));
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

  /** The number of elements. */
  get numel(): number {
    return native().numel(this.#handle);
  }

  /** Whether the elements lie in row-major order without gaps. */
  get isContiguous(): boolean {
    return native().isContiguous(this.#handle);
  }

  /** Whether operations on this tensor are recorded for gradients. */
  get requiresGrad(): boolean {
    return native().requiresGrad(this.#handle);
  }

  /** Whether the tensor was made by the user, and not by an operation that is recorded: leaves get a `grad`. */
  get isLeaf(): boolean {
    return native().isLeaf(this.#handle);
  }

  /** Whether the tensor was made in {@link inferenceMode}, where no gradient can ever reach it. */
  get isInference(): boolean {
    return native().isInference(this.#handle);
  }

  /** The name of the recorded operation that made this tensor (`'NllLossBackward0'`); `undefined` for a leaf. */
  get gradFn(): string | undefined {
    return native().gradFn(this.#handle);
  }

  /** The gradient that `backward()` accumulated; `undefined` before the first and for tensors that are no leaves. */
  get grad(): Tensor | undefined {
    const handle = native().gradient(this.#handle);
    return handle === undefined ? undefined : new Tensor(handle, key);
  }

  /** Sets or (`undefined`) clears the accumulated gradient. */
  set grad(gradient: Tensor | undefined) {
    native().setGradient(this.#handle, gradient === undefined ? undefined : unwrap(gradient, 'grad', 'value'));
  }

  /** Starts or stops recording operations on this leaf; returns the tensor itself. Floating dtypes only. */
  requiresGrad_(value = true): this {
    native().setRequiresGrad(this.#handle, boolean('requiresGrad_', "'value'", value));
    return this;
  }

  /** Keeps the gradient of a tensor that is no leaf in its `grad` too; returns the tensor itself. */
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
   * **Source**: `torch.Tensor.backward`.
   */
  backward(options?: BackwardOptions): void {
    const op = 'backward';
    const { gradient, retainGraph, createGraph, inputs } = withDefaults(op, options, backwardDefaults);
    native().backward(
      [this.#handle],
      gradient === undefined ? undefined : [unwrap(gradient, op, 'gradient')],
      retainGraph === undefined ? undefined : boolean(op, "option 'retainGraph'", retainGraph),
      boolean(op, "option 'createGraph'", createGraph),
      inputs === undefined ? undefined : unwrapList(inputs, op, 'inputs'),
    );
  }

  /**
   * The only element, as a number; booleans come as `boolean`, integers beyond 2^53 as `bigint`.
   *
   * @throws NativeError `RUNTIME` if the tensor has not exactly one element.
   */
  item<T extends Scalar = number>(): T {
    return element(native().item(this.#handle)) as T;
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
    if (this.numel !== 1) return this.item<T>();
    return element(native().item(await fetched(this.#handle))) as T;
  }

  /** {@link toTypedArray} when the device has computed the elements: the JavaScript thread does not wait. */
  async toTypedArrayAsync<T extends TypedArray = TypedArray>(): Promise<T> {
    return readTypedArray(await fetched(this.#handle)) as T;
  }

  /** Whether the elements lie in page-locked memory of the CPU, which a device copies from by itself. */
  get isPinned(): boolean {
    return aten.is_pinned(this);
  }

  /**
   * The elements in page-locked memory of the CPU: from there `to({ device: 'cuda', nonBlocking: true })` returns at once.
   * Such memory is scarce, and takes its time to make: for buffers that are used again.
   *
   * @throws NativeError `RUNTIME` without a device that could copy from there.
   *
   * **Source**: `torch.Tensor.pin_memory`.
   */
  pinMemory(): Tensor {
    return aten.pin_memory(this);
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

  /** The tensor with another dtype, on another device, or both; itself if nothing changes and `copy` is not set. */
  to(target: DType | Device | CastOptions): Tensor {
    const { dtype, device, copy, nonBlocking } = readCast('to', target);
    return aten.to_dtype_layout(this, dtype, undefined, device, undefined, nonBlocking, copy);
  }

  /** The tensor on the CPU. */
  cpu(): Tensor {
    return this.to({ device: 'cpu' });
  }

  /** The tensor on the current CUDA device, or the one with the given index. */
  cuda(index?: number): Tensor {
    return this.to({ device: index === undefined ? 'cuda' : `cuda:${integer('cuda', "'index'", index)}` });
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
    if (this.isDisposed) return 'tensor(disposed)';
    const { shape, device } = this;
    return formatTensor({
      dtype: this.dtype,
      shape,
      data: device === 'meta' ? undefined : native().withGradMode(false, () => readPrinted(this, shape)),
      device,
      requiresGrad: this.requiresGrad,
      gradFn: this.gradFn,
    });
  }

  /**
   * What test runners tell tensors apart by, see the document on testing: the printed form and a digest of dtype, shape,
   * device and all elements. Reading it reads the elements.
   */
  get [Symbol.toStringTag](): string {
    if (#handle in this) return contentTag(this, this.#handle);
    // The class itself has a name; a proxy of a tensor is no tensor, and equals itself only.
    return (this as unknown) === Tensor.prototype ? 'Tensor' : identityTag(this, 'Tensor');
  }

  /**
   * What `JSON.stringify`, snapshots and the differences that jest and vitest print show: all elements in row-major order.
   * NaN, infinities and integers beyond 2^53 are strings. Tensors of the meta device have no `data`.
   */
  toJSON(): TensorJSON {
    if (this.isDisposed) return { disposed: true };
    const { dtype, shape, device } = this;
    if (device === 'meta') return { dtype, device, shape };
    return { dtype, device, shape, data: Array.from(readElements(this.#handle), jsonElement) };
  }

  /** What `console.log` shows: the printed form. */
  [inspectCustom](): string {
    return this.toString();
  }
}

function jsonElement(value: Scalar): number | boolean | string {
  return typeof value === 'boolean' || Number.isFinite(value) ? (value as number | boolean) : String(value);
}

/** An element that native code gives: its objects may belong to another realm. */
function element(value: Scalar | Complex): Scalar | Complex {
  return typeof value === 'object' ? { ...value } : value;
}

/** The elements that the printed form shows; the rest of a large tensor is not touched. */
function readPrinted(tensor: Tensor, shape: readonly number[]): ArrayLike<Scalar> {
  let shown = tensor;
  for (const [dim, indices] of printedIndices(shape).entries()) {
    if (indices.length === shape[dim]) continue;
    const index = new Tensor(fromValues('toString', indices, 'int64', [indices.length]), key);
    shown = aten.index_select(shown, dim, index.to({ device: shown.device }));
  }
  return readElements(unwrap(shown, 'toString', 'tensor'));
}
