/** Marks the directories that this command creates, so that it never removes anything else. */
import { lstat, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readMarker } from '../../binding/cache';
import { installFailed } from '../shared/failures';

/** The file that marks a directory, and everything in it, as created by this command. */
export const ownershipMark = '.made-by-libtorch-losses';

const markText = 'libtorch-losses install made this directory, and removes it.\n';

/** Creates a marked directory. It must not exist yet, but its parent must. */
export async function createOwned(path: string): Promise<void> {
  await mkdir(path, { mode: 0o755 });
  await writeFile(join(path, ownershipMark), markText, { flag: 'wx', mode: 0o644 });
}

/** Marks an empty directory: another process may have just created it and not marked it yet. */
export async function markEmpty(path: string): Promise<void> {
  const isEmpty = (await lstat(path)).isDirectory() && (await readdir(path)).length === 0;
  if (isEmpty) await writeFile(join(path, ownershipMark), markText, { mode: 0o644 });
}

/** Whether this command created the directory, by its mark or an install's marker file. A link never counts. */
export async function isOwned(path: string): Promise<boolean> {
  if ((await lstat(path).catch(() => undefined))?.isDirectory() !== true) return false;
  const mark = await lstat(join(path, ownershipMark)).catch(() => undefined);
  return mark?.isFile() === true || typeof readMarker(path) !== 'string';
}

/** Removes a marked directory if it exists. The mark goes last, so that an interrupted removal can be resumed. */
export async function removeOwned(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  const names = stats.isDirectory() ? await readdir(path) : [];
  // An empty one may have been created a moment ago and not marked yet.
  if (!(await isOwned(path)) && !(stats.isDirectory() && names.length === 0)) throw notOwned(path);
  for (const name of names) if (name !== ownershipMark) await rm(join(path, name), { recursive: true, force: true });
  await rm(join(path, ownershipMark), { force: true });
  await rmdir(path);
}

/** The error for something in the way that this command did not create. */
export function notOwned(path: string): Error {
  const remedies = ['move it elsewhere, or set LIBTORCH_LOSSES_CACHE to another directory'];
  return installFailed(`${path} was not made by this command, so it is left as it is`, remedies);
}

/** The path of a direct child of a directory; other names are refused. */
export function childPath(directory: string, name: string): string {
  const path = resolve(directory, name);
  if (dirname(path) === resolve(directory) && !name.includes('\0')) return path;
  throw installFailed(`${JSON.stringify(name)} leads out of ${directory}`);
}
