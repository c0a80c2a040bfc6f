/** Downloads from a server on this machine that breaks off, lies, refuses and stalls. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Digest,
  type DownloadOptions,
  type DownloadRequest,
  download,
} from '../../../../lib/cli/install/download';
import { claimDownload } from '../../../../lib/cli/install/staging';
import { reportTo } from '../../../../lib/cli/shared/report';
import { TorchError } from '../../../../lib/errors';
import { deadProcessTag } from '../../../support/processes';
import { type ServerChanges, sendRange, startWheelServer, type WheelServer } from '../../../support/wheel-server';

const content = Buffer.alloc(300_000, 'some bytes of a wheel ');
const sha256 = createHash('sha256').update(content).digest('hex');
const digest: Digest = { algorithm: 'sha256', hex: sha256 };
const file = 'torch.whl';

let directory: string;
let server: WheelServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'download-'));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

const target = (): string => join(directory, file);

async function fetchFile(
  serve: ServerChanges['serve'],
  changes: Partial<DownloadRequest & DownloadOptions> = {},
): Promise<string> {
  server = await startWheelServer({ wheels: { [file]: content }, ...(serve === undefined ? {} : { serve }) });
  const request = { url: `${server.address}/files/${file}`, path: target(), digest, ...changes };
  const silent = reportTo({ write: () => true } as unknown as NodeJS.WritableStream);
  const signal = new AbortController().signal;
  return download(request, { report: silent, signal, pauses: [1, 1], stallTime: 200, ...changes });
}

/** Sends this many bytes and, when they have been read, breaks the connection. */
const breakAfter =
  (bytes: number): NonNullable<ServerChanges['serve']> =>
  (whole, request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': whole.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${whole.length - 1}/${whole.length}` } : {}),
    });
    response.write(whole.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 50));
    return true;
  };

const status =
  (code: number): NonNullable<ServerChanges['serve']> =>
  (_content, _request, response) => {
    response.writeHead(code).end();
    return true;
  };

function expectComplete(): void {
  expect(readFileSync(target()).equals(content)).toBe(true);
  expect(readdirSync(directory)).toEqual([file]);
}

test('brings the file and its SHA-256', async () => {
  expect(await fetchFile(undefined)).toBe(sha256);
  expectComplete();
});

test('goes on where the connection broke, as often as each try brings something', async () => {
  expect(await fetchFile(breakAfter(60_000))).toBe(sha256);
  expectComplete();
  const ranges = server?.requests.map((request) => /bytes=(\d+)-/.exec(request)?.[1]);
  expect(ranges?.length).toBeGreaterThanOrEqual(5);
  expect(ranges?.[0]).toBeUndefined();
  expect(ranges?.slice(1).every((start) => Number(start) > 0)).toBe(true);
});

test('goes on with what an earlier run left', async () => {
  writeFileSync(`${target()}.part`, content.subarray(0, 1234));
  expect(await fetchFile(undefined)).toBe(sha256);
  expectComplete();
  expect(server?.requests).toEqual([`GET /files/${file} bytes=1234-`]);
});

test('takes a part that is whole for the file', async () => {
  writeFileSync(`${target()}.part`, content);
  expect(await fetchFile(undefined)).toBe(sha256);
  expectComplete();
});

test.each([
  ['sends the whole file again', undefined, true],
  [
    'sends another range',
    ((whole, request, response) => {
      if (request.headers.range === undefined) return false;
      response.writeHead(206, { 'content-range': `bytes 0-${whole.length - 1}/${whole.length}` }).end(whole);
      return true;
    }) satisfies ServerChanges['serve'],
    false,
  ],
])('starts over if the server %s', async (_, serve, ignoreRange) => {
  writeFileSync(`${target()}.part`, 'these bytes are not of the file');
  const ignore: ServerChanges['serve'] = (whole, _request, response) => {
    response.writeHead(200, { 'content-length': whole.length }).end(whole);
    return true;
  };
  expect(await fetchFile(ignoreRange ? ignore : serve)).toBe(sha256);
  expectComplete();
});

test('starts over if the part is longer than the file', async () => {
  writeFileSync(`${target()}.part`, Buffer.concat([content, content]));
  expect(await fetchFile(undefined)).toBe(sha256);
  expectComplete();
});

test('refuses a file of another SHA-256 and deletes it', async () => {
  const failing = fetchFile(undefined, { digest: { algorithm: 'sha256', hex: '00'.repeat(32) } });
  await expect(failing).rejects.toThrow(`has SHA-256 ${sha256}, but its index says ${'00'.repeat(32)}`);
  await expect(failing).rejects.toMatchObject({ code: 'INSTALL_FAILED' });
  expect(readdirSync(directory)).toEqual([]);
});

test('refuses a resumed file whose first part was another', async () => {
  writeFileSync(`${target()}.part`, 'x'.repeat(1000));
  await expect(fetchFile(undefined)).rejects.toThrow('has SHA-256');
  expect(readdirSync(directory)).toEqual([]);
});

test('accepts any file where the index gives no SHA-256', async () => {
  server = await startWheelServer({ wheels: { [file]: content } });
  const request = { url: `${server.address}/files/${file}`, path: target() };
  const report = reportTo({ write: () => true } as unknown as NodeJS.WritableStream);
  expect(await download(request, { report, signal: new AbortController().signal })).toBe(sha256);
});

test('gives up after several tries in vain, and keeps what it has', async () => {
  writeFileSync(`${target()}.part`, content.subarray(0, 1234));
  await expect(fetchFile(status(503))).rejects.toThrow(/HTTP status 503[\s\S]*the download resumes where it stopped/);
  expect(server?.requests).toHaveLength(3);
  expect(readdirSync(directory)).toEqual([`${file}.part`]);
});

test.each([403, 404])('does not try again after status %d', async (code) => {
  await expect(fetchFile(status(code))).rejects.toThrow(`HTTP status ${code}`);
  expect(server?.requests).toHaveLength(1);
  expect(existsSync(target())).toBe(false);
});

test('tries again if no data comes', async () => {
  const serve: ServerChanges['serve'] = (whole, request, response, count) => {
    if (count > 1) sendRange(whole, request, response);
    else response.writeHead(200, { 'content-length': whole.length }).write(whole.subarray(0, 10));
    return true;
  };
  expect(await fetchFile(serve)).toBe(sha256);
  expect(server?.requests).toHaveLength(2);
});

test('takes a file that is there, if it is the right one', async () => {
  writeFileSync(target(), content);
  expect(await fetchFile(undefined)).toBe(sha256);
  expect(server?.requests).toEqual([]);
});

test('replaces a file that is there, but another', async () => {
  writeFileSync(target(), 'another');
  expect(await fetchFile(undefined)).toBe(sha256);
  expectComplete();
});

describe('the place of a download', () => {
  const cache = (): string => join(directory, 'cache');
  const place = (): string => join(cache(), 'downloads', file);
  const claim = (): ReturnType<typeof claimDownload> => claimDownload(cache(), file, directory);

  beforeEach(() => {
    mkdirSync(cache());
  });

  test('is the same for one install after the other', async () => {
    const first = await claim();
    expect(first.path).toBe(place());
    await first.release();
    expect((await claim()).path).toBe(place());
  });

  test('is another while a running process uses it', async () => {
    const first = await claim();
    const second = await claim();
    expect(second.path).toBe(target());
    await second.release();
    expect((await claim()).path).toBe(target());
    await first.release();
    expect((await claim()).path).toBe(place());
  });

  test('is taken over from a process that has ended', async () => {
    await claim();
    writeFileSync(`${place()}.lock`, deadProcessTag());
    expect((await claim()).path).toBe(place());
    expect((await claim()).path).toBe(target());
  });
});

test('stops when it is told to, and keeps what it has', async () => {
  server = await startWheelServer({ wheels: { [file]: content }, serve: stallAfterHalf });
  const stop = new AbortController();
  const report = reportTo({ write: () => true } as unknown as NodeJS.WritableStream);
  const request = { url: `${server.address}/files/${file}`, path: target(), digest };
  const running = download(request, { report, signal: stop.signal });
  const watch = setInterval(() => {
    if (readdirSync(directory).length > 0) stop.abort(new Error('stopped'));
  }, 20);
  await expect(running).rejects.toThrow('stopped');
  clearInterval(watch);
  await expect(running).rejects.not.toBeInstanceOf(TorchError);
  expect(readdirSync(directory)).toEqual([`${file}.part`]);
});

const stallAfterHalf: NonNullable<ServerChanges['serve']> = (whole, _request, response) => {
  response.writeHead(200, { 'content-length': whole.length }).write(whole.subarray(0, whole.length / 2));
  return true;
};

describe('a server that lies', () => {
  const range =
    (contentRange: (start: number, size: number) => string, bytes = 40_000): NonNullable<ServerChanges['serve']> =>
    (whole, request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers = start === 0 ? {} : { 'content-range': contentRange(start, whole.length) };
      response.writeHead(start === 0 ? 200 : 206, { 'content-length': whole.length - start, ...headers });
      response.write(whole.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 20));
      return true;
    };

  test.each([
    ['whose end is before its start', (start: number, size: number) => `bytes ${start}-${start - 1}/${size}`],
    ['whose end is behind the file', (start: number, size: number) => `bytes ${start}-${size}/${size}`],
    ['of a file that is shorter', (start: number) => `bytes ${start}-${start + 9}/${start}`],
  ])('about a range %s is asked no more', async (_, contentRange) => {
    writeFileSync(`${target()}.part`, content.subarray(0, 1000));
    await expect(fetchFile(range(contentRange))).rejects.toThrow('the server sent an invalid range: bytes ');
    expect(server?.requests).toHaveLength(1);
  });

  test.each([
    ['sends another range each time', () => 'bytes 7-9/10'],
    ['sends a range that is none', () => 'x'],
  ])('and %s is asked a few times only', async (_, contentRange) => {
    const pauses = Array.from({ length: 20 }, () => 0);
    await expect(fetchFile(range(contentRange), { pauses })).rejects.toThrow(/had to start over 5 times/);
    expect(server?.requests.length).toBeLessThan(30);
  });

  test('and tells of a file that grows is asked a hundred times at most', async () => {
    writeFileSync(`${target()}.part`, content.subarray(0, 1000));
    const growing: ServerChanges['serve'] = (_whole, request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const size = start + 100_000;
      response.writeHead(206, { 'content-range': `bytes ${start}-${size - 1}/${size}` }).end(Buffer.alloc(40_000));
      return true;
    };
    await expect(fetchFile(growing, { pauses: [0] })).rejects.toThrow('cannot download');
    expect(server?.requests).toHaveLength(100);
  });

  test('and sends more than it said is cut off', async () => {
    writeFileSync(`${target()}.part`, content.subarray(0, 1000));
    const more: ServerChanges['serve'] = (whole, _request, response) => {
      response.writeHead(206, { 'content-range': `bytes 1000-1999/2000` });
      response.end(whole.subarray(1000));
      return true;
    };
    await expect(fetchFile(more)).rejects.toThrow('the server sent more than 2000 bytes');
  });

  test('and never ends a file of unknown length is cut off', async () => {
    const endless: ServerChanges['serve'] = (_whole, _request, response) => {
      response.writeHead(200);
      const more = (): void =>
        void (response.destroyed || response.write(Buffer.alloc(100_000), () => setImmediate(more)));
      more();
      return true;
    };
    await expect(fetchFile(endless, { maxBytes: 1e6 })).rejects.toThrow('the server sent more than 1000000 bytes');
    expect(statSync(`${target()}.part`).size).toBeLessThanOrEqual(1e6);
  });

  test('and trickles counts as dead', async () => {
    const trickle: ServerChanges['serve'] = (whole, _request, response) => {
      response.writeHead(200, { 'content-length': whole.length });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    await expect(fetchFile(trickle)).rejects.toThrow(/only \d+ bytes in 0.2 s/);
    expect(server?.requests).toHaveLength(3);
  });
});

test('a file of unknown length arrives, also in two tries', async () => {
  writeFileSync(`${target()}.part`, content.subarray(0, 1000));
  const unknown: ServerChanges['serve'] = (whole, _request, response) => {
    response.writeHead(206, { 'content-range': `bytes 1000-${whole.length - 1}/*` }).end(whole.subarray(1000));
    return true;
  };
  expect(await fetchFile(unknown)).toBe(sha256);
  expectComplete();
});

test('an empty file is told by its hash', async () => {
  const empty: ServerChanges['serve'] = (_whole, _request, response) => {
    response.writeHead(200).end();
    return true;
  };
  await expect(fetchFile(empty)).rejects.toThrow('has SHA-256 e3b0c44298fc1c14');
  expect(readdirSync(directory)).toEqual([]);
});

test('nothing is resumed that no hash could prove', async () => {
  writeFileSync(`${target()}.part`, 'of another file');
  server = await startWheelServer({ wheels: { [file]: content } });
  const report = reportTo({ write: () => true } as unknown as NodeJS.WritableStream);
  const request = { url: `${server.address}/files/${file}`, path: target() };
  await download(request, { report, signal: new AbortController().signal });
  expect(server.requests).toEqual([`GET /files/${file}`]);
  expectComplete();
});
