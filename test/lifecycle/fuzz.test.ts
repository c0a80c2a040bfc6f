/** Hostile values everywhere, none may end the process or throw a foreign error. FUZZ_SEED tries others. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dist, runNode, runNodeUnder } from '../support/child';

test('hostile values are refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const last = join(folder, 'last-call.txt');
  const seed = process.env.FUZZ_SEED ?? '20261122';
  try {
    const flags = ['--expose-gc', '--no-warnings', '--max-semi-space-size=1'];
    const options = ['--dist', dist, '--seed', seed, '--last', last, '--milliseconds', '10000'];
    const { status, signal, stdout, stderr } = runNode(...flags, join(__dirname, 'fuzz', 'fuzz.cjs'), ...options);
    const reproduce = { seed, lastCall: readFileSync(last, 'utf8').trimEnd() };
    if (status !== 0) expect({ status, signal, stderr, ...reproduce }).toEqual({ status: 0 });
    const { calls, refused, wrong } = JSON.parse(stdout) as { calls: number; refused: number; wrong: string[] };
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    // Both many calls that go through and many that do not: else the values would not be what they are meant to be.
    expect(Math.min(refused, calls - refused)).toBeGreaterThan(calls / 10);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe.each([
  ['one thread', '1', {}],
  ['four threads', '4', {}],
  ['a team of two where four are asked for', '4', { OMP_THREAD_LIMIT: '2' }],
])('every form of a loss, with %s', (_name, threads, variables) => {
  test('gives what the graph gives', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
    const seed = process.env.FUZZ_SEED ?? '20261126';
    try {
      const program = join(__dirname, 'fuzz', 'differential.cjs');
      const last = ['--last', join(folder, 'last-call.txt')];
      const options = ['--dist', dist, '--seed', seed, '--threads', threads, '--milliseconds', '3000', ...last];
      const { status, signal, stdout, stderr } = runNodeUnder(variables, '--no-warnings', program, ...options);
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
      const { calls, wrong } = JSON.parse(stdout) as { calls: number; wrong: string[] };
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
      expect(calls).toBeGreaterThan(10);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
