/** A zip archive: its list of files, and each file unpacked with a check of its size and checksum. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import * as yauzl from 'yauzl';
import { TorchError } from '../../errors';
import { installFailed, isSystemError, reasonOf } from '../shared/failures';
import { printable } from '../shared/text';

/** A file in the archive. */
export interface ArchivedFile {
  /** Its path there, with `/` between the parts. */
  name: string;
  /** Its size unpacked, in bytes. */
  size: number;
  entry: yauzl.Entry;
}

/** An open archive. */
export interface Archive {
  path: string;
  files: ReadonlyMap<string, ArchivedFile>;
  zip: yauzl.ZipFile;
}

/** Larger files stream to disk; smaller ones are faster in one piece. */
const streamedSize = 1 << 20;

/** The permission bits that unpacked files keep. Nobody but the owner may write, and nothing runs as its owner. */
const permissionBits = 0o755;

/** Many times what a wheel of torch holds. */
const mostFiles = 500_000;

/**
 * Opens an archive and reads its list of files. Absolute names and names with `..` are refused by the library; entries that
 * are no ordinary files, and names that a terminal would not show as they are, here.
 */
export async function openArchive(path: string): Promise<Archive> {
  let zip: yauzl.ZipFile | undefined;
  try {
    zip = await yauzl.openPromise(path, { autoClose: false });
    const files = new Map<string, ArchivedFile>();
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      const type = (entry.externalFileAttributes >>> 16) & 0o170000;
      if (type === 0o120000) throw new Error(`${entry.fileName} is a link`);
      if (type !== 0 && type !== 0o100000) throw new Error(`${entry.fileName} is no file`);
      if (files.has(entry.fileName)) throw new Error(`${entry.fileName} is there twice`);
      if (printable(entry.fileName) !== entry.fileName) {
        throw new Error(`there are control characters in the name ${printable(entry.fileName)}`);
      }
      if (files.size === mostFiles) throw new Error(`it has more than ${mostFiles} files`);
      files.set(entry.fileName, { name: entry.fileName, size: entry.uncompressedSize, entry });
    }
    return { path, files, zip };
  } catch (error) {
    zip?.close();
    throw installFailed(`${path} is no archive that can be used: ${reasonOf(error)}`, damagedRemedies, error);
  }
}

/** What to do about a damaged archive. */
export const damagedRemedies = ['download the file again: it is damaged, incomplete or not the file it should be'];

/** A small file's content. */
export async function readArchived(archive: Archive, file: ArchivedFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sum = 0;
  try {
    for await (const chunk of (await archive.zip.openReadStreamPromise(file.entry)) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      sum = crc32(chunk, sum);
    }
  } catch (error) {
    throw unreadable(archive, file, error);
  }
  checkSum(archive, file, sum);
  return Buffer.concat(chunks);
}

/** The archive gives another size, or the content is not compressed as it says. */
function unreadable(archive: Archive, file: ArchivedFile, error: unknown): unknown {
  if (error instanceof TorchError || isSystemError(error)) return error;
  return installFailed(`${file.name} in ${archive.path} cannot be read: ${reasonOf(error)}`, damagedRemedies, error);
}

/** Unpacks one file to `<directory>/<target>`; gives the SHA-256 of its content in RECORD's form (base64url). */
export async function unpackFile(
  archive: Archive,
  file: ArchivedFile,
  directory: string,
  target: string,
  options: { signal: AbortSignal; onBytes(count: number): void },
): Promise<string> {
  const path = safeJoin(directory, target);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const mode = 0o644 | ((file.entry.externalFileAttributes >>> 16) & permissionBits);
  const hash = createHash('sha256');
  if (file.size <= streamedSize) {
    const content = await readArchived(archive, file);
    await writeFile(path, content, { mode, flag: 'wx', signal: options.signal });
    options.onBytes(content.length);
    return hash.update(content).digest('base64url');
  }
  let sum = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      hash.update(chunk);
      sum = crc32(chunk, sum);
      options.onBytes(chunk.length);
      done(null, chunk);
    },
  });
  // `flush` hands the data to the disk before the file counts as written: the marker that follows must not outlive it.
  const output = createWriteStream(path, { mode, flags: 'wx', flush: true });
  try {
    const content = await archive.zip.openReadStreamPromise(file.entry);
    await pipeline(content, check, output, { signal: options.signal });
  } catch (error) {
    options.signal.throwIfAborted();
    throw unreadable(archive, file, error);
  }
  checkSum(archive, file, sum);
  return hash.digest('base64url');
}

/** The path below the directory; a second wall behind the library's own check of names. */
function safeJoin(directory: string, name: string): string {
  const path = join(directory, name);
  const below = relative(directory, path);
  if (below === '' || below === '..' || below.startsWith(`..${sep}`) || name.includes('\0')) {
    throw installFailed(`the archive names a file outside the directory it is unpacked to: ${JSON.stringify(name)}`);
  }
  return path;
}

function checkSum(archive: Archive, file: ArchivedFile, sum: number): void {
  if (sum === file.entry.crc32) return;
  throw installFailed(
    `${file.name} in ${archive.path} does not have the checksum that the archive gives`,
    damagedRemedies,
  );
}
