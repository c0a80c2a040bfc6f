// Evaluates the files once and prints its figures. Arguments: `memory` or `file`, the folder, the form, threads, bytes
// for memory.
import { createRequire } from 'node:module';
import { torch } from '../peers/library.mjs';
import { classes, inputFile, targetFile } from './evaluate-files.mjs';

const require = createRequire(import.meta.url);
const { evaluateFiles } = require('../../../dist/evaluate/evaluation.js');
const { openArray } = require('../../../dist/evaluate/files/open.js');

const [place, folder, form, threads, memoryBytes] = process.argv.slice(2);
const { crossEntropy } = torch.nn.functional;
const options = { predictions: form === 'predictions' };

/** As `evaluateFiles` reads: 64 MB at once. */
const rowsAtOnce = Math.floor((64 * 2 ** 20) / (4 * classes));

torch.setNumThreads(Number(threads));
// Code and threads come in before the clock runs.
new torch.BatchEvaluator(crossEntropy, {}, options)
  .update(torch.randn([rowsAtOnce, classes]), torch.randint(0, classes, [rowsAtOnce]))
  .result();
const { seconds, bytes, result } = place === 'memory' ? await ofMemory() : await ofFile();
console.log(JSON.stringify({ seconds, bytes, figures: figuresOf(result) }));

async function ofMemory() {
  const rows = Math.floor(Number(memoryBytes) / (4 * classes));
  const [input, target] = await Promise.all(
    [inputFile(folder), targetFile(folder)].map(async (path) => (await (await openArray(path)).read(rows)).clone()),
  );
  return timed(() => new torch.BatchEvaluator(crossEntropy, {}, options).update(input, target), input.numel() * 4);
}

function ofFile() {
  return evaluateFiles({
    loss: 'crossEntropy',
    arguments: { input: [inputFile(folder)], target: [targetFile(folder)] },
    options: {},
    devices: ['cpu'],
    ...options,
    details: false,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
}

function timed(work, bytes) {
  const start = performance.now();
  const result = work().result();
  return { result, bytes, seconds: (performance.now() - start) / 1000 };
}

function figuresOf({ loss, count, classification }) {
  if (classification === undefined) return { loss, count };
  const { accuracy, top5, calibrationError } = classification;
  return { loss, count, accuracy, top5, calibrationError };
}
