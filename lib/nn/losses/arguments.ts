/** Arguments of losses: data that becomes tensors, reductions, and explained errors. */

import { DisposedError, expected, NativeError, TorchError } from '../../errors';
import { oneOf } from '../../options';
import { isTensor, showForeign } from '../../torch/bind';
import { isFlatData, type TensorData, tensor } from '../../torch/create';
import { isTypedArray } from '../../torch/elements';
import { sameShape } from '../../torch/shape';
import { shareDevice, usesAccelerator } from '../../torch/share-device';
import type { Tensor } from '../../torch/tensor';
import { eagerly, mapError } from '../../torch/trace';
import { isFloating, type Reduction, reductions } from '../../types';
import { checkIndices, isValidated } from './device-checks';
import type { Explanation, IndexRange } from './explain';

/** A tensor, or data for one: nested arrays, a typed array, `{ data, dims }`. */
export type TensorLike = Tensor | TensorData;

/** ATen's integer codes of reductions. No other integer ever reaches an operator. */
const reductionCodes: Readonly<Record<Reduction, number>> = { none: 0, mean: 1, sum: 2 };

/** The reduction, if it is one. */
export function checkReduction(op: string, reduction: unknown): Reduction {
  return oneOf(op, "option 'reduction'", reduction, reductions);
}

/** The code of a reduction, if it is one. */
export function reductionCode(op: string, reduction: unknown): number {
  return reductionCodes[checkReduction(op, reduction)];
}

/**
 * The argument as a tensor: itself, or made of the data. Plain numbers get the dtype of the tensor that they go with,
 * if that is floating; typed arrays keep their own.
 */
export function asTensor(op: string, argument: string, value: TensorLike, companion?: Tensor): Tensor {
  return isTensor(value) ? value : eagerly(() => fromData(op, argument, value, companion));
}

/** An option that is a tensor, or absent. */
export function asOptionalTensor(
  op: string,
  argument: string,
  value: TensorLike | undefined,
  companion?: Tensor,
): Tensor | undefined {
  return value === undefined ? undefined : asTensor(op, `option '${argument}'`, value, companion);
}

/** A tensor made of data, on the device of the tensor that it goes with. */
function fromData(op: string, argument: string, value: unknown, companion?: Tensor): Tensor {
  const made = onCpu(op, argument, value, companion);
  return companion === undefined || companion.isDisposed ? made : toDeviceOf(made, companion);
}

function toDeviceOf(made: Tensor, { device }: Tensor): Tensor {
  return device === 'cpu' ? made : made.to({ device });
}

function onCpu(op: string, argument: string, value: unknown, companion?: Tensor): Tensor {
  if (!isData(value)) {
    const named = argument.startsWith('option ') ? argument : `'${argument}'`;
    throw expected(op, named, 'to be a Tensor, or numbers to make one of', showForeign(value));
  }
  const made = tensor(value);
  // A disposed companion has no dtype to take; the call that follows refuses it, by its name.
  const dtype = companion?.isDisposed ? undefined : companion?.dtype;
  if (dtype === undefined || !isFloating(dtype) || isTypedArray(value) || isFlatData(value)) return made;
  return made.dtype === 'float32' ? tensor(value, { dtype }) : made;
}

function isData(value: unknown): value is TensorData {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return true;
  if (Array.isArray(value) || isTypedArray(value)) return true;
  return isFlatData(value) && ('dims' in value || 'shape' in value);
}

/** The context of class indices. */
interface IndexPlace {
  /** The scores; data becomes a tensor on their device. */
  readonly input: Tensor;
  /** The allowed indices; absent if the loss checks them itself. */
  readonly range?: (() => IndexRange | undefined) | undefined;
}

/**
 * A target of class indices as a tensor. Data becomes int64; a number among it that is not an integer is refused.
 *
 * @throws TorchError `INDEX` for an index out of range, where a device would fail for good.
 */
export function asIndexTarget(op: string, argument: string, value: TensorLike, place?: IndexPlace): Tensor {
  if (isTensor(value)) return validated(op, argument, value, place?.range);
  return eagerly(() => indicesBeside(op, argument, toIndices(onCpu(op, argument, value)), place));
}

function validated(op: string, argument: string, target: Tensor, range: IndexPlace['range']): Tensor {
  if (range !== undefined && isValidated(target)) checkRange(op, argument, target, range);
  return target;
}

function checkRange(op: string, argument: string, target: Tensor, range: IndexPlace['range']): void {
  const allowed = range?.();
  if (allowed !== undefined) checkIndices(op, argument, target, allowed);
}

/** Indices that are still on the CPU, looked at there if they go to a device. */
function indicesBeside(op: string, argument: string, labels: Tensor, place: IndexPlace | undefined): Tensor {
  if (place === undefined || place.input.isDisposed || place.input.device === 'cpu') return labels;
  checkRange(op, argument, labels, place.range);
  return toDeviceOf(labels, place.input);
}

/** Integers as int64: converted one by one from floats, because casting the tensor would truncate. */
function toIndices(made: Tensor): Tensor {
  if (!isFloating(made.dtype)) return made.to('int64');
  const data = Array.from(made.to('float64').toTypedArray<Float64Array>());
  return tensor({ data, shape: made.shape }, { dtype: 'int64' });
}

/**
 * A classification target as a tensor. Integer arrays are class indices. Other data is class probabilities of the
 * input's dtype if it has the input's shape, and else class indices too.
 */
export function asClassTarget(
  op: string,
  argument: string,
  value: TensorLike,
  input: Tensor,
  range?: IndexPlace['range'],
): Tensor {
  if (isTensor(value)) return validated(op, argument, value, range);
  if (input.isDisposed) throw disposed(op, "'input'");
  return eagerly(() => {
    const made = onCpu(op, argument, value);
    const isProbabilities = isFloating(made.dtype) && !input.isDisposed && sameShape(made.shape, input.shape);
    if (isProbabilities) return toDeviceOf(made.to(input.dtype), input);
    return indicesBeside(op, argument, toIndices(made), { input, range });
  });
}

/** The tensors of a call by their names: arguments, and options apart. */
export interface CallTensors {
  arguments: Readonly<Record<string, Tensor>>;
  options?: Readonly<Record<string, Tensor | undefined>>;
  /** Arguments that may be on the CPU wherever the others are. */
  anywhere?: readonly string[];
}

/**
 * Calls an operator; if libtorch refuses, says which argument it means.
 *
 * PyTorch alone decides what is refused. `explain` looks at the arguments only after a refusal, so successful calls pay
 * nothing; errors that it does not recognise keep libtorch's message. Only tensors on several devices are refused
 * beforehand, so that no kernel runs in vain.
 */
export function withArgumentErrors<T>(
  op: string,
  tensorsOf: () => CallTensors,
  call: () => T,
  explain: (refusal: NativeError) => Explanation | undefined,
): T {
  if (usesAccelerator()) checkDevices(op, tensorsOf());
  return mapError(call, (error) => {
    if (error instanceof DisposedError) return namingDisposed(op, tensorsOf(), error);
    if (!(error instanceof NativeError)) return error;
    const found = explain(error);
    if (found === undefined) return error;
    const { message, argument } = expected(op, found.label, found.what, found.actual);
    return new NativeError(error.code, `${message} (libtorch: ${error.message})`, {
      op,
      argument: argument as string,
      cause: error,
    });
  });
}

/** Refuses tensors on several devices: names the first that is not on the device of the first argument. */
function checkDevices(op: string, tensors: CallTensors): void {
  const { arguments: given, options, anywhere = [] } = tensors;
  const together: Tensor[] = [];
  for (const name in given) if (!anywhere.includes(name)) together.push(given[name] as Tensor);
  for (const name in options) if (options[name] !== undefined) together.push(options[name]);
  if (shareDevice(together)) return;
  const [[first, { device }], ...others] = labelled(tensors) as [[string, Tensor], ...[string, Tensor][]];
  const isElsewhere = (tensor: Tensor): boolean =>
    tensor.device !== device && (tensor.device !== 'cpu' || tensor.ndim > 0);
  const [label, other] = others.find(([, tensor]) => isElsewhere(tensor)) as [string, Tensor];
  const { message, argument } = expected(op, label, `to be on ${device} as ${first} is`, other.device);
  const moved = `to({ device: '${device}' }) moves it`;
  throw new TorchError('RUNTIME', `${message}; ${moved}`, { op, argument: argument as string });
}

/** The tensors of a call by the names that messages show. */
function labelled({ arguments: tensors, options = {} }: CallTensors): [label: string, tensor: Tensor][] {
  return [
    ...Object.entries(tensors).map(([name, tensor]) => [`'${name}'`, tensor] as [string, Tensor]),
    ...Object.entries(options).flatMap(([name, tensor]): [string, Tensor][] =>
      tensor === undefined ? [] : [[`option '${name}'`, tensor]],
    ),
  ];
}

/** The error for a disposed tensor, by the name that the caller knows it by. */
function namingDisposed(op: string, tensors: CallTensors, cause: DisposedError): Error {
  const found = labelled(tensors).find(([, tensor]) => tensor.isDisposed);
  return found === undefined ? cause : disposed(op, found[0], cause);
}

function disposed(op: string, label: string, cause?: DisposedError): DisposedError {
  const { message, argument } = expected(op, label, 'to be a live tensor', 'one that was disposed');
  return new DisposedError('DISPOSED', message, { op, argument: argument as string, cause });
}
