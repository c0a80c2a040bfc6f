/** The wheels or the archive that an install unpacks, seen together. */
import type { Host } from '../../binding/host';
import type { Version } from '../../binding/libtorch-versions';
import { expected } from '../../errors';
import { installFailed } from '../shared/failures';
import { checkSupported } from './arguments';
import type { Build } from './sources';
import { openPackage, type Package } from './wheel';

/** What is to be unpacked. */
export interface OpenedPackages {
  packages: Package[];
  /** The one of them that is libtorch; the others are companions. */
  torch: Package;
  /** What the packages are together. */
  build: Build;
  /** Closes the archives; call it in the end. */
  close(): void;
}

/** What is expected of the packages. */
export interface Expectations {
  host: Host;
  env: NodeJS.ProcessEnv;
  /** The libtorch that was requested for; `undefined` where files were given, which say themselves what they are. */
  requested: Build | undefined;
  allowUnverified: boolean;
}

/** Opens them; there must be one libtorch among them, of a version that is supported, and the one requested for. */
export async function openPackages(paths: readonly string[], expectations: Expectations): Promise<OpenedPackages> {
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
    const libraries = packages.flatMap(({ targets }) => [...targets.keys()]);
    const build = buildOf(torch.version, libraries);
    checkRequested(torch, build, expectations);
    return { packages, torch, build, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** `2.13.0+cpu` names its build; a version that does not is told by its libraries. */
function buildOf(version: Version, libraries: readonly string[]): Build {
  const cuda = libraries.some((path) => /torch_cuda\.(so|dll)$/.test(path));
  return { version: version.public, flavour: version.local ?? (cuda ? 'cuda' : 'cpu') };
}

function checkRequested(torch: Package, build: Build, { requested, allowUnverified }: Expectations): void {
  const { path } = torch.archive;
  if (requested !== undefined && (requested.version !== build.version || requested.flavour !== build.flavour)) {
    const [is, should] = [build, requested].map(({ version, flavour }) => `torch ${version} (${flavour})`);
    throw installFailed(`${path} holds ${is}, but ${should} was requested`);
  }
  if (torch.record !== undefined || allowUnverified) return;
  throw installFailed(`${path} is a libtorch archive, which has no list of hashes to verify it by`, [
    'give a wheel of PyTorch instead, each file of which is verified',
    '--allow-unverified     installs the archive anyway',
  ]);
}
