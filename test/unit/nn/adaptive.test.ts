/** Adaptive softmax beyond its golden vectors: how its parameters are drawn, and what it refuses. */
import * as torch from 'libtorch-losses';

const { AdaptiveLogSoftmaxWithLoss } = torch.nn;

function bits(tensor: torch.Tensor): number[] {
  return Array.from(new Uint32Array(tensor.detach().toTypedArray<Float32Array>().slice().buffer));
}

/** Recorded from PyTorch 2.13.0: torch.manual_seed(7), AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], 2.0, True). */
const drawn = [
  [
    0x3d0f0af0, 0xbe9a3678, 0x3e230864, 0x3e20a7d8, 0xbe88d37a, 0xbd997968, 0xbe95f8d2, 0x3e04d99c, 0xbe09ea90,
    0x3eb3d972, 0x3eb5bb1c, 0x3d50a170, 0xbe5a46e0, 0xbe965d4e, 0xbd60e920, 0xbe101758,
  ],
  [0x3e61ab68, 0xbeda98f0, 0x3ef0994e, 0xbec8d034],
  [0x3ec40888, 0xbdb1d280, 0x3e83aefe, 0x3e47861c, 0x3cab7580, 0x3dbef000, 0x3ec26896, 0x3e03acdc],
  [0x3ec01423, 0xbf0c0774, 0x3f00dd77, 0x3e793480],
  [0x3e01b0b0, 0x3d8d75f8, 0x3e799514, 0x3eeb1e70],
  [0xbe63db40, 0xbf0e9e92],
];

test('parameters are drawn as PyTorch draws them, and again', () => {
  torch.manualSeed(7);
  const module = new AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], { divValue: 2, headBias: true });
  expect([...module.parameters()].map(bits)).toEqual(drawn);
  expect(module.cutoffs).toEqual([2, 4, 6]);
  torch.manualSeed(7);
  module.resetParameters();
  expect([...module.parameters()].map(bits)).toEqual(drawn);
});

test('a cluster may be left without features: its classes are equally likely', () => {
  const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const module = new AdaptiveLogSoftmaxWithLoss(2, 5, [1, 3]);
  expect(emitted.mock.calls.map(([text]) => text)).toEqual([
    'kaimingUniform_: a tensor without elements stays as it is',
  ]);
  emitted.mockRestore();
  expect([...module.tail].map((cluster) => [...cluster.parameters()].map(({ shape }) => shape))).toEqual([
    [
      [0, 2],
      [2, 0],
    ],
    [
      [0, 2],
      [2, 0],
    ],
  ]);
  const [row] = module.logProb(torch.ones([1, 2])).toArray<number[][]>();
  expect(row?.[1]).toBe(row?.[2]);
  expect(row?.[3]).toBe(row?.[4]);
});

test('features shrink as Python divides: 1 // 0.1 is 9, not 10', () => {
  const module = new AdaptiveLogSoftmaxWithLoss(1, 3, [2], { divValue: 0.1 });
  expect([...(module.tail[0] as torch.nn.AnyModule).parameters()].map(({ shape }) => shape)).toEqual([
    [9, 1],
    [1, 9],
  ]);
});

test('the loss is that of the log-probabilities of all classes', () => {
  torch.manualSeed(0);
  const module = new AdaptiveLogSoftmaxWithLoss(6, 9, [3, 6], { divValue: 2, dtype: 'float64' });
  const input = torch.randn([9, 6], { dtype: 'float64' });
  const target = torch.arange(9, { dtype: 'int64' });
  const { output, loss } = module.forward(input, target);
  const all = module.logProb(input);
  expect(
    all
      .exp()
      .sum(1)
      .allclose(torch.ones([9], { dtype: 'float64' })),
  ).toBe(true);
  expect(output.allclose(all.gather(1, target.unsqueeze(1)).squeeze(1))).toBe(true);
  expect(loss.item()).toBeCloseTo(-output.mean().item(), 12);
  expect(module.predict(input).equal(all.argmax(1))).toBe(true);
});

test('plain data is made into tensors of the parameters dtype', () => {
  const module = new AdaptiveLogSoftmaxWithLoss(2, 4, [2], { divValue: 1, dtype: 'float64' });
  const { output, loss } = module.forward([[1, 2]], [3]);
  expect([output.dtype, output.shape, loss.shape]).toEqual(['float64', [1], []]);
  expect(module.forward([1, 2], 3).output.shape).toEqual([]);
  expect(module.predict([[1, 2]]).shape).toEqual([1]);
});

test('options by position, as in Python', () => {
  const module = new AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], 2, true, { dtype: 'float64' });
  expect([module.divValue, module.head.bias?.dtype]).toEqual([2, 'float64']);
});

describe('refusals', () => {
  const module = new AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], { divValue: 2 });
  const input = torch.ones([3, 4]);

  test.each<[string, () => unknown, RegExp]>([
    ['target', () => module.forward(input, [0, 1]), /to have shape \[3\].*received \[2\]/],
    ['input', () => module.forward(torch.ones([4]), [0]), /to have 2 dimensions, as 'target' has 1/],
    ['input', () => module.forward(input, 0), /to have 1 dimension, as 'target' has none/],
    ['target', () => module.forward(input, [[0], [1], [2]]), /to have at most 1 dimension/],
    ['target', () => module.forward(input, [0, 6, 2]), /class indices in \[0, 6\).*values in \[0, 6\]/],
    ['target', () => module.forward(input, [0, -1, 2]), /values in \[-1, 2\]/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, []), /ascending order, each in \[1, 5\]/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, [0, 3]), /received 0 at index 0/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, [3, 3]), /received 3 at index 1/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, [2, 6]), /received 6 at index 1/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, [1.5]), /received 1.5 at index 0/],
    ['cutoffs', () => new AdaptiveLogSoftmaxWithLoss(4, 6, 2 as unknown as number[]), /received 2/],
    ['divValue', () => new AdaptiveLogSoftmaxWithLoss(4, 6, [2], { divValue: 0 }), /to be a number > 0/],
    [
      'headBias',
      () => new AdaptiveLogSoftmaxWithLoss(4, 6, [2], { headBias: 1 as unknown as boolean }),
      /true or false/,
    ],
    ['inFeatures', () => new AdaptiveLogSoftmaxWithLoss(-4, 6, [2]), /to be an integer >= 0/],
  ])('%s', (argument, run, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
  });

  test('an unknown option', () => {
    const options = { divvalue: 2 } as { divValue?: number };
    expect(() => new AdaptiveLogSoftmaxWithLoss(4, 6, [2], options)).toThrow(/did you mean 'divValue'\?/);
  });
});
