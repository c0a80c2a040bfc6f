/** What is wrong with a file, in the words of the error. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import '../../../lib';
import { openArray } from '../../../lib/evaluate/files/open';
import { unreadable } from '../../../lib/io/bad-data';
import { elementBytes, npy, npyDictionary, npyStart, npz, safetensors, safetensorsFile } from '../../support/arrays';
import { quietly } from '../../support/conditions';
import { folder } from '../../support/folder';
import { zip } from '../../support/zip';

quietly();

const here = folder();

/** Opens and reads everything; the message must be the given one, behind the path. */
async function expectFault(spec: string, message: string): Promise<void> {
  const reading = (async () => {
    const source = await openArray(spec);
    try {
      while ((await source.read(2)) !== undefined);
    } finally {
      source.close();
    }
  })();
  await expect(reading).rejects.toMatchObject({ name: 'TorchError', code: 'BAD_DATA' });
  const path = spec.replace(/(\.npz|\.safetensors):.*/, '$1');
  await expect(reading).rejects.toThrow(new RegExp(`^${escapeRegExp(path + message)}$`));
}

/** `…` stands for any text. */
function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
}

const good = npy({ kind: 'f4', shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] });
const float2 = (shape: readonly (number | bigint)[]): Buffer => npyStart(npyDictionary("'<f2'", shape));
const header = (text: string): Buffer => npyStart(text);

describe('.npy', () => {
  test.each<[string, Buffer, string]>([
    ['empty', Buffer.alloc(0), ': is empty; expected an array in .npy format'],
    [
      'wrong magic',
      Buffer.from('PK\x03\x04 and so on'),
      ', byte 0: expected the magic bytes of .npy ("\\x93NUMPY"), but received 50 4b 03 04 20 61',
    ],
    ['cut in the magic', good.subarray(0, 7), ', byte 0: expected a header with 8 bytes here, but the file has 7 more'],
    [
      'unknown version',
      Buffer.concat([good.subarray(0, 6), Buffer.of(4, 0), good.subarray(8)]),
      ', byte 6: has the format version 4.0; 1.0, 2.0 and 3.0 are known',
    ],
    ['no length', good.subarray(0, 9), ', byte 8: expected a header with 2 bytes here, but the file has 1 more'],
    [
      'cut in the header',
      good.subarray(0, 100),
      ', byte 10: expected a header with 118 bytes here, but the file has 90 more',
    ],
    [
      'header longer than the file',
      Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), Buffer.of(255, 255, 255, 255), Buffer.alloc(90)]),
      ', byte 12: expected a header with 4294967295 bytes here, but the file has 90 more',
    ],
    [
      'too long a header',
      Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), Buffer.of(0, 0, 1, 0), Buffer.alloc(65536)]),
      ', byte 8: has a header of 65536 bytes; one of an array has at most 10000',
    ],
    ['no data', good.subarray(0, 128), ', byte 128: expected 32 bytes of data for <f4 of shape [4, 2], but received 0'],
    [
      'cut in the data',
      good.subarray(0, 150),
      ', byte 128: expected 32 bytes of data for <f4 of shape [4, 2], but received 22',
    ],
    ['bytes behind', Buffer.concat([good, Buffer.alloc(3)]), ', byte 160: 3 bytes follow the data of the array'],
    ['no dimension', float2([]), ', byte 10: holds a single number without dimensions; …'],
    ['negative size', float2([3, -1]), ', byte 10: has the shape [3, -1] with a negative size'],
    [
      'huge',
      float2([2 ** 40, 4096]),
      ', byte 10: has the shape [1099511627776, 4096], which needs more than 2^53 bytes',
    ],
    ['huge beside none', float2([0, 2n ** 70n]), ', byte 10: has the shape [0, …], which needs more than 2^53 bytes'],
    ['65 dimensions', float2(Array(65).fill(1)), ', byte 10: has 65 dimensions; at most 64 are possible'],
  ])('%s', (name, bytes, message) => expectFault(here.file(`${name}.npy`, bytes), message));

  const refuses = (text: string, message: string, offset: number): Promise<void> =>
    expectFault(here.file('h.npy', header(text)), `, byte ${offset}: ${message}`);

  test.each([
    ['', 'is not a literal of Python at the end', 64],
    ["{'descr': '<f4'} + {}", 'more text follows the literal at "+ {}…', 27],
    ["{'descr': __import__('os')}", 'is not a literal of Python at "__import__…', 20],
    ["{'descr': '<f4}", 'a string does not end at "\'<f4}…', 20],
    ["{'descr': '<f4'", 'expected ",", but received nothing at the end', 64],
    ["{'descr' '<f4'}", 'expected ":", but received "\'" at …', 19],
    ["{'descr': '\\x41'}", 'an escape in a string is not known at …', 21],
    ['{1: 2}', 'a key of the dictionary is not a string at …', 11],
    ["{'a': 1, 'a': 2}", 'the key "a" is there twice at …', 19],
    [`{'a': ${'['.repeat(20)}}`, 'is nested deeper than 16 levels at …', 32],
  ])('header without a dictionary: %s', (text, message, offset) =>
    refuses(text, `the header is not a dictionary of Python: ${message}`, offset),
  );

  const notTuple = 'shape of the header is not a tuple of integers';
  test.each([
    ['2', notTuple, 10],
    ['[2]', notTuple, 10],
    ['(2)', notTuple, 10],
    ['(True,)', notTuple, 10],
    ['(02,)', '…is not a literal of Python at "02…', 61],
    ['(2.5,)', '…is not a literal of Python at "2.5…', 61],
  ])('header with the shape %s', (shape, message, offset) =>
    refuses(`{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}}`, message, offset),
  );

  test.each([
    ['(1, 2)', 'the header is not a dictionary of Python, but "(1, 2)"', 10],
    ["{'descr': '<f4', 'shape': (2,)}", 'the header lacks fortran_order', 10],
    ['{}', 'the header lacks descr and fortran_order and shape', 10],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': None}", 'the header has an unknown key "x"', 10],
    ["{'descr': 4, 'fortran_order': False, 'shape': (2,)}", 'descr of the header is not a dtype', 10],
    ["{'descr': '', 'fortran_order': False, 'shape': (2,)}", 'the dtype "" is not a dtype of NumPy', 10],
    [
      "{'descr': '<V2', 'fortran_order': False, 'shape': (2,)}",
      'the dtype "<V2" stands for raw bytes (save bfloat16 as float32, or in a .safetensors file); only numbers and booleans are read',
      10,
    ],
    [
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
      'fortran_order of the header is neither True nor False',
      10,
    ],
  ])('header %s', refuses);

  test('integers that int64 does not hold, with their index', async () => {
    const values = [0n, 1n, 2n, 3n, 4n, 2n ** 64n - 1n];
    const message =
      ': element [2, 1] is 18446744073709551615, which int64 does not hold (uint64 is read up to 2^63 - 1)';
    for (const order of [{}, { fortranOrder: true }, { bigEndian: true }]) {
      await expectFault(here.file('u8.npy', npy({ kind: 'u8', shape: [3, 2], values, ...order })), message);
    }
  });
});

describe('what is not a file', () => {
  test('missing', async () => {
    await expectFault(join(here.path, 'missing.npy'), ': the file does not exist');
    await expectFault(join(here.path, 'missing.npz:x'), ': the file does not exist');
    await expectFault(join(here.file('plain', ''), 'x.npy'), ': the file does not exist');
  });

  test('a directory', async () => {
    mkdirSync(join(here.path, 'folder.npy'));
    await expectFault(join(here.path, 'folder.npy'), ': is a directory, not a file');
  });

  test('not permitted, or failing in a way of its own', () => {
    const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    expect(unreadable('x.npy', refused)).toMatchObject({
      message: 'x.npy: reading it is not permitted',
      cause: refused,
    });
    expect(unreadable('x.npy', new Error('disk on fire')).message).toBe('x.npy: cannot be read: disk on fire');
  });

  test('of another format', () =>
    expectFault(
      here.file('table.dat', '1,2'),
      ': is no .npy, .npz or .safetensors file, by neither its name nor its first bytes',
    ));

  test.each<[string, string | Buffer, string]>([
    [
      'a b.csv',
      '1,2',
      ': is text, not …; in Python: numpy.save("…/a b.npy", numpy.loadtxt("…/a b.csv", delimiter=",", …))',
    ],
    ['x.PT', zip([{ name: 'x', content: good }]), ': is a file of torch.save, not …("…/x.npy", torch.load("…/x.PT", …'],
    ['x.parquet', 'PAR1', ': is Parquet, not …; in Python: numpy.save("…/x.npy", numpy.stack(pandas.read_parquet(…'],
    ["it's.npy.gz", '\x1f\x8b', ": is compressed; unpack it first: gunzip --keep '…/it'\\''s.npy.gz'"],
  ])('of another format: %s', (name, content, message) => expectFault(here.file(name, content), message));

  test('by its first bytes, whatever its name says', async () => {
    const source = await openArray(here.file('scores.csv', good));
    expect(source.rows).toBe(4);
    source.close();
  });

  test.each([
    ['https://a.example/x.npy', 'is an address, not a file; download it first: curl -LO https://a.example/x.npy'],
    ['s3://bucket/x y.npy', "is an address, not a file; download it first: aws s3 cp 's3://bucket/x y.npy' ."],
    ['hf://datasets/x.npy', 'is an address, not a file'],
  ])('of another place: %s', (spec, reason) => expectFault(spec, `: ${reason}`));
});

describe('.npz', () => {
  test.each<[string, Buffer, string]>([
    ['no archive.npz', good, ', byte 0: is not a zip archive that can be read: …'],
    ['empty.npz', Buffer.alloc(0), ', byte 0: is not a zip archive that can be read: …'],
    ['cut.npz', npz({ x: good }).subarray(0, 200), ': is not a zip archive that can be read: …'],
    ['none.npz', zip([]), ': is an archive without members'],
    [
      'two.npz',
      npz({ logits: good, labels: good }),
      ': has 2 members; choose one by …two.npz:<member>: "logits", "labels"',
    ],
    [
      'twice.npz',
      zip([
        { name: 'x.npy', content: good },
        { name: 'x.npy', content: good },
      ]),
      ': has the member "x.npy" twice',
    ],
    ['secret.npz', zip([{ name: 'x.npy', content: good, encrypted: true }]), ':x: is encrypted'],
    [
      'bzip2.npz',
      zip([{ name: 'x.npy', content: good, method: 12 }]),
      ':x: is compressed by method 12; stored and deflated members are read',
    ],
    ['sum.npz', zip([{ name: 'x.npy', content: good, crc32: 1 }]), ':x: does not match its checksum in the archive'],
    [
      'stored-sum.npz',
      zip([{ name: 'x.npy', content: good, crc32: 1, method: 0 }]),
      ':x: does not match its checksum in the archive',
    ],
    [
      'short.npz',
      npz({ x: good.subarray(0, 150) }, 8),
      ':x, byte 128: expected 32 bytes of data for <f4 of shape [4, 2], but received 22',
    ],
    [
      'short stored.npz',
      npz({ x: good.subarray(0, 150) }),
      ':x, byte 128: expected 32 bytes of data for <f4 of shape [4, 2], but received 22',
    ],
    [
      'text.npz',
      zip([{ name: 'readme.txt', content: 'hello world' }]),
      ':readme.txt, byte 0: expected the magic bytes …',
    ],
  ])('%s', (name, bytes, message) => expectFault(here.file(name, bytes), message));

  test('a checksum of Fortran order too', async () => {
    const content = npy({ kind: 'f4', shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8], fortranOrder: true });
    for (const method of [0, 8]) {
      const path = here.file('fsum.npz', zip([{ name: 'x.npy', content, crc32: 1, method }]));
      await expectFault(path, ':x: does not match its checksum in the archive');
    }
  });

  test('one that is deflated, in Fortran order and too large for the memory, before it is inflated', async () => {
    // 300 kB that say they are 300 MB, which deflated bytes can be.
    const size = 300_000_128;
    const start = npyStart(npyDictionary("'<f4'", [75_000_000, 1], true));
    const bytes = npz({ x: Buffer.concat([start, randomBytes(300_000)]) }, 8);
    bytes.writeUInt32LE(size, bytes.lastIndexOf('PK\x01\x02') + 24);
    const memory = jest.spyOn(process, 'availableMemory').mockReturnValue(350e6);
    try {
      const path = here.file('large.npz', bytes);
      const source = await openArray(path);
      expect(source.rows).toBe(75_000_000);
      source.close();
      const what = '0.300 GB of memory for an array that is deflated and in Fortran order, of 0.350 GB that are free';
      await expectFault(path, `:x: needs ${what}: save it in C order (numpy.ascontiguousarray), or without …`);
      memory.mockReturnValue(500e6);
      await expectFault(path, ':x: cannot be inflated: …');
    } finally {
      memory.mockRestore();
    }
  });

  test('sizes that no deflated bytes have', () => {
    const bytes = npz({ x: good }, 8);
    bytes.writeUInt32LE(4_000_000_000, bytes.lastIndexOf('PK\x01\x02') + 24);
    return expectFault(here.file('lie.npz', bytes), ':x: cannot be inflated: … bytes never give 4000000000');
  });

  test('an unknown member', () =>
    expectFault(`${here.file('known.npz', npz({ a: good }))}:b`, ': has no member "b"; its members are "a"'));

  test('deflated bytes that are damaged', async () => {
    const bytes = npz({ x: good }, 8);
    bytes.fill(0xff, 40, 60);
    await expectFault(here.file('damaged.npz', bytes), ':x: cannot be inflated: …');
  });
});

describe('.safetensors', () => {
  const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
    JSON.stringify({ x: { dtype, shape, data_offsets: offsets } });
  const eight = Buffer.alloc(8);

  test.each<[string, Buffer, string]>([
    ['empty', Buffer.alloc(0), ', byte 0: expected 8 bytes with the length of the header, but the file has 0'],
    [
      'long header',
      Buffer.of(200, 0, 0, 0, 0, 0, 0, 0, 123),
      ', byte 0: expected a header of 200 bytes, but the file has 1 more',
    ],
    [
      'huge header',
      Buffer.alloc(20, 255),
      ', byte 0: expected a header of 18446744073709552000 bytes, but the file has 12 more',
    ],
    ['no JSON', safetensorsFile('{"x"', eight), ', byte 8: the header is not JSON: …'],
    [
      'no UTF-8',
      Buffer.concat([Buffer.of(2, 0, 0, 0, 0, 0, 0, 0), Buffer.of(0x7b, 0xff)]),
      ', byte 8: the header is not JSON: …',
    ],
    ['no object', safetensorsFile('[1]', eight), ', byte 8: the header does not begin with {'],
    ['no tensors', safetensorsFile('{}', Buffer.alloc(0)), ': has no tensors'],
    [
      'twice',
      safetensorsFile('{"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"\\u0078":{}}', eight),
      ', byte 8: the header is not JSON: the key "x" is there twice',
    ],
    [
      'fraction',
      safetensorsFile('{"x":{"dtype":"U8","shape":[8.0],"data_offsets":[0,8]}}', eight),
      ', byte 8: the header is not JSON: the number 8.0 is not a plain integer',
    ],
    ['space', safetensorsFile(' {}', eight), ', byte 8: the header does not begin with {'],
    [
      'surrogate',
      safetensorsFile('{"\\ud800":{}}', eight),
      ', byte 8: the header is not JSON: a string has half of a surrogate pair',
    ],
    [
      'another dtype',
      safetensorsFile('{"x":{"dtype":"F33","shape":[],"data_offsets":[0,8]}}', eight),
      ':x, byte 8: the dtype "F33" is none of the format\'s',
    ],
    [
      'metadata',
      safetensorsFile('{"__metadata__":{"a":1}}', eight),
      ', byte 8: __metadata__ of the header is not an object of strings',
    ],
    ['entry', safetensorsFile('{"x":null}', eight), ':x, byte 8: expected an object in the header, but received null'],
    ['dtype', safetensorsFile('{"x":{}}', eight), ':x, byte 8: expected dtype to be a string, but received undefined'],
    [
      'shape',
      safetensorsFile(entry('F32', 2, [0, 8]), eight),
      ':x, byte 8: expected shape to be an array, but received 2',
    ],
    [
      'size',
      safetensorsFile(entry('F32', [-2], [0, 8]), eight),
      ':x, byte 8: expected shape[0] to be an integer >= 0, but received -2',
    ],
    [
      'offsets',
      safetensorsFile(entry('F32', [2], [0]), eight),
      ':x, byte 8: expected data_offsets to be two integers >= 0',
    ],
    [
      'backwards',
      safetensorsFile(entry('F32', [2], [8, 0]), eight),
      ':x, byte 8: F32 of shape [2] needs 8 bytes, but data_offsets are [8, 0]',
    ],
    [
      'mismatch',
      safetensorsFile(entry('F32', [3], [0, 8]), eight),
      ':x, byte 8: F32 of shape [3] needs 12 bytes, but data_offsets are [0, 8]',
    ],
    [
      'beyond',
      safetensorsFile(entry('F32', [4], [0, 16]), eight),
      ':x, byte …: expected data up to byte …, but the file has …',
    ],
    ['behind', safetensorsFile(entry('F32', [1], [0, 4]), eight), ', byte …: 4 bytes follow the data of the tensors'],
    [
      'gap',
      safetensorsFile(entry('F32', [1], [4, 8]), eight),
      ':x, byte …: 4 bytes before data_offsets [4, 8] belong to no tensor',
    ],
    [
      'fp8',
      safetensorsFile(entry('F8_E4M3', [8], [0, 8]), eight),
      ':x: has the dtype "F8_E4M3"; F16, BF16, …, BOOL are read',
    ],
    [
      'scalar',
      safetensorsFile(entry('F64', [], [0, 8]), eight),
      ':x, byte …: holds a single number without dimensions; …',
    ],
    [
      'huge',
      safetensorsFile(entry('F32', [0, 2 ** 52, 4], [0, 0]), Buffer.alloc(0)),
      ':x, byte …: has the shape …, which needs more than 2^53 bytes',
    ],
  ])('%s', (name, bytes, message) => expectFault(here.file(`${name}.safetensors`, bytes), message));

  test('overlapping tensors', () => {
    const tensor = (offsets: number[]): object => ({ dtype: 'U8', shape: [4], data_offsets: offsets });
    const text = JSON.stringify({ a: tensor([0, 4]), b: tensor([2, 6]) });
    const path = here.file('overlap.safetensors', safetensorsFile(text, Buffer.alloc(6)));
    return expectFault(path, ':b, byte …: data_offsets [2, 6] overlap those of "a"');
  });

  test('several tensors, and an unknown one', async () => {
    const tensor = { dtype: 'F32', shape: [2], bytes: elementBytes('f4', [1, 2]) };
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`t${i}`, tensor]));
    const path = here.file('many.safetensors', safetensors(many));
    await expectFault(path, ': has 25 tensors; choose one by …:<name>: "t0", …"t19", and 5 more');
    await expectFault(`${path}:t99`, ': has no tensor "t99"; its tensors are "t0", …');
  });
});
