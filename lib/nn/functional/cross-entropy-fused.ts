/**
 * Cross entropy over the rows of `[N, C]` in pieces that stay in the caches: log-probabilities exist for a piece at a time
 * only, and each gradient is written once. Values and gradients have the bits of the whole operators:
 *
 * - Every row's log-probabilities, and its gradient, depend on that row alone.
 * - The rows' losses are added by the very operator that PyTorch adds them by, `nll_loss_forward`, which is given a column
 *   of the targets' log-probabilities, with class 0 as every target that is not ignored.
 * - The sum of the targets' class weights, which the gradients are divided by, is made by that operator too.
 */
import * as aten from '../../aten/operators.generated';
import { recordsGraph } from '../../tensor/autograd';
import { empty, full, ones } from '../../tensor/create';
import { atOnce, inChunks, isBelowAutograd } from '../../tensor/recording';
import type { Tensor } from '../../tensor/tensor';
import type { ValueAndGrad } from '../../tensor/value-and-grad';
import { isFloating } from '../../types';
import { pieceOf } from './chunking';

/** The arguments of a cross entropy, checked. */
export interface CrossEntropyCall {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  /** ATen's code. */
  reduction: number;
  ignoreIndex: number;
  labelSmoothing: number;
}

const [none, mean, sum] = [0, 1, 2];

/** The gradient of a value with respect to itself, which every backward pass begins with. */
export function unit({ dtype, device }: Tensor): Tensor {
  return atOnce(() => ones([], { dtype, device }));
}

/**
 * A number to divide by or multiply with, for operators that take tensors alone: of no dimensions, and of float64, which
 * changes the dtype of no result and is rounded where a plain number is.
 */
export function constant(value: number, { device }: Tensor): Tensor {
  return atOnce(() => full([], value, { dtype: 'float64', device }));
}

/** Whether the target holds a class index for each row of `[N, C]` (or the one of `[C]`). */
export function hasClassIndices({ input, target }: Pick<CrossEntropyCall, 'input' | 'target'>): boolean {
  return input.ndim >= 1 && input.ndim <= 2 && target.ndim === input.ndim - 1 && target.dtype === 'int64';
}

/** The rows' share of a value: what `nll_loss_forward` would have read of their log-probabilities. */
interface Rows {
  /** `[N]`: minus the weighted loss of each row. */
  picked: Tensor;
  /** `[N]`: 0 where the target counts, -1 where it is ignored. */
  column: Tensor;
}

/** For targets of class indices: which of the single column they mean, which is only whether they count. */
function columnOf({ target, ignoreIndex }: CrossEntropyCall): Tensor {
  return aten.neg(aten.to_dtype_layout(aten.eq_Scalar(target, ignoreIndex), 'int64'));
}

/** Adds up what the rows say in the order in which the whole operator does. */
function reduceRows({ picked, column }: Rows, reduction: number): [value: Tensor, count: Tensor] {
  return aten.nll_loss_forward(aten.unsqueeze(picked, 1), column, undefined, reduction, -1) as [Tensor, Tensor];
}

/** The sum of the class weights of the targets that count; without weights their number. */
function totalWeight(call: CrossEntropyCall, column: Tensor): Tensor {
  const { target, weight, ignoreIndex, input } = call;
  if (weight === undefined) {
    const zeros = aten.zeros(target.shape, input.dtype, undefined, input.device);
    return reduceRows({ picked: zeros, column }, mean)[1];
  }
  // Not an index that is ignored, which may lie anywhere; one that is out of range is refused by the pieces.
  const classes = weight.shape[0] as number;
  const within = aten.clamp(aten.masked_fill_Scalar(target, aten.eq_Scalar(target, ignoreIndex), 0), 0, classes - 1);
  const weights = aten.gather(weight, 0, within);
  return reduceRows({ picked: aten.neg(weights), column }, sum)[0];
}

/** The value of what the rows say, as the whole operator gives it. */
function valueOfRows(call: CrossEntropyCall, rows: Rows): Tensor {
  const { weight, reduction } = call;
  if (weight === undefined || reduction !== mean) return reduceRows(rows, reduction)[0];
  return aten.div_Tensor(reduceRows(rows, sum)[0], totalWeight(call, rows.column));
}

/** Whether pieces of rows give the bits of the whole: with class weights a 16-bit mean is rounded once more. */
function fits(call: CrossEntropyCall): number | undefined {
  const { input, weight, reduction, labelSmoothing } = call;
  // First what is cheapest to know of a small input.
  const piece = pieceOf(input);
  if (piece === undefined) return undefined;
  if (input.ndim !== 2 || !hasClassIndices(call) || labelSmoothing > 0) return undefined;
  if (!isFloating(input.dtype) || call.target.shape[0] !== input.shape[0]) return undefined;
  const isHalf = input.dtype === 'float16' || input.dtype === 'bfloat16';
  if (weight !== undefined && (weight.ndim !== 1 || weight.dtype !== input.dtype || (isHalf && reduction === mean))) {
    return undefined;
  }
  return piece;
}

/**
 * The value alone, without `[N, C]` of anything; `undefined` where the whole operator is as good, or has to record a graph.
 */
export function crossEntropyInPieces(call: CrossEntropyCall): Tensor | undefined {
  const chunk = fits(call);
  if (chunk === undefined || recordsGraph(call.input)) return undefined;
  const { input, target, weight, ignoreIndex, reduction } = call;
  const size = input.shape[0] as number;
  const losses = empty([size], { dtype: input.dtype });
  inChunks({
    size,
    chunk,
    cut: [input, target, losses],
    whole: weight === undefined ? [] : [weight],
    piece: ([x, y, loss], [w]) => {
      const logProbs = aten._log_softmax(x as Tensor, 1, false);
      aten.copy_(loss as Tensor, aten.nll_loss_forward(logProbs, y as Tensor, w, none, ignoreIndex)[0] as Tensor);
    },
  });
  if (reduction === none) return losses;
  return valueOfRows(call, { picked: aten.neg_(losses), column: columnOf(call) });
}

/**
 * The value by the two operators that the whole one comes down to, in a program that records no graph; `undefined` where
 * there is more to do.
 */
export function directCrossEntropy(call: CrossEntropyCall): Tensor | undefined {
  if (!isBelowAutograd() || !hasClassIndices(call) || call.labelSmoothing > 0) return undefined;
  return forward(call).value;
}

/**
 * Memory of a program's own, for what does not leave it: making a small tensor takes longer than filling one. `undefined`
 * for large ones, whose memory goes back.
 */
function scratch({ dtype, device, numel }: Tensor, shape: readonly number[]): Tensor | undefined {
  return numel <= scratchElements ? atOnce(() => empty(shape, { dtype, device })) : undefined;
}

const scratchElements = 1024;

interface Forward {
  logProbs: Tensor;
  value: Tensor;
  totalWeight: Tensor;
}

function forward({ input, target, weight, reduction, ignoreIndex }: CrossEntropyCall): Forward {
  const classDim = input.ndim - 1;
  const [room, total] = [scratch(input, input.shape), scratch(input, [])];
  if (room === undefined || total === undefined || reduction === none) {
    const logProbs = aten._log_softmax(input, classDim, false);
    const results = aten.nll_loss_forward(logProbs, target, weight, reduction, ignoreIndex) as [Tensor, Tensor];
    return { logProbs, value: results[0], totalWeight: results[1] };
  }
  const logProbs = aten._log_softmax_out(input, classDim, false, room);
  const value = aten.empty_memory_format([], input.dtype, undefined, input.device);
  aten.nll_loss_forward_output(logProbs, target, weight, reduction, ignoreIndex, value, total);
  return { logProbs, value, totalWeight: total };
}

/** Value and gradient of a sum or mean; `undefined` where there is no way but the graph. */
export function differentiateCrossEntropy(call: CrossEntropyCall, into: Tensor | undefined): ValueAndGrad | undefined {
  if (call.reduction === none || !hasClassIndices(call) || call.labelSmoothing > 0) return undefined;
  const chunk = fits(call);
  return chunk === undefined ? whole(call) : inPieces(call, chunk, into ?? aten.empty_like(call.input));
}

/** The four operators of value and gradient, one after the other: without the graph, for what fits into the caches. */
function whole(call: CrossEntropyCall): ValueAndGrad {
  const { input, target, weight, reduction, ignoreIndex } = call;
  const { logProbs, value, totalWeight } = forward(call);
  const room = scratch(input, input.shape);
  const args = [unit(input), logProbs, target, weight, reduction, ignoreIndex, totalWeight] as const;
  const ofLogProbs =
    room === undefined ? aten.nll_loss_backward(...args) : aten.nll_loss_backward_grad_input(...args, room);
  return { value, grad: aten._log_softmax_backward_data(ofLogProbs, logProbs, input.ndim - 1, input.dtype) };
}

/** Value and gradient of the negative log-likelihood of log-probabilities. */
export function differentiateNllLoss(call: Omit<CrossEntropyCall, 'labelSmoothing'>): ValueAndGrad | undefined {
  const { input, target, weight, reduction, ignoreIndex } = call;
  if (reduction === none || !hasClassIndices(call)) return undefined;
  const [value, total] = aten.nll_loss_forward(input, target, weight, reduction, ignoreIndex) as [Tensor, Tensor];
  return { value, grad: aten.nll_loss_backward(unit(input), input, target, weight, reduction, ignoreIndex, total) };
}

function inPieces(call: CrossEntropyCall, chunk: number, grad: Tensor): ValueAndGrad {
  const { input, target, weight, reduction, ignoreIndex } = call;
  const size = input.shape[0] as number;
  const picked = empty([size], { dtype: input.dtype });
  const column = columnOf(call);
  const total = totalWeight(call, column);
  inChunks({
    size,
    chunk,
    cut: [input, target, picked, grad],
    whole: [total, unit(input), ...(weight === undefined ? [] : [weight])],
    piece: (cut, [sumOfWeights, one, w]) => {
      const [x, y, losses, gradient] = cut as [Tensor, Tensor, Tensor, Tensor];
      const logProbs = aten._log_softmax(x, 1, false);
      aten.copy_(losses, aten.nll_loss_forward(logProbs, y, w, none, ignoreIndex)[0] as Tensor);
      const ofLogProbs = aten.nll_loss_backward(
        one as Tensor,
        logProbs,
        y,
        w,
        reduction,
        ignoreIndex,
        sumOfWeights as Tensor,
      );
      aten._log_softmax_backward_data_out(ofLogProbs, logProbs, 1, x.dtype, gradient);
    },
  });
  return { value: valueOfRows(call, { picked: aten.neg_(picked), column }), grad };
}
