/**
 * Bad input, each kind once, word for word: the messages a user meets are part of the library. Nothing of it leaks.
 */
import * as torch from 'libtorch-losses';
import { quietly } from '../support/conditions';
import { detach, refusal } from './torch/support';

quietly();

const { tensor } = torch;
const F = torch.nn.functional;
const scores = (): torch.Tensor => torch.zeros([4, 3]);
const half = (): torch.Tensor => torch.full([2, 2], 0.5);

function disposed(): torch.Tensor {
  const x = torch.zeros([4, 3]);
  x.dispose();
  return x;
}

function detached(): Float32Array {
  const array = new Float32Array(4);
  detach(array);
  return array;
}

/** What the library itself says; what libtorch said follows in brackets. */
const cases: readonly [string, () => unknown, string, string][] = [
  [
    'a target of another length',
    () => F.crossEntropy(scores(), tensor([0n, 1n, 2n])),
    'VALUE',
    "crossEntropy: expected 'target' to have shape [4] or [4, 3], but received [3]",
  ],
  [
    'class indices as floats',
    () => F.nllLoss(scores(), tensor([0, 1, 2, 0])),
    'RUNTIME',
    "nllLoss: expected 'target' to hold class indices as int64, but received float32; target.to('int64') converts",
  ],
  [
    'a class index beyond the last',
    () => F.crossEntropy(scores(), [0, 1, 3, 0]),
    'INDEX',
    "crossEntropy: expected 'target' to hold class indices in [0, 3) or -100 (ignoreIndex), but received 3 at index 2",
  ],
  [
    'a negative class index',
    () => F.nllLoss(scores(), [0, -1, 0, 0], { ignoreIndex: 1 }),
    'INDEX',
    "nllLoss: expected 'target' to hold class indices in [0, 3) or 1 (ignoreIndex), but received -1 at index 1",
  ],
  [
    'a fraction as a class index',
    () => F.crossEntropy(scores(), [0, 1.5, 0, 0]),
    'INVALID_ARGUMENT',
    "element 1 of 'data' to be an integer that int64 holds, but received 1.5",
  ],
  [
    'weights for other classes',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], { weight: [1, 2] }),
    'RUNTIME',
    "crossEntropy: expected option 'weight' to have shape [3], one weight a class, but received [2]",
  ],
  [
    'weights of another dtype',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], { weight: torch.ones([3], { dtype: 'float64' }) }),
    'RUNTIME',
    "crossEntropy: expected option 'weight' to be float32 as 'input' is, but received float64",
  ],
  [
    'an unknown option',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], { label_smoothing: 0.1 } as never),
    'UNKNOWN_OPTION',
    "crossEntropy: unknown option 'label_smoothing' (did you mean 'labelSmoothing'?); known options are 'weight', 'ignoreIndex', 'reduction', 'labelSmoothing'",
  ],
  [
    'text in the place of weights',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], 'sum' as never),
    'INVALID_ARGUMENT',
    'crossEntropy: expected option \'weight\' to be a Tensor, or numbers to make one of, but received "sum"',
  ],
  [
    'a Map in the place of options',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], new Map() as never),
    'INVALID_ARGUMENT',
    "crossEntropy: expected 'options' to be an object with 'weight', 'ignoreIndex', 'reduction', 'labelSmoothing', but received a Map",
  ],
  [
    'more than the weights by position',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], torch.ones([3]), 1 as never),
    'INVALID_ARGUMENT',
    "crossEntropy: expected 'options' to follow at most weight by position; write { ignoreIndex, reduction, labelSmoothing } for the others, but received 1",
  ],
  [
    'an unknown reduction',
    () => F.nllLoss(scores(), [0, 1, 2, 0], { reduction: 'avg' as never }),
    'INVALID_ARGUMENT',
    "nllLoss: expected option 'reduction' to be one of 'none', 'mean', 'sum', but received \"avg\"",
  ],
  [
    'a reduction of another loss',
    () => F.binaryCrossEntropy(half(), half(), { reduction: 'batchmean' as never }),
    'INVALID_ARGUMENT',
    "binaryCrossEntropy: expected option 'reduction' to be one of 'none', 'mean', 'sum', but received \"batchmean\"",
  ],
  [
    'label smoothing below 0',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], { labelSmoothing: -0.1 }),
    'INVALID_ARGUMENT',
    "crossEntropy: expected option 'labelSmoothing' to be a number in [0, 1], but received -0.1",
  ],
  [
    'label smoothing that is NaN',
    () => F.crossEntropy(scores(), [0, 1, 2, 0], { labelSmoothing: NaN }),
    'INVALID_ARGUMENT',
    "crossEntropy: expected option 'labelSmoothing' to be a number in [0, 1], but received NaN",
  ],
  [
    'a probability beyond 1',
    () => F.binaryCrossEntropy(tensor([0.5, 1.5]), [0, 1]),
    'RUNTIME',
    "binaryCrossEntropy: expected 'input' to be probabilities in [0, 1], but received 1.5 at index 1",
  ],
  [
    'a probability that is NaN',
    () => F.binaryCrossEntropy(tensor([NaN]), [0]),
    'RUNTIME',
    "binaryCrossEntropy: expected 'input' to be probabilities in [0, 1], but received NaN at index 0",
  ],
  [
    'shapes that differ',
    () => F.binaryCrossEntropyWithLogits(half(), tensor([0, 1])),
    'INVALID_ARGUMENT',
    "binaryCrossEntropyWithLogits: expected 'target' to have shape [2, 2] as 'input' has, but received [2]",
  ],
  [
    'shapes that do not broadcast',
    () => F.klDiv(half(), tensor([0.1, 0.2, 0.7]), { reduction: 'sum' }),
    'RUNTIME',
    "klDiv: expected 'target' to broadcast with 'input' of shape [2, 2], but received [3]",
  ],
  [
    'a disposed tensor',
    () => F.crossEntropy(disposed(), [0, 1, 2, 0]),
    'DISPOSED',
    "crossEntropy: expected 'input' to be a live tensor, but received one that was disposed",
  ],
  [
    'a disposed weight',
    () => F.binaryCrossEntropy(half(), half(), { weight: disposed() }),
    'DISPOSED',
    'to be a live tensor, but received one that was disposed',
  ],
  [
    'an object as a tensor',
    () => F.klDiv({} as never, half()),
    'INVALID_ARGUMENT',
    "klDiv: expected 'input' to be a Tensor, or numbers to make one of, but received an object",
  ],
  [
    'a detached buffer',
    () => F.nllLoss(scores(), detached()),
    'INVALID_ARGUMENT',
    'to have its memory, but received a typed array whose ArrayBuffer was detached',
  ],
  [
    'ragged nested arrays',
    () => F.crossEntropy([[1, 2], [3]], [0, 1]),
    'INVALID_ARGUMENT',
    "expected 'data[1]' to be an array of length 2, as its siblings are, but received an array of length 1",
  ],
  [
    'a size that is not finite',
    () => torch.zeros([2, Infinity]),
    'INVALID_ARGUMENT',
    "zeros: expected 'size[1]' to be an integer, but received Infinity",
  ],
  [
    'a size that is NaN',
    () => torch.empty([NaN]),
    'INVALID_ARGUMENT',
    "empty: expected 'size[0]' to be an integer, but received NaN",
  ],
  [
    'a dtype by another name',
    () => tensor([1], { dtype: 'float-32' as never }),
    'INVALID_ARGUMENT',
    "(did you mean 'float32'?)",
  ],
];

test.each(cases)('%s', (_name, call, code, words) => {
  const error = refusal(call);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringContaining(words) });
  const native = ['RUNTIME', 'VALUE', 'INDEX'].includes(code);
  if (native) expect(error.message).toContain(` (libtorch: ${(error.cause as Error).message})`);
});

test('nothing of it leaks', () => {
  const refuse = (): void => {
    for (const [, call] of cases) refusal(() => torch.scope(call));
  };
  refuse();
  const before = torch.memory().tensors;
  for (let i = 0; i < 50; i++) refuse();
  // Fewer, if a collection meanwhile finds what earlier tests have dropped.
  expect(torch.memory().tensors).toBeLessThanOrEqual(before);
});
