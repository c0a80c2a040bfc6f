/** Cases of the losses between distributions. */
import type { Loss } from './case';
import { misuse } from './misuse';
import { classes, map, none, random, randomDistributions, real } from './values';

const logProbabilities = map(randomDistributions(1, [3, 4]), Math.log);
const probabilities = randomDistributions(2, [3, 4]);
const logTarget = { logTarget: true };

/** The Kullback-Leibler divergence. */
export const klDiv: Loss = {
  name: 'klDiv',
  module: 'KLDivLoss',
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
    ...misuse(logProbabilities, probabilities),
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
};
