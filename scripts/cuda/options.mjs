// The command line.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { UsageError } from './failures.mjs';
import { parts } from './parts.mjs';

const names = parts.map(({ name }) => name);

export const usage = `Usage: scripts/cuda-check [options]

Builds libtorch-losses, proves it on the GPU of this machine and writes what it found. Where there is no GPU it says so
and why, and does on the CPU what can be done there.

Options:
  --node FILE         the Node program to run with; else $NODE, that of a bundle, or the one on PATH
  --libtorch FOLDER   the libtorch: a folder with lib/ and include/, or a Python package torch; else LIBTORCH, what the
                      library finds by itself, or the torch of python3
  --python FILE       a Python that has the same torch, to compare with; else LIBTORCH_LOSSES_PYTHON, the Python that the
                      libtorch belongs to, or python3
  --out FOLDER        where cuda-check.json and cuda-check.md are written; build/cuda-check by default
  --minutes N         how long it may take; 10 by default
  --only LIST         of ${names.join(',')}; all by default
  --no-build          leaves library and addons as they were built last
  --quick             smaller sizes and every eighth case: to see that it runs
  --bundle FILE       writes what a machine without npm and network needs beside the tracked files, as .tar.xz, and ends
  --with-node FILE    puts this Node program into the bundle
  --bundle-from FILE  unpacks such a bundle first
  --help              this text

Exit status: 0 if all that ran passed, 1 if something did not, 2 if it could not begin.`;

const text = { type: 'string' };
const flag = { type: 'boolean', default: false };
const options = {
  node: text,
  libtorch: text,
  python: text,
  out: text,
  minutes: { type: 'string', default: '10' },
  only: text,
  'no-build': flag,
  quick: flag,
  bundle: text,
  'with-node': text,
  'bundle-from': text,
  help: flag,
};

/** Reads the arguments; paths are relative to where the command was called. */
export function readOptions(args) {
  const given = parse(args);
  const path = (name) => (given[name] === undefined ? undefined : resolve(given[name]));
  if (given['with-node'] !== undefined && given.bundle === undefined) {
    throw new UsageError("cuda-check: expected '--with-node' to come with --bundle, but received it alone");
  }
  return {
    help: given.help,
    libtorch: path('libtorch'),
    // A name without a folder is looked up on PATH.
    python: given.python?.includes('/') ? resolve(given.python) : given.python,
    out: path('out') ?? fileURLToPath(new URL('../../build/cuda-check', import.meta.url)),
    minutes: positive('minutes', given.minutes),
    only: list('only', given.only),
    build: !given['no-build'],
    quick: given.quick,
    bundle: path('bundle'),
    withNode: path('with-node'),
  };
}

function parse(args) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`cuda-check: ${error.message}; options are ${known.join(', ')}`);
  }
}

function positive(name, word) {
  const value = Number(word);
  if (Number.isFinite(value) && value > 0) return value;
  throw refusal(name, 'to be a number > 0', word);
}

/** In the order in which they run. */
function list(name, value) {
  if (value === undefined) return names;
  const wanted = value.split(',');
  if (!wanted.every((word) => names.includes(word))) throw refusal(name, `to be of ${names.join(', ')}`, value);
  return names.filter((word) => wanted.includes(word));
}

function refusal(name, what, actual) {
  return new UsageError(`cuda-check: expected '--${name}' ${what}, but received ${JSON.stringify(actual)}`);
}
