/** Every function of a tensor is a method too, and gives the same; in-place forms give the tensor itself. */
import * as torch from 'libtorch-losses';
import * as activations from '../../../lib/tensor/ops/activations';
import * as arithmetic from '../../../lib/tensor/ops/arithmetic';
import * as comparisons from '../../../lib/tensor/ops/comparisons';
import * as inPlace from '../../../lib/tensor/ops/in-place';
import * as reductions from '../../../lib/tensor/ops/reductions';
import * as views from '../../../lib/tensor/ops/views';

type Operator = (input: torch.Tensor, ...rest: unknown[]) => unknown;

const internal = ['readAlpha', 'readBounds'];
const operators = new Map(
  [activations, arithmetic, comparisons, inPlace, reductions, views]
    .flatMap((family) => Object.entries(family) as [string, Operator][])
    .filter(([name]) => !internal.includes(name)),
);

const matrix = (): torch.Tensor =>
  torch.tensor([
    [0.9, 0.25, 0.5],
    [0.125, 0.75, 0.3],
  ]);
const other = torch.tensor([[0.5], [0.25]]);

/** What each function is called with besides the matrix; a function that is not named here is called with nothing. */
const rest: Readonly<Record<string, readonly unknown[]>> = {
  softmax: [1],
  logSoftmax: [0, { dtype: 'float64' }],
  logit: [{ eps: 0.2 }],
  add: [other, { alpha: 3 }],
  sub: [2, { alpha: 0.5 }],
  mul: [other],
  div: [other],
  pow: [2],
  maximum: [other],
  minimum: [other],
  clamp: [{ min: 0.2, max: 0.6 }],
  xlogy: [other],
  maskedFill: [torch.tensor([true, false, true]), -1],
  eq: [0.25],
  ne: [other],
  lt: [other],
  le: [0.5],
  gt: [other],
  ge: [0.5],
  isclose: [other, { atol: 0.3 }],
  allclose: [other, { atol: 10 }],
  equal: [other],
  logicalAnd: [other],
  logicalOr: [other],
  add_: [other, { alpha: 2 }],
  sub_: [1],
  mul_: [other],
  div_: [other],
  clamp_: [{ max: 0.4 }],
  copy_: [other],
  fill_: [7],
  uniform_: [2, 3],
  normal_: [5, 0.1],
  sum: [1, { keepdim: true }],
  mean: [[0, 1]],
  std: [0, { correction: 0 }],
  variance: [1],
  max: [1],
  min: [0, { keepdim: true }],
  amax: [[0]],
  amin: [1],
  argmax: [1],
  argmin: [undefined, { keepdim: true }],
  logsumexp: [1],
  cumsum: [1],
  all: [0],
  any: [1, { keepdim: true }],
  topk: [2],
  argsort: [0],
  reshape: [[3, -1]],
  view: [[6]],
  transpose: [0, 1],
  permute: [[1, 0]],
  unsqueeze: [1],
  expand: [[2, 2, 3]],
  asStrided: [[2, 2], [3, 1], 1],
  select: [1, 2],
  narrow: [1, 1, 2],
  slice: [1, 0, 3, 2],
  unbind: [1],
  indexSelect: [1, torch.tensor([2n, 0n])],
  gather: [0, torch.tensor([[0n, 1n, 1n]])],
  maskedSelect: [torch.tensor([true, false, true])],
  matmul: [torch.tensor([1, 2, 3])],
};

/** Results as plain data, whatever holds them. */
function plain(result: unknown): unknown {
  if (result instanceof torch.Tensor) return [result.dtype, result.shape, result.toArray()];
  if (Array.isArray(result)) return result.map(plain);
  if (typeof result !== 'object' || result === null) return result;
  return Object.fromEntries(Object.entries(result).map(([key, value]) => [key, plain(value)]));
}

test('every name called here is a function', () => {
  expect(Object.keys(rest).filter((name) => !operators.has(name))).toEqual([]);
});

describe.each([...operators])('%s', (name, operator) => {
  const args = rest[name] ?? [];

  test('is exported, and a method under its own name', () => {
    expect((torch as unknown as Record<string, unknown>)[name]).toBe(operator);
    const method = Object.getOwnPropertyDescriptor(torch.Tensor.prototype, name);
    expect(method).toMatchObject({ enumerable: false, writable: true, configurable: true });
    expect(method?.value).toHaveProperty('name', name);
  });

  test('gives the same in both forms', () => {
    torch.manualSeed(1);
    const asFunction = operator(matrix(), ...args);
    torch.manualSeed(1);
    const input = matrix();
    const asMethod = (input as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[name]?.(...args);
    expect(plain(asMethod)).toEqual(plain(asFunction));
    if (name.endsWith('_')) expect(asMethod).toBe(input);
  });
});

test('functions of several tensors have no method form', () => {
  for (const name of ['cat', 'stack', 'where', 'zerosLike', 'onesLike', 'emptyLike', 'fullLike', 'randLike']) {
    expect(name in torch.Tensor.prototype).toBe(false);
    expect(name in torch).toBe(true);
  }
});

test('internal readers are neither methods nor exported', () => {
  for (const name of internal) {
    expect(name in torch.Tensor.prototype).toBe(false);
    expect(name in torch).toBe(false);
  }
});
