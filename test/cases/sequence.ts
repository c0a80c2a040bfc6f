/** Cases of the loss of sequences without alignment. */
import { type Argument, define, type Written, type WrittenError } from './case';
import { misuse, notFlags } from './misuse';
import { classes, disposed, none, random, randomClasses, real, typed, Values } from './values';

type Name = 'logProbs' | 'targets' | 'inputLengths' | 'targetLengths';

/** Logarithms of probabilities over the last axis. */
function logProbabilities(seed: number, shape: readonly number[]): Values {
  const { data } = random(seed, shape, -2, 2);
  const classes = shape.at(-1) as number;
  const row = (i: number): number[] => data.slice(i - (i % classes), i - (i % classes) + classes);
  const logSum = (scores: number[]): number => Math.log(scores.reduce((sum, x) => sum + Math.exp(x), 0));
  return new Values(
    data.map((x, i) => x - logSum(row(i))),
    shape,
  );
}

/** Three sequences of up to 7 steps over 5 classes, with up to 3 labels each; class 0 is blank, and 3 no last label. */
const logProbs = logProbabilities(1, [7, 3, 5]);
const padded = classes([
  [1, 2, 4],
  [3, 3, 1],
  [2, 0, 0],
]);
const concatenated = classes([1, 2, 4, 3, 3, 1, 2]);
const inputLengths = [7, 6, 3];
const targetLengths = [3, 3, 1];
const whole = { logProbs, targets: padded, inputLengths, targetLengths };
const inTensors = { ...whole, inputLengths: classes(inputLengths), targetLengths: classes(targetLengths) };

/** Too many labels for its steps: the loss of the second sequence is infinite, and its gradient NaN. */
const impossible = { ...whole, inputLengths: [7, 2, 3] };

const single = {
  logProbs: logProbabilities(2, [5, 4]),
  targets: classes([1, 2]),
  inputLengths: [5],
  targetLengths: [2],
};

const refused = (name: string, argument: string, change: Partial<WrittenError<Name>>): WrittenError<Name> => ({
  name,
  ...whole,
  code: 'INVALID_ARGUMENT',
  argument,
  ...change,
});

const wrongLengths = (name: string, argument: Name, lengths: Argument): WrittenError<Name>[] => [
  refused(`${name}, numbers`, argument, { [argument]: lengths, code: 'RUNTIME' }),
  refused(`${name}, tensors`, argument, {
    ...inTensors,
    [argument]: classes(lengths as number[]),
    code: 'RUNTIME',
  }),
];

/** Connectionist temporal classification. */
export const ctcLoss = define({
  name: 'ctcLoss',
  takes: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
  module: 'CTCLoss',
  differentiable: ['logProbs'],
  dtypes: ['float64', 'float32'],
  valid: [
    { name: 'padded targets', ...whole },
    { name: 'concatenated targets', ...whole, targets: concatenated },
    { name: 'lengths as tensors', ...inTensors },
    { name: 'concatenated targets, lengths as tensors', ...inTensors, targets: concatenated },
    {
      name: 'lengths as int32',
      ...whole,
      inputLengths: typed('int32', [7, 6, 3]),
      targetLengths: typed('int32', [3, 3, 1]),
    },
    { name: 'unbatched', ...single },
    { name: 'one sequence', ...single, logProbs: logProbabilities(3, [5, 1, 4]), targets: classes([[1, 2]]) },
    {
      name: 'one step',
      ...whole,
      logProbs: logProbabilities(4, [1, 3, 5]),
      inputLengths: [1, 1, 1],
      targets: classes([[1], [2], [4]]),
      targetLengths: [1, 1, 1],
    },
    { name: 'no labels', ...whole, targetLengths: [0, 0, 0] },
    { name: 'no labels at all', ...whole, targets: none([3, 0], 'int64'), targetLengths: [0, 0, 0] },
    { name: 'one sequence without labels', ...whole, targetLengths: [3, 0, 1] },
    {
      name: 'another blank',
      ...whole,
      targets: classes([
        [1, 2, 0],
        [3, 3, 1],
        [2, 0, 0],
      ]),
      options: { blank: 4 },
    },
    {
      name: 'as many labels as steps',
      ...whole,
      targets: classes([
        [1, 2, 4],
        [3, 2, 1],
        [2, 0, 0],
      ]),
      inputLengths: [3, 3, 1],
    },
    {
      name: 'long sequences',
      logProbs: logProbabilities(5, [40, 2, 9]),
      targets: new Values(
        randomClasses(6, [2, 12], 8).data.map((c) => c + 1),
        [2, 12],
        'int64',
      ),
      inputLengths: [40, 35],
      targetLengths: [12, 10],
      // The gradient is the exponential of sums of about 80, which float32 keeps to five digits.
      dtypes: ['float64'],
    },
    { name: 'impossible labels', ...impossible, byConvention: true },
    { name: 'impossible labels, which count 0', ...impossible, options: { zeroInfinity: true } },
    { name: 'zeroInfinity without a use', ...whole, options: { zeroInfinity: true } },
  ] satisfies Written<Name>[],
  errors: [
    ...misuse(whole),
    ...notFlags(whole, 'zeroInfinity'),
    ...[0.5, Number.NaN, '0'].map((blank) =>
      refused(`${typeof blank} ${blank} as blank`, 'blank', { options: { blank } }),
    ),
    ...[-1, 5].map((blank) => refused(`a blank of ${blank}`, 'blank', { options: { blank }, code: 'RUNTIME' })),
    refused('a label beyond the classes', 'targets', {
      targets: classes([
        [1, 2, 5],
        [3, 3, 1],
        [2, 0, 0],
      ]),
    }),
    refused('a negative label', 'targets', { targets: classes([1, 2, 4, 3, -1, 1, 2]) }),
    refused('one dimension of scores', 'logProbs', { logProbs: random(7, [5], -1, 0), code: 'RUNTIME' }),
    refused('four dimensions of scores', 'logProbs', { logProbs: random(8, [7, 3, 2, 5], -1, 0), code: 'RUNTIME' }),
    refused('no steps', 'logProbs', { logProbs: none([0, 3, 5]), inputLengths: [0, 0, 0], code: 'RUNTIME' }),
    refused('a number as targets', 'targets', { targets: classes(1), code: 'RUNTIME' }),
    refused('targets of other sequences', 'targets', {
      targets: classes([
        [1, 2, 4],
        [3, 3, 1],
      ]),
      code: 'RUNTIME',
    }),
    refused('targets shorter than their lengths', 'targets', { targets: classes([[1], [3], [2]]), code: 'RUNTIME' }),
    refused('too few concatenated targets', 'targets', { targets: classes([1, 2]), code: 'RUNTIME' }),
    ...wrongLengths('inputs longer than the scores', 'inputLengths', [8, 6, 3]),
    ...wrongLengths('a negative length', 'inputLengths', [7, -1, 3]),
    ...wrongLengths('too few lengths', 'inputLengths', [7, 6]),
    ...wrongLengths('a negative length of targets', 'targetLengths', [3, -1, 1]),
    ...wrongLengths('too few lengths of targets', 'targetLengths', [3, 3]),
    refused('real numbers as lengths', 'inputLengths', {
      ...inTensors,
      inputLengths: real([7, 6, 3]),
      code: 'RUNTIME',
      nativeOnly: true,
    }),
    refused('lengths of two kinds', 'targetLengths', { targetLengths: classes([3, 3, 1]), nativeOnly: true }),
    refused('a fraction as length', 'inputLengths', { inputLengths: [7, 5.5, 3], nativeOnly: true }),
    refused('text as lengths', 'inputLengths', { inputLengths: '763' }),
    refused('no lengths of targets', 'targetLengths', { targetLengths: undefined }),
    refused('disposed lengths', 'inputLengths', {
      ...inTensors,
      inputLengths: disposed(classes(inputLengths)),
      code: 'DISPOSED',
      nativeOnly: true,
    }),
    refused('disposed lengths of targets', 'targetLengths', {
      ...inTensors,
      targetLengths: disposed(classes(targetLengths)),
      code: 'DISPOSED',
      nativeOnly: true,
    }),
    ...(['float16', 'bfloat16', 'int64'] as const).map((dtype) =>
      refused(`scores of ${dtype}`, 'logProbs', {
        logProbs: new Values(logProbs.data.map(Math.floor), logProbs.shape, dtype),
        code: 'NOT_IMPLEMENTED',
        nativeOnly: true,
      }),
    ),
    refused('the option of another loss', 'ignoreIndex', { options: { ignoreIndex: 0 }, code: 'UNKNOWN_OPTION' }),
  ],
});
