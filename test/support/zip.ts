/** Writes zip archives, good ones and bad ones, for tests of what unpacks them. */
import { crc32, deflateRawSync } from 'node:zlib';

/** A file of the archive. */
export interface ZipFile {
  name: string;
  content: string | Buffer;
  /** The checksum that the archive gives; by default the right one. */
  crc32?: number;
  /** Unix permissions and file type; by default those of an ordinary file, 0o100644. */
  mode?: number;
}

/** The bytes of a zip archive with deflated files, in the given order. */
export function zip(files: readonly ZipFile[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const content = Buffer.from(file.content);
    const packed = deflateRawSync(content);
    const name = Buffer.from(file.name, 'utf8');
    const sum = file.crc32 ?? crc32(content);
    const local = header(0x04034b50, 30);
    describeContent(local, 4, sum, packed.length, content.length, name.length);
    locals.push(local, name, packed);
    const entry = header(0x02014b50, 46);
    // Made by Unix, so that the external attributes hold a mode.
    entry.writeUInt16LE((3 << 8) | 20, 4);
    describeContent(entry, 6, sum, packed.length, content.length, name.length);
    entry.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, name);
    offset += local.length + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = header(0x06054b50, 22);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

function header(signature: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32LE(signature, 0);
  return bytes;
}

/** The fields that local and central headers share, from `version needed` on: UTF-8 names, deflate. */
function describeContent(
  bytes: Buffer,
  at: number,
  sum: number,
  packed: number,
  size: number,
  nameLength: number,
): void {
  bytes.writeUInt16LE(20, at);
  bytes.writeUInt16LE(0x0800, at + 2);
  bytes.writeUInt16LE(8, at + 4);
  bytes.writeUInt32LE(sum, at + 10);
  bytes.writeUInt32LE(packed, at + 14);
  bytes.writeUInt32LE(size, at + 18);
  bytes.writeUInt16LE(nameLength, at + 22);
}
