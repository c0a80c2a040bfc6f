/** Cases of cross entropy with the linear layer that its scores come from. */
import { show } from '../../lib/errors';
import { define, type Written, type WrittenError } from './case';
import { misuse } from './misuse';
import { classes, disposed, none, random, randomClasses, randomDistributions, real } from './values';

type Name = 'input' | 'linearWeight' | 'target';

/** Three rows of five features, and a layer that makes scores for four classes of them. */
const input = random(1, [3, 5], -1, 1);
const linearWeight = random(2, [4, 5], -1, 1);
const target = classes([1, 3, 0]);
const linearBias = random(3, [4], -1, 1);
const weight = real([0.5, 2, 1.25, 1]);
const whole = { input, linearWeight, target };

/** A layer that makes scores for four classes at 2 x 3 places. */
const places = { ...whole, linearWeight: random(4, [4, 2, 3, 5], -1, 1), target: randomClasses(5, [3, 2, 3], 4) };

/** Scores are sums of several products, which 16 bits round; their size is that of the terms. */
const valid: readonly Written<Name>[] = [
  { name: 'a batch', ...whole },
  { name: 'unbatched', ...whole, input: random(6, [5], -1, 1), target: classes(2) },
  { name: 'one row', ...whole, input: random(7, [1, 5], -1, 1), target: classes([3]) },
  { name: 'one feature', ...whole, input: real([[1], [-2], [0.5]]), linearWeight: real([[1], [0], [-1], [2]]) },
  { name: 'many classes', ...whole, linearWeight: random(8, [67, 5], -1, 1), target: randomClasses(9, [3], 67) },
  { name: 'many rows', ...whole, input: random(10, [40, 5], -1, 1), target: randomClasses(11, [40], 4) },
  { name: 'no rows', ...whole, input: none([0, 5]), target: none([0], 'int64') },
  { name: 'a bias', ...whole, options: { linearBias } },
  { name: 'several places', ...places },
  { name: 'several places, a bias', ...places, options: { linearBias: random(12, [4, 2, 3], -1, 1) } },
  { name: 'class weights', ...whole, options: { weight } },
  { name: 'an ignored target', ...whole, options: { ignoreIndex: 3 } },
  { name: 'label smoothing', ...whole, options: { labelSmoothing: 0.1 } },
  { name: 'everything', ...whole, options: { linearBias, weight, ignoreIndex: 0, labelSmoothing: 0.2 } },
  { name: 'probabilities', ...whole, target: randomDistributions(13, [3, 4]) },
  {
    name: 'probabilities, everything',
    ...whole,
    target: randomDistributions(13, [3, 4]),
    options: { linearBias, weight, labelSmoothing: 0.2 },
  },
].map((written) => ({ ...written, terms: 4 }));

const refused = (name: string, argument: string, change: Partial<WrittenError<Name>>): WrittenError<Name> => ({
  name,
  ...whole,
  code: 'INVALID_ARGUMENT',
  argument,
  ...change,
});

/** Cross entropy of the scores of a linear layer. */
export const linearCrossEntropy = define({
  name: 'linearCrossEntropy',
  takes: ['input', 'linearWeight', 'target'],
  module: 'LinearCrossEntropyLoss',
  ownsParameters: true,
  differentiable: ['input', 'linearWeight', 'linearBias', 'target'],
  valid,
  errors: [
    ...misuse(whole),
    refused('a number as input', 'input', { input: real(1) }),
    refused('three dimensions', 'input', { input: random(14, [2, 3, 5], -1, 1) }),
    refused('other features', 'linearWeight', { linearWeight: random(15, [4, 6], -1, 1) }),
    refused('a layer of one class', 'linearWeight', { linearWeight: random(16, [5], -1, 1) }),
    refused('a bias of other classes', 'linearBias', { options: { linearBias: real([1, 2, 3]) } }),
    refused('a bias of fewer dimensions', 'linearBias', { ...places, options: { linearBias } }),
    refused('too few targets', 'target', { target: classes([1, 3]), code: 'VALUE' }),
    refused('a class index beyond the classes', 'target', { target: classes([1, 4, 0]), code: 'INDEX' }),
    refused('too few weights', 'weight', { options: { weight: real([1, 2, 3]) }, code: 'RUNTIME' }),
    ...[-0.1, 1.1, Number.NaN, '0.1'].map((labelSmoothing) =>
      refused(`label smoothing of ${show(labelSmoothing)}`, 'labelSmoothing', { options: { labelSmoothing } }),
    ),
    refused('an ignored index with probabilities', 'ignoreIndex', {
      target: randomDistributions(13, [3, 4]),
      options: { ignoreIndex: 1 },
    }),
    refused('a disposed bias', 'linearBias', {
      options: { linearBias: disposed(linearBias) },
      code: 'DISPOSED',
      nativeOnly: true,
    }),
    refused('the option of the module', 'bias', { options: { bias: true }, code: 'UNKNOWN_OPTION' }),
  ],
});
