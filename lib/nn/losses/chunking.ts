/** The sizes of chunks that stay in a processor's caches. */
import { usesAccelerator } from '../../torch/share-device';
import type { Tensor } from '../../torch/tensor';
import { isFloating } from '../../types';

/** The bytes of a chunk of one tensor: a few of them fit into the second-level cache of a core. */
const chunkBytes = 512 * 1024;

/** The bytes from which chunks pay: anything smaller fits into the caches as a whole. */
const leastBytes = 2 * 1024 * 1024;

/**
 * The bytes of a chunk on a GPU: its two intermediate results fit into the second-level cache of an H100, 50 MB.
 * Smaller ones would leave multiprocessors without a row.
 */
const gpuChunkBytes = megabytes(process.env.LIBTORCH_LOSSES_CUDA_PIECE_MB, 24) * 1024 * 1024;

/** Rows of a chunk on a GPU are a multiple of this: each then lies as far from a whole vector as it would uncut. */
const gpuRows = 16;

/** Whether a tensor may be large enough for chunks: the cheapest test. */
export function mayBeCut(tensor: Tensor): boolean {
  return tensor.numel() * 8 >= Math.min(leastBytes, gpuChunkBytes);
}

/** How many entries of the first dimension a chunk has; `undefined` if chunks do not pay or are not possible. */
export function chunkOf(tensor: Tensor): number | undefined {
  // First the cheapest test for small tensors.
  if (tensor.numel() * 8 < leastBytes || tensor.device !== 'cpu') return undefined;
  const bytes = bytesOf(tensor);
  return bytes === undefined || bytes < leastBytes ? undefined : entriesOf(tensor, bytes, chunkBytes);
}

/** The same on a GPU. Its kernels must not depend on how many rows there are, which is to be known of each of them. */
export function gpuChunkOf(tensor: Tensor): number | undefined {
  if (!usesAccelerator() || tensor.numel() * 8 < gpuChunkBytes || !tensor.device.startsWith('cuda')) return undefined;
  const bytes = bytesOf(tensor);
  if (bytes === undefined || bytes < 2 * gpuChunkBytes) return undefined;
  return Math.max(1, Math.floor(entriesOf(tensor, bytes, gpuChunkBytes) / gpuRows)) * gpuRows;
}

/** The bytes of a tensor that can be cut; `undefined` of others. */
function bytesOf(tensor: Tensor): number | undefined {
  return isFloating(tensor.dtype) && tensor.isContiguous() ? tensor.nbytes : undefined;
}

function entriesOf({ shape: [entries = 1] }: Tensor, bytes: number, wanted: number): number {
  return Math.max(1, Math.floor((wanted * entries) / bytes));
}

function megabytes(given: string | undefined, otherwise: number): number {
  const number = Number(given);
  return given !== undefined && given !== '' && number > 0 ? number : otherwise;
}
