/** Hooks: functions of users that see, or change, what goes into a module and what comes out of it. */
import { emitWarning } from '../../binding/load';
import { expected, show } from '../../errors';
import { boolean, callable, isPlain, withDefaults } from '../../options';
import { isTensor } from '../../torch/bind';
import type { HookHandle } from '../../torch/hooks';
import { BackwardHooks, type Hook } from './backward-hooks';
import { className, type Forward, Registered } from './registry';

/** How a hook is registered. */
export interface HookOptions {
  /** Run it before the hooks of its kind that the module has. Default `false`. */
  prepend?: boolean | null | undefined;
}

/** How a hook of `forward` is registered. */
export interface ForwardPreHookOptions extends HookOptions {
  /** Give it the trailing object of a call apart from the other inputs. Default `false`. */
  withKwargs?: boolean | null | undefined;
}

/** How a hook behind `forward` is registered. */
export interface ForwardHookOptions extends ForwardPreHookOptions {
  /** Run it also if `forward` throws. Default `false`. */
  alwaysCall?: boolean | null | undefined;
}

interface Registration {
  hook: Hook;
  withKwargs: boolean;
  alwaysCall: boolean;
}

const kinds = ['forwardPre', 'forward', 'backwardPre', 'backward'] as const;

/** When a hook runs. */
export type HookKind = (typeof kinds)[number];

const defaults = {
  forwardPre: { prepend: false, withKwargs: false },
  forward: { prepend: false, withKwargs: false, alwaysCall: false },
  backwardPre: { prepend: false },
  backward: { prepend: false },
} as const satisfies Record<HookKind, object>;

/** The hooks of a module. */
class Hooks {
  readonly #module: Registered & Forward;
  readonly #registered: Record<HookKind, Registration[]> = {
    forwardPre: [],
    forward: [],
    backwardPre: [],
    backward: [],
  };

  constructor(module: Registered & Forward) {
    this.#module = module;
  }

  add(op: string, kind: HookKind, hook: Hook, options: ForwardHookOptions | null | undefined): HookHandle {
    callable(op, "'hook'", hook);
    const given = withDefaults<ForwardHookOptions>(op, options ?? undefined, defaults[kind]);
    const flag = (name: keyof ForwardHookOptions): boolean => boolean(op, `option '${name}'`, given[name] ?? false);
    const registration = { hook, withKwargs: flag('withKwargs'), alwaysCall: flag('alwaysCall') };
    const list = this.#registered[kind];
    this.#registered[kind] = flag('prepend') ? [registration, ...list] : [...list, registration];
    Registered.intercept(this.#module, this);
    return { remove: () => this.#remove(kind, registration) };
  }

  /** Whether there are some before or behind `forward`. */
  get hasForward(): boolean {
    return this.#registered.forwardPre.length + this.#registered.forward.length > 0;
  }

  /** The same hooks for another module. */
  copyTo(module: Registered & Forward): void {
    if (kinds.every((kind) => this.#registered[kind].length === 0)) return;
    const copy = new Hooks(module);
    for (const kind of kinds) copy.#registered[kind] = [...this.#registered[kind]];
    all.set(module, copy);
    Registered.intercept(module, copy);
  }

  #remove(kind: HookKind, registration: Registration): void {
    this.#registered[kind] = this.#registered[kind].filter((other) => other !== registration);
    if (kinds.every((each) => this.#registered[each].length === 0)) Registered.intercept(this.#module, undefined);
  }

  /** A call of the module. The hooks are those of its beginning. */
  call(inputs: unknown[]): unknown {
    const { forwardPre, forward, backwardPre, backward } = this.#registered;
    let given = inputs;
    let result: unknown;
    const done = new Set<Registration>();
    try {
      for (const registration of forwardPre) given = this.#before(registration, given);
      const hooksOf = (list: readonly Registration[]): Hook[] => list.map(({ hook }) => hook);
      const watched =
        backwardPre.length + backward.length === 0
          ? undefined
          : new BackwardHooks(this.#module, hooksOf(backwardPre), hooksOf(backward));
      if (watched !== undefined) given = watched.inputs(given);
      result = this.#module.forward(...given);
      for (const registration of forward) {
        done.add(registration);
        result = this.#behind(registration, given, result);
      }
      return watched === undefined ? result : watched.result(result);
    } catch (error) {
      for (const registration of forward) {
        if (registration.alwaysCall && !done.has(registration)) this.#behindFailure(registration, given, result);
      }
      throw error;
    }
  }

  #before({ hook, withKwargs }: Registration, inputs: unknown[]): unknown[] {
    if (!withKwargs) {
      const changed: unknown = hook(this.#module, inputs);
      if (isAbsent(changed)) return inputs;
      return Array.isArray(changed) ? changed : [changed];
    }
    const [positional, keywords] = apart(inputs);
    const changed: unknown = hook(this.#module, positional, keywords);
    if (isAbsent(changed)) return inputs;
    if (Array.isArray(changed) && changed.length === 2 && Array.isArray(changed[0]) && isKeywords(changed[1])) {
      return Object.keys(changed[1]).length === 0 ? changed[0] : [...changed[0], changed[1]];
    }
    const what = 'to give nothing or [inputs, keywords]';
    throw expected(className(this.#module), 'the hook before forward', what, show(changed));
  }

  #behind({ hook, withKwargs }: Registration, inputs: unknown[], result: unknown): unknown {
    const changed: unknown = withKwargs
      ? hook(this.#module, ...apart(inputs), result)
      : hook(this.#module, inputs, result);
    return isAbsent(changed) ? result : changed;
  }

  /** What such a hook throws would hide why the call failed. */
  #behindFailure(registration: Registration, inputs: unknown[], result: unknown): void {
    try {
      this.#behind(registration, inputs, result);
    } catch (error) {
      emitWarning(
        `A hook of ${className(this.#module)} that is always called failed after forward did: ${String(error)}`,
      );
    }
  }
}

const all = new WeakMap<Registered, Hooks>();

/** Registers a hook of a module. */
export function addHook(
  op: string,
  module: Registered & Forward,
  kind: HookKind,
  hook: Hook,
  options: ForwardHookOptions | null | undefined,
): HookHandle {
  let hooks = all.get(module);
  if (hooks === undefined) {
    hooks = new Hooks(module);
    all.set(module, hooks);
  }
  return hooks.add(op, kind, hook, options);
}

/** The inputs of a call, and the trailing object. */
function apart(inputs: unknown[]): [unknown[], Readonly<Record<string, unknown>>] {
  const last = inputs.at(-1);
  return isKeywords(last) ? [inputs.slice(0, -1), last] : [inputs, {}];
}

function isKeywords(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isTensor(value) && isPlain(value);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Gives a module the hooks that another has. */
export function copyHooks(from: Registered, to: Registered & Forward): void {
  all.get(from)?.copyTo(to);
}

/** Whether a module has hooks before or behind `forward`. */
export function hasForwardHooks(module: Registered): boolean {
  return all.get(module)?.hasForward === true;
}
