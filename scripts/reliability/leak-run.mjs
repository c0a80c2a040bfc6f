// Calls one loss over and over in one way and prints what the process's memory does, as JSON.
//
//   node --expose-gc leak-run.mjs <dist> <loss> <way> <calls> <milliseconds>
//
// Ways: sync (a tensor, a number, value and gradient, and a backward pass in turn), async (a tensor, and value and
// gradient), refused (by this library, by libtorch, of a disposed tensor, and off the main thread in turn).
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { leakCases } from './leak-cases.mjs';

const [dist, name, way, callsText, milliseconds] = process.argv.slice(2);
const torch = createRequire(import.meta.url)(join(dist, 'index.js'));
const loss = torch.nn.functional[name];
const valueAndGrad = torch.valueAndGrad(loss);

torch.manualSeed(0);
torch.setNumThreads(1);
const [first, ...rest] = leakCases[name](torch);
const leaf = first.detach().requiresGrad_();
const gone = torch.ones([1]);
gone.dispose();
/** Of a shape that no loss takes beside the others. */
const misshapen = torch.ones([3, 1, 2, 7]);

function backward() {
  loss(leaf, ...rest).backward();
  leaf.grad = undefined;
}

function refused(fn) {
  try {
    fn();
  } catch (error) {
    if (error instanceof torch.TorchError) return;
    throw error;
  }
  throw new Error(`${name} was expected to refuse`);
}

async function refusedLater(promise) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof torch.TorchError) return;
    throw error;
  }
  throw new Error(`${name} was expected to refuse`);
}

/** By way: functions that are called in turn; those that give a promise run beside each other. */
const steps = {
  sync: [() => loss(first, ...rest), () => loss.item(first, ...rest), () => valueAndGrad(first, ...rest), backward],
  async: [() => loss.async(first, ...rest), () => valueAndGrad.async(first, ...rest)],
  refused: [
    () => refused(() => loss(first, ...rest, { redction: 'sum' })),
    () => refused(() => loss(misshapen, ...rest)),
    () => refused(() => loss(gone, ...rest)),
    () => refused(() => valueAndGrad(misshapen, ...rest)),
    () => refusedLater(loss.async(misshapen, ...rest)),
    () => refusedLater(valueAndGrad.async(gone, ...rest)),
  ],
}[way];

/** Calls between two turns of the event loop. */
const together = 48;
const samples = [];
const wanted = Number(callsText);
const until = performance.now() + Number(milliseconds);

function sample(calls) {
  gc();
  const { tensors, allocated } = torch.memory();
  samples.push({ calls, rss: process.memoryUsage.rss(), tensors, allocated });
}

let calls = 0;
async function run(count) {
  for (const end = calls + count; calls < end; calls += together) {
    const pending = [];
    for (let i = 0; i < together; i++) pending.push(steps[i % steps.length]());
    // Without promises too: what a program does in turns of the event loop is done here.
    await Promise.all(pending);
  }
}

/**
 * Memory still grows in the first calls: compiled code, pools, caches, and what the collections themselves take. They
 * are made in the rhythm in which it is measured.
 */
const pieces = { warmUp: 5, measured: 20 };
const piece = Math.max(1000, Math.ceil(wanted / pieces.measured));
for (let i = 0; i < pieces.warmUp; i++) {
  await run(piece);
  gc();
}
const begin = calls;
sample(0);
for (let i = 0; i < pieces.measured && performance.now() < until; i++) {
  await run(piece);
  sample(calls - begin);
}
console.log(JSON.stringify(samples));
