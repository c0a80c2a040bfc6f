/**
 * Loads libtorch and the addon, once, at the first use: importing the package costs nothing and cannot fail.
 *
 * The loader addon opens libtorch by absolute path for the whole process and asks it for its version through libtorch's
 * stable C interface. Only then is the main addon opened that was compiled for that minor version; the libraries it
 * names are already mapped, so it needs no path to them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadError } from '../errors';
import { findAddon } from './addons';
import { collectYoung } from './collect-young';
import { explainFailure, missingCudaLibrary } from './cuda-libraries';
import { throwing } from './failures';
import { whyNotLoadable } from './library-file';
import { libraryFile } from './libtorch-tree';
import { defaultVersion, isSupported, minorOf, supportedRange } from './libtorch-versions';
import { loadFailure } from './load-failure';
import { allowUnsupported, type LocatedLibtorch, locateLibtorch } from './locate';
import type { Loader, Native } from './native';

/** The libraries that were loaded, and how they were chosen. */
export interface LoadedLibtorch {
  located: LocatedLibtorch;
  /** The version that the library itself reports: `'2.13.0'`. */
  version: string;
  /** The library file that was opened. */
  library: string;
  /** Whether libtorch's CUDA half is open, with or without a device to run on. */
  hasCuda: boolean;
  /** The addon file that was opened. */
  addon: string;
  /** Why libtorch's CUDA half could not be opened, if it exists and failed. */
  cudaFailure: string | undefined;
}

interface Loaded extends LoadedLibtorch {
  native: Native;
}

let loaded: Loaded | undefined;

/**
 * The main addon.
 *
 * @throws LoadError if libtorch or the addon cannot be found, opened or does not fit the other; a later call tries
 * again.
 */
export function native(): Native {
  loaded ??= load();
  return loaded.native;
}

/** The loaded libraries; loads them at the first call. */
export function loadedLibtorch(): LoadedLibtorch {
  loaded ??= load();
  return loaded;
}

/** Why the dynamic linker cannot open a library, in its own message; `undefined` if it can. */
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
  const { version, ...opened } = openLibtorch(loader, located);
  if (!isSupported(version)) refuseUnsupported(version, located);
  const addon = findAddon(`libtorch-${minorOf(version)}`, version);
  const native = throwing(requireFile(addon) as Native);
  native.connect({ emitWarning, collectYoung });
  return { located, version, ...opened, addon, native };
}

/** Opens libtorch: its CUDA half if it exists and can be opened, otherwise the CPU library alone. */
function openLibtorch(
  loader: Loader,
  located: LocatedLibtorch,
): Pick<LoadedLibtorch, 'version' | 'library' | 'hasCuda' | 'cudaFailure'> {
  const path = (name: string): string => join(located.lib, libraryFile(name, process.platform));
  const [core, cpu, cuda] = [path('c10'), path('torch_cpu'), path('torch_cuda')];
  let cudaFailure: string | undefined;
  if (existsSync(cuda)) {
    try {
      return { version: versionFrom(loader, cuda, cpu, core), library: cuda, hasCuda: true, cudaFailure };
    } catch (error) {
      cudaFailure = (error as Error).message;
    }
  }
  try {
    return { version: versionFrom(loader, cpu, core), library: cpu, hasCuda: false, cudaFailure };
  } catch (error) {
    throw cannotOpen(cpu, error as Error, located);
  }
}

function cannotOpen(library: string, cause: Error, located: LocatedLibtorch): LoadError {
  const reason = explainFailure(cause.message, located);
  const problem = `expected ${library} to be a library that this machine can open, but received: ${reason}`;
  const remedies = [
    ...(missingCudaLibrary(cause.message, located)?.remedies ?? []),
    'npx libtorch-losses install   installs a libtorch for this machine',
    'LIBTORCH=/path/to/libtorch    uses another one',
  ];
  const attempts = [...located.attempts, { source: 'open', path: library, outcome: reason }];
  return loadFailure('LIBTORCH_UNUSABLE', problem, { attempts, remedies, cause });
}

/** Opens a library of libtorch, which needs those named after it, and asks for the version. */
function versionFrom(loader: Loader, library: string, ...needed: readonly string[]): string {
  for (const file of [library, ...needed]) {
    const fault = whyNotLoadable(file, process.platform, process.arch);
    if (fault !== undefined) throw new Error(`${file}: ${fault}`);
  }
  const version = loader.open(library);
  if (version !== undefined) return version;
  throw new Error(`${library} does not say its version: it is older than ${supportedRange}, or not libtorch`);
}

function refuseUnsupported(version: string, located: LocatedLibtorch): void {
  const override = process.env.LIBTORCH_LOSSES_ALLOW_UNSUPPORTED;
  if (override !== undefined && !['', '0', 'false'].includes(override)) return;
  throw loadFailure(
    'LIBTORCH_UNSUPPORTED',
    `expected a version ${supportedRange}, but received ${version} in ${located.lib}`,
    {
      attempts: located.attempts,
      remedies: [`npx libtorch-losses install                  installs libtorch ${defaultVersion}`, allowUnsupported],
    },
  );
}

function requireFile(path: string): unknown {
  try {
    return require(path);
  } catch (cause) {
    const outcome = (cause as Error).message;
    throw loadFailure(
      'ADDON_NOT_FOUND',
      `expected ${path} to be an addon that this Node can open, but received: ${outcome}`,
      {
        attempts: [{ source: 'addon', path, outcome }],
        remedies: ['npm run build   in a source checkout, builds it for this machine'],
        cause,
      },
    );
  }
}

const warned = new Set<string>();

/** Passes a warning to `process.emitWarning`, once per text. */
export function emitWarning(message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  process.emitWarning(message, { type: 'TorchWarning' });
}
