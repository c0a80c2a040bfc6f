/** The array of the reference implementation: float64, dense, row-major, at any shape. */
import { expected, show, TorchError } from '../errors';
import type { NestedArray, TypedArray } from '../types';

/** A typed array of numbers. `Uint16Array` is none: in tensors it holds the bits of half-precision numbers. */
export type NumberArray = Exclude<TypedArray, Uint16Array> | Uint32Array | BigUint64Array;

/** Numbers in a flat array, in row-major order. */
export type FlatArray = NumberArray | readonly (number | bigint)[];

/**
 * What every argument that is an array may be given as: an {@link NdArray}, a number, numbers nested in arrays, a typed
 * array (one dimension), or flat data with its shape (`dims` as onnxruntime's tensors call it). Data is always copied.
 */
export type ArraySource =
  | NdArray
  | NestedArray<number | bigint>
  | NumberArray
  | {
      /** The elements, row by row. */
      readonly data: FlatArray;
      /** The size of each dimension. */
      readonly shape: readonly number[];
    }
  | {
      /** The elements, row by row. */
      readonly data: FlatArray;
      /** The size of each dimension. */
      readonly dims: readonly number[];
    };

/** More dimensions than this are taken for an array that contains itself. */
const maxDimensions = 64;

/**
 * An array of float64 numbers with a shape. Its functions treat it as a value: they never write to one they were given.
 *
 * **Shapes** `[]` is a single number, `[3, 4]` three rows of four; `data` holds the elements row by row, last axis
 * fastest.
 *
 * @example
 * NdArray.from([[1, 2, 3], [4, 5, 6]]).shape; // [2, 3]
 * NdArray.from({ data: new Float32Array(6), dims: [3, 2] }).toArray(); // [[0, 0], [0, 0], [0, 0]]
 * NdArray.from(7).item(); // 7
 */
export class NdArray {
  /** The elements, row by row. */
  readonly data: Float64Array;
  /** The size of each dimension. */
  readonly shape: readonly number[];

  /** @throws TorchError `INVALID_ARGUMENT` if `shape` does not count the elements of `data`. */
  constructor(data: Float64Array, shape: readonly number[]) {
    this.shape = checkedShape('NdArray', "'data'", shape, data.length);
    this.data = data;
  }

  /**
   * An array of whatever {@link ArraySource} allows.
   *
   * @throws TorchError `INVALID_ARGUMENT` for ragged nesting, elements that are not numbers, a shape that does not fit;
   *   `DETACHED` for a typed array whose memory was transferred away.
   */
  static from(source: ArraySource): NdArray {
    return read('NdArray.from', "'source'", source);
  }

  /** An array of that shape, every element `value`. */
  static full(shape: readonly number[], value: number): NdArray {
    return new NdArray(allocate(shape).fill(value), shape);
  }

  /** An array of that shape, every element 0. */
  static zeros(shape: readonly number[]): NdArray {
    return NdArray.full(shape, 0);
  }

  /** The number of elements. */
  get size(): number {
    return this.data.length;
  }

  /**
   * The number in an array of one element.
   *
   * @throws TorchError `INVALID_ARGUMENT` if there are more or fewer.
   */
  item(): number {
    if (this.size !== 1) throw expected('item', "'array'", 'to have one element', `shape ${shown(this.shape)}`);
    return this.at(0);
  }

  /** The element at a flat, row-major position. */
  at(position: number): number {
    return this.data[position] as number;
  }

  /** The elements as nested arrays; a number for shape `[]`. */
  toArray(): NestedArray<number> {
    const nest = (axis: number, start: number, count: number): NestedArray<number> => {
      if (axis === this.shape.length) return this.at(start);
      const size = this.shape[axis] as number;
      const step = size === 0 ? 0 : count / size;
      return Array.from({ length: size }, (_, i) => nest(axis + 1, start + i * step, step));
    };
    return nest(0, 0, this.size);
  }
}

/** The array that an argument was given as; `label` is how an error names it. */
export function read(op: string, label: string, source: ArraySource): NdArray {
  if (source instanceof NdArray) return source;
  if (typeof source === 'number' || typeof source === 'bigint') {
    return new NdArray(Float64Array.of(toNumber(op, label, source)), []);
  }
  if (ArrayBuffer.isView(source)) return new NdArray(flatten(op, label, source), [source.length]);
  if (Array.isArray(source)) return fromNested(op, label, source);
  if (typeof source === 'object' && source !== null && 'data' in source) {
    const data = flatten(op, label, source.data);
    const shape = 'shape' in source ? source.shape : 'dims' in source ? source.dims : undefined;
    return new NdArray(data, checkedShape(op, label, shape, data.length));
  }
  throw expected(op, label, 'to be numbers nested in arrays, a typed array or { data, shape }', show(source));
}

/** True if a source says by its type that it holds integers; plain numbers leave it open. */
export function holdsIntegers(source: ArraySource): boolean {
  if (typeof source === 'bigint') return true;
  if (typeof source === 'number' || source instanceof NdArray) return false;
  if (ArrayBuffer.isView(source)) return !/^Float/.test(typeName(source));
  if (Array.isArray(source)) return source.length > 0 && holdsIntegers(source[0] as ArraySource);
  return 'data' in source && holdsIntegers(source.data as ArraySource);
}

/** A shape as messages show it: `[3, 4]`. */
export function shown(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** True if both shapes have the same sizes in the same order. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The number of elements of an array of that shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function fromNested(op: string, label: string, nested: readonly unknown[]): NdArray {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) {
    if (shape.length === maxDimensions) {
      throw expected(op, label, `to have at most ${maxDimensions} dimensions`, 'deeper nesting');
    }
    shape.push(level.length);
  }
  const data = allocate(shape);
  let filled = 0;
  const fill = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      data[filled++] = toNumber(op, label, level);
      return;
    }
    if (!Array.isArray(level) || level.length !== shape[axis]) {
      const actual = Array.isArray(level) ? `one of length ${level.length}` : show(level);
      throw expected(op, label, `to be nested evenly, with arrays of length ${shape[axis]} at depth ${axis}`, actual);
    }
    for (let i = 0; i < level.length; i++) fill(level[i], axis + 1);
  };
  fill(nested, 0);
  return new NdArray(data, shape);
}

function flatten(op: string, label: string, data: unknown): Float64Array {
  if (!ArrayBuffer.isView(data) && !Array.isArray(data)) {
    throw expected(op, label, 'to have data in a typed array or an array of numbers', show(data));
  }
  if (ArrayBuffer.isView(data)) checkView(op, label, data);
  const elements = data as unknown as ArrayLike<unknown>;
  const numbers = allocate([elements.length]);
  for (let i = 0; i < elements.length; i++) numbers[i] = toNumber(op, label, elements[i]);
  return numbers;
}

function checkView(op: string, label: string, view: ArrayBufferView): void {
  const name = typeName(view);
  if (name === 'Uint16Array' || name === 'DataView') {
    throw expected(op, label, 'to be a typed array of numbers (a Uint16Array holds half-precision bits)', show(view));
  }
  if (view.byteLength === 0 && isDetached(view.buffer)) {
    const actual = `${show(view)} whose buffer is detached`;
    const { message, argument } = expected(op, label, 'to have its memory', actual);
    throw new TorchError('DETACHED', message, { op, ...(argument !== undefined && { argument }) });
  }
}

/** Only a detached buffer refuses a view of no elements. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

function toNumber(op: string, label: string, element: unknown): number {
  if (typeof element === 'number') return element;
  if (typeof element === 'bigint' && BigInt(Number(element)) === element) return Number(element);
  const what = typeof element === 'bigint' ? 'to hold integers that a float64 holds exactly' : 'to hold numbers only';
  throw expected(op, label, what, show(element));
}

function checkedShape(op: string, label: string, shape: unknown, size: number): readonly number[] {
  if (!Array.isArray(shape) || shape.length > maxDimensions || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    const actual = Array.isArray(shape) ? shown(shape) : show(shape);
    throw expected(op, label, 'to have a shape of integers >= 0', actual);
  }
  if (sizeOf(shape) !== size) {
    throw expected(op, label, `to have a shape that counts its ${size} elements`, shown(shape));
  }
  return Object.freeze([...shape]);
}

function allocate(shape: readonly number[]): Float64Array {
  try {
    return new Float64Array(sizeOf(shape));
  } catch (cause) {
    const { message } = expected('NdArray', `an array of shape ${shown(shape)}`, 'to fit in memory', String(cause));
    throw new TorchError('OUT_OF_MEMORY', message, { op: 'NdArray', cause });
  }
}

function typeName(view: ArrayBufferView): string {
  return Object.prototype.toString.call(view).slice(8, -1);
}
