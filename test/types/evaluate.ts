/**
 * What the compiler must refuse, and what it must accept, of evaluators. Nothing here runs: an `@ts-expect-error` above
 * a line without an error is an error itself.
 */
import {
  BatchEvaluator,
  type ClassificationResult,
  type EvaluationResult,
  type EvaluatorState,
  type HistogramBin,
  nn,
  type Tensor,
} from 'libtorch-losses';

const { functional: F } = nn;

export function accepted(input: Tensor, target: Tensor, weight: Tensor): EvaluationResult[] {
  return [
    new BatchEvaluator(F.crossEntropy).update(input, target).result(),
    new BatchEvaluator(F.crossEntropy, undefined, undefined).update([[1, 2]], [0]).result(),
    new BatchEvaluator(F.crossEntropy, { weight, ignoreIndex: 0, labelSmoothing: 0.1, reduction: 'sum' }).result(),
    new BatchEvaluator(F.crossEntropy, {}, { predictions: false, details: true, worst: 5, keepLosses: true }).result(),
    new BatchEvaluator(F.crossEntropy, {}, { details: undefined, onLosses: (losses) => losses.numel() }).result(),
    new BatchEvaluator(F.crossEntropy)
      .update({ data: new Float32Array(2), dims: [1, 2] }, { data: new BigInt64Array(1), dims: [1] })
      .updateGroups(Int32Array.of(1), input, target)
      .flush()
      .reset()
      .result(),
    new BatchEvaluator(F.klDiv, { reduction: 'batchmean', logTarget: true }).update(input, target).result(),
    new BatchEvaluator(F.gaussianNllLoss, { full: true }).update(input, target, weight).result(),
    new BatchEvaluator(F.linearCrossEntropy, { linearBias: weight }).update(input, weight, target).result(),
    new BatchEvaluator(F.tripletMarginLoss, { swap: true }).update(input, input, target).result(),
    new BatchEvaluator(F.ctcLoss, { blank: 1 }).update(input, target, [3], [2]).result(),
    new BatchEvaluator(F.huberLoss, { delta: 2, weight: [1, 2] }).update(input, target).result(),
    new BatchEvaluator(F.mseLoss).merge(new BatchEvaluator(F.mseLoss)).result(),
  ];
}

export async function overTime(input: Tensor, target: Tensor): Promise<void> {
  const evaluator = new BatchEvaluator(F.nllLoss, { reduction: 'none' });
  const same: BatchEvaluator<typeof F.nllLoss> = await evaluator.updateAsync(input, target);
  await same.updateFrom([[input, target]]);
  await same.updateFrom(later(input, target));
  const losses: Tensor = same.losses();
  const state: EvaluatorState = JSON.parse(JSON.stringify(same.state()));
  const restored: BatchEvaluator<typeof F.nllLoss> = BatchEvaluator.fromState(state, F.nllLoss, { ignoreIndex: 0 });
  restored.update(losses, target);
}

async function* later(input: Tensor, target: Tensor): AsyncGenerator<[Tensor, Tensor]> {
  yield [input, target];
}

export function found(result: EvaluationResult): number | undefined {
  const classification: ClassificationResult | undefined = result.classification;
  const bins: readonly HistogramBin[] | undefined = result.histogram;
  const reduction: 'mean' | 'sum' | 'batchmean' = result.reduction;
  // @ts-expect-error: only losses of class scores have one
  result.classification.accuracy;
  // @ts-expect-error: results are read
  result.loss = 0;
  // @ts-expect-error: so are their parts
  result.worst?.push({ index: 0, loss: 0 });
  return reduction === 'sum' ? (classification?.classes[0]?.loss ?? bins?.[0]?.low) : result.worst?.[0]?.predicted;
}

export function wrongArguments(input: Tensor, target: Tensor, other: BatchEvaluator<typeof F.huberLoss>): void {
  const entropy = new BatchEvaluator(F.crossEntropy);
  // @ts-expect-error: a target belongs to it
  entropy.update(input);
  // @ts-expect-error: options go to the constructor
  entropy.update(input, target, { labelSmoothing: 0.1 });
  // @ts-expect-error: text is not a tensor
  entropy.update(input, 'labels.npy');
  // @ts-expect-error: null is not a tensor
  entropy.update(input, null);
  // @ts-expect-error: groups come first
  entropy.updateGroups(input, target);
  // @ts-expect-error: crossEntropy has no variance
  entropy.updateAsync(input, target, target);
  // @ts-expect-error: batches are arrays of the arguments
  entropy.updateFrom([input, target]);
  // @ts-expect-error: a batch has a target
  entropy.updateFrom([[input]]);
  // @ts-expect-error: the variance is missing
  new BatchEvaluator(F.gaussianNllLoss).update(input, target);
  // @ts-expect-error: the lengths are missing
  new BatchEvaluator(F.ctcLoss).update(input, target);
  // @ts-expect-error: an evaluator, not its result
  entropy.merge(other.result());
}

export function wrongOptions(state: EvaluatorState): void {
  // @ts-expect-error: no function
  new BatchEvaluator('crossEntropy');
  // @ts-expect-error: no loss
  new BatchEvaluator(Math.max);
  // @ts-expect-error: misspelled
  new BatchEvaluator(F.crossEntropy, { labelsmoothing: 0.1 });
  // @ts-expect-error: mseLoss has no such option
  new BatchEvaluator(F.mseLoss, { labelSmoothing: 0.1 });
  // @ts-expect-error: only klDiv has batchmean
  new BatchEvaluator(F.crossEntropy, { reduction: 'batchmean' });
  // @ts-expect-error: a number
  new BatchEvaluator(F.huberLoss, { delta: '1' });
  // @ts-expect-error: the evaluator's own options come after those of the loss
  new BatchEvaluator(F.crossEntropy, { details: true });
  // @ts-expect-error: misspelled
  new BatchEvaluator(F.crossEntropy, {}, { detail: true });
  // @ts-expect-error: a number
  new BatchEvaluator(F.crossEntropy, {}, { worst: '20' });
  // @ts-expect-error: it is given a tensor
  new BatchEvaluator(F.crossEntropy, {}, { onLosses: (losses: number[]) => losses });
  // @ts-expect-error: an evaluator is made for a loss
  BatchEvaluator.fromState(state);
  // @ts-expect-error: a state is not text
  BatchEvaluator.fromState('{}', F.mseLoss);
}
