/**
 * A loss is one declaration: what it takes, how it is computed and differentiated, how a refusal of libtorch is explained,
 * and how it is evaluated in batches. Its function with all forms, its class, and its entries in the evaluator, on the
 * command line and in docs/losses.md come from that.
 */

import type { NativeError } from '../../errors';
import { isTensor } from '../../torch/bind';
import type { Buffer } from '../../torch/buffers';
import { type Call, type Parameters, readOptions } from '../../torch/call';
import type { Tensor } from '../../torch/tensor';
import { registerDerivative, type ValueAndGrad } from '../../torch/value-and-grad';
import { asOptionalTensor, type TensorLike, withArgumentErrors } from './arguments';
import type { Evaluation } from './evaluation';
import type { Explanation } from './explain';
import { asyncForm, itemForm, outForm } from './forms';
import type { Argument, Option } from './option';

/** A loss: a function of tensors and options, in its forms. */
export interface Loss<
  Required extends readonly unknown[] = readonly never[],
  Options = object,
  Positional extends readonly (keyof Options)[] = [],
> {
  (...args: Call<Required, Options, Positional>): Tensor;
  /** The loss as a number, for a reduction to one. It makes no tensor and records nothing for gradients. */
  item(...args: Call<Required, Options, Positional>): number;
  /** Writes the loss into a tensor or typed array of its shape and dtype, and gives that back. Records no gradients. */
  out<Given extends Buffer>(out: Given, ...args: Call<Required, Options, Positional>): Given;
  /** The loss off the main thread, with all of libtorch's threads. Arrays are copied before the promise is returned. */
  async(...args: Call<Required, Options, Positional>): Promise<Tensor>;
}

/** What a loss computes with: its arguments as tensors, its options checked. */
type CallOf<Arguments, Options> = {
  readonly [Name in keyof Arguments]: Arguments[Name] extends Argument<infer Read> ? Read : never;
} & { readonly [Name in keyof Options]: Options[Name] extends Option<infer _Value, infer Read> ? Read : never };

/** All that is known of a loss. */
export interface LossDeclaration<
  Arguments extends Readonly<Record<string, Argument>> = Readonly<Record<string, Argument>>,
  // biome-ignore lint/suspicious/noExplicitAny: options of every kind
  Options extends Readonly<Record<string, Option<any, any>>> = Readonly<Record<string, Option<any, any>>>,
> {
  readonly name: string;
  /** What has no default, in Python's order. */
  readonly arguments: Arguments;
  /** Everything else, in Python's order. */
  readonly options: Options;
  /** The options that Python takes by position, up to the first deprecated one. */
  readonly positional?: readonly (keyof Options & string)[];
  /** Arguments that may be on the CPU wherever the others are. */
  readonly anywhere?: readonly (keyof Arguments & string)[];
  compute(call: CallOf<Arguments, Options>): Tensor;
  /**
   * Value and gradient with respect to the first argument, without a graph and with its bits; `undefined` where these
   * arguments need the graph. The gradient may be written into `into`.
   */
  readonly derivative?: (call: CallOf<Arguments, Options>, into: Tensor | undefined) => ValueAndGrad | undefined;
  /** Whether the derivative stands in for the graph even where another argument requires a gradient. Default `'constants'`. */
  readonly others?: 'constants' | 'parameters';
  /** Whether one computation may stand for later calls with arguments of the same kind. Default `true`. */
  readonly isTraced?: false;
  /** Why libtorch refused a call, if that can be told from its arguments. */
  explain?(call: CallOf<Arguments, Options>, refusal: NativeError): Explanation | undefined;
  readonly evaluation: Evaluation;
}

const declarations = new WeakMap<object, LossDeclaration>();

/** The declaration of a loss; `undefined` of other functions. */
export function declarationOf(loss: unknown): LossDeclaration | undefined {
  return typeof loss === 'function' ? declarations.get(loss) : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the annotation of the constant says what it takes
type AnyLoss = Loss<any, any, any>;

/** The function of a declaration, with its forms. */
export function declareLoss<
  Arguments extends Readonly<Record<string, Argument>>,
  // biome-ignore lint/suspicious/noExplicitAny: options of every kind
  Options extends Readonly<Record<string, Option<any, any>>>,
>(declared: LossDeclaration<Arguments, Options>): AnyLoss {
  const declaration = declared as unknown as LossDeclaration;
  const { compute, derivative, others, isTraced } = declaration;
  const reader = readerOf(declaration);
  const loss = (...args: unknown[]): Tensor => run(declaration, reader(args), compute);
  Object.defineProperty(loss, 'name', { value: declaration.name });
  declarations.set(loss, declaration);
  if (derivative !== undefined) {
    registerDerivative(
      loss,
      (into, ...args) => run(declaration, reader(args), (call) => derivative(call, into)),
      others,
    );
  }
  return Object.assign(loss, { item: itemForm(loss, isTraced), out: outForm(loss), async: asyncForm(loss) });
}

/** How the arguments of a loss, or of its class, are read. */
export function parametersOf(
  op: string,
  { arguments: required, options, positional = [] }: Pick<LossDeclaration, 'arguments' | 'options' | 'positional'>,
): Parameters {
  const defaults = Object.entries(options).map(([name, option]) => [name, option.default]);
  return { op, required: Object.keys(required), defaults: Object.freeze(Object.fromEntries(defaults)), positional };
}

/** The options of a call, each checked. */
export function checkedOptions(
  options: LossDeclaration['options'],
  parameters: Parameters,
  args: readonly unknown[],
): Record<string, unknown> {
  return checkEach(options, parameters.op, readOptions(parameters, args));
}

function checkEach(
  options: LossDeclaration['options'],
  op: string,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const name in options) {
    const option = options[name] as Option;
    const value = given[name];
    checked[name] = value === option.default ? value : option.check(op, `option '${name}'`, value);
  }
  return checked;
}

/** Reads the arguments of a loss. The options first, then the tensors: as PyTorch, which looks at values before tensors. */
function readerOf(declaration: LossDeclaration): (args: readonly unknown[]) => Record<string, unknown> {
  const { name: op, arguments: required, options } = declaration;
  const parameters = parametersOf(op, declaration);
  const converted = (checked: Record<string, unknown>): Record<string, unknown> => {
    for (const name in options) {
      const { read } = options[name] as Option;
      if (read !== undefined) checked[name] = read(checked[name]);
    }
    return checked;
  };
  const readers = Object.entries(required);
  // What most calls begin with, which have no options.
  const defaults = converted(checkEach(options, op, parameters.defaults));
  for (const [name] of readers) defaults[name] = undefined;
  const tensors = Object.keys(options).filter((name) => (options[name] as Option).isTensor);
  return (args) => {
    const given = readOptions(parameters, args);
    const call = given === parameters.defaults ? { ...defaults } : converted(checkEach(options, op, given));
    let first: Tensor | undefined;
    for (let i = 0; i < readers.length; i++) {
      const [name, readArgument] = readers[i] as [string, Argument];
      const value = readArgument(op, name, args[i] as TensorLike, call, first);
      if (first === undefined && isTensor(value)) first = value;
      call[name] = value;
    }
    for (const name of tensors) call[name] = asOptionalTensor(op, name, call[name] as TensorLike, first);
    return call;
  };
}

/** Computes with a call; what libtorch refuses is explained. */
function run<T>(declaration: LossDeclaration, call: Record<string, unknown>, compute: (call: never) => T): T {
  const { name, arguments: required, options, anywhere } = declaration;
  const tensorsOf = (names: object): Record<string, Tensor> =>
    Object.fromEntries(Object.keys(names).flatMap((key) => (isTensor(call[key]) ? [[key, call[key]]] : [])));
  return withArgumentErrors(
    name,
    () => ({ arguments: tensorsOf(required), options: tensorsOf(options), ...(anywhere && { anywhere }) }),
    () => compute(call as never),
    (refusal) => declaration.explain?.(call as never, refusal),
  );
}
