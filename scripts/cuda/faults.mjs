// Faults that must be reported clearly. Each scenario runs in its own process: after some of them no GPU can be used
// there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { npyHeader } from '../bench/sections/evaluate-files.mjs';

const require = createRequire(import.meta.url);
const torch = require('../../dist/index.js');
const F = torch.nn.functional;
const { cuda } = torch;

const classes = 10;

/** Each `{ title, needsGpu, run(device, check) }`; `check(name, passed, detail)` receives the findings. */
export const scenarios = Object.freeze({
  unavailable: { title: 'an unavailable device', needsGpu: false, run: unavailable },
  hostLabels: { title: 'class indices out of range that come from the host', needsGpu: false, run: hostLabels },
  deviceLabels: { title: 'class indices out of range that are on the device', needsGpu: false, run: deviceLabels },
  badFile: { title: 'class indices out of range in a file', needsGpu: false, run: badFile },
  mixed: { title: 'tensors of several devices in one call', needsGpu: true, run: mixed },
  lost: { title: 'a device-side assert', needsGpu: true, run: lost },
  outOfMemory: { title: 'memory that runs out', needsGpu: true, run: outOfMemory },
  dropped: { title: 'tensors that are dropped', needsGpu: false, run: dropped },
});

/** The error of a call; `undefined` if it returned. */
function refusal(fn) {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error;
  }
}

function shown(error) {
  return error === undefined ? 'nothing was thrown' : `${error.name} ${error.code}: ${error.message}`;
}

/** Whether the device still computes. */
function works(device) {
  return torch.ones([3], { device }).sum().item() === 3;
}

function unavailable(device, check) {
  const isGpu = device !== 'cpu';
  const missing = isGpu ? `cuda:${cuda.deviceCount()}` : 'cuda';
  const error = refusal(() => torch.zeros([2], { device: missing }));
  const reason = isGpu ? /device/i : cuda.whyUnavailable();
  const says =
    error instanceof torch.TorchError && (isGpu ? reason.test(error.message) : error.message.includes(reason));
  check(`${missing} is refused, with the reason`, says, shown(error));
  check(`cuda.isAvailable() is ${isGpu}`, cuda.isAvailable() === isGpu, `it is ${cuda.isAvailable()}`);
  check(`${device} works after it`, works(device));
}

/** Losses of classes by name: scores to a value that refuses the labels. */
const byClasses = {
  crossEntropy: (x, labels) => F.crossEntropy(x, labels).item(),
  nllLoss: (x, labels) => F.nllLoss(x.logSoftmax(1), labels).item(),
  multiMarginLoss: (x, labels) => F.multiMarginLoss(x, labels).item(),
  'valueAndGrad(crossEntropy)': (x, labels) => torch.valueAndGrad(F.crossEntropy)(x, labels).value.item(),
};

function refusesLabels(device, check, make, what) {
  const x = torch.randn([3, classes], { device });
  for (const [name, loss] of Object.entries(byClasses)) {
    for (const bad of [classes, -1]) {
      const error = refusal(() => loss(x, make([1, bad, 2])));
      const named = error instanceof torch.TorchError && error.argument === 'target';
      check(`${name} refuses ${what} ${bad} by name`, named && /class indices/.test(error.message), shown(error));
    }
  }
  const kept = F.crossEntropy(x, make([1, -100, 2])).item();
  check(`the label -100 is ignored in ${what}`, Number.isFinite(kept), String(kept));
  check(`${device} works after it`, works(device));
}

function hostLabels(device, check) {
  refusesLabels(device, check, (labels) => labels, 'an array with the label');
}

function deviceLabels(device, check) {
  // On the CPU the kernels look by themselves.
  if (device !== 'cpu') cuda.setValidateArgs(true);
  refusesLabels(
    device,
    check,
    (labels) => torch.tensor(labels, { dtype: 'int64' }).to(device),
    'a tensor with the label',
  );
  const error = refusal(() => F.binaryCrossEntropy(torch.full([2], 1.5).to(device), torch.ones([2]).to(device)).item());
  const named = error instanceof torch.TorchError && error.argument === 'input';
  check('binaryCrossEntropy refuses 1.5 as a probability by name', named, shown(error));
  check(`${device} works after that too`, works(device));
}

async function badFile(device, check) {
  const { evaluateFiles } = require('../../dist/evaluate/evaluation.js');
  const folder = mkdtempSync(join(tmpdir(), 'libtorch-losses-cuda-'));
  try {
    const [input, target] = [join(folder, 'logits.npy'), join(folder, 'labels.npy')];
    const rows = 64;
    writeFileSync(input, npy('<f4', `(${rows}, ${classes})`, new Float32Array(rows * classes)));
    writeFileSync(target, npy('<i8', `(${rows},)`, new BigInt64Array(rows).with(40, BigInt(classes))));
    const order = { loss: 'crossEntropy', arguments: { input: [input], target: [target] }, options: {} };
    const rest = { devices: [device], predictions: true, details: false, onProgress: () => {} };
    const error = await evaluateFiles({ ...order, ...rest, signal: new AbortController().signal }).catch((e) => e);
    const named =
      error instanceof torch.TorchError && error.code === 'BAD_DATA' && error.message.includes('labels.npy');
    check('the evaluation names the file', named, shown(error instanceof Error ? error : undefined));
    check(`${device} works after it`, works(device));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function npy(descr, shape, values) {
  return Buffer.concat([npyHeader(descr, shape), Buffer.from(values.buffer)]);
}

function mixed(device, check) {
  const error = refusal(() => F.mseLoss(torch.ones([2], { device }), torch.ones([2])));
  const isClear = error instanceof torch.TorchError && /cpu/.test(error.message) && /cuda/.test(error.message);
  check('an input on the GPU and a target on the CPU are refused, both devices named', isClear, shown(error));
  check(`${device} works after it`, works(device));
}

async function lost(device, check) {
  const x = torch.randn([3, classes], { device });
  const labels = torch.tensor([1, classes + 5, 2], { dtype: 'int64' }).to(device);
  const leaf = x.detach().requiresGrad_();
  const first = refusal(() => F.crossEntropy(x, labels).item());
  const isLost = (error) => error instanceof torch.NativeError && error.code === 'DEVICE_LOST';
  check('the call that notices it fails with DEVICE_LOST', isLost(first), shown(first));
  const message = first?.message ?? '';
  check('its message is one line of the formula', /^[\w.]+: expected .+, but received [^\n]+$/.test(message), message);
  const later = {
    'a new tensor': () => torch.ones([2], { device }).sum().item(),
    'a tensor that was there': () => x.sum().item(),
    'a copy to the device': () => torch.ones([2]).to(device).toArray(),
    'a loss': () => F.mseLoss(x, x).item(),
    'a backward pass': () => F.mseLoss(leaf, x).backward(),
    'value and gradient': () => torch.valueAndGrad(F.mseLoss)(x, x).value.item(),
    'cuda.synchronize()': () => cuda.synchronize(),
  };
  for (const [name, call] of Object.entries(later)) {
    const error = refusal(call);
    check(`after it ${name} fails with DEVICE_LOST`, isLost(error), shown(error));
  }
  const error = await F.mseLoss.async(x, x).then(
    (value) => refusal(() => value.item()),
    (e) => e,
  );
  check('after it a loss off the main thread fails with DEVICE_LOST', isLost(error), shown(error));
  check('after it the CPU computes as before', works('cpu'));
}

/** float32 elements of a sixteenth of the device's memory. */
function sixteenth(device) {
  return Math.floor(cuda.memGetInfo(device).total / 16 / 4);
}

function outOfMemory(device, check) {
  const large = sixteenth(device);
  const tensors = [];
  const error = refusal(() => {
    for (let i = 0; i < 20; i++) tensors.push(torch.empty([large], { device }));
  });
  const isKnown = error instanceof torch.NativeError && error.code === 'OUT_OF_MEMORY';
  check(`it fails with OUT_OF_MEMORY, after ${tensors.length} sixteenths of the memory`, isKnown, shown(error));
  const sizes = (error?.message ?? '').match(/\d+(\.\d+)? [KMG]i?B/g) ?? [];
  check('its message tells what was asked for and what there is', sizes.length >= 2, shown(error));
  const x = torch.randn([64, classes]);
  const small = refusal(() => F.crossEntropy(x.to(device), torch.randint(0, classes, [64]).to(device)).item());
  const isFine = small === undefined || small.code === 'OUT_OF_MEMORY';
  check('a small call beside it works, or says the same', isFine, shown(small));
  for (const tensor of tensors) tensor.dispose();
  check('when tensors were disposed, a call as large works', torch.zeros([large], { device }).numel() === large);
  check(`${device} works after it`, works(device));
}

/** Nothing is disposed, nothing collected by hand: in all more than there is. */
function dropped(device, check) {
  const isGpu = device !== 'cpu';
  const elements = isGpu ? sixteenth(device) : 2 ** 22;
  const count = isGpu ? 50 : 500;
  const error = refusal(() => {
    for (let i = 0; i < count; i++) torch.ones([elements], { device }).add(1);
  });
  const total = `${((count * elements * 8) / 2 ** 30).toFixed(0)} GiB in ${2 * count} tensors`;
  check(`a loop that drops ${total} goes on`, error === undefined, shown(error));
  if (!isGpu) {
    const peak = process.resourceUsage().maxRSS * 1024;
    check('the process stayed below 1.5 GiB', peak < 1.5 * 2 ** 30, `${(peak / 2 ** 30).toFixed(2)} GiB`);
  }
  check(`${device} works after it`, works(device));
}
