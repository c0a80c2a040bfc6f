/** Where an install gets its wheels from: files that are given, pip, or the wheel index. */
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Host } from '../../binding/host';
import type { CommandContext } from '../shared/command';
import { InstallError, installFailed } from '../shared/failures';
import { type WheelPlatform, wheelPlatform } from '../shared/platform';
import { secondsSince } from '../shared/report';
import { printable } from '../shared/text';
import { download, nameOf } from './download';
import { removeOwned } from './ownership';
import { cudaRequirements, findPip, type PipRequest, pipDownload } from './pip';
import { claimDownload } from './staging';
import { tail } from './subprocess';
import { openPackage } from './wheel';
import { findWheel, type IndexedWheel, indexFor } from './wheel-index';

/** An install under way. */
export interface Installation extends CommandContext {
  host: Host;
  cache: string;
  /** An empty directory of this install's own, for what is needed while it runs. */
  scratch: string;
  /** Whether to install what has no hash that it could be verified by. */
  allowUnverified: boolean;
}

/** The libtorch to bring. */
export interface Build {
  version: string;
  /** `'cpu'`, `'cu130'`, … */
  flavour: string;
}

/** The wheels or the archive to unpack. */
export interface Sources {
  paths: string[];
  /** Where the one at this path came from, for the marker. */
  origin(path: string): string;
  /** Takes away what was downloaded, which a later install would else go on with. */
  cleanUp(): Promise<void>;
  /** Lets other installs use the place of the download; call it in the end. */
  release(): Promise<void>;
}

const nothing = async (): Promise<void> => {};

/** The files that were named on the command line. */
export async function localFiles(files: readonly string[]): Promise<Sources> {
  const paths = files.map((file) => resolve(file));
  for (const path of paths) {
    const isFile = (await stat(path).catch(() => undefined))?.isFile();
    if (isFile !== true) throw installFailed(`${path} ${isFile === undefined ? 'does not exist' : 'is not a file'}`);
  }
  return { paths, origin: (path) => path, cleanUp: nothing, release: nothing };
}

/** The wheels through pip, else from the index. */
export async function fetchWheels(build: Build, installation: Installation): Promise<Sources> {
  const { host, report } = installation;
  const platform = wheelPlatformOf(host);
  report.line(`libtorch ${build.version} (${build.flavour}) for ${platform.name}`);
  const viaPip = await fromPip(build, platform, installation);
  if (typeof viaPip !== 'string') return viaPip;
  report.line(`  ${(viaPip.split('\n')[0] as string).replace(/:$/, '')}; asking the wheel index`);
  try {
    return await fromIndex(build, platform, installation);
  } catch (error) {
    throw unobtainable(build, viaPip, error);
  }
}

/** Neither pip nor the index has it. */
export function unobtainable({ version, flavour }: Build, viaPip: string, error: unknown): unknown {
  if (!(error instanceof InstallError)) return error;
  const problems = [`libtorch ${version} (${flavour}) could not be obtained`, viaPip, error.problem];
  return installFailed(problems.join('\n  '), [...error.remedies, ...remedies], error);
}

/** This machine's wheels. */
export function wheelPlatformOf(host: Host): WheelPlatform {
  const platform = wheelPlatform(host);
  if (platform !== undefined) return platform;
  throw installFailed(`PyTorch publishes no libtorch for this machine (${host.platform} ${host.arch})`, [
    'LIBTORCH=/path/to/libtorch     uses a libtorch that you built',
  ]);
}

const remedies = [
  'check the network connection and proxy, and run the command again',
  'libtorch-losses install --from-file <wheel>     installs a wheel that you downloaded by other means',
  'LIBTORCH_LOSSES_WHEEL_INDEX=<address>           names a mirror of the wheel index',
  'LIBTORCH=/path/to/libtorch                      uses a libtorch that you have',
];

/** Why pip cannot be asked. */
export const noPip = 'no Python with pip on PATH';

/** Through pip; a string says why not. */
async function fromPip(build: Build, platform: WheelPlatform, installation: Installation): Promise<Sources | string> {
  const { env, host, report, scratch: directory } = installation;
  const { flavour } = build;
  const start = performance.now();
  const pip = await findPip(installation);
  if (pip === undefined) return noPip;
  const requirement = requirementOf(build, host);
  const index = indexFor(flavour, env);
  const request = { pip, requirements: [requirement], dependencies: false, index, directory, platform };
  const wheels = await pipDownload(request, installation);
  if (typeof wheels === 'string') return `pip downloaded no ${requirement}:\n${tail(wheels, 6)}`;
  const torch = wheels[0] as string;
  const companions = flavour === 'cpu' ? [] : await cudaLibraries(torch, request, installation);
  if (typeof companions === 'string') return companions;
  const names = companions.length === 0 ? basename(torch) : `${basename(torch)} and ${companions.length} CUDA packages`;
  report.line(`✔ pip downloaded ${printable(names)} · ${secondsSince(start)}`);
  return {
    paths: [torch, ...companions],
    origin: (path) => `pip: ${basename(path)}`,
    cleanUp: () => removeOwned(directory),
    release: nothing,
  };
}

/** What pip is asked for; wheels for macOS name no build. */
export function requirementOf({ version, flavour }: Build, host: Host): string {
  return `torch==${version}${host.platform === 'darwin' ? '' : `+${flavour}`}`;
}

/** The wheels of the CUDA libraries that a CUDA wheel requires; a string says why not. */
async function cudaLibraries(
  torch: string,
  request: PipRequest,
  installation: Installation,
): Promise<string[] | string> {
  const pack = await openPackage(torch, installation.host);
  pack.archive.zip.close();
  const requirements = cudaRequirements(pack.requirements);
  if (requirements.length === 0) return [];
  const directory = join(request.directory, 'cuda');
  const wheels = await pipDownload({ ...request, requirements, dependencies: true, directory }, installation);
  return typeof wheels === 'string' ? `pip downloaded no CUDA libraries:\n${tail(wheels, 6)}` : wheels;
}

/** From the wheel index over HTTPS. */
async function fromIndex(build: Build, platform: WheelPlatform, installation: Installation): Promise<Sources> {
  const { cache, host, report, signal, scratch } = installation;
  const start = performance.now();
  const wheel = await wheelFromIndex(build, platform, host, installation);
  const { path, release } = await claimDownload(cache, wheel.name, scratch);
  try {
    const request = { url: wheel.url, path, ...(wheel.digest === undefined ? {} : { digest: wheel.digest }) };
    await download(request, { report, signal });
  } catch (error) {
    await release();
    throw error;
  }
  const { digest } = wheel;
  const checked = digest === undefined ? '' : `, ${nameOf(digest)} as in the index`;
  report.line(`✔ downloaded ${wheel.name}${checked} · ${secondsSince(start)}`);
  if (digest === undefined) report.line('! --allow-unverified: the index has no hash to verify it by');
  return { paths: [path], origin: () => wheel.url, cleanUp: () => rm(path, { force: true }), release };
}

/** The wheel that the index has for this machine; one that can be verified, unless it need not be. */
export async function wheelFromIndex(
  { version, flavour }: Build,
  platform: WheelPlatform,
  host: Host,
  { env, signal, allowUnverified }: CommandContext & { allowUnverified: boolean },
): Promise<IndexedWheel> {
  if (flavour !== 'cpu' && host.platform === 'linux') {
    const pip = `pip download --only-binary=:all: --extra-index-url ${indexFor(flavour, env)} torch==${version}+${flavour}`;
    throw installFailed('CUDA builds for Linux come in several packages, which only pip can put together', [
      'install pip for the Python on PATH (Debian, Ubuntu: apt-get install python3-pip), and run the command again',
      `or, on another machine: ${pip}`,
      'and here: libtorch-losses install --from-file *.whl',
    ]);
  }
  const wheel = await findWheel({ version, flavour, platform }, env, signal);
  if (wheel.digest !== undefined || allowUnverified) return wheel;
  throw installFailed(`${indexFor(flavour, env)} has no SHA-256, SHA-384 or SHA-512 for ${wheel.name}`, [
    '--allow-unverified     installs the wheel anyway, verified only by its own list of hashes',
  ]);
}
