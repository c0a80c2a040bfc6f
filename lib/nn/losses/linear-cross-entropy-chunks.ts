/**
 * Linear cross entropy in chunks of rows: value and gradients together, step by step as PyTorch's own operator takes them,
 * because every sum and every rounding in another order is another number.
 *
 * For a chunk with scores z = x W^T + b, their shifted exponentials e = exp(z - max z) with row sums s, and signed row
 * weights r (minus the class weight of the row's target, over the sum of all of them for `'mean'`):
 * loss `+= <r, (z - max z)[y]> - <r, ln s>`, softmax part `p = e * (r / s)`, and with it
 * `dx = W[y] * r - p W`, `dW = scatter(x * r) - p^T x`, `db = scatter(r) - sum p`.
 */

import { empty, zeros } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import type { DType, Reduction } from '../../types';
import type { ChunkPlan } from './linear-cross-entropy-options';

/** The tensors of one call, in no graph, and how it is computed. */
export interface ChunkedCall {
  /** `[N, F]` */
  input: Tensor;
  /** `[C, F]` */
  linearWeight: Tensor;
  /** `[N]`, int64 */
  target: Tensor;
  /** `[C]` */
  linearBias: Tensor | undefined;
  /** `[C]` */
  weight: Tensor | undefined;
  reduction: Reduction;
  ignoreIndex: number | bigint;
  plan: ChunkPlan;
}

/** Which gradients are needed. */
export interface NeededGradients {
  input: boolean;
  linearWeight: boolean;
  linearBias: boolean;
}

/** The loss and the gradients that were needed. */
export interface Differentiated {
  loss: Tensor;
  input: Tensor | undefined;
  linearWeight: Tensor | undefined;
  linearBias: Tensor | undefined;
}

/** In which dtype each thing is kept, and which products are taken in which. */
interface Layout {
  mixed: boolean;
  output: DType;
  inputGrad: DType;
  scores: DType;
  /** Row weights. */
  rows: DType;
  /** The linear weight, where it is multiplied in another dtype than its own. */
  linearWeight: DType;
  /** The input is cast for the first product. */
  castsInput: boolean;
  /** Products of half-precision matrices give float32 by themselves (CUDA). */
  widensProducts: boolean;
  /** The softmax part is rounded back for the input's gradient. */
  narrowsForInput: boolean;
}

function layoutOf({ input, plan }: ChunkedCall, wantsInput: boolean): Layout {
  const [dtype, { accDtype, accPolicy }] = [input.dtype, plan];
  const cuda = input.device.startsWith('cuda');
  const mixed = dtype !== accDtype;
  const lean = accPolicy !== 'accurate';
  const inputGrad = mixed && !lean ? accDtype : dtype;
  const scores = mixed && lean && dtype === 'float16' ? dtype : accDtype;
  const castsWeight = mixed && (!cuda || (wantsInput && inputGrad === scores));
  return {
    mixed,
    output: dtype === 'float16' ? accDtype : dtype,
    inputGrad,
    scores,
    rows: accDtype,
    linearWeight: castsWeight ? scores : dtype,
    castsInput: mixed && !cuda && dtype !== scores,
    widensProducts: cuda && mixed,
    narrowsForInput: cuda && wantsInput && scores !== inputGrad,
  };
}

/** What all chunks share. */
interface Shared {
  call: ChunkedCall;
  layout: Layout;
  linearWeightCast: Tensor;
  linearBiasCast: Tensor | undefined;
}

function share(call: ChunkedCall, wantsInput: boolean): Shared {
  const layout = layoutOf(call, wantsInput);
  return {
    call,
    layout,
    linearWeightCast: cast(call.linearWeight, layout.linearWeight, call.input.dtype),
    linearBiasCast: call.linearBias?.to(layout.scores),
  };
}

/** A tensor that is taken to have dtype `from`, in dtype `to`: PyTorch looks at the input's dtype alone. */
function cast(tensor: Tensor, to: DType, from: DType): Tensor {
  return to === from ? tensor : tensor.to(to);
}

/** Targets whose ignored entries are a valid index, and the weights of the rows: 0 for ignored ones. */
interface Rows {
  target: Tensor;
  weights: Tensor;
}

function rowsOf({ call, layout }: Shared, upstream: Tensor | undefined): Rows {
  const { ignoreIndex, weight, reduction, linearWeight } = call;
  const ignored = aten.eq.Scalar(call.target, ignoreIndex);
  const outside = ignoreIndex < 0 || ignoreIndex >= (linearWeight.shape[0] as number);
  const target = outside ? aten.masked_fill.Scalar(call.target, ignored, 0) : call.target;
  const weights =
    weight === undefined
      ? aten.ne.Scalar(call.target, ignoreIndex).to(layout.rows)
      : aten.masked_fill.Scalar(aten.index_select(weight, 0, target).to(layout.rows), ignored, 0);
  if (reduction === 'mean') {
    const sum = aten.sum(weights);
    aten.div_.Tensor(weights, aten.masked_fill.Scalar(aten.neg(sum), aten.eq.Scalar(sum, 0), Number.NaN));
  } else if (reduction === 'sum') {
    aten.neg_(weights);
  } else if (upstream !== undefined) {
    aten.mul_.Tensor(aten.neg_(weights), upstream.to(layout.rows));
  }
  return { target, weights };
}

/** One chunk of rows. */
interface Chunk {
  start: number;
  size: number;
  input: Tensor;
  /** The input in the dtype of sums. */
  inputAcc: Tensor;
  target: Tensor;
  weights: Tensor;
}

/** Calls `visit` for each chunk and disposes what was made for it. */
function forEachChunk(shared: Shared, upstream: Tensor | undefined, visit: (chunk: Chunk) => void): void {
  const { call, layout } = shared;
  const { input, plan } = call;
  const count = input.shape[0] as number;
  if (count === 0) return;
  const rows = rowsOf(shared, upstream);
  for (let start = 0; start < count; start += plan.chunkSize) {
    const size = Math.min(plan.chunkSize, count - start);
    scope(() => {
      const part = aten.narrow(input, 0, start, size);
      visit({
        start,
        size,
        input: part,
        target: aten.narrow(rows.target, 0, start, size),
        weights: aten.narrow(rows.weights, 0, start, size),
        inputAcc: layout.mixed ? inRowMajor(part, plan.accDtype) : part,
      });
    });
  }
}

/** A copy whose elements lie row by row, which a cast does not promise: products of other layouts have other bits. */
function inRowMajor(tensor: Tensor, dtype: DType): Tensor {
  return aten.copy_(empty(tensor.shape, { dtype, device: tensor.device }), tensor);
}

/** The matrix product in the given dtype: on CUDA products of half-precision matrices give float32 without a cast. */
function product(a: Tensor, b: Tensor, dtype: DType): Tensor {
  return a.dtype === dtype ? aten.mm(a, b) : aten.mm.dtype(a, b, dtype);
}

/** The scores of a chunk, each row less its greatest. */
function shiftedScores({ call, layout, linearWeightCast, linearBiasCast }: Shared, chunk: Chunk): Tensor {
  const input = layout.castsInput ? chunk.inputAcc : chunk.input;
  const linearWeight = layout.widensProducts ? call.linearWeight : linearWeightCast;
  const scores = product(input, aten.t(linearWeight), layout.scores);
  if (linearBiasCast !== undefined) aten.add_.Tensor(scores, linearBiasCast);
  return aten.sub_.Tensor(scores, aten.amax(scores, [1], true));
}

/** The score of each row's target. */
function targetScores(scores: Tensor, chunk: Chunk): Tensor {
  return aten.squeeze.dim(aten.gather(scores, 1, aten.unsqueeze(chunk.target, 1)), 1);
}

/** The loss of each row, `[N]`. */
export function chunkedLosses(call: ChunkedCall): Tensor {
  return scope(() => losses(share(call, false)));
}

function losses(shared: Shared): Tensor {
  const { call } = shared;
  const { dtype, device, shape } = call.input;
  const result = empty([shape[0] as number], { dtype, device });
  forEachChunk(shared, undefined, (chunk) => {
    const scores = shiftedScores(shared, chunk);
    const ofTarget = targetScores(scores, chunk);
    const sums = aten.sum.dim_IntList(aten.exp_(scores), [1], false, { dtype: call.plan.accDtype });
    const loss = aten.sub_.Tensor(aten.log_(sums), ofTarget.to(sums.dtype));
    aten.mul_.Tensor(loss, chunk.weights.to(sums.dtype));
    aten.copy_(aten.narrow(result, 0, chunk.start, chunk.size), loss);
  });
  return result;
}

/**
 * The sum or mean of all losses and its gradients; with `'none'`, the gradients for the upstream gradient of each row's
 * loss (and a loss that means nothing).
 */
export function chunkedGradients(call: ChunkedCall, needed: NeededGradients, upstream?: Tensor): Differentiated {
  return scope(() => differentiate(share(call, needed.input), needed, upstream));
}

function differentiate(shared: Shared, needed: NeededGradients, upstream: Tensor | undefined): Differentiated {
  const { call, layout } = shared;
  const { input, linearWeight, reduction } = call;
  const { dtype, device, shape } = input;
  const total = zeros([], { dtype: layout.output, device });
  const grads = {
    input: needed.input ? empty(shape, { dtype: layout.inputGrad, device }) : undefined,
    linearWeight: needed.linearWeight ? zeros(linearWeight.shape, { dtype, device }) : undefined,
    linearBias: needed.linearBias ? zeros(linearWeight.shape.slice(0, 1), { dtype, device }) : undefined,
  };
  if (reduction === 'mean' && shape[0] === 0) aten.fill_.Scalar(total, Number.NaN);
  const differentiates = needed.input || needed.linearWeight || needed.linearBias;
  forEachChunk(shared, upstream, (chunk) => {
    const { weights } = chunk;
    const scores = shiftedScores(shared, chunk);
    const ofTarget = targetScores(scores, chunk).to(layout.rows);
    aten.add_.Tensor(total, aten.dot(weights, ofTarget));
    const sums = aten.sum.dim_IntList(aten.exp_(scores), [1], false, { dtype: call.plan.accDtype });
    if (differentiates) {
      const factors = aten.div.Tensor(weights, sums).to(layout.scores);
      aten.mul_.Tensor(scores, aten.unsqueeze(factors, 1));
    }
    aten.sub_.Tensor(total, aten.dot(weights.to(sums.dtype), aten.log_(sums)));
    if (grads.linearBias !== undefined) addBiasGrad(shared, chunk, scores, grads.linearBias);
    if (grads.input !== undefined) writeInputGrad(shared, chunk, scores, grads.input);
    if (grads.linearWeight !== undefined) addWeightGrad(shared, chunk, scores, grads.linearWeight);
  });
  return { ...grads, loss: total.to(dtype), input: grads.input?.to(dtype) };
}

function addBiasGrad({ call, layout }: Shared, chunk: Chunk, softmaxPart: Tensor, grad: Tensor): void {
  const { accDtype } = call.plan;
  const sum = layout.mixed ? zeros(grad.shape, { dtype: accDtype, device: grad.device }) : grad;
  aten.sub_.Tensor(sum, aten.sum.dim_IntList(softmaxPart, [0], false, { dtype: accDtype }));
  aten.index_add_(sum, 0, chunk.target, chunk.weights);
  if (layout.mixed) aten.add_.Tensor(grad, sum.to(grad.dtype));
}

function writeInputGrad(
  { call, layout, linearWeightCast }: Shared,
  chunk: Chunk,
  softmaxPart: Tensor,
  grad: Tensor,
): void {
  const place = aten.narrow(grad, 0, chunk.start, chunk.size);
  const ofTargets = aten.index_select(linearWeightCast, 0, chunk.target);
  // The product goes straight into its place where the dtype allows: where matrices lie in memory changes their bits.
  const direct = call.input.device.startsWith('cuda') || layout.inputGrad === layout.linearWeight;
  const part = direct ? place : ofTargets;
  const weights = aten.unsqueeze(chunk.weights.to(direct ? layout.inputGrad : layout.linearWeight), 1);
  const scaled = aten.mul_.Tensor(ofTargets, weights);
  if (direct) aten.copy_(place, scaled);
  const linearWeight = layout.narrowsForInput ? call.linearWeight : linearWeightCast;
  const factors = layout.narrowsForInput ? softmaxPart.to(linearWeight.dtype) : softmaxPart;
  aten.addmm_(part, factors, linearWeight, { beta: 1, alpha: -1 });
  if (!direct) aten.copy_(place, part);
}

function addWeightGrad({ call, layout }: Shared, chunk: Chunk, softmaxPart: Tensor, grad: Tensor): void {
  const { input, plan, linearWeight } = call;
  const cuda = input.device.startsWith('cuda');
  const scaled = (): Tensor => {
    const weights = aten.unsqueeze(chunk.weights, 1);
    return layout.mixed ? aten.mul_.Tensor(chunk.inputAcc, weights) : aten.mul.Tensor(chunk.inputAcc, weights);
  };
  if (plan.accPolicy === 'compact' && (cuda || layout.scores === input.dtype)) {
    const factors = layout.scores === input.dtype ? softmaxPart : softmaxPart.to(linearWeight.dtype);
    aten.addmm_(grad, aten.t(factors), chunk.input, { beta: 1, alpha: -1 });
    aten.index_add_(grad, 0, chunk.target, scaled().to(grad.dtype), { alpha: 1 });
    return;
  }
  const sameDtype = layout.scores === plan.accDtype;
  const factors = cuda || sameDtype ? softmaxPart : softmaxPart.to(plan.accDtype);
  const sum = product(aten.t(factors), cuda && !sameDtype ? chunk.input : chunk.inputAcc, plan.accDtype);
  aten.index_add_(sum, 0, chunk.target, scaled(), { alpha: -1 });
  aten.sub_.Tensor(grad, sum);
}
