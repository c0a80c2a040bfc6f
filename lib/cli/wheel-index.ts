/** PyTorch's wheel index: one page a build and package with links to the wheels (the simple repository API). */
import { installFailed, reasonOf } from './failure';
import { runsHere, type WheelPlatform } from './platform';

/** The official index; `LIBTORCH_LOSSES_WHEEL_INDEX` names a mirror of it. */
const officialIndex = 'https://download.pytorch.org/whl';

/** A wheel that the index links to. */
export interface IndexedWheel {
  /** The file name: `torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl`. */
  name: string;
  url: string;
  /** SHA-256 in hex, where the link gives it. */
  sha256?: string;
  version: string;
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

/** Reads the page of `torch` for a build and chooses the wheel for this machine. */
export async function findWheel(
  request: WheelRequest,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<IndexedWheel> {
  const page = `${indexFor(request.flavour, env)}/torch/`;
  let html: string;
  let address: string;
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
    const response = await fetch(page, { headers: { accept: 'text/html' }, signal: limited });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    html = await response.text();
    address = response.url || page;
  } catch (error) {
    signal.throwIfAborted();
    throw installFailed(`cannot read the wheel index ${page}: ${reasonOf(error)}`, [], error);
  }
  return chooseWheel(parseIndex(html, address), request, page);
}

/** The wheels that an index page links to. */
export function parseIndex(html: string, address: string): IndexedWheel[] {
  const wheels: IndexedWheel[] = [];
  for (const [, quoted, single] of html.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)) {
    const href = (quoted ?? single ?? '').replaceAll('&amp;', '&');
    if (!URL.canParse(href, address)) continue;
    const url = new URL(href, address);
    const name = (url.pathname.split('/').at(-1) ?? '').replaceAll(/%2b/gi, '+');
    // name-version(-build)?-python-abi-platform.whl; other characters do not belong into a wheel's name, or into a path.
    const parts = /^[\w.]+-([\w.+!]+)(?:-\d[\w.]*)?-([\w.]+)-([\w.]+)-([\w.]+)\.whl$/.exec(name);
    if (parts === null) continue;
    const [, version, python, abi, platform] = parts as unknown as [string, string, string, string, string];
    const sha256 = /(?:^#|&)sha256=([0-9a-f]{64})(?:&|$)/i.exec(url.hash)?.[1]?.toLowerCase();
    url.hash = '';
    wheels.push({ name, url: url.href, version, python, abi, platform, ...(sha256 === undefined ? {} : { sha256 }) });
  }
  return wheels;
}

/**
 * The wheel for this machine. Which Python it was made for does not matter to libtorch; the newest is taken.
 *
 * @throws TorchError `INSTALL_FAILED` with the versions that are there.
 */
export function chooseWheel(wheels: readonly IndexedWheel[], request: WheelRequest, page: string): IndexedWheel {
  const { version, flavour, platform } = request;
  const fitting = wheels.filter((wheel) => runsHere(wheel.platform, platform) && fitsFlavour(wheel, flavour));
  const [best] = fitting
    .filter((wheel) => wheel.version.split('+')[0] === version)
    .sort((a, b) => Number(isFreeThreaded(a)) - Number(isFreeThreaded(b)) || pythonNumber(b) - pythonNumber(a));
  if (best !== undefined) return best;
  const versions = [...new Set(fitting.map((wheel) => wheel.version.split('+')[0] as string))];
  const there = versions.length > 0 ? `it has ${versions.join(', ')}` : 'it has none for this machine';
  throw installFailed(`${page} has no wheel of torch ${version} (${flavour}) for ${platform.name}; ${there}`);
}

/** macOS wheels, and CPU wheels of some processors, name no build in their version. */
function fitsFlavour(wheel: IndexedWheel, flavour: string): boolean {
  const local = wheel.version.split('+')[1];
  return local === flavour || (flavour === 'cpu' && local === undefined);
}

function isFreeThreaded(wheel: IndexedWheel): boolean {
  return /^cp\d+t$/.test(wheel.abi);
}

/** `'cp312'` -> 312. */
function pythonNumber(wheel: IndexedWheel): number {
  return Number(/^cp(\d+)/.exec(wheel.python)?.[1] ?? 0);
}
