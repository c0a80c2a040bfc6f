/** Which versions of libtorch this package works with, and which one `libtorch-losses install` installs. */

/**
 * Oldest and newest minor version whose C++ interface the addon is built for; any patch of these and of those between.
 */
export const supportedMinors = { oldest: '2.11', newest: '2.14' } as const;

/** The version that `libtorch-losses install` installs by default. */
export const defaultVersion = '2.13.0';

/** The example for `--cuda` in help texts and error messages. */
export const exampleCudaFlavour = 'cu130';

/** How a build of libtorch computes: `'cpu'`, or the accelerator that it was built for. */
export const flavours = ['cpu', 'cuda', 'rocm', 'xpu'] as const;

/** How a build of libtorch computes: `'cpu'`, or the accelerator that it was built for. */
export type Flavour = (typeof flavours)[number];

/** `'2.13.0+cpu'` -> `[2, 13, 0]`; a missing or non-numeric part counts as 0. */
function parts(version: string): [number, number, number] {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version.trim());
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0)];
}

/** `'2.13.0+cpu'` -> `'2.13'`. */
export function minorOf(version: string): string {
  const [major, minor] = parts(version);
  return `${major}.${minor}`;
}

/**
 * Negative if `a` is older than `b`, 0 if they name the same release, positive if newer; what follows `+` is ignored.
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)];
  return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}

/** Whether the version lies in the support window. */
export function isSupported(version: string): boolean {
  const minor = minorOf(version);
  return compareVersions(minor, supportedMinors.oldest) >= 0 && compareVersions(minor, supportedMinors.newest) <= 0;
}

/** The support window as text for messages. */
export const supportedRange = `${supportedMinors.oldest} to ${supportedMinors.newest}`;

/** A version by Python's rules (PEP 440), parsed and normalised. */
export interface Version {
  /** All but the local part: `'2.13.0'`, `'2.14.0.dev20260101'`. */
  public: string;
  /** What follows `+`, in small letters with dots: `'cpu'`; `undefined` if there is none. */
  local: string | undefined;
}

const versionParts = [
  /v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)/,
  /(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>\d*))?/,
  /(?:-(?<post>\d+)|[-_.]?(?<postName>post|rev|r)[-_.]?(?<postNumber>\d*))?/,
  /(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d*))?/,
  /(?:\+(?<local>[a-z\d]+(?:[-_.][a-z\d]+)*))?/,
];
const versionGrammar = new RegExp(`^${versionParts.map(({ source }) => source).join('')}$`, 'i');

const preNames: Readonly<Record<string, string>> = { alpha: 'a', beta: 'b', preview: 'rc', pre: 'rc', c: 'rc' };

/**
 * Parses a version; `undefined` if it is none. Both parts consist of letters, digits and single dots, so that they can
 * be part of a file name. A version with an epoch, which no libtorch has, is refused.
 */
export function parseVersion(text: string): Version | undefined {
  // No version is longer, and file names have a limit.
  const parts = text.length > 100 ? undefined : versionGrammar.exec(text.trim())?.groups;
  if (parts === undefined || Number(parts.epoch ?? 0) !== 0) return undefined;
  const number = (digits: string | undefined): string => String(BigInt(digits || 0));
  const pre = parts.pre?.toLowerCase();
  const release = (parts.release as string).split('.').map(number).join('.');
  const [preRelease, post, dev] = [
    pre === undefined ? '' : `${preNames[pre] ?? pre}${number(parts.preNumber)}`,
    parts.post === undefined && parts.postName === undefined ? '' : `.post${number(parts.post ?? parts.postNumber)}`,
    parts.dev === undefined ? '' : `.dev${number(parts.devNumber)}`,
  ];
  const local = parts.local?.toLowerCase().replaceAll(/[-_]/g, '.');
  return { public: `${release}${preRelease}${post}${dev}`, local };
}
