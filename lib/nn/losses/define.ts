/** Losses of users: declared like those of this library, with the same forms, class and evaluation. */

import { expected, show, TorchError } from '../../errors';
import { callable, nearest, oneOf } from '../../options';
import { isTensor } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import type { TensorLike } from './arguments';
import { type LossClass, lossClass } from './class';
import { declareLoss, type Loss, type LossDeclaration } from './declare';
import type { Argument, Option } from './option';
import { booleanOr, indices, numberOr, optionalTensor, reduction, tensor } from './option';
import { reduced } from './reduce';

/** An argument of a loss: a tensor or data for one; with `holds: 'indices'` class indices, which become int64. */
export type ArgumentDefinition = string | IndicesDefinition;

/** An argument that holds class indices. */
export interface IndicesDefinition {
  /** What it is called. */
  readonly name: string;
  /** Data for it becomes int64. */
  readonly holds: 'indices';
}

/** The default of an option: a number, `true` or `false`, or `null` for a tensor that may be absent. */
export type OptionDefault = number | boolean | null;

type NameOf<Given> = Given extends { name: infer Name } ? Name : Given;

type ValueOf<Default> = Default extends number
  ? number
  : Default extends boolean
    ? boolean
    : TensorLike | null | undefined;

/** What the losses are computed of: arguments as tensors, options with their values. */
export type LossCall<Arguments extends readonly ArgumentDefinition[], Options> = {
  readonly [Name in NameOf<Arguments[number]> & string]: Tensor;
} & {
  readonly [Name in keyof Options]: Options[Name] extends null
    ? Tensor | undefined
    : Options[Name] extends boolean
      ? boolean
      : number;
};

/** What {@link defineLoss} takes. */
export interface LossDefinition<
  Arguments extends readonly ArgumentDefinition[] = readonly ArgumentDefinition[],
  Options extends Readonly<Record<string, OptionDefault>> = Readonly<Record<string, OptionDefault>>,
> {
  /** What errors, and the command line, call the loss. */
  readonly name: string;
  /** What it takes, in order; the first is what is differentiated. */
  readonly arguments: Arguments;
  /** Its options besides `reduction`, with their defaults. */
  readonly options?: Options;
  /**
   * The losses before the reduction: of each sample `[N]`, or of each element. It is called with tensors whenever the loss is, and may look
   * at no element of them where the loss runs off the main thread.
   */
  readonly losses: (call: LossCall<Arguments, Options>) => Tensor;
  /** Whether a sample has one loss, or each of its elements. Default `'elements'`. */
  readonly lossesOf?: 'samples' | 'elements';
}

/** The options of a defined loss. */
export type DefinedOptions<Options> = {
  [Name in keyof Options]?: ValueOf<Options[Name]> | undefined;
} & {
  /** How the losses become one: `'mean'` by default, `'sum'`, or `'none'`. */
  reduction?: Reduction | undefined;
};

/** A defined loss, and its class. */
export type DefinedLoss<Required extends readonly unknown[], Options> = Loss<Required, Options> & {
  /** The loss as a module that holds its options: `new focalLoss.Module({ gamma: 3 })(input, target)`. */
  readonly Module: LossClass<Required, Options, []>;
};

const op = 'defineLoss';
const fields = ['name', 'arguments', 'options', 'losses', 'lossesOf'] as const;

/**
 * A loss of your own, with all that the losses of `nn.functional` have: called as in Python, with `reduction`; the forms
 * `.item`, `.out` and `.async`; {@link valueAndGrad}; a class; {@link BatchEvaluator}, and a name on the command line by
 * `npx libtorch-losses evaluate --plugin ./my-losses.mjs --loss focal`.
 *
 * **Gradient**: through the operators that `losses` calls.
 *
 * @example
 * const focalLoss = defineLoss({
 *   name: 'focalLoss',
 *   arguments: ['input', 'target'],
 *   options: { gamma: 2 },
 *   losses({ input, target, gamma }) {
 *     const p = torch.where(target.gt(0.5), input.sigmoid(), input.neg().sigmoid());
 *     return p.log().neg().mul(p.neg().add(1).pow(gamma));
 *   },
 * });
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION` for a definition that is none, with the field that is meant.
 */
export function defineLoss<
  const Arguments extends readonly ArgumentDefinition[],
  Options extends Readonly<Record<string, OptionDefault>> = Readonly<Record<never, never>>,
>(
  definition: LossDefinition<Arguments, Options>,
): DefinedLoss<{ [Place in keyof Arguments]: TensorLike }, DefinedOptions<Options>> {
  const { name, lossesOf = 'elements' } = checked(definition as unknown as LossDefinition);
  const lossesOfCall = (call: object): Tensor => {
    const losses: unknown = (definition.losses as (call: object) => unknown)(call);
    if (isTensor(losses)) return losses;
    throw expected(name, "'losses'", 'to give a Tensor', show(losses));
  };
  const declared: LossDeclaration = {
    name,
    arguments: Object.fromEntries(definition.arguments.map(argumentOf)),
    options: { ...Object.fromEntries(Object.entries(definition.options ?? {}).map(optionOf)), reduction },
    // Somebody else's function may look at anything, and is called whenever the loss is.
    isTraced: false,
    compute: (call) => reduced(lossesOfCall(call), (call as { reduction: number }).reduction),
    evaluation: {
      lossesOf,
      ...(definition.arguments.some((argument) => typeof argument === 'object') && { target: 'indices' as const }),
    },
  };
  const loss = declareLoss(declared);
  const names = Object.keys(declared.options) as never[];
  return Object.assign(loss, { Module: lossClass(loss, name, names) }) as never;
}

function nameOf(argument: ArgumentDefinition): string {
  return typeof argument === 'string' ? argument : argument.name;
}

function argumentOf(argument: ArgumentDefinition): [string, Argument] {
  return [nameOf(argument), typeof argument === 'string' ? tensor : indices(() => undefined)];
}

function optionOf([name, value]: [string, OptionDefault]): [string, Option] {
  if (typeof value === 'number') return [name, numberOr(value) as Option];
  return [name, (value === null ? optionalTensor : booleanOr(value)) as Option];
}

/** The definition, if it is one. */
function checked(definition: LossDefinition): LossDefinition {
  if (typeof definition !== 'object' || definition === null) {
    throw expected(op, "'definition'", `to be an object with ${fields.join(', ')}`, show(definition));
  }
  for (const key of Object.keys(definition)) if (!(fields as readonly string[]).includes(key)) throw unknownField(key);
  const { name, arguments: given, options = {}, losses, lossesOf } = definition;
  if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]*$/.test(name)) {
    throw expected(op, "'name'", 'to be the name of a function', show(name));
  }
  if (!Array.isArray(given) || given.length === 0) {
    throw expected(op, "'arguments'", 'to be an array of names', show(given));
  }
  const names = given.map((argument, i) => checkedName(argument as ArgumentDefinition, i));
  for (const option of Object.keys(options)) {
    const value = options[option];
    if (names.includes(option) || option === 'reduction') {
      throw expected(op, `option '${option}'`, 'to have a name of its own', `one that ${name} has already`);
    }
    if (typeof value === 'number' || typeof value === 'boolean' || value === null) continue;
    throw expected(op, `the default of option '${option}'`, 'to be a number, a boolean or null', show(value));
  }
  callable(op, "'losses'", losses);
  if (lossesOf !== undefined) oneOf(op, "'lossesOf'", lossesOf, ['samples', 'elements']);
  return definition;
}

function checkedName(argument: ArgumentDefinition, i: number): string {
  const isIndices = typeof argument === 'object' && argument !== null && argument.holds === 'indices';
  const name: unknown = isIndices ? argument.name : argument;
  if (typeof name === 'string' && /^[A-Za-z_$][\w$]*$/.test(name)) return name;
  throw expected(op, `'arguments[${i}]'`, "to be a name, or { name, holds: 'indices' }", show(argument));
}

function unknownField(key: string): TorchError {
  const near = nearest(key, fields);
  const hint = near === undefined ? '' : ` (did you mean '${near}'?)`;
  const message = `${op}: unknown field '${key}'${hint}; fields are ${fields.join(', ')}`;
  return new TorchError('UNKNOWN_OPTION', message, { op, argument: key });
}
