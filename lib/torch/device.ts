/** Names of devices. **Source**: `torch.device`. */
import { expected, show } from '../errors';
import { integer, oneOf } from '../options';
import type { Device } from '../types';
import { isAvailable, whyUnavailable } from './cuda/availability';
import { noteDevice } from './share-device';

const kinds = ['cpu', 'cuda', 'mps', 'xpu', 'meta', 'hpu', 'mtia'] as const;

const devicePattern = new RegExp(`^(?:${kinds.join('|')})(?::\\d+)?$`);

/** Whether a text names a device, be it one that this machine has or not. */
export function isDeviceName(text: string): text is Device {
  return devicePattern.test(text);
}

/**
 * The name of a device: `device('cuda', 1)` is `'cuda:1'`. Devices are their names, so that `'cuda:1'` does wherever a
 * device goes.
 *
 * **Source**: `torch.device`.
 */
export function device(type: Device, index?: number): Device {
  const name =
    index === undefined ? type : `${oneOf('device', "'type'", type, kinds)}:${integer('device', "'index'", index)}`;
  if (typeof name === 'string' && isDeviceName(name)) return name;
  throw expected('device', "'type'", "to be a device such as 'cpu', 'cuda' or 'cuda:1'", show(type));
}

/** The device, if its name is one and it can be used here. */
export function checkDevice(op: string, device: unknown): Device {
  if (typeof device !== 'string' || !isDeviceName(device)) {
    throw expected(op, "option 'device'", "to be a device such as 'cpu', 'cuda' or 'cuda:1'", show(device));
  }
  if (device.startsWith('cuda') && !isAvailable()) {
    throw expected(op, "option 'device'", 'to be available', `'${device}' (${whyUnavailable()})`);
  }
  noteDevice(device);
  return device;
}
