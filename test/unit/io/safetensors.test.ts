/** .safetensors files beside those that Python's library writes (scripts/golden/files.py). */
import { existsSync, readFileSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../../lib';
import { nn, safetensors, slice, type Tensor } from '../../../lib';
import type { DType } from '../../../lib/types';
import { folder } from '../../support/folder';
import { canonical } from './canonical';
import { allBits, bits, casesOf, failure, pattern } from './support';

interface Case {
  tensors: [name: string, dtype: DType, shape: number[]][];
  metadata: Record<string, string> | null;
  bytes: string;
}

const here = folder();
const cases = casesOf<Case>('safetensors');

function made({ tensors }: Case): Map<string, Tensor> {
  return new Map(tensors.map(([name, dtype, shape], seed) => [name, pattern(dtype, shape, seed)]));
}

const sorted = (list: [string, string][]): [string, string][] => list.sort(([a], [b]) => (a < b ? -1 : 1));

describe.each(cases)('%s', (_, given) => {
  const bytes = Buffer.from(given.bytes, 'base64');

  test("saving writes Python's bytes", () => {
    const { metadata } = given;
    expect(Buffer.from(safetensors.save(made(given), metadata)).toString('latin1')).toBe(bytes.toString('latin1'));
    const path = join(here.path, 'saved.safetensors');
    safetensors.saveFile(made(given), path, { metadata });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('loading gives the tensors back', () => {
    const path = here.file('written.safetensors', bytes);
    const expected = sorted(allBits(made(given)));
    expect(sorted(allBits(safetensors.loadFile(path)))).toEqual(expected);
    expect(sorted(allBits(safetensors.load(bytes)))).toEqual(expected);
    using file = safetensors.safeOpen(path);
    expect(sorted(allBits(file.getTensors()))).toEqual(expected);
    const metadata = given.metadata === null ? undefined : new Map(Object.entries(given.metadata));
    expect(file.metadata()).toEqual(metadata);
  });
});

test('objects are taken as well as maps, and keys that look like numbers keep their place', () => {
  const tensors = { b: torch.ones([2]), 1: torch.zeros([1]) };
  expect(safetensors.save(tensors, { metadata: { format: 'pt' } })).toEqual(
    safetensors.save(new Map(Object.entries(tensors)), new Map([['format', 'pt']])),
  );
  expect([...safetensors.load(safetensors.save(tensors)).keys()]).toEqual(['1', 'b']);
});

test('what requires a gradient, is on a view or conjugated is saved by its values', () => {
  const x = torch.arange(6, { dtype: 'float32' });
  const loaded = safetensors.load(
    safetensors.save({
      grad: torch.ones([2], { requiresGrad: true }),
      view: x.index(slice(2, 5)),
      conj: torch.tensor([{ re: 1, im: 2 }]).conj(),
    }),
  );
  expect(loaded.get('grad')?.requiresGrad).toBe(false);
  expect(loaded.get('view')?.toArray()).toEqual([2, 3, 4]);
  expect(loaded.get('conj')?.toArray()).toEqual([{ re: 1, im: -2 }]);
});

test('tensors larger than one piece are written and read whole', () => {
  const large = torch.arange(3_000_001, { dtype: 'int32' });
  const path = join(here.path, 'large.safetensors');
  safetensors.saveFile({ large, small: torch.ones([1]) }, path);
  expect(safetensors.loadFile(path).get('large')?.equal(large)).toBe(true);
});

test('the file is open to be read tensor by tensor', () => {
  const path = join(here.path, 'lazy.safetensors');
  const x = torch.arange(12, { dtype: 'float32' }).view([3, 4]);
  safetensors.saveFile({ b: x, a: torch.zeros([1], { dtype: 'int64' }), c: torch.ones([1]) }, path);
  const file = safetensors.safeOpen(path, 'pt', 'cpu');
  expect(file.keys()).toEqual(['a', 'b', 'c']);
  expect(file.offsetKeys()).toEqual(['a', 'b', 'c']);
  const part = file.getSlice('b');
  expect([part.getShape(), part.getDtype()]).toEqual([[3, 4], 'F32']);
  expect(part.index(slice(1, null), 2).toArray()).toEqual([6, 10]);
  const b = file.getTensor('b');
  file.close();
  file.close();
  expect(failure(() => file.getTensor('b'))).toMatch(
    /^INVALID_ARGUMENT getTensor: expected .*lazy\.safetensors to be open/,
  );
  // A tensor outlives the file, also its name; writing to it changes the file for nobody.
  renameSync(path, `${path}.moved`);
  b.add_(1);
  expect(b.toArray()).toEqual(x.add(1).toArray());
  expect(safetensors.loadFile(`${path}.moved`).get('b')?.equal(x)).toBe(true);
});

test('a tensor of a file is a leaf of its own: no view, and none knows of another', () => {
  const path = join(here.path, 'leaf.safetensors');
  safetensors.saveFile({ a: torch.ones([2]), b: torch.ones([2]) }, path);
  using file = safetensors.safeOpen(path);
  for (const tensors of [safetensors.loadFile(path), file.getTensors()]) {
    const a = (tensors.get('a') as Tensor).requiresGrad_();
    const loss = a.mul(a).sum();
    torch.noGrad(() => (tensors.get('b') as Tensor).mul_(2));
    loss.backward();
    expect(a.grad?.toArray()).toEqual([2, 2]);
  }
});

test('a saved file can be written over while its tensors are in use', () => {
  const path = join(here.path, 'again.safetensors');
  safetensors.saveFile({ x: torch.ones([1000]) }, path);
  using file = safetensors.safeOpen(path);
  const x = file.getTensor('x');
  safetensors.saveFile({ x: x.mul(2) }, path);
  expect(x.sum().item()).toBe(1000);
  expect(safetensors.loadFile(path).get('x')?.sum().item()).toBe(2000);
});

describe('what the format does not hold is refused', () => {
  const x = torch.ones([2, 3]);
  const refusals: [string, () => unknown, string][] = [
    [
      'a list',
      () => safetensors.save([x] as never),
      "save: expected 'tensors' to be a Map or an object of Tensors, but",
    ],
    [
      'no tensor',
      () => safetensors.save({ a: 1 } as never),
      'save: expected \'tensors["a"]\' to be a Tensor, but received 1',
    ],
    [
      'a key',
      () => safetensors.save(new Map([[1, x]]) as never),
      "save: expected 'tensors' to have strings as keys, but",
    ],
    ['half a pair', () => safetensors.save({ '\ud800': x }), 'with half of a surrogate pair'],
    [
      'the name of metadata',
      () => safetensors.save({ __metadata__: x }),
      'to have another name than the one of metadata',
    ],
    [
      'strides',
      () => safetensors.save({ a: x.t() }),
      'to be contiguous (contiguous() makes it so), but received shape [3, 2]',
    ],
    ['the same twice', () => safetensors.save({ a: x, b: x.view([6]) }), 'tensors that do: "a", "b"'],
    ['overlap', () => safetensors.save({ b: x, c: x.index(1) }), 'tensors that do: "b", "c"'],
    ['sparse', () => safetensors.save({ a: x.toSparse() }), 'to be dense (toDense() makes it so)'],
    ['meta', () => safetensors.save({ a: x.to('meta') }), 'to have elements, but'],
    [
      'complex128',
      () => safetensors.save({ a: x.to('complex128') }),
      'a dtype that the .safetensors format has, but received complex128',
    ],
    [
      'metadata',
      () => safetensors.save({ a: x }, { metadata: { a: 1 } } as never),
      'expected option \'metadata["a"]\' to be a string',
    ],
    ['an option', () => safetensors.save({ a: x }, { metadata: {}, metdata: {} } as never), "unknown option 'metdata'"],
    ['bytes', () => safetensors.load('x' as never), 'load: expected \'data\' to be a Uint8Array, but received "x"'],
    ['a device', () => safetensors.loadFile('x', 'gpu'), "loadFile: expected option 'device' to be a device"],
    [
      'another library',
      () => safetensors.safeOpen('x', 'tf' as never),
      "safeOpen: expected option 'framework' to be one of",
    ],
    ['no name', () => safetensors.saveFile({}, ''), "saveFile: expected 'filename' to be the path of a file"],
  ];

  test.each(refusals)('%s', (_, run, message) => {
    expect(failure(run)).toContain(message);
  });

  test('parts of one memory that do not overlap are saved', () => {
    const halves = { a: x.index(0), b: x.index(1) };
    expect(safetensors.load(safetensors.save(halves)).get('b')?.toArray()).toEqual([1, 1, 1]);
  });
});

describe('files', () => {
  const bytes = safetensors.save({ w: torch.ones([2]) });

  test('a missing file, a folder, damage and a dtype are named', () => {
    const at = (name: string): string => join(here.path, name);
    expect(failure(() => safetensors.loadFile(at('none')))).toBe(`BAD_DATA ${at('none')}: the file does not exist`);
    expect(failure(() => safetensors.safeOpen(here.path))).toContain('is a directory, not a file');
    const cut = here.file('cut.safetensors', Buffer.from(bytes.subarray(0, bytes.length - 1)));
    expect(failure(() => safetensors.loadFile(cut))).toContain(`${cut}:w, byte`);
    expect(failure(() => safetensors.load(bytes.subarray(0, 7)))).toContain('data, byte 0: expected 8 bytes');
    const text = Buffer.from(bytes).toString('latin1').replace('"F32","shape":[2]', '"U64","shape":[1]');
    expect(failure(() => safetensors.load(Buffer.from(text, 'latin1')))).toContain('data:w: has the dtype "U64"');
    using file = safetensors.safeOpen(here.file('one.safetensors', Buffer.from(bytes)));
    expect(failure(() => file.getTensor('v'))).toContain('has no tensor "v"; its tensors are "w"');
    truncateSync(at('one.safetensors'), bytes.length - 4);
    expect(failure(() => file.getTensor('w'))).toContain('bytes when it was opened');
  });

  test('errors name the function that was called', () => {
    const op = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return (error as torch.TorchError).op;
      }
    };
    expect(op(() => safetensors.loadFile(join(here.path, 'none')))).toBe('loadFile');
    expect(op(() => safetensors.load(new Uint8Array(3)))).toBe('load');
  });

  test('bools are 0 or 1, whatever the file holds', () => {
    const data = Buffer.from(safetensors.save({ w: torch.tensor([true, false, true]) }));
    data[data.length - 1] = 7;
    using file = safetensors.safeOpen(here.file('bool.safetensors', data));
    for (const w of [file.getTensor('w'), safetensors.load(data).get('w') as Tensor]) {
      expect(bits(w)).toBe('bool [3] 010001');
    }
  });

  test('a link, a folder and a place in none are not written to; a failure leaves what was there', () => {
    const path = here.file('old.safetensors', 'old');
    const link = join(here.path, 'link.safetensors');
    symlinkSync(path, link);
    expect(failure(() => safetensors.saveFile({}, link))).toContain('to be a file of its own, not a link');
    expect(failure(() => safetensors.saveFile({}, join(here.path, 'no', 'x')))).toContain('existing folder');
    expect(failure(() => safetensors.saveFile({}, here.path))).toContain('to be a file, not a folder');
    expect(failure(() => safetensors.saveFile({ a: torch.ones([2, 3]).t() }, path))).toContain('contiguous');
    expect(readFileSync(path, 'utf8')).toBe('old');
  });
});

interface ShardedCase {
  tensors: Case['tensors'];
  tied: boolean;
  most: number | string;
  metadata: Record<string, string>;
  files: Record<string, string>;
}

describe.each(casesOf<ShardedCase>('sharded'))('sharded: %s', (_, given) => {
  const tensors = made(given as never);
  if (given.tied) tensors.set('tied', tensors.get('a.weight') as Tensor);
  const own = folder();

  test("saving writes Hugging Face's bytes", () => {
    const stale = ['model-00001-of-00009.safetensors', 'model.safetensors.index.json', 'model.safetensors'];
    const foreign = ['model-1.safetensors', 'model.safetensors.backup', 'other.safetensors'];
    for (const name of [...stale, ...foreign]) writeFileSync(join(own.path, name), name);
    safetensors.saveSharded(tensors, own.path, { maxShardSize: given.most, metadata: given.metadata });
    for (const [name, text] of Object.entries(given.files)) {
      expect([name, readFileSync(join(own.path, name), 'base64')]).toEqual([name, text]);
    }
    for (const name of stale) expect([name, existsSync(join(own.path, name))]).toEqual([name, name in given.files]);
    for (const name of foreign) expect(readFileSync(join(own.path, name), 'utf8')).toBe(name);
  });

  test('loading gives all of them back', () => {
    for (const [name, text] of Object.entries(given.files)) own.file(name, Buffer.from(text, 'base64'));
    const expected = new Map(tensors);
    if (given.tied) expected.delete('tied');
    expect(sorted(allBits(safetensors.loadSharded(own.path)))).toEqual(sorted(allBits(expected)));
  });
});

describe('checkpoints that do not fit their index', () => {
  const own = folder('for each test');
  const index = (weights: unknown): string => own.file('model.safetensors.index.json', JSON.stringify(weights));
  const shard = (name: string): string => own.file(name, Buffer.from(safetensors.save({ w: torch.ones([2]) })));

  test('are refused', () => {
    const load = (): string => failure(() => safetensors.loadSharded(own.path));
    expect(load()).toContain('has neither model.safetensors.index.json nor model.safetensors');
    shard('a.safetensors');
    index({ weight_map: { w: 'a.safetensors', v: 'a.safetensors' } });
    expect(load()).toContain('a.safetensors: lacks tensors that ');
    index({ weight_map: { v: 'b.safetensors' } });
    expect(load()).toContain('b.safetensors: the file does not exist');
    index({ weight_map: { w: '../a.safetensors' } });
    expect(load()).toContain('expected the name of a file in the same folder for "w"');
    index([]);
    expect(load()).toContain("has no object 'weight_map'");
    own.file('model.safetensors.index.json', '{');
    expect(load()).toContain('is not JSON');
    index({ weight_map: {} });
    expect(safetensors.loadSharded(own.path).size).toBe(0);
  });

  test('sizes, patterns and memory that no tensor covers are refused', () => {
    const save = (tensors: Record<string, Tensor>, options: object): string =>
      failure(() => safetensors.saveSharded(tensors, own.path, options));
    expect(save({}, { maxShardSize: '5 apples' })).toContain("expected option 'maxShardSize' to be a number of bytes");
    expect(save({}, { maxShardSize: 0 })).toContain("expected option 'maxShardSize'");
    expect(save({}, { filenamePattern: 'x' })).toContain("to be the name of a file with '{suffix}' in it");
    expect(save({}, { filenamePattern: '../{suffix}' })).toContain("to be the name of a file with '{suffix}' in it");
    const x = torch.ones([4]);
    const parts = { a: x.index(slice(1, 3)), b: x.index(slice(2, 4)) };
    expect(save(parts, {})).toContain('to have one that covers its memory');
  });
});

describe('modules', () => {
  /** Two layers with one weight. */
  class Tied extends nn.Module<Tensor> {
    first = new nn.Linear(3, 3);
    second = new nn.Linear(3, 3);

    constructor() {
      super();
      this.second.weight = this.first.weight;
    }

    override forward(x: Tensor): Tensor {
      return this.second.forward(this.first.forward(x));
    }
  }

  const path = (): string => join(here.path, 'tied.safetensors');

  test('tied weights are written once, and read into both', () => {
    const [model, other] = [new Tied(), new Tied()];
    expect(failure(() => safetensors.saveFile(model.stateDict(), path()))).toContain('"first.weight", "second.weight"');
    safetensors.saveModel(model, path());
    using file = safetensors.safeOpen(path());
    expect(file.keys()).toEqual(['first.bias', 'first.weight', 'second.bias']);
    expect(file.metadata()).toEqual(new Map([['second.weight', 'first.weight']]));
    expect(safetensors.loadModel(other, path())).toEqual([[], []]);
    const x = torch.ones([1, 3]);
    expect(other.forward(x).equal(model.forward(x))).toBe(true);
    expect(other.first.weight).toBe(other.second.weight);
  });

  test('a file that has the other name of a tied weight is read, too', () => {
    const [model, other] = [new Tied(), new Tied()];
    const state = new Map(model.stateDict());
    state.delete('first.weight');
    safetensors.saveFile(state, path());
    safetensors.loadModel(other, path());
    expect(other.first.weight.equal(model.first.weight)).toBe(true);
  });

  test('keys that do not fit are an error that loads nothing, or are told', () => {
    const model = new Tied();
    const before = canonical(new Map(model.stateDict()));
    safetensors.saveFile({ 'first.bias': torch.ones([3]), other: torch.ones([1]) }, path());
    const message = failure(() => safetensors.loadModel(model, path()));
    expect(message).toContain('Missing key(s) in state_dict: "first.weight", "second.bias"');
    expect(message).toContain('Unexpected key(s) in state_dict: "other"');
    expect(canonical(new Map(model.stateDict()))).toEqual(before);
    const [missing, unexpected] = safetensors.loadModel(model, path(), { strict: false });
    expect([missing, unexpected]).toEqual([['first.weight', 'second.bias'], ['other']]);
    expect(model.first.bias?.toArray()).toEqual([1, 1, 1]);
    expect(failure(() => safetensors.loadModel({} as never, path()))).toContain(
      "loadModel: expected 'model' to be a Module",
    );
    expect(failure(() => safetensors.loadModel(model, path(), { strct: true } as never))).toContain("'strct'");
  });
});
