/** What torch.nn.functional refuses, in the words of the one formula. */
import { nn, ones, randn, type Tensor, tensor, zeros } from '../../../../lib';

const F = nn.functional;
const x = ones([2, 3]);
const image = ones([1, 1, 4, 4]);
const sequence = ones([3, 2, 4]);

function attend(options: Record<string, unknown>): unknown {
  return F.multiHeadAttentionForward({
    ...{ query: sequence, key: sequence, value: sequence, embedDimToCheck: 4, numHeads: 2 },
    ...{ inProjWeight: ones([12, 4]), inProjBias: null, biasK: null, biasV: null, addZeroAttn: false, dropoutP: 0 },
    ...{ outProjWeight: ones([4, 4]), outProjBias: null },
    ...(options as object),
  });
}

const refused: [name: string, call: () => unknown, message: string][] = [
  ['a probability', () => F.dropout(x, 1.5), "dropout: expected 'p' to be a probability in [0, 1], but received 1.5"],
  ['dims of dropout1d', () => F.dropout1d(image), "dropout1d: expected 'input' to have shape [C, L] or [N, C, L]"],
  ['bounds', () => F.hardtanh(x, 2, 1), "hardtanh: expected 'minVal' to be at most 'maxVal' (1), but received 2"],
  ['a kind', () => F.relu([1] as never), "relu: expected 'input' to be a Tensor, but received an array of length 1"],
  [
    'a keyword',
    () => F.relu(x, { inPlace: true } as never),
    "relu: unknown option 'inPlace' (did you mean 'inplace'?)",
  ],
  ['a name given twice', () => F.elu(x, 1, { alpha: 2 } as never), "elu: expected 'alpha' to be given once"],
  [
    'no size',
    () => F.interpolate(image),
    "interpolate: expected either 'size' or 'scaleFactor' to be given, but received neither",
  ],
  ['both sizes', () => F.interpolate(image, 2, 2), 'to be given, but received both'],
  [
    'sizes of other dims',
    () => F.interpolate(image, [2]),
    "interpolate: expected 'size' to have 2 numbers, as 'input' of shape [1, 1, 4, 4]",
  ],
  ['a mode', () => F.interpolate(image, 2, { mode: 'linaer' }), "(did you mean 'linear'?)"],
  [
    'a mode of other dims',
    () => F.interpolate(image, 2, { mode: 'linear' }),
    "interpolate: expected 'input' to have 3 dimensions with mode 'linear'",
  ],
  [
    'alignCorners',
    () => F.interpolate(image, 2, { alignCorners: true }),
    "interpolate: expected 'alignCorners' to be absent with mode 'nearest'",
  ],
  [
    'antialias',
    () => F.interpolate(image, 2, { antialias: true }),
    "interpolate: expected 'antialias' to be false but for modes",
  ],
  [
    'one value a channel',
    () => F.batchNorm(ones([1, 3]), null, null, { training: true }),
    "batchNorm: expected 'input' to have more than 1 value per channel",
  ],
  [
    'eps',
    () => F.batchNorm(x, zeros([3]), ones([3]), { eps: -1 }),
    "batchNorm: expected 'eps' to be >= 0, but received -1",
  ],
  [
    'one element',
    () => F.instanceNorm(ones([2, 3, 1])),
    "instanceNorm: expected 'input' to have more than 1 spatial element",
  ],
  ['dims of groups', () => F.groupNorm(ones([3]), 1), "groupNorm: expected 'input' to have at least 2 dimensions"],
  [
    'sizes of a pool',
    () => F.fractionalMaxPool2d(image, 2),
    "fractionalMaxPool2d: expected 'outputSize' or 'outputRatio' to be given, with 2 numbers, but received neither",
  ],
  [
    'dims of a pool',
    () => F.adaptiveAvgPool2d(ones([3]), [2, 2]),
    "adaptiveAvgPool2d: expected 'input' to have more than 2 dimensions",
  ],
  [
    'an unpooled size',
    () => F.maxUnpool1d(ones([1, 1, 2]), tensor([[[0, 2]]], { dtype: 'int64' }), 2, { outputSize: 9 }),
    "maxUnpool1d: expected 'outputSize[0]' to be >= 0 and between 2 and 6, but received 9",
  ],
  [
    'a row',
    () => F.embedding(tensor([0], { dtype: 'int64' }), x, 2),
    "embedding: expected 'paddingIdx' to be an index of 2 rows, but received 2",
  ],
  [
    'offsets',
    () => F.embeddingBag(tensor([0], { dtype: 'int64' }), x),
    "embeddingBag: expected 'offsets' to have 1 dimension, as 'input' has, but received undefined",
  ],
  [
    'weights of a mode',
    () => F.embeddingBag(tensor([[0]], { dtype: 'int64' }), x, { perSampleWeights: ones([1, 1]) }),
    "to be 'sum' with 'perSampleWeights'",
  ],
  [
    'a sampling mode',
    () => F.gridSample(image, ones([1, 1, 1, 2]), { mode: 'linear', alignCorners: false }),
    "gridSample: expected 'mode' to be one of 'bilinear'",
  ],
  [
    'theta',
    () => F.affineGrid(ones([1, 3, 4]), [1, 1, 2, 2], false),
    "affineGrid: expected 'theta' to have shape [N, 2, 3], but received [1, 3, 4]",
  ],
  ['a pair', () => F.assertIntOrPair([1, 2, 3], 'stride', '{} must be int or pair'), 'stride must be int or pair'],
  ['heads', () => attend({ numHeads: 3 }), "multiHeadAttentionForward: expected 'numHeads' to divide 4"],
  ['features', () => attend({ embedDimToCheck: 5 }), "expected 'query' to have 5 features, but received 4"],
  ['a mask', () => attend({ attnMask: ones([2, 2]) }), "expected 'attnMask' to have shape [3, 3], but received [2, 2]"],
  [
    'an integer mask',
    () => attend({ attnMask: ones([3, 3], { dtype: 'int64' }) }),
    "expected 'attnMask' to be bool or floating point, but received int64",
  ],
  [
    'padding',
    () => attend({ keyPaddingMask: ones([3, 3]) }),
    "expected 'keyPaddingMask' to have shape [2, 3], but received [3, 3]",
  ],
  [
    'no projection',
    () => attend({ inProjWeight: null }),
    "expected 'inProjWeight' to be given without 'useSeparateProjWeight'",
  ],
  ['a causal hint', () => attend({ isCausal: true }), "expected 'attnMask' to be given with 'isCausal'"],
  ['one bias', () => attend({ biasV: ones([1, 1, 4]) }), "expected 'biasK' to be given with the other"],
];

test.each(refused)('%s', (_, call, message) => {
  expect(call).toThrow(message);
});

test('a refused call in place has changed nothing', () => {
  const given = randn([3, 4]);
  const before = given.toArray();
  expect(() => F.dropout1d(given, 2, { inplace: true })).toThrow('probability');
  expect([given.shape, given.toArray()]).toEqual([[3, 4], before]);
});

test('arguments go by position, by name, and mixed', () => {
  const positional = F.maxPool2d(image, 2, 1, 0, 1, false, true);
  const named = F.maxPool2d({ input: image, kernelSize: [2, 2], stride: 1, returnIndices: true });
  const mixed: [Tensor, Tensor] = F.maxPool2d(image, 2n, { stride: [1n, 1], returnIndices: true });
  for (const [output, indices] of [positional, named, mixed]) {
    expect([output.shape, indices.dtype]).toEqual([[1, 1, 3, 3], 'int64']);
  }
});
