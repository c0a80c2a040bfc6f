// How fast scores in host memory are evaluated on a device.
import { closeSync, openSync, writeSync } from 'node:fs';
import { classes, inputFile, npyHeader, readOnce, targetFile, writeAll } from '../bench/sections/evaluate-files.mjs';
import { library } from './part.mjs';

const torch = library();
const { evaluateFiles } = library('evaluate/evaluation');

/** Rows that are drawn; the file repeats them, which takes less time and costs nothing here. */
const rowsAtOnce = 16_384;

/**
 * Bytes a second, a figure a round, of files in the page cache; the first round, which fills the cache, is not counted.
 */
export async function evaluationSpeed({ folder, bytes, device, rounds }) {
  write(folder, bytes);
  readOnce(folder);
  const speeds = [];
  for (let i = 0; i <= rounds; i++) {
    const { bytes: read, seconds } = await evaluateFiles({
      loss: 'crossEntropy',
      arguments: { input: [inputFile(folder)], target: [targetFile(folder)] },
      options: {},
      devices: [device],
      predictions: false,
      details: false,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
    if (i > 0) speeds.push(read / seconds);
  }
  return speeds;
}

function write(folder, bytes) {
  const rows = Math.floor(bytes / (4 * classes));
  torch.manualSeed(0);
  const scores = torch.randn([rowsAtOnce, classes]).toTypedArray();
  const labels = torch.randint(0, classes, [rowsAtOnce]).toTypedArray();
  const [input, target] = [openSync(inputFile(folder), 'w'), openSync(targetFile(folder), 'w')];
  try {
    writeSync(input, npyHeader('<f4', `(${rows}, ${classes})`));
    writeSync(target, npyHeader('<i8', `(${rows},)`));
    for (let done = 0; done < rows; done += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - done);
      writeAll(input, scores.subarray(0, count * classes));
      writeAll(target, labels.subarray(0, count));
    }
  } finally {
    closeSync(input);
    closeSync(target);
  }
}
