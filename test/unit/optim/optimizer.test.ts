/** What all optimizers have: groups, checks, closures, hooks, state dicts. */
import * as torch from '../../../lib';

const { optim } = torch;

function parameter(...values: number[]): torch.Tensor {
  const made = torch.tensor(values, { requiresGrad: true });
  made.grad = torch.ones([values.length]);
  return made;
}

const first = (tensor: torch.Tensor): number => (tensor.toArray() as number[])[0] as number;

describe('arguments', () => {
  test('options go by position, by name, or both', () => {
    const w = parameter(1);
    for (const made of [
      new optim.SGD([w], 0.5, 0.25),
      new optim.SGD([w], { lr: 0.5, momentum: 0.25 }),
      new optim.SGD([w], 0.5, { momentum: 0.25 }),
      new optim.SGD({ params: [w], lr: 0.5, momentum: 0.25 } as never),
    ]) {
      expect(made.paramGroups[0]).toMatchObject({ lr: 0.5, momentum: 0.25, dampening: 0, foreach: null });
    }
  });

  test('null is absent', () => {
    expect(new optim.SGD([parameter(1)], null, { momentum: null }).paramGroups[0]).toMatchObject({
      lr: 0.001,
      momentum: 0,
    });
  });

  test.each<[string, () => unknown, string]>([
    ['NaN', () => new optim.SGD([parameter(1)], Number.NaN), "SGD: expected option 'lr' to be a number >= 0"],
    ['negative', () => new optim.Adam([parameter(1)], -1), "Adam: expected option 'lr' to be a number >= 0"],
    ['a tensor', () => new optim.SGD([parameter(1)], torch.tensor(-1)), "SGD: expected option 'lr'"],
    ['two elements', () => new optim.SGD([parameter(1)], torch.ones([2])), 'one of shape [2]'],
    [
      'betas',
      () => new optim.Adam([parameter(1)], { betas: [0.9, 1] }),
      "Adam: expected option 'betas' to be two numbers in [0, 1), but received [0.9, 1]",
    ],
    ['one beta', () => new optim.Adam([parameter(1)], { betas: [0.9] as never }), "option 'betas'"],
    ['unknown', () => new optim.AdamW([parameter(1)], { weigthDecay: 1 } as never), "did you mean 'weightDecay'"],
    ['none', () => new optim.SGD([]), "SGD: expected 'params' to hold at least one parameter, but received none"],
    ['a tensor for a list', () => new optim.SGD(parameter(1)), "SGD: expected 'params' to be an iterable of Tensors"],
    ['no tensor', () => new optim.SGD([3 as never]), "SGD: expected 'params[0]' to be a Tensor, but received 3"],
    ['no leaf', () => new optim.SGD([parameter(1).mul(2)]), "expected 'params[0]' to be a leaf of the graph"],
    [
      'nesterov',
      () => new optim.SGD([parameter(1)], { nesterov: true }),
      "expected option 'nesterov' to go with a momentum > 0",
    ],
    [
      'fused and foreach',
      () => new optim.SGD([parameter(1)], { fused: true, foreach: true }),
      "option 'fused' to be false with foreach",
    ],
    [
      'fused and differentiable',
      () => new optim.Adam([parameter(1)], { fused: true, differentiable: true }),
      "option 'fused' to be false with differentiable",
    ],
    ['a group', () => new optim.SGD([{ params: [parameter(1)], lr: -1 }]), "expected option 'lr'"],
    ['misspelled', () => new optim.SGD([{ params: [parameter(1)], weight_decay: 1 }]), "did you mean 'weightDecay'"],
    ['fixed', () => new optim.AdamW([{ params: [parameter(1)], decoupledWeightDecay: false }]), 'unknown option'],
  ])('%s is refused', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test('a parameter in two groups', () => {
    const w = parameter(1);
    expect(() => new optim.SGD([{ params: [w] }, { params: [parameter(2), w] }])).toThrow(
      "SGD: expected 'params[1]' to be in one group only, but received one of another group",
    );
  });
});

describe('groups', () => {
  test('have options of their own, else those of the optimizer', () => {
    const [a, b] = [parameter(1), parameter(1)];
    const optimizer = new optim.SGD([{ params: a, lr: 0.5 }, { params: [b] }], { lr: 0.25 });
    optimizer.step();
    expect([first(a), first(b)]).toEqual([0.5, 0.75]);
    const group = optimizer.paramGroups[1];
    if (group !== undefined) group.lr = 1;
    optimizer.step();
    expect([first(a), first(b)]).toEqual([0, -0.25]);
  });

  test('are added later, and refused whole', () => {
    const optimizer = new optim.SGD([parameter(1)], 0.5);
    const c = parameter(1);
    optimizer.addParamGroup({ params: c, momentum: 0.5, tag: 'mine' });
    expect(optimizer.paramGroups[1]).toMatchObject({ lr: 0.5, momentum: 0.5, tag: 'mine' });
    expect(() => optimizer.addParamGroup({ params: [c] })).toThrow('one group only');
    expect(() => optimizer.addParamGroup([c] as never)).toThrow("expected 'paramGroup' to be an object");
    expect(optimizer.paramGroups).toHaveLength(2);
  });

  test('may have names', () => {
    const optimizer = new optim.SGD([
      ['weight', parameter(1)],
      ['bias', parameter(2)],
    ]);
    expect(optimizer.paramGroups[0]?.paramNames).toEqual(['weight', 'bias']);
    expect(optimizer.stateDict().param_groups[0]?.param_names).toEqual(['weight', 'bias']);
    expect(String(optimizer)).toContain("    param_names: ['weight', 'bias']\n");
    expect(() => optimizer.addParamGroup({ params: [parameter(3)] })).toThrow('to have names in all groups or in none');
    expect(() => new optim.SGD([['weight', parameter(1)], parameter(2)])).toThrow(
      'names for all parameters or for none',
    );
  });
});

describe('a step', () => {
  test('passes parameters without a gradient', () => {
    const [a, b] = [parameter(1), parameter(1)];
    b.grad = undefined;
    const optimizer = new optim.Adam([a, b], 0.5);
    optimizer.step();
    expect(first(a)).toBeLessThan(1);
    expect(first(b)).toBe(1);
    expect([...optimizer.state.keys()]).toEqual([a]);
  });

  test('calls the closure first, with gradients recorded, and gives its result', () => {
    const w = parameter(1);
    const optimizer = new optim.SGD([w], 0.5);
    const loss = torch.noGrad(() =>
      optimizer.step(() => {
        optimizer.zeroGrad();
        const value = w.mul(3).sum();
        value.backward();
        return value;
      }),
    );
    expect(loss.item()).toBe(3);
    expect(first(w)).toBe(-0.5);
  });

  test('leaves everything as it is if the closure throws', () => {
    const w = parameter(1);
    const optimizer = new optim.SGD([w], 0.5, 0.9);
    const thrown = new Error('mine');
    expect(() =>
      optimizer.step(() => {
        throw thrown;
      }),
    ).toThrow(thrown);
    expect(first(w)).toBe(1);
    expect(optimizer.state.size).toBe(0);
    expect(torch.isGradEnabled()).toBe(true);
    expect(() => optimizer.step(3 as never)).toThrow("step: expected 'closure' to be a function, but received 3");
    expect(() => optimizer.step(async () => 1)).toThrow('to be synchronous');
  });

  test('moves nothing if a parameter is gone', () => {
    const [a, b] = [parameter(1), parameter(1)];
    const optimizer = new optim.SGD([{ params: [a] }, { params: [b] }], 0.5);
    b.dispose();
    expect(() => optimizer.step()).toThrow(torch.DisposedError);
    expect(() => optimizer.step()).toThrow(
      "SGD: expected 'params[0]' to be a live tensor, but received one that was disposed",
    );
    expect(first(a)).toBe(1);
  });

  test('keeps its state beyond the scope around it, and nothing else', () => {
    const w = parameter(1, 2, 3);
    const optimizer = new optim.AdamW([w], { amsgrad: true, maximize: true });
    torch.scope(() => optimizer.step());
    const { tensors } = torch.memory();
    for (let i = 0; i < 10; i++) optimizer.step();
    expect(torch.memory().tensors).toBe(tensors);
    expect(optimizer.state.get(w)?.step).toMatchObject({ isDisposed: false });
  });

  test('refuses what does not go on this device', () => {
    const optimizer = new optim.Adam([parameter(1)], { capturable: true });
    expect(() => optimizer.step()).toThrow("option 'capturable' to be false for parameters that are not on a GPU");
    const both = new optim.SGD([parameter(1)], { foreach: true, differentiable: true });
    expect(() => both.step()).toThrow("option 'foreach' to be false with differentiable: true");
  });

  test('takes sparse gradients where PyTorch does', () => {
    const w = torch.ones([4], { requiresGrad: true });
    w.grad = torch.tensor([0, 2, 0, 0]).toSparse();
    new optim.SGD([w], 0.5).step();
    expect(w.toArray()).toEqual([1, 0, 1, 1]);
    expect(() => new optim.Adam([w]).step()).toThrow('Adam: expected dense gradients, but received a sparse one');
  });
});

test('zeroGrad forgets gradients, or fills them with zeros', () => {
  const w = parameter(1);
  const { grad } = w;
  const optimizer = new optim.SGD([w]);
  optimizer.zeroGrad({ setToNone: false });
  expect(grad?.toArray()).toEqual([0]);
  optimizer.zeroGrad();
  expect(w.grad).toBeUndefined();
  optimizer.zeroGrad(false);
  expect(() => optimizer.zeroGrad(1 as never)).toThrow("zeroGrad: expected 'setToNone' to be true or false");
});

describe('hooks', () => {
  test('run around steps until they are removed', () => {
    const optimizer = new optim.SGD([parameter(1)], 0.5);
    const log: unknown[] = [];
    const handles = [
      optimizer.registerStepPreHook((of, args) => {
        log.push(['before', of === optimizer, args.length]);
        return [() => 7];
      }),
      optimizer.registerStepPostHook((_, args) => void log.push(['behind', args.length])),
      optim.registerOptimizerStepPreHook(() => void log.push('all before')),
      optim.registerOptimizerStepPostHook(() => void log.push('all behind')),
    ];
    expect(optimizer.step()).toBe(7);
    for (const handle of handles) handle.remove();
    optimizer.step();
    expect(log).toEqual(['all before', ['before', true, 0], ['behind', 1], 'all behind']);
    optimizer.registerStepPreHook(() => 3 as never);
    expect(() => optimizer.step()).toThrow('the hook before step to give nothing or an array');
  });

  test('run around the steps of classes of users', () => {
    const log: string[] = [];
    class Mine extends optim.Optimizer<{ lr: number }> {
      constructor(params: torch.Tensor[]) {
        super(params, { lr: 2 });
      }
      override step(): never {
        log.push(`step ${this.paramGroups[0]?.lr}`);
        return undefined as never;
      }
    }
    const optimizer = new Mine([parameter(1)]);
    optimizer.registerStepPostHook(() => void log.push('behind'));
    optimizer.step();
    expect(log).toEqual(['step 2', 'behind']);
    expect(() => new optim.Optimizer([parameter(1)], {}).step()).toThrow('that writes step()');
  });

  test('see and change state dicts', () => {
    const optimizer = new optim.SGD([parameter(1)]);
    const log: string[] = [];
    optimizer.registerStateDictPreHook(() => void log.push('second'));
    optimizer.registerStateDictPreHook(() => void log.push('first'), { prepend: true });
    optimizer.registerStateDictPostHook((_, dict) => ({ ...dict, extra: 1 }));
    expect(optimizer.stateDict()).toMatchObject({ extra: 1 });
    optimizer.registerLoadStateDictPreHook((_, dict) => {
      (dict.param_groups[0] as { lr: number }).lr = 9;
      return undefined;
    });
    optimizer.registerLoadStateDictPostHook(() => void log.push('loaded'));
    optimizer.loadStateDict(optimizer.stateDict());
    expect(optimizer.paramGroups[0]?.lr).toBe(9);
    expect(log).toEqual(['first', 'second', 'first', 'second', 'loaded']);
  });
});

describe('state dicts', () => {
  const trained = (): torch.optim.Adam => {
    const optimizer = new optim.Adam([{ params: [parameter(1), parameter(2)] }, { params: parameter(3), lr: 0.5 }]);
    optimizer.step();
    return optimizer;
  };

  test('have the structure of Python', () => {
    const { state, param_groups } = trained().stateDict();
    expect([...state.keys()]).toEqual([0, 1, 2]);
    expect(Object.keys(state.get(2) as object)).toEqual(['step', 'exp_avg', 'exp_avg_sq']);
    expect(param_groups.map(({ params, lr, weight_decay }) => ({ params, lr, weight_decay }))).toEqual([
      { params: [0, 1], lr: 0.001, weight_decay: 0 },
      { params: [2], lr: 0.5, weight_decay: 0 },
    ]);
  });

  test('go into another optimizer, as Maps and as objects', () => {
    const from = trained();
    const { state, param_groups } = from.stateDict();
    for (const dict of [
      { state, param_groups },
      new Map<string, unknown>([
        ['state', state],
        ['param_groups', param_groups.map((group) => new Map(Object.entries(group)))],
      ]),
      { state: Object.fromEntries(state), param_groups },
    ]) {
      const [a, b, c] = [parameter(1), parameter(2), parameter(3)];
      const optimizer = new optim.Adam([{ params: [a, b] }, { params: [c] }]);
      optimizer.loadStateDict(dict);
      expect(optimizer.paramGroups[1]?.lr).toBe(0.5);
      expect(optimizer.paramGroups[1]?.params).toEqual([c]);
      expect(optimizer.state.get(b)).toMatchObject({ step: (state.get(1) as { step: unknown }).step });
    }
  });

  test('are cast to the parameters, counters as tensors', () => {
    const w = torch.ones([1], { dtype: 'float64', requiresGrad: true });
    w.grad = torch.ones([1], { dtype: 'float64' });
    const optimizer = new optim.Adam([w]);
    const { param_groups } = optimizer.stateDict();
    const expAvg = torch.ones([1]);
    optimizer.loadStateDict({ state: { 0: { step: 3, exp_avg: expAvg, exp_avg_sq: expAvg } }, param_groups });
    expect(optimizer.state.get(w)?.expAvg).toMatchObject({ dtype: 'float64' });
    optimizer.step();
    expect((optimizer.state.get(w)?.step as torch.Tensor | undefined)?.item()).toBe(4);
  });

  test.each<[unknown, string]>([
    [3, "Adam: expected 'stateDict' to be an object or a Map, but received 3"],
    [{ state: {} }, "expected 'stateDict.param_groups' to be an array"],
    [{ state: {}, param_groups: [] }, "expected 'stateDict' to have 2 groups of parameters, but received 0"],
    [{ state: {}, param_groups: [{ params: [0] }, { params: [1] }] }, 'to have 2 parameters, but received 1'],
    [{ state: 3, param_groups: [{ params: [0, 1] }, { params: [2] }] }, "expected 'stateDict.state' to be"],
  ])('that do not fit change nothing: %j', (dict, message) => {
    const optimizer = trained();
    const before = String(optimizer);
    expect(() => optimizer.loadStateDict(dict as never)).toThrow(message);
    expect(String(optimizer)).toBe(before);
    expect(optimizer.state.size).toBe(3);
  });
});
