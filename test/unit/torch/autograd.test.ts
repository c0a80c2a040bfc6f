/** Gradients against formulas: once, accumulated, twice; and every way of asking wrongly. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const { tensor } = torch;
const leaf = (values: torch.TensorData = [1, 2, 3]): torch.Tensor =>
  tensor(values, { dtype: 'float64', requiresGrad: true });

describe('backward', () => {
  test('fills the grad of leaves, and accumulates', () => {
    const x = leaf();
    expect(x.grad).toBeUndefined();
    x.pow(3).sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 12, 27]);
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([4, 13, 28]);
    x.grad = undefined;
    expect(x.grad).toBeUndefined();
  });

  test('a broadcast operand gets the sum, an unused one nothing', () => {
    const [x, bias, unused] = [
      leaf([
        [1, 2],
        [3, 4],
      ]),
      leaf(2),
      leaf(),
    ];
    x.mul(bias).sum().backward();
    expect([bias.grad?.item(), unused.grad]).toEqual([10, undefined]);
  });

  test('of more than one element needs a gradient of its shape', () => {
    const x = leaf();
    expectNative(
      refusal(() => x.mul(2).backward()),
      'RUNTIME',
      /grad can be implicitly created only for scalar outputs/,
    );
    x.mul(2).backward({ gradient: tensor([1, 0, -1], { dtype: 'float64' }) });
    expect(x.grad?.toArray()).toEqual([2, 0, -2]);
    expectNative(
      refusal(() => x.mul(2).backward({ gradient: torch.ones([2]) })),
      'RUNTIME',
      /invalid gradient at index 0 - got \[2\]/,
    );
  });

  test('frees the graph unless it is retained', () => {
    const x = leaf();
    const loss = x.exp().sum();
    loss.backward({ retainGraph: true });
    loss.backward();
    expectNative(
      refusal(() => loss.backward()),
      'RUNTIME',
      /backward through the graph a second time/,
    );
    expect(x.grad?.toArray()).toEqual([1, 2, 3].map((v) => expect.closeTo(2 * Math.exp(v), 12)));
  });

  test('inputs confine it', () => {
    const [x, y] = [leaf([2]), leaf([3])];
    x.mul(y)
      .sum()
      .backward({ inputs: [y] });
    expect([x.grad, y.grad?.toArray()]).toEqual([undefined, [2]]);
  });

  test('of several tensors at once', () => {
    const x = leaf([1, 1]);
    torch.backward([x.sum(), x.mul(3)], { gradTensors: [undefined, tensor([1, 10], { dtype: 'float64' })] });
    expect(x.grad?.toArray()).toEqual([4, 31]);
    torch.backward(x.sum());
    expect(x.grad?.toArray()).toEqual([5, 32]);
  });

  test('goes on when tensors in between are disposed: the graph holds what it needs', () => {
    const x = leaf();
    const squares = x.square();
    const loss = squares.exp().sum();
    squares.dispose();
    loss.backward();
    expect(x.grad?.toArray()).toEqual([1, 2, 3].map((v) => expect.closeTo(2 * v * Math.exp(v * v), 9)));
  });

  test('a leaf that is disposed before the pass is not a crash', () => {
    const x = leaf();
    const loss = x.sum();
    x.dispose();
    loss.backward();
    expect(refusal(() => x.grad).code).toBe('DISPOSED');
  });

  test('a graph of 100,000 operations', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.mul(1);
    y.sum().backward();
    expect(x.grad?.toArray()).toEqual([1]);
  });

  test.each<[string, torch.BackwardOptions | object, string]>([
    ['a gradient that is a number', { gradient: 1 }, 'gradient'],
    ['a gradient that is a list', { gradient: [1] }, 'gradient'],
    ['retainGraph as a number', { retainGraph: 1 }, 'retainGraph'],
    ['createGraph as text', { createGraph: 'yes' }, 'createGraph'],
    ['inputs that are a number', { inputs: 1 }, 'inputs'],
    ['inputs with something else', { inputs: [1] }, 'inputs[0]'],
  ])('%s: refused', (_name, options, argument) => {
    expect(refusal(() => leaf([1]).sum().backward(options))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      op: 'backward',
      argument,
    });
  });

  test('what requires no gradient, an unknown option, a disposed gradient', () => {
    expectNative(
      refusal(() => tensor([1]).backward()),
      'RUNTIME',
      /does not require grad and does not have a grad_fn/,
    );
    expect(refusal(() => leaf([1]).backward({ retain_graph: true } as never)).code).toBe('UNKNOWN_OPTION');
    const gradient = torch.ones([1]);
    gradient.dispose();
    expect(refusal(() => leaf([1]).backward({ gradient })).code).toBe('DISPOSED');
    expect(refusal(() => torch.backward([1] as never)).argument).toBe('tensors[0]');
    expect(refusal(() => torch.backward(leaf([1]), { gradTensors: 1 as never })).argument).toBe('gradTensors');
    expect(refusal(() => torch.backward(leaf([1]), { gradTensors: [] })).argument).toBe('gradTensors');
    expect(refusal(() => torch.backward(leaf([1]), { gradTensors: new Array(2 ** 32 - 1) })).argument).toBe(
      'gradTensors',
    );
  });
});

describe('grad', () => {
  test('gives gradients and touches nobody', () => {
    const [x, y] = [leaf([2]), leaf([5])];
    const [dx, dy] = torch.grad(x.mul(y), [x, y]);
    expect([dx?.item(), dy?.item(), x.grad, y.grad]).toEqual([5, 2, undefined, undefined]);
  });

  test('of an intermediate tensor', () => {
    const x = leaf([2]);
    const square = x.square();
    expect(torch.grad(square.mul(3), square)[0]?.item()).toBe(3);
  });

  test('twice and three times: x^3 has 3 x^2, 6 x and 6', () => {
    const x = leaf([2, -1]);
    const first = torch.grad(x.pow(3).sum(), x, { createGraph: true })[0] as torch.Tensor;
    const second = torch.grad(first.sum(), x, { createGraph: true })[0] as torch.Tensor;
    const third = torch.grad(second.sum(), x)[0] as torch.Tensor;
    expect([first, second, third].map((t) => t.toArray())).toEqual([
      [12, 3],
      [12, -6],
      [6, 6],
    ]);
    expect([first.requiresGrad, third.requiresGrad]).toEqual([true, false]);
  });

  test('of a gradient penalty through a loss', () => {
    const x = tensor([[0.5, -1, 2]], { dtype: 'float64', requiresGrad: true });
    const loss = torch.nn.functional.crossEntropy(x, [1]);
    const [g] = torch.grad(loss, x, { createGraph: true });
    (g as torch.Tensor).square().sum().backward();
    // d/dx_j sum_i (p_i - y_i)^2 = 2 sum_i (p_i - y_i) p_i (delta_ij - p_j)
    const p = x.detach().softmax(1).toArray<number[][]>()[0] as number[];
    const d = p.map((value, i) => value - (i === 1 ? 1 : 0));
    const inner = d.reduce((sum, value, i) => sum + value * (p[i] as number), 0);
    expect(x.grad?.toArray()).toEqual([p.map((pj, j) => expect.closeTo(2 * pj * ((d[j] as number) - inner), 12))]);
  });

  test('an input that is not used is an error, or undefined', () => {
    const [x, unused] = [leaf([1]), leaf([1])];
    expectNative(
      refusal(() => torch.grad(x.sum(), unused)),
      'RUNTIME',
      /appears to not have been used in the graph/,
    );
    const [dx, none] = torch.grad(x.sum(), [x, unused], { allowUnused: true });
    expect([dx?.item(), none]).toEqual([1, undefined]);
  });

  test('gradOutputs weigh the outputs', () => {
    const x = leaf();
    const [dx] = torch.grad([x.mul(2), x.sum()], x, {
      gradOutputs: [tensor([1, 2, 3], { dtype: 'float64' }), undefined],
    });
    expect(dx?.toArray()).toEqual([3, 5, 7]);
  });

  test.each<[string, () => unknown, string]>([
    ['outputs that are a number', () => torch.grad(1 as never, leaf()), 'outputs'],
    ['inputs that are none', () => torch.grad(leaf([1]).sum(), undefined as never), 'inputs'],
    ['an input that is a list', () => torch.grad(leaf([1]).sum(), [[1]] as never), 'inputs[0]'],
    ['gradOutputs that are a number', () => torch.grad(leaf([1]), leaf(), { gradOutputs: 1 as never }), 'gradOutputs'],
    [
      'gradOutputs for other outputs',
      () => torch.grad(leaf([1]), leaf(), { gradOutputs: [undefined, undefined] }),
      'gradOutputs',
    ],
    [
      'a gradOutput that is a number',
      () => torch.grad(leaf([1]), leaf(), { gradOutputs: [1 as never] }),
      'gradOutputs[0]',
    ],
    ['allowUnused as a number', () => torch.grad(leaf([1]), leaf(), { allowUnused: 1 as never }), 'allowUnused'],
  ])('%s: refused', (_name, call, argument) => {
    expect(refusal(call)).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'grad', argument });
  });
});

describe('leaves', () => {
  test('requiresGrad_ on and off, for floating dtypes and leaves only', () => {
    const x = tensor([1]);
    expect(x.requiresGrad_()).toBe(x);
    expect(x.requiresGrad_(false).requiresGrad).toBe(false);
    expectNative(
      refusal(() => tensor([1n]).requiresGrad_()),
      'RUNTIME',
      /floating point/,
    );
    expectNative(
      refusal(() => leaf().mul(2).requiresGrad_(false)),
      'RUNTIME',
      /only change requires_grad flags of leaf/,
    );
    expect(refusal(() => x.requiresGrad_(1 as never))).toMatchObject({ op: 'requiresGrad_', argument: 'requiresGrad' });
    for (const value of [null, 0, 'true'])
      expect(refusal(() => x.requiresGrad_(value as never)).argument).toBe('requiresGrad');
  });

  test('isLeaf and gradFn', () => {
    const x = leaf();
    const y = x.exp();
    expect([x.isLeaf, x.gradFn, y.isLeaf, y.gradFn, y.detach().isLeaf]).toEqual([
      true,
      undefined,
      false,
      'ExpBackward0',
      true,
    ]);
  });

  test('retainGrad keeps the gradient of what is not a leaf', () => {
    const x = leaf([2]);
    const square = x.square();
    expect(square.retainGrad()).toBe(square);
    square.mul(5).sum().backward();
    expect([square.grad?.item(), x.grad?.item()]).toEqual([5, 20]);
    const lost = x.square();
    lost.sum().backward();
    expect(lost.grad).toBeUndefined();
    expectNative(
      refusal(() => tensor([1]).retainGrad()),
      'RUNTIME',
      /requires_grad=False/,
    );
  });

  test('grad can be set to a tensor that fits, and to nothing', () => {
    const x = leaf();
    x.grad = tensor([7, 8, 9], { dtype: 'float64' });
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([8, 9, 10]);
    const unfit: unknown[] = [
      torch.ones([2], { dtype: 'float64' }),
      torch.ones([3]),
      torch.ones([3], { dtype: 'int64' }),
    ];
    for (const gradient of unfit) {
      expect(() => {
        x.grad = gradient as torch.Tensor;
      }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'grad' }));
    }
    for (const gradient of [1, [1, 2, 3], {}]) {
      expect(() => {
        x.grad = gradient as never;
      }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(x.grad?.toArray()).toEqual([8, 9, 10]);
  });

  test('a tensor is not its own gradient', () => {
    const x = leaf();
    expect(() => {
      x.grad = x;
    }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'grad' }));
  });

  test('a gradient is the same object each time, until it is another one', () => {
    const x = torch.ones([1], { requiresGrad: true });
    x.backward();
    const first = x.grad;
    expect(x.grad).toBe(first);
    x.mul(2).backward();
    expect([x.grad === first, first?.item()]).toEqual([true, 3]);
    x.mul(2).backward({ createGraph: true });
    expect([x.grad === first, x.grad?.item(), first?.item()]).toEqual([false, 5, 3]);
    const given = torch.zeros([1]);
    x.grad = given;
    expect(x.grad).toBe(given);
    x.grad = undefined;
    expect(x.grad).toBe(undefined);
    x.backward();
    torch.scope(() => x.grad?.item());
    expect((x.grad as torch.Tensor | undefined)?.item()).toBe(1);
  });
});
