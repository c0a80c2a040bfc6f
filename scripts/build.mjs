// Builds the two addons with cmake-js: the loader, and the main addon against one libtorch. The result is
// build/native/Release/{loader,libtorch-<minor>}.node.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow, hashFiles, isStamped, stamp } from './setup/stamps.mjs';
import { run, StepFailure } from './setup/steps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const releaseFolder = join(root, 'build', 'native', 'Release');

/**
 * Compiles what has changed since the last build for this libtorch; `{ built: false }` if nothing has.
 *
 * `libtorch` is what locateLibtorch() gives; `announce` is called with what is being done.
 */
export async function buildNative({ libtorch, force = false, announce = () => {} }) {
  const headers = join(libtorch.root, 'include', 'ATen', 'core', 'Tensor.h');
  if (!existsSync(headers)) {
    throw new StepFailure(
      `the libtorch in ${libtorch.root} has no headers (${headers}), which building from source needs`,
      {
        remedies: [
          'npx libtorch-losses install     installs one that has them',
          'LIBTORCH=/path/to/libtorch      uses another one',
        ],
      },
    );
  }
  const inputs = hashOf(libtorch);
  const addon = join(releaseFolder, `libtorch-${minorOf(libtorch)}.node`);
  if (
    !force &&
    existsSync(addon) &&
    existsSync(join(releaseFolder, 'loader.node')) &&
    isStamped(root, 'native', inputs)
  ) {
    return { built: false };
  }
  announce('compiling, a minute or two …');
  const out = ['--out', join(root, 'build', 'native')];
  const defines = [`--CDLIBTORCH=${libtorch.root}`, `--CDWERROR=${process.env.CI ? 'ON' : 'OFF'}`];
  // Not `compile`: it would build everything a second time after an error.
  await run(process.execPath, [cmakeJs, 'configure', ...out, ...defines], { cwd: root });
  await run(process.execPath, [cmakeJs, 'build', ...out, ...defines], { cwd: root });
  stamp(root, 'native', inputs);
  return { built: true };
}

/** A hash over everything that the result depends on. */
function hashOf(libtorch) {
  const sources = filesBelow(join(root, 'native')).map((file) => join('native', file));
  const files = hashFiles(root, [...sources, 'CMakeLists.txt', 'package-lock.json']);
  return [files, libtorch.root, minorOf(libtorch), libtorch.version ?? '', process.platform, process.arch].join(' ');
}

/** The minor version that the headers declare: "2.13". */
function minorOf(libtorch) {
  for (const header of ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h']) {
    const path = join(libtorch.root, 'include', header);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const [major, minor] = ['MAJOR', 'MINOR'].map((part) => new RegExp(`TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1]);
    if (major !== undefined && minor !== undefined) return `${major}.${minor}`;
  }
  throw new StepFailure(`the headers in ${libtorch.root} do not declare a version`);
}
