/** What a user sees when libtorch or the addon cannot be loaded: one error that says where was looked and what helps. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { testWhere } from '../support/where';

const root = resolve(__dirname, '../..');
const program = `
  const torch = require(${JSON.stringify(join(root, 'dist', 'index.js'))});
  try {
    torch.zeros([1]);
    console.log(JSON.stringify({ loaded: true }));
  } catch (error) {
    const { name, code, message, attempts } = error;
    console.log(JSON.stringify({ name, code, message, attempts, isLoadError: error instanceof torch.LoadError }));
  }
`;

interface Outcome {
  loaded?: boolean;
  name?: string;
  code?: string;
  message?: string;
  attempts?: { source: string; path?: string; outcome: string }[];
  isLoadError?: boolean;
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'loading-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Uses the library in a process that can find nothing but what the environment names. */
function load(environment: NodeJS.ProcessEnv): Outcome {
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, LIBTORCH_LOSSES_CACHE: join(folder, 'cache'), ...environment };
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env });
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
  return JSON.parse(stdout) as Outcome;
}

/** A directory that looks like a libtorch, with libraries of the given content. */
function fakeLibtorch(version: string, write: (path: string) => void): string {
  const tree = join(folder, 'libtorch');
  mkdirSync(join(tree, 'lib'), { recursive: true });
  writeFileSync(join(tree, 'build-version'), `${version}\n`);
  write(join(tree, 'lib', 'libtorch_cpu.so'));
  write(join(tree, 'lib', 'libc10.so'));
  return tree;
}

test('nothing found: every place looked at, and the commands that help', () => {
  const { code, isLoadError, message, attempts } = load({});
  expect({ code, isLoadError }).toEqual({ code: 'LIBTORCH_NOT_FOUND', isLoadError: true });
  expect(message).toMatch(/Places looked at:[\s\S]*Possible solutions:[\s\S]*npx libtorch-losses install/);
  expect(message).toContain(join(folder, 'cache'));
  expect(attempts?.map(({ source }) => source)).toEqual(expect.arrayContaining(['LIBTORCH', 'cache', 'system']));
});

test('LIBTORCH names nothing: an error, and nothing else is tried', () => {
  const { code, message, attempts } = load({ LIBTORCH: join(folder, 'nowhere') });
  expect(code).toBe('LIBTORCH_UNUSABLE');
  expect(message).toMatch(/expected LIBTORCH to be .* but received '.*nowhere' \(no such directory\)/);
  expect(attempts).toHaveLength(1);
});

test('a library that is none', () => {
  const tree = fakeLibtorch('2.13.0', (path) => writeFileSync(path, 'not a library'));
  const { code, message } = load({ LIBTORCH: tree });
  expect(code).toBe('LIBTORCH_UNUSABLE');
  expect(message).toMatch(/expected .*libtorch_cpu\.so to be a library that this machine can open, but received: .+/);
});

const loader = join(root, 'build', 'native', 'Release', 'loader.node');

/** The loader's file, which is a library as libtorch's are, with other bytes. */
function changed(change: (library: Buffer) => Buffer): (path: string) => void {
  return (path) => writeFileSync(path, change(readFileSync(loader)));
}

testWhere(process.platform === 'linux', 'libraries that are damaged as ELF files').each([
  ['empty', () => Buffer.alloc(0), 'the file is empty'],
  ['truncated', (library: Buffer) => library.subarray(0, 5000), 'the file is truncated: it has 5000 bytes, where'],
  ['cut in its header', (library: Buffer) => library.subarray(0, 30), 'received: '],
  [
    'for another processor',
    (library: Buffer) => {
      library.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
      return library;
    },
    `the library is for ${process.arch === 'x64' ? 'arm64' : 'x64'}, but this Node is for ${process.arch}`,
  ],
])('a library that is %s', (_, change, reason) => {
  const { code, message } = load({ LIBTORCH: fakeLibtorch('2.13.0', changed(change)) });
  expect(code).toBe('LIBTORCH_UNUSABLE');
  expect(message).toContain(reason);
  expect(message).toContain('npx libtorch-losses install');
});

testWhere(process.platform === 'linux', "a library's missing libraries as Linux tells them")(
  'a CUDA library is missing: which one, and what brings it',
  () => {
    const needing = changed((library) =>
      Buffer.from(library.toString('latin1').replaceAll('libstdc++.so.6', 'libcudart.so.9'), 'latin1'),
    );
    const tree = fakeLibtorch('2.14.1+cu130', needing);
    const { code, message } = load({ LIBTORCH: tree });
    expect(code).toBe('LIBTORCH_UNUSABLE');
    expect(message).toContain('(the Python package nvidia-cuda-runtime brings libcudart.so.9;');
    expect(message).toContain(`pip install --target ${folder} "nvidia-cuda-runtime" `);
    expect(message).toContain('npx libtorch-losses install --version 2.14.1 --cuda cu130 ');
  },
);

test('a library that is not a libtorch', () => {
  const tree = fakeLibtorch('2.13.0', (path) => copyFileSync(loader, path));
  const { code, message } = load({ LIBTORCH: tree });
  expect(code).toBe('LIBTORCH_UNUSABLE');
  expect(message).toContain('does not say its version');
});

test.each(['2.10.0', '2.15.1', '1.13.1'])('version %s is refused by name', (version) => {
  const tree = fakeLibtorch(version, (path) => writeFileSync(path, ''));
  const { code, message } = load({ LIBTORCH: tree });
  expect(code).toBe('LIBTORCH_UNSUPPORTED');
  expect(message).toContain(version);
  expect(message).toContain('2.11 to 2.14');
});

test('an addon that was built for another minor version is never opened', () => {
  const copy = join(folder, 'package');
  mkdirSync(join(copy, 'build', 'native', 'Release'), { recursive: true });
  const loader = join('build', 'native', 'Release', 'loader.node');
  copyFileSync(join(root, loader), join(copy, loader));
  for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(copy, name));
  const script = program.replace(
    JSON.stringify(join(root, 'dist', 'index.js')),
    JSON.stringify(join(copy, 'dist', 'index.js')),
  );
  const { stdout } = spawnSync(process.execPath, ['--preserve-symlinks', '-e', script], { encoding: 'utf8' });
  const { code, message } = JSON.parse(stdout) as Outcome;
  expect(code).toBe('ADDON_NOT_FOUND');
  expect(message).toMatch(/expected an addon for libtorch \d+\.\d+\.\d+ \(libtorch-\d+\.\d+\), but received none/);
  expect(message).toContain('npm run build');
});

test('importing the package loads nothing and cannot fail', () => {
  const script = `const torch = require(${JSON.stringify(join(root, 'dist', 'index.js'))}); console.log(typeof torch.tensor)`;
  const env = { PATH: process.env.PATH, LIBTORCH: '/nonexistent' };
  const { stdout, status } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
  expect({ stdout, status }).toEqual({ stdout: 'function\n', status: 0 });
});
