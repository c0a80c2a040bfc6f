// This library, as the benchmark's participant: a request is a line of words between tabs, an answer a line of JSON. Its
// counterpart is ../python/peer.py, which answers the same.
import { createRequire } from 'node:module';
import { answerRequests } from '../../bench/peers/requests.mjs';

const torch = createRequire(import.meta.url)('../../../dist/index.js');
const F = torch.nn.functional;

let call;
let args = [];

const requests = {
  about: () => ({ version: torch.libtorchVersion() }),
  load: (text) => {
    const { loss, dtype, form, shape, device, isLarge } = JSON.parse(text);
    for (const tensor of args) tensor.dispose();
    if (device !== 'cpu') torch.cuda.emptyCache();
    torch.manualSeed(0);
    args = inputsOf(loss, shape, device, dtype);
    call = { ...callOf(loss, form, args), device, isLarge };
    return {};
  },
  check: () => call.check(),
  run: (count) => ({ seconds: run(Number(count)) }),
  memory: () => memory(),
  bandwidth: (device) => ({ bytesPerSecond: bandwidth(device) }),
};

/** The same calls in the same order as in Python, so that the same seed gives the same numbers. */
function inputsOf(loss, shape, device, dtype) {
  return torch.scope(() => {
    const normal = () => torch.randn(shape, { device });
    const x = normal();
    const [rows, columns] = shape;
    const target = {
      crossEntropy: () => torch.randint(0, columns, [rows], { device }),
      binaryCrossEntropyWithLogits: () => normal().sigmoid(),
      klDiv: () => normal().softmax(1),
    }[loss];
    const input = loss === 'klDiv' ? x.logSoftmax(1) : x;
    const other = target === undefined ? normal() : target();
    const cast = (tensor) => (tensor.dtype === 'int64' ? tensor : tensor.to(dtype));
    return [cast(input), cast(other)];
  });
}

function callOf(loss, form, [x, target]) {
  const options = loss === 'klDiv' ? { reduction: 'batchmean' } : {};
  const withGradient = torch.valueAndGrad(F[loss]);
  const tensor = () => [F[loss](x, target, options)];
  const gradient = () => {
    const { value, grad } = withGradient(x, target, options);
    return [value, grad];
  };
  const results = form === 'gradient' ? gradient : tensor;
  const check = () =>
    torch.scope(() => {
      const [value, grad] = results();
      // In float64 row by row: the whole would take four times the memory of a bfloat16.
      const norm = grad === undefined ? undefined : Math.sqrt(rowNorms(grad).sum().item());
      return { value: value.item(), norm, bytes: x.numel() * (x.dtype === 'bfloat16' ? 2 : 4) };
    });
  return { results, check };
}

function rowNorms(grad) {
  const rows = grad.shape[0];
  const parts = [];
  for (let i = 0; i < rows; i += 512) {
    const piece = grad.narrow(0, i, Math.min(512, rows - i)).to('float64');
    parts.push(piece.mul(piece).sum());
  }
  return torch.stack(parts);
}

function synchronize() {
  if (call.device !== 'cpu') torch.cuda.synchronize();
}

function run(count) {
  const { results, isLarge } = call;
  synchronize();
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const found = results();
    // Gigabytes are not left to the collection, as Python does not leave them.
    if (isLarge) for (const tensor of found) tensor.dispose();
  }
  synchronize();
  return (performance.now() - start) / 1000;
}

/** By how much one call raises the peak of the device's memory, and how high that is. */
function memory() {
  const { device, results } = call;
  for (const tensor of results()) tensor.dispose();
  synchronize();
  torch.cuda.resetPeakMemoryStats(device);
  const before = torch.cuda.memoryStats(device).allocatedBytes.current;
  for (const tensor of results()) tensor.dispose();
  synchronize();
  const { peak } = torch.cuda.memoryStats(device).allocatedBytes;
  return { extra: peak - before, peak };
}

/** From page-locked memory of the host to the device. */
function bandwidth(device) {
  const bytes = 2 ** 28;
  const pinned = torch.zeros([bytes / 4]).pinMemory();
  const copy = () => pinned.to({ device, nonBlocking: true }).dispose();
  copy();
  torch.cuda.synchronize();
  const count = 20;
  const start = performance.now();
  for (let i = 0; i < count; i++) copy();
  torch.cuda.synchronize();
  return (count * bytes) / ((performance.now() - start) / 1000);
}

answerRequests(requests);
