/** Downloads one file over HTTP: streamed to `<file>.part`, resumed after a break, and checked before it gets its name. */
import { createHash, type Hash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installFailed, isSystemError, reasonOf } from '../shared/failures';
import { megabytes, type Progress, type Report } from '../shared/report';
import { type Answer, Refused, request } from './http';

/** The hashes that prove a download; MD5 and SHA-1 prove nothing. */
export const algorithms = ['sha256', 'sha384', 'sha512'] as const;

/** What a file must hash to. */
export interface Digest {
  algorithm: (typeof algorithms)[number];
  hex: string;
}

/** What to download. */
export interface DownloadRequest {
  url: string;
  /** Where the file goes. No other process may be writing it: see `claimDownload`. */
  path: string;
  /** What the index says that it hashes to. Without it nothing is resumed: the parts might be of two files. */
  digest?: Digest;
}

/** What a download runs with. */
export interface DownloadOptions {
  report: Report;
  signal: AbortSignal;
  /** Pauses in ms before each further try, counted from the last try that brought data. */
  pauses?: readonly number[];
  /** Time in ms without data after which a connection counts as dead. */
  stallTime?: number;
  /** The most bytes that a file may have. */
  largest?: number;
}

/** A download under way. */
interface Transfer extends DownloadRequest {
  part: string;
  /** Bytes of `part` that are there and hashed. */
  done: number;
  hash: Hash;
  startsOver: number;
  progress: Progress | undefined;
}

/** The most bytes that a download may have, unless told otherwise. */
const largestDownload = 16e9;

/** A try that brings less than this counts as one in vain. */
const leastProgress = 32_000;

const mostTries = 100;
const mostStartsOver = 5;

/**
 * Downloads the file, or takes what an earlier call brought. A part left by an interrupted download is resumed.
 *
 * @returns the hash of the file, in hex: of the kind that is asked for, else its SHA-256.
 */
export async function download(wanted: DownloadRequest, options: DownloadOptions): Promise<string> {
  await mkdir(dirname(wanted.path), { recursive: true });
  const present = await presentHash(wanted);
  if (present !== undefined) return present;
  const { digest } = wanted;
  const part = `${wanted.path}.part`;
  const transfer: Transfer = { ...wanted, part, done: 0, hash: hashOf(digest), startsOver: 0, progress: undefined };
  try {
    await takeUp(transfer);
    await transferAll(transfer, options);
    const hex = transfer.hash.digest('hex');
    if (digest !== undefined && hex !== digest.hex) {
      await rm(part, { force: true });
      const problem = `${wanted.url} has ${nameOf(digest)} ${hex}, but its index says ${digest.hex}`;
      throw installFailed(problem, ['run the command again: what was downloaded is deleted']);
    }
    await rename(part, wanted.path);
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

/** The hash of a file that is there already, unless it is not the one asked for. */
async function presentHash({ path, digest }: DownloadRequest): Promise<string | undefined> {
  if ((await fileAt(path)) === undefined) return undefined;
  const hex = digest && (await hashFile(path, digest.algorithm)).digest('hex');
  if (digest !== undefined && hex === digest.hex) return hex;
  await rm(path);
  return undefined;
}

/** The file at a path. What is none was not put there by a download, so it is neither followed nor replaced. */
async function fileAt(path: string): Promise<Stats | undefined> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined || there.isFile()) return there;
  throw installFailed(`${path} is no file, or a link`, ['move it away, and run the command again']);
}

/** The hash of a file, still open for more. */
export async function hashFile(path: string, algorithm: Digest['algorithm'] = 'sha256'): Promise<Hash> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash;
}

/** Goes on after the bytes that an earlier run brought. */
async function takeUp(transfer: Transfer): Promise<void> {
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
      await transferSome(transfer, options);
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (transfer.done >= before + leastProgress) failures = 0;
      const pause = tries < mostTries ? pauses[failures++] : undefined;
      if (error instanceof Refused || isSystemError(error) || pause === undefined) {
        const kept = transfer.done > 0 ? ['run the command again: it goes on where this download broke off'] : [];
        throw installFailed(`cannot download ${transfer.url}: ${reasonOf(error)}`, kept, error);
      }
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}

/** One request: from the first missing byte to the end of the file or of the connection. */
async function transferSome(transfer: Transfer, options: DownloadOptions): Promise<void> {
  // `identity`: a compressed transfer would count other bytes than the file's.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (transfer.done > 0) headers.range = `bytes=${transfer.done}-`;
  const { signal, stallTime = 30_000, largest = largestDownload } = options;
  await request(transfer.url, { signal, headers, stallTime }, async (answer) => {
    const total = await acceptAnswer(transfer, answer);
    if (total === transfer.done && transfer.done > 0) return;
    if ((total ?? 0) > largest) throw new Refused(tooLarge(total as number, largest));
    await checkSpace(transfer, total);
    transfer.progress ??= options.report.progress(basename(transfer.path), total ?? 0);
    await append(transfer, answer, total, largest);
    if (total !== undefined && transfer.done < total) throw new Error(`got ${transfer.done} of ${total} bytes`);
  });
}

function tooLarge(bytes: number, largest: number): string {
  return `the server tells of ${megabytes(bytes)}, more than the ${megabytes(largest)} that a download may have`;
}

/** Checks status, encoding and range; gives the size of the whole file where the server says it. */
async function acceptAnswer(transfer: Transfer, { status, headers }: Answer): Promise<number | undefined> {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw new Refused(`the server sent the file compressed (${encoding})`);
  if (status === 206) return await acceptRange(transfer, headers.get('content-range') ?? '');
  if (status === 416) {
    const size = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
    if (Number(size) === transfer.done) return transfer.done;
    await startOver(transfer);
    throw new Error('the partial file is longer than the file');
  }
  if (status === 200) {
    if (transfer.done > 0) await startOver(transfer);
    const length = headers.get('content-length');
    return length === null ? undefined : Number(length);
  }
  const message = `HTTP status ${status}`;
  throw status >= 500 || status === 429 ? new Error(message) : new Refused(message);
}

/** `bytes 100-199/200`, or `bytes 100-199/*` where the whole is not known. */
async function acceptRange(transfer: Transfer, range: string): Promise<number | undefined> {
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range) ?? [];
  if (Number(first) !== transfer.done) {
    await startOver(transfer);
    throw new Error('the server sent another range than was asked for');
  }
  const total = whole === '*' ? undefined : Number(whole);
  if (Number(last) >= Number(first) && (total === undefined || Number(last) < total)) return total;
  throw new Refused(`the server sent a range that cannot be: ${range}`);
}

async function startOver(transfer: Transfer): Promise<void> {
  if (++transfer.startsOver > mostStartsOver) {
    throw new Refused(`had to start over ${mostStartsOver} times, and would have to again`);
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

async function append(transfer: Transfer, answer: Answer, total: number | undefined, largest: number): Promise<void> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_WRONLY } = constants;
  const file = await open(transfer.part, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o644);
  try {
    for await (const chunk of answer.chunks()) {
      const done = transfer.done + chunk.length;
      if (done > (total ?? largest)) throw new Refused(`the server sent more than ${total ?? largest} bytes`);
      await file.writeFile(chunk);
      transfer.hash.update(chunk);
      transfer.done = done;
      transfer.progress?.update(done);
    }
  } finally {
    await file.close();
  }
}
