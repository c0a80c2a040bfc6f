/** How arrays meet: element by element with broadcasting, and row by row along one axis. */
import { expected } from '../errors';
import { integerWithin } from './check';
import { NdArray, sameShape, shown, sizeOf } from './ndarray';

/**
 * `f` of the elements at the same place in every array, shapes broadcast to one: sizes are aligned at the last axis,
 * and a size of 1 stands for any. Callers have checked that the shapes agree.
 */
export function elementwise(f: (...elements: number[]) => number, ...arrays: readonly NdArray[]): NdArray {
  const shape = arrays.map((array) => array.shape).reduce(jointShape);
  const spread = arrays.map((array) => broadcastTo(array, shape));
  const result = NdArray.zeros(shape);
  const elements = arrays.map(() => 0);
  for (let i = 0; i < result.size; i++) {
    for (const [j, array] of spread.entries()) elements[j] = array.at(i);
    result.data[i] = f(...elements);
  }
  return result;
}

/**
 * The shape that two shapes broadcast to.
 *
 * @throws TorchError `INVALID_ARGUMENT`, naming `label` (the second), where sizes differ and neither is 1.
 */
export function checkBroadcast(
  op: string,
  label: string,
  first: readonly number[],
  second: readonly number[],
): readonly number[] {
  if (compatible(first, second)) return jointShape(first, second);
  throw expected(op, label, `to have a shape that broadcasts with ${shown(first)}`, shown(second));
}

/**
 * The array repeated to that shape, which it must not enlarge.
 *
 * @throws TorchError `INVALID_ARGUMENT` if it does not broadcast to `shape`.
 */
export function expandTo(op: string, label: string, array: NdArray, shape: readonly number[]): NdArray {
  if (!compatible(shape, array.shape) || !sameShape(jointShape(shape, array.shape), shape)) {
    throw expected(op, label, `to have a shape that broadcasts to ${shown(shape)}`, shown(array.shape));
  }
  return broadcastTo(array, shape);
}

/** The sums over the axes along which an array of `shape` was repeated: the adjoint of broadcasting, for gradients. */
export function sumTo(array: NdArray, shape: readonly number[]): NdArray {
  const result = NdArray.zeros(shape);
  const source = sourcePosition(shape, array.shape);
  for (let i = 0; i < array.size; i++) {
    const position = source(i);
    result.data[position] = result.at(position) + array.at(i);
  }
  return result;
}

/** The sum of numbers, first to last. */
export function sum(numbers: Float64Array): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/**
 * An array seen as rows along one axis. `[N, C, d1…dk]` along axis 1 is N·d1·…·dk rows of C elements, one for every
 * place of an array of shape `[N, d1…dk]` and in the same order.
 */
export class Rows {
  /** The shape without the axis: one place a row. */
  readonly shape: readonly number[];
  /** The number of rows. */
  readonly count: number;
  /** The number of elements in a row. */
  readonly length: number;
  /** The distance in memory between neighbours in a row: the size of all later axes. */
  private readonly stride: number;
  private readonly arrayShape: readonly number[];

  constructor(shape: readonly number[], axis: number) {
    this.arrayShape = shape;
    this.shape = shape.filter((_, other) => other !== axis);
    this.count = sizeOf(this.shape);
    this.length = shape[axis] ?? 1;
    this.stride = sizeOf(shape.slice(axis + 1));
  }

  /** The flat position of element `k` of a row. */
  position(row: number, k: number): number {
    const within = row % this.stride;
    return (row - within) * this.length + k * this.stride + within;
  }

  /** A copy of a row. */
  get(array: NdArray, row: number): Float64Array {
    const elements = new Float64Array(this.length);
    for (let k = 0; k < this.length; k++) elements[k] = array.at(this.position(row, k));
    return elements;
  }

  /** Writes a row of an array that is being made. */
  set(array: NdArray, row: number, elements: Float64Array): void {
    for (let k = 0; k < this.length; k++) array.data[this.position(row, k)] = elements[k] as number;
  }

  /** A new array, made row by row. */
  fill(rowOf: (row: number) => Float64Array): NdArray {
    const result = NdArray.zeros(this.arrayShape);
    for (let row = 0; row < this.count; row++) this.set(result, row, rowOf(row));
    return result;
  }

  /** `f` of the rows at the same place in every array, written to the same place of a new array. */
  map(f: (...rows: Float64Array[]) => Float64Array, ...arrays: readonly NdArray[]): NdArray {
    return this.fill((row) => f(...arrays.map((array) => this.get(array, row))));
  }

  /** One number for every row, repeated along it. */
  repeat(numbers: NdArray): NdArray {
    return this.fill((row) => new Float64Array(this.length).fill(numbers.at(row)));
  }

  /** The number that `f` makes of the rows at the same place in every array. */
  reduce(f: (...rows: Float64Array[]) => number, ...arrays: readonly NdArray[]): NdArray {
    const result = NdArray.zeros(this.shape);
    for (let row = 0; row < this.count; row++) result.data[row] = f(...arrays.map((array) => this.get(array, row)));
    return result;
  }

  /** The sum of every row. */
  sums(array: NdArray): NdArray {
    return this.reduce(sum, array);
  }

  /** All rows added up. */
  totals(array: NdArray): NdArray {
    const result = NdArray.zeros([this.length]);
    for (let row = 0; row < this.count; row++) {
      for (const [k, element] of this.get(array, row).entries()) result.data[k] = result.at(k) + element;
    }
    return result;
  }
}

/**
 * The axis that `dim` means, negative ones counted from the end. A single number has one axis of size 1, as in PyTorch.
 *
 * @throws TorchError `INVALID_ARGUMENT` if there is none.
 */
export function axisOf(op: string, dim: number, shape: readonly number[]): number {
  const dimensions = Math.max(shape.length, 1);
  const axis = integerWithin(op, "'dim'", dim, -dimensions, dimensions - 1);
  return axis < 0 ? axis + dimensions : axis;
}

function compatible(first: readonly number[], second: readonly number[]): boolean {
  const [short, long] = first.length < second.length ? [first, second] : [second, first];
  const skipped = long.length - short.length;
  return short.every((size, axis) => size === 1 || long[axis + skipped] === 1 || long[axis + skipped] === size);
}

function jointShape(first: readonly number[], second: readonly number[]): readonly number[] {
  const [short, long] = first.length < second.length ? [first, second] : [second, first];
  const skipped = long.length - short.length;
  return long.map((size, axis) => (size === 1 && axis >= skipped ? (short[axis - skipped] as number) : size));
}

function broadcastTo(array: NdArray, shape: readonly number[]): NdArray {
  if (sameShape(array.shape, shape)) return array;
  const result = NdArray.zeros(shape);
  const source = sourcePosition(array.shape, shape);
  for (let i = 0; i < result.size; i++) result.data[i] = array.at(source(i));
  return result;
}

/** Where element `i` of an array broadcast from shape `from` to shape `to` comes from, both positions flat. */
function sourcePosition(from: readonly number[], to: readonly number[]): (i: number) => number {
  const skipped = to.length - from.length;
  return (i) => {
    let position = 0;
    let stride = 1;
    let rest = i;
    for (let axis = to.length - 1; axis >= skipped; axis--) {
      const coordinate = rest % (to[axis] as number);
      const size = from[axis - skipped] as number;
      if (size !== 1) position += coordinate * stride;
      stride *= size;
      rest = Math.floor(rest / (to[axis] as number));
    }
    return position;
  };
}
