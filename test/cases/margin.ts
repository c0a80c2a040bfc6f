/** Cases of the losses that ask for a margin. */
import { define, type Written, type WrittenError } from './case';
import { misuse, notNumbers } from './misuse';
import { classes, disposed, map, none, random, randomClasses, real, typed, Values } from './values';

/** Distances or scores, and a sign for each: alike or not, yes or no. */
const distances = real([
  [0.25, 0.5, 3],
  [2, 0.75, 0.125],
]);
const signs = real([
  [1, -1, -1],
  [-1, 1, -1],
]);
const pair = { input: distances, target: signs };

function pairOf(seed: number, shape: readonly number[]): { input: Values; target: Values } {
  return { input: random(seed, shape, -3, 3), target: signsOf(seed + 1, shape) };
}

/** 1 and -1, the same in every run. */
function signsOf(seed: number, shape: readonly number[]): Values {
  return map(random(seed, shape, -1, 1), (x) => (x < 0 ? -1 : 1));
}

const bySign: readonly Written[] = [
  { name: 'a table', ...pair },
  { name: 'one number', input: real(0.25), target: real(-1) },
  { name: 'a row', ...pairOf(1, [7]) },
  { name: 'many numbers', ...pairOf(3, [67]) },
  { name: 'four dimensions', ...pairOf(5, [2, 3, 2, 2]) },
  { name: 'nothing', input: none([0, 3]), target: none([0, 3]) },
  { name: 'a sign a column', input: distances, target: real([1, -1, 1]) },
  { name: 'a sign a row', input: distances, target: real([[1], [-1]]) },
  { name: 'one sign', input: distances, target: real(-1) },
  { name: 'targets that are not signs', input: distances, target: random(7, [2, 3], -2, 2) },
];

const bySignErrors: readonly WrittenError[] = [
  ...misuse(pair),
  {
    name: 'a target that does not broadcast',
    input: distances,
    target: real([1, -1]),
    code: 'RUNTIME',
    argument: 'target',
  },
  { name: 'the option of another loss', ...pair, options: { delta: 1 }, code: 'UNKNOWN_OPTION', argument: 'delta' },
];

/** Distances of pairs that are alike or not. */
export const hingeEmbeddingLoss = define({
  name: 'hingeEmbeddingLoss',
  takes: ['input', 'target'],
  module: 'HingeEmbeddingLoss',
  differentiable: ['input'],
  valid: [
    ...bySign,
    { name: 'an input a column', input: real([1.5, 0.5, -2]), target: signs },
    { name: 'a column and a row', input: real([[-1], [2.5]]), target: real([[1, -1, 1]]) },
    { name: 'a margin', ...pair, options: { margin: 2.75 } },
    { name: 'a negative margin', ...pair, options: { margin: -1 } },
    {
      name: 'a distance of the margin',
      input: real([1, 1]),
      target: real([1, -1]),
      byConvention: true,
      otherGradientSince: 14,
    },
    { name: 'signs that are integers', input: distances, target: new Values(signs.data, signs.shape, 'int64') },
  ],
  errors: [...bySignErrors, ...notNumbers(pair, 'margin')],
});

/** The logistic loss. */
export const softMarginLoss = define({
  name: 'softMarginLoss',
  takes: ['input', 'target'],
  module: 'SoftMarginLoss',
  differentiable: ['input'],
  valid: bySign,
  errors: [
    ...bySignErrors,
    { name: 'an input a column', input: real([1.5, 0.5, -2]), target: signs, code: 'RUNTIME', argument: 'target' },
    {
      name: 'integers',
      input: classes([1, 2]),
      target: classes([1, -1]),
      code: 'RUNTIME',
      argument: 'input',
      nativeOnly: true,
    },
  ],
});

/** Three rows of scores over four classes. */
const scores = real([
  [1, 2.25, 0.5, 0.125],
  [0.1, 0.2, 0.3, 0.4],
  [2.25, 1, 0.1, 0.5],
]);
const labels = classes([1, 3, 0]);
const classWeight = real([0.5, 2, 1.25, 1]);

/** What both margin losses over classes refuse, `target` being right for the scores. */
function classErrors(target: Values): WrittenError[] {
  const wrong = { input: scores, target, code: 'RUNTIME', argument: 'target' } as const;
  const wrongInput = { target, code: 'RUNTIME', argument: 'input' } as const;
  return [
    ...misuse({ input: scores, target }),
    { ...wrong, name: 'too few targets', target: classes([1, 3]) },
    { ...wrong, name: 'one target for three rows', target: classes(1) },
    { ...wrongInput, name: 'scores of three dimensions', input: random(10, [2, 3, 4], -1, 1) },
    { ...wrongInput, name: 'no classes', input: none([3, 0]) },
    {
      ...wrong,
      name: 'class indices as real numbers',
      target: new Values(target.data, target.shape),
      nativeOnly: true,
    },
    {
      ...wrong,
      name: 'class indices as int32',
      target: new Values(target.data, target.shape, 'int32'),
      nativeOnly: true,
    },
    ...(['int64', 'float16', 'bfloat16'] as const).map((dtype): WrittenError => {
      const input = new Values(scores.data.map(Math.round), scores.shape, dtype);
      return { ...wrongInput, name: `scores of ${dtype}`, input, code: 'NOT_IMPLEMENTED', nativeOnly: true };
    }),
  ];
}

/** By how much the score of the right class leads. */
export const multiMarginLoss = define({
  name: 'multiMarginLoss',
  takes: ['input', 'target'],
  module: 'MultiMarginLoss',
  differentiable: ['input'],
  dtypes: ['float64', 'float32'],
  valid: [
    { name: 'a batch', input: scores, target: labels },
    { name: 'one row', input: real([[3, -1, 0.5]]), target: classes([2]) },
    { name: 'unbatched', input: real([1, 2, 0.5, 0.1]), target: classes(2) },
    { name: 'unbatched, with a row of one target', input: real([1, 2, 0.5, 0.1]), target: classes([2]) },
    { name: 'one number', input: real(0.5), target: classes(0) },
    { name: 'one class', input: real([[1], [-2]]), target: classes([0, 0]) },
    { name: 'many classes', input: random(11, [3, 67], -4, 4), target: randomClasses(12, [3], 67) },
    { name: 'many rows', input: random(13, [40, 4], -4, 4), target: randomClasses(14, [40], 4) },
    { name: 'no rows', input: none([0, 4]), target: none([0], 'int64') },
    { name: 'class weights', input: scores, target: labels, options: { weight: classWeight } },
    { name: 'squares', input: scores, target: labels, options: { p: 2 } },
    { name: 'a margin', input: scores, target: labels, options: { margin: 0.25 } },
    { name: 'a negative margin', input: scores, target: labels, options: { margin: -0.5 } },
    { name: 'everything', input: scores, target: labels, options: { p: 2, margin: 0.5, weight: classWeight } },
    { name: 'weights of no rows', input: none([0, 4]), target: none([0], 'int64'), options: { weight: classWeight } },
    { name: 'a lead of the margin', input: real([[2, 1, 0]]), target: classes([0]), byConvention: true },
  ],
  errors: [
    ...classErrors(labels),
    ...notNumbers({ input: scores, target: labels }, 'margin'),
    ...[0, 3, 1.5, Number.NaN, '1'].map((p): WrittenError => {
      const name = `${JSON.stringify(p)} as ${typeof p} p`;
      return { name, input: scores, target: labels, options: { p }, code: 'INVALID_ARGUMENT', argument: 'p' };
    }),
    wrongLabels('a class index beyond the classes', [1, 4, 0]),
    wrongLabels('a negative class index', [1, -1, 0]),
    wrongWeight('too few weights', real([1, 2, 3]), 'RUNTIME'),
    wrongWeight('weights in a row', real([[1, 2, 3, 4]]), 'INVALID_ARGUMENT'),
    wrongWeight('one weight', real(1), 'INVALID_ARGUMENT'),
    { ...wrongWeight('weights of another dtype', typed('float64', [1, 2, 3, 4]), 'RUNTIME'), nativeOnly: true },
    { ...wrongWeight('disposed weights', disposed(classWeight), 'DISPOSED'), nativeOnly: true },
  ],
});

function wrongLabels(name: string, target: number[]): WrittenError {
  return { name, input: scores, target: classes(target), code: 'RUNTIME', argument: 'target' };
}

function wrongWeight(name: string, weight: unknown, code: WrittenError['code']): WrittenError {
  return { name, input: scores, target: labels, options: { weight }, code, argument: 'weight' };
}

/** Rows of labels, each as far as the first -1. */
const labelRows = classes([
  [1, 3, -1, -1],
  [0, 1, 2, 3],
  [-1, 2, 0, 1],
]);

/** By how much the scores of several right classes lead. */
export const multilabelMarginLoss = define({
  name: 'multilabelMarginLoss',
  takes: ['input', 'target'],
  module: 'MultiLabelMarginLoss',
  differentiable: ['input'],
  dtypes: ['float64', 'float32'],
  valid: [
    { name: 'a batch', input: scores, target: labelRows },
    { name: 'one row', input: real([[3, -1, 0.5]]), target: classes([[2, 0, -1]]) },
    { name: 'unbatched', input: real([1, 2, 0.5, 0.1]), target: classes([2, -1, 1, 1]) },
    { name: 'one number', input: real(0.5), target: classes(0) },
    { name: 'one class', input: real([[1], [-2]]), target: classes([[0], [-1]]) },
    { name: 'many classes', input: random(20, [3, 67], -4, 4), target: someLabels(21, [3, 67], 5) },
    { name: 'many rows', input: random(22, [40, 4], -4, 4), target: someLabels(23, [40, 4], 2) },
    { name: 'a label twice', input: real([1, 2, 0.5, 0.1]), target: classes([2, 2, -1, 0]) },
    { name: 'labels that are all ends', input: scores, target: map(labelRows, () => -1) },
    { name: 'no rows', input: none([0, 4]), target: none([0, 4], 'int64') },
  ],
  errors: [
    ...classErrors(labelRows),
    { ...wrongLabels('a label beyond the classes', []), target: map(labelRows, (c) => (c === 3 ? 4 : c)) },
    { ...wrongLabels('a label below -1', []), target: map(labelRows, (c) => (c === 3 ? -2 : c)) },
    {
      name: 'a margin',
      input: scores,
      target: labelRows,
      options: { margin: 1 },
      code: 'UNKNOWN_OPTION',
      argument: 'margin',
    },
  ],
});

/** Rows of `count` labels and the end. */
function someLabels(seed: number, [rows, width]: readonly [number, number], count: number): Values {
  const { data, shape } = randomClasses(seed, [rows, width], width);
  return new Values(
    data.map((label, i) => (i % width < count ? label : -1)),
    shape,
    'int64',
  );
}

/** Which of the classes each row has. */
const memberships = real([
  [1, 0, 0, 1],
  [0, 1, 1, 0.25],
  [0, 0, 0, 0],
]);
const several = { input: scores, target: memberships };

/** Binary cross entropy of every class, averaged. */
export const multilabelSoftMarginLoss = define({
  name: 'multilabelSoftMarginLoss',
  takes: ['input', 'target'],
  module: 'MultiLabelSoftMarginLoss',
  differentiable: ['input', 'target', 'weight'],
  valid: [
    { name: 'a batch', ...several },
    { name: 'unbatched', input: real([1, 2, 0.5, 0.1]), target: real([1, 0, 0, 1]) },
    { name: 'one class', input: real([[1], [-2]]), target: real([[0], [1]]) },
    { name: 'many classes', input: random(30, [3, 67], -4, 4), target: random(31, [3, 67], 0, 1) },
    { name: 'four dimensions', input: random(32, [2, 3, 2, 2], -3, 3), target: random(33, [2, 3, 2, 2], 0, 1) },
    { name: 'no rows', input: none([0, 4]), target: none([0, 4]) },
    { name: 'a target a column', input: scores, target: real([1, 0, 1, 0]) },
    { name: 'one target', input: scores, target: real(1) },
    { name: 'an input a column', input: real([[1, 2, -1, 0.5]]), target: memberships },
    { name: 'a weight a class', ...several, options: { weight: classWeight } },
    { name: 'a weight an element', ...several, options: { weight: random(34, [3, 4], 0.1, 2) } },
    { name: 'one weight', ...several, options: { weight: real(2) } },
    { name: 'scores of great size', input: real([30, -30, 80, -80]), target: real([1, 0, 0, 1]) },
  ],
  errors: [
    ...misuse(several),
    {
      name: 'a target that does not broadcast',
      input: scores,
      target: real([1, 0]),
      code: 'RUNTIME',
      argument: 'target',
    },
    { name: 'one score', input: real(1), target: real(1), code: 'INVALID_ARGUMENT', argument: 'input' },
    { name: 'too few weights', ...several, options: { weight: real([1, 2]) }, code: 'RUNTIME', argument: 'weight' },
    {
      name: 'disposed weights',
      ...several,
      options: { weight: disposed(classWeight) },
      code: 'DISPOSED',
      argument: 'weight',
      nativeOnly: true,
    },
    {
      name: 'integers',
      input: classes([[1, 2]]),
      target: classes([[0, 1]]),
      code: 'NOT_IMPLEMENTED',
      argument: 'input',
      nativeOnly: true,
    },
  ],
});
