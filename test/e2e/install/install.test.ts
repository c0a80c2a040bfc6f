/**
 * `libtorch-losses install` as a user runs it, with small wheels from a wheel index on this machine, from files and from a
 * pip that is a script. PyTorch's own index is not asked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisHost } from '../../../lib/binding/host';
import { defaultVersion } from '../../../lib/binding/libtorch-versions';
import { type LocatedLibtorch, locateLibtorch } from '../../../lib/binding/locate';
import { InstallCommand } from '../../support/install-command';
import { type ServerChanges, sha256Fragment } from '../../support/wheel-server';
import { libraryPath, libtorchArchive, wheel, wheelName } from '../../support/wheels';
import { describeWhere, testWhere } from '../../support/where';

const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';

jest.setTimeout(30_000);

const command = new InstallCommand();

/** What a program that uses the package would find, were there no libtorch but that of the cache. */
function locate(): LocatedLibtorch {
  return locateLibtorch({ LIBTORCH_LOSSES_CACHE: command.cache }, { ...thisHost(), systemDirectories: [] });
}

function expectInstalled(version = '2.13.0+cpu'): void {
  const found = locate();
  const root = join(command.cache, `libtorch-${version.replace('+', '-')}`, 'torch');
  expect(found).toMatchObject({ source: 'cache', version, root });
}

function marker(name = 'libtorch-2.13.0-cpu'): Record<string, unknown> {
  return JSON.parse(readFileSync(join(command.cache, name, 'install.json'), 'utf8')) as Record<string, unknown>;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

describe('from the wheel index', () => {
  test('downloads, checks, unpacks and says so; a second run finds it there', async () => {
    const { address } = await command.serve();
    const { status, stdout, stderr } = await command.run('install');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toEqual([
      `libtorch ${defaultVersion} (cpu) for ${process.platform} ${process.arch}`,
      '  no Python with pip on PATH; asking the wheel index',
      expect.stringMatching(/^✔ downloaded torch-2\.13\.0\+cpu-\S+\.whl, SHA-256 as in the index · \d+\.\d s$/),
      expect.stringMatching(/^✔ unpacked 9 files \(3\.1 MB\), verified against the wheel's RECORD · \d+\.\d s$/),
      expect.stringMatching(/^✔ installed in .*libtorch-2\.13\.0-cpu · \d+\.\d s$/),
    ]);
    expectInstalled();
    expect(marker()).toMatchObject({
      version: '2.13.0',
      flavour: 'cpu',
      source: `${address}/files/${encodeURIComponent(wheelName())}`,
      sha256: sha256Fragment(wheel()).replace('sha256=', ''),
      files: 9,
    });
    expect(command.cached()).toEqual(['downloads', 'libtorch-2.13.0-cpu']);
    expect(command.downloads()).toEqual([]);

    const again = await command.run('install');
    expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('is already installed in') });
    expect(command.server?.requests).toHaveLength(2);
  });

  test('installs another version beside it', async () => {
    const other = { version: '2.12.1+cpu' };
    await command.serve({ wheels: { [wheelName()]: wheel(), [wheelName(other)]: wheel(other) } });
    expect((await command.run('install')).status).toBe(0);
    expect((await command.run('install', '--version', '2.12.1')).status).toBe(0);
    expect(command.cached()).toEqual(['downloads', 'libtorch-2.12.1-cpu', 'libtorch-2.13.0-cpu']);
    expectInstalled('2.13.0+cpu');
  });

  test('names the versions that are there', async () => {
    await command.serve();
    const { status, stderr } = await command.run('install', '--version', '2.14.0');
    expect(status).toBe(1);
    expect(stderr).toContain('has no wheel of torch 2.14.0 (cpu)');
    expect(stderr).toContain('it has 2.13.0');
    expect(stderr).toContain('--from-file');
    expect(command.cached()).toEqual([]);
  });

  test('refuses a wheel of another SHA-256', async () => {
    await command.serve({ fragment: () => `sha256=${'ab'.repeat(32)}` });
    const { status, stderr } = await command.run('install');
    expect(status).toBe(1);
    expect(stderr).toContain(`but its index says ${'ab'.repeat(32)}`);
    expect(command.cached()).toEqual(['downloads']);
    expect(command.downloads()).toEqual([]);
  });

  test('refuses a wheel that its RECORD does not fit, and does not keep it', async () => {
    const tampered = wheel({
      tamper: (files) => files.map((each) => (each.name === libraryPath('c10') ? { ...each, content: 'x' } : each)),
    });
    await command.serve({ wheels: { [wheelName()]: tampered } });
    const { status, stderr } = await command.run('install');
    expect(status).toBe(1);
    expect(stderr).toContain(`${libraryPath('c10')} in `);
    expect(stderr).toContain("differs from what is listed in the wheel's RECORD");
    expect(command.downloads()).toEqual([]);
    expect(() => expectInstalled()).toThrow();
  });

  test('resumes after the connection broke', async () => {
    let broken = 0;
    await command.serve({
      serve: (content, _request, response, count) => {
        if (count > 1) return false;
        broken = content.length >> 1;
        response.writeHead(200, { 'content-length': content.length });
        // Later, so that what was sent has been read.
        response.write(content.subarray(0, broken), () => setTimeout(() => response.destroy(), 100));
        return true;
      },
    });
    expect((await command.run('install')).status).toBe(0);
    expect(command.server?.requests.at(-1)).toMatch(/ bytes=[1-9]\d*-$/);
    expectInstalled();
  });

  test('that cannot be reached is an error with ways out', async () => {
    const { status, stderr } = await command.run('install');
    expect(status).toBe(1);
    expect(stderr).toContain(`install: libtorch ${defaultVersion} (cpu) could not be obtained`);
    expect(stderr).toContain('no Python with pip on PATH');
    expect(stderr).toContain('cannot read the wheel index http://127.0.0.1:9/cpu/torch/');
    expect(stderr).toContain('LIBTORCH_LOSSES_WHEEL_INDEX=');
    expect(stderr).not.toContain('    at ');
    expect(command.cached()).toEqual([]);
  });

  testWhere(linux, 'CUDA builds for Linux')(
    'is not a source of CUDA builds for Linux, which only pip can put together',
    async () => {
      await command.serve();
      const { status, stderr } = await command.run('install', '--cuda', 'cu130');
      expect(status).toBe(1);
      expect(stderr).toContain('install pip for the Python on PATH');
      expect(stderr).toContain('torch==2.13.0+cu130');
      expect(command.server?.requests).toEqual([]);
    },
  );
});

describe('interrupted', () => {
  const hang: NonNullable<ServerChanges['serve']> = (content, _request, response, count) => {
    if (count > 1) return false;
    response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1000));
    return true;
  };
  const part = (): string => join(command.cache, 'downloads', `${wheelName()}.part`);
  const partIsThere = (): boolean => existsSync(part()) && readFileSync(part()).length === 1000;

  testWhere(posix, 'ends by signals, which Windows has not').each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s leaves only the partial download, which the next run resumes', async (signal, status) => {
    await command.serve({ serve: hang });
    const { child, ended } = command.startIn({}, 'install');
    await until(partIsThere);
    child.kill(signal);
    expect(await ended).toMatchObject({ status, stderr: 'interrupted; nothing was installed\n' });
    expect(command.cached()).toEqual(['downloads']);
    expect(command.downloads()).toEqual([`${wheelName()}.part`]);
    expect((await command.run('install')).status).toBe(0);
    expect(command.server?.requests.at(-1)).toMatch(/ bytes=1000-$/);
    expectInstalled();
  });

  test('by SIGKILL leaves nothing that counts, and the next run clears it away', async () => {
    await command.serve({ serve: hang });
    const { child, ended } = command.startIn({}, 'install');
    await until(partIsThere);
    child.kill('SIGKILL');
    await ended;
    expect(command.cached().some((name) => name.startsWith('libtorch-install.partial-'))).toBe(true);
    expect(() => expectInstalled()).toThrow('an install under way or interrupted');
    expect((await command.run('install')).status).toBe(0);
    expect(command.cached()).toEqual(['downloads', 'libtorch-2.13.0-cpu']);
    expect(command.downloads()).toEqual([]);
    expectInstalled();
  });

  testWhere(posix, 'a pip that is a program for sh')('while pip runs ends pip too', async () => {
    const pip = command.usePip('hangs');
    const { child, ended } = command.startIn({}, 'install');
    await until(() => pip.calls().length > 0);
    child.kill('SIGINT');
    expect((await ended).status).toBe(130);
    expect(command.cached()).toEqual([]);
  });
});

test('two installs at the same time both end well, with one result', async () => {
  await command.serve();
  const results = await Promise.all([command.run('install'), command.run('install'), command.run('install')]);
  expect(results.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
    Array.from({ length: 3 }, () => ({ status: 0, stderr: '' })),
  );
  expect(command.cached()).toEqual(['downloads', 'libtorch-2.13.0-cpu']);
  expectInstalled();
});

describe('from a file', () => {
  test('installs a wheel without asking anyone', async () => {
    const { status, stdout } = await command.run('install', '--from-file', command.file(wheelName(), wheel()));
    expect(status).toBe(0);
    expect(stdout).toContain("verified against the wheel's RECORD");
    expectInstalled();
    expect(command.cached()).toEqual(['libtorch-2.13.0-cpu']);
    expect(existsSync(join(command.directory, wheelName()))).toBe(true);
  });

  test('installs a libtorch archive', async () => {
    const { status, stdout } = await command.run(
      'install',
      '--from-file',
      command.file('libtorch.zip', libtorchArchive('2.14.0+cpu')),
      '--allow-unverified',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('! --allow-unverified: nothing proves');
    expectInstalled('2.14.0+cpu');
    expect(marker('libtorch-2.14.0-cpu')).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  test('installs the wheels of a CUDA build together', async () => {
    const version = '2.13.0+cu130';
    const cuda = { name: libraryPath('torch_cuda'), content: 'for CUDA' };
    const torch = command.file(wheelName({ version }), wheel({ version, extra: [cuda] }));
    const cublas = { name: 'nvidia/cu13/lib/libcublas.so.13', content: 'a library' };
    const library = command.file(
      'nvidia_cublas.whl',
      wheel({ name: 'nvidia-cublas', version: '13.1', extra: [cublas] }),
    );
    expect((await command.run('install', '--from-file', library, torch)).status).toBe(0);
    expectInstalled(version);
    const found = locate();
    expect(found).toMatchObject({ flavour: 'cuda', nvidia: join(command.cache, 'libtorch-2.13.0-cu130', 'nvidia') });
    expect(marker('libtorch-2.13.0-cu130')).toMatchObject({ source: torch });
  });

  test.each([
    ['that is not there', (): string => 'nowhere.whl', 'nowhere.whl does not exist', 1],
    ['that is a directory', (): string => command.directory, 'is not a file', 1],
    ['that is damaged', (): string => command.file('x.whl', wheel().subarray(0, 999)), 'download the file again', 1],
    [
      'without torch',
      (): string => command.file('x.whl', wheel({ name: 'nvidia-x', version: '1' })),
      'received none',
      2,
    ],
    [
      'of an unsupported version',
      (): string => command.file('x.whl', wheel({ version: '2.5.0+cpu' })),
      'but received 2.5.0',
      1,
    ],
  ] as const)('refuses one %s', async (_, make, message, status) => {
    const ended = await command.run('install', '--from-file', make());
    expect(ended).toMatchObject({ status, stderr: expect.stringContaining(message) });
    expect(command.cached()).toEqual([]);
  });
});

describeWhere(posix, 'a pip that is a program for sh')('through pip', () => {
  test('takes the wheel that pip brings', async () => {
    const pip = command.usePip('works');
    await command.serve();
    const { status, stdout } = await command.run('install');
    expect(status).toBe(0);
    expect(stdout).toContain(`✔ pip downloaded ${wheelName()}`);
    expectInstalled();
    expect(command.cached()).toEqual(['libtorch-2.13.0-cpu']);
    expect(command.server?.requests).toEqual([]);
    expect(pip.calls()).toHaveLength(1);
    const [call] = pip.calls();
    expect(call).toEqual(expect.arrayContaining(['download', '--no-deps', '--only-binary=:all:']));
    expect(call?.at(-1)).toBe(process.platform === 'darwin' ? 'torch==2.13.0' : 'torch==2.13.0+cpu');
    expect(call?.[call.indexOf('--extra-index-url') + 1]).toBe(`${command.server?.address}/cpu`);
    expect(marker()).toMatchObject({ source: `pip: ${wheelName()}` });
  });

  test('asks for the wheel of another Python if there is none for the one at hand', async () => {
    const pip = command.usePip('knows no such Python');
    expect((await command.run('install')).status).toBe(0);
    expect(pip.calls()).toHaveLength(2);
    expect(pip.calls()[1]).toEqual(expect.arrayContaining(['--python-version', '--platform']));
    expectInstalled();
  });

  test.each(['finds nothing', 'is missing'] as const)('goes to the index if pip %s', async (behaviour) => {
    command.usePip(behaviour);
    await command.serve();
    const { status, stdout } = await command.run('install');
    expect(status).toBe(0);
    expect(stdout).toContain('asking the wheel index');
    expectInstalled();
  });

  test('tells what pip said if the index fails as well', async () => {
    command.usePip('finds nothing');
    const { status, stderr } = await command.run('install');
    expect(status).toBe(1);
    expect(stderr).toContain('ERROR: No matching distribution found for torch');
    expect(stderr).toContain('cannot read the wheel index');
  });

  test('brings the libraries that a CUDA build requires', async () => {
    const version = '2.13.0+cu130';
    const requirement = 'nvidia-cublas==13.1; platform_system == "Linux"';
    const cuda = { name: libraryPath('torch_cuda'), content: 'for CUDA' };
    const cublas = { name: 'nvidia/cu13/lib/libcublas.so.13', content: 'a library' };
    const pip = command.usePip('works', {
      [wheelName({ version })]: wheel({ version, extra: [cuda], requirements: [requirement] }),
      'nvidia_cublas-13.1-py3-none-any.whl': wheel({ name: 'nvidia-cublas', version: '13.1', extra: [cublas] }),
    });
    const { status, stdout } = await command.run('install', '--cuda', 'cu130');
    expect(status).toBe(0);
    expect(stdout).toContain('and 1 CUDA packages');
    expect(pip.calls()[1]?.at(-1)).toBe(requirement);
    expectInstalled(version);
    expect(existsSync(join(command.cache, 'libtorch-2.13.0-cu130', cublas.name))).toBe(true);
  });
});

describe('the command line', () => {
  test.each([
    [[], 'Usage: libtorch-losses <command>'],
    [['--help'], 'Usage: libtorch-losses <command>'],
    [['install', '--help'], 'Usage: libtorch-losses install [options]'],
    [['--version'], (require('../../../package.json') as { version: string }).version],
  ])('%j prints what it should', async (args, text) => {
    expect(await command.run(...args)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining(text) });
  });

  test.each([
    [['instal'], 2, "did you mean 'install'?"],
    [['install', '--cpu'], 2, "unknown option '--cpu'"],
    [['install', 'cu130'], 2, 'received "cu130"'],
    [['install', '--version'], 2, "'--version <value>'"],
    [['install', '--version', '2.13'], 2, 'to be a full version like 2.13.0, but received "2.13"'],
    [['install', '--version', '2.9.1'], 1, 'to be one of 2.11 to 2.14, but received 2.9.1'],
    [['install', '--cuda', 'cpu'], 2, 'to be a CUDA build like cu130, but received "cpu"'],
    [['install', '--cuda', '../x'], 2, 'to be a CUDA build like cu130'],
    [['install', '--from-file', 'x', '--cuda', 'cu130'], 2, "expected '--from-file' to stand alone"],
    [['install', '--list', '--dry-run'], 2, "expected '--list' to stand alone, but received --dry-run with it"],
    [['install', '--list', '--cuda', 'cu130'], 2, "expected '--list' to stand alone, but received --cuda with it"],
    [['install', '--remove', 'all', '--list'], 2, "expected '--list' to stand alone, but received --remove with it"],
    [['install', '--remove', 'cpu', '--version', '2.13.0'], 2, "expected '--remove' to stand alone"],
    [['install', '--remove', 'cpu', '--from-file', 'x'], 2, 'but received --from-file with it'],
    [['install', '--remove', 'cpu', 'cu130'], 2, 'received "cu130"'],
    [['install', '--remove', '../x'], 2, "expected '--remove' to be a version like 2.13.0, a build like cpu"],
    [['install', '--remove'], 2, "'--remove <value>'"],
  ])('%j is refused', async (args, status, text) => {
    const ended = await command.run(...args);
    expect(ended).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(text) });
    expect(ended.stderr).not.toContain('    at ');
    expect(command.cached()).toEqual([]);
  });
});
