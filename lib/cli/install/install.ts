/** `libtorch-losses install`: brings libtorch into the package's cache. The only part of the package that downloads. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheDirectory, installName, readInstall } from '../../binding/cache';
import { type Host, thisHost } from '../../binding/host';
import type { CommandContext } from '../shared/command';
import { megabytes, type Report, secondsSince } from '../shared/report';
import { printable } from '../shared/text';
import { type InstallArguments, parseInstallArguments, usage } from './arguments';
import { hashFile } from './download';
import { listInstalls, removeInstalls } from './list';
import { removeOwned } from './ownership';
import { type OpenedPackages, openPackages } from './packages';
import { planDownload, planFromFiles } from './plan';
import { type Build, fetchWheels, type Installation, localFiles, type Sources } from './sources';
import { destinationFor, openStaging, publish, sweep } from './staging';
import { checkLibraries, unpackPackages } from './wheel';

/** Runs `libtorch-losses install` with the arguments after `install`. */
export async function install(args: readonly string[], context: CommandContext): Promise<void> {
  const request = parseInstallArguments(args, context.env);
  const { env, report } = context;
  const host = thisHost();
  const cache = resolve(cacheDirectory(env, host));
  if (request.action === 'help') report.line(usage.replace('%CACHE%', () => printable(cache)));
  else if (request.action === 'list') await listInstalls(cache, env, host, report);
  else if (request.action === 'remove') await removeInstalls(cache, request.which, request.dryRun, report);
  else if (request.files.length === 0 && reportExisting(request, cache, report)) return;
  else if (!request.dryRun) await fetchAndUnpack(request, cache, host, context);
  else if (request.files.length > 0) await planFromFiles(request.files, cache, host, { ...context, ...request });
  else await planDownload(request, cache, host, { ...context, ...request });
}

type InstallRequest = Extract<InstallArguments, { action: 'install' }>;

async function fetchAndUnpack(
  request: InstallRequest,
  cache: string,
  host: Host,
  context: CommandContext,
): Promise<void> {
  const start = performance.now();
  const given = request.files.length > 0;
  await mkdir(cache, { recursive: true, mode: 0o755 });
  if (!given) await destinationFor(cache, request);
  await sweep(cache);
  const staging = await openStaging(cache, 'install');
  const scratch = await openStaging(cache, 'scratch');
  let sources: Sources | undefined;
  try {
    const { allowUnverified } = request;
    const installation = { ...context, host, cache, scratch, allowUnverified };
    sources = given ? await localFiles(request.files) : await fetchWheels(request, installation);
    const path = await unpack(sources, staging, installation, given ? undefined : request);
    await sources.cleanUp();
    context.report.line(`✔ installed in ${printable(path)} · ${secondsSince(start)}`);
  } finally {
    await sources?.release();
    // What cannot be removed now, the next install sweeps away; the error that led here counts more.
    await Promise.allSettled([removeOwned(staging), removeOwned(scratch)]);
  }
}

/** Says so if that libtorch is installed already. */
function reportExisting({ version, flavour }: Build, cache: string, report: Report): boolean {
  const path = join(cache, installName(version, flavour));
  if (typeof readInstall(path) === 'string') return false;
  report.line(`libtorch ${version} (${flavour}) is already installed in ${printable(path)}`);
  return true;
}

/** Unpacks, verifies, writes the marker and gives the install its name. */
async function unpack(
  sources: Sources,
  staging: string,
  installation: Installation,
  requested: Build | undefined,
): Promise<string> {
  const { cache, report, signal } = installation;
  let opened: OpenedPackages | undefined;
  try {
    opened = await openPackages(sources.paths, { ...installation, requested });
    const { packages, torch, build } = opened;
    await destinationFor(cache, build);
    const start = performance.now();
    const { files, bytes, libraries } = await unpackPackages(packages, staging, { report, signal });
    checkLibraries(torch, staging, installation.host);
    const isVerified = torch.record !== undefined;
    const how = isVerified ? ", verified against the wheel's RECORD" : '';
    report.line(`✔ unpacked ${files} files (${megabytes(bytes)})${how} · ${secondsSince(start)}`);
    if (!isVerified) report.line("! --allow-unverified: nothing proves that the content of this archive is PyTorch's");
    const { path } = torch.archive;
    const sha256 = (await hashFile(path)).digest('hex');
    return await publish(staging, { ...build, source: sources.origin(path), sha256, files, libraries });
  } catch (error) {
    // What could not be unpacked would fail again: the next install is to download it anew.
    if (!signal.aborted) await sources.cleanUp();
    throw error;
  } finally {
    opened?.close();
  }
}
