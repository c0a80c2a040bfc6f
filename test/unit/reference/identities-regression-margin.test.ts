/** What holds for every input: identities of regression, likelihoods, margins and embeddings. A failure prints its seed. */
import * as fc from 'fast-check';
import {
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  cosineSimilarity,
  type Differentiable,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  l1Loss,
  marginRankingLoss,
  mseLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  NdArray,
  pairwiseDistance,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../../../lib/reference';
import { classified, embedded, expectSame, width } from './arbitraries';

test('huber(delta) is delta times smoothL1(beta = delta)', () => {
  fc.assert(
    fc.property(embedded, width, ({ x1, x2 }, delta) => {
      const smooth = smoothL1Loss(x1, x2, { beta: delta });
      expectSame(huberLoss(x1, x2, { delta }), {
        ...smooth,
        value: NdArray.full([], delta * smooth.item()),
        backward: () => smooth.backward(delta),
      });
    }),
  );
});

test('smoothL1(beta = 0) is l1, and an immense delta makes huber half of mse', () => {
  fc.assert(
    fc.property(embedded, ({ x1, x2 }) => {
      expectSame(smoothL1Loss(x1, x2, { beta: 0 }), l1Loss(x1, x2));
      expect(huberLoss(x1, x2, { delta: 1e9 }).item()).toBeCloseTo(mseLoss(x1, x2).item() / 2, 10);
    }),
  );
});

test('equal weights change no mean of l1 and mse, and multiply that of huber', () => {
  fc.assert(
    fc.property(embedded, width, ({ x1, x2 }, w) => {
      const options = { weight: x1.map((row) => row.map(() => w)) };
      expectSame(l1Loss(x1, x2, options), l1Loss(x1, x2));
      expectSame(mseLoss(x1, x2, options), mseLoss(x1, x2));
      expect(huberLoss(x1, x2, options).item()).toBeCloseTo(w * huberLoss(x1, x2).item(), 9);
    }),
  );
});

test('gaussianNllLoss of variance 1 is half of mse, and is least where the variance is the squared error', () => {
  fc.assert(
    fc.property(embedded, width, ({ x1, x2 }, variance) => {
      expect(gaussianNllLoss(x1, x2, 1).item()).toBeCloseTo(mseLoss(x1, x2).item() / 2, 10);
      // A last element that is 1 off keeps the error from 0.
      const [off1, off2] = [x1.map((row) => [...row, 0]), x2.map((row) => [...row, 1])];
      const least = gaussianNllLoss(off1, off2, mseLoss(off1, off2).item()).item();
      expect(gaussianNllLoss(off1, off2, variance).item()).toBeGreaterThan(least - 1e-10);
    }),
  );
});

test('poissonNllLoss of a logarithm is that of the rate, and is least where the rate is the count', () => {
  fc.assert(
    fc.property(width, width, (rate, count) => {
      const byRate = poissonNllLoss([rate], [count], { logInput: false, eps: 0 }).item();
      expect(poissonNllLoss([Math.log(rate)], [count]).item()).toBeCloseTo(byRate, 10);
      expect(byRate).toBeGreaterThan(poissonNllLoss([Math.log(count)], [count]).item() - 1e-10);
    }),
  );
});

test('softMarginLoss of ±1 is binaryCrossEntropyWithLogits of 1 and 0, and so is multilabelSoftMarginLoss', () => {
  fc.assert(
    fc.property(embedded, ({ x1, signs }) => {
      const spread = (of: (sign: number) => number): number[][] =>
        x1.map((row, n) => row.map(() => of(signs[n] as number)));
      const classes = spread((sign) => (1 + sign) / 2);
      const binary = binaryCrossEntropyWithLogits(x1, classes);
      expectSame(softMarginLoss(x1, spread(Number)), binary);
      expectSame(multilabelSoftMarginLoss(x1, classes), binary);
    }),
  );
});

test('one label a row: multilabelMarginLoss is multiMarginLoss', () => {
  fc.assert(
    fc.property(classified, ({ scores, targets }) => {
      const padded = scores.map((row, n) => row.map((_, c) => (c === 0 ? (targets[n] as number) : -1)));
      expectSame(multilabelMarginLoss(scores, padded), multiMarginLoss(scores, targets));
    }),
  );
});

test('two classes: multiMarginLoss is half of marginRankingLoss', () => {
  fc.assert(
    fc.property(embedded, width, ({ x1, x2, signs }, margin) => {
      const [first, second] = [x1, x2].map((rows) => rows.map((row) => row[0] as number)) as [number[], number[]];
      const scores = first.map((x, n) => [x, second[n] as number]);
      const targets = signs.map((sign) => (1 - sign) / 2);
      expect(multiMarginLoss(scores, targets, { margin }).item()).toBeCloseTo(
        marginRankingLoss(first, second, signs, { margin }).item() / 2,
        10,
      );
    }),
  );
});

test('hingeEmbeddingLoss of distances is 1 − cos or cos − margin, that of cosineEmbeddingLoss', () => {
  fc.assert(
    fc.property(embedded, fc.double({ min: -1, max: 1, noNaN: true }), ({ x1, x2, signs }, margin) => {
      // A last element of 1 keeps the vectors from being too short for what PyTorch adds to their squares.
      const [long1, long2] = [x1, x2].map((rows) => rows.map((row) => [...row, 1])) as [number[][], number[][]];
      const distances = cosineSimilarity(long1, long2).value.data.map((cosine) => 1 - cosine);
      expect(cosineEmbeddingLoss(long1, long2, signs, { margin }).item()).toBeCloseTo(
        hingeEmbeddingLoss(distances, signs, { margin: 1 - margin }).item(),
        8,
      );
    }),
  );
});

test('tripletMarginLoss is tripletMarginWithDistanceLoss with its distance, which is that by default', () => {
  fc.assert(
    fc.property(embedded, width, fc.boolean(), fc.constantFrom(1, 2, 3), ({ x1, x2, x3 }, margin, swap, p) => {
      const distanceFunction = (a: NdArray, b: NdArray) => pairwiseDistance(a, b, { p });
      const named = tripletMarginLoss(x1, x2, x3, { margin, swap, p });
      const given = tripletMarginWithDistanceLoss(x1, x2, x3, { margin, swap, distanceFunction });
      expect(given.value.toArray()).toEqual(named.value.toArray());
      expect(given.backward()).toEqual(named.backward());
      expect(tripletMarginWithDistanceLoss(x1, x2, x3).item()).toBe(tripletMarginLoss(x1, x2, x3).item());
    }),
  );
});

test('a triplet whose positive and negative are the same costs its margin, and swap never lowers a loss', () => {
  fc.assert(
    fc.property(embedded, width, ({ x1, x2, x3 }, margin) => {
      expect(tripletMarginLoss(x1, x2, x2, { margin }).item()).toBeCloseTo(margin, 10);
      const [plain, swapped] = [false, true].map((swap) => tripletMarginLoss(x1, x2, x3, { swap }).item());
      expect(swapped).toBeGreaterThanOrEqual(plain as number);
    }),
  );
});

test('the sum of none is sum, and so are the gradients, of the other losses too', () => {
  fc.assert(
    fc.property(embedded, ({ x1, x2, x3, signs }) => {
      type Upon = 'none' | 'sum';
      const spread = x1.map((row, n) => row.map(() => signs[n] as number));
      const losses: readonly ((reduction: Upon) => Differentiable<object>)[] = [
        ...[l1Loss, mseLoss, smoothL1Loss, huberLoss].map(
          (loss) =>
            (reduction: Upon): Differentiable<object> =>
              loss(x1, x2, { reduction }),
        ),
        (reduction) => poissonNllLoss(x1, x2, { reduction }),
        (reduction) => gaussianNllLoss(x1, x2, 2, { reduction }),
        (reduction) => marginRankingLoss(x1, x2, x3, { reduction }),
        (reduction) => hingeEmbeddingLoss(x1, spread, { reduction }),
        (reduction) => softMarginLoss(x1, spread, { reduction }),
        (reduction) => multilabelSoftMarginLoss(x1, x2, { reduction }),
        (reduction) => cosineEmbeddingLoss(x1, x2, signs, { reduction }),
        (reduction) => tripletMarginLoss(x1, x2, x3, { reduction }),
      ];
      for (const loss of losses) {
        const [none, sum] = [loss('none'), loss('sum')];
        const total = none.value.data.reduce((a, b) => a + b);
        expect(Math.abs(total - sum.item())).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(total)));
        expect(none.backward(3)).toEqual(sum.backward(3));
      }
    }),
  );
});
