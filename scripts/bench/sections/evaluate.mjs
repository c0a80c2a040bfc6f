// How fast a file that is larger than any cache is evaluated, compared with memory and with NumPy and PyTorch, and how
// much memory it takes.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Disagreement } from '../agreement.mjs';
import { median } from '../measure.mjs';
import { readOnce, writeScores } from './evaluate-files.mjs';

/** Bytes of the scores, those of the part that is evaluated from memory, and the free space that the disk needs. */
const sizes = {
  quick: { file: 60e6, memory: 30e6, free: 0.2e9 },
  full: { file: 6e9, memory: 1e9, free: 8e9 },
  small: { file: 1e9, memory: 0.5e9, free: 2e9 },
};

/** Rows that NumPy and PyTorch take at once; the better of both counts. */
const batches = [1024, 4096];

/**
 * Speed from the file by that from memory, at least; beside PyTorch, at least; memory beyond the page cache, at most.
 */
const targets = { memory: 0.7, pytorch: 1, peak: 400e6 };

/** The most rounds: each goes through the file four times or more. */
const mostRounds = 5;

const forms = ['loss', 'predictions'];

/** Measures each form in rounds; returns the size, and a record for each form. */
export async function measureEvaluate({ peers, options, threads, progress }) {
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-bench-'));
  try {
    const { file, memory } = sizeFor(folder, options.quick);
    progress(`writing ${file / 1e9} GB of scores`);
    writeScores(folder, file);
    readOnce(folder);
    const python = peers.find(({ id }) => id === 'pytorch')?.program.command;
    const context = { folder, memory, python, threads: String(threads.at(-1)) };
    const records = [];
    const rounds = Math.min(options.measure.rounds, mostRounds);
    for (const form of forms) {
      const samples = [];
      for (let i = 0; i < rounds; i++) {
        progress(
          `evaluating a file, ${form === 'loss' ? 'the loss alone' : 'with predictions'}, round ${i + 1} of ${rounds}`,
        );
        samples.push(await round(form, context));
      }
      records.push(summary(form, samples));
    }
    return { bytes: file, memoryBytes: memory, targets, records };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sizeFor(folder, quick) {
  if (quick) return sizes.quick;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= sizes.full.free ? sizes.full : sizes.small;
}

/** Each participant once, in a fresh process: speeds in bytes a second. */
async function round(form, { folder, memory, python, threads }) {
  const own = fileURLToPath(new URL('evaluate-run.mjs', import.meta.url));
  const fromMemory = await run(process.execPath, [own, 'memory', folder, form, threads, String(memory)]);
  const fromFile = await run(process.execPath, [own, 'file', folder, form, threads, '0']);
  const peer = fileURLToPath(new URL('../peers/evaluate.py', import.meta.url));
  const others = [];
  for (const batch of python === undefined ? [] : batches) {
    const other = await run(python, [peer, folder, form, threads, String(batch)]);
    compare(fromFile.figures, other.figures);
    others.push(other.speed);
  }
  return {
    memory: fromMemory.speed,
    file: fromFile.speed,
    peak: fromFile.peak,
    ...(others.length === 0 ? {} : { pytorch: others }),
  };
}

/** Runs a program that prints JSON, and looks at its memory meanwhile. */
function run(command, args) {
  const env = { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' };
  return new Promise((resolve, reject) => {
    let peak = 0;
    const child = execFile(command, args, { env }, (error, stdout) => {
      clearInterval(timer);
      if (error) return reject(error);
      const { bytes, seconds, figures } = JSON.parse(stdout);
      resolve({ speed: bytes / seconds, figures, peak: peak === 0 ? undefined : peak });
    });
    const timer = setInterval(() => {
      peak = Math.max(peak, anonymousMemory(child.pid) ?? 0);
    }, 10);
  });
}

/** Resident memory that is not a file's, so beyond the page cache; Linux tells. */
function anonymousMemory(id) {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Counts must be equal; sums of float64 depend on their order in the last places. */
function compare(ours, theirs) {
  for (const [name, value] of Object.entries(ours)) {
    const other = theirs[name];
    if (Math.abs(value - other) <= 1e-6 * Math.abs(value)) continue;
    throw new Disagreement(`${name} of the file: ${value} here, ${other} by PyTorch`);
  }
}

function summary(form, samples) {
  const of = (read) => (read(samples[0]) === undefined ? undefined : median(samples.map(read)));
  const byBatch = batches.map((_, i) => (sample) => sample.pytorch?.[i]);
  // The batch that is the better one over all rounds: the better of each round would be the luckier.
  const pytorch = byBatch.reduce((best, read) => (of(read) > of(best) ? read : best));
  return {
    form,
    memory: of(({ memory }) => memory),
    file: of(({ file }) => file),
    pytorch: of(pytorch),
    toMemory: of(({ file, memory }) => file / memory),
    toPyTorch: samples[0].pytorch === undefined ? undefined : of((sample) => sample.file / pytorch(sample)),
    peak: samples[0].peak === undefined ? undefined : Math.max(...samples.map(({ peak }) => peak)),
    samples,
  };
}
