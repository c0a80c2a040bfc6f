/** How good predictions are, added up over samples. */
import { ExactSum } from './exact-sum';
import type { CalibrationBin, ClassificationResult } from './result';

/** What is known of each sample of a batch; ignored ones have the label -1. */
export interface Predictions {
  labels: Float64Array;
  losses: Float32Array | Float64Array;
  /** The negative log-likelihood of the label, without weights and smoothing. */
  logLikelihoods: Float32Array | Float64Array;
  predicted: Float32Array | Float64Array;
  /** How many classes have a greater score than the label. */
  ranks: Float32Array | Float64Array;
  /** The probability of the prediction. */
  confidences: Float32Array | Float64Array;
}

const bins = 15;

/** One of these holds what {@link ClassificationTally.result} is made of. */
export interface ClassificationState {
  count: number;
  correct: number;
  top5: number;
  logLikelihood: readonly number[];
  /** By class. */
  counts: readonly number[];
  losses: readonly (readonly number[])[];
  hits: readonly number[];
  /** By bin. */
  binCounts: readonly number[];
  binConfidences: readonly (readonly number[])[];
  binHits: readonly number[];
}

export class ClassificationTally {
  readonly classes: number;
  #count = 0;
  #correct = 0;
  #top5 = 0;
  #logLikelihood = new ExactSum();
  readonly #counts: Float64Array;
  readonly #losses: ExactSum[];
  readonly #hits: Float64Array;
  readonly #binCounts = new Float64Array(bins);
  readonly #binConfidences = sums(bins);
  readonly #binHits = new Float64Array(bins);

  constructor(classes: number) {
    this.classes = classes;
    this.#counts = new Float64Array(classes);
    this.#losses = sums(classes);
    this.#hits = new Float64Array(classes);
  }

  add({ labels, losses, logLikelihoods, predicted, ranks, confidences }: Predictions): void {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (label < 0) continue;
      const isHit = predicted[i] === label;
      const logLikelihood = logLikelihoods[i] as number;
      this.#count += 1;
      if (isHit) this.#correct += 1;
      // Nothing compares greater than NaN: such a label would look like the best.
      if ((ranks[i] as number) < 5 && !Number.isNaN(logLikelihood)) this.#top5 += 1;
      this.#logLikelihood.add(logLikelihood);
      increase(this.#counts, label, 1);
      this.#losses[label]?.add(losses[i] as number);
      if (isHit) increase(this.#hits, label, 1);
      const confidence = confidences[i] as number;
      if (Number.isNaN(confidence)) continue;
      const bin = Math.min(Math.max(Math.ceil(confidence * bins) - 1, 0), bins - 1);
      increase(this.#binCounts, bin, 1);
      this.#binConfidences[bin]?.add(confidence);
      if (isHit) increase(this.#binHits, bin, 1);
    }
  }

  merge(other: ClassificationTally): void {
    this.#count += other.#count;
    this.#correct += other.#correct;
    this.#top5 += other.#top5;
    this.#logLikelihood.merge(other.#logLikelihood);
    const both = [
      [this.#counts, other.#counts],
      [this.#hits, other.#hits],
      [this.#binCounts, other.#binCounts],
      [this.#binHits, other.#binHits],
    ] as const;
    for (const [own, others] of both) {
      for (const [i, value] of others.entries()) increase(own, i, value);
    }
    for (const [i, sum] of other.#losses.entries()) this.#losses[i]?.merge(sum);
    for (const [i, sum] of other.#binConfidences.entries()) this.#binConfidences[i]?.merge(sum);
  }

  result(): ClassificationResult {
    const calibration = Array.from(this.#binCounts, (count, i): CalibrationBin => {
      const confidence = (this.#binConfidences[i] as ExactSum).value / count;
      return { low: i / bins, high: (i + 1) / bins, count, confidence, accuracy: (this.#binHits[i] as number) / count };
    });
    const gaps = calibration.filter(({ count }) => count > 0);
    const binned = gaps.reduce((sum, { count }) => sum + count, 0);
    const gap = gaps.reduce((sum, bin) => sum + bin.count * Math.abs(bin.accuracy - bin.confidence), 0);
    return {
      accuracy: this.#correct / this.#count,
      top5: this.#top5 / this.#count,
      perplexity: Math.exp(this.#logLikelihood.value / this.#count),
      calibrationError: gap / binned,
      classes: Array.from(this.#counts, (count, i) => {
        return {
          class: i,
          count,
          loss: (this.#losses[i] as ExactSum).value / count,
          accuracy: (this.#hits[i] as number) / count,
        };
      }),
      calibration,
    };
  }

  state(): ClassificationState {
    return {
      count: this.#count,
      correct: this.#correct,
      top5: this.#top5,
      logLikelihood: this.#logLikelihood.parts,
      counts: [...this.#counts],
      losses: this.#losses.map(({ parts }) => parts),
      hits: [...this.#hits],
      binCounts: [...this.#binCounts],
      binConfidences: this.#binConfidences.map(({ parts }) => parts),
      binHits: [...this.#binHits],
    };
  }

  static fromState(state: ClassificationState): ClassificationTally {
    const made = new ClassificationTally(state.counts.length);
    made.#count = state.count;
    made.#correct = state.correct;
    made.#top5 = state.top5;
    made.#logLikelihood = ExactSum.of(state.logLikelihood);
    made.#counts.set(state.counts);
    for (const [i, parts] of state.losses.entries()) made.#losses[i] = ExactSum.of(parts);
    made.#hits.set(state.hits);
    made.#binCounts.set(state.binCounts);
    for (const [i, parts] of state.binConfidences.entries()) made.#binConfidences[i] = ExactSum.of(parts);
    made.#binHits.set(state.binHits);
    return made;
  }
}

function sums(count: number): ExactSum[] {
  return Array.from({ length: count }, () => new ExactSum());
}

function increase(array: Float64Array, at: number, by: number): void {
  array[at] = (array[at] as number) + by;
}
