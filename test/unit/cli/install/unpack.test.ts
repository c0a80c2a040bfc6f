/** What is taken from a wheel, what is refused, and how an install gets its final name. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheContents, type InstallMarker } from '../../../../lib/binding/cache';
import { thisHost } from '../../../../lib/binding/host';
import { createOwned, ownershipMark } from '../../../../lib/cli/install/ownership';
import { openStaging, publish, sweep } from '../../../../lib/cli/install/staging';
import { openPackage, type Unpacked, unpackPackages } from '../../../../lib/cli/install/wheel';
import { reportTo } from '../../../../lib/cli/shared/report';
import { TorchError } from '../../../../lib/errors';
import { processTag } from '../../../../lib/output/process-tag';
import { deadProcessTag } from '../../../support/processes';
import {
  bigLibrary,
  coreLibrary,
  libraryPath,
  libtorchArchive,
  thisPlatform,
  type WheelChanges,
  wheel,
  wheelName,
} from '../../../support/wheels';
import { testWhere } from '../../../support/where';
import { type ZipFile, zip } from '../../../support/zip';

const host = thisHost();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unpack-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function unpack(...archives: Buffer[]): Promise<Unpacked> {
  const packages = [];
  for (const [i, bytes] of archives.entries()) {
    const path = join(directory, `${i}.whl`);
    writeFileSync(path, bytes);
    packages.push(await openPackage(path, host));
  }
  mkdirSync(join(directory, 'install'), { recursive: true });
  const report = reportTo({ write: () => true } as unknown as NodeJS.WritableStream);
  try {
    return await unpackPackages(packages, join(directory, 'install'), { report, signal: new AbortController().signal });
  } finally {
    for (const { archive } of packages) archive.zip.close();
  }
}

function unpacked(): string[] {
  const entries = readdirSync(join(directory, 'install'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => file.slice(join(directory, 'install').length + 1).replaceAll('\\', '/')).sort();
}

test('of a torch wheel: libraries, headers, version and licences', async () => {
  const { files, libraries, bytes } = await unpack(wheel());
  const info = 'torch-2.13.0+cpu.dist-info';
  expect(unpacked()).toEqual(
    [
      `${info}/METADATA`,
      `${info}/RECORD`,
      `${info}/WHEEL`,
      `${info}/licenses/LICENSE`,
      'torch/include/ATen/ATen.h',
      'torch/include/a, b.h',
      libraryPath('c10'),
      libraryPath('torch_cpu'),
      'torch/version.py',
    ].sort(),
  );
  expect(files).toBe(9);
  expect(bytes).toBeGreaterThan(bigLibrary.length);
  expect(libraries).toEqual({
    [libraryPath('c10')]: coreLibrary.length,
    [libraryPath('torch_cpu')]: bigLibrary.length,
  });
  const library = join(directory, 'install', libraryPath('torch_cpu'));
  expect(readFileSync(library).equals(bigLibrary)).toBe(true);
  if (process.platform !== 'win32') expect(statSync(library).mode & 0o777).toBe(0o755);
});

test('of a package of CUDA libraries: libraries and licences, beside torch/', async () => {
  const extra = [
    { name: 'nvidia/cu13/lib/libcublas.so.13', content: 'a library' },
    { name: 'nvidia/cu13/lib/__init__.py', content: '' },
    { name: 'nvidia/cu13/include/cublas.h', content: 'a header' },
  ];
  const { libraries } = await unpack(wheel(), wheel({ name: 'nvidia-cublas', version: '13.1.0', extra }));
  expect(unpacked().filter((file) => file.startsWith('nvidia'))).toEqual([
    'nvidia/cu13/lib/libcublas.so.13',
    'nvidia_cublas-13.1.0.dist-info/METADATA',
    'nvidia_cublas-13.1.0.dist-info/RECORD',
    'nvidia_cublas-13.1.0.dist-info/WHEEL',
    'nvidia_cublas-13.1.0.dist-info/licenses/LICENSE',
  ]);
  expect(libraries).toHaveProperty(['nvidia/cu13/lib/libcublas.so.13'], 9);
});

test('of any other package that comes along: nothing', async () => {
  await unpack(wheel({ name: 'sympy', version: '1.14.0', extra: [{ name: 'sympy/core.py', content: '' }] }));
  expect(unpacked()).toEqual([]);
});

test('of a libtorch archive: all of it, as torch/', async () => {
  await unpack(libtorchArchive());
  expect(unpacked()).toEqual(
    ['torch/build-version', 'torch/include/ATen/ATen.h', libraryPath('c10'), libraryPath('torch_cpu')].sort(),
  );
});

/** The files of a wheel with one of them changed. */
const change =
  (name: string, content: string): NonNullable<WheelChanges['tamper']> =>
  (files) =>
    files.map((file) => (file.name === name ? { ...file, content } : file));

const add =
  (file: ZipFile): NonNullable<WheelChanges['tamper']> =>
  (files) => [...files, file];

test.each([
  ['a changed small file', change('torch/include/ATen/ATen.h', '#pragma twice\n'), 'differs from what is listed in'],
  ['a changed library', change(libraryPath('torch_cpu'), 'short'), 'differs from what is listed in the wheel'],
  ['a file more', add({ name: 'torch/lib/libevil.so', content: '' }), 'is not listed in the wheel'],
  ['a file less', (files: ZipFile[]) => files.filter(({ name }) => !name.endsWith('ATen.h')), 'which its RECORD lists'],
  ['no METADATA', (files: ZipFile[]) => files.filter(({ name }) => !name.endsWith('METADATA')), 'METADATA'],
  ['a file above its directory', add({ name: 'torch/lib/../../../evil', content: '' }), 'invalid relative path'],
  ['an absolute name', add({ name: '/tmp/evil', content: '' }), 'absolute path'],
  ['a Windows drive', add({ name: 'C:/evil', content: '' }), 'absolute path'],
  ['a link', add({ name: 'torch/lib/x', content: '/etc/passwd', mode: 0o120777 }), 'torch/lib/x is a link'],
  ['a file twice', add({ name: 'torch/version.py', content: 'x' }), 'torch/version.py appears twice'],
  ['a wrong checksum', add({ name: 'torch/lib/x', content: 'x', crc32: 1 }), 'does not match its checksum'],
] as const)('refuses a wheel with %s', async (_, tamper, message) => {
  const failing = unpack(wheel({ tamper }));
  await expect(failing).rejects.toThrow(TorchError);
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toMatchObject({ code: 'INSTALL_FAILED' });
  expect(readdirSync(tmpdir())).not.toContain('evil');
});

test.each([
  ['a truncated wheel', wheel().subarray(0, 2000), 'is not a usable archive'],
  ['a wheel cut in the middle', Buffer.concat([wheel().subarray(0, 900), wheel().subarray(1200)]), ''],
  ['something else', Buffer.from('<html>404</html>'), 'is not a usable archive'],
  ['an empty file', Buffer.alloc(0), 'is not a usable archive'],
  ['another zip', zip([{ name: 'README', content: 'x' }]), 'is neither a PyTorch wheel nor a libtorch archive'],
] as const)('refuses %s', async (_, bytes, message) => {
  const failing = unpack(bytes);
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toMatchObject({ code: 'INSTALL_FAILED' });
});

test("refuses another processor's wheel and another system's", async () => {
  const other = thisPlatform.includes('x86_64') ? 'manylinux_2_28_aarch64' : 'manylinux_2_28_x86_64';
  await expect(unpack(wheel({ platform: other }))).rejects.toThrow(
    `is for ${other}, but this machine is ${process.platform}`,
  );
  const path = join(directory, wheelName());
  writeFileSync(path, wheel());
  const elsewhere = { ...host, platform: host.platform === 'darwin' ? ('linux' as const) : ('darwin' as const) };
  await expect(openPackage(path, elsewhere)).rejects.toThrow(`but this machine is ${elsewhere.platform}`);
});

describe('the final name', () => {
  const marker: InstallMarker = {
    version: '2.13.0',
    flavour: 'cpu',
    source: 'a test',
    sha256: '00',
    files: 1,
    libraries: { 'torch/lib/x.so': 1 },
  };
  const final = (): string => join(directory, 'libtorch-2.13.0-cpu');

  async function staged(content: string): Promise<string> {
    const staging = await openStaging(directory, 'install');
    mkdirSync(join(staging, 'torch/lib'), { recursive: true });
    writeFileSync(join(staging, 'torch/lib/x.so'), content);
    return staging;
  }

  test('is given to a whole install', async () => {
    expect(await publish(await staged('1'), marker)).toBe(final());
    expect(readdirSync(directory)).toEqual(['libtorch-2.13.0-cpu']);
    expect(cacheContents(directory)).toEqual({ installs: [{ path: final(), marker }], rejected: [] });
  });

  test('stays with the install that was first', async () => {
    await publish(await staged('1'), marker);
    expect(await publish(await staged('2'), { ...marker, source: 'another' })).toBe(final());
    expect(readFileSync(join(final(), 'torch/lib/x.so'), 'utf8')).toBe('1');
    expect(readdirSync(directory)).toEqual(['libtorch-2.13.0-cpu']);
  });

  test.each([
    ['2.13.0', '../../x'],
    ['../2.13.0', 'cpu'],
  ])('is never that of %s and %s', async (version, flavour) => {
    await expect(publish(await staged('1'), { ...marker, version, flavour })).rejects.toThrow(
      'is not a version of libtorch',
    );
  });

  test('is not taken from what is not an install', async () => {
    const staging = await staged('1');
    writeFileSync(final(), '');
    await expect(publish(staging, marker)).rejects.toThrow(`${final()} was not made by this command`);
  });

  test('that the system does not give is an error of one line', async () => {
    const refusal = Object.assign(new Error('EXDEV: cross-device link not permitted'), {
      code: 'EXDEV',
      syscall: 'rename',
    });
    const rename = jest.spyOn(promises, 'rename').mockRejectedValue(refusal);
    const publishing = publish(await staged('1'), marker);
    await expect(publishing).rejects.toMatchObject({
      code: 'INSTALL_FAILED',
      message: expect.stringContaining(final()),
    });
    rename.mockRestore();
  });

  test('is taken from a damaged install', async () => {
    await publish(await staged('1'), marker);
    writeFileSync(join(final(), 'torch/lib/x.so'), '');
    await publish(await staged('2'), marker);
    expect(readFileSync(join(final(), 'torch/lib/x.so'), 'utf8')).toBe('2');
    expect(readdirSync(directory)).toEqual(['libtorch-2.13.0-cpu']);
  });
});

describe('what interrupted installs left', () => {
  const aged = (path: string, days: number): void => {
    const time = Date.now() / 1000 - days * 24 * 60 * 60;
    utimesSync(path, time, time);
  };

  /** What an install leaves. */
  const left = async (name: string): Promise<void> => {
    await createOwned(join(directory, name));
    mkdirSync(join(directory, name, 'torch'));
  };

  test('is removed if its process has ended', async () => {
    for (const owner of [deadProcessTag(), processTag()]) await left(`libtorch-install.partial-${owner}`);
    await sweep(directory);
    expect(readdirSync(directory)).toEqual([`libtorch-install.partial-${processTag()}`]);
  });

  testWhere(existsSync('/proc/self/stat'), 'only /proc tells when a process started')(
    'is removed if another process has its number by now',
    async () => {
      await left(`libtorch-install.partial-${processTag().replace(/\d+$/, (start) => String(Number(start) - 1))}`);
      await sweep(directory);
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  test('of another machine is removed after a day', async () => {
    for (const name of ['old', 'new']) await left(`libtorch-pip.partial-${name}.example-1-1`);
    aged(join(directory, 'libtorch-pip.partial-old.example-1-1'), 2);
    await sweep(directory);
    expect(readdirSync(directory)).toEqual(['libtorch-pip.partial-new.example-1-1']);
  });

  test('of a download is removed after a week', async () => {
    await createOwned(join(directory, 'downloads'));
    const names = ['torch-1.whl.part', 'torch-2.whl.part', 'somebody-elses'];
    for (const name of names) writeFileSync(join(directory, 'downloads', name), '');
    for (const name of ['torch-1.whl.part', 'somebody-elses']) aged(join(directory, 'downloads', name), 8);
    await sweep(directory);
    expect(readdirSync(join(directory, 'downloads'))).toEqual([ownershipMark, 'somebody-elses', 'torch-2.whl.part']);
  });

  test('is nothing where there is no cache yet', async () => {
    await sweep(join(directory, 'nowhere'));
    expect(existsSync(join(directory, 'nowhere'))).toBe(false);
  });
});
