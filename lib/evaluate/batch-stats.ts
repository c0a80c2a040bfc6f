/** Reads the statistics of a computed block back as plain numbers. */
import { asOptionalTensor, type TensorLike } from '../nn/losses/arguments';
import type { Tensor } from '../torch/tensor';
import { op } from './batch';
import type { Block } from './blocks';
import type { LossDescription } from './losses';
import type { Measured } from './measure';
import { argmaxOf, confidencesOf, scoresOf } from './ranking';
import type { BatchStats } from './tally';

/** @internal The statistics of a block. */
export function batchStats(
  description: LossDescription,
  options: Readonly<Record<string, unknown>>,
  { batch, labels, groups }: Block,
  { losses, sums: partial, weights, predictions }: Measured,
  needsEach: boolean,
): BatchStats {
  const [first] = batch.args as [Tensor];
  const each = needsEach ? numbers(losses) : undefined;
  const sums = partial === undefined ? (each as Float32Array | Float64Array) : numbers64(partial);
  return {
    rows: batch.rows,
    losses: losses.numel(),
    sums,
    // Every NaN is in some sum; infinities of both signs make one, too.
    nan: hasNaN(sums) ? Number(losses.isnan().sum().item()) : 0,
    ...(each === undefined ? {} : { each }),
    ...(labels === undefined ? {} : { labels, ...classWeights(description, options, labels, first) }),
    ...(weights === undefined ? {} : { weights: numbers64(weights) }),
    ...(description.denominator === 'target lengths' ? { divisors: numbers64(batch.args.at(-1) as Tensor) } : {}),
    ...(groups === undefined ? {} : { groups }),
    ...(predictions === undefined
      ? {}
      : { classes: first.shape[1] as number, predictions: readPredictions(first, predictions) }),
  };
}

function hasNaN(values: Float32Array | Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

function classWeights(
  { denominator }: LossDescription,
  options: Readonly<Record<string, unknown>>,
  labels: Float64Array,
  input: Tensor,
): { weights?: Float64Array } {
  if (denominator !== 'class weights') return {};
  const weight = asOptionalTensor(op, 'weight', options.weight as TensorLike | undefined, input);
  if (weight === undefined) return {};
  const weights = numbers64(weight);
  return { weights: labels.map((label) => (label < 0 ? 0 : (weights[label] as number))) };
}

function readPredictions(
  input: Tensor,
  { logLikelihoods, predicted, ranks, confidences }: Measured['predictions'] & object,
): BatchStats['predictions'] & object {
  const classes = input.shape[1] as number;
  const found = {
    logLikelihoods: numbers(logLikelihoods),
    predicted: numbers(predicted),
    ranks: numbers(ranks),
    confidences: numbers(confidences),
  };
  // A label with a score of -Infinity has an infinite loss, which does not determine the prediction's probability.
  replace(
    found.confidences,
    (confidence, i) => Number.isNaN(confidence) && found.logLikelihoods[i] === Number.POSITIVE_INFINITY,
    (rows) => confidencesOf(scoresOf(input), rows),
  );
  replace(
    found.predicted,
    (label) => label === classes,
    (rows) => argmaxOf(scoresOf(input), rows),
  );
  return found;
}

/** Replaces undetermined values by those computed from their rows. */
function replace(
  found: Float32Array | Float64Array,
  isUndetermined: (value: number, i: number) => boolean,
  make: (rows: readonly number[]) => Tensor,
): void {
  const rows: number[] = [];
  for (let i = 0; i < found.length; i++) if (isUndetermined(found[i] as number, i)) rows.push(i);
  if (rows.length === 0) return;
  for (const [i, value] of numbers64(make(rows)).entries()) found[rows[i] as number] = value;
}

function numbers(tensor: Tensor): Float32Array | Float64Array {
  return tensor.dtype === 'float64' ? numbers64(tensor) : tensor.to('float32').toTypedArray<Float32Array>();
}

function numbers64(tensor: Tensor): Float64Array {
  return tensor.to('float64').toTypedArray<Float64Array>();
}
