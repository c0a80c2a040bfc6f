/** Modules: options are checked when one is made, parameters are found, and forward is the function. */
import * as torch from 'libtorch-losses';
import { refusal } from '../torch/support';

const { nn, tensor } = torch;
const F = nn.functional;
const scores = tensor([
  [1, 2, 0.5],
  [0.1, 0.2, 0.3],
]);

test('losses are their functions with options', () => {
  const weight = tensor([1, 2, 3]);
  const options = { weight, ignoreIndex: 2, reduction: 'sum', labelSmoothing: 0.1 } as const;
  const loss = new nn.CrossEntropyLoss(options);
  expect({ ...loss }).toMatchObject({ ignoreIndex: 2, reduction: 'sum', labelSmoothing: 0.1 });
  expect(loss.weight).toBe(weight);
  expect(loss.forward(scores, [0, 2]).item()).toBe(F.crossEntropy(scores, [0, 2], options).item());
  const logs = scores.logSoftmax(1);
  expect(new nn.NLLLoss({ reduction: 'none' }).forward(logs, [0, 1]).shape).toEqual([2]);
  expect(new nn.KLDivLoss({ reduction: 'batchmean' }).forward(logs, scores.softmax(1)).item()).toBeCloseTo(0, 6);
  const [p, labels] = [scores.sigmoid(), scores.gt(0.25).to('float32')];
  const [byProbs, byLogits] = [new nn.BCELoss(), new nn.BCEWithLogitsLoss()];
  expect(byProbs.forward(p, labels).item()).toBeCloseTo(byLogits.forward(scores, labels).item(), 6);
});

test('a weight may be numbers, and is made a tensor once', () => {
  const loss = new nn.NLLLoss({ weight: [1, 2, 3] });
  expect(loss.weight).toBeInstanceOf(torch.Tensor);
  expect([...loss.parameters()]).toEqual([]);
});

test('activations', () => {
  expect(new nn.Softmax({ dim: 1 }).forward(scores).equal(scores.softmax(1))).toBe(true);
  expect(new nn.LogSoftmax({ dim: -1 }).forward(scores).equal(scores.logSoftmax(1))).toBe(true);
  expect(new nn.Sigmoid().forward(scores).equal(scores.sigmoid())).toBe(true);
  expect(new nn.ReLU().forward(tensor([-1, 1])).toArray()).toEqual([0, 1]);
});

describe('Linear', () => {
  test('has PyTorch’s shapes and bounds, trains, and the seed decides', () => {
    const make = (): InstanceType<typeof nn.Linear> => {
      torch.manualSeed(0);
      return new nn.Linear(100, 5);
    };
    const layer = make();
    expect([layer.weight.shape, layer.bias?.shape]).toEqual([[5, 100], [5]]);
    expect(layer.weight.abs().max().item()).toBeLessThanOrEqual(Math.fround(0.1));
    expect(layer.weight.equal(make().weight)).toBe(true);
    expect([...layer.parameters()]).toEqual([layer.weight, layer.bias]);
    const x = torch.randn([3, 100]);
    const out = layer.forward(x);
    expect(out.allclose(x.matmul(layer.weight.t()).add(layer.bias as torch.Tensor), { atol: 1e-6 })).toBe(true);
    out.sum().backward();
    expect(layer.bias?.grad?.toArray()).toEqual([3, 3, 3, 3, 3]);
    layer.zeroGrad();
    expect([layer.weight.grad, layer.bias?.grad]).toEqual([undefined, undefined]);
  });

  test('without bias, of another dtype', () => {
    const layer = new nn.Linear(2, 3, { bias: false, dtype: 'float64' });
    expect([layer.bias, layer.weight.dtype, [...layer.parameters()].length]).toEqual([undefined, 'float64', 1]);
  });

  test.each<[string, unknown[], string]>([
    ['a negative number of them', [1, -1], 'outFeatures'],
    ['a fraction', [1.5, 1], 'inFeatures'],
    ['NaN', [1, NaN], 'outFeatures'],
    ['infinity', [Infinity, 1], 'inFeatures'],
    ['text', ['1', 1], 'inFeatures'],
    ['nothing', [], 'inFeatures'],
    ['a bias that is a tensor', [1, 1, { bias: scores }], 'bias'],
    ['a dtype that is none', [1, 1, { dtype: 'float' }], 'dtype'],
    ['an unknown option', [1, 1, { requiresGrad: false }], 'requiresGrad'],
    ['text in the place of a bias', [1, 1, 'yes'], 'bias'],
  ])('%s: refused', (_name, args, argument) => {
    const Linear = nn.Linear as unknown as new (...args: unknown[]) => unknown;
    expect(refusal(() => new Linear(...args))).toMatchObject({ op: 'Linear', argument });
  });

  test('an input that does not fit is libtorch’s refusal', () => {
    const layer = new nn.Linear(3, 2);
    expect(refusal(() => layer.forward(torch.ones([2, 4])))).toMatchObject({ code: 'RUNTIME', op: 'linear' });
    expect(refusal(() => layer.forward([1, 2, 3] as never))).toMatchObject({ argument: 'input' });
  });
});

test('parameters of modules in a module', () => {
  class Net extends nn.Module {
    readonly hidden = new nn.Linear(4, 3);
    readonly out = new nn.Linear(3, 2, { bias: false });
    readonly scale = new nn.Parameter(torch.ones([1]));
    readonly fixed = torch.ones([1]);

    override forward(x: torch.Tensor): torch.Tensor {
      return this.out.forward(this.hidden.forward(x).relu()).mul(this.scale).add(this.fixed);
    }
  }
  const net = new Net();
  expect([...net.parameters()]).toEqual([net.scale, net.hidden.weight, net.hidden.bias, net.out.weight]);
  net
    .forward(torch.randn([5, 4]))
    .sum()
    .backward();
  expect([...net.parameters()].every((parameter) => parameter.grad !== undefined)).toBe(true);
  net.zeroGrad();
  expect([...net.parameters()].some((parameter) => parameter.grad !== undefined)).toBe(false);
});

test.each<[string, () => unknown, string, string]>([
  [
    'a misspelled option',
    () => new nn.CrossEntropyLoss({ labelSmothing: 0 } as never),
    'CrossEntropyLoss',
    'labelSmothing',
  ],
  ['a Map in the place of options', () => new nn.CrossEntropyLoss(new Map() as never), 'CrossEntropyLoss', 'options'],
  ['text in the place of a weight', () => new nn.NLLLoss('sum' as never), 'NLLLoss', 'weight'],
  ['a reduction that is none', () => new nn.BCELoss({ reduction: 'batchmean' as never }), 'BCELoss', 'reduction'],
  ['smoothing beyond 1', () => new nn.CrossEntropyLoss({ labelSmoothing: 1.5 }), 'CrossEntropyLoss', 'labelSmoothing'],
  ['an index to ignore that is a fraction', () => new nn.NLLLoss({ ignoreIndex: 0.5 }), 'NLLLoss', 'ignoreIndex'],
  ['a flag that is a number', () => new nn.KLDivLoss({ logTarget: 1 as never }), 'KLDivLoss', 'logTarget'],
  [
    'a weight that is text',
    () => new nn.BCEWithLogitsLoss({ posWeight: 'x' as never }),
    'BCEWithLogitsLoss',
    'posWeight',
  ],
  ['a dimension that is a fraction', () => new nn.LogSoftmax({ dim: 0.5 }), 'LogSoftmax', 'dim'],
])('%s is refused when the module is made', (_name, make, op, argument) => {
  expect(refusal(make)).toMatchObject({ op, argument });
});

test('linear of disposed and foreign tensors', () => {
  const gone = torch.ones([3]);
  gone.dispose();
  const weight = torch.ones([2, 3]);
  expect(refusal(() => F.linear(gone, weight))).toMatchObject({ code: 'DISPOSED', op: 'linear', argument: 'input' });
  expect(refusal(() => F.linear(torch.ones([3]), [1] as never))).toMatchObject({ op: 'linear', argument: 'weight' });
  expect(refusal(() => F.linear(torch.ones([3]), weight, 1 as never))).toMatchObject({
    op: 'linear',
    argument: 'bias',
  });
});
