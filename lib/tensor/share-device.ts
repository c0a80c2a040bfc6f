/** Where the tensors of one call are. */
import { unwrap } from '../aten/bind';
import { native } from '../binding/load';
import type { Tensor } from './tensor';

/**
 * Whether tensors are on one device, but for numbers on the CPU, which go with any. Of tensors that are disposed or still
 * to be computed nothing is said.
 */
export function shareDevice(tensors: readonly Tensor[]): boolean {
  return native().shareDevice(...tensors.map((tensor) => unwrap(tensor, 'shareDevice', 'tensor')));
}
