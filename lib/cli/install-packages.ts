/** The wheels or the archive that an install unpacks, seen together. */
import type { Host } from '../binding/host';
import { expected } from '../errors';
import { checkSupported } from './install-arguments';
import type { Wanted } from './sources';
import { openPackage, type Package } from './wheel';

/** What is to be unpacked. */
export interface PackagesToInstall {
  packages: Package[];
  /** The one of them that is libtorch; the others are companions. */
  torch: Package;
  /** Closes the archives; call it in the end. */
  close(): void;
}

/** Opens them; there must be one libtorch among them, of a version that is supported. */
export async function openPackages(
  paths: readonly string[],
  host: Host,
  env: NodeJS.ProcessEnv,
): Promise<PackagesToInstall> {
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
    checkSupported(torch.version, env);
    return { packages, torch, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** `2.13.0+cpu` names its build; a version that does not is told by its libraries. */
export function buildOf(version: string, libraries: readonly string[]): Wanted {
  const [release = version, local] = version.split('+');
  const cuda = libraries.some((path) => /torch_cuda\.(so|dll)$/.test(path));
  return { version: release, flavour: local ?? (cuda ? 'cuda' : 'cpu') };
}
