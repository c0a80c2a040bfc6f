/** `libtorch-losses install --dry-run`: what an install would fetch, from where, and where it would put it. */
import type { Host } from '../../binding/host';
import type { CommandContext } from '../shared/command';
import { megabytes } from '../shared/report';
import { printable } from '../shared/text';
import { nameOf } from './download';
import { openPackages } from './packages';
import { findPip } from './pip';
import { givenFiles, noPip, notHad, requirementOf, type Wanted, wheelFromIndex, wheelPlatformOf } from './sources';
import { placeFor } from './staging';
import { indexFor } from './wheel-index';

/** Prints the plan for files that were given. The files are read, and nothing is written. */
export async function planFromFiles(
  files: readonly string[],
  cache: string,
  host: Host,
  context: CommandContext & { allowUnverified: boolean },
): Promise<void> {
  const { paths } = await givenFiles(files);
  const { packages, build, close } = await openPackages(paths, { ...context, host, asked: undefined });
  try {
    for (const { archive, kind, wanted } of packages) {
      const bytes = [...wanted.values()].reduce((sum, file) => sum + file.size, 0);
      context.report.line(
        `would unpack ${wanted.size} files (${megabytes(bytes)}) of ${printable(archive.path)}, a ${kind}`,
      );
    }
    await put(cache, build, context);
  } finally {
    close();
  }
}

/** Prints the plan for a download. pip is asked whether it is there; without it, the wheel index which wheel it has. */
export async function planDownload(
  wanted: Wanted,
  cache: string,
  host: Host,
  context: CommandContext & { allowUnverified: boolean },
): Promise<void> {
  const { env, report } = context;
  const platform = wheelPlatformOf(host);
  report.line(`libtorch ${wanted.version} (${wanted.flavour}) for ${platform.name}`);
  const pip = await findPip(context);
  if (pip === undefined) {
    report.line(`  ${noPip}; asking the wheel index`);
    const wheel = await wheelFromIndex(wanted, platform, host, context).catch((error) => {
      throw notHad(wanted, noPip, error);
    });
    const { digest } = wheel;
    const checked = digest === undefined ? '' : `, ${nameOf(digest)} ${digest.hex}`;
    report.line(`would download ${wheel.name}${checked}`);
    report.line(`  from ${wheel.url}`);
  } else {
    const libraries = wanted.flavour === 'cpu' ? '' : ' and the CUDA libraries that it requires';
    report.line(`would download ${requirementOf(wanted, host)}${libraries} by ${pip.join(' ')}`);
    report.line(`  from the indexes that pip is set up for, and ${indexFor(wanted.flavour, env)}`);
  }
  await put(cache, wanted, context);
}

async function put(cache: string, build: Wanted, { report }: CommandContext): Promise<void> {
  report.line(`would install it in ${printable(await placeFor(cache, build))}`);
  report.line('nothing was changed');
}
