/** Downloads wheels with the user's own pip, so that its configuration, mirrors, proxies and caches apply. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WheelPlatform } from '../shared/platform';
import type { Report } from '../shared/report';
import { type ProgramResult, runProgram } from './subprocess';

/** The command that runs a working pip, without arguments. */
export type Pip = readonly string[];

/** What to download, and where. */
export interface PipRequest {
  pip: Pip;
  /** Requirements as pip takes them: `torch==2.13.0+cpu`. */
  requirements: readonly string[];
  /** Whether to download their dependencies as well. */
  dependencies: boolean;
  /** An index to use in addition to those in the user's configuration. */
  index: string;
  /** A directory for this request alone. */
  directory: string;
  platform: WheelPlatform;
}

/** Options for running pip. */
export interface PipOptions {
  env: NodeJS.ProcessEnv;
  report: Report;
  signal: AbortSignal;
}

/** A Python version that has wheels of every supported libtorch, for when the installed one has none. */
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
 * Downloads wheels. The libtorch in a wheel does not depend on the Python version, so if there is no wheel for the
 * installed Python, one for {@link commonPython} is requested.
 *
 * @returns the paths of the wheels, or the end of pip's output as a string.
 */
export async function pipDownload(request: PipRequest, options: PipOptions): Promise<string[] | string> {
  const wheels = join(request.directory, 'wheels');
  const temporary = join(request.directory, 'tmp');
  await mkdir(wheels, { recursive: true });
  await mkdir(temporary, { recursive: true });
  // On the disk of the cache: the system's temporary directory may be too small for a CUDA build.
  const env = { ...options.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, PIP_NO_INPUT: '1' };
  const run = async (extra: readonly string[]): Promise<ProgramResult> => {
    const command = [...request.pip, ...downloadArguments(request, wheels), ...extra];
    return runProgram(command, { env, signal: options.signal });
  };
  const progress = options.report.progress('pip', 0);
  const watch = setInterval(() => void bytesIn(request.directory).then(progress.update), 500);
  try {
    let result = await run([]);
    if (result.status !== 0 && /no matching distribution/i.test(result.output)) {
      result = await run(['--python-version', commonPython, '--platform', request.platform.pipPlatform]);
    }
    if (result.status !== 0) return result.output;
  } finally {
    clearInterval(watch);
    progress.stop();
  }
  const names = (await readdir(wheels)).filter((name) => name.endsWith('.whl'));
  return names.length === 0 ? 'pip succeeded but downloaded no wheel' : names.map((name) => join(wheels, name));
}

function downloadArguments(request: PipRequest, directory: string): string[] {
  return [
    'download',
    '--disable-pip-version-check',
    '--only-binary=:all:',
    // Short, so that an unreachable index does not delay the others.
    ...['--retries', '1', '--timeout', '15'],
    ...(request.dependencies ? [] : ['--no-deps']),
    ...['--extra-index-url', request.index],
    ...['--dest', directory],
    ...request.requirements,
  ];
}

/** The total size of the files in a directory that pip is writing to. */
async function bytesIn(directory: string): Promise<number> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const file of files) {
    if (file.isFile()) bytes += (await stat(join(file.parentPath, file.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/**
 * The requirements of a CUDA wheel that contain CUDA libraries, without Python packages and optional extras.
 *
 * @param requirements the lines of the wheel's METADATA: `nvidia-cublas==13.1.0.3; platform_system == "Linux"`.
 */
export function cudaRequirements(requirements: readonly string[]): string[] {
  // `name @ address` would make pip download and build code from any address.
  return requirements.filter(
    (line) => /^(nvidia-|cuda-toolkit\b)/.test(line) && !/@/.test(line) && !/\bextra\s*==/.test(line),
  );
}
