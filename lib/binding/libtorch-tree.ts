/**
 * Inspects a directory that may hold libtorch, by its files alone: nothing is loaded, and Python is not started.
 */
import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Flavour } from './libtorch-versions';

/** One libtorch on disk. */
export interface LibtorchTree {
  /** The directory that has `lib/` (and mostly `include/`): a libtorch root or a Python `torch/` package. */
  root: string;
  /** The directory with the shared libraries themselves. */
  lib: string;
  /** `'2.13.0+cpu'`, as the tree names itself; `undefined` if nothing in it says. */
  version: string | undefined;
  /** The devices that the build supports, by its libraries. */
  flavour: Flavour;
  /** `nvidia/` beside a Python `torch/`: the CUDA libraries that a CUDA wheel needs come as packages of their own. */
  nvidia?: string;
}

/** A shared library's file name: `libc10.so`, `libc10.dylib`, `c10.dll`. */
export function libraryFile(name: string, platform: NodeJS.Platform): string {
  if (platform === 'win32') return `${name}.dll`;
  return platform === 'darwin' ? `lib${name}.dylib` : `lib${name}.so`;
}

/** The file at a path, links followed; nothing if it cannot be accessed. */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether the path is a directory. */
export function isDirectory(path: string): boolean {
  return statsOf(path)?.isDirectory() ?? false;
}

/** Whether the path is a file. */
export function isFile(path: string): boolean {
  return statsOf(path)?.isFile() ?? false;
}

/** The names in a directory; none if it cannot be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** The libtorch whose root, `lib/` or Python `torch/` package the path is; otherwise the reason why it is none. */
export function inspectTree(path: string, platform: NodeJS.Platform): LibtorchTree | string {
  if (!isDirectory(path)) return isFile(path) ? 'is a file, not a directory' : 'no such directory';
  const libraries = ['torch_cpu', 'c10'].map((name) => libraryFile(name, platform));
  const has = (directory: string, file: string): boolean => isFile(join(directory, file));
  const lib = [join(path, 'lib'), path].find((directory) => libraries.some((file) => has(directory, file)));
  if (lib === undefined) return nothingThere(path, libraries, platform);
  const missing = libraries.filter((file) => !has(lib, file));
  if (missing.length > 0) return `${missing.join(' and ')} missing from ${lib}`;
  return describe(lib === path ? rootOf(lib) : path, lib, platform);
}

/** The root of a library directory: its parent, and of `/usr/lib/x86_64-linux-gnu` the grandparent. */
function rootOf(lib: string): string {
  return /-linux-gnu$/.test(basename(lib)) ? dirname(dirname(lib)) : dirname(lib);
}

/** Why a directory holds no libtorch, with the nearest thing that does. */
function nothingThere(path: string, libraries: readonly string[], platform: NodeJS.Platform): string {
  const inner = ['torch', 'libtorch'].map((name) => join(path, name));
  const near = inner.find((directory) => isFile(join(directory, 'lib', libraries[0] as string)));
  if (near !== undefined) return `no ${libraries[0]} there, but in ${join(near, 'lib')}: name ${near}`;
  const versioned = [path, join(path, 'lib')]
    .flatMap((directory) => namesIn(directory).map((name) => join(directory, name)))
    .find((file) => basename(file).startsWith(`${libraries[0]}.`));
  if (versioned !== undefined) return `${versioned}, but no ${libraries[0]} (the development package makes that link)`;
  const foreign = (['linux', 'darwin', 'win32'] as const)
    .filter((other) => other !== platform)
    .map((other) => [libraryFile('torch_cpu', other), join(path, 'lib')] as const)
    .find(([file, lib]) => isFile(join(lib, file)));
  if (foreign !== undefined) return `a libtorch for another operating system (${foreign[0]})`;
  return `no ${libraries[0]}`;
}

function describe(root: string, lib: string, platform: NodeJS.Platform): LibtorchTree {
  const has = (name: string): boolean => isFile(join(lib, libraryFile(name, platform)));
  const tree: LibtorchTree = { root, lib, version: versionOf(root, lib, platform), flavour: 'cpu' };
  if (has('torch_cuda')) tree.flavour = 'cuda';
  else if (has('torch_hip')) tree.flavour = 'rocm';
  else if (has('torch_xpu')) tree.flavour = 'xpu';
  const nvidia = join(dirname(root), 'nvidia');
  if (tree.flavour === 'cuda' && isDirectory(nvidia)) tree.nvidia = nvidia;
  return tree;
}

/**
 * The version a tree names itself by: `version.py` of a Python package, `build-version` of a libtorch archive, CMake's
 * package version, or the number in the name that the library's link points at (`libtorch_cpu.so.2.13`).
 */
function versionOf(root: string, lib: string, platform: NodeJS.Platform): string | undefined {
  const cmake = join('cmake', 'Torch', 'TorchConfigVersion.cmake');
  // Only characters of versions: they are printed.
  const cmakeVersion = /set\(\s*PACKAGE_VERSION\s+"?([\w.+!-]+)/;
  const sources: [path: string, pattern: RegExp][] = [
    [join(root, 'version.py'), /^__version__\s*(?::[^=]*)?=\s*['"]([\w.+!-]+)['"]/m],
    [join(root, 'build-version'), /^\s*(\d[\w.+!-]*)/],
    [join(root, 'share', cmake), cmakeVersion],
    [join(lib, cmake), cmakeVersion],
  ];
  for (const [path, pattern] of sources) {
    const match = pattern.exec(textOf(path) ?? '');
    if (match?.[1] !== undefined) return match[1];
  }
  try {
    const target = basename(realpathSync(join(lib, libraryFile('torch_cpu', platform))));
    return /\.so\.(\d+\.\d[\w.]*)$/.exec(target)?.[1];
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return isFile(path) ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
