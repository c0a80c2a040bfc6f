/** The base of all optimizers: parameters in groups, state, hooks. */
import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { expected, show, TorchError } from '../errors';
import { boolean, isPlain } from '../options';
import { isTensor, operator, unwrap } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import { checkGroup, type GroupInput, isGroup, type ParamGroup, type Params, readGroups, readParams } from './groups';
import { type HookHandle, type HookOptions, Hooks } from './hooks';
import { together } from './lists';
import { snakeCase, valueText } from './names';
import { type OptimizerStateDict, type ParameterState, packState, unpackState } from './state-dict';

/** A closure: computes the loss anew, with its gradients, and gives it. */
export type Closure<T = unknown> = () => T;

/** Runs before a step. What it gives, if anything, are the arguments of the step. */
export type StepPreHook = (optimizer: Optimizer, args: readonly unknown[]) => readonly unknown[] | undefined;
/** Runs behind a step. */
export type StepPostHook = (optimizer: Optimizer, args: readonly unknown[]) => void;
/** Runs before a state dict is made, or after one was loaded. */
export type OptimizerHook = (optimizer: Optimizer) => void;
/** Sees a state dict, and may give another one. */
export type StateDictHook = (optimizer: Optimizer, stateDict: OptimizerStateDict) => OptimizerStateDict | undefined;

const globalPreHooks = new Hooks<StepPreHook>();
const globalPostHooks = new Hooks<StepPostHook>();

/** A hook before the steps of all optimizers. **Source**: `torch.optim.optimizer.register_optimizer_step_pre_hook`. */
export function registerOptimizerStepPreHook(hook: StepPreHook): HookHandle {
  return globalPreHooks.add('registerOptimizerStepPreHook', hook);
}

/** A hook behind the steps of all optimizers. **Source**: `torch.optim.optimizer.register_optimizer_step_post_hook`. */
export function registerOptimizerStepPostHook(hook: StepPostHook): HookHandle {
  return globalPostHooks.add('registerOptimizerStepPostHook', hook);
}

type Step = (this: Optimizer, ...args: unknown[]) => unknown;

const hooked = new WeakSet<Step>();

/** Has the hooks run around the `step` of a class, whoever wrote it. */
function hook(prototype: { step: Step }): void {
  const { step } = prototype;
  if (hooked.has(step)) return;
  const around: Step = function (...args) {
    return this.aroundStep(step, args);
  };
  hooked.add(around);
  Object.defineProperty(around, 'name', { value: 'step' });
  Object.defineProperty(prototype, 'step', { value: around, writable: true, configurable: true });
}

/**
 * The base class of optimizers. A subclass gives the defaults of its options and writes `step`; hooks run around that by
 * themselves.
 *
 * **Source**: `torch.optim.Optimizer`.
 */
export class Optimizer<Options extends object = object> {
  /** The options of groups that do not set them. */
  readonly defaults: Options;
  /** The groups of parameters. Options may be changed at any time: `optimizer.paramGroups[0].lr = 0.01`. */
  paramGroups: ParamGroup<Options>[] = [];
  /** What is kept of each parameter, by names in camelCase: `optimizer.state.get(weight)?.expAvg`. */
  state: Map<Tensor, ParameterState> = new Map();
  #hasStepped: boolean | undefined;
  readonly #hooks = {
    preStep: new Hooks<StepPreHook>(),
    postStep: new Hooks<StepPostHook>(),
    preStateDict: new Hooks<OptimizerHook>(),
    postStateDict: new Hooks<StateDictHook>(),
    preLoad: new Hooks<StateDictHook>(),
    postLoad: new Hooks<OptimizerHook>(),
  };

  constructor(params: Params<Options>, defaults: Options) {
    const op = this.constructor.name;
    if (typeof defaults !== 'object' || defaults === null || !isPlain(defaults)) {
      throw expected(op, "'defaults'", 'to be an object of options', show(defaults));
    }
    hook(new.target.prototype as unknown as { step: Step });
    this.defaults = defaults;
    for (const group of readGroups(op, params)) this.addParamGroup(group as GroupInput<Options>);
  }

  /**
   * Adds a group of parameters, whose options are the optimizer's where it does not set its own.
   *
   * **Source**: `torch.optim.Optimizer.add_param_group`.
   */
  addParamGroup(paramGroup: GroupInput<Options>): void {
    const op = this.constructor.name;
    if (!isGroup(paramGroup)) throw expected(op, "'paramGroup'", 'to be an object { params, … }', show(paramGroup));
    const { params, ...given } = paramGroup;
    const takesAny = (this.defaults as { differentiable?: unknown }).differentiable === true;
    const group: Record<string, unknown> & { params: Tensor[] } = readParams(op, params, takesAny);
    for (const [key, value] of Object.entries(given)) if (value !== undefined && value !== null) group[key] = value;
    for (const [key, value] of Object.entries(this.defaults)) if (!(key in group)) group[key] = value;
    const read = this.readGroup(op, group as ParamGroup<Options>);
    checkGroup(op, this.paramGroups, read);
    this.paramGroups.push(read);
  }

  /** @internal The group with its options checked. */
  protected readGroup(_op: string, group: ParamGroup<Options>): ParamGroup<Options> {
    return group;
  }

  /**
   * Moves the parameters by their gradients. With a closure, that is called first, with gradients recorded, and what it
   * gives is given back.
   *
   * **Source**: `torch.optim.Optimizer.step`.
   */
  step(): void;
  step<T>(closure: Closure<T>): T;
  step<T>(closure?: Closure<T> | null): T | undefined;
  step(_closure?: Closure | null): unknown {
    const op = this.constructor.name;
    throw new TorchError('NOT_IMPLEMENTED', `${op}: expected a class that writes step(), but received one without`, {
      op,
    });
  }

  /** @internal Whether there was a step since schedules watch; `undefined` while none does. */
  get hasStepped(): boolean | undefined {
    return this.#hasStepped;
  }

  /** @internal Has {@link hasStepped} say whether there are steps from now on. */
  watchSteps(): void {
    this.#hasStepped ??= false;
  }

  /** @internal A step between its hooks. */
  aroundStep(step: Step, given: readonly unknown[]): unknown {
    if (this.#hasStepped === false) this.#hasStepped = true;
    const { preStep, postStep } = this.#hooks;
    if (preStep.isEmpty && postStep.isEmpty && globalPreHooks.isEmpty && globalPostHooks.isEmpty) {
      return step.apply(this, given as unknown[]);
    }
    let args = given;
    for (const before of [...globalPreHooks, ...preStep]) {
      const changed: unknown = before(this, args);
      if (changed === undefined || changed === null) continue;
      if (!Array.isArray(changed)) {
        throw expected(this.constructor.name, 'the hook before step', 'to give nothing or an array', show(changed));
      }
      args = changed;
    }
    const result = step.apply(this, args as unknown[]);
    for (const behind of [...postStep, ...globalPostHooks]) behind(this, args);
    return result;
  }

  /**
   * Forgets the gradients of all parameters; with `setToNone: false` fills them with zeros.
   *
   * **Source**: `torch.optim.Optimizer.zero_grad`.
   */
  zeroGrad(setToNone?: boolean | { setToNone?: boolean | null } | null): void {
    const op = 'zeroGrad';
    const given = typeof setToNone === 'object' && setToNone !== null ? setToNone.setToNone : setToNone;
    const forget = boolean(op, "'setToNone'", given ?? true);
    for (const { params } of this.paramGroups) {
      const handles = params.map((parameter, i) => unwrap(parameter, op, `params[${i}]`));
      if (forget) for (const handle of handles) native().setGradient(handle, undefined);
      else native().withGradMode(false, () => zeroGradients(handles));
    }
  }

  /**
   * The state as Python's: `state` by the index of each parameter, and `param_groups`, with names in snake_case. Its tensors
   * are the optimizer's own.
   *
   * **Source**: `torch.optim.Optimizer.state_dict`.
   */
  stateDict(): OptimizerStateDict {
    for (const before of this.#hooks.preStateDict) before(this);
    let stateDict = packState(this.paramGroups, this.state);
    for (const behind of this.#hooks.postStateDict) stateDict = behind(this, stateDict) ?? stateDict;
    return stateDict;
  }

  /**
   * Goes on from a state dict, of {@link Optimizer.stateDict} or of Python. Tensors are cast to the dtypes and devices of the
   * parameters; those that fit are taken as they are.
   *
   * @throws TorchError `INVALID_ARGUMENT` if groups do not fit; nothing has changed then.
   *
   * **Source**: `torch.optim.Optimizer.load_state_dict`.
   */
  loadStateDict(
    stateDict: OptimizerStateDict | Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>,
  ): void {
    let given: unknown = stateDict;
    for (const before of this.#hooks.preLoad) given = before(this, given as OptimizerStateDict) ?? given;
    const op = this.constructor.name;
    const { groups, states } = unpackState(op, given, this.paramGroups);
    const read = groups.map((group) => this.readLoaded(op, group as ParamGroup<Options>, states as never));
    this.paramGroups = read;
    this.state = states as Map<Tensor, ParameterState>;
    for (const behind of this.#hooks.postLoad) behind(this);
  }

  /** @internal A loaded group with what older files lack. */
  protected readLoaded(
    _op: string,
    group: ParamGroup<Options>,
    _states: ReadonlyMap<Tensor, ParameterState>,
  ): ParamGroup<Options> {
    return { ...this.defaults, ...group };
  }

  /** A hook before each step. **Source**: `torch.optim.Optimizer.register_step_pre_hook`. */
  registerStepPreHook(hook: StepPreHook): HookHandle {
    return this.#hooks.preStep.add('registerStepPreHook', hook);
  }

  /** A hook behind each step. **Source**: `torch.optim.Optimizer.register_step_post_hook`. */
  registerStepPostHook(hook: StepPostHook): HookHandle {
    return this.#hooks.postStep.add('registerStepPostHook', hook);
  }

  /** A hook before {@link Optimizer.stateDict}. **Source**: `torch.optim.Optimizer.register_state_dict_pre_hook`. */
  registerStateDictPreHook(hook: OptimizerHook, prepend?: boolean | HookOptions | null): HookHandle {
    return this.#hooks.preStateDict.add('registerStateDictPreHook', hook, prepend);
  }

  /** A hook behind {@link Optimizer.stateDict}. **Source**: `torch.optim.Optimizer.register_state_dict_post_hook`. */
  registerStateDictPostHook(hook: StateDictHook, prepend?: boolean | HookOptions | null): HookHandle {
    return this.#hooks.postStateDict.add('registerStateDictPostHook', hook, prepend);
  }

  /** A hook before {@link loadStateDict}. **Source**: `torch.optim.Optimizer.register_load_state_dict_pre_hook`. */
  registerLoadStateDictPreHook(hook: StateDictHook, prepend?: boolean | HookOptions | null): HookHandle {
    return this.#hooks.preLoad.add('registerLoadStateDictPreHook', hook, prepend);
  }

  /** A hook behind {@link loadStateDict}. **Source**: `torch.optim.Optimizer.register_load_state_dict_post_hook`. */
  registerLoadStateDictPostHook(hook: OptimizerHook, prepend?: boolean | HookOptions | null): HookHandle {
    return this.#hooks.postLoad.add('registerLoadStateDictPostHook', hook, prepend);
  }

  /** @internal Whether the value of an option is printed as a float even if it is whole. */
  protected isFloat(_option: string, _value: unknown): boolean {
    return false;
  }

  /** The text that PyTorch prints for this optimizer. */
  toString(): string {
    const groups = this.paramGroups.map((group, i) => {
      const options = Object.keys(group).filter((key) => key !== 'params');
      const names = options.map((key) => [snakeCase(key), key] as const).sort(([a], [b]) => (a < b ? -1 : 1));
      const lines = names.map(
        ([name, key]) => `    ${name}: ${optionText(group[key], this.isFloat(key, group[key]))}\n`,
      );
      return `\nParameter Group ${i}\n${lines.join('')}`;
    });
    return `${this.constructor.name} (${groups.join('')})`;
  }

  /** What `console.log` shows: the printed form. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** An option in a text: a tensor without dimensions is the number that it holds there. */
function optionText(value: unknown, isFloat: boolean): string {
  return isTensor(value) && value.ndim === 0 ? valueText(value.item(), true) : valueText(value, isFloat);
}

function zeroGradients(handles: readonly Handle[]): void {
  const [, ...gradients] = Array.from(native().gradients(handles));
  const found = (gradients as (Handle | undefined)[]).filter((gradient) => gradient !== undefined);
  for (const gradient of found) {
    together.own(gradient);
    if (native().gradFn(gradient) === undefined) native().setRequiresGrad(gradient, false);
    else operator('aten::detach_', '')(gradient);
  }
  try {
    if (found.length > 0) together.zero_(found);
  } finally {
    together.dispose();
  }
}
