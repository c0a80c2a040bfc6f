/**
 * PyTorch on this machine, if there is one: `LIBTORCH_LOSSES_PYTHON` (a Python interpreter), else `python3`. It records
 * the same cases as the committed vectors, and larger ones, with the kernels and the threads that this machine offers.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const generator = join(__dirname, '..', '..', 'scripts', 'golden', 'generate.py');

/** What PyTorch answered here, or why it was not asked. */
export type LiveVectors = { folder: string; remove(): void } | { unavailable: string };

/** A Python that can import PyTorch, and the version of that; or why there is none. */
export function findPython(): { command: string; version: string } | { unavailable: string } {
  const named = process.env.LIBTORCH_LOSSES_PYTHON;
  const python = named || 'python3';
  const found = run(python, ['-c', 'import torch; print(torch.__version__)']);
  const version = found.output.trim();
  if (!found.ok) {
    // An interpreter that somebody named must work; one that merely might be there need not.
    if (named) throw new Error(`LIBTORCH_LOSSES_PYTHON=${named} cannot import torch: ${found.output}`);
    return { unavailable: 'python3 cannot import torch; LIBTORCH_LOSSES_PYTHON can name an interpreter that can' };
  }
  return { command: python, version };
}

/**
 * Records vectors with the PyTorch at hand.
 *
 * @param libtorch the version that this library has loaded; PyTorch must be of the same
 */
export function recordLive(libtorch: string): LiveVectors {
  const found = findPython();
  if ('unavailable' in found) return found;
  const { command: python, version } = found;
  if (version.split('+')[0] !== libtorch.split('+')[0]) {
    return { unavailable: `${python} has PyTorch ${version}, but libtorch ${libtorch} is loaded` };
  }
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-live-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const recorded = run(python, [generator, '--live', '--out', folder]);
  if (recorded.ok) return { folder, remove };
  remove();
  throw new Error(`${python} could not record the cases: ${recorded.output}`);
}

function run(command: string, args: string[]): { ok: boolean; output: string } {
  // Threads that wait by spinning take the processor from those that work, where others run beside; bits do not change.
  const env = { OMP_WAIT_POLICY: 'PASSIVE', ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env });
  if (error !== undefined) return { ok: false, output: error.message };
  return { ok: status === 0, output: status === 0 ? stdout : stderr.trim() };
}
