/** Where the tensors of one call are. */

import { native } from '../binding/load';
import { unwrap } from './bind';
import type { Tensor } from './tensor';

/** Whether this thread has asked for no device but the CPU so far: then there is nothing to be looked at. */
let isCpuAlone = true;

/** Notes that somebody asks for a device: the only way to a tensor that is not on the CPU. */
export function noteDevice(device: string): void {
  if (device !== 'cpu') isCpuAlone = false;
}

/** Whether tensors may be on other devices than the CPU. */
export function usesAccelerator(): boolean {
  return !isCpuAlone;
}

/**
 * Whether tensors are on one device, but for numbers on the CPU, which go with any. Of tensors that are disposed or still
 * to be computed nothing is said.
 */
export function shareDevice(tensors: readonly Tensor[]): boolean {
  return isCpuAlone || native().shareDevice(...tensors.map((tensor) => unwrap(tensor, 'shareDevice', 'tensor')));
}
