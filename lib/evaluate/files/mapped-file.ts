/** A file whose bytes are seen through memory: the operating system reads them when they are used. */
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import * as aten from '../../aten/operators.generated';
import { fromTypedArray } from '../../tensor/create';
import { keep } from '../../tensor/scope';
import type { Tensor } from '../../tensor/tensor';
import { badData, unreadable } from './bad-data';

/** As much as one system call reads. */
const maxRead = 1 << 30;

/**
 * An open file. Its bytes are mapped at the first use; where the system refuses that (a file larger than memory and swap
 * under strict accounting), they are read instead, a block at a time.
 *
 * A page that lies behind the end of a mapped file cannot be read: the system ends the process (SIGBUS). So the size is
 * checked at opening and before every block. What is left is a file that another program cuts off while the rows of a
 * block are computed with; files that are still written to should be copied or streamed.
 */
export class MappedFile {
  /** The file's bytes when it was opened. */
  readonly size: number;
  readonly #path: string;
  readonly #name: string;
  readonly #descriptor: number;
  /** Shows no byte, and holds the memory of all: the garbage collector shall not take the file for memory in use. */
  #mapped: Tensor | undefined;
  #refusal: unknown;
  #closed = false;

  private constructor(path: string, name: string, descriptor: number, size: number) {
    // The mapping is made later, when the working directory may be another one.
    this.#path = resolve(path);
    this.#name = name;
    this.#descriptor = descriptor;
    this.size = size;
  }

  /** Opens an ordinary file. @throws TorchError `BAD_DATA` if there is none that can be read. */
  static open(path: string, name: string): MappedFile {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, 'r');
      const stats = fstatSync(descriptor);
      if (!stats.isFile())
        throw badData(name, stats.isDirectory() ? 'is a directory, not a file' : 'is no ordinary file');
      return new MappedFile(path, name, descriptor, stats.size);
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw unreadable(name, error);
    }
  }

  /** The bytes from `offset` on, copied; fewer than asked for only at the end of the file. */
  read(offset: number, count: number): Buffer {
    return this.readInto(Buffer.allocUnsafeSlow(Math.max(0, Math.min(count, this.size - offset))), offset);
  }

  /** Fills a buffer with the bytes from `offset` on; gives the part that was filled. */
  readInto(bytes: Buffer, offset: number): Buffer {
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const wanted = Math.min(maxRead, bytes.length - filled);
        const got = readSync(this.#descriptor, bytes, filled, wanted, offset + filled);
        if (got === 0) break;
        filled += got;
      }
    } catch (error) {
      throw unreadable(this.#name, error);
    }
    return bytes.subarray(0, filled);
  }

  /**
   * The bytes `[offset, offset + count)` as uint8 of shape `[count]`, with the file's memory behind them where it can be
   * mapped and `offset` is a multiple of `alignment`. They stay valid when the file is closed.
   *
   * @throws TorchError `BAD_DATA` if the file has become shorter.
   */
  bytes(offset: number, count: number, alignment: number): Tensor {
    this.#checkSize();
    const mapped = this.#map();
    if (mapped !== undefined) {
      const view = aten.as_strided(mapped, [count], [1], offset);
      return offset % alignment === 0 ? view : aten.clone(view);
    }
    const bytes = this.read(offset, count);
    if (bytes.length < count) throw this.#shrunk(offset + bytes.length);
    return fromTypedArray(new Uint8Array(bytes.buffer, bytes.byteOffset, count));
  }

  /**
   * A view of no bytes at `offset`, whose memory is that of the whole file: for `asStrided`.
   *
   * @throws TorchError `BAD_DATA` if the file has become shorter, or cannot be mapped.
   */
  base(offset: number): Tensor {
    this.#checkSize();
    const mapped = this.#map();
    if (mapped !== undefined) return aten.as_strided(mapped, [0], [1], offset);
    throw badData(this.#name, 'is in Fortran order, whose rows need the file to be mapped, which the system refuses', {
      cause: this.#refusal,
    });
  }

  #checkSize(): void {
    const size = this.#stat().size;
    if (size < this.size) throw this.#shrunk(size);
  }

  /** Closes the file; what is mapped stays as long as tensors show it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
    this.#mapped?.dispose();
    this.#mapped = undefined;
  }

  /** Memory of the file, private to this process: what a careless hand writes into it never reaches the disk. */
  #map(): Tensor | undefined {
    if (this.#mapped !== undefined || this.#refusal !== undefined) return this.#mapped;
    let whole: Tensor;
    try {
      whole = aten.from_file(this.#path, false, this.size, 'uint8');
    } catch (error) {
      this.#refusal = error;
      return undefined;
    }
    const mapped = keep(aten.narrow(whole, 0, 0, 0));
    whole.dispose();
    // libtorch opens files by name: under the name there could be another one by now.
    const [opened, named] = [this.#stat(), statSync(this.#path, { throwIfNoEntry: false })];
    if (named?.ino === opened.ino && named.dev === opened.dev && named.size >= this.size) {
      this.#mapped = mapped;
      return mapped;
    }
    mapped.dispose();
    throw badData(this.#name, 'was replaced by another file while it was opened');
  }

  #stat(): Stats {
    try {
      return fstatSync(this.#descriptor);
    } catch (error) {
      throw unreadable(this.#name, error);
    }
  }

  #shrunk(size: number): Error {
    return badData(this.#name, `had ${this.size} bytes when it was opened, and now has ${size}`);
  }
}
