/**
 * An install under way: a directory `libtorch-install.partial-<owner>` beside the final ones. It is renamed when it is whole and its
 * marker is written; whatever interrupts it, the final name never holds half an install. What a process that died left
 * behind is removed by the next install.
 */
import { lstat, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type InstallMarker, installPath, markerName, readInstall } from '../../binding/cache';
import { isAbandoned, processTag } from '../../output/process-tag';
import { installFailed, reasonOf } from '../shared/failures';
import { childPath, createOwned, isOwned, markEmpty, notOwned, removeOwned } from './ownership';

/** Where downloads wait, whole or in part, until they are unpacked. */
function downloadDirectory(cache: string): string {
  return join(cache, 'downloads');
}

/** A place to download a file to, which no other process uses. */
export interface DownloadPlace {
  path: string;
  /** Lets other processes have it. */
  release(): Promise<void>;
}

/**
 * The place of a download that later installs go on with; while another running process uses it, or where somebody
 * else's directory has its name, one in `otherwise`.
 */
export async function claimDownload(cache: string, name: string, otherwise: string): Promise<DownloadPlace> {
  const directory = downloadDirectory(cache);
  const elsewhere = { path: childPath(otherwise, name), release: async (): Promise<void> => {} };
  if (!(await hasDownloads(cache))) return elsewhere;
  const path = childPath(directory, name);
  const lock = `${path}.lock`;
  for (const takenOver of [false, true]) {
    try {
      await writeFile(lock, processTag(), { flag: 'wx' });
      return { path, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = await readFile(lock, 'utf8').catch(() => '');
      const modified = (await lstat(lock).catch(() => undefined))?.mtimeMs ?? 0;
      if (takenOver || !isAbandoned(owner, modified)) break;
      await rm(lock, { force: true });
    }
  }
  return elsewhere;
}

/** Creates the directory for downloads if it does not exist. Returns whether it is ours. */
async function hasDownloads(cache: string): Promise<boolean> {
  const directory = downloadDirectory(cache);
  try {
    await createOwned(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await markEmpty(directory);
  }
  return isOwned(directory);
}

/** Beyond this age a partial download is no longer resumed. */
const keepDownloads = 7 * 24 * 60 * 60 * 1000;

/** Removes what interrupted installs left in the cache. */
export async function sweep(cache: string): Promise<void> {
  for (const { path, name, modified } of await entries(cache)) {
    const owner = /^libtorch-.*\.partial-(.+)$/.exec(name)?.[1];
    if (owner === undefined || !isAbandoned(owner, modified)) continue;
    // Of one that is not ours, or is being removed by another install, nothing is said.
    await removeOwned(path).catch(() => {});
  }
  for (const { path, modified } of await downloads(cache)) {
    if (Date.now() - modified > keepDownloads) await rm(path, { force: true });
  }
}

/** Removes the downloads that no running process is at. */
export async function clearDownloads(cache: string): Promise<void> {
  const found = await downloads(cache);
  const locks = found.filter(({ name }) => name.endsWith('.lock'));
  for (const { path, modified } of locks) {
    if (!isAbandoned(await readFile(path, 'utf8').catch(() => ''), modified)) return;
  }
  for (const { path } of found) await rm(path, { force: true });
}

/** The downloads and their locks, if the directory is ours. */
async function downloads(cache: string): Promise<Entry[]> {
  const directory = downloadDirectory(cache);
  if (!(await isOwned(directory))) return [];
  return (await entries(directory)).filter(({ name }) => /^torch.*\.whl(\.part|\.lock)?$/.test(name));
}

interface Entry {
  path: string;
  name: string;
  modified: number;
}

async function entries(directory: string): Promise<Entry[]> {
  const names = await readdir(directory).catch(() => []);
  const found = [];
  for (const name of names) {
    const path = join(directory, name);
    const modified = (await lstat(path).catch(() => undefined))?.mtimeMs;
    if (modified !== undefined) found.push({ path, name, modified });
  }
  return found;
}

/** Makes an empty directory that belongs to this process. */
export async function openStaging(cache: string, purpose: string): Promise<string> {
  const path = childPath(cache, `libtorch-${purpose}.partial-${processTag()}`);
  // Left by an earlier process with the same tag, where the system does not tell start times.
  await removeOwned(path);
  await createOwned(path);
  return path;
}

/** The path that an install gets: one in the cache that is free, or where an earlier install is. */
export async function destinationFor(cache: string, build: { version: string; flavour: string }): Promise<string> {
  const path = installPath(cache, build.version, build.flavour);
  if (path === undefined) throw installFailed(`${build.version}+${build.flavour} is not a version of libtorch`);
  if ((await exists(path)) && !(await isOwned(path))) throw notOwned(path);
  return path;
}

/**
 * Writes the marker and gives the directory its final name. If another install was faster, its result stands and this one
 * is dropped; a damaged one is replaced.
 *
 * @returns the path of the install.
 */
export async function publish(staging: string, marker: InstallMarker): Promise<string> {
  const file = await open(join(staging, markerName), 'wx', 0o644);
  try {
    await file.writeFile(`${JSON.stringify(marker, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const final = await destinationFor(dirname(staging), marker);
  if (await renamed(staging, final)) return final;
  await destinationFor(dirname(staging), marker);
  if (typeof readInstall(final) === 'string') {
    await removeInstall(final);
    if (await renamed(staging, final)) return final;
  }
  await removeOwned(staging);
  return final;
}

/** Removes an install: under another name first, so that no program finds half of it. */
export async function removeInstall(path: string): Promise<void> {
  if (!(await isOwned(path))) throw notOwned(path);
  const aside = `${path}.partial-${processTag()}`;
  try {
    await rename(path, aside);
    await removeOwned(aside);
  } catch (error) {
    throw installFailed(`${path} cannot be removed: ${reasonOf(error)}`, ['end the programs that use it'], error);
  }
}

/** Renames a directory; false if there is one by that name already (which a rename never replaces unless empty). */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'ENOTDIR'].includes(code) && (await exists(to))) return false;
    throw installFailed(`${from} cannot be renamed to ${to}: ${reasonOf(error)}`, [], error);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
