/** Settings and figures of the process: seed, threads, memory, versions. */
import { loadedLibtorch, native } from '../binding/load';
import { expected, show } from '../errors';
import { integer } from '../options';
import { checkedSeed } from './seed';

/**
 * Seeds the random numbers of every device: the same seed gives the same numbers as Python's PyTorch on the CPU.
 *
 * @param seed an integer in [-2^63, 2^64); negative ones count from 2^64 down, as in PyTorch.
 *
 * **Source**: `torch.manual_seed`.
 */
export function manualSeed(seed: number | bigint): void {
  native().manualSeed(checkedSeed('manualSeed', seed));
}

/** How many threads an operator may use on the CPU. **Source**: `torch.get_num_threads`. */
export function getNumThreads(): number {
  return native().getNumThreads();
}

/** Sets how many threads an operator may use on the CPU, 1 to 1024. **Source**: `torch.set_num_threads`. */
export function setNumThreads(count: number): void {
  const threads = integer('setNumThreads', "'count'", count);
  if (threads < 1 || threads > 1024) {
    throw expected('setNumThreads', "'count'", 'to be an integer in [1, 1024]', show(count));
  }
  native().setNumThreads(threads);
}

/** The result of {@link memory}. */
export interface MemoryFigures {
  /** Tensors of this thread that are neither disposed nor collected. */
  tensors: number;
  /** The bytes that they show; a view counts what it shows, at most its storage. */
  bytes: number;
  /** Bytes of CPU memory that tensors of the whole process use, what graphs of gradients hold included. */
  allocated: number;
  /** Bytes of CPU memory that are kept for the next tensors; {@link emptyCache} gives them back. */
  cached: number;
}

/** How many tensors this thread holds, and their bytes; and what the allocator of the process holds. */
export function memory(): MemoryFigures {
  const { tensors, bytes, allocated, cached } = native().memory();
  return { tensors, bytes, allocated, cached };
}

/**
 * Gives the CPU memory back that is kept for the next tensors. How much is kept at most, `LIBTORCH_LOSSES_CPU_CACHE`
 * says, in megabytes; 0 keeps none. **Source**: `torch.cuda.empty_cache`, for the CPU.
 */
export function emptyCache(): void {
  native().emptyCache();
}

/** The version of the libtorch that is loaded: `'2.13.0'`. */
export function libtorchVersion(): string {
  return loadedLibtorch().version;
}

/** Which of libtorch's CPU kernels run: `'DEFAULT'`, `'AVX2'`, `'AVX512'`, … **Source**: `torch.backends.cpu`. */
export function cpuCapability(): string {
  return native().cpuCapability();
}
