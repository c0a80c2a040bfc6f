/** Which wheels run on this machine. */
import type { Host } from '../../binding/host';

/** The machine as wheels name it. */
export interface WheelPlatform {
  /** For messages: `'linux x64'`. */
  name: string;
  /** The platform tags of wheels that run here. */
  matches: RegExp;
  /** The platform to ask pip for, if the Python at hand is not the kind that wheels are made for. */
  pipPlatform: string;
  /** Version of glibc (Linux), where it is known: `[2, 36]`. */
  glibc?: readonly [major: number, minor: number];
}

const platforms: Readonly<Record<string, Omit<WheelPlatform, 'name'>>> = {
  'linux x64': { matches: /^(manylinux|linux).*_x86_64$/, pipPlatform: 'manylinux_2_28_x86_64' },
  'linux arm64': { matches: /^(manylinux|linux).*_aarch64$/, pipPlatform: 'manylinux_2_28_aarch64' },
  'darwin arm64': { matches: /^macosx_.*_(arm64|universal2)$/, pipPlatform: 'macosx_14_0_arm64' },
  'win32 x64': { matches: /^win_amd64$/, pipPlatform: 'win_amd64' },
  'win32 arm64': { matches: /^win_arm64$/, pipPlatform: 'win_arm64' },
};

/** This machine's wheels, or `undefined` where PyTorch publishes none for it (Intel Macs, musl, other processors). */
export function wheelPlatform(host: Host, glibc: string | undefined = glibcVersion(host)): WheelPlatform | undefined {
  const name = `${host.platform} ${host.arch}`;
  const platform = platforms[name];
  if (platform === undefined) return undefined;
  if (host.platform !== 'linux') return { name, ...platform };
  const version = /^(\d+)\.(\d+)/.exec(glibc ?? '');
  return version === null ? undefined : { name, ...platform, glibc: [Number(version[1]), Number(version[2])] };
}

/** The C library's version as Node reports it; `undefined` on musl and outside Linux. */
function glibcVersion(host: Host): string | undefined {
  return host.platform === 'linux' ? nodeReport().header?.glibcVersionRuntime : undefined;
}

/** The C library of Linux by name: `'glibc 2.36'`, `'musl'`; empty elsewhere, and where it cannot be told. */
export function libcName(host: Host): string {
  if (host.platform !== 'linux') return '';
  const { header, sharedObjects = [] } = nodeReport();
  if (header?.glibcVersionRuntime !== undefined) return `glibc ${header.glibcVersionRuntime}`;
  return sharedObjects.some((path) => path.includes('ld-musl')) ? 'musl' : '';
}

interface NodeReport {
  header?: { glibcVersionRuntime?: string };
  sharedObjects?: string[];
}

function nodeReport(): NodeReport {
  // A report with network interfaces looks up host names, which can take seconds.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  report.excludeNetwork = true;
  return report.getReport() as NodeReport;
}

/** Whether a wheel's platform tag (`manylinux_2_28_x86_64`, several joined by `.`) fits this machine. */
export function runsHere(tag: string, platform: WheelPlatform): boolean {
  return tag.split('.').some((single) => platform.matches.test(single) && glibcSuffices(single, platform));
}

/** What the tags of wheels say where PyTorch publishes none, and a wheel was built by hand. */
const systems: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^(manylinux|musllinux|linux)/,
  darwin: /^macosx_/,
  win32: /^win/,
};
const processors: Readonly<Record<string, RegExp>> = {
  x64: /_(x86_64|amd64|universal2)$/,
  arm64: /_(aarch64|arm64|universal2)$/,
};

/** Whether a wheel's platform tag fits a machine, of the kinds that PyTorch publishes wheels for or another. */
export function runsOn(tag: string, host: Host): boolean {
  const platform = wheelPlatform(host);
  if (platform !== undefined) return runsHere(tag, platform);
  const [system, processor] = [systems[host.platform], processors[host.arch]];
  return tag.split('.').some((single) => system?.test(single) !== false && processor?.test(single) !== false);
}

/** `manylinux_2_28` needs glibc 2.28; older names (`manylinux2014`) need less than any Node that runs this. */
function glibcSuffices(tag: string, { glibc }: WheelPlatform): boolean {
  const needed = /^manylinux_(\d+)_(\d+)_/.exec(tag);
  if (needed === null || glibc === undefined) return true;
  const [major, minor] = [Number(needed[1]), Number(needed[2])];
  return glibc[0] > major || (glibc[0] === major && glibc[1] >= minor);
}
