/**
 * Cross entropy over the rows of `[N, C]` in chunks that stay in the caches: log-probabilities exist for a chunk at a
 * time only, and each gradient is written once. Values and gradients have the bits of the whole operators:
 *
 * - Every row's log-probabilities, and its gradient, depend on that row alone.
 * - The rows' losses are added by the very operator that PyTorch adds them by, `nll_loss_forward`, which is given a column
 *   of the targets' log-probabilities, with class 0 as every target that is not ignored.
 * - The sum of the targets' class weights, which the gradients are divided by, is made by that operator too.
 */

import { recordsGraph } from '../../torch/autograd';
import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { inChunks, isBelowAutograd, isForNumber, keepOnOneThread, workspace } from '../../torch/trace';
import type { ValueAndGrad } from '../../torch/value-and-grad';
import { isFloating } from '../../types';
import { chunkOf, gpuChunkOf } from './chunking';
import { unit } from './constants';

/** The arguments of a cross entropy, checked. */
export interface CrossEntropyCall {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  /** ATen's code. */
  reduction: number;
  ignoreIndex: number | bigint;
  labelSmoothing: number;
}

const [none, mean, sum] = [0, 1, 2];

/** Whether the target holds a class index for each row of `[N, C]` (or the one of `[C]`). */
export function hasClassIndices({ input, target }: Pick<CrossEntropyCall, 'input' | 'target'>): boolean {
  return input.ndim >= 1 && input.ndim <= 2 && target.ndim === input.ndim - 1 && target.dtype === 'int64';
}

/** The contribution of rows to a value: what `nll_loss_forward` would have read from their log-probabilities. */
interface Rows {
  /** `[N]`: minus the weighted loss of each row. */
  picked: Tensor;
  /** `[N]`: 0 where the target counts, -1 where it is ignored. */
  column: Tensor;
}

/** For targets of class indices: which of the single column they mean, which is only whether they count. */
function columnOf({ target, ignoreIndex }: CrossEntropyCall): Tensor {
  return aten.neg(aten.to.dtype_layout(aten.eq.Scalar(target, ignoreIndex), { dtype: 'int64' }));
}

/** Adds up the contributions of the rows in the order of the whole operator. */
function reduceRows({ picked, column }: Rows, reduction: number): [value: Tensor, count: Tensor] {
  const { output, total_weight } = aten.nll_loss_forward(aten.unsqueeze(picked, 1), column, undefined, reduction, -1);
  return [output, total_weight];
}

/** The sum of the class weights of the targets that count; without weights their number. */
function totalWeight(call: CrossEntropyCall, column: Tensor): Tensor {
  const { target, weight, ignoreIndex, input } = call;
  if (weight === undefined) {
    const zeros = aten.zeros(target.shape, { dtype: input.dtype, device: input.device });
    return reduceRows({ picked: zeros, column }, mean)[1];
  }
  // Not an index that is ignored, which may lie anywhere; one that is out of range is refused by the chunks.
  const classes = weight.shape[0] as number;
  const within = aten.clamp(aten.masked_fill.Scalar(target, aten.eq.Scalar(target, ignoreIndex), 0), 0, classes - 1);
  const weights = aten.gather(weight, 0, within);
  return reduceRows({ picked: aten.neg(weights), column }, sum)[0];
}

/** The value from the contributions of the rows, as the whole operator returns it. */
function valueOfRows(call: CrossEntropyCall, rows: Rows): Tensor {
  const { weight, reduction } = call;
  if (weight === undefined || reduction !== mean) return reduceRows(rows, reduction)[0];
  return aten.div.Tensor(reduceRows(rows, sum)[0], totalWeight(call, rows.column));
}

/** Whether chunks of rows give the bits of the whole. */
function fits(call: CrossEntropyCall): number | undefined {
  const { input, weight, reduction, labelSmoothing } = call;
  // First the cheapest test for small inputs.
  const onGpu = gpuChunkOf(input);
  const chunk = onGpu ?? chunkOf(input);
  if (chunk === undefined || !hasRows(call)) return undefined;
  // Its sum over the classes of a row, and its products with weights, are rounded by the number of rows there.
  if (onGpu !== undefined) return weight === undefined && labelSmoothing === 0 ? chunk : undefined;
  if (weight === undefined || reduction === none) return chunk;
  // A weighted mean of 16 bits is rounded once more, and some processors round a product and a sum together.
  const isHalf = input.dtype === 'float16' || input.dtype === 'bfloat16';
  return (isHalf && reduction === mean) || process.arch !== 'x64' ? undefined : chunk;
}

/** Whether the arguments are rows of scores with an index each, and weights that fit. */
function hasRows(call: CrossEntropyCall): boolean {
  const { input, target, weight } = call;
  if (input.ndim !== 2 || !isFloating(input.dtype) || !hasClassIndices(call)) return false;
  const [rows, classes] = input.shape as [number, number];
  if (target.shape[0] !== rows || classes === 0) return false;
  return weight === undefined || (weight.dtype === input.dtype && weight.ndim === 1 && weight.shape[0] === classes);
}

/** The results of each row after its chunk has been computed. */
interface RowLosses {
  /** `[N]`: the weighted loss of its target. */
  target: Tensor;
  /** `[N]`, with label smoothing: the weighted sum of the losses of all classes. */
  smooth: Tensor | undefined;
}

function emptyLosses({ input, labelSmoothing }: CrossEntropyCall): RowLosses {
  const make = (): Tensor => empty([input.shape[0] as number], { dtype: input.dtype, device: input.device });
  return { target: make(), smooth: labelSmoothing > 0 ? make() : undefined };
}

/** Writes the losses of some rows. */
function writeLosses(
  logProbs: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  ignored: number | bigint,
  out: RowLosses,
): void {
  aten.copy_(out.target, aten.nll_loss_forward(logProbs, target, weight, none, ignored).output);
  if (out.smooth === undefined) return;
  const weighted = weight === undefined ? logProbs : aten.mul.Tensor(logProbs, aten.unsqueeze(weight, 0));
  aten.copy_(out.smooth, aten.neg(aten.sum.dim_IntList(weighted, [1])));
}

/** The value of the rows' losses, as the whole operator makes it. */
function valueOfLosses(call: CrossEntropyCall, losses: RowLosses): Tensor {
  const { input, target, reduction, ignoreIndex, labelSmoothing } = call;
  const ofTargets =
    reduction === none
      ? losses.target
      : valueOfRows(call, { picked: aten.neg_(losses.target), column: columnOf(call) });
  if (losses.smooth === undefined) return ofTargets;
  const smooth = aten.masked_fill.Scalar(losses.smooth, aten.eq.Scalar(target, ignoreIndex), 0);
  const share = labelSmoothing / (input.shape[1] as number);
  const ofAll = aten.mul.Scalar(reduceSmooth(call, smooth), share);
  return aten.add.Tensor(ofAll, aten.mul.Scalar(ofTargets, 1 - labelSmoothing));
}

function reduceSmooth(call: CrossEntropyCall, smooth: Tensor): Tensor {
  const { reduction } = call;
  if (reduction === none) return smooth;
  if (reduction === sum) return aten.sum(smooth);
  return aten.div.Tensor(aten.sum(smooth), smoothDivisor(call));
}

/**
 * The sum of the targets' weights, added in the order in which label smoothing adds them; without weights their number.
 */
function smoothDivisor({ target, weight, ignoreIndex }: CrossEntropyCall): Tensor {
  const counts = aten.ne.Scalar(target, ignoreIndex);
  if (weight === undefined) return aten.sum(counts);
  const counted = aten.masked_select(target, counts);
  // Their number is unknown beforehand, but the shape of the destination is known.
  return aten.copy_(
    empty([], { dtype: weight.dtype, device: weight.device }),
    aten.sum(aten.gather(weight, 0, counted)),
  );
}

/** `[N, 1]`: the gradient with respect to the sum of each row's log-probabilities. */
function smoothGradients(call: CrossEntropyCall): Tensor | undefined {
  const { input, target, reduction, ignoreIndex, labelSmoothing } = call;
  if (labelSmoothing === 0) return undefined;
  const upstream = aten.mul.Scalar(unit(input), labelSmoothing / (input.shape[1] as number));
  const each = reduction === sum ? upstream : aten.div.Tensor(upstream, smoothDivisor(call));
  const rows = aten.expand(aten.neg(each), target.shape);
  return aten.unsqueeze(aten.masked_fill.Scalar(rows, aten.eq.Scalar(target, ignoreIndex), 0), 1);
}

/**
 * The value alone, without any `[N, C]` tensor; `undefined` if the whole operator is as good, or has to record a graph.
 */
export function crossEntropyInChunks(call: CrossEntropyCall): Tensor | undefined {
  const chunk = fits(call);
  if (chunk === undefined || recordsGraph(call.input)) return undefined;
  const { input, target, weight, ignoreIndex } = call;
  const losses = emptyLosses(call);
  inChunks({
    size: input.shape[0] as number,
    chunk,
    cut: [input, target, ...present(losses.target, losses.smooth)],
    whole: present(weight),
    compute: ([x, y, ofTargets, ofAll], [w]) => {
      const logProbs = aten._log_softmax(x as Tensor, 1, false);
      writeLosses(logProbs, y as Tensor, w, ignoreIndex, { target: ofTargets as Tensor, smooth: ofAll });
    },
  });
  return valueOfLosses(call, losses);
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.filter((tensor) => tensor !== undefined);
}

/**
 * The value by the two operators that the whole one consists of, in a program that records no graph; `undefined` where
 * there is more to do.
 */
export function directCrossEntropy(call: CrossEntropyCall): Tensor | undefined {
  if (!isBelowAutograd() || !hasClassIndices(call) || call.labelSmoothing > 0) return undefined;
  return forward(call).value;
}

/**
 * Memory that belongs to a program, for intermediate results: making a small tensor takes longer than filling it.
 * `undefined` for large tensors, whose memory is freed, and on devices, where calls on several streams may run at once.
 */
function scratch(like: Tensor, shape: readonly number[]): Tensor | undefined {
  const { dtype, device } = like;
  return like.numel() <= scratchElements && device === 'cpu' ? workspace(shape, dtype) : undefined;
}

const scratchElements = 1024;

interface Forward {
  logProbs: Tensor;
  value: Tensor;
  totalWeight: Tensor;
}

function forward({ input, target, weight, reduction, ignoreIndex }: CrossEntropyCall): Forward {
  const classDim = input.ndim - 1;
  const [rows, total] = [scratch(input, input.shape), scratch(input, [])];
  if (rows === undefined || total === undefined || reduction === none) {
    const logProbs = aten._log_softmax(input, classDim, false);
    const results = aten.nll_loss_forward(logProbs, target, weight, reduction, ignoreIndex);
    return { logProbs, value: results.output, totalWeight: results.total_weight };
  }
  // Rows do not depend on each other, and so not on who computes which.
  keepOnOneThread();
  const logProbs = aten._log_softmax.out(input, classDim, false, { out: rows });
  const value = isForNumber()
    ? (scratch(input, []) as Tensor)
    : aten.empty.memory_format([], { dtype: input.dtype, device: input.device });
  aten.nll_loss_forward.output(logProbs, target, weight, reduction, ignoreIndex, {
    output: value,
    total_weight: total,
  });
  return { logProbs, value, totalWeight: total };
}

/** Value and gradient of a sum or mean; `undefined` if only the graph can compute it. */
export function differentiateCrossEntropy(call: CrossEntropyCall, into: Tensor | undefined): ValueAndGrad | undefined {
  if (call.reduction === none || !hasClassIndices(call)) return undefined;
  const chunk = fits(call);
  if (chunk !== undefined) return inChunksOf(call, chunk, into ?? aten.empty_like(call.input));
  return call.labelSmoothing > 0 ? undefined : whole(call);
}

/**
 * The four operators of value and gradient, one after the other, without the graph: for inputs that fit into the
 * caches.
 */
function whole(call: CrossEntropyCall): ValueAndGrad {
  const { input, target, weight, reduction, ignoreIndex } = call;
  const { logProbs, value, totalWeight } = forward(call);
  const rows = scratch(input, input.shape);
  const args = [unit(input), logProbs, target, weight, reduction, ignoreIndex, totalWeight] as const;
  const ofLogProbs =
    rows === undefined
      ? aten.nll_loss_backward(...args)
      : aten.nll_loss_backward.grad_input(...args, { grad_input: rows });
  return { value, grad: aten._log_softmax_backward_data(ofLogProbs, logProbs, input.ndim - 1, input.dtype) };
}

/** Value and gradient of the negative log-likelihood of log-probabilities. */
export function differentiateNllLoss(call: Omit<CrossEntropyCall, 'labelSmoothing'>): ValueAndGrad | undefined {
  const { input, target, weight, reduction, ignoreIndex } = call;
  if (reduction === none || !hasClassIndices(call)) return undefined;
  const { output: value, total_weight: total } = aten.nll_loss_forward(input, target, weight, reduction, ignoreIndex);
  return { value, grad: aten.nll_loss_backward(unit(input), input, target, weight, reduction, ignoreIndex, total) };
}

function inChunksOf(call: CrossEntropyCall, chunk: number, grad: Tensor): ValueAndGrad {
  const { input, target, weight, reduction, ignoreIndex, labelSmoothing } = call;
  const losses = emptyLosses(call);
  const total = totalWeight(call, columnOf(call));
  const upstream = labelSmoothing > 0 ? aten.mul.Scalar(unit(input), 1 - labelSmoothing) : unit(input);
  const smooth = smoothGradients(call);
  inChunks({
    size: input.shape[0] as number,
    chunk,
    cut: [input, target, grad, losses.target, ...present(losses.smooth, smooth)],
    whole: [total, upstream, ...present(weight)],
    compute: (cut, [sumOfWeights, up, w]) => {
      const [x, y, gradient, ofTargets, ofAll, smoothRows] = cut as Tensor[] & [Tensor, Tensor, Tensor, Tensor];
      const logProbs = aten._log_softmax(x, 1, false);
      writeLosses(logProbs, y, w, ignoreIndex, { target: ofTargets, smooth: ofAll });
      const args = [logProbs, y, w, reduction, ignoreIndex, sumOfWeights as Tensor] as const;
      const ofLogProbs = aten.nll_loss_backward(up as Tensor, ...args);
      if (smoothRows !== undefined) {
        const spread = w === undefined ? smoothRows : aten.mul.Tensor(smoothRows, aten.unsqueeze(w, 0));
        aten.add_.Tensor(ofLogProbs, spread);
      }
      aten._log_softmax_backward_data.out(ofLogProbs, logProbs, 1, x.dtype, { out: gradient });
    },
  });
  return { value: valueOfLosses(call, losses), grad };
}
