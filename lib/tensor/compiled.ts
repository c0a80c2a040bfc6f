/**
 * Functions of tensors and options that are recorded once for each kind of arguments, and from then on run in one
 * native call.
 */
import { isTensor, unwrap } from '../aten/bind';
import { native } from '../binding/load';
import type { Handle, Program } from '../binding/native';
import type { Scalar } from '../types';
import { record } from './recording';
import type { Tensor } from './tensor';

/** What stands for a tensor, and around the names and values of options, in the key of a program. */
const [someTensor, options, end] = [Symbol('tensor'), Symbol('options'), Symbol('end')];

/** Arguments taken apart: what a program is recorded for, and what it is given. */
interface Taken {
  /** Everything but tensors: option names, strings, numbers. */
  readonly key: unknown[];
  readonly tensors: Tensor[];
}

interface Entry {
  readonly key: readonly unknown[];
  readonly program: Program;
}

/** How many programs a function keeps, the latest used first: those of other shapes and options are recorded anew. */
const capacity = 16;

/** What is compiled; `undefined` where it has no way for these arguments. */
export type Compilable = (args: readonly unknown[]) => readonly Tensor[] | undefined;

/** A function that is recorded at the first call with arguments of a kind. Recorded functions are in no graph. */
export class Compiled {
  readonly #fn: Compilable;
  readonly #number: boolean;
  #entries: Entry[] = [];

  /** @param number whether the result is the first tensor's only element instead of the tensors. */
  constructor(fn: Compilable, { number = false } = {}) {
    this.#fn = fn;
    this.#number = number;
  }

  /**
   * The function's result; `undefined` if it cannot be had this way: arguments that are neither tensors nor plain
   * options, a function that has no way for them, an error. The caller then takes the way that has errors to show.
   */
  call(args: readonly unknown[]): Scalar | readonly Handle[] | undefined {
    const taken = take(args);
    if (taken === undefined) return undefined;
    try {
      const handles = taken.tensors.map((tensor) => unwrap(tensor, 'compiled', 'input'));
      const result = this.#run(taken, handles) ?? this.#record(taken, handles);
      return Array.isArray(result) && result.length === 0 ? undefined : result;
    } catch {
      return undefined;
    }
  }

  #run({ key }: Taken, handles: readonly Handle[]): Scalar | Handle[] | undefined {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (!sameKey(entry.key, key)) continue;
      const result = native().run(entry.program, this.#number, ...handles);
      if (result === undefined) continue;
      if (i > 0) entries.unshift(...entries.splice(i, 1));
      return result;
    }
    return undefined;
  }

  #record(taken: Taken, handles: readonly Handle[]): Scalar | Handle[] | undefined {
    // The arguments as they were taken apart: reading options a second time may give something else.
    const program = record(taken.tensors, (inputs) => this.#fn(restored(taken.key, inputs)) ?? [], {
      belowAutograd: true,
    });
    this.#entries.unshift({ key: taken.key, program });
    this.#entries.length = Math.min(this.#entries.length, capacity);
    return native().run(program, this.#number, ...handles);
  }
}

/** The arguments taken apart; `undefined` if one is neither a tensor, a primitive value nor an object of those. */
function take(args: readonly unknown[]): Taken | undefined {
  const taken: Taken = { key: [], tensors: [] };
  for (const arg of args) {
    if (takeValue(arg, taken)) continue;
    if (typeof arg !== 'object' || Object.getPrototypeOf(arg) !== Object.prototype) return undefined;
    taken.key.push(options);
    for (const name of Object.keys(arg as object)) {
      taken.key.push(name);
      if (!takeValue((arg as Record<string, unknown>)[name], taken)) return undefined;
    }
    taken.key.push(end);
  }
  return taken;
}

function takeValue(value: unknown, { key, tensors }: Taken): boolean {
  if (typeof value === 'object' && value !== null) {
    if (!isTensor(value)) return false;
    key.push(someTensor);
    tensors.push(value);
    return true;
  }
  if (typeof value === 'function') return false;
  key.push(value);
  return true;
}

/** The arguments put together again, with other tensors. */
function restored(key: readonly unknown[], tensors: readonly Tensor[]): unknown[] {
  let next = 0;
  const valueAt = (item: unknown): unknown => (item === someTensor ? tensors[next++] : item);
  const args: unknown[] = [];
  for (let i = 0; i < key.length; i++) {
    if (key[i] !== options) {
      args.push(valueAt(key[i]));
      continue;
    }
    const object: Record<string, unknown> = Object.create(null);
    while (key[++i] !== end) {
      const name = key[i] as string;
      object[name] = valueAt(key[++i]);
    }
    args.push(object);
  }
  return args;
}

function sameKey(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
