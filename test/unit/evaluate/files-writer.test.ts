/** The .npy files that are written: read back, complete or not there. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { type NpyWriterOptions, writeNpy } from '../../../lib/evaluate/files/npy-writer';
import { openArray } from '../../../lib/evaluate/files/open';
import { dtypes } from '../../../lib/types';
import { npy } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder('for each test');
let path: string;

beforeEach(() => {
  path = join(here.path, 'x.npy');
});

test.each(dtypes)('%s comes back', async (dtype) => {
  for (const rowShape of [[], [3], [2, 2], [0]]) {
    const writer = writeNpy(path, { dtype, rowShape });
    const all = torch.randint(0, 2, [5, ...rowShape]).to(dtype);
    writer.append(all.narrow(0, 0, 2));
    writer.append(all.narrow(0, 2, 0));
    writer.append(all.narrow(0, 2, 3));
    expect(writer.rows).toBe(5);
    writer.finish();
    const source = await openArray(path);
    expect(source).toMatchObject({ dtype: dtype === 'bfloat16' ? 'float32' : dtype, rowShape, rows: 5 });
    expect((await source.read(9))?.toArray()).toEqual(all.toArray());
    source.close();
  }
});

test('is what NumPy writes but for the padding of the header', () => {
  const writer = writeNpy(path, { dtype: 'float32', rowShape: [2] });
  writer.append(
    torch
      .tensor([
        [1, 2],
        [3, 4],
      ])
      .t()
      .contiguous()
      .t(),
  );
  writer.append(torch.tensor([[5, 6]], { requiresGrad: true }));
  writer.finish();
  const expected = npy({ kind: 'f4', shape: [3, 2], values: [1, 2, 3, 4, 5, 6] });
  const text = (bytes: Buffer): string => bytes.subarray(10, -24).toString().trim();
  const written = readFileSync(path);
  expect(text(written)).toBe(text(expected));
  expect(written.subarray(-24)).toEqual(expected.subarray(-24));
  expect((written.length - 24) % 64).toBe(0);
});

test('no rows', async () => {
  writeNpy(path, { dtype: 'int64', rowShape: [4] }).finish();
  const source = await openArray(path);
  expect(source).toMatchObject({ dtype: 'int64', rowShape: [4], rows: 0 });
  source.close();
});

test('until it is finished there is a partial file only, with no rows in its header', async () => {
  writeFileSync(path, 'the old one');
  const writer = writeNpy(path, { dtype: 'int8', rowShape: [] });
  writer.append(torch.tensor([1, 2], { dtype: 'int8' }));
  expect(readdirSync(here.path).sort()).toEqual(['x.npy', 'x.npy.partial']);
  expect(readFileSync(path, 'utf8')).toBe('the old one');
  await expect(openArray(`${path}.partial`)).rejects.toThrow('2 bytes follow the data of the array');
  writer.finish();
  expect(readdirSync(here.path)).toEqual(['x.npy']);
  writer.discard();
  expect(existsSync(path)).toBe(true);
});

test('what is discarded is gone', () => {
  const writer = writeNpy(path, { dtype: 'int8', rowShape: [] });
  writer.append(torch.tensor([1, 2], { dtype: 'int8' }));
  writer.discard();
  writer.discard();
  expect(readdirSync(here.path)).toEqual([]);
  const closed = `expected ${path} to be open, but received a file that was finished or discarded`;
  expect(() => writer.append(torch.tensor([1], { dtype: 'int8' }))).toThrow(`append: ${closed}`);
  expect(() => writer.finish()).toThrow(`finish: ${closed}`);
});

test('a place that cannot be written to', () => {
  const nowhere = join(here.path, 'missing', 'x.npy');
  expect(() => writeNpy(nowhere, { dtype: 'int8', rowShape: [] })).toThrow(`${nowhere}: cannot be written: ENOENT`);
});

test.each<[string, unknown, unknown, string]>([
  ['an empty path', '', { dtype: 'int8', rowShape: [] }, `expected 'path' to be a path, but received ""`],
  ['no options', 'x', undefined, "expected option 'rowShape' to be an array of sizes, but received undefined"],
  ['no dtype', 'x', { rowShape: [] }, "expected option 'dtype' to be one of"],
  ['a negative size', 'x', { dtype: 'int8', rowShape: [-1] }, "expected option 'rowShape' to be an array of sizes"],
  ['an unknown option', 'x', { dtype: 'int8', rowShape: [], shape: [] }, "unknown option 'shape'"],
])('misuse: %s', (_, path, options, message) => {
  expect(() => writeNpy(path as string, options as NpyWriterOptions)).toThrow(`writeNpy: ${message}`);
});

test('rows that do not fit', () => {
  const writer = writeNpy(path, { dtype: 'float32', rowShape: [2] });
  const what = "append: expected 'tensor' to be float32 of shape [rows, 2], but received";
  const rows = (data: torch.Tensor) => () => writer.append(data);
  expect(rows(torch.zeros([2]))).toThrow(`${what} float32 of shape [2]`);
  expect(rows(torch.zeros([2, 3]))).toThrow(`${what} float32 of shape [2, 3]`);
  expect(rows(torch.zeros([]))).toThrow(`${what} float32 of shape []`);
  expect(rows(torch.zeros([2, 2], { dtype: 'float64' }))).toThrow(`${what} float64 of shape [2, 2]`);
  expect(rows([[1, 2]] as unknown as torch.Tensor)).toThrow(`${what} an array of length 1`);
  writer.discard();
});
