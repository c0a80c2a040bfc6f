/** Memory that another thread writes to while a loss reads it: kernels check labels once and then trust them. */
import { printedBy } from '../support/child';

/** A worker that writes labels out of range and back, for as long as the main thread computes. */
const racing = (compute: string): string => `
  const { Worker } = require('node:worker_threads');
  const running = new Int32Array(new SharedArrayBuffer(4));
  const buffer = new SharedArrayBuffer(8 * 64 * 64);
  const labels = new BigInt64Array(buffer);
  const worker = new Worker(\`
    const { workerData: { running, labels }, parentPort } = require('node:worker_threads');
    parentPort.postMessage('started');
    while (Atomics.load(running, 0) === 0) {
      for (let i = 0; i < labels.length; i += 64) labels[i] = 1n << 45n;
      for (let i = 0; i < labels.length; i += 64) labels[i] = 1n;
    }
  \`, { eval: true, workerData: { running, labels } });
  const input = torch.randn([64, 64]);
  const counts = { fine: 0, refused: 0 };
  worker.once('message', async () => {
    const end = performance.now() + 700;
    while (performance.now() < end) {
      try { ${compute}; counts.fine++; } catch (error) { if (!(error instanceof torch.TorchError)) throw error; counts.refused++; }
    }
    Atomics.store(running, 0, 1);
    console.log(JSON.stringify(counts));
  });
`;

const data = '{ data: labels, dims: [64, 64] }';

test.each([
  ['a loss', `F.multilabelMarginLoss(input, ${data})`],
  ['its value and gradient', `torch.valueAndGrad(F.multilabelMarginLoss)(input, ${data})`],
  ['its graph', `F.multilabelMarginLoss(input.detach().requiresGrad_(), ${data}).backward()`],
  ['its number', `F.multilabelMarginLoss.item(input, ${data})`],
  ['the other thread', `await F.multilabelMarginLoss.async(input, ${data})`],
  ['class indices', 'F.crossEntropy.item(input, { data: labels.subarray(0, 64), dims: [64] })'],
])('%s, of labels that change meanwhile', (_name, compute) => {
  const { fine, refused } = printedBy<{ fine: number; refused: number }>(racing(compute));
  expect(fine + refused).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(0);
});
