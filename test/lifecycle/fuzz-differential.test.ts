/** Forms, layouts, sizes and threads of the losses at random (fuzz/differential.cjs): one result. FUZZ_SEED tries others. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dist, runNode } from '../support/child';

test('every form of a loss gives the same bits, near those of the reference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-differential-'));
  const last = join(folder, 'last-call.txt');
  const seed = process.env.FUZZ_SEED ?? '20261126';
  try {
    const options = ['--dist', dist, '--seed', seed, '--last', last, '--calls', '300', '--milliseconds', '5000'];
    const { status, signal, stdout, stderr } = runNode(
      '--no-warnings',
      join(__dirname, 'fuzz', 'differential.cjs'),
      ...options,
    );
    const reproduce = { seed, lastCall: readFileSync(last, 'utf8').trimEnd() };
    if (status !== 0) expect({ status, signal, stderr, ...reproduce }).toEqual({ status: 0 });
    const { calls, refused, wrong } = JSON.parse(stdout) as { calls: number; refused: number; wrong: string[] };
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    // Most calls go through: refusals compare nothing but words.
    expect(refused).toBeLessThan(calls / 4);
    expect(calls).toBeGreaterThan(20);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
