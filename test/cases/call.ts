/** Calls a loss with the values of a case: libtorch's, and the reference's. */
import * as torch from '../../lib';
import * as reference from '../../lib/reference';
import type { FloatingDType } from '../../lib/types';
import { type ErrorCase, gradientsOf, type Loss, type LossCase, type LossName } from './case';
import { Values } from './values';

/** A loss as both sides have it. */
type Callable<Array, Result> = (input: Array, target: Array, options: object) => Result;
const referenceLosses: Readonly<Record<LossName, unknown>> = reference;

type Gradients = Readonly<Record<string, reference.NdArray | undefined>>;

/** What a native loss made of the arguments of a case. */
export interface NativeCall {
  value: torch.Tensor;
  /** The arguments by name; those that the case has gradients by require them. */
  leaves: Readonly<Record<string, torch.Tensor>>;
}

/** A tensor of values; those without a dtype of their own take the one given. */
export function tensorOf(values: Values, dtype: FloatingDType): torch.Tensor {
  const made = torch.tensor({ data: values.data, shape: values.shape }, { dtype: values.dtype ?? dtype });
  if (values.disposed) made.dispose();
  return made;
}

/** The arguments of a case by name, as tensors. */
export function leavesOf(lossCase: LossCase, dtype: FloatingDType): Record<string, torch.Tensor> {
  const leaves: Record<string, torch.Tensor> = {};
  for (const [name, value] of Object.entries(argumentsOf(lossCase))) {
    if (value instanceof Values) leaves[name] = tensorOf(value, dtype);
  }
  for (const name of gradientsOf(lossCase)) leaves[name]?.requiresGrad_();
  return leaves;
}

/** libtorch's loss of a case. */
export function callNative(loss: Loss, lossCase: LossCase, dtype: FloatingDType, reduction: string): NativeCall {
  const leaves = leavesOf(lossCase, dtype);
  return { value: applyNative(loss, lossCase, leaves, reduction), leaves };
}

/** libtorch's loss of tensors in place of the values of a case. */
export function applyNative(
  loss: Loss,
  { options }: LossCase,
  { input, target, ...tensors }: Readonly<Record<string, torch.Tensor>>,
  reduction: string,
): torch.Tensor {
  const call = torch.nn.functional[loss.name] as Callable<torch.Tensor, torch.Tensor>;
  return call(input as torch.Tensor, target as torch.Tensor, { ...options, ...tensors, reduction });
}

/**
 * The reference's loss of a case, of the numbers that the tensors in `leaves` hold: those of the case, rounded to the
 * dtype that it is run in.
 */
export function callReference(
  loss: Loss,
  { options }: LossCase,
  leaves: Readonly<Record<string, torch.Tensor>>,
  reduction: string,
): reference.Differentiable<Gradients> {
  const { input, target, ...arrays } = Object.fromEntries(
    Object.entries(leaves).map(([name, tensor]) => [name, arrayOf(tensor)]),
  );
  const call = referenceLosses[loss.name] as Callable<reference.ArraySource, reference.Differentiable<object>>;
  return call(input as reference.ArraySource, target as reference.ArraySource, {
    ...options,
    ...arrays,
    reduction,
  }) as reference.Differentiable<Gradients>;
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

function argumentsOf({ input, target, options }: LossCase): Readonly<Record<string, unknown>> {
  return { ...options, input, target };
}

/** The arguments of a refused call: input, target and options, with tensors of float32 in place of values. */
export function materialised({ input, target, options }: ErrorCase): [unknown, unknown, unknown] {
  return eachArgument({ input, target, options }, (values) => tensorOf(values, 'float32'));
}

/** Calls the reference with what it must refuse. */
export function refusedByReference(loss: Loss, { input, target, options }: ErrorCase): unknown {
  const call = referenceLosses[loss.name] as (...args: unknown[]) => unknown;
  return call(...eachArgument({ input, target, options }, ({ data, shape }) => ({ data, shape })));
}

function eachArgument(
  { input, target, options }: Pick<ErrorCase, 'input' | 'target' | 'options'>,
  make: (values: Values) => unknown,
): [unknown, unknown, unknown] {
  const made = (value: unknown): unknown => (value instanceof Values ? make(value) : value);
  const isPlain = typeof options === 'object' && options !== null && !Array.isArray(options);
  const entries = isPlain ? Object.entries(options).map(([name, value]) => [name, made(value)]) : [];
  return [made(input), made(target), isPlain ? Object.fromEntries(entries) : options];
}
