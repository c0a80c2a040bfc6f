/** Files that torch.save writes: what Python writes of the same, and what torch.load gives back. */
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { nn, optim, serialization, slice } from '../../../lib';
import { Archive } from '../../../lib/io/archive';
import { folder } from '../../support/folder';
import { canonical } from './canonical';
import { casesOf, failure } from './support';

const here = folder();

/** The records of an archive, but for the one that tells archives apart. */
function records(bytes: Uint8Array): Record<string, string> {
  const archive = Archive.of(bytes, 'the data', () => undefined);
  const all = [...archive.entries.values()].filter(({ name }) => !name.endsWith('serialization_id'));
  return Object.fromEntries(all.map((entry) => [entry.name, archive.bytes(entry).toString('latin1')]));
}

// Of these Python's pickles are other ones: floats that are integers become integers, names of dtypes and devices text,
// a text that is there twice is written once.
const others = ['floats', 'texts', 'names', 'containers', 'checkpoint', 'buffer', 'numbers'];
const cases = casesOf<{ value: string; bytes: string }>('pt');

describe.each(cases)('%s', (name, given) => {
  const bytes = Buffer.from(given.bytes, 'base64');
  const value = (): unknown => torch.load(bytes, 'cpu');

  if (name === 'a longer integer') {
    test('is not saved, as Python would not read it', () => {
      expect(failure(() => serialization.toBytes(value()))).toContain("'obj' to be an integer of at most 255 bytes");
    });
    return;
  }

  test('what was read and saved is read as the same', () => {
    expect(canonical(torch.load(serialization.toBytes(value())))).toEqual(JSON.parse(given.value));
  });

  const isAnother = /protocol|deflated|mark|endian|checksums/.test(name);
  if (!others.includes(name) && !isAnother) {
    test("saving writes Python's records", () => {
      expect(records(serialization.toBytes(value()))).toEqual(records(bytes));
    });
  }
});

test('records lie as PyTorch lays them: stored, at multiples of 64 bytes, and the whole is of the same length', () => {
  const { bytes } = (cases[0] as (typeof cases)[0])[1];
  const theirs = Buffer.from(bytes, 'base64');
  const ours = serialization.toBytes(torch.load(theirs));
  expect(ours.length).toBe(theirs.length);
  const archive = Archive.of(ours, 'the data', () => undefined);
  expect([...archive.entries.values()].filter(({ start, isDeflated }) => start % 64 !== 0 || isDeflated)).toEqual([]);
  expect([...archive.entries.keys()]).toEqual([...Archive.of(theirs, 'x', () => undefined).entries.keys()]);
  // But for the forty digits that tell archives apart, and their checksum, all bytes are the same.
  let different = 0;
  for (const [i, byte] of ours.entries()) if (byte !== theirs[i]) different += 1;
  expect(different).toBeLessThanOrEqual(48);
});

test('the folder in the archive has the name of the file', () => {
  for (const [file, name] of [
    ['model.pt', 'model'],
    ['a.b.pth', 'a.b'],
    ['noextension', 'noextension'],
    ['größe.pt', 'archive'],
  ] as const) {
    torch.save(1, join(here.path, file));
    const archive = Archive.open(join(here.path, file), () => undefined);
    archive.close();
    expect([...archive.entries.keys()][0]).toBe(`${name}/data.pkl`);
  }
});

test('a model and its optimizer go through a file', () => {
  const made = (): { model: nn.Module; optimizer: optim.Optimizer } => {
    const model = new nn.Sequential(new nn.Linear(3, 2));
    return { model, optimizer: new optim.AdamW(model.parameters(), { lr: 0.5 }) };
  };
  const { model, optimizer } = made();
  (model as nn.Sequential)
    .forward(torch.ones([4, 3]))
    .sum()
    .backward();
  optimizer.step();
  const path = join(here.path, 'training.pt');
  torch.save({ model: model.stateDict(), optimizer: optimizer.stateDict(), epoch: 3 }, path);

  const checkpoint = torch.load<Map<string, never>>(path);
  const other = made();
  other.model.loadStateDict(checkpoint.get('model') as never);
  other.optimizer.loadStateDict(checkpoint.get('optimizer') as never);
  const state = (of: typeof other): unknown =>
    canonical(torch.load(serialization.toBytes([of.model.stateDict(), of.optimizer.stateDict()])));
  expect(state(other)).toEqual(state({ model, optimizer }));
  expect(checkpoint.get('epoch')).toBe(3);
  expect(canonical((checkpoint.get('model') as unknown as { _metadata: unknown })._metadata)).toEqual(
    canonical(
      new Map([
        ['', new Map([['version', 1]])],
        ['0', new Map([['version', 1]])],
      ]),
    ),
  );
});

test('objects are dictionaries, undefined is None, complex numbers and floats are what they are', () => {
  const again = (value: unknown): unknown => torch.load(serialization.toBytes(value));
  expect(again({ a: 1, b: { c: [undefined, null] } })).toEqual(
    new Map<string, unknown>([
      ['a', 1],
      ['b', new Map([['c', [null, null]]])],
    ]),
  );
  expect(again([{ re: 1, im: -0 }, { re: 1 }])).toEqual([{ re: 1, im: -0 }, new Map([['re', 1]])]);
  const pickle = records(serialization.toBytes([1, new serialization.Float(1)]))['archive/data.pkl'];
  expect(pickle).toBe('\x80\x02]q\x00(K\x01G\x3f\xf0\0\0\0\0\0\0e.');
  expect(Number(new serialization.Float(2)) + 1).toBe(3);
});

test('shared values and values that hold themselves stay what they are', () => {
  const list: unknown[] = [1];
  list.push(list);
  const map = new Map<string, unknown>([['list', list]]);
  map.set('self', map);
  const loaded = torch.load<Map<string, unknown[]>>(serialization.toBytes(map));
  expect(loaded.get('self')).toBe(loaded);
  expect(loaded.get('list')?.[1]).toBe(loaded.get('list'));
});

test('views of one memory are saved with it, once', () => {
  const x = torch.arange(1000, { dtype: 'float32' });
  const bytes = serialization.toBytes({ x, part: x.index(slice(0, 10)) });
  expect(bytes.length).toBeLessThan(6000);
  const loaded = torch.load<Map<string, torch.Tensor>>(bytes);
  loaded.get('x')?.zero_();
  expect(loaded.get('part')?.sum().item()).toBe(0);
});

test('tensors of a mapped file are saved alone', () => {
  const path = join(here.path, 'mapped.pt');
  torch.save({ a: torch.ones([1000]), b: torch.zeros([10]) }, path);
  const { length } = serialization.toBytes(torch.load<Map<string, torch.Tensor>>(path, { mmap: true }).get('b'));
  expect(length).toBeLessThan(2000);
  const stored = join(here.path, 'mapped.safetensors');
  torch.safetensors.saveFile({ a: torch.ones([1000]), b: torch.zeros([10]) }, stored);
  using file = torch.safetensors.safeOpen(stored);
  expect(serialization.toBytes(file.getTensor('b')).length).toBeLessThan(2000);
});

describe('what Python could not read as data is refused with its place', () => {
  class Thing {}
  const cyclic = Object.freeze([new Map<string, unknown>()]);
  (cyclic[0] as Map<string, unknown>).set('x', cyclic);
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  const x = torch.ones([2]);

  test.each<[string, unknown, string]>([
    ['a function', { a: [1, () => 1] }, "save: expected 'obj.a[1]' to be a Tensor, a Map, an object of braces"],
    [
      'an object of a class',
      new Map([['a b', new Thing()]]),
      '\'obj["a b"]\' to be a Tensor, a Map, an object of braces, an array, a number, text or bytes, but received a Thing',
    ],
    ['a module', { model: new nn.Linear(1, 1) }, '(save its stateDict())'],
    ['a date', [new Date()], "'obj[0]' to be"],
    ['a symbol', [Symbol('x')], "'obj[0]' to be"],
    ['a typed array', [new Float32Array(2)], '(tensor() makes a tensor of it)'],
    ['half a pair', ['\ud800'], 'half of a surrogate pair'],
    ['a key', new Map([[{}, 1]]), "'obj' to have numbers, text, null or frozen arrays of those as keys"],
    ['a set', { s: new Set([[1]]) }, "'obj.s' to hold numbers, text, null or frozen arrays of those"],
    ['depth', deep, "'obj' to be nested at most 500 levels deep"],
    ['a tuple in itself', cyclic, 'to hold no frozen array that holds itself'],
    [
      'two dtypes',
      [x, torch.ops.aten.view.dtype(x, 'int32')],
      "'obj[1]' to be of the dtype that other tensors in its memory have, but received int32 beside float32",
    ],
    ['another layout', x.view([1, 2]).toSparseCsr(), 'to be dense or sparse_coo'],
  ])('%s', (_, value, message) => {
    expect(failure(() => torch.save(value, join(here.path, 'never.pt')))).toContain(message);
  });

  test('and so are links and places in no folder; what was there stays', () => {
    const path = here.file('old.pt', 'old');
    symlinkSync(path, join(here.path, 'link.pt'));
    expect(failure(() => torch.save(1, join(here.path, 'link.pt')))).toContain(
      "'file' to be a file of its own, not a link",
    );
    expect(failure(() => torch.save(1, join(here.path, 'no', 'x.pt')))).toContain('existing folder');
    expect(failure(() => torch.save(() => 1, path))).toContain("expected 'obj' to be");
    expect(failure(() => torch.save([x], ''))).toContain("expected 'file' to be the path of a file");
    expect(readFileSync(path, 'utf8')).toBe('old');
  });
});
