/** Module: what is registered, under which names, state dicts, conversions, hooks and the printed form. */
import { inspect } from 'node:util';
import * as torch from '../../../lib';
import { refusal } from '../reference/support';

const { nn } = torch;

const names = (pairs: Iterable<readonly [string, unknown]>): string[] => Array.from(pairs, ([name]) => name);

class Net extends nn.Module {
  hidden = new nn.Linear(4, 3);
  outProj = new nn.Linear(3, 2, { bias: false });
  scaleBy = new nn.Parameter(torch.ones([1]));
  lossWeight = torch.ones([2], { requiresGrad: true });
  mask: torch.Tensor = new nn.Buffer(torch.zeros([2]));
  cache = new nn.Buffer(torch.zeros([1]), { persistent: false });

  override forward(x: torch.Tensor): torch.Tensor {
    return this.outProj(this.hidden(x).relu()).mul(this.scaleBy).add(this.mask);
  }
}

const keys = ['scale_by', 'mask', 'hidden.weight', 'hidden.bias', 'out_proj.weight'];

describe('what is registered', () => {
  test('class fields, in their order and under Python’s names', () => {
    const net = new Net();
    expect(names(net.namedParameters())).toEqual(keys.filter((key) => key !== 'mask'));
    expect(names(net.namedBuffers())).toEqual(['mask', 'cache']);
    expect(names(net.namedChildren())).toEqual(['hidden', 'out_proj']);
    expect(names(net.namedModules())).toEqual(['', 'hidden', 'out_proj']);
    expect([...net.stateDict().keys()]).toEqual(keys);
    expect(names(net.namedParameters({ prefix: 'net', recurse: false }))).toEqual(['net.scale_by']);
    expect([...net.parameters(false)]).toHaveLength(1);
  });

  test('assignments in a constructor', () => {
    class Assigned extends nn.Module {
      declare weight: torch.nn.Parameter;
      declare first: torch.nn.Linear;
      constructor() {
        super();
        this.first = new nn.Linear(1, 1);
        this.weight = new nn.Parameter(torch.ones([2]));
        this.registerBuffer('runningMean', torch.zeros([2]));
        this.registerBuffer('nothing', null);
        this.registerParameter('bias', null);
      }
    }
    const net = new Assigned();
    expect([...net.stateDict().keys()]).toEqual(['weight', 'running_mean', 'first.weight', 'first.bias']);
    expect(Object.keys(net)).toEqual(['training', 'first', 'weight', 'runningMean', 'nothing', 'bias']);
  });

  test('a plain tensor is not a parameter, in Maps, arrays and objects nothing is found', () => {
    class Hidden extends nn.Module {
      plain = torch.ones([1], { requiresGrad: true });
      list = [new nn.Linear(1, 1)];
      map = new Map([['a', new nn.Linear(1, 1)]]);
      object = { a: new nn.Parameter(torch.ones([1])) };
    }
    const net = new Hidden();
    expect([[...net.parameters()], [...net.stateDict()], [...net.children()]]).toEqual([[], [], []]);
  });

  test('shared parameters count once in parameters(), twice in state dicts', () => {
    const net = new nn.Sequential(new nn.Linear(3, 3, { bias: false }), new nn.Linear(3, 3, { bias: false }));
    const [first, second] = [...net] as torch.nn.Linear[];
    (second as torch.nn.Linear).weight = (first as torch.nn.Linear).weight;
    expect([...net.parameters()]).toEqual([first?.weight]);
    expect(names(net.namedParameters({ removeDuplicate: false }))).toEqual(['0.weight', '1.weight']);
    expect([...net.stateDict().keys()]).toEqual(['0.weight', '1.weight']);
    const twice = new nn.ModuleList([first as torch.nn.Linear, first as torch.nn.Linear]);
    expect([names(twice.namedModules()), [...twice.stateDict().keys()]]).toEqual([
      ['', '0'],
      ['0.weight', '1.weight'],
    ]);
  });

  test('frozen parameters stay', () => {
    const net = new Net().requiresGrad_(false);
    expect([...net.parameters()].map(({ requiresGrad }) => requiresGrad)).toEqual([false, false, false, false]);
    expect([...net.stateDict().keys()]).toEqual(keys);
  });

  test('a module within itself is found once; its state has no end', () => {
    class Parent extends nn.Module {
      child = new nn.Module();
      constructor() {
        super();
        (this.child as unknown as { parent: nn }).parent = this;
      }
    }
    type nn = torch.nn.Module;
    const net = new Parent();
    expect(names(net.namedModules())).toEqual(['', 'child']);
    expect([...net.train(false).modules()].map(({ training }) => training)).toEqual([false, false]);
    let calls = 0;
    net.apply(() => calls++);
    expect(calls).toBe(2);
    expect(String(net)).toBe('Parent(\n  (child): Module(\n    (parent): Parent(...)\n  )\n)');
    expect(refusal(() => net.stateDict())).toMatchObject({ op: 'stateDict' });
  });

  test('names: of a parameter, a module, a buffer, nothing', () => {
    const net = new Net();
    expect(net.getParameter('hidden.weight')).toBe(net.hidden.weight);
    expect(net.getSubmodule('out_proj')).toBe(net.outProj);
    expect(net.getSubmodule('')).toBe(net);
    expect(net.getBuffer('mask')).toBe(net.mask);
    for (const path of ['hidden.mask', 'nowhere', 'hidden.weight.x', '']) {
      expect(refusal(() => net.getParameter(path))).toMatchObject({ op: 'getParameter', argument: 'target' });
    }
  });

  test('assignments keep what a property is', () => {
    const net = new Net();
    [...net.parameters()];
    expect(refusal(() => Object.assign(net, { scaleBy: torch.ones([1]) }))).toMatchObject({ argument: 'scaleBy' });
    expect(refusal(() => Object.assign(net, { hidden: 1 }))).toMatchObject({ argument: 'hidden' });
    expect(refusal(() => Object.assign(net, { mask: [1] }))).toMatchObject({ argument: 'mask' });
    expect(refusal(() => Object.assign(net.hidden, { weight: torch.ones([1]) }))).toMatchObject({ argument: 'weight' });
    const mask = torch.ones([2]);
    net.mask = mask;
    expect([names(net.namedBuffers()), net.getBuffer('mask') === mask]).toEqual([['mask', 'cache'], true]);
    Object.assign(net, { mask: null, scaleBy: undefined });
    expect([net.mask, net.scaleBy, [...net.stateDict().keys()]]).toEqual([undefined, undefined, keys.slice(2)]);
    Object.assign(net, { mask: new nn.Parameter(torch.ones([2])) });
    expect(names(net.namedParameters({ recurse: false }))).toEqual(['mask']);
    Reflect.deleteProperty(net, 'mask');
    expect(names(net.namedParameters({ recurse: false }))).toEqual([]);
  });

  test.each<[string, (net: Net) => unknown, string, string]>([
    ['a name with a dot', (net) => net.registerBuffer('a.b', null), 'registerBuffer', 'name'],
    ['no name', (net) => net.registerParameter('', null), 'registerParameter', 'name'],
    ['a name that is taken', (net) => net.addModule('forward', null), 'addModule', 'name'],
    ['a name of another kind', (net) => net.registerBuffer('hidden', null), 'registerBuffer', 'name'],
    ['a plain tensor', (net) => net.registerParameter('a', torch.ones([1]) as never), 'registerParameter', 'parameter'],
    ['no tensor', (net) => net.registerBuffer('a', 1 as never), 'registerBuffer', 'tensor'],
    ['no module', (net) => net.registerModule('a', {} as never), 'registerModule', 'module'],
    [
      'an unknown option',
      (net) => net.registerBuffer('a', null, { persist: true } as never),
      'registerBuffer',
      'persist',
    ],
    ['two properties of one name', (net) => net.registerBuffer('out_proj', null), 'Net', 'out_proj'],
  ])('%s is refused', (_name, register, op, argument) => {
    expect(refusal(() => register(new Net()))).toMatchObject({ op, argument });
  });
});

test.each([
  ['inProjWeight', 'in_proj_weight'],
  ['weightIhL0', 'weight_ih_l0'],
  ['biasHhL1Reverse', 'bias_hh_l1_reverse'],
  ['fc1', 'fc1'],
  ['selfAttn', 'self_attn'],
  ['layerBN', 'layer_bn'],
  ['in_proj_weight', 'in_proj_weight'],
  ['W', 'W'],
  ['Mixed_5b', 'Mixed_5b'],
])('%s is called %s in state dicts', (property, key) => {
  const net = new nn.Module();
  net.registerBuffer(property, torch.ones([1]));
  expect([...net.stateDict().keys()]).toEqual([key]);
});

describe('parameters', () => {
  test('share memory with their data, outside of its graph, and are printed as such', () => {
    const data = torch.ones([2], { requiresGrad: true });
    const parameter = new nn.Parameter(data.mul(1), false);
    expect(parameter).toBeInstanceOf(torch.Tensor);
    expect([parameter.isLeaf, parameter.requiresGrad, new nn.Parameter(data).requiresGrad]).toEqual([
      true,
      false,
      true,
    ]);
    expect(String(new nn.Parameter(torch.zeros([2])))).toBe(
      'Parameter containing:\ntensor([0., 0.], requires_grad=True)',
    );
    const zeros = torch.zeros([2]);
    torch.noGrad(() => new nn.Parameter(zeros).add_(1));
    expect(zeros.toArray()).toEqual([1, 1]);
    expect(new nn.Parameter().shape).toEqual([0]);
    expect(torch.noGrad(() => new nn.Parameter(zeros)).requiresGrad).toBe(true);
  });

  test('that are results of others are none of a module', () => {
    const parameter = new nn.Parameter(torch.ones([1]), false);
    parameter.add_(torch.ones([1], { requiresGrad: true }));
    const net = new nn.Module();
    expect(refusal(() => net.registerParameter('a', parameter))).toMatchObject({ op: 'Module', argument: 'a' });
  });

  test('what makes none', () => {
    expect(refusal(() => new nn.Parameter([1] as never))).toMatchObject({ op: 'Parameter', argument: 'data' });
    expect(refusal(() => new nn.Parameter(torch.ones([1]), 1 as never))).toMatchObject({ argument: 'requiresGrad' });
    expect(() => new nn.Parameter(torch.tensor([1], { dtype: 'int64' }))).toThrow(torch.NativeError);
  });
});

describe('state dicts', () => {
  test('hold tensors outside of graphs that share memory, or with keepVars the parameters', () => {
    const net = new Net();
    const state = net.stateDict();
    expect(state.get('scale_by')?.requiresGrad).toBe(false);
    torch.noGrad(() => net.scaleBy.add_(1));
    expect(state.get('scale_by')?.item()).toBe(2);
    expect(net.stateDict({ keepVars: true, prefix: 'net.' }).get('net.scale_by')).toBe(net.scaleBy);
    expect([...state._metadata]).toEqual([
      ['', { version: 1 }],
      ['hidden', { version: 1 }],
      ['out_proj', { version: 1 }],
    ]);
  });

  test('are loaded in place, from Maps and objects', () => {
    const [net, other] = [new Net(), new Net()];
    const { weight } = net.hidden;
    expect(net.loadStateDict(other.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(net.hidden.weight).toBe(weight);
    expect(torch.equal(weight, other.hidden.weight)).toBe(true);
    const changed = Object.fromEntries(net.stateDict());
    expect(other.loadStateDict({ ...changed, scale_by: torch.tensor([7]) })).toMatchObject({ missingKeys: [] });
    expect(other.scaleBy.item()).toBe(7);
  });

  test('put in the places of parameters with assign', () => {
    const net = new Net();
    net.hidden.weight.requiresGrad = false;
    const state = new Net().to('float64').stateDict();
    net.loadStateDict(state, { assign: true });
    expect([net.hidden.weight.dtype, net.hidden.weight.requiresGrad, net.scaleBy.requiresGrad]).toEqual([
      'float64',
      false,
      true,
    ]);
    expect([net.mask.dtype, net.mask === state.get('mask')]).toEqual(['float64', true]);
  });

  test('what does not fit is reported whole, and nothing is loaded', () => {
    const net = new Net();
    const before = net.stateDict().get('scale_by')?.item();
    const state = new Map<string, unknown>(new Net().stateDict());
    state.delete('hidden.bias');
    state.set('scale_by', torch.tensor([9]));
    state.set('extra', torch.ones([1]));
    state.set('hidden.extra.deep', torch.ones([1]));
    state.set('hidden.weight', torch.ones([2, 4]));
    state.set('out_proj.weight', 5);
    const error = refusal(() => net.loadStateDict(state as never));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'loadStateDict' });
    expect(error.message.split('\n\t').slice(1)).toEqual([
      'Missing key(s) in state_dict: "hidden.bias".',
      'Unexpected key(s) in state_dict: "extra", "hidden.extra.deep".',
      'size mismatch for hidden.weight: copying a param with shape torch.Size([2, 4]) from checkpoint, the shape in current model is torch.Size([3, 4]).',
      'While copying the parameter named "out_proj.weight", expected torch.Tensor or Tensor-like object from checkpoint but received 5',
    ]);
    expect(net.scaleBy.item()).toBe(before);
    state.set('out_proj.weight', torch.ones([2, 3]));
    expect(refusal(() => net.loadStateDict(state as never, false)).message).toMatch(/size mismatch/);
    state.delete('hidden.weight');
    expect(net.loadStateDict(state as never, { strict: false })).toEqual({
      missingKeys: ['hidden.weight', 'hidden.bias'],
      unexpectedKeys: ['extra', 'hidden.extra.deep'],
    });
    expect(net.scaleBy.item()).toBe(9);
  });

  test('while a call off the main thread reads a parameter: nothing is loaded', async () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(200, 2000));
    const [first, second] = [...net] as [torch.nn.Linear, torch.nn.Linear];
    const before = first.weight.clone();
    const running = nn.functional.mseLoss.async(second.weight, torch.zeros([2000, 200]));
    const state = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(200, 2000)).stateDict();
    expect(refusal(() => net.loadStateDict(state))).toMatchObject({ code: 'IN_USE' });
    await running;
    expect(torch.equal(first.weight, before)).toBe(true);
    net.loadStateDict(state);
  });

  test('of disposed tensors, of the meta device, and what is none', () => {
    const net = new Net();
    const gone = torch.ones([1]);
    gone.dispose();
    for (const given of [gone, torch.ones([1], { device: 'meta' })]) {
      expect(
        refusal(() => net.loadStateDict({ ...Object.fromEntries(net.stateDict()), scale_by: given })).message,
      ).toMatch(/"scale_by"/);
    }
    for (const given of [undefined, 1, [], new Set()]) {
      expect(refusal(() => net.loadStateDict(given as never))).toMatchObject({ argument: 'stateDict' });
    }
    expect(refusal(() => net.loadStateDict({}, { strickt: false } as never))).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});

describe('conversions', () => {
  test('keep parameters and gradients the same objects', () => {
    const net = new Net();
    net(torch.ones([1, 4]))
      .sum()
      .backward();
    const { scaleBy } = net;
    expect(net.double()).toBe(net);
    expect([net.scaleBy === scaleBy, scaleBy.dtype, scaleBy.grad?.dtype, net.mask.dtype]).toEqual([
      true,
      'float64',
      'float64',
      'float64',
    ]);
    expect([scaleBy.requiresGrad, scaleBy.isLeaf]).toEqual([true, true]);
    net(torch.ones([1, 4], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(net.to('bfloat16').scaleBy.dtype).toBe('bfloat16');
    expect(net.half().float().to({ dtype: 'float64', device: 'cpu' }).mask.dtype).toBe('float64');
    expect(net.to(torch.ones([1])).cpu().mask.dtype).toBe('float32');
  });

  test('leave integers as they are, but for type()', () => {
    const net = new nn.Module();
    net.registerBuffer('count', torch.tensor([1], { dtype: 'int64' }));
    expect(net.double().to('float16').getBuffer('count').dtype).toBe('int64');
    expect(net.type('float32').getBuffer('count').dtype).toBe('float32');
    expect(refusal(() => net.to('int64'))).toMatchObject({ op: 'to', argument: 'dtype' });
  });

  test('to the meta device and back', () => {
    const net = new Net().to('meta');
    expect([net.hidden.weight.isMeta, net.hidden.weight instanceof nn.Parameter]).toEqual([true, true]);
    const state = new Net().stateDict();
    expect(refusal(() => net.loadStateDict(state)).message).toMatch(/assign: true/);
    net.loadStateDict(state, { assign: true });
    expect(net.hidden.weight.isMeta).toBe(false);
    expect(new Net().to('meta').toEmpty({ device: 'cpu' }).hidden.weight.device).toBe('cpu');
  });

  test('zeroGrad clears or fills', () => {
    const net = new Net();
    net(torch.ones([1, 4]))
      .sum()
      .backward();
    net.zeroGrad({ setToNone: false });
    expect(net.scaleBy.grad?.item()).toBe(0);
    net.zeroGrad();
    expect(net.scaleBy.grad).toBe(undefined);
  });

  test('train and eval go through all modules, and through what they override', () => {
    class Frozen extends nn.Linear {
      override train(): this {
        return super.train(false);
      }
    }
    const net = new nn.Sequential(new nn.Linear(1, 1), new Frozen(1, 1));
    expect([...net.eval().modules()].map(({ training }) => training)).toEqual([false, false, false]);
    expect([...net.train().modules()].map(({ training }) => training)).toEqual([true, true, false]);
    expect(refusal(() => net.train(1 as never))).toMatchObject({ argument: 'mode' });
  });
});

describe('hooks', () => {
  const double = (): torch.nn.Module => {
    class Double extends nn.Module {
      override forward(x: torch.Tensor, { times = 2 } = {}): torch.Tensor {
        return x.mul(times);
      }
    }
    return new Double();
  };
  const one = torch.ones([1]);

  test('before and behind forward, in order, with what they give', () => {
    const net = double();
    const order: string[] = [];
    const before = net.registerForwardPreHook((module, inputs) => {
      order.push(`before ${module === net} ${inputs.length}`);
      return (inputs[0] as torch.Tensor).add(1);
    });
    net.registerForwardHook((_, __, result) => {
      order.push('behind');
      return (result as torch.Tensor).add(10);
    });
    net.registerForwardHook(() => void order.push('first'), { prepend: true });
    expect([net(one).item(), order]).toEqual([14, ['before true 1', 'first', 'behind']]);
    expect(net.forward(one).item()).toBe(2);
    before.remove();
    before.remove();
    expect(net(one).item()).toBe(12);
  });

  test('with keywords apart', () => {
    const net = double();
    net.registerForwardPreHook((_, inputs, keywords) => [inputs, { ...keywords, times: 5 }], { withKwargs: true });
    let seen: unknown;
    net.registerForwardHook(
      (_, __, keywords) => {
        seen = keywords;
      },
      { withKwargs: true },
    );
    expect([net(one).item(), seen]).toEqual([5, { times: 5 }]);
  });

  test('always called', () => {
    class Failing extends nn.Module {
      override forward(): torch.Tensor {
        throw new Error('no');
      }
    }
    const net = new Failing();
    const called: string[] = [];
    net.registerForwardHook(() => void called.push('usual'));
    net.registerForwardHook(() => void called.push('always'), { alwaysCall: true });
    expect(() => net()).toThrow('no');
    expect(called).toEqual(['always']);
  });

  test('what is none', () => {
    expect(refusal(() => double().registerForwardHook(1 as never))).toMatchObject({ argument: 'hook' });
    expect(refusal(() => double().registerForwardPreHook(() => 1, { alwaysCall: true } as never))).toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });
});

describe('hooks of the backward pass', () => {
  class Two extends nn.Module<[torch.Tensor, torch.Tensor]> {
    override forward(a: torch.Tensor, b: torch.Tensor): [torch.Tensor, torch.Tensor] {
      return [a.mul(b).mul(2), a.add(1)];
    }
  }
  type Numbers = (number | undefined)[];
  const numbers = (gradients: torch.nn.Gradients): Numbers => gradients.map((gradient) => gradient?.item());

  test('see the gradients of inputs and results; what PyTorch gives, zeros and nothing included', () => {
    const net = new Two();
    const seen: [string, ...Numbers[]][] = [];
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      seen.push(['full', numbers(ofInputs), numbers(ofResults)]);
    });
    net.registerFullBackwardPreHook((_, ofResults) => {
      seen.push(['pre', numbers(ofResults)]);
    });
    const a = torch.tensor([2], { dtype: 'float32', requiresGrad: true });
    const b = torch.tensor([3], { dtype: 'float32' });
    const [product, sum] = net(a, b);
    expect(product.gradFn).toBe('BackwardHookFunctionBackward');
    product.backward({ retainGraph: true });
    net(a, b)[0].add(sum).backward();
    expect(seen).toEqual([
      ['pre', [1, undefined]],
      ['full', [6, 0], [1, undefined]],
      ['pre', [1, undefined]],
      ['full', [6, 0], [1, undefined]],
      ['pre', [undefined, 1]],
      ['full', [1, 0], [undefined, 1]],
    ]);
    expect(a.grad?.item()).toBe(13);
  });

  test('change them', () => {
    const net = new nn.Identity();
    const x = torch.tensor([1], { dtype: 'float32', requiresGrad: true });
    const pre = net.registerFullBackwardPreHook((_, [gradient]) => [gradient?.add(1)]);
    const full = net.registerFullBackwardHook((_, [gradient]) => gradient?.mul(5));
    net(x).backward();
    expect(x.grad?.item()).toBe(10);
    pre.remove();
    full.remove();
    expect(net(x)).toBe(x);
  });

  test('gradients that a hook keeps stay', () => {
    const kept: torch.Tensor[] = [];
    const net = new nn.Linear(1, 1);
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      kept.push(ofInputs[0] as torch.Tensor, ofResults[0] as torch.Tensor);
    });
    net(torch.ones([1, 1], { requiresGrad: true })).backward();
    expect(kept.map((gradient) => gradient.item())).toEqual([net.weight.item(), 1]);
  });

  test('where no input requires a gradient, and where nothing is recorded', () => {
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const net = new nn.Linear(1, 1);
    const seen: Numbers[] = [];
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      seen.push(numbers(ofInputs), numbers(ofResults));
    });
    net(torch.ones([1, 1])).backward();
    expect([seen, emitted.mock.calls.length]).toEqual([[[undefined], [1]], 1]);
    emitted.mockRestore();
    expect(torch.noGrad(() => net(torch.ones([1, 1]))).requiresGrad).toBe(false);
  });

  test('that fail, or give what does not fit', () => {
    const x = torch.ones([1], { requiresGrad: true });
    const failing = new nn.Identity();
    failing.registerFullBackwardHook(() => {
      throw new RangeError('no');
    });
    expect(() => failing(x).backward()).toThrow(RangeError);
    const unfit = new nn.Identity();
    unfit.registerFullBackwardPreHook(() => []);
    expect(refusal(() => unfit(x).backward())).toMatchObject({ op: 'Identity' });
  });
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

describe('the printed form is PyTorch’s', () => {
  test('of modules in modules, with what they say of themselves', () => {
    class Named extends nn.Module {
      l = new nn.Linear(1, 2);
      constructor() {
        super();
        this.addModule('none', null);
      }
      override extraRepr(): string {
        return 'a=1';
      }
    }
    const text = 'Named(\n  a=1\n  (l): Linear(in_features=1, out_features=2, bias=True)\n  (none): None\n)';
    expect([String(new Named()), inspect(new Named()), `${new Named()}`]).toEqual([text, text, text]);
    expect(String(new nn.Module())).toBe('Module()');
  });

  test('of lists, where neighbours are alike', () => {
    const list = new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(2, 3), new nn.ReLU()]);
    expect(String(list)).toBe(
      'ModuleList(\n  (0-1): 2 x Linear(in_features=2, out_features=3, bias=True)\n  (2): ReLU()\n)',
    );
    expect([String(new nn.ModuleList()), String(new nn.Sequential())]).toEqual(['ModuleList()', 'Sequential()']);
  });

  test('of parameters in lists and by name', () => {
    expect(String(new nn.ParameterList([torch.zeros([2, 3]), 3]))).toBe(
      'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2x3]\n    (1): Object of type: number\n)',
    );
    expect(String(new nn.ParameterDict({ b: torch.zeros([2, 3]), c: null }))).toBe(
      'ParameterDict(\n    (b): Parameter containing: [torch.FloatTensor of size 2x3]\n    (c): Object of type: NoneType\n)',
    );
  });
});

test('a module without forward says so', () => {
  expect(refusal(() => new nn.Module()(1))).toMatchObject({ code: 'NOT_IMPLEMENTED', op: 'Module' });
  expect(refusal(() => new nn.ModuleList()())).toMatchObject({ op: 'ModuleList' });
});

test('losses hold their weights as buffers', () => {
  const weight = torch.ones([3], { requiresGrad: true });
  const loss = new nn.CrossEntropyLoss(weight);
  expect([[...loss.parameters()], [...loss.stateDict().keys()], loss.weight]).toEqual([[], ['weight'], weight]);
  expect(loss.double().weight?.dtype).toBe('float64');
  expect(String(loss)).toBe('CrossEntropyLoss()');
  const logits = new nn.BCEWithLogitsLoss({ posWeight: torch.ones([2]) });
  expect([...logits.stateDict().keys()]).toEqual(['pos_weight']);
});

test('a module that a scope gives back keeps its tensors', () => {
  const net = torch.scope(() => new Net());
  expect(net(torch.ones([1, 4])).shape).toEqual([1, 2]);
});
