/** Functions of tensors whose gradients are computed in TypeScript. **Source**: `torch.autograd.Function`. */

import { native } from '../binding/load';
import type { Handle } from '../binding/native';
import { unwrap, unwrapList, wrap } from './bind';
import { scope } from './scope';
import type { Tensor } from './tensor';

/** How {@link customFunction} differentiates a value. */
export interface CustomGradient {
  /** What the value is a function of. */
  inputs: readonly Tensor[];
  /** The tensors that the gradients are computed from, in no graph. */
  saved: readonly Tensor[];
  /**
   * How long they are kept: `'graph'` as libtorch's own operators keep theirs, freed after the backward pass and guarded
   * against in-place changes; `'once'` until the first backward pass, which may overwrite them; `'always'`.
   */
  keep: 'graph' | 'once' | 'always';
  /**
   * The gradient of each input. It must capture no tensor: scopes would dispose it. `saved` is `undefined` from the
   * second backward pass on where they are kept `'once'`. What it gives is given away.
   */
  backward(
    gradient: Tensor,
    saved: readonly Tensor[] | undefined,
    needed: readonly boolean[],
  ): readonly (Tensor | undefined)[];
}

/**
 * A value that was computed outside of any graph, as a function of inputs whose gradients user code computes, on the
 * JavaScript thread.
 */
export function customFunction(value: Tensor, { inputs, saved, keep, backward }: CustomGradient): Tensor {
  const op = 'customFunction';
  const run = (
    gradient: Handle,
    handles: readonly Handle[] | undefined,
    needed: readonly boolean[],
  ): (Handle | undefined)[] => {
    const kept = handles === undefined ? undefined : Array.from(handles, wrap);
    const results = scope(() => backward(wrap(gradient), kept, Array.from(needed)));
    return results.map((result) => (result === undefined ? undefined : unwrap(result, op, 'gradient')));
  };
  return wrap(
    native().customFunction(
      unwrap(value, op, 'value'),
      unwrapList(inputs, op, 'inputs'),
      unwrapList(saved, op, 'saved'),
      keep,
      run,
    ),
  );
}

/**
 * The tensors as they are, with a place in the graph where `hook(gradients)` gives what goes on to them instead. A gradient
 * is `undefined` where nothing was computed from the tensor, or zeros if `materializes` is set.
 */
export function hookGradients(
  tensors: readonly Tensor[],
  materializes: boolean,
  hook: (gradients: readonly (Tensor | undefined)[]) => readonly (Tensor | undefined)[],
): Tensor[] {
  const op = 'hookGradients';
  const run = (gradients: readonly (Handle | undefined)[]): (Handle | undefined)[] => {
    const given = Array.from(gradients, (gradient) => (gradient === undefined ? undefined : wrap(gradient)));
    return hook(given).map((result) => (result === undefined ? undefined : unwrap(result, op, 'gradient')));
  };
  return Array.from(native().hookGradients(unwrapList(tensors, op, 'tensors'), materializes, run), wrap);
}
