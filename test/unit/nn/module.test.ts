/** Module: what is registered, under which names, and the printed form. */
import { inspect } from 'node:util';
import * as torch from '../../../lib';
import { refusal } from '../reference/support';
import { keys, Net } from './net';

const { nn } = torch;

const names = (pairs: Iterable<readonly [string, unknown]>): string[] => Array.from(pairs, ([name]) => name);

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
