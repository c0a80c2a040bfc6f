/**
 * Finds libtorch on the file system, in this order:
 *
 * 1. `LIBTORCH`: a libtorch root, its `lib/`, or a Python `torch/` package directory; unusable is an error.
 * 2. `LIBTORCH_USE_PYTORCH=1`, or an active virtualenv or conda environment: the `torch` package there.
 * 3. The package's own cache, filled by `npx libtorch-losses install`.
 * 4. The system's library directories.
 *
 * Nothing is loaded, nothing is downloaded and Python is not started.
 */
import { join } from 'node:path';
import type { LoadAttempt, LoadError, LoadErrorCode } from '../errors';
import { cacheContents, cacheDirectory } from './cache';
import { type Host, systemDirectories, thisHost } from './host';
import { inspectTree, type LibtorchTree, libraryFile } from './libtorch-tree';
import { defaultVersion, exampleCudaFlavour, isSupported, supportedRange } from './libtorch-versions';
import { loadFailure } from './load-failure';
import { pythonPrefixes, sitePackagesOf, userSites } from './python-sites';

/** Where libtorch was found, by the step of the search that found it. */
export type LibtorchSource = 'LIBTORCH' | 'LIBTORCH_USE_PYTORCH' | 'virtualenv' | 'conda' | 'cache' | 'system';

/** The libtorch to load. */
export interface LocatedLibtorch extends LibtorchTree {
  source: LibtorchSource;
  /** All places searched, this one last. */
  attempts: readonly LoadAttempt[];
}

/** A place that may hold libtorch. */
interface Candidate {
  source: LibtorchSource;
  path: string;
}

/** A search in progress. */
interface Search {
  env: NodeJS.ProcessEnv;
  host: Host;
  attempts: LoadAttempt[];
}

/**
 * Finds libtorch.
 *
 * @param env the environment variables that steer the search: `LIBTORCH`, `LIBTORCH_USE_PYTORCH`, `VIRTUAL_ENV`,
 *   `CONDA_PREFIX`, `LIBTORCH_LOSSES_CACHE`, `LIBTORCH_LOSSES_ALLOW_UNSUPPORTED`, `PATH`, `PYTHONUSERBASE`, …
 * @param host the machine searched.
 * @throws LoadError `LIBTORCH_UNUSABLE` if `LIBTORCH` or `LIBTORCH_USE_PYTORCH` ask for something that does not exist,
 *   `LIBTORCH_UNSUPPORTED` if what they name (or all that was found) is outside the support window and
 *   `LIBTORCH_LOSSES_ALLOW_UNSUPPORTED=1` is not set, `LIBTORCH_NOT_FOUND` if there is none; `attempts` says what was
 *   looked at.
 */
export function locateLibtorch(env: NodeJS.ProcessEnv = process.env, host: Host = thisHost()): LocatedLibtorch {
  const search: Search = { env, host, attempts: [] };
  const named = env.LIBTORCH;
  if (named !== undefined && named !== '') return fromVariable(search, named);
  search.attempts.push({ source: 'LIBTORCH', outcome: 'not set' });

  if (isOn(env.LIBTORCH_USE_PYTORCH)) return fromPython(search);
  const found = fromActiveEnvironment(search) ?? fromCache(search) ?? fromSystem(search);
  if (found !== undefined) return found;
  throw notFound(search);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

function fromVariable(search: Search, path: string): LocatedLibtorch {
  const found = attempt(search, { source: 'LIBTORCH', path });
  if (found !== undefined) return found;
  const what = 'to be a libtorch root, its lib/ directory or a Python torch/ directory';
  throw refusal(search, `expected LIBTORCH ${what}`, `'${path}' (${lastOutcome(search)})`);
}

/** `LIBTORCH_USE_PYTORCH=1`: the active environments first, then the Python on `PATH`, then the user's packages. */
function fromPython(search: Search): LocatedLibtorch {
  const { env, host } = search;
  const source = 'LIBTORCH_USE_PYTORCH';
  const prefixes = [...activeEnvironments(env).map(({ path }) => path), ...pythonPrefixes(env, host.platform)];
  const sites = [...prefixes.flatMap((prefix) => sitePackagesOf(prefix, host.platform)), ...userSites(env, host)];
  const paths = [...new Set(sites)].map((site) => join(site, 'torch'));
  for (const path of paths) {
    const found = attempt(search, { source, path });
    if (found !== undefined) return found;
  }
  if (paths.length === 0) search.attempts.push({ source, outcome: 'no Python on PATH with a package directory' });
  throw refusal(search, `expected ${source}=1 to find the Python package torch`, 'none that can be used');
}

function activeEnvironments(env: NodeJS.ProcessEnv): Candidate[] {
  const active: Candidate[] = [];
  if (env.VIRTUAL_ENV) active.push({ source: 'virtualenv', path: env.VIRTUAL_ENV });
  if (env.CONDA_PREFIX) active.push({ source: 'conda', path: env.CONDA_PREFIX });
  return active;
}

function fromActiveEnvironment(search: Search): LocatedLibtorch | undefined {
  const active = activeEnvironments(search.env);
  if (active.length === 0) {
    search.attempts.push({ source: 'virtualenv, conda', outcome: 'none is active (VIRTUAL_ENV, CONDA_PREFIX)' });
  }
  for (const { source, path } of active) {
    const packages = sitePackagesOf(path, search.host.platform).map((site) => join(site, 'torch'));
    // conda's own libtorch package puts the libraries into the environment's lib/.
    if (source === 'conda') packages.push(path);
    if (packages.length === 0) search.attempts.push({ source, path, outcome: 'no site-packages directory' });
    for (const candidate of packages) {
      const found = attempt(search, { source, path: candidate });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function fromCache(search: Search): LocatedLibtorch | undefined {
  const directory = cacheDirectory(search.env, search.host);
  const { installs, rejected } = cacheContents(directory);
  for (const { path, reason } of rejected) search.attempts.push({ source: 'cache', path, outcome: reason });
  for (const { path } of installs) {
    const found = attempt(search, { source: 'cache', path: join(path, 'torch') });
    if (found !== undefined) return found;
  }
  if (installs.length === 0) {
    search.attempts.push({ source: 'cache', path: directory, outcome: 'no completed install' });
  }
  return undefined;
}

function fromSystem(search: Search): LocatedLibtorch | undefined {
  for (const path of systemDirectories(search.host)) {
    const found = attempt(search, { source: 'system', path });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Examines one place and records the outcome; returns the libtorch there if it can be used. */
function attempt(search: Search, { source, path }: Candidate): LocatedLibtorch | undefined {
  const { attempts } = search;
  const tree = inspectTree(path, search.host.platform);
  if (typeof tree === 'string') {
    attempts.push({ source, path, outcome: tree });
    return undefined;
  }
  const { version, flavour } = tree;
  const name = version === undefined ? `libtorch of unknown version (${flavour})` : `libtorch ${version} (${flavour})`;
  if (version !== undefined && !isSupported(version)) {
    if (!isOn(search.env.LIBTORCH_LOSSES_ALLOW_UNSUPPORTED)) {
      attempts.push({ source, path, outcome: `${name}: ${unsupportedNote}` });
      return undefined;
    }
    process.emitWarning(`${name} in ${tree.lib} is outside the supported versions ${supportedRange}`, {
      code: 'LIBTORCH_UNSUPPORTED',
    });
  }
  attempts.push({ source, path, outcome: name });
  return { ...tree, source, attempts };
}

const unsupportedNote = `unsupported, ${supportedRange} are supported`;

function lastOutcome(search: Search): string {
  return search.attempts.at(-1)?.outcome ?? 'nothing there';
}

/** Whether something was found that has an unsupported version and no other problem. */
function foundUnsupported(search: Search): boolean {
  return search.attempts.some(({ outcome }) => outcome.endsWith(unsupportedNote));
}

function refusal(search: Search, expectation: string, actual: string): LoadError {
  const code = foundUnsupported(search) ? 'LIBTORCH_UNSUPPORTED' : 'LIBTORCH_UNUSABLE';
  return failure(search, code, `${expectation}, but received ${actual}`);
}

function notFound(search: Search): LoadError {
  if (foundUnsupported(search)) {
    const problem = `expected a libtorch of a version ${supportedRange} to be installed, but received other versions only`;
    return failure(search, 'LIBTORCH_UNSUPPORTED', problem);
  }
  return failure(search, 'LIBTORCH_NOT_FOUND', 'expected libtorch to be installed, but received no place that has it');
}

function failure(search: Search, code: LoadErrorCode, problem: string): LoadError {
  return loadFailure(code, problem, { attempts: search.attempts, remedies: remediesFor(search), listed: true });
}

/** The commands that help. */
function remediesFor(search: Search): string[] {
  const library = libraryFile('torch_cpu', search.host.platform);
  const remedies = [
    `npx libtorch-losses install                  installs libtorch ${defaultVersion} for the CPU`,
    `npx libtorch-losses install --cuda ${exampleCudaFlavour}     or one for CUDA`,
    `LIBTORCH=/path/to/libtorch                   uses a libtorch you have (a directory with lib/${library})`,
    "LIBTORCH_USE_PYTORCH=1                       uses the PyTorch of the Python on PATH (the package's torch/)",
  ];
  return foundUnsupported(search) ? [...remedies, allowUnsupported] : remedies;
}

/** The setting that lets any version be used. */
export const allowUnsupported =
  'LIBTORCH_LOSSES_ALLOW_UNSUPPORTED=1          uses an unsupported version at your own risk';
