/** Conversions: `to()`. */

import { expected, show } from '../errors';
import { type Device, type DType, dtypes, type MemoryFormat } from '../types';
import { isTensor } from './bind';
import { checkDevice, isDeviceName } from './device';
import { defineFunction } from './functions';
import { aten } from './ops';
import { isRecording } from './recording';
import type { Tensor } from './tensor';

/** Targets of {@link Tensor.to}. */
export interface CastOptions {
  /** The dtype of the result. Absent: unchanged. */
  dtype?: DType | null;
  /** The device of the result. Absent: unchanged. */
  device?: Device | null | undefined;
  /** Copy even if nothing changes. Default `false`. */
  copy?: boolean | null | undefined;
  /** Do not wait for copies from pinned memory to a GPU. Default `false`. */
  nonBlocking?: boolean | null | undefined;
  /** In which order the elements lie. Default `'preserve_format'`. */
  memoryFormat?: MemoryFormat | null | undefined;
}

type Cast = [
  device: Device | undefined,
  dtype: DType | undefined,
  nonBlocking: boolean,
  copy: boolean,
  memoryFormat: MemoryFormat | undefined,
];

const rest = 'bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None';

const readCasts: (...args: unknown[]) => Cast = defineFunction(
  'to',
  [`(ScalarType dtype, ${rest})`, `(Device? device=None, ScalarType? dtype=None, ${rest})`, `(Tensor other, ${rest})`],
  (...given: [DType | Tensor, ...Flags] | Cast): Cast => {
    if (given.length === 5) return given;
    const [target, ...flags] = given;
    return isTensor(target) ? [target.device, target.dtype, ...flags] : [undefined, target as DType, ...flags];
  },
);

type Flags = [nonBlocking: boolean, copy: boolean, memoryFormat: MemoryFormat | undefined];

/** The arguments of `to()`, in the three forms that PyTorch has. */
export function readCast(op: string, args: readonly unknown[]): Cast {
  const [first] = args;
  if (args.length === 1 && typeof first === 'string') {
    if ((dtypes as readonly string[]).includes(first)) return [undefined, first as DType, false, false, undefined];
    if (!isDeviceName(first)) throw expected(op, "'target'", 'to be a dtype or a device', show(first));
    return [checkDevice(op, first), undefined, false, false, undefined];
  }
  if (args.length === 0 || (args.length === 1 && (first === undefined || first === null))) {
    throw expected(op, "'target'", 'to be a dtype, a device, a Tensor or options', show(first));
  }
  return readCasts(...args);
}

/** `tensor.to(...args)`. */
export function cast(tensor: Tensor, args: readonly unknown[]): Tensor {
  const [device, dtype, nonBlocking, copy, memoryFormat] = readCast('to', args);
  if (!copy && memoryFormat === undefined && !isRecording()) {
    const isAlready = (dtype ?? tensor.dtype) === tensor.dtype && (device ?? tensor.device) === tensor.device;
    if (isAlready) return tensor;
  }
  const flags = { non_blocking: nonBlocking, copy, memory_format: memoryFormat };
  return aten.to.dtype_layout(tensor, { device, dtype, ...flags });
}
