/** The wheel index and the choice of a wheel; no network. */
import { resolve } from 'node:path';
import { installPath } from '../../../../lib/binding/cache';
import type { Host } from '../../../../lib/binding/host';
import { parseVersion } from '../../../../lib/binding/libtorch-versions';
import { linksOf } from '../../../../lib/cli/install/links';
import { cudaRequirements } from '../../../../lib/cli/install/pip';
import { parseRecord } from '../../../../lib/cli/install/record';
import { chooseWheel, indexFor, parseIndex } from '../../../../lib/cli/install/wheel-index';
import { runsHere, type WheelPlatform, wheelPlatform } from '../../../../lib/cli/shared/platform';
import { TorchError } from '../../../../lib/errors';

const page = 'https://index.test/whl/cpu/torch/';
const sha256 = 'a1'.repeat(32);

function platform(os: NodeJS.Platform, arch: string, glibc?: string): WheelPlatform {
  const found = wheelPlatform({ platform: os, arch, home: '/' } satisfies Host, glibc);
  if (found === undefined) throw new Error(`no wheels for ${os} ${arch}`);
  return found;
}

const linux = platform('linux', 'x64', '2.36');

function index(...names: string[]): string {
  return names.map((name) => `<a href="${encodeURIComponent(name)}">${name}</a>`).join('\n');
}

describe('parseIndex', () => {
  test('reads links as PyTorch writes them', () => {
    const name = 'torch-2.13.0%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl';
    const html = `<!DOCTYPE html><a href="/whl/cpu/${name}#sha256=${sha256}" data-core-metadata="x">torch</a><br/>`;
    expect(parseIndex(html, page)).toEqual([
      {
        name: 'torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl',
        url: `https://index.test/whl/cpu/${name}`,
        digest: { algorithm: 'sha256', hex: sha256 },
        version: { public: '2.13.0', local: 'cpu' },
        python: 'cp312',
        abi: 'cp312',
        platform: 'manylinux_2_28_x86_64',
      },
    ]);
  });

  test.each([
    ['another host', 'href="https://files.test/torch-2.13.0-cp312-none-macosx_11_0_arm64.whl"', 'https://files.test/'],
    ['a relative address', "href='../torch-2.13.0-cp312-none-macosx_11_0_arm64.whl'", 'https://index.test/whl/cpu/'],
    ['an escaped query', 'href="/f?a=1&amp;b=2/torch-1-cp312-cp312-any.whl"', undefined],
    ['no wheel', 'href="torch-2.13.0.tar.gz"', undefined],
    ['no address', 'href="http://[/torch-2.13.0-cp312-none-any.whl"', undefined],
    ['a name with a path in it', 'href="..%2Ftorch-2.13.0-cp312-none-any.whl"', undefined],
  ])('copes with %s', (_, link, start) => {
    const wheels = parseIndex(`<a ${link}>x</a>`, page);
    expect(wheels.map(({ url }) => url.slice(0, url.lastIndexOf('/') + 1))).toEqual(start === undefined ? [] : [start]);
  });

  test.each(['md5=00', `sha256=${sha256.slice(2)}`, `sha256=${sha256}00`, `sha1=${sha256}`, `xsha256=${sha256}`])(
    'takes #%s for no hash',
    (fragment) => {
      const [wheel] = parseIndex(`<a href="torch-2.13.0-cp312-none-any.whl#${fragment}">x</a>`, page);
      expect(wheel?.name).toBeDefined();
      expect(wheel).not.toHaveProperty('digest');
    },
  );

  test.each([
    ['sha384', 'ab'.repeat(48)],
    ['sha512', 'CD'.repeat(64)],
  ])('reads a %s', (algorithm, hex) => {
    const [wheel] = parseIndex(`<a href="torch-2.13.0-cp312-none-any.whl#x=1&${algorithm}=${hex}">x</a>`, page);
    expect(wheel?.digest).toEqual({ algorithm, hex: hex.toLowerCase() });
  });

  test.each([
    ['from https to http', 'http://files.test/torch-2.13.0-cp312-none-any.whl'],
    ['to another protocol', 'ftp://files.test/torch-2.13.0-cp312-none-any.whl'],
    ['to another project', 'torchevil-2.13.0-cp312-none-any.whl'],
    ['to a version that is none', 'torch-2.13.0+..-cp312-none-any.whl'],
    ['of an endless name', `torch-2.13.0-cp312-none-${'x'.repeat(300)}.whl`],
  ])('follows no link %s', (_, href) => {
    expect(parseIndex(`<a href="${href}">x</a>`, page)).toEqual([]);
  });
});

test.each([
  ['<a href="x">', ['x']],
  ["<A\n HREF = 'x' >", ['x']],
  ['<a href=x>y</a><a href=z/>', ['x', 'z/']],
  ['<a class="q" href="x" href="y" title="<a href=\'z\'>">', ['x']],
  ['<a disabled href="x"/>', ['x']],
  ['<!-- <a href="x"> --><a href="y">', ['y']],
  ['<abbr href="x"><area href="x"><b href="x">', []],
  ['< a href="x">', []],
  ['<a href>', ['']],
  ['<a href="x', ['']],
  ['<a =x href="y">', ['y']],
  ['<a', []],
  ['', []],
])('the links of %s', (html, links) => {
  expect([...linksOf(html)]).toEqual(links);
});

test.each([
  ['2.13.0', '2.13.0', undefined],
  ['2.13.0+cpu', '2.13.0', 'cpu'],
  [' v2.13.0+CU130 \n', '2.13.0', 'cu130'],
  ['2.14.0.dev20260101+cu130', '2.14.0.dev20260101', 'cu130'],
  ['2.11.0a0+eb65b36914.nv26.02', '2.11.0a0', 'eb65b36914.nv26.02'],
  ['2.13.0-rc1', '2.13.0rc1', undefined],
  ['2.13.0.post1.dev2', '2.13.0.post1.dev2', undefined],
  ['2.13-1+a-b_c', '2.13.post1', 'a.b.c'],
  ['002.013.0alpha', '2.13.0a0', undefined],
])('the version %j', (text, release, local) => {
  expect(parseVersion(text)).toEqual({ public: release, local });
});

test.each([
  '',
  '2.13.0+',
  '2.13.0+a..b',
  '2.13.0+../x',
  '2.13.0+cpu/..',
  '../2.13.0',
  '2.13.0\n2.14.0',
  '2.13.0\0',
  '1!2.13.0',
  '2.13.0 cpu',
  '2.13.x',
  `2.${'1'.repeat(200)}`,
  '２.13.0',
])('%j is not a version', (text) => {
  expect(parseVersion(text)).toBeUndefined();
});

test.each([
  ['2.13.0', 'cpu', '/cache/libtorch-2.13.0-cpu'],
  ['2.13.0', '../../x', undefined],
  ['2.13.0/..', 'cpu', undefined],
  ['..', '..', undefined],
  ['2.13.0', '', undefined],
])('the place of %j and %j', (version, flavour, path) => {
  expect(installPath('/cache', version, flavour)).toBe(path && resolve(path));
});

describe('chooseWheel', () => {
  const html = index(
    'torch-2.12.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl',
    'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl',
    'torch-2.13.0+cpu-cp314-cp314t-manylinux_2_28_x86_64.whl',
    'torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl',
    'torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_aarch64.whl',
    'torch-2.13.0+cpu-cp312-cp312-win_amd64.whl',
    'torch-2.13.0-cp312-none-macosx_14_0_arm64.whl',
    'torch-2.13.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl',
    'torch-2.14.0+cpu-cp312-cp312-manylinux_2_99_x86_64.whl',
  );
  const choose = (where: WheelPlatform, version = '2.13.0', flavour = 'cpu'): string =>
    chooseWheel(parseIndex(html, page), { version, flavour, platform: where }, page).name;

  test.each([
    [
      'linux x64, the newest Python with a lock',
      linux,
      'cpu',
      'torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl',
    ],
    [
      'linux arm64',
      platform('linux', 'arm64', '2.36'),
      'cpu',
      'torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_aarch64.whl',
    ],
    ['macOS', platform('darwin', 'arm64'), 'cpu', 'torch-2.13.0-cp312-none-macosx_14_0_arm64.whl'],
    ['Windows', platform('win32', 'x64'), 'cpu', 'torch-2.13.0+cpu-cp312-cp312-win_amd64.whl'],
    ['CUDA', linux, 'cu130', 'torch-2.13.0+cu130-cp312-cp312-manylinux_2_28_x86_64.whl'],
  ] as const)('takes the wheel for %s', (_, where, flavour, name) => {
    expect(choose(where, '2.13.0', flavour)).toBe(name);
  });

  test('names the versions that are there if the one asked for is not', () => {
    const refused = (): string => choose(linux, '2.11.0');
    expect(refused).toThrow(TorchError);
    expect(refused).toThrow(`install: ${page} has no wheel of torch 2.11.0 (cpu) for linux x64; it has 2.12.0, 2.13.0`);
  });

  test('takes no wheel that needs a newer C library', () => {
    expect(() => choose(linux, '2.14.0')).toThrow('it has 2.12.0, 2.13.0');
  });

  test('says so if there is none for this machine', () => {
    expect(() => choose(platform('win32', 'arm64'))).toThrow('it has none for this machine');
  });
});

describe('platforms', () => {
  test.each([
    ['darwin', 'x64', undefined],
    ['linux', 'riscv64', '2.36'],
    ['linux', 'x64', 'musl'],
    ['freebsd', 'x64', undefined],
  ] as const)('%s %s (%s) has no wheels', (os, arch, glibc) => {
    expect(wheelPlatform({ platform: os, arch, home: '/' }, glibc)).toBeUndefined();
  });

  test.each([
    ['manylinux_2_28_x86_64', '2.28', true],
    ['manylinux_2_28_x86_64', '2.27', false],
    ['manylinux_2_28_x86_64', '3.0', true],
    ['manylinux2014_x86_64.manylinux_2_17_x86_64', '2.27', true],
    ['linux_x86_64', '2.27', true],
    ['manylinux_2_28_aarch64', '2.36', false],
  ])('%s runs with glibc %s: %p', (tag, glibc, fits) => {
    expect(runsHere(tag, platform('linux', 'x64', glibc))).toBe(fits);
  });
});

test('the index is the official one, or its mirror', () => {
  expect(indexFor('cu130', {})).toBe('https://download.pytorch.org/whl/cu130');
  expect(indexFor('cpu', { LIBTORCH_LOSSES_WHEEL_INDEX: 'https://mirror.test/whl/' })).toBe(
    'https://mirror.test/whl/cpu',
  );
});

test('RECORD is read with quoted names and lines without a hash', () => {
  const record = parseRecord('a/b.so,sha256=Ab_-9,12\r\n"a, ""b"".h",sha256=x,3\nx.dist-info/RECORD,,\n');
  expect([...record]).toEqual([
    ['a/b.so', { sha256: 'Ab_-9', size: 12 }],
    ['a, "b".h', { sha256: 'x', size: 3 }],
    ['x.dist-info/RECORD', { sha256: undefined, size: undefined }],
  ]);
});

test('of what a CUDA wheel requires, the CUDA libraries are installed', () => {
  const libraries = [
    'cuda-toolkit[cublas,cudart]==13.0.2; platform_system == "Linux"',
    'nvidia-cudnn-cu13==9.19.0.56; platform_system == "Linux"',
  ];
  const others = [
    'nvidia-x @ https://evil.test/x.tar.gz',
    'sympy>=1.13.3',
    'cuda-bindings<14; platform_system == "Linux"',
    'nvidia-x; extra == "y"',
  ];
  expect(cudaRequirements([...others, ...libraries])).toEqual(libraries);
});
