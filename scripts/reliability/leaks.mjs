// Calls every loss over and over, sync, async and so that it is refused, each in a process of its own, and tells
// whether the process grows.
//
//   npm run test:leaks -- [--calls 1000000] [--minutes 10] [--only crossEntropy] [--ways sync,async,refused]
//
// `--minutes` bounds each process; the table says how many calls were made. Ends with status 1 if a process grew,
// failed, or left tensors behind.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { camelCase } from '../setup/schemas.mjs';
import { leakCases } from './leak-cases.mjs';
import { describeMachine } from './machine.mjs';
import { wholeNumber } from './options.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const program = fileURLToPath(new URL('leak-run.mjs', import.meta.url));

/**
 * What no process may grow by: so many bytes a call, which is half of malloc's smallest block, and so many tensors, of
 * which a few are still held by what has just run. Pages that come and go, up to so many bytes, are more than that in
 * few calls: less than a million cannot tell a small leak.
 */
const most = { perCall: 16, bytes: 8 * 2 ** 20, tensors: 20 };

const { values: given } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '10' },
    only: { type: 'string' },
    ways: { type: 'string', default: 'sync,async,refused' },
  },
});
const calls = wholeNumber('calls', given.calls);
const minutes = wholeNumber('minutes', given.minutes);
const ways = given.ways.split(',');
const names = Object.keys(leakCases).filter((name) => given.only === undefined || name === given.only);

checkNames();
console.log(describeMachine(dist));
console.log(
  '\n| loss | way | calls | growth, MB | bytes a call, second half | |\n| --- | --- | ---: | ---: | ---: | --- |',
);
let failed = 0;
const start = performance.now();
for (const name of names) for (const way of ways) measure(name, way);
const time = ((performance.now() - start) / 60_000).toFixed(0);
console.log(
  `\n${names.length} losses in ${ways.length} ways, ${time} min: ${failed === 0 ? 'flat' : `${failed} failed`}`,
);
process.exitCode = failed === 0 ? 0 : 1;

function measure(name, way) {
  const limit = minutes * 60_000;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--no-warnings', program, dist, name, way, `${calls}`, `${limit}`],
    {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
      // A call that hangs comes to no end of its own.
      timeout: 2 * limit + 60_000,
      killSignal: 'SIGKILL',
    },
  );
  if (status !== 0) {
    failed += 1;
    console.log(`| ${name} | ${way} | | | | ✘ ended by ${signal ?? status} |\n${stderr.slice(-2000)}`);
    return;
  }
  const samples = JSON.parse(stdout);
  const { made, perCall, grown, tensors } = growthOf(samples);
  const grows = perCall > most.perCall && (perCall * made) / 2 > most.bytes;
  const verdict = grows ? '✘ grows' : tensors > most.tensors ? `✘ ${tensors} tensors left` : 'flat';
  if (verdict !== 'flat') failed += 1;
  const figures = [made, (grown / 2 ** 20).toFixed(1), perCall.toFixed(2)];
  console.log(`| ${name} | ${way} | ${figures.join(' | ')} | ${verdict} |`);
}

/**
 * What the process has grown in all, and by how much a call in the second half of its calls: the median of its pieces. A
 * leak goes on in all of them; a heap that takes another piece from the system, or gives it back, does so in few.
 */
function growthOf(samples) {
  const half = samples.slice(Math.floor(samples.length / 2));
  const pieces = half.slice(1).map(({ calls, rss }, i) => (rss - half[i].rss) / (calls - half[i].calls));
  pieces.sort((a, b) => a - b);
  const middle = [pieces[(pieces.length - 1) >> 1], pieces[pieces.length >> 1]];
  const [first, last] = [samples[0], samples.at(-1)];
  return {
    made: last.calls,
    perCall: pieces.length === 0 ? 0 : (middle[0] + middle[1]) / 2,
    grown: last.rss - first.rss,
    tensors: last.tensors - first.tensors,
  };
}

/** Every loss of PyTorch is there: the list that the contract tests hold this library to says which. */
function checkNames() {
  const file = join(root, 'test', 'contract', 'python-signatures.json');
  const { functional } = JSON.parse(readFileSync(file, 'utf8'));
  const missing = Object.keys(functional)
    .map(camelCase)
    .filter((name) => !(name in leakCases));
  if (missing.length > 0) throw new Error(`leak-cases.mjs: expected every loss, but ${missing.join(', ')} is missing`);
  if (names.length === 0) throw new Error(`--only: expected a loss, but received ${JSON.stringify(given.only)}`);
}
