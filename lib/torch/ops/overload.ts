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

/** An overload, ready to be called. */
export class BoundOverload {
  readonly #signature: Signature;
  readonly #operator: BareOperator;
  /** The function that users call: stacks of errors begin above it. */
  readonly #thrower: (...args: never[]) => unknown;
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

  constructor(
    op: string,
    name: string,
    schema: OperatorSchema,
    naming: Naming,
    makesTensors: boolean,
    thrower: (...args: never[]) => unknown,
  ) {
    checkOperator(op, name);
    this.#thrower = thrower;
    this.#check = argumentCheck(op, name);
    this.#operator = native().bareOperator(name, schema.overload);
    this.#signature = new Signature(op, schema, naming, makesTensors);
    this.#parameters = this.#signature.parameters;
    this.#positional = this.#signature.positional;
    this.#required = this.#signature.required;
    this.#call = this.#operator.call;
    this.#failed = this.#operator.failed;
    [this.#first, this.#second] = this.#parameters;
    this.#finish = finisher(schema, naming);
    const [only, ...others] = schema.returns;
    this.#returned = others.length === 0 && only?.argument !== undefined ? only.argument : -1;
    this.#givesTensor = others.length === 0 && only?.type === 'Tensor';
    const isOfTensors = this.#parameters.slice(0, this.#required).every(({ isTensor }) => isTensor);
    this.#tensors =
      this.#givesTensor && this.#returned < 0 && isOfTensors && this.#check === undefined ? this.#required : 0;
  }

  /**
   * The commonest calls, of one or two tensors and nothing else, without a look at parameters; `notShort` for others.
   * It is the shortest way that there is: `npm run bench` holds it to one of the typed functions of `lib/torch/aten`.
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
      if (result === this.#failed) result = this.#operator.recover([first], this.#thrower);
    } else {
      const second = handleOf(args[1]);
      if (second === undefined) return notShort;
      result = this.#call(first, second);
      if (result === this.#failed) result = this.#operator.recover([first, second], this.#thrower);
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
      const first = quickly(this.#signature.op, this.#first as Parameter, args[0], isOnly);
      if (first === notShort) return notShort;
      if (count === 1) {
        result = call(first);
        if (result === failed) values = [first];
      } else {
        const second = quickly(this.#signature.op, this.#second as Parameter, args[1], isOnly);
        if (second === notShort) return notShort;
        result = call(first, second);
        if (result === failed) values = [first, second];
      }
    } else {
      values = [];
      for (let i = 0; i < count; i++) {
        const value = quickly(this.#signature.op, this.#parameters[i] as Parameter, args[i], isOnly);
        if (value === notShort) return notShort;
        values.push(value);
      }
      result = call(...values);
    }
    if (result === failed) result = this.#operator.recover(values as NativeValue[], this.#thrower);
    if (this.#returned >= 0) return args[this.#returned];
    return this.#givesTensor && result !== undefined ? wrap(result) : this.#finish(result, args);
  }

  /** {@link Signature.fit}. */
  fit(args: readonly unknown[], unpacks?: boolean): Fitting | Refusal {
    return this.#signature.fit(args, unpacks);
  }

  /** Calls the operator with arguments that fit. */
  run({ given, values, requiresGrad }: Fitting): unknown {
    this.#check?.(new Map(this.#parameters.map(({ name }, i) => [name, given[i]])));
    let result = this.#call(...values);
    if (result === this.#failed) result = this.#operator.recover(values, this.#thrower);
    const made = this.#returned >= 0 ? given[this.#returned] : this.#finish(result, given);
    return requiresGrad === true ? (made as Tensor).requiresGrad_() : made;
  }
}

/** The value as native code takes it, or `notShort` if it does not fit. */
function quickly(op: string, parameter: Parameter, value: unknown, isOnly: boolean): NativeValue | typeof notShort {
  const handle = handleOf(value);
  if (handle !== undefined) return parameter.isTensor ? handle : notShort;
  if (value === undefined || value === null) {
    return parameter.isNullable && !(value === undefined && parameter.refusesUndefined) ? undefined : notShort;
  }
  const { conversion } = parameter;
  if (isOnly && conversion.isPlainList === true && Array.isArray(value)) return value as NativeValue[];
  return conversion.accepts(value) ? conversion.toNative(value, op) : notShort;
}

/** What {@link BoundOverload.short} gives where it has called nothing. */
export const notShort: unique symbol = Symbol('not short');

/** Makes what a call gives of what native code gives. */
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
