/** `libtorch-losses install --dry-run`: what an install would fetch, from where, and where it would printDestination it. */
import type { Host } from '../../binding/host';
import type { CommandContext } from '../shared/command';
import { megabytes } from '../shared/report';
import { printable } from '../shared/text';
import { nameOf } from './download';
import { openPackages } from './packages';
import { findPip } from './pip';
import { type Build, localFiles, noPip, requirementOf, unobtainable, wheelFromIndex, wheelPlatformOf } from './sources';
import { destinationFor } from './staging';
import { indexFor } from './wheel-index';

/** Prints the plan for files that were given. The files are read, and nothing is written. */
export async function planFromFiles(
  files: readonly string[],
  cache: string,
  host: Host,
  context: CommandContext & { allowUnverified: boolean },
): Promise<void> {
  const { paths } = await localFiles(files);
  const { packages, build, close } = await openPackages(paths, { ...context, host, requested: undefined });
  try {
    for (const { archive, kind, targets } of packages) {
      const bytes = [...targets.values()].reduce((sum, file) => sum + file.size, 0);
      context.report.line(
        `would unpack ${targets.size} files (${megabytes(bytes)}) of ${printable(archive.path)}, a ${kind}`,
      );
    }
    await printDestination(cache, build, context);
  } finally {
    close();
  }
}

/** Prints the plan for a download. pip is requested whether it is there; without it, the wheel index which wheel it has. */
export async function planDownload(
  build: Build,
  cache: string,
  host: Host,
  context: CommandContext & { allowUnverified: boolean },
): Promise<void> {
  const { env, report } = context;
  const platform = wheelPlatformOf(host);
  report.line(`libtorch ${build.version} (${build.flavour}) for ${platform.name}`);
  const pip = await findPip(context);
  if (pip === undefined) {
    report.line(`  ${noPip}; asking the wheel index`);
    const wheel = await wheelFromIndex(build, platform, host, context).catch((error) => {
      throw unobtainable(build, noPip, error);
    });
    const { digest } = wheel;
    const checked = digest === undefined ? '' : `, ${nameOf(digest)} ${digest.hex}`;
    report.line(`would download ${wheel.name}${checked}`);
    report.line(`  from ${wheel.url}`);
  } else {
    const libraries = build.flavour === 'cpu' ? '' : ' and the CUDA libraries that it requires';
    report.line(`would download ${requirementOf(build, host)}${libraries} by ${pip.join(' ')}`);
    report.line(`  from the indexes that pip is set up for, and ${indexFor(build.flavour, env)}`);
  }
  await printDestination(cache, build, context);
}

async function printDestination(cache: string, build: Build, { report }: CommandContext): Promise<void> {
  report.line(`would install it in ${printable(await destinationFor(cache, build))}`);
  report.line('nothing was changed');
}
