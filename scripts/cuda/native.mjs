// Compiles the addons: by cmake-js where npm has installed it, else by CMake alone.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from '../setup/steps.mjs';
import { UsageError } from './failures.mjs';

/** Brings the addons in build/native/Release up to date for that libtorch; returns a description of what was done. */
export async function buildAddons(root, libtorch) {
  if (existsSync(join(root, 'node_modules', 'cmake-js'))) {
    const { buildNative } = await import('../build.mjs');
    const { built } = await buildNative({ libtorch });
    return built ? 'compiled' : 'up to date';
  }
  return compileWithCMake(root, libtorch);
}

/** The include folders of Node-API, which cmake-js would pass to CMakeLists.txt. */
async function compileWithCMake(root, libtorch) {
  const build = join(root, 'build', 'cuda-check', 'native');
  const release = join(root, 'build', 'native', 'Release');
  const defined = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: release,
    CMAKE_JS_INC: includeFolders(root).join(';'),
    LIBTORCH: libtorch.root,
  };
  const options = Object.entries(defined).map(([name, value]) => `-D${name}=${value}`);
  // A folder that was configured once keeps its generator.
  const isNew = !existsSync(join(build, 'CMakeCache.txt'));
  const generator = isNew && isThere('ninja') ? ['-G', 'Ninja'] : [];
  await run('cmake', ['-S', root, '-B', build, ...generator, ...options], { cwd: root });
  const jobs = process.env.CMAKE_BUILD_PARALLEL_LEVEL ?? String(availableParallelism());
  // Not the addon that only tests need.
  await run('cmake', ['--build', build, '--parallel', jobs, '--target', 'loader', 'bridge'], { cwd: root });
  return 'compiled by CMake';
}

/** The headers of Node-API and of its C++ form. */
function includeFolders(root) {
  const folders = ['node-addon-api', join('node-api-headers', 'include')];
  return folders.map((folder) => join(root, 'node_modules', folder));
}

function isThere(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Throws if there are no addons for that libtorch, neither the checkout's nor the package's. */
export function checkAddons(root, version) {
  const require = createRequire(import.meta.url);
  const { findAddon } = require(join(root, 'dist', 'binding', 'addons.js'));
  const { minorOf } = require(join(root, 'dist', 'binding', 'libtorch-versions.js'));
  for (const name of ['loader', `libtorch-${minorOf(version)}`]) {
    try {
      findAddon(name, version);
    } catch {
      const message = `cuda-check: expected an addon for libtorch ${version} (${name}), but received none`;
      throw new UsageError(`${message}; without --no-build it is compiled`);
    }
  }
}
