/** Hostile values everywhere, none may end the process or throw a foreign error. FUZZ_SEED tries others. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dist, runNode } from '../support/child';

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
