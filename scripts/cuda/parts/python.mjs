// Every case of every loss against Python's PyTorch on the same device: to the bit, but where CUDA kernels add by
// atomic operations; and what is refused must be refused by both.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compute, isLost, quickStep, runsOf } from '../case-run.mjs';
import { apart, atomics, deviations, unequal, whyNotPyTorch, whyNotRepeatable } from '../judge-runs.mjs';
import { check, data, done, library, notRun, order, progress, secondsLeft, table } from '../part.mjs';

const torch = library();
const { resultBits } = library('parity/vectors');
const { device, quick, python, whyNoPython } = order;
const title = `every loss against Python's PyTorch on ${device}, to the bit`;

/** Seconds for reporting. */
const kept = 5;

if (python === undefined) notRun(title, `there is no Python to compare with: ${whyNoPython}`);
else await main();
done();

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-cuda-'));
  try {
    progress('PyTorch runs the cases');
    const out = join(folder, 'results.jsonl');
    await ask([order.cases, device, out, ...(quick ? [String(quickStep)] : [])]);
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    compareAll(lines.map((line) => JSON.parse(line)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the program with all threads that this process has: on the CPU the bits depend on their number. */
function ask(args) {
  const program = fileURLToPath(new URL('../python/cases.py', import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: String(torch.getNumThreads()) };
  return new Promise((resolve, reject) => {
    const child = spawn(python, [program, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) resolve();
      else reject(new Error(`${python} ${program} ended by ${signal ?? `status ${status}`}`));
    });
  });
}

function compareAll(recorded) {
  const runs = runsOf(order.cases, quick);
  if (runs.length !== recorded.length) throw new Error(`PyTorch ran ${recorded.length} cases of ${runs.length}`);
  const rows = new Map();
  const failures = [];
  const refused = [];
  for (const [i, run] of runs.entries()) {
    if (i % 20 === 0) progress(`${i} of ${runs.length}: ${run.name}`);
    if (secondsLeft() < kept) {
      notRun(`${runs.length - i} of ${runs.length} runs beside PyTorch's`, 'the time was up');
      break;
    }
    const row = rows.get(run.loss) ?? { runs: 0, identical: 0, atomic: 0, refused: 0, deviating: 0 };
    rows.set(run.loss, row);
    row.runs++;
    const [ours, theirs] = [compute(run, device), recorded[i]];
    if (theirs.name !== run.name) throw new Error(`PyTorch ran '${theirs.name}' in place of '${run.name}'`);
    if (isLost(ours)) {
      failures.push(`${run.name}: ${ours.refusal.message}; nothing after it could be run`);
      break;
    }
    if (ours.refusal !== undefined || theirs.refusal !== undefined) {
      refused.push({ name: run.name, ours: ours.refusal, pytorch: theirs.refusal });
      const wrong = disagreement(ours.refusal, theirs.refusal);
      if (wrong === undefined) row.refused++;
      else if (ours.refusal === undefined && whyNotPyTorch(run) !== undefined) row.deviating++;
      else failures.push(`${run.name}: ${wrong}`);
    } else compareRun(run, row, ours.results, theirs.results, failures);
  }
  report(rows, failures, refused);
}

function disagreement(ours, theirs) {
  if (ours === undefined) return `PyTorch alone refuses: ${theirs.type} ${theirs.message}`;
  if (theirs === undefined) return `PyTorch does not refuse, but here: ${ours.code} ${ours.message}`;
  return undefined;
}

function compareRun(run, row, ours, theirs, failures) {
  const isDeviation = whyNotPyTorch(run) !== undefined;
  let isSame = true;
  for (const label of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    if (ours[label] === undefined || theirs[label] === undefined) {
      failures.push(`${run.name}: only ${ours[label] === undefined ? 'PyTorch' : 'this library'} has the ${label}`);
      isSame = false;
      continue;
    }
    const expected = resultBits(theirs[label]);
    const wrong = unequal(label, ours[label], expected, 'PyTorch gives');
    if (wrong === undefined) continue;
    isSame = false;
    if (isDeviation) continue;
    const isAtomic = device !== 'cpu' && whyNotRepeatable(run, label) !== undefined;
    if (isAtomic) row.atomic++;
    const far = isAtomic ? apart(run, label, ours[label], expected, 'PyTorch gives') : wrong;
    if (far !== undefined) failures.push(`${run.name}: ${far}`);
  }
  if (isSame) row.identical++;
  else if (isDeviation) row.deviating++;
}

function report(rows, failures, refused) {
  const all = [...rows.values()];
  const sum = (of) => all.reduce((total, row) => total + row[of], 0);
  const detail = [
    `${sum('identical')} to the bit`,
    `${sum('atomic')} results of atomic operations within tolerance`,
    `${sum('refused')} refused by both`,
    `${sum('deviating')} where this library differs on purpose`,
  ].join(', ');
  const ok = failures.length === 0;
  check(`${sum('runs')} runs on ${device} have the bits of Python's PyTorch`, ok, ok ? detail : failures.join('\n'));
  table(
    'Every loss, value and gradient',
    ['loss', 'runs', "PyTorch's bits", 'atomic operations, within tolerance', 'refused by both', 'other on purpose'],
    [...rows].map(([loss, row]) => [loss, row.runs, row.identical, row.atomic, row.refused, row.deviating]),
  );
  if (device !== 'cpu') {
    const known = atomics.map(({ losses, because }) => [losses.join(', '), because]);
    table('Judged by tolerance, since their CUDA kernels are not repeatable', ['losses', 'why'], known);
  }
  table(
    'Other on purpose',
    ['losses', 'why'],
    deviations.map(({ losses, because }) => [losses.join(', '), because]),
  );
  data('failures', failures);
  data('refused', refused);
}
