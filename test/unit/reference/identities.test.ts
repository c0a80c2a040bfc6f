/** What holds for every input: identities between losses, shapes and reductions. A failure prints its seed. */
import * as fc from 'fast-check';
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  categoricalEntropy,
  crossEntropy,
  type Differentiable,
  klDiv,
  logit,
  logSoftmax,
  NdArray,
  nllLoss,
  sigmoid,
  softmax,
} from '../../../lib/reference';
import { near } from './support';

const score = fc.double({ min: -20, max: 20, noNaN: true });
const probability = fc.double({ min: 0.001, max: 0.999, noNaN: true });

/** N rows of C scores, with a class, a distribution and a weight for each. */
const classified = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain(([n, c]) =>
  fc.record({
    scores: table(score, n, c),
    targets: fc.array(fc.nat(c - 1), { minLength: n, maxLength: n }),
    distributions: table(probability, n, c).map((rows) => rows.map(normalized)),
    weight: fc.array(probability, { minLength: c, maxLength: c }),
    labelSmoothing: fc.constantFrom(0, 0.1, 0.7, 1),
  }),
);

/** Log-odds, and a yes, no or between for each. */
const binary = fc
  .array(fc.tuple(score, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1, maxLength: 8 })
  .map((pairs) => ({ odds: pairs.map(([x]) => x), targets: pairs.map(([, t]) => t) }));

function table(element: fc.Arbitrary<number>, n: number, c: number): fc.Arbitrary<number[][]> {
  return fc.array(fc.array(element, { minLength: c, maxLength: c }), { minLength: n, maxLength: n });
}

function normalized(row: readonly number[]): number[] {
  const total = row.reduce((a, b) => a + b);
  return row.map((element) => element / total);
}

function expectSame(actual: Differentiable<{ input: NdArray }>, expected: Differentiable<{ input: NdArray }>): void {
  expect(actual.value.toArray()).toEqual(near(expected.value.toArray(), 10));
  expect(actual.backward(1).input.toArray()).toEqual(near(expected.backward(1).input.toArray(), 10));
}

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
