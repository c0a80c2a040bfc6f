/** Every format, element type, order and byte order, read in blocks of several sizes. */
import * as torch from '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import type { ArraySource } from '../../../lib/evaluate/source';
import { bfloat16, elementBytes, type Kind, kinds, npy, npyStart, npz, safetensors } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder();

/** All rows as plain values, in C order. */
async function readAll(source: ArraySource, block: number): Promise<unknown[]> {
  const values: unknown[] = [];
  for (;;) {
    const rows = await source.read(block);
    if (rows === undefined) break;
    expect(rows.dtype).toBe(source.dtype);
    expect(rows.shape.slice(1)).toEqual(source.rowShape);
    expect(rows.shape[0]).toBeLessThanOrEqual(block);
    expect(rows.isContiguous()).toBe(true);
    values.push(...(rows.toArray() as unknown[]).flat(Number.POSITIVE_INFINITY));
    rows.dispose();
  }
  expect(await source.read(1)).toBeUndefined();
  source.close();
  return values;
}

/** What `toArray` gives for the values of a kind. */
function asRead({ kind }: Kind, values: readonly (number | bigint)[]): unknown[] {
  return values.map((value) => {
    if (kind === 'b1') return value !== 0;
    return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  });
}

const shapes = [[7], [5, 3], [4, 2, 3], [1, 6], [6, 1]];

async function expectRows(kind: Kind, spec: string, shape: readonly number[], values: readonly (number | bigint)[]) {
  for (const block of [1, 2, 3, 100]) {
    const source = await openArray(spec);
    expect(source).toMatchObject({ dtype: kind.dtype, rowShape: shape.slice(1), rows: shape[0] });
    expect(await readAll(source, block)).toEqual(asRead(kind, values));
  }
}

describe.each(kinds)('$kind', (kind) => {
  const cases = [false, true].flatMap((fortranOrder) =>
    [false, true].map((bigEndian) => ({ fortranOrder, bigEndian })),
  );

  test.each(cases)('.npy, Fortran order $fortranOrder, big-endian $bigEndian', async (order) => {
    for (const [i, shape] of shapes.entries()) {
      const values = kind.values(shape.reduce((a, b) => a * b));
      const version = ((i % 3) + 1) as 1 | 2 | 3;
      await expectRows(
        kind,
        here.file('x.npy', npy({ kind: kind.kind, shape, values, version, ...order })),
        shape,
        values,
      );
    }
  });

  test.each(cases)('.npz, Fortran order $fortranOrder, big-endian $bigEndian', async (order) => {
    for (const shape of [[5, 3], [1, 1], [1, 3], [3, 1], [2]]) {
      const values = kind.values(shape.reduce((a, b) => a * b));
      const content = npy({ kind: kind.kind, shape, values, ...order });
      for (const padding of [0, 1, 2, 3]) {
        await expectRows(kind, here.file('x.npz', npz({ arr_0: content }, 0, padding)), shape, values);
      }
      await expectRows(kind, here.file('x.npz', npz({ arr_0: content }, 8)), shape, values);
    }
  });

  test('.safetensors, aligned or not', async () => {
    const shape = [5, 3];
    const values = kind.values(15);
    const bytes = elementBytes(kind.kind, values);
    for (let padding = 0; padding < 8; padding++) {
      const content = safetensors({ x: { dtype: kind.safetensors, shape, bytes } }, padding);
      await expectRows(kind, here.file('x.safetensors', content), shape, values);
    }
  });
});

test('bfloat16 in .safetensors', async () => {
  const values = bfloat16.values(12);
  const bytes = elementBytes('bf', values);
  const path = here.file('b.safetensors', safetensors({ x: { dtype: 'BF16', shape: [4, 3], bytes } }));
  await expectRows(bfloat16, path, [4, 3], values);
});

test('a chosen member or tensor, with and without .npy', async () => {
  const [a, b] = [
    [1, 2],
    [3, 4, 5],
  ].map((values) => npy({ kind: 'f4', shape: [values.length], values }));
  const archive = here.file('ab.npz', npz({ a: a as Buffer, b: b as Buffer }));
  expect(await readAll(await openArray(`${archive}:b`), 2)).toEqual([3, 4, 5]);
  expect(await readAll(await openArray(`${archive}:a.npy`), 2)).toEqual([1, 2]);
  expect((await openArray(`${archive}:a`)).name).toBe(`${archive}:a`);
  const tensors = here.file(
    'ab.safetensors',
    safetensors({
      'layer.0:bias': { dtype: 'F32', shape: [2], bytes: elementBytes('f4', [1, 2]) },
      empty: { dtype: 'F32', shape: [0, 3], bytes: Buffer.alloc(0) },
      labels: { dtype: 'U8', shape: [3], bytes: Buffer.of(7, 8, 9) },
    }),
  );
  expect(await readAll(await openArray(`${tensors}:layer.0:bias`), 2)).toEqual([1, 2]);
  expect(await readAll(await openArray(`${tensors}:labels`), 2)).toEqual([7, 8, 9]);
  expect(await readAll(await openArray(`${tensors}:empty`), 2)).toEqual([]);
});

test('no rows, and rows without elements', async () => {
  for (const fortranOrder of [false, true]) {
    const none = here.file('none.npy', npy({ kind: 'f4', shape: [0, 3], values: [], fortranOrder }));
    expect(await readAll(await openArray(none), 4)).toEqual([]);
    const hollow = await openArray(
      here.file('hollow.npy', npy({ kind: 'f4', shape: [3, 0], values: [], fortranOrder })),
    );
    expect((await hollow.read(2))?.shape).toEqual([2, 0]);
    expect((await hollow.read(2))?.shape).toEqual([1, 0]);
    expect(await hollow.read(2)).toBeUndefined();
    const packed = here.file('none.npz', npz({ x: npy({ kind: 'f4', shape: [0, 3], values: [], fortranOrder }) }, 8));
    expect(await readAll(await openArray(packed), 4)).toEqual([]);
  }
});

test('dtypes as other programs write them', async () => {
  const data = elementBytes('f4', [1, 2]);
  for (const header of [
    "{'descr':'<f4','fortran_order':False,'shape':(2,)}",
    `{"shape": (2L,), "fortran_order": False, "descr": "=f4"}`,
    "{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}",
  ]) {
    expect(await readAll(await openArray(here.file('o.npy', Buffer.concat([npyStart(header), data]))), 2)).toEqual([
      1, 2,
    ]);
  }
});

test('a bool that is neither 0 nor 1 is true', async () => {
  const content = npy({ kind: 'b1', shape: [4], values: [0, 2, 255, 1] });
  expect(await readAll(await openArray(here.file('bool.npy', content)), 4)).toEqual([false, true, true, true]);
});

test('rows of a file are views of it, stay valid after closing, and never write to it', async () => {
  const path = here.file('view.npy', npy({ kind: 'f4', shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] }));
  const source = await openArray(path);
  const first = (await source.read(2)) as torch.Tensor;
  source.close();
  source.close();
  first.mul_(10);
  expect(first.toArray()).toEqual([
    [10, 20],
    [30, 40],
  ]);
  expect(await readAll(await openArray(path), 4)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  await expect(source.read(1)).rejects.toThrow(
    `read: expected ${path} to be open, but received a source that was closed`,
  );
});

test('a mapped file does not count as memory, and scopes leave sources alone', async () => {
  const before = torch.memory().tensors;
  const values = kinds[1]?.values(64) as number[];
  const source = await openArray(here.file('m.npy', npy({ kind: 'f4', shape: [32, 2], values, fortranOrder: true })));
  await torch.scope(async () => {
    await source.read(8);
  });
  const rest = await torch.scope(async () => await source.read(100));
  expect(rest?.shape).toEqual([24, 2]);
  rest?.dispose();
  source.close();
  expect(torch.memory().tensors).toBeLessThanOrEqual(before);
});

test('reads that do not wait for each other come in order', async () => {
  const source = await openArray(here.file('q.npy', npy({ kind: 'i4', shape: [5], values: [1, 2, 3, 4, 5] })));
  const blocks = await Promise.all([source.read(2), source.read(2), source.read(2), source.read(2)]);
  expect(blocks.map((block) => block?.toArray())).toEqual([[1, 2], [3, 4], [5], undefined]);
  for (const wrong of [0, -1, 1.5, Number.NaN]) {
    await expect(source.read(wrong)).rejects.toThrow("read: expected 'rows' to be an integer >= 1, but received");
  }
  source.close();
});
