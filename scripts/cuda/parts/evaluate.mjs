// A loss over files made on the spot: on the device against the CPU, in batches of several sizes, on one device and on all.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classes, inputFile, targetFile, writeScores } from '../../bench/sections/evaluate-files.mjs';
import { check, data, done, library, notRun, order, progress, table } from '../part.mjs';

const { evaluateFiles } = library('evaluate/evaluation');
const { tolerances } = library('parity/bits');
const { device, devices, quick } = order;
const isGpu = device !== 'cpu';

/** Bytes of the scores. */
const size = { gpu: 400e6, cpu: 60e6, quick: 16e6 }[quick ? 'quick' : isGpu ? 'gpu' : 'cpu'];

/** Rows of a batch. Neither divides the other, and none the number of rows. */
const batches = [undefined, 1, 3].map((factor) => factor && Math.floor((size / (4 * classes) / 17) * factor));

const found = [];
const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-cuda-'));
try {
  progress(`writing ${size / 1e6} MB of scores`);
  writeScores(folder, size);
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
table(
  `crossEntropy of ${Math.floor(size / (4 * classes))} x ${classes} scores, with predictions`,
  ['devices', 'dtype', 'rows of a batch', 'loss', 'accuracy', 'top 5', 'calibration error', 'GB/s'],
  found.map(({ on, dtype, rows, result, speed }) => {
    const { accuracy, top5, calibrationError } = result.classification;
    const place = [on.join(', '), dtype ?? 'float32', rows ?? 'by itself'];
    return [...place, result.loss, accuracy, top5, calibrationError, speed.toFixed(2)];
  }),
);
data('runs', found);
done();

async function main() {
  const first = isGpu ? 'cuda:0' : 'cpu';
  const onCpu = await evaluate(['cpu']);
  const onDevice = [];
  for (const rows of batches) onDevice.push(await evaluate([first], { rows }));
  same(`the result on ${first} is the same for every size of the batch`, onDevice);
  if (!isGpu) {
    notRun('evaluation on a GPU against the CPU; on one GPU and on several', 'there is no GPU');
    return;
  }
  near(`the result on ${first} agrees with the CPU's by PyTorch's tolerances`, onDevice[0], onCpu, 'float32');
  const halves = [await evaluate([first], { dtype: 'bfloat16' }), await evaluate(['cpu'], { dtype: 'bfloat16' })];
  near(`in bfloat16 too`, ...halves, 'bfloat16');
  if (devices === 1) {
    notRun('evaluation on several GPUs', 'there is one');
    return;
  }
  const every = Array.from({ length: devices }, (_, i) => `cuda:${i}`);
  same(`the result on ${devices} GPUs is that on one`, [onDevice[0], await evaluate(every)]);
}

async function evaluate(on, { rows, dtype } = {}) {
  progress(
    `${on.join(', ')}, ${dtype ?? 'float32'}, ${rows === undefined ? 'batches by itself' : `${rows} rows a batch`}`,
  );
  const { result, seconds, bytes } = await evaluateFiles({
    loss: 'crossEntropy',
    arguments: { input: [inputFile(folder)], target: [targetFile(folder)] },
    options: {},
    devices: on,
    dtype,
    batchRows: rows,
    predictions: true,
    details: false,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  const { classification, ...rest } = result;
  const { classes: _, calibration, ...figures } = classification;
  const run = { on, dtype, rows, seconds, speed: bytes / seconds / 1e9 };
  found.push({ ...run, result: { ...rest, classification: { ...figures, calibration } } });
  return found.at(-1);
}

function same(name, runs) {
  const [first, ...others] = runs.map(({ result }) => JSON.stringify(result));
  const wrong = others.find((other) => other !== first);
  check(name, wrong === undefined, wrong === undefined ? undefined : `${first}\n${wrong}`);
}

/** Counts are equal in float32; sums are as near as the losses that they add up. */
function near(name, { result: actual }, { result: expected }, dtype) {
  const { relative, absolute } = tolerances[dtype];
  const figures = ({ loss, classification: c }) => ({
    loss,
    perplexity: c.perplexity,
    calibrationError: c.calibrationError,
  });
  const [ours, theirs] = [figures(actual), figures(expected)];
  const wrong = Object.keys(ours).filter(
    (key) => !(Math.abs(ours[key] - theirs[key]) <= absolute + relative * Math.abs(theirs[key])),
  );
  const shares = ['accuracy', 'top5'].filter((key) => actual.classification[key] !== expected.classification[key]);
  const all = dtype === 'float32' ? [...wrong, ...shares] : wrong;
  check(
    name,
    all.length === 0,
    all
      .map(
        (key) =>
          `${key}: ${ours[key] ?? actual.classification[key]} here, ${theirs[key] ?? expected.classification[key]} on the CPU`,
      )
      .join('\n'),
  );
}
