/** PyTorch's wheel index: for each build and package, a page of links to wheels (the simple repository API). */
import { parseVersion, type Version } from '../../binding/libtorch-versions';
import { TorchError } from '../../errors';
import { installFailed, reasonOf } from '../shared/failures';
import { runsHere, type WheelPlatform } from '../shared/platform';
import { megabytes } from '../shared/report';
import { algorithms, type Digest } from './download';
import { isDowngrade, isHttp, request } from './http';
import { linksOf } from './links';

/** The official index; `LIBTORCH_LOSSES_WHEEL_INDEX` names a mirror of it. */
const officialIndex = 'https://download.pytorch.org/whl';

/** A wheel that the index links to. */
export interface IndexedWheel {
  /** The file name: `torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl`. */
  name: string;
  url: string;
  /** The hash in the link, if any. */
  digest?: Digest;
  version: Version;
  python: string;
  abi: string;
  platform: string;
}

/** The wheel to look for. */
export interface WheelRequest {
  version: string;
  /** `'cpu'`, `'cu130'`, … */
  flavour: string;
  platform: WheelPlatform;
}

/** The index page of a build: `<base>/cpu`. */
export function indexFor(flavour: string, env: NodeJS.ProcessEnv): string {
  const base = env.LIBTORCH_LOSSES_WHEEL_INDEX || officialIndex;
  return `${base.replace(/\/+$/, '')}/${flavour}`;
}

/** Enough for some hundred thousand links with their hashes. */
const maxPageBytes = 16e6;

/** Time limit for the page, in ms. */
const pageTimeout = 30_000;

/** Reads the page of `torch` for a build and chooses the wheel for this machine. */
export async function findWheel(
  wheelRequest: WheelRequest,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<IndexedWheel> {
  const page = `${indexFor(wheelRequest.flavour, env)}/torch/`;
  try {
    const { html, address } = await readPage(page, signal);
    return chooseWheel(parseIndex(html, address), wheelRequest, page);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TorchError) throw error;
    throw installFailed(`cannot read the wheel index ${page}: ${reasonOf(error)}`, [], error);
  }
}

/** The page's text, and its address after redirects. */
export async function readPage(
  page: string,
  signal: AbortSignal,
  limits: { time?: number; bytes?: number } = {},
): Promise<{ html: string; address: string }> {
  const { time = pageTimeout, bytes = maxPageBytes } = limits;
  if (!isHttp(page)) throw new Error('it is not an HTTP address');
  const headers = { accept: 'text/html', 'accept-encoding': 'identity' };
  return request(page, { signal, headers, stallTime: time, wholeTime: time }, async (answer) => {
    if (answer.status !== 200) throw new Error(`HTTP status ${answer.status}`);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of answer.chunks()) {
      length += chunk.length;
      if (length > bytes) throw new Error(`the page has more than ${megabytes(bytes)}`);
      chunks.push(chunk);
    }
    return { html: Buffer.concat(chunks).toString('utf8'), address: answer.url };
  });
}

/** The wheels of torch that an index page links to. */
export function parseIndex(html: string, address: string): IndexedWheel[] {
  const wheels: IndexedWheel[] = [];
  for (const link of linksOf(html)) {
    if (!link.includes('.whl')) continue;
    const href = link.replaceAll('&amp;', '&');
    if (!URL.canParse(href, address)) continue;
    const url = new URL(href, address);
    const name = (url.pathname.split('/').at(-1) ?? '').replaceAll(/%2b/gi, '+');
    // torch-version(-build)?-python-abi-platform.whl; no other characters are valid in a wheel's name, or safe in a path.
    const parts = /^torch-([\w.+!]+)(?:-\d[\w.]*)?-([\w.]+)-([\w.]+)-([\w.]+)\.whl$/.exec(name);
    const version = parseVersion(parts?.[1] ?? '');
    if (parts === null || version === undefined || name.length > maxNameLength) continue;
    if (!isHttp(url.href) || isDowngrade(address, url.href)) continue;
    const [, , python, abi, platform] = parts as unknown as [string, string, string, string, string];
    const digest = digestOf(url.hash);
    url.hash = '';
    wheels.push({ name, url: url.href, version, python, abi, platform, ...(digest === undefined ? {} : { digest }) });
  }
  return wheels;
}

/** Some file systems allow no longer names. */
const maxNameLength = 240;

/** Reads `#sha256=…`; a hash of another kind or length is ignored. */
function digestOf(fragment: string): Digest | undefined {
  for (const algorithm of algorithms) {
    const hex = new RegExp(`[#&]${algorithm}=([0-9a-f]+)(?:&|$)`, 'i').exec(fragment)?.[1]?.toLowerCase();
    if (hex !== undefined && hex.length * 4 === Number(algorithm.slice(3))) return { algorithm, hex };
  }
  return undefined;
}

/**
 * The wheel for this machine. libtorch does not depend on the wheel's Python version, so the newest is taken.
 *
 * @throws TorchError `INSTALL_FAILED` that lists the available versions.
 */
export function chooseWheel(wheels: readonly IndexedWheel[], wheelRequest: WheelRequest, page: string): IndexedWheel {
  const { version, flavour, platform } = wheelRequest;
  const fitting = wheels.filter((wheel) => runsHere(wheel.platform, platform) && fitsFlavour(wheel, flavour));
  const [best] = fitting
    .filter((wheel) => wheel.version.public === version)
    .sort((a, b) => Number(isFreeThreaded(a)) - Number(isFreeThreaded(b)) || pythonNumber(b) - pythonNumber(a));
  if (best !== undefined) return best;
  const versions = [...new Set(fitting.map((wheel) => wheel.version.public))];
  const more = versions.length > maxListed ? `, and ${versions.length - maxListed} more` : '';
  const named = versions.slice(-maxListed).join(', ');
  const available = versions.length > 0 ? `it has ${named}${more}` : 'it has none for this machine';
  throw installFailed(`${page} has no wheel of torch ${version} (${flavour}) for ${platform.name}; ${available}`);
}

/** How many versions an error message lists: the newest, which come last. */
const maxListed = 20;

/** The versions of macOS wheels, and of CPU wheels for some processors, do not name a build. */
function fitsFlavour({ version: { local } }: IndexedWheel, flavour: string): boolean {
  return local === flavour || (flavour === 'cpu' && local === undefined);
}

function isFreeThreaded(wheel: IndexedWheel): boolean {
  return /^cp\d+t$/.test(wheel.abi);
}

/** `'cp312'` -> 312. */
function pythonNumber(wheel: IndexedWheel): number {
  return Number(/^cp(\d+)/.exec(wheel.python)?.[1] ?? 0);
}
