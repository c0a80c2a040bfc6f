// TensorFlow.js on its WebAssembly backend. Its losses want classes as one-hot rows; those are made before anything is
// measured, which is to its advantage.
import { createRequire } from 'node:module';
import { serve } from './serve.mjs';

// Both packages print advertisements, and standard output belongs to the answers.
console.log = console.info = console.warn = () => {};
const require = createRequire(new URL('../package.json', import.meta.url));
const tf = require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-wasm');
await tf.setBackend('wasm');
await tf.ready();

const losses = {
  crossEntropy: (x, y) => tf.losses.softmaxCrossEntropy(y, x),
  binaryCrossEntropyWithLogits: (x, y) => tf.losses.sigmoidCrossEntropy(y, x),
  mseLoss: (x, y) => tf.losses.meanSquaredError(y, x),
  // With reduction 'batchmean': it has no such loss of its own.
  klDiv: (x, y) => tf.div(tf.sum(tf.mul(y, tf.sub(tf.log(y), x))), x.shape[0]),
  // Huber's loss with delta 1 is the smooth L1 loss.
  smoothL1Loss: (x, y) => tf.losses.huberLoss(y, x, undefined, 1),
};

let held = [];

function load(loss, _dtype, [input, target]) {
  tf.dispose(held);
  const x = tf.tensor(input.array, input.shape);
  held = [x, loss === 'crossEntropy' ? oneHot(target.array, input.shape[1]) : tf.tensor(target.array, target.shape)];
  const fn = (x) => losses[loss](x, held[1]);
  const withGradient = tf.valueAndGrad(fn);
  const calls = {
    number: () => tf.tidy(() => fn(x).dataSync()[0]),
    tensor: () => fn(x),
    gradient: () => withGradient(x),
  };
  return {
    number: calls.number,
    // Nothing is garbage-collected here: tensors must be disposed.
    tensor: () => tf.tidy(() => void calls.tensor()),
    gradient: () => tf.dispose(calls.gradient()),
    check: (form) => {
      if (form !== 'gradient') return { value: calls.number() };
      const { value, grad } = calls.gradient();
      const result = { value: value.dataSync()[0], gradient: grad.dataSync() };
      tf.dispose([value, grad]);
      return result;
    },
  };
}

function oneHot(labels, classes) {
  return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(labels, Number), 'int32'), classes), 'float32'));
}

serve({ about: () => ({ version: tf.version.tfjs }), setThreads: () => {}, load });
