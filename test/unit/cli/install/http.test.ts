/** Requests whose bounds hold, whatever the server and the garbage collector do. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isDowngrade, Refused, request } from '../../../../lib/cli/install/http';
import { readPage } from '../../../../lib/cli/install/wheel-index';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

afterEach(() => {
  jest.restoreAllMocks();
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** Never too slow, and never done. */
const endless: RequestListener = (_request, response) => {
  const timer = setInterval(() => response.write('<a> '.repeat(1000)), 20);
  response.on('close', () => clearInterval(timer));
};

/** Collects garbage as long as the work lasts. */
async function whileCollecting<T>(work: Promise<T>): Promise<T> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const timer = setInterval(collect, 30);
  return work.finally(() => clearInterval(timer));
}

test('a page has its time, and no more, also when garbage is collected meanwhile', async () => {
  const page = readPage(await serve(endless), new AbortController().signal, { time: 300 });
  await expect(whileCollecting(page)).rejects.toThrow('not done after 0.3 s');
});

test('an interruption arrives, also when garbage was collected', async () => {
  const stop = new AbortController();
  const page = readPage(await serve(endless), stop.signal);
  setTimeout(() => stop.abort(new Error('interrupted')), 300);
  await expect(whileCollecting(page)).rejects.toThrow('interrupted');
});

test('an interruption before the request begins is one', async () => {
  const address = await serve(endless);
  await expect(readPage(address, AbortSignal.abort(new Error('interrupted')))).rejects.toThrow('interrupted');
});

test('a server that says nothing has its time', async () => {
  const address = await serve(() => {});
  await expect(readPage(address, new AbortController().signal, { time: 200 })).rejects.toThrow(/0.2 s/);
});

test('a connection whose bound was met is closed', async () => {
  let closed: () => void = () => {};
  const closing = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const address = await serve((_request, response) => {
    response.on('close', closed);
    response.write('x'.repeat(100));
  });
  await expect(readPage(address, new AbortController().signal, { bytes: 10 })).rejects.toThrow('more than');
  await closing;
});

const options = { signal: new AbortController().signal, headers: {}, stallTime: 1000 };

/** Follows redirects as if addresses led there: nothing is asked. */
function follow(from: string, ...locations: string[]): Promise<string> {
  const left = [...locations];
  jest.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    const location = left.shift();
    return location === undefined ? new Response('x') : new Response(null, { status: 302, headers: { location } });
  });
  return request(from, options, async ({ url }) => url);
}

test.each([
  ['https to http', 'https://a.test/', ['http://a.test/']],
  ['https to http and back', 'https://a.test/', ['http://b.test/', 'https://a.test/x']],
  ['https to http in a second step', 'https://a.test/', ['/x', 'https://b.test/', 'http://b.test/']],
  ['an address that only looks local', 'https://a.test/', ['http://127.0.0.1.evil.test/']],
  ['another protocol', 'http://a.test/', ['file:///etc/passwd']],
  ['data', 'http://a.test/', ['data:text/html,x']],
  ['no address', 'http://a.test/', ['http://[']],
])('a redirect from %s is not followed', async (_, from, locations) => {
  await expect(follow(from, ...locations)).rejects.toThrow(Refused);
});

test.each([
  ['https to https', 'https://a.test/x', ['https://b.test/y', '/z'], 'https://b.test/z'],
  ['http to https', 'http://a.test/', ['https://a.test/'], 'https://a.test/'],
  ['https to this machine', 'https://a.test/', ['http://127.0.0.1:80/x'], 'http://127.0.0.1/x'],
  ['nowhere', 'https://a.test/', [], 'https://a.test/'],
])('a redirect from %s is followed', async (_, from, locations, end) => {
  expect(await follow(from, ...locations)).toBe(end);
});

test.each([
  ['http://localhost:8080/', false],
  ['http://[::1]/', false],
  ['http://127.9.9.9/', false],
  ['https://a.test/', false],
  ['http://10.0.0.1/', true],
  ['http://localhost.evil.test/', true],
  ['ftp://a.test/', true],
])('to follow a link from https to %s: downgrade %p', (to, is) => {
  expect(isDowngrade('https://a.test/', to)).toBe(is);
});
