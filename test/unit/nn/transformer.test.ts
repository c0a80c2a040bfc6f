/** Attention and transformers: the ways that give the same, and what they refuse. Their bits are in test/golden. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';

const { nn } = torch;

const rows = torch.randn([2, 3, 4], { generator: new torch.Generator().manualSeed(1) });
const padding = torch.tensor(
  [
    [false, false, false],
    [false, false, true],
  ],
  { dtype: 'bool' },
);

function encoder(options: { batchFirst?: boolean; dropout?: number } = {}): InstanceType<typeof nn.TransformerEncoder> {
  torch.manualSeed(3);
  const layer = new nn.TransformerEncoderLayer(4, 2, 8, { batchFirst: true, ...options });
  return new nn.TransformerEncoder(layer, 2, new nn.LayerNorm(4));
}

beforeAll(() => {
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterAll(() => jest.restoreAllMocks());

test('without gradients padding is left out, and the rest is what training computes', () => {
  const model = encoder({ dropout: 0 });
  const slow = model(rows, { srcKeyPaddingMask: padding });
  const fast = torch.noGrad(() => model.eval()(rows, { srcKeyPaddingMask: padding }));
  torch.testing.assertClose(fast.index(0), slow.index(0).detach(), { rtol: 1e-5, atol: 1e-6 });
  torch.testing.assertClose(fast.index(1).narrow(0, 0, 2), slow.index(1).narrow(0, 0, 2).detach(), {
    rtol: 1e-5,
    atol: 1e-6,
  });
  const last = model.norm?.(torch.zeros(4)) as torch.Tensor;
  expect(fast.index(1, 2).tolist()).toEqual(last.tolist());
});

test('hooks of a layer see its parts, also without gradients', () => {
  const model = encoder().eval();
  const seen: string[] = [];
  const [first] = model.layers;
  (first as InstanceType<typeof nn.TransformerEncoderLayer>).linear1.registerForwardHook(() => {
    seen.push('linear1');
  });
  torch.noGrad(() => model(rows));
  expect(seen).toEqual(['linear1']);
});

test('layers are copies with parameters of their own', () => {
  const layer = new nn.TransformerEncoderLayer(4, 2, 8);
  const model = new nn.TransformerEncoder(layer, 2);
  const [first, second] = [...model.layers];
  expect(first).not.toBe(layer);
  expect([...model.parameters()]).toHaveLength(2 * [...layer.parameters()].length);
  expect(first?.getParameter('linear1.weight').tolist()).toEqual(second?.getParameter('linear1.weight').tolist());
});

test('weights of attention are given if they are asked for', () => {
  const attention = new nn.MultiheadAttention(4, 2, { batchFirst: true });
  const [, weights] = attention(rows, rows, rows);
  expect(weights?.shape).toEqual([2, 3, 3]);
  expect(attention(rows, rows, rows, { averageAttnWeights: false })[1]?.shape).toEqual([2, 2, 3, 3]);
  expect(attention(rows, rows, rows, { needWeights: false })[1]).toBeUndefined();
  expect(attention(rows, rows, rows, padding, false)[0].shape).toEqual([2, 3, 4]);
});

describe('arguments that are absent have their defaults', () => {
  const mask = nn.Transformer.generateSquareSubsequentMask(2);
  const attention = new nn.MultiheadAttention(4, 2);
  const layer = new nn.TransformerEncoderLayer(4, 2, 8);
  const decoderLayer = new nn.TransformerDecoderLayer(4, 2, 8);
  const stack = new nn.TransformerEncoder(layer, 1, { enableNestedTensor: false });
  const decoder = new nn.TransformerDecoder(decoderLayer, 1);
  const whole = new nn.Transformer(4, 2, 1, 1, 8);
  for (const module of [attention, layer, decoderLayer, stack, decoder, whole]) module.eval();

  test.each<[string, () => unknown, () => unknown]>([
    [
      'MultiheadAttention',
      () => attention(rows, rows, rows, null, null, mask),
      () => attention(rows, rows, rows, { needWeights: true, attnMask: mask, averageAttnWeights: true }),
    ],
    ['TransformerEncoderLayer', () => layer(rows, mask, null, null), () => layer(rows, { srcMask: mask })],
    [
      'TransformerDecoderLayer',
      () => decoderLayer(rows, rows, null, mask),
      () => decoderLayer(rows, rows, { memoryMask: mask, tgtIsCausal: false, memoryIsCausal: false }),
    ],
    ['TransformerEncoder', () => stack(rows, mask, null, null), () => stack(rows, { mask })],
    [
      'TransformerDecoder',
      () => decoder(rows, rows, null, mask),
      () => decoder(rows, rows, { memoryMask: mask, memoryIsCausal: false }),
    ],
    [
      'Transformer',
      () => whole(rows, rows, null, null, mask),
      () => whole(rows, rows, { memoryMask: mask, memoryIsCausal: false }),
    ],
  ])('%s', (_name, byPosition, byName) => {
    const plain = (result: unknown): unknown =>
      torch.isTensor(result) ? result.tolist() : (result as torch.Tensor[]).map(plain);
    expect(plain(torch.noGrad(byPosition))).toEqual(plain(torch.noGrad(byName)));
  });

  test('those that have none are asked for', () => {
    expect(refusal(() => (attention as (...args: unknown[]) => unknown)(rows))).toMatchObject({
      op: 'MultiheadAttention',
      argument: 'key',
    });
    expect(refusal(() => layer(rows, 'none' as never, padding))).toMatchObject({ argument: 'srcMask' });
  });
});

test('the mask of what comes later', () => {
  const mask = nn.Transformer.generateSquareSubsequentMask(2);
  expect(mask.tolist()).toEqual([
    [0, -Infinity],
    [0, 0],
  ]);
});

test.each([
  [() => new nn.MultiheadAttention(5, 2), "MultiheadAttention: expected 'numHeads' to divide embedDim, 5"],
  [() => new nn.MultiheadAttention(0, 2), "MultiheadAttention: expected 'embedDim' to be an integer > 0"],
  [
    () => new nn.TransformerEncoderLayer(4, 2, { activation: 'tanh' as never }),
    "TransformerEncoderLayer: expected 'activation' to be 'relu', 'gelu' or a function",
  ],
  [
    () => new nn.Transformer(4, 2, 1, 1, 8)(torch.ones(3, 2, 4), torch.ones(3, 1, 4)),
    "Transformer: expected 'tgt' to have the batch of src, 2",
  ],
  [
    () => new nn.Transformer(4, 2, 1, 1, 8)(torch.ones(3, 2, 5), torch.ones(3, 2, 4)),
    "Transformer: expected 'src' to have dModel, 4, features",
  ],
  [() => encoder()(rows, { mask: torch.ones(3, 3, { dtype: 'int64' }) }), 'to be bool or floating point'],
  [() => encoder()(rows, { srcMsk: padding } as never), "'srcMsk'"],
])('%s is refused', (call, message) => {
  expect(call).toThrow(message);
});

describe('deepcopy', () => {
  test('keeps values, ties, buffers, modes, hooks and the class', () => {
    class Tied extends nn.Module {
      first = new nn.Linear(3, 3);
      second = this.first;
      norm = new nn.BatchNorm1d(3);
      sizes = { list: [1, 2] };
      override forward(x: torch.Tensor): torch.Tensor {
        return this.norm(this.second(this.first(x)));
      }
    }
    const model = new Tied().eval();
    model.first.weight.requiresGrad_(false);
    let calls = 0;
    model.registerForwardHook(() => {
      calls++;
    });
    const copy = nn.deepcopy(model);
    expect(copy).toBeInstanceOf(Tied);
    expect(copy.second).toBe(copy.first);
    expect(copy.first).not.toBe(model.first);
    expect(copy.training).toBe(false);
    expect(copy.first.weight.requiresGrad).toBe(false);
    expect(copy.sizes).toEqual(model.sizes);
    expect(copy.sizes.list).not.toBe(model.sizes.list);
    expect(String(copy)).toBe(String(model));
    const x = torch.ones(2, 3);
    expect(copy(x).tolist()).toEqual(model(x).tolist());
    expect(calls).toBe(2);
    torch.noGrad(() => copy.first.weight.zero_());
    copy.norm.runningMean?.fill_(7);
    expect(model.first.weight.any().item()).toBeTruthy();
    expect(model.norm.runningMean?.tolist()).toEqual([0, 0, 0]);
  });

  test('refuses what is no module, and tensors of a graph', () => {
    expect(() => nn.deepcopy({} as never)).toThrow("deepcopy: expected 'module' to be an nn.Module");
    const model = new nn.Identity() as torch.nn.Module & { cache?: torch.Tensor };
    model.cache = torch.ones(1, { requiresGrad: true }).mul(2);
    expect(() => nn.deepcopy(model)).toThrow('deepcopy: expected tensors to be leaves');
  });
});
