/** Reading the targets of `to()` and the common options of factories, and refusing devices that are not there. */
import { expected, show } from '../errors';
import { boolean, oneOf, withDefaults } from '../options';
import { type Device, type DType, dtypes } from '../types';
import { isAvailable, whyUnavailable } from './cuda/availability';
import { noteDevice } from './share-device';

/** Targets of {@link Tensor.to}. */
export interface CastOptions {
  /** The dtype of the result. Absent: unchanged. */
  dtype?: DType | undefined;
  /** The device of the result. Absent: unchanged. */
  device?: Device | undefined;
  /** Copy even if nothing changes. Default `false`. */
  copy?: boolean | undefined;
  /** Do not wait for copies from pinned memory to a GPU. Default `false`. */
  nonBlocking?: boolean | undefined;
}

const castDefaults: Readonly<CastOptions> = Object.freeze({
  dtype: undefined,
  device: undefined,
  copy: false,
  nonBlocking: false,
});

const devicePattern = /^(?:cpu|cuda|mps|xpu|meta|hpu|mtia)(?::\d+)?$/;

/** A dtype, a device or both, as `to()` takes them. */
export function readCast(op: string, target: DType | Device | CastOptions): CastOptions {
  if (typeof target === 'string') {
    if ((dtypes as readonly string[]).includes(target)) return { dtype: target as DType };
    if (!devicePattern.test(target)) throw expected(op, "'target'", 'to be a dtype or a device', show(target));
    return { device: checkDevice(op, target) };
  }
  if (target === undefined || target === null) {
    throw expected(op, "'target'", 'to be a dtype, a device or both as options', show(target));
  }
  const { dtype, device, copy, nonBlocking } = withDefaults(op, target, castDefaults);
  return {
    dtype: dtype === undefined ? undefined : oneOf(op, "option 'dtype'", dtype, dtypes),
    device: device === undefined ? undefined : checkDevice(op, device),
    copy: boolean(op, "option 'copy'", copy),
    nonBlocking: boolean(op, "option 'nonBlocking'", nonBlocking),
  };
}

/** The device, if its name is one and it can be used here. */
export function checkDevice(op: string, device: unknown): Device {
  if (typeof device !== 'string' || !devicePattern.test(device)) {
    throw expected(op, "option 'device'", "to be a device such as 'cpu', 'cuda' or 'cuda:1'", show(device));
  }
  if (device.startsWith('cuda') && !isAvailable()) {
    throw expected(op, "option 'device'", 'to be available', `'${device}' (${whyUnavailable()})`);
  }
  noteDevice(device);
  return device;
}
