/** Arrays in .npz archives: zip files whose members are .npy files. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { badData, listNames, quote } from '../../io/bad-data';
import { ByteStream } from '../../io/byte-stream';
import { readNpyHeader } from '../../io/npy-header';
import { StoredFile } from '../../io/stored-file';
import { readZipDirectory, type ZipEntry } from '../../io/zip-directory';
import type { FilePart } from '../../torch/file-bytes';
import type { Tensor } from '../../torch/tensor';
import type { ArraySource } from '../source';
import { InflatedMember } from './inflated-member';
import { checkLength, streamedRows, within } from './npy';
import { inOnePiece, type RandomBytes, StoredRows } from './rows';

/**
 * The array of a member: `labels` or `labels.npy`; by default the only one. A stored member is read where it lies, a
 * deflated one inflated while it is read. A deflated array in Fortran order is held in memory from the first read on,
 * since each of its rows is spread over the whole member.
 *
 * The archive's checksum is compared when the last rows are read, for members in Fortran order before the first.
 *
 * @throws TorchError `BAD_DATA`.
 */
export async function openNpz(path: string, name: string, member: string | undefined): Promise<ArraySource> {
  const file = StoredFile.open(path, name);
  try {
    const entry = findMember(name, readZipDirectory(name, file), member);
    const fullName = `${name}:${entry.name.replace(/\.npy$/, '')}`;
    if (entry.refusal !== undefined) throw badData(fullName, entry.refusal);
    if (entry.isDeflated) return await openDeflated(fullName, file, entry);
    return await openStored(fullName, file, entry);
  } catch (error) {
    file.close();
    throw error;
  }
}

function findMember(name: string, directory: ReadonlyMap<string, ZipEntry>, member: string | undefined): ZipEntry {
  const entries = new Map([...directory].filter(([entry]) => !entry.endsWith('/')));
  const names = listNames([...entries.keys()].map((known) => known.replace(/\.npy$/, '')));
  if (entries.size === 0) throw badData(name, 'is an archive without members');
  if (member === undefined) {
    if (entries.size === 1) return [...entries.values()][0] as ZipEntry;
    throw badData(name, `has ${entries.size} members; choose one by ${name}:<member>: ${names}`);
  }
  const found = entries.get(member) ?? entries.get(`${member}.npy`);
  if (found === undefined) throw badData(name, `has no member ${quote(member)}; its members are ${names}`);
  return found;
}

async function openStored(name: string, file: StoredFile, { start, size, crc }: ZipEntry): Promise<ArraySource> {
  const layout = await readNpyHeader(name, within(file, start, start + size));
  checkLength(name, layout, size);
  const member = new StoredMember(name, file, { start, end: start + size, checksum: crc });
  member.check(start, layout.offset);
  return new StoredRows(name, member, { ...layout, offset: start + layout.offset }, file.stamp);
}

/** Bytes summed at a time. */
const summedBlock = 1 << 20;

/** The bytes of a stored member. Bytes that are read from front to back are summed on the way. */
class StoredMember implements RandomBytes {
  readonly #name: string;
  readonly #file: StoredFile;
  readonly #end: number;
  readonly #checksum: number;
  readonly #buffer = Buffer.allocUnsafeSlow(summedBlock);
  #position: number;
  #sum = 0;

  constructor(
    name: string,
    file: StoredFile,
    { start, end, checksum }: { start: number; end: number; checksum: number },
  ) {
    this.#name = name;
    this.#file = file;
    this.#position = start;
    this.#end = end;
    this.#checksum = checksum;
  }

  bytes(offset: number, count: number): Tensor {
    // Bytes that were left out are part of the sum.
    this.check(offset, 0);
    const bytes = inOnePiece(this.#summed(offset + count), count);
    this.#file.stamp.check();
    return bytes;
  }

  view(offset: number, count: number, alignment: number): Tensor {
    if (offset % alignment !== 0) return this.bytes(offset, count);
    this.check(offset, count);
    return this.#file.view(offset, count, alignment);
  }

  base(offset: number, alignment: number): Tensor | undefined {
    this.check(this.#position, this.#end - this.#position);
    return this.#file.base(offset, alignment);
  }

  part(part: FilePart): Tensor {
    this.check(this.#position, this.#end - this.#position);
    return this.#file.part(part);
  }

  close(): void {
    this.#file.close();
  }

  /** Adds bytes to the sum, unless it includes them already. */
  check(offset: number, count: number): void {
    const blocks = this.#summed(offset + count);
    while (!blocks.next().done);
  }

  /** The bytes up to `end` that are not in the sum yet, block by block; each is valid until the next one. */
  *#summed(end: number): Generator<Buffer> {
    while (this.#position < end) {
      const wanted = this.#buffer.subarray(0, Math.min(summedBlock, end - this.#position));
      const bytes = this.#file.readInto(wanted, this.#position);
      if (bytes.length === 0) {
        this.#file.stamp.check();
        throw badData(this.#name, 'ended before all of its bytes were read');
      }
      this.#sum = crc32(bytes, this.#sum);
      this.#position += bytes.length;
      yield bytes;
    }
    if (this.#position !== this.#end || this.#sum === this.#checksum) return;
    this.#file.stamp.check();
    throw wrongChecksum(this.#name);
  }
}

function wrongChecksum(name: string): Error {
  return badData(name, 'does not match its checksum in the archive');
}

async function openDeflated(name: string, file: StoredFile, entry: ZipEntry): Promise<ArraySource> {
  const stream = new ByteStream(name, inflate(name, file, entry));
  try {
    const layout = await readNpyHeader(name, (count) => stream.take(count));
    checkLength(name, layout, entry.size);
    if (!layout.fortranOrder || layout.shape.length === 1) return streamedRows(name, stream, layout, [file.stamp]);
    return new StoredRows(name, new InflatedMember(name, stream, layout), { ...layout, offset: 0 }, file.stamp);
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** The inflated bytes of a member; closes the file when they end. */
async function* inflate(name: string, file: StoredFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const { start, packed, size, crc } = entry;
  const range = { fd: file.descriptor, autoClose: false, start, end: start + packed - 1 };
  const inflated = createInflateRaw();
  // What fails in front of the inflater ends it with the error, which the loop then throws.
  if (packed > 0) pipeline(createReadStream('', range), inflated, () => undefined);
  else inflated.end();
  let [sum, given] = [0, 0];
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      given += chunk.length;
      if (given > size) throw new Error(`it has more than ${size} bytes`);
      yield chunk;
    }
    if (given < size) throw new Error(`it has ${given} bytes instead of ${size}`);
  } catch (cause) {
    throw badData(name, `cannot be inflated: ${(cause as Error).message}`, { cause });
  } finally {
    file.close();
  }
  if (sum !== crc) throw wrongChecksum(name);
}
