/** Where the system refuses to map a file (larger than memory under strict accounting), its blocks are read instead. */
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { elementBytes, npy, npz, safetensors } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

jest.mock('../../../lib/aten/operators.generated', () => ({
  ...jest.requireActual<object>('../../../lib/aten/operators.generated'),
  from_file: () => {
    throw new Error('unable to mmap: Cannot allocate memory');
  },
}));

quietly();

const here = folder();

const values = [1, 2, 3, 4, 5, 6];
const array = { kind: 'f8', shape: [3, 2], values };

test.each([
  ['a.npy', npy(array)],
  ['big.npy', npy({ ...array, bigEndian: true })],
  ['a.npz', npz({ x: npy(array) }, 0, 3)],
  ['a.safetensors', safetensors({ x: { dtype: 'F64', shape: [3, 2], bytes: elementBytes('f8', values) } }, 1)],
])('%s', async (name, bytes) => {
  const source = await openArray(here.file(name, bytes));
  expect((await source.read(2))?.toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect((await source.read(2))?.toArray()).toEqual([[5, 6]]);
  expect(await source.read(2)).toBeUndefined();
  source.close();
});

test('not in Fortran order', async () => {
  const path = here.file('fortran.npy', npy({ ...array, fortranOrder: true }));
  const source = await openArray(path);
  await expect(source.read(1)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: `${path}: is in Fortran order, whose rows need the file to be mapped, which the system refuses`,
    cause: expect.objectContaining({ message: 'unable to mmap: Cannot allocate memory' }),
  });
  source.close();
});
