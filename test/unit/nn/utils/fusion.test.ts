/** Layers that take in the batch norm behind them; the numbers of the weights are in test/golden/calls. */
import { manualSeed, nn, noGrad, randn, type Tensor } from '../../../../lib';

const { utils } = nn;

function trained<M extends nn.BatchNorm1d | nn.BatchNorm2d>(norm: M, ...shape: number[]): M {
  noGrad(() => (norm as unknown as (x: Tensor) => Tensor)(randn(shape)));
  nn.init.uniform_(norm.weight as Tensor);
  norm.eval();
  return norm;
}

beforeEach(() => {
  manualSeed(0);
});

test('a convolution does what both did, and they stay as they are', () => {
  const conv = new nn.Conv2d(2, 3, 3, { padding: 1, bias: false }).eval();
  const norm = trained(new nn.BatchNorm2d(3), 4, 3, 5, 5);
  const [input, before] = [randn([2, 2, 5, 5]), conv.weight.toArray()];
  const fused = utils.fuseConvBnEval(conv, norm);
  expect(fused).toBeInstanceOf(nn.Conv2d);
  expect(String(fused)).toBe('Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))');
  expect(fused(input).allclose(norm(conv(input)), 1e-4, 1e-5)).toBe(true);
  expect([conv.weight.toArray(), conv.bias, fused.training]).toEqual([before, undefined, false]);
  expect([fused.weight.requiresGrad, fused.bias?.requiresGrad]).toEqual([true, false]);
});

test('so do transposed convolutions and linear layers', () => {
  const conv = new nn.ConvTranspose1d(2, 3, 2).eval();
  const norm = trained(new nn.BatchNorm1d(3), 6, 3);
  const signal = randn([2, 2, 4]);
  expect(
    utils
      .fuseConvBnEval(
        conv,
        norm,
        true,
      )(signal)
      .allclose(norm(conv(signal)), 1e-4, 1e-5),
  ).toBe(true);
  const linear = new nn.Linear(4, 3).eval();
  const input = randn([2, 4]);
  expect(
    utils
      .fuseLinearBnEval(
        linear,
        norm,
      )(input)
      .allclose(norm(linear(input)), 1e-4, 1e-5),
  ).toBe(true);
});

test('weights of convolutions lie in another order, with the same values', () => {
  const model = new nn.Sequential(new nn.Conv2d(2, 3, 2), new nn.Conv1d(3, 1, 2));
  const [conv, other] = [...model] as [nn.Conv2d, nn.Conv1d];
  const before = conv.weight.toArray();
  expect(utils.convertConv2dWeightMemoryFormat(model, 'channels_last')).toBe(model);
  expect(conv.weight.isContiguous({ memoryFormat: 'channels_last' })).toBe(true);
  expect(conv.weight.toArray()).toEqual(before);
  expect(other.weight.isContiguous()).toBe(true);
});

const conv = (): nn.Conv1d => new nn.Conv1d(1, 2, 1).eval();
const refused: [name: string, call: () => unknown, message: string][] = [
  [
    'training',
    () => utils.fuseConvBnEval(conv(), new nn.BatchNorm1d(2)),
    'fuseConvBnEval: expected BatchNorm1d to be in evaluation',
  ],
  [
    'no statistics',
    () => utils.fuseConvBnEval(conv(), new nn.BatchNorm1d(2, { trackRunningStats: false }).eval()),
    "expected 'bn' to have running statistics",
  ],
  [
    'another layer',
    () => utils.fuseConvBnEval(new nn.Linear(1, 2).eval() as never, new nn.BatchNorm1d(2).eval()),
    'to be of a class that can be fused',
  ],
  [
    'another norm',
    () => utils.fuseConvBnEval(conv(), new nn.LayerNorm(2) as never),
    "expected 'bn' to be a batch norm",
  ],
  [
    'features',
    () => utils.fuseLinearBnEval(new nn.Linear(1, 2).eval(), new nn.BatchNorm1d(3).eval()),
    "fuseLinearBnEval: expected 'bn' to have 1 or 2 features, but received 3",
  ],
];

test.each(refused)('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});
