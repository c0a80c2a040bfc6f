/** `libtorch-losses install`: brings libtorch into the package's cache. The only part of the package that downloads. */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cacheDirectory, installName, readInstall } from '../binding/cache';
import { type Host, thisHost } from '../binding/host';
import { hashFile } from './download';
import { type InstallArguments, parseInstallArguments, usage } from './install-arguments';
import { listInstalls, removeInstalls } from './install-list';
import { buildOf, openPackages, type PackagesToInstall } from './install-packages';
import { planDownload, planFromFiles } from './install-plan';
import { megabytes, type Report, secondsSince } from './report';
import { type CommandContext, fetchWheels, givenFiles, type Installation, type Sources, type Wanted } from './sources';
import { openStaging, publish, sweep } from './staging';
import { unpackPackages } from './wheel';

/** Runs `libtorch-losses install` with the arguments after `install`. */
export async function install(args: readonly string[], context: CommandContext): Promise<void> {
  const wanted = parseInstallArguments(args, context.env);
  const { env, report } = context;
  const host = thisHost();
  const cache = resolve(cacheDirectory(env, host));
  if (wanted.action === 'help') report.line(usage.replace('%CACHE%', cache));
  else if (wanted.action === 'list') await listInstalls(cache, env, host, report);
  else if (wanted.action === 'remove') await removeInstalls(cache, wanted.which, wanted.dryRun, report);
  else if (wanted.files.length === 0 && reportPresent(wanted, cache, report)) return;
  else if (!wanted.dryRun) await fetchAndUnpack(wanted, cache, host, context);
  else if (wanted.files.length > 0) await planFromFiles(wanted.files, cache, host, context);
  else await planDownload(wanted, cache, host, context);
}

async function fetchAndUnpack(
  wanted: Extract<InstallArguments, { action: 'install' }>,
  cache: string,
  host: Host,
  context: CommandContext,
): Promise<void> {
  const start = performance.now();
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
  let opened: PackagesToInstall | undefined;
  try {
    opened = await openPackages(sources.paths, host, env);
    const { packages, torch } = opened;
    const start = performance.now();
    const { files, bytes, libraries } = await unpackPackages(packages, staging, { report, signal });
    const how = torch.record === undefined ? 'verified by checksum' : "verified against the wheel's RECORD";
    report.line(`✔ unpacked ${files} files (${megabytes(bytes)}), ${how} · ${secondsSince(start)}`);
    const { path } = torch.archive;
    const sha256 = (await hashFile(path)).digest('hex');
    const build = buildOf(torch.version, Object.keys(libraries));
    return await publish(staging, { ...build, source: sources.origin(path), sha256, files, libraries });
  } catch (error) {
    // What could not be unpacked would fail again: the next install is to download it anew.
    if (!signal.aborted) await sources.cleanUp();
    throw error;
  } finally {
    opened?.close();
  }
}
