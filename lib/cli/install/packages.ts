/** The wheels or the archive that an install unpacks, seen together. */
import type { Host } from '../../binding/host';
import type { Version } from '../../binding/libtorch-versions';
import { expected } from '../../errors';
import { installFailed } from '../shared/failures';
import { checkSupported } from './arguments';
import type { Wanted } from './sources';
import { openPackage, type Package } from './wheel';

/** What is to be unpacked. */
export interface PackagesToInstall {
  packages: Package[];
  /** The one of them that is libtorch; the others are companions. */
  torch: Package;
  /** What the packages are together. */
  build: Wanted;
  /** Closes the archives; call it in the end. */
  close(): void;
}

/** What is expected of the packages. */
export interface Expectations {
  host: Host;
  env: NodeJS.ProcessEnv;
  /** The libtorch that was asked for; `undefined` where files were given, which say themselves what they are. */
  asked: Wanted | undefined;
  allowUnverified: boolean;
}

/** Opens them; there must be one libtorch among them, of a version that is supported, and the one asked for. */
export async function openPackages(paths: readonly string[], expectations: Expectations): Promise<PackagesToInstall> {
  const { host, env } = expectations;
  const packages: Package[] = [];
  const close = (): void => {
    for (const { archive } of packages) archive.zip.close();
  };
  try {
    for (const path of paths) packages.push(await openPackage(path, host));
    const [torch, ...others] = packages.filter(({ kind }) => kind !== 'companion wheel');
    if (torch === undefined || others.length > 0) {
      const count = torch === undefined ? 'none' : `${others.length + 1} of them`;
      throw expected('install', "'--from-file'", 'to name one wheel of torch or one libtorch archive', count);
    }
    checkSupported(torch.version.public, env);
    const libraries = packages.flatMap(({ wanted }) => [...wanted.keys()]);
    const build = buildOf(torch.version, libraries);
    checkExpected(torch, build, expectations);
    return { packages, torch, build, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** `2.13.0+cpu` names its build; a version that does not is told by its libraries. */
function buildOf(version: Version, libraries: readonly string[]): Wanted {
  const cuda = libraries.some((path) => /torch_cuda\.(so|dll)$/.test(path));
  return { version: version.public, flavour: version.local ?? (cuda ? 'cuda' : 'cpu') };
}

function checkExpected(torch: Package, build: Wanted, { asked, allowUnverified }: Expectations): void {
  const { path } = torch.archive;
  if (asked !== undefined && (asked.version !== build.version || asked.flavour !== build.flavour)) {
    const [is, should] = [build, asked].map(({ version, flavour }) => `torch ${version} (${flavour})`);
    throw installFailed(`${path} holds ${is}, but ${should} was asked for`);
  }
  if (torch.record !== undefined || allowUnverified) return;
  throw installFailed(`${path} is a libtorch archive, which has no list of hashes that it could be verified by`, [
    'give a wheel of PyTorch instead, each file of which is verified',
    '--allow-unverified     installs the archive all the same',
  ]);
}
