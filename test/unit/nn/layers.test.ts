/** Layers: how they are called, what they refuse, and what the recorded cases of test/golden do not show. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';

const { nn } = torch;

describe('calls as in Python', () => {
  test.each<[string, torch.nn.Module, string]>([
    ['by position', new nn.MaxPool2d(3, 2, 1), 'kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False'],
    [
      'by name',
      new nn.MaxPool2d({ kernelSize: [2, 3] }),
      'kernel_size=(2, 3), stride=(2, 3), padding=0, dilation=1, ceil_mode=False',
    ],
    [
      'mixed',
      new nn.MaxPool2d(3, { ceilMode: true }),
      'kernel_size=3, stride=3, padding=0, dilation=1, ceil_mode=True',
    ],
    ['with defaults', new nn.Softplus(), 'beta=1.0, threshold=20.0'],
    ['floats and whole numbers', new nn.Threshold(0.1, 20), 'threshold=0.1, value=20'],
    ['small numbers', new nn.LayerNorm(3), '(3,), eps=1e-05, elementwise_affine=True, bias=True'],
    [
      'null where Python has None',
      new nn.BatchNorm1d(2, { momentum: null }),
      '2, eps=1e-05, momentum=None, affine=True, bias=True, track_running_stats=True',
    ],
    [
      'undefined as absent',
      new nn.BatchNorm1d(2, undefined, undefined, false),
      '2, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=True',
    ],
    [
      'a word for the padding',
      new nn.Conv1d(1, 2, 3, { padding: 'same' }),
      '1, 2, kernel_size=(3,), stride=(1,), padding=same',
    ],
    ['no dimension', new nn.Softmax(), 'dim=None'],
    ['nothing to say', new nn.Tanh(), ''],
  ])('%s', (_, module, text) => {
    expect(module.extraRepr()).toBe(text);
  });

  test('inputs by name, too', () => {
    const linear = new nn.Linear(2, 1);
    const x = torch.ones([2]);
    expect(linear({ input: x } as never).item()).toBe(linear(x).item());
    const unpool = new nn.MaxUnpool1d(2);
    const indices = torch.tensor([[1]], { dtype: 'int64' });
    expect(unpool(torch.ones([1, 1]), indices, { outputSize: [3] }).toArray()).toEqual([[0, 1, 0]]);
    expect(unpool(torch.ones([1, 1]), indices, [3]).toArray()).toEqual([[0, 1, 0]]);
  });

  test('dtype and device of the parameters', () => {
    const options = { dtype: 'float64', device: 'meta' } as const;
    for (const module of [
      new nn.Linear(2, 3, options),
      new nn.Conv2d(1, 2, 3, options),
      new nn.BatchNorm2d(3, options),
      new nn.Embedding(3, 2, options),
      new nn.PReLU(options),
      new nn.RMSNorm(3, options),
    ]) {
      for (const parameter of module.parameters()) {
        expect([parameter.dtype, parameter.device]).toEqual(['float64', 'meta']);
      }
    }
  });
});

test.each<[string, () => unknown, string, string | undefined]>([
  ['a misspelled option', () => new nn.Dropout({ prob: 0.5 } as never), 'Dropout', 'prob'],
  ['a probability above 1', () => new nn.Dropout(1.5), 'Dropout', 'p'],
  ['no probability', () => new nn.AlphaDropout(NaN), 'AlphaDropout', 'p'],
  ['a size that is missing', () => new nn.Linear(3 as never), 'Linear', 'outFeatures'],
  ['a size that is negative', () => new nn.Conv2d(3, -1, 3), 'Conv2d', 'outChannels'],
  ['channels that groups do not divide', () => new nn.Conv2d(3, 4, 3, { groups: 2 }), 'Conv2d', 'inChannels'],
  ['no groups', () => new nn.Conv1d(2, 2, 1, { groups: 0 }), 'Conv1d', 'groups'],
  ['a word that is no padding', () => new nn.Conv1d(1, 1, 1, { padding: 'sane' }), 'Conv1d', 'padding'],
  ['the same size with steps', () => new nn.Conv1d(1, 1, 3, 2, 'same'), 'Conv1d', 'stride'],
  ['a mode that is none', () => new nn.Conv1d(1, 1, 1, { paddingMode: 'mirror' }), 'Conv1d', 'paddingMode'],
  [
    'a mode that is none here',
    () => new nn.ConvTranspose1d(1, 1, 1, { paddingMode: 'reflect' }),
    'ConvTranspose1d',
    'paddingMode',
  ],
  ['groups that do not divide', () => new nn.GroupNorm(2, 3), 'GroupNorm', 'numChannels'],
  [
    'no size of a fraction',
    () => new nn.FractionalMaxPool2d(2),
    'FractionalMaxPool2d',
    "'outputSize' or 'outputRatio'",
  ],
  ['a ratio above 1', () => new nn.FractionalMaxPool2d(2, { outputRatio: 1.5 }), 'FractionalMaxPool2d', 'outputRatio'],
  ['an index beyond the table', () => new nn.Embedding(3, 2, 3), 'Embedding', 'paddingIdx'],
  ['a table of another shape', () => new nn.Embedding(3, 2, { _weight: torch.ones([2, 3]) }), 'Embedding', '_weight'],
  ['limits in the wrong order', () => new nn.Hardtanh(1, 0), 'Hardtanh', 'maxVal'],
  [
    'too many inputs',
    () => (new nn.ReLU() as (...x: unknown[]) => unknown)(torch.ones([1]), torch.ones([1])),
    'ReLU',
    undefined,
  ],
  ['an array for a tensor', () => new nn.ReLU()([1, 2] as never), 'ReLU', 'input'],
  ['an image for a signal', () => new nn.BatchNorm1d(2)(torch.ones([1, 2, 3, 3])), 'BatchNorm1d', 'input'],
  [
    'a size that no window gives',
    () => new nn.ConvTranspose1d(1, 1, 3, 2)(torch.ones([1, 2]), [9]),
    'ConvTranspose1d',
    'outputSize[0]',
  ],
])('%s: refused', (_name, call, op, argument) => {
  expect(refusal(call)).toMatchObject({ op, ...(argument && { argument: argument.replace(/^'(.*)'$/, '$1') }) });
});

test('an input that does not fit: the message has the layer, and dtype and shape of what it was given', () => {
  const model = new nn.Sequential(new nn.Linear(3, 2), new nn.ReLU());
  const error = refusal(() => model(torch.ones([4, 5])));
  expect(error).toMatchObject({ code: 'RUNTIME', op: 'linear' });
  expect(error.message).toMatch(/\(in Linear\(in_features=3, out_features=2, bias=True\), given float32 \[4, 5\]\)$/);
  expect((error.cause as Error).message).not.toMatch(/in Linear/);
});

test('of layers in layers the message names the innermost', () => {
  const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 });
  const model = new nn.Sequential(new nn.TransformerEncoder(layer, 2, { enableNestedTensor: false }));
  const error = refusal(() => model(torch.ones([5, 1, 4], { dtype: 'float64' })));
  const given = Array(3).fill('float64 [5, 1, 4]').join(', ');
  expect(error.message).toBe(`${(error.cause as Error).message} (in MultiheadAttention(), given ${given})`);
  expect((error.cause as Error).cause).toBeUndefined();
});

test('an old state of batch norm has no count of batches', () => {
  const norm = new nn.BatchNorm1d(2);
  norm(torch.randn([4, 2]));
  const state = new Map(norm.stateDict());
  expect(norm.stateDict()._metadata.get('')).toEqual({ version: 2 });
  state.delete('num_batches_tracked');
  expect(norm.loadStateDict(state)).toEqual({ missingKeys: [], unexpectedKeys: [] });
  expect(norm.numBatchesTracked?.item()).toBe(1);
  const current = norm.stateDict();
  current.delete('num_batches_tracked');
  expect(refusal(() => norm.loadStateDict(current)).message).toMatch(
    /Missing key\(s\) in state_dict: "num_batches_tracked"/,
  );
  norm.resetRunningStats();
  expect([norm.numBatchesTracked?.item(), norm.runningVar?.toArray()]).toEqual([0, [1, 1]]);
});

test('versions of states as files give them', () => {
  const norm = new nn.BatchNorm1d(2);
  const state = Object.assign(new Map(norm.stateDict()), { _metadata: new Map([['', new Map([['version', 2]])]]) });
  state.delete('num_batches_tracked');
  expect(refusal(() => norm.loadStateDict(state)).message).toMatch(/Missing key/);
});

test('resetParameters draws anew what was drawn', () => {
  for (const module of [
    new nn.Linear(3, 2),
    new nn.Conv1d(2, 4, 3),
    new nn.Embedding(4, 3, 1),
    new nn.Bilinear(2, 2, 2),
  ]) {
    torch.manualSeed(3);
    module.resetParameters();
    const [first] = [...module.parameters()].map((parameter) => parameter.clone());
    torch.manualSeed(3);
    module.resetParameters();
    expect(torch.equal(module.weight, first as torch.Tensor)).toBe(true);
  }
});

test('embeddings of given vectors', () => {
  const vectors = torch.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { dtype: 'float32' },
  );
  const frozen = nn.Embedding.fromPretrained(vectors);
  expect([frozen.weight.requiresGrad, frozen(torch.tensor([1], { dtype: 'int64' })).toArray()]).toEqual([
    false,
    [[3, 4]],
  ]);
  const trained = nn.Embedding.fromPretrained(vectors, { freeze: false, paddingIdx: 0 });
  expect([trained.weight.requiresGrad, trained.paddingIdx, trained.weight.toArray()]).toEqual([
    true,
    0,
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  const bag = nn.EmbeddingBag.fromPretrained(vectors, true, { mode: 'sum' });
  expect(bag(torch.tensor([[0, 1]], { dtype: 'int64' })).toArray()).toEqual([[4, 6]]);
  expect(refusal(() => nn.Embedding.fromPretrained(torch.ones([2])))).toMatchObject({ op: 'fromPretrained' });
});
