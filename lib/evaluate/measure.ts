/** What is computed of a block of rows: tensors only, so that it can be recorded and run off the main thread. */
import * as aten from '../aten/operators.generated';
import { asTensor, type TensorLike } from '../nn/functional/arguments';
import { pieceOf } from '../nn/functional/chunking';
import { compiled } from '../tensor/compiled';
import { empty, tensor } from '../tensor/create';
import { inChunks } from '../tensor/recording';
import type { Tensor } from '../tensor/tensor';
import type { DType } from '../types';
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
 * @internal A function that measures as {@link measure} does, and is recorded once for each shape of blocks: from then on
 * a block is one native call.
 */
export function measurer(
  description: LossDescription,
  fixed: Pick<Wanted, 'options' | 'ignoreIndex'>,
): (batch: Batch, wanted: Pick<Wanted, 'predictions' | 'each'>) => Measured {
  const program = compiled((args) => {
    const wanted = args.at(-1) as Pick<Wanted, 'predictions' | 'each'>;
    const tensors = args.slice(0, -1) as Tensor[];
    return tensorsOf(measure(description, { args: tensors, rows: 0 }, { ...fixed, ...wanted }));
  });
  // The labels of a sequence decide what is computed.
  const isRecorded = description.denominator !== 'target lengths';
  return (batch, wanted) => {
    const found = isRecorded ? program.call([...batch.args, wanted]) : undefined;
    if (found === undefined) return measure(description, batch, { ...fixed, ...wanted });
    const rest = [...found];
    const losses = rest.shift() as Tensor;
    const sum = wanted.each ? {} : { sum: rest.shift() as Tensor };
    const weighted = description.denominator === 'element weights' && fixed.options.weight !== undefined;
    const weights = weighted ? { weights: rest.shift() as Tensor } : {};
    if (!wanted.predictions) return { losses, ...sum, ...weights };
    const [logLikelihoods, predicted, ranks, confidences] = rest as [Tensor, Tensor, Tensor, Tensor];
    return { losses, ...sum, ...weights, predictions: { logLikelihoods, predicted, ranks, confidences } };
  };
}

/** @internal All of them, in the order of their names in {@link Measured}. */
export function tensorsOf({ losses, sum, weights, predictions }: Measured): Tensor[] {
  return [losses, sum, weights, ...Object.values(predictions ?? {})].filter((found) => found !== undefined);
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
  const { best, own, predicted, ranks } = rankInPieces(scores, safe) ?? rank(scores, safe);
  const isPlain = options.weight === undefined && !options.labelSmoothing;
  const plain = isPlain ? losses : description.loss(input, target, { ignoreIndex, reduction: 'none' });
  const logLikelihoods = aten.reshape(plain, [-1]);
  // Of logits: the log-probability of a class is its score less what all scores share, which the label's loss tells.
  const logConfidence =
    description.scores === 'log-probabilities' ? best : aten.sub_Tensor(aten.sub_Tensor(best, own), logLikelihoods);
  return { logLikelihoods, predicted, ranks, confidences: aten.exp(logConfidence) };
}

/** What the scores of a row say of its label: all of them `[N]`. */
interface Ranking {
  readonly best: Tensor;
  readonly own: Tensor;
  readonly predicted: Tensor;
  readonly ranks: Tensor;
}

function rank(scores: Tensor, labels: Tensor): Ranking {
  const own = aten.gather(scores, 1, aten.unsqueeze(labels, 1));
  return {
    best: aten.amax(scores, [1]),
    own: aten.squeeze_dim(own, 1),
    predicted: aten.argmax(scores, 1),
    ranks: aten.sum_dim_IntList(aten.gt_Tensor(scores, own), [1]),
  };
}

/** The same, a piece after the other over all threads; `undefined` for scores that are not cut. */
function rankInPieces(scores: Tensor, labels: Tensor): Ranking | undefined {
  const chunk = pieceOf(scores);
  if (chunk === undefined) return undefined;
  const [size] = scores.shape as [number];
  const make = (dtype: DType): Tensor => empty([size], { dtype });
  const found = { best: make(scores.dtype), own: make(scores.dtype), predicted: make('int64'), ranks: make('int64') };
  inChunks({
    size,
    chunk,
    cut: [scores, labels, found.best, found.own, found.predicted, found.ranks],
    piece: ([x, y, best, own, predicted, ranks]) => {
      const ofPiece = rank(x as Tensor, y as Tensor);
      aten.copy_(best as Tensor, ofPiece.best);
      aten.copy_(own as Tensor, ofPiece.own);
      aten.copy_(predicted as Tensor, ofPiece.predicted);
      aten.copy_(ranks as Tensor, ofPiece.ranks);
    },
  });
  return found;
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
