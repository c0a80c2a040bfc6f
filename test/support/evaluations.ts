/** Results of evaluations that never ran, for what shows them. */
import type { EvaluationFacts } from '../../lib/cli/evaluate/page';
import type { ClassificationResult, EvaluationResult } from '../../lib/evaluate/result';

/** Where the made-up evaluations ran. */
export function factsOf(changes: Partial<EvaluationFacts> = {}): EvaluationFacts {
  const plain = { device: 'cpu', libtorch: '2.13.0', seconds: 0.01234, bytes: 71_880, version: '0.0.0' };
  return { files: ['logits.npy', 'labels.npy'], ...plain, ...changes };
}

/** A result with nothing but the loss. */
export function plainResult(changes: Partial<EvaluationResult> = {}): EvaluationResult {
  const figures = { loss: 0.4, count: 10, ignored: 0, sum: 4, denominator: 10, nan: 0 };
  return { name: 'mseLoss', reduction: 'mean', ...figures, ...changes };
}

/** A result with all that there is: a classifier that is surer than right, on 12,345 samples. */
export function fullResult(classes = 10): EvaluationResult {
  const histogram = Array.from({ length: 40 }, (_, i) => {
    return { low: i * 0.21, high: (i + 1) * 0.21, count: Math.round(7800 * Math.exp(-i / 2.2)) };
  });
  const count = histogram.reduce((sum, bin) => sum + bin.count, 0);
  const worst = Array.from({ length: 12 }, (_, i) => {
    return { index: (i * 7919) % count, loss: 8.4 - i / 7, target: i % classes, predicted: (3 * i + 1) % classes };
  });
  const groups = [0, 1, 2].map((group) => ({ group, count: 1000 + group, loss: 0.2 + group / 7 }));
  const loss = 0.4123456789;
  return {
    ...plainResult({ name: 'crossEntropy', loss, count, ignored: 17, sum: loss * count, denominator: count }),
    classification: classification(classes, count),
    groups,
    histogram,
    worst,
  };
}

function classification(classes: number, samples: number): ClassificationResult {
  const share = samples / classes;
  const accuracyOf = (i: number): number => 0.98 - ((i * 37) % 41) / 100;
  return {
    accuracy: 0.8731,
    top5: 0.99999,
    perplexity: Math.exp(0.4123456789),
    calibrationError: 0.0612,
    classes: Array.from({ length: classes }, (_, i) => {
      const accuracy = accuracyOf(i);
      return { class: i, count: Math.round(share * (1 + (i % 5) / 10)), loss: -2.2 * Math.log(accuracy), accuracy };
    }),
    calibration: Array.from({ length: 15 }, (_, i) => {
      const [low, high, mean] = [i / 15, (i + 1) / 15, (i + 0.6) / 15];
      const count = i === 0 ? 0 : Math.round((samples / 3) * Math.exp((i - 14) / 1.6));
      return {
        low,
        high,
        count,
        confidence: count === 0 ? Number.NaN : mean,
        accuracy: count === 0 ? Number.NaN : mean ** 1.3,
      };
    }),
  };
}
