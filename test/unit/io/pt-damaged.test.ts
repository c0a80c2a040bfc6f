/** Damaged and hostile .pt files: each is a clear error, or is read as what it still is; none ends the process or takes memory that the file does not have. */
import * as torch from '../../../lib';
import { zip } from '../../support/zip';
import { canonical } from './canonical';
import { casesOf, failure } from './support';

const cases = new Map(casesOf<{ value: string; bytes: string }>('pt'));
const bytesOf = (name: string): Buffer => Buffer.from((cases.get(name) as { bytes: string }).bytes, 'base64');

/** A file with the given pickle and records. */
function file(pickle: string | Buffer, records: Record<string, string | Buffer> = {}, crc32?: number): Buffer {
  const all = { 'data.pkl': typeof pickle === 'string' ? Buffer.from(pickle, 'latin1') : pickle, ...records };
  return zip(
    Object.entries(all).map(([name, content]) => ({
      name: `archive/${name}`,
      content,
      method: 0,
      ...(crc32 === undefined ? {} : { crc32 }),
    })),
  );
}

const le32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('latin1');
};
const text = (value: string): string => `X${le32(value.length)}${value}`;
const int = (value: number): string => `J${le32(value >>> 0)}`;

/** The pickle of a float32 tensor in a storage of `elements`. */
function tensor(elements: number, offset: number, shape: number[], strides: number[], type = 'FloatStorage'): string {
  const ints = (list: number[]): string => `(${list.map(int).join('')}t`;
  const storage = `(${text('storage')}ctorch\n${type}\n${text('0')}${text('cpu')}${int(elements)}tQ`;
  const hooks = 'ccollections\nOrderedDict\n)R';
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(offset)}${ints(shape)}${ints(strides)}\x89${hooks}tR`;
}

const pickled = (value: string): string => `\x80\x02${value}.`;
const eight = Buffer.alloc(8, 1);

describe('hostile pickles', () => {
  const read = (pickle: string, records?: Record<string, Buffer>): string =>
    failure(() => torch.load(file(pickle, records)));
  const long = 'x'.repeat(10_000);

  test.each<[string, string, string]>([
    ['a call of the system', pickled(`cos\nsystem\n${text('true')}\x85R`), 'uses "os.system", which is not read'],
    [
      'several names',
      pickled('cos\nsystem\n0cbuiltins\neval\n0N'),
      'uses "os.system", "builtins.eval", which are not read',
    ],
    ['a name of Python 2', pickled('c__builtin__\neval\n'), 'uses "builtins.eval"'],
    ['a name from the stack', `\x80\x04\x8c\x02os\x8c\x06system\x93.`, 'uses "os.system"'],
    ['a name that objects have', pickled('cconstructor\nx\n)R'), 'uses "constructor.x"'],
    ['an object', pickled('ccollections\nOrderedDict\n)\x81'), 'makes an object of a class'],
    ['a call of what is not a function', pickled('K\x01)R'), 'calls what is not a function'],
    ['a call of a dtype', pickled('ctorch\nfloat32\n)R'), 'calls what is not a function'],
    [
      'a call of a class of storages',
      pickled('ctorch\nFloatStorage\n)R'),
      'calls torch.FloatStorage, which is not a function',
    ],
    ['a call without arguments', pickled('ctorch._utils\n_rebuild_tensor_v2\n)R'), 'has a tensor without a storage'],
    ['attributes', pickled(`ccollections\nOrderedDict\n)R}${text('get')}K\x01sb`), 'sets the attribute "get"'],
    ['attributes of a list', pickled(`]}${text('x')}K\x01sb`), 'sets attributes of what is not an OrderedDict'],
    ['a prototype', pickled(`ccollections\nOrderedDict\n)R}${text('__proto__')}}sb`), 'sets the attribute "__proto__"'],
    ['an unknown instruction', pickled('P'), 'byte 2: has the instruction 0x50'],
    ['protocol 0', '\x80\x00N.', 'is of protocol 0; 2 to 5 are read'],
    ['nothing', '', 'needs 1 bytes, but the pickle ends after 0'],
    ['no end', '\x80\x02N', 'needs 1 bytes'],
    ['bytes behind the end', `${pickled('N')}N`, 'more bytes follow the end'],
    ['an empty stack', pickled('0'), 'takes a value where there is none'],
    ['values that are left', pickled('NN'), 'values are left when the pickle ends'],
    ['a mark that is left', pickled('N('), 'takes a value where there is none'],
    ['a value across a mark', pickled('](a'), 'takes a value where there is none'],
    ['no mark', pickled('t'), 'takes values up to a mark where there is none'],
    ['the memo', pickled('h\x07'), 'takes the value 7 of its memo'],
    ['a long text', pickled(`X${le32(0xffffffff)}x`), 'needs 4294967295 bytes'],
    ['a longer text', '\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fx.', 'bytes, but the pickle ends'],
    ['no UTF-8', pickled(`X${le32(1)}\xff`), 'has a text that is not UTF-8'],
    ['a large integer', pickled(`\x8b${le32(5000)}${'\x01'.repeat(5000)}`), 'has an integer of 5000 bytes'],
    ['a list as a key', pickled('}]Ns'), 'has a key that is not a number'],
    ['a nested tuple as a key', pickled('}))\x85\x86Ns'), 'has a key that is not a number'],
    ['an append to a tuple', pickled(')Na'), 'appends to what is not a list'],
    ['an item of a list', pickled(']NNs'), 'sets items of what is not a dictionary'],
    ['an odd number of items', pickled('}(Nu'), 'sets items of what is not a dictionary'],
    [
      'a storage',
      pickled(`(${text('storage')}ctorch\nFloatStorage\n${text('0')}${text('cpu')}K\x01tQ`),
      'holds a storage outside',
    ],
    ['a class in a dictionary', pickled(`}${text('x')}ctorch\nTensor\ns`), 'holds torch.Tensor itself'],
    ['something outside', pickled(`${text('x')}Q`), 'names something outside of it that is not a storage'],
    ['a module outside', pickled(`(${text('module')}NNNNtQ`), 'names something outside of it that is not a storage'],
    [
      'copies',
      pickled(`c__builtin__\nset\nq\x01](${'K\x01'.repeat(200)}eq\x020(${'h\x01h\x02\x85R'.repeat(200)}t`),
      'copies more than it holds',
    ],
    [
      'copies of text',
      pickled(`c_codecs\nencode\nq\x01${text(long)}${text('latin1')}\x86q\x020(${'h\x01h\x02R'.repeat(9)}t`),
      'copies more than it holds',
    ],
    ['bytes that are none', pickled(`c_codecs\nencode\n${text('x')}${text('utf-16')}\x86R`), 'not written as latin1'],
  ])('%s', (_, pickle, message) => {
    const found = read(pickle);
    expect(found).toMatch(/^BAD_DATA the data:archive\/data\.pkl/);
    expect(found).toContain(message);
  });

  test.each<[string, string, string]>([
    [
      'a size that is too large',
      tensor(2, 0, [3], [1]),
      'has 2 elements of float32, and a tensor of shape [3], strides [1] and offset 0 reaches beyond them',
    ],
    ['an offset', tensor(2, 2, [1], [1]), 'offset 2 reaches beyond'],
    ['an offset of nothing', tensor(2, 3, [0], [1]), 'offset 3 reaches beyond'],
    ['a stride', tensor(2, 0, [2, 2], [1, 1000]), 'strides [1, 1000]'],
    ['a negative stride', tensor(2, 1, [2], [-1]), 'not an integer >= 0'],
    ['a negative size', tensor(2, 0, [-1], [1]), 'not an integer >= 0'],
    ['sizes and strides', tensor(2, 0, [2], [1, 1]), 'whose sizes and strides do not fit'],
    ['too many elements', tensor(2, 0, Array(6).fill(0x7fffffff), Array(6).fill(0)), 'which has too many elements'],
    ['another length', tensor(3, 0, [3], [1]), 'has 8 bytes, and the pickle says 12'],
    ['much more', tensor(0x7fffffff, 0, [0x7fffffff], [1]), 'has 8 bytes, and the pickle says 8589934588'],
    ['another dtype', tensor(2, 0, [2], [1], 'QInt32Storage'), 'uses "torch.QInt32Storage"'],
    ['two dtypes', `(${tensor(2, 0, [2], [1])}${tensor(2, 0, [2], [1], 'IntStorage')}t`, 'is described in two ways'],
  ])('a tensor with %s', (_, pickle, message) => {
    expect(read(pickled(pickle), { 'data/0': eight })).toContain(message);
  });

  test('many elements in one place take no memory', () => {
    const expanded = torch.load<torch.Tensor>(file(pickled(tensor(2, 0, [0x7fffffff], [0])), { 'data/0': eight }));
    expect(expanded.shape).toEqual([0x7fffffff]);
  });

  test('a storage that is missing, a gradient of integers, and a sparse tensor with indices outside are refused', () => {
    expect(read(pickled(tensor(2, 0, [2], [1])))).toContain('has no record "archive/data/0"');
    const ofIntegers = tensor(2, 0, [2], [1], 'IntStorage').replace('\x89', '\x88');
    expect(read(pickled(ofIntegers), { 'data/0': eight })).toContain('that cannot be right: ');
    const [indices, values] = [tensor(1, 0, [1, 1], [1, 1], 'LongStorage'), tensor(2, 0, [1], [1])];
    const other = values.replace(text('0'), text('1'));
    const sparse = `ctorch._utils\n_rebuild_sparse_tensor\nctorch.serialization\n_get_layout\n${text('torch.sparse_coo')}\x85R(${indices}${other}${int(1)}\x85\x89t\x86R`;
    expect(read(pickled(sparse), { 'data/0': eight, 'data/1': eight })).toContain(
      '_rebuild_sparse_tensor that cannot be right: ',
    );
  });

  test('deep nesting is read, and ends no process', () => {
    const deep = torch.load<unknown[]>(file(pickled(`${']'.repeat(100_000)}${'a'.repeat(99_999)}`)));
    expect(deep).toHaveLength(1);
    expect(torch.load(file(pickled(`N${'\x85'.repeat(100_000)}`)))).toHaveLength(1);
  });
});

describe('damaged archives', () => {
  const bytes = bytesOf('shared storages');

  test('a changed byte of a record is told by its checksum', () => {
    const wrong: number[] = [];
    const data = Buffer.from(bytes);
    const storage = bytes.indexOf(Buffer.from('archive/data/0')) + 64;
    for (let at = storage; at < storage + 96; at += 7) {
      data.writeUInt8(data.readUInt8(at) ^ 4, at);
      if (!failure(() => torch.load(data)).includes('does not match its checksum')) wrong.push(at);
      data.writeUInt8(data.readUInt8(at) ^ 4, at);
    }
    // Some bytes lie before the record.
    expect(wrong.length).toBeLessThan(9);
    const other = file(pickled('N'), {}, 5);
    expect(failure(() => torch.load(other))).toContain('the data:archive/data.pkl: does not match its checksum');
  });

  test('a file that ends anywhere is refused', () => {
    for (let length = 0; length < bytes.length; length += 13) {
      expect(failure(() => torch.load(bytes.subarray(0, length)))).toMatch(/^BAD_DATA /);
    }
  });

  test('byte orders, versions and records that are none', () => {
    const read = (records: Record<string, string>): string => failure(() => torch.load(file(pickled('N'), records)));
    expect(read({ byteorder: 'middle' })).toContain('has the byte order "middle"');
    expect(read({ version: '11' })).toContain('is of version 11 of the format');
    expect(read({ version: 'x' })).toContain('is of version NaN');
    expect(read({ 'constants.pkl': '' })).toContain('is a TorchScript program');
    expect(failure(() => torch.load(zip([{ name: 'archive/x', content: '' }])))).toContain('no record data.pkl');
    expect(failure(() => torch.load(zip([])))).toContain('no record data.pkl');
    expect(failure(() => torch.load(file(pickled(tensor(2, 0, [2], [1], 'x')), {})))).toContain('uses "torch.x"');
  });

  test('members twice, in one another, encrypted, of other methods, and bombs', () => {
    const [a, b] = [
      { name: 'archive/data.pkl', content: Buffer.from(pickled('N'), 'latin1') },
      { name: 'archive/b', content: 'x' },
    ];
    const read = (...files: Parameters<typeof zip>[0][number][]): string => failure(() => torch.load(zip(files)));
    expect(read(a, a)).toContain('has the member "archive/data.pkl" twice');
    expect(read({ ...a, encrypted: true }, b)).toContain('is encrypted');
    expect(read({ ...a, method: 99 }, b)).toContain('is compressed by method 99');
    const overlapping = zip([a, b]);
    const second = overlapping.lastIndexOf('PK\x01\x02');
    overlapping.writeUInt32LE(0, second + 42);
    expect(failure(() => torch.load(overlapping))).toContain('has another name in its own header');
    const bomb = zip([{ name: 'archive/data.pkl', content: Buffer.alloc(1 << 20) }]);
    bomb.writeUInt32LE(0x7fffffff, bomb.lastIndexOf('PK\x01\x02') + 24);
    expect(failure(() => torch.load(bomb))).toContain('cannot be inflated');
    expect(torch.load(zip([a, b]))).toBeNull();
  });

  test('whatever bytes are changed, an error is BAD_DATA, and the rest is plain data', () => {
    // A generator of its own: the same files at every run.
    let state = Number(process.env.LIBTORCH_LOSSES_FUZZ_SEED ?? 12345);
    const rounds = Number(process.env.LIBTORCH_LOSSES_FUZZ_ROUNDS ?? 100);
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const strange: unknown[] = [];
    let [refused, read] = [0, 0];
    for (const name of [
      'shared storages',
      'containers',
      'sparse',
      'protocol 4',
      'parameters',
      'without checksums',
      'deflated',
    ]) {
      const whole = bytesOf(name);
      const pickle = whole.indexOf('FB') + 2;
      for (let i = 0; i < rounds; i++) {
        const data = Buffer.from(whole);
        for (let change = random(3); change >= 0; change--) {
          // Half of the changes in the pickle, without a checksum to tell.
          const at = random(2) === 0 ? random(data.length) : pickle + random(400);
          data.writeUInt8(random(256), Math.min(at, data.length - 1));
        }
        // All checksums 0: as some writers leave them out.
        for (let at = data.indexOf('PK\x01\x02'); at >= 0 && i % 2 === 0; at = data.indexOf('PK\x01\x02', at + 1)) {
          if (at + 20 <= data.length) data.writeUInt32LE(0, at + 16);
        }
        try {
          canonical(torch.load(data, 'cpu'));
          read += 1;
        } catch (error) {
          if ((error as { code?: string }).code === 'BAD_DATA') refused += 1;
          else strange.push({ name, i, error: String((error as Error).stack) });
        }
      }
    }
    expect(strange.slice(0, 3)).toEqual([]);
    expect(Math.min(refused, read)).toBeGreaterThan(50);
  });
});
