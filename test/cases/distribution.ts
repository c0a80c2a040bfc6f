/** Cases of the losses between distributions. */
import { define, type Written, type WrittenError } from './case';
import { misuse, notFlags, notNumbers } from './misuse';
import { classes, map, none, random, randomDistributions, real, type Values } from './values';

const logProbabilities = map(randomDistributions(1, [3, 4]), Math.log);
const probabilities = randomDistributions(2, [3, 4]);
const logTarget = { logTarget: true };

/** The Kullback-Leibler divergence. */
export const klDiv = define({
  name: 'klDiv',
  takes: ['input', 'target'],
  module: 'KLDivLoss',
  differentiable: ['input', 'target'],
  reductions: ['none', 'mean', 'sum', 'batchmean'],
  valid: [
    { name: 'a batch', input: logProbabilities, target: probabilities },
    { name: 'a distribution', input: map(real([0.25, 0.75]), Math.log), target: real([0.5, 0.5]) },
    { name: 'one number', input: real(-1.5), target: real(0.5) },
    {
      name: 'many classes',
      input: map(randomDistributions(3, [2, 67]), Math.log),
      target: randomDistributions(4, [2, 67]),
    },
    { name: 'four dimensions', input: random(5, [2, 3, 2, 2], -3, 0), target: random(6, [2, 3, 2, 2], 0.1, 1) },
    { name: 'nothing', input: none([0, 4]), target: none([0, 4]) },
    {
      name: 'a target of 1 and 0',
      input: map(real([0.25, 0.75]), Math.log),
      target: real([1, 0]),
      gradients: ['input'],
    },
    {
      name: 'equal distributions',
      input: map(probabilities, Math.log),
      target: probabilities,
      // Nothing but rounding errors is left of the loss; of 16 bits they are too large to be told from one.
      dtypes: ['float64', 'float32'],
    },
    { name: 'a target a column', input: logProbabilities, target: real([0.1, 0.2, 0.3, 0.4]) },
    { name: 'an input a column', input: map(real([0.1, 0.2, 0.3, 0.4]), Math.log), target: probabilities },
    { name: 'a column and a row', input: real([[-1], [-2]]), target: real([[0.5, 0.3, 0.2]]) },
    { name: 'logarithms', input: logProbabilities, target: map(probabilities, Math.log), options: logTarget },
    { name: 'one logarithm', input: real(-1.5), target: real(-0.5), options: logTarget },
    { name: 'logarithms a column', input: logProbabilities, target: real([-1, -2, -1.5, -3]), options: logTarget },
  ],
  errors: [
    ...misuse({ input: logProbabilities, target: probabilities }),
    {
      name: 'a target that does not broadcast',
      input: logProbabilities,
      target: real([0.5, 0.5]),
      code: 'RUNTIME',
      argument: 'target',
    },
    {
      name: 'integers',
      input: classes([1, 2]),
      target: classes([1, 2]),
      code: 'RUNTIME',
      argument: 'input',
      nativeOnly: true,
    },
    {
      name: 'integers as target',
      input: logProbabilities,
      target: classes(1),
      code: 'RUNTIME',
      argument: 'target',
      nativeOnly: true,
    },
    {
      name: 'a number as logTarget',
      input: logProbabilities,
      target: probabilities,
      options: { logTarget: 1 },
      code: 'INVALID_ARGUMENT',
      argument: 'logTarget',
    },
  ],
});

/** Logarithms of rates, rates, and counts of what came. */
const logRates = random(10, [3, 4], -2, 2);
const rates = map(logRates, Math.exp);
const counts = real([
  [0, 1, 2, 3],
  [1, 0, 5, 2],
  [4, 1, 0, 7],
]);

/** Negative log-likelihood of a Poisson distribution. */
export const poissonNllLoss = define({
  name: 'poissonNllLoss',
  takes: ['input', 'target'],
  module: 'PoissonNLLLoss',
  differentiable: ['input', 'target'],
  valid: [
    { name: 'logarithms of rates', input: logRates, target: counts },
    { name: 'one number', input: real(0.5), target: real(2) },
    { name: 'four dimensions', input: random(11, [2, 3, 2, 2], -2, 2), target: random(12, [2, 3, 2, 2], 0, 5) },
    { name: 'many numbers', input: random(13, [67], -2, 2), target: random(14, [67], 0, 5) },
    { name: 'nothing', input: none([0, 4]), target: none([0, 4]) },
    { name: 'counts a column', input: logRates, target: real([0, 1, 2, 3]) },
    { name: 'one rate', input: real(0.5), target: counts, terms: 10 },
    { name: 'rates', input: rates, target: counts, options: { logInput: false } },
    { name: 'rates of 0', input: real([0, 0, 1]), target: real([0, 0, 2]), options: { logInput: false, eps: 0.5 } },
    { name: 'a large eps', input: rates, target: counts, options: { logInput: false, eps: 0.25 } },
    { name: 'eps without a use', input: logRates, target: counts, options: { eps: 0.25 } },
    { name: 'full', input: logRates, target: counts, options: { full: true }, byConvention: true },
    { name: 'full, by the counts too', input: logRates, target: map(counts, (k) => k + 0.5), options: { full: true } },
    {
      name: 'full, of rates',
      input: rates,
      target: map(counts, (k) => k + 1.5),
      options: { full: true, logInput: false },
    },
  ],
  errors: [
    ...misuse({ input: logRates, target: counts }),
    ...notFlags({ input: logRates, target: counts }, 'logInput', 'full'),
    ...notNumbers({ input: logRates, target: counts }, 'eps'),
    {
      name: 'counts that do not broadcast',
      input: logRates,
      target: real([1, 2]),
      code: 'RUNTIME',
      argument: 'target',
    },
    {
      name: 'the option of another loss',
      input: logRates,
      target: counts,
      options: { logTarget: true },
      code: 'UNKNOWN_OPTION',
      argument: 'logTarget',
    },
  ],
});

/** Means, what was observed, and variances that are far from 0. */
const means = random(20, [3, 4], -2, 2);
const observed = random(21, [3, 4], -2, 2);
const variances = random(22, [3, 4], 0.25, 2);
const normal = { input: means, target: observed, variance: variances };

function normalCase(
  name: string,
  variance: Values | number,
  rest: Partial<Written<'variance'>> = {},
): Written<GaussianArgument> {
  return { name, input: means, target: observed, ...rest, variance };
}

type GaussianArgument = 'input' | 'target' | 'variance';

function normalError(
  name: string,
  variance: unknown,
  rest: Partial<WrittenError<GaussianArgument>> = {},
): WrittenError<GaussianArgument> {
  return { name, ...normal, variance, code: 'INVALID_ARGUMENT', argument: 'variance', ...rest };
}

/** Negative log-likelihood of a normal distribution. */
export const gaussianNllLoss = define({
  name: 'gaussianNllLoss',
  takes: ['input', 'target', 'variance'],
  module: 'GaussianNLLLoss',
  differentiable: ['input', 'target', 'variance'],
  valid: [
    normalCase('a variance an element', variances),
    normalCase('a variance a row', random(23, [3], 0.25, 2)),
    normalCase('a variance a row, in a column', random(24, [3, 1], 0.25, 2)),
    normalCase('a variance a column, in a row', random(25, [1, 4], 0.25, 2), { terms: 10 }),
    normalCase('one variance as a number', 0.5),
    { name: 'one number', input: real(0.5), target: real(-1), variance: real(2) },
    { name: 'one row, one variance', input: real([0.5, 1]), target: real([-1, 2]), variance: real(2), terms: 3 },
    {
      name: 'four dimensions',
      input: random(26, [2, 3, 2, 2], -2, 2),
      target: random(27, [2, 3, 2, 2], -2, 2),
      variance: random(28, [2, 3, 2], 0.25, 2),
      terms: 40,
    },
    { name: 'nothing', input: none([0, 4]), target: none([0, 4]), variance: none([0, 4]) },
    { name: 'targets a column', input: means, target: real([0, 1, 2, 3]), variance: variances },
    { name: 'one target', input: means, target: real(0.5), variance: variances },
    normalCase('full', variances, { options: { full: true } }),
    normalCase('full, one variance as a number', 2, { options: { full: true } }),
    normalCase('variances below eps', random(29, [3, 4], 0, 1), {
      options: { eps: 0.5 },
      byConvention: true,
    }),
    normalCase('variances of 0', random(30, [3, 4], 0, 0), { options: { eps: 0.5 }, byConvention: true }),
  ],
  errors: [
    ...misuse(normal),
    ...notFlags(normal, 'full'),
    ...notNumbers(normal, 'eps'),
    normalError('a negative variance', -1),
    normalError(
      'negative variances',
      map(variances, (v) => v - 2),
    ),
    normalError('variances of another shape', real([1, 2])),
    normalError('variances of fewer dimensions', real(1)),
    normalError('variances with two sizes of 1', real([[1]])),
    normalError('variances with more axes', random(31, [2, 3, 4], 0.25, 2)),
    normalError('targets that do not broadcast', variances, {
      target: real([1, 2]),
      code: 'RUNTIME',
      argument: 'target',
    }),
    normalError("PyTorch's name of the variance", variances, {
      options: { var: 1 },
      code: 'UNKNOWN_OPTION',
      argument: 'var',
    }),
    normalError('the variance among the options', variances, {
      options: { variance: variances },
      code: 'UNKNOWN_OPTION',
      argument: 'variance',
    }),
  ],
});
