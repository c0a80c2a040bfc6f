/** Every name of Python's is there, as function and as method; both give the same; in-place forms give the tensor itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from 'libtorch-losses';

const names = readFileSync(join(__dirname, '../../../lib/torch/python.names.txt'), 'utf8');
const camelCase = (name: string): string =>
  name.replace(/(?<=[a-zA-Z0-9])_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The names of one section, as they are called here. */
function namesOf(section: string): string[] {
  const [, rest = ''] = names.split(`[${section}]\n`);
  return (rest.split('\n[')[0] as string).trim().split('\n').map(camelCase);
}

test.each<[string, object]>([
  ['torch', torch],
  ['linalg', torch.linalg],
  ['special', torch.special],
  ['fft', torch.fft],
  ['Tensor', torch.Tensor.prototype],
])('every name of %s is a function', (section, owner) => {
  const there = Object.getOwnPropertyDescriptors(owner) as Record<string, PropertyDescriptor>;
  const missing = namesOf(section).filter((name) => {
    const found = there[name]?.value ?? there[name]?.get?.call(owner);
    return typeof found !== 'function';
  });
  expect(missing).toEqual([]);
  expect(namesOf(section).length).toBeGreaterThan(20);
});

const matrix = (): torch.Tensor =>
  torch.tensor([
    [0.9, 0.25, 0.5],
    [0.125, 0.75, 0.3],
  ]);
const other = torch.tensor([[0.5], [0.25]]);

/** What each function is called with besides the matrix; by position or by name. */
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
  var: [1],
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

type Operator = (...args: readonly unknown[]) => unknown;

describe.each(Object.keys(rest))('%s', (name) => {
  const args = rest[name] ?? [];

  test('is a method under its own name', () => {
    const method = Object.getOwnPropertyDescriptor(torch.Tensor.prototype, name);
    expect(method).toMatchObject({ enumerable: false, writable: true, configurable: true });
    expect(method?.value).toHaveProperty('name', name);
  });

  test('gives the same in both forms', () => {
    const input = matrix();
    torch.manualSeed(1);
    const asMethod = (input as unknown as Record<string, Operator>)[name]?.(...args);
    if (name.endsWith('_')) expect(asMethod).toBe(input);
    const operator = (torch as unknown as Record<string, Operator | undefined>)[name];
    if (operator === undefined) return;
    torch.manualSeed(1);
    expect(plain(operator(matrix(), ...args))).toEqual(plain(asMethod));
  });
});

test('functions of several tensors have no method form', () => {
  for (const name of ['cat', 'stack', 'zerosLike', 'onesLike', 'emptyLike', 'fullLike', 'randLike']) {
    expect(name in torch.Tensor.prototype).toBe(false);
    expect(name in torch).toBe(true);
  }
});
