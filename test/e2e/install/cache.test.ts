/** What `libtorch-losses install` tells of its cache and of its plans, and how it takes installs out again. */
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultVersion } from '../../../lib/binding/libtorch-versions';
import { createOwned } from '../../../lib/cli/install/ownership';
import { InstallCommand } from '../../support/install-command';
import { sha256Fragment } from '../../support/wheel-server';
import { libraryPath, wheel, wheelName } from '../../support/wheels';
import { testWhere } from '../../support/where';

const posix = process.platform !== 'win32';

jest.setTimeout(30_000);

const command = new InstallCommand();

/** Installs a small libtorch. */
async function installed(version: string, changes: Parameters<typeof wheel>[0] = {}): Promise<string> {
  const name = wheelName({ version });
  expect(await command.run('install', '--from-file', command.file(name, wheel({ version, ...changes })))).toMatchObject(
    { status: 0 },
  );
  return join(command.cache, `libtorch-${version.replace('+', '-')}`);
}

const cudaBuild = { extra: [{ name: libraryPath('torch_cuda'), content: 'for CUDA' }] };

describe('--list', () => {
  test('of an empty cache says that nothing is there, and makes none', async () => {
    const { status, stdout } = await command.run('install', '--list');
    expect(status).toBe(0);
    expect(stdout).toContain(`no libtorch is installed in ${command.cache}\n`);
    expect(existsSync(command.cache)).toBe(false);
  });

  test('tells version, build, size and path, what is damaged, and which one is used', async () => {
    const cpu = await installed('2.12.1+cpu');
    const cuda = await installed('2.13.0+cu130', cudaBuild);
    const damaged = await installed('2.13.0+cpu');
    rmSync(join(damaged, libraryPath('c10')));
    // An active environment, or what LIBTORCH names, would come before the cache.
    const { status, stdout } = await command.startIn(
      { LIBTORCH: '', VIRTUAL_ENV: '', CONDA_PREFIX: '' },
      'install',
      '--list',
    ).ended;
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '   version  build  size     path',
      `✔  2.13.0   cu130  3.15 MB  ${cuda}`,
      `   2.12.1   cpu    3.15 MB  ${cpu}`,
      `✘ ${damaged}: damaged: ${libraryPath('c10')} is missing`,
      `in use: ${join(cuda, 'torch')} (found in the cache)`,
      '',
    ]);
  });

  test('names the one that is used instead', async () => {
    const [, other] = [await installed('2.13.0+cpu'), join(command.directory, 'other')];
    mkdirSync(join(other, 'lib'), { recursive: true });
    for (const name of ['torch_cpu', 'c10']) writeFileSync(join(other, libraryPath(name).replace('torch/', '')), '');
    writeFileSync(join(other, 'build-version'), '2.14.0');
    const { stdout } = await command.startIn({ LIBTORCH: other }, 'install', '--list').ended;
    expect(stdout).not.toContain('✔');
    expect(stdout).toContain(`in use: ${other} (found by LIBTORCH)`);
    const nowhere = await command.startIn({ LIBTORCH: join(command.directory, 'nowhere') }, 'install', '--list').ended;
    expect(nowhere).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('none is in use: libtorch: expected LIBTORCH'),
    });
  });
});

describe('--remove', () => {
  const three = async (): Promise<void> => {
    for (const version of ['2.12.1+cpu', '2.13.0+cpu']) await installed(version);
    await installed('2.13.0+cu130', cudaBuild);
  };

  test.each([
    ['2.13.0', ['libtorch-2.12.1-cpu']],
    ['cpu', ['libtorch-2.13.0-cu130']],
    ['2.13.0+cpu', ['libtorch-2.12.1-cpu', 'libtorch-2.13.0-cu130']],
    ['libtorch-2.13.0-cu130', ['libtorch-2.12.1-cpu', 'libtorch-2.13.0-cpu']],
    ['all', []],
  ])('%s', async (which, left) => {
    await three();
    const before = command.cached();
    const plan = await command.run('install', '--remove', which, '--dry-run');
    expect(plan).toMatchObject({ status: 0, stderr: '' });
    expect(plan.stdout.match(/^would remove \S+ \(3\.15 MB\)$/gm)).toHaveLength(3 - left.length);
    expect(command.cached()).toEqual(before);
    const { status, stdout } = await command.run('install', '--remove', which);
    expect(status).toBe(0);
    expect(stdout.match(/^✔ removed \S+ \(3\.15 MB\)$/gm)).toHaveLength(3 - left.length);
    expect(command.cached()).toEqual(left);
  });

  test('several at once, damaged ones too', async () => {
    await three();
    rmSync(join(command.cache, 'libtorch-2.12.1-cpu', 'install.json'));
    expect((await command.run('install', '--remove', '2.12.1', '--remove', 'cu130')).status).toBe(0);
    expect(command.cached()).toEqual(['libtorch-2.13.0-cpu']);
  });

  test('all takes away what interrupted installs left, and nothing else', async () => {
    await installed('2.13.0+cpu');
    await createOwned(join(command.cache, 'downloads'));
    writeFileSync(join(command.cache, 'downloads', 'torch.whl.part'), 'half');
    mkdirSync(join(command.cache, 'somebody-elses'));
    expect((await command.run('install', '--remove', 'all')).status).toBe(0);
    expect(command.cached()).toEqual(['downloads', 'somebody-elses']);
    expect(command.downloads()).toEqual([]);
    const again = await command.run('install', '--remove', 'all');
    expect(again).toMatchObject({ status: 0, stdout: `no libtorch is installed in ${command.cache}\n` });
  });

  test('what is not installed is an error, and nothing is removed', async () => {
    await installed('2.13.0+cpu');
    const { status, stderr } = await command.run('install', '--remove', '2.13.0', '--remove', '2.12.0');
    expect(status).toBe(1);
    expect(stderr).toBe(`install: no 2.12.0 is installed in ${command.cache}: there is libtorch-2.13.0-cpu\n`);
    expect(command.cached()).toEqual(['libtorch-2.13.0-cpu']);
  });
});

describe('--dry-run', () => {
  afterEach(() => {
    expect(command.cached()).toEqual([]);
    expect(existsSync(command.cache)).toBe(false);
  });

  test('names the wheel of the index, its address and the place', async () => {
    const { address, requests } = await command.serve();
    const { status, stdout, stderr } = await command.run('install', '--dry-run');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      `libtorch ${defaultVersion} (cpu) for ${process.platform} ${process.arch}`,
      '  no Python with pip on PATH; asking the wheel index',
      `would download ${wheelName()}, SHA-256 ${sha256Fragment(wheel()).replace('sha256=', '')}`,
      `  from ${address}/files/${encodeURIComponent(wheelName())}`,
      `would install it in ${join(command.cache, 'libtorch-2.13.0-cpu')}`,
      'nothing was changed',
      '',
    ]);
    expect(requests).toEqual(['GET /cpu/torch/']);
  });

  testWhere(posix, 'a pip that is a program for sh')(
    'says what pip would be asked for, and asks it for nothing',
    async () => {
      const pip = command.usePip('works');
      const { status, stdout } = await command.run('install', '--dry-run', '--version', '2.14.1', '--cuda', 'cu130');
      expect(status).toBe(0);
      const local = process.platform === 'darwin' ? '' : '+cu130';
      expect(stdout).toContain(
        `would download torch==2.14.1${local} and the CUDA libraries that it requires by python3 -m pip\n`,
      );
      expect(stdout).toContain('and http://127.0.0.1:9/cu130\n');
      expect(stdout).toContain(`would install it in ${join(command.cache, 'libtorch-2.14.1-cu130')}\n`);
      expect(pip.calls()).toEqual([]);
    },
  );

  test('looks into files', async () => {
    const path = command.file(wheelName(), wheel());
    const { status, stdout } = await command.run('install', '--dry-run', '--from-file', path);
    expect(status).toBe(0);
    expect(stdout).toContain(`would unpack 9 files (3.1 MB) of ${path}, a torch wheel\n`);
    expect(stdout).toContain(`would install it in ${join(command.cache, 'libtorch-2.13.0-cpu')}\n`);
  });

  test.each([
    ['an index that cannot be reached', [], 'LIBTORCH_LOSSES_WHEEL_INDEX='],
    ['a file that does not exist', ['--from-file', 'nowhere.whl'], 'nowhere.whl does not exist'],
  ])('fails as the install would: %s', async (_, args, message) => {
    const { status, stderr } = await command.run('install', '--dry-run', ...args);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(message) });
  });
});

test('--dry-run of what is installed says that it is', async () => {
  const there = await installed('2.13.0+cpu');
  const { status, stdout } = await command.run('install', '--dry-run');
  expect({ status, stdout }).toEqual({ status: 0, stdout: `libtorch 2.13.0 (cpu) is already installed in ${there}\n` });
});

describe("what is somebody else's", () => {
  test.each([
    ['where the install would go', ['cache', 'libtorch-2.13.0-cpu']],
    ['that looks like an interrupted install', ['cache', 'libtorch-2.13.partial-backup']],
    ['named downloads', ['cache', 'downloads']],
    ['that looks like an install', ['cache', 'libtorch-2.12.0-cpu']],
  ])('is left alone: a folder %s', async (_, path) => {
    const file = command.precious(...path);
    writeFileSync(join(dirname(file), 'torch-2.0.0.whl'), 'kept for a reason');
    const old = Date.now() / 1000 - 30 * 24 * 60 * 60;
    utimesSync(join(dirname(file), 'torch-2.0.0.whl'), old, old);
    utimesSync(dirname(file), old, old);
    await command.serve();
    const { stdout, stderr } = await command.run('install');
    expect(stdout + stderr).toMatch(/installed in|was not made by this command/);
    await command.run('install', '--from-file', command.file(wheelName(), wheel()));
    await command.run('install', '--remove', 'all');
    expect(readdirSync(dirname(file)).sort()).toEqual(['thesis.txt', 'torch-2.0.0.whl']);
  });

  test('is not removed by name', async () => {
    const file = command.precious('cache', 'libtorch-2.12.0-cpu');
    const { status, stdout } = await command.run('install', '--remove', '2.12.0');
    expect(status).toBe(1);
    expect(stdout).toContain('was not made by this command');
    expect(existsSync(file)).toBe(true);
  });

  testWhere(posix, 'links need a privilege on Windows')('is not reached through links in the cache', async () => {
    const file = command.precious('home');
    mkdirSync(command.cache);
    for (const name of ['libtorch-2.13.0-cpu', 'downloads', 'libtorch-x.partial-backup']) {
      symlinkSync(dirname(file), join(command.cache, name));
    }
    await command.serve();
    expect((await command.run('install')).stderr).toContain('was not made by this command');
    await command.run('install', '--remove', 'all');
    expect(readdirSync(dirname(file))).toEqual(['thesis.txt']);
    expect(command.cached()).toHaveLength(3);
  });

  testWhere(posix, 'links need a privilege on Windows')('may be the folder that the cache is a link to', async () => {
    const file = command.precious('home');
    symlinkSync(dirname(file), command.cache);
    await command.serve();
    expect((await command.run('install')).status).toBe(0);
    expect((await command.run('install', '--remove', 'all')).status).toBe(0);
    expect(command.cached()).toEqual(['downloads', 'thesis.txt']);
  });

  test('a marker that tells of files elsewhere counts as none', async () => {
    mkdirSync(join(command.cache, 'libtorch-2.13.0-cpu'), { recursive: true });
    const marker = { version: '2.13.0', flavour: 'cpu', libraries: { '../../\u001b[2J\n✔ all is well': 1 } };
    writeFileSync(join(command.cache, 'libtorch-2.13.0-cpu', 'install.json'), JSON.stringify(marker));
    const { stdout } = await command.run('install', '--list');
    expect(stdout).toContain('its install.json cannot be read');
    expect(stdout).not.toContain('all is well');
  });
});
