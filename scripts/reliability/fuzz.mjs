// Attacks the library until so many calls were made, each some hundred or thousand in a process of its own, whose time is
// bounded: a crash and a hang are found and named.
//
//   npm run fuzz -- [--attack calls] [--calls 1000000] [--seed 1] [--processes 1] [--minutes 60]
//
// The attacks: `calls`, every native entry and the public interface with hostile values; `differential`, every form of a
// loss against the graph, copies, the reference and gradients that overlap arguments; `threads`, the same with teams of
// threads that are smaller than asked for. Process k runs with the seed + k; the same seed makes the same choices again.
// Ends with status 1 if a process crashed, hung or found something wrong, or if time was up before.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.mjs';
import { wholeNumber } from './options.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

/** How OpenMP may fall short of the threads that it is asked for. */
const teams = [{ OMP_THREAD_LIMIT: '1' }, { OMP_THREAD_LIMIT: '3' }, { OMP_DYNAMIC: 'true' }, {}];

/** For each attack: its program, how many calls a process makes in some seconds, and how it is run. */
const attacks = {
  calls: { program: 'fuzz.cjs', share: 20_000 },
  differential: { program: 'differential.cjs', share: 500 },
  threads: { program: 'differential.cjs', share: 500, threads: 4 },
};
/** A process that has not ended after so long hangs: it takes a hundredth of that. */
const longest = 10 * 60_000;

const { values: given } = parseArgs({
  options: {
    attack: { type: 'string', default: 'calls' },
    calls: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
});
const attack = attacks[given.attack];
if (attack === undefined) {
  const known = Object.keys(attacks).join(', ');
  throw new RangeError(`--attack: expected one of ${known}, but received ${JSON.stringify(given.attack)}`);
}
const { share, threads } = attack;
const harness = join(root, 'test', 'lifecycle', 'fuzz', attack.program);
const wanted = wholeNumber('calls', given.calls);
const firstSeed = wholeNumber('seed', given.seed);
const processes = wholeNumber('processes', given.processes);
const until = Date.now() + wholeNumber('minutes', given.minutes) * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const shares = Math.ceil(wanted / share);
const totals = { calls: 0, refused: 0, problems: 0 };
/** The native entries that no process has called, and how many there are; unknown until one has ended well. */
let missed;
let entries = 0;
let next = 0;
const start = performance.now();

console.log(describeMachine(dist));
try {
  await Promise.all(Array.from({ length: processes }, runShares));
} finally {
  rmSync(folder, { recursive: true });
}
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(
  `${totals.calls} calls in ${shares} processes, seeds ${firstSeed} to ${firstSeed + next - 1}: ` +
    `${totals.refused} refused, ${totals.problems} problems, ${seconds} s`,
);
if (missed !== undefined) console.log(`${entries - missed.length} of ${entries} native entries and operators called`);
if (missed?.length > 0) console.log(`not called: ${missed.join(', ')}`);
if (totals.calls < wanted) console.log(`fewer calls than the ${wanted} asked for`);
process.exitCode = totals.problems > 0 || missed?.length > 0 || totals.calls < wanted ? 1 : 0;

async function runShares() {
  while (next < shares && Date.now() < until) await runShare(firstSeed + next++);
}

async function runShare(seed) {
  const last = join(folder, `last-call-${seed}.txt`);
  const calls = Math.min(share, wanted - (seed - firstSeed) * share);
  const flags = ['--expose-gc', '--no-warnings', '--max-semi-space-size=1'];
  const more = ['--last', last, ...(threads === undefined ? [] : ['--threads', `${threads}`])];
  const team = threads === undefined ? {} : teams[seed % teams.length];
  const child = spawn(
    process.execPath,
    [...flags, harness, '--dist', dist, '--seed', `${seed}`, '--calls', `${calls}`, ...more],
    {
      env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', ...team },
      timeout: longest,
      killSignal: 'SIGKILL',
    },
  );
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      output[stream] += text;
    });
  }
  const began = Date.now();
  const end = await new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  if (end.status !== 0) {
    const how = Date.now() - began >= longest ? `hung for ${longest / 1000} s` : `ended by ${end.signal ?? end.status}`;
    return report(seed, `${how} in ${readLast(last)}\n${output.stderr.slice(-4000)}`);
  }
  const { wrong, ...counts } = JSON.parse(output.stdout);
  totals.calls += counts.calls;
  totals.refused += counts.refused;
  if (counts.missed !== undefined) {
    missed = missed?.filter((name) => counts.missed.includes(name)) ?? counts.missed;
    entries = counts.entries;
  }
  for (const text of wrong) report(seed, text);
  console.log(
    `seed ${seed}: ${counts.calls} calls, ${counts.refused} refused, ${((Date.now() - began) / 1000).toFixed(0)} s`,
  );
}

function report(seed, text) {
  totals.problems += 1;
  console.log(`✘ seed ${seed}: ${text}`);
}

function readLast(file) {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    return 'no call: it did not come so far';
  }
}
