/**
 * The directory of a zip archive. It is believed only if all of it fits together: archives that two readers could
 * understand in different ways are refused, and so are those whose members claim more than the file holds.
 */
import { badData, quote } from './bad-data';

/** What an archive is read from. */
export interface ArchiveBytes {
  /** The bytes in all. */
  readonly size: number;
  /** The bytes from `offset` on; fewer than asked for only at the end. */
  read(offset: number, count: number): Buffer;
}

/** A member of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly isDeflated: boolean;
  readonly crc: number;
  /** Its bytes in the archive. */
  readonly packed: number;
  /** Its bytes. */
  readonly size: number;
  /** Where its content begins. */
  readonly start: number;
  /** Why it cannot be read, though the archive can. */
  readonly refusal: string | undefined;
}

const [endSize, locatorSize, end64Size, entrySize, localSize] = [22, 20, 56, 46, 30];

/** The newest version of the zip format, 6.3, as archives write it. */
const newestVersion = 63;

/** The most bytes that one byte of deflated data can expand to. */
const mostInflated = 1032;

/**
 * The members of an archive by name, in the order of the directory; `name` stands for the archive in messages.
 *
 * @throws TorchError `BAD_DATA`.
 */
export function readZipDirectory(name: string, file: ArchiveBytes): Map<string, ZipEntry> {
  const fault: Fault = (reason, offset) =>
    badData(name, `is not a zip archive that can be read: ${reason}`, offset === undefined ? {} : { offset });
  if (file.read(0, 2).toString('latin1') !== 'PK') throw fault('it does not begin as one', 0);
  const { count, offset, size } = findDirectory(fault, file);
  const directory = file.read(offset, size);
  const entries = new Map<string, ZipEntry & { header: number }>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(fault, directory, at);
    if (entries.has(entry.name)) throw badData(name, `has the member ${quote(entry.name)} twice`);
    entries.set(entry.name, { ...entry, start: contentOf(fault, file, entry, offset) });
    at = next;
  }
  if (at !== size) throw fault(`its directory has ${size} bytes, and its ${count} members take ${at}`, offset);
  checkApart(fault, [...entries.values()]);
  return entries;
}

type Fault = (reason: string, offset?: number) => Error;

/** Where the directory lies, by the end of the archive. */
function findDirectory(fault: Fault, file: ArchiveBytes): { count: number; offset: number; size: number } {
  const from = Math.max(0, file.size - endSize - 0xffff);
  const tail = file.read(from, file.size - from);
  let at = tail.length - endSize;
  while (at >= 0 && !(isAt(tail, at, 'PK\x05\x06') && at + endSize + tail.readUInt16LE(at + 20) === tail.length)) at--;
  if (at < 0) throw fault('its end is missing; it may have been cut off');
  const [disk, first, here, all] = [4, 6, 8, 10].map((field) => tail.readUInt16LE(at + field)) as number[];
  if (disk !== 0 || first !== 0 || here !== all) throw fault('it is a part of several', from + at);
  const plain = { count: all as number, size: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  const hasLocator = at >= locatorSize && isAt(tail, at - locatorSize, 'PK\x06\x07');
  const found = hasLocator
    ? findDirectory64(fault, file, from + at - locatorSize, plain)
    : { ...plain, end: from + at };
  const { count, size, offset, end } = found;
  if (offset + size !== end) throw fault(`its directory of ${size} bytes does not end at byte ${end}`, from + at);
  if (count * entrySize > size) throw fault(`${count} members do not fit into a directory of ${size} bytes`, from + at);
  return { count, offset, size };
}

/** The same of an archive with sizes of 64 bits. */
function findDirectory64(
  fault: Fault,
  file: ArchiveBytes,
  locator: number,
  plain: { count: number; offset: number; size: number },
): { count: number; offset: number; size: number; end: number } {
  const end = Number(file.read(locator, locatorSize).readBigUInt64LE(8));
  const record = end + end64Size <= locator ? file.read(end, end64Size) : Buffer.alloc(0);
  if (!isAt(record, 0, 'PK\x06\x06')) throw fault('its 64-bit end is not where it should be', locator);
  if (end + 12 + Number(record.readBigUInt64LE(4)) !== locator) throw fault('its 64-bit end has another length', end);
  const [here, count, size, offset] = [24, 32, 40, 48].map((field) => Number(record.readBigUInt64LE(field))) as [
    number,
    number,
    number,
    number,
  ];
  const agrees =
    here === count &&
    (plain.count === count || plain.count === 0xffff) &&
    (plain.size === size || plain.size === 0xffffffff) &&
    (plain.offset === offset || plain.offset === 0xffffffff);
  if (!agrees) throw fault('its two ends say different things', end);
  return { count, size, offset, end };
}

function readEntry(
  fault: Fault,
  directory: Buffer,
  at: number,
): { entry: Omit<ZipEntry, 'start'> & { header: number }; next: number } {
  if (at + entrySize > directory.length || !isAt(directory, at, 'PK\x01\x02')) throw fault('its directory is damaged');
  const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  const behindName = at + entrySize + nameLength;
  const next = behindName + extraLength + commentLength;
  if (next > directory.length) throw fault('its directory is damaged');
  const name = directory.toString((flags & 0x800) === 0 ? 'latin1' : 'utf8', at + entrySize, behindName);
  const of = (reason: string): Error => fault(`the member ${quote(name)} ${reason}`);
  const version = directory.readUInt16LE(at + 6);
  if (version > newestVersion) throw of(`needs version ${version / 10} of the zip format`);
  const sizes = {
    size: directory.readUInt32LE(at + 24),
    packed: directory.readUInt32LE(at + 20),
    header: directory.readUInt32LE(at + 42),
  };
  widen(of, sizes, directory.subarray(behindName, behindName + extraLength));
  if (method === 0 && sizes.size !== sizes.packed) throw of('is stored, and has two sizes');
  const refusal = refusalOf(flags, method, sizes);
  return { entry: { name, isDeflated: method === 8, crc: directory.readUInt32LE(at + 16), ...sizes, refusal }, next };
}

function refusalOf(
  flags: number,
  method: number,
  { size, packed }: { size: number; packed: number },
): string | undefined {
  if ((flags & 0x2041) !== 0) return 'is encrypted';
  if (method !== 0 && method !== 8) return `is compressed by method ${method}; stored and deflated members are read`;
  return size > (packed + 1) * mostInflated ? `cannot be inflated: ${packed} bytes never give ${size}` : undefined;
}

/** Takes sizes that need 64 bits from the extra field 1, which has only those that are all ones in the entry. */
function widen(
  fault: (reason: string) => Error,
  sizes: { size: number; packed: number; header: number },
  extra: Buffer,
): void {
  const wide = (['size', 'packed', 'header'] as const).filter((key) => sizes[key] === 0xffffffff);
  if (wide.length === 0) return;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    if (extra.readUInt16LE(at + 2) < 8 * wide.length || at + 4 + 8 * wide.length > extra.length) break;
    for (const [i, key] of wide.entries()) sizes[key] = Number(extra.readBigUInt64LE(at + 4 + 8 * i));
    if (Object.values(sizes).every(Number.isSafeInteger)) return;
  }
  throw fault('has sizes of 64 bits that are missing or too large');
}

/** Where the content of a member begins, if the header in front of it says the same as the directory. */
function contentOf(
  fault: Fault,
  file: ArchiveBytes,
  { name, header, packed, isDeflated }: Omit<ZipEntry, 'start'> & { header: number },
  end: number,
): number {
  const of = (reason: string): Error => fault(`the member ${quote(name)} ${reason}`, header);
  const local = header + localSize <= end ? file.read(header, localSize) : Buffer.alloc(0);
  if (!isAt(local, 0, 'PK\x03\x04')) throw of('does not begin where the directory says');
  const [nameLength, extraLength] = [local.readUInt16LE(26), local.readUInt16LE(28)];
  const encoding = (local.readUInt16LE(6) & 0x800) === 0 ? 'latin1' : 'utf8';
  const localName = file.read(header + localSize, nameLength).toString(encoding);
  if (localName !== name) throw of('has another name in its own header');
  if (isDeflated !== (local.readUInt16LE(8) === 8)) throw of('is compressed in another way by its own header');
  const start = header + localSize + nameLength + extraLength;
  if (start + packed > end) throw of(`reaches to byte ${start + packed}, beyond the directory at byte ${end}`);
  return start;
}

/** Members that lie in one another would give more bytes than the file has. */
function checkApart(fault: Fault, entries: (ZipEntry & { header: number })[]): void {
  let reached = 0;
  for (const { name, header, start, packed } of entries.sort((a, b) => a.header - b.header)) {
    if (header < reached) throw fault(`the member ${quote(name)} overlaps another one`, header);
    reached = start + packed;
  }
}

function isAt(bytes: Buffer, at: number, signature: string): boolean {
  return bytes.toString('latin1', at, at + 4) === signature;
}
