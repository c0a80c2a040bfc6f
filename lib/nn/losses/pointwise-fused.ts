/**
 * Losses of one element at a time over large tensors, in chunks that stay in the caches: every operator of a loss
 * writes its result somewhere, and only the last one needs to leave the cache. The losses are then added as a whole,
 * because the order of a sum shows in its bits.
 */

import { recordsGraph } from '../../torch/autograd';
import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { broadcastable, broadcastShapes, sameShape, shareShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { inChunks } from '../../torch/trace';
import type { ValueAndGrad } from '../../torch/value-and-grad';
import { isFloating } from '../../types';
import { chunkOf } from './chunking';

/** A loss of one element at a time, with its arguments. */
export interface Pointwise {
  input: Tensor;
  /** The target and whatever else is read element by element: of the input's shape, or broadcast to it. */
  operands: readonly (Tensor | undefined)[];
  /** ATen's code. */
  reduction: number;
  /** The loss as its operator gives it. */
  whole(): Tensor;
  /** Whether its operators compute an element the same way wherever it lies. */
  splits(): boolean;
  /** Writes the losses of some elements, by the operators that the whole one is made of. */
  losses(input: Tensor, operands: readonly (Tensor | undefined)[], out: Tensor): void;
  /**
   * Writes the gradients of some elements, for an upstream gradient of 1, by the operators that the graph takes. `out`
   * may be the input.
   */
  gradient(input: Tensor, operands: readonly (Tensor | undefined)[], out: Tensor): void;
}

const [none, mean] = [0, 1];

/** Whether an operand changes neither shape nor dtype of the result. */
function fitsTo(input: Tensor, operand: Tensor | undefined): boolean {
  if (operand === undefined) return true;
  if (operand.dtype !== input.dtype) return false;
  if (shareShape(operand, input)) return true;
  const [own, wanted] = [operand.shape, input.shape];
  return broadcastable(own, wanted) && sameShape(broadcastShapes(own, wanted), wanted);
}

/**
 * Where kernels for vectors of elements end and their scalar twins take over, bits may differ: at the end of the
 * tensor, and of each thread's share. So chunks are multiples of every vector, and threads share as libtorch's own
 * kernels do.
 */
const [vector, grain] = [64, 32768];

/** How many elements a chunk has; `undefined` if the whole operator is as good, or chunks would change bits. */
function elementsOfChunk({ input, operands, splits }: Pointwise): number | undefined {
  const chunk = chunkOf(input);
  if (chunk === undefined || !splits()) return undefined;
  const { shape, dtype } = input;
  const alike = (operand: Tensor | undefined): boolean =>
    operand === undefined || (operand.isContiguous() && operand.dtype === dtype && sameShape(operand.shape, shape));
  if (!operands.every(alike)) return undefined;
  const [entries = 1] = shape;
  return vector * Math.max(1, Math.floor((chunk * (input.numel() / entries)) / vector));
}

/** Runs `visit` for the chunks of the input, of the operands, and of what is written. */
function forChunks(
  { input, operands }: Pointwise,
  chunk: number,
  written: readonly Tensor[],
  visit: (input: Tensor, operands: readonly (Tensor | undefined)[], written: readonly Tensor[]) => void,
): void {
  const given = operands.filter((operand) => operand !== undefined);
  inChunks({
    size: input.numel(),
    chunk,
    grain,
    cut: [input, ...given, ...written].map((tensor) => aten.view(tensor, [-1])),
    compute: ([x, ...others]) => {
      const next = others.values();
      const own = operands.map((operand) => (operand === undefined ? undefined : next.next().value));
      visit(x as Tensor, own, [...next]);
    },
  });
}

function reduce(losses: Tensor, reduction: number): Tensor {
  if (reduction === none) return losses;
  return reduction === mean ? aten.mean(losses) : aten.sum(losses);
}

/** The value: in chunks if that pays and no graph has to be recorded. */
export function pointwiseLoss(loss: Pointwise): Tensor {
  return inChunksOf(loss) ?? loss.whole();
}

function inChunksOf(loss: Pointwise): Tensor | undefined {
  const chunk = elementsOfChunk(loss);
  if (chunk === undefined) return undefined;
  if ([loss.input, ...loss.operands].some((tensor) => tensor !== undefined && recordsGraph(tensor))) return undefined;
  const { shape, dtype } = loss.input;
  const losses = empty(shape, { dtype });
  forChunks(loss, chunk, [losses], (x, operands, [out]) => {
    loss.losses(x, operands, out as Tensor);
  });
  return reduce(losses, loss.reduction);
}

/** Value and gradient of a sum or mean, without a graph; `undefined` where the arguments need one. */
export function differentiatePointwise(loss: Pointwise, into: Tensor | undefined): ValueAndGrad | undefined {
  const { input, operands, reduction } = loss;
  if (reduction === none || !isFloating(input.dtype) || !operands.every((operand) => fitsTo(input, operand))) {
    return undefined;
  }
  const chunk = elementsOfChunk(loss);
  const grad = into ?? aten.empty_like(input);
  if (chunk === undefined) {
    // The value first: the gradient may be written over the input.
    const value = loss.whole();
    loss.gradient(input, operands, grad);
    return { value, grad };
  }
  const losses = aten.empty_like(input);
  forChunks(loss, chunk, [losses, grad], (x, own, [lossOut, gradOut]) => {
    loss.losses(x, own, lossOut as Tensor);
    loss.gradient(x, own, gradOut as Tensor);
  });
  return { value: reduce(losses, reduction), grad };
}
