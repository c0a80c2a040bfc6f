/** Which CUDA device is meant, and what belongs to a device. **Source**: `torch.cuda`. */
import { native } from '../../binding/load';
import { expected, show } from '../../errors';
import { integer } from '../../options';
import type { Device } from '../../types';
import { checkedSeed } from '../seed';
import { deviceCount, whyUnavailable } from './availability';

/**
 * @internal The device's name: by default `'cuda'`, the current one.
 *
 * @throws TorchError `INVALID_ARGUMENT` if CUDA cannot be used, or there is no such device.
 */
export function deviceName(op: string, device: number | Device | undefined): string {
  if (typeof device === 'string' && !device.startsWith('cuda')) return device;
  const count = deviceCount();
  if (count === 0) throw expected(op, 'CUDA', 'to be available', `none (${whyUnavailable()})`);
  if (device === undefined) return 'cuda';
  if (typeof device === 'string') {
    const [, digits] = /^cuda(?::(\d+))?$/.exec(device) ?? [undefined, 'none'];
    if (digits === undefined || Number(digits) < count) return device;
    throw expected(op, "'device'", `to be one of ${count} CUDA devices`, show(device));
  }
  const index = integer(op, "'device'", device);
  if (index >= 0 && index < count) return `cuda:${index}`;
  throw expected(op, "'device'", `to be an index in [0, ${count})`, String(index));
}

/** The index of the device that `'cuda'` means on this thread. **Source**: `torch.cuda.current_device`. */
export function currentDevice(): number {
  return native().currentDevice(deviceName('cuda.currentDevice', undefined));
}

/** Sets which device `'cuda'` means on this thread. **Source**: `torch.cuda.set_device`. */
export function setDevice(device: number | Device): void {
  native().setDevice(deviceName('cuda.setDevice', device));
}

/**
 * Waits until everything queued on a CUDA device has run; by default the current device.
 *
 * @throws TorchError `INVALID_ARGUMENT` if CUDA cannot be used or there is no such device; NativeError `DEVICE_LOST` if
 *   something of it has failed for good.
 *
 * **Source**: `torch.cuda.synchronize`.
 */
export function synchronize(device?: number | Device): void {
  native().synchronize(deviceName('cuda.synchronize', device));
}

/**
 * Seeds the random numbers of one CUDA device; by default the current one. `manualSeed` of the package seeds all.
 *
 * **Source**: `torch.cuda.manual_seed`.
 */
export function manualSeed(seed: number | bigint, device?: number | Device): void {
  const op = 'cuda.manualSeed';
  native().seedDevice(deviceName(op, device), checkedSeed(op, seed));
}
