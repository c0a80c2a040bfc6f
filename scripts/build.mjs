// Builds the addons with cmake-js: the loader, the main addon against one libtorch, and the tests' own. The result is
// build/native/Release/{loader,libtorch-<minor>}.node and build/native/Test/fake-device.node.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow, hashFiles, isStamped, stamp } from './setup/stamps.mjs';
import { run, StepFailure } from './setup/steps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');

/** The addon that only the tests open. */
const testAddon = join(root, 'build', 'native', 'Test', 'fake-device.node');
const testSources = join('test', 'support', 'device', 'native');

/** Where the checkout's addons are. */
export const releaseFolder = join(root, 'build', 'native', 'Release');

/**
 * Compiles what has changed since the last build for this libtorch; `{ built: false }` if nothing has.
 *
 * `libtorch` is what locateLibtorch() gives; `announce` is called with what is being done.
 */
export async function buildNative({ libtorch, force = false, announce = () => {} }) {
  if (!force && isBuilt(libtorch)) return { built: false };
  announce('compiling, a minute or two …');
  await compile({ libtorch, out: join(root, 'build', 'native') });
  stamp(root, 'native', hashOf(libtorch));
  return { built: true };
}

/** Whether the checkout's build is up to date, and for this libtorch. */
export function isBuilt(libtorch) {
  const own = [`libtorch-${minorOf(libtorch)}.node`, 'loader.node'].map((name) => join(releaseFolder, name));
  const addons = [...own, testAddon];
  return addons.every((file) => existsSync(file)) && isStamped(root, 'native', hashOf(libtorch));
}

/** Compiles the addons, or one of them, into a folder of its own. */
export async function compile({ libtorch, out, target, inherit = false }) {
  const options = ['--out', out, `--CDLIBTORCH=${libtorch.root}`, `--CDWERROR=${process.env.CI ? 'ON' : 'OFF'}`];
  const only = target === undefined ? [] : ['--target', target];
  // Not `compile`: it would build everything a second time after an error.
  await run(process.execPath, [cmakeJs, 'configure', ...options], { cwd: root, inherit });
  await run(process.execPath, [cmakeJs, 'build', ...options, ...only], { cwd: root, inherit });
}

/** A hash over everything that the result depends on. */
function hashOf(libtorch) {
  const sources = ['native', testSources].flatMap((folder) =>
    filesBelow(join(root, folder)).map((file) => join(folder, file)),
  );
  const files = hashFiles(root, [...sources, 'CMakeLists.txt', 'package-lock.json']);
  return [files, libtorch.root, minorOf(libtorch), libtorch.version ?? '', process.platform, process.arch].join(' ');
}

/** The minor version that the headers declare: "2.13". */
export function minorOf(libtorch) {
  if (!existsSync(join(libtorch.root, 'include', 'ATen', 'core', 'Tensor.h'))) {
    throw new StepFailure(`the libtorch in ${libtorch.root} has no headers, which building from source needs`, {
      remedies: [
        'npx libtorch-losses install     installs one that has them',
        'LIBTORCH=/path/to/libtorch      uses another one',
      ],
    });
  }
  for (const header of ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h']) {
    const path = join(libtorch.root, 'include', header);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const [major, minor] = ['MAJOR', 'MINOR'].map((part) => new RegExp(`TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1]);
    if (major !== undefined && minor !== undefined) return `${major}.${minor}`;
  }
  throw new StepFailure(`the headers in ${libtorch.root} do not declare a version`);
}
