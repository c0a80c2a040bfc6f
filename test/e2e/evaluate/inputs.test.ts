/** The files and streams that `libtorch-losses evaluate` reads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npy, npyDictionary, npyStart } from '../../support/arrays';
import { crossEntropy, digits, evaluate, expected, files, lossOf, resultOf } from '../../support/evaluate-command';
import { folder } from '../../support/folder';

jest.setTimeout(120_000);

const scratch = folder('for each test');

describe('input', () => {
  test.each([
    [
      '.npz, deflated, in Fortran order, labels of 8 bits',
      ['--input', 'digits.npz:logits', '--target', 'digits.npz:labels'],
    ],
    ['.safetensors', ['--input', 'digits.safetensors:logits', '--target', 'digits.safetensors:labels']],
    ['of different formats', ['--input', 'digits.safetensors:logits', '--target', 'labels.npy']],
  ])('%s', (_, args) => {
    expect(lossOf(args)).toBe(lossOf(files));
  });

  test('.safetensors of bfloat16', () => {
    const args = ['--input', 'digits.safetensors:logits_bf16', '--target', 'labels.npy', '--dtype', 'float64'];
    expect(lossOf(args)).toBeCloseTo(expected.bfloat16, 12);
  });

  test('shards, by pattern and one by one', () => {
    const bytes = readFileSync(join(digits, 'logits.npy'));
    const elements = bytes.subarray(bytes.length - expected.rows * 40);
    const cuts = [0, 100, 107, expected.rows];
    for (let i = 0; i < 3; i++) {
      const [from, to] = [cuts[i] as number, cuts[i + 1] as number];
      const start = npyStart(npyDictionary("'<f4'", [to - from, 10]));
      writeFileSync(
        join(scratch.path, `shard-${9 + i}.npy`),
        Buffer.concat([start, elements.subarray(from * 40, to * 40)]),
      );
    }
    const target = ['--target', 'labels.npy'];
    const whole = lossOf(files);
    expect(lossOf(['--input', join(scratch.path, 'shard-*.npy'), ...target])).toBeCloseTo(whole, 15);
    const each = [9, 10, 11].flatMap((i) => ['--input', join(scratch.path, `shard-${i}.npy`)]);
    expect(lossOf([...each, ...target])).toBeCloseTo(whole, 15);
  });

  test('of several dtypes is computed in the one that holds them all', () => {
    const values = Array.from({ length: expected.rows * 10 }, (_, i) => (i % 7) / 3);
    const target = join(scratch.path, 'target.npy');
    writeFileSync(target, npy({ kind: 'f8', shape: [expected.rows, 10], values }));
    const losses = join(scratch.path, 'losses.npy');
    const args = ['--loss', 'mse', '--input', 'logits.npy', '--target', target, '--quiet'];
    const plain = evaluate(args);
    const written = evaluate([...args, '--per-sample', losses, '--gradient', join(scratch.path, 'gradient.npy')]);
    expect(plain).toMatchObject({ status: 0, stderr: '' });
    expect(written).toEqual(plain);
    expect(readFileSync(losses, 'latin1')).toContain("'descr': '<f8'");
  });

  test('without rows has no loss, and with NaN the loss is NaN; neither is an error', () => {
    const [input, target] = [join(scratch.path, 'input.npy'), join(scratch.path, 'target.npy')];
    writeFileSync(input, npy({ kind: 'f4', shape: [0, 10], values: [] }));
    writeFileSync(target, npy({ kind: 'i8', shape: [0], values: [] }));
    const none = evaluate([...crossEntropy, '--input', input, '--target', target]);
    expect(none).toMatchObject({ status: 0, stdout: expect.stringContaining('No samples') });
    writeFileSync(input, npy({ kind: 'f4', shape: [2, 2], values: [1, Number.NaN, 1, 2] }));
    writeFileSync(target, npy({ kind: 'u1', shape: [2], values: [0, 1] }));
    const odd = resultOf('--input', input, '--target', target);
    expect(odd).toMatchObject({ loss: 'NaN', count: 2, nan: 1, worst: [{ index: 0, loss: 'NaN' }, { index: 1 }] });
  });

  test('standard input: .npy, and raw elements', () => {
    const bytes = readFileSync(join(digits, 'logits.npy'));
    const args = ['--input', '-', '--target', 'labels.npy'];
    expect(lossOf(args, bytes)).toBe(lossOf(files));
    const raw = bytes.subarray(bytes.length - expected.rows * 40);
    expect(lossOf([...args, '--stdin-dtype', 'float32', '--stdin-row', '10'], raw)).toBe(lossOf(files));
  });
});
