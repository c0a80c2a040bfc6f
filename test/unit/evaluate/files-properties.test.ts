/** Whatever the bytes are: rows that the header promises, or an error BAD_DATA. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import type { ArraySource } from '../../../lib/evaluate/source';
import { parsePythonLiteral } from '../../../lib/io/python-literal';
import { kinds, npy, npyStart, npz, safetensors, safetensorsFile } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

const seed = Number(process.env.PROPERTY_SEED ?? 20260613);

quietly();

const here = folder();

async function holds<T>(inputs: fc.Arbitrary<T>, check: (input: T) => Promise<void>, numRuns = 300): Promise<void> {
  await fc.assert(fc.asyncProperty(inputs, check), { seed, numRuns });
}

/** Reads all rows (of empty ones a header may promise any number: no more than some blocks). */
async function readAll(source: ArraySource): Promise<unknown[]> {
  const values: unknown[] = [];
  try {
    for (let blocks = 0; blocks < 40; blocks++) {
      const rows = await source.read(7);
      if (rows === undefined) break;
      expect(rows.dtype).toBe(source.dtype);
      expect(rows.shape).toEqual([rows.shape[0], ...source.rowShape]);
      values.push(...(rows.toArray() as unknown[]).flat(Number.POSITIVE_INFINITY));
      rows.dispose();
    }
    return values;
  } finally {
    source.close();
  }
}

/** The values, or undefined if the bytes were refused as they should be. */
async function readOrRefuse(open: () => Promise<ArraySource>): Promise<unknown[] | undefined> {
  try {
    return await readAll(await open());
  } catch (error) {
    if ((error as { code?: string }).code !== 'BAD_DATA') throw error;
    expect((error as Error).name).toBe('TorchError');
    return undefined;
  }
}

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

let number = 0;

/** A new file each time: the last one may still be mapped. */
async function expectReadable(extension: string, bytes: Uint8Array): Promise<void> {
  const path = join(here.path, `${number++}.${extension}`);
  writeFileSync(path, bytes);
  await readOrRefuse(() => openArray(path));
  rmSync(path);
  if (extension !== 'npy') return;
  await readOrRefuse(() => openArray('-', { input: inChunks(Buffer.from(bytes), 37) }));
}

const anyBytes = fc.uint8Array({ maxLength: 300 });

test.each(['npy', 'npz', 'safetensors', 'bin'])('random bytes: .%s', (extension) =>
  holds(anyBytes, (bytes) => expectReadable(extension, bytes)),
);

test('random bytes behind a beginning that is right', async () => {
  const magic = Buffer.from('\x93NUMPY', 'latin1');
  const version = fc.constantFrom(Buffer.of(1, 0), Buffer.of(2, 0), Buffer.of(3, 0));
  await holds(fc.tuple(version, anyBytes), ([start, bytes]) =>
    expectReadable('npy', Buffer.concat([magic, start, bytes])),
  );
  await holds(fc.string({ maxLength: 100 }), (text) => expectReadable('npy', npyStart(text)));
  await holds(fc.json(), (text) => expectReadable('safetensors', safetensorsFile(text, Buffer.alloc(8))));
});

test('random dictionaries', async () => {
  const size = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.bigInt(), fc.constant(2 ** 50));
  const descr = fc.oneof(
    fc.constantFrom(...kinds.flatMap(({ kind }) => [`<${kind}`, `>${kind}`, `|${kind}`])),
    fc.string({ maxLength: 4 }),
  );
  const shape = fc.array(size, { maxLength: 4 });
  await holds(fc.tuple(descr, shape, fc.boolean(), anyBytes), ([type, sizes, fortran, data]) => {
    const text = `{'descr': '${type}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sizes.map((s) => `${s},`).join(' ')})}`;
    return expectReadable('npy', Buffer.concat([npyStart(text), data]));
  });
});

test('random descriptions of tensors', async () => {
  const size = fc.oneof(fc.nat(20), fc.double(), fc.constant(2 ** 53), fc.constant('x'));
  const info = fc.record({
    dtype: fc.constantFrom('F32', 'U8', 'BOOL', 'U64', 'F8_E4M3', 'BF16'),
    shape: fc.array(size, { maxLength: 3 }),
    data_offsets: fc.array(size, { minLength: 1, maxLength: 3 }),
  });
  await holds(fc.dictionary(fc.string(), fc.oneof(info, fc.jsonValue())), (header) =>
    expectReadable('safetensors', safetensorsFile(JSON.stringify(header), Buffer.alloc(16))),
  );
});

const committed = join(__dirname, '../../data/arrays');

/** Real files, NumPy's and our own. */
const originals: { extension: string; bytes: Buffer }[] = [
  ...readdirSync(committed)
    .filter((name) => /^(c-big-u8|fortran-little-f4|version-[23]|refused-structured|single|all)\./.test(name))
    .map((name) => ({ extension: name.split('.').at(-1) as string, bytes: readFileSync(join(committed, name)) })),
  ...[0, 8].map((method) => ({
    extension: 'npz',
    bytes: npz({ x: npy({ kind: 'f4', shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] }) }, method),
  })),
  {
    extension: 'npz',
    bytes: npz({ x: npy({ kind: 'i2', shape: [2, 2], values: [1, 2, 3, 4], fortranOrder: true }) }, 8),
  },
  { extension: 'safetensors', bytes: safetensors({ x: { dtype: 'I8', shape: [3], bytes: Buffer.of(1, 2, 3) } }) },
];

/** Bytes with some changed, cut off at the end, taken out or put in. */
function mutations(bytes: Buffer): fc.Arbitrary<Buffer> {
  const place = fc.nat(bytes.length - 1);
  const mutation = fc.oneof(
    fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([at, bit]) => (old: Buffer) => {
      const changed = Buffer.from(old);
      if (at < changed.length) changed[at] = (changed[at] as number) ^ (1 << bit);
      return changed;
    }),
    place.map((at) => (old: Buffer) => old.subarray(0, at)),
    fc.tuple(place, fc.nat(9)).map(
      ([at, count]) =>
        (old: Buffer) =>
          Buffer.concat([old.subarray(0, at), old.subarray(at + count)]),
    ),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 9 })).map(
      ([at, added]) =>
        (old: Buffer) =>
          Buffer.concat([old.subarray(0, at), added, old.subarray(at)]),
    ),
  );
  return fc
    .array(mutation, { minLength: 1, maxLength: 4 })
    .map((all) => all.reduce((old, change) => change(old), bytes));
}

test.each(originals.map((original, i) => ({ ...original, i })))(
  'a damaged file ($i, .$extension)',
  ({ extension, bytes }) => holds(mutations(bytes), (damaged) => expectReadable(extension, damaged)),
);

test('one bit of an archive is never lost silently', async () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const method of [0, 8]) {
    const bytes = npz({ x: npy({ kind: 'u1', shape: [4, 2], values }) }, method);
    await holds(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), async ([at, bit]) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << bit);
      const path = join(here.path, `${number++}.npz`);
      writeFileSync(path, damaged);
      const read = await readOrRefuse(() => openArray(path));
      if (read !== undefined) expect(read).toEqual(values);
    });
  }
});

test('what is written is read, in blocks of any size', async () => {
  const shape = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
  const input = fc.record({
    kind: fc.constantFrom(...kinds),
    shape,
    bigEndian: fc.boolean(),
    fortranOrder: fc.boolean(),
    method: fc.constantFrom(undefined, 0, 8),
    padding: fc.nat(9),
  });
  await holds(input, async ({ kind, shape, method, padding, ...order }) => {
    const values = kind.values(shape.reduce((product, size) => product * size, 1));
    const array = npy({ kind: kind.kind, shape, values, ...order });
    const path = join(here.path, `${number++}.${method === undefined ? 'npy' : 'npz'}`);
    writeFileSync(path, method === undefined ? array : npz({ x: array }, method, padding));
    const read = (await readAll(await openArray(path))).map((value) => BigInt(Math.round(Number(value) * 8)));
    expect(read).toEqual(values.map((value) => BigInt(Math.round(Number(value) * 8))));
  });
});

test('literals of Python are read as Python reads them', () => {
  const literal = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.string(),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }).map((entries) => new Map(Object.entries(entries))),
  })).value;
  fc.assert(
    fc.property(literal, (value) => expect(parsePythonLiteral(repr(value), true)).toEqual(value)),
    { seed },
  );
});

/** Python's text of a value. */
function repr(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value === null) return 'None';
  if (typeof value === 'string') {
    const escaped = value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
    return `'${escaped}'`;
  }
  if (Array.isArray(value)) return value.length === 1 ? `(${repr(value[0])},)` : `(${value.map(repr).join(', ')})`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(', ')}}`;
  return String(value);
}
