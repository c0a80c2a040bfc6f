/** Runs a recorded case through one form of an operator and compares everything that PyTorch answered. */
import * as torch from '../../lib';
import { NativeError, TorchError } from '../../lib/errors';
import type { DType, TypedArray } from '../../lib/types';
import { bitsOf, difference, expectBits, type Tolerance, tolerances } from './bits';
import { camelCase, type EncodedTensor, elementsOf, type GoldenCase, type RecordedError, resultBits } from './golden';
import type { Argument, Form, Options } from './golden-forms';

/** How strictly to compare: to the bit, or within PyTorch's tolerances where bits cannot be expected. */
export type Judge = { exact: true } | { exact: false; because: string };

/** The name that PyTorch's exception has as an error code here. */
const codes: Record<string, string> = {
  RuntimeError: 'RUNTIME',
  ValueError: 'VALUE',
  IndexError: 'INDEX',
  TypeError: 'TYPE',
  NotImplementedError: 'NOT_IMPLEMENTED',
};

/** The typed array that takes each dtype's bits; the 16-bit floats go in as patterns. */
const arrays: Record<DType, new (buffer: ArrayBuffer) => TypedArray> = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** A tensor as recorded, with its strides and offset. */
export function build(encoded: EncodedTensor): torch.Tensor {
  const [dtype, shape, , strides, offset] = encoded;
  const array = new arrays[dtype](elementsOf(encoded).buffer);
  if (strides === undefined) return torch.tensor(array, { dtype, shape });
  return torch.tensor(array, { dtype }).asStrided(shape, strides, offset ?? 0);
}

/** Runs the case and throws what differs. */
export function runCase(golden: GoldenCase, form: Form, judge: Judge): void {
  const leaves = new Map<string, torch.Tensor>();
  for (const name of usedTensors(golden)) leaves.set(name, leaf(golden, name));
  const outcome = attempt(() => form.call(argumentsOf(golden, leaves), optionsOf(golden, leaves)));
  if (golden.error?.stage === 'forward') {
    checkError(golden.error, outcome.error);
  } else if (outcome.error !== undefined) {
    throw outcome.error;
  } else if (typeof golden.value === 'boolean') {
    if (outcome.value !== golden.value) throw new Error(`value is ${outcome.value}, but PyTorch gives ${golden.value}`);
  } else {
    const value = outcome.value as torch.Tensor;
    compare('value', value, golden.value as EncodedTensor, judge);
    if (golden.upstream !== undefined) runBackward(golden, value, build(golden.upstream), leaves, judge);
  }
}

function runBackward(
  golden: GoldenCase,
  value: torch.Tensor,
  gradient: torch.Tensor,
  leaves: Map<string, torch.Tensor>,
  judge: Judge,
): void {
  const { error } = attempt(() => value.backward({ gradient }));
  if (golden.error?.stage === 'backward') checkError(golden.error, error);
  else if (error !== undefined) throw error;
  else compareGradients(golden, leaves, judge);
}

/** Compares one tensor, to the bit or within its dtype's tolerance. */
export function compare(label: string, actual: torch.Tensor, expected: EncodedTensor, judge: Judge): void {
  expectBits(label, bitsOf(actual.detach()), resultBits(expected), toleranceOf(expected[0], judge));
}

function compareGradients(golden: GoldenCase, leaves: Map<string, torch.Tensor>, judge: Judge): void {
  const wrong: string[] = [];
  for (const [name, expected] of Object.entries(golden.grads ?? {})) {
    const label = `gradient of ${name}`;
    const grad = named(leaves)(name).grad ?? undefined;
    if (grad === undefined || expected === null) {
      if (grad !== undefined || expected !== null) wrong.push(`${label} is there on one side only`);
      continue;
    }
    const text = difference(label, bitsOf(grad), resultBits(expected), toleranceOf(expected[0], judge));
    if (text !== undefined) wrong.push(text);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/**
 * PyTorch refused, and so must we: with libtorch's own words where it spoke (alone, or behind our explanation), else with
 * an error of this library's formula, which may come before libtorch is asked.
 */
export function checkError(expected: RecordedError, thrown: unknown): void {
  const wanted = `${expected.type} '${expected.message}'`;
  if (thrown === undefined) throw new Error(`nothing was thrown, but PyTorch raises ${wanted}`);
  if (!(thrown instanceof TorchError)) throw new Error(`${thrown} is no TorchError; PyTorch raises ${wanted}`);
  const explained = thrown instanceof NativeError && thrown.cause instanceof NativeError;
  if (thrown instanceof NativeError) {
    const refusal = explained ? (thrown.cause as NativeError) : thrown;
    const same = refusal.code === codes[expected.type] && refusal.message === expected.message;
    if (!same || expected.raised_by !== 'native') {
      throw new Error(`libtorch's refusal is ${refusal.code} '${refusal.message}', but PyTorch raises ${wanted}`);
    }
    if (!explained) return;
    if (!thrown.message.endsWith(`(libtorch: ${expected.message})`)) {
      throw new Error(`'${thrown.message}' does not repeat libtorch's words: ${wanted}`);
    }
  }
  const ours = explained || thrown.code === 'INVALID_ARGUMENT';
  if (!ours || !/^[\w.]+: expected .+, but received .+/s.test(thrown.message)) {
    throw new Error(`${thrown.code} '${thrown.message}' has not the form of this library's errors`);
  }
}

/** The positional arguments: tensors, numbers, lists of numbers. */
function argumentsOf(golden: GoldenCase, leaves: Map<string, torch.Tensor>): Argument[] {
  return golden.args.map((argument) => (typeof argument === 'string' ? named(leaves)(argument) : argument));
}

/** The keyword arguments as options of this library; none is `undefined`. */
function optionsOf(golden: GoldenCase, leaves: Map<string, torch.Tensor>): Options | undefined {
  const entries = Object.entries(golden.kwargs);
  return entries.length === 0 ? undefined : inCamelCase(entries, leaves);
}

function inCamelCase(entries: [string, unknown][], leaves: Map<string, torch.Tensor>): Options {
  return Object.fromEntries(entries.map(([key, value]) => [camelCase(key), optionOf(value, leaves)]));
}

const unwritable: Readonly<Record<string, number>> = { Infinity, '-Infinity': -Infinity, NaN };

function optionOf(value: unknown, leaves: Map<string, torch.Tensor>): unknown {
  if (isReference(value)) return named(leaves)(value.slice(1));
  // PyTorch's None is this library's undefined.
  if (value === null) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) return inCamelCase(Object.entries(value), leaves);
  return typeof value === 'string' && Object.hasOwn(unwritable, value) ? unwritable[value] : value;
}

function usedTensors(golden: GoldenCase): string[] {
  const positional = golden.args.filter((argument) => typeof argument === 'string');
  const references = Object.values(golden.kwargs).filter(isReference);
  return [...new Set([...positional, ...references.map((name) => name.slice(1)), ...golden.grad])];
}

function isReference(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('$');
}

function leaf(golden: GoldenCase, name: string): torch.Tensor {
  const encoded = golden.tensors[name];
  if (encoded === undefined) throw new Error(`${golden.name}: its group has no tensor '${name}'`);
  const tensor = build(encoded).detach();
  return golden.grad.includes(name) ? tensor.requiresGrad_(true) : tensor;
}

function named(leaves: Map<string, torch.Tensor>): (name: string) => torch.Tensor {
  return (name) => {
    const tensor = leaves.get(name);
    if (tensor === undefined) throw new Error(`no tensor is named '${name}'`);
    return tensor;
  };
}

function toleranceOf(dtype: DType, judge: Judge): Tolerance | undefined {
  return judge.exact ? undefined : tolerances[dtype];
}

function attempt<T>(action: () => T): { value?: T; error?: unknown } {
  try {
    return { value: action() };
  } catch (error) {
    return { error };
  }
}
