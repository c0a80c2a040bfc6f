// Runs an attack of attacks.mjs until it made so many calls, each some thousand in a process of its own, whose time is
// bounded: a crash and a hang are found and named.
//
//   npm run fuzz -- [--attack calls] [--calls 1000000] [--seed 1] [--processes 1] [--minutes 60]
//
// Process k runs with the seed + k; the same seed makes the same choices again. Ends with status 1 if a process crashed,
// hung or found something wrong, or if time was up before.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attacks } from './attacks.mjs';
import { describeMachine } from './machine.mjs';
import { wholeNumber } from './options.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');

/** A process that has not ended after so long hangs: it takes some seconds. */
const longest = 10 * 60_000;

const { values: given } = parseArgs({
  options: {
    attack: { type: 'string', default: 'calls' },
    calls: { type: 'string' },
    seed: { type: 'string', default: '1' },
    processes: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
  },
});
const attack = Object.hasOwn(attacks, given.attack) ? attacks[given.attack] : undefined;
if (attack === undefined) {
  console.error(`--attack: expected one of ${Object.keys(attacks).join(', ')}, but received ${given.attack}`);
  process.exit(1);
}
const harness = join(root, 'test', 'lifecycle', 'fuzz', attack.program);
const { share } = attack;
const wanted = wholeNumber('calls', given.calls ?? String(attack.calls));
const firstSeed = wholeNumber('seed', given.seed);
const processes = wholeNumber('processes', given.processes);
const until = Date.now() + wholeNumber('minutes', given.minutes) * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const shares = Math.ceil(wanted / share);
const totals = { calls: 0, refused: 0, problems: 0 };
/** The native entries that no process has called, and how many there are, of attacks that tell. */
let missed = [];
let entries = 0;
let next = 0;
const start = performance.now();

console.log(describeMachine(dist));
console.log(`${given.attack}: ${attack.what}`);
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
if (entries > 0) console.log(`${entries - missed.length} of ${entries} native entries and operators called`);
if (missed.length > 0) console.log(`not called: ${missed.join(', ')}`);
if (totals.calls < wanted) console.log(`fewer calls than the ${wanted} asked for`);
process.exitCode = totals.problems > 0 || missed.length > 0 || totals.calls < wanted ? 1 : 0;

async function runShares() {
  while (next < shares && Date.now() < until) await runShare(firstSeed + next++);
}

async function runShare(seed) {
  const last = join(folder, `last-call-${seed}.txt`);
  const calls = Math.min(share, wanted - (seed - firstSeed) * share);
  const flags = ['--expose-gc', '--no-warnings', '--max-semi-space-size=1'];
  const child = spawn(
    process.execPath,
    [...flags, harness, '--dist', dist, '--seed', `${seed}`, '--calls', `${calls}`, '--last', last],
    { env: { ...process.env, ...attack.environment }, timeout: longest, killSignal: 'SIGKILL' },
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
  if (counts.entries !== undefined) {
    missed = entries === 0 ? counts.missed : missed.filter((name) => counts.missed.includes(name));
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
