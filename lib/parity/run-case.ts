/** Runs a recorded case through one form of an operator and compares everything that PyTorch answered. */
import { camelCase } from '../camel-case';
import { NativeError, TorchError } from '../errors';
import * as torch from '../index';
import { bitArrays } from '../torch/elements';
import { type Bits, bitsOf, difference } from './bits';
import { whyChanged } from './exceptions';
import type { Argument, Form, Options } from './forms';
import { type Judge, toleranceOf } from './judge';
import { type EncodedTensor, elementsOf, type GoldenCase, type RecordedError, resultBits } from './vectors';

/** The name that PyTorch's exception has as an error code here. */
const codes: Record<string, string> = {
  RuntimeError: 'RUNTIME',
  ValueError: 'VALUE',
  IndexError: 'INDEX',
  TypeError: 'TYPE',
  NotImplementedError: 'NOT_IMPLEMENTED',
};

/** A tensor as recorded, with its strides and offset. */
export function build(encoded: EncodedTensor, device?: torch.Device): torch.Tensor {
  const [dtype, shape, , strides, offset] = encoded;
  const array = new bitArrays[dtype](elementsOf(encoded).buffer);
  if (strides === undefined) return torch.tensor(array, { dtype, shape, device });
  return torch.tensor(array, { dtype, device }).asStrided(shape, strides, offset ?? 0);
}

/** One result of a case, and PyTorch's. */
export interface Answer {
  /** `value`, `gradient of input`, … */
  label: string;
  actual: Bits;
  expected: Bits;
}

/** Where a case runs, and a listener for its results before they are judged. */
export interface RunOptions {
  device?: torch.Device | undefined;
  /**
   * The operator by its recorded name: with it, answers that newer versions of libtorch give otherwise are left out.
   */
  op?: string | undefined;
  onAnswer?: ((answer: Answer) => void) | undefined;
}

/** Runs the case; throws an error that describes the first difference. */
export function runCase(golden: GoldenCase, form: Form, judge: Judge, options: RunOptions = {}): void {
  const wrong: string[] = [];
  try {
    for (const answer of answersOf(golden, form, judge, options.device)) {
      const { label, actual, expected } = answer;
      if (!judge.exact && isChanged(golden, label, options.op)) continue;
      options.onAnswer?.(answer);
      const text = difference(label, actual, expected, toleranceOf(expected.dtype, judge, options.op));
      if (text !== undefined) wrong.push(text);
    }
  } catch (error) {
    if (wrong.length === 0) throw error;
    wrong.push((error as Error).message);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

function isChanged(golden: GoldenCase, label: string, op: string | undefined): boolean {
  return op !== undefined && whyChanged(op, golden, label, torch.libtorchVersion()) !== undefined;
}

/** A case's call: its tensors by name, the arguments, and the results. */
interface Evaluated {
  leaves: Map<string, torch.Tensor>;
  args: Argument[];
  options: Options | undefined;
  value: torch.Tensor | boolean;
}

/** Calls the operator with the tensors of a case that PyTorch accepts. */
export function evaluated(golden: GoldenCase, form: Form, device: torch.Device | undefined): Evaluated {
  const leaves = new Map<string, torch.Tensor>();
  for (const name of usedTensors(golden)) leaves.set(name, leaf(golden, name, device));
  const args = argumentsOf(golden, leaves);
  const options = optionsOf(golden, leaves);
  return { leaves, args, options, value: form.call(args, options) };
}

/**
 * The results of the case one by one, the value before the backward pass runs; an error where PyTorch answers
 * otherwise.
 */
function* answersOf(golden: GoldenCase, form: Form, judge: Judge, device: torch.Device | undefined): Generator<Answer> {
  if (golden.error?.stage === 'forward') {
    checkError(golden.error, attempt(() => evaluated(golden, form, device)).error, judge);
    return;
  }
  const { value, leaves } = evaluated(golden, form, device);
  if (typeof golden.value === 'boolean') {
    if (typeof value !== 'boolean') throw new Error(`value is ${value}, expected true or false`);
    yield { label: 'value', actual: truth(value), expected: truth(golden.value) };
  } else {
    const tensor = value as torch.Tensor;
    yield answer('value', tensor, golden.value as EncodedTensor);
    if (golden.upstream !== undefined)
      yield* gradientsOf(golden, tensor, build(golden.upstream, device), leaves, judge);
  }
}

function* gradientsOf(
  golden: GoldenCase,
  value: torch.Tensor,
  gradient: torch.Tensor,
  leaves: Map<string, torch.Tensor>,
  judge: Judge,
): Generator<Answer> {
  const { error } = attempt(() => value.backward({ gradient }));
  if (golden.error?.stage === 'backward') {
    checkError(golden.error, error, judge);
    return;
  }
  if (error !== undefined) throw error;
  for (const [name, expected] of Object.entries(golden.grads ?? {})) {
    const label = `gradient of ${name}`;
    const grad = named(leaves)(name).grad ?? undefined;
    if (grad !== undefined && expected !== null) yield answer(label, grad, expected);
    else if (grad !== undefined || expected !== null) throw new Error(`${label} exists on one side only`);
  }
}

/** A tensor and the recorded one. */
export function answer(label: string, actual: torch.Tensor, expected: EncodedTensor): Answer {
  return { label, actual: bitsOf(actual.detach()), expected: resultBits(expected) };
}

function truth(value: boolean): Bits {
  return { dtype: 'bool', shape: [], bytes: Uint8Array.of(Number(value)) };
}

/**
 * PyTorch refused, and so must we: with libtorch's own words where it spoke (alone, or behind our explanation), else
 * with an error of this library's formula, which may come before libtorch is asked. Another libtorch may have other
 * words, so that where bits are not expected, the same words are not either: the kind of the error is.
 */
function checkError(expected: RecordedError, given: unknown, judge: Judge): void {
  const wanted = `${expected.type} '${expected.message}'`;
  if (given === undefined) throw new Error(`nothing was thrown, but PyTorch raises ${wanted}`);
  if (!(given instanceof TorchError)) throw new Error(`${given} is not a TorchError; PyTorch raises ${wanted}`);
  const thrown = withoutLayer(given);
  const explained = thrown instanceof NativeError && thrown.cause instanceof NativeError;
  if (thrown instanceof NativeError) {
    const refusal = explained ? (thrown.cause as NativeError) : thrown;
    const sameWords = !judge.exact || refusal.message === expected.message;
    const same = isKind(refusal.code, expected.type, judge) && sameWords;
    if (!same || expected.raised_by !== 'native') {
      throw new Error(`libtorch's refusal is ${refusal.code} '${refusal.message}', but PyTorch raises ${wanted}`);
    }
    if (!explained) return;
    if (!thrown.message.endsWith(`(libtorch: ${refusal.message})`)) {
      throw new Error(`'${thrown.message}' does not repeat libtorch's words: ${wanted}`);
    }
  }
  const ours = explained || thrown.code === 'INVALID_ARGUMENT';
  if (!ours || !/^[\w.]+: expected .+, but received .+/s.test(thrown.message)) {
    throw new Error(`${thrown.code} '${thrown.message}' has not the form of this library's errors`);
  }
}

/** The error without the layer that modules add to libtorch's refusals: `… (in Softmax(dim=2), given float32 [2, 3])`. */
function withoutLayer(error: TorchError): TorchError {
  const { cause, message } = error;
  return cause instanceof NativeError && message.startsWith(`${cause.message} (in `) ? cause : error;
}

/** To Python a NotImplementedError is a RuntimeError: another libtorch may raise the one for the other. */
function isKind(code: string, type: string, judge: Judge): boolean {
  return code === codes[type] || (!judge.exact && type === 'RuntimeError' && code === 'NOT_IMPLEMENTED');
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
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return inCamelCase(Object.entries(value), leaves);
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

function leaf(golden: GoldenCase, name: string, device: torch.Device | undefined): torch.Tensor {
  const encoded = golden.tensors[name];
  if (encoded === undefined) throw new Error(`${golden.name}: its group has no tensor '${name}'`);
  const tensor = build(encoded, device).detach();
  return golden.grad.includes(name) ? tensor.requiresGrad_(true) : tensor;
}

function named(leaves: Map<string, torch.Tensor>): (name: string) => torch.Tensor {
  return (name) => {
    const tensor = leaves.get(name);
    if (tensor === undefined) throw new Error(`no tensor is named '${name}'`);
    return tensor;
  };
}

function attempt(action: () => unknown): { error?: unknown } {
  try {
    action();
    return {};
  } catch (error) {
    return { error };
  }
}
