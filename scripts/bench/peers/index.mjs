// Who is measured. A peer is a program that answers requests (protocol.md says which); here is how each is started, and
// which work it takes. A peer that cannot be started says why, and names remedies.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const here = join(root, 'scripts', 'bench');

/** A peer is not at hand: `message` says why, `remedy` is the command that gets it. */
export class Unavailable extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

const node = (file) => ({ command: process.execPath, args: [join(here, 'peers', file)] });

/** Losses whose backward operator ATen has under a name, so that C++ can do without the autograd engine. */
const directBackward = ['crossEntropy', 'mseLoss', 'smoothL1Loss', 'ctcLoss'];

/**
 * The peers in the order of the table's columns. `usedIn` names the sections that need it; `start({ root, version })`
 * gives command and arguments for that libtorch, or throws Unavailable; `columns(case, form, threads)` gives what it
 * contributes to a measurement, as `{ column: form to ask for }`.
 */
export const peers = [
  {
    id: 'tensors',
    usedIn: ['speed', 'operators', 'training', 'memory'],
    start: () => node('library-tensors.mjs'),
    columns: (_kase, form) => ({ tensors: form }),
  },
  {
    id: 'arrays',
    usedIn: ['speed'],
    // No typed array holds bfloat16 by its own type.
    start: () => node('library-arrays.mjs'),
    columns: ({ dtype }, form) => (dtype === 'bfloat16' ? {} : { arrays: form }),
  },
  {
    id: 'pytorch',
    usedIn: ['speed', 'operators', 'training', 'memory', 'evaluate'],
    start: startPython,
    columns: (_kase, form) => ({ pytorch: form }),
  },
  {
    id: 'cpp',
    usedIn: ['speed'],
    start: startCpp,
    columns: ({ loss }, form) => {
      const hasDirect = form === 'gradient' && directBackward.includes(loss);
      return hasDirect ? { cpp: form, 'cpp-direct': 'gradient-direct' } : { cpp: form };
    },
  },
  {
    id: 'reference',
    usedIn: ['speed'],
    start: () => node('reference.mjs'),
    // Naive loops in float64, made to be read: one thread, and seconds a call where there are millions of elements.
    columns: ({ dtype, elements, loss }, form, threads) => {
      const isSmall = elements <= (loss === 'ctcLoss' ? 3e5 : 3e4);
      return threads === 1 && dtype === 'float32' && isSmall ? { reference: form } : {};
    },
  },
  {
    id: 'tfjs',
    usedIn: ['speed'],
    start: startTensorFlow,
    // No bfloat16, no CTC, no threads in Node, and a memory of its own that the largest inputs do not fit into.
    columns: ({ dtype, elements, loss }, form, threads) => {
      const isPossible = dtype === 'float32' && loss !== 'ctcLoss' && elements <= 2e6;
      return threads === 1 && isPossible ? { tfjs: form } : {};
    },
  },
];

/** Titles of the columns, in their order. */
export const columns = {
  tensors: 'tensors',
  arrays: 'typed arrays',
  pytorch: 'PyTorch',
  cpp: 'C++',
  'cpp-direct': 'C++ direct',
  reference: 'reference',
  tfjs: 'tfjs',
};

function startPython({ version }) {
  const command = process.env.LIBTORCH_LOSSES_PYTHON || 'python3';
  const wanted = version.split('+')[0];
  const remedy =
    `python3 -m venv build/python && build/python/bin/pip install torch==${wanted} && ` +
    'export LIBTORCH_LOSSES_PYTHON=$PWD/build/python/bin/python';
  const found = spawnSync(command, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  if (found.status !== 0) throw new Unavailable(`${command} cannot import torch`, remedy);
  const own = found.stdout.trim();
  if (own.split('+')[0] !== wanted) {
    throw new Unavailable(`${command} has PyTorch ${own}, but libtorch ${version} is loaded`, remedy);
  }
  return { command, args: [join(here, 'peers', 'peer.py')] };
}

function startCpp({ root: libtorch }) {
  const out = join(root, 'build', 'bench');
  const remedy = 'apt-get install cmake g++ make (or what your system calls CMake and a C++20 compiler)';
  const configure = ['-S', join(here, 'peers'), '-B', out, `-DLIBTORCH=${libtorch}`, '-DCMAKE_BUILD_TYPE=Release'];
  if (executableIn(out) === undefined) console.error('compiling the peer in C++ …');
  for (const args of [configure, ['--build', out, '--config', 'Release']]) {
    const { status, stdout, stderr, error } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (error) throw new Unavailable(`cmake cannot be started (${error.code})`, remedy);
    if (status !== 0) throw new Unavailable(`its build failed:\n${`${stdout}${stderr}`.trim().slice(-2000)}`, remedy);
  }
  return { command: executableIn(out), args: [] };
}

function executableIn(folder) {
  const names = ['peer', join('Release', 'peer.exe'), 'peer.exe'].map((name) => join(folder, name));
  return names.find((name) => existsSync(name));
}

function startTensorFlow() {
  const wanted = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).dependencies;
  const isInstalled = Object.entries(wanted).every(([name, version]) => installedVersion(name) === version);
  if (!isInstalled) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    console.error(`installing TensorFlow.js: npm ${args.join(' ')} in scripts/bench …`);
    const isWindows = process.platform === 'win32';
    const { status, error } = spawnSync('npm', args, { cwd: here, stdio: 'ignore', shell: isWindows });
    if (error || status !== 0) {
      throw new Unavailable('npm could not install it', 'npm ci --ignore-scripts --prefix scripts/bench');
    }
  }
  return node('tfjs.mjs');
}

function installedVersion(name) {
  const path = join(here, 'node_modules', name, 'package.json');
  return existsSync(path) ? createRequire(import.meta.url)(path).version : undefined;
}
