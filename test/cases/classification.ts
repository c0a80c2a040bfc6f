/** Cases of the losses over class scores and over probabilities. */
import { type ErrorCode, show } from '../../lib/errors';
import { define, type Written, type WrittenError } from './case';
import { misuse } from './misuse';
import {
  classes,
  disposed,
  map,
  none,
  random,
  randomClasses,
  randomDistributions,
  real,
  typed,
  type Values,
} from './values';

/** Three rows of scores over four classes, and a class for each. */
const scores = real([
  [1, 2, 0.5, 0.1],
  [0.1, 0.2, 0.3, 0.4],
  [2, 1, 0.1, 0.5],
]);
const labels = classes([1, 3, 0]);
const classWeight = real([0.5, 2, 1.25, 1]);

/** One probability distribution over the classes for each row. */
const distributions = real([
  [0.1, 0.6, 0.2, 0.1],
  [0.25, 0.25, 0.25, 0.25],
  [1, 0, 0, 0],
]);

/** Scores at every place of an image, and a class for each. */
const imageScores = random(1, [2, 4, 3, 2], -3, 3);
const imageLabels = randomClasses(2, [2, 3, 2], 4);

/** Shapes and options of targets that are class indices: what {@link crossEntropy} and {@link nllLoss} share. */
function ofIndices(logarithms: boolean): Written[] {
  const x = (values: Values): Values => (logarithms ? map(values, (score) => score - 4) : values);
  return [
    { name: 'a batch', input: x(scores), target: labels },
    { name: 'one row', input: x(real([[3, -1, 0.5]])), target: classes([2]) },
    { name: 'unbatched', input: x(real([1, 2, 0.5, 0.1])), target: classes(2) },
    {
      name: 'unbatched, with weights',
      input: x(real([1, 2, 0.5, 0.1])),
      target: classes(2),
      options: { weight: classWeight },
    },
    { name: 'one class', input: x(real([[1], [-2]])), target: classes([0, 0]) },
    { name: 'two classes', input: x(random(3, [5, 2], -4, 4)), target: randomClasses(4, [5], 2) },
    { name: 'many classes', input: x(random(5, [3, 67], -4, 4)), target: randomClasses(6, [3], 67) },
    { name: 'many rows', input: x(random(7, [40, 4], -4, 4)), target: randomClasses(8, [40], 4) },
    { name: 'a sequence', input: x(random(9, [2, 4, 5], -3, 3)), target: randomClasses(10, [2, 5], 4) },
    { name: 'an image', input: x(imageScores), target: imageLabels },
    { name: 'a volume', input: x(random(11, [2, 4, 2, 1, 3], -3, 3)), target: randomClasses(12, [2, 2, 1, 3], 4) },
    { name: 'no rows', input: none([0, 4]), target: none([0], 'int64') },
    { name: 'images without pixels', input: none([2, 4, 0, 3]), target: none([2, 0, 3], 'int64') },
    { name: 'class weights', input: x(scores), target: labels, options: { weight: classWeight } },
    { name: 'class weights of an image', input: x(imageScores), target: imageLabels, options: { weight: classWeight } },
    { name: 'a class of weight 0', input: x(scores), target: labels, options: { weight: real([1, 0, 1, 1]) } },
    { name: 'every class of weight 0', input: x(scores), target: labels, options: { weight: real([0, 0, 0, 0]) } },
    { name: 'one ignored target', input: x(scores), target: labels, options: { ignoreIndex: 3 } },
    { name: 'an ignored target that is not a class', input: x(scores), target: classes([1, -100, 0]) },
    {
      name: 'an ignored target beyond the classes',
      input: x(scores),
      target: classes([255, 3, 0]),
      options: { ignoreIndex: 255 },
    },
    { name: 'only ignored targets', input: x(scores), target: classes([-100, -100, -100]) },
    {
      name: 'weights and ignored pixels',
      input: x(imageScores),
      target: imageLabels,
      options: { weight: classWeight, ignoreIndex: 2 },
    },
  ];
}

const crossEntropyCases: Written[] = [
  ...ofIndices(false),
  { name: 'label smoothing', input: scores, target: labels, options: { labelSmoothing: 0.1 } },
  { name: 'full label smoothing', input: scores, target: labels, options: { labelSmoothing: 1 } },
  { name: 'label smoothing of an image', input: imageScores, target: imageLabels, options: { labelSmoothing: 0.3 } },
  {
    name: 'weights, ignored target and label smoothing',
    input: scores,
    target: labels,
    options: { weight: classWeight, ignoreIndex: 0, labelSmoothing: 0.2 },
  },
  {
    name: 'label smoothing with targets of weight 0 only',
    input: scores,
    target: classes([1, 1, 1]),
    options: { weight: real([0.5, 0, 1, 2]), labelSmoothing: 0.1 },
  },
  { name: 'probabilities', input: scores, target: distributions },
  { name: 'probabilities, unbatched', input: real([1, 2, 0.5, 0.1]), target: real([0.1, 0.6, 0.2, 0.1]) },
  { name: 'probabilities of many rows', input: random(13, [20, 5], -4, 4), target: randomDistributions(14, [20, 5]) },
  { name: 'probabilities of an image', input: imageScores, target: random(15, [2, 4, 3, 2], 0, 1) },
  { name: 'probabilities of no rows', input: none([0, 4]), target: none([0, 4]) },
  { name: 'probabilities that sum to something else', input: scores, target: random(16, [3, 4], -1, 2) },
  { name: 'probabilities, label smoothing', input: scores, target: distributions, options: { labelSmoothing: 0.1 } },
  {
    name: 'probabilities, weights and label smoothing',
    input: scores,
    target: distributions,
    options: { weight: classWeight, labelSmoothing: 0.25 },
    gradients: ['input', 'target', 'weight'],
  },
];

/** A call with scores and labels, but for what `change` says. */
function refused(name: string, code: ErrorCode, argument: string, change: Partial<WrittenError>): WrittenError {
  return { name, input: scores, target: labels, code, argument, ...change };
}

/** Refused by {@link crossEntropy} and {@link nllLoss} alike. */
const indexErrors: WrittenError[] = [
  ...misuse({ input: scores, target: labels }),
  refused('a class index beyond the classes', 'INDEX', 'target', { target: classes([1, 4, 0]) }),
  refused('a negative class index', 'INDEX', 'target', { target: classes([1, -1, 0]) }),
  refused('neither a class nor the ignored index', 'INDEX', 'target', {
    target: classes([1, -100, 9]),
    options: { ignoreIndex: 9 },
  }),
  refused('too few targets', 'VALUE', 'target', { target: classes([1, 3]) }),
  refused('targets in a column', 'RUNTIME', 'target', { target: classes([[1], [3], [0]]) }),
  refused('three targets for one row', 'VALUE', 'target', { input: real([1, 2]), target: classes([0, 1, 1]) }),
  refused('an image with a target a row', 'RUNTIME', 'target', { input: imageScores, target: classes([0, 1]) }),
  refused('an image with swapped axes', 'RUNTIME', 'target', {
    input: imageScores,
    target: randomClasses(1, [2, 2, 3], 4),
  }),
  refused('too few weights', 'RUNTIME', 'weight', { options: { weight: real([1, 2, 3]) } }),
  refused('weights in a row', 'RUNTIME', 'weight', { options: { weight: real([[1, 2, 3, 4]]) } }),
  refused('weights of another dtype', 'RUNTIME', 'weight', {
    input: typed('float32', [[1, 2]]),
    target: classes([0]),
    options: { weight: typed('float64', [1, 2]) },
    nativeOnly: true,
  }),
  refused('class indices as int32', 'RUNTIME', 'target', { target: typed('int32', [1, 3, 0]), nativeOnly: true }),
  refused('class indices as real numbers', 'RUNTIME', 'target', { target: real([1, 3, 0]), nativeOnly: true }),
  ...[0.5, Number.NaN, '1'].map((ignoreIndex) =>
    refused(`${show(ignoreIndex)} as ignored index`, 'INVALID_ARGUMENT', 'ignoreIndex', { options: { ignoreIndex } }),
  ),
  refused('scores that are integers', 'NOT_IMPLEMENTED', 'input', {
    input: classes([[1, 2]]),
    target: classes([0]),
    nativeOnly: true,
  }),
  refused('disposed weights', 'DISPOSED', 'weight', { options: { weight: disposed(classWeight) }, nativeOnly: true }),
];

const crossEntropyErrors: WrittenError[] = [
  ...indexErrors,
  // Of the same shape as the target, a number is taken for probabilities.
  refused('a number as input', 'RUNTIME', 'input', { input: real(1), target: classes(0) }),
  ...[-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, '0.1'].map((labelSmoothing) =>
    refused(`label smoothing of ${show(labelSmoothing)}`, 'INVALID_ARGUMENT', 'labelSmoothing', {
      options: { labelSmoothing },
    }),
  ),
  refused('an ignored index with probabilities', 'RUNTIME', 'ignoreIndex', {
    target: distributions,
    options: { ignoreIndex: 1 },
  }),
  refused('integers as probabilities', 'RUNTIME', 'target', {
    input: real([[1, 2]]),
    target: classes([[0, 1]]),
    nativeOnly: true,
  }),
  refused('the option of another loss', 'UNKNOWN_OPTION', 'logTarget', { options: { logTarget: true } }),
];

const nllLossErrors: WrittenError[] = [
  ...indexErrors,
  refused('a number as input', 'VALUE', 'input', { input: real(1), target: classes(0) }),
  refused('label smoothing', 'UNKNOWN_OPTION', 'labelSmoothing', { options: { labelSmoothing: 0 } }),
  refused('probabilities', 'RUNTIME', 'target', { target: distributions }),
];

/** Probabilities of a yes, and what was true or how likely. */
const chances = real([
  [0.1, 0.9, 0.5],
  [0.75, 0.25, 0.6],
]);
const outcomes = real([
  [0, 1, 1],
  [0.5, 0.25, 0],
]);
const odds = map(chances, (p) => Math.log(p / (1 - p)));
const elementWeight = real([
  [1, 2, 0.5],
  [0, 1.5, 1],
]);

/** Shapes and weights of {@link binaryCrossEntropy} and {@link binaryCrossEntropyWithLogits}. */
function ofPairs(x: (chances: Values) => Values): Written[] {
  const pair = (seed: number, shape: readonly number[]): Record<'input' | 'target', Values> => ({
    input: x(random(seed, shape, 0.05, 0.95)),
    target: random(seed + 1, shape, 0, 1),
  });
  return [
    { name: 'a table', input: x(chances), target: outcomes },
    { name: 'one number', input: x(real(0.25)), target: real(1) },
    { name: 'a row', ...pair(20, [7]) },
    { name: 'many numbers', ...pair(22, [67]) },
    { name: 'four dimensions', ...pair(24, [2, 3, 2, 2]) },
    { name: 'nothing', input: none([0, 3]), target: none([0, 3]) },
    { name: 'a weight an element', input: x(chances), target: outcomes, options: { weight: elementWeight } },
    { name: 'a weight a column', input: x(chances), target: outcomes, options: { weight: real([1, 2, 0.5]) } },
    { name: 'a weight a row', input: x(chances), target: outcomes, options: { weight: real([[0.5], [2]]) } },
    { name: 'one weight', input: x(chances), target: outcomes, options: { weight: real(3) } },
    { name: 'only weights of 0', input: x(chances), target: outcomes, options: { weight: real([0, 0, 0]) } },
  ];
}

const binaryCrossEntropyWithLogitsCases: Written[] = [
  ...ofPairs((p) => map(p, (p) => Math.log(p / (1 - p)))),
  { name: 'a positive weight a column', input: odds, target: outcomes, options: { posWeight: real([3, 0.5, 1]) } },
  { name: 'one positive weight', input: odds, target: outcomes, options: { posWeight: real(2) } },
  {
    name: 'weights of both kinds',
    input: odds,
    target: outcomes,
    options: { weight: elementWeight, posWeight: real([[2], [0.25]]) },
  },
  { name: 'logits of great size', input: real([30, -30, 80, -80]), target: real([1, 0, 0, 1]) },
  { name: 'targets outside of [0, 1]', input: odds, target: random(26, [2, 3], -1, 2) },
];

/** Refused by both; `code` is that of weights that do not broadcast, which one of them leaves to libtorch. */
function pairErrors(input: Values, target: Values, code: ErrorCode): WrittenError[] {
  const wrong = { input, target, code: 'INVALID_ARGUMENT' } as const;
  const weight = { ...wrong, argument: 'weight' };
  return [
    ...misuse({ input, target }),
    { ...wrong, name: 'a target of another shape', target: real([[1, 0, 1]]), argument: 'target' },
    { ...wrong, name: 'a target that would broadcast', target: real([1, 0, 1]), argument: 'target' },
    { ...weight, name: 'a weight of another shape', options: { weight: real([1, 2]) }, code },
    { ...weight, name: 'a weight with more axes', options: { weight: random(1, [2, 2, 3], 0, 1) }, code },
    { ...weight, name: 'text as weight', options: { weight: '1' } },
    {
      ...weight,
      name: 'a disposed weight',
      options: { weight: disposed(real([1])) },
      code: 'DISPOSED',
      nativeOnly: true,
    },
    {
      ...wrong,
      name: 'integers',
      input: classes([0, 1]),
      target: classes([0, 1]),
      code: 'NOT_IMPLEMENTED',
      argument: 'input',
      nativeOnly: true,
    },
  ];
}

const outside = [-0.1, 1.5, Number.NaN].flatMap((wrong): WrittenError[] => [
  { name: `an input of ${wrong}`, input: real([0.5, wrong]), target: real([0, 1]), code: 'RUNTIME', argument: 'input' },
  {
    name: `a target of ${wrong}`,
    input: real([0.5, 0.5]),
    target: real([wrong, 1]),
    code: 'RUNTIME',
    argument: 'target',
  },
]);

/** Cross entropy over classes. */
export const crossEntropy = define({
  name: 'crossEntropy',
  takes: ['input', 'target'],
  module: 'CrossEntropyLoss',
  differentiable: ['input', 'target'],
  valid: crossEntropyCases,
  errors: crossEntropyErrors,
});

/** Negative log-likelihood. */
export const nllLoss = define({
  name: 'nllLoss',
  takes: ['input', 'target'],
  module: 'NLLLoss',
  differentiable: ['input'],
  valid: ofIndices(true),
  errors: nllLossErrors,
});

/** Binary cross entropy of probabilities. */
export const binaryCrossEntropy = define({
  name: 'binaryCrossEntropy',
  takes: ['input', 'target'],
  module: 'BCELoss',
  differentiable: ['input', 'target'],
  valid: ofPairs((chances) => chances),
  errors: [
    ...pairErrors(chances, outcomes, 'INVALID_ARGUMENT'),
    ...outside,
    {
      name: 'a target of another dtype',
      input: typed('float32', [0.5]),
      target: typed('float64', [1]),
      code: 'RUNTIME',
      argument: 'target',
      nativeOnly: true,
    },
  ],
});

/** Binary cross entropy of logits. */
export const binaryCrossEntropyWithLogits = define({
  name: 'binaryCrossEntropyWithLogits',
  takes: ['input', 'target'],
  module: 'BCEWithLogitsLoss',
  differentiable: ['input', 'target'],
  valid: binaryCrossEntropyWithLogitsCases,
  errors: [
    ...pairErrors(odds, outcomes, 'RUNTIME'),
    {
      name: 'a positive weight of another shape',
      input: odds,
      target: outcomes,
      options: { posWeight: real([1, 2]) },
      code: 'RUNTIME',
      argument: 'posWeight',
    },
  ],
});
