/** A file whose bytes are read where they are asked for. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { emptyBytes, type FilePart, filePart, mapFile, mappedPart, readFileBytes } from '../torch/file-bytes';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { badData, unreadable } from './bad-data';
import { FileStamp } from './file-stamp';
import { checkMemory } from './memory';

/** As much as one system call reads. */
const maxRead = 1 << 30;

/**
 * An open file. Its bytes are copied into memory of their own, so that what was checked (labels) cannot change before it
 * is used; numbers that any value of is as good as another may be shown where they lie, which spares the copy. A file
 * that is cut off meanwhile is an error either way, and never ends the process.
 */
export class StoredFile {
  /** The file's bytes when it was opened. */
  readonly size: number;
  readonly stamp: FileStamp;
  readonly descriptor: number;
  readonly #name: string;
  /** Shows no byte, and holds the memory of all; made at the first use. */
  #mapped: Tensor | undefined;
  #closed = false;

  private constructor(name: string, descriptor: number, size: number, stamp: FileStamp) {
    this.#name = name;
    this.descriptor = descriptor;
    this.size = size;
    this.stamp = stamp;
  }

  /** Opens an ordinary file. @throws TorchError `BAD_DATA` if there is none that can be read. */
  static open(path: string, name: string): StoredFile {
    let descriptor: number | undefined;
    try {
      // A pipe that has taken the file's place since it was looked at must not be waited for.
      descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      const stats = fstatSync(descriptor, { bigint: true });
      if (!stats.isFile())
        throw badData(name, stats.isDirectory() ? 'is a directory, not a file' : 'is not an ordinary file');
      return new StoredFile(name, descriptor, Number(stats.size), new FileStamp(path, name, stats));
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw unreadable(name, error);
    }
  }

  /** The bytes from `offset` on; fewer than asked for only at the end of the file. */
  read(offset: number, count: number): Buffer {
    return this.readInto(Buffer.allocUnsafeSlow(Math.max(0, Math.min(count, this.size - offset))), offset);
  }

  /** Fills a buffer with the bytes from `offset` on; gives the part that was filled. */
  readInto(bytes: Buffer, offset: number): Buffer {
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const wanted = Math.min(maxRead, bytes.length - filled);
        const got = readSync(this.descriptor, bytes, filled, wanted, offset + filled);
        if (got === 0) break;
        filled += got;
      }
    } catch (error) {
      throw unreadable(this.#name, error);
    }
    return bytes.subarray(0, filled);
  }

  /**
   * The bytes `[offset, offset + count)` as uint8 of shape `[count]`.
   *
   * @throws TorchError `BAD_DATA` if the file has become shorter, or was changed since it was opened.
   */
  bytes(offset: number, count: number): Tensor {
    return this.part(filePart(offset, count));
  }

  /** The same of chunks that lie apart. */
  part(part: FilePart): Tensor {
    checkMemory(this.#name, part.size, 'what is read at once');
    const bytes = emptyBytes(part.size);
    try {
      const read = readFileBytes(bytes, this.descriptor, part);
      this.stamp.check();
      // Only a file that changes behind the back of its times gets here.
      if (read < part.size) throw badData(this.#name, 'ended before all of its bytes were read');
      return bytes;
    } catch (error) {
      bytes.dispose();
      throw unreadable(this.#name, error);
    }
  }

  /**
   * The same, as a view of the file where the system allows it and the bytes lie at a multiple of `alignment`. They may
   * change as the file does: its stamp tells, after they were used.
   */
  view(offset: number, count: number, alignment: number): Tensor {
    const base = this.base(offset, alignment);
    return base === undefined ? this.bytes(offset, count) : aten.as_strided(base, [count], [1], offset);
  }

  /** A view of no bytes at `offset`, whose memory is that of the file; `undefined` where `view` would be a copy. */
  base(offset: number, alignment: number): Tensor | undefined {
    if (offset % alignment !== 0) return undefined;
    this.stamp.check();
    this.#mapped ??= mapFile(this.descriptor, this.size);
    return this.#mapped && aten.as_strided(this.#mapped, [0], [1], offset);
  }

  /** Bytes of the file as they lie there, a tensor whose memory they are; `undefined` where the system cannot show them. */
  mapped(offset: number, count: number): Tensor | undefined {
    const whole = this.base(0, 1);
    return whole && mappedPart(whole, offset, count);
  }

  /** Closes the file; tensors that were read stay. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapped?.dispose();
    closeSync(this.descriptor);
  }
}
