/** Files of Python's torch.save (scripts/golden/files.py). */
import * as torch from '../../../lib';
import { folder } from '../../support/folder';
import { canonical } from './canonical';
import { casesOf, failure } from './support';

const here = folder();

describe.each(casesOf<{ value: string; bytes: string }>('pt'))('%s', (_, given) => {
  const bytes = Buffer.from(given.bytes, 'base64');
  // Nothing here is on a GPU.
  const options = { mapLocation: 'cpu' };

  test('is read as Python reads it, from a file, from memory and mapped', () => {
    const path = here.file('case.pt', bytes);
    for (const mmap of [false, true]) {
      expect(canonical(torch.load(path, { ...options, mmap }))).toEqual(JSON.parse(given.value));
    }
    expect(canonical(torch.load(bytes, 'cpu'))).toEqual(JSON.parse(given.value));
  });
});

describe('what is not plain data is refused by its name', () => {
  const messages: Record<string, string> = {
    'a module': 'uses "torch.nn.modules.linear.Linear"',
    'a function': 'uses "math.sqrt", which is not read',
    "a class of one's own": 'uses "canonical.Canonical", which is not read',
    quantized: 'uses "torch._utils._rebuild_qtensor", "torch.QUInt8Storage", "torch.per_tensor_affine"',
    uint16: 'uses "torch.uint16", which is not read',
    'a storage': 'holds a storage outside of a tensor',
    'a class': 'holds collections.OrderedDict itself',
    'an attribute': 'has a tensor with attributes of its own (note)',
    'before 1.6': 'is a pickle, as PyTorch wrote before 1.6; in Python, write it anew',
    TorchScript: 'is a TorchScript program',
    frozenset: 'uses "builtins.frozenset"',
  };

  test.each(casesOf<{ bytes: string }>('pt-refused'))('%s', (name, { bytes }) => {
    const path = here.file('refused.pt', Buffer.from(bytes, 'base64'));
    const message = failure(() => torch.load(path));
    expect(message).toMatch(/^BAD_DATA /);
    expect(message).toContain(path);
    expect(message).toContain(messages[name]);
  });
});

describe('files and options', () => {
  const bytes = Buffer.from((casesOf<{ bytes: string }>('pt')[0] as [string, { bytes: string }])[1].bytes, 'base64');

  test.each<[string, () => unknown, string]>([
    ['no file', () => torch.load(`${here.path}/none.pt`), 'none.pt: the file does not exist'],
    ['a folder', () => torch.load(here.path), 'is a directory, not a file'],
    ['no archive', () => torch.load(Buffer.from('hello world')), 'the data, byte 0: is not a file of torch.save'],
    ['nothing', () => torch.load(new Uint8Array()), 'the data, byte 0: is not a file of torch.save'],
    [
      '.safetensors',
      () => torch.load(Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1')),
      'safetensors.loadFile reads those',
    ],
    ['tar', () => torch.load(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\x0000')])), 'is a tar archive'],
    ['cut off', () => torch.load(bytes.subarray(0, bytes.length - 1)), 'its end is missing; it may have been cut off'],
    [
      'weightsOnly',
      () => torch.load(bytes, { weightsOnly: false }),
      "'weightsOnly' to be true: nothing in a file is executed",
    ],
    ['a misspelled option', () => torch.load(bytes, { maplocation: 'cpu' } as never), "did you mean 'mapLocation'?"],
    ['no device', () => torch.load(bytes, 'gpu'), "load: expected option 'mapLocation' to give a device that is there"],
    ['mapped memory', () => torch.load(bytes, { mmap: true }), "'mmap' to be false for what is in memory"],
    ['no name', () => torch.load(5 as never), "load: expected 'file' to be the path of a file, but received 5"],
  ])('%s', (_, run, message) => {
    expect(failure(run)).toContain(message);
  });

  test('tensors go where the map of devices says', () => {
    const at = (to: torch.MapLocation | torch.LoadOptions): string => torch.load<torch.Tensor>(bytes, to).device;
    expect(at('meta')).toBe('meta');
    expect(at({ cpu: 'meta' })).toBe('meta');
    expect(at(new Map([['cpu', 'meta']]))).toBe('meta');
    expect(at((location) => (location === 'cpu' ? 'meta' : undefined))).toBe('meta');
    expect(at({ mapLocation: { 'cuda:0': 'meta' } })).toBe('cpu');
    expect(at(() => null)).toBe('cpu');
  });

  test('a tensor of a mapped file has memory of its own to write to, and outlives the file', () => {
    const path = here.file('mapped.pt', bytes);
    const before = torch.load<torch.Tensor>(path);
    const mapped = torch.load<torch.Tensor>(path, { mmap: true });
    mapped.mul_(2);
    expect(mapped.equal(before.mul(2))).toBe(true);
    expect(torch.load<torch.Tensor>(path).equal(before)).toBe(true);
  });

  test('in a scope, only what was read lives on', () => {
    const count = torch.memory().tensors;
    const loaded = torch.scope(() => torch.load<torch.Tensor>(bytes));
    expect(torch.memory().tensors).toBe(count + 1);
    loaded.dispose();
  });
});
