// The cases of test/cases, each in every dtype and reduction, on a device: values, gradients, refusals.
import { readFileSync } from 'node:fs';
import { library } from './part.mjs';

const torch = library();
const { bitsOf } = library('parity/bits');

/** Where it is to be quick, every so many-th run stands for all. */
export const quickStep = 8;

/** Every run: `{ loss, lossCase, dtype, reduction, name }`. Python goes through them in the same order. */
export function runsOf(file, quick) {
  const runs = JSON.parse(readFileSync(file, 'utf8')).flatMap((loss) =>
    loss.cases.flatMap((lossCase) =>
      lossCase.dtypes.flatMap((dtype) =>
        loss.reductions.map((reduction) => {
          const name = `${loss.name} ${dtype} ${reduction}: ${lossCase.name}`;
          return { loss: loss.name, lossCase, dtype, reduction, name };
        }),
      ),
    ),
  );
  return quick ? runs.filter((_, i) => i % quickStep === 0) : runs;
}

const unwritable = { Infinity, '-Infinity': -Infinity, NaN };

function number(value) {
  return typeof value === 'string' ? unwritable[value] : value;
}

/**
 * An argument as a tensor, on the CPU and of float64 or integers first, as Python makes it; or the plain value that it
 * is.
 */
function made(value, run, device) {
  if (Array.isArray(value)) return value.map(number);
  if (typeof value !== 'object') return number(value);
  const dtype = value.dtype ?? run.dtype;
  const isReal = /float/.test(dtype);
  const data = isReal ? Float64Array.from(value.data, number) : value.data;
  const first = torch.tensor(data, { shape: value.shape, dtype: isReal ? 'float64' : dtype });
  return first.to({ dtype, device });
}

/** The arguments of a loss: leaves that require gradients where the case has them. */
export function argumentsOf(run, device) {
  const { args, options, gradients } = run.lossCase;
  const make = (named) =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name, made(value, run, device)]));
  const leaves = { ...make(options), ...make(args) };
  for (const name of gradients) leaves[name].requiresGrad_();
  const positional = Object.keys(args).map((name) => leaves[name]);
  const chosen = Object.fromEntries(Object.keys(options).map((name) => [name, leaves[name]]));
  return { leaves, positional, options: { ...chosen, reduction: run.reduction } };
}

/** The gradient that a backward pass starts from: a fixed pattern of numbers in [0.5, 2), the same in Python. */
function upstreamFor(value) {
  const data = Float64Array.from({ length: value.numel() }, (_, i) => 0.5 + ((i * 7919 + 13) % 96) / 64);
  return torch.tensor(data, { shape: value.shape }).to({ dtype: value.dtype, device: value.device });
}

/**
 * The result of a run on a device: `{ results }` by label, or `{ refusal }`, the error of this library. Anything else
 * that is thrown is a mistake of whoever called.
 */
export function compute(run, device) {
  return caught(() => {
    const { leaves, positional, options } = argumentsOf(run, device);
    const value = torch.nn.functional[run.loss](...positional, options);
    const results = { value: bitsOf(value.detach()) };
    const { gradients } = run.lossCase;
    if (gradients.length > 0) value.backward({ gradient: upstreamFor(value) });
    for (const name of gradients) {
      const { grad } = leaves[name];
      if (grad) results[`gradient of ${name}`] = bitsOf(grad);
    }
    return results;
  });
}

/**
 * The other forms of a run: the loss off the main thread, and `valueAndGrad`, where the value is one number and the
 * first argument has a gradient. Its gradient is that of an upstream of 1.
 */
export async function computeForms(run, device) {
  const { positional, options } = argumentsOf(run, device);
  const loss = torch.nn.functional[run.loss];
  const forms = { async: { value: bitsOf((await loss.async(...positional, options)).detach()) } };
  const [first] = positional;
  if (run.reduction === 'none' || !first.requiresGrad) return forms;
  const { value, grad } = torch.valueAndGrad(loss)(...positional, options);
  forms.valueAndGrad = { value: bitsOf(value), gradient: bitsOf(grad) };
  return forms;
}

/** The expected results of {@link computeForms}: from the graph, with an upstream of 1. */
export function expectedForms(run, device) {
  const { positional, options } = argumentsOf(run, device);
  const value = torch.nn.functional[run.loss](...positional, options);
  const expected = { async: { value: bitsOf(value.detach()) } };
  const [first] = positional;
  if (run.reduction === 'none' || !first.requiresGrad) return expected;
  const [grad] = torch.grad(value, [first]);
  expected.valueAndGrad = { value: bitsOf(value.detach()), gradient: bitsOf(grad) };
  return expected;
}

function caught(fn) {
  try {
    return { results: torch.scope(fn) };
  } catch (error) {
    if (!(error instanceof torch.TorchError)) throw error;
    return { refusal: { code: error.code, message: error.message } };
  }
}

/** Whether nothing on the GPU can be trusted any more. */
export function isLost({ refusal }) {
  return refusal?.code === 'DEVICE_LOST';
}
