/** `libtorch-losses evaluate` on the outputs of a real classifier, and what PyTorch made of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dist, type Outcome } from './child';

/** The classifier's outputs, in which the commands run. */
export const digits = resolve(__dirname, '../data/digits');

/** The figures that PyTorch gave for them. */
export const expected = JSON.parse(readFileSync(join(digits, 'expected.json'), 'utf8'));

/** The built command line. */
export const main = join(dist, 'cli', 'main.js');

/** The environment of the commands. */
export const env = { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

/** Arguments of most evaluations. */
export const files = ['--input', 'logits.npy', '--target', 'labels.npy'];
export const crossEntropy = ['--loss', 'cross-entropy'];

/** Runs the command. */
export function evaluate(args: readonly string[], input?: Buffer): Outcome {
  const options = {
    encoding: 'utf8',
    env,
    cwd: digits,
    timeout: 60_000,
    ...(input === undefined ? {} : { input }),
  } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [main, 'evaluate', ...args], options);
  return { status, signal, stdout, stderr };
}

/** The JSON of an evaluation that must work. */
export function resultOf(...args: string[]) {
  const { stdout, ...end } = evaluate([...crossEntropy, ...args, '--json', '--quiet']);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

/** The loss that `--quiet` prints. */
export function lossOf(args: readonly string[], input?: Buffer): number {
  const { stdout, ...end } = evaluate([...crossEntropy, ...args, '--quiet'], input);
  expect(end).toEqual({ status: 0, signal: null, stderr: '' });
  expect(stdout).toMatch(/^[\d.e-]+\n$/);
  return Number(stdout);
}

/** Within what float32 arithmetic may round. */
export function near(value: number): unknown {
  return expect.closeTo(value, 6);
}

/** The header of a .npy file, and its elements. */
export function readNpy(path: string): { header: string; elements: Float32Array } {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  return {
    header: bytes.toString('latin1', 10, start),
    elements: new Float32Array(Uint8Array.from(bytes.subarray(start)).buffer),
  };
}
