/** `libtorch-losses install` against indexes, wheels and caches that mean ill, or that are somebody else's. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Ended, InstallCommand } from '../../support/install-command';
import { sha256Fragment } from '../../support/wheel-server';
import { library, libraryPath, libtorchArchive, wheel, wheelName } from '../../support/wheels';
import { describeWhere, testWhere } from '../../support/where';
import { zip } from '../../support/zip';

jest.setTimeout(30_000);

const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';
const command = new InstallCommand();

/** A failure that a person can read, after which nothing is installed. */
function expectRefused({ status, stderr }: Ended, message: string): void {
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(message) });
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(command.cached().filter((name) => name !== 'downloads')).toEqual([]);
}

function expectInstalled({ status, stderr }: Ended): void {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(command.cached()).toContain('libtorch-2.13.0-cpu');
}

describe('an index page', () => {
  const page = (send: (response: ServerResponse) => void): Promise<unknown> =>
    command.serve({
      page: (response) => {
        response.setHeader('content-type', 'text/html');
        send(response);
      },
    });

  test('that never ends is dropped', async () => {
    await page((response) => {
      const chunk = Buffer.alloc(1 << 20, '<p>more</p> ');
      const more = (): void => void (response.destroyed || response.write(chunk, () => setImmediate(more)));
      more();
    });
    expectRefused(await command.run('install'), 'the page has more than 16.0 MB');
  });

  test('that unpacks to more than it may have is dropped', async () => {
    const { gzipSync } = await import('node:zlib');
    await page((response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(64 << 20, ' '))));
    expectRefused(await command.run('install'), 'the page has more than 16.0 MB');
  });

  test.each([
    ['tags without an end', '<a ', ''],
    ['attributes without a value', 'href= ', '<a '],
    ['quotes', `"'`, '<a href='],
    ['white space', ' ', '<a href'],
    ['comments without an end', '<!--', ''],
    ['the beginnings of names', 'torch-', '<a href="'],
  ])('of nothing but %s is read at once', async (_, text, before) => {
    await page((response) => response.end(before + text.repeat(3e6 / text.length)));
    expectRefused(await command.run('install'), 'it has none for this machine');
  });

  test('that redirects without end is given up', async () => {
    await page((response) => response.writeHead(302, { location: '/cpu/torch/' }).end());
    expectRefused(await command.run('install'), 'more than 5 redirects');
    expect(command.server?.requests).toHaveLength(6);
  });

  test('of a hundred thousand versions does not end in a message of as many', async () => {
    const names = Array.from({ length: 1e5 }, (_, i) => `<a href="${wheelName({ version: `1.${i}.0` })}">x</a>`);
    await page((response) => response.end(names.join('\n')));
    const ended = await command.run('install');
    expectRefused(ended, 'it has 1.99980.0, 1.99981.0');
    expect(ended.stderr.length).toBeLessThan(3000);
  });
});

describe('a download', () => {
  test('without a length arrives', async () => {
    await command.serve({
      serve: (content, _request, response) => {
        response.writeHead(200).write(content.subarray(0, 1000), () => response.end(content.subarray(1000)));
        return true;
      },
    });
    expectInstalled(await command.run('install'));
  });

  test('that the server sends compressed is refused', async () => {
    await command.serve({
      serve: (content, _request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(content);
        return true;
      },
    });
    expectRefused(await command.run('install'), 'the server sent the file compressed (gzip)');
  });

  test('that no disk could hold is not begun', async () => {
    await command.serve({
      serve: (_content, _request, response) => {
        response.writeHead(200, { 'content-length': 1e15 }).flushHeaders();
        return true;
      },
    });
    expectRefused(await command.run('install'), 'the server announces 1000000000.0 MB');
    expect(command.downloads()).toEqual([]);
  });

  testWhere(posix, 'links need a privilege on Windows')('does not follow a link that stands in its place', async () => {
    await command.serve();
    const file = command.precious('home');
    expectInstalled(await command.run('install'));
    expect((await command.run('install', '--remove', '2.13.0')).status).toBe(0);
    symlinkSync(file, join(command.cache, 'downloads', `${wheelName()}.part`));
    expectRefused(await command.run('install'), 'is not a regular file');
    expect(readFileSync(file, 'utf8')).toBe('years of work');
  });
});

describe('a wheel of the index', () => {
  const hash = (kind: string) => (content: Buffer) => `${kind}=${createHash(kind).update(content).digest('hex')}`;
  const cut = (content: Buffer): string => sha256Fragment(content).slice(0, -8);

  test.each([
    ['no hash', () => ''],
    ['an MD5', hash('md5')],
    ['half a SHA-256', cut],
  ])('with %s is installed only if that is allowed, and that is printed', async (_, fragment) => {
    await command.serve({ fragment });
    expectRefused(await command.run('install'), 'has no SHA-256, SHA-384 or SHA-512 for torch-2.13.0+cpu');
    expectRefused(await command.run('install', '--dry-run'), '--allow-unverified');
    const ended = await command.run('install', '--allow-unverified');
    expectInstalled(ended);
    expect(ended.stdout).toContain('! --allow-unverified: the index has no hash to verify it by\n');
  });

  test.each(['sha384', 'sha512'])('is verified by a %s', async (kind) => {
    await command.serve({ fragment: hash(kind) });
    const ended = await command.run('install');
    expectInstalled(ended);
    expect(ended.stdout).toContain(`, ${kind.replace('sha', 'SHA-')} as in the index`);
  });

  test.each(['sha384', 'sha512'])('with another %s is refused', async (kind) => {
    await command.serve({ fragment: (content) => hash(kind)(Buffer.concat([content, content])) });
    expectRefused(await command.run('install'), `has ${kind.replace('sha', 'SHA-')} `);
    expect(command.downloads()).toEqual([]);
  });

  test('that is a libtorch archive, which has no RECORD, is refused', async () => {
    await command.serve({ wheels: { [wheelName()]: libtorchArchive() } });
    expectRefused(await command.run('install'), 'is a libtorch archive, which has no list of hashes');
  });

  test('that holds another version than its name says is refused', async () => {
    await command.serve({ wheels: { [wheelName()]: wheel({ version: '2.12.1+cpu' }) } });
    expectRefused(await command.run('install'), 'holds torch 2.12.1 (cpu), but torch 2.13.0 (cpu) was requested');
  });

  test('that is of another project is not taken', async () => {
    await command.serve({ wheels: { [wheelName({ name: 'torchevil' })]: wheel() } });
    expectRefused(await command.run('install'), 'it has none for this machine');
  });
});

describe('a file', () => {
  const given = (bytes: Buffer, name = wheelName(), ...more: string[]): Promise<Ended> =>
    command.run('install', '--from-file', command.file(name, bytes), ...more);

  test.each(['2.13.0+../../../home/docs', '2.13.0/../../home/docs', '../../home/docs'])(
    'of the version %s touches nothing outside the cache',
    async (version) => {
      const file = command.precious('home', 'docs');
      for (const bytes of [wheel({ version }), libtorchArchive(version)]) {
        expectRefused(
          await given(bytes, 'x.whl', '--allow-unverified'),
          `states the version '${version}', which is invalid`,
        );
        expect(readFileSync(file, 'utf8')).toBe('years of work');
      }
    },
  );

  test('of a version that would write to the terminal is shown as it is', async () => {
    const ended = await given(wheel({ version: '2.13.0\u001b[2J\u009b1m' }), 'x.whl');
    expectRefused(ended, '\\x1b[2J');
    for (const control of ['\u001b', '\u009b']) expect(ended.stderr).not.toContain(control);
  });

  testWhere(posix, 'such names are not allowed on Windows')('of such a name, too', async () => {
    const [name, bytes] = ['a\u001b[2Jb\nc.whl', wheel()];
    const plan = await given(bytes, name, '--dry-run');
    expect(plan.status).toBe(0);
    expect(plan.stdout).toContain('a\\x1b[2Jb\\x0ac.whl, a torch wheel');
    const damaged = await given(bytes.subarray(0, 999), name);
    expectRefused(damaged, 'a\\x1b[2Jb');
    expect(plan.stdout + damaged.stderr).not.toContain('\u001b');
  });

  test('that is a libtorch archive is installed only if that is allowed', async () => {
    expectRefused(await given(libtorchArchive(), 'libtorch.zip'), '--allow-unverified     installs the archive');
    expectInstalled(await given(libtorchArchive(), 'libtorch.zip', '--allow-unverified'));
  });

  test.each([
    [
      'for another system',
      ['cp312-cp312-win_arm64', 'cp312-cp312-macosx_14_0_x86_64'],
      'is for win_arm64, macosx_14_0',
    ],
    ['for no platform', [], 'is for no platform that its WHEEL names'],
    ['for any platform', ['py3-none-any'], 'is for any'],
  ])('with a WHEEL %s is refused', async (_, tags, message) => {
    expectRefused(await given(wheel({ tags })), message);
  });

  testWhere(linux, 'libraries tell their processor on Linux')(
    'with libraries for another processor is refused',
    async () => {
      const foreign = library('a library', process.arch === 'x64' ? 'arm64' : 'x64');
      const ended = await given(libtorchArchive('2.13.0+cpu', foreign), 'x.zip', '--allow-unverified');
      expectRefused(ended, 'cannot be used: the library is for');
    },
  );

  test('whose sizes lie is an error of one line', async () => {
    const bytes = wheel();
    // In the central directory: 16 bytes fewer than there are.
    const name = Buffer.from(libraryPath('torch_cpu'));
    const entry = bytes.lastIndexOf(name) - 46;
    bytes.writeUInt32LE(bytes.readUInt32LE(entry + 24) - 16, entry + 24);
    expectRefused(await given(bytes), 'cannot be read: too many bytes in the stream');
  });

  test.each(['/', '\\'])('with names that climb by %s is refused', async (slash) => {
    const name = ['torch', 'lib', '..', '..', '..', '..', 'evil'].join(slash);
    expectRefused(await given(wheel({ extra: [{ name, content: '' }] })), 'invalid relative path');
  });

  test('with an entry that is a device, a link or has control characters in its name is refused', async () => {
    for (const [name, mode] of [
      ['torch/lib/x', 0o060666],
      ['torch/lib/x', 0o120777],
      ['torch/lib/\u001bx', 0o100644],
    ] as const) {
      expectRefused(await given(wheel({ extra: [{ name, content: '', mode }] })), 'is not a usable archive');
    }
  });

  test('where a file stands in the way of a folder is an error of one line', async () => {
    const extra = [
      { name: 'torch/include/x', content: 'a file' },
      { name: 'torch/include/x/y', content: 'below it' },
    ];
    const { status, stderr } = await given(wheel({ extra }));
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^install: .*\n$/) });
  });

  testWhere(posix, 'modes are those of POSIX')('gives no rights beyond the usual', async () => {
    const extra = [{ name: 'torch/lib/x.so', content: 'x', mode: 0o106777 }];
    const previous = process.umask(0);
    const ended = await given(wheel({ extra })).finally(() => process.umask(previous));
    expectInstalled(ended);
    const root = join(command.cache, 'libtorch-2.13.0-cpu');
    const found = readdirSync(root, { recursive: true }).map((name) => join(root, String(name)));
    expect(statSync(join(root, 'torch/lib/x.so')).mode & 0o7777).toBe(0o755);
    expect([root, ...found].filter((path) => (statSync(path).mode & 0o7022) !== 0)).toEqual([]);
  });
});

describeWhere(posix, 'pipes whose reader is gone')('output that nobody reads', () => {
  test.each([[['--help']], [['install', '--list']], [['doctor', '--json']]])('of %j ends in silence', async (args) => {
    const { child, ended } = command.startIn({}, ...args);
    child.stdout?.destroy();
    expect(await ended).toEqual({ status: 1, stdout: '', stderr: '' });
  });
});

test('an empty zip, and one of an empty name, are not wheels', async () => {
  for (const bytes of [zip([]), zip([{ name: '', content: '' }])]) {
    expectRefused(await command.run('install', '--from-file', command.file('x.whl', bytes)), 'x.whl');
  }
});
