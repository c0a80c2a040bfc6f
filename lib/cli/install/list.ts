/** `libtorch-losses install --list` and `--remove`: what is in the cache, and taking it out again. */
import { lstat, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { cacheContents } from '../../binding/cache';
import type { Host } from '../../binding/host';
import { locateLibtorch } from '../../binding/locate';
import { installFailed } from '../shared/failures';
import { size } from '../shared/figures';
import type { Report } from '../shared/report';
import { aligned, printable } from '../shared/text';
import { isOwned } from './ownership';
import { clearDownloads, removeInstall, sweep } from './staging';

/** Prints the installs of a cache: version, build, size and path, and which one the package uses. */
export async function listInstalls(cache: string, env: NodeJS.ProcessEnv, host: Host, report: Report): Promise<void> {
  const { installs, rejected } = cacheContents(cache);
  const used = usedLibtorch(env, host);
  if (installs.length === 0) report.line(`no libtorch is installed in ${cache}`);
  else {
    const rows = await Promise.all(
      installs.map(async ({ path, marker }) => {
        const mark = 'root' in used && resolve(used.root) === resolve(join(path, 'torch')) ? '✔' : '';
        return [mark, marker.version, marker.flavour, size(await bytesIn(path)), printable(path)];
      }),
    );
    for (const line of aligned([['', 'version', 'build', 'size', 'path'], ...rows], 5)) report.line(line);
  }
  for (const { path, reason } of rejected) report.line(`✘ ${printable(path)}: ${printable(reason)}`);
  report.line('problem' in used ? `none is in use: ${used.problem}` : `in use: ${used.root} (${used.how})`);
}

/** What the package would use, or why it can use nothing. */
function usedLibtorch(env: NodeJS.ProcessEnv, host: Host): { root: string; how: string } | { problem: string } {
  try {
    const { root, source } = locateLibtorch(env, host);
    return { root, how: source === 'cache' ? 'found in the cache' : `found by ${source}` };
  } catch (error) {
    return { problem: (error as Error).message.split('\n')[0] as string };
  }
}

/** Removes the installs that are named: by version, by build, by both, or all. Damaged ones count, too. */
export async function removeInstalls(
  cache: string,
  which: readonly string[],
  dryRun: boolean,
  report: Report,
): Promise<void> {
  const { installs, rejected } = cacheContents(cache);
  const found = [...installs, ...rejected]
    .map(({ path }) => path)
    .filter((path) => !basename(path).includes('.partial-'));
  const paths: string[] = [];
  for (const path of found) {
    if (await isOwned(path)) paths.push(path);
    else report.line(`! ${printable(path)} was not made by this command, so it is left as it is`);
  }
  const all = which.includes('all');
  const chosen = paths.filter((path) => all || which.some((name) => isNamed(path, name)));
  const unknown = which.filter((name) => name !== 'all' && !paths.some((path) => isNamed(path, name)));
  if (unknown.length > 0) throw notInstalled(unknown, paths, cache);
  for (const path of chosen) {
    const bytes = size(await bytesIn(path));
    if (dryRun) report.line(`would remove ${printable(path)} (${bytes})`);
    else {
      await removeInstall(path);
      report.line(`✔ removed ${printable(path)} (${bytes})`);
    }
  }
  if (chosen.length === 0) report.line(`no libtorch is installed in ${cache}`);
  if (!all || dryRun) return;
  await sweep(cache);
  await clearDownloads(cache);
}

/** Whether an install has the version or the build, or is the one of both: `2.13.0`, `cpu`, `2.13.0-cpu`. */
function isNamed(path: string, name: string): boolean {
  const [whole = '', version, flavour] = /^([^-]+)-(.+)$/.exec(basename(path).replace(/^libtorch-/, '')) ?? [];
  return [whole, version, flavour].includes(name);
}

function notInstalled(names: readonly string[], paths: readonly string[], cache: string): Error {
  const there =
    paths.length === 0 ? 'nothing is' : `there is ${paths.map((path) => printable(basename(path))).join(', ')}`;
  return installFailed(`no ${names.join(' and no ')} is installed in ${cache}: ${there}`);
}

/** The bytes of the files below a directory. */
async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const file of files) {
    if (file.isFile()) bytes += (await lstat(join(file.parentPath, file.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
