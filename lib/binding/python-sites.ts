/** Where Python installations keep their packages, found by their usual directory layout: Python is not started. */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import type { Host } from './host';
import { isDirectory, isFile, namesIn } from './libtorch-tree';

/** The package directories below an installation's prefix that exist, newest Python first. */
export function sitePackagesOf(prefix: string, platform: NodeJS.Platform): string[] {
  if (platform === 'win32') return [join(prefix, 'Lib', 'site-packages')].filter(isDirectory);
  const found: string[] = [];
  for (const lib of ['lib', 'lib64', join('local', 'lib')]) {
    const pythons = namesIn(join(prefix, lib)).filter((name) => /^python3(\.\d+t?)?$/.test(name));
    pythons.sort((a, b) => minorNumber(b) - minorNumber(a));
    for (const python of pythons) {
      for (const packages of ['site-packages', 'dist-packages']) found.push(join(prefix, lib, python, packages));
    }
  }
  return found.filter(isDirectory);
}

function minorNumber(name: string): number {
  return Number(/^python3\.(\d+)/.exec(name)?.[1] ?? -1);
}

/** The prefixes of the first `python3` on `PATH`: as it is written there, and where its links lead. */
export function pythonPrefixes(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const names = platform === 'win32' ? ['python.exe', 'python3.exe'] : ['python3', 'python'];
  const directories = (env.PATH ?? env.Path ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const name of names) {
    const executable = directories.map((directory) => join(directory, name)).find(isFile);
    if (executable !== undefined) return [...new Set(prefixesOf(executable, env, platform))];
  }
  return [];
}

function prefixesOf(executable: string, env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const directory = dirname(executable);
  if (basename(directory) === 'shims') return shimmedPrefixes(dirname(directory), env);
  const real = dirname(realpathSync(executable));
  return platform === 'win32' ? [directory, real] : [dirname(directory), dirname(real)];
}

/** pyenv puts scripts on `PATH` that choose among its `versions/` by `PYENV_VERSION` or the `version` file. */
function shimmedPrefixes(root: string, env: NodeJS.ProcessEnv): string[] {
  let chosen = env.PYENV_VERSION;
  if (chosen === undefined || chosen === '') {
    const file = join(root, 'version');
    chosen = isFile(file) ? readFileSync(file, 'utf8') : '';
  }
  const versions = chosen.split(/[:\s]+/).filter((version) => version !== '' && version !== 'system');
  return versions.map((version) => join(root, 'versions', version)).filter(isDirectory);
}

/** The user's own package directories (`pip install --user`) that exist, newest Python first. */
export function userSites(env: NodeJS.ProcessEnv, host: Host): string[] {
  const base = env.PYTHONUSERBASE;
  if (host.platform === 'win32') {
    const python = base ?? join(env.APPDATA ?? join(host.home, 'AppData', 'Roaming'), 'Python');
    const versions = namesIn(python).filter((name) => /^Python3\d+$/.test(name));
    return versions.map((name) => join(python, name, 'site-packages')).filter(isDirectory);
  }
  const sites = sitePackagesOf(base ?? join(host.home, '.local'), host.platform);
  if (host.platform !== 'darwin' || base !== undefined) return sites;
  const library = join(host.home, 'Library', 'Python');
  const frameworks = namesIn(library).map((name) => join(library, name, 'lib', 'python', 'site-packages'));
  return [...frameworks.filter(isDirectory), ...sites];
}
