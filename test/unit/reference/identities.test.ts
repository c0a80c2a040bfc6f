/** What holds for every input: identities of classifiers, distributions and sequences. A failure prints its seed. */
import * as fc from 'fast-check';
import {
  adaptiveLogSoftmaxWithLoss,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  categoricalEntropy,
  crossEntropy,
  ctcLoss,
  klDiv,
  linearCrossEntropy,
  logit,
  logSoftmax,
  NdArray,
  nllLoss,
  sigmoid,
  softmax,
} from '../../../lib/reference';
import { binary, classified, expectSame, probability, score, table } from './arbitraries';
import { near } from './support';

test('crossEntropy is nllLoss after logSoftmax, gradients by the chain rule included', () => {
  fc.assert(
    fc.property(classified, fc.constantFrom('none', 'mean', 'sum'), ({ scores, targets, weight }, reduction) => {
      const logProbabilities = logSoftmax(scores, 1);
      const composed = nllLoss(logProbabilities.value, targets, { weight, reduction });
      expectSame(crossEntropy(scores, targets, { weight, reduction }), {
        ...composed,
        backward: (g) => logProbabilities.backward(composed.backward(g).input),
      });
    }),
  );
});

test('KL(p‖q) = CE(p, q) − H(p)', () => {
  fc.assert(
    fc.property(classified, ({ scores, distributions }) => {
      const divergence = klDiv(logSoftmax(scores, 1).value, distributions, { reduction: 'batchmean' }).item();
      const entropies = categoricalEntropy({ probs: distributions }).value.data;
      const entropy = entropies.reduce((a, b) => a + b) / entropies.length;
      expect(divergence).toBeCloseTo(crossEntropy(scores, distributions).item() - entropy, 10);
      expect(divergence).toBeGreaterThan(-1e-12);
    }),
  );
});

test('klDiv with the target as logarithms is klDiv', () => {
  fc.assert(
    fc.property(classified, ({ scores, distributions }) => {
      const logarithms = distributions.map((row) => row.map(Math.log));
      expectSame(klDiv(scores, logarithms, { logTarget: true }), klDiv(scores, distributions));
    }),
  );
});

test('shifting all scores of a row changes neither crossEntropy nor softmax', () => {
  fc.assert(
    fc.property(classified, score, ({ scores, targets, labelSmoothing }, shift) => {
      const shifted = scores.map((row) => row.map((element) => element + shift));
      expectSame(crossEntropy(shifted, targets, { labelSmoothing }), crossEntropy(scores, targets, { labelSmoothing }));
      expectSame(softmax(shifted, 1), softmax(scores, 1));
    }),
  );
});

test('the gradient of crossEntropy by the scores of a row sums to 0', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets, weight, labelSmoothing }) => {
      const { input } = crossEntropy(scores, targets, { weight, labelSmoothing, reduction: 'sum' }).backward();
      for (const row of input.toArray() as number[][]) expect(row.reduce((a, b) => a + b)).toBeCloseTo(0, 10);
    }),
  );
});

test('smoothing class indices is mixing one-hot probabilities with the uniform ones', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets, weight, labelSmoothing }) => {
      const mixed = scores.map((row, n) =>
        row.map((_, c) => (c === targets[n] ? 1 - labelSmoothing : 0) + labelSmoothing / row.length),
      );
      const options = { weight, reduction: 'none' } as const;
      expectSame(crossEntropy(scores, targets, { ...options, labelSmoothing }), crossEntropy(scores, mixed, options));
    }),
  );
});

test('binaryCrossEntropyWithLogits is binaryCrossEntropy of sigmoid', () => {
  fc.assert(
    fc.property(binary, ({ odds, targets }) => {
      const p = sigmoid(odds);
      const composed = binaryCrossEntropy(p.value, targets);
      // 1 − σ(20) has lost 9 of its 16 digits, which is why the other form exists.
      const [direct, digits] = [binaryCrossEntropyWithLogits(odds, targets), 6];
      expect(direct.item()).toBeCloseTo(composed.item(), digits);
      expect(direct.backward().input.toArray()).toEqual(
        near(p.backward(composed.backward().input).input.toArray(), digits),
      );
    }),
  );
});

test('binaryCrossEntropyWithLogits is crossEntropy over the two classes no (score 0) and yes', () => {
  fc.assert(
    fc.property(binary, ({ odds, targets }) => {
      const pairs = crossEntropy(
        odds.map((x) => [0, x]),
        targets.map((t) => [1 - t, t]),
      );
      expect(binaryCrossEntropyWithLogits(odds, targets).item()).toBeCloseTo(pairs.item(), 12);
    }),
  );
});

test('logit is the inverse of sigmoid', () => {
  fc.assert(
    fc.property(probability, (p) => {
      expect(sigmoid(logit(p).value).item()).toBeCloseTo(p, 12);
    }),
  );
});

test('the sum of none is sum, and so are the gradients', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets, distributions, weight, labelSmoothing }) => {
      const p = softmax(scores, 1).value;
      const log = logSoftmax(scores, 1).value;
      const losses = [
        (reduction: 'none' | 'sum') => crossEntropy(scores, targets, { weight, labelSmoothing, reduction }),
        (reduction: 'none' | 'sum') => crossEntropy(scores, distributions, { weight, labelSmoothing, reduction }),
        (reduction: 'none' | 'sum') => nllLoss(log, targets, { weight, reduction }),
        (reduction: 'none' | 'sum') => klDiv(log, distributions, { reduction }),
        (reduction: 'none' | 'sum') => binaryCrossEntropy(p, distributions, { weight, reduction }),
        (reduction: 'none' | 'sum') => binaryCrossEntropyWithLogits(scores, distributions, { weight, reduction }),
      ];
      for (const loss of losses) {
        const [none, sum] = [loss('none'), loss('sum')];
        expect(none.value.data.reduce((a, b) => a + b)).toBeCloseTo(sum.item(), 10);
        expect(none.backward(NdArray.full(none.value.shape, 3)).input.toArray()).toEqual(
          near(sum.backward(3).input.toArray(), 10),
        );
      }
    }),
  );
});

test('axes after the classes are more targets: [1, C, d] costs what [d, C] does', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets, weight, labelSmoothing }) => {
      const columns = (scores[0] as number[]).map((_, c) => scores.map((row) => row[c] as number));
      const options = { weight, labelSmoothing };
      expect(crossEntropy([columns], [targets], options).item()).toBeCloseTo(
        crossEntropy(scores, targets, options).item(),
        12,
      );
    }),
  );
});

/** A few steps of a few classes, and labels that are not the blank 0. */
const sequences = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 4 })).chain(([steps, classes]) =>
  fc.record({
    scores: table(fc.double({ min: -3, max: 3, noNaN: true }), steps, classes),
    labels: fc.array(fc.integer({ min: 1, max: classes - 1 }), { maxLength: 3 }),
  }),
);

/** What a way reads as: repeats merged, then blanks left out. */
function readingOf(way: readonly number[]): number[] {
  return way.filter((c, t) => c !== 0 && c !== way[t - 1]);
}

/** Every way through so many steps of so many classes. */
function waysThrough(steps: number, classes: number): number[][] {
  if (steps === 0) return [[]];
  return waysThrough(steps - 1, classes).flatMap((way) => Array.from({ length: classes }, (_, c) => [...way, c]));
}

test('ctcLoss is the brute force over all ways, its gradient the softmax less the share of the ways at each class', () => {
  fc.assert(
    fc.property(sequences, ({ scores, labels }) => {
      const [steps, classes] = [scores.length, (scores[0] as number[]).length];
      const p = softmax(scores, 1).value.toArray() as number[][];
      const probability = (way: readonly number[]): number =>
        way.reduce((product, c, t) => product * (p[t]?.[c] as number), 1);
      const ways = waysThrough(steps, classes).filter((way) => readingOf(way).join() === labels.join());
      const total = ways.reduce((sum, way) => sum + probability(way), 0);
      const loss = ctcLoss(logSoftmax(scores, 1).value, labels, steps, labels.length, { reduction: 'sum' });
      if (ways.length === 0) {
        expect(loss.item()).toBe(Number.POSITIVE_INFINITY);
        return;
      }
      expect(loss.item()).toBeCloseTo(-Math.log(total), 10);
      const expected = p.map((row, t) =>
        row.map((pc, c) => {
          const there = ways.filter((way) => way[t] === c).reduce((sum, way) => sum + probability(way), 0);
          return pc - there / total;
        }),
      );
      expect(loss.backward().logProbs.toArray()).toEqual(near(expected, 10));
    }),
  );
});

test('the losses of all readings of some steps have probabilities that sum to 1', () => {
  fc.assert(
    fc.property(sequences, ({ scores }) => {
      const [steps, classes] = [scores.length, (scores[0] as number[]).length];
      const readings = new Map(
        waysThrough(steps, classes).map((way) => [readingOf(way).join(), readingOf(way)] as const),
      );
      const logProbs = logSoftmax(scores, 1).value;
      const probabilities = [...readings.values()].map((labels) =>
        Math.exp(-ctcLoss(logProbs, labels, steps, labels.length, { reduction: 'sum' }).item()),
      );
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    }),
    { numRuns: 20 },
  );
});

test('linearCrossEntropy by the unit matrix is crossEntropy', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets, weight, labelSmoothing }) => {
      const unit = weight.map((_, c) => weight.map((_, k) => Number(k === c)));
      const options = { weight, labelSmoothing };
      expectSame(linearCrossEntropy(scores, unit, targets, options), crossEntropy(scores, targets, options));
    }),
  );
});

test('the probabilities of all classes of an adaptive softmax sum to 1', () => {
  fc.assert(
    fc.property(table(score, 1, 2), table(score, 3, 2), table(score, 3, 1), ([x], head, last) => {
      const parameters = { head, tail: [[[x], last]] } as never;
      const outputs = [0, 1, 2, 3, 4].map(
        (target) => adaptiveLogSoftmaxWithLoss(x as number[], target, parameters, [2]).output,
      );
      expect(outputs.reduce((total, output) => total + Math.exp(output.item()), 0)).toBeCloseTo(1, 10);
    }),
  );
});
