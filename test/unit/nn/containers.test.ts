/** Modules that hold modules or parameters. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';

const { nn } = torch;

const linear = (): torch.nn.Linear => new nn.Linear(1, 1);
const names = (module: torch.nn.AnyModule): string[] => Array.from(module.namedChildren(), ([name]) => name);

describe('Sequential', () => {
  test('calls one module after the other', () => {
    torch.manualSeed(0);
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    const x = torch.randn([4, 2]);
    expect(torch.equal(model(x), (model[0] as torch.nn.Linear)(x).relu())).toBe(true);
    expect([...model.stateDict().keys()]).toEqual(['0.weight', '0.bias']);
    expect([model.length, model.at(-1) === model[1], String(model)]).toEqual([
      2,
      true,
      'Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n  (1): ReLU()\n)',
    ]);
  });

  test('by name, in the order of a Map or an object, with names as they are', () => {
    const model = new nn.Sequential(
      new Map([
        ['firstLayer', linear()],
        ['second', linear()],
      ]),
    );
    expect(names(model)).toEqual(['firstLayer', 'second']);
    expect(names(new nn.Sequential({ b: linear(), a: linear() }))).toEqual(['b', 'a']);
    expect(names(model.slice(1))).toEqual(['second']);
    expect(new nn.Sequential()(torch.ones([1])).item()).toBe(1);
  });

  test('changes: other modules, more of them, fewer', () => {
    const [a, b, c] = [linear(), linear(), linear()];
    const model = new nn.Sequential(a).append(b).insert(0, c).extend([linear()]);
    expect([[...model].slice(0, 3), names(model)]).toEqual([
      [c, a, b],
      ['0', '1', '2', '3'],
    ]);
    expect(model.pop()).not.toBe(b);
    expect([model.pop(0), [...model], names(model)]).toEqual([c, [a, b], ['0', '1']]);
    model[0] = c;
    expect([...model]).toEqual([c, b]);
    Reflect.deleteProperty(model, '1');
    expect([...model]).toEqual([c]);
    expect(refusal(() => model.insert(5, a))).toMatchObject({ argument: 'index' });
    expect(refusal(() => model.pop(1))).toMatchObject({ argument: 'index' });
    expect(refusal(() => model.append({} as never))).toMatchObject({ argument: 'module' });
    expect(refusal(() => new nn.Sequential([a] as never))).toMatchObject({ op: 'Sequential' });
    expect(refusal(() => Object.assign(model, { 0: 1 }))).toMatchObject({ argument: '0' });
  });
});

test('ModuleList registers what an array does not', () => {
  const list = new nn.ModuleList([linear(), linear()]);
  class Net extends nn.Module {
    layers = list;
  }
  expect([...new Net().stateDict().keys()]).toEqual([
    'layers.0.weight',
    'layers.0.bias',
    'layers.1.weight',
    'layers.1.bias',
  ]);
  expect([list.length, [...list.slice(1)][0] === list[1], list.at(-2) === list[0]]).toEqual([2, true, true]);
  expect(refusal(() => new nn.ModuleList(linear() as never))).toMatchObject({ argument: 'modules' });
  expect(refusal(() => new nn.ModuleList([1] as never))).toMatchObject({ argument: 'modules[0]' });
});

test('ModuleDict', () => {
  const [a, b] = [linear(), linear()];
  const modules = new nn.ModuleDict({ someLayer: a });
  modules.set('other', b).update([['someLayer', b]]);
  expect([[...modules], [...modules.values()], modules.length]).toEqual([['someLayer', 'other'], [b, b], 2]);
  expect([...modules.stateDict().keys()].filter((key) => key.endsWith('weight'))).toEqual([
    'someLayer.weight',
    'other.weight',
  ]);
  expect([modules.get('other') === b, modules.has('none'), modules.pop('other') === b]).toEqual([true, false, true]);
  expect([...new nn.ModuleDict(modules).items()]).toEqual([['someLayer', b]]);
  modules.clear();
  expect([...modules.children()]).toEqual([]);
  for (const name of ['keys', 'a.b', '']) expect(refusal(() => modules.set(name, a))).toMatchObject({ op: 'set' });
  expect(refusal(() => modules.pop('none'))).toMatchObject({ argument: 'name' });
});

test('ParameterList and ParameterDict make parameters of tensors', () => {
  const list = new nn.ParameterList([torch.zeros([1])]).append(torch.ones([2]));
  expect([list.length, list[1]?.requiresGrad, list[0] instanceof nn.Parameter]).toEqual([2, true, true]);
  expect([...list.stateDict().keys()]).toEqual(['0', '1']);
  list.set(-1, torch.ones([3]));
  expect([...list].map(({ shape }) => shape)).toEqual([[1], [3]]);
  expect(refusal(() => list.set(2, torch.ones([1])))).toMatchObject({ argument: 'index' });
  expect(refusal(() => new nn.ParameterList(torch.ones([1]) as never))).toMatchObject({ argument: 'values' });
  expect(refusal(() => list())).toMatchObject({ code: 'NOT_IMPLEMENTED' });

  const dict = new nn.ParameterDict({ b: torch.ones([1]), a: torch.zeros([1]) });
  expect([...dict.stateDict().keys()]).toEqual(['a', 'b']);
  expect([
    ...new nn.ParameterDict(
      new Map([
        ['b', torch.ones([1])],
        ['a', torch.ones([1])],
      ]),
    ).keys(),
  ]).toEqual(['b', 'a']);
  dict.set('scaleBy', torch.ones([1])).set('a', torch.ones([2]));
  expect([dict.get('a')?.shape, dict.get('none'), dict.setdefault('c', torch.ones([1])) === dict.get('c')]).toEqual([
    [2],
    undefined,
    true,
  ]);
  expect([dict.popitem()[0], dict.pop('b').item(), [...dict.copy().keys()]]).toEqual(['c', 1, ['a', 'scaleBy']]);
  dict.clear();
  expect([dict.length, [...dict.parameters()]]).toEqual([0, []]);
});

test('Identity gives back what it gets', () => {
  const x = torch.ones([1]);
  expect(new nn.Identity(54, { unused: 1 })(x)).toBe(x);
});
