/**
 * What this command made, told by a file in each of its directories: nothing else is ever removed. And which running
 * process it belongs to, told by name: what a dead one left can be taken away.
 */
import { lstat, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { readMarker } from '../../binding/cache';
import { installFailed } from '../shared/failures';

/** The file that says that a directory, with all that is in it, was made by this command. */
export const ownMark = '.made-by-libtorch-losses';

const markText = 'libtorch-losses install made this directory, and removes it.\n';

/** Makes a directory of our own, which must not be there yet. Its parent must be. */
export async function makeOwn(path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 });
  await writeFile(join(path, ownMark), markText, { flag: 'wx', mode: 0o644 });
}

/** Takes an empty directory for our own: one that another process is making at this moment. */
export async function adoptEmpty(path: string): Promise<void> {
  const isEmpty = (await lstat(path)).isDirectory() && (await readdir(path)).length === 0;
  if (isEmpty) await writeFile(join(path, ownMark), markText, { mode: 0o644 });
}

/** Whether this command made the directory. An install tells by its marker as well; a link is never ours. */
export async function isOwn(path: string): Promise<boolean> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory() !== true) return false;
  const mark = await lstat(join(path, ownMark)).catch(() => undefined);
  return mark?.isFile() === true || typeof readMarker(path) !== 'string';
}

/** Removes a directory of our own, if it is there; the mark last, so that half a removal can be gone on with. */
export async function removeOwn(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  const names = there.isDirectory() ? await readdir(path) : [];
  // One that is empty was made a moment before its mark.
  if (!(await isOwn(path)) && !(there.isDirectory() && names.length === 0)) throw notOwn(path);
  for (const name of names) if (name !== ownMark) await rm(join(path, name), { recursive: true, force: true });
  await rm(join(path, ownMark), { force: true });
  await rmdir(path);
}

/** The error for what is in the way. */
export function notOwn(path: string): Error {
  const remedies = ['move it away, or let LIBTORCH_LOSSES_CACHE name another directory'];
  return installFailed(`${path} was not made by this command, so it is left as it is`, remedies);
}

/** The path of something directly in a directory. */
export function inside(directory: string, name: string): string {
  const path = resolve(directory, name);
  if (dirname(path) === resolve(directory) && !name.includes('\0')) return path;
  throw installFailed(`${JSON.stringify(name)} leads out of ${directory}`);
}

/** Beyond this age something another machine left counts as abandoned: its process cannot be asked for. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** `<host>-<pid>`: this process, as names carry it. */
export function ownerTag(): string {
  return `${hostTag()}-${process.pid}`;
}

/** Whether the process a tag names has ended. `modified` is the time, in ms, when what it owns was last written. */
export function isAbandoned(tag: string, modified: number): boolean {
  const match = /^(.*)-(\d+)$/.exec(tag);
  if (match === null || match[1] !== hostTag()) return Date.now() - modified > abandonedAfter;
  const pid = Number(match[2]);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Caches may be shared between machines and containers, whose process numbers mean nothing to one another. */
function hostTag(): string {
  return hostname().replace(/[^\w.]+/g, '_') || 'host';
}
