/**
 * An optimizer is one declaration: its options with checks and defaults in Python's order, what it keeps of a parameter, and
 * how it moves a list of parameters. The class with groups, checks and steps comes from that.
 */
import { native } from '../binding/load';
import { callable, isPlain, nearest, unknownOption } from '../options';
import { type Call, type Parameters, readOptions } from '../torch/call';
import { synchronous } from '../torch/synchronous';
import type { Tensor } from '../torch/tensor';
import { type Batch, counter } from './batch';
import type { ParamGroup, Params } from './groups';
import { type Closure, Optimizer } from './optimizer';
import type { GivenOptions, Options, OptionValues } from './options';
import type { ParameterState } from './state-dict';
import { run, stateOf } from './step';

/** All that is known of an optimizer. */
export interface Declaration<O extends Options> {
  /** The options, in Python's order. */
  readonly options: O;
  /** Options that groups have, but no caller sets. */
  readonly fixed?: Readonly<Record<string, unknown>>;
  /** Those that may go by position. */
  readonly positional: readonly (keyof O & string)[];
  /** Fills in options whose defaults depend on others. */
  complete?(options: OptionValues<O>): OptionValues<O>;
  /** Refuses options that do not go together. */
  check?(op: string, options: OptionValues<O>): void;
  /** Refuses parameters that cannot be moved. */
  checkParameter?(op: string, label: string, parameter: Tensor): void;
  /** What gradients may be. Default `'dense'`. */
  readonly gradients?: 'dense' | 'sparse' | 'any';
  /** Whether lists are PyTorch's choice on GPUs. Default `true`. */
  readonly isForeachOnGpu?: false;
  /** Whether parameters are moved one after the other, so that batches are nothing. */
  readonly isOneByOne?: true;
  /** What is kept of a parameter, made at its first step; nothing if it gives nothing. */
  init?(
    parameter: Tensor,
    group: OptionValues<O>,
    optimizer: { readonly defaults: OptionValues<O> },
  ): ParameterState | undefined;
  /** Whether that is made with the optimizer. */
  readonly isEager?: true;
  /** States that are numbers in tensors: older files have them as plain numbers. */
  readonly counters?: readonly string[];
  /** Whether complex parameters are moved as pairs of real numbers. */
  readonly viewsAsReal?: readonly string[];
  /** Moves a batch of parameters. */
  update(batch: Batch, group: OptionValues<O>): void;
}

/** The constructor of an optimizer. */
export type OptimizerClass<O extends Options, Positional extends readonly (keyof O & string)[]> = new (
  ...args: Call<[params: Params<OptionValues<O>>], GivenOptions<O>, Positional>
) => Optimizer<OptionValues<O>>;

const declarations = new WeakMap<object, Pick<Declaration<Options>, 'options' | 'positional'>>();

/** What a class takes: of an optimizer or a schedule, or of a class that extends one. */
export function declarationOf(made: object | null): Pick<Declaration<Options>, 'options' | 'positional'> | undefined {
  if (made === null) return undefined;
  return declarations.get(made) ?? declarationOf(Object.getPrototypeOf(made) as object | null);
}

/** Notes what a class takes. */
export function declared<Class extends object>(
  made: Class,
  declaration: Pick<Declaration<Options>, 'options' | 'positional'>,
): Class {
  declarations.set(made, declaration);
  return made;
}

/** The class of an optimizer, to be extended: the name is that of the subclass. */
export function optimizerClass<const O extends Options, const Positional extends readonly (keyof O & string)[]>(
  declaration: Declaration<O> & { positional: Positional },
): OptimizerClass<O, Positional> {
  const names = Object.keys(declaration.options);
  const defaults = Object.fromEntries(
    names.map((name) => [name, (declaration.options[name] as Options[string]).default]),
  );
  const parameters = (op: string): Parameters => ({
    op,
    required: ['params'],
    defaults,
    positional: declaration.positional,
  });

  const made = class extends Optimizer<OptionValues<O>> {
    constructor(...args: unknown[]) {
      const op = new.target.name;
      const given = namedParams(args);
      const read = checked(op, readOptions(parameters(op), given));
      const options = declaration.complete?.(read) ?? read;
      declaration.check?.(op, options);
      super(given[0] as Params<OptionValues<O>>, { ...options, ...declaration.fixed });
      if (declaration.isEager !== true) return;
      for (const group of this.paramGroups) {
        for (const parameter of group.params) stateOf(this as never, declaration as never, parameter, group as never);
      }
    }

    protected override readGroup(op: string, group: ParamGroup<OptionValues<O>>): ParamGroup<OptionValues<O>> {
      for (const key of Object.keys(group)) refuseMisspelled(op, key, group[key], names, declaration.fixed);
      const read: ParamGroup<OptionValues<O>> = { ...group, ...checked(op, group) };
      declaration.check?.(op, read);
      for (const [i, parameter] of read.params.entries()) declaration.checkParameter?.(op, `'params[${i}]'`, parameter);
      return read;
    }

    protected override readLoaded(
      op: string,
      group: ParamGroup<OptionValues<O>>,
      states: ReadonlyMap<Tensor, ParameterState>,
    ): ParamGroup<OptionValues<O>> {
      const read = { ...super.readLoaded(op, group, states), ...declaration.fixed };
      for (const parameter of read.params) {
        const state = states.get(parameter);
        for (const name of declaration.counters ?? []) {
          if (typeof state?.[name] === 'number') state[name] = counter(state[name], parameter, read);
        }
      }
      return read;
    }

    protected override isFloat(option: string, value: unknown): boolean {
      const declared = declaration.options[option];
      return declared?.isFloat === true && declared.default === value;
    }

    override step<T>(closure?: Closure<T> | null): T {
      const differentiable = (this.defaults as { differentiable?: unknown }).differentiable === true;
      let loss: T | undefined;
      if (closure !== undefined && closure !== null) {
        loss = native().withGradMode(true, synchronous('step', callable('step', "'closure'", closure)));
      }
      native().withGradMode(differentiable, () => run(this, declaration as unknown as Declaration<Options>));
      return loss as T;
    }
  };

  function checked(op: string, given: Readonly<Record<string, unknown>>): OptionValues<O> {
    const values = names.map((name) => {
      const option = declaration.options[name] as Options[string];
      const value = given[name];
      return [name, value === option.default ? value : option.check(op, `option '${name}'`, value)];
    });
    return Object.fromEntries(values);
  }

  return declared(made, declaration as never) as unknown as OptimizerClass<O, Positional>;
}

/** Arguments with the parameters first: they may stand among the keywords, as in Python. */
function namedParams(args: readonly unknown[]): readonly unknown[] {
  const [only] = args;
  const isNamed = args.length === 1 && typeof only === 'object' && only !== null && isPlain(only) && 'params' in only;
  if (!isNamed) return args;
  const { params, ...rest } = only;
  return [params, rest];
}

/**
 * Refuses what is nearly the name of an option. Other names are the user's: schedulers and scripts keep values in groups.
 */
function refuseMisspelled(
  op: string,
  key: string,
  value: unknown,
  names: readonly string[],
  fixed: Declaration<Options>['fixed'] = {},
): void {
  if (names.includes(key) || key === 'params' || key === 'paramNames') return;
  const isOther = key in fixed && value !== fixed[key];
  const isNear = key.length > 3 && !(key in fixed) && nearest(key, names) !== undefined;
  if (isOther || isNear) throw unknownOption(op, key, names);
}
