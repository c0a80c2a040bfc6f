/** Twelve steps of every optimizer and option, as PyTorch's own took them: scripts/golden/optimizers.py. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { bitsOf, expectBits } from '../../lib/parity/bits';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { type EncodedTensor, readManifest, resultBits, vectors } from '../../lib/parity/vectors';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Case {
  optimizer: string;
  options: Record<string, Json>;
  dtype: torch.DType;
  groups?: ({ params: number[] } & Record<string, Json>)[];
  skipped: number[];
  after: [EncodedTensor[], ...string[]];
  state: { state: Record<string, Record<string, Json>>; param_groups: Record<string, Json>[] };
  text: string;
  gradients?: string;
}

const { cases } = JSON.parse(readFileSync(join(__dirname, 'optimizers.json'), 'utf8')) as { cases: Case[] };
const shapes = [[4, 9], [17], []];
const isExact = judgeFor(readManifest(vectors), thisHost()).exact;

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

const flat = (tensor: torch.Tensor): torch.Tensor => (tensor.isComplex() ? torch.viewAsReal(tensor) : tensor);

function digest(...tensors: torch.Tensor[]): string {
  const found = createHash('sha256');
  for (const tensor of tensors) found.update(bitsOf(flat(tensor.detach())).bytes);
  return found.digest('hex').slice(0, 16);
}

/** A state dict as the file has it. */
function encoded(value: unknown): unknown {
  if (torch.isTensor(value)) return { dtype: value.dtype, shape: value.shape, digest: digest(value) };
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

function run(golden: Case): void {
  const { dtype, after, skipped } = golden;
  const leaves = drawn(dtype, 1).map((parameter) => parameter.requiresGrad_());
  const params = golden.options.differentiable === true ? leaves.map((leaf) => leaf.clone()) : leaves;
  const optimizer = make(golden, params);
  for (const [step, expected] of after.entries()) {
    const gradients = drawn(dtype, 100 + step);
    for (const [i, parameter] of params.entries()) {
      parameter.grad = i === 2 && skipped.includes(step) ? undefined : gradients[i];
    }
    optimizer.step();
    if (typeof expected === 'string') expect({ step, digest: digest(...params) }).toEqual({ step, digest: expected });
    else
      for (const [i, bits] of expected.entries())
        expectBits(`${i}`, bitsOf(flat(at(params, i).detach())), resultBits(bits));
  }
  expect(encoded(optimizer.stateDict())).toEqual(golden.state);
  expect(String(optimizer)).toBe(golden.text);
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

const named = cases.map((golden) => {
  const groups = golden.groups === undefined ? '' : ` in groups ${JSON.stringify(golden.groups)}`;
  return [`${golden.optimizer} ${JSON.stringify(golden.options)} ${golden.dtype}${groups}`, golden] as const;
});

(isExact ? describe : describe.skip)('bit for bit', () => {
  test.each(named)('%s', (_, golden) => torch.scope(() => run(golden)));
});
