/**
 * The site can be written: every public export has a comment, every link leads somewhere; and a browser shows it. Its tools
 * are installed as the lock file of `scripts/docs` has them; without a registry nothing is checked, and the output says so.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { installedBrowser } from '../support/browser';
import { folder } from '../support/folder';

jest.setTimeout(120_000);

const program = join(__dirname, '../../scripts/docs/docs.mjs');
const here = folder();

/** What npm says where it reaches no registry. */
const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;

test('typedoc and VitePress have nothing to warn of', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--logLevel', 'Warn'], {
    encoding: 'utf8',
    env: { ...process.env, SITE_FOLDER: here.path },
    timeout: 280_000,
  });
  if (status !== 0 && /npm could not install/.test(stderr) && unreachable.test(stderr)) {
    console.warn(`The site was not written: npm reached no registry: ${stderr.slice(0, 400)}`);
    return;
  }
  expect({ status, warnings: `${stdout}${stderr}`.match(/.*(warn|error|dead link).*/gi) }).toEqual({
    status: 0,
    warnings: null,
  });
}, 300_000);

const browser = installedBrowser();

if ('unavailable' in browser) {
  test(`no browser to open the site in: ${browser.unavailable}`, () => {
    console.warn(`The site was not opened: ${browser.unavailable}.`);
  });
} else {
  let running: Browser;
  let server: Server;
  let address: string;

  beforeAll(async () => {
    running = await chromium.launch({ executablePath: browser.path });
    server = serve(join(here.path, 'site'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    await running.close();
    server.close();
  });

  /** Opens a page, and says what it complained about. */
  async function open(path: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
    const page = await running.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(address + path, { waitUntil: 'load' });
    return { page, complaints };
  }

  const isWritten = (): boolean => existsSync(join(here.path, 'site', 'index.html'));

  describe.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const)('%s, %i pixels', (scheme, width) => {
    test.each(['/', '/losses', '/evaluate', '/performance', '/api/index.html'])(
      '%s complains of nothing',
      async (path) => {
        if (!isWritten()) return console.warn('The site was not written.');
        const { page, complaints } = await open(path, width, scheme);
        expect(complaints).toEqual([]);
        expect(await page.locator('h1').first().textContent()).toMatch(/\w/);
        expect(await isScrolledSideways(page)).toBe(false);
        expect(await brightness(page)).toBe(scheme);
        await page.close();
        return undefined;
      },
    );
  });

  test('the search finds a loss', async () => {
    if (!isWritten()) return console.warn('The site was not written.');
    const { page, complaints } = await open('/', 1280);
    await page.locator('.VPNavBarSearch button').first().click();
    await page.locator('#localsearch-input').fill('crossEntropy');
    await page.locator('#localsearch-list a').first().waitFor();
    expect(await page.locator('#localsearch-list').textContent()).toMatch(/crossEntropy/);
    expect(complaints).toEqual([]);
    await page.close();
    return undefined;
  });
}

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

/** Serves the files of a folder; a page may be asked for without its ending. */
function serve(site: string): Server {
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = join(site, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    const file = [path, `${path}.html`].find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': types[extname(file ?? '')] ?? 'text/plain' });
    if (file === undefined) response.end();
    else createReadStream(file).pipe(response);
  });
}

function isScrolledSideways(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1');
}

/** Whether the paper is bright, or dark. */
async function brightness(page: Page): Promise<'light' | 'dark'> {
  const colour = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const [red = 0] = [...colour.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  return red > 127 ? 'light' : 'dark';
}
