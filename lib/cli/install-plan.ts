/** `libtorch-losses install --dry-run`: what an install would fetch, from where, and where it would put it. */
import { join } from 'node:path';
import { installName } from '../binding/cache';
import type { Host } from '../binding/host';
import { buildOf, openPackages, type PackagesToInstall } from './install-packages';
import { findPip } from './pip';
import { megabytes } from './report';
import {
  type CommandContext,
  givenFiles,
  noPip,
  notHad,
  requirementOf,
  type Wanted,
  wheelFromIndex,
  wheelPlatformOf,
} from './sources';
import { indexFor } from './wheel-index';

/** Prints the plan for files that were given. The files are read, and nothing is written. */
export async function planFromFiles(
  files: readonly string[],
  cache: string,
  host: Host,
  context: CommandContext,
): Promise<void> {
  const { paths } = await givenFiles(files);
  const { packages, torch, close }: PackagesToInstall = await openPackages(paths, host, context.env);
  try {
    for (const { archive, kind, wanted } of packages) {
      const bytes = [...wanted.values()].reduce((sum, file) => sum + file.size, 0);
      context.report.line(`would unpack ${wanted.size} files (${megabytes(bytes)}) of ${archive.path}, a ${kind}`);
    }
    const libraries = packages.flatMap(({ wanted }) => [...wanted.keys()]);
    const { version, flavour } = buildOf(torch.version, libraries);
    put(cache, { version, flavour }, context);
  } finally {
    close();
  }
}

/** Prints the plan for a download. pip is asked whether it is there; without it, the wheel index which wheel it has. */
export async function planDownload(wanted: Wanted, cache: string, host: Host, context: CommandContext): Promise<void> {
  const { env, report } = context;
  const platform = wheelPlatformOf(host);
  report.line(`libtorch ${wanted.version} (${wanted.flavour}) for ${platform.name}`);
  const pip = await findPip(context);
  if (pip === undefined) {
    report.line(`  ${noPip}; asking the wheel index`);
    const wheel = await wheelFromIndex(wanted, platform, host, context).catch((error) => {
      throw notHad(wanted, noPip, error);
    });
    const checked = wheel.sha256 === undefined ? '' : `, SHA-256 ${wheel.sha256}`;
    report.line(`would download ${wheel.name}${checked}`);
    report.line(`  from ${wheel.url}`);
  } else {
    const libraries = wanted.flavour === 'cpu' ? '' : ' and the CUDA libraries that it requires';
    report.line(`would download ${requirementOf(wanted, host)}${libraries} by ${pip.join(' ')}`);
    report.line(`  from the indexes that pip is set up for, and ${indexFor(wanted.flavour, env)}`);
  }
  put(cache, wanted, context);
}

function put(cache: string, { version, flavour }: Wanted, { report }: CommandContext): void {
  report.line(`would install it in ${join(cache, installName(version, flavour))}`);
  report.line('nothing was changed');
}
