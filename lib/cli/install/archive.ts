/** Zip archives: lists their files, and unpacks each with a check of its size and checksum. */
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
  /** Its path in the archive, separated by `/`. */
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

/** Larger files are streamed to disk; smaller ones are faster read whole. */
const streamThreshold = 1 << 20;

/** The permission bits that unpacked files keep: only the owner may write, and set-user-ID bits are dropped. */
const permissionBits = 0o755;

/** Many times the number of files in a wheel of torch. */
const maxFiles = 500_000;

/**
 * Opens an archive and reads its list of files. The zip library refuses absolute names and names with `..`; entries that
 * are not regular files, and names with control characters, are refused here.
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
      if (type !== 0 && type !== 0o100000) throw new Error(`${entry.fileName} is not a regular file`);
      if (files.has(entry.fileName)) throw new Error(`${entry.fileName} appears twice`);
      if (printable(entry.fileName) !== entry.fileName) {
        throw new Error(`the name ${printable(entry.fileName)} contains control characters`);
      }
      if (files.size === maxFiles) throw new Error(`it has more than ${maxFiles} files`);
      files.set(entry.fileName, { name: entry.fileName, size: entry.uncompressedSize, entry });
    }
    return { path, files, zip };
  } catch (error) {
    zip?.close();
    throw installFailed(`${path} is not a usable archive: ${reasonOf(error)}`, damagedRemedies, error);
  }
}

/** Remedies for a damaged archive. */
export const damagedRemedies = ['download the file again: it is damaged, incomplete or not the file it should be'];

/** Reads a small file into memory. */
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

/** The error for content that does not have the stated size or cannot be decompressed. */
function unreadable(archive: Archive, file: ArchivedFile, error: unknown): unknown {
  if (error instanceof TorchError || isSystemError(error)) return error;
  return installFailed(`${file.name} in ${archive.path} cannot be read: ${reasonOf(error)}`, damagedRemedies, error);
}

/** Unpacks a file to `<directory>/<target>`. Returns the SHA-256 of its content as RECORD has it (base64url). */
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
  if (file.size <= streamThreshold) {
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
  // `flush` syncs the data to disk: after a crash there must be no install marker without the files.
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

/** The path below a directory; a second check of names, after that of the zip library. */
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
  throw installFailed(`${file.name} in ${archive.path} does not match its checksum in the archive`, damagedRemedies);
}
