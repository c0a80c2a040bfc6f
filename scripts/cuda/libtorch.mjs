// Finds the libtorch, and a Python that has the same one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UsageError } from './failures.mjs';

const require = createRequire(import.meta.url);

/**
 * The libtorch that is meant, as the library's own search gives it: `{ root, lib, version, flavour }`. Where nothing is
 * named and nothing found, the torch of python3.
 */
export function findLibtorch(root, { libtorch, python }) {
  const { inspectTree } = require(join(root, 'dist', 'binding', 'libtorch-tree.js'));
  const { locateLibtorch } = require(join(root, 'dist', 'binding', 'locate.js'));
  const at = (path, name) => {
    const tree = inspectTree(path, process.platform);
    if (typeof tree !== 'string') return tree;
    const what = 'to be a libtorch root, its lib/ directory or a Python torch/ directory';
    throw new UsageError(`cuda-check: expected '${name}' ${what}, but received ${path} (${tree})`);
  };
  if (libtorch !== undefined) return at(libtorch, '--libtorch');
  if (python !== undefined && !process.env.LIBTORCH) {
    const { folder } = askPython(python);
    if (folder !== undefined) return at(folder, '--python');
  }
  try {
    return locateLibtorch();
  } catch (error) {
    if (error.code !== 'LIBTORCH_NOT_FOUND') throw new UsageError(`cuda-check: ${error.message}`);
    const { folder } = askPython('python3');
    if (folder !== undefined) return at(folder, '--libtorch');
    const message = 'cuda-check: expected a libtorch to be here, but received none, and python3 has no torch';
    throw new UsageError(`${message}: --libtorch names one\n${error.message}`);
  }
}

/**
 * The Python to compare with, `{ command, version, cuda }`, or `{ unavailable }`, which says why there is none. One that
 * was named by an option must be right.
 */
export function findPython({ root: libtorch, version }, named) {
  const variable = process.env.LIBTORCH_LOSSES_PYTHON;
  const candidates = named ? [named] : [variable, ...pythonsBeside(libtorch), 'python3'].filter(Boolean);
  const attempts = [];
  for (const command of candidates) {
    const found = askPython(command);
    if (found.version === undefined) attempts.push(`${command} cannot import torch`);
    else if (withoutBuild(found.version) !== withoutBuild(version)) {
      attempts.push(`${command} has PyTorch ${found.version}, but libtorch is ${version}`);
    } else return { command, ...found };
  }
  const unavailable = attempts.join('; ');
  if (named === undefined) return { unavailable };
  throw new UsageError(
    `cuda-check: expected '--python' to be a Python with PyTorch ${version}, but received ${named}: ${unavailable}`,
  );
}

/** The interpreters of the environment in whose site-packages a torch/ lies. */
function pythonsBeside(libtorch) {
  const name = /^python3\.\d+t?$/;
  for (let folder = libtorch; folder !== dirname(folder); folder = dirname(folder)) {
    const last = folder.split('/').at(-1) ?? '';
    if (name.test(last)) {
      const bin = join(folder, '..', '..', 'bin');
      return [join(bin, last), join(bin, 'python3')].filter((file) => existsSync(file));
    }
  }
  return [];
}

function withoutBuild(version = '') {
  return version.split('+')[0];
}

const question = `
import json, os, torch
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "folder": os.path.dirname(torch.__file__)}))
`;

/** Its torch: version, the CUDA it was built for, and where it lies; an empty object without one. */
function askPython(command) {
  const { status, stdout } = spawnSync(command, ['-c', question], { encoding: 'utf8', timeout: 120_000 });
  if (status !== 0) return {};
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
