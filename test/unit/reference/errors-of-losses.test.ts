/** Invalid input of the losses with more arguments or checks of their own, in the words of the one formula. */
import {
  adaptiveLogSoftmaxWithLoss,
  cosineEmbeddingLoss,
  cosineSimilarity,
  ctcLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  l1Loss,
  linearCrossEntropy,
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
import { refusal } from './support';

const half = [0.5, 0.5];
const three = [1, 2, 3];
const matrix = [three, three];
const steps = NdArray.zeros([4, 2, 3]);
const head = [[0], [0], [0]];
const tail = [[[[1]], [[0], [0]]]] as const;

const pointwise = [
  ['l1Loss', l1Loss],
  ['mseLoss', mseLoss],
  ['smoothL1Loss', smoothL1Loss],
  ['huberLoss', huberLoss],
  ['poissonNllLoss', poissonNllLoss],
  ['hingeEmbeddingLoss', hingeEmbeddingLoss],
  ['multilabelSoftMarginLoss', multilabelSoftMarginLoss],
] as const;

type Case = readonly [call: () => unknown, message: string];

const regression: readonly Case[] = [
  ...pointwise.map(
    ([name, loss]): Case => [
      () => loss(matrix, half),
      `${name}: expected 'target' to have a shape that broadcasts with [2, 3], but received [2]`,
    ],
  ),
  ...(
    [
      ['l1Loss', l1Loss],
      ['mseLoss', mseLoss],
      ['huberLoss', huberLoss],
    ] as const
  ).map(
    ([name, loss]): Case => [
      () => loss(three, matrix, { weight: matrix }),
      `${name}: expected option 'weight' to have shape [3], as the input has, but received [2, 3]`,
    ],
  ),
  ...(
    [
      [-1, '-1'],
      [Number.NaN, 'NaN'],
      ['1' as never, '"1"'],
    ] as const
  ).map(
    ([beta, shown]): Case => [
      () => smoothL1Loss(half, half, { beta }),
      `smoothL1Loss: expected option 'beta' to be a number in [0, Infinity], but received ${shown}`,
    ],
  ),
  ...[-1, 0, Number.NaN].map(
    (delta): Case => [
      () => huberLoss(half, half, { delta }),
      `huberLoss: expected option 'delta' to be a number > 0, but received ${delta}`,
    ],
  ),
];

const likelihoods: readonly Case[] = [
  [
    () => poissonNllLoss(half, half, { logInput: 0 as never }),
    "poissonNllLoss: expected option 'logInput' to be true or false, but received 0",
  ],
  [
    () => poissonNllLoss(half, half, { eps: '0' as never }),
    'poissonNllLoss: expected option \'eps\' to be a number, but received "0"',
  ],
  [
    () => gaussianNllLoss(matrix, matrix, three),
    "gaussianNllLoss: expected 'variance' to be a number or have shape [2, 3], [2] or one with a single axis of size 1 instead, but received [3]",
  ],
  [
    () => gaussianNllLoss(matrix, matrix, [[1]]),
    "gaussianNllLoss: expected 'variance' to be a number or have shape [2, 3], [2] or one with a single axis of size 1 instead, but received [1, 1]",
  ],
  [
    () => gaussianNllLoss(1, 1, half),
    "gaussianNllLoss: expected 'variance' to be a number or have shape [] or one with a single axis of size 1 instead, but received [2]",
  ],
  [
    () => gaussianNllLoss(half, half, [1, -1]),
    "gaussianNllLoss: expected 'variance' to hold numbers >= 0, but received -1",
  ],
  [() => gaussianNllLoss(half, half, -2), "gaussianNllLoss: expected 'variance' to hold numbers >= 0, but received -2"],
  [
    () => gaussianNllLoss(half, three, 1),
    "gaussianNllLoss: expected 'target' to have a shape that broadcasts with [2], but received [3]",
  ],
  [
    () => gaussianNllLoss(half, half, 1, { full: 'yes' as never }),
    'gaussianNllLoss: expected option \'full\' to be true or false, but received "yes"',
  ],
];

const margins: readonly Case[] = [
  [
    () => softMarginLoss(half, matrix),
    "softMarginLoss: expected 'target' to have a shape that broadcasts to [2], but received [2, 3]",
  ],
  [
    () => hingeEmbeddingLoss(half, half, { margin: '1' as never }),
    'hingeEmbeddingLoss: expected option \'margin\' to be a number, but received "1"',
  ],
  [
    () => multiMarginLoss(NdArray.zeros([2, 0]), [0, 0]),
    "multiMarginLoss: expected 'input' to have shape [C] or [N, C] with C > 0, but received [2, 0]",
  ],
  [
    () => multiMarginLoss([matrix], [0]),
    "multiMarginLoss: expected 'input' to have shape [C] or [N, C] with C > 0, but received [1, 2, 3]",
  ],
  [() => multiMarginLoss(matrix, [0]), "multiMarginLoss: expected 'target' to have shape [2], but received [1]"],
  [
    () => multiMarginLoss(three, [[0]]),
    "multiMarginLoss: expected 'target' to have shape [] or [1], but received [1, 1]",
  ],
  ...[-1, 3, 0.5].map(
    (label): Case => [
      () => multiMarginLoss(matrix, [0, label]),
      `multiMarginLoss: expected 'target' to hold class indices in [0, 2], but received ${label}`,
    ],
  ),
  ...[0, 3, 1.5].map(
    (p): Case => [
      () => multiMarginLoss(matrix, [0, 0], { p }),
      `multiMarginLoss: expected option 'p' to be 1 or 2, but received ${p}`,
    ],
  ),
  [
    () => multiMarginLoss(matrix, [0, 0], { weight: half }),
    "multiMarginLoss: expected option 'weight' to have shape [3], one weight a class, but received [2]",
  ],
  [
    () => multilabelMarginLoss([three], three),
    "multilabelMarginLoss: expected 'target' to have shape [1, 3], but received [3]",
  ],
  [
    () => multilabelMarginLoss(three, [-1, 0, 3]),
    "multilabelMarginLoss: expected 'target' to hold class indices in [-1, 2], but received 3",
  ],
  [
    () => multilabelMarginLoss([], []),
    "multilabelMarginLoss: expected 'input' to have shape [C] or [N, C] with C > 0, but received [0]",
  ],
  [
    () => multilabelSoftMarginLoss(1, 1),
    "multilabelSoftMarginLoss: expected 'input' to have at least 1 dimension, but received shape []",
  ],
  [
    () => multilabelSoftMarginLoss(three, three, { weight: half }),
    "multilabelSoftMarginLoss: expected option 'weight' to have a shape that broadcasts with [3], but received [2]",
  ],
];

const embeddings: readonly Case[] = [
  [
    () => marginRankingLoss(half, [half], half),
    "marginRankingLoss: expected 'input2' to have 1 dimension, as 'input1' has, but received [1, 2]",
  ],
  [
    () => marginRankingLoss(half, half, 1),
    "marginRankingLoss: expected 'target' to have 1 dimension, as 'input1' has, but received []",
  ],
  [
    () => marginRankingLoss(half, half, three),
    "marginRankingLoss: expected 'target' to have a shape that broadcasts with [2], but received [3]",
  ],
  [
    () => cosineEmbeddingLoss(matrix, matrix, [[1]]),
    "cosineEmbeddingLoss: expected 'target' to have 0 or 1 dimensions, but received [1, 1]",
  ],
  [
    () => cosineEmbeddingLoss(three, matrix, [1]),
    "cosineEmbeddingLoss: expected 'input1' to have 2 dimensions, one more than the target, but received [3]",
  ],
  [
    () => cosineEmbeddingLoss(three, matrix, 1),
    "cosineEmbeddingLoss: expected 'input2' to have 1 dimension, one more than the target, but received [2, 3]",
  ],
  [
    () => cosineEmbeddingLoss(matrix, matrix, three),
    "cosineEmbeddingLoss: expected 'target' to have a shape that broadcasts with [2], but received [3]",
  ],
  [
    () => pairwiseDistance(half, three),
    "pairwiseDistance: expected 'x2' to have a shape that broadcasts with [2], but received [3]",
  ],
  [
    () => pairwiseDistance([], [], { p: Number.POSITIVE_INFINITY }),
    "pairwiseDistance: expected 'x1' to have vectors of elements, as p is Infinity, but received shape [0]",
  ],
  [() => cosineSimilarity(half, half), "cosineSimilarity: expected 'dim' to be an integer in [-1, 0], but received 1"],
  ...[0, -1].flatMap((margin): Case[] => [
    [
      () => tripletMarginLoss(half, half, half, { margin }),
      `tripletMarginLoss: expected option 'margin' to be a number > 0, but received ${margin}`,
    ],
    [
      () => tripletMarginWithDistanceLoss(half, half, half, { margin }),
      `tripletMarginWithDistanceLoss: expected option 'margin' to be a number > 0, but received ${margin}`,
    ],
  ]),
  [
    () => tripletMarginLoss(half, [half], half),
    "tripletMarginLoss: expected 'positive' to have 1 dimension, as 'anchor' has, but received [1, 2]",
  ],
  [
    () => tripletMarginLoss(half, half, three),
    "tripletMarginLoss: expected 'negative' to have a shape that broadcasts with [2], but received [3]",
  ],
  [
    () => tripletMarginLoss(half, half, half, { swap: 1 as never }),
    "tripletMarginLoss: expected option 'swap' to be true or false, but received 1",
  ],
  [
    () => tripletMarginWithDistanceLoss(half, half, half, { distanceFunction: 'cosine' as never }),
    'tripletMarginWithDistanceLoss: expected option \'distanceFunction\' to be a function, but received "cosine"',
  ],
  [
    () => tripletMarginWithDistanceLoss(half, half, half, { distanceFunction: (() => 1) as never }),
    "tripletMarginWithDistanceLoss: expected option 'distanceFunction' to give { value, backward } as pairwiseDistance does, but received 1",
  ],
];

const sequences: readonly Case[] = [
  ...[[4], [4, 0, 3], [0, 2, 3], [4, 2, 3, 1]].map(
    (shape): Case => [
      () => ctcLoss(NdArray.zeros(shape), [1], [4], [1]),
      `ctcLoss: expected 'logProbs' to have shape [T, N, C] or [T, C], no size being 0, but received [${shape.join(', ')}]`,
    ],
  ),
  [
    () => ctcLoss(steps, [1, 1], [4, 4], [1, 1], { blank: 3 }),
    "ctcLoss: expected option 'blank' to be an integer in [0, 2], but received 3",
  ],
  [
    () => ctcLoss(steps, [1, 1], [4], [1, 1]),
    "ctcLoss: expected 'inputLengths' to hold 2 lengths, one a sequence, but received [1]",
  ],
  [
    () => ctcLoss(steps, [1, 1], [4, 5], [1, 1]),
    "ctcLoss: expected 'inputLengths' to be an integer in [0, 4], but received 5",
  ],
  [
    () => ctcLoss(steps, [1, 1], [4, 4], [1, -1]),
    "ctcLoss: expected 'targetLengths' to be an integer in [0, Infinity], but received -1",
  ],
  [
    () => ctcLoss(steps, [1, 1, 1], [4, 4], [1, 1]),
    "ctcLoss: expected 'targets' to have shape [2, S] with S >= 1, or [2], as the lengths say, but received [3]",
  ],
  [
    () => ctcLoss(steps, [[1], [1]], [4, 4], [2, 1]),
    "ctcLoss: expected 'targets' to have shape [2, S] with S >= 2, or [3], as the lengths say, but received [2, 1]",
  ],
  ...[-1, 3, 2 ** 40, 0.5].map(
    (label): Case => [
      () => ctcLoss(steps, [1, label], [4, 4], [1, 1]),
      `ctcLoss: expected 'targets' to hold labels in [0, 2], but received ${label}`,
    ],
  ),
  [
    () => ctcLoss(steps, [1, 1], [4, 4], [1, 1], { zeroInfinity: 1 as never }),
    "ctcLoss: expected option 'zeroInfinity' to be true or false, but received 1",
  ],
];

const linear: readonly Case[] = [
  [
    () => linearCrossEntropy([matrix], matrix, [0]),
    "linearCrossEntropy: expected 'input' to have shape [K] or [N, K], but received [1, 2, 3]",
  ],
  [
    () => linearCrossEntropy(matrix, [half], [0, 0]),
    "linearCrossEntropy: expected 'linearWeight' to have shape [C, 3] or [C, d1…dk, 3], but received [1, 2]",
  ],
  [
    () => linearCrossEntropy(three, [matrix], 0),
    "linearCrossEntropy: expected 'linearWeight' to have shape [C, 3], but received [1, 2, 3]",
  ],
  [
    () => linearCrossEntropy(matrix, matrix, [0, 0], { linearBias: three }),
    "linearCrossEntropy: expected option 'linearBias' to have shape [2], but received [3]",
  ],
  [
    () => linearCrossEntropy(matrix, matrix, [0, 2]),
    "linearCrossEntropy: expected 'target' to hold class indices in [0, 1], or the ignored -100, but received 2",
  ],
  [
    () => linearCrossEntropy(matrix, matrix, [0]),
    "linearCrossEntropy: expected 'target' to have shape [2] or [2, 2], but received [1]",
  ],
  [
    () => linearCrossEntropy(matrix, matrix, [half, half], { ignoreIndex: -1 }),
    "linearCrossEntropy: expected option 'ignoreIndex' to be absent, as class probabilities have nothing to ignore, but received -1",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([[1]], [[0]], { head, tail }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'target' to have shape [] or [N], but received [1, 1]",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([[1]], [0, 1], { head, tail }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'input' to have shape [2, K], as the target has [2], but received [1, 1]",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([[1]], 0, { head, tail }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'input' to have shape [K], as the target has [], but received [1, 1]",
  ],
  ...[-1, 4, 0.5].map(
    (label): Case => [
      () => adaptiveLogSoftmaxWithLoss([1], label, { head, tail }, [2]),
      `adaptiveLogSoftmaxWithLoss: expected 'target' to hold class indices in [0, 3], but received ${label}`,
    ],
  ),
  ...[[], [0], [2, 2], [1.5]].map(
    (cutoffs): Case => [
      () => adaptiveLogSoftmaxWithLoss([1], 0, { head, tail }, cutoffs),
      `adaptiveLogSoftmaxWithLoss: expected 'cutoffs' to be integers > 0 that rise, at least one, but received [${cutoffs.join(', ')}]`,
    ],
  ),
  [
    () => adaptiveLogSoftmaxWithLoss([1], 0, { head, tail }, [2, 4]),
    "adaptiveLogSoftmaxWithLoss: expected 'tail' to have 2 clusters, one a cutoff, but received an array of length 1",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([1], 0, { head, tail: [1] as never }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'tail[0][0]' to be numbers nested in arrays, a typed array or { data, shape }, but received undefined",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([1], 0, { head: [[0]], tail }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'head' to have shape [3, 1], but received [1, 1]",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([1], 0, { head, headBias: [0], tail }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'headBias' to have shape [3], but received [1]",
  ],
  [
    () => adaptiveLogSoftmaxWithLoss([1], 0, { head, tail: [[[[1]], [half]]] }, [2]),
    "adaptiveLogSoftmaxWithLoss: expected 'tail[0][1]' to have shape [n, 1], but received [1, 2]",
  ],
];

test.each(
  [...regression, ...likelihoods, ...margins, ...embeddings, ...sequences, ...linear].map(
    ([call, message]) => [message, call] as const,
  ),
)('%s', (message, call) => {
  const error = refusal(call);
  expect(error.message).toBe(message);
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(message).toContain(`'${error.argument}'`);
  expect(message.startsWith(`${error.op}: `)).toBe(true);
});

describe.each([
  ['gaussianNllLoss', (...rest: unknown[]) => gaussianNllLoss(half, half, 1, ...(rest as []))],
  ['marginRankingLoss', (...rest: unknown[]) => marginRankingLoss(half, half, half, ...(rest as []))],
  ['cosineEmbeddingLoss', (...rest: unknown[]) => cosineEmbeddingLoss(half, half, 1, ...(rest as []))],
  ['tripletMarginLoss', (...rest: unknown[]) => tripletMarginLoss(half, half, half, ...(rest as []))],
  [
    'tripletMarginWithDistanceLoss',
    (...rest: unknown[]) => tripletMarginWithDistanceLoss(half, half, half, ...(rest as [])),
  ],
  ['ctcLoss', (...rest: unknown[]) => ctcLoss(steps, [1, 1], [4, 4], [1, 1], ...(rest as []))],
  ['linearCrossEntropy', (...rest: unknown[]) => linearCrossEntropy(matrix, matrix, [0, 1], ...(rest as []))],
])('%s', (name, call) => {
  test('refuses unknown options, reductions that are none, and options that are not an object', () => {
    expect(refusal(() => call({ reductoin: 'sum' }))).toMatchObject({ code: 'UNKNOWN_OPTION', op: name });
    for (const reduction of ['average', 'batchmean', 'Mean', 1]) {
      expect(refusal(() => call({ reduction }))).toMatchObject({ op: name, argument: 'reduction' });
    }
    for (const options of ['mean', [1], new Map()]) {
      expect(refusal(() => call(options))).toMatchObject({ op: name, argument: 'options' });
    }
    expect(() => call({ reduction: undefined })).not.toThrow();
  });
});
