/** What `libtorch-losses evaluate` refuses, and what it says then. */
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npy } from '../../support/arrays';
import { crossEntropy, digits, evaluate, expected, files } from '../../support/evaluate-command';
import { folder } from '../../support/folder';

jest.setTimeout(120_000);

const scratch = folder('for each test');

describe('refusals', () => {
  /** What an evaluation that must fail says; no file may be left. */
  function failure(status: number, args: readonly string[], input?: Buffer): string {
    const before = readdirSync(scratch.path);
    const outputs = ['losses.npy', 'gradient.npy', 'report.html'].map((name) => join(scratch.path, name)) as [
      string,
      string,
      string,
    ];
    const all = [...crossEntropy, ...args, '--per-sample', outputs[0], '--report', outputs[2]];
    const outcome = evaluate([...all, ...(input === undefined ? ['--gradient', outputs[1]] : []), '--quiet'], input);
    expect(outcome).toMatchObject({ status, stdout: '' });
    expect(readdirSync(scratch.path)).toEqual(before);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    return outcome.stderr;
  }

  function broken(name: string, bytes: Buffer): string {
    writeFileSync(join(scratch.path, name), bytes);
    return join(scratch.path, name);
  }

  const logits = readFileSync(join(digits, 'logits.npy'));

  test('a file that is cut off', () => {
    for (const length of [3, 70, 1000, logits.length - 1]) {
      const path = broken('cut.npy', logits.subarray(0, length));
      expect(failure(1, ['--input', path, '--target', 'labels.npy'])).toContain(path);
    }
  });

  test('a stream that is cut off', () => {
    const message = failure(1, ['--input', '-', '--target', 'labels.npy'], logits.subarray(0, logits.length - 1));
    expect(message).toContain('standard input');
  });

  test('a file that does not exist, and one that is none', () => {
    expect(failure(1, ['--input', 'no.npy', '--target', 'labels.npy'])).toBe('no.npy: the file does not exist\n');
    expect(failure(1, ['--input', 'expected.json', '--target', 'labels.npy'])).toContain('expected.json');
    expect(failure(1, ['--input', 'no-*.npy', '--target', 'labels.npy'])).toContain('no file matches the pattern');
    expect(failure(1, ['--input', 'digits.npz:none', '--target', 'labels.npy'])).toContain('"logits"');
  });

  test('a label out of range, by its index in the data', () => {
    const values = Array.from({ length: expected.rows }, (_, i) => (i === 333 ? 10 : 0));
    const path = broken('labels.npy', npy({ kind: 'i8', shape: [expected.rows], values }));
    const message = failure(1, ['--input', 'logits.npy', '--target', path, '--batch-size', '100']);
    expect(message).toContain(path);
    expect(message).toContain('[0, 10)');
    expect(message).toContain('received 10 at index 333');
  });

  test('targets, groups of another length', () => {
    const path = broken('short.npy', npy({ kind: 'i8', shape: [4], values: [0, 1, 2, 3] }));
    expect(failure(1, ['--input', 'logits.npy', '--target', path])).toBe(
      `${path}: has 4 rows, but logits.npy has 360\n`,
    );
    expect(failure(1, [...files, '--group-by', path])).toContain(`${path}: has 4 rows`);
    const raw = ['--input', '-', '--stdin-dtype', 'float32', '--stdin-row', '10', '--target', path];
    const stream = failure(1, raw, logits.subarray(logits.length - expected.rows * 40));
    expect(stream).toBe(`${path}: ends after 4 rows, before the others\n`);
  });

  test('groups that are not integers', () => {
    const values = Array.from({ length: expected.rows }, (_, i) => i / 2);
    const path = broken('groups.npy', npy({ kind: 'f4', shape: [expected.rows], values }));
    expect(failure(1, [...files, '--group-by', path])).toContain('0.5 at index 1');
  });

  test('a place that cannot be written to', () => {
    const path = join(scratch.path, 'no', 'losses.npy');
    for (const flag of ['--per-sample', '--gradient', '--report']) {
      const outcome = evaluate([...crossEntropy, ...files, flag, path, '--quiet']);
      expect(outcome).toMatchObject({ status: 2, stdout: '' });
      expect(outcome.stderr).toContain(`expected '${flag}' to be in an existing folder`);
      expect(outcome.stderr).toContain(`make it with mkdir -p ${JSON.stringify(join(scratch.path, 'no'))}`);
    }
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  test('each output over an input, another output or a link', () => {
    const [input, link] = [broken('input.npy', logits), join(scratch.path, 'link.npy')];
    symlinkSync(input, link);
    const bytes = readdirSync(scratch.path);
    for (const flag of ['--per-sample', '--gradient', '--report']) {
      for (const path of [input, link]) {
        const given = ['--input', input, '--target', 'labels.npy', flag, path, '--quiet'];
        expect(evaluate([...crossEntropy, ...given])).toMatchObject({ status: 2, stdout: '' });
      }
    }
    const twice = ['--per-sample', join(scratch.path, 'p'), '--gradient', `${scratch.path}/./p`];
    const { status, stderr } = evaluate([...crossEntropy, ...files, ...twice]);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('each output') });
    expect(readdirSync(scratch.path)).toEqual(bytes);
    expect(readFileSync(input)).toEqual(logits);
  });

  test.each([
    ['no loss', files, "'--loss'"],
    ['an unknown loss', ['--loss', 'cross-entrpy', ...files], 'crossEntropy'],
    ['no input', [...crossEntropy, '--target', 'labels.npy'], "'--input'"],
    ['no target', [...crossEntropy, '--input', 'logits.npy'], "'--target'"],
    ['an unknown flag', [...crossEntropy, ...files, '--batchsize', '7'], '--batch-size'],
    ['a batch size of 0', [...crossEntropy, ...files, '--batch-size', '0'], "'--batch-size'"],
    ['an unknown dtype', [...crossEntropy, ...files, '--dtype', 'float'], "'--dtype'"],
    ['a dtype of integers', [...crossEntropy, ...files, '--dtype', 'int64'], "'--dtype'"],
    ['one stream for two arrays', [...crossEntropy, '--input', '-', '--target', '-'], "expected '-' to be given once"],
    [
      'the gradient of the mean of a stream',
      [...crossEntropy, '--input', '-', '--target', 'labels.npy', '--gradient', 'no.npy'],
      "'--gradient' to come with '--reduction sum'",
    ],
    [
      'an output over an input',
      [...crossEntropy, ...files, '--per-sample', './labels.npy'],
      "'--per-sample' to be another",
    ],
    [
      'an output over a weight',
      [...crossEntropy, ...files, '--weight', 'weight.npy', '--gradient', 'weight.npy'],
      "'--gradient'",
    ],
    [
      'an output over a match',
      [...crossEntropy, '--input', 'logi*.npy', '--target', 'labels.npy', '--gradient', 'logits.npy'],
      "'--gradient'",
    ],
    ['an unknown device', [...crossEntropy, ...files, '--device', 'gpu'], "'--device'"],
    ['an unknown device beside a known one', [...crossEntropy, ...files, '--device', 'cpu,gpu'], 'several with commas'],
    ['an unknown reduction', [...crossEntropy, ...files, '--reduction', 'none'], "'--reduction'"],
    ['a reduction of another loss', [...crossEntropy, ...files, '--reduction', 'batchmean'], "'reduction'"],
    ['an option without value', [...crossEntropy, ...files, '--option', 'weight'], "'--option'"],
    ['an unknown option', [...crossEntropy, ...files, '--option', 'labelsmoothing=0.1'], 'labelSmoothing'],
    ['an option out of range', [...crossEntropy, ...files, '--option', 'labelSmoothing=2'], 'labelSmoothing'],
    ['an unknown argument', [...crossEntropy, ...files, '--argument', 'variance=x.npy'], "'--argument'"],
    ['half of what raw input needs', [...crossEntropy, ...files, '--stdin-row', '10'], '--stdin-dtype'],
    ['one file for two outputs', [...crossEntropy, ...files, '--per-sample', 'a', '--report', 'a'], 'each output'],
    ['a word too many', [...crossEntropy, ...files, 'more'], "'more'"],
  ])('%s ends with 2', (_, args, phrase) => {
    const outcome = evaluate(args);
    expect(outcome).toMatchObject({ status: 2, stdout: '' });
    expect(outcome.stderr).toContain(phrase);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
  });
});
