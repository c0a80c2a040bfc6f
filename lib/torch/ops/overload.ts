/** Overloads of operators as functions: arguments as in Python, bound to the schema at the first call. */

import { native } from '../../binding/load';
import type { BareOperator, NativeResult, NativeValue, Operator, OperatorSchema } from '../../binding/native';
import { camelCase } from '../../camel-case';
import { handleOf, wrap } from '../bind';
import type { Tensor } from '../tensor';
import { fromNative } from './conversions';
import { type Fitting, type Naming, type Parameter, type Refusal, Signature } from './signature';
import { argumentCheck, checkOperator } from './unchecked';

/** An overload of an operator as a function. */
export interface Overload {
  (...args: unknown[]): unknown;
  /** The schema as libtorch writes it. */
  readonly schema: string;
}

/** The result of a short call that did not call the operator, because it cannot tell whether the arguments fit. */
export const undecided: unique symbol = Symbol('undecided');

/** Its result if the arguments do not fit. */
export const unfit: unique symbol = Symbol('unfit');

/** An overload, ready to be called. */
export class BoundOverload {
  readonly #signature: Signature;
  readonly #operator: BareOperator;
  /** The function that users call: stacks of errors begin above it. */
  readonly #thrower: (...args: never[]) => unknown;
  /** Checks of arguments that the operator itself lacks. */
  readonly #check: ((values: ReadonlyMap<string, unknown>) => void) | undefined;
  readonly #call: Operator;
  readonly #failed: NativeResult;
  readonly #parameters: readonly Parameter[];
  /** How many arguments may go by position; none if they are to be checked. */
  readonly #positional: number;
  readonly #required: number;
  readonly #finish: (result: NativeResult, given: readonly unknown[]) => unknown;
  /** Which argument is the only result, in place of one that native code gives; -1 if none is. */
  readonly #returned: number;
  readonly #givesTensor: boolean;
  /** Whether no other overload may be meant, so that elements of lists are left to native code to check. */
  readonly #isOnly: boolean;

  constructor(
    op: string,
    name: string,
    schema: OperatorSchema,
    naming: Naming,
    makesTensors: boolean,
    isOnly: boolean,
    thrower: (...args: never[]) => unknown,
  ) {
    checkOperator(op, name);
    this.#thrower = thrower;
    this.#isOnly = isOnly;
    this.#check = argumentCheck(op, name);
    this.#operator = native().bareOperator(name, schema.overload);
    this.#signature = new Signature(op, schema, naming, makesTensors);
    this.#parameters = this.#signature.parameters;
    this.#positional = this.#check === undefined ? this.#signature.positional : -1;
    this.#required = this.#signature.required;
    this.#call = this.#operator.call;
    this.#failed = this.#operator.failed;
    this.#finish = finisher(schema, naming);
    const [only, ...others] = schema.returns;
    this.#returned = others.length === 0 && only?.argument !== undefined ? only.argument : -1;
    this.#givesTensor = others.length === 0 && only?.type === 'Tensor';
  }

  /**
   * Calls the operator with the first `count` of three arguments if all are positional and fit; else gives `unfit` or
   * `undecided`. Most calls are such: no array is made for them.
   */
  direct(count: number, a: unknown, b: unknown, c: unknown): unknown {
    const last = count > 2 ? c : count > 1 ? b : a;
    if (count > this.#positional || count < this.#required) return this.#misfit(last);
    const x = count > 0 ? this.#quickly(0, a) : undefined;
    if (x === unfit) return this.#misfit(last);
    const y = count > 1 ? this.#quickly(1, b) : undefined;
    if (y === unfit) return this.#misfit(last);
    const z = count > 2 ? this.#quickly(2, c) : undefined;
    if (z === unfit) return this.#misfit(last);
    const call = this.#call;
    let result = count > 2 ? call(x, y, z) : count > 1 ? call(x, y) : count > 0 ? call(x) : call();
    if (result === this.#failed) result = this.#recover([x, y, z].slice(0, count));
    if (this.#returned >= 0) return this.#returned === 0 ? a : this.#returned === 1 ? b : c;
    return this.#givesTensor && result !== undefined ? wrap(result) : this.#finish(result, [a, b, c]);
  }

  /** {@link direct} with any number of arguments. */
  listed(args: readonly unknown[]): unknown {
    const count = args.length;
    if (count > this.#positional || count < this.#required) return this.#misfit(args[count - 1]);
    const values: NativeValue[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#quickly(i, args[i]);
      if (value === unfit) return this.#misfit(args[count - 1]);
      values.push(value);
    }
    return this.#finished(this.#called(values), args);
  }

  /** {@link Signature.fit}. */
  fit(args: readonly unknown[], unpacks?: boolean): Fitting | Refusal {
    return this.#signature.fit(args, unpacks);
  }

  /** Calls the operator with arguments that fit. */
  run({ given, values, requiresGrad }: Fitting): unknown {
    this.#check?.(new Map(this.#parameters.map(({ name }, i) => [name, given[i]])));
    const made = this.#finished(this.#called(values), given);
    return requiresGrad === true ? (made as Tensor).requiresGrad_() : made;
  }

  #called(values: NativeValue[]): NativeResult {
    const result = spread(this.#call, values);
    return result === this.#failed ? this.#recover(values) : result;
  }

  #recover(values: NativeValue[]): NativeResult {
    return this.#operator.recover(values, this.#thrower);
  }

  #finished(result: NativeResult, given: readonly unknown[]): unknown {
    if (this.#returned >= 0) return given[this.#returned];
    return this.#givesTensor && result !== undefined ? wrap(result) : this.#finish(result, given);
  }

  /** An argument as native code takes it, or `unfit`. */
  #quickly(index: number, value: unknown): NativeValue | typeof unfit {
    const { isTensor, isNullable, refusesUndefined, conversion } = this.#parameters[index] as Parameter;
    const handle = handleOf(value);
    if (handle !== undefined) return isTensor ? handle : unfit;
    if (value === undefined || value === null) {
      return isNullable && !(refusesUndefined && value === undefined) ? undefined : unfit;
    }
    if (this.#isOnly && conversion.isPlainList === true && Array.isArray(value)) return value as NativeValue[];
    return conversion.accepts(value) ? conversion.toNative(value, this.#signature.op) : unfit;
  }

  /**
   * `undecided` if a call may fit after all whose last argument this is: it may hold keywords, or stand for nothing.
   */
  #misfit(last: unknown): typeof unfit | typeof undecided {
    if (this.#check !== undefined || last === undefined) return undecided;
    return typeof last === 'object' && !Array.isArray(last) && handleOf(last) === undefined ? undecided : unfit;
  }
}

/** The call with values: those of usual length by V8's short way into native code, which a spread does not take. */
function spread(call: Operator, values: readonly NativeValue[]): NativeResult {
  switch (values.length) {
    case 4:
      return call(values[0], values[1], values[2], values[3]);
    case 5:
      return call(values[0], values[1], values[2], values[3], values[4]);
    case 6:
      return call(values[0], values[1], values[2], values[3], values[4], values[5]);
    default:
      return call(...values);
  }
}

/** Makes the result of a call from that of native code. */
function finisher(
  { returns }: OperatorSchema,
  naming: Naming,
): (result: NativeResult, given: readonly unknown[]) => unknown {
  const [only] = returns;
  if (only === undefined) return () => undefined;
  if (returns.length === 1) return (result) => fromNative(result, only.type);
  return (results, given) => {
    const all = Array.from(results as NativeResult[], (result, i) => {
      const { argument, type } = returns[i] as (typeof returns)[number];
      return argument === undefined ? fromNative(result, type) : given[argument];
    });
    for (const [i, { name }] of returns.entries()) {
      if (name === undefined) continue;
      const called = naming === 'python' ? camelCase(name) : name;
      Object.defineProperty(all, called, { value: all[i], configurable: true });
    }
    return all;
  };
}
