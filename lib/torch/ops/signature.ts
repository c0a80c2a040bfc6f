/** Signatures of operators, and the binding of arguments to parameters: Python's calling convention. */

import { native } from '../../binding/load';
import type { ArgumentSchema, NativeValue, OperatorSchema } from '../../binding/native';
import { camelCase } from '../../camel-case';
import { expected, TorchError } from '../../errors';
import { isPlain, nearest, unknownOption, writtenDType } from '../../options';
import { handleOf, isTensor, showForeign } from '../bind';
import { type Conversion, conversionFor, isList } from './conversions';

/**
 * By whose names arguments go: those of the schema (`self`, `start_dim`, `values`), as in `torch.ops`, or those of
 * PyTorch's functions and methods in camelCase (`input`, `startDim`, `out`).
 */
export type Naming = 'schema' | 'python';

/** Why a call does not fit an overload. */
export class Refusal {
  constructor(
    /** Made only where it is thrown. */
    readonly error: () => TorchError,
    /** How many arguments had fitted. */
    readonly position: number,
    /** For an argument of the wrong kind: its name, what it is to be, and what was given. */
    readonly mismatch?: { readonly name: string; readonly what: string; readonly actual: string },
    /** For a keyword that the overload lacks: those that it has. */
    readonly unknown?: { readonly key: string; readonly known: readonly string[] },
  ) {}
}

/** Arguments that fit: as they were given, in the schema's order, and as native code takes them. */
export interface Fitting {
  given: readonly unknown[];
  values: NativeValue[];
  signature: Signature;
  requiresGrad?: boolean;
}

/** An argument of an operator. */
export interface Parameter {
  name: string;
  isRequired: boolean;
  /** Whether nothing may be given for it. */
  isNullable: boolean;
  /** Whether `null` says that there is none, also where the default is something else. */
  takesNone: boolean;
  isKeywordOnly: boolean;
  /** Whether `undefined` in its place is not absence: a dtype whose constant was misspelled. */
  refusesUndefined: boolean;
  type: string;
  isTensor: boolean;
  /** The value if it is absent. */
  fallback: unknown;
  conversion: Conversion;
}

/** The arguments of an overload. */
export class Signature {
  /** The name of the function in errors. */
  readonly op: string;
  readonly parameters: readonly Parameter[];
  /** How many may go by position. */
  readonly positional: number;
  /** How many must be given; infinitely many if one of them goes by name only. */
  readonly required: number;
  /** The place of each parameter. */
  readonly #places: ReadonlyMap<string, number>;
  /** The arguments that the keyword `out` stands for. */
  readonly #outs: readonly number[];
  /** Whether it makes a tensor, which may be asked to require gradients. */
  readonly #isFactory: boolean;
  /** Whether options of a factory say what `out` is. */
  readonly #describesOut: boolean;

  /** `makesTensors`: whether another overload of the operator is a factory, whose options `out` takes, too. */
  constructor(op: string, schema: OperatorSchema, naming: Naming, makesTensors = false) {
    this.op = op;
    const isPython = naming === 'python';
    this.#outs = isPython ? schema.arguments.flatMap(({ isOut }, i) => (isOut ? [i] : [])) : [];
    this.#isFactory = isPython && isFactory(schema);
    this.#describesOut = isPython && makesTensors && !this.#isFactory && this.#outs.length === 1;
    this.parameters = schema.arguments.map((argument) => ({
      name: isPython ? pythonName(argument) : argument.name,
      isRequired: !argument.hasDefault,
      isNullable: argument.hasDefault || argument.optional,
      takesNone: argument.optional,
      isKeywordOnly: argument.kwargOnly,
      refusesUndefined: isPython && argument.type === 'ScalarType',
      type: argument.type,
      isTensor: argument.type === 'Tensor',
      fallback: fallbackOf(argument),
      conversion: conversionFor(argument),
    }));
    this.#places = new Map(this.parameters.map(({ name }, i) => [name, i] as const).reverse());
    this.positional = this.parameters.filter(({ isKeywordOnly }) => !isKeywordOnly).length;
    this.required = this.parameters.some(({ isKeywordOnly, isRequired }) => isKeywordOnly && isRequired)
      ? Number.POSITIVE_INFINITY
      : this.parameters.filter(({ isRequired }) => isRequired).length;
  }

  /**
   * The arguments in the schema's order, or why they do not fit. `unpacks`: tensors without dimensions count as the
   * number that they hold where a number is asked for, as in Python.
   */
  fit(args: readonly unknown[], unpacks = false): Fitting | Refusal {
    const last = args[args.length - 1];
    const hasKeywords = isKeywords(last, this.parameters[args.length - 1]);
    let count = hasKeywords ? args.length - 1 : args.length;
    while (count > this.positional && isAbsent(args[count - 1])) count--;
    if (count > this.positional) return this.#tooMany(count);
    const given = args.slice(0, count);
    const fitting: Fitting = { given, values: [], signature: this };
    if (hasKeywords) {
      const refusal = this.#readKeywords(last as Record<string, unknown>, fitting, given);
      if (refusal !== undefined) return refusal;
    }
    const { parameters } = this;
    for (let i = 0; i < parameters.length; i++) {
      const { name, conversion, isRequired, isNullable, refusesUndefined } = parameters[i] as Parameter;
      let value = given[i];
      if (refusesUndefined && value === undefined && i < count) {
        return this.#mismatch(name, aWrittenDType, value, i);
      }
      if (isAbsent(value)) {
        // What has no default must be mentioned, be it as nothing, as in Python.
        if (isRequired && !(isNullable && i in given)) return this.#missing(name, i);
        fitting.values.push(undefined);
        continue;
      }
      if (unpacks && !conversion.accepts(value)) {
        value = numbersIn(value);
        given[i] = value;
      }
      if (!conversion.accepts(value)) return this.#mismatch(name, conversion, given[i], i);
      fitting.values.push(conversion.toNative(value, this.op));
    }
    return fitting;
  }

  #tooMany(count: number): Refusal {
    const error = (): TorchError => {
      const keywords = this.#keywords().slice(this.positional);
      const hint = keywords.length === 0 ? '' : ` (${keywords.join(', ')} go into a trailing object)`;
      const what = `to have at most ${this.positional} positional arguments${hint}`;
      return expected(this.op, 'the call', what, `${count}`);
    };
    // Less telling than an argument of the wrong kind in the same place.
    return new Refusal(error, this.positional - 0.5);
  }

  #missing(name: string, position: number): Refusal {
    const message = `${this.op}: expected '${name}' to be given, but received undefined`;
    const error = (): TorchError => new TorchError('INVALID_ARGUMENT', message, { op: this.op, argument: name });
    return new Refusal(error, position);
  }

  #mismatch(name: string, conversion: Named, value: unknown, position: number): Refusal {
    const { what, element, names } = conversion;
    if (element !== undefined && isList(value)) {
      const i = value.findIndex((entry) => !element.accepts(entry));
      if (i >= 0) return this.#mismatch(`${name}[${i}]`, element, value[i], position);
    }
    const near = names === undefined || typeof value !== 'string' ? undefined : nearest(value, names);
    const actual = showForeign(value) + (near === undefined ? '' : ` (did you mean '${near}'?)`);
    const error = (): TorchError => expected(this.op, `'${name}'`, `to be ${what}`, actual);
    return new Refusal(error, position, { name, what, actual });
  }

  /** The parameters that may be passed by name. */
  #keywords(): string[] {
    const names = this.parameters.map(({ name }) => name);
    if (this.#isFactory) names.push('requiresGrad');
    if (this.#describesOut) names.push('dtype', 'layout', 'device', 'pinMemory', 'requiresGrad');
    return [...new Set(names)];
  }

  /** Puts keyword arguments into their places. */
  #readKeywords(keywords: Record<string, unknown>, fitting: Fitting, given: unknown[]): Refusal | undefined {
    const count = given.length;
    for (const key of Object.keys(keywords)) {
      const value = keywords[key];
      if (key === 'requiresGrad' && (this.#isFactory || this.#describesOut)) {
        if (typeof value !== 'boolean' && !isAbsent(value)) {
          return this.#mismatch(key, { what: 'true or false' }, value, count);
        }
        fitting.requiresGrad = value === true;
        continue;
      }
      if (key === 'out' && this.#outs.length > 1) {
        const refusal = this.#readOuts(value, given);
        if (refusal !== undefined) return refusal;
        continue;
      }
      if (this.#describesOut && (key === 'dtype' || key === 'layout' || key === 'device' || key === 'pinMemory')) {
        const refusal = this.#checkOut(key, value, keywords.out);
        if (refusal !== undefined) return refusal;
        continue;
      }
      const index = this.#places.get(key);
      if (index === undefined) {
        const known = this.#keywords();
        const next = this.parameters[count];
        // An object where something else is needed, rather than keywords.
        if (
          next?.isRequired === true &&
          !next.isKeywordOnly &&
          Object.keys(keywords).every((name) => nearest(name, known) === undefined)
        ) {
          return this.#mismatch(next.name, next.conversion, keywords, count);
        }
        return new Refusal(() => unknownOption(this.op, key, known), count, undefined, { key, known });
      }
      if (value === undefined && this.parameters[index]?.refusesUndefined === true) {
        return this.#mismatch(key, aWrittenDType, value, index);
      }
      if (index < count && given[index] !== undefined) {
        const actual = 'it as a positional argument and as a keyword';
        return new Refusal(() => expected(this.op, `'${key}'`, 'to be given once', actual), index);
      }
      given[index] = value;
    }
    return undefined;
  }

  /** Refuses an option that `out` is not like. */
  #checkOut(key: 'dtype' | 'layout' | 'device' | 'pinMemory', value: unknown, out: unknown): Refusal | undefined {
    if (key === 'dtype' && value === undefined) return this.#mismatch(key, aWrittenDType, value, 0);
    if (isAbsent(value) || key === 'pinMemory' || !isTensor(out)) return undefined;
    return value === out[key] ? undefined : this.#mismatch(key, { what: `'${out[key]}', as 'out' has` }, value, 0);
  }

  /** Puts the tensors of `out: [values, indices]` into their places. */
  #readOuts(value: unknown, given: unknown[]): Refusal | undefined {
    if (isAbsent(value)) return undefined;
    const { length } = this.#outs;
    if (!Array.isArray(value) || value.length !== length) {
      return this.#mismatch('out', { what: `an array of ${length} tensors` }, value, this.positional);
    }
    for (const [i, index] of this.#outs.entries()) given[index] = value[i];
    return undefined;
  }
}

/** The arguments as the first of several signatures takes them. */
export function readArguments(op: string, signatures: readonly Signature[], args: readonly unknown[]): Fitting {
  const refusals: Refusal[] = [];
  for (const unpacks of [false, true]) {
    for (const signature of signatures) {
      const fitting = signature.fit(args, unpacks);
      if ('values' in fitting) return fitting;
      if (!unpacks) refusals.push(fitting);
    }
  }
  throw misfit(op, refusals);
}

/** The error of the overloads that the arguments fit best. */
export function misfit(op: string, refusals: readonly Refusal[]): TorchError {
  const keys = refusals.flatMap(({ unknown }) => (unknown === undefined ? [] : [unknown]));
  const known = new Set(keys.flatMap((unknown) => unknown.known));
  const slip = keys.find(({ key }) => !known.has(key) && nearest(key, [...known]) !== undefined);
  const stranger = slip ?? keys.find(({ key }) => !known.has(key));
  if (slip !== undefined || (stranger !== undefined && keys.length === refusals.length)) {
    return unknownOption(op, (stranger as { key: string }).key, [...known]);
  }
  const placed = refusals.filter(({ unknown }) => unknown === undefined);
  const rest = placed.length > 0 ? placed : refusals;
  const furthest = Math.max(...rest.map(({ position }) => position));
  const [best, ...others] = rest.filter(({ position }) => position === furthest) as [Refusal, ...Refusal[]];
  const { mismatch } = best;
  if (mismatch === undefined || others.length === 0) return best.error();
  const whats = [mismatch, ...others.map((other) => other.mismatch)]
    .flatMap((found) => (found?.name === mismatch.name ? [found.what] : []))
    .filter((what, i, all) => !all.some((other, j) => j !== i && other.includes(what) && (other !== what || j < i)));
  return expected(op, `'${mismatch.name}'`, `to be ${whats.join(' or ')}`, mismatch.actual);
}

/** A description of a parameter for errors. */
type Named = Pick<Conversion, 'what' | 'element' | 'names'>;

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Whether an overload makes a tensor of options. */
export function isFactory(schema: OperatorSchema): boolean {
  return schema.arguments.some((argument) => argument.name === 'pin_memory');
}

const aWrittenDType: Named = { what: writtenDType.slice('to be '.length) };

/** A default; of a list of fixed length the one number for all, as it is written. */
function fallbackOf({ default: value, fixedLength }: ArgumentSchema): unknown {
  if (fixedLength === undefined || !Array.isArray(value)) return value;
  return value.every((each) => each === value[0]) ? value[0] : value;
}

/** What PyTorch's functions call an argument, in camelCase. */
function pythonName({ name, isOut }: ArgumentSchema): string {
  if (isOut) return 'out';
  return name === 'self' ? 'input' : camelCase(name);
}

/** More than any list of dimensions or sizes has. */
const mostNumbers = 128;

/** The number that a tensor without dimensions holds, in short lists too; anything else as it is. */
function numbersIn(value: unknown): unknown {
  // Not by the array's own methods, which may be anybody's.
  if (isList(value) && value.length <= mostNumbers)
    return Array.from({ length: value.length }, (_, i) => numberIn(value[i]));
  return numberIn(value);
}

function numberIn(value: unknown): unknown {
  const handle = handleOf(value);
  if (handle === undefined || native().ndim(handle) !== 0 || native().requiresGrad(handle)) return value;
  return native().item(handle);
}

/** Whether the last argument holds keywords: an object of braces that is not a complex number. */
function isKeywords(value: unknown, parameter: Parameter | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (handleOf(value) !== undefined || !isPlain(value)) return false;
  return !('re' in value && 'im' in value && parameter?.conversion.accepts(value) === true);
}
