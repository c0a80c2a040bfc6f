/** Parametrizations: registering, assigning, caching, removing; the numbers of those by name are in test/golden. */
import { manualSeed, nn, noGrad, ones, randn, type Tensor, zeros } from '../../../../lib';

const { parametrize, parametrizations } = nn.utils;

class Symmetric extends nn.Module {
  calls = 0;
  override forward(x: Tensor): Tensor {
    this.calls += 1;
    return x.triu().add(x.triu(1).mT);
  }
  rightInverse(value: Tensor): Tensor {
    return value.triu();
  }
}

class Doubled extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

class Widened extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.to('float64');
  }
}

beforeEach(() => {
  manualSeed(0);
  jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());

test('a parametrized weight is computed whenever it is read, and trained through', () => {
  const layer = parametrize.registerParametrization(new nn.Linear(3, 3), 'weight', new Symmetric());
  expect(layer).toBeInstanceOf(nn.Linear);
  expect(layer.weight.equal(layer.weight.mT)).toBe(true);
  expect([...layer.stateDict().keys()]).toEqual(['bias', 'parametrizations.weight.original']);
  layer(ones([1, 3]))
    .sum()
    .backward();
  const [, original] = [...layer.parameters()];
  expect(original?.grad?.tril(-1).abs().sum().item()).toBe(0);
});

test('an assignment goes through rightInverse', () => {
  const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Symmetric());
  const value = ones([2, 2]);
  layer.weight = value as nn.Parameter;
  expect(layer.weight.toArray()).toEqual(value.toArray());
  expect(layer.getParameter('parametrizations.weight.original').toArray()).toEqual([
    [1, 1],
    [0, 1],
  ]);
  parametrize.registerParametrization(layer, 'weight', new Doubled());
  expect(layer.weight.toArray()).toEqual([
    [2, 2],
    [2, 2],
  ]);
  expect(() => {
    layer.weight = value as nn.Parameter;
  }).toThrow('rightInverse: expected the parametrization Doubled to have rightInverse, but received none');
});

test('cached computes it once, and not longer than its function runs', () => {
  const symmetric = new Symmetric();
  const layer = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', symmetric);
  const before = symmetric.calls;
  parametrize.cached(() => {
    expect(layer.weight).toBe(layer.weight);
    parametrize.cached(() => layer.weight);
  });
  expect(symmetric.calls).toBe(before + 1);
  expect(layer.weight).not.toBe(layer.weight);
  expect(() => parametrize.cached(async () => layer.weight)).toThrow('synchronous');
});

test('removed, the module is what it was, with the value or with what it was computed of', () => {
  for (const leaveParametrized of [true, false]) {
    const layer = new nn.Linear(2, 2);
    const { weight } = layer;
    parametrize.registerParametrization(layer, 'weight', new Symmetric());
    expect(String(layer)).toContain('ParametrizedLinear(');
    expect(parametrize.typeBeforeParametrizations(layer)).toBe(nn.Linear);
    const [computed, original] = [layer.weight.toArray(), weight.toArray()];
    parametrize.removeParametrizations(layer, 'weight', { leaveParametrized });
    expect(layer.weight).toBe(weight);
    expect(layer.weight.toArray()).toEqual(leaveParametrized ? computed : original);
    expect(parametrize.isParametrized(layer)).toBe(false);
    expect(String(layer)).toBe('Linear(in_features=2, out_features=2, bias=True)');
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'weight']);
  }
});

test('of several tensors only the value can be left', () => {
  const layer = parametrizations.weightNorm(new nn.Linear(2, 2));
  const value = layer.weight.toArray();
  expect(() => parametrize.removeParametrizations(layer, 'weight', false)).toThrow(
    "removeParametrizations: expected 'leaveParametrized' to be true for a tensor that is computed of several",
  );
  parametrize.removeParametrizations(layer, 'weight');
  expect(layer.weight).toBeInstanceOf(nn.Parameter);
  expect(layer.weight.toArray()).toEqual(value);
});

test('parametrizations go from one module to another', () => {
  const [from, to] = [new nn.Linear(2, 2), new nn.Linear(2, 2)];
  parametrizations.weightNorm(parametrize.registerParametrization(from, 'bias', new Doubled()));
  parametrize.transferParametrizationsAndParams(from, to);
  expect(to.weight.toArray()).toEqual(from.weight.toArray());
  expect(to.bias?.toArray()).toEqual(from.bias?.toArray());
  expect([...to.stateDict().keys()].sort()).toEqual([...from.stateDict().keys()].sort());
});

test('a copy has parametrizations of its own, and loses them alone', () => {
  const layer = parametrizations.weightNorm(
    parametrize.registerParametrization(new nn.Linear(2, 2), 'bias', new Doubled()),
  );
  const copy = nn.deepcopy(layer);
  expect(String(copy)).toBe(String(layer));
  nn.init.zeros_(copy.getParameter('parametrizations.weight.original0'));
  expect(copy.weight.abs().sum().item()).toBe(0);
  expect(layer.weight.abs().sum().item()).not.toBe(0);
  parametrize.removeParametrizations(parametrize.removeParametrizations(copy, 'weight'), 'bias');
  expect(String(copy)).toBe('Linear(in_features=2, out_features=2, bias=True)');
  expect([...layer.stateDict().keys()]).toEqual([
    'parametrizations.bias.original',
    'parametrizations.weight.original0',
    'parametrizations.weight.original1',
  ]);
  expect(layer(ones([1, 2])).shape).toEqual([1, 2]);
});

test('nor does a hook of a copy touch the original', () => {
  const layer = nn.utils.spectralNorm(new nn.Linear(2, 2));
  const copy = nn.deepcopy(layer);
  const before = layer.weight;
  copy(ones([1, 2]));
  expect(layer.weight).toBe(before);
});

test('states of the older weight norm are loaded by the newer one', () => {
  const older = nn.utils.weightNorm(new nn.Linear(3, 2));
  const newer = parametrizations.weightNorm(new nn.Linear(3, 2));
  newer.loadStateDict(older.stateDict());
  expect(newer.weight.toArray()).toEqual(older.weight.toArray());
});

test('the norms of hooks are taken away again', () => {
  const input = randn([2, 3]);
  for (const [put, take] of [
    [nn.utils.weightNorm, nn.utils.removeWeightNorm],
    [nn.utils.spectralNorm, nn.utils.removeSpectralNorm],
  ] as const) {
    const layer = put(new nn.Linear(3, 2)).eval();
    const before = noGrad(() => layer(input)).toArray();
    expect(() => put(layer)).toThrow(/expected 'name' to be a parameter without/);
    expect(() => take(layer, 'bias')).toThrow(/expected 'name' to be a parameter with /);
    take(layer);
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'weight']);
    expect(noGrad(() => layer(input)).toArray()).toEqual(before);
  }
});

const layer = (): nn.Linear => new nn.Linear(2, 3);
const refused: [name: string, call: () => unknown, message: string][] = [
  [
    'another dtype',
    () => parametrize.registerParametrization(layer(), 'weight', new Widened()),
    'registerParametrization: expected the parametrization to give float32 as before, but received float64',
  ],
  [
    'another shape',
    () => parametrize.registerParametrization(layer(), 'weight', new nn.Linear(2, 5)),
    'to give shape [3, 2] as before, but received [3, 5]',
  ],
  [
    'an unknown tensor',
    () => parametrize.registerParametrization(layer(), 'wieght', new Doubled()),
    "expected 'tensorName' to be a parameter or buffer of Linear",
  ],
  [
    'no module',
    () => parametrize.registerParametrization(layer(), 'weight', 3 as never),
    "expected 'parametrization' to be an nn.Module, but received 3",
  ],
  [
    'what is not parametrized',
    () => parametrize.removeParametrizations(layer(), 'weight'),
    "expected 'tensorName' to be a parametrized tensor of Linear",
  ],
  [
    'an orthogonal vector',
    () => parametrizations.orthogonal(layer(), 'bias'),
    "orthogonal: expected 'bias' to have at least 2 dimensions",
  ],
  [
    'a map',
    () => parametrizations.orthogonal(layer(), { orthogonalMap: 'caley' as never }),
    "(did you mean 'cayley'?)",
  ],
  [
    'iterations',
    () => parametrizations.spectralNorm(layer(), { nPowerIterations: 0 }),
    "spectralNorm: expected 'nPowerIterations' to be > 0, but received 0",
  ],
  [
    'a dimension',
    () => parametrizations.spectralNorm(layer(), { dim: 2 }),
    "spectralNorm: expected 'dim' to be in [-2, 1], but received 2",
  ],
  [
    'a name',
    () => parametrizations.spectralNorm(layer(), 'weigth'),
    "spectralNorm: expected 'name' to be a parameter or buffer of Linear",
  ],
];

test.each(refused)('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});

test('what is refused is left as it was', () => {
  const given = layer();
  const before = given.weight.toArray();
  expect(() => parametrize.registerParametrization(given, 'weight', new Widened())).toThrow();
  expect([...given.stateDict().keys()]).toEqual(['weight', 'bias']);
  expect(given.weight.toArray()).toEqual(before);
  expect(given(zeros([1, 2])).shape).toEqual([1, 3]);
});
