/** Cases of the losses between numbers. */
import { define, type Written, type WrittenError } from './case';
import { misuse, notNumbers } from './misuse';
import { disposed, map, none, random, real, type Values } from './values';

/** Predictions and what came, with differences on both sides of 1, none of them at a kink. */
const predicted = real([
  [0.5, -1.25, 3],
  [2, 0.25, -0.5],
]);
const actual = real([
  [1, 1.5, 2.25],
  [-1.5, 0, -0.25],
]);
const elementWeight = real([
  [1, 2, 0.5],
  [0, 1.5, 1],
]);
const pair = { input: predicted, target: actual };

function pairOf(seed: number, shape: readonly number[]): { input: Values; target: Values } {
  return { input: random(seed, shape, -3, 3), target: random(seed + 1, shape, -3, 3) };
}

/** Shapes that all of them take. */
const shapes: readonly Written[] = [
  { name: 'a table', ...pair },
  { name: 'one number', input: real(0.25), target: real(-1) },
  { name: 'a row', ...pairOf(1, [7]) },
  { name: 'many numbers', ...pairOf(3, [67]) },
  { name: 'four dimensions', ...pairOf(5, [2, 3, 2, 2]) },
  { name: 'nothing', input: none([0, 3]), target: none([0, 3]) },
  { name: 'a target a column', input: predicted, target: real([1, 0.5, -2]) },
  { name: 'a target a row', input: predicted, target: real([[1.25], [0.75]]) },
  { name: 'one target', input: predicted, target: real(0.75) },
  { name: 'an input a column', input: real([1, 0.5, -2]), target: actual },
  { name: 'a column and a row', input: real([[-1], [-2.5]]), target: real([[0.5, 0.25, 1]]) },
  { name: 'equal numbers', input: predicted, target: predicted, byConvention: true },
];

/** What all of them take that have weights. */
const weighted: readonly Written[] = [
  { name: 'a weight an element', ...pair, options: { weight: elementWeight } },
  { name: 'a weight of one number', input: real(0.25), target: real(-1), options: { weight: real(3) }, terms: 5 },
  { name: 'weights of nothing', input: none([0, 3]), target: none([0, 3]), options: { weight: none([0, 3]) } },
  { name: 'weights and one target', input: predicted, target: real(0.75), options: { weight: elementWeight } },
  {
    name: 'weights of four dimensions',
    ...pairOf(7, [2, 3, 2, 2]),
    options: { weight: random(9, [2, 3, 2, 2], 0.1, 2) },
  },
];

const shapeErrors: readonly WrittenError[] = [
  ...misuse(pair),
  {
    name: 'a target that does not broadcast',
    input: predicted,
    target: real([1, 2]),
    code: 'RUNTIME',
    argument: 'target',
  },
  {
    name: 'an input that does not broadcast',
    input: real([1, 2]),
    target: actual,
    code: 'RUNTIME',
    argument: 'target',
  },
  {
    name: 'the option of another loss',
    ...pair,
    options: { ignoreIndex: 1 },
    code: 'UNKNOWN_OPTION',
    argument: 'ignoreIndex',
  },
];

const wrongWeight = { ...pair, code: 'INVALID_ARGUMENT', argument: 'weight' } as const;
const weightErrors: readonly WrittenError[] = [
  { ...wrongWeight, name: 'a weight that would broadcast', options: { weight: real([1, 2, 0.5]) } },
  { ...wrongWeight, name: 'one weight', options: { weight: real(1) } },
  { ...wrongWeight, name: 'a weight of another shape', options: { weight: real([1, 2]) } },
  { ...wrongWeight, name: 'weights of the target, which is smaller', target: real(1), options: { weight: real(1) } },
  { ...wrongWeight, name: 'text as weight', options: { weight: 'balanced' } },
  {
    ...wrongWeight,
    name: 'a disposed weight',
    options: { weight: disposed(elementWeight) },
    code: 'DISPOSED',
    nativeOnly: true,
  },
];

/** The absolute error. */
export const l1Loss = define({
  name: 'l1Loss',
  takes: ['input', 'target'],
  module: 'L1Loss',
  differentiable: ['input', 'target', 'weight'],
  functionOnly: ['weight'],
  valid: [...shapes, ...weighted],
  errors: [...shapeErrors, ...weightErrors],
});

/** The squared error. */
export const mseLoss = define({
  name: 'mseLoss',
  takes: ['input', 'target'],
  module: 'MSELoss',
  differentiable: ['input', 'target', 'weight'],
  functionOnly: ['weight'],
  valid: [...shapes, ...weighted],
  errors: [...shapeErrors, ...weightErrors],
});

/** The absolute error, rounded at its tip. */
export const smoothL1Loss = define({
  name: 'smoothL1Loss',
  takes: ['input', 'target'],
  module: 'SmoothL1Loss',
  differentiable: ['input', 'target'],
  valid: [
    ...shapes,
    { name: 'a small beta', ...pair, options: { beta: 0.125 } },
    { name: 'a beta beyond the differences', ...pair, options: { beta: 10 } },
    { name: 'a beta of 0', ...pair, options: { beta: 0 } },
    { name: 'differences of beta', input: real([1, -1, 0.5]), target: real([0, 0, 0]) },
  ],
  errors: [
    ...shapeErrors,
    ...notNumbers(pair, 'beta'),
    { name: 'a negative beta', ...pair, options: { beta: -1 }, code: 'RUNTIME', argument: 'beta' },
    { name: 'weights', ...pair, options: { weight: elementWeight }, code: 'UNKNOWN_OPTION', argument: 'weight' },
  ],
});

/** The squared error as far as delta, a line from there. */
export const huberLoss = define({
  name: 'huberLoss',
  takes: ['input', 'target'],
  module: 'HuberLoss',
  differentiable: ['input', 'target', 'weight'],
  functionOnly: ['weight'],
  valid: [
    ...shapes,
    ...weighted,
    { name: 'a small delta', ...pair, options: { delta: 0.125 } },
    { name: 'a delta beyond the differences', ...pair, options: { delta: 10 } },
    {
      name: 'differences of delta',
      input: map(real([1, -1, 0.5]), (x) => 2 * x),
      target: real([0, 0, 0]),
      options: { delta: 2 },
    },
    { name: 'weights and delta', ...pair, options: { weight: elementWeight, delta: 0.5 } },
  ],
  errors: [
    ...shapeErrors,
    ...weightErrors,
    ...notNumbers(pair, 'delta'),
    { name: 'a negative delta', ...pair, options: { delta: -1 }, code: 'RUNTIME', argument: 'delta' },
    { name: 'a delta of 0', ...pair, options: { delta: 0 }, code: 'RUNTIME', argument: 'delta' },
  ],
});
