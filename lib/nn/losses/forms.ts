/** The other forms that every loss has: as a number, into a buffer, off the main thread. */

import { inferenceMode, noGrad } from '../../torch/autograd';
import { asBuffer, type Buffer } from '../../torch/buffers';
import { asNumber } from '../../torch/compiled';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { inBackground } from '../../torch/trace';

type Loss<Args extends readonly unknown[]> = (...args: Args) => Tensor;

/**
 * The form of a loss that returns a number, for reductions to one: the fastest form. It makes no tensor and
 * records nothing for gradients. `isTraced`: whether a program may stand for the loss.
 */
export function itemForm<Args extends readonly unknown[]>(
  loss: Loss<Args>,
  isTraced = true,
): (...args: Args) => number {
  // Not in inference mode, in which a user function could make a tensor that it keeps.
  if (!isTraced) return (...args) => noGrad(() => loss(...args).item<number>());
  const plain = (args: Args): number => inferenceMode(() => loss(...args).item<number>());
  const compiled = asNumber((args) => noGrad(() => [loss(...(args as Args))]));
  return (...args) => compiled.call(args) ?? plain(args);
}

/**
 * The form of a loss that writes it into `out`, a tensor or typed array of its shape and dtype, and returns it. It
 * records nothing for gradients.
 */
export function outForm<Args extends readonly unknown[]>(
  loss: Loss<Args>,
): <Given extends Buffer>(out: Given, ...args: Args) => Given {
  return (out, ...args) => {
    noGrad(() => {
      const result = loss(...args);
      aten.copy_(asBuffer(loss.name, "'out'", out, result), result);
    });
    return out;
  };
}

/**
 * The form of a loss that runs off the main thread, after the work queued there, with all of libtorch's threads.
 * The promise gives the same tensor, in the same graph, or fails with the same error; arrays among the arguments are
 * copied before it is returned.
 */
export function asyncForm<Args extends readonly unknown[]>(loss: Loss<Args>): (...args: Args) => Promise<Tensor> {
  return (...args) =>
    inBackground(
      () => loss(...args),
      (result) => [result],
    );
}
