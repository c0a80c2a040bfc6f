/** Downloads wheels through the user's own pip: its configuration, mirrors, proxies and caches stay in force. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WheelPlatform } from '../shared/platform';
import type { Report } from '../shared/report';
import { type Ended, runProgram } from './subprocess';

/** A pip that works: the command to which arguments are added. */
export type Pip = readonly string[];

/** What to download, and where to. */
export interface PipRequest {
  pip: Pip;
  /** Requirements as pip takes them: `torch==2.13.0+cpu`. */
  requirements: readonly string[];
  /** Whether what they require comes along. */
  dependencies: boolean;
  /** The index page added to those that the user's configuration names. */
  index: string;
  /** A directory of this request's own. */
  directory: string;
  platform: WheelPlatform;
}

/** What pip runs with. */
export interface PipOptions {
  env: NodeJS.ProcessEnv;
  report: Report;
  signal: AbortSignal;
}

/** The Python version that every supported libtorch has wheels for, named if the one at hand finds none. */
const commonPython = '3.12';

/** The first Python on `PATH` that has pip, or `undefined`. */
export async function findPip(options: Pick<PipOptions, 'env' | 'signal'>): Promise<Pip | undefined> {
  const pythons = process.platform === 'win32' ? [['py', '-3'], ['python']] : [['python3'], ['python']];
  for (const python of pythons) {
    const pip = [...python, '-m', 'pip'];
    if ((await runProgram([...pip, '--version'], options)).status === 0) return pip;
  }
  return undefined;
}

/**
 * Downloads wheels. Any Python's wheel is equally good as a libtorch, so if the Python at hand finds none of its own kind,
 * one for a version that always has wheels is asked for.
 *
 * @returns the paths of the wheels, or, as a string, the end of what pip said.
 */
export async function pipDownload(request: PipRequest, options: PipOptions): Promise<string[] | string> {
  const wheels = join(request.directory, 'wheels');
  const temporary = join(request.directory, 'tmp');
  await mkdir(wheels, { recursive: true });
  await mkdir(temporary, { recursive: true });
  // On the cache's own disk: the system's temporary directory may be too small for a CUDA build.
  const env = { ...options.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, PIP_NO_INPUT: '1' };
  const run = async (extra: readonly string[]): Promise<Ended> => {
    const command = [...request.pip, ...downloadArguments(request, wheels), ...extra];
    return runProgram(command, { env, signal: options.signal });
  };
  const progress = options.report.progress('pip', 0);
  const watch = setInterval(() => void bytesIn(request.directory).then(progress.update), 500);
  try {
    let ended = await run([]);
    if (ended.status !== 0 && /no matching distribution/i.test(ended.output)) {
      ended = await run(['--python-version', commonPython, '--platform', request.platform.pipPlatform]);
    }
    if (ended.status !== 0) return ended.output;
  } finally {
    clearInterval(watch);
    progress.stop();
  }
  const names = (await readdir(wheels)).filter((name) => name.endsWith('.whl'));
  return names.length === 0 ? 'pip succeeded, but brought no wheel' : names.map((name) => join(wheels, name));
}

function downloadArguments(request: PipRequest, directory: string): string[] {
  return [
    'download',
    '--disable-pip-version-check',
    '--only-binary=:all:',
    // Short: an index that cannot be reached must not hold up one that can.
    ...['--retries', '1', '--timeout', '15'],
    ...(request.dependencies ? [] : ['--no-deps']),
    ...['--extra-index-url', request.index],
    ...['--dest', directory],
    ...request.requirements,
  ];
}

/** The bytes below a directory that pip is writing to. */
async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const file of files) {
    if (file.isFile()) bytes += (await stat(join(file.parentPath, file.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/**
 * The requirements of a CUDA wheel that bring CUDA libraries; Python packages and optional extras stay out.
 *
 * @param requirements the lines of the wheel's METADATA: `nvidia-cublas==13.1.0.3; platform_system == "Linux"`.
 */
export function cudaRequirements(requirements: readonly string[]): string[] {
  // `name @ address` would have pip fetch from anywhere, and build what it finds there.
  return requirements.filter(
    (line) => /^(nvidia-|cuda-toolkit\b)/.test(line) && !/@/.test(line) && !/\bextra\s*==/.test(line),
  );
}
