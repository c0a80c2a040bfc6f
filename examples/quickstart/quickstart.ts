/** Trains a classifier of handwritten digits, then compares its held-out losses with the reference implementation. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as torch from 'libtorch-losses';
import { classCount, DataError, pixelCount, readDigits } from './data';
import { evaluate, evaluateByClass } from './evaluation';
import { Classifier, hiddenCount } from './model';
import { help, type Options, parseOptions, UsageError } from './options';
import { bits, digest, exact, type Run } from './record';
import { accuracyLine, classTable, header, largestDifference, Progress } from './report';
import { batchesOf, type Examples, settings, split, trainEpoch } from './training';

/** The data lies beside the sources, wherever the compiled program is. */
const dataFile = join(
  dirname(require.resolve('libtorch-losses/package.json')),
  'examples/quickstart/data/digits.csv.gz',
);

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const run = await quickstart(options, options.json === '-' ? process.stderr : process.stdout);
  if (options.json === '-') process.stdout.write(`${JSON.stringify(run)}\n`);
  else if (options.json !== undefined) writeRun(options.json, run);
}

function writeRun(file: string, run: Run): void {
  try {
    writeFileSync(file, `${JSON.stringify(run)}\n`);
  } catch (cause) {
    const { message } = cause as Error;
    throw new UsageError(`quickstart: expected option '--json' to be a file to write, but received ${message}`, {
      cause,
    });
  }
}

async function quickstart({ epochs, seed }: Options, out: NodeJS.WriteStream): Promise<Run> {
  const started = performance.now();
  const digits = readDigits(dataFile);
  // Matrices this small gain nothing from a second thread, and its waiting costs seconds on a busy machine.
  torch.setNumThreads(1);
  torch.manualSeed(seed);
  const { training, heldOut } = split(digits);
  const model = new Classifier();
  out.write(introduction({ epochs, seed }, model, training, heldOut));

  const initial = digest([...model.parameters()]);
  const trainingStarted = performance.now();
  const history = await train(model, training, heldOut, epochs, out);
  const trainingEnded = performance.now();

  const { native, reference } = evaluateByClass(model, heldOut);
  const seconds = (performance.now() - started) / 1000;
  out.write(`\n${classTable(native, reference)}\n`);
  out.write(`largest difference of the two: ${largestDifference(native, reference).toExponential(1)} of the loss\n`);
  out.write(`${seconds.toFixed(2)} s in all, ${((trainingEnded - trainingStarted) / 1000).toFixed(2)} s of training\n`);
  out.write(accuracyLine(native.all));
  return {
    recorded: environment(),
    settings: { seed, epochs, ...settings, training: training.count },
    weights: { initial, final: digest([...model.parameters()]) },
    ...history,
    byClass: native.byClass.map(exact),
    reference,
    seconds,
  };
}

async function train(
  model: Classifier,
  training: Examples,
  heldOut: Examples,
  epochs: number,
  out: NodeJS.WriteStream,
): Promise<Pick<Run, 'losses' | 'heldOut'>> {
  const optimizer = new torch.optim.SGD(model.parameters(), settings.learningRate, settings.momentum);
  const progress = new Progress(out, epochs, batchesOf(training));
  const history: Pick<Run, 'losses' | 'heldOut'> = { losses: [], heldOut: [] };
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const losses = trainEpoch(model, optimizer, training, () => progress.batch());
      const figures = evaluate(model, heldOut);
      const trainingLoss = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      progress.epoch({ epoch, trainingLoss, heldOut: figures });
      history.losses.push(Array.from(losses, bits));
      history.heldOut.push(exact(figures));
      // Lets an interrupt through.
      await setImmediate();
    }
  } finally {
    progress.stop();
  }
  return history;
}

function introduction(
  { epochs, seed }: Pick<Options, 'epochs' | 'seed'>,
  model: Classifier,
  training: Examples,
  heldOut: Examples,
): string {
  const { torch: version, capability, threads } = environment();
  const { batch, learningRate, momentum } = settings;
  const weights = [...model.parameters()].reduce((sum, parameter) => sum + parameter.numel(), 0);
  return header('Handwritten digits, learned with PyTorch\u2019s cross entropy in Node.js', [
    ['libtorch', `${version}, ${capability} kernels, ${threads} ${threads === 1 ? 'thread' : 'threads'}`],
    ['images', `${grouped(training.count)} to learn from, ${heldOut.count} held out, 8 x 8 pixels`],
    ['network', `${pixelCount}-${hiddenCount}-${classCount} with ReLU, ${grouped(weights)} weights, seed ${seed}`],
    [
      'training',
      `${epochs} epochs of ${batchesOf(training)} batches of ${batch}, SGD ${learningRate}, momentum ${momentum}`,
    ],
  ]);
}

/** What decides the last places of every result. */
function environment(): Run['recorded'] {
  return {
    torch: torch.libtorchVersion(),
    capability: torch.cpuCapability(),
    mklCbwr: process.env.MKL_CBWR ?? '',
    threads: torch.getNumThreads(),
  };
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

// A reader that has seen enough, as in `quickstart | head`, is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof UsageError || error instanceof DataError || error instanceof torch.TorchError;
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${help}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
