/** What all modules have in common. */
import { expected, show, TorchError } from '../../errors';
import { boolean, callable, withDefaults } from '../../options';
import type { Call } from '../../torch/call';
import { type CastOptions, readCast } from '../../torch/cast';
import type { HookHandle } from '../../torch/hooks';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import type { Device, DType } from '../../types';
import type { Parameter } from '../parameter';
import type { Gradients } from './backward-hooks';
import { convertState, mover } from './convert';
import { addHook, type ForwardHookOptions, type ForwardPreHookOptions, type HookOptions } from './hooks';
import { type Named, type Recurse, readLoad, readNamed, readNamedModules, readRecurse } from './module-arguments';
import { formatModule } from './print';
import { className, type Kind, Registered, registry } from './registry';
import { type IncompatibleKeys, loadState, StateDict, type StateSource, saveState } from './state-dict';
import { inside, members, modulesOf, values } from './tree';

/** `util.inspect.custom`, whose type would make users of the declarations need those of Node. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** Any module, whatever it takes and gives. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it gives
export type AnyModule = Module<any>;

/** A call of a module is a call of its `forward`. */
export interface Module<Result = Tensor> {
  (...inputs: Parameters<this['forward']>): ReturnType<this['forward']>;
  /** @internal */
  readonly result?: Result;
  /** @internal The version of the state that stateDict() gives. */
  readonly _version: number;
}

/**
 * A layer, a loss or a model: parameters, buffers and modules as properties, and what it computes. It is a function:
 * `model(x)` calls `forward`, which is what subclasses write, and the hooks.
 *
 * Properties are registered as they are assigned, class fields included: an {@link Parameter} as a parameter, a module as
 * one of its modules, a {@link Buffer} and what `registerBuffer` names as a buffer. Maps, arrays and objects of them are
 * not: {@link ModuleList} and its like are. Names are the properties in snake_case, as in Python.
 *
 * @example
 * class Net extends nn.Module {
 *   hidden = new nn.Linear(4, 8);
 *   out = new nn.Linear(8, 1);
 *   forward(x) {
 *     return this.out(this.hidden(x).relu());
 *   }
 * }
 *
 * **Source**: `torch.nn.Module`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor makes the function that the interface says
export class Module<Result = Tensor> extends Registered {
  /** Whether the module trains: dropout and batch norm behave differently then. */
  training = true;

  /** Computes the module's result. */
  // biome-ignore lint/suspicious/noExplicitAny: each module says what it takes, and every one is a Module
  forward(..._inputs: any[]): Result {
    const name = className(this);
    throw new TorchError(
      'NOT_IMPLEMENTED',
      `${name}: expected the class to have a method 'forward', but received none`,
      { op: name },
    );
  }

  /** What the printed form says of the module besides its modules. Lines are separated by `\n`. */
  extraRepr(): string {
    return '';
  }

  /** @internal Brings a state of an older version, or of none, up to this one. */
  upgradeState(_state: Map<string, unknown>, _prefix: string, _version: number | undefined): void {}

  /** Registers a parameter, or that there is none of that name. **Source**: `torch.nn.Module.register_parameter`. */
  registerParameter(name: string, parameter: Parameter | null | undefined): void {
    registry(this).register('registerParameter', 'parameter', name, parameter);
  }

  /**
   * Registers a tensor of the module's state that is not a parameter; one that is not `persistent` is left out of state dicts.
   *
   * **Source**: `torch.nn.Module.register_buffer`.
   */
  registerBuffer(name: string, tensor: Tensor | null | undefined, options?: boolean | { persistent?: boolean }): void {
    const op = 'registerBuffer';
    const given = typeof options === 'boolean' ? { persistent: options } : options;
    const { persistent } = withDefaults<{ persistent?: boolean }>(op, given, { persistent: true });
    registry(this).register(op, 'buffer', name, tensor, {
      isPersistent: boolean(op, "option 'persistent'", persistent),
    });
  }

  /** Registers a module. **Source**: `torch.nn.Module.add_module`. */
  addModule(name: string, module: AnyModule | null | undefined): void {
    registry(this).register('addModule', 'module', name, module);
  }

  /** {@link addModule}. **Source**: `torch.nn.Module.register_module`. */
  registerModule(name: string, module: AnyModule | null | undefined): void {
    registry(this).register('registerModule', 'module', name, module);
  }

  /** The module of a dotted path, by names of state dicts; `''` is this one. **Source**: `torch.nn.Module.get_submodule`. */
  getSubmodule(target: string): AnyModule {
    return this.#find('getSubmodule', 'module', target) as AnyModule;
  }

  /** The parameter of a dotted path. **Source**: `torch.nn.Module.get_parameter`. */
  getParameter(target: string): Parameter {
    return this.#find('getParameter', 'parameter', target) as Parameter;
  }

  /** The buffer of a dotted path. **Source**: `torch.nn.Module.get_buffer`. */
  getBuffer(target: string): Tensor {
    return this.#find('getBuffer', 'buffer', target) as Tensor;
  }

  #find(op: string, kind: Kind, target: string): unknown {
    if (typeof target !== 'string') throw expected(op, "'target'", 'to be a string', show(target));
    let found: unknown = this;
    const atoms = target === '' && kind === 'module' ? [] : target.split('.');
    for (const [i, atom] of atoms.entries()) {
      const wanted = i === atoms.length - 1 ? kind : 'module';
      const at = found as AnyModule;
      found = registry(at)
        .of(wanted)
        .find(({ key }) => key === atom)?.value;
      if (found === undefined) {
        throw expected(
          op,
          "'target'",
          `to lead to a ${kind}`,
          `${show(target)}: ${className(at)} has no ${wanted} '${atom}'`,
        );
      }
    }
    return found;
  }

  /** All parameters, shared ones once. **Source**: `torch.nn.Module.parameters`. */
  parameters(...args: Recurse): IterableIterator<Parameter> {
    const [recurse] = readRecurse('parameters', args);
    return values(members<Parameter>(this, 'parameter', '', recurse, true));
  }

  /** All parameters with their names. **Source**: `torch.nn.Module.named_parameters`. */
  namedParameters(...args: Named): IterableIterator<[name: string, parameter: Parameter]> {
    return members(this, 'parameter', ...readNamed('namedParameters', args));
  }

  /** All buffers, shared ones once. **Source**: `torch.nn.Module.buffers`. */
  buffers(...args: Recurse): IterableIterator<Tensor> {
    const [recurse] = readRecurse('buffers', args);
    return values(members<Tensor>(this, 'buffer', '', recurse, true));
  }

  /** All buffers with their names. **Source**: `torch.nn.Module.named_buffers`. */
  namedBuffers(...args: Named): IterableIterator<[name: string, buffer: Tensor]> {
    return members(this, 'buffer', ...readNamed('namedBuffers', args));
  }

  /** The modules of this one, but not theirs. **Source**: `torch.nn.Module.children`. */
  children(): IterableIterator<AnyModule> {
    return values(this.namedChildren());
  }

  /** The modules of this one with their names. **Source**: `torch.nn.Module.named_children`. */
  *namedChildren(): IterableIterator<[name: string, module: AnyModule]> {
    const seen = new Set<unknown>();
    for (const { key, value } of registry(this).of('module')) {
      if (seen.has(value)) continue;
      seen.add(value);
      yield [key, value as AnyModule];
    }
  }

  /** This module and all that are in it. **Source**: `torch.nn.Module.modules`. */
  modules(): IterableIterator<AnyModule> {
    return values(modulesOf(this, new Set(), '', true));
  }

  /**
   * This module and all that are in it, with their names; those in `memo`, to which they are added, are left out.
   *
   * **Source**: `torch.nn.Module.named_modules`.
   */
  namedModules(
    ...args: Call<
      [],
      { memo?: Set<AnyModule> | undefined; prefix?: string | undefined; removeDuplicate?: boolean | undefined },
      ['memo', 'prefix', 'removeDuplicate']
    >
  ): IterableIterator<[name: string, module: AnyModule]> {
    const [memo, prefix, removeDuplicate] = readNamedModules('namedModules', args);
    return modulesOf(this, (memo as Set<AnyModule> | undefined) ?? new Set(), prefix, removeDuplicate);
  }

  /** Calls a function with every module in this one, and with this one last. **Source**: `torch.nn.Module.apply`. */
  apply(fn: (module: AnyModule) => void): this {
    callable('apply', "'fn'", fn);
    inside(this, fn);
    return this;
  }

  /** Says whether this module and all in it train. **Source**: `torch.nn.Module.train`. */
  train(mode = true): this {
    boolean('train', "'mode'", mode);
    this.training = mode;
    changing.add(this);
    try {
      for (const child of this.children()) if (!changing.has(child)) child.train(mode);
    } finally {
      changing.delete(this);
    }
    return this;
  }

  /** `train(false)`. **Source**: `torch.nn.Module.eval`. */
  eval(): this {
    return this.train(false);
  }

  /** Says whether the parameters are recorded for gradients. **Source**: `torch.nn.Module.requires_grad_`. */
  requiresGrad_(requiresGrad = true): this {
    boolean('requiresGrad_', "'requiresGrad'", requiresGrad);
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }

  /** Clears the gradients of all parameters, or (`setToNone: false`) makes them zeros. **Source**: `torch.nn.Module.zero_grad`. */
  zeroGrad(options?: boolean | { setToNone?: boolean | null } | null): void {
    const op = 'zeroGrad';
    const given = typeof options === 'boolean' ? { setToNone: options } : (options ?? undefined);
    const { setToNone } = withDefaults<{ setToNone?: boolean | null }>(op, given, { setToNone: true });
    const clears = boolean(op, "option 'setToNone'", setToNone);
    for (const parameter of this.parameters()) {
      const gradient = parameter.grad;
      if (gradient === undefined) continue;
      if (clears) parameter.grad = undefined;
      else {
        if (gradient.gradFn === undefined) gradient.requiresGrad = false;
        else aten.detach_(gradient);
        aten.zero_(gradient);
      }
    }
  }

  /**
   * Converts parameters and buffers in place: floating ones to a dtype, all to a device. Parameters stay the same objects;
   * their gradients are converted, too.
   *
   * @example model.to('float64');
   *
   * **Source**: `torch.nn.Module.to`.
   */
  to(target: DType | Device | Tensor | Omit<CastOptions, 'copy'>, options?: Omit<CastOptions, 'copy'>): this;
  to(dtype: DType | Tensor, nonBlocking?: boolean, options?: Omit<CastOptions, 'copy'>): this;
  to(device: Device | null, dtype?: DType | null, nonBlocking?: boolean, options?: Omit<CastOptions, 'copy'>): this;
  to(...args: unknown[]): this {
    return convertState(this, mover(readCast('to', args)));
  }

  /** Parameters and buffers with other elements, all of them. **Source**: `torch.nn.Module.type`. */
  type(dtype: DType): this {
    return convertState(this, (tensor) => tensor.type(dtype));
  }

  /** Floating parameters and buffers as float32. **Source**: `torch.nn.Module.float`. */
  float(): this {
    return convertState(this, (tensor) => (aten.is_floating_point(tensor) ? tensor.float() : tensor));
  }

  /** Floating parameters and buffers as float64. **Source**: `torch.nn.Module.double`. */
  double(): this {
    return convertState(this, (tensor) => (aten.is_floating_point(tensor) ? tensor.double() : tensor));
  }

  /** Floating parameters and buffers as float16. **Source**: `torch.nn.Module.half`. */
  half(): this {
    return convertState(this, (tensor) => (aten.is_floating_point(tensor) ? tensor.half() : tensor));
  }

  /** Floating parameters and buffers as bfloat16. **Source**: `torch.nn.Module.bfloat16`. */
  bfloat16(): this {
    return convertState(this, (tensor) => (aten.is_floating_point(tensor) ? tensor.bfloat16() : tensor));
  }

  /** Parameters and buffers on the CPU. **Source**: `torch.nn.Module.cpu`. */
  cpu(): this {
    return convertState(this, (tensor) => tensor.cpu());
  }

  /** Parameters and buffers on a CUDA device. **Source**: `torch.nn.Module.cuda`. */
  cuda(device?: number | Device): this {
    return convertState(this, (tensor) => tensor.cuda(device));
  }

  /** Parameters and buffers on a device, with elements that are not set. **Source**: `torch.nn.Module.to_empty`. */
  toEmpty({ device, recurse = true }: { device: Device; recurse?: boolean }): this {
    return convertState(this, (tensor) => aten.empty_like(tensor, { device }), recurse);
  }

  /**
   * All parameters and persistent buffers by name, in no graph unless `keepVars` is set; they share the module's memory.
   *
   * **Source**: `torch.nn.Module.state_dict`.
   */
  stateDict(options?: { destination?: StateDict; prefix?: string | null; keepVars?: boolean | null }): StateDict {
    const op = 'stateDict';
    const { destination, prefix, keepVars } = withDefaults<{
      destination?: StateDict | undefined;
      prefix?: string | null;
      keepVars?: boolean | null;
    }>(op, options, { destination: undefined, prefix: '', keepVars: false });
    if (typeof prefix !== 'string') throw expected(op, "option 'prefix'", 'to be a string', show(prefix));
    const into = destination ?? new StateDict();
    if (!(into instanceof StateDict)) throw expected(op, "option 'destination'", 'to be a StateDict', show(into));
    saveState(this, into, prefix, boolean(op, "option 'keepVars'", keepVars));
    return into;
  }

  /**
   * Copies tensors by name into parameters and buffers, or with `assign` puts them in their places. Nothing is changed if
   * something does not fit: a shape, or a key, unless `strict` is `false`.
   *
   * @throws TorchError `INVALID_ARGUMENT` that lists all that does not fit, as PyTorch does.
   *
   * **Source**: `torch.nn.Module.load_state_dict`.
   */
  loadStateDict(
    stateDict: StateSource,
    ...args: Call<[], { strict?: boolean | undefined; assign?: boolean | undefined }, ['strict', 'assign']>
  ): IncompatibleKeys {
    const [strict, assign] = readLoad('loadStateDict', args);
    return loadState(this, stateDict, strict, assign);
  }

  /**
   * Has a function called before `forward`, as `hook(module, inputs)`: inputs that it gives, as an array or a single one,
   * take the place of the others.
   *
   * **Source**: `torch.nn.Module.register_forward_pre_hook`.
   */
  registerForwardPreHook(
    hook: ForwardPreHook<this>,
    options?: ForwardPreHookOptions & { withKwargs?: false },
  ): HookHandle;
  registerForwardPreHook(
    hook: (module: this, inputs: unknown[], keywords: Record<string, unknown>) => unknown,
    options: ForwardPreHookOptions & { withKwargs: true },
  ): HookHandle;
  registerForwardPreHook(hook: (...args: never[]) => unknown, options?: ForwardPreHookOptions): HookHandle {
    return addHook('registerForwardPreHook', this, 'forwardPre', hook, options);
  }

  /**
   * Has a function called behind `forward`, as `hook(module, inputs, result)`: what it gives takes the place of the result.
   *
   * **Source**: `torch.nn.Module.register_forward_hook`.
   */
  registerForwardHook(hook: ForwardHook<this>, options?: ForwardHookOptions & { withKwargs?: false }): HookHandle;
  registerForwardHook(
    hook: (
      module: this,
      inputs: unknown[],
      keywords: Record<string, unknown>,
      result: ReturnType<this['forward']>,
    ) => unknown,
    options: ForwardHookOptions & { withKwargs: true },
  ): HookHandle;
  registerForwardHook(hook: (...args: never[]) => unknown, options?: ForwardHookOptions): HookHandle {
    return addHook('registerForwardHook', this, 'forward', hook, options);
  }

  /**
   * Has a function called with the gradients of the inputs and of the results, as `hook(module, ofInputs, ofResults)`: an
   * array that it gives takes the place of the former.
   *
   * **Source**: `torch.nn.Module.register_full_backward_hook`.
   */
  registerFullBackwardHook(
    hook: (module: this, ofInputs: Gradients, ofResults: Gradients) => Gradients | Tensor | undefined | null,
    options?: HookOptions,
  ): HookHandle {
    return addHook('registerFullBackwardHook', this, 'backward', hook, options);
  }

  /**
   * Has a function called with the gradients of the results before they go through the module, as `hook(module,
   * ofResults)`: an array that it gives takes their place.
   *
   * **Source**: `torch.nn.Module.register_full_backward_pre_hook`.
   */
  registerFullBackwardPreHook(
    hook: (module: this, ofResults: Gradients) => Gradients | Tensor | undefined | null,
    options?: HookOptions,
  ): HookHandle {
    return addHook('registerFullBackwardPreHook', this, 'backwardPre', hook, options);
  }

  /** The text that PyTorch prints for this module. */
  override toString(): string {
    return formatModule(this);
  }

  /** @internal What `console.log` shows: the printed form. */
  [inspectCustom](): string {
    return this.toString();
  }
}

Object.defineProperty(Module.prototype, '_version', { value: 1, writable: true, configurable: true });

/** A function that is called before `forward`. */
export type ForwardPreHook<Of extends AnyModule = AnyModule> = (
  module: Of,
  inputs: Parameters<Of['forward']>,
) => unknown;

/** A function that is called behind `forward`. */
export type ForwardHook<Of extends AnyModule = AnyModule> = (
  module: Of,
  inputs: Parameters<Of['forward']>,
  result: ReturnType<Of['forward']>,
) => unknown;

/** Modules that train() is in: one that holds itself is gone into once. */
const changing = new Set<AnyModule>();
