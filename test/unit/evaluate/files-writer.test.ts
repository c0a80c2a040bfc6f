/** The .npy files that are written: read back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { type NpyWriterOptions, writeNpy } from '../../../lib/io/npy-writer';
import { Outputs } from '../../../lib/output/outputs';
import { dtypes } from '../../../lib/types';
import { npy } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder('for each test');
let path: string;
let outputs: Outputs;

beforeEach(() => {
  path = join(here.path, 'x.npy');
  outputs = new Outputs('evaluate');
});
afterEach(() => outputs.discard());

const begun = (options: NpyWriterOptions) => writeNpy(outputs.open("'--per-sample'", path), options);

test.each(dtypes.filter((dtype) => !dtype.startsWith('complex')))('%s comes back', async (dtype) => {
  for (const rowShape of [[], [3], [2, 2], [0]]) {
    const writer = begun({ dtype, rowShape });
    const all = torch.randint(0, 2, [5, ...rowShape]).to(dtype);
    writer.append(all.narrow(0, 0, 2));
    writer.append(all.narrow(0, 2, 0));
    writer.append(all.narrow(0, 2, 3));
    expect(writer.rows).toBe(5);
    writer.finish();
    outputs.finish();
    const source = await openArray(path);
    expect(source).toMatchObject({ dtype: dtype === 'bfloat16' ? 'float32' : dtype, rowShape, rows: 5 });
    expect((await source.read(9))?.toArray()).toEqual(all.toArray());
    source.close();
  }
});

test('is what NumPy writes but for the padding of the header', () => {
  const writer = begun({ dtype: 'float32', rowShape: [2] });
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
  outputs.finish();
  const expected = npy({ kind: 'f4', shape: [3, 2], values: [1, 2, 3, 4, 5, 6] });
  const text = (bytes: Buffer): string => bytes.subarray(10, -24).toString().trim();
  const written = readFileSync(path);
  expect(text(written)).toBe(text(expected));
  expect(written.subarray(-24)).toEqual(expected.subarray(-24));
  expect((written.length - 24) % 64).toBe(0);
});

test('no rows', async () => {
  begun({ dtype: 'int64', rowShape: [4] }).finish();
  outputs.finish();
  const source = await openArray(path);
  expect(source).toMatchObject({ dtype: 'int64', rowShape: [4], rows: 0 });
  source.close();
});

test('until it is finished its header has no rows', async () => {
  const writer = begun({ dtype: 'int8', rowShape: [] });
  writer.append(torch.tensor([1, 2], { dtype: 'int8' }));
  outputs.finish();
  await expect(openArray(path)).rejects.toThrow('2 bytes follow the data of the array');
  const closed = `expected ${path} to be open, but received a file that was finished or discarded`;
  expect(() => writer.append(torch.tensor([1], { dtype: 'int8' }))).toThrow(closed);
  expect(() => writer.finish()).toThrow(closed);
});

test.each<[string, unknown, string]>([
  ['no options', undefined, "expected option 'rowShape' to be an array of sizes, but received undefined"],
  ['no dtype', { rowShape: [] }, "expected option 'dtype' to be one of"],
  ['a negative size', { dtype: 'int8', rowShape: [-1] }, "expected option 'rowShape' to be an array of sizes"],
  ['an unknown option', { dtype: 'int8', rowShape: [], shape: [] }, "unknown option 'shape'"],
])('misuse: %s', (_, options, message) => {
  expect(() => begun(options as NpyWriterOptions)).toThrow(`writeNpy: ${message}`);
});

test('rows that do not fit', () => {
  const writer = begun({ dtype: 'float32', rowShape: [2] });
  const what = "append: expected 'tensor' to be float32 of shape [rows, 2], but received";
  const rows = (data: torch.Tensor) => () => writer.append(data);
  expect(rows(torch.zeros([2]))).toThrow(`${what} float32 of shape [2]`);
  expect(rows(torch.zeros([2, 3]))).toThrow(`${what} float32 of shape [2, 3]`);
  expect(rows(torch.zeros([]))).toThrow(`${what} float32 of shape []`);
  expect(rows(torch.zeros([2, 2], { dtype: 'float64' }))).toThrow(`${what} float64 of shape [2, 2]`);
  expect(rows([[1, 2]] as unknown as torch.Tensor)).toThrow(`${what} an array of length 1`);
});
