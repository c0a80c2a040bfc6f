/** Array files damaged at random (fuzz/files.cjs): read or refused, nothing else. FUZZ_SEED tries others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dist, runNode } from '../support/child';

test('damaged files are refused', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'fuzz-files-'));
  const seed = process.env.FUZZ_SEED ?? '20261122';
  const real = resolve(__dirname, '../data/arrays');
  try {
    const { status, signal, stdout, stderr } = runNode(
      join(__dirname, 'fuzz', 'files.cjs'),
      dist,
      real,
      seed,
      '8000',
      scratch,
    );
    if (status !== 0) expect({ status, signal, stderr, seed }).toEqual({ status: 0 });
    const { files, refused, wrong } = JSON.parse(stdout) as { files: number; refused: number; wrong: string[] };
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
    expect(Math.min(refused, files - refused)).toBeGreaterThan(files / 20);
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
