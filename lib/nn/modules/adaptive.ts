/** Adaptive softmax: frequent classes in a head, rare ones in clusters that are computed where a target needs them. */

import { expected, show } from '../../errors';
import { boolean, integer } from '../../options';
import { type Call, type Parameters, readOptions } from '../../torch/call';
import { empty, zeros } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { asIndexTarget, asTensor, type TensorLike } from '../losses/arguments';
import { ModuleList, Sequential } from './containers';
import { Linear, type LinearOptions } from './linear';
import { Module } from './module';

/** Options of {@link AdaptiveLogSoftmaxWithLoss}. */
export interface AdaptiveLogSoftmaxWithLossOptions extends Omit<LinearOptions, 'bias'> {
  /** By how much fewer features each cluster has than the one before: F / divValue^i, rounded down. Default 4. */
  divValue?: number | undefined;
  /** Whether the head adds a bias. Default `false`. */
  headBias?: boolean | undefined;
}

const op = 'AdaptiveLogSoftmaxWithLoss';
const parameters: Parameters = {
  op,
  required: ['inFeatures', 'nClasses', 'cutoffs'],
  defaults: Object.freeze({
    divValue: 4,
    headBias: false,
    device: undefined,
    dtype: null,
  }) satisfies Required<AdaptiveLogSoftmaxWithLossOptions>,
  positional: ['divValue', 'headBias', 'device', 'dtype'],
};

/** What {@link AdaptiveLogSoftmaxWithLoss} gives. */
export interface AdaptiveResult {
  /** The log-probability of each target, `[N]` or `[]`. */
  output: Tensor;
  /** The mean of their negatives, `[]`. */
  loss: Tensor;
}

/**
 * Log-softmax over very many classes, and its negative log-likelihood, without scores for all of them. Classes are
 * sorted by frequency: index 0 is the most frequent.
 *
 * **Formula**: with head h over the c0 most frequent classes and the k clusters, and clusters t_i over the classes from
 * cutoff i to cutoff i+1: `logP(y) = logSoftmax(h(x))[y]` for y < c0, else
 * `logSoftmax(h(x))[c0 + i] + logSoftmax(t_i(x))[y - cutoff_i]`; the loss is the mean of `-logP(y_n)`.
 *
 * **Shapes**: input `[N, F]`, target `[N]` -> output `[N]`, loss `[]`; or input `[F]`, target `[]` -> `[]`, `[]`.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, as the parameters are; int64 class indices; every device.
 *
 * **Gradient**: to the input and to the parameters of the head and of the clusters that targets fell into.
 *
 * `cutoffs` are integers, ascending, each in [1, nClasses - 1]. The parameters are drawn in PyTorch's order: the same
 * seed gives the same module.
 *
 * @throws TorchError `INVALID_ARGUMENT` for sizes and cutoffs that do not fit, shapes that do not and class indices out
 *   of range, `UNKNOWN_OPTION`; NativeError `RUNTIME` for dtypes that differ.
 *
 * **Source**: `torch.nn.AdaptiveLogSoftmaxWithLoss`; Grave et al., Efficient softmax approximation for GPUs, 2016.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module<AdaptiveResult> {
  /** The number of features F of an input. */
  readonly inFeatures: number;
  /** The number of classes. */
  readonly nClasses: number;
  /** The given cutoffs, and the number of classes. */
  readonly cutoffs: readonly number[];
  /** By how much fewer features each cluster has than the one before. */
  readonly divValue: number;
  /** The layer for the most frequent classes and for the choice of a cluster. */
  declare head: Linear;
  /** The clusters, each a Sequential of two linear layers, the first to fewer features. */
  declare tail: ModuleList;

  constructor(
    ...args: Call<
      [inFeatures: number, nClasses: number, cutoffs: readonly number[]],
      AdaptiveLogSoftmaxWithLossOptions,
      ['divValue', 'headBias', 'device', 'dtype']
    >
  ) {
    super();
    const [inFeatures, nClasses, cutoffs] = args;
    const filled: AdaptiveLogSoftmaxWithLossOptions = readOptions(parameters, args);
    const { dtype = null, device } = filled;
    this.inFeatures = integer(op, "'inFeatures'", inFeatures);
    this.nClasses = integer(op, "'nClasses'", nClasses);
    this.cutoffs = Object.freeze([...checkCutoffs(op, cutoffs, nClasses), nClasses]);
    this.divValue = checkDivisor(op, filled.divValue);
    const bias = boolean(op, "option 'headBias'", filled.headBias);
    const clusters = this.cutoffs.length - 1;
    this.head = new Linear(inFeatures, this.shortlist + clusters, { bias, dtype, device });
    this.tail = new ModuleList();
    const own = { bias: false, dtype, device };
    for (let i = 0; i < clusters; i++) {
      const hidden = floorDivide(inFeatures, this.divValue ** (i + 1));
      const classes = this.cutoff(i + 1) - this.cutoff(i);
      this.tail.append(new Sequential(new Linear(inFeatures, hidden, own), new Linear(hidden, classes, own)));
    }
  }

  /** How many classes the head has. */
  private get shortlist(): number {
    return this.cutoff(0);
  }

  private cutoff(i: number): number {
    return this.cutoffs[i] as number;
  }

  /** Draws all parameters anew. */
  resetParameters(): void {
    this.head.resetParameters();
    for (const cluster of this.tail) for (const linear of cluster as Sequential) (linear as Linear).resetParameters();
  }

  /** The log-probability of each target, and their loss. */
  override forward(input: TensorLike, target: TensorLike): AdaptiveResult {
    const x = asTensor(op, 'input', input, this.head.weight);
    const labels = asIndexTarget(op, 'target', target, { input: x });
    const batched = checkBatch(op, x, labels);
    const rows = batched ? x : aten.unsqueeze(x, 0);
    const { output, headIndex } = this.tailLogProbs(op, rows, batched ? labels : aten.unsqueeze(labels, 0));
    const headLogProbs = aten.log_softmax.int(this.head.forward(rows), 1);
    aten.add_.Tensor(output, aten.squeeze(aten.gather(headLogProbs, 1, aten.unsqueeze(headIndex, 1))));
    const loss = aten.mean(aten.neg(output));
    return { output: batched ? output : aten.squeeze.dim(output, 0), loss };
  }

  /**
   * What the clusters say of each target, 0 for classes of the head; and which of the head's scores speaks for it: its
   * own class, or its cluster.
   */
  private tailLogProbs(op: string, input: Tensor, target: Tensor): { output: Tensor; headIndex: Tensor } {
    const count = target.shape[0] as number;
    const output = zeros([count], { dtype: input.dtype, device: input.device });
    const headIndex = empty([count], { dtype: target.dtype, device: target.device });
    let found = 0;
    for (const [i, high] of this.cutoffs.entries()) {
      const low = i === 0 ? 0 : this.cutoff(i - 1);
      const mask = aten.logical_and(aten.ge.Scalar(target, low), aten.lt.Scalar(target, high));
      const rows = aten.squeeze(aten.nonzero(mask));
      if (rows.numel() === 0) continue;
      found += rows.numel();
      const chosen = aten.masked_select(target, mask);
      if (i === 0) {
        aten.index_copy_(headIndex, 0, rows, chosen);
        continue;
      }
      const cluster = this.tail[i - 1] as Sequential;
      const relative = aten.sub.Scalar(chosen, low);
      const scores = cluster.forward(aten.index_select(input, 0, rows));
      aten.index_fill_.int_Scalar(headIndex, 0, rows, this.shortlist + i - 1);
      const local = aten.gather(aten.log_softmax.int(scores, 1), 1, aten.unsqueeze(relative, 1));
      aten.index_copy_(output, 0, rows, aten.squeeze.dim(local, 1));
    }
    if (found !== count) {
      const range = `values in [${target.min().item()}, ${target.max().item()}]`;
      throw expected(op, "'target'", `to hold class indices in [0, ${this.nClasses})`, range);
    }
    return { output, headIndex };
  }

  /** The log-probabilities of all classes: `[N, F] -> [N, nClasses]`. */
  logProb(input: TensorLike): Tensor {
    const x = asTensor('logProb', 'input', input, this.head.weight);
    return this.allLogProbs(x, this.head.forward(x));
  }

  private allLogProbs(input: Tensor, headScores: Tensor): Tensor {
    const { dtype, device } = input;
    const shortlist = this.shortlist;
    const out = empty([headScores.shape[0] as number, this.nClasses], { dtype, device });
    const headLogProbs = aten.log_softmax.int(headScores, 1);
    aten.copy_(aten.slice.Tensor(out, 1, 0, shortlist), aten.slice.Tensor(headLogProbs, 1, 0, shortlist));
    for (const [i, cluster] of [...this.tail].entries()) {
      const own = aten.log_softmax.int(cluster.forward(input), 1);
      const ofCluster = aten.unsqueeze(aten.select.int(headLogProbs, 1, shortlist + i), 1);
      const place = aten.slice.Tensor(out, 1, this.cutoff(i), this.cutoff(i + 1));
      aten.copy_(place, aten.add.Tensor(own, ofCluster));
    }
    return out;
  }

  /** The most probable class of each row, `[N, F] -> [N]`, with scores of the clusters only where the head asks for them. */
  predict(input: TensorLike): Tensor {
    const x = asTensor('predict', 'input', input, this.head.weight);
    const headScores = this.head.forward(x);
    const output = aten.argmax(headScores, 1);
    const rare = aten.squeeze.dim(aten.nonzero(aten.ge.Scalar(output, this.shortlist)), 1);
    if (rare.numel() === 0) return output;
    if (rare.numel() === output.numel()) return aten.argmax(this.allLogProbs(x, headScores), 1);
    const logProbs = this.allLogProbs(aten.index_select(x, 0, rare), aten.index_select(headScores, 0, rare));
    return aten.index_copy_(output, 0, rare, aten.argmax(logProbs, 1));
  }
}

function checkCutoffs(op: string, cutoffs: readonly number[], nClasses: number): readonly number[] {
  const what = `to be integers in ascending order, each in [1, ${nClasses - 1}]`;
  if (!Array.isArray(cutoffs) || cutoffs.length === 0) throw expected(op, "'cutoffs'", what, show(cutoffs));
  for (const [i, cutoff] of cutoffs.entries()) {
    const fits = Number.isSafeInteger(cutoff) && cutoff > (cutoffs[i - 1] ?? 0) && cutoff < nClasses;
    if (!fits) throw expected(op, "'cutoffs'", what, `${show(cutoff)} at index ${i}`);
  }
  return cutoffs;
}

function checkDivisor(op: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw expected(op, "option 'divValue'", 'to be a number > 0', show(value));
}

/** Whether there are several rows; refuses input and target that do not belong together. */
function checkBatch(op: string, input: Tensor, target: Tensor): boolean {
  const [shape, targetShape] = [input.shape, target.shape];
  if (targetShape.length > 1) {
    throw expected(op, "'target'", 'to have at most 1 dimension', `shape ${shapeText(targetShape)}`);
  }
  if (targetShape.length === 0) {
    if (shape.length === 1) return false;
    throw expected(op, "'input'", "to have 1 dimension, as 'target' has none", `shape ${shapeText(shape)}`);
  }
  if (shape.length !== 2) {
    throw expected(op, "'input'", "to have 2 dimensions, as 'target' has 1", `shape ${shapeText(shape)}`);
  }
  if (shape[0] === targetShape[0]) return true;
  throw expected(op, "'target'", `to have shape [${shape[0]}], one class a row of 'input'`, shapeText(targetShape));
}

/** Python's `a // b` of floats, which rounds less than the floor of a quotient: 1 // 0.1 is 9. */
function floorDivide(a: number, b: number): number {
  const quotient = (a - (a % b)) / b;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
