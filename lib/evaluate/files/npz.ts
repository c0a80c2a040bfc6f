/** Arrays in .npz archives: zip files whose members are .npy files. */
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { badData, listNames, quote, unreadable } from '../../io/bad-data';
import { ByteStream } from '../../io/byte-stream';
import { readNpyHeader } from '../../io/npy-header';
import { StoredFile } from '../../io/stored-file';
import type { FilePart } from '../../torch/file-bytes';
import type { Tensor } from '../../torch/tensor';
import type { ArraySource } from '../source';
import { InflatedMember } from './inflated-member';
import { checkLength, streamedRows, within } from './npy';
import { inOnePiece, type RandomBytes, StoredRows } from './rows';

const [stored, deflated] = [0, 8];

/** The newest version of the zip format, 6.3, as archives write it. */
const newestVersion = 63;

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
    const zip = await openZip(file, name);
    const entry = await findMember({ file, zip, name }, member);
    const fullName = `${name}:${entry.fileName.replace(/\.npy$/, '')}`;
    checkReadable(fullName, entry);
    const start = await findContent(fullName, zip, entry);
    if (entry.compressionMethod === deflated) return await openDeflated(fullName, { file, zip, entry });
    return await openStored(fullName, file, start, entry);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openZip(file: StoredFile, name: string): Promise<yauzl.ZipFile> {
  const start = file.read(0, 4).toString('latin1');
  if (start !== 'PK\x03\x04' && start !== 'PK\x05\x06') {
    throw badData(name, 'is not a zip archive that can be read: it does not begin as one', { offset: 0 });
  }
  try {
    return await yauzl.fromFdPromise(file.descriptor, { autoClose: false });
  } catch (error) {
    throw badArchive(name, error);
  }
}

function badArchive(name: string, error: unknown): Error {
  if ((error as NodeJS.ErrnoException).code !== undefined) return unreadable(name, error);
  return badData(name, `is not a zip archive that can be read: ${(error as Error).message}`, { cause: error });
}

/** An archive, and its name in messages. */
interface Archive {
  readonly file: StoredFile;
  readonly zip: yauzl.ZipFile;
  readonly name: string;
}

async function findMember({ file, zip, name }: Archive, member: string | undefined): Promise<yauzl.Entry> {
  const directory = cursorOf(zip);
  const entries = new Map<string, yauzl.Entry>();
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.versionNeededToExtract > newestVersion) {
        throw badData(name, `needs version ${entry.versionNeededToExtract / 10} of the zip format`);
      }
      if (entry.fileName.endsWith('/')) continue;
      if (entries.has(entry.fileName)) throw badData(name, `has the member ${quote(entry.fileName)} twice`);
      entries.set(entry.fileName, entry);
    }
  } catch (error) {
    throw badArchive(name, error);
  }
  checkDirectory(name, file.read(cursorOf(zip), 56), cursorOf(zip) - directory);
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

/** The offset of the next entry of the directory: a number, whatever its declared type. */
function cursorOf(zip: yauzl.ZipFile): number {
  return Number(zip.readEntryCursor);
}

/** The end record must give the length that the entries have in fact. */
function checkDirectory(name: string, end: Buffer, length: number): void {
  const signature = end.toString('latin1', 0, 4);
  const declared =
    signature === 'PK\x05\x06' && end.length >= 22
      ? end.readUInt32LE(12)
      : signature === 'PK\x06\x06' && end.length >= 56
        ? Number(end.readBigUInt64LE(40))
        : undefined;
  if (declared === length) return;
  const said = declared === undefined ? 'its end does not follow' : `${declared} bytes were announced`;
  throw badData(name, `is not a zip archive that can be read: its directory has ${length} bytes, and ${said}`);
}

function checkReadable(name: string, entry: yauzl.Entry): void {
  if (entry.isEncrypted()) throw badData(name, 'is encrypted');
  if (entry.compressionMethod === stored || entry.compressionMethod === deflated) return;
  throw badData(name, `is compressed by method ${entry.compressionMethod}; stored and deflated members are read`);
}

/** The offset of a member's content, if its local header agrees with the archive's directory. */
async function findContent(name: string, zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<number> {
  let local: yauzl.LocalFileHeader;
  try {
    local = await zip.readLocalFileHeaderPromise(entry);
  } catch (error) {
    throw badArchive(name, error);
  }
  if (local.fileName.equals(entry.fileNameRaw)) return local.fileDataStart;
  throw badData(name, 'has another name in its own header than in the directory of the archive');
}

async function openStored(name: string, file: StoredFile, start: number, entry: yauzl.Entry): Promise<ArraySource> {
  const layout = await readNpyHeader(name, within(file, start, start + entry.uncompressedSize));
  checkLength(name, layout, entry.uncompressedSize);
  const member = new StoredMember(name, file, { start, end: start + entry.uncompressedSize, checksum: entry.crc32 });
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

/** A deflated member, in the archive that it is read from. */
interface Member {
  readonly file: StoredFile;
  readonly zip: yauzl.ZipFile;
  readonly entry: yauzl.Entry;
}

/** The most bytes that one byte of deflated data can expand to. */
const mostInflated = 1032;

async function openDeflated(name: string, member: Member): Promise<ArraySource> {
  const { file, entry } = member;
  const { compressedSize, uncompressedSize } = entry;
  if (uncompressedSize > (compressedSize + 1) * mostInflated) {
    throw badData(name, `cannot be inflated: ${compressedSize} bytes never give ${uncompressedSize}`);
  }
  const stream = new ByteStream(name, inflate(name, member));
  try {
    const layout = await readNpyHeader(name, (count) => stream.take(count));
    checkLength(name, layout, uncompressedSize);
    if (!layout.fortranOrder || layout.shape.length === 1) return streamedRows(name, stream, layout, [file.stamp]);
    return new StoredRows(name, new InflatedMember(name, stream, layout), { ...layout, offset: 0 }, file.stamp);
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** The inflated bytes of a member; closes the file when they end. */
async function* inflate(name: string, { file, zip, entry }: Member): AsyncGenerator<Uint8Array> {
  let sum = 0;
  try {
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (cause) {
    throw badData(name, `cannot be inflated: ${(cause as Error).message}`, { cause });
  } finally {
    file.close();
  }
  if (sum !== entry.crc32) throw wrongChecksum(name);
}
