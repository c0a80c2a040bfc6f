// Evaluates the files once and prints what it took: `memory` or `file`, the folder, the form, threads, bytes for memory.
import { createRequire } from 'node:module';
import { torch } from '../peers/library.mjs';
import { classes, inputFile, targetFile } from './evaluate-files.mjs';

const require = createRequire(import.meta.url);
const { evaluateFiles } = require('../../../dist/evaluate/evaluation.js');
const { openArray } = require('../../../dist/evaluate/files/open.js');

const [place, folder, form, threads, memoryBytes] = process.argv.slice(2);
const { crossEntropy } = torch.nn.functional;
const options = { predictions: form === 'predictions' };

/** As `evaluateFiles` reads: 16 MB at once. */
const rowsAtOnce = Math.floor((16 * 2 ** 20) / (4 * classes));

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
  return timed(() => new torch.BatchEvaluator(crossEntropy, {}, options).update(input, target), input.numel * 4);
}

async function ofFile() {
  const files = { input: [inputFile(folder)], target: [targetFile(folder)] };
  if (form === 'predictions') {
    return evaluateFiles({
      loss: 'crossEntropy',
      arguments: files,
      options: {},
      devices: ['cpu'],
      details: false,
      onProgress: () => {},
      signal: new AbortController().signal,
    });
  }
  const start = performance.now();
  const [input, target] = await Promise.all([openArray(files.input), openArray(files.target)]);
  const evaluator = new torch.BatchEvaluator(crossEntropy, {}, options);
  await evaluator.updateFrom(pairs(input, target));
  const result = evaluator.result();
  return { result, bytes: input.rows * (4 * classes + 8), seconds: (performance.now() - start) / 1000 };
}

async function* pairs(input, target) {
  for (;;) {
    const [scores, labels] = await Promise.all([input.read(rowsAtOnce), target.read(rowsAtOnce)]);
    if (scores === undefined) return;
    yield [scores, labels];
    scores.dispose();
    labels.dispose();
  }
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
