/** What `libtorch-losses evaluate` prints and writes. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  crossEntropy,
  digits,
  env,
  evaluate,
  expected,
  files,
  lossOf,
  main,
  near,
  readNpy,
} from '../../support/evaluate-command';
import { folder } from '../../support/folder';
import { testWhere } from '../../support/where';

jest.setTimeout(120_000);

const scratch = folder('for each test');

describe('output', () => {
  test('a table for people, without progress in it', () => {
    const { status, stdout } = evaluate([...crossEntropy, ...files]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^crossEntropy 0\.353212\nMean of 360 losses\n/);
    for (const text of ['89.72 %', '99.17 %', '1.42363', '3.35 %', 'class']) expect(stdout).toContain(text);
    expect(stdout).not.toContain('evaluating');
  });

  test('a page, and where it is', () => {
    mkdirSync(join(scratch.path, 'deeper'));
    const page = join(scratch.path, 'deeper', 'report.html');
    const { status, stdout } = evaluate([...crossEntropy, ...files, '--report', page]);
    expect(status).toBe(0);
    expect(stdout).toContain(`The page is ${page}`);
    const text = readFileSync(page, 'utf8');
    for (const phrase of ['<!doctype html>', '89.72 %', '<svg', 'labels.npy']) expect(text).toContain(phrase);
    expect(readdirSync(join(scratch.path, 'deeper'))).toEqual(['report.html']);
  });

  test('each loss, as NumPy reads it', () => {
    const path = join(scratch.path, 'losses.npy');
    lossOf([...files, '--per-sample', path, '--batch-size', '7']);
    const { header, elements } = readNpy(path);
    expect(header).toContain("'descr': '<f4', 'fortran_order': False, 'shape': (360,)");
    expect([...elements]).toEqual(expected.losses.map(near));
    expect(readdirSync(scratch.path)).toEqual(['losses.npy']);
  });

  test.each([['auto'], ['7']])('the gradient of the weighted, smoothed mean, in batches of %s', (rows) => {
    const path = join(scratch.path, 'gradient.npy');
    const options = ['--weight', 'weight.npy', '--option', 'labelSmoothing=0.1'];
    lossOf([...files, ...options, '--gradient', path, '--batch-size', rows]);
    const { header, elements } = readNpy(path);
    expect(header).toContain("'shape': (360, 10)");
    const squares = elements.reduce((sum, element) => sum + element ** 2, 0);
    expect(squares / expected.gradient['sum of squares']).toBeCloseTo(1, 5);
    for (const [row, column, value] of expected.gradient.elements) {
      expect(elements[row * 10 + column]).toBeCloseTo(value, 9);
    }
  });
});

describe('several at once', () => {
  test('to one output do not meet', async () => {
    const path = join(scratch.path, 'losses.npy');
    const args = [main, 'evaluate', ...crossEntropy, ...files, '--per-sample', path, '--quiet'];
    const ended = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, args, { env, cwd: digits });
      return new Promise((done) => child.on('close', done));
    });
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
    expect([...readNpy(path).elements]).toEqual(expected.losses.map(near));
    expect(readdirSync(scratch.path)).toEqual(['losses.npy']);
  });
});

testWhere(process.platform === 'linux', 'prlimit belongs to Linux')('an output beyond the limit of files', () => {
  const [losses, gradient] = [join(scratch.path, 'losses.npy'), join(scratch.path, 'gradient.npy')];
  const args = [main, 'evaluate', ...crossEntropy, ...files, '--per-sample', losses, '--gradient', gradient];
  const options = { encoding: 'utf8', env, cwd: digits } as const;
  const { status, stderr } = spawnSync('prlimit', ['--fsize=8192', process.execPath, ...args, '--quiet'], options);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `${gradient}: cannot be written: EFBIG: file too large, write\n`,
  });
  expect(readdirSync(scratch.path)).toEqual([]);
});
