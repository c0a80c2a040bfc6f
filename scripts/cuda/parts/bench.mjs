// Times and memory beside Python's PyTorch on the same device in one run, whose rounds alternate; the evaluation beside
// the bandwidth to the device; and the size of the chunks in which the large cross entropy is computed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, median, ratio } from '../../bench/measure.mjs';
import { PeerProcess } from '../../bench/peers/process.mjs';
import { benchCases, chunkSizes, evaluationTarget, nameOf, sweptCase } from '../bench-cases.mjs';
import { evaluationSpeed } from '../bench-evaluation.mjs';
import { check, data, done, notRun, order, progress, secondsLeft, table } from '../part.mjs';

const { device, gpuMemory, quick, python, whyNoPython } = order;
const isGpu = device !== 'cpu';
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const programs = {
  library: { command: process.execPath, args: ['--no-warnings', at('../peers/library.mjs')] },
  pytorch: { command: python, args: [at('../python/peer.py')] },
};

/** Seconds reserved for the steps after the cases: bandwidth and evaluation, and the sweep. */
const kept = { evaluation: 45, sweep: 60 };

/** Elements from which on results are given back at once, as Python does. */
const large = 1e4;

const figure = (value, digits = 2) => (value === undefined ? undefined : value.toFixed(digits));

await cases();
await evaluation();
await sweep();
done();

/** Fewer rows if the inputs, results and intermediate memory of two processes do not fit. */
function sizeOf({ sizes }) {
  if (!isGpu || quick) return sizes.cpu;
  const [rows, columns] = sizes.gpu;
  const most = ((gpuMemory ?? Infinity) * 0.6) / (24 * columns);
  return [most < rows ? Math.max(1, 2 ** Math.floor(Math.log2(most))) : rows, columns];
}

function requestFor(kase) {
  const shape = sizeOf(kase);
  const { loss, dtype, form } = kase;
  return JSON.stringify({ loss, dtype, form, shape, device, isLarge: shape[0] * shape[1] >= large });
}

async function started(names) {
  const peers = names.map((id) => ({ id, peer: new PeerProcess(programs[id]) }));
  for (const { peer } of peers) await peer.ask('about');
  return peers;
}

async function stopped(peers) {
  for (const { peer } of peers) await peer.stop();
}

async function cases() {
  const names = python === undefined ? ['library'] : ['library', 'pytorch'];
  if (python === undefined)
    notRun("times beside Python's PyTorch", `there is no Python to compare with: ${whyNoPython}`);
  if (!isGpu)
    notRun(
      'the targets of time and memory on a GPU',
      'there is no GPU; the ratios are those of small sizes on the CPU',
    );
  const peers = await started(names);
  const records = [];
  try {
    for (const [i, kase] of benchCases.entries()) {
      const seconds = (secondsLeft() - (isGpu ? kept.evaluation + kept.sweep : 5)) / (benchCases.length - i);
      if (seconds < 1) notRun(nameOf(kase, sizeOf(kase)), 'the time was up');
      else records.push(await one(kase, peers, seconds));
    }
  } finally {
    await stopped(peers);
  }
  report(records);
}

async function one(kase, peers, seconds) {
  const name = nameOf(kase, sizeOf(kase));
  progress(name);
  const record = { name, kase, checks: {}, memory: {} };
  for (const { id, peer } of peers) {
    await peer.ask('load', requestFor(kase));
    record.checks[id] = await peer.ask('check');
    if (isGpu) record.memory[id] = await peer.ask('memory');
  }
  const participants = peers.map(({ id, peer }) => ({
    id,
    run: async (count) => (await peer.ask('run', String(count))).seconds,
  }));
  const budgetSeconds = Math.min(quick ? 0.5 : 8, seconds / 2);
  const options = { budgetSeconds, rounds: quick ? 3 : 15, ...(quick ? { batchSeconds: 0.02 } : {}) };
  record.times = await measure(participants, options);
  record.ratio = ratio(record.times.library, record.times.pytorch);
  return record;
}

/** The values of both agree within the tolerance of the dtype: only equal work may be compared. */
function agree({ kase, checks: { library, pytorch } }) {
  const relative = kase.dtype === 'bfloat16' ? 1.6e-2 : 1e-5;
  const near = (a, b) => a === b || Math.abs(a - b) <= relative * Math.abs(b);
  return near(library.value, pytorch.value) && near(library.norm ?? null, pytorch.norm ?? null);
}

function report(records) {
  const milliseconds = (times) => (times === undefined ? undefined : Number((times.seconds * 1000).toPrecision(3)));
  table(
    `Medians, in milliseconds a call on ${device}`,
    ['', 'here', 'PyTorch', 'ratio', 'target'],
    records.map(({ name, times, ratio: own, kase }) => [
      name,
      milliseconds(times.library),
      milliseconds(times.pytorch),
      figure(own, 3),
      isGpu && !quick && kase.time !== undefined ? `≤ ${kase.time}` : '',
    ]),
  );
  if (isGpu) memoryTable(records);
  data('cases', records);
  for (const record of records) judge(record);
}

function memoryTable(records) {
  const gigabytes = (bytes) => (bytes === undefined ? undefined : Number((bytes / 1e9).toPrecision(4)));
  table(
    'By how much a call raises the peak of the memory, in GB; in brackets the peak with the inputs',
    ['', 'here', 'PyTorch', 'ratio', 'here / gradient'],
    records.map(({ name, memory: { library, pytorch }, checks, kase }) => [
      name,
      `${gigabytes(library.extra)} (${gigabytes(library.peak)})`,
      pytorch && `${gigabytes(pytorch.extra)} (${gigabytes(pytorch.peak)})`,
      pytorch && figure(library.extra / pytorch.extra, 3),
      kase.form === 'gradient' ? figure(library.extra / checks.library.bytes, 3) : '',
    ]),
  );
}

function judge(record) {
  const { name, kase, checks, memory, ratio: own } = record;
  if (checks.pytorch !== undefined) {
    const ok = agree(record);
    const values = `${JSON.stringify(checks.library)} here, ${JSON.stringify(checks.pytorch)} by PyTorch`;
    check(`${name}: the same value and gradient as PyTorch's`, ok, ok ? undefined : values);
  }
  if (!isGpu || quick) return;
  if (kase.time !== undefined && own !== undefined) {
    check(`${name}: at most ${kase.time} of PyTorch's time`, own <= kase.time, figure(own, 3));
  }
  if (kase.memory !== undefined && memory.pytorch !== undefined) {
    const part = memory.library.extra / memory.pytorch.extra;
    check(`${name}: at most ${kase.memory} of PyTorch's extra memory`, part <= kase.memory, figure(part, 3));
  }
  if (kase.overGradient !== undefined) {
    const part = memory.library.extra / checks.library.bytes;
    check(
      `${name}: extra memory at most ${kase.overGradient} of the gradient`,
      part <= kase.overGradient,
      figure(part, 3),
    );
  }
}

/** From files in the page cache, the loss alone. */
async function evaluation() {
  progress('the evaluation beside the bandwidth');
  const bytes = isGpu && !quick ? 4e9 : 60e6;
  if (secondsLeft() < 20) return notRun('the speed of the evaluation', 'the time was up');
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-cuda-'));
  try {
    const speeds = await evaluationSpeed({ folder, bytes, device, rounds: quick ? 2 : 5 });
    const speed = median(speeds);
    const bandwidths = isGpu ? await hostToDevice() : {};
    const most = isGpu ? Math.max(...Object.values(bandwidths)) : undefined;
    data('evaluation', { bytes, speeds, bandwidths });
    const row = [bytes / 1e9, figure(speed / 1e9), ...(isGpu ? [figure(most / 1e9), figure(speed / most)] : [])];
    const heading = ['GB', 'evaluation, GB/s', ...(isGpu ? ['host to device, GB/s', 'ratio'] : [])];
    table('crossEntropy of N x 1000 float32 scores in host memory, the loss alone', heading, [row]);
    if (!isGpu || quick)
      return notRun(
        'the evaluation beside the bandwidth from the host to a GPU',
        isGpu ? '--quick' : 'there is no GPU',
      );
    const name = `evaluation from host memory: at least ${evaluationTarget} of the bandwidth to the device`;
    check(name, speed >= evaluationTarget * most, `${figure(speed / most)}: ${row[1]} of ${row[2]} GB/s`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measured by both, so that neither flatters the target. */
async function hostToDevice() {
  const peers = await started(python === undefined ? ['library'] : ['library', 'pytorch']);
  try {
    const found = {};
    for (const { id, peer } of peers) found[id] = (await peer.ask('bandwidth', device)).bytesPerSecond;
    return found;
  } finally {
    await stopped(peers);
  }
}

async function sweep() {
  const variable = 'LIBTORCH_LOSSES_CUDA_PIECE_MB';
  const title = `${nameOf(sweptCase, sizeOf(sweptCase))} by ${variable}`;
  if (!isGpu) return notRun(title, 'there is no GPU');
  const rows = [];
  for (const megabytes of quick ? chunkSizes.slice(0, 2) : chunkSizes) {
    if (secondsLeft() < 12) {
      notRun(`${title}=${megabytes} and larger`, 'the time was up');
      break;
    }
    progress(`chunks of ${megabytes} MB`);
    rows.push(await chunks(variable, megabytes));
  }
  table(title, ['MB', 'ms', 'extra memory / gradient'], rows);
  data('chunks', rows);
}

/** The variable is read once, so each size has a process of its own. */
async function chunks(variable, megabytes) {
  const before = process.env[variable];
  process.env[variable] = String(megabytes);
  const [{ id, peer }] = await started(['library']);
  if (before === undefined) delete process.env[variable];
  else process.env[variable] = before;
  try {
    await peer.ask('load', requestFor(sweptCase));
    const { bytes } = await peer.ask('check');
    const { extra } = await peer.ask('memory');
    const run = async (count) => (await peer.ask('run', String(count))).seconds;
    const times = await measure([{ id, run }], { budgetSeconds: 1.5, rounds: 9 });
    return [megabytes, Number((times[id].seconds * 1000).toPrecision(4)), figure(extra / bytes, 3)];
  } finally {
    await peer.stop();
  }
}
