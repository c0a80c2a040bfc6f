// Runs operators.cjs over all overloads and prints those in which the process ended or took over a minute.
//
//   node test/lifecycle/fuzz/operators-run.cjs [rounds]
const { spawnSync } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { overloads } = require('./overloads.cjs');

const rounds = process.argv[2] ?? '12';
const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-operators-'));
const progress = join(folder, 'progress');
const all = overloads();
const env = { ...process.env, MALLOC_CHECK_: '3', OMP_NUM_THREADS: '1' };
let first = 0;
while (first < all.length) {
  const args = [join(__dirname, 'operators.cjs'), String(first + 1), progress, rounds, String(first)];
  const { status, signal, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 });
  if (status === 0) break;
  const at = Number.parseInt(readFileSync(progress, 'utf8'), 10);
  const [name, index] = all[at];
  console.log(`${name} (overload ${index}): ${signal ?? status} ${stderr.trim().split('\n').at(-1)}`);
  first = at + 1;
}
rmSync(folder, { recursive: true });
