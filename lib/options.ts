/**
 * Checks of options objects, shared by every function that takes one. `undefined` and `null` mean absent, but for a dtype
 * that is `undefined`; an unknown key is an error that lists the known ones and suggests the nearest.
 */
import { expected, show, TorchError } from './errors';

/**
 * The options with defaults filled in.
 *
 * @throws TorchError `INVALID_ARGUMENT` if `options` is not a plain object, `UNKNOWN_OPTION` for a key that `defaults` lacks.
 */
export function withDefaults<T extends object>(op: string, options: Partial<T> | undefined, defaults: Readonly<T>): T {
  if (options === undefined || options === null) return defaults;
  if (typeof options !== 'object' || !isPlain(options)) {
    throw expected(op, "'options'", `to be an object with ${listKeys(defaults)}`, show(options));
  }
  refuseUndefinedDType(op, options);
  const filled: T = { ...defaults };
  for (const key of Object.keys(options) as (keyof T & string)[]) {
    if (!Object.hasOwn(defaults, key)) throw unknownOption(op, key, Object.keys(defaults));
    const value = options[key];
    if (value !== undefined && value !== null) filled[key] = value as T[typeof key];
  }
  return filled;
}

/** What an option is to be whose value is `undefined` though a dtype was meant. */
export const writtenDType =
  "to be a dtype such as 'float32' or torch.float32 (a misspelled constant is undefined; null, or no such key, is the default)";

/**
 * Refuses `{ dtype: undefined }`, the one option that `undefined` does not leave absent: it is what a misspelled constant
 * gives (`torch.flot32`), and the default in its place would be another result without a word.
 */
export function refuseUndefinedDType(op: string, options: object): void {
  for (const key of ['dtype', 'accDtype'] as const) {
    if (Object.hasOwn(options, key) && (options as Record<string, unknown>)[key] === undefined) {
      throw expected(op, `option '${key}'`, writtenDType, 'undefined');
    }
  }
}

/** Whether an object is one of braces, of any realm: a tensor, a Map or an array in the place of options is a slip. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The error for a key that no option has, with the nearest known one. */
export function unknownOption(op: string, key: string, known: readonly string[]): TorchError {
  const near = nearest(key, known);
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`;
  const list = known.length === 0 ? 'it takes none' : `known options are ${known.map((k) => `'${k}'`).join(', ')}`;
  return new TorchError('UNKNOWN_OPTION', `${op}: unknown option '${key}'${hint}; ${list}`, { op, argument: key });
}

/** The value, if it is one of the list; else an error that names them all and suggests the nearest. */
export function oneOf<const T extends string>(op: string, argument: string, value: unknown, list: readonly T[]): T {
  if ((list as readonly unknown[]).includes(value)) return value as T;
  const near = typeof value === 'string' ? nearest(value, list) : undefined;
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`;
  throw expected(op, argument, `to be one of ${list.map((k) => `'${k}'`).join(', ')}`, `${show(value)}${hint}`);
}

/** The value, if it is a number (NaN and infinities are numbers). */
export function number(op: string, argument: string, value: unknown): number {
  if (typeof value === 'number') return value;
  throw expected(op, argument, 'to be a number', show(value));
}

/** The value, if it is a finite number. */
export function finite(op: string, argument: string, value: unknown): number {
  if (Number.isFinite(value)) return value as number;
  throw expected(op, argument, 'to be a finite number', show(value));
}

/** The value, if it is a finite number within [low, high]. */
export function within(op: string, argument: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw expected(op, argument, `to be a number in [${low}, ${high}]`, show(value));
}

/** The value, if it is an integer that a double holds exactly. */
export function integer(op: string, argument: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw expected(op, argument, 'to be a safe integer', show(value));
}

/**
 * The value, if it is an integer of 64 bits. One that a double holds exactly comes as a number however it was written;
 * only larger ones stay bigints.
 */
export function classIndex(op: string, argument: string, value: unknown): number | bigint {
  if (Number.isSafeInteger(value)) return value as number;
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  throw expected(op, argument, 'to be a safe integer, or a bigint of 64 bits', show(value));
}

/** The value, if it is `true` or `false`. */
export function boolean(op: string, argument: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw expected(op, argument, 'to be true or false', show(value));
}

/** The value, if it is a function. */
export function callable<T>(op: string, argument: string, value: T): T {
  if (typeof value === 'function') return value;
  throw expected(op, argument, 'to be a function', show(value));
}

/** The known name nearest to what was written, if it is near enough to be what was meant. */
export function nearest<T extends string>(written: string, known: readonly T[]): T | undefined {
  const fold = (name: string): string => name.replace(/[-_\s]/g, '').toLowerCase();
  let best: T | undefined;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(fold(written), fold(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many edits apart two names are, over the first 64 characters; two neighbours that are swapped count once. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.slice(0, 64), b.slice(0, 64)];
  let before: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const substituted = (previous[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwapped ? (before[j - 2] as number) + 1 : substituted;
      row.push(Math.min(substituted, swapped, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    [before, previous] = [previous, row];
  }
  return previous[to.length] as number;
}

/** @internal The keys of an object, as messages list them. */
export function listKeys(defaults: object): string {
  const keys = Object.keys(defaults);
  return keys.length === 0 ? 'no keys' : keys.map((k) => `'${k}'`).join(', ');
}
