/** A writer of pickles of protocol 2 that hold plain data: the instructions are those that Python's own pickler writes. */
import { expected, show, type TorchError } from '../../errors';
import { isPlain } from '../../options';
import { isTensor } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';
import { ByteWriter } from '../byte-writer';
import { Float, isKey, isMap, isTuple, kindOf, remember, tuple } from './python-types';

/** What is called to make a value, and with what: `reduce` of Python. */
export interface Reduction {
  /** With its module, as protocol 2 has it: `torch._utils _rebuild_tensor_v2`. */
  readonly callee: string;
  readonly args: readonly unknown[];
  /** Items of a dictionary that are set afterwards. */
  readonly items?: Iterable<readonly [unknown, unknown]>;
  /** Attributes that are set last. */
  readonly state?: unknown;
}

/** A value that is kept outside of the pickle, under an identity. */
export class Persistent {
  readonly id: readonly unknown[];

  constructor(id: readonly unknown[]) {
    this.id = id;
  }
}

/** A name of Python's as a value. */
export class PythonName {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** As many items go into a list or a dictionary at once. */
const batch = 1000;

/** Deeper nesting than any checkpoint has, and less than fills the stack. */
const maxDepth = 500;

/** Writes one value. */
export class Pickler {
  readonly #op: string;
  readonly #reduceTensor: (tensor: Tensor, refuse: Refusal) => Reduction;
  readonly #out = new ByteWriter();
  readonly #memo = new Map<unknown, number>();
  /** Where in the value the current one is: `'obj'`, then keys and indices. */
  readonly #path: string[] = [];
  readonly #openTuples = new Set<unknown>();
  #memoSize = 0;

  constructor(op: string, reduceTensor: (tensor: Tensor, refuse: Refusal) => Reduction) {
    this.#op = op;
    this.#reduceTensor = reduceTensor;
  }

  /**
   * The pickle of a value.
   *
   * @throws TorchError `INVALID_ARGUMENT` for what Python could not read as plain data; it names its place.
   */
  dump(value: unknown): Uint8Array {
    this.#out.bytes(0x80, 2);
    this.#save(value);
    this.#out.text('.');
    return this.#out.finish();
  }

  #refuse: Refusal = (what, actual) => expected(this.#op, `'obj${this.#path.join('')}'`, what, actual);

  #save(value: unknown): unknown {
    if (this.#path.length > maxDepth) {
      throw expected(
        this.#op,
        "'obj'",
        `to be nested at most ${maxDepth} levels deep`,
        'one that is deeper, or holds itself',
      );
    }
    switch (typeof value) {
      case 'undefined':
        return this.#out.text('N');
      case 'boolean':
        return this.#out.bytes(value ? 0x88 : 0x89);
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? this.#integer(value) : this.#float(value);
      case 'bigint':
        return this.#long(value);
      case 'string':
        return this.#string(value);
      case 'object':
        return value === null ? this.#out.text('N') : this.#object(value);
      default:
        throw this.#foreign(value);
    }
  }

  #object(value: object): unknown {
    const known = this.#memo.get(value);
    if (known !== undefined) return this.#get(known);
    if (isTensor(value)) return this.#reduce(value, this.#reduceTensor(value, this.#refuse));
    if (isTuple(value)) return kindOf(value) === 'Size' ? this.#size(value) : this.#tuple(value);
    if (Array.isArray(value)) return this.#list(value);
    if (isMap(value)) return this.#map(value);
    if (value instanceof Set) return this.#set(value);
    if (value instanceof Float) return this.#float(value.value);
    if (value instanceof Persistent) {
      this.#tuple(value.id);
      return this.#out.text('Q');
    }
    if (value instanceof PythonName) return this.#name(value.name);
    if (isReduction(value)) return this.#reduce(value, value);
    if (Object.prototype.toString.call(value) === '[object Uint8Array]') return this.#bytes(value as Uint8Array);
    if (!isPlain(value)) throw this.#foreign(value);
    const entries = Object.entries(value);
    if (isComplex(entries)) {
      const parts = [new Float((value as { re: number }).re), new Float((value as { im: number }).im)];
      return this.#reduce(value, { callee: '__builtin__ complex', args: parts });
    }
    this.#dictionary(value, entries);
  }

  #foreign(value: unknown): TorchError {
    const what = 'to be a Tensor, a Map, an object of braces, an array, a number, text or bytes';
    const hasState = typeof (value as { stateDict?: unknown }).stateDict === 'function';
    const actual = ArrayBuffer.isView(value) ? `${show(value)} (tensor() makes a tensor of it)` : show(value);
    return this.#refuse(what, hasState ? `${actual} (save its stateDict())` : actual);
  }

  /** Remembers a value, and gives its number. */
  #put(value: unknown): void {
    const index = this.#memoSize++;
    this.#memo.set(value, index);
    if (index < 256) this.#out.text('q').bytes(index);
    else this.#out.text('r').uint32(index);
  }

  #get(index: number): void {
    if (index < 256) this.#out.text('h').bytes(index);
    else this.#out.text('j').uint32(index);
  }

  #integer(value: number): void {
    if (value >= 0 && value < 0x100) this.#out.text('K').bytes(value);
    else if (value >= 0 && value < 0x10000) this.#out.text('M').bytes(value & 0xff, value >> 8);
    else if (value === (value | 0)) this.#out.text('J').uint32(value >>> 0);
    else this.#long(BigInt(value));
  }

  /** Two's complement in as few bytes as hold it, the lowest first. */
  #long(value: bigint): unknown {
    if (BigInt.asIntN(32, value) === value) return this.#integer(Number(value));
    let size = 1;
    while (BigInt.asIntN(8 * size, value) !== value && size < 256) size++;
    if (size > 255) throw this.#refuse('to be an integer of at most 255 bytes, as Python reads it', 'a larger one');
    const digits = BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0');
    const bytes = Buffer.from(digits, 'hex').reverse();
    this.#out.bytes(0x8a, size).append(bytes);
  }

  #float(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    this.#out.text('G').append(bytes);
  }

  #string(value: string): unknown {
    const known = this.#memo.get(value);
    if (known !== undefined) return this.#get(known);
    if (/\p{Cs}/u.test(value)) throw this.#refuse('to be text', 'a string with half of a surrogate pair');
    const bytes = Buffer.from(value);
    this.#out.text('X').uint32(bytes.length).append(bytes);
    return this.#put(value);
  }

  /** The text of the bytes, and what makes bytes of it: protocol 2 has no bytes. */
  #bytes(value: Uint8Array): unknown {
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
    const bytes = reduction('_codecs encode', [text, 'latin1']);
    if (kindOf(value) !== 'bytearray') return this.#reduce(value, bytes);
    this.#reduce(value, { callee: '__builtin__ bytearray', args: value.length === 0 ? [] : [bytes] });
  }

  #name(name: string): unknown {
    // No value is such a symbol.
    const key = Symbol.for(`libtorch-losses.python.${name}`);
    const known = this.#memo.get(key);
    if (known !== undefined) return this.#get(known);
    this.#out.text(`c${name.replace(' ', '\n')}\n`);
    return this.#put(key);
  }

  #size(value: readonly unknown[]): void {
    this.#reduce(value, { callee: 'torch Size', args: [tuple(value)] });
  }

  #tuple(items: readonly unknown[]): unknown {
    if (items.length === 0) return this.#out.text(')');
    if (this.#openTuples.has(items)) throw this.#refuse('to hold no frozen array that holds itself', 'one that does');
    this.#openTuples.add(items);
    if (items.length > 3) this.#out.text('(');
    for (const [i, item] of items.entries()) this.#at(`[${i}]`, item);
    if (items.length > 3) this.#out.text('t');
    else this.#out.bytes(0x84 + items.length);
    this.#openTuples.delete(items);
    this.#put(items);
  }

  #list(items: readonly unknown[]): unknown {
    this.#out.text(']');
    this.#put(items);
    if (items.length === 1) {
      this.#at('[0]', items[0]);
      return this.#out.text('a');
    }
    for (let from = 0; from < items.length; from += batch) {
      this.#out.text('(');
      const to = Math.min(from + batch, items.length);
      for (let i = from; i < to; i++) this.#at(`[${i}]`, items[i]);
      this.#out.text('e');
    }
  }

  #map(value: Map<unknown, unknown>): unknown {
    const { _metadata } = value as { _metadata?: unknown };
    const kind = kindOf(value);
    if (kind === 'Counter') {
      return this.#reduce(value, { callee: 'collections Counter', args: [new Map(value)] });
    }
    if (_metadata === undefined && kind !== 'OrderedDict') return this.#dictionary(value, [...value]);
    // A state dict says so of each module in a dictionary that keeps its order.
    const state =
      _metadata === undefined
        ? undefined
        : { _metadata: isMap(_metadata) ? remember(_metadata, 'OrderedDict') : _metadata };
    this.#reduce(value, { callee: 'collections OrderedDict', args: [], items: value, state });
  }

  #dictionary(value: object, entries: readonly (readonly [unknown, unknown])[]): unknown {
    this.#out.text('}');
    this.#put(value);
    if (entries.length === 1) return this.#items(entries);
    // Python's pickler looks for one more batch behind a full one.
    for (let from = 0; entries.length > 0 && from <= entries.length; from += batch) {
      this.#out.text('(');
      this.#pairs(entries.slice(from, from + batch));
      this.#out.text('u');
    }
  }

  /** Items of a dictionary that is not a plain one. */
  #items(entries: readonly (readonly [unknown, unknown])[]): void {
    for (let from = 0; from < entries.length; from += batch) {
      const part = entries.slice(from, from + batch);
      if (part.length > 1) this.#out.text('(');
      this.#pairs(part);
      this.#out.text(part.length > 1 ? 'u' : 's');
    }
  }

  #pairs(entries: readonly (readonly [unknown, unknown])[]): void {
    for (const [key, value] of entries) {
      if (!isKey(key)) throw this.#refuse('to have numbers, text, null or frozen arrays of those as keys', show(key));
      this.#save(key);
      this.#at(typeof key === 'string' && /^\w+$/.test(key) ? `.${key}` : `[${showKey(key)}]`, value);
    }
  }

  #set(value: ReadonlySet<unknown>): void {
    const items = [...value];
    const wrong = items.findIndex((item) => !isKey(item));
    if (wrong >= 0) throw this.#refuse('to hold numbers, text, null or frozen arrays of those', show(items[wrong]));
    this.#reduce(value, { callee: '__builtin__ set', args: [items] });
  }

  #reduce(value: object, { callee, args, items, state }: Reduction): unknown {
    this.#name(callee);
    this.#tuple(args.length === 0 ? args : [...args]);
    this.#out.text('R');
    this.#put(value);
    if (items !== undefined) this.#items([...items]);
    if (state === undefined) return;
    this.#save(state);
    this.#out.text('b');
  }

  /** Saves a part of a value. */
  #at(step: string, value: unknown): void {
    this.#path.push(step);
    this.#save(value);
    this.#path.pop();
  }
}

/** Makes an error about the value that is being saved. */
export type Refusal = (what: string, actual: string) => TorchError;

function isReduction(value: object): value is Reduction {
  return reductions.has(value);
}

const reductions = new WeakSet<object>();

/** A call as a part of the arguments of another one. */
export function reduction(callee: string, args: readonly unknown[]): Reduction {
  const made = { callee, args };
  reductions.add(made);
  return made;
}

function isComplex(entries: readonly [string, unknown][]): boolean {
  const keys = entries.map(([key]) => key).sort();
  return keys.join() === 'im,re' && entries.every(([, part]) => typeof part === 'number');
}

function showKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key.length > 40 ? `${key.slice(0, 37)}...` : key) : show(key);
}
