/** Calls in Python's calling convention, with one trailing object for keywords: their types, and how they are read. */

import { expected, show, TorchError } from '../errors';
import { isPlain, listKeys, refuseUndefinedDType, unknownOption } from '../options';
import { isTensor } from './bind';

/** The arguments of a call in Python's order: those without a default, then options by position or by name. */
export type Call<
  Required extends readonly unknown[],
  Options,
  Positional extends readonly (keyof Options)[] = [],
> = Positional extends readonly [infer Name extends keyof Options, ...infer Rest extends readonly (keyof Options)[]]
  ?
      | [...Required, options?: Nullable<Options> | null]
      | Call<
          [...Required, Options[Name] | null | undefined],
          Omit<Options, Name>,
          Rest extends readonly (keyof Omit<Options, Name>)[] ? Rest : []
        >
  : [...Required, options?: Nullable<Options> | null];

/** Options of which each may be `null`, which means absent. */
export type Nullable<Options> = { [Name in keyof Options]: Options[Name] | null };

/** The parameters of a function. */
export interface Parameters {
  /** The function, as errors name it. */
  readonly op: string;
  /** Parameters without a default. */
  readonly required: readonly string[];
  /** Everything else, with its default. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** The first of those, which may also be given by position, as in Python. */
  readonly positional: readonly string[];
}

/**
 * The options of a call: what stands behind the required arguments, by position or in one trailing object. `null` and
 * `undefined` are absent.
 *
 * @throws TorchError `UNKNOWN_OPTION`; `INVALID_ARGUMENT` for an option that is given twice, and for what is not an
 * object.
 */
export function readOptions(parameters: Parameters, args: readonly unknown[]): Readonly<Record<string, unknown>> {
  const { required, defaults, positional } = parameters;
  const behind = args.length - required.length;
  // The most frequent calls.
  if (behind <= 0 || (behind === 1 && isAbsent(args[required.length]))) return defaults;
  const last = args.at(-1);
  const keywords = isKeywords(last) ? last : undefined;
  // `null` behind all that goes by position stands for the keywords, too.
  const endsWithKeywords = keywords !== undefined || (behind === positional.length + 1 && isAbsent(last));
  const count = endsWithKeywords ? behind - 1 : behind;
  if (count > positional.length) throw tooMany(parameters, args[required.length + positional.length]);
  if (keywords === undefined && isMisplaced(last)) throw noOptions(parameters, last);
  const filled = { ...defaults };
  for (let i = 0; i < count; i++) {
    const value = args[required.length + i];
    if (!isAbsent(value)) filled[positional[i] as string] = value;
  }
  if (keywords !== undefined) readKeywords(parameters, keywords, positional.slice(0, count), filled);
  return filled;
}

function readKeywords(
  { op, defaults }: Parameters,
  keywords: Readonly<Record<string, unknown>>,
  given: readonly string[],
  filled: Record<string, unknown>,
): void {
  refuseUndefinedDType(op, keywords);
  for (const key of Object.keys(keywords)) {
    if (!Object.hasOwn(defaults, key)) throw unknownOption(op, key, Object.keys(defaults));
    const value = keywords[key];
    if (isAbsent(value)) continue;
    if (given.includes(key)) {
      throw new TorchError('INVALID_ARGUMENT', `${op}: '${key}' is given twice, by position and by name`, {
        op,
        argument: key,
      });
    }
    filled[key] = value;
  }
}

function tooMany(parameters: Parameters, first: unknown): Error {
  const { op, defaults, positional } = parameters;
  if (positional.length === 0) return noOptions(parameters, first);
  const named = Object.keys(defaults).filter((key) => !positional.includes(key));
  const rest = named.length === 0 ? '' : `; write { ${named.join(', ')} } for the others`;
  return expected(op, "'options'", `to follow at most ${positional.join(', ')} by position${rest}`, show(first));
}

function noOptions({ op, defaults }: Parameters, given: unknown): Error {
  return expected(op, "'options'", `to be an object with ${listKeys(defaults)}`, show(given));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Whether a value is an object of braces, of any realm, and no data of a tensor: `{ data, dims }`. */
function isKeywords(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value)) return false;
  return !('data' in value && ('dims' in value || 'shape' in value));
}

/** Whether a value is an object that no argument is: a Map, a Date, an object of a class. */
function isMisplaced(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return !isTensor(value) && !isPlain(value);
}
