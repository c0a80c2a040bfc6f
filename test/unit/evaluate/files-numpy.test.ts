/** Files that NumPy wrote (scripts/evaluate-fixtures.py). */
import { join } from 'node:path';
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { quietly } from '../../support/conditions';

quietly();

const directory = join(__dirname, '../../data/arrays');

/** The content of every file, as the script has it. */
function pattern(dtype: string): (number | boolean)[][] {
  const numbers = Array.from({ length: 5 }, (_, i) => Array.from({ length: 3 }, (_, j) => (7 * i + 3 * j) % 11));
  return dtype === 'bool' ? numbers.map((row) => row.map((value) => value % 2 === 1)) : numbers;
}

async function expectPattern(spec: string, dtype: string): Promise<void> {
  for (const block of [2, 5]) {
    const source = await openArray(join(directory, spec));
    expect(source).toMatchObject({ dtype, rowShape: [3], rows: 5 });
    const rows: unknown[] = [];
    for (let next = await source.read(block); next !== undefined; next = await source.read(block)) {
      rows.push(...(next.toArray() as unknown as unknown[]));
    }
    expect(rows).toEqual(pattern(dtype));
    source.close();
  }
}

const dtypes = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'int32',
  u4: 'int64',
  u8: 'int64',
  b1: 'bool',
};

test.each(Object.entries(dtypes))('%s in every order', async (kind, dtype) => {
  const bytes = kind.endsWith('1') ? ['little'] : ['little', 'big'];
  for (const order of ['c', 'fortran'].flatMap((order) => bytes.map((end) => `${order}-${end}`))) {
    await expectPattern(`${order}-${kind}.npy`, dtype);
  }
});

test.each([1, 2, 3])('format version %d.0', (version) => expectPattern(`version-${version}.npy`, 'float32'));

test.each(['stored', 'deflated'])('a %s archive', async (name) => {
  await expectPattern(`${name}.npz:logits`, 'float32');
  await expectPattern(`${name}.npz:transposed`, 'float64');
  const labels = await openArray(join(directory, `${name}.npz:labels`));
  expect((await labels.read(9))?.toArray()).toEqual([0, 7, 3, 10, 6]);
  labels.close();
});

test('an archive of one unnamed array', () => expectPattern('single.npz', 'float32'));

test('a vector, and no rows', async () => {
  const vector = await openArray(join(directory, 'vector.npy'));
  expect(vector).toMatchObject({ dtype: 'int64', rowShape: [], rows: 6 });
  expect((await vector.read(9))?.toArray()).toEqual([0, 7, 3, 10, 6, 2]);
  const none = await openArray(join(directory, 'none.npy'));
  expect(none).toMatchObject({ rowShape: [3], rows: 0 });
  expect(await none.read(1)).toBeUndefined();
  for (const source of [vector, none]) source.close();
});

test.each([
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['I32', 'int32'],
  ['I64', 'int64'],
  ['U8', 'uint8'],
  ['U16', 'int32'],
  ['U32', 'int64'],
  ['U64', 'int64'],
  ['BOOL', 'bool'],
])('%s of a .safetensors file', (name, dtype) => expectPattern(`all.safetensors:${name}`, dtype));

test.each([
  ['scalar', 'holds a single number without dimensions; rows are read along the first dimension'],
  ['object', 'the dtype "|O" stands for Python objects; only numbers and booleans are read'],
  ['string', 'the dtype "<U2" stands for strings; only numbers and booleans are read'],
  ['complex', 'the dtype "<c16" stands for complex numbers; only numbers and booleans are read'],
  ['date', 'the dtype "<M8[D]" stands for dates; only numbers and booleans are read'],
  ['structured', 'has a structured dtype of several fields; only numbers and booleans are read'],
  ['longdouble', 'the dtype "<f16" stands for elements of kind f with 16 bytes, which libtorch does not have'],
])('what is refused: %s', async (name, reason) => {
  const path = join(directory, `refused-${name}.npy`);
  await expect(openArray(path)).rejects.toMatchObject({ code: 'BAD_DATA', message: `${path}, byte 10: ${reason}` });
});
