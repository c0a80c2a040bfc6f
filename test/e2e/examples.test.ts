/**
 * Every example, compiled and run as a newcomer runs it, prints what its Python twin printed with PyTorch itself
 * (scripts/golden/examples.py), character for character.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const examples = namesIn('.', '.ts');

/** The kernels that the expected texts were recorded with; libtorch reads these while it loads. */
const pinned = {
  ATEN_CPU_CAPABILITY: 'default',
  MKL_CBWR: 'COMPATIBLE',
  ONEDNN_MAX_CPU_ISA: 'SSE41',
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
};

function namesIn(folder: string, suffix: string): string[] {
  const files = readdirSync(join(root, 'examples', folder)).filter((file) => file.endsWith(suffix));
  return files.map((file) => file.slice(0, -suffix.length)).sort();
}

test('every example has its Python twin and the text that the twin printed', () => {
  expect(examples.length).toBeGreaterThan(0);
  expect(namesIn('python', '.py')).toEqual(examples);
  expect(namesIn('expected', '.txt')).toEqual(examples);
});

test.each(examples)(
  '%s',
  (name) => {
    const script = join(root, 'build/examples', `${name}.js`);
    if (!existsSync(script)) throw new Error(`${script} is not there: compile the examples first`);
    const printed = execFileSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { ...process.env, ...pinned },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
    });
    expect(printed).toBe(readFileSync(join(root, 'examples/expected', `${name}.txt`), 'utf8'));
  },
  60_000,
);
