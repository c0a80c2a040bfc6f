/** Hooks of tensors: functions that see a gradient in the backward pass, and may change it. */

import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { callable } from '../options';
import { unwrap, wrap } from './bind';
import type { Tensor } from './tensor';

/** The handle of a registered hook. */
export interface HookHandle {
  /** Takes the hook away; after that, it does nothing. */
  remove(): void;
}

/** Receives the gradient of a tensor; returns a replacement of the same shape and dtype, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks gives nothing
export type GradientHook = (gradient: Tensor) => Tensor | null | undefined | void;

/**
 * Calls a function with the gradient of a tensor whenever a backward pass has computed it. The graph holds the
 * function: one that refers to its own tensor keeps that in memory until it is removed.
 */
export function registerHook(tensor: Tensor, hook: GradientHook): HookHandle {
  const op = 'registerHook';
  callable(op, "'hook'", hook);
  const run = (gradient: Handle | undefined): Handle | undefined => {
    const result = hook((gradient === undefined ? undefined : wrap(gradient)) as Tensor);
    return result === undefined || result === null ? undefined : unwrap(result, op, 'the result of the hook');
  };
  const registered = native().registerHook(unwrap(tensor, op, 'tensor'), run);
  return { remove: () => native().removeHook(registered) };
}
