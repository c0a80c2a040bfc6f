/** What there is of CUDA. **Source**: `torch.cuda`. */
import { explainedFailure } from '../binding/cuda-libraries';
import { loadedLibtorch, native, whyCannotOpen } from '../binding/load';
import { expected } from '../errors';
import { integer } from '../options';

/** Whether a CUDA device can be used. */
export function isAvailable(): boolean {
  return deviceCount() > 0;
}

/** How many CUDA devices there are; 0 where CUDA cannot be used. */
export function deviceCount(): number {
  return native().cudaDeviceCount();
}

/** Why CUDA cannot be used, in words that name what is missing; `undefined` where it can. */
export function whyUnavailable(): string | undefined {
  if (isAvailable()) return undefined;
  const { located, version, cudaFailure } = loadedLibtorch();
  if (cudaFailure !== undefined) {
    return `libtorch's CUDA libraries cannot be opened: ${explainedFailure(cudaFailure, located)}`;
  }
  if (!native().isCudaBuild()) {
    const install = 'npx libtorch-losses install --cuda cu130 brings a CUDA build';
    return `libtorch ${version} in ${located.lib} is a build without CUDA; ${install}`;
  }
  const driver = process.platform === 'win32' ? 'nvcuda.dll' : 'libcuda.so.1';
  const failure = whyCannotOpen(driver);
  if (failure !== undefined) return `there is no NVIDIA driver: ${failure}`;
  return 'the NVIDIA driver is too old for this libtorch, or shows no device';
}

/**
 * Waits until everything queued on a CUDA device has run; the current device where none is given.
 *
 * @throws TorchError `INVALID_ARGUMENT` if CUDA cannot be used or there is no such device.
 */
export function synchronize(device?: number): void {
  const count = deviceCount();
  if (count === 0) throw expected('cuda.synchronize', 'CUDA', 'to be available', `none (${whyUnavailable()})`);
  if (device === undefined) {
    native().synchronize('cuda');
    return;
  }
  const index = integer('cuda.synchronize', "'device'", device);
  if (index < 0 || index >= count) {
    throw expected('cuda.synchronize', "'device'", `to be an index in [0, ${count})`, String(index));
  }
  native().synchronize(`cuda:${index}`);
}
