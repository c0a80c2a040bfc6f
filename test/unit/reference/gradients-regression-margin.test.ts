/**
 * The hand-derived gradients of regression, likelihoods, margins and embeddings against central differences, over the
 * grid of options, under a random upstream gradient. Random numbers keep off the kinks of the formulas.
 */
import {
  cosineEmbeddingLoss,
  cosineSimilarity,
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
import { reductions } from '../../../lib/types';
import { checkGradients, grid, Random } from './support';

type Arrays = Readonly<Record<string, NdArray>>;

/** Shapes of an input and of what broadcasts with it. */
const pairs: readonly (readonly [number[], number[]])[] = [
  [[], []],
  [[3], [3]],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[3], [2, 3]],
];

function signs(random: Random, shape: readonly number[]): NdArray {
  return NdArray.from({ data: random.integers(shape, 2).data.map((bit) => 2 * bit - 1), shape });
}

describe('regression', () => {
  const losses = [
    ['l1Loss', l1Loss, {}],
    ['mseLoss', mseLoss, {}],
    ['huberLoss', huberLoss, {}],
    ['huberLoss', huberLoss, { delta: 0.4 }],
    ['smoothL1Loss', smoothL1Loss, {}],
    ['smoothL1Loss', smoothL1Loss, { beta: 0.4 }],
    ['smoothL1Loss', smoothL1Loss, { beta: 0 }],
  ] as const;
  test.each(
    grid({ losses, pairs, weighted: [false, true], reduction: reductions }).filter(
      ({ losses: [, loss], weighted }) => !weighted || loss !== smoothL1Loss,
    ),
  )('%j', ({ losses: [, loss, options], pairs: [inputShape, targetShape], weighted, reduction }) => {
    const random = new Random(21);
    const at = {
      input: random.array(inputShape, -2, 2),
      target: random.array(targetShape, -2, 2),
      ...(weighted && { weight: random.array(inputShape, 0.5, 2) }),
    };
    checkGradients(at, ({ input, target, weight }: Arrays) =>
      loss(input as NdArray, target as NdArray, { ...options, reduction, ...(weight && { weight }) } as never),
    );
  });
});

describe('likelihoods', () => {
  test.each(grid({ pairs, logInput: [true, false], full: [false, true], eps: [1e-8, 0.5], reduction: reductions }))(
    'poissonNllLoss: %j',
    ({ pairs: [inputShape, targetShape], ...options }) => {
      const random = new Random(22);
      const at = { input: random.array(inputShape, 0.2, 2), target: random.array(targetShape, 0.2, 4) };
      checkGradients(at, ({ input, target }) => poissonNllLoss(input as NdArray, target as NdArray, options));
    },
  );

  const variances = [[2, 3], [2], [2, 1], [1, 3]];
  test.each(grid({ variances, targets: [[2, 3], [3], [2, 1], []], full: [false, true], reduction: reductions }))(
    'gaussianNllLoss: %j',
    ({ variances, targets, ...options }) => {
      const random = new Random(23);
      const at = {
        input: random.array([2, 3], -2, 2),
        target: random.array(targets, -2, 2),
        variance: random.array(variances, 0.2, 2),
      };
      checkGradients(at, ({ input, target, variance }) =>
        gaussianNllLoss(input as NdArray, target as NdArray, variance as NdArray, options),
      );
    },
  );
});

describe('margins', () => {
  test.each(grid({ pairs, margin: [1, 0.3], reduction: reductions }))(
    'hingeEmbeddingLoss: %j',
    ({ pairs: [inputShape, targetShape], ...options }) => {
      const random = new Random(24);
      const target = random.integers(targetShape, 3).data.map((third) => third - 1);
      checkGradients({ input: random.array(inputShape, -2, 2) }, ({ input }) =>
        hingeEmbeddingLoss(input as NdArray, { data: target, shape: targetShape }, options),
      );
    },
  );

  test.each(grid({ shape: [[], [3], [2, 3]], reduction: reductions }))(
    'softMarginLoss: %j',
    ({ shape, ...options }) => {
      const random = new Random(25);
      const target = signs(random, shape.slice(1));
      checkGradients({ input: random.array(shape, -3, 3) }, ({ input }) =>
        softMarginLoss(input as NdArray, target, options),
      );
    },
  );

  test.each(
    grid({
      shape: [[4], [3, 4]],
      p: [1, 2],
      margin: [1, 0.5],
      weight: [undefined, [0.5, 2, 1.25, 0]],
      reduction: reductions,
    }),
  )('multiMarginLoss: %j', ({ shape, ...options }) => {
    const random = new Random(26);
    const target = random.integers(shape.slice(0, -1), 4);
    checkGradients({ input: random.array(shape, -1, 1) }, ({ input }) =>
      multiMarginLoss(input as NdArray, target, options),
    );
  });

  test.each(grid({ shape: [[4], [3, 4]], reduction: reductions }))(
    'multilabelMarginLoss: %j',
    ({ shape, ...options }) => {
      const rows = [
        [2, 0, -1, 1],
        [3, -1, 3, 3],
        [1, 1, 0, -1],
      ];
      checkGradients({ input: new Random(27).array(shape, -1, 1) }, ({ input }) =>
        multilabelMarginLoss(input as NdArray, shape.length === 1 ? (rows[0] as number[]) : rows, options),
      );
    },
  );

  test.each(
    grid({
      shapes: [
        [[3], [3], [3]],
        [[2, 3], [3], [1]],
        [
          [2, 3],
          [2, 1],
          [2, 3],
        ],
        [[3], [2, 3], []],
      ],
      weighted: [false, true],
      reduction: reductions,
    }),
  )('multilabelSoftMarginLoss: %j', ({ shapes, weighted, ...options }) => {
    const random = new Random(28);
    const [input, target, weight] = shapes as [number[], number[], number[]];
    const at = {
      input: random.array(input, -3, 3),
      target: random.array(target, -0.5, 1.5),
      ...(weighted && { weight: random.array(weight, 0.5, 2) }),
    };
    checkGradients(at, ({ input, target, weight }: Arrays) =>
      multilabelSoftMarginLoss(input as NdArray, target as NdArray, { ...options, weight }),
    );
  });
});

describe('embeddings', () => {
  const triples: readonly (readonly [number[], number[], number[]])[] = [
    [[], [], []],
    [[3], [3], [1]],
    [
      [2, 1],
      [1, 3],
      [2, 3],
    ],
  ];

  test.each(grid({ triples, margin: [0, 0.5], reduction: reductions }))(
    'marginRankingLoss: %j',
    ({ triples: [first, second, third], ...options }) => {
      const random = new Random(29);
      const at = {
        input1: random.array(first, -2, 2),
        input2: random.array(second, -2, 2),
        target: random.array(third, -2, 2),
      };
      checkGradients(at, ({ input1, input2, target }) =>
        marginRankingLoss(input1 as NdArray, input2 as NdArray, target as NdArray, options),
      );
    },
  );

  test.each(
    grid({
      triples: [
        [[3], [3], []],
        [[3], [1], []],
        [[4, 3], [4, 3], [4]],
        [[1, 3], [4, 1], [4]],
        [[1, 3], [1, 3], [4]],
      ],
      margin: [0, -0.5],
      reduction: reductions,
    }),
  )('cosineEmbeddingLoss: %j', ({ triples, ...options }) => {
    const random = new Random(30);
    const [first, second, third] = triples as [number[], number[], number[]];
    const target = signs(random, third);
    const at = { input1: random.array(first, -2, 2), input2: random.array(second, -2, 2) };
    checkGradients(at, ({ input1, input2 }) =>
      cosineEmbeddingLoss(input1 as NdArray, input2 as NdArray, target, options),
    );
  });

  const infinity = Number.POSITIVE_INFINITY;
  test.each(grid({ pairs, p: [2, 1, 0, 0.5, 1.5, 3, -1, infinity, -infinity], keepdim: [false, true] }))(
    'pairwiseDistance: %j',
    ({ pairs: [first, second], ...options }) => {
      const random = new Random(31);
      const at = { x1: random.array(first, -2, 2), x2: random.array(second, -2, 2) };
      checkGradients(at, ({ x1, x2 }) => pairwiseDistance(x1 as NdArray, x2 as NdArray, options));
    },
  );

  test.each(grid({ pairs, dim: [0, -1] }))('cosineSimilarity: %j', ({ pairs: [first, second], dim }) => {
    const random = new Random(32);
    const at = { x1: random.array(first, 0.5, 2), x2: random.array(second, -2, 2) };
    checkGradients(at, ({ x1, x2 }) => cosineSimilarity(x1 as NdArray, x2 as NdArray, { dim }));
  });

  const shapes = [
    [[3], [3], [3]],
    [
      [4, 3],
      [4, 3],
      [4, 3],
    ],
    [
      [4, 3],
      [1, 3],
      [4, 1],
    ],
  ] as const;
  const distances = [
    undefined,
    (x1: NdArray, x2: NdArray) => pairwiseDistance(x1, x2, { p: 3 }),
    (x1: NdArray, x2: NdArray) => cosineSimilarity(x1, x2, { dim: -1 }),
  ];
  const at = (random: Random, [a, p, n]: readonly (readonly number[])[]): Record<string, NdArray> => ({
    anchor: random.array(a as number[], -2, 2),
    positive: random.array(p as number[], -2, 2),
    negative: random.array(n as number[], -2, 2),
  });

  test.each(grid({ shapes, p: [2, 1, 3], margin: [1, 3], swap: [false, true], reduction: reductions }))(
    'tripletMarginLoss: %j',
    ({ shapes, ...options }) => {
      checkGradients(at(new Random(33), shapes), ({ anchor, positive, negative }) =>
        tripletMarginLoss(anchor as NdArray, positive as NdArray, negative as NdArray, options),
      );
    },
  );

  test.each(grid({ shapes, distanceFunction: distances, swap: [false, true], reduction: reductions }))(
    'tripletMarginWithDistanceLoss: %j',
    ({ shapes, ...options }) => {
      checkGradients(at(new Random(34), shapes), ({ anchor, positive, negative }) =>
        tripletMarginWithDistanceLoss(anchor as NdArray, positive as NdArray, negative as NdArray, options),
      );
    },
  );
});
