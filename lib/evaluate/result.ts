/** What an evaluation finds, in plain values that JSON can hold. */

/** The loss over all samples, and what else the evaluator was asked for. */
export interface EvaluationResult {
  /** PyTorch's name for the loss here: `'crossEntropy'`. */
  readonly name: string;
  /** How `loss` was made of the samples' losses. */
  readonly reduction: 'mean' | 'sum' | 'batchmean';
  /** The loss, as one PyTorch call over the whole data gives it, but summed without rounding, in float64. NaN without samples. */
  readonly loss: number;
  /** Losses that were summed: samples for losses of rows, elements for elementwise losses, both without ignored ones. */
  readonly count: number;
  /** Samples whose target is `ignoreIndex`. */
  readonly ignored: number;
  /** The sum of all (weighted) losses. */
  readonly sum: number;
  /** What `sum` is divided by for the mean: the count, or the sum of the weights where there are any. */
  readonly denominator: number;
  /** How many of the losses are NaN. */
  readonly nan: number;
  /** For losses of class scores against class indices. */
  readonly classification?: ClassificationResult;
  /** The losses by group, in the order of the groups; for evaluations that were given groups. */
  readonly groups?: readonly GroupResult[];
  /** How the losses are distributed; for evaluations with `details`. */
  readonly histogram?: readonly HistogramBin[];
  /** The samples of the greatest loss, the worst first; for evaluations with `details`. */
  readonly worst?: readonly WorstSample[];
}

/** How good the scores are as predictions. Ignored samples do not count. */
export interface ClassificationResult {
  /** The share of samples whose target has the greatest score. */
  readonly accuracy: number;
  /** The share of samples whose target is among the five greatest scores. */
  readonly top5: number;
  /** `exp` of the mean negative log-likelihood, without class weights and label smoothing. */
  readonly perplexity: number;
  /** Expected calibration error: how far confidence and accuracy lie apart, over the bins of `calibration`. */
  readonly calibrationError: number;
  /** One entry a class. */
  readonly classes: readonly ClassResult[];
  /** Samples by the probability of their prediction, in 15 bins of equal width. */
  readonly calibration: readonly CalibrationBin[];
}

/** The samples of one class. */
export interface ClassResult {
  /** The index of the class. */
  readonly class: number;
  /** How many samples are of it. */
  readonly count: number;
  /** The mean of their (weighted) losses; NaN without samples. */
  readonly loss: number;
  /** The share that was predicted as this class; NaN without samples. */
  readonly accuracy: number;
}

/** The samples of one group. */
export interface GroupResult {
  /** The number of the group. */
  readonly group: number;
  /** How many samples it has. */
  readonly count: number;
  /** The mean of their (weighted) losses. */
  readonly loss: number;
}

/** Predictions whose probability lies in `(low, high]`. */
export interface CalibrationBin {
  /** The lower end of the bin, not in it. */
  readonly low: number;
  /** The upper end, in it. */
  readonly high: number;
  /** How many predictions are in it. */
  readonly count: number;
  /** Mean probability of the predictions; NaN without samples. */
  readonly confidence: number;
  /** Share of them that are right; NaN without samples. */
  readonly accuracy: number;
}

/** Losses in `[low, high)`; the last bin includes `high`. */
export interface HistogramBin {
  /** The lower end of the bin. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
  /** How many losses are in it. */
  readonly count: number;
}

/** One of the worst samples. */
export interface WorstSample {
  /** Its place in the data, from 0. */
  readonly index: number;
  /** Its (weighted) loss. */
  readonly loss: number;
  /** The target, where it is a class index. */
  readonly target?: number;
  /** The class that was predicted, where the target is one. */
  readonly predicted?: number;
}
