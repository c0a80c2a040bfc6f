/** What the command line prints of an evaluation, as text and as JSON. */
import { evaluateJson } from '../../../../lib/cli/evaluate/facts';
import { evaluateTable } from '../../../../lib/cli/evaluate/table';
import { countOrFigure, duration, figure, percentage, rate, size } from '../../../../lib/cli/shared/figures';
import { factsOf, fullResult, plainResult } from '../../../support/evaluations';

const facts = factsOf();

describe('figures', () => {
  test('have six significant digits', () => {
    expect([0, 1, -2.5, 1234.56789, 12345678, 1.5e-9].map(figure)).toEqual([
      '0',
      '1.00000',
      '-2.50000',
      '1234.57',
      '1.23457e+7',
      '1.50000e-9',
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(figure)).toEqual([
      'NaN',
      'Infinity',
      '-Infinity',
    ]);
    expect([1500, 1500.5, Number.NaN].map(countOrFigure)).toEqual(['1,500', '1500.50', 'NaN']);
  });

  test('are all or nothing only if they are', () => {
    expect([0, 1e-9, 0.5, 0.999999, 1, Number.NaN].map(percentage)).toEqual([
      '0 %',
      '0.01 %',
      '50.00 %',
      '99.99 %',
      '100 %',
      'NaN',
    ]);
  });

  test('of amounts have units', () => {
    expect([0, 999, 1000, 71_880, 6e9, 2e15].map(size)).toEqual([
      '0 bytes',
      '999 bytes',
      '1 kB',
      '71.9 kB',
      '6 GB',
      '2000 TB',
    ]);
    expect([0.01234, 12.345, 4321].map(duration)).toEqual(['0.0123 s', '12.3 s', '4321 s']);
    expect([rate(6e9, 2), rate(1, 0), rate(0, 1)]).toEqual(['3 GB/s', undefined, undefined]);
  });
});

describe('the table', () => {
  test('of a plain loss', () => {
    expect(evaluateTable(plainResult(), facts)).toBe(`mseLoss 0.400000
Mean of 10 losses

  losses            10
  ignored            0
  sum          4.00000
  denominator       10
  NaN                0

0.0123 s · 71.9 kB · 0.00582 GB/s · libtorch-losses 0.0.0 on libtorch 2.13.0, cpu`);
  });

  test('of a classifier has its figures, classes, groups and worst samples', () => {
    const text = evaluateTable(fullResult(20), facts);
    expect(text).toContain('\n  accuracy           87.31 %\n');
    expect(text).toContain('\n  class       loss  accuracy  samples\n      0  0.0444460   98.00 %    1,068\n');
    expect(text).toContain('\n     19 ');
    expect(text).toContain('\n  group      loss  losses\n      0  0.200000   1,000\n');
    expect(text).toContain(
      'The 10 samples of the greatest loss\n  index     loss  target  predicted\n      0  8.40000       0',
    );
    expect(text).not.toMatch(/ $/m);
  });

  test('lists the ten worst of more than twenty classes', () => {
    const lines = evaluateTable(fullResult(21), facts).split('\n');
    const at = lines.indexOf('The 10 classes of the greatest loss, of 21');
    expect(at).toBeGreaterThan(0);
    expect(lines[at + 12]).toBe('');
    expect(evaluateTable(fullResult(21), facts, { rows: 21 })).not.toContain('of the greatest loss, of');
  });

  test('says what is wrong', () => {
    expect(evaluateTable(plainResult({ nan: 1 }), facts)).toContain('\n✘ 1 of 10 losses is NaN\n');
    expect(evaluateTable(plainResult({ count: 0 }), facts)).toContain('\n✘ No samples');
    expect(evaluateTable(plainResult({ loss: Number.NEGATIVE_INFINITY }), facts)).toContain(
      '\n✘ The loss is -Infinity\n',
    );
    const groups = [
      { group: 4, count: 0, loss: Number.NaN },
      { group: 5, count: 1, loss: Number.NaN },
    ];
    expect(evaluateTable(plainResult({ groups }), facts)).toContain('      4     –       0\n      5   NaN       1\n');
  });
});

describe('the JSON document', () => {
  test('is the result with the facts as its run', () => {
    const result = fullResult();
    const document = JSON.parse(JSON.stringify(evaluateJson(result, facts)));
    expect(document).toMatchObject({ name: 'crossEntropy', loss: 0.4123456789, run: { ...facts } });
    expect(document.histogram).toEqual(result.histogram);
    expect(document.classification.calibration[0]).toMatchObject({ count: 0, confidence: 'NaN' });
  });

  test('has NaN and infinities as strings, and no key for what is absent', () => {
    const worst = [
      { index: 0, loss: Number.POSITIVE_INFINITY },
      { index: 1, loss: Number.NEGATIVE_INFINITY },
    ];
    const document = evaluateJson(plainResult({ loss: Number.NaN, worst }), facts);
    expect(document).toMatchObject({
      loss: 'NaN',
      worst: [
        { index: 0, loss: 'Infinity' },
        { index: 1, loss: '-Infinity' },
      ],
    });
    expect(Object.keys(document)).not.toContain('classification');
    expect([document.loss, 'Infinity'].map(Number)).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });
});
