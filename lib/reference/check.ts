/**
 * Checks of options, kept apart from those of the bridge so that one mistake cannot stand on both sides of a
 * comparison. Labels are written as the message shows them: `'input'`, `option 'reduction'`.
 */
import { expected, show, TorchError } from '../errors';

/** What a caller may write for settings `T`: every key may be absent, and `undefined` and `null` mean absent. */
export type Options<T> = { readonly [Key in keyof T]?: T[Key] | undefined | null };

/**
 * The settings with the caller's options in place of the defaults.
 *
 * @throws TorchError `INVALID_ARGUMENT` if `options` is not a plain object, `UNKNOWN_OPTION` for a key that `defaults`
 *   lacks.
 */
export function withDefaults<T extends object>(op: string, options: Options<T>, defaults: Readonly<T>): T {
  if ((options ?? undefined) === undefined) return { ...defaults };
  if (typeof options !== 'object' || !hasBraces(options)) {
    throw expected(op, "'options'", `to be an object with ${listed(Object.keys(defaults))}`, show(options));
  }
  const settings: T = { ...defaults };
  for (const key of Object.keys(options) as (keyof T & string)[]) {
    if (!Object.hasOwn(defaults, key)) {
      const known = `known options are ${listed(Object.keys(defaults))}`;
      throw new TorchError('UNKNOWN_OPTION', `${op}: unknown option '${key}'; ${known}`, { op, argument: key });
    }
    const value = options[key];
    if (value !== undefined && value !== null) settings[key] = value as T[typeof key];
  }
  return settings;
}

/** Whether an object is one of braces, of any realm, and not an array, a Map or another object of a class. */
function hasBraces(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The value, if it is one of the list. */
export function oneOf<const T extends string>(op: string, label: string, value: unknown, list: readonly T[]): T {
  const found = list.find((candidate) => candidate === value);
  if (found === undefined) throw expected(op, label, `to be one of ${listed(list)}`, show(value));
  return found;
}

/** The value, if it is a number; NaN and infinities are. */
export function number(op: string, label: string, value: unknown): number {
  if (typeof value === 'number') return value;
  throw expected(op, label, 'to be a number', show(value));
}

/** The value, if it is a number above 0. */
export function positive(op: string, label: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw expected(op, label, 'to be a number > 0', show(value));
}

/** The value, if it is a number in [low, high]. */
export function within(op: string, label: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw expected(op, label, `to be a number in [${low}, ${high}]`, show(value));
}

/** The value, if it is an integer in [low, high]. */
export function integerWithin(op: string, label: string, value: unknown, low: number, high: number): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) return value as number;
  throw expected(op, label, `to be an integer in [${low}, ${high}]`, show(value));
}

/** The value, if it is an integer that a double holds exactly. */
export function integer(op: string, label: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw expected(op, label, 'to be a safe integer', show(value));
}

/** The value, if it is `true` or `false`. */
export function boolean(op: string, label: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw expected(op, label, 'to be true or false', show(value));
}

function listed(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
