/** Zip archives whose members are read where they lie. */
import { crc32, inflateRawSync } from 'node:zlib';
import { fromTypedArray, tensor } from '../torch/create';
import { emptyBytes } from '../torch/file-bytes';
import { aten } from '../torch/ops';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { badData, listNames, quote } from './bad-data';
import { checkMemory } from './memory';
import { StoredFile } from './stored-file';
import { readZipDirectory, type ZipEntry } from './zip-directory';

/** As many bytes are read and summed at a time. */
const pieceBytes = 1 << 20;

/** What an archive is read from: a file, or bytes in memory. */
interface Source {
  readonly size: number;
  read(offset: number, count: number): Buffer;
  /** Fills a buffer from `offset` on; how many bytes came: fewer only at the end. */
  readInto(bytes: Buffer, offset: number): number;
  /** Refuses a file that has changed since it was opened. */
  check(): void;
  /** The bytes as they lie in the file; `undefined` where they cannot be shown. */
  show(offset: number, count: number): Tensor | undefined;
  close(): void;
}

/** An open archive. */
export class Archive {
  readonly name: string;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: Source;
  /** Some writers leave checksums out: then all are 0, which that of text hardly ever is. */
  readonly #hasChecksums: boolean;

  private constructor(name: string, source: Source) {
    this.name = name;
    this.#source = source;
    this.entries = readZipDirectory(name, source);
    this.#hasChecksums = [...this.entries.values()].some(({ crc }) => crc !== 0);
  }

  /** Opens a file. @throws TorchError `BAD_DATA` unless it is an archive without damage. */
  static open(path: string, look: (start: Buffer) => void): Archive {
    const file = StoredFile.open(path, path);
    try {
      look(file.read(0, 512));
      return new Archive(path, {
        size: file.size,
        read: (offset, count) => file.read(offset, count),
        readInto: (into, offset) => file.readInto(into, offset).length,
        check: () => file.stamp.check(),
        show: (offset, count) => file.mapped(offset, count),
        close: () => file.close(),
      });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The same of bytes in memory. */
  static of(bytes: Uint8Array, name: string, look: (start: Buffer) => void): Archive {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    look(buffer.subarray(0, 512));
    return new Archive(name, {
      size: buffer.length,
      read: (offset, count) => buffer.subarray(offset, offset + count),
      readInto: (into, offset) => buffer.copy(into, 0, offset),
      check: () => undefined,
      show: () => undefined,
      close: () => undefined,
    });
  }

  /** A member. @throws TorchError `BAD_DATA` if there is none of that name. */
  entry(name: string): ZipEntry {
    const entry = this.entries.get(name);
    if (entry?.refusal !== undefined) throw badData(`${this.name}:${name}`, entry.refusal);
    if (entry !== undefined) return entry;
    throw badData(this.name, `has no record ${quote(name)}; its records are ${listNames([...this.entries.keys()])}`);
  }

  /** The content of a member as a buffer. */
  bytes(entry: ZipEntry): Buffer {
    checkMemory(`${this.name}:${entry.name}`, entry.size, 'a record');
    const packed = this.#source.read(entry.start, entry.packed);
    if (packed.length < entry.packed) throw this.#cutOff(entry);
    const bytes = entry.isDeflated ? this.#inflated(entry, packed) : packed;
    this.#compare(entry, crc32(bytes));
    return bytes;
  }

  /** The content of a member as a tensor of uint8 with memory of its own; it has at least one byte. */
  tensor(entry: ZipEntry): Tensor {
    if (entry.isDeflated || entry.size <= pieceBytes) {
      const { buffer, byteOffset, length } = this.bytes(entry);
      return tensor(new Uint8Array(buffer, byteOffset, length));
    }
    checkMemory(`${this.name}:${entry.name}`, entry.size, 'a tensor');
    return scope(() => {
      const all = emptyBytes(entry.size);
      const piece = Buffer.alloc(pieceBytes);
      const shared = fromTypedArray(new Uint8Array(piece.buffer, piece.byteOffset, piece.length));
      let sum = 0;
      for (let at = 0; at < entry.size; at += piece.length) {
        const count = Math.min(piece.length, entry.size - at);
        const into = piece.subarray(0, count);
        if (this.#source.readInto(into, entry.start + at) < count) throw this.#cutOff(entry);
        sum = crc32(into, sum);
        scope(() => aten.copy_(aten.narrow(all, 0, at, count), aten.narrow(shared, 0, 0, count)));
      }
      this.#compare(entry, sum);
      return all;
    });
  }

  /**
   * The content of a member as it lies in the file, if that can be shown and suits elements of `itemsize` bytes; nothing is
   * read, so that its checksum is not compared.
   */
  shown(entry: ZipEntry, itemsize: number): Tensor | undefined {
    if (entry.isDeflated || entry.start % itemsize !== 0) return undefined;
    return this.#source.show(entry.start, entry.size);
  }

  /** @throws TorchError `BAD_DATA` if the file has changed since it was opened. */
  check(): void {
    this.#source.check();
  }

  /** Closes the file; tensors stay. */
  close(): void {
    this.#source.close();
  }

  #inflated(entry: ZipEntry, packed: Buffer): Buffer {
    try {
      const bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
      if (bytes.length === entry.size) return bytes;
      throw new Error(`it has ${bytes.length} bytes instead of ${entry.size}`);
    } catch (cause) {
      throw badData(`${this.name}:${entry.name}`, `cannot be inflated: ${(cause as Error).message}`, { cause });
    }
  }

  #compare(entry: ZipEntry, sum: number): void {
    if (!this.#hasChecksums || sum === entry.crc) return;
    this.#source.check();
    throw badData(`${this.name}:${entry.name}`, 'does not match its checksum in the archive: the file is damaged');
  }

  #cutOff(entry: ZipEntry): Error {
    this.#source.check();
    return badData(`${this.name}:${entry.name}`, 'ended before all of its bytes were read');
  }
}
