/** Tensors that go to a device while the device is still at work on others. */

import { native } from '../binding/load';
import type { Device } from '../types';
import { unwrap, wrap } from './bind';
import { noteDevice } from './share-device';
import type { Tensor } from './tensor';

/**
 * @internal Begins to copy tensors to a device. On CUDA they go through page-locked memory and a stream of their own, so
 * that the copy runs beside the work that is queued already; tensors that are on the device stay as they are.
 *
 * @returns a function that gives the tensors on the device. What is queued after it was called waits for the copy; the
 *   caller does not.
 */
export function stage(tensors: readonly Tensor[], device: Device): () => Tensor[] {
  noteDevice(device);
  const handles = tensors.map((tensor) => unwrap(tensor, 'stage', 'tensor'));
  const transfer = native().startTransfer(handles, device);
  return () => native().finishTransfer(transfer).map(wrap);
}
