// Delays of the event loop, idle and while losses run: `event-loop-delay.mjs seconds`. Prints `{ rows }`.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { torch } from '../peers/library.mjs';

const seconds = Number(process.argv[2]);
const F = torch.nn.functional;

/** The monitor's timer fires each millisecond; its figures include that millisecond. */
const resolution = 1;

/**
 * The milliseconds that the host of a virtual machine has kept its processors from it so far, where Linux tells. No
 * thread runs meanwhile, whatever its priority.
 */
function stolen() {
  if (process.platform !== 'linux') return undefined;
  const [, steal] = /^cpu +(?:\d+ +){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'));
  // In hundredths of a second.
  return Number(steal) * 10;
}

/** The greatest delay while `work` runs, in milliseconds, and how long it ran. */
async function delayed(name, isAsynchronous, work) {
  const monitor = monitorEventLoopDelay({ resolution });
  // The monitor's first turn only sets its clock: a delay before that would not be seen.
  monitor.enable();
  await sleep(20);
  const before = stolen();
  const start = performance.now();
  const calls = await work();
  const took = (performance.now() - start) / 1000;
  // The last block is noticed at the next turn of the timer.
  await sleep(20);
  monitor.disable();
  const taken = before === undefined ? undefined : stolen() - before;
  return { name, isAsynchronous, calls, seconds: took, delay: monitor.max / 1e6, stolen: taken };
}

/**
 * Cross entropy, again and again, after a first call, which brings in code and records. Large tensors are disposed:
 * collecting one later would count as somebody's delay.
 */
async function crossEntropy() {
  const x = torch.randn([2048, 50257]);
  const y = torch.randint(0, 50257, [2048]);
  const { async: call } = torch.valueAndGrad(F.crossEntropy);
  const once = async () => {
    const { value, grad } = await call(x, y);
    value.dispose();
    grad.dispose();
  };
  await once();
  return async () => {
    const end = performance.now() + seconds * 1000;
    let calls = 0;
    for (; performance.now() < end; calls++) await once();
    x.dispose();
    return calls;
  };
}

/** One CTC loss that takes about so long: its time grows with the number of sequences. */
function ctc() {
  const inputs = (sequences) => {
    const [steps, labels] = [500, 60];
    return [
      torch.scope(() => torch.randn([steps, sequences, 80]).logSoftmax(2)),
      torch.randint(1, 80, [sequences, labels]),
      torch.full([sequences], steps, { dtype: 'int64' }),
      torch.full([sequences], labels, { dtype: 'int64' }),
    ];
  };
  const withGradient = torch.valueAndGrad(F.ctcLoss);
  const milliseconds = torch.scope(() => {
    const probe = inputs(32);
    withGradient(...probe);
    const start = performance.now();
    withGradient(...probe);
    return performance.now() - start;
  });
  const sequences = Math.ceil((32 * seconds * 1000) / milliseconds);
  const args = inputs(Math.min(sequences, 2048));
  return {
    asynchronous: () => withGradient.async(...args).then(() => 1),
    synchronous: async () => {
      withGradient(...args);
      return 1;
    },
  };
}

async function main() {
  const idle = await delayed('nothing', false, () => sleep(seconds * 1000).then(() => 0));
  const again = await delayed('valueAndGrad(crossEntropy).async, again and again', true, await crossEntropy());
  const { asynchronous, synchronous } = ctc();
  const one = await delayed('valueAndGrad(ctcLoss).async, one call', true, asynchronous);
  const blocking = await delayed('valueAndGrad(ctcLoss), one call, synchronous', false, synchronous);
  return { rows: [idle, again, one, blocking] };
}

console.log(JSON.stringify(await main()));
