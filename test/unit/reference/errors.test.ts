/** Invalid input: which error, in the words of the one formula. */
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  nllLoss,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
} from '../../../lib/reference';
import { refusal } from './support';

const scores = [
  [1, 2, 3],
  [4, 5, 6],
];
const half = [0.5, 0.5];

const invalid: readonly [call: () => unknown, message: string][] = [
  [() => crossEntropy(1, 0), "crossEntropy: expected 'input' to have at least 1 dimension, but received shape []"],
  [() => crossEntropy(scores, [0]), "crossEntropy: expected 'target' to have shape [2] or [2, 3], but received [1]"],
  [() => crossEntropy(scores, 0), "crossEntropy: expected 'target' to have shape [2] or [2, 3], but received []"],
  [() => crossEntropy(half, [0, 1, 0]), "crossEntropy: expected 'target' to have shape [] or [2], but received [3]"],
  [
    () => crossEntropy(scores, [0, 3]),
    "crossEntropy: expected 'target' to hold class indices in [0, 2], or the ignored -100, but received 3",
  ],
  [
    () => crossEntropy(scores, [-1, 0]),
    "crossEntropy: expected 'target' to hold class indices in [0, 2], or the ignored -100, but received -1",
  ],
  [
    () => crossEntropy(scores, [0.5, 0]),
    "crossEntropy: expected 'target' to hold class indices in [0, 2], or the ignored -100, but received 0.5",
  ],
  [
    () => crossEntropy(scores, [Number.NaN, 0]),
    "crossEntropy: expected 'target' to hold class indices in [0, 2], or the ignored -100, but received NaN",
  ],
  [
    () => nllLoss([[], []], [0, -100]),
    "nllLoss: expected 'target' to hold no class index, as there are no classes, or the ignored -100, but received 0",
  ],
  [
    () =>
      crossEntropy(scores, [
        [0n, 1n, 0n],
        [1n, 0n, 0n],
      ]),
    "crossEntropy: expected 'target' to hold class probabilities, as it has the shape of the input, but received integers",
  ],
  [
    () => crossEntropy(scores, { data: new Int32Array(6), dims: [2, 3] }),
    "crossEntropy: expected 'target' to hold class probabilities, as it has the shape of the input, but received integers",
  ],
  [
    () => crossEntropy(scores, scores, { ignoreIndex: 0 }),
    "crossEntropy: expected option 'ignoreIndex' to be below 0, as class probabilities have nothing to ignore, but received 0",
  ],
  [
    () => crossEntropy(scores, [0, 1], { weight: [1, 2] }),
    "crossEntropy: expected option 'weight' to have shape [3], one weight a class, but received [2]",
  ],
  [
    () => crossEntropy(scores, [0, 1], { weight: [[1, 2, 3]] }),
    "crossEntropy: expected option 'weight' to have shape [3], one weight a class, but received [1, 3]",
  ],
  [
    () => crossEntropy(scores, [0, 1], { weight: 'abc' as never }),
    'crossEntropy: expected option \'weight\' to be numbers nested in arrays, a typed array or { data, shape }, but received "abc"',
  ],
  ...[-0.1, 1.1, Number.NaN].map((labelSmoothing): [() => unknown, string] => [
    () => crossEntropy(scores, [0, 1], { labelSmoothing }),
    `crossEntropy: expected option 'labelSmoothing' to be a number in [0, 1], but received ${labelSmoothing}`,
  ]),
  [
    () => crossEntropy(scores, [0, 1], { ignoreIndex: 0.5 }),
    "crossEntropy: expected option 'ignoreIndex' to be a safe integer, but received 0.5",
  ],
  [() => nllLoss(0, 0), "nllLoss: expected 'input' to have at least 1 dimension, but received shape []"],
  [() => nllLoss(scores, scores), "nllLoss: expected 'target' to have shape [2], but received [2, 3]"],
  [() => nllLoss([scores], [[0, 1]]), "nllLoss: expected 'target' to have shape [1, 3], but received [1, 2]"],
  [
    () => nllLoss(scores, [0, 5], { ignoreIndex: 9 }),
    "nllLoss: expected 'target' to hold class indices in [0, 2], or the ignored 9, but received 5",
  ],
  [() => klDiv(scores, half), "klDiv: expected 'target' to have a shape that broadcasts with [2, 3], but received [2]"],
  [
    () => klDiv(half, half, { logTarget: 1 as never }),
    "klDiv: expected option 'logTarget' to be true or false, but received 1",
  ],
  [
    () => binaryCrossEntropy(half, [[1, 0]]),
    "binaryCrossEntropy: expected 'target' to have shape [2], but received [1, 2]",
  ],
  ...[-1e-9, 1.5, Number.NaN].flatMap((wrong): [() => unknown, string][] => [
    [
      () => binaryCrossEntropy([0.5, wrong], half),
      `binaryCrossEntropy: expected 'input' to hold probabilities in [0, 1], but received ${wrong}`,
    ],
    [
      () => binaryCrossEntropy(half, [wrong, 0.5]),
      `binaryCrossEntropy: expected 'target' to hold probabilities in [0, 1], but received ${wrong}`,
    ],
  ]),
  [
    () => binaryCrossEntropy(half, half, { weight: [1, 2, 3] }),
    "binaryCrossEntropy: expected option 'weight' to have a shape that broadcasts to [2], but received [3]",
  ],
  [
    () => binaryCrossEntropy(half, half, { weight: [[1], [2]] }),
    "binaryCrossEntropy: expected option 'weight' to have a shape that broadcasts to [2], but received [2, 1]",
  ],
  [
    () => binaryCrossEntropyWithLogits(half, [1]),
    "binaryCrossEntropyWithLogits: expected 'target' to have shape [2], but received [1]",
  ],
  [
    () => binaryCrossEntropyWithLogits([0.5], [1], { posWeight: half }),
    "binaryCrossEntropyWithLogits: expected option 'posWeight' to have a shape that broadcasts to [1], but received [2]",
  ],
];

test.each(invalid.map(([call, message]) => [message, call] as const))('%s', (message, call) => {
  const error = refusal(call);
  expect(error.message).toBe(message);
  expect(error.code).toBe('INVALID_ARGUMENT');
  expect(message).toContain(`'${error.argument}'`);
  expect(message.startsWith(`${error.op}: `)).toBe(true);
});

/** A loss called with whatever user code may pass. */
type Untyped = (input: unknown, target: unknown, options?: unknown) => { backward(gradOutput?: unknown): unknown };

describe.each([
  ['crossEntropy', crossEntropy as Untyped, 0],
  ['nllLoss', nllLoss as Untyped, 0],
  ['klDiv', klDiv as Untyped, half],
  ['binaryCrossEntropy', binaryCrossEntropy as Untyped, half],
  ['binaryCrossEntropyWithLogits', binaryCrossEntropyWithLogits as Untyped, half],
  ['l1Loss', l1Loss as Untyped, half],
  ['mseLoss', mseLoss as Untyped, half],
  ['smoothL1Loss', smoothL1Loss as Untyped, half],
  ['huberLoss', huberLoss as Untyped, half],
  ['poissonNllLoss', poissonNllLoss as Untyped, half],
  ['hingeEmbeddingLoss', hingeEmbeddingLoss as Untyped, half],
  ['softMarginLoss', softMarginLoss as Untyped, half],
  ['multiMarginLoss', multiMarginLoss as Untyped, 0],
  ['multilabelMarginLoss', multilabelMarginLoss as Untyped, [1, -1]],
  ['multilabelSoftMarginLoss', multilabelSoftMarginLoss as Untyped, half],
])('%s', (name, loss, row) => {
  const target = [row];

  test('refuses an unknown option, and lists the known ones', () => {
    const error = refusal(() => loss([half], target, { reductoin: 'sum' }));
    expect(error).toMatchObject({ code: 'UNKNOWN_OPTION', op: name, argument: 'reductoin' });
    expect(error.message).toMatch(/^\w+: unknown option 'reductoin'; known options are .*'reduction'/);
  });

  test.each([['average'], ['Mean'], ['elementwise_mean'], [1]])('refuses reduction %p', (reduction) => {
    const error = refusal(() => loss([half], target, { reduction }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: name, argument: 'reduction' });
    expect(error.message).toContain("to be one of 'none', 'mean', 'sum'");
  });

  test.each([['mean'], [[1]], [new Map()], [Float64Array.of(1)]])('refuses options that are %p', (options) => {
    expect(refusal(() => loss([half], target, options))).toMatchObject({ op: name, argument: 'options' });
  });

  test('takes options that are undefined', () => {
    expect(() => loss([half], target, { reduction: undefined })).not.toThrow();
    expect(() => loss([half], target, undefined)).not.toThrow();
  });

  test('batchmean is klDiv’s alone', () => {
    const call = (): unknown => loss([half], target, { reduction: 'batchmean' });
    if (name === 'klDiv') expect(call).not.toThrow();
    else expect(refusal(call).argument).toBe('reduction');
  });

  test('refuses arguments that are not arrays', () => {
    for (const wrong of [undefined, null, 'abc', {}, () => 1, Symbol('s')]) {
      expect(refusal(() => loss(wrong, target))).toMatchObject({ op: name, argument: 'input' });
      expect(refusal(() => loss([half], wrong))).toMatchObject({ op: name, argument: 'target' });
    }
  });

  test('backward refuses an upstream gradient of another shape, or none where the value is an array', () => {
    const many = loss([half, half], [row, row], { reduction: 'none' });
    expect(refusal(() => many.backward())).toMatchObject({ op: name, argument: 'gradOutput' });
    expect(refusal(() => many.backward([1, 2, 3])).message).toMatch(
      /'gradOutput' to have shape \[2.*\], but received \[3\]/,
    );
    expect(refusal(() => loss([half], target).backward([1]))).toMatchObject({ op: name, argument: 'gradOutput' });
  });
});
