/** `libtorch-losses doctor` as a user runs it: where all is well, and for each thing that can be wrong. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheDirectory } from '../../lib/binding/cache';
import { thisHost } from '../../lib/binding/host';
import { locateLibtorch } from '../../lib/binding/locate';
import type { DoctorReport } from '../../lib/diagnosis/report';
import { folder } from '../support/folder';
import { testWhere } from '../support/where';

const root = resolve(__dirname, '../..');
const loader = join('build', 'native', 'Release', 'loader.node');
const scratch = folder('for each test');
const linux = process.platform === 'linux';

jest.setTimeout(60_000);

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The package that is asked: this checkout, or a copy. */
function run(args: readonly string[], env: NodeJS.ProcessEnv, directory = root): Ended {
  const program = join(directory, 'dist', 'cli', 'main.js');
  if (!existsSync(program)) throw new Error(`${program} is missing: run \`npm run setup\``);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...(directory === root ? [] : ['--preserve-symlinks', '--preserve-symlinks-main']), program, 'doctor', ...args],
    { encoding: 'utf8', env, cwd: scratch.path },
  );
  return { status, stdout, stderr };
}

/** An environment that finds the libtorch of the tests, with few threads. */
function healthy(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, LIBTORCH: locateLibtorch().root, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
}

/** An environment that finds nothing but what is named. */
function bare(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const cache = join(scratch.path, 'cache');
  return { PATH: scratch.path, HOME: scratch.path, LIBTORCH_LOSSES_CACHE: cache, ...env };
}

/** What `--json` prints where something is wrong, and that the text says the same. */
function problemsIn(env: NodeJS.ProcessEnv, directory?: string): DoctorReport {
  const text = run([], env, directory);
  const { status, stdout, stderr } = run(['--json'], env, directory);
  expect({ status, stderr, textStatus: text.status, textErrors: text.stderr }).toEqual({
    status: 1,
    stderr: '',
    textStatus: 1,
    textErrors: '',
  });
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report.healthy).toBe(false);
  for (const { text: problem, remedies } of report.problems) {
    for (const line of [...problem.split('\n'), ...remedies]) expect(text.stdout).toContain(line);
    expect(remedies).not.toEqual([]);
  }
  expect(text.stdout).toContain('✘ 1 problem');
  expect(text.stdout).not.toMatch(/^ +at /m);
  return report;
}

/** A directory that looks like a libtorch, with libraries of the given content. */
function fakeLibtorch(version: string, library: Buffer | string = ''): string {
  const tree = join(scratch.path, 'libtorch');
  mkdirSync(join(tree, 'lib'), { recursive: true });
  writeFileSync(join(tree, 'build-version'), `${version}\n`);
  for (const name of ['libtorch_cpu.so', 'libc10.so']) writeFileSync(join(tree, 'lib', name), library);
  return tree;
}

/** The package without the addon that libtorch needs, or with other addons. */
function copyOfPackage(addons: Readonly<Record<string, Buffer>>): string {
  const copy = join(scratch.path, 'package');
  mkdirSync(join(copy, 'build', 'native', 'Release'), { recursive: true });
  copyFileSync(join(root, loader), join(copy, loader));
  for (const [name, bytes] of Object.entries(addons))
    writeFileSync(join(copy, 'build', 'native', 'Release', name), bytes);
  for (const name of ['dist', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(copy, name));
  return copy;
}

test('where all is well: what was found, why, and the self-test', () => {
  const env = healthy();
  const { status, stdout, stderr } = run([], env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const libtorch = locateLibtorch();
  for (const line of [
    /^libtorch-losses \d+\.\d+\.\d+ in /m,
    new RegExp(`^${process.platform} ${process.arch}, `, 'm'),
    new RegExp(`^Node ${process.versions.node} \\(Node-API \\d+\\) in `, 'm'),
    /^chosen by +LIBTORCH$/m,
    /^looked at +LIBTORCH +\S+: libtorch \d/m,
    /^addon +\S+libtorch-\d+\.\d+\.node, built for libtorch \d+\.\d+\.\d+$/m,
    /^kernels +[A-Z0-9]+$/m,
    /^threads +1 of \d+ processors?$/m,
    /^allocator +caching; keeps up to a gigabyte/m,
    /^devices +cpu/m,
    /^self-test +✔ cpu: cross entropy, 0\.78365\d+, at most \de-\d+ from PyTorch's$/m,
    /^ +✔ cpu: its gradient, 12 numbers, at most/m,
    /^✔ no problem/m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).toContain(libtorch.lib);
});

test('the document for bug reports has all of it, and no secrets', () => {
  const env: NodeJS.ProcessEnv = {
    ...healthy(),
    LIBTORCH_LOSSES_WHEEL_INDEX: 'https://me:secret@mirror',
    LIBTORCH_LOSSES_CPU_CACHE: '0',
  };
  const { status, stdout } = run(['--json'], env);
  expect(status).toBe(0);
  expect(stdout).not.toContain('secret');
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report).toMatchObject({
    format: 1,
    healthy: true,
    package: root,
    machine: { platform: process.platform, arch: process.arch, node: process.versions.node },
    environment: { LIBTORCH: env.LIBTORCH, LIBTORCH_LOSSES_CPU_CACHE: '0' },
    libtorch: { source: 'LIBTORCH', root: env.LIBTORCH },
    runtime: { threads: 1, allocator: { caching: false } },
  });
  expect(report.selfTest.filter(({ device }) => device === 'cpu').map(({ what, passed }) => [what, passed])).toEqual([
    ['cross entropy', true],
    ['its gradient', true],
  ]);
  expect(report.error).toBeUndefined();
});

test('no libtorch', () => {
  // Whatever the system's directories hold is found last.
  const env = bare();
  const somewhere = ((): string | undefined => {
    try {
      return locateLibtorch(env).root;
    } catch {
      return undefined;
    }
  })();
  if (somewhere !== undefined) return console.log(`a libtorch in ${somewhere} cannot be hidden from the search`);
  const { problems, attempts, error, addons } = problemsIn(env);
  expect(error?.code).toBe('LIBTORCH_NOT_FOUND');
  expect(problems[0]?.remedies[0]).toContain('npx libtorch-losses install');
  expect(attempts.map(({ source }) => source)).toEqual(expect.arrayContaining(['LIBTORCH', 'cache', 'system']));
  expect(attempts.find(({ source }) => source === 'cache')?.path).toBe(cacheDirectory(env, thisHost()));
  expect(addons).toContain(join(root, loader));
});

test('LIBTORCH that cannot be used', () => {
  const { error, attempts } = problemsIn(bare({ LIBTORCH: join(scratch.path, 'nowhere') }));
  expect(error?.code).toBe('LIBTORCH_UNUSABLE');
  expect(error?.problem).toMatch(/expected LIBTORCH to be .*nowhere' \(no such directory\)$/);
  expect(attempts).toHaveLength(1);
});

test.each(['2.10.2', '2.15.0'])('the unsupported libtorch %s', (version) => {
  const { error, problems } = problemsIn(bare({ LIBTORCH: fakeLibtorch(version) }));
  expect(error?.code).toBe('LIBTORCH_UNSUPPORTED');
  expect(problems[0]?.text).toContain(version);
  expect(problems[0]?.remedies.join('\n')).toContain('LIBTORCH_LOSSES_ALLOW_UNSUPPORTED=1');
});

const wrongProcessor = (library: Buffer): Buffer => {
  library.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
  return library;
};

testWhere(linux, 'libraries that are damaged as ELF files').each([
  ['is empty', () => '', 'the file is empty'],
  ['is not a library', () => 'not a library', 'the file is not a library'],
  ['is truncated', (library: Buffer) => library.subarray(0, 5000), 'the file is truncated'],
  ['is for another processor', wrongProcessor, `but this Node is for ${process.arch}`],
  ['is another library', (library: Buffer) => library, 'does not say its version'],
  ['has holes', (library: Buffer) => library.fill(0xff, 64), 'libtorch_cpu.so'],
] as const)('a library file that %s', (_, change, reason) => {
  const library = change(readFileSync(join(root, loader)));
  const { error, libtorch, problems } = problemsIn(bare({ LIBTORCH: fakeLibtorch('2.13.0', library) }));
  expect(error?.code).toBe('LIBTORCH_UNUSABLE');
  expect(problems[0]?.text).toContain(reason);
  expect(libtorch).toMatchObject({ version: '2.13.0', flavour: 'cpu' });
});

testWhere(linux, 'a library that is compiled for Linux')('a library that ends the process which opens it', () => {
  const library = readFileSync(join(root, loader));
  // What is run as the library is opened becomes traps.
  const [entry, count, table] = [
    library.readUInt16LE(54),
    library.readUInt16LE(56),
    Number(library.readBigUInt64LE(32)),
  ];
  for (let at = table; at < table + entry * count; at += entry) {
    const [type, flags] = [library.readUInt32LE(at), library.readUInt32LE(at + 4)];
    const [offset, size] = [Number(library.readBigUInt64LE(at + 8)), Number(library.readBigUInt64LE(at + 32))];
    if (type === 1 && (flags & 1) === 1) library.fill(process.arch === 'x64' ? 0xcc : 0, offset, offset + size);
  }
  const { error, libtorch, problems } = problemsIn(bare({ LIBTORCH: fakeLibtorch('2.13.0', library) }));
  expect(error?.problem).toMatch(/^the process ended by SIG\w+ while opening libtorch and the addon$/);
  expect(libtorch?.version).toBe('2.13.0');
  expect(problems[0]?.remedies.join()).toContain('npx libtorch-losses install');
});

test('no addon for the minor version of libtorch', () => {
  const copy = copyOfPackage({ 'libtorch-2.3.node': Buffer.alloc(0) });
  const { error, libtorch, addons, attempts } = problemsIn(healthy(), copy);
  expect(error).toMatchObject({
    code: 'ADDON_NOT_FOUND',
    problem: expect.stringContaining('expected an addon for libtorch'),
  });
  expect(libtorch?.root).toBe(locateLibtorch().root);
  expect(addons.map((path) => path.split(/[\\/]/).at(-1))).toEqual(['libtorch-2.3.node', 'loader.node']);
  // Where libtorch was found is still told.
  expect(attempts.at(-1)?.source).toBe('LIBTORCH');
});

test('an addon file that cannot be opened', () => {
  const minors = ['2.11', '2.12', '2.13', '2.14'];
  const copy = copyOfPackage(Object.fromEntries(minors.map((minor) => [`libtorch-${minor}.node`, Buffer.from('x')])));
  const { error } = problemsIn(healthy(), copy);
  expect(error?.problem).toMatch(/to be an addon that this Node can open, but received: /);
});

test('a setting that is ignored is a note, and all is well', () => {
  const { status, stdout } = run([], { ...healthy(), LIBTORCH_LOSSES_CPU_CACHE: 'much' });
  expect(status).toBe(0);
  expect(stdout).toContain("! LIBTORCH_LOSSES_CPU_CACHE is 'much', which is not a number of megabytes: it is ignored");
  expect(stdout).toMatch(/^✔ no problem, \d notes?$/m);
});

test.each([
  [['--help'], 0, 'Usage: libtorch-losses doctor'],
  [['--jsn'], 2, "unknown option '--jsn' (did you mean '--json'?)"],
  [['2.13'], 2, "Unexpected argument '2.13'"],
])('%j ends with status %i', (args, status, text) => {
  const ended = run(args, bare());
  expect(ended.status).toBe(status);
  expect(status === 0 ? ended.stdout : ended.stderr).toContain(text);
});
