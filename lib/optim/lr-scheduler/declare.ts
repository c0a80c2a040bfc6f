/** How the classes of schedules read their arguments. */
import { expected, show, TorchError } from '../../errors';
import * as check from '../../options';
import { isPlain } from '../../options';
import { isTensor } from '../../torch/bind';
import { type Call, type Parameters, readOptions } from '../../torch/call';
import type { Numeric } from '../arithmetic';
import { declared } from '../declare';
import type { Optimizer } from '../optimizer';
import type { GivenOptions, Option, Options, OptionValues } from '../options';
import { checkOptimizer, copyOf, LRScheduler } from './scheduler';

/** What is known of a schedule before its first rates are set. */
interface Declaration<O extends Options> {
  /** The options, in Python's order. */
  readonly options: O;
  /** Their names, all of which may go by position. */
  readonly positional: readonly (keyof O & string)[];
  /** The properties of the schedule; by default its options. */
  prepare?(op: string, optimizer: Optimizer, options: OptionValues<O>): object;
}

/** The constructor of a schedule. */
type SchedulerClass<O extends Options, Positional extends readonly (keyof O & string)[]> = new (
  ...args: Call<[optimizer: Optimizer], GivenOptions<O>, Positional>
) => LRScheduler & Omit<OptionValues<O>, 'lastEpoch'>;

/** An option that must be given. */
export const required = <Value>(option: Pick<Option<Value>, 'check'>): Option<Value> => ({
  default: undefined as Value,
  check: (op, label, value) => {
    if (value !== undefined) return option.check(op, label, value);
    throw new TorchError('INVALID_ARGUMENT', `${op}: expected ${label} to be given, but received undefined`, { op });
  },
});

/** An integer from `least` on. */
export const integerFrom = (least: number, otherwise = least): Option<number> => ({
  default: otherwise,
  check: (op, label, value) => {
    const count = check.integer(op, label, value);
    if (count >= least) return count;
    throw expected(op, label, `to be an integer >= ${least}`, String(count));
  },
});

/** The option, or by default nothing. */
export const optional = <Value>(option: Pick<Option<Value>, 'check'>): Option<Value | null> => ({
  default: null,
  check: (op, label, value) => (value === null ? null : option.check(op, label, value)),
});

/** One of a list of names. */
export const choiceOf = <const Name extends string>(names: readonly Name[], otherwise: Name): Option<Name> => ({
  default: otherwise,
  check: (op, label, value) => check.oneOf(op, label, value, names),
});

/** A number, or one for each group; numbers may be tensors of one element. */
export const perGroup = (otherwise?: number): Option<Numeric | readonly Numeric[]> => {
  const isNumber = (value: unknown): value is Numeric =>
    typeof value === 'number' || (isTensor(value) && value.numel() === 1);
  const option: Pick<Option<Numeric | readonly Numeric[]>, 'check'> = {
    check: (op, label, value) => {
      if (isNumber(value) || (Array.isArray(value) && value.every(isNumber))) return value;
      throw expected(op, label, 'to be a number or an array of them', show(value));
    },
  };
  return otherwise === undefined ? required(option) : { ...option, default: otherwise };
};

/** The values of all groups, where one may stand for all. */
export function forGroups(
  op: string,
  name: string,
  optimizer: Optimizer,
  value: Numeric | readonly Numeric[],
): Numeric[] {
  const count = optimizer.paramGroups.length;
  if (!Array.isArray(value)) return Array.from({ length: count }, () => copyOf(value as Numeric));
  if (value.length === count) return (value as Numeric[]).map(copyOf);
  throw expected(op, `option '${name}'`, `to have a number for each of ${count} groups`, `${value.length}`);
}

/** The epoch to go on from; -1 for the beginning. */
export const lastEpoch: Option<number> = { default: -1, check: check.integer };

/** The class of a schedule, to be extended. */
export function schedulerClass<
  const O extends Options & { lastEpoch: Option<number> },
  const Positional extends readonly (keyof O & string)[],
>(declaration: Declaration<O> & { positional: Positional }): SchedulerClass<O, Positional> {
  const names = Object.keys(declaration.options);
  const defaults = Object.fromEntries(names.map((name) => [name, declaration.options[name]?.default]));

  const made = class extends LRScheduler {
    constructor(...args: unknown[]) {
      const op = new.target.name;
      const [optimizer, ...rest] = namedOptimizer(args);
      checkOptimizer(op, optimizer);
      const parameters: Parameters = { op, required: ['optimizer'], defaults, positional: declaration.positional };
      const given = readOptions(parameters, [optimizer, ...rest]);
      const values = Object.fromEntries(
        names.map((name) => [name, (declaration.options[name] as Option).check(op, `option '${name}'`, given[name])]),
      ) as OptionValues<O>;
      const { lastEpoch, ...properties } = values as { lastEpoch: number };
      super(optimizer as Optimizer, lastEpoch, declaration.prepare?.(op, optimizer as Optimizer, values) ?? properties);
    }
  };
  return declared(made, declaration) as unknown as SchedulerClass<O, Positional>;
}

/** Arguments with the optimizer first: it may stand among the keywords, as in Python. */
function namedOptimizer(args: readonly unknown[]): readonly unknown[] {
  const [only] = args;
  const isNamed =
    args.length === 1 && typeof only === 'object' && only !== null && isPlain(only) && 'optimizer' in only;
  if (!isNamed) return args;
  const { optimizer, ...rest } = only;
  return [optimizer, rest];
}
