/** Overloads of operators as functions: arguments as in Python, bound to the schema at the first call. */
import { handleOf, wrap } from '../../aten/bind';
import { native } from '../../binding/load';
import type { BareOperator, NativeResult, NativeValue, Operator, OperatorSchema } from '../../binding/native';
import { expected, show, TorchError } from '../../errors';
import { isPlain, unknownOption } from '../../options';
import { type Conversion, conversionFor, fromNative } from './conversions';
import { argumentCheck, checkOperator } from './unchecked';

/** An overload of an operator as a function. */
export interface Overload {
  (...args: unknown[]): unknown;
  /** The schema as libtorch writes it. */
  readonly schema: string;
}

/** Why a call does not fit an overload; the error is made only where it is thrown. */
export type Refusal = () => TorchError;

/** Arguments that fit: as they were given, in the schema's order, and as native code takes them. */
interface Fitting {
  given: readonly unknown[];
  values: NativeValue[];
}

interface Parameter {
  name: string;
  isRequired: boolean;
  /** Whether nothing may be given for it. */
  isNullable: boolean;
  isKeywordOnly: boolean;
  isTensor: boolean;
  conversion: Conversion;
}

/** An overload, ready to be called. */
export class BoundOverload {
  readonly op: string;
  readonly #operator: BareOperator;
  /** The function that users call: stacks of errors begin above it. */
  thrower: (...args: never[]) => unknown = () => undefined;
  /** What is to be checked of the arguments, because the operator does not. */
  readonly #check: ((values: ReadonlyMap<string, unknown>) => void) | undefined;
  readonly #call: Operator;
  readonly #failed: NativeResult;
  readonly #parameters: readonly Parameter[];
  readonly #first: Parameter | undefined;
  readonly #second: Parameter | undefined;
  readonly #positional: number;
  readonly #required: number;
  readonly #finish: (result: NativeResult, given: readonly unknown[]) => unknown;
  /** Which argument is the only result, in place of one that native code gives; -1 if none is. */
  readonly #returned: number;
  readonly #givesTensor: boolean;
  /** How many tensors a call of tensors alone has; 0 if there is none that gives one new tensor. */
  readonly #tensors: number;

  constructor(op: string, name: string, schema: OperatorSchema) {
    checkOperator(op, name);
    this.#check = argumentCheck(op, name);
    this.op = op;
    this.#operator = native().bareOperator(name, schema.overload);
    this.#parameters = schema.arguments.map((argument) => ({
      name: argument.name,
      isRequired: !argument.hasDefault,
      isNullable: argument.hasDefault || argument.optional,
      isKeywordOnly: argument.kwargOnly,
      isTensor: argument.type === 'Tensor',
      conversion: conversionFor(argument),
    }));
    this.#call = this.#operator.call;
    this.#failed = this.#operator.failed;
    [this.#first, this.#second] = this.#parameters;
    this.#positional = this.#parameters.filter(({ isKeywordOnly }) => !isKeywordOnly).length;
    this.#required = this.#parameters.some(({ isKeywordOnly, isRequired }) => isKeywordOnly && isRequired)
      ? Number.POSITIVE_INFINITY
      : this.#parameters.filter(({ isRequired }) => isRequired).length;
    this.#finish = finisher(schema);
    const [only, ...others] = schema.returns;
    this.#returned = others.length === 0 && only?.argument !== undefined ? only.argument : -1;
    this.#givesTensor = others.length === 0 && only?.type === 'Tensor';
    const isOfTensors = this.#parameters.slice(0, this.#required).every(({ isTensor }) => isTensor);
    this.#tensors =
      this.#givesTensor && this.#returned < 0 && isOfTensors && this.#check === undefined ? this.#required : 0;
  }

  /**
   * The commonest calls, of one or two tensors and nothing else, without a look at parameters; `notShort` for others.
   * It is the shortest way that there is: `npm run bench` holds it to one of the typed functions of `lib/aten`.
   */
  ofTensors(args: readonly unknown[]): unknown {
    const count = args.length;
    if (count !== 1 && count !== 2) return notShort;
    if (count !== this.#tensors) return notShort;
    const first = handleOf(args[0]);
    if (first === undefined) return notShort;
    let result: NativeResult;
    if (count === 1) {
      result = this.#call(first);
      if (result === this.#failed) result = this.#operator.recover([first], this.thrower);
    } else {
      const second = handleOf(args[1]);
      if (second === undefined) return notShort;
      result = this.#call(first, second);
      if (result === this.#failed) result = this.#operator.recover([first, second], this.thrower);
    }
    return result === undefined ? undefined : wrap(result);
  }

  /**
   * Calls the operator if all arguments are positional and fit; else gives `notShort` and has called nothing. `isOnly`:
   * no other overload may be meant, so that elements of lists are left to native code to check.
   */
  short(args: readonly unknown[], isOnly: boolean): unknown {
    const count = args.length;
    if (count > this.#positional || count < this.#required || this.#check !== undefined) return notShort;
    const call = this.#call;
    const failed = this.#failed;
    let result: NativeResult;
    let values: NativeValue[] | undefined;
    // Most operators have one or two operands: no array is made for them.
    if (count <= 2 && count > 0) {
      const first = quickly(this.#first as Parameter, args[0], isOnly);
      if (first === notShort) return notShort;
      if (count === 1) {
        result = call(first);
        if (result === failed) values = [first];
      } else {
        const second = quickly(this.#second as Parameter, args[1], isOnly);
        if (second === notShort) return notShort;
        result = call(first, second);
        if (result === failed) values = [first, second];
      }
    } else {
      values = [];
      for (let i = 0; i < count; i++) {
        const value = quickly(this.#parameters[i] as Parameter, args[i], isOnly);
        if (value === notShort) return notShort;
        values.push(value);
      }
      result = call(...values);
    }
    if (result === failed) result = this.#operator.recover(values as NativeValue[], this.thrower);
    if (this.#returned >= 0) return args[this.#returned];
    return this.#givesTensor && result !== undefined ? wrap(result) : this.#finish(result, args);
  }

  /** The arguments in the schema's order, or why they do not fit. */
  fit(args: readonly unknown[]): Fitting | Refusal {
    const last = args.at(-1);
    const hasKeywords = isKeywords(last, this.#parameters[args.length - 1]);
    const positional = hasKeywords ? args.slice(0, -1) : args;
    if (positional.length > this.#positional) return this.#tooMany(positional.length);
    const given: unknown[] = Array.from(positional);
    if (hasKeywords) {
      const refusal = this.#readKeywords(last as Record<string, unknown>, given);
      if (refusal !== undefined) return refusal;
    }
    const values: NativeValue[] = [];
    for (const [i, parameter] of this.#parameters.entries()) {
      const value = given[i];
      if (value === undefined || value === null) {
        // What has no default must be mentioned, be it as nothing, as in Python.
        if (parameter.isRequired && !(parameter.isNullable && i in given)) return this.#missing(parameter.name);
        values.push(undefined);
      } else if (parameter.conversion.accepts(value)) {
        values.push(parameter.conversion.toNative(value));
      } else {
        return () => expected(this.op, `'${parameter.name}'`, `to be ${parameter.conversion.what}`, show(value));
      }
    }
    return { given, values };
  }

  #tooMany(count: number): Refusal {
    const keywords = this.#parameters.slice(this.#positional).map(({ name }) => name);
    const hint = keywords.length === 0 ? '' : ` (${keywords.join(', ')} go into a trailing object)`;
    return () =>
      expected(this.op, 'the call', `to have at most ${this.#positional} positional arguments${hint}`, `${count}`);
  }

  #missing(name: string): Refusal {
    return () =>
      new TorchError('INVALID_ARGUMENT', `${this.op}: expected '${name}' to be given, but received undefined`, {
        op: this.op,
        argument: name,
      });
  }

  /** Puts keyword arguments into their places. */
  #readKeywords(keywords: Record<string, unknown>, given: unknown[]): Refusal | undefined {
    const count = given.length;
    for (const key of Object.keys(keywords)) {
      const index = this.#parameters.findIndex(({ name }) => name === key);
      if (index < 0) {
        const known = this.#parameters.map(({ name }) => name);
        return () => unknownOption(this.op, key, known);
      }
      if (index < count && given[index] !== undefined) {
        return () => expected(this.op, `'${key}'`, 'to be given once', 'it as a positional argument and as a keyword');
      }
      given[index] = keywords[key];
    }
    return undefined;
  }

  /** Calls the operator with arguments that fit. */
  run({ given, values }: Fitting): unknown {
    this.#check?.(new Map(this.#parameters.map(({ name }, i) => [name, given[i]])));
    let result = this.#call(...values);
    if (result === this.#failed) result = this.#operator.recover(values, this.thrower);
    return this.#returned >= 0 ? given[this.#returned] : this.#finish(result, given);
  }
}

/** The value as native code takes it, or `notShort` if it does not fit. */
function quickly(parameter: Parameter, value: unknown, isOnly: boolean): NativeValue | typeof notShort {
  const handle = handleOf(value);
  if (handle !== undefined) return parameter.isTensor ? handle : notShort;
  if (value === undefined || value === null) return parameter.isNullable ? undefined : notShort;
  const { conversion } = parameter;
  if (isOnly && conversion.isPlainList === true && Array.isArray(value)) return value as NativeValue[];
  return conversion.accepts(value) ? conversion.toNative(value) : notShort;
}

/** What {@link BoundOverload.short} gives where it has called nothing. */
export const notShort: unique symbol = Symbol('not short');

/** Whether the last argument holds keywords: an object of braces that is not a complex number. */
function isKeywords(value: unknown, parameter: Parameter | undefined): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (handleOf(value) !== undefined || !isPlain(value)) return false;
  return !('re' in value && 'im' in value && parameter?.conversion.accepts(value) === true);
}

/** Makes what a call gives of what native code gives. */
function finisher({ returns }: OperatorSchema): (result: NativeResult, given: readonly unknown[]) => unknown {
  const [only] = returns;
  if (only === undefined) return () => undefined;
  if (returns.length === 1) return (result) => fromNative(result, only.type);
  return (results, given) => {
    const all = Array.from(results as NativeResult[], (result, i) => {
      const { argument, type } = returns[i] as (typeof returns)[number];
      return argument === undefined ? fromNative(result, type) : given[argument];
    });
    for (const [i, { name }] of returns.entries()) {
      if (name !== undefined) Object.defineProperty(all, name, { value: all[i], configurable: true });
    }
    return all;
  };
}
