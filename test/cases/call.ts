/** Calls a loss with the values of a case: libtorch's, and the reference's. */
import * as torch from '../../lib';
import * as reference from '../../lib/reference';
import type { FloatingDType } from '../../lib/types';
import { type ErrorCase, gradientsOf, type Loss, type LossCase, type LossName } from './case';
import { Values } from './values';

/** A loss: positional arguments, then options. */
type Callable<Result> = (...args: unknown[]) => Result;

const referenceLosses: Readonly<Record<LossName, unknown>> = reference;

type Gradients = Readonly<Record<string, reference.NdArray | undefined>>;

/** What a native loss made of the arguments of a case. */
export interface NativeCall {
  value: torch.Tensor;
  leaves: Leaves;
}

/** The tensors of a case by name; those that the case has gradients by require them. */
export type Leaves = Readonly<Record<string, torch.Tensor>>;

/** A tensor of values; those without a dtype of their own take the one given. */
export function tensorOf(values: Values, dtype: FloatingDType): torch.Tensor {
  const made = torch.tensor({ data: values.data, shape: values.shape }, { dtype: values.dtype ?? dtype });
  if (values.disposed) made.dispose();
  return made;
}

/** The tensors of a case by name: arguments and options. */
export function leavesOf(loss: Loss, lossCase: LossCase, dtype: FloatingDType): Record<string, torch.Tensor> {
  const leaves: Record<string, torch.Tensor> = {};
  for (const [name, value] of Object.entries({ ...lossCase.options, ...lossCase.args })) {
    if (value instanceof Values) leaves[name] = tensorOf(value, dtype);
  }
  for (const name of gradientsOf(loss, lossCase)) leaves[name]?.requiresGrad_();
  return leaves;
}

/** libtorch's loss of a case. */
export function callNative(loss: Loss, lossCase: LossCase, dtype: FloatingDType, reduction: string): NativeCall {
  const leaves = leavesOf(loss, lossCase, dtype);
  return { value: applyNative(loss, lossCase, leaves, reduction), leaves };
}

/** libtorch's loss of tensors in place of the values of a case. */
export function applyNative(loss: Loss, lossCase: LossCase, leaves: Leaves, reduction: string): torch.Tensor {
  return nativeFunction(loss)(...argumentsOf(lossCase, leaves), { ...optionsOf(lossCase, leaves), reduction });
}

/** The function of a loss in `nn.functional`. */
export function nativeFunction({ name }: Loss): Callable<torch.Tensor> {
  return torch.nn.functional[name] as Callable<torch.Tensor>;
}

/** The positional arguments of a case, with what `given` has in place of values. */
export function argumentsOf({ args }: LossCase, given: Readonly<Record<string, unknown>>): unknown[] {
  return Object.values(replaced(args, given));
}

/** The options of a case, with what `given` has in place of values. */
export function optionsOf({ options = {} }: LossCase, given: Readonly<Record<string, unknown>>): object {
  return replaced(options, given);
}

function replaced(
  named: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const entries = Object.entries(named);
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Values ? given[name] : value]));
}

/**
 * The reference's loss of a case, of the numbers that the tensors in `leaves` hold: those of the case, rounded to the
 * dtype that it is run in.
 */
export function callReference(
  loss: Loss,
  lossCase: LossCase,
  leaves: Leaves,
  reduction: string,
): reference.Differentiable<Gradients> {
  const arrays = Object.fromEntries(Object.entries(leaves).map(([name, tensor]) => [name, arrayOf(tensor)]));
  const call = referenceLosses[loss.name] as Callable<reference.Differentiable<Gradients>>;
  return call(...argumentsOf(lossCase, arrays), { ...optionsOf(lossCase, arrays), reduction });
}

/** The elements of a tensor for the reference: integers stay integers. */
export function arrayOf(tensor: torch.Tensor): { data: Float64Array | BigInt64Array; shape: number[] } {
  const integers = !torch.dtypes.slice(0, 4).includes(tensor.dtype);
  const data = tensor
    .detach()
    .to(integers ? 'int64' : 'float64')
    .toTypedArray<Float64Array | BigInt64Array>();
  return { data, shape: tensor.shape };
}

/** The arguments of a refused call and its options apart, with tensors of float32 in place of values. */
export function materialised(errorCase: ErrorCase): { args: unknown[]; options: unknown } {
  return eachArgument(errorCase, (values) => tensorOf(values, 'float32'));
}

/** Calls the reference with what it must refuse. */
export function refusedByReference(loss: Loss, errorCase: ErrorCase): unknown {
  const call = referenceLosses[loss.name] as Callable<unknown>;
  const { args, options } = eachArgument(errorCase, ({ data, shape }) => ({ data, shape }));
  return call(...args, options);
}

function eachArgument(
  { args, options }: ErrorCase,
  make: (values: Values) => unknown,
): { args: unknown[]; options: unknown } {
  const made = (value: unknown): unknown => (value instanceof Values ? make(value) : value);
  const isPlain =
    typeof options === 'object' && options !== null && Object.getPrototypeOf(options) === Object.prototype;
  const entries = isPlain ? Object.entries(options).map(([name, value]) => [name, made(value)]) : [];
  return { args: Object.values(args).map(made), options: isPlain ? Object.fromEntries(entries) : options };
}
