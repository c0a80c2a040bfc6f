/** Runs what scripts/golden/modules.py recorded of a module, and gives the answers of this library in the same form. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';

/** What is recorded of a module; tensors are digests. */
export interface RecordedModule {
  module: string;
  args?: unknown[];
  kwargs?: Record<string, unknown>;
  inputs: unknown[];
  named?: Record<string, unknown>;
  dtype: torch.FloatingDType;
  eval?: true;
  /** In eval mode, without gradients. */
  inference?: true;
  repr: string;
  state: Record<string, string>;
  result: unknown;
  grads?: unknown[];
  after?: Record<string, string>;
}

/** A value that JSON has none for. */
interface Described {
  randn?: number[];
  seed?: number;
  grad?: true;
  tensor?: torch.TensorData;
  dtype?: torch.DType;
  number?: string;
}

/** The records of a file of test/golden. */
export function recordedModules(file: string): RecordedModule[] {
  const lines = readFileSync(join(__dirname, '..', 'golden', file), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

function made(value: unknown, dtype: torch.DType): unknown {
  if (Array.isArray(value)) return value.map((entry) => made(entry, dtype));
  if (typeof value !== 'object' || value === null) return value;
  const { randn, seed = 0, grad = false, tensor, number, ...rest } = value as Described;
  if (number !== undefined) return Number(number.replace('inf', 'Infinity'));
  if (tensor !== undefined) return torch.tensor(tensor, { dtype: rest.dtype as torch.DType });
  if (randn === undefined) return keywords(value as Record<string, unknown>, dtype)[0];
  const generator = new torch.Generator().manualSeed(seed);
  return torch.randn(randn, { dtype, generator }).requiresGrad_(grad);
}

/** Keyword arguments as a call has them: none, or one trailing object. */
function keywords(named: Readonly<Record<string, unknown>>, dtype: torch.DType): Record<string, unknown>[] {
  const entries = Object.entries(named).map(([key, value]) => [camelCase(key), made(value, dtype)]);
  return entries.length === 0 ? [] : [Object.fromEntries(entries)];
}

function digest(tensor: torch.Tensor): string {
  const plain = tensor.detach().toDense();
  const array = plain.toTypedArray();
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const hash = createHash('sha256').update(bytes).digest().subarray(0, 12).toString('base64');
  return `${plain.dtype} [${plain.shape.join()}] ${hash}`;
}

function answers(value: unknown): unknown {
  if (torch.isTensor(value)) return digest(value);
  if (Array.isArray(value)) return value.map(answers);
  return value ?? null;
}

function tensorsIn(value: unknown): torch.Tensor[] {
  if (torch.isTensor(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(tensorsIn);
}

const stateOf = (module: torch.nn.Module): Record<string, string> =>
  Object.fromEntries([...module.stateDict()].map(([key, tensor]) => [key, digest(tensor)]));

type Constructor = new (
  ...args: unknown[]
) => torch.nn.Module & ((...args: unknown[]) => unknown) & { inplace?: boolean };

/** What this library answers to a record, in the record's form. */
export function answer(recorded: RecordedModule): RecordedModule {
  const { module: name, args = [], kwargs = {}, inputs, named = {}, dtype } = recorded;
  torch.manualSeed(0);
  const Class = (torch.nn as unknown as Record<string, Constructor>)[name] as Constructor;
  const module = new Class(...(made(args, dtype) as unknown[]), ...keywords(kwargs, dtype));
  const repr = String(module);
  module.to(dtype).train(recorded.eval === undefined);
  const state = stateOf(module);
  const given = made(inputs, dtype) as unknown[];
  const options = keywords(named, dtype);
  const leaves = tensorsIn([given, options]).filter(({ requiresGrad }) => requiresGrad);
  const passed = given.map((entry) =>
    module.inplace === true && torch.isTensor(entry) && entry.requiresGrad ? entry.clone() : entry,
  );
  torch.manualSeed(1);
  const call = (): unknown => module(...passed, ...options);
  const result = recorded.inference === true ? torch.noGrad(call) : call();
  const outputs = tensorsIn(result).filter(({ requiresGrad }) => requiresGrad);
  const after = Object.fromEntries(Object.entries(stateOf(module)).filter(([key, value]) => state[key] !== value));
  const found: RecordedModule = { ...recorded, repr, state, result: answers(result) };
  if (Object.keys(after).length > 0) found.after = after;
  if (outputs.length > 0) found.grads = answers(gradients(outputs, [...leaves, ...module.parameters()])) as unknown[];
  return found;
}

function gradients(outputs: torch.Tensor[], inputs: torch.Tensor[]): (torch.Tensor | undefined)[] {
  const gradOutputs = outputs.map((output) =>
    torch.linspace(0.5, 1.5, output.numel(), { dtype: output.dtype }).reshape(output.shape),
  );
  return torch.grad(outputs, inputs, { gradOutputs, allowUnused: true });
}
