/** Helpers for tests of code that uses tensors, as `torch.testing`. */

import { expected as refusal, TorchError } from '../errors';
import { boolean, withDefaults, within } from '../options';
import { type Tolerance, tolerances } from '../tolerances';
import { type DType, isFloating, type Scalar } from '../types';
import { noGrad } from './autograd';
import { isTensor } from './bind';
import { isFlatData, type TensorData, tensor } from './create';
import { isTypedArray } from './elements';
import { aten } from './ops';
import { position, sameShape, shapeText } from './shape';
import type { Tensor } from './tensor';

/** Options of {@link assertClose}, by PyTorch's names. */
export interface AssertCloseOptions {
  /** How far apart numbers may be, relative to the expected one; given together with `atol`. Default: by dtype. */
  rtol?: number | undefined;
  /** How far apart numbers may be; given together with `rtol`. Default: by dtype. */
  atol?: number | undefined;
  /** Whether NaN is close to NaN. Default `false`. */
  equalNan?: boolean | undefined;
  /** Whether both must be on the same device. Default `true`. */
  checkDevice?: boolean | undefined;
  /** Whether both must have the same dtype. Default `true`. */
  checkDtype?: boolean | undefined;
  /** Whether both must have the same strides. Default `false`. */
  checkStride?: boolean | undefined;
  /** The message of the error, or a function that makes it from the default message. */
  msg?: string | ((message: string) => string) | undefined;
}

const op = 'assertClose';
const shownElements = 4;

const defaults: Readonly<Required<AssertCloseOptions>> = Object.freeze({
  rtol: undefined,
  atol: undefined,
  equalNan: false,
  checkDevice: true,
  checkDtype: true,
  checkStride: false,
  msg: undefined,
});

interface Settings {
  tolerance: Tolerance | undefined;
  equalNan: boolean;
  checkDevice: boolean;
  checkDtype: boolean;
  checkStride: boolean;
}

/**
 * Throws unless two tensors are close: `|actual - expected| <= atol + rtol * |expected|` for every element, and dtype,
 * device and shape are the same. Plain data takes the dtype of the tensor that it is compared with.
 *
 * **Tolerances** (rtol, atol), where none are given: float64 1e-7, 1e-7; float32 1.3e-6, 1e-5; float16 1e-3, 1e-5;
 * bfloat16 1.6e-2, 1e-5; others 0, 0. Of two dtypes the greater ones.
 *
 * @throws TorchError `NOT_CLOSE`, which says how many elements differ, where and by how much; `INVALID_ARGUMENT` for
 * one tolerance without the other, or what is not a tensor; `UNKNOWN_OPTION`.
 *
 * @example testing.assertClose(tensor([0.1]).add(0.2), [0.3]) // undefined
 *
 * **Source**: `torch.testing.assert_close`.
 */
export function assertClose(
  actual: Tensor | TensorData,
  expected: Tensor | TensorData,
  options?: AssertCloseOptions,
): void {
  const { msg, ...filled } = withDefaults<AssertCloseOptions>(op, options, defaults);
  const settings = check(filled);
  const a = isTensor(actual) ? actual : madeBeside(actual, isTensor(expected) ? expected : undefined);
  const e = isTensor(expected) ? expected : madeBeside(expected, a);
  const problem = noGrad(() => mismatch(a, e, settings));
  if (problem === undefined) return;
  const message = typeof msg === 'function' ? msg(problem) : (msg ?? problem);
  throw new TorchError('NOT_CLOSE', message, { op, argument: 'actual' });
}

function check({ rtol, atol, equalNan, checkDevice, checkDtype, checkStride }: AssertCloseOptions): Settings {
  if ((rtol === undefined) !== (atol === undefined)) {
    throw refusal(op, "options 'rtol' and 'atol'", 'to be given together', rtol === undefined ? 'atol' : 'rtol');
  }
  const limit = (name: string, value: unknown): number => within(op, `option '${name}'`, value, 0, Infinity);
  const flag = (name: string, value: unknown): boolean => boolean(op, `option '${name}'`, value);
  return {
    tolerance: rtol === undefined ? undefined : { relative: limit('rtol', rtol), absolute: limit('atol', atol) },
    equalNan: flag('equalNan', equalNan),
    checkDevice: flag('checkDevice', checkDevice),
    checkDtype: flag('checkDtype', checkDtype),
    checkStride: flag('checkStride', checkStride),
  };
}

/** Data as a tensor: plain numbers take the dtype of the other side. */
function madeBeside(data: TensorData, other: Tensor | undefined): Tensor {
  const hasOwnDtype = isTypedArray(data) || isFlatData(data);
  if (other === undefined) return tensor(data);
  return tensor(data, { device: other.device, ...(!hasOwnDtype && { dtype: other.dtype }) });
}

/** A description of why two tensors are not close. */
function mismatch(actual: Tensor, expected: Tensor, settings: Settings): string | undefined {
  const differs = (what: string, a: string, e: string): string => refusal(op, "'actual'", `${what} ${e}`, a).message;
  if (!sameShape(actual.shape, expected.shape)) {
    return differs('to have shape', shapeText(actual.shape), shapeText(expected.shape));
  }
  if (settings.checkDevice && actual.device !== expected.device) {
    return differs('to be on', actual.device, expected.device);
  }
  if (settings.checkDtype && actual.dtype !== expected.dtype) {
    return differs('to have dtype', actual.dtype, expected.dtype);
  }
  if (settings.checkStride && String(actual.stride()) !== String(expected.stride())) {
    return differs('to have strides', `[${actual.stride()}]`, `[${expected.stride()}]`);
  }
  const { relative, absolute } = settings.tolerance ?? toleranceOf(actual.dtype, expected.dtype);
  const [a, e] = comparable(actual, expected);
  const close = aten.isclose(a, e, relative, absolute, settings.equalNan);
  if (aten.all(close).item<boolean>()) return undefined;
  return differences(a, e, close, { relative, absolute });
}

function toleranceOf(...dtypes: readonly DType[]): Tolerance {
  const found = dtypes.map((dtype) => tolerances[dtype] ?? { relative: 0, absolute: 0 });
  return {
    relative: Math.max(...found.map(({ relative }) => relative)),
    absolute: Math.max(...found.map(({ absolute }) => absolute)),
  };
}

/** Both on one device and of one dtype. */
function comparable(actual: Tensor, expected: Tensor): [Tensor, Tensor] {
  const device = actual.device === expected.device ? actual.device : 'cpu';
  const { dtype } = actual;
  const common = dtype === expected.dtype ? dtype : [dtype, expected.dtype].some(isFloating) ? 'float64' : 'int64';
  return [actual.to({ dtype: common, device }), expected.to({ dtype: common, device })];
}

interface Greatest {
  difference: number;
  index: number;
}

function differences(actual: Tensor, expected: Tensor, close: Tensor, { relative, absolute }: Tolerance): string {
  const flat = (x: Tensor): Scalar[] => x.reshape([-1]).toArray<Scalar[]>();
  const [a, e, isClose] = [flat(actual), flat(expected), flat(close)];
  const wrong = [...isClose.keys()].filter((i) => isClose[i] === false);
  const apart = (i: number): number => Math.abs(Number(a[i]) - Number(e[i]));
  const ofAll = greatest(wrong, apart);
  const ofExpected = greatest(wrong, (i) => apart(i) / Math.abs(Number(e[i])));
  const at = (index: number): string => `[${position(actual.shape, index).join(', ')}]`;
  const line = (kind: string, { difference, index }: Greatest, allowed: number): string =>
    `  greatest ${kind} difference: ${difference} at ${at(index)} (${allowed} allowed)`;
  const more = wrong.length - shownElements;
  return [
    `${op}: ${wrong.length} of ${a.length} elements are not close (${((100 * wrong.length) / a.length).toFixed(1)}%)`,
    line('absolute', ofAll, absolute),
    line('relative', ofExpected, relative),
    ...wrong.slice(0, shownElements).map((i) => `  ${at(i)} is ${a[i]}, expected ${e[i]}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}

/** The greatest of some measure; NaN counts as more than any number. */
function greatest(indices: readonly number[], measure: (index: number) => number): Greatest {
  let found: Greatest = { difference: -1, index: indices[0] as number };
  for (const index of indices) {
    const difference = measure(index);
    if (Number.isNaN(difference)) return { difference, index };
    if (difference > found.difference) found = { difference, index };
  }
  return found;
}

/**
 * An equality tester for `expect.addEqualityTesters` of jest and vitest: tensors are equal if dtype, shape, device and
 * all elements are, by `Object.is`.
 *
 * `toEqual` and `toStrictEqual` need no tester. `toMatchObject` does: it looks at own properties only, of which tensors
 * have none, and so takes any tensor for any other.
 *
 * @returns `undefined` where neither value is a tensor, which leaves them to the other testers.
 *
 * @example testing.tensorEquality(tensor([1, NaN]), tensor([1, NaN])) // true
 */
export function tensorEquality(actual: unknown, expected: unknown): boolean | undefined {
  if (!isTensor(actual) && !isTensor(expected)) return undefined;
  if (isMatcher(actual) || isMatcher(expected)) return undefined;
  if (!isTensor(actual) || !isTensor(expected)) return false;
  return actual === expected || actual[Symbol.toStringTag] === expected[Symbol.toStringTag];
}

/** Whether a value is an asymmetric matcher such as `expect.any(Tensor)`, which decides itself. */
function isMatcher(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}
