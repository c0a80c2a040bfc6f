/** What is computed of a block of rows: tensors only, so that it can be recorded and run off the main thread. */
import * as aten from '../aten/operators.generated';
import { asTensor, type TensorLike } from '../nn/functional/arguments';
import { tensor } from '../tensor/create';
import type { Tensor } from '../tensor/tensor';
import { type Batch, hasLabels, op } from './batch';
import type { LossDescription } from './losses';

/** @internal What has to be computed. */
export interface Wanted {
  /** The loss's options, but for the reduction. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly ignoreIndex: number;
  /** Whether predictions are looked at. */
  readonly predictions: boolean;
  /** Whether each loss is asked for, or their sum alone. */
  readonly each: boolean;
}

/** @internal */
export interface Measured {
  /** Each of them, in its own dtype. How many there are, a recording cannot tell before it is run. */
  readonly losses: Tensor;
  /** In float64; absent where each loss is asked for. */
  readonly sum?: Tensor;
  /** The sum of the weights in float64, where they are elements. */
  readonly weights?: Tensor;
  readonly predictions?: {
    readonly logLikelihoods: Tensor;
    readonly predicted: Tensor;
    readonly ranks: Tensor;
    readonly confidences: Tensor;
  };
}

/** @internal The losses of a block, and how good its predictions are. */
export function measure(description: LossDescription, batch: Batch, wanted: Wanted): Measured {
  const { loss, denominator, weighsElements } = description;
  const options = batchOptions(description, batch.args[0] as Tensor, wanted.options);
  const losses = loss(...batch.args, { ...options, reduction: 'none' });
  const weight = weighsElements ? (options.weight as Tensor | undefined) : undefined;
  return {
    losses,
    ...(wanted.each ? {} : { sum: sumOf(losses) }),
    ...(weight !== undefined && denominator === 'element weights' ? { weights: sumOf(weight) } : {}),
    ...(wanted.predictions ? { predictions: predict(description, batch, wanted, losses) } : {}),
  };
}

/**
 * @internal The options for a batch. Losses that weigh elements take a weight of the input's shape only: the weight of
 * one row, which is the same for every row, gets it.
 */
export function batchOptions(
  { weighsElements }: LossDescription,
  input: Tensor,
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const weight = options.weight as TensorLike | undefined;
  if (!weighsElements || weight === undefined) return options;
  return { ...options, weight: aten.expand(asTensor(op, 'weight', weight, input), input.shape) };
}

function sumOf(tensor: Tensor): Tensor {
  return aten.sum(tensor, 'float64');
}

function predict(
  description: LossDescription,
  batch: Batch,
  { options, ignoreIndex }: Wanted,
  losses: Tensor,
): Measured['predictions'] & object {
  const [input, target] = batch.args as [Tensor, Tensor];
  const scores = scoresOf(input);
  const labels = aten.reshape(target.dtype === 'int64' ? target : target.to('int64'), [-1]);
  // Ignored labels stand for no class; what is found for them is never looked at.
  const safe = aten.clamp(labels, 0, (scores.shape[1] as number) - 1);
  const best = aten.amax(scores, [1]);
  const predicted = aten.argmax(scores, 1);
  const own = aten.squeeze_dim(aten.gather(scores, 1, aten.unsqueeze(safe, 1)), 1);
  const ranks = aten.sum_dim_IntList(aten.gt_Tensor(scores, aten.unsqueeze(own, 1)), [1]);
  const isPlain = options.weight === undefined && !options.labelSmoothing;
  const plain = isPlain ? losses : description.loss(input, target, { ignoreIndex, reduction: 'none' });
  const logLikelihoods = aten.reshape(plain, [-1]);
  // Of logits: the log-probability of a class is its score less what all scores share, which the label's loss tells.
  const logConfidence =
    description.scores === 'log-probabilities' ? best : aten.sub_Tensor(aten.sub_Tensor(best, own), logLikelihoods);
  return { logLikelihoods, predicted, ranks, confidences: aten.exp(logConfidence) };
}

/** @internal The probabilities of the predictions of some rows of logits. */
export function confidencesFromScores({ args }: Batch, rows: readonly number[]): Tensor {
  const scores = aten.index_select(scoresOf(args[0] as Tensor), 0, tensor(rows, { dtype: 'int64' }));
  return aten.exp(aten.sub_Tensor(aten.amax(scores, [1]), aten.logsumexp(scores, [1])));
}

/** `[N, C, d1, …]` as `[N * d1 * …, C]`. */
function scoresOf(input: Tensor): Tensor {
  if (input.ndim === 2) return input;
  const order = [0, ...Array.from({ length: input.ndim - 2 }, (_, i) => i + 2), 1];
  return aten.reshape(aten.permute(input, order), [-1, input.shape[1] as number]);
}

/** @internal Whether predictions can be made of the scores, and compared with class indices. */
export function hasPredictions(description: LossDescription, batch: Batch): boolean {
  return description.scores !== undefined && hasLabels(description, batch) && (batch.args[0] as Tensor).ndim >= 2;
}
