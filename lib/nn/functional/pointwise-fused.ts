/**
 * Losses of one element at a time over large tensors, in pieces that stay in the caches: every operator of a loss writes
 * its result somewhere, and only the last one needs to leave the cache. The losses are then added as a whole, because the
 * order of a sum shows in its bits.
 */
import * as aten from '../../aten/operators.generated';
import { recordsGraph } from '../../tensor/autograd';
import { empty } from '../../tensor/create';
import { inChunks } from '../../tensor/recording';
import { broadcastable, broadcastShapes, sameShape } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import type { ValueAndGrad } from '../../tensor/value-and-grad';
import { isFloating } from '../../types';
import { pieceOf } from './chunking';

/** A loss of one element at a time, with its arguments. */
export interface Pointwise {
  input: Tensor;
  /** The target and whatever else is read element by element: of the input's shape, or broadcast to it. */
  operands: readonly (Tensor | undefined)[];
  /** ATen's code. */
  reduction: number;
  /** The loss as its operator gives it. */
  whole(): Tensor;
  /** The losses of some elements. */
  losses(input: Tensor, operands: readonly (Tensor | undefined)[]): Tensor;
  /** The gradients of some elements, for an upstream gradient of 1, by the operators that the graph takes. */
  gradient(input: Tensor, operands: readonly (Tensor | undefined)[]): Tensor;
}

const [none, mean] = [0, 1];

/** Whether an operand changes neither shape nor dtype of the result. */
function fitsTo(input: Tensor, operand: Tensor | undefined): boolean {
  if (operand === undefined) return true;
  const [own, wanted] = [operand.shape, input.shape];
  if (operand.dtype !== input.dtype) return false;
  return sameShape(own, wanted) || (broadcastable(own, wanted) && sameShape(broadcastShapes(own, wanted), wanted));
}

/** How the tensors are cut: all of them flat, or by rows with what is broadcast to every row given whole. */
interface Cut {
  chunk: number;
  size: number;
  /** A tensor as it is cut. */
  flat(tensor: Tensor): Tensor;
  isWhole: readonly boolean[];
}

function cutOf({ input, operands }: Pointwise): Cut | undefined {
  const piece = pieceOf(input);
  if (piece === undefined) return undefined;
  if (!operands.every((operand) => operand === undefined || (operand.isContiguous && fitsTo(input, operand)))) {
    return undefined;
  }
  const shape = input.shape;
  const [rows = 1] = shape;
  const isWhole = operands.map((operand) => operand !== undefined && !sameShape(operand.shape, shape));
  if (!isWhole.includes(true)) {
    const { numel } = input;
    const flat = (tensor: Tensor): Tensor => aten.view(tensor, [-1]);
    return { chunk: Math.ceil((piece * numel) / rows), size: numel, flat, isWhole };
  }
  const fits = operands.every((operand, i) => !isWhole[i] || (operand as Tensor).ndim < shape.length);
  return fits ? { chunk: piece, size: rows, flat: (tensor) => tensor, isWhole } : undefined;
}

/** Runs `visit` for the pieces of the input, of the operands, and of what is written. */
function forPieces(
  { input, operands }: Pointwise,
  { chunk, size, flat, isWhole }: Cut,
  written: readonly Tensor[],
  visit: (input: Tensor, operands: readonly (Tensor | undefined)[], written: readonly Tensor[]) => void,
): void {
  const isCut = operands.map((operand, i) => operand !== undefined && !isWhole[i]);
  const cutOperands = operands.filter((_, i) => isCut[i]) as Tensor[];
  const wholeOperands = operands.filter((_, i) => isWhole[i]) as Tensor[];
  inChunks({
    size,
    chunk,
    cut: [input, ...cutOperands, ...written].map(flat),
    whole: wholeOperands,
    piece: (cut, whole) => {
      const [nextCut, nextWhole] = [cut.slice(1).values(), whole.values()];
      const own = operands.map((_, i) => (isCut[i] ? nextCut : isWhole[i] ? nextWhole : undefined)?.next().value);
      visit(cut[0] as Tensor, own, cut.slice(1 + cutOperands.length));
    },
  });
}

function reduce(losses: Tensor, reduction: number): Tensor {
  if (reduction === none) return losses;
  return reduction === mean ? aten.mean(losses) : aten.sum(losses);
}

/** The value: in pieces where that pays and no graph has to be recorded. */
export function pointwiseLoss(loss: Pointwise): Tensor {
  return inPieces(loss) ?? loss.whole();
}

function inPieces(loss: Pointwise): Tensor | undefined {
  const cut = cutOf(loss);
  if (cut === undefined) return undefined;
  if ([loss.input, ...loss.operands].some((tensor) => tensor !== undefined && recordsGraph(tensor))) return undefined;
  const { shape, dtype } = loss.input;
  const losses = empty(shape, { dtype });
  forPieces(loss, cut, [losses], (x, operands, [out]) => {
    aten.copy_(out as Tensor, loss.losses(x, operands));
  });
  return reduce(losses, loss.reduction);
}

/** Value and gradient of a sum or mean, without a graph; `undefined` where the arguments need one. */
export function differentiatePointwise(loss: Pointwise, into: Tensor | undefined): ValueAndGrad | undefined {
  const { input, operands, reduction } = loss;
  if (reduction === none || !isFloating(input.dtype) || !operands.every((operand) => fitsTo(input, operand))) {
    return undefined;
  }
  const cut = cutOf(loss);
  const { shape, dtype } = input;
  if (cut === undefined) {
    const grad = loss.gradient(input, operands);
    // Where the input's elements do not show in it, it has the shape of what they were broadcast with.
    const isWhole = sameShape(grad.shape, shape);
    return { value: loss.whole(), grad: isWhole ? grad : aten.contiguous(aten.expand(grad, shape)) };
  }
  const losses = empty(shape, { dtype });
  const grad = into ?? empty(shape, { dtype });
  forPieces(loss, cut, [losses, grad], (x, own, [lossOut, gradOut]) => {
    aten.copy_(lossOut as Tensor, loss.losses(x, own));
    aten.copy_(gradOut as Tensor, loss.gradient(x, own));
  });
  return { value: reduce(losses, reduction), grad };
}
