/** Where the system refuses to map a file, and where addons cannot read with Node's descriptors, bytes are copied. */
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import * as fileBytes from '../../../lib/torch/file-bytes';
import { elementBytes, npy, npz, safetensors } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';

jest.mock('../../../lib/torch/file-bytes', () => ({
  ...jest.requireActual<typeof fileBytes>('../../../lib/torch/file-bytes'),
  mapFile: jest.fn(() => undefined),
  readFileBytes: jest.fn(),
}));

quietly();

const here = folder();

const values = [1, 2, 3, 4, 5, 6];
const array = { kind: 'f8', shape: [3, 2], values };
const actual = jest.requireActual<typeof fileBytes>('../../../lib/torch/file-bytes');

describe.each([
  ['by the addon', actual.readFileBytes],
  ['by Node', actual.readThroughArray],
])('%s', (_, read) => {
  beforeEach(() => {
    jest.mocked(fileBytes.readFileBytes).mockImplementation(read);
  });

  test.each([
    ['a.npy', npy(array)],
    ['big.npy', npy({ ...array, bigEndian: true })],
    ['fortran.npy', npy({ ...array, fortranOrder: true })],
    ['a.npz', npz({ x: npy(array) }, 0, 3)],
    ['fortran.npz', npz({ x: npy({ ...array, fortranOrder: true }) }, 0, 3)],
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
});
