/** The memory of a CUDA device, and of libtorch's allocator for it. **Source**: `torch.cuda.memory`. */
import { native } from '../../binding/load';
import type { DeviceMemoryStats } from '../../binding/native';
import type { Device } from '../../types';
import { deviceName } from './devices';

/** The figures of the allocator of this process for a CUDA device. **Source**: `torch.cuda.memory_stats`. */
export function memoryStats(device?: number | Device): DeviceMemoryStats {
  return native().memoryStats(deviceName('cuda.memoryStats', device));
}

/** Lets the peaks of {@link memoryStats} begin anew. **Source**: `torch.cuda.reset_peak_memory_stats`. */
export function resetPeakMemoryStats(device?: number | Device): void {
  native().resetPeakMemoryStats(deviceName('cuda.resetPeakMemoryStats', device));
}

/** Bytes of a CUDA device that are free, and all of them, whoever uses them. **Source**: `torch.cuda.mem_get_info`. */
export function memGetInfo(device?: number | Device): { free: number; total: number } {
  const [free, total] = native().memoryInfo(deviceName('cuda.memGetInfo', device));
  return { free, total };
}

/**
 * Gives the memory of CUDA devices back that is kept for the next tensors, so that other processes can have it.
 *
 * **Source**: `torch.cuda.empty_cache`.
 */
export function emptyCache(): void {
  native().emptyDeviceCache(deviceName('cuda.emptyCache', undefined));
}
