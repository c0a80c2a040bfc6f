/** Downloads a file over HTTP: streams it to `<file>.part`, resumes after interruptions, and verifies it before renaming. */
import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installFailed, isSystemError, reasonOf } from '../shared/failures';
import { megabytes, type Progress, type Report } from '../shared/report';
import { type Answer, Refused, request } from './http';

/** The hashes that verify a download; MD5 and SHA-1 do not count. */
export const algorithms = ['sha256', 'sha384', 'sha512'] as const;

/** The hash that a file must have. */
export interface Digest {
  algorithm: (typeof algorithms)[number];
  hex: string;
}

/** What to download. */
export interface DownloadRequest {
  url: string;
  /** The path of the file. No other process may write to it: see `claimDownload`. */
  path: string;
  /** The hash in the index. Without it nothing is resumed, since the parts might come from two files. */
  digest?: Digest;
}

/** Options of {@link download}. */
export interface DownloadOptions {
  report: Report;
  signal: AbortSignal;
  /** Pauses before retries, in ms; they start over after an attempt that made progress. */
  pauses?: readonly number[];
  /** Time without data after which a connection counts as dead, in ms. */
  stallTime?: number;
  /** Maximum size of the file in bytes. Default 16 GB. */
  maxBytes?: number;
}

/** A download in progress. */
interface Transfer extends DownloadRequest {
  part: string;
  /** Bytes of `part` that are written and hashed. */
  done: number;
  hash: Hash;
  restarts: number;
  progress: Progress | undefined;
}

const defaultMaxBytes = 16e9;

/** An attempt that receives fewer bytes counts as failed. */
const minProgress = 32_000;

const maxTries = 100;
const maxRestarts = 5;

/**
 * Downloads a file, unless an earlier call already has. An interrupted download is resumed.
 *
 * @returns the hash of the file in hex: by the requested algorithm, else SHA-256.
 */
export async function download(target: DownloadRequest, options: DownloadOptions): Promise<string> {
  await mkdir(dirname(target.path), { recursive: true });
  const existing = await existingHash(target);
  if (existing !== undefined) return existing;
  const { digest } = target;
  const part = `${target.path}.part`;
  const transfer: Transfer = { ...target, part, done: 0, hash: hashOf(digest), restarts: 0, progress: undefined };
  try {
    await resume(transfer);
    await transferAll(transfer, options);
    const hex = transfer.hash.digest('hex');
    if (digest !== undefined && hex !== digest.hex) {
      await rm(part, { force: true });
      const problem = `${target.url} has ${nameOf(digest)} ${hex}, but its index says ${digest.hex}`;
      throw installFailed(problem, ['run the command again: the bad download has been deleted']);
    }
    await rename(part, target.path);
    return hex;
  } finally {
    transfer.progress?.stop();
  }
}

/** `'SHA-256'`. */
export function nameOf({ algorithm }: Digest): string {
  return algorithm.toUpperCase().replace('SHA', 'SHA-');
}

function hashOf(digest: Digest | undefined): Hash {
  return createHash(digest?.algorithm ?? 'sha256');
}

/** The hash of an existing file, if it is the requested one; any other file at the path is removed. */
async function existingHash({ path, digest }: DownloadRequest): Promise<string | undefined> {
  if ((await fileAt(path)) === undefined) return undefined;
  const hex = digest && (await hashFile(path, digest.algorithm)).digest('hex');
  if (digest !== undefined && hex === digest.hex) return hex;
  await rm(path);
  return undefined;
}

/** The file at a path. Anything else was not created by a download, so it is neither followed nor replaced. */
async function fileAt(path: string): Promise<Stats | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || stats.isFile()) return stats;
  throw installFailed(`${path} is not a regular file`, ['move it elsewhere, and run the command again']);
}

/** The hash of a file, to which more data can be added. */
export async function hashFile(path: string, algorithm: Digest['algorithm'] = 'sha256'): Promise<Hash> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash;
}

/** Continues after the bytes that an earlier run downloaded. */
async function resume(transfer: Transfer): Promise<void> {
  const size = (await fileAt(transfer.part))?.size ?? 0;
  if (transfer.digest === undefined) await rm(transfer.part, { force: true });
  else if (size > 0) {
    transfer.hash = await hashFile(transfer.part, transfer.digest.algorithm);
    transfer.done = size;
  }
}

async function transferAll(transfer: Transfer, options: DownloadOptions): Promise<void> {
  const pauses = options.pauses ?? [500, 1000, 2000, 4000, 8000];
  let failures = 0;
  for (let tries = 1; ; tries++) {
    const before = transfer.done;
    try {
      await requestRest(transfer, options);
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (transfer.done >= before + minProgress) failures = 0;
      const pause = tries < maxTries ? pauses[failures++] : undefined;
      if (error instanceof Refused || isSystemError(error) || pause === undefined) {
        const kept = transfer.done > 0 ? ['run the command again: the download resumes where it stopped'] : [];
        throw installFailed(`cannot download ${transfer.url}: ${reasonOf(error)}`, kept, error);
      }
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}

/** One request: from the first missing byte to the end of the file or of the connection. */
async function requestRest(transfer: Transfer, options: DownloadOptions): Promise<void> {
  // `identity`: the offsets of a compressed transfer would not be those of the file.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (transfer.done > 0) headers.range = `bytes=${transfer.done}-`;
  const { signal, stallTime = 30_000, maxBytes = defaultMaxBytes } = options;
  await request(transfer.url, { signal, headers, stallTime }, async (answer) => {
    const total = await acceptAnswer(transfer, answer);
    if (total === transfer.done && transfer.done > 0) return;
    if ((total ?? 0) > maxBytes) throw new Refused(tooLarge(total as number, maxBytes));
    await checkSpace(transfer, total);
    transfer.progress ??= options.report.progress(basename(transfer.path), total ?? 0);
    await append(transfer, answer, total, maxBytes);
    if (total !== undefined && transfer.done < total) throw new Error(`got ${transfer.done} of ${total} bytes`);
  });
}

function tooLarge(bytes: number, maxBytes: number): string {
  return `the server announces ${megabytes(bytes)}; a download may have at most ${megabytes(maxBytes)}`;
}

/** Checks status, encoding and range. Returns the size of the whole file where the server states it. */
async function acceptAnswer(transfer: Transfer, { status, headers }: Answer): Promise<number | undefined> {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw new Refused(`the server sent the file compressed (${encoding})`);
  if (status === 206) return await acceptRange(transfer, headers.get('content-range') ?? '');
  if (status === 416) {
    const size = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
    if (Number(size) === transfer.done) return transfer.done;
    await restart(transfer);
    throw new Error('the partial file is longer than the file');
  }
  if (status === 200) {
    if (transfer.done > 0) await restart(transfer);
    const length = headers.get('content-length');
    return length === null ? undefined : Number(length);
  }
  const message = `HTTP status ${status}`;
  throw status >= 500 || status === 429 ? new Error(message) : new Refused(message);
}

/** `bytes 100-199/200`, or `bytes 100-199/*` where the total is unknown. */
async function acceptRange(transfer: Transfer, range: string): Promise<number | undefined> {
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  if (Number(first) !== transfer.done) {
    await restart(transfer);
    throw new Error('the server sent a range other than the one requested');
  }
  const total = whole === '*' ? undefined : Number(whole);
  if (Number(last) >= Number(first) && (total === undefined || Number(last) < total)) return total;
  throw new Refused(`the server sent an invalid range: ${range}`);
}

async function restart(transfer: Transfer): Promise<void> {
  if (++transfer.restarts > maxRestarts) {
    throw new Refused(`had to start over ${maxRestarts} times, and gave up`);
  }
  await rm(transfer.part, { force: true });
  transfer.hash = hashOf(transfer.digest);
  transfer.done = 0;
}

async function checkSpace(transfer: Transfer, total: number | undefined): Promise<void> {
  const directory = dirname(transfer.path);
  const { bavail, bsize } = await statfs(directory);
  const [needed, free] = [(total ?? 0) - transfer.done, bavail * bsize];
  if (needed > free) throw new Refused(`needs ${megabytes(needed)} in ${directory}, where ${megabytes(free)} are free`);
}

async function append(transfer: Transfer, answer: Answer, total: number | undefined, maxBytes: number): Promise<void> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_WRONLY } = constants;
  const file = await open(transfer.part, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o644);
  try {
    for await (const chunk of answer.chunks()) {
      const done = transfer.done + chunk.length;
      if (done > (total ?? maxBytes)) throw new Refused(`the server sent more than ${total ?? maxBytes} bytes`);
      await file.writeFile(chunk);
      transfer.hash.update(chunk);
      transfer.done = done;
      transfer.progress?.update(done);
    }
  } finally {
    await file.close();
  }
}
