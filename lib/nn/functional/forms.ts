/** The other forms that every loss has: as a number, into a buffer, off the main thread. */
import { isTensor, wrap } from '../../aten/bind';
import * as aten from '../../aten/operators.generated';
import { expected, show } from '../../errors';
import { inferenceMode, noGrad } from '../../tensor/autograd';
import { Compiled } from '../../tensor/compiled';
import { fromTypedArray } from '../../tensor/create';
import { arrayDType, isTypedArray } from '../../tensor/elements';
import { inBackground, isRecording } from '../../tensor/recording';
import { sameShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import type { TypedArray } from '../../types';

type Loss<Args extends readonly unknown[]> = (...args: Args) => Tensor;

/** What a loss can be written into: a tensor, or a typed array of the elements of one. */
export type Out = Tensor | TypedArray;

const forwards = new WeakMap<object, Compiled>();

/**
 * The loss itself in one native call; `undefined` where it records a graph or cannot be had so, and while it is recorded
 * for that: then the loss goes its own way.
 */
export function inOneCall<Args extends readonly unknown[]>(loss: Loss<Args>, ...args: Args): Tensor | undefined {
  if (isRecording()) return undefined;
  let compiled = forwards.get(loss);
  if (compiled === undefined) {
    compiled = new Compiled((given) => noGrad(() => [loss(...(given as Args))]), 'ungraphed');
    forwards.set(loss, compiled);
  }
  const found = compiled.call(args);
  return found === undefined ? undefined : wrap(found as Parameters<typeof wrap>[0]);
}

/**
 * The form of a loss that gives a number, for a reduction to one: the fastest way to a figure. It makes no tensor and
 * records nothing for gradients.
 */
export function itemForm<Args extends readonly unknown[]>(loss: Loss<Args>): (...args: Args) => number {
  const compiled = new Compiled((args) => noGrad(() => [loss(...(args as Args))]), 'number');
  const plain = (args: Args): number => inferenceMode(() => loss(...args).item<number>());
  return (...args) => (compiled.call(args) as number | undefined) ?? plain(args);
}

/**
 * The form of a loss that writes it into `out`, a tensor or typed array of its shape and dtype, and gives that back. It
 * records nothing for gradients.
 */
export function outForm<Args extends readonly unknown[]>(
  loss: Loss<Args>,
): <Given extends Out>(out: Given, ...args: Args) => Given {
  return (out, ...args) => {
    noGrad(() => write(loss.name, loss(...args), out));
    return out;
  };
}

/**
 * The form of a loss that runs off the main thread, after whatever runs there already, with all of libtorch's threads.
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

/** Writes a result into a buffer of its shape (as a typed array: of its number of elements) and dtype. */
export function write(op: string, result: Tensor, out: Out): void {
  const { shape, dtype } = result;
  const what = `to be ${dtype} of shape [${shape}]`;
  if (isTensor(out)) {
    if (out.dtype !== dtype || !sameShape(out.shape, shape)) {
      throw expected(op, "'out'", what, `${out.dtype} of shape [${out.shape}]`);
    }
    aten.copy_(out, result);
    return;
  }
  if (!isTypedArray(out)) throw expected(op, "'out'", what, show(out));
  if (arrayDType(op, out, dtype) !== dtype || out.length !== result.numel) throw expected(op, "'out'", what, show(out));
  aten.copy_(fromTypedArray(out, { shape, dtype }), result);
}
