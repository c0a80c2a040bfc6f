/** Downloads one file over HTTP: streamed to `<file>.part`, resumed after a break, and checked before it gets its name. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installFailed, reasonOf } from './failure';
import type { Progress, Report } from './report';

/** What to download. */
export interface DownloadRequest {
  url: string;
  /** Where the file goes. No other process may be writing it: see `claimDownload`. */
  path: string;
  /** Its SHA-256 in hex, if the index gave one. */
  sha256?: string;
}

/** What a download runs with. */
export interface DownloadOptions {
  report: Report;
  signal: AbortSignal;
  /** Pauses in ms before each further try, counted from the last try that brought data. */
  pauses?: readonly number[];
  /** Time in ms without a byte after which a connection counts as dead. */
  stallTime?: number;
}

/** A download under way. */
interface Transfer extends DownloadRequest {
  part: string;
  /** Bytes of `part` that are there and hashed. */
  done: number;
  hash: Hash;
  progress: Progress | undefined;
}

/** A status that trying again will not change. */
class Refused extends Error {}

/**
 * Downloads the file, or takes what an earlier call brought. A part left by an interrupted download is resumed.
 *
 * @returns SHA-256 of the file, in hex.
 */
export async function download(request: DownloadRequest, options: DownloadOptions): Promise<string> {
  await mkdir(dirname(request.path), { recursive: true });
  const present = await presentHash(request);
  if (present !== undefined) return present;
  const part = `${request.path}.part`;
  const transfer: Transfer = { ...request, part, done: 0, hash: createHash('sha256'), progress: undefined };
  try {
    await takeUp(transfer);
    await transferAll(transfer, options);
    const sha256 = transfer.hash.digest('hex');
    if (request.sha256 !== undefined && sha256 !== request.sha256) {
      await rm(part, { force: true });
      const problem = `${request.url} has SHA-256 ${sha256}, but its index says ${request.sha256}`;
      throw installFailed(problem, ['run the command again: what was downloaded is deleted']);
    }
    await rename(part, request.path);
    return sha256;
  } finally {
    transfer.progress?.stop();
  }
}

/** The hash of a file that is there already, unless it is not the one asked for. */
async function presentHash({ path, sha256 }: DownloadRequest): Promise<string | undefined> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return undefined;
  const hash = (await hashFile(path)).digest('hex');
  if (sha256 === undefined || hash === sha256) return hash;
  await rm(path);
  return undefined;
}

/** SHA-256 of a file, still open for more. */
export async function hashFile(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash;
}

/** Goes on after the bytes that an earlier run brought. */
async function takeUp(transfer: Transfer): Promise<void> {
  const size = (await stat(transfer.part).catch(() => undefined))?.size ?? 0;
  if (size === 0) return;
  transfer.hash = await hashFile(transfer.part);
  transfer.done = size;
}

async function transferAll(transfer: Transfer, options: DownloadOptions): Promise<void> {
  const pauses = options.pauses ?? [500, 1000, 2000, 4000, 8000];
  for (let failures = 0; ; failures++) {
    const before = transfer.done;
    try {
      await transferSome(transfer, options);
      return;
    } catch (error) {
      options.signal.throwIfAborted();
      if (transfer.done > before) failures = 0;
      const pause = pauses[failures];
      if (error instanceof Refused || pause === undefined) {
        const kept = transfer.done > 0 ? ['run the command again: it goes on where this download broke off'] : [];
        throw installFailed(`cannot download ${transfer.url}: ${reasonOf(error)}`, kept, error);
      }
      await sleep(pause, undefined, { signal: options.signal });
    }
  }
}

/** One request: from the first missing byte to the end of the file or of the connection. */
async function transferSome(transfer: Transfer, options: DownloadOptions): Promise<void> {
  const stall = new AbortController();
  const stallTime = options.stallTime ?? 30_000;
  const timer = setTimeout(() => stall.abort(new Error(`no data for ${stallTime / 1000} s`)), stallTime);
  try {
    // `identity`: a compressed transfer would count other bytes than the file's.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (transfer.done > 0) headers.range = `bytes=${transfer.done}-`;
    const response = await fetch(transfer.url, { headers, signal: AbortSignal.any([options.signal, stall.signal]) });
    const total = await acceptResponse(transfer, response);
    if (total === transfer.done) return;
    transfer.progress ??= options.report.progress(basename(transfer.path), total);
    await append(transfer, response, () => timer.refresh());
    if (total > 0 && transfer.done !== total) throw new Error(`got ${transfer.done} of ${total} bytes`);
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Checks status and range; gives the size of the whole file, 0 if the server does not say. */
async function acceptResponse(transfer: Transfer, response: Response): Promise<number> {
  if (transfer.url.startsWith('https:') && !response.url.startsWith('https:')) {
    await response.body?.cancel();
    throw new Refused(`redirected to ${response.url}, which is not encrypted`);
  }
  if (response.status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    if (Number(range?.[1]) === transfer.done) return Number(range?.[2]);
    await response.body?.cancel();
    await startOver(transfer);
    throw new Error('the server sent another range than was asked for');
  }
  if (response.status === 416) {
    await response.body?.cancel();
    const size = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (Number(size) === transfer.done) return transfer.done;
    await startOver(transfer);
    throw new Error('the partial file is longer than the file');
  }
  if (response.status === 200) {
    if (transfer.done > 0) await startOver(transfer);
    return Number(response.headers.get('content-length') ?? 0);
  }
  await response.body?.cancel();
  const message = `HTTP status ${response.status}`;
  throw response.status >= 500 || response.status === 429 ? new Error(message) : new Refused(message);
}

async function startOver(transfer: Transfer): Promise<void> {
  await rm(transfer.part, { force: true });
  transfer.hash = createHash('sha256');
  transfer.done = 0;
}

async function append(transfer: Transfer, response: Response, onData: () => void): Promise<void> {
  if (response.body === null) return;
  const file = await open(transfer.part, 'a');
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      await file.write(chunk);
      transfer.hash.update(chunk);
      transfer.done += chunk.length;
      transfer.progress?.update(transfer.done);
      onData();
    }
  } finally {
    await file.close();
  }
}
