// PyTorch's recorded answers, every operator and layout, through `libtorch-losses parity`: to the bit where the vectors were
// recorded with such kernels, else by PyTorch's tolerances; and against the float64 reference.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { check, data, done, order, progress, root, table } from '../part.mjs';

const { device, quick } = order;

/** One of each kind: of classes, of elements, of sequences. */
const few = ['crossEntropy', 'mseLoss', 'ctcLoss'];

/** Failures that are shown; the JSON document has all. */
const shown = 40;

const losses = quick ? few.flatMap((name) => ['--loss', name]) : [];
progress(`libtorch-losses parity --device ${device}`);
const { output, errors } = await parity(['--device', device, '--json', ...losses]);
const { judge, rows, totals, failures, passed } = read(output, errors);
const verdict = `${totals.identical} to the bit, ${totals.reference.cases} compared with the reference, ${totals.left} for the CPU alone`;
const how = judge.exact ? 'to the bit' : `by PyTorch's tolerances (${judge.because})`;
check(`${totals.cases} recorded cases on ${device} agree ${how}`, passed, passed ? verdict : listed(failures));
table(
  'By loss and dtype',
  ['loss', 'dtype', 'cases', 'identical', 'failed', 'worst, in units in the last place'],
  rows.map((row) => [row.loss, row.dtype, row.cases, row.identical, row.failed, row.worstUlp ?? 'NaN']),
);
data('report', { judge, totals, failures });
done();

function parity(args) {
  const program = join(root, 'dist', 'cli', 'main.js');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, 'parity', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const found = { output: '', errors: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      found.output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      found.errors = (found.errors + text).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', () => resolve(found));
  });
}

function read(text, messages) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`libtorch-losses parity gave no document:\n${messages}`);
  }
}

function listed(all) {
  const lines = all.map(({ loss, dtype, case: name, form, against, message }) => {
    const place = `${loss} ${dtype} ${name} (${form}, against the ${against})`;
    return `${place}: ${message.split('\n').slice(0, 2).join(' ')}`;
  });
  const rest = lines.length > shown ? [`and ${lines.length - shown} more`] : [];
  return [`${all.length} do not:`, ...lines.slice(0, shown), ...rest].join('\n');
}
