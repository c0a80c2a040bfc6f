// The side of the protocol that runs in a peer written for Node.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { answerRequests } from './requests.mjs';
import { highWater, resetHighWater, resident } from './resident.mjs';

/**
 * Answers requests until the input ends. A peer is
 *
 * - `about()`: its versions;
 * - `setThreads(count)`;
 * - `load(loss, dtype, inputs)`: takes over inputs of `{ array, dtype, shape }`, and gives `{ number, tensor, gradient,
 *   check(form) }`: the calls to be measured, and `{ value, gradient? }` as a number, or a list of typed arrays, and a
 *   typed array.
 */
export function serve(peer) {
  let loaded;
  const requests = {
    about: () => peer.about(),
    threads: (count) => peer.setThreads(Number(count)) ?? {},
    load: (loss, dtype, ...words) => {
      loaded = undefined;
      loaded = peer.load(loss, dtype, readInputs(words));
      return {};
    },
    check: (form) => {
      const { value, gradient } = loaded.check(form);
      if (Array.isArray(value)) return { value: hash(value) };
      return gradient === undefined ? { value } : { value, gradient: summarise(gradient) };
    },
    run: (form, count) => ({ seconds: run(loaded[form], Number(count)) }),
    memory: () => {
      resetHighWater();
      const before = resident();
      const result = loaded.gradient();
      return { bytes: highWater() - before, kept: result !== undefined };
    },
  };
  answerRequests(requests);
}

function run(call, count) {
  const start = performance.now();
  for (let i = 0; i < count; i++) call();
  return (performance.now() - start) / 1000;
}

const arrayTypes = { float32: Float32Array, bfloat16: Uint16Array, int64: BigInt64Array };

function readInputs(words) {
  const inputs = [];
  for (let i = 0; i < words.length; i += 3) {
    const [path, dtype, shape] = words.slice(i, i + 3);
    inputs.push({ array: new arrayTypes[dtype](readWhole(path)), dtype, shape: shape.split('x').map(Number) });
  }
  return inputs;
}

/** A file's bytes, in a buffer of their own. */
function readWhole(path) {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(file).size);
    for (let done = 0; done < bytes.length; ) {
      // One read may give less than was asked for, and none gives more than 2 GB.
      const count = readSync(file, bytes, done, Math.min(bytes.length - done, 2 ** 30), null);
      if (count === 0) throw new Error(`${path} is shorter than it was`);
      done += count;
    }
    return bytes.buffer;
  } finally {
    closeSync(file);
  }
}

/** The hash of the bytes of arrays. */
function hash(arrays) {
  const digest = createHash('sha256');
  for (const array of arrays) digest.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return digest.digest('hex');
}

/** The L2 norm of an array, and the hash of its bytes. Bits of bfloat16 come as Uint16Array. */
function summarise(gradient) {
  const sha256 = hash([gradient]);
  let sum = 0;
  if (gradient instanceof Uint16Array) {
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    for (let i = 0; i < gradient.length; i++) {
      word[0] = gradient[i] << 16;
      sum += float[0] * float[0];
    }
  } else {
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
  }
  return { norm: Math.sqrt(sum), sha256 };
}
