/** Twelve steps of every optimizer and option, as PyTorch's own took them: scripts/golden/optimizers.py. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { bitsOf } from '../../lib/parity/bits';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { readManifest, vectors } from '../../lib/parity/vectors';
import { describeWhere } from '../support/where';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Case {
  optimizer: string;
  options: Record<string, Json>;
  dtype: torch.DType;
  groups?: ({ params: number[] } & Record<string, Json>)[];
  skipped: number[];
  parameters: number;
  sparse: boolean;
  after: string[];
  state: { state: Record<string, Record<string, Json>>; param_groups: Record<string, Json>[] };
  text?: string;
  gradients?: string;
  /** Of each call of the closure of L-BFGS. */
  losses?: number[];
}

const recorded = JSON.parse(readFileSync(join(__dirname, 'optimizers.json'), 'utf8')) as {
  /** The digest of a thousand square roots. */
  roots: string;
  cases: Case[];
};
const shapes = [[4, 9], [17], []];

function drawn(dtype: torch.DType, seed: number): torch.Tensor[] {
  const generator = new torch.Generator();
  generator.manualSeed(seed);
  const wide = dtype.startsWith('complex') ? 'complex128' : 'float64';
  return shapes.map((shape) => torch.randn(shape, { generator, dtype: wide }).to(dtype));
}

/** An option of Python as it is here. */
function real(value: Json): unknown {
  if (Array.isArray(value)) return value.map(real);
  if (typeof value === 'object' && value !== null) return torch.tensor(value.tensor as number);
  return value;
}

function optionsOf(given: Record<string, Json>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [camelCase(key), real(value)]));
}

const flat = (tensor: torch.Tensor): torch.Tensor => {
  const dense = tensor.toDense();
  return dense.isComplex() ? torch.viewAsReal(dense) : dense;
};

function digest(...tensors: torch.Tensor[]): string {
  const found = createHash('sha256');
  for (const tensor of tensors) found.update(bitsOf(flat(tensor.detach())).bytes);
  return found.digest('hex').slice(0, 16);
}

/** A state dict as the file has it. */
function encoded(value: unknown): unknown {
  if (torch.isTensor(value)) return `${value.dtype} [${value.shape.join(', ')}] ${digest(value)}`;
  if (Array.isArray(value)) return value.map(encoded);
  if (value instanceof Map) return encoded(Object.fromEntries(value));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encoded(item)]));
}

const at = (tensors: torch.Tensor[], i: number): torch.Tensor => tensors[i] as torch.Tensor;

function make(golden: Case, params: torch.Tensor[]): torch.optim.Optimizer {
  const groups = golden.groups?.map(({ params: indices, ...rest }) => ({
    ...optionsOf(rest),
    params: indices.map((i) => params[i] as torch.Tensor),
  }));
  const optimizers = torch.optim as unknown as Record<string, new (...args: unknown[]) => torch.optim.Optimizer>;
  const made = optimizers[golden.optimizer] as new (...args: unknown[]) => torch.optim.Optimizer;
  return new made(groups ?? params, optionsOf(golden.options));
}

function runLBFGS(golden: Case): void {
  const params = drawn(golden.dtype, 1).map((parameter) => parameter.requiresGrad_());
  const others = drawn(golden.dtype, 2);
  const optimizer = make(golden, params);
  const losses: number[] = [];
  for (const expected of golden.after) {
    optimizer.step(() => {
      optimizer.zeroGrad();
      let loss = torch.zeros([], { dtype: golden.dtype });
      for (const [i, p] of params.entries()) {
        loss = loss.add(p.sub(at(others, i)).pow(4).mean()).add(p.pow(2).sum().mul(0.1));
      }
      loss.backward();
      losses.push(loss.item());
      return loss;
    });
    expect(losses).toEqual(golden.losses?.slice(0, losses.length));
    expect(digest(...params)).toBe(expected);
  }
  expect(losses).toEqual(golden.losses);
  expect(encoded(optimizer.stateDict())).toEqual(golden.state);
  expect(String(optimizer)).toBe(golden.text);
}

function run(golden: Case): void {
  const { dtype, after, skipped, sparse, parameters } = golden;
  const leaves = drawn(dtype, 1)
    .slice(0, parameters)
    .map((parameter) => parameter.requiresGrad_());
  const params = golden.options.differentiable === true ? leaves.map((leaf) => leaf.clone()) : leaves;
  const optimizer = make(golden, params);
  for (const [step, expected] of after.entries()) {
    const gradients = drawn(dtype, 100 + step);
    for (const [i, parameter] of params.entries()) {
      let gradient = at(gradients, i);
      if (sparse)
        gradient = torch.sparseCooTensor(
          torch.tensor([[0, step % 3, 0]], { dtype: 'int64' }),
          gradient.narrow(0, 0, 3),
          [4, 9],
        );
      else if (golden.optimizer === 'SparseAdam') gradient = gradient.toSparse();
      parameter.grad = i === 2 && skipped.includes(step) ? undefined : gradient;
    }
    optimizer.step();
    expect({ step, digest: digest(...params) }).toEqual({ step, digest: expected });
  }
  expect(encoded(optimizer.stateDict())).toEqual(golden.state);
  if (golden.text !== undefined) expect(String(optimizer)).toBe(golden.text);
  if (golden.gradients === undefined) return;
  const sum = (): void =>
    torch
      .stack(params.map((parameter) => parameter.sum()))
      .sum()
      .backward();
  if (golden.gradients === 'refused') expect(sum).toThrow('modified by an inplace operation');
  else {
    sum();
    expect(digest(...leaves.map((leaf) => leaf.grad as torch.Tensor))).toBe(golden.gradients);
  }
}

const named = recorded.cases.map((golden) => {
  const groups = golden.groups === undefined ? '' : ` in groups ${JSON.stringify(golden.groups)}`;
  return [`${golden.optimizer} ${JSON.stringify(golden.options)} ${golden.dtype}${groups}`, golden] as const;
});

function hasRecordedRoots(): boolean {
  const numbers = torch.tensor(Float64Array.from({ length: 1000 }, (_, i) => i * 0.013 + 0.001));
  return digest(numbers.to('float32').sqrt(), numbers.sqrt()) === recorded.roots;
}

// Tensors are recorded as digests: where their bits may differ, nothing can be compared.
const judge = judgeFor(readManifest(vectors), thisHost());
const because = judge.exact ? "MKL's square roots have other last bits on this processor" : judge.because;
const isRootless = (optimizer: string): boolean => ['ASGD', 'Adamax', 'LBFGS', 'Rprop', 'SGD'].includes(optimizer);

describeWhere(judge.exact, because)('bit for bit', () => {
  test.each(named.filter(([, { optimizer }]) => isRootless(optimizer)))('%s', check);
});
describeWhere(judge.exact && hasRecordedRoots(), because)('bit for bit, with square roots', () => {
  test.each(named.filter(([, { optimizer }]) => !isRootless(optimizer)))('%s', check);
});

function check(_: string, golden: Case): void {
  torch.scope(() => (golden.losses === undefined ? run : runLBFGS)(golden));
}
