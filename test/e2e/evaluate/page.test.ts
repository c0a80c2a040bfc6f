/** The page of an evaluation in a real browser: wide and narrow, light and dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { evaluatePage } from '../../../lib/cli/evaluate/page';
import type { EvaluationResult } from '../../../lib/evaluate/result';
import { installedBrowser } from '../../support/browser';
import { factsOf, fullResult, plainResult } from '../../support/evaluations';

jest.setTimeout(60_000);

const longName = `${'a-folder-with-a-long-name/'.repeat(8)}<b>.npy`;
const files = [longName, 'labels.npy'];

const odd: EvaluationResult = {
  ...plainResult({
    name: 'gaussianNLLLoss',
    loss: -123456.789,
    count: 20_061,
    denominator: 1e-12,
    nan: 3,
    sum: -1e300,
  }),
  histogram: [-3e30, -1e30, 1e30].map((low, i) => ({ low, high: low + 2e30, count: [1, 20_000, 50][i] as number })),
  groups: [-3.25e-30, Number.NaN, Number.POSITIVE_INFINITY, 1.23456e-10].map((loss, group) => ({
    group,
    count: 5,
    loss,
  })),
  worst: [
    { index: 12_345_678_901, loss: Number.NaN },
    { index: 5, loss: Number.POSITIVE_INFINITY },
  ],
};

const pages: [name: string, result: EvaluationResult, charts: number][] = [
  ['a classifier', fullResult(10), 3],
  ['a classifier of 10,000 classes', fullResult(10_000), 3],
  ['negative, infinite and NaN losses', odd, 1],
  ['a loss alone', plainResult(), 0],
];

const browser = installedBrowser();

if ('unavailable' in browser) {
  test(`no browser to open the page in: ${browser.unavailable}`, () => {
    console.warn(`The page of an evaluation was not opened: ${browser.unavailable}.`);
  });
} else {
  let running: Browser;
  let folder: string;

  beforeAll(async () => {
    running = await chromium.launch({ executablePath: browser.path });
    folder = mkdtempSync(join(tmpdir(), 'page-'));
  });

  afterAll(async () => {
    await running.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page, and says what it asked for and complained about. */
  async function open(result: EvaluationResult, width: number, colorScheme: 'light' | 'dark' = 'light') {
    const file = join(mkdtempSync(join(folder, 'result-')), 'report.html');
    writeFileSync(file, evaluatePage(result, factsOf({ files })));
    const page = await running.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: false });
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(file).href);
    return { page, requests, complaints, url: pathToFileURL(file).href };
  }

  describe.each(pages)('%s', (_, result, charts) => {
    describe.each([1280, 390])('at %i pixels', (width) => {
      let opened: Awaited<ReturnType<typeof open>>;
      beforeAll(async () => {
        opened = await open(result, width);
      });
      afterAll(() => opened.page.close());

      test('asks for nothing but itself and complains of nothing', () => {
        expect(opened.requests).toEqual([opened.url]);
        expect(opened.complaints).toEqual([]);
      });

      test('shows every chart, within its width', async () => {
        expect(await opened.page.locator('svg[role=img]').count()).toBe(charts);
        const boxes = await opened.page.evaluate<Box[]>(drawings);
        expect(boxes.length).toBeGreaterThanOrEqual(charts);
        const bad = boxes.filter((box) => box.width < 30 || box.height < 5 || box.left < 0 || box.right > width);
        expect(bad).toEqual([]);
      });

      test('is not to be scrolled sideways, nor are its tables, folded away or not', async () => {
        const { page } = opened;
        expect(await overflowing(page)).toEqual([]);
        for (const summary of await page.locator('summary').all()) await summary.click();
        expect(await overflowing(page)).toEqual([]);
      });

      test('keeps the labels of its axes apart', async () => {
        expect(await opened.page.evaluate<string[]>(overlappingLabels)).toEqual([]);
      });
    });

    test('is named, in a language, with its headings in order and its charts described', async () => {
      const { page } = await open(result, 1280);
      expect(await page.title()).toContain(result.name);
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.locator('main').count()).toBe(1);
      const levels = await page.evaluate<string>(
        'Array.from(document.querySelectorAll("h1, h2, h3, h4"), (heading) => heading.tagName[1]).join("")',
      );
      expect(levels).toMatch(/^12*$/);
      for (const chart of await page.locator('svg[role=img]').all()) {
        const ids = ((await chart.getAttribute('aria-labelledby')) ?? '').split(' ');
        expect(ids).toHaveLength(2);
        for (const id of ids) expect(await page.locator(`[id="${id}"]`).textContent()).toMatch(/\S/);
      }
      expect(await page.locator('svg:not([role=img]):not([aria-hidden=true])').count()).toBe(0);
      expect(await page.locator('table:not(:has(caption))').count()).toBe(0);
      expect(await page.locator('th:not([scope])').count()).toBe(0);
      await page.close();
    });
  });

  test.each([
    ['light', 'rgb(255, 255, 255)', 'rgb(28, 36, 48)'],
    ['dark', 'rgb(20, 24, 30)', 'rgb(230, 234, 240)'],
  ] as const)('is %s where that is asked for', async (scheme, paper, ink) => {
    const { page } = await open(fullResult(), 390, scheme);
    const colours = '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]';
    expect(await page.evaluate<string[]>(colours)).toEqual([paper, ink]);
    await page.close();
  });

  test.each(['light', 'dark'] as const)('has a legend in the colours of its bars: %s', async (scheme) => {
    const { page } = await open(fullResult(), 1280, scheme);
    for (const [bar, key] of [
      ['rect.right', '.right-key'],
      ['rect.gap', '.gap-key'],
    ] as const) {
      const drawn = `getComputedStyle(document.querySelector('${bar}')).fill`;
      const explained = `getComputedStyle(document.querySelector('${key}'), '::before').backgroundColor`;
      expect(await page.evaluate<string>(drawn)).toBe(await page.evaluate<string>(explained));
    }
    await page.close();
  });

  test('what it says can be read, file names as they are', async () => {
    const { page } = await open(fullResult(), 390);
    for (const phrase of ['0.412346', 'Mean of 21,354 losses', '87.31 %', longName, 'labels.npy', '7919']) {
      expect(await page.getByText(phrase).first().isVisible()).toBe(true);
    }
    expect(await page.locator('b').allTextContents()).toEqual(['6.12 %']);
    await page.close();
  });

  test('a bar has its bin’s place and its count’s height', async () => {
    const counts = [1, 3, 2];
    const histogram = counts.map((count, i) => ({ low: i, high: i + 1, count }));
    const { page } = await open(plainResult({ histogram, count: 6 }), 390);
    const boxes = await Promise.all((await page.locator('rect.bar').all()).map((bar) => bar.boundingBox()));
    const chart = await page.locator('svg[role=img]').boundingBox();
    const [width, left] = [chart?.width ?? 0, chart?.x ?? 0];
    expect(boxes).toHaveLength(3);
    boxes.forEach((box, i) => {
      // The outline is a pixel of the paper's colour, half of it outside.
      expect(Math.abs((box?.x ?? 0) - (left + (i * width) / 3))).toBeLessThan(1.5);
      expect(Math.abs((box?.height ?? 0) - ((counts[i] as number) / 3) * 220)).toBeLessThan(1.5);
    });
    await page.close();
  });
}

/** What is wider than the place it has: the page, or what scrolls in it. */
function overflowing(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    Array.from(document.querySelectorAll('html, .scroll'))
      .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth)
      .map((element) => element.tagName + ' ' + element.textContent.slice(0, 80))
  `);
}

interface Box {
  width: number;
  height: number;
  left: number;
  right: number;
}

/** The boxes of all drawings, those of rows among them. */
const drawings = `
  Array.from(document.querySelectorAll('svg'), (drawing) => {
    const { width, height, left, right } = drawing.getBoundingClientRect();
    return { width, height, left, right };
  })
`;

/** Labels of axes that lie on one another, or beyond the page. */
const overlappingLabels = `
  Array.from(document.querySelectorAll('svg[role=img]')).flatMap((chart) => {
    const labels = Array.from(chart.querySelectorAll('.tick'), (label) => [label.textContent, label.getBoundingClientRect()]);
    return labels.flatMap(([text, a], i) => [
      ...(a.left < 0 || a.right > innerWidth ? [text] : []),
      ...labels.slice(i + 1)
        .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
        .map(([other]) => text + ' | ' + other),
    ]);
  })
`;
