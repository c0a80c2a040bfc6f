// Inputs as raw little-endian files, made from a seed: every peer reads the same bytes.
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a case's inputs into a folder; returns `{ path, dtype, shape }` of each. */
export function writeInputs(kase, folder) {
  return kase.inputs.map((input, index) => {
    const path = join(folder, `${index}.bin`);
    const random = generator(seedOf(`${kase.id} ${index}`));
    writeWhole(path, encode(fills[input.fill](input, random), input.dtype));
    return { path, dtype: input.dtype, shape: input.shape };
  });
}

const fills = {
  /** Nearly normal, deviation 2: the sum of three uniform numbers, moved and stretched. */
  normal: ({ shape }, random) => fill(shape, () => (random() + random() + random() - 1.5) * 4),
  binary: ({ shape }, random) => fill(shape, () => (random() < 0.5 ? 0 : 1)),
  labels: ({ shape, from = 0, below }, random) => {
    const labels = new BigInt64Array(sizeOf(shape));
    return labels.map(() => BigInt(from + Math.floor(random() * (below - from))));
  },
  logProbabilities: (input, random) => normalise(input, random, (x, logSum) => x - logSum),
  probabilities: (input, random) => normalise(input, random, (x, logSum) => Math.exp(x - logSum)),
};

function fill(shape, next) {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

/** Rows along the last axis, each from normal numbers x and the logarithm of the sum of their exponentials. */
function normalise(input, random, element) {
  const values = fills.normal(input, random);
  const width = input.shape.at(-1);
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    let sum = 0;
    for (let i = 0; i < width; i++) sum += Math.exp(row[i]);
    const logSum = Math.log(sum);
    for (let i = 0; i < width; i++) row[i] = element(row[i], logSum);
  }
  return values;
}

function sizeOf(shape) {
  return shape.reduce((product, length) => product * length, 1);
}

/** The bytes of the elements; a bfloat16 is the upper half of a float32. */
function encode(values, dtype) {
  if (dtype !== 'bfloat16') return values;
  const bits = new Uint32Array(values.buffer);
  return Uint16Array.from(bits, (word) => word >>> 16);
}

/** Marsaglia's xorshift: uniform numbers in [0, 1). */
function generator(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** FNV-1a, so that each input has a sequence of its own. */
function seedOf(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return hash;
}

function writeWhole(path, values) {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const file = openSync(path, 'w');
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  } finally {
    closeSync(file);
  }
}
