/** The computation for a block of rows: tensors only, so that it can be traced and run off the main thread. */

import { asTensor, type TensorLike } from '../nn/losses/arguments';
import { isTensor } from '../torch/bind';
import { compiled } from '../torch/compiled';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { type Batch, hasLabels, op } from './batch';
import { vectorElements } from './blocks';
import type { LossDescription } from './losses';
import { rank, scoresOf } from './ranking';

/** @internal What to compute for a block. */
export interface MeasureOptions {
  /** The options of the loss, without the reduction. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly ignoreIndex: number | bigint;
  /** Whether to evaluate predictions. */
  readonly predictions: boolean;
}

/** @internal */
export interface Measured {
  /** Each loss, in the loss's dtype. A trace does not know their number before it runs. */
  readonly losses: Tensor;
  /** Sums of losses of elements, see {@link sumsOf}. */
  readonly sums?: Tensor;
  /** Sums of the weights, where they are elements. */
  readonly weights?: Tensor;
  readonly predictions?: {
    readonly logLikelihoods: Tensor;
    readonly predicted: Tensor;
    readonly ranks: Tensor;
    readonly confidences: Tensor;
  };
}

/** @internal The losses of a block, and how good its predictions are. */
export function measure(description: LossDescription, batch: Batch, request: MeasureOptions): Measured {
  const { loss, denominator, weighsElements } = description;
  const [rows] = (batch.args[0] as Tensor).shape as [number];
  const options = batchOptions(description, batch.args[0] as Tensor, request.options);
  const losses = loss(...batch.args, { ...options, reduction: 'none' });
  const weight = weighsElements ? (options.weight as Tensor | undefined) : undefined;
  return {
    losses,
    ...(description.lossesOf === 'samples' ? {} : { sums: sumsOf(losses, rows) }),
    ...(weight !== undefined && denominator === 'element weights' ? { weights: sumsOf(weight, rows) } : {}),
    ...(request.predictions ? { predictions: predict(description, batch, request, losses) } : {}),
  };
}

/**
 * @internal A function that does what {@link measure} does, traced once for each shape of blocks; later blocks of that
 * shape take one native call.
 */
export function measurer(
  description: LossDescription,
  fixed: Pick<MeasureOptions, 'options' | 'ignoreIndex'>,
): (batch: Batch, request: Pick<MeasureOptions, 'predictions'>) => Measured {
  const program = compiled((args) => {
    const request = args.at(-1) as Pick<MeasureOptions, 'predictions'>;
    const tensors = args.slice(0, -1) as Tensor[];
    return tensorsOf(measure(description, { args: tensors, rows: 0 }, { ...fixed, ...request }));
  });
  return (batch, request) => {
    const found = description.isTraced ? program.call([...batch.args, request]) : undefined;
    if (found === undefined) return measure(description, batch, { ...fixed, ...request });
    const rest = [...found];
    const losses = rest.shift() as Tensor;
    const sums = description.lossesOf === 'samples' ? {} : { sums: rest.shift() as Tensor };
    const weighted = description.denominator === 'element weights' && fixed.options.weight !== undefined;
    const weights = weighted ? { weights: rest.shift() as Tensor } : {};
    if (!request.predictions) return { losses, ...sums, ...weights };
    const [logLikelihoods, predicted, ranks, confidences] = rest as [Tensor, Tensor, Tensor, Tensor];
    return { losses, ...sums, ...weights, predictions: { logLikelihoods, predicted, ranks, confidences } };
  };
}

/** @internal All of them, in the order of their names in {@link Measured}. */
export function tensorsOf({ losses, sums, weights, predictions }: Measured): Tensor[] {
  return [losses, sums, weights, ...Object.values(predictions ?? {})].filter((found) => found !== undefined);
}

/**
 * @internal The options for a batch: on its device, and in its shape. Losses that weigh elements take a weight of the
 * input's shape only: the weight of one row, which is the same for every row, gets it.
 */
export function batchOptions(
  { weighsElements }: LossDescription,
  input: Tensor,
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { device } = input;
  const here: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) here[name] = isTensor(value) ? value.to({ device }) : value;
  const weight = here.weight as TensorLike | undefined;
  if (!weighsElements || weight === undefined) return here;
  return { ...here, weight: aten.expand(asTensor(op, 'weight', weight, input), input.shape) };
}

/**
 * The sums of 64 elements each in float64, the last ones filled up with zeros. Blocks begin at multiples of 64 rows, so
 * that the sums have the same bits whatever the blocks; and they are too short for more than one thread.
 *
 * @param rows how many rows the elements are of; traces know of tensors not always more
 */
function sumsOf(tensor: Tensor, rows: number): Tensor {
  const flat = aten.reshape(tensor, [-1]);
  const runs =
    rows % vectorElements === 0
      ? aten.reshape(flat, [-1, vectorElements])
      : aten.unfold(aten.constant_pad_nd(flat, [0, 2 * vectorElements - 1]), 0, vectorElements, vectorElements);
  return aten.sum.dim_IntList(runs, [1], false, { dtype: 'float64' });
}

function predict(
  description: LossDescription,
  batch: Batch,
  { options, ignoreIndex }: MeasureOptions,
  losses: Tensor,
): Measured['predictions'] & object {
  const [input, target] = batch.args as [Tensor, Tensor];
  const scores = scoresOf(input);
  const labels = aten.reshape(target.dtype === 'int64' ? target : target.to('int64'), [-1]);
  // Ignored labels name no class; results for them are not used.
  const safe = aten.clamp(labels, 0, (scores.shape[1] as number) - 1);
  const { best, own, predicted, ranks } = rank(scores, safe);
  const isPlain = options.weight === undefined && !options.labelSmoothing;
  const plain = isPlain ? losses : description.loss(input, target, { ignoreIndex, reduction: 'none' });
  const logLikelihoods = aten.reshape(plain, [-1]);
  // For logits, log p(class) = score - logSumExp, and the loss of the label gives logSumExp.
  const logConfidence =
    description.scores === 'log-probabilities' ? best : aten.sub.Tensor(aten.sub.Tensor(best, own), logLikelihoods);
  return { logLikelihoods, predicted, ranks, confidences: aten.exp(logConfidence) };
}

/** @internal Whether the scores give predictions that can be compared with class indices. */
export function hasPredictions(description: LossDescription, batch: Batch): boolean {
  return description.scores !== undefined && hasLabels(description, batch) && (batch.args[0] as Tensor).ndim >= 2;
}
