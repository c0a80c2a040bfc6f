// Packs what a machine without npm and network needs in addition to the tracked files: compiled TypeScript, the cases,
// a few npm packages, and a Node program. It is unpacked at the root of the checkout.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../setup/steps.mjs';
import { UsageError } from './failures.mjs';
import { casesFile } from './prepare.mjs';

/** Packages that compiling needs, in addition to the dependencies. */
const forBuilding = ['node-addon-api', 'node-api-headers'];

/** Where the Node program comes to lie; scripts/cuda-check looks there. */
const nodePlace = join('build', 'cuda-check', 'bundle', 'node');

/** Writes the bundle. */
export async function writeBundle(root, { bundle, withNode }, say) {
  if (!/\.tar\.xz$/.test(bundle)) {
    throw new UsageError(`cuda-check: expected '--bundle' to be a file named .tar.xz, but received ${bundle}`);
  }
  if (withNode !== undefined && !existsSync(withNode)) {
    throw new UsageError(`cuda-check: expected '--with-node' to be a Node program, but received ${withNode}`);
  }
  const scratch = mkdtempSync(join(tmpdir(), 'libtorch-losses-bundle-'));
  try {
    const folders = ['dist', ...packagesOf(root).map((name) => join('node_modules', name))];
    for (const folder of folders)
      cpSync(join(root, folder), join(scratch, folder), { recursive: true, dereference: true });
    copy(casesFile(root), join(scratch, 'build', 'cuda-check', 'cases.json'));
    if (withNode !== undefined) {
      copy(withNode, join(scratch, nodePlace));
      chmodSync(join(scratch, nodePlace), 0o755);
      // Debug information makes up part of the size.
      await run('strip', [join(scratch, nodePlace)], { cwd: root }).catch(() =>
        say('strip is not there: Node is packed as it is'),
      );
    }
    say('packing …');
    mkdirSync(dirname(bundle), { recursive: true });
    await run('tar', ['-cJf', bundle, '-C', scratch, '.'], { cwd: root, env: { XZ_OPT: '-T0', ...process.env } });
    say(
      `${bundle}: ${(statSync(bundle).size / 1e6).toFixed(1)} MB; unpack it at the root of a checkout, or give it by --bundle-from`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The packages that the library depends on, directly or not, and those for building. */
function packagesOf(root) {
  const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
  const found = new Set();
  const add = (name) => {
    if (found.has(name)) return;
    found.add(name);
    const { dependencies = {} } = read(join(root, 'node_modules', name, 'package.json'));
    Object.keys(dependencies).forEach(add);
  };
  const { dependencies } = read(join(root, 'package.json'));
  [...Object.keys(dependencies), ...forBuilding].forEach(add);
  return [...found].sort();
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
