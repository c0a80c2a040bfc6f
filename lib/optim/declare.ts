/**
 * An optimizer is one declaration: its options with checks and defaults in Python's order, what it keeps of a parameter, and
 * how it moves a list of parameters. The class with groups, checks and steps comes from that.
 */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { DisposedError, expected, TorchError } from '../errors';
import { type Parameters, readOptions } from '../nn/losses/parameters';
import { callable, isPlain, nearest, unknownOption } from '../options';
import { handleOf, isTensor, operator, unwrap } from '../torch/bind';
import type { Call } from '../torch/call';
import { tensor } from '../torch/create';
import { viewAsReal, zerosLike } from '../torch/operators.generated';
import { keep } from '../torch/scope';
import { synchronous } from '../torch/synchronous';
import type { Tensor } from '../torch/tensor';
import type { ParamGroup, Params } from './groups';
import { type Lists, oneByOne, together } from './lists';
import { type Closure, Optimizer } from './optimizer';
import type { GivenOptions, Options, OptionValues } from './options';
import type { ParameterState } from './state-dict';

/** How parameters are moved: all in one call of each operator, by one operator for everything, or in the plain order. */
type Mode = 'single' | 'foreach' | 'fused';

/** Parameters of a group that have gradients, with all that a step of them needs. */
export interface Batch {
  readonly params: readonly Handle[];
  readonly grads: readonly Handle[];
  readonly tensors: readonly Tensor[];
  readonly states: readonly ParameterState[];
  /** The operators; what they make is given back when the batch is done. */
  readonly lists: Lists;
  readonly mode: Mode;
  readonly hasSparse: boolean;
  /** The tensors of a name in the states. */
  of(name: string): Handle[];
}

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

/** In how many elements of parameters a list of them is cut, so that what an operator makes stays in the caches. */
const batchElements = 1 << 16;

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

/** The parameters of a batch that pass a test. */
export function partOf(batch: Batch, test: (i: number) => boolean): Batch {
  const pick = <T>(list: readonly T[]): T[] => list.filter((_, i) => test(i));
  const { params, grads, tensors, states } = batch;
  return {
    ...batch,
    params: pick(params),
    grads: pick(grads),
    tensors: pick(tensors),
    states: pick(states),
    of: (name) => pick(batch.of(name)),
  };
}

/** A complex tensor as pairs of real numbers, over the same memory. */
export const asReal = (tensor: Tensor): Tensor => (tensor.isComplex() ? viewAsReal(tensor) : tensor);

/** Refuses complex parameters. */
export function refuseComplex(op: string, label: string, parameter: Tensor): void {
  if (parameter.isComplex()) throw expected(op, label, 'to be real', parameter.dtype);
}

/** Counts a step of a batch, and gives the numbers of each parameter. */
export function countStep({ of, lists }: Batch): number[] {
  const steps = of('step');
  lists.addNumber_(steps, 1);
  return steps.map((step) => native().item(step) as number);
}

/** The gradients with a share of the parameters. */
export function withDecay({ params, grads, lists }: Batch, weightDecay: number): readonly Handle[] {
  return weightDecay === 0 ? grads : lists.add(grads, params, weightDecay);
}

/** A list that was just made, with a number added; a graph may have saved it, which keeps it as it is. */
export function shifted({ lists }: Batch, list: readonly Handle[], by: number): readonly Handle[] {
  if (lists === oneByOne) return lists.addNumber(list, by);
  lists.addNumber_(list, by);
  return list;
}

/** Zeros like a parameter. */
export function zeros(parameter: Tensor): Tensor {
  return keep(zerosLike(parameter, { memoryFormat: 'preserve_format' }));
}

/** A number in a tensor, as states have it. */
export function counter(value: number, parameter: Tensor, group: object): Tensor {
  const { capturable, fused } = group as { capturable?: boolean; fused?: boolean | null };
  const device = capturable === true || fused === true ? parameter.device : 'cpu';
  return keep(tensor(value, { dtype: 'float32', device }));
}

interface Work {
  readonly group: ParamGroup;
  readonly params: Tensor[];
  readonly handles: Handle[];
  readonly grads: Handle[];
  readonly hasSparse: boolean;
  readonly hasComplex: boolean;
  readonly hasHalf: boolean;
}

/** A step: everything is read and checked first, so that a parameter that is gone leaves the others as they are. */
function run(optimizer: Optimizer, declaration: Declaration<Options>): void {
  const op = optimizer.constructor.name;
  const works: Work[] = [];
  try {
    for (const group of optimizer.paramGroups) works.push(gather(op, group));
    for (const work of works) {
      checkLayouts(op, work, declaration.gradients ?? 'dense');
      checkCapturable(op, work);
    }
    for (const work of works) if (work.params.length > 0) move(op, optimizer, declaration, work);
  } finally {
    for (const { grads } of works) for (const grad of grads) native().dispose(grad);
  }
}

function gather(op: string, group: ParamGroup): Work {
  const all = group.params.map((parameter, i) => unwrap(parameter, op, `params[${i}]`));
  const [flags, ...gradients] = gradientsOf(op, all);
  const params: Tensor[] = [];
  const handles: Handle[] = [];
  const grads: Handle[] = [];
  for (const [i, gradient] of gradients.entries()) {
    if (gradient === undefined) continue;
    params.push(group.params[i] as Tensor);
    handles.push(all[i] as Handle);
    grads.push(gradient);
  }
  return {
    group,
    params,
    handles,
    grads,
    hasSparse: (flags & 1) !== 0,
    hasComplex: (flags & 2) !== 0,
    hasHalf: (flags & 4) !== 0,
  };
}

function gradientsOf(op: string, params: readonly Handle[]): [flags: number, ...gradients: (Handle | undefined)[]] {
  try {
    return Array.from(native().gradients(params)) as [number, ...(Handle | undefined)[]];
  } catch (error) {
    const i = params.findIndex((handle) => native().isDisposed(handle));
    if (i < 0) throw error;
    const message = `${op}: expected 'params[${i}]' to be a live tensor, but received one that was disposed`;
    throw new DisposedError('DISPOSED', message, { op, argument: `params[${i}]`, cause: error });
  }
}

function checkLayouts(op: string, { grads, hasSparse }: Work, allowed: 'dense' | 'sparse' | 'any'): void {
  const isSparse = (handle: Handle): boolean => native().layout(handle) !== 0;
  const isFine = allowed === 'any' || (allowed === 'dense' ? !hasSparse : grads.every(isSparse));
  if (isFine) return;
  const [other, taker] = allowed === 'dense' ? ['sparse', 'SparseAdam'] : ['dense', 'Adam'];
  const message = `${op}: expected ${allowed} gradients, but received a ${other} one; ${taker} takes those`;
  throw new TorchError('INVALID_ARGUMENT', message, { op });
}

const isOnGpu = (handle: Handle): boolean => native().device(handle).startsWith('cuda');

function checkCapturable(op: string, { group, handles }: Work): void {
  if (group.capturable !== true || handles.every(isOnGpu)) return;
  throw expected(op, "option 'capturable'", 'to be false for parameters that are not on a GPU', 'true');
}

/** PyTorch takes lists by itself on GPUs only, where they are faster; on the CPU the bits are mostly the same. */
function modeOf(
  { foreach, fused, differentiable, lr }: ParamGroup,
  handles: readonly Handle[],
  isForeachOnGpu: boolean,
): Mode {
  if (fused === true) return 'fused';
  const isChosen = typeof foreach === 'boolean' || typeof fused === 'boolean' || differentiable === true;
  const isTogether = isChosen ? foreach === true : isForeachOnGpu && !isTensor(lr) && handles.every(isOnGpu);
  return isTogether ? 'foreach' : 'single';
}

function move(op: string, optimizer: Optimizer, declaration: Declaration<Options>, work: Work): void {
  const { group, params, handles, grads } = work;
  const mode = modeOf(group, handles, declaration.isForeachOnGpu ?? true);
  if (mode === 'foreach' && group.differentiable === true) {
    throw expected(op, "option 'foreach'", 'to be false with differentiable: true', 'true');
  }
  if (mode === 'fused') checkFused(op, params);
  const states = params.map((parameter) => stateOf(optimizer, declaration, parameter, group as never));
  const isSingle = group.differentiable === true || (mode === 'single' && work.hasHalf);
  const lists = isSingle ? oneByOne : together;
  const isCut = mode === 'single' && declaration.isOneByOne !== true;
  for (const [start, end] of isCut ? batches(handles) : [[0, handles.length] as const]) {
    const batch = {
      params: handles.slice(start, end),
      grads: grads.slice(start, end),
      tensors: params.slice(start, end),
      states: states.slice(start, end),
    };
    try {
      declaration.update(prepared(batch, lists, mode, work, declaration), group as never);
    } finally {
      lists.dispose();
    }
  }
}

function checkFused(op: string, params: readonly Tensor[]): void {
  const other = params.find((parameter) => !parameter.isFloatingPoint());
  if (other === undefined) return;
  throw expected(op, "option 'fused'", 'to be false for parameters that are not real floating-point', other.dtype);
}

const nothing: ParameterState = Object.freeze({});

function stateOf(
  optimizer: Optimizer,
  { init }: Declaration<Options>,
  parameter: Tensor,
  group: OptionValues<Options>,
): ParameterState {
  const known = optimizer.state.get(parameter);
  if (known !== undefined && Object.keys(known).length > 0) return known;
  const made = init?.(parameter, group, optimizer as unknown as { defaults: OptionValues<Options> });
  if (made !== undefined) optimizer.state.set(parameter, made);
  return made ?? nothing;
}

/** Cuts a list into batches of which each, unless it is a single parameter, is small. */
function* batches(handles: readonly Handle[]): Generator<readonly [start: number, end: number]> {
  let start = 0;
  let elements = 0;
  for (const [i, handle] of handles.entries()) {
    const count = native().numel(handle);
    if (i > start && elements + count > batchElements) {
      yield [start, i];
      start = i;
      elements = 0;
    }
    elements += count;
  }
  yield [start, handles.length];
}

type Prepared = Pick<Batch, 'params' | 'grads' | 'tensors' | 'states'>;

function prepared(
  given: Prepared,
  lists: Lists,
  mode: Mode,
  { group, hasSparse, hasComplex }: Work,
  { viewsAsReal }: Declaration<Options>,
): Batch {
  const plain = (name: string): Handle[] => given.states.map((state) => handleOf(state[name]) as Handle);
  let { params, grads } = given;
  let of = plain;
  if (hasComplex && viewsAsReal !== undefined) {
    const isComplex = given.tensors.map((parameter) => parameter.isComplex());
    const real = (list: readonly Handle[]): Handle[] =>
      list.map((handle, i) =>
        isComplex[i] ? lists.own(operator('aten::view_as_real', '')(handle) as Handle) : handle,
      );
    params = real(params);
    grads = real(grads);
    of = (name) => (viewsAsReal.includes(name) ? real(plain(name)) : plain(name));
  }
  if (group.maximize === true && mode !== 'fused') grads = lists.neg(grads);
  return { ...given, params, grads, of, lists, mode, hasSparse };
}

/** Refuses what goes with no fused operator. */
export function refuseFusedWith(
  op: string,
  { fused, foreach, differentiable }: { fused: boolean | null; foreach: boolean | null; differentiable: boolean },
): void {
  if (fused !== true) return;
  if (differentiable) throw expected(op, "option 'fused'", 'to be false with differentiable: true', 'true');
  if (foreach === true) throw expected(op, "option 'fused'", 'to be false with foreach: true', 'true');
}
