/**
 * The base of operators: looks one up at its first call, and converts tensors to handles and back.
 *
 * The Tensor class registers itself here when its module is loaded, as PyTorch's Python class registers itself with
 * libtorch. So operators take and give tensors, and their modules import no code of the class.
 */
import { native } from '../binding/load';
import type { Handle, NativeResult, Operator } from '../binding/native';
import { camelCase } from '../camel-case';
import { expected, show } from '../errors';
import type { Tensor } from './tensor';

interface TensorClass {
  /** A new tensor that owns the handle. */
  wrap(handle: Handle): Tensor;
  /** The handle of a tensor; `undefined` for anything else. */
  handleOf(value: unknown): Handle | undefined;
}

let tensorClass: TensorClass;

/** Called once, by the module of the Tensor class. */
export function registerTensorClass(registered: TensorClass): void {
  tensorClass = registered;
}

/** The operator as a native function. */
export function operator(name: string, overload: string): Operator {
  return native().operator(name, overload);
}

/** A tensor's handle; `undefined` for anything else. */
export function handleOf(value: unknown): Handle | undefined {
  return tensorClass.handleOf(value);
}

/** Whether a value is a tensor of this package. */
export function isTensor(value: unknown): value is Tensor {
  return tensorClass.handleOf(value) !== undefined;
}

/** A tensor's handle. Whether it was disposed is checked natively, at every use. */
export function unwrap(value: Tensor, op: string, argument: string): Handle {
  const handle = tensorClass.handleOf(value);
  if (handle === undefined) throw noTensor(value, op, argument);
  return handle;
}

/** The refusal, in this package's names: `log_softmax` and `self` are `logSoftmax` and `input` here. */
function noTensor(value: unknown, op: string, argument: string): Error {
  const named = argument === 'self' ? 'input' : camelCase(argument);
  return expected(camelCase(op), `'${named}'`, 'to be a Tensor', showForeign(value));
}

/** A value that is not a tensor of this package, as messages show it; look-alikes are named as such. */
export function showForeign(value: unknown): string {
  const shown = show(value);
  return shown === 'a Tensor' ? 'a proxy of a Tensor, or a Tensor of another copy of this package' : shown;
}

/** The handles of a list of tensors. */
export function unwrapList(values: readonly Tensor[], op: string, argument: string): Handle[] {
  if (!Array.isArray(values)) throw expected(op, `'${argument}'`, 'to be an array of Tensors', show(values));
  return Array.from(values, (value: Tensor, i) => unwrap(value, op, `${argument}[${i}]`));
}

/** A tensor of a handle that an operator gave. */
export function wrap(result: NativeResult): Tensor {
  return tensorClass.wrap(result as Handle);
}
