import {
  cosineEmbeddingLoss,
  cosineSimilarity,
  type DistanceFunction,
  marginRankingLoss,
  pairwiseDistance,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../../../lib/reference';
import { near } from './support';

const infinity = Number.POSITIVE_INFINITY;

describe('marginRankingLoss', () => {
  test('by hand: what the order lacks to the margin', () => {
    const loss = marginRankingLoss([3, 3, 1], [1, 1, 1], [1, -1, 1], { margin: 0.5, reduction: 'none' });
    expect(loss.value.toArray()).toEqual([0, 2.5, 0.5]);
    const { input1, input2, target } = loss.backward(2);
    expect(input1.toArray()).toEqual(near([0, 2, -2]));
    expect(input2.toArray()).toEqual(near([0, -2, 2]));
    expect(target.toArray()).toEqual(near([0, -4, 0]));
  });

  test('a tie without margin still has a slope, as in PyTorch', () => {
    expect(marginRankingLoss([1], [1], [1]).item()).toBe(0);
    expect(marginRankingLoss([1], [1], [1]).backward().input1.toArray()).toEqual([-1]);
  });

  test('broadcasts among arrays of as many axes', () => {
    const loss = marginRankingLoss([[1], [2]], [[0, 3]], [[-1]], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(loss.backward(1).input2.toArray()).toEqual(near([[-2, 0]]));
    expect(loss.backward(1).target.toArray()).toEqual([[-3]]);
    expect(marginRankingLoss([], [], []).item()).toBeNaN();
  });
});

describe('cosineEmbeddingLoss', () => {
  const [x1, x2] = [
    [3, 4],
    [4, 3],
  ];

  test('closed form: the angle between (3, 4) and (4, 3) has cosine 0.96', () => {
    expect(cosineEmbeddingLoss(x1, x2, 1).item()).toBeCloseTo(0.04, 12);
    expect(cosineEmbeddingLoss(x1, x2, -1).item()).toBeCloseTo(0.96, 12);
    expect(cosineEmbeddingLoss(x1, x2, -1, { margin: 0.9 }).item()).toBeCloseTo(0.06, 12);
    expect(cosineEmbeddingLoss(x1, x2, -1, { margin: 1 }).item()).toBe(0);
  });

  test('targets other than 1 and -1 cost nothing, NaN neither', () => {
    const loss = cosineEmbeddingLoss([x1, x1, x1], [x2, x2, x2], [0, Number.NaN, 2], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([0, 0, 0]);
    expect(loss.backward(1).input1.toArray()).toEqual(
      near([
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
    );
  });

  test('by hand: the gradient is the part of the other vector that is at right angles, scaled', () => {
    // (4, 3) / 25 − 0.96 (3, 4) / 25
    expect(cosineEmbeddingLoss(x1, x2, -1).backward().input1.toArray()).toEqual(near([0.0448, -0.0336]));
    expect(cosineEmbeddingLoss(x1, x2, 1).backward().input1.toArray()).toEqual(near([-0.0448, 0.0336]));
  });

  test('PyTorch 2.13.0, float64: a vector of zeros has cosine 0, its gradient is steep; 1e-12 is a float32 there', () => {
    const loss = cosineEmbeddingLoss([0, 0, 0, 0], [1, -2, 0, 0], 1);
    expect(loss.item()).toBe(1);
    const steep = 1 / Math.sqrt(Math.fround(1e-12) * 5);
    expect(loss.backward().input1.toArray()).toEqual(near([-steep, 2 * steep, 0, 0], 5));
    expect(loss.backward().input2.toArray()).toEqual(near([0, 0, 0, 0]));
  });

  test('pairs broadcast, and so does the target', () => {
    const loss = cosineEmbeddingLoss([x1, x2], [x2], [1], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual(near([0.04, 0], 12));
    expect(loss.backward(1).input2.shape).toEqual([1, 2]);
  });
});

describe('pairwiseDistance', () => {
  const d = [3, -4, 0];

  test.each([
    [2, 5, [0.6, -0.8, 0]],
    [1, 7, [1, -1, 0]],
    [3, 91 ** (1 / 3), [9 / 91 ** (2 / 3), -16 / 91 ** (2 / 3), 0]],
    [0.5, 7 + 2 * Math.sqrt(12), [1 + Math.sqrt(4 / 3), -1 - Math.sqrt(3 / 4), 0]],
    [0, 2, [0, 0, 0]],
    [infinity, 4, [0, -1, 0]],
    [-infinity, 0, [0, 0, 0]],
    [-1, 0, [0, 0, 0]],
  ])('by hand: p = %p', (p, distance, slopes) => {
    const result = pairwiseDistance(d, [0, 0, 0], { p, eps: 0 });
    expect(result.item()).toBeCloseTo(distance, 12);
    expect(result.backward().x1.toArray()).toEqual(near(slopes, 12));
    expect(result.backward().x2.toArray()).toEqual(
      near(
        slopes.map((slope) => -slope),
        12,
      ),
    );
  });

  test('eps is added to the difference, not to the distance', () => {
    expect(pairwiseDistance([0, 0], [0, 0]).item()).toBeCloseTo(Math.SQRT2 * 1e-6, 20);
    expect(pairwiseDistance([0, 0], [1, 1], { eps: 1 }).item()).toBe(0);
    expect(pairwiseDistance([0, 0], [1, 1], { eps: 1 }).backward().x1.toArray()).toEqual([0, 0]);
  });

  test('equal greatest differences share the slope', () => {
    expect(pairwiseDistance([2, -2, 1], [0, 0, 0], { p: infinity, eps: 0 }).backward().x1.toArray()).toEqual([
      0.5, -0.5, 0,
    ]);
  });

  test('keepdim keeps the last axis; single numbers are vectors of one', () => {
    const kept = pairwiseDistance([[3, 4]], [0, 0], { keepdim: true, eps: 0 });
    expect(kept.value.toArray()).toEqual([[5]]);
    expect(kept.backward([[5]]).x2.toArray()).toEqual(near([-3, -4]));
    expect(pairwiseDistance(3, 1, { keepdim: true, eps: 0 }).value.toArray()).toBe(2);
    expect(pairwiseDistance({ data: [], shape: [2, 0] }, { data: [], shape: [2, 0] }).value.toArray()).toEqual([0, 0]);
  });
});

describe('cosineSimilarity', () => {
  test('by hand: along any axis, broadcast', () => {
    expect(cosineSimilarity([[3], [4]], [[4], [3]], { dim: 0 }).value.toArray()).toEqual(near([0.96]));
    expect(cosineSimilarity([3, 4], [[4, 3]], { dim: -1 }).value.toArray()).toEqual(near([0.96]));
    expect(
      cosineSimilarity([[3, 4]], [[4, 3]])
        .backward()
        .x1.toArray(),
    ).toEqual(near([[0.0448, -0.0336]]));
    expect(cosineSimilarity(-2, 3, { dim: 0 }).item()).toBe(-1);
  });

  test('PyTorch 2.13.0, float64: short vectors count as long as eps, but keep the slope of their length', () => {
    const similarity = cosineSimilarity([[1e-9, 0]], [[1, 1]]);
    expect(similarity.item()).toBeCloseTo(0.1 * Math.SQRT1_2, 12);
    const { x1 } = similarity.backward();
    expect(x1.toArray()).toEqual(near([[0.9e8 * Math.SQRT1_2, 1e8 * Math.SQRT1_2]], 4));
    expect(
      cosineSimilarity([[0, 0]], [[1, 0]])
        .backward()
        .x1.toArray(),
    ).toEqual([[1e8, 0]]);
  });
});

describe('triplets', () => {
  const anchor = [[0, 0]];
  const positive = [[3, 4]];
  const negative = [[0, 4]];
  const manhattan: DistanceFunction = (x1, x2) => pairwiseDistance(x1, x2, { p: 1, eps: 0 });

  test('by hand: 1 + 5 − 4', () => {
    const loss = tripletMarginLoss(anchor, positive, negative, { eps: 0 });
    expect(loss.item()).toBe(2);
    const gradients = loss.backward();
    expect(gradients.anchor.toArray()).toEqual(near([[-0.6, 0.2]]));
    expect(gradients.positive.toArray()).toEqual(near([[0.6, 0.8]]));
    expect(gradients.negative.toArray()).toEqual(near([[0, -1]]));
  });

  test('by hand: swap measures the negative from the positive, which is closer to it: 1 + 5 − 3', () => {
    const loss = tripletMarginLoss(anchor, positive, negative, { eps: 0, swap: true });
    expect(loss.item()).toBe(3);
    const gradients = loss.backward();
    expect(gradients.anchor.toArray()).toEqual(near([[-0.6, -0.8]]));
    expect(gradients.positive.toArray()).toEqual(near([[0.6 - 1, 0.8]]));
    expect(gradients.negative.toArray()).toEqual(near([[1, 0]]));
  });

  test('where both distances of swap are equal, each gets half of the slope', () => {
    // |0 − 2| = |4 − 2|
    const { anchor, positive, negative } = tripletMarginLoss([0], [4], [2], { eps: 0, swap: true }).backward();
    expect([anchor, positive, negative].map((gradient) => gradient.item())).toEqual([-1 + 0.5, 1 - 0.5, 0]);
  });

  test('a triplet that lies well costs nothing; at the margin the slope remains', () => {
    const well = tripletMarginLoss([0], [1], [3], { eps: 0, margin: 1 });
    expect(well.item()).toBe(0);
    expect(well.backward().positive.toArray()).toEqual(near([0]));
    expect(tripletMarginLoss([0], [1], [2], { eps: 0 }).backward().positive.toArray()).toEqual([1]);
  });

  test('any distance with its derivative: 1 + 7 − 4', () => {
    const loss = tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction: manhattan });
    expect(loss.item()).toBe(4);
    expect(loss.backward().positive.toArray()).toEqual([[1, 1]]);
    expect(tripletMarginWithDistanceLoss(anchor, positive, negative).item()).toBeCloseTo(2, 5);
  });

  test('an unbatched triplet, broadcast ones, and none', () => {
    expect(tripletMarginLoss([0, 0], [3, 4], [0, 4], { reduction: 'none' }).value.shape).toEqual([]);
    const loss = tripletMarginLoss(anchor, [...positive, ...positive], negative, { eps: 0, reduction: 'none' });
    expect(loss.value.toArray()).toEqual([2, 2]);
    expect(loss.backward(1).negative.toArray()).toEqual(near([[0, -2]]));
    const none = { data: [], shape: [0, 2] };
    expect(tripletMarginLoss(none, none, none).item()).toBeNaN();
    expect(tripletMarginLoss([0], [0], [0], { margin: Number.NaN }).item()).toBeNaN();
  });
});
