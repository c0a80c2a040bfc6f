import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type InstallMarker, markerName } from '../../lib/binding/cache';
import { type Host, systemDirectories } from '../../lib/binding/host';
import { locateLibtorch } from '../../lib/binding/locate';
import { LoadError } from '../../lib/errors';

let directory: string;
let host: Host;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'locate-'));
  host = {
    platform: 'linux',
    arch: 'x64',
    home: at('home'),
    systemDirectories: [at('system/lib'), at('system/usr/lib/x86_64-linux-gnu')],
  };
});

afterEach(() => {
  rmSync(directory, { recursive: true });
  jest.restoreAllMocks();
});

/** A path in the test's directory. */
function at(...parts: string[]): string {
  return join(directory, ...parts);
}

function write(path: string, content = ''): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

/** A libtorch whose libraries are empty files. */
function tree(root: string, version?: string, extra: readonly string[] = [], lib = `${root}/lib`): string {
  for (const file of ['libtorch_cpu.so', 'libc10.so', ...extra]) write(`${lib}/${file}`);
  if (version !== undefined) write(`${root}/version.py`, `from typing import Optional\n__version__ = '${version}'\n`);
  return at(root);
}

function site(prefix: string, python = 'python3.11'): string {
  return `${prefix}/lib/${python}/site-packages`;
}

/** A complete install in the cache. */
function install(name: string, version: string, changes: Partial<InstallMarker> = {}): string {
  const root = tree(`cache/${name}/torch`, version);
  const marker: InstallMarker = {
    version: version.split('+')[0] as string,
    flavour: version.split('+')[1] ?? 'cpu',
    source: 'a test',
    sha256: '',
    files: 3,
    libraries: { 'torch/lib/libtorch_cpu.so': 0 },
    ...changes,
  };
  write(`cache/${name}/${markerName}`, JSON.stringify(marker));
  return root;
}

function locate(env: NodeJS.ProcessEnv = {}): ReturnType<typeof locateLibtorch> {
  return locateLibtorch({ LIBTORCH_LOSSES_CACHE: at('cache'), ...env }, host);
}

/** The error of a search that must fail. */
function failure(env: NodeJS.ProcessEnv = {}): LoadError {
  try {
    locate(env);
  } catch (error) {
    expect(error).toBeInstanceOf(LoadError);
    return error as LoadError;
  }
  throw new Error('the search found something');
}

describe('LIBTORCH', () => {
  test.each([
    ['a root', 'given', 'given'],
    ['its lib/', 'given/lib', 'given'],
    ['a Python torch/', 'site-packages/torch', 'site-packages/torch'],
  ])('names %s', (_, named, root) => {
    tree(root, '2.13.0+cpu');
    expect(locate({ LIBTORCH: at(named) })).toEqual({
      root: at(root),
      lib: at(root, 'lib'),
      version: '2.13.0+cpu',
      flavour: 'cpu',
      source: 'LIBTORCH',
      attempts: [{ source: 'LIBTORCH', path: at(named), outcome: 'libtorch 2.13.0+cpu (cpu)' }],
    });
  });

  test.each([
    ['nothing', () => {}, 'no such directory'],
    ['a file', () => write('given'), 'is a file, not a directory'],
    ['an empty directory', () => mkdirSync(at('given')), 'no libtorch_cpu.so'],
    ['half a libtorch', () => write('given/lib/libtorch_cpu.so'), 'libc10.so missing from'],
    ['a directory above one', () => tree('given/torch'), 'name '],
    ['a library without its link', () => write('given/lib/libtorch_cpu.so.2.13'), 'the development package'],
    ['a libtorch for macOS', () => write('given/lib/libtorch_cpu.dylib'), 'for another operating system'],
  ])('is an error if it names %s, whatever else there is', (_, make, reason) => {
    make();
    install('libtorch-2.13.0-cpu', '2.13.0+cpu');
    const error = failure({ LIBTORCH: at('given') });
    expect(error.code).toBe('LIBTORCH_UNUSABLE');
    expect(error.message).toContain(`expected LIBTORCH to be a libtorch root, its lib/ directory or a Python torch/`);
    expect(error.message).toContain(reason);
    expect(error.attempts).toHaveLength(1);
  });

  test('is not set if it is empty', () => {
    const root = install('libtorch-2.13.0-cpu', '2.13.0+cpu');
    expect(locate({ LIBTORCH: '' }).root).toBe(root);
  });

  test.each(['2.10.2', '2.15.0', '1.13.1', '3.0.0'])('of version %s is refused by name', (version) => {
    tree('given', version);
    const error = failure({ LIBTORCH: at('given') });
    expect(error.code).toBe('LIBTORCH_UNSUPPORTED');
    expect(error.message).toContain(`libtorch ${version} (cpu): unsupported, 2.11 to 2.14 are supported`);
    expect(error.message).toContain('LIBTORCH_LOSSES_ALLOW_UNSUPPORTED=1');
  });

  test.each(['2.11.0', '2.12.1+cu126', '2.14.3', '2.14.0a0+git123'])('of version %s is taken', (version) => {
    tree('given', version);
    expect(locate({ LIBTORCH: at('given') }).version).toBe(version);
  });

  test('of an unsupported version is taken with a warning if that is allowed', () => {
    tree('given', '2.10.0');
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const env = { LIBTORCH: at('given'), LIBTORCH_LOSSES_ALLOW_UNSUPPORTED: '1' };
    expect(locate(env).version).toBe('2.10.0');
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('libtorch 2.10.0'), { code: 'LIBTORCH_UNSUPPORTED' });
  });
});

describe('what a tree says of itself', () => {
  test.each([
    ['version.py', "__version__: str = '2.13.1'\n", '2.13.1'],
    ['build-version', '2.13.0+cu130\n', '2.13.0+cu130'],
    ['share/cmake/Torch/TorchConfigVersion.cmake', 'set(PACKAGE_VERSION "2.12.0")\n', '2.12.0'],
    ['lib/cmake/Torch/TorchConfigVersion.cmake', 'set(PACKAGE_VERSION "2.12.0")\n', '2.12.0'],
    ['README', 'nothing that tells', undefined],
  ])('version by %s', (file, content, version) => {
    tree('given');
    write(`given/${file}`, content);
    expect(locate({ LIBTORCH: at('given') }).version).toBe(version);
  });

  test('version by the name that the library is a link to', () => {
    write('given/lib/libtorch_cpu.so.2.13');
    symlinkSync(at('given/lib/libtorch_cpu.so.2.13'), at('given/lib/libtorch_cpu.so'));
    write('given/lib/libc10.so');
    expect(locate({ LIBTORCH: at('given') }).version).toBe('2.13');
  });

  test.each([
    ['libtorch_cuda.so', 'cuda'],
    ['libtorch_hip.so', 'rocm'],
    ['libtorch_xpu.so', 'xpu'],
  ])('flavour by %s', (library, flavour) => {
    tree('given', '2.13.0', [library]);
    expect(locate({ LIBTORCH: at('given') }).flavour).toBe(flavour);
  });

  test('the CUDA libraries beside a CUDA wheel', () => {
    tree('site-packages/torch', '2.13.0+cu130', ['libtorch_cuda.so']);
    expect(locate({ LIBTORCH: at('site-packages/torch') })).not.toHaveProperty('nvidia');
    mkdirSync(at('site-packages/nvidia'));
    expect(locate({ LIBTORCH: at('site-packages/torch') }).nvidia).toBe(at('site-packages/nvidia'));
  });

  test.each([
    ['darwin', 'libtorch_cpu.dylib', 'libc10.dylib'],
    ['win32', 'torch_cpu.dll', 'c10.dll'],
  ] as const)('library names of %s', (platform, ...files) => {
    host.platform = platform;
    for (const file of files) write(`given/lib/${file}`);
    expect(locate({ LIBTORCH: at('given') }).lib).toBe(at('given/lib'));
  });
});

describe('an active Python environment', () => {
  test('gives its torch package before the cache is asked', () => {
    tree(`${site('venv')}/torch`, '2.13.0+cpu');
    install('libtorch-2.14.0-cpu', '2.14.0+cpu');
    const found = locate({ VIRTUAL_ENV: at('venv') });
    expect(found).toMatchObject({ source: 'virtualenv', root: at(site('venv'), 'torch') });
  });

  test('of conda gives its torch package, or the libtorch in its lib/', () => {
    tree('conda', undefined);
    write('conda/share/cmake/Torch/TorchConfigVersion.cmake', 'set(PACKAGE_VERSION "2.12.1")');
    const env = { CONDA_PREFIX: at('conda') };
    expect(locate(env)).toMatchObject({ source: 'conda', root: at('conda'), version: '2.12.1' });
    tree(`${site('conda')}/torch`, '2.13.0');
    expect(locate(env)).toMatchObject({ source: 'conda', root: at(site('conda'), 'torch') });
  });

  test('with the newest Python first', () => {
    tree(`${site('venv', 'python3.9')}/torch`, '2.13.0');
    tree(`${site('venv', 'python3.12')}/torch`, '2.13.0');
    expect(locate({ VIRTUAL_ENV: at('venv') }).root).toContain('python3.12');
  });

  test('with an unsupported torch is passed over, and the attempts say so', () => {
    tree(`${site('venv')}/torch`, '2.5.1+cpu');
    const root = install('libtorch-2.13.0-cpu', '2.13.0+cpu');
    const found = locate({ VIRTUAL_ENV: at('venv') });
    expect(found).toMatchObject({ source: 'cache', root });
    const outcome = 'libtorch 2.5.1+cpu (cpu): unsupported, 2.11 to 2.14 are supported';
    expect(found.attempts).toContainEqual({ source: 'virtualenv', path: at(site('venv'), 'torch'), outcome });
  });

  test('with an unsupported torch and nothing else is an error that names the version', () => {
    tree(`${site('venv')}/torch`, '2.5.1+cpu');
    const error = failure({ VIRTUAL_ENV: at('venv') });
    expect(error.code).toBe('LIBTORCH_UNSUPPORTED');
    expect(error.message).toContain('2.5.1+cpu');
  });

  test('without torch, or without packages, is passed over', () => {
    mkdirSync(at(site('venv')), { recursive: true });
    mkdirSync(at('empty'));
    const error = failure({ VIRTUAL_ENV: at('venv'), CONDA_PREFIX: at('empty') });
    expect(error.attempts).toContainEqual({
      source: 'virtualenv',
      path: at(site('venv'), 'torch'),
      outcome: 'no such directory',
    });
    expect(error.attempts).toContainEqual({ source: 'conda', path: at('empty'), outcome: 'no libtorch_cpu.so' });
  });
});

describe('LIBTORCH_USE_PYTORCH=1', () => {
  const on = { LIBTORCH_USE_PYTORCH: '1' };

  test('takes the torch of the Python on PATH, at the end of its links', () => {
    write('python/bin/python3.11');
    mkdirSync(at('bin'));
    symlinkSync(at('python/bin/python3.11'), at('bin/python3'));
    tree(`${site('python')}/torch`, '2.13.0');
    const found = locate({ ...on, PATH: [at('nowhere'), at('bin')].join(delimiter) });
    expect(found).toMatchObject({ source: 'LIBTORCH_USE_PYTORCH', root: at(site('python'), 'torch') });
  });

  test('takes the version that pyenv chooses', () => {
    write('pyenv/shims/python3');
    write('pyenv/version', '3.12.1\n');
    tree(`pyenv/versions/3.12.1/lib/python3.12/site-packages/torch`, '2.13.0');
    tree(`pyenv/versions/3.11.7/lib/python3.11/site-packages/torch`, '2.12.0');
    const env = { ...on, PATH: at('pyenv/shims') };
    expect(locate(env).version).toBe('2.13.0');
    expect(locate({ ...env, PYENV_VERSION: '3.11.7' }).version).toBe('2.12.0');
  });

  test("takes Debian's packages and the user's own", () => {
    write('usr/bin/python3');
    tree('usr/lib/python3/dist-packages/torch', '2.5.0');
    tree(`${site('home/.local')}/torch`, '2.13.0');
    expect(locate({ ...on, PATH: at('usr/bin') }).root).toBe(at(site('home/.local'), 'torch'));
  });

  test.each([
    ['darwin', {}, 'home/Library/Python/3.11/lib/python/site-packages', 'libtorch_cpu.dylib', 'libc10.dylib'],
    ['win32', { APPDATA: 'roaming' }, 'roaming/Python/Python311/site-packages', 'torch_cpu.dll', 'c10.dll'],
  ] as const)("finds the user's packages on %s", (platform, env, packages, ...libraries) => {
    host.platform = platform;
    for (const library of libraries) write(`${packages}/torch/lib/${library}`);
    const APPDATA = 'APPDATA' in env ? at(env.APPDATA) : undefined;
    expect(locate({ ...on, APPDATA }).root).toBe(at(packages, 'torch'));
  });

  test('takes an active environment first', () => {
    write('usr/bin/python3');
    tree(`${site('usr')}/torch`, '2.13.0');
    tree(`${site('venv')}/torch`, '2.12.0');
    expect(locate({ ...on, VIRTUAL_ENV: at('venv'), PATH: at('usr/bin') }).version).toBe('2.12.0');
  });

  test('is an error if there is no such torch, whatever else there is', () => {
    install('libtorch-2.13.0-cpu', '2.13.0+cpu');
    const error = failure({ ...on, PATH: at('nowhere') });
    expect(error.code).toBe('LIBTORCH_UNUSABLE');
    expect(error.message).toContain('no Python on PATH with a package directory');
  });

  test('is an error if that torch is unsupported', () => {
    tree(`${site('venv')}/torch`, '2.5.0');
    expect(failure({ ...on, VIRTUAL_ENV: at('venv') }).code).toBe('LIBTORCH_UNSUPPORTED');
  });

  test.each(['0', 'false', ''])('is off if it is %p', (value) => {
    expect(failure({ LIBTORCH_USE_PYTORCH: value }).code).toBe('LIBTORCH_NOT_FOUND');
  });
});

describe('the cache', () => {
  test('gives the newest supported version, and of one version CUDA before CPU', () => {
    install('libtorch-2.12.1-cpu', '2.12.1+cpu');
    install('libtorch-2.15.0-cpu', '2.15.0+cpu');
    install('libtorch-2.13.0-cpu', '2.13.0+cpu');
    expect(locate()).toMatchObject({ source: 'cache', version: '2.13.0+cpu' });
    install('libtorch-2.13.0-cu130', '2.13.0+cu130');
    expect(locate().version).toBe('2.13.0+cu130');
    install('libtorch-2.14.0-cpu', '2.14.0+cpu');
    expect(locate().version).toBe('2.14.0+cpu');
  });

  test.each([
    ['an unfinished install', () => tree('cache/libtorch-2.13.0-cpu/torch', '2.13.0+cpu'), 'no install.json'],
    [
      'an install under way',
      () => install('libtorch-install.partial-host-12', '2.13.0+cpu'),
      'an install under way or interrupted',
    ],
    [
      'a damaged marker',
      () => write('cache/libtorch-2.13.0-cpu/install.json', '{"version": "2.1'),
      'its install.json cannot be read',
    ],
    [
      'a marker of another kind',
      () => write('cache/libtorch-2.13.0-cpu/install.json', '{"version": 2, "libraries": null}'),
      'its install.json cannot be read',
    ],
    [
      'a truncated library',
      () => install('libtorch-2.13.0-cpu', '2.13.0+cpu', { libraries: { 'torch/lib/libtorch_cpu.so': 7 } }),
      'damaged: torch/lib/libtorch_cpu.so has 0 bytes instead of 7',
    ],
    [
      'a lost library',
      () => install('libtorch-2.13.0-cpu', '2.13.0+cpu', { libraries: { 'torch/lib/libgomp.so.1': 7 } }),
      'damaged: torch/lib/libgomp.so.1 is missing',
    ],
  ])('does not take %s for an install', (_, make, outcome) => {
    make();
    const error = failure();
    expect(error.code).toBe('LIBTORCH_NOT_FOUND');
    expect(error.attempts.find(({ source }) => source === 'cache')?.outcome).toContain(outcome);
  });

  test.each([
    ['linux', {}, 'home/.cache/libtorch-losses'],
    ['linux', { XDG_CACHE_HOME: 'xdg' }, 'xdg/libtorch-losses'],
    ['darwin', {}, 'home/Library/Caches/libtorch-losses'],
    ['win32', { LOCALAPPDATA: 'local' }, 'local/libtorch-losses'],
    ['win32', {}, 'home/AppData/Local/libtorch-losses'],
  ] as const)('on %s with %p is %s', (platform, env, path) => {
    host.platform = platform;
    const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, at(value)]));
    const error = failure({ LIBTORCH_LOSSES_CACHE: undefined, ...variables });
    expect(error.attempts.find(({ source }) => source === 'cache')?.path).toBe(at(path));
  });
});

describe('system directories', () => {
  test('come last', () => {
    tree('system', '2.13.0');
    expect(locate()).toMatchObject({ source: 'system', root: at('system'), lib: at('system/lib') });
    install('libtorch-2.12.0-cpu', '2.12.0+cpu');
    expect(locate().source).toBe('cache');
  });

  test('by architecture belong to the root two levels up', () => {
    const lib = 'system/usr/lib/x86_64-linux-gnu';
    tree('system/usr', undefined, [], lib);
    write(`${lib}/cmake/Torch/TorchConfigVersion.cmake`, 'set(PACKAGE_VERSION "2.13.0")');
    expect(locate()).toMatchObject({ root: at('system/usr'), lib: at(lib), version: '2.13.0' });
  });

  test('are those of the platform', () => {
    const of = (platform: NodeJS.Platform, arch: string): readonly string[] =>
      systemDirectories({ platform, arch, home: '/home' });
    expect(of('linux', 'x64')).toContain('/usr/lib/x86_64-linux-gnu');
    expect(of('linux', 'arm64')).toContain('/usr/lib/aarch64-linux-gnu');
    expect(of('linux', 'riscv64')).toContain('/usr/lib');
    expect(of('darwin', 'arm64')).toContain('/opt/homebrew/lib');
    expect(of('win32', 'x64')).toContain('C:\\libtorch\\lib');
  });
});

test('nothing found is one error with every place, what was there, and what to do', () => {
  mkdirSync(at('system/lib'), { recursive: true });
  const error = failure();
  expect(error.code).toBe('LIBTORCH_NOT_FOUND');
  expect(error.attempts).toEqual([
    { source: 'LIBTORCH', outcome: 'not set' },
    { source: 'virtualenv, conda', outcome: 'none is active (VIRTUAL_ENV, CONDA_PREFIX)' },
    { source: 'cache', path: at('cache'), outcome: 'no completed install' },
    { source: 'system', path: at('system/lib'), outcome: 'no libtorch_cpu.so' },
    { source: 'system', path: at('system/usr/lib/x86_64-linux-gnu'), outcome: 'no such directory' },
  ]);
  for (const { source, path, outcome } of error.attempts) {
    expect(error.message).toMatch(
      new RegExp(`^  ${source} .*${(path ?? '').replaceAll('\\', '.')}.*${outcome.slice(0, 9)}`, 'm'),
    );
  }
  expect(error.message).toContain('npx libtorch-losses install ');
  expect(error.message).toContain('npx libtorch-losses install --cuda cu130');
  expect(error.message).toContain('LIBTORCH=/path/to/libtorch');
  expect(error.message).toContain('LIBTORCH_USE_PYTORCH=1');
});
