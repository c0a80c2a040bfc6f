// The losses in plain TypeScript, float64.
import { createRequire } from 'node:module';
import { serve } from './serve.mjs';

const reference = createRequire(import.meta.url)('../../../dist/reference/index.js');

/** The argument that the gradient is asked for. */
const firstArgument = { ctcLoss: 'logProbs' };

function load(loss, _dtype, inputs) {
  const args = inputs.map(({ array, shape }) => ({ data: array, shape }));
  const options = loss === 'klDiv' ? [{ reduction: 'batchmean' }] : [];
  const fn = () => reference[loss](...args, ...options);
  const gradient = () => {
    const result = fn();
    return { value: result.item(), grad: result.backward()[firstArgument[loss] ?? 'input'] };
  };
  const check = (form) => {
    if (form !== 'gradient') return { value: fn().item() };
    const { value, grad } = gradient();
    return { value, gradient: grad.data };
  };
  return { number: () => fn().item(), tensor: fn, gradient, check };
}

serve({ about: () => ({ version: 'float64' }), setThreads: () => {}, load });
