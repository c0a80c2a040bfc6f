/**
 * An install under way: a directory `libtorch-install.partial-<owner>` beside the final ones. It is renamed when it is whole and its
 * marker is written; whatever interrupts it, the final name never holds half an install. What a process that died left
 * behind is removed by the next install.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type InstallMarker, installName, markerName, readInstall } from '../binding/cache';
import { isAbandoned, ownerTag } from './ownership';

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
 * The place of a download that later installs go on with; while another running process uses it, one in `otherwise`.
 */
export async function claimDownload(cache: string, name: string, otherwise: string): Promise<DownloadPlace> {
  const path = join(downloadDirectory(cache), name);
  const lock = `${path}.lock`;
  await mkdir(downloadDirectory(cache), { recursive: true });
  for (const takenOver of [false, true]) {
    try {
      await writeFile(lock, ownerTag(), { flag: 'wx' });
      return { path, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = await readFile(lock, 'utf8').catch(() => '');
      const modified = (await stat(lock).catch(() => undefined))?.mtimeMs ?? 0;
      if (takenOver || !isAbandoned(owner, modified)) break;
      await rm(lock, { force: true });
    }
  }
  return { path: join(otherwise, name), release: async () => {} };
}

/** Beyond this age a partial download is not resumed any more. */
const keepDownloads = 7 * 24 * 60 * 60 * 1000;

/** Removes what interrupted installs left in the cache. */
export async function sweep(cache: string): Promise<void> {
  for (const { path, name, modified } of await entries(cache)) {
    const owner = /^libtorch-.*\.partial-(.+)$/.exec(name)?.[1];
    if (owner !== undefined && isAbandoned(owner, modified)) await rm(path, { recursive: true, force: true });
  }
  for (const { path, modified } of await entries(downloadDirectory(cache))) {
    if (Date.now() - modified > keepDownloads) await rm(path, { force: true });
  }
}

/** Removes the downloads that no running process is at. */
export async function clearDownloads(cache: string): Promise<void> {
  const found = await entries(downloadDirectory(cache));
  const locks = found.filter(({ name }) => name.endsWith('.lock'));
  for (const { path, modified } of locks) {
    if (!isAbandoned(await readFile(path, 'utf8').catch(() => ''), modified)) return;
  }
  for (const { path } of found) await rm(path, { force: true });
}

async function entries(directory: string): Promise<{ path: string; name: string; modified: number }[]> {
  const names = await readdir(directory).catch(() => []);
  const found = [];
  for (const name of names) {
    const path = join(directory, name);
    const modified = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (modified !== undefined) found.push({ path, name, modified });
  }
  return found;
}

/** Makes an empty directory that belongs to this process. */
export async function openStaging(cache: string, purpose: string): Promise<string> {
  const path = join(cache, `libtorch-${purpose}.partial-${ownerTag()}`);
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}

/**
 * Writes the marker and gives the directory its final name. If another install was faster, its result stands and this one
 * is dropped; a damaged one is replaced.
 *
 * @returns the path of the install.
 */
export async function publish(staging: string, marker: InstallMarker): Promise<string> {
  const file = await open(join(staging, markerName), 'w');
  try {
    await file.writeFile(`${JSON.stringify(marker, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  const final = join(dirname(staging), installName(marker.version, marker.flavour));
  if (await renamed(staging, final)) return final;
  if (typeof readInstall(final) === 'string') {
    const damaged = `${final}.partial-${ownerTag()}`;
    await rename(final, damaged);
    await rm(damaged, { recursive: true, force: true });
    if (await renamed(staging, final)) return final;
  }
  await rm(staging, { recursive: true, force: true });
  return final;
}

/** Renames a directory; false if there is one by that name already (which a rename never replaces unless empty). */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'ENOTDIR'].includes(code) && (await exists(to))) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
