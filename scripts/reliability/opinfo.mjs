// Calls what scripts/reliability/opinfo.py recorded, as a user writes it here, and compares bits and gradients.
//
//   ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE node scripts/reliability/opinfo.mjs build/opinfo.jsonl [name]
//
// Both have to run with the same kernels: set the two variables for Python, too. Prints each operator that is not whole,
// with what is wrong first, and how many are. The elements of `empty` are what lay in memory, and are not compared.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { camelCase } from '../setup/schemas.mjs';

const require = createRequire(import.meta.url);
const torch = require('../../dist/index.js');
const { bitArrays } = require('../../dist/torch/elements.js');

const [path, only] = process.argv.slice(2);
const unwritten = /^(new_)?empty/;
torch.setNumThreads(1);
process.on('warning', () => undefined);

const numberOf = (text) => Number(text.replace('inf', 'Infinity'));

/** A recorded value; tensors that require a gradient are added to `leaves`. */
function decoded(value, leaves) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((entry) => decoded(entry, leaves));
  if ('int' in value) return Number.isSafeInteger(Number(value.int)) ? Number(value.int) : BigInt(value.int);
  if ('float' in value) return numberOf(value.float);
  if ('complex' in value) return { re: numberOf(value.complex[0]), im: numberOf(value.complex[1]) };
  if ('slice' in value) return torch.slice(...value.slice.map((bound) => decoded(bound, leaves)));
  const made = tensorOf(value);
  if (value.leaf) leaves.push(made.requiresGrad_());
  return made;
}

function tensorOf({ dtype, shape, data }) {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  if (dtype === 'bool') return torch.tensor(bytes, { dtype, shape });
  const array = new bitArrays[dtype](bytes.buffer);
  if (!dtype.startsWith('complex')) return torch.tensor(array, { dtype, shape });
  return torch.viewAsComplex(torch.tensor(array, { shape: [...shape, 2] }));
}

/** What is wrong with a result; empty if nothing is. */
function difference(result, expected, comparesElements) {
  if (expected === null) return result === undefined || result === null ? '' : 'not absent';
  if (Array.isArray(expected)) {
    if (result?.length !== expected.length) return `${result?.length} results rather than ${expected.length}`;
    return expected.map((entry, i) => difference(result[i], entry, comparesElements)).find((text) => text !== '') ?? '';
  }
  if (typeof expected !== 'object' || !('dtype' in expected)) {
    const value = decoded(expected, []);
    return Object.is(result, value) || JSON.stringify(result) === JSON.stringify(value)
      ? ''
      : `${result}, not ${value}`;
  }
  if (!torch.isTensor(result)) return 'no tensor';
  const { dtype, shape } = expected;
  if (result.dtype !== dtype || String(result.shape) !== String(shape)) {
    return `${result.dtype} [${result.shape}], not ${dtype} [${shape}]`;
  }
  if (!comparesElements) return '';
  // Test tags compare every bit, but take any NaN for any other.
  return torch.testing.tensorEquality(result.detach().resolveConj().resolveNeg(), tensorOf(expected)) === true
    ? ''
    : 'other elements';
}

function tensorsIn(value) {
  if (torch.isTensor(value)) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

function functionOf(name) {
  return name.split('.').reduce((found, part) => found?.[camelCase(part)], torch);
}

function judged({ name, form, args, keywords, result: expected, outputs, grads }) {
  const leaves = [];
  const [first, ...rest] = decoded(args, leaves);
  const named = Object.entries(keywords).map(([key, value]) => [camelCase(key), decoded(value, leaves)]);
  const behind = named.length > 0 ? [...rest, Object.fromEntries(named)] : rest;
  torch.manualSeed(0);
  const result = form === 'method' ? first[camelCase(name)](...behind) : functionOf(name)(first, ...behind);
  const wrong = difference(result, expected, !unwritten.test(name));
  if (wrong !== '' || grads === undefined) return wrong;
  const made = outputs.map((i) => tensorsIn(result)[i]);
  const gradOutputs = made.map((output) =>
    torch.linspace(0.5, 1.5, output.numel()).reshape(output.shape).to(output.dtype),
  );
  const found = torch.grad(made, leaves, { gradOutputs, allowUnused: true });
  const differs = difference(found, grads, true);
  return differs === '' ? '' : `gradient: ${differs}`;
}

const operators = new Map();
for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
  const recorded = JSON.parse(line);
  if (only !== undefined && recorded.name !== only) continue;
  const seen = operators.get(recorded.name) ?? { calls: 0, wrong: [] };
  operators.set(recorded.name, seen);
  seen.calls += 1;
  let wrong;
  try {
    wrong = judged(recorded);
  } catch (error) {
    wrong = String(error.message).split('\n')[0];
  }
  if (wrong !== '') seen.wrong.push(`${recorded.form}: ${wrong}`);
}

const failed = [...operators].filter(([, { wrong }]) => wrong.length > 0);
for (const [name, { calls, wrong }] of failed) console.log(`${name}: ${wrong.length} of ${calls} calls; ${wrong[0]}`);
const total = [...operators.values()].reduce((sum, { calls }) => sum + calls, 0);
console.log(`${operators.size - failed.length} of ${operators.size} operators whole, ${total} calls`);
process.exitCode = failed.length > 0 ? 1 : 0;
