/**
 * Functions of tensors and options that are traced once for each kind of arguments, and from then on run in one native
 * call.
 */

import { native } from '../binding/load';
import type { Handle, Native, Program } from '../binding/native';
import { isTensor, unwrap, wrap } from './bind';
import { tensor } from './create';
import { getValidateArgs } from './cuda/validation';
import type { Tensor } from './tensor';
import { trace } from './trace';

/** Markers in the key of a program: for a tensor, before the rank and sizes of elements, and around options. */
const [someTensor, elements, options, end] = ['tensor', 'elements', 'options', 'end'].map((name) => Symbol(name));

/** Elements that are passed without a copy: for the duration of the call a tensor borrows their memory. */
type Borrowed = Float32Array | Float64Array | BigInt64Array;

/** Elements with their shape, or a tensor. */
type Input = Tensor | { readonly data: Borrowed; readonly shape: readonly number[] };

/** Flattened arguments: what a program is traced for, and what it is run with. */
interface Flattened {
  /**
   * Whether values are looked at; and everything but tensors: option names, strings, numbers, shapes of borrowed
   * elements.
   */
  readonly key: unknown[];
  readonly inputs: Input[];
  /** The inputs of the native call. */
  readonly handles: (Handle | Borrowed)[];
}

/** An entry for a kind of arguments. */
interface Entry {
  readonly key: readonly unknown[];
  /** Absent after the first call, which the caller computes; `'none'` if there can be no program. */
  program: Program | 'none' | undefined;
}

/** How many kinds of arguments a function keeps; the least recently used is dropped first. */
const capacity = 256;

type Given = ReturnType<Native['run']> & {};

/** A function that can be compiled; returns `undefined` for arguments that it does not support. */
export type Compilable = (args: readonly unknown[]) => readonly Tensor[] | undefined;

/** Output modes of the native call: all results; their only element. */
const [allResults, onlyElement] = [0, 1];

/**
 * A function that is traced at the second call with arguments of a kind, and from then on runs in one native call;
 * arguments that come once are never traced. The results of compiled functions are in no graph.
 */
export class Compiled<Result> {
  readonly #fn: Compilable;
  readonly #outputMode: number;
  readonly #read: (result: Given) => Result | undefined;
  readonly #entries = new Map<string, Entry>();
  /** The entry of the last call: most calls have arguments of the same kind. */
  #last: { key: readonly unknown[]; program: Program } | undefined;
  #failure: unknown;

  constructor(fn: Compilable, outputMode: number, read: (result: Given) => Result | undefined) {
    this.#fn = fn;
    this.#outputMode = outputMode;
    this.#read = read;
  }

  /**
   * The function's result; `undefined` if it cannot be had this way: the first arguments of a kind, arguments that are
   * neither tensors nor plain options, a function that has no way for them, an error. The caller then takes the way
   * that has errors to show.
   */
  call(args: readonly unknown[]): Result | undefined {
    this.#failure = undefined;
    const flattened = tryFlatten(args);
    if (flattened === undefined) return undefined;
    try {
      const result = this.#runLast(flattened) ?? this.#runFound(flattened);
      return result === undefined ? undefined : this.#read(result);
    } catch (error) {
      this.#failure = error;
      return undefined;
    }
  }

  /** The error of the last call, if it failed: its destination may be written in part. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The program of the last call, if it is for these arguments, too. */
  #runLast({ key, handles }: Flattened): Given | undefined {
    const last = this.#last;
    if (last === undefined || !sameKey(last.key, key)) return undefined;
    return native().run(last.program, this.#outputMode, ...handles);
  }

  /** The program for these arguments: looked up, or traced at their second sighting. */
  #runFound(flattened: Flattened): Given | undefined {
    const { key, handles } = flattened;
    const id = `${native().fingerprint(...handles)} ${key.map(String).join()}`;
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#remember(id, { key, program: undefined });
      return undefined;
    }
    // Other arguments may share the name.
    if (entry.program === 'none' || !sameKey(entry.key, key)) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.program ??= this.#trace(flattened);
    if (entry.program === 'none') return undefined;
    this.#last = { key, program: entry.program };
    return native().run(entry.program, this.#outputMode, ...handles);
  }

  #remember(id: string, entry: Entry): void {
    this.#entries.set(id, entry);
    if (this.#entries.size <= capacity) return;
    const [oldest] = this.#entries.keys();
    this.#entries.delete(oldest as string);
  }

  #trace({ key, inputs }: Flattened): Program | 'none' {
    if (isMixed(inputs)) return 'none';
    const examples = inputs.map((input) => (isTensor(input) ? input : tensor(input.data, { shape: input.shape })));
    // The flattened arguments: reading options a second time may give something else.
    const to = this.#outputMode === onlyElement ? 'nowhere' : 'caller';
    try {
      return trace(examples, (given) => this.#fn(unflatten(key, given)) ?? [], to);
    } catch (error) {
      this.#failure = error;
      return 'none';
    }
  }
}

/** Whether inputs are on several devices: elements have to be copied then, and of tensors it may be wrong. */
function isMixed(inputs: readonly Input[]): boolean {
  return new Set(inputs.map((input) => (isTensor(input) ? input.device : 'cpu'))).size > 1;
}

/** A function of tensors, compiled. */
export function compiled(fn: Compilable): Compiled<readonly Tensor[]> {
  return new Compiled(fn, allResults, (results) => {
    // A program without results: there is no way for these arguments.
    const handles = results as readonly Handle[];
    return handles.length === 0 ? undefined : handles.map(wrap);
  });
}

/** A function that returns one tensor of one element, compiled to return that as a number. */
export function asNumber(fn: Compilable): Compiled<number> {
  return new Compiled(fn, onlyElement, (result) => (typeof result === 'number' ? result : undefined));
}

/** The flattened arguments; `undefined` if that fails, for one because a getter throws. */
function tryFlatten(args: readonly unknown[]): Flattened | undefined {
  try {
    return flatten(args);
  } catch {
    return undefined;
  }
}

/**
 * The flattened arguments; `undefined` if one is neither a tensor or elements of one, nor a primitive value, nor an
 * object of those.
 */
function flatten(args: readonly unknown[]): Flattened | undefined {
  const flattened: Flattened = { key: [getValidateArgs()], inputs: [], handles: [] };
  for (const arg of args) {
    if (flattenValue(arg, flattened)) continue;
    if (typeof arg !== 'object' || arg === null || !isPlainObject(arg)) return undefined;
    flattened.key.push(options);
    for (const name of Object.keys(arg)) {
      flattened.key.push(name);
      if (!flattenValue((arg as Record<string, unknown>)[name], flattened)) return undefined;
    }
    flattened.key.push(end);
  }
  return flattened;
}

function flattenValue(value: unknown, flattened: Flattened): boolean {
  if (typeof value === 'function') return false;
  if (typeof value !== 'object' || value === null) {
    flattened.key.push(value);
    return true;
  }
  if (!isTensor(value)) return flattenElements(value, flattened);
  flattened.key.push(someTensor);
  flattened.inputs.push(value);
  flattened.handles.push(unwrap(value, 'compiled', 'input'));
  return true;
}

/** A typed array, or `{ data, dims }` with one. */
function flattenElements(value: object, { key, inputs, handles }: Flattened): boolean {
  const flat = isBorrowable(value);
  const { data, dims } = flat ? { data: value, dims: [value.length] } : (value as { data?: unknown; dims?: unknown });
  if (!isBorrowable(data) || !Array.isArray(dims) || !(flat || isPlainObject(value))) return false;
  const shape: readonly number[] = [...dims];
  key.push(elements, shape.length, ...shape);
  inputs.push({ data, shape });
  handles.push(data);
  return true;
}

function isPlainObject(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

function isBorrowable(value: unknown): value is Borrowed {
  return value instanceof Float32Array || value instanceof BigInt64Array || value instanceof Float64Array;
}

/** The arguments again, with other tensors. */
function unflatten(key: readonly unknown[], tensors: readonly Tensor[]): unknown[] {
  const args: unknown[] = [];
  // The first is none of them, but whether values are looked at.
  let [at, next] = [1, 0];
  const value = (): unknown => {
    const item = key[at++];
    if (item === elements) at += 1 + (key[at] as number);
    return item === someTensor || item === elements ? tensors[next++] : item;
  };
  while (at < key.length) {
    if (key[at] !== options) {
      args.push(value());
      continue;
    }
    at += 1;
    const object: Record<string, unknown> = Object.create(null);
    while (key[at] !== end) {
      const name = key[at++] as string;
      object[name] = value();
    }
    at += 1;
    args.push(object);
  }
  return args;
}

function sameKey(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
