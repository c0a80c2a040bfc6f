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
import { openPackages, type PackagesToInstall } from './packages';
import { planDownload, planFromFiles } from './plan';
import { fetchWheels, givenFiles, type Installation, type Sources, type Wanted } from './sources';
import { openStaging, placeFor, publish, sweep } from './staging';
import { checkLibraries, unpackPackages } from './wheel';

/** Runs `libtorch-losses install` with the arguments after `install`. */
export async function install(args: readonly string[], context: CommandContext): Promise<void> {
  const wanted = parseInstallArguments(args, context.env);
  const { env, report } = context;
  const host = thisHost();
  const cache = resolve(cacheDirectory(env, host));
  if (wanted.action === 'help') report.line(usage.replace('%CACHE%', () => printable(cache)));
  else if (wanted.action === 'list') await listInstalls(cache, env, host, report);
  else if (wanted.action === 'remove') await removeInstalls(cache, wanted.which, wanted.dryRun, report);
  else if (wanted.files.length === 0 && reportPresent(wanted, cache, report)) return;
  else if (!wanted.dryRun) await fetchAndUnpack(wanted, cache, host, context);
  else if (wanted.files.length > 0) await planFromFiles(wanted.files, cache, host, { ...context, ...wanted });
  else await planDownload(wanted, cache, host, { ...context, ...wanted });
}

type WantedInstall = Extract<InstallArguments, { action: 'install' }>;

async function fetchAndUnpack(
  wanted: WantedInstall,
  cache: string,
  host: Host,
  context: CommandContext,
): Promise<void> {
  const start = performance.now();
  const given = wanted.files.length > 0;
  await mkdir(cache, { recursive: true, mode: 0o755 });
  if (!given) await placeFor(cache, wanted);
  await sweep(cache);
  const staging = await openStaging(cache, 'install');
  const scratch = await openStaging(cache, 'scratch');
  let sources: Sources | undefined;
  try {
    const { allowUnverified } = wanted;
    const installation = { ...context, host, cache, scratch, allowUnverified };
    sources = given ? await givenFiles(wanted.files) : await fetchWheels(wanted, installation);
    const path = await unpack(sources, staging, installation, given ? undefined : wanted);
    await sources.cleanUp();
    context.report.line(`✔ installed in ${printable(path)} · ${secondsSince(start)}`);
  } finally {
    await sources?.release();
    // What cannot be removed now, the next install sweeps away; the error that led here counts more.
    await Promise.allSettled([removeOwned(staging), removeOwned(scratch)]);
  }
}

/** Says so if that libtorch is installed already. */
function reportPresent({ version, flavour }: Wanted, cache: string, report: Report): boolean {
  const path = join(cache, installName(version, flavour));
  if (typeof readInstall(path) === 'string') return false;
  report.line(`libtorch ${version} (${flavour}) is installed already in ${printable(path)}`);
  return true;
}

/** Unpacks, verifies, writes the marker and gives the install its name. */
async function unpack(
  sources: Sources,
  staging: string,
  installation: Installation,
  asked: Wanted | undefined,
): Promise<string> {
  const { cache, report, signal } = installation;
  let opened: PackagesToInstall | undefined;
  try {
    opened = await openPackages(sources.paths, { ...installation, asked });
    const { packages, torch, build } = opened;
    await placeFor(cache, build);
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
