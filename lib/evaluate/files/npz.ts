/** Arrays in .npz archives: zip files whose members are .npy files. */
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import * as aten from '../../aten/operators.generated';
import { keep } from '../../tensor/scope';
import type { Tensor } from '../../tensor/tensor';
import type { ArraySource } from '../source';
import { badData, listNames, quote, unreadable } from './bad-data';
import { ByteStream } from './byte-stream';
import { type ArrayLayout, arrayBytes } from './layout';
import { MappedFile } from './mapped-file';
import { checkLength, streamedRows, within } from './npy';
import { readNpyHeader } from './npy-header';
import { inOnePiece, type RandomBytes, StoredRows } from './rows';

const [stored, deflated] = [0, 8];

/**
 * The array of a member: `labels` or `labels.npy`; by default the only one. A stored member is memory-mapped, a deflated
 * one inflated while it is read. A deflated array in Fortran order is held in memory, since each of its rows is spread
 * over the whole member.
 *
 * The archive's checksum is compared when the last rows are read, for stored members in Fortran order before the first.
 *
 * @throws TorchError `BAD_DATA`.
 */
export async function openNpz(path: string, name: string, member: string | undefined): Promise<ArraySource> {
  const file = MappedFile.open(path, name);
  let zip: yauzl.ZipFile | undefined;
  try {
    zip = await openZip(path, name);
    const entry = await findMember(zip, name, member);
    const fullName = `${name}:${entry.fileName.replace(/\.npy$/, '')}`;
    checkReadable(fullName, entry);
    if (entry.compressionMethod === deflated) {
      file.close();
      return await openDeflated(fullName, zip, entry);
    }
    const source = await openStored(fullName, file, zip, entry);
    zip.close();
    return source;
  } catch (error) {
    file.close();
    zip?.close();
    throw error;
  }
}

async function openZip(path: string, name: string): Promise<yauzl.ZipFile> {
  try {
    return await yauzl.openPromise(path, { autoClose: false });
  } catch (error) {
    throw badArchive(name, error);
  }
}

function badArchive(name: string, error: unknown): Error {
  if ((error as NodeJS.ErrnoException).code !== undefined) return unreadable(name, error);
  return badData(name, `is no zip archive that can be read: ${(error as Error).message}`, { cause: error });
}

async function findMember(zip: yauzl.ZipFile, name: string, member: string | undefined): Promise<yauzl.Entry> {
  const entries = new Map<string, yauzl.Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      if (entries.has(entry.fileName)) throw badData(name, `has the member ${quote(entry.fileName)} twice`);
      entries.set(entry.fileName, entry);
    }
  } catch (error) {
    throw badArchive(name, error);
  }
  const names = listNames([...entries.keys()].map((known) => known.replace(/\.npy$/, '')));
  if (entries.size === 0) throw badData(name, 'is an archive without members');
  if (member === undefined) {
    if (entries.size === 1) return [...entries.values()][0] as yauzl.Entry;
    throw badData(name, `has ${entries.size} members; choose one by ${name}:<member>: ${names}`);
  }
  const found = entries.get(member) ?? entries.get(`${member}.npy`);
  if (found === undefined) throw badData(name, `has no member ${quote(member)}; its members are ${names}`);
  return found;
}

function checkReadable(name: string, entry: yauzl.Entry): void {
  if (entry.isEncrypted()) throw badData(name, 'is encrypted');
  if (entry.compressionMethod === stored || entry.compressionMethod === deflated) return;
  throw badData(name, `is compressed by method ${entry.compressionMethod}; stored and deflated members are read`);
}

async function openStored(
  name: string,
  file: MappedFile,
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
): Promise<ArraySource> {
  let start: number;
  try {
    start = (await zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
  } catch (error) {
    throw badArchive(name, error);
  }
  const layout = await readNpyHeader(name, within(file, start, start + entry.uncompressedSize));
  checkLength(name, layout, entry.uncompressedSize);
  const member = new StoredMember(name, file, { start, end: start + entry.uncompressedSize, checksum: entry.crc32 });
  member.check(start, layout.offset);
  return new StoredRows(name, member, { ...layout, offset: start + layout.offset });
}

/** As many bytes are summed at a time. */
const summedBlock = 1 << 20;

/** The bytes of a stored member. Those that are read from front to back are summed on the way. */
class StoredMember implements RandomBytes {
  readonly #name: string;
  readonly #file: MappedFile;
  readonly #end: number;
  readonly #checksum: number;
  readonly #buffer = Buffer.allocUnsafeSlow(summedBlock);
  #position: number;
  #sum = 0;

  constructor(
    name: string,
    file: MappedFile,
    { start, end, checksum }: { start: number; end: number; checksum: number },
  ) {
    this.#name = name;
    this.#file = file;
    this.#position = start;
    this.#end = end;
    this.#checksum = checksum;
  }

  /** What has to be copied is so on the way through the sum. */
  bytes(offset: number, count: number, alignment: number): Tensor {
    if (offset % alignment !== 0 && offset === this.#position) return inOnePiece(this.#summed(offset + count), count);
    this.check(offset, count);
    return this.#file.bytes(offset, count, alignment);
  }

  base(offset: number): Tensor {
    this.check(this.#position, this.#end - this.#position);
    return this.#file.base(offset);
  }

  close(): void {
    this.#file.close();
  }

  /** Adds bytes to the sum, unless they are in it. */
  check(offset: number, count: number): void {
    const blocks = this.#summed(offset + count);
    while (!blocks.next().done);
  }

  /** The bytes up to `end` that are not in the sum yet, block by block; each is valid until the next one. */
  *#summed(end: number): Generator<Buffer> {
    while (this.#position < end) {
      const wanted = this.#buffer.subarray(0, Math.min(summedBlock, end - this.#position));
      const bytes = this.#file.readInto(wanted, this.#position);
      if (bytes.length === 0) throw badData(this.#name, 'has become shorter since it was opened');
      this.#sum = crc32(bytes, this.#sum);
      this.#position += bytes.length;
      yield bytes;
    }
    if (this.#position === this.#end && this.#sum !== this.#checksum) throw wrongChecksum(this.#name);
  }
}

function wrongChecksum(name: string): Error {
  return badData(name, 'does not have the checksum that the archive gives');
}

async function openDeflated(name: string, zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<ArraySource> {
  const stream = new ByteStream(name, inflate(name, zip, entry));
  try {
    const layout = await readNpyHeader(name, (count) => stream.take(count));
    checkLength(name, layout, entry.uncompressedSize);
    if (!layout.fortranOrder || layout.shape.length === 1) return streamedRows(name, stream, layout);
    return await heldRows(name, stream, layout);
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** The inflated bytes of a member; closes the archive when they end. */
async function* inflate(name: string, zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Uint8Array> {
  let sum = 0;
  try {
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (cause) {
    throw badData(name, `cannot be inflated: ${(cause as Error).message}`, { cause });
  } finally {
    zip.close();
  }
  if (sum !== entry.crc32) throw wrongChecksum(name);
}

/** The rows of an array that is read into memory as a whole. */
async function heldRows(name: string, stream: ByteStream, layout: ArrayLayout): Promise<ArraySource> {
  const chunks = await stream.takeChunks(arrayBytes(layout));
  // Only behind the last byte is the checksum compared.
  await stream.atEnd();
  const there = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  checkLength(name, layout, layout.offset + there);
  const all = keep(inOnePiece(chunks, there));
  const held: RandomBytes = {
    bytes: (offset, count) => aten.narrow(all, 0, offset, count),
    base: (offset) => aten.narrow(all, 0, offset, 0),
    close: () => all.dispose(),
  };
  return new StoredRows(name, held, { ...layout, offset: 0 });
}
