/**
 * The package's own cache: one directory for each installed libtorch, complete if and only if it holds a marker file.
 *
 * ```
 * <cache>/libtorch-2.13.0-cpu/install.json   the marker, the last file written
 * <cache>/libtorch-2.13.0-cpu/torch/lib/…    as in a PyTorch wheel, so that the libraries' own relative paths hold
 * <cache>/libtorch-2.13.0-cpu/nvidia/…       beside it, for CUDA builds
 * ```
 *
 * An install is unpacked under another name and renamed when whole, so a directory with the final name is never half
 * installed. The marker lists the size of every library, so that an install that has lost data since (a full disk, a crash)
 * is recognised.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Host } from './host';
import { isDirectory, namesIn, statsOf } from './libtorch-tree';
import { compareVersions, parseVersion } from './libtorch-versions';

/** The file that makes an install count as complete. */
export const markerName = 'install.json';

/** What the marker records. */
export interface InstallMarker {
  /** The libtorch version without its local part: `'2.13.0'`. */
  version: string;
  /** The build: `'cpu'`, `'cu130'`, … */
  flavour: string;
  /** The file it came from: a wheel's name, a path, an address. */
  source: string;
  /** SHA-256 of that file, in hex. */
  sha256: string;
  /** How many files were installed. */
  files: number;
  /** Size in bytes of each shared library, by its path below the install. */
  libraries: Record<string, number>;
}

/** A complete install. */
export interface Install {
  path: string;
  marker: InstallMarker;
}

/** The contents of the cache: complete installs, best first, and incomplete ones with the reason. */
export interface CacheContents {
  installs: Install[];
  rejected: { path: string; reason: string }[];
}

/** The cache directory: `LIBTORCH_LOSSES_CACHE`, or `libtorch-losses` below the platform's directory for caches. */
export function cacheDirectory(env: NodeJS.ProcessEnv, host: Host): string {
  const own = env.LIBTORCH_LOSSES_CACHE;
  if (own !== undefined && own !== '') return own;
  return join(userCaches(env, host), 'libtorch-losses');
}

function userCaches(env: NodeJS.ProcessEnv, host: Host): string {
  if (env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== '') return env.XDG_CACHE_HOME;
  if (host.platform === 'darwin') return join(host.home, 'Library', 'Caches');
  if (host.platform === 'win32') return env.LOCALAPPDATA ?? join(host.home, 'AppData', 'Local');
  return join(host.home, '.cache');
}

/** The name of an install's directory: `libtorch-2.13.0-cpu`. */
export function installName(version: string, flavour: string): string {
  return `libtorch-${version}-${flavour}`;
}

/** The path of an install; undefined if the parts are not those of a version, and might lead out of the cache. */
export function installPath(cache: string, version: string, flavour: string): string | undefined {
  const parsed = parseVersion(`${version}+${flavour}`);
  const path = resolve(cache, installName(version, flavour));
  const isInside = dirname(path) === resolve(cache);
  return isInside && parsed?.public === version && parsed.local === flavour ? path : undefined;
}

/** The marker of an install, whole or damaged; otherwise the reason why there is none. */
export function readMarker(path: string): InstallMarker | string {
  try {
    const marker = JSON.parse(readFileSync(join(path, markerName), 'utf8')) as InstallMarker | null;
    return isMarker(marker) ? marker : `its ${markerName} cannot be read`;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return missing ? `an unfinished install (no ${markerName})` : `its ${markerName} cannot be read`;
  }
}

/** The complete install in a directory; otherwise the reason why there is none. */
export function readInstall(path: string): Install | string {
  const marker = readMarker(path);
  if (typeof marker === 'string') return marker;
  for (const [file, size] of Object.entries(marker.libraries)) {
    const actual = statsOf(join(path, file))?.size;
    if (actual === undefined) return `damaged: ${file} is missing`;
    if (actual !== size) return `damaged: ${file} has ${actual} bytes instead of ${size}`;
  }
  return { path, marker };
}

/** Whether an install wrote it: the names in it are printed, and looked up below the install. */
function isMarker(marker: InstallMarker | null): marker is InstallMarker {
  if (typeof marker?.version !== 'string' || typeof marker.flavour !== 'string') return false;
  if (typeof marker.libraries !== 'object' || marker.libraries === null) return false;
  const isName = installPath('.', marker.version, marker.flavour) !== undefined;
  return isName && Object.keys(marker.libraries).every((file) => /^(?!.*\.\.\/)[\w+.-][\w+./ -]*$/.test(file));
}

/** The installs in a cache directory: newest version first, and of one version CUDA before CPU. */
export function cacheContents(directory: string): CacheContents {
  const contents: CacheContents = { installs: [], rejected: [] };
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    if (!name.startsWith('libtorch-') || !isDirectory(path)) continue;
    const install = name.includes('.partial-') ? 'an install under way or interrupted' : readInstall(path);
    if (typeof install === 'string') contents.rejected.push({ path, reason: install });
    else contents.installs.push(install);
  }
  const isCpu = (install: Install): number => Number(install.marker.flavour === 'cpu');
  contents.installs.sort((a, b) => compareVersions(b.marker.version, a.marker.version) || isCpu(a) - isCpu(b));
  return contents;
}
