// Typedoc and the TypeScript that it needs, as this folder's lock file pins them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);

/** Installs what is missing; gives npm's words where it cannot. */
export function installPackages() {
  const { dependencies } = read(new URL('package.json', here));
  const isInstalled = Object.entries(dependencies).every(([name, version]) => {
    const manifest = new URL(`node_modules/${name}/package.json`, here);
    return existsSync(manifest) && read(manifest).version === version;
  });
  if (isInstalled) return undefined;
  const { status, stderr, error } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(here),
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 240_000,
  });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

function read(url) {
  return JSON.parse(readFileSync(url, 'utf8'));
}
