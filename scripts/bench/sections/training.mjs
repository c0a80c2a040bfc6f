// Steps of training, whole ones and those of the optimizer alone, of two models of linear layers; on one thread, peers
// interleaved.
import { call, matrix, measureCalls } from './operators.mjs';

const small = model(32, [64, 32, 10]);
const large = model(128, [784, 512, 512, 10]);

const calls = [
  call('trainSgd', '64-32-10, batch 32', small, 'tensor', 0.6),
  call('trainAdamW', '64-32-10, batch 32', small, 'tensor', 0.65),
  call('stepSgd', '64-32-10', small, 'tensor', 1),
  call('stepAdamW', '64-32-10', small, 'tensor', 1),
  call('trainSgd', '784-512-512-10, batch 128', large, 'tensor', 1),
  call('stepSgd', '784-512-512-10', large, 'tensor', 1),
  call('stepAdamW', '784-512-512-10', large, 'tensor', 1),
];

/** Inputs, labels, and the weights of the layers. */
function model(batch, sizes) {
  const labels = { fill: 'labels', below: sizes.at(-1), dtype: 'int64', shape: [batch] };
  return [matrix(batch, sizes[0]), labels, ...sizes.slice(1).map((size, i) => matrix(size, sizes[i]))];
}

/** Measures them, or those whose name contains the filter; returns one record for each call. */
export const measureTraining = (context) => measureCalls('training', calls, context);
