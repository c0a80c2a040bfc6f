/** Whether CUDA can be used, and why not. **Source**: `torch.cuda`. */
import { explainFailure } from '../../binding/cuda-libraries';
import { loadedLibtorch, native, whyCannotOpen } from '../../binding/load';

/** Whether a CUDA device can be used. */
export function isAvailable(): boolean {
  return deviceCount() > 0;
}

/** The number of CUDA devices; 0 if CUDA cannot be used. */
export function deviceCount(): number {
  return native().cudaDeviceCount();
}

/** Why CUDA cannot be used, with the name of what is missing; `undefined` if it can. */
export function whyUnavailable(): string | undefined {
  if (isAvailable()) return undefined;
  const { located, version, hasCuda, cudaFailure } = loadedLibtorch();
  if (cudaFailure !== undefined) {
    return `libtorch's CUDA libraries cannot be opened: ${explainFailure(cudaFailure, located)}`;
  }
  if (!hasCuda) {
    const install = 'npx libtorch-losses install --cuda cu130 brings a CUDA build';
    return `libtorch ${version} in ${located.lib} is a build without CUDA; ${install}`;
  }
  const driver = process.platform === 'win32' ? 'nvcuda.dll' : 'libcuda.so.1';
  const failure = whyCannotOpen(driver);
  if (failure !== undefined) return `there is no NVIDIA driver: ${failure}`;
  return 'the NVIDIA driver is too old for this libtorch, or shows no device';
}
