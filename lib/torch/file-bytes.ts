/** Bytes of files in the memory of tensors. */
import { readSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { native } from '../binding/load';
import { unwrap, wrap } from './bind';
import { fromTypedArray } from './create';
import { empty } from './operators.generated';
import { aten } from './ops';
import { keep, scope } from './scope';
import type { Tensor } from './tensor';

/** @internal Which bytes of a file: `size` in all, in chunks that begin `stride` bytes apart. */
export interface FilePart {
  readonly offset: number;
  readonly size: number;
  readonly chunk: number;
  readonly stride: number;
}

/** Bytes read at once if they are consecutive: they fit into a processor's cache. */
const chunkBytes = 1 << 20;

/** @internal `size` bytes from `offset` on. */
export function filePart(offset: number, size: number): FilePart {
  return { offset, size, chunk: chunkBytes, stride: chunkBytes };
}

/**
 * @internal Fills a contiguous tensor of bytes from an open file, on all of libtorch's threads. Gives how many bytes
 * came: fewer than the tensor has where the file ends before.
 *
 * @throws the system's error.
 */
export function readFileBytes(bytes: Tensor, descriptor: number, part: FilePart): number {
  const { readFile } = native();
  if (readFile === undefined) return readThroughArray(bytes, descriptor, part);
  const read = readFile(unwrap(bytes, 'readFile', 'bytes'), descriptor, part.offset, part.chunk, part.stride);
  if (read >= 0) return read;
  const [code, text] = getSystemErrorMap().get(read) ?? ['EUNKNOWN', `error ${read}`];
  throw Object.assign(new Error(`${code}: ${text}, read`), { code });
}

/** @internal The same through Node's own functions, for systems on which addons cannot use its descriptors. */
export function readThroughArray(bytes: Tensor, descriptor: number, part: FilePart): number {
  const { offset, size, chunk, stride } = part;
  const array = new Uint8Array(Math.min(size, chunkBytes));
  const shared = fromTypedArray(array);
  let total = 0;
  for (let to = 0; to < size; ) {
    const within = to % chunk;
    const wanted = Math.min(array.length, chunk - within, size - to);
    const read = readSync(descriptor, array, 0, wanted, offset + ((to - within) / chunk) * stride + within);
    if (read === 0) break;
    scope(() => aten.copy_(aten.narrow(bytes, 0, to, read), aten.narrow(shared, 0, 0, read)));
    to += read;
    total += read;
  }
  shared.dispose();
  return total;
}

/**
 * @internal Memory that shows the bytes of an open file: a tensor of none of them, for `as_strided`; `undefined` where
 * that cannot be. What is shown of a file that another program cuts off is zeros, and `lostMappings` counts that.
 */
export function mapFile(descriptor: number, size: number): Tensor | undefined {
  const mapped = size === 0 ? undefined : native().mapFile?.(descriptor, size);
  return mapped === undefined ? undefined : keep(wrap(mapped));
}

/**
 * @internal Bytes of a mapped file as a tensor whose memory they are; it keeps the file mapped. At least one byte.
 */
export function mappedPart(whole: Tensor, offset: number, size: number): Tensor | undefined {
  const part = native().partOf?.(unwrap(whole, 'partOf', 'whole'), offset, size);
  return part === undefined ? undefined : wrap(part);
}

/** @internal How often, in this process, a part of a mapped file could not be read. */
export function lostMappings(): number {
  return native().lostMappings?.() ?? 0;
}

/** @internal Memory for the bytes of a file. */
export function emptyBytes(size: number): Tensor {
  return empty([size], { dtype: 'uint8' });
}
