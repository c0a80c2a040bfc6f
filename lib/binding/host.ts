/** The machine as the search for libtorch sees it; tests pass other ones. */
import { homedir } from 'node:os';

/** What the search needs to know about the machine, apart from environment variables. */
export interface Host {
  platform: NodeJS.Platform;
  /** The processor, by Node's name: `'x64'`, `'arm64'`. */
  arch: string;
  /** The user's home directory. */
  home: string;
  /** The library directories searched last; by default those that the platform's installers use. */
  systemDirectories?: readonly string[];
}

/** The machine this process runs on. */
export function thisHost(): Host {
  return { platform: process.platform, arch: process.arch, home: homedir() };
}

const multiarch: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** The directories that the platform's installers put shared libraries into, nearest to the administrator first. */
export function systemDirectories(host: Host): readonly string[] {
  if (host.systemDirectories !== undefined) return host.systemDirectories;
  if (host.platform === 'win32') return ['C:\\libtorch\\lib'];
  if (host.platform === 'darwin') return ['/opt/homebrew/lib', '/usr/local/lib', '/opt/libtorch/lib'];
  const triplet = multiarch[host.arch];
  const ofArchitecture = triplet === undefined ? [] : [`/usr/lib/${triplet}`];
  return [
    '/usr/local/lib',
    '/usr/local/libtorch/lib',
    '/opt/libtorch/lib',
    ...ofArchitecture,
    '/usr/lib64',
    '/usr/lib',
  ];
}
