/** Makes the jest tests of a file of recorded calls (scripts/golden/calls.py): results, gradients, what is written in place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { bitsOf, expectBits, tolerances } from '../../lib/parity/bits';
import type { Judge } from '../../lib/parity/judge';
import { type EncodedTensor, resultBits } from '../../lib/parity/vectors';

/** An argument that JSON has no value for. */
interface Described {
  randn?: number[];
  randint?: number;
  shape?: number[];
  seed?: number;
  grad?: boolean;
  tensor?: torch.TensorData;
  generator?: number;
  gradient?: number;
  packed?: unknown[];
  enforce_sorted?: boolean;
  number?: string;
  tuple?: unknown[];
  dtype?: torch.DType;
}

interface RecordedCall {
  call: string;
  args?: unknown[];
  kwargs?: Record<string, unknown>;
  seed?: number;
  result: unknown;
  grads?: unknown[];
  written?: Record<string, unknown>;
  /** The gradients of arguments after the call. */
  gradients?: unknown[];
  warns?: true;
}

/** Tensors by the seed that they are drawn from: one seed is one tensor. */
type Drawn = Map<number, torch.Tensor>;

function made(value: unknown, drawn: Drawn): unknown {
  if (Array.isArray(value)) return value.map((entry) => made(entry, drawn));
  if (typeof value !== 'object' || value === null) return value;
  const { randn, randint, shape = [], seed = 0, grad = false, tensor, ...rest } = value as Described;
  const { number, tuple, generator: own, dtype } = rest;
  if (rest.packed !== undefined) {
    return torch.nn.utils.rnn.packSequence(made(rest.packed, drawn) as torch.Tensor[], rest.enforce_sorted ?? true);
  }
  if (own !== undefined) return new torch.Generator().manualSeed(own);
  if (tensor !== undefined) return torch.tensor(tensor, dtype && { dtype });
  if (number !== undefined) return Number(number.replace('inf', 'Infinity'));
  if (tuple !== undefined) return made(tuple, drawn);
  if (randn === undefined && randint === undefined) return dtype;
  const generator = new torch.Generator().manualSeed(seed);
  const draw = (): torch.Tensor =>
    randn === undefined
      ? torch.randint(randint as number, shape, { generator })
      : torch.randn(randn, { dtype: dtype ?? 'float32', generator }).requiresGrad_(grad);
  const known = drawn.get(seed) ?? draw();
  drawn.set(seed, known);
  if (rest.gradient !== undefined) {
    const generator = new torch.Generator().manualSeed(rest.gradient);
    known.grad = torch.randn(randn as number[], { dtype: dtype ?? 'float32', generator });
  }
  return known;
}

function tensorsIn(value: unknown): torch.Tensor[] {
  if (torch.isTensor(value)) return [value];
  if (value instanceof torch.nn.utils.rnn.PackedSequence) return tensorsIn([...value]);
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

function functionOf(name: string): (...args: unknown[]) => unknown {
  const found = name.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[camelCase(part)], torch);
  return found as (...args: unknown[]) => unknown;
}

function compare(label: string, actual: unknown, expected: unknown, judge: Judge): void {
  if (expected === null || expected === undefined) {
    expect(`${label}: ${actual ?? 'absent'}`).toBe(`${label}: absent`);
  } else if (Array.isArray(expected)) {
    const entries = [...(actual as Iterable<unknown>)];
    expect(entries).toHaveLength(expected.length);
    for (const [i, entry] of expected.entries()) compare(`${label}[${i}]`, entries[i], entry, judge);
  } else if (typeof expected === 'object') {
    const encoded = (expected as { tensor: EncodedTensor }).tensor;
    // Many take square roots, which may be rounded otherwise.
    const isExact = judge.exact && judge.but === undefined;
    const tolerance = isExact ? undefined : tolerances[encoded[0]];
    expectBits(label, bitsOf((actual as torch.Tensor).detach()), resultBits(encoded), tolerance);
  } else {
    expect(actual).toBe(expected);
  }
}

function run(recorded: RecordedCall, judge: Judge): void {
  const drawn: Drawn = new Map();
  const args = made(recorded.args ?? [], drawn) as unknown[];
  const kwargs = Object.entries(recorded.kwargs ?? {}).map(([key, value]) => [camelCase(key), made(value, drawn)]);
  const inputs = tensorsIn([...args, ...kwargs.map(([, value]) => value)]);
  const leaves = [...drawn.values()].filter((leaf) => leaf.requiresGrad);
  torch.manualSeed(recorded.seed ?? 0);
  const result = functionOf(recorded.call)(...args, ...(kwargs.length > 0 ? [Object.fromEntries(kwargs)] : []));
  compare('result', result, recorded.result, judge);
  for (const [i, value] of Object.entries(recorded.written ?? {})) {
    compare(`argument ${i}`, inputs[Number(i)], value, judge);
  }
  if (recorded.gradients !== undefined) {
    const gradients = [...drawn.values()].flatMap(({ grad }) => grad ?? []);
    compare('gradient of an argument', gradients, recorded.gradients, judge);
  }
  if (recorded.grads === undefined) return;
  const outputs = tensorsIn(result).filter((output) => output.requiresGrad && !output.isLeaf);
  const gradOutputs = outputs.map((output) =>
    torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape).to(output.dtype),
  );
  const grads = torch.grad(outputs, leaves, { gradOutputs, allowUnused: true });
  compare('gradient', grads, recorded.grads, judge);
}

/** One test for each call of an area, and one that exactly those functions warn that do in Python. */
export function defineCallTests(area: string, judge: Judge): void {
  const path = join(__dirname, '..', 'golden', 'calls', `${area}.jsonl`);
  const calls: RecordedCall[] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const warning = new Set<string>();
  beforeAll(() => {
    jest.spyOn(process, 'emitWarning').mockImplementation((text) => {
      warning.add((/^\w+/.exec(String(text)) as RegExpExecArray)[0]);
    });
  });
  afterAll(() => jest.restoreAllMocks());
  test.each(calls.map((call, i) => [`${i + 1}: ${call.call}`, call] as const))('%s', (_, call) => {
    torch.scope(() => run(call, judge));
  });
  // A text is emitted once a process: functions are compared, not calls.
  test('those functions warn that do in Python', () => {
    const expected = calls.filter(({ warns }) => warns).map(({ call }) => camelCase(call.split('.').at(-1) as string));
    expect([...warning].sort()).toEqual([...new Set(expected)].sort());
  });
}
