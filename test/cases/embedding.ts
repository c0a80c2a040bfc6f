/** Cases of the losses over pairs and triplets. */
import { define, type Written, type WrittenError } from './case';
import { misuse, notFlags, notNumbers } from './misuse';
import { classes, map, none, random, real, type Values } from './values';

type Pair = 'input1' | 'input2' | 'target';

/** 1 and -1, the same in every run. */
function signsOf(seed: number, shape: readonly number[]): Values {
  return map(random(seed, shape, -1, 1), (x) => (x < 0 ? -1 : 1));
}

const first = random(1, [2, 3], -2, 2);
const second = random(2, [2, 3], -2, 2);
const order = signsOf(3, [2, 3]);
const ranked = { input1: first, input2: second, target: order };

function rankedOf(seed: number, shape: readonly number[]): Record<Pair, Values> {
  return {
    input1: random(seed, shape, -2, 2),
    input2: random(seed + 1, shape, -2, 2),
    target: signsOf(seed + 2, shape),
  };
}

/** An error of a loss of pairs, for which the first three arguments fit. */
function refusedPair(
  fitting: Readonly<Record<Pair, Values>>,
): (name: string, argument: string, change: Partial<WrittenError<Pair>>) => WrittenError<Pair> {
  return (name, argument, change) => ({ name, ...fitting, code: 'RUNTIME', argument, ...change });
}

const refusedRank = refusedPair(ranked);

/** Which of two scores should be the greater. */
export const marginRankingLoss = define({
  name: 'marginRankingLoss',
  takes: ['input1', 'input2', 'target'],
  module: 'MarginRankingLoss',
  differentiable: ['input1', 'input2', 'target'],
  valid: [
    { name: 'a table', ...ranked },
    { name: 'one number', input1: real(0.25), input2: real(1.5), target: real(1) },
    { name: 'many numbers', ...rankedOf(14, [67]) },
    { name: 'four dimensions', ...rankedOf(7, [2, 3, 2, 2]) },
    { name: 'nothing', input1: none([0, 3]), input2: none([0, 3]), target: none([0, 3]) },
    { name: 'a sign a column', ...ranked, target: real([[1, -1, 1]]) },
    { name: 'a second input a row', ...ranked, input2: real([[0.25], [-0.5]]) },
    { name: 'a column and a row', ...ranked, input1: real([[0.25], [-0.5]]), input2: real([[1, 0.5, -1]]) },
    { name: 'a margin', ...ranked, options: { margin: 1.25 } },
    { name: 'a negative margin', ...ranked, options: { margin: -0.5 } },
    { name: 'targets that are not signs', ...ranked, target: random(10, [2, 3], -2, 2) },
    { name: 'equal scores', ...ranked, input2: first, byConvention: true, otherGradientSince: 14 },
  ],
  errors: [
    ...misuse(ranked),
    ...notNumbers(ranked, 'margin'),
    refusedRank('a second input that does not broadcast', 'input2', { input2: real([[1, 2]]) }),
    refusedRank('a target that does not broadcast', 'target', { target: real([[1, -1]]) }),
    refusedRank('a second input of fewer dimensions', 'input2', { input2: real([1, 2, 3]), code: 'INVALID_ARGUMENT' }),
    refusedRank('a target of fewer dimensions', 'target', { target: real(1), code: 'INVALID_ARGUMENT' }),
    refusedRank('the option of another loss', 'swap', { options: { swap: true }, code: 'UNKNOWN_OPTION' }),
  ],
});

const left = random(20, [3, 4], -2, 2);
const right = random(21, [3, 4], -2, 2);
const alike = real([1, -1, 1]);
const compared = { input1: left, input2: right, target: alike };
const refusedVectors = refusedPair(compared);

/** How alike the directions of two vectors are. */
export const cosineEmbeddingLoss = define({
  name: 'cosineEmbeddingLoss',
  takes: ['input1', 'input2', 'target'],
  module: 'CosineEmbeddingLoss',
  differentiable: ['input1', 'input2'],
  valid: [
    { name: 'a batch', ...compared },
    { name: 'unbatched', input1: real([1, 2, 0.5]), input2: real([0.5, -1, 2]), target: real(1) },
    { name: 'unbatched, different', input1: real([1, 2, 0.5]), input2: real([0.5, 1, 2]), target: real(-1) },
    { name: 'one feature', input1: real([[1], [-2]]), input2: real([[0.5], [1]]), target: real([-1, 1]), terms: 2 },
    {
      name: 'many features',
      input1: random(22, [3, 67], -2, 2),
      input2: random(23, [3, 67], -2, 2),
      target: real([1, -1, -1]),
    },
    {
      name: 'many pairs',
      input1: random(24, [40, 4], -2, 2),
      input2: random(25, [40, 4], -2, 2),
      target: signsOf(26, [40]),
    },
    { name: 'no pairs', input1: none([0, 4]), input2: none([0, 4]), target: none([0]) },
    { name: 'one vector against all', ...compared, input1: random(27, [1, 4], -2, 2) },
    { name: 'one sign for all', ...compared, target: real([-1]) },
    { name: 'targets that are not signs', ...compared, target: real([0, 1, 0.5]) },
    { name: 'signs that are integers', ...compared, target: classes([1, -1, -1]) },
    { name: 'a margin', ...compared, target: real([-1, -1, -1]), options: { margin: 0.25 } },
    { name: 'a negative margin', ...compared, target: real([-1, -1, -1]), options: { margin: -0.75 } },
    // The least square that keeps the cosine finite is 0 in float16.
    {
      name: 'vectors of zeros',
      otherGradientSince: 14,
      input1: map(left, () => 0),
      input2: right,
      target: alike,
      byConvention: true,
      dtypes: ['float64', 'float32'],
    },
  ],
  errors: [
    ...misuse(compared),
    ...notNumbers(compared, 'margin'),
    refusedVectors('other features', 'input2', { input2: real([[1, 2]]) }),
    refusedVectors('other pairs', 'input2', { input2: random(28, [2, 4], -1, 1) }),
    refusedVectors('too few targets', 'target', { target: real([1, -1]) }),
    refusedVectors('targets in a column', 'target', { target: real([[1], [-1], [1]]) }),
    refusedVectors('one target without a dimension', 'input1', { target: real(1) }),
    refusedVectors('one vector as second input', 'input2', { input2: real([1, 2, 3, 4]) }),
    refusedVectors('vectors of images', 'input1', { input1: random(29, [3, 4, 2], -1, 1) }),
    refusedVectors('the option of another loss', 'p', { options: { p: 1 }, code: 'UNKNOWN_OPTION' }),
  ],
});

type Triplet = 'anchor' | 'positive' | 'negative';

const triplet = tripletOf(40, [3, 4]);

function tripletOf(seed: number, shape: readonly number[]): Record<Triplet, Values> {
  return {
    anchor: random(seed, shape, -2, 2),
    positive: random(seed + 1, shape, -2, 2),
    negative: random(seed + 2, shape, -2, 2),
  };
}

/** Shapes and margins that both losses of triplets take; the losses are differences of distances up to 5. */
const triplets: readonly Written<Triplet>[] = [
  { name: 'a batch', ...triplet, terms: 5 },
  { name: 'unbatched', ...tripletOf(43, [4]), terms: 5 },
  { name: 'one feature', ...tripletOf(46, [5, 1]), terms: 5 },
  { name: 'many features', ...tripletOf(49, [3, 67]), terms: 5 },
  { name: 'many triplets', ...tripletOf(52, [40, 4]), terms: 5 },
  { name: 'three dimensions', ...tripletOf(55, [2, 3, 4]), terms: 5 },
  { name: 'no triplets', ...tripletOf(58, [0, 4]), terms: 5 },
  { name: 'one anchor for all', ...triplet, anchor: random(61, [1, 4], -2, 2), terms: 5 },
  { name: 'one negative for all', ...triplet, negative: random(62, [1, 4], -2, 2), terms: 5 },
  { name: 'a margin', ...triplet, options: { margin: 3.5 }, terms: 5 },
  { name: 'swap', ...triplet, options: { swap: true }, terms: 5 },
  { name: 'a margin and swap', ...tripletOf(63, [9, 4]), options: { margin: 2, swap: true }, terms: 5 },
];

const refusedTriplet = (
  name: string,
  argument: string,
  change: Partial<WrittenError<Triplet>>,
): WrittenError<Triplet> => ({ name, ...triplet, code: 'RUNTIME', argument, ...change });

const tripletErrors: readonly WrittenError<Triplet>[] = [
  ...misuse(triplet),
  ...notNumbers(triplet, 'margin'),
  ...notFlags(triplet, 'swap'),
  ...[0, -1, Number.NEGATIVE_INFINITY].map((margin) =>
    refusedTriplet(`a margin of ${margin}`, 'margin', { options: { margin }, code: 'INVALID_ARGUMENT' }),
  ),
  refusedTriplet("PyTorch's spelling", 'distance_function', {
    options: { distance_function: 1 },
    code: 'UNKNOWN_OPTION',
  }),
];

/** Of as many dimensions, but of sizes that do not broadcast. */
const otherShapes: readonly WrittenError<Triplet>[] = [
  refusedTriplet('a positive of other features', 'positive', { positive: real([[1, 2]]) }),
  refusedTriplet('a negative of other rows', 'negative', { negative: random(66, [2, 4], -1, 1) }),
];

/** The distances of an anchor from what is alike and from what is not. */
export const tripletMarginLoss = define({
  name: 'tripletMarginLoss',
  takes: ['anchor', 'positive', 'negative'],
  module: 'TripletMarginLoss',
  differentiable: ['anchor', 'positive', 'negative'],
  valid: [
    ...triplets,
    { name: 'p of 1', ...triplet, options: { p: 1 } },
    { name: 'p of 3', ...triplet, options: { p: 3 }, terms: 5 },
    { name: 'p of 1.5 and swap', ...triplet, options: { p: 1.5, swap: true } },
    { name: 'p of infinity', ...triplet, options: { p: Number.POSITIVE_INFINITY } },
    // It counts the differences: that has no gradient.
    { name: 'p of 0', ...triplet, options: { p: 0 }, gradients: [] },
    { name: 'a large eps', ...triplet, options: { eps: 0.25 } },
  ],
  errors: [
    ...tripletErrors,
    ...notNumbers(triplet, 'p', 'eps'),
    ...otherShapes,
    refusedTriplet('a positive of fewer dimensions', 'positive', { positive: real([1, 2, 3, 4]) }),
    refusedTriplet('a negative of more dimensions', 'negative', { negative: random(67, [1, 3, 4], -1, 1) }),
  ],
});

/** The same by any distance. */
export const tripletMarginWithDistanceLoss = define({
  name: 'tripletMarginWithDistanceLoss',
  takes: ['anchor', 'positive', 'negative'],
  module: 'TripletMarginWithDistanceLoss',
  differentiable: ['anchor', 'positive', 'negative'],
  valid: triplets,
  errors: [
    ...tripletErrors,
    // The reference leaves shapes to its distance, which names its own arguments.
    ...otherShapes.map((errorCase) => ({ ...errorCase, nativeOnly: true as const })),
    ...[1, {}, 'cosine'].map((distanceFunction) =>
      refusedTriplet(`${typeof distanceFunction} ${distanceFunction} as distance`, 'distanceFunction', {
        options: { distanceFunction },
        code: 'INVALID_ARGUMENT',
      }),
    ),
    refusedTriplet('p, which is the distance', 'p', { options: { p: 1 }, code: 'UNKNOWN_OPTION' }),
    refusedTriplet('a positive of fewer dimensions', 'positive', {
      positive: real([1, 2, 3, 4]),
      code: 'INVALID_ARGUMENT',
    }),
    refusedTriplet('a negative of more dimensions', 'negative', {
      negative: random(67, [1, 3, 4], -1, 1),
      code: 'INVALID_ARGUMENT',
    }),
  ],
});
