/** `libtorch-losses install`: brings libtorch into the package's cache. The only part of the package that downloads. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory, type InstallMarker, installName, readInstall } from '../binding/cache';
import { thisHost } from '../binding/host';
import { defaultVersion, exampleCudaFlavour, isSupported, supportedRange } from '../binding/libtorch-versions';
import { expected, show, TorchError } from '../errors';
import { hashFile } from './download';
import { megabytes, type Report, secondsSince } from './report';
import { type CommandContext, fetchWheels, givenFiles, type Installation, type Sources, type Wanted } from './sources';
import { openStaging, publish, sweep } from './staging';
import { openPackage, type Package, unpackPackages } from './wheel';

/** The help text of the command; `%CACHE%` stands for the cache directory. */
const usage = `Usage: libtorch-losses install [options]

Installs libtorch into this package's cache, from where it is found when the package is used.

Options:
  --version <version>    the libtorch to install, ${supportedRange} (default: ${defaultVersion})
  --cuda <build>         a build for CUDA, such as ${exampleCudaFlavour} (default: the CPU build)
  --from-file <file> …   a PyTorch wheel or a libtorch zip instead of a download; for CUDA also the wheels that its
                         libraries come in
  --help                 this text

Wheels come through pip where it is there, else from PyTorch's wheel index.

Environment variables:
  LIBTORCH_LOSSES_CACHE        the cache directory (now: %CACHE%)
  LIBTORCH_LOSSES_WHEEL_INDEX  a mirror of PyTorch's wheel index`;

/** What the arguments ask for. */
export type InstallArguments = { help: true } | ({ help: false; files: string[] } & Wanted);

/** Runs `libtorch-losses install` with the arguments after `install`. */
export async function install(args: readonly string[], context: CommandContext): Promise<void> {
  const wanted = parseInstallArguments(args, context.env);
  const host = thisHost();
  const cache = resolve(cacheDirectory(context.env, host));
  if (wanted.help) {
    context.report.line(usage.replace('%CACHE%', cache));
    return;
  }
  const start = performance.now();
  if (wanted.files.length === 0 && reportPresent(wanted, cache, context.report)) return;
  await mkdir(cache, { recursive: true });
  await sweep(cache);
  const staging = await openStaging(cache, 'install');
  const scratch = await openStaging(cache, 'scratch');
  let sources: Sources | undefined;
  try {
    const installation = { ...context, host, cache, scratch };
    sources = wanted.files.length > 0 ? await givenFiles(wanted.files) : await fetchWheels(wanted, installation);
    const path = await unpack(sources, staging, installation);
    await sources.cleanUp();
    context.report.line(`✔ installed in ${path} · ${secondsSince(start)}`);
  } finally {
    await sources?.release();
    await rm(staging, { recursive: true, force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Reads the arguments; every mistake is an `INVALID_ARGUMENT` (or `LIBTORCH_UNSUPPORTED`) error. */
export function parseInstallArguments(args: readonly string[], env: NodeJS.ProcessEnv): InstallArguments {
  const { values, positionals } = parse(args);
  if (values.help === true) return { help: true };
  const files = values['from-file'] ?? [];
  // The shell spreads `--from-file *.whl` over the option and plain arguments.
  if (files.length > 0) files.push(...positionals);
  else if (positionals.length > 0) throw expected('install', 'options', 'only', show(positionals[0]));
  if (files.length > 0 && (values.version !== undefined || values.cuda !== undefined)) {
    throw expected('install', "'--from-file'", 'to stand alone', '--version or --cuda with it: the file tells both');
  }
  const version = values.version ?? defaultVersion;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw expected('install', "'--version'", `to be a full version like ${defaultVersion}`, show(version));
  }
  checkSupported(version, env);
  const flavour = values.cuda ?? 'cpu';
  if (values.cuda !== undefined && !/^cu\d{2,3}$/.test(flavour)) {
    throw expected('install', "'--cuda'", `to be a CUDA build like ${exampleCudaFlavour}`, show(flavour));
  }
  return { help: false, version, flavour, files };
}

function parse(args: readonly string[]) {
  const options = {
    version: { type: 'string' },
    cuda: { type: 'string' },
    'from-file': { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const message = `install: ${(error as Error).message}; options are ${known.join(', ')}`;
    throw new TorchError('INVALID_ARGUMENT', message, { op: 'install', cause: error });
  }
}

function checkSupported(version: string, env: NodeJS.ProcessEnv): void {
  if (isSupported(version) || env.LIBTORCH_LOSSES_ALLOW_UNSUPPORTED === '1') return;
  const message = `install: expected the version of libtorch to be one of ${supportedRange}, but received ${version}`;
  throw new TorchError('LIBTORCH_UNSUPPORTED', message, { op: 'install', argument: '--version' });
}

/** Says so if that libtorch is installed already. */
function reportPresent({ version, flavour }: Wanted, cache: string, report: Report): boolean {
  const path = join(cache, installName(version, flavour));
  if (typeof readInstall(path) === 'string') return false;
  report.line(`libtorch ${version} (${flavour}) is installed already in ${path}`);
  return true;
}

/** Unpacks, verifies, writes the marker and gives the install its name. */
async function unpack(sources: Sources, staging: string, installation: Installation): Promise<string> {
  const { env, host, report, signal } = installation;
  const packages: Package[] = [];
  try {
    for (const path of sources.paths) packages.push(await openPackage(path, host));
    const [torch, ...others] = packages.filter(({ kind }) => kind !== 'companion wheel');
    if (torch === undefined || others.length > 0) {
      const count = torch === undefined ? 'none' : `${others.length + 1} of them`;
      throw expected('install', "'--from-file'", 'to name one wheel of torch or one libtorch archive', count);
    }
    checkSupported(torch.version, env);
    const start = performance.now();
    const { files, bytes, libraries } = await unpackPackages(packages, staging, { report, signal });
    const how = torch.record === undefined ? 'verified by checksum' : "verified against the wheel's RECORD";
    report.line(`✔ unpacked ${files} files (${megabytes(bytes)}), ${how} · ${secondsSince(start)}`);
    const { path } = torch.archive;
    const sha256 = (await hashFile(path)).digest('hex');
    return await publish(staging, marker(torch.version, { source: sources.origin(path), sha256, files, libraries }));
  } catch (error) {
    // What could not be unpacked would fail again: the next install is to download it anew.
    if (!signal.aborted) await sources.cleanUp();
    throw error;
  } finally {
    for (const { archive } of packages) archive.zip.close();
  }
}

/** `2.13.0+cpu` names its build; a version that does not is told by its libraries. */
function marker(version: string, rest: Omit<InstallMarker, 'version' | 'flavour'>): InstallMarker {
  const [release = version, local] = version.split('+');
  const cuda = Object.keys(rest.libraries).some((path) => /torch_cuda\.(so|dll)$/.test(path));
  return { version: release, flavour: local ?? (cuda ? 'cuda' : 'cpu'), ...rest };
}
