/** Finds the addons: first those built in the checkout, then those of the package, each under its own root. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { path as resolvePrebuild } from 'node-gyp-build';
import { namesIn } from './libtorch-tree';
import { loadFailure } from './load-failure';

const packageRoot = resolve(__dirname, '..', '..');
const built = join(packageRoot, 'build', 'native', 'Release');
const brought = join(packageRoot, 'addons');

/**
 * The file of an addon, `loader` or `libtorch-2.13`.
 *
 * @throws LoadError `ADDON_NOT_FOUND`
 */
export function findAddon(name: string, version: string): string {
  const own = join(built, `${name}.node`);
  if (existsSync(own)) return own;
  const root = join(brought, name);
  const found = prebuilt(root);
  if ('file' in found) return found.file;
  const attempts = [
    { source: 'addon', path: own, outcome: 'no such file' },
    { source: 'addon', path: root, outcome: found.outcome },
  ];
  const remedies = [
    'npm run build                          in a source checkout, builds it for the libtorch that is found',
    'npx libtorch-losses install            installs a libtorch that this package has an addon for',
  ];
  const problem = `expected an addon for libtorch ${version} (${name}), but received none`;
  throw loadFailure('ADDON_NOT_FOUND', problem, { attempts, remedies, listed: true });
}

/** The addons for this machine: those for libtorch, and the loader. */
export function addonFiles(): string[] {
  const own = namesIn(built).filter((name) => name.endsWith('.node'));
  const roots = namesIn(brought).map((name) => prebuilt(join(brought, name)));
  return [...own.map((name) => join(built, name)), ...roots.flatMap((found) => ('file' in found ? [found.file] : []))];
}

function prebuilt(root: string): { file: string } | { outcome: string } {
  // It would also look beside Node's executable, where addons cannot be told apart.
  if (!existsSync(root)) return { outcome: 'no such folder' };
  try {
    return { file: resolvePrebuild(root) };
  } catch (error) {
    return { outcome: (error as Error).message.split('\n')[0] as string };
  }
}
