/** Streams, patterns and lists of files, and the refusal of what is not a spec. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { type OpenArrayOptions, openArray } from '../../../lib/evaluate/files/open';
import { naturalOrder } from '../../../lib/evaluate/files/spec';
import type { ArraySource } from '../../../lib/evaluate/source';
import { elementBytes, npy, npz } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

quietly();

const here = folder('for each test');

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(source: ArraySource, block: number): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let next = await source.read(block); next !== undefined; next = await source.read(block)) {
    expect(next.shape[0]).toBeLessThanOrEqual(block);
    rows.push(...(next.toArray() as unknown as unknown[]));
  }
  source.close();
  return rows;
}

const values = [1, 2, 3, 4, 5, 6];
const rows = [
  [1, 2],
  [3, 4],
  [5, 6],
];
const array = npy({ kind: 'f4', shape: [3, 2], values });

describe('streams', () => {
  const open = (bytes: Buffer, size: number, options: OpenArrayOptions = {}): Promise<ArraySource> =>
    openArray('-', { input: chunks(bytes, size), ...options });

  test('in .npy format, in chunks of any size', async () => {
    for (const size of [1, 5, 64, 1000]) {
      for (const block of [1, 2, 7]) {
        const source = await open(array, size);
        expect(source).toMatchObject({ name: 'the stream', rows: 3, rowShape: [2], dtype: 'float32' });
        expect(await readAll(source, block)).toEqual(rows);
      }
    }
    const big = npy({ kind: 'u2', shape: [2, 2], values: [1, 65535, 3, 4], bigEndian: true });
    expect(await readAll(await open(big, 3), 1)).toEqual([
      [1, 65535],
      [3, 4],
    ]);
    expect(await readAll(await open(npy({ kind: 'f4', shape: [0, 2], values: [] }), 9), 1)).toEqual([]);
  });

  test('of raw elements, whose number nobody knows', async () => {
    for (const size of [1, 3, 100]) {
      const source = await open(elementBytes('f4', values), size, { dtype: 'float32', rowShape: [2] });
      expect(source).toMatchObject({ rows: undefined, rowShape: [2], dtype: 'float32' });
      expect(await readAll(source, 2)).toEqual(rows);
    }
    const halves = await open(elementBytes('bf', values), 5, { dtype: 'bfloat16', rowShape: [] });
    expect(await readAll(halves, 4)).toEqual(values);
    const flags = await open(Buffer.of(0, 1, 2), 5, { dtype: 'bool', rowShape: [] });
    expect(await readAll(flags, 4)).toEqual([false, true, true]);
    expect(await readAll(await open(Buffer.alloc(0), 5, { dtype: 'bool', rowShape: [] }), 4)).toEqual([]);
    // What begins as a .npy file is one, whatever was said about raw elements.
    expect(await readAll(await open(array, 5, { dtype: 'bool', rowShape: [] }), 4)).toEqual(rows);
  });

  test.each<[string, Buffer, OpenArrayOptions, string]>([
    ['nothing', Buffer.alloc(0), {}, 'the stream: is empty'],
    ['no format', Buffer.from('hello'), {}, 'the stream: is not in .npy format, and no dtype and row shape were given'],
    [
      'cut in a row',
      elementBytes('f4', [1, 2, 3]),
      { dtype: 'float32', rowShape: [2] },
      'the stream, byte 12: ends 4 bytes into row 1; a row has 8 bytes',
    ],
    [
      'cut in the data',
      array.subarray(0, 140),
      {},
      'the stream, byte 140: expected 24 bytes of data for <f4 of shape [3, 2], but received 12',
    ],
    ['more behind', Buffer.concat([array, array]), {}, 'the stream, byte 152: more bytes follow the data of the array'],
    [
      'Fortran order',
      npy({ kind: 'f4', shape: [3, 2], values, fortranOrder: true }),
      {},
      'the stream: has an array in Fortran order, which a stream cannot give by rows; read it from a file',
    ],
  ])('%s', async (_, bytes, options, message) => {
    const reading = (async () => readAll(await open(bytes, 7, options), 2))();
    await expect(reading).rejects.toMatchObject({ code: 'BAD_DATA', message });
  });

  test('that fail, or give text', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield array.subarray(0, 130);
      throw new Error('connection lost');
    }
    const source = await openArray('-', { input: failing() });
    await expect(source.read(1)).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: 'the stream: cannot be read: connection lost',
    });
    async function* text(): AsyncGenerator<Uint8Array> {
      yield 'text' as unknown as Uint8Array;
    }
    await expect(openArray('-', { input: text() })).rejects.toThrow('gives text, where bytes are needed');
  });

  test('a pipe with a name', async () => {
    if (process.platform === 'win32') return;
    const path = here.file('x.npy', array);
    const pipe = join(here.path, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const copy = spawn('cp', [path, pipe]);
    const ended = new Promise((done) => copy.on('close', done));
    const source = await openArray(pipe);
    await ended;
    expect(await readAll(source, 2)).toEqual(rows);
  });
});

describe('several files', () => {
  const shard = (...numbers: number[]): Buffer => npy({ kind: 'f4', shape: [numbers.length], values: numbers });

  test('a pattern, in natural order', async () => {
    for (const [name, ...numbers] of [['shard-10', 6], ['shard-2', 2, 3], ['shard-9'], ['shard-1', 1]] as const) {
      here.file(`${name}.npy`, shard(...numbers));
    }
    here.file('shard-3.npz', npz({ x: shard(9) }));
    const pattern = join(here.path, 'shard-*.npy');
    for (const block of [1, 2, 3, 10]) {
      const source = await openArray(pattern);
      expect(source).toMatchObject({ name: pattern, rows: 4, rowShape: [], dtype: 'float32' });
      expect(await readAll(source, block)).toEqual([1, 2, 3, 6]);
    }
    const source = await openArray(pattern);
    expect((await source.read(3))?.toArray()).toEqual([1, 2, 3]);
    source.close();
  });

  test('a list, in its own order, with members', async () => {
    const list = [here.file('b.npy', shard(1, 2)), `${here.file('a.npz', npz({ x: shard(3), y: shard(4) }, 8))}:y`];
    const source = await openArray(list);
    expect(source).toMatchObject({ name: `${list[0]} and 1 more`, rows: 3 });
    expect(await readAll(source, 5)).toEqual([1, 2, 4]);
    for (const name of ['m-1.npz', 'm-2.npz']) here.file(name, npz({ x: shard(3), y: shard(4, 5) }));
    expect(await readAll(await openArray(`${join(here.path, 'm-*.npz')}:y`), 3)).toEqual([4, 5, 4, 5]);
  });

  test('the tensors in between are given back', async () => {
    const before = torch.memory().tensors;
    const source = await openArray([here.file('1.npy', shard(1)), here.file('2.npy', shard(2))]);
    (await source.read(2))?.dispose();
    source.close();
    expect(torch.memory().tensors).toBeLessThanOrEqual(before);
  });

  test('a file whose name looks like a pattern or a member', async () => {
    expect(await readAll(await openArray(here.file('x[1].npy', shard(7))), 1)).toEqual([7]);
    expect(await readAll(await openArray(here.file('x.npz:y.npy', shard(8))), 1)).toEqual([8]);
  });

  test('must be alike', async () => {
    const [a, b, c] = [
      here.file('a.npy', array),
      here.file('b.npy', npy({ kind: 'f8', shape: [3, 2], values })),
      here.file('c.npy', npy({ kind: 'f4', shape: [2, 3], values })),
    ] as const;
    const first = `but ${a} is float32 with rows of shape [2]`;
    await expect(openArray([a, b])).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: `${b}: is float64 with rows of shape [2], ${first}`,
    });
    await expect(openArray([a, a, c])).rejects.toThrow(`${c}: is float32 with rows of shape [3], ${first}`);
  });

  test('must not change meanwhile', async () => {
    const [a, b] = [here.file('a.npy', shard(1)), here.file('b.npy', shard(2))];
    const source = await openArray([a, b]);
    here.file('b.npy', shard(2, 3));
    await expect(source.read(2)).rejects.toThrow(/b\.npy: had \d+ bytes when it was opened, and now has \d+$/);
    source.close();
  });

  test('must be there', async () => {
    const pattern = join(here.path, '*.npy');
    await expect(openArray(pattern)).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: `${pattern}: no file matches the pattern`,
    });
  });

  test('natural order', () => {
    const names = ['a10', 'a2', 'a02', 'b1', 'a1', 'A2'];
    expect(names.sort(naturalOrder)).toEqual(['a1', 'a02', 'a2', 'A2', 'a10', 'b1']);
  });
});

test('files of other names are known by their first bytes', async () => {
  expect(await readAll(await openArray(here.file('logits', array)), 3)).toEqual(rows);
  expect(await readAll(await openArray(here.file('archive.zip', npz({ x: array }))), 3)).toEqual(rows);
});

test.each<[unknown, unknown, string]>([
  ['', undefined, `expected 'spec' to be the path of an array, or a list of them, but received ""`],
  [7, undefined, `expected 'spec' to be the path of an array, or a list of them, but received 7`],
  [
    'x.npy:a',
    undefined,
    `expected 'spec' to name no member of a .npy file, which holds one array, but received "x.npy:a"`,
  ],
  ['x.npz:', undefined, `expected 'spec' to have a name behind the colon, but received "x.npz:"`],
  [['-', 'x.npy'], undefined, `expected 'spec' to be '-' alone, but received a list of 2`],
  [
    'x.npy',
    { dtype: 'float32' },
    `expected option 'dtype' to be absent unless the spec is '-', but received "float32"`,
  ],
  ['-', { dtype: 'float32' }, `expected option 'rowShape' to be given with option 'dtype', but received undefined`],
  ['-', { rowShape: [2] }, `expected option 'dtype' to be given with option 'rowShape', but received undefined`],
  ['-', { dtype: 'float31', rowShape: [] }, `expected option 'dtype' to be one of`],
  ['-', { dtype: 'float32', rowShape: [2, 0] }, `expected option 'rowShape[1]' to be an integer >= 1, but received 0`],
  ['-', { dtype: 'float32', rowShape: 2 }, `expected option 'rowShape' to be an array of sizes, but received 2`],
  ['-', { shape: [2] }, `unknown option 'shape'`],
])('misuse: %j %j', async (spec, options, message) => {
  const opening = openArray(spec as string, options as OpenArrayOptions);
  await expect(opening).rejects.toThrow(`openArray: ${message}`);
});
