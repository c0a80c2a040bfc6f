// Finds libtorch, or installs it into the package's cache, and builds the addon against it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run, StepFailure } from './steps.mjs';

/** Passes the libtorch that was found to the later steps, as `libtorch`. */
export async function findLibtorch({ root, announce, shared }) {
  const { locateLibtorch } = createRequire(join(root, 'package.json'))('./dist/binding/locate.js');
  let installed;
  try {
    shared.libtorch = locateLibtorch();
  } catch (error) {
    // Only if there is none at all: if LIBTORCH names an unusable one, the user has to decide.
    if (error.code !== 'LIBTORCH_NOT_FOUND' && error.code !== 'LIBTORCH_UNSUPPORTED') throw known(error);
    if (process.env.LIBTORCH || process.env.LIBTORCH_USE_PYTORCH) throw known(error);
    announce('none found, installing …');
    const command = [join('dist', 'cli', 'main.js'), 'install'];
    await run(process.execPath, command, { cwd: root, inherit: true });
    shared.libtorch = locateLibtorch();
    installed = `installed in ${shared.libtorch.root}`;
  }
  const { version, flavour, source } = shared.libtorch;
  shared.summary.push(`libtorch ${version ?? 'of unknown version'} (${flavour}, found by ${source})`);
  return installed;
}

function known(error) {
  return new StepFailure(error.message);
}

/** Builds the addon, unless it is up to date. */
export async function buildAddon({ root, force, announce, shared }) {
  const { buildNative } = await import(pathToFileURL(join(root, 'scripts', 'build.mjs')).href);
  try {
    const { built } = await buildNative({ libtorch: shared.libtorch, force, announce });
    return built ? 'built' : undefined;
  } catch (error) {
    error.output ??= '';
    error.remedies = [...missingTools(), ...(error.remedies ?? [])];
    throw error;
  }
}

/** Commands that install what a native build needs and this machine lacks. */
export function missingTools() {
  const missing = [];
  if (!canRun('cmake')) missing.push('cmake');
  const compilers = process.platform === 'win32' ? [] : [process.env.CXX || 'c++', 'g++', 'clang++'];
  if (compilers.length > 0 && !compilers.some(canRun)) missing.push('a C++20 compiler');
  if (process.platform !== 'win32' && !['ninja', 'make'].some(canRun)) missing.push('make or ninja');
  if (missing.length === 0) return [];
  const install = {
    darwin: 'xcode-select --install && brew install cmake',
    win32: 'install CMake and the C++ workload of the Visual Studio Build Tools',
  };
  const debian = 'apt-get install cmake g++ make     (Debian, Ubuntu; Fedora: dnf install cmake gcc-c++ make)';
  return [`${missing.join(', ')} missing: ${install[process.platform] ?? debian}`];
}

function canRun(command) {
  if (process.platform === 'win32') return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
  if (command.includes('/')) return existsSync(command);
  const directories = (process.env.PATH ?? '').split(delimiter);
  return directories.some((directory) => existsSync(join(directory, command)));
}
