/** Functions of users that run before or after a step, or when a state is written or read. */
import { callable, withDefaults } from '../options';
import type { HookHandle } from '../torch/hooks';

export type { HookHandle };

/** How a hook is registered. */
export interface HookOptions {
  /** Run it before the hooks of its kind that are there. Default `false`. */
  prepend?: boolean | null | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: what a hook takes is the matter of its kind
export type AnyHook = (...args: any[]) => unknown;

/** Hooks of one kind, in the order in which they run. */
export class Hooks<Hook extends AnyHook> implements Iterable<Hook> {
  #hooks: readonly { readonly hook: Hook }[] = [];

  add(op: string, hook: Hook, options?: boolean | HookOptions | null): HookHandle {
    const entry = { hook: callable(op, "'hook'", hook) };
    const given = typeof options === 'boolean' ? { prepend: options } : options;
    const { prepend } = withDefaults<HookOptions>(op, given ?? undefined, { prepend: false });
    this.#hooks = prepend === true ? [entry, ...this.#hooks] : [...this.#hooks, entry];
    return {
      remove: () => {
        this.#hooks = this.#hooks.filter((other) => other !== entry);
      },
    };
  }

  /** The hooks as they are now: one that removes another does not change the run. */
  *[Symbol.iterator](): Iterator<Hook> {
    for (const { hook } of this.#hooks) yield hook;
  }

  get isEmpty(): boolean {
    return this.#hooks.length === 0;
  }
}
