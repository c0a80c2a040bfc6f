/** The figures of `libtorch-losses evaluate`, against those of PyTorch. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npy } from '../../support/arrays';
import { evaluate, expected, files, lossOf, near, resultOf } from '../../support/evaluate-command';
import { folder } from '../../support/folder';

jest.setTimeout(120_000);

const scratch = folder('for each test');

describe('figures', () => {
  test('are PyTorch’s', () => {
    const result = resultOf(...files);
    expect(result).toMatchObject({
      name: 'crossEntropy',
      reduction: 'mean',
      loss: near(expected.loss),
      sum: expect.closeTo(expected.sum, 4),
      count: expected.rows,
      denominator: expected.rows,
      ignored: 0,
      nan: 0,
    });
    const { classification, worst, histogram, run } = result;
    expect(classification.accuracy).toBeCloseTo(expected.accuracy, 12);
    expect(classification.top5).toBeCloseTo(expected.top5, 12);
    expect(classification.perplexity).toBeCloseTo(expected.perplexity, 5);
    expect(classification.calibrationError).toBeCloseTo(expected.calibrationError, 5);
    expect(classification.classes.map(({ loss }: { loss: number }) => loss)).toEqual(expected.classes.map(near));
    expect(worst.slice(0, 5).map(({ index }: { index: number }) => index)).toEqual(expected.worst);
    expect(histogram.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(expected.rows);
    expect(run).toMatchObject({ files: ['logits.npy', 'labels.npy'], device: 'cpu', bytes: expected.rows * 48 });
  });

  test('of float64 are PyTorch’s to the last digits', () => {
    const result = resultOf(...files, '--dtype', 'float64');
    expect(result.loss).toBeCloseTo(expected.loss, 14);
    expect(result.classification.calibrationError).toBeCloseTo(expected.calibrationError, 12);
    expect(result.classification.perplexity).toBeCloseTo(expected.perplexity, 12);
  });

  test.each([
    ['class weights', ['--weight', 'weight.npy'], 'weighted'],
    ['class weights as an option', ['--option', 'weight=weight.npy'], 'weighted'],
    ['label smoothing', ['--option', 'labelSmoothing=0.1'], 'smoothed'],
    ['an ignored class', ['--option', 'ignoreIndex=3'], 'ignoring3'],
    ['the sum', ['--reduction', 'sum'], 'sum'],
  ] as const)('with %s', (_, args, name) => {
    const result = resultOf(...files, '--dtype', 'float64', ...args);
    expect(result.loss / expected[name]).toBeCloseTo(1, 12);
    if (name === 'weighted') expect(result.denominator).toBeCloseTo(expected.denominator, 9);
    if (name === 'ignoring3') expect(result.count + result.ignored).toBe(expected.rows);
  });

  test('with class weights of another dtype than the input', () => {
    const values = Array.from({ length: 10 }, (_, i) => 0.5 + i / 6);
    const path = join(scratch.path, 'weight.npy');
    writeFileSync(path, npy({ kind: 'f8', shape: [10], values }));
    expect(lossOf([...files, '--weight', path])).toBeCloseTo(expected.weighted, 6);
  });

  test('by group', () => {
    const { groups } = resultOf(...files, '--group-by', 'groups.npy');
    expect(groups).toEqual(
      expected.groups.map((loss: number, group: number) => ({ group, count: 120, loss: near(loss) })),
    );
  });

  test('do not depend on the size of the batches', () => {
    const whole = lossOf(files);
    for (const rows of ['1', '7', '359']) expect(lossOf([...files, '--batch-size', rows])).toBeCloseTo(whole, 15);
    expect(lossOf([...files, '--batch-size', 'auto'])).toBe(whole);
  });
});

describe('several devices', () => {
  test('give what one gives, files and all', () => {
    const outputs = (name: string): string[] => [
      ...[
        '--per-sample',
        join(scratch.path, `${name}-losses.npy`),
        '--gradient',
        join(scratch.path, `${name}-gradient.npy`),
      ],
      ...['--weight', 'weight.npy', '--group-by', 'groups.npy', '--batch-size', '50'],
    ];
    const { run: one, ...alone } = resultOf(...files, ...outputs('one'), '--device', 'cpu');
    const { run: three, ...shared } = resultOf(...files, ...outputs('three'), '--device', 'cpu,cpu,cpu');
    expect(shared).toEqual(alone);
    expect([one.device, three.device]).toEqual(['cpu', 'cpu, cpu, cpu']);
    for (const kind of ['losses', 'gradient']) {
      expect(readFileSync(join(scratch.path, `three-${kind}.npy`))).toEqual(
        readFileSync(join(scratch.path, `one-${kind}.npy`)),
      );
    }
  });

  test('give what one gives where rows wait for others', () => {
    const path = join(scratch.path, 'target.npy');
    const args = ['--loss', 'mse', '--input', 'logits.npy', '--target', path];
    writeFileSync(path, npy({ kind: 'f4', shape: [360, 10], values: Array.from({ length: 3600 }, (_, i) => i % 7) }));
    const outcomes = ['cpu', 'cpu,cpu'].map((devices) =>
      evaluate([...args, '--batch-size', '100', '--quiet', '--device', devices]),
    );
    expect(outcomes[0]).toMatchObject({ status: 0, stderr: '' });
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});
