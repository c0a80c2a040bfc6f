/** What there is of CUDA. **Source**: `torch.cuda`. */

export type { DeviceMemoryStats, MemoryCount } from '../../binding/native';
export { deviceCount, isAvailable, whyUnavailable } from './availability';
export { currentDevice, manualSeed, setDevice, synchronize } from './devices';
export { emptyCache, memGetInfo, memoryStats, resetPeakMemoryStats } from './memory';
export { currentStream, defaultStream, Stream, stream } from './streams';
export { getValidateArgs, setValidateArgs } from './validation';
