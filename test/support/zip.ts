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
  /** The compression method that the archive gives, 0 for stored content; by default 8, deflated. */
  method?: number;
  /** Whether the archive says that the content is encrypted. */
  encrypted?: boolean;
  /** How many bytes of extra fields stand between the name and the content. */
  padding?: number;
}

/** The bytes of a zip archive with the files in the given order. */
export function zip(files: readonly ZipFile[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const content = Buffer.from(file.content);
    const { method = 8, encrypted = false, padding = 0 } = file;
    const packed = method === 8 ? deflateRawSync(content) : content;
    const name = Buffer.from(file.name, 'utf8');
    const sum = file.crc32 ?? crc32(content);
    const local = header(0x04034b50, 30);
    const described = { method, encrypted, sum, packed: packed.length, size: content.length, name: name.length };
    describeContent(local, 4, described);
    local.writeUInt16LE(padding, 28);
    locals.push(local, name, Buffer.alloc(padding), packed);
    const entry = header(0x02014b50, 46);
    // Made by Unix, so that the external attributes hold a mode.
    entry.writeUInt16LE((3 << 8) | 20, 4);
    describeContent(entry, 6, described);
    entry.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, name);
    offset += local.length + name.length + padding + packed.length;
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

interface Description {
  method: number;
  encrypted: boolean;
  sum: number;
  packed: number;
  size: number;
  name: number;
}

/** The fields that local and central headers share, from `version needed` on; names are UTF-8. */
function describeContent(bytes: Buffer, at: number, described: Description): void {
  bytes.writeUInt16LE(20, at);
  bytes.writeUInt16LE(described.encrypted ? 0x0801 : 0x0800, at + 2);
  bytes.writeUInt16LE(described.method, at + 4);
  bytes.writeUInt32LE(described.sum, at + 10);
  bytes.writeUInt32LE(described.packed, at + 14);
  bytes.writeUInt32LE(described.size, at + 18);
  bytes.writeUInt16LE(described.name, at + 22);
}
