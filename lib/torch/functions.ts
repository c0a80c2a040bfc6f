/** PyTorch's functions and methods, made from the operators of the same names at their first call. */

import { loadedLibtorch, native } from '../binding/load';
import type { ArgumentSchema, OperatorSchema } from '../binding/native';
import { camelCase } from '../camel-case';
import { TorchError } from '../errors';
import { isTensor } from './bind';
import { dtypeName } from './dtype';
import { Overloads } from './ops/overloads';
import { type Parameter, readArguments, Signature } from './ops/signature';
import type { Tensor } from './tensor';

/** The overloads of an operator, and how its calls are read. */
interface Bound {
  overloads: Overloads;
  /**
   * From how many on sizes may go without brackets, `x.view(2, -1)`: where they are all that goes by position, and from
   * two on if a single integer means something else, as in `x.squeeze(0)`.
   */
  looseSizes: number;
  /** Which argument the tensor of a method is. */
  self: number;
}

function bind(op: string, operator: string, isMethod: boolean, thrower: (...args: never[]) => unknown): Bound {
  const all = Array.from(native().operatorSchemas(operator));
  const schemas = isMethod ? all.filter(isOfTensor) : all;
  const [first] = schemas;
  if (first === undefined) {
    const message = `${op}: expected a libtorch that has ${operator}, but received ${loadedLibtorch().version}`;
    throw new TorchError('NOT_IMPLEMENTED', message, { op });
  }
  const overloads = new Overloads(op, operator, schemas, 'python');
  overloads.thrower = thrower;
  return {
    overloads,
    looseSizes: looseSizesOf(schemas.map((schema) => onlyType(schema, isMethod))),
    self: isMethod ? selfOf(first) : -1,
  };
}

function selfOf(schema: OperatorSchema): number {
  return schema.arguments.findIndex(({ name, type }) => name === 'self' && type === 'Tensor');
}

/** Whether an overload can be a method: it has a tensor of its own, and makes its result itself. */
function isOfTensor(schema: OperatorSchema): boolean {
  return selfOf(schema) >= 0 && !schema.arguments.some(({ isOut }) => isOut);
}

/** The type of the only argument that goes by position; empty if there are several. */
function onlyType({ arguments: all }: OperatorSchema, isMethod: boolean): string {
  const positional = all.filter(({ kwargOnly, name }) => !kwargOnly && !(isMethod && name === 'self'));
  return positional.length === 1 ? (positional[0]?.type ?? '') : '';
}

function looseSizesOf(types: readonly string[]): number {
  if (!types.some((type) => /^(Sym)?[Ii]nt\[\]$/.test(type))) return Number.POSITIVE_INFINITY;
  return types.some((type) => /^(Sym)?[Ii]nt$/.test(type)) ? 2 : 1;
}

/** The arguments with the integers from one place on as an array, if there are enough. */
function withSizes(args: readonly unknown[], from: number, least: number): readonly unknown[] {
  let end = from;
  while (end < args.length && isInteger(args[end])) end++;
  if (end - from < least) return args;
  const sizes = args.slice(from, end);
  return from === 1 && end === args.length ? [args[0], sizes] : [...args.slice(0, from), sizes, ...args.slice(end)];
}

function isInteger(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

/**
 * The function of an operator: `makeFunction('logSoftmax', 'aten::log_softmax')`. Nothing is loaded before its call.
 */
export function makeFunction<F>(op: string, operator: string): F {
  let bound: Bound | undefined;
  const called = function (a?: unknown, b?: unknown, c?: unknown, ...rest: unknown[]): unknown {
    bound ??= bind(op, operator, false, called);
    // biome-ignore lint/complexity/noArguments: how many there are, without an array of them
    const count = arguments.length;
    const { overloads, looseSizes } = bound;
    if (count < looseSizes || !isInteger(a)) return overloads.call(count, a, b, c, rest);
    return overloads.callWith(withSizes([a, b, c].slice(0, count).concat(rest), 0, looseSizes));
  };
  Object.defineProperty(called, 'name', { value: op });
  return called as F;
}

/** The method of an operator, by its name in Python. */
export function makeMethod(name: string): (this: unknown, ...args: unknown[]) => unknown {
  const op = camelCase(name);
  let bound: Bound | undefined;
  const called = function (this: unknown, a?: unknown, b?: unknown, ...rest: unknown[]): unknown {
    bound ??= bind(op, `aten::${name}`, true, called);
    const { overloads, looseSizes, self } = bound;
    // biome-ignore lint/complexity/noArguments: how many there are, without an array of them
    const count = arguments.length;
    if (self === 0) {
      if (count < looseSizes || !isInteger(a)) return overloads.call(count + 1, this, a, b, rest);
      if (count === 1) return overloads.call(2, this, [a], undefined, rest);
      if (count === 2 && isInteger(b)) return overloads.call(2, this, [a, b], undefined, rest);
    }
    const args = [a, b].slice(0, count).concat(rest);
    args.splice(self, 0, this);
    return overloads.callWith(self === 0 ? withSizes(args, 1, looseSizes) : args);
  };
  Object.defineProperty(called, 'name', { value: op });
  return called;
}

/** A function of any number of tensors, one by one or as an array. */
export type Variadic<Result, Options = never> = [Options] extends [never]
  ? (...tensors: readonly Tensor[] | readonly [readonly Tensor[]]) => Result
  : {
      (...tensors: readonly Tensor[]): Result;
      (...args: readonly [...tensors: readonly Tensor[], options: Options]): Result;
      (tensors: readonly Tensor[], options?: Options): Result;
    };

/** Whether the first argument is a list of tensors that may go without brackets: `blockDiag(a, b)`. */
const takesLooseTensors = ({ parameters }: Signature): boolean =>
  parameters[0]?.type === 'Tensor[]' && parameters.slice(1).every(({ isKeywordOnly }) => isKeywordOnly);

/** The arguments with the tensors at the beginning as an array. */
function withTensors(args: readonly unknown[]): readonly unknown[] {
  let end = 0;
  while (end < args.length && isTensor(args[end])) end++;
  return end === 0 ? args : [args.slice(0, end), ...args.slice(end)];
}

/**
 * A function that is written in TypeScript. Its arguments are read by schemas in PyTorch's notation, of which the first
 * that fits counts, and given to `run` in their order: what is absent as the default, or `undefined`. So is `null`
 * where there may be none.
 */
export function defineFunction<F>(
  op: string,
  schemas: string | readonly string[],
  run: (...given: never[]) => unknown,
): F {
  let signatures: Signature[] | undefined;
  let loose: Signature[] = [];
  const called = (...args: unknown[]): unknown => {
    if (signatures === undefined) {
      signatures = [schemas].flat().map((text) => new Signature(op, parse(text), 'python'));
      loose = signatures.filter(takesLooseTensors);
    }
    const quick = loose.length > 0 ? undefined : byPosition(signatures[0] as Signature, args);
    if (quick !== undefined) return run(...(quick as never[]));
    // Several tensors are a list, also for what takes a single one.
    const isLoose = isTensor(args[0]) && loose.length > (args.length > 1 ? 0 : signatures.length - 1);
    const { given, signature, requiresGrad } = readArguments(op, signatures, isLoose ? withTensors(args) : args);
    const values = signature.parameters.map((parameter, i) => given[i] ?? absent(parameter, given[i]));
    const result = run(...(values as never[]));
    return requiresGrad === true ? (result as Tensor).requiresGrad_() : result;
  };
  Object.defineProperty(called, 'name', { value: op });
  return called as F;
}

/** The arguments of `run` for a call without keywords that fits as it is, as most calls do; otherwise `undefined`. */
function byPosition({ parameters, positional, required }: Signature, args: readonly unknown[]): unknown[] | undefined {
  if (args.length > positional || args.length < required) return undefined;
  const values: unknown[] = [];
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i] as Parameter;
    const { conversion, isNullable, isRequired, isTensor: takesTensor } = parameter;
    const value = args[i];
    if (value === undefined || value === null) {
      if (!isNullable || (isRequired && i >= args.length)) return undefined;
      values.push(absent(parameter, value));
      continue;
    }
    // An object may be keywords.
    if (typeof value === 'object' && !(takesTensor ? isTensor(value) : Array.isArray(value))) return undefined;
    if (!conversion.accepts(value)) return undefined;
    values.push(value);
  }
  return values;
}

/** What is meant by nothing: the default; by `null` none, where there may be none, as by Python's None. */
function absent({ fallback, takesNone }: Parameter, given: unknown): unknown {
  return given === null && takesNone ? undefined : (fallback ?? undefined);
}

/**
 * Makes functions by their names in tables of schemas and types (see `python.schemas.txt`). Their implementations are
 * given numbers for integers, a list for a list of fixed length, and names for dtypes.
 */
export function definer<Calls, Implementations extends Readonly<Record<keyof Calls, (...given: never[]) => unknown>>>(
  schemas: Readonly<Record<keyof Calls, string>>,
): <Name extends keyof Calls & string>(op: Name, run: Implementations[Name]) => Calls[Name] {
  return (op, run) => {
    let converted: (readonly [place: number, schema: ArgumentSchema])[] | undefined;
    return defineFunction(op, schemas[op], (...given: unknown[]) => {
      converted ??= [...parse(schemas[op]).arguments.entries()].filter(([, schema]) => isConverted(schema));
      for (const [i, schema] of converted) given[i] = plain(schema, given[i]);
      return run(...(given as never[]));
    });
  };
}

const isConverted = ({ type, fixedLength = 1 }: ArgumentSchema): boolean =>
  /^(int|ScalarType)/.test(type) || fixedLength > 1;

function plain({ type, fixedLength = 1 }: ArgumentSchema, value: unknown): unknown {
  if (type === 'ScalarType') return typeof value === 'number' ? dtypeName(value) : value;
  if (typeof value === 'number' || typeof value === 'bigint') {
    return fixedLength > 1 ? Array.from({ length: fixedLength }, () => Number(value)) : Number(value);
  }
  return Array.isArray(value) ? value.map(numberOrAbsent) : value;
}

const numberOrAbsent = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : Number(value);

/** Parameters in PyTorch's notation, taken apart. */
export function parse(parameters: string): OperatorSchema {
  return native().parseSchema(`f${parameters.replace(/\s+/g, ' ')} -> Any`);
}
