/** The page of an evaluation: what it says, and that no result breaks it. */
import fc from 'fast-check';
import { binScale, countScale, roundValues, valueLabel } from '../../../../lib/cli/evaluate/charts';
import { typed } from '../../../../lib/cli/evaluate/facts';
import { evaluatePage } from '../../../../lib/cli/evaluate/page';
import type { ClassResult, EvaluationResult } from '../../../../lib/evaluate/result';
import { factsOf, fullResult, plainResult } from '../../../support/evaluations';

const facts = factsOf();

/** The text of a page between its tags, in one line. */
function textOf(page: string): string {
  const body = page.slice(page.indexOf('<main>'));
  return body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

function headingsOf(page: string): string[] {
  return Array.from(page.matchAll(/<h2>(.*?)<\/h2>/g), ([, heading]) => heading as string);
}

/** Places and sizes in the drawings of a page. */
function placesOf(page: string): string[] {
  return Array.from(page.matchAll(/ (?:x|y|x1|x2|y1|y2|width|height)="([^"]*)"/g), ([, place]) => place as string);
}

/** The rows of the table with a caption. */
function rowsOf(page: string, caption: string): string[] {
  const from = page.indexOf(`<caption>${caption}</caption>`);
  if (from < 0) return [];
  const body = page.slice(page.indexOf('<tbody>', from), page.indexOf('</tbody>', from));
  return body.split('<tr>').slice(1);
}

describe('a result with everything', () => {
  const page = evaluatePage(fullResult(), facts);
  const text = textOf(page);

  test('begins with the loss and how it was made', () => {
    expect(page).toContain('<title>crossEntropy 0.412346</title>');
    expect(page).toMatch(/<h1><span class="name">crossEntropy<\/span> 0\.412346<\/h1>/);
    expect(text).toContain('Mean of 21,354 losses, 17 samples ignored');
  });

  test.each([
    'Accuracy 87.31 %',
    'Top 5 99.99 %',
    'Perplexity 1.51036',
    'Calibration error 6.12 %',
    'Losses 21,354',
    'Ignored 17',
    'Sum 8805.23',
    'Denominator 21,354',
    'NaN 0',
    '0.0123 s · 71.9 kB · 0.00582 GB/s',
    'libtorch-losses 0.0.0 on libtorch 2.13.0, cpu',
    'logits.npy labels.npy',
    'Expected calibration error: 6.12 %',
    'mean 0.4123',
    'losses (logarithmic scale)',
  ])('says: %s', (phrase) => expect(text).toContain(phrase));

  test('has all parts', () => {
    expect(headingsOf(page)).toEqual(['Losses', 'Classes', 'Calibration', 'Worst samples', 'Groups']);
    expect(rowsOf(page, 'Loss and accuracy by class')).toHaveLength(10);
    expect(rowsOf(page, 'The samples of the greatest loss')[1]).toBe(
      '<th scope="row">7919</th><td>8.25714</td><td>1</td><td>4</td></tr>\n',
    );
    expect(rowsOf(page, 'Loss by group')).toHaveLength(3);
  });

  test('every bin of a chart says its figures', () => {
    expect(page).toContain('<title>0 to 0.21: 7,800 losses</title>');
    expect(page).toMatch(
      /<title>93\.3 to 100 %: [\d,]+ predictions\nmean probability 97\.33 %, right 96\.55 %<\/title>/,
    );
  });

  test('needs nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|https?:/);
  });
});

test('what the result does not have is left out', () => {
  const page = evaluatePage(plainResult(), facts);
  expect(headingsOf(page)).toEqual([]);
  expect(page).not.toContain('<svg');
  expect(textOf(page)).not.toMatch(/Accuracy|undefined/);
  expect(headingsOf(evaluatePage({ ...plainResult(), histogram: [], worst: [], groups: [] }, facts))).toEqual([]);
});

test('names are escaped', () => {
  const page = evaluatePage(plainResult({ name: '<i>' }), factsOf({ files: ['<b>.npy', 'a&"b".npz'], device: '<d>' }));
  expect(page).toContain('<li>&lt;b&gt;.npy</li><li>a&amp;&quot;b&quot;.npz</li>');
  expect(page).not.toMatch(/<[bid]>/);
});

test('many files are folded away, and no files have no list', () => {
  const files = Array.from({ length: 40 }, (_, i) => `logits-${i}.npy`);
  const page = evaluatePage(plainResult(), factsOf({ files }));
  expect(page).toContain('<summary>40 files</summary>');
  expect(page).toContain('<li>logits-39.npy</li>');
  expect(evaluatePage(plainResult(), factsOf({ files: [] }))).not.toContain('<ul');
});

test('no time and no bytes have no speed', () => {
  expect(textOf(evaluatePage(plainResult(), factsOf({ seconds: 0, bytes: 0 })))).toContain('0 s · 0 bytes libtorch');
});

describe('how the loss was made', () => {
  test.each([
    [{}, 'Mean of 10 losses'],
    [{ denominator: 7.5 }, 'Weighted mean of 10 losses'],
    [{ reduction: 'sum', count: 1, denominator: 1 }, 'Sum of 1 loss'],
    [{ reduction: 'batchmean', ignored: 1 }, 'Sum of 10 losses by samples (batchmean), 1 sample ignored'],
  ] as const)('%j', (changes, sentence) => {
    expect(textOf(evaluatePage(plainResult(changes), facts))).toContain(` ${sentence} `);
  });
});

describe('extremes', () => {
  test('no samples', () => {
    const empty = fullResult(3);
    const { classification } = empty;
    if (classification === undefined) throw new Error('a full result has a classification');
    const page = evaluatePage(
      {
        ...plainResult({ loss: Number.NaN, count: 0, sum: 0, denominator: 0, histogram: [], worst: [] }),
        classification: {
          ...classification,
          accuracy: Number.NaN,
          classes: classification.classes.map((own) => ({ ...own, count: 0, loss: Number.NaN, accuracy: Number.NaN })),
          calibration: classification.calibration.map((bin) => ({ ...bin, count: 0 })),
        },
      },
      facts,
    );
    expect(textOf(page)).toContain('No samples: there is nothing to take a loss of');
    expect(headingsOf(page)).toEqual([]);
  });

  test('all losses are NaN', () => {
    const histogram = [{ low: 0, high: 0, count: 0 }];
    const worst = [{ index: 0, loss: Number.NaN }];
    const page = evaluatePage(plainResult({ loss: Number.NaN, nan: 10, sum: Number.NaN, histogram, worst }), facts);
    expect(textOf(page)).toContain('10 of 10 losses are NaN');
    expect(headingsOf(page)).toEqual(['Worst samples']);
    expect(rowsOf(page, 'The samples of the greatest loss')).toEqual(['<th scope="row">0</th><td>NaN</td></tr>\n']);
  });

  test('an infinite loss', () => {
    const groups = [
      { group: 0, count: 5, loss: 1 },
      { group: 1, count: 5, loss: Number.POSITIVE_INFINITY },
    ];
    const histogram = [{ low: 1, high: 1, count: 5 }];
    const page = evaluatePage(plainResult({ loss: Number.POSITIVE_INFINITY, groups, histogram }), facts);
    expect(textOf(page)).toContain('The loss is Infinity');
    expect(textOf(page)).toContain('5 losses in no bar, because they are not finite.');
    expect(rowsOf(page, 'Loss by group')[1]).toContain('<rect class="infinite" x="0%" width="100%"');
  });

  test('one class', () => {
    expect(rowsOf(evaluatePage(fullResult(1), facts), 'Loss and accuracy by class')).toHaveLength(1);
  });

  test('60 classes are all shown, of 61 the worst 30', () => {
    expect(rowsOf(evaluatePage(fullResult(60), facts), 'Loss and accuracy by class')).toHaveLength(60);
    const page = evaluatePage(fullResult(61), facts);
    expect(textOf(page)).toContain('The 30 classes of the greatest loss, of 61');
    expect(rowsOf(page, 'Loss and accuracy by class')).toHaveLength(30);
  });

  test('10,000 classes: the page stays small and says that it does not show all', () => {
    const full = fullResult(10_000);
    const classes: ClassResult[] = [...(full.classification?.classes ?? [])];
    classes[77] = { class: 77, count: 3, loss: Number.NaN, accuracy: 0 };
    classes[78] = { class: 78, count: 0, loss: Number.NaN, accuracy: Number.NaN };
    classes[79] = { class: 79, count: 3, loss: 1e9, accuracy: 0 };
    const classification = { ...(full.classification as NonNullable<typeof full.classification>), classes };
    const page = evaluatePage({ ...full, classification }, facts);
    expect(textOf(page)).toContain('The 30 classes of the greatest loss, of 10,000; 1 has no samples');
    const rows = rowsOf(page, 'Loss and accuracy by class');
    expect(rows).toHaveLength(30);
    expect(rows.slice(0, 2).map((row) => /<th scope="row">(\d+)/.exec(row)?.[1])).toEqual(['77', '79']);
    expect(page.length).toBeLessThan(60_000);
  });

  test('negative losses have bars to the left of a line at zero', () => {
    const groups = [
      { group: 0, count: 1, loss: -3 },
      { group: 1, count: 1, loss: 1 },
    ];
    const histogram = [
      { low: -3, high: -1, count: 1 },
      { low: -1, high: 1, count: 1 },
    ];
    const page = evaluatePage(plainResult({ name: 'gaussianNLLLoss', loss: -1, groups, histogram }), facts);
    const rows = rowsOf(page, 'Loss by group');
    expect(rows[0]).toContain('<rect class="bar" x="0%" width="75%" height="100%"/><line class="axis" x1="75%"');
    expect(rows[1]).toContain('<rect class="bar" x="75%" width="25%"');
    expect(page).toContain('<text class="tick" x="50%" y="238" text-anchor="middle">−1</text>');
  });

  test('no figures whatever make an invalid drawing', () => {
    const anything = fc.double();
    const row = fc.tuple(anything, fc.nat(1e6), fc.double({ min: 0, max: 1 }));
    const drawn = fc.record({ losses: fc.array(row, { maxLength: 5 }), edges: fc.array(anything, { maxLength: 6 }) });
    fc.assert(
      fc.property(drawn, anything, ({ losses, edges }, loss) => {
        const histogram = edges.slice(1).map((high, i) => ({ low: edges[i] as number, high, count: 10 ** i }));
        const groups = losses.map(([own, count], group) => ({ group, count, loss: own }));
        const classes = losses.map(([own, count, accuracy], i) => ({ class: i, count, loss: own, accuracy }));
        const calibration = losses.map(([, count, share]) => ({
          low: 0.2,
          high: 0.4,
          count,
          confidence: 1 - share,
          accuracy: share,
        }));
        const figures = { accuracy: loss, top5: loss, perplexity: loss, calibrationError: loss };
        const classification = { ...figures, classes, calibration };
        const result: EvaluationResult = plainResult({
          loss,
          sum: loss,
          denominator: loss,
          histogram,
          groups,
          classification,
        });
        const page = evaluatePage(result, factsOf({ seconds: Math.abs(loss) || 0 }));
        expect(placesOf(page).filter((place) => !/^-?\d+(\.\d+)?%?$/.test(place))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('axes', () => {
  test('have round values', () => {
    expect(roundValues(0, 8.4)).toEqual([0, 2, 4, 6, 8]);
    expect(roundValues(-0.31, 0.52)).toEqual([-0.2, 0, 0.2, 0.4]);
    expect(roundValues(0, 0)).toEqual([]);
    expect(roundValues(1, 1 + 2 * Number.EPSILON)).toEqual([]);
    expect(roundValues(-Number.MAX_VALUE, Number.MAX_VALUE).length).toBeGreaterThan(2);
  });

  test('of counts are logarithmic only beyond a factor of 1000', () => {
    const plain = countScale([1, 0, 1000]);
    expect(plain.logarithmic).toBe(false);
    expect(plain.ticks.map(({ label }) => label)).toEqual(['0', '200', '400', '600', '800', '1K']);
    const logarithmic = countScale([1, 0, 1001]);
    expect(logarithmic.logarithmic).toBe(true);
    expect(logarithmic.ticks.map(({ label }) => label)).toEqual(['1', '10', '100', '1K']);
    expect(logarithmic.at(0)).toBe(0);
    expect(logarithmic.at(1)).toBeGreaterThan(0.05);
    expect(logarithmic.at(1001)).toBe(1);
  });

  test('of few counts have whole numbers only', () => {
    expect(countScale([1, 2]).ticks.map(({ label }) => label)).toEqual(['0', '1', '2']);
    expect(countScale([]).ticks.map(({ label }) => label)).toEqual(['0', '1']);
  });

  test('of bins that are not equally wide name their edges', () => {
    const scale = binScale([
      { low: 0, high: 1 },
      { low: 1, high: 10 },
      { low: 10, high: Number.POSITIVE_INFINITY },
    ]);
    expect(scale.ticks.map(({ label }) => label)).toEqual(['0', '1', '10', '∞']);
    expect(scale.at(0.5)).toBeCloseTo(1 / 6);
    expect(scale.at(5.5)).toBeCloseTo(0.5);
    expect(scale.at(-1)).toBeNaN();
  });

  test('of a single value name it once', () => {
    expect(binScale([{ low: 0.5, high: 0.5 }]).ticks).toEqual([{ at: 0.5, label: '0.5' }]);
  });

  test('have short labels', () => {
    expect([0, 0.123456, -1234.56, 2e7, 1e-9, -Infinity].map((value) => valueLabel(value))).toEqual([
      '0',
      '0.1235',
      '−1235',
      '2e+7',
      '1e−9',
      '−∞',
    ]);
  });
});

test('the page says what was typed and when, however long', () => {
  const { command, date } = typed('evaluate', ['--input', "it's <b>.npy", '--loss', 'mse']);
  expect(command).toBe("libtorch-losses evaluate --input 'it'\\''s <b>.npy' --loss mse");
  expect(date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const page = evaluatePage(plainResult(), factsOf({ command, date: '2026-01-31T23:59:59Z' }));
  expect(page).toContain('&lt;b&gt;.npy');
  expect(page).toContain('2026-01-31 23:59:59 UTC');
  const long = typed(
    'merge',
    Array.from({ length: 1024 }, (_, i) => `part-${i}.json`),
  ).command;
  expect(evaluatePage(plainResult(), factsOf({ command: long })).length - page.length).toBeLessThan(1000);
});
