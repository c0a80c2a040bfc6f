/**
 * Loads libtorch and the addon, once, at the first use: importing the package costs nothing and cannot fail.
 *
 * The loader addon opens libtorch by absolute path for the whole process and asks it for its version through libtorch's
 * stable C interface. Only then is the main addon opened that was compiled for that minor version; the libraries it
 * names are already mapped, so it needs no path to them.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { path as resolvePrebuild } from 'node-gyp-build';
import { LoadError } from '../errors';
import { throwing } from './failures';
import { libraryFile } from './libtorch-tree';
import { isSupported, minorOf, supportedRange } from './libtorch-versions';
import { type LocatedLibtorch, locateLibtorch } from './locate';
import type { Loader, Native } from './native';

/** What was loaded, and why that. */
export interface LoadedLibtorch {
  located: LocatedLibtorch;
  /** The version that the library itself reports: `'2.13.0'`. */
  version: string;
  /** The library file that was opened. */
  library: string;
  /** The addon file that was opened. */
  addon: string;
  /** Why libtorch's CUDA half could not be opened, where it is there and failed. */
  cudaFailure: string | undefined;
}

interface Loaded extends LoadedLibtorch {
  native: Native;
}

const packageRoot = resolve(__dirname, '..', '..');

/** Where addons are looked for: what was built here first, then what the package brings, a root for each. */
const [built, brought] = [join(packageRoot, 'build', 'native', 'Release'), join(packageRoot, 'addons')];

let loaded: Loaded | undefined;

/**
 * The main addon.
 *
 * @throws LoadError if libtorch or the addon cannot be found, opened or does not fit the other; a later call tries again.
 */
export function native(): Native {
  loaded ??= load();
  return loaded.native;
}

/** What was loaded; loads it if nothing is yet. */
export function loadedLibtorch(): LoadedLibtorch {
  loaded ??= load();
  return loaded;
}

/** Why the dynamic linker cannot open a library, in its own words; `undefined` if it can. */
export function whyCannotOpen(library: string): string | undefined {
  try {
    loaderAddon().open(library);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function loaderAddon(): Loader {
  return requireFile(findAddon('loader', 'any version')) as Loader;
}

function load(): Loaded {
  const loader = loaderAddon();
  const located = locateLibtorch();
  const { version, library, cudaFailure } = openLibtorch(loader, located);
  if (!isSupported(version)) refuseUnsupported(version, located);
  const addon = findAddon(`libtorch-${minorOf(version)}`, version);
  const native = throwing(requireFile(addon) as Native);
  native.connect({ emitWarning });
  return { located, version, library, addon, cudaFailure, native };
}

/** Opens libtorch: its CUDA half where it is there and can be opened, else the CPU library alone. */
function openLibtorch(
  loader: Loader,
  located: LocatedLibtorch,
): Pick<LoadedLibtorch, 'version' | 'library' | 'cudaFailure'> {
  const path = (name: string): string => join(located.lib, libraryFile(name, process.platform));
  const cuda = path('torch_cuda');
  let cudaFailure: string | undefined;
  if (existsSync(cuda)) {
    try {
      return { version: versionFrom(loader, cuda), library: cuda, cudaFailure };
    } catch (error) {
      cudaFailure = (error as Error).message;
    }
  }
  const cpu = path('torch_cpu');
  try {
    return { version: versionFrom(loader, cpu), library: cpu, cudaFailure };
  } catch (cause) {
    const attempts = [...located.attempts, { source: 'open', path: cpu, outcome: (cause as Error).message }];
    const message =
      `libtorch: expected ${cpu} to be a library that this machine can open, but received: ${(cause as Error).message}\n` +
      'Possible solutions:\n  npx libtorch-losses install   installs a libtorch for this machine\n' +
      '  LIBTORCH=/path/to/libtorch    uses another one';
    throw new LoadError('LIBTORCH_UNUSABLE', message, attempts, { op: 'libtorch', cause });
  }
}

function versionFrom(loader: Loader, library: string): string {
  const version = loader.open(library);
  if (version !== undefined) return version;
  throw new Error(`${library} does not say its version: it is older than ${supportedRange}, or not libtorch`);
}

function refuseUnsupported(version: string, located: LocatedLibtorch): void {
  const message = `libtorch: expected a version ${supportedRange}, but received ${version} in ${located.lib}`;
  const override = process.env.LIBTORCH_LOSSES_ALLOW_UNSUPPORTED;
  if (override === undefined || ['', '0', 'false'].includes(override)) {
    throw new LoadError('LIBTORCH_UNSUPPORTED', message, located.attempts, { op: 'libtorch' });
  }
}

function findAddon(name: string, version: string): string {
  const own = join(built, `${name}.node`);
  if (existsSync(own)) return own;
  const root = join(brought, name);
  let outcome = `no addons/${name}`;
  try {
    // It would look beside Node's own program, where there is no telling one addon from the other.
    if (existsSync(root)) return resolvePrebuild(root);
  } catch (error) {
    outcome = (error as Error).message.split('\n')[0] as string;
  }
  const attempts = [
    { source: 'addon', path: own, outcome: 'no such file' },
    { source: 'addon', path: root, outcome },
  ];
  const message = [
    `libtorch: expected an addon for libtorch ${version} (${name}), but received none`,
    'Places looked at:',
    ...attempts.map((attempt) => `  ${attempt.path}: ${attempt.outcome}`),
    'Possible solutions:',
    '  npm run build                          in a source checkout, builds it for the libtorch that is found',
    '  npx libtorch-losses install            installs a libtorch that this package has an addon for',
  ].join('\n');
  throw new LoadError('ADDON_NOT_FOUND', message, attempts, { op: 'libtorch' });
}

function requireFile(path: string): unknown {
  try {
    return require(path);
  } catch (cause) {
    const outcome = (cause as Error).message;
    const message =
      `libtorch: expected ${path} to be an addon that this Node can open, but received: ${outcome}\n` +
      'Possible solutions:\n  npm run build   in a source checkout, builds it for this machine';
    throw new LoadError('ADDON_NOT_FOUND', message, [{ source: 'addon', path, outcome }], { op: 'libtorch', cause });
  }
}

const warned = new Set<string>();

/** Passes a warning to `process.emitWarning`, once per text. */
export function emitWarning(message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.emitWarning(message, { type: 'TorchWarning' });
}
