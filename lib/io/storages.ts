/** Tensors and the memory that they show part of. */
import { native } from '../binding/load';
import { unwrap } from '../torch/bind';
import { fromTypedArray } from '../torch/create';
import { aten } from '../torch/ops';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import type { Device, DType } from '../types';

/** The memory under a tensor. */
export interface Storage {
  /** The same for tensors that show parts of one memory. */
  readonly key: string;
  /** Of the whole memory. */
  readonly bytes: number;
}

/** The memory under a tensor; `undefined` for one without elements in memory, such as a sparse one. */
export function storageUnder(tensor: Tensor): Storage | undefined {
  const found = native().storageBytes(unwrap(tensor, 'storageBytes', 'tensor'));
  if (found === undefined) return undefined;
  const [address, bytes] = found;
  return { key: `${tensor.device} ${address} ${bytes}`, bytes };
}

/** The bytes of its memory, counted from the beginning, that a tensor reaches: `[begin, end)`. */
export function extent(tensor: Tensor): [begin: number, end: number] {
  const { shape, itemsize } = tensor;
  const begin = storageOffset(tensor) * itemsize;
  if (shape.includes(0)) return [begin, begin];
  const last = tensor.stride().reduce((sum, stride, dim) => sum + stride * ((shape[dim] as number) - 1), 0);
  return [begin, begin + (last + 1) * itemsize];
}

/** How many elements of its memory lie before the first of a tensor. */
export function storageOffset(tensor: Tensor): number {
  return native().storageOffset(unwrap(tensor, 'storageOffset', 'tensor'));
}

/** How many elements apart neighbours of each dimension lie in row-major order. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = stride;
    stride *= Math.max(1, shape[dim] as number);
  }
  return strides;
}

/** A tensor's place in a memory; offset and strides count elements. */
export interface Place {
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/**
 * A tensor in the memory under `bytes`, a tensor of uint8 that begins where its memory does. It is not a view of `bytes`:
 * tensors of one memory that were made so know nothing of one another, as after Python's `set_`. The place must lie
 * within the memory.
 */
export function tensorAt(bytes: Tensor, { dtype, offset, shape, strides }: Place): Tensor {
  return scope(() => {
    const made = aten.empty.memory_format([0], { dtype, device: bytes.device });
    aten.set_.source_Tensor_storage_offset(made, bytes, offset, shape, strides);
    return made;
  });
}

/** The tensor on a device: itself, if it is there. */
export function onDevice(tensor: Tensor, device: Device): Tensor {
  return tensor.device === device ? tensor : tensor.to({ device });
}

/** A contiguous tensor on the CPU whose elements are those of a tensor: the same where that is one already. */
export function plain(tensor: Tensor): Tensor {
  return scope(() => {
    const own = aten.contiguous(onDevice(aten.detach(tensor), 'cpu'));
    return aten.resolve_neg(aten.resolve_conj(own));
  });
}

/** As many bytes are copied at a time. */
const pieceBytes = 1 << 22;

/**
 * Hands on the bytes of a tensor's elements in row-major order, piece by piece; each piece is valid during the call only.
 */
export function eachPiece(tensor: Tensor, use: (piece: Uint8Array) => void): void {
  if (tensor.numel() === 0) return;
  scope(() => eachPieceOf(aten.view.dtype(aten.view(plain(tensor), [-1]), 'uint8'), use));
}

/** The same of all memory under a tensor, of which there are `bytes`. */
export function eachPieceUnder(tensor: Tensor, bytes: number, use: (piece: Uint8Array) => void): void {
  if (bytes > 0) scope(() => eachPieceOf(onDevice(wholeStorage(tensor, bytes), 'cpu'), use));
}

/** The same of a vector of bytes on the CPU. */
function eachPieceOf(bytes: Tensor, use: (piece: Uint8Array) => void): void {
  const total = bytes.numel();
  if (total <= pieceBytes) {
    use(bytes.toTypedArray<Uint8Array>());
    return;
  }
  const piece = new Uint8Array(pieceBytes);
  const shared = fromTypedArray(piece);
  for (let at = 0; at < total; at += pieceBytes) {
    const count = Math.min(pieceBytes, total - at);
    scope(() => aten.copy_(aten.narrow(shared, 0, 0, count), aten.narrow(bytes, 0, at, count)));
    use(piece.subarray(0, count));
  }
}

/** The bytes of the memory under a tensor, from its beginning, as a tensor of uint8. */
function wholeStorage(tensor: Tensor, bytes: number): Tensor {
  return scope(() => {
    const start = aten.as_strided(aten.detach(tensor), [0], [1], 0);
    return tensorAt(start, { dtype: 'uint8', offset: 0, shape: [bytes], strides: [1] });
  });
}
