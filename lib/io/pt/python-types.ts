/** Types of Python that JavaScript has no type of its own for. */
import { types } from 'node:util';
import { number } from '../../options';

/**
 * A number that is saved as a float of Python, also where it is an integer: `save({ lr: new serialization.Float(1) }, …)`.
 * Other numbers that are integers become Python's `int`.
 */
export class Float {
  /** The number. */
  readonly value: number;

  constructor(value: number) {
    this.value = number('Float', "'value'", value);
  }

  /** The number, in arithmetic. */
  valueOf(): number {
    return this.value;
  }
}

/** Kinds of dictionaries, tuples and bytes that are read as maps, arrays and bytes, and saved as what they were. */
export type Kind = 'OrderedDict' | 'Counter' | 'Size' | 'bytearray';

const kinds = new WeakMap<object, Kind>();

/** Remembers what an object was in Python. */
export function remember<T extends object>(object: T, kind: Kind): T {
  kinds.set(object, kind);
  return object;
}

/** What an object was in Python, where that is remembered. */
export function kindOf(object: object): Kind | undefined {
  return kinds.get(object);
}

/** A tuple: an array that cannot be changed. */
export function tuple(items: readonly unknown[]): readonly unknown[] {
  return Object.freeze([...items]);
}

/** Whether a value is a tuple, not a list. */
export function isTuple(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

/** Keys that are tuples are not believed to be longer. */
const maxKey = 64;

/** Whether Python could use a value as a key of a dictionary: a number, text, None, or a tuple of those. */
export function isKey(value: unknown): boolean {
  return isPrimitive(value) || (isTuple(value) && value.length <= maxKey && value.every(isPrimitive));
}

function isPrimitive(value: unknown): boolean {
  return value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/** Whether a value is a map, of any realm. */
export function isMap(value: unknown): value is Map<unknown, unknown> {
  return types.isMap(value);
}
