/** The errors: their classes, codes, names, causes, and the words of the one formula. */
import * as torch from 'libtorch-losses';
import { native } from '../../../lib/binding/load';
import { LoadError, TorchError } from '../../../lib/errors';
import { refusal } from './support';

const { DisposedError, NativeError } = torch;
const F = torch.nn.functional;
const x = torch.zeros([2, 3]);
const gone = torch.ones([1]);
gone.dispose();

const errors: readonly [string, () => unknown, new (...args: never[]) => Error, Record<string, unknown>][] = [
  ['an argument', () => x.softmax(0.5), TorchError, { code: 'INVALID_ARGUMENT', op: 'softmax', argument: 'dim' }],
  [
    'an option',
    () => x.sum(0, { keepDim: true } as never),
    TorchError,
    { code: 'UNKNOWN_OPTION', op: 'sum', argument: 'keepDim' },
  ],
  ['a disposed tensor', () => x.add(gone), DisposedError, { code: 'DISPOSED', op: 'add', argument: 'other' }],
  ['RuntimeError', () => x.add(torch.ones([4])), NativeError, { code: 'RUNTIME', op: 'add', argument: undefined }],
  ['IndexError', () => x.sum(7), NativeError, { code: 'INDEX', op: 'sum' }],
  ['ValueError', () => torch.cat([]), NativeError, { code: 'VALUE', op: 'cat' }],
  ['NotImplementedError', () => torch.zeros([1], { device: 'meta' }).item(), NativeError, { code: 'NOT_IMPLEMENTED' }],
  [
    'no memory',
    () =>
      torch
        .ones([1])
        .expand([2 ** 40])
        .toArray(),
    TorchError,
    { code: 'OUT_OF_MEMORY', op: 'toTypedArray' },
  ],
];

test.each(errors)('%s', (_name, call, Kind, properties) => {
  const error = refusal(call);
  expect(error).toBeInstanceOf(Kind);
  expect(error).toBeInstanceOf(torch.TorchError);
  expect(error).toBeInstanceOf(Error);
  expect(error.constructor).toBe(Kind);
  expect(error.name).toBe(Kind.name);
  expect(error).toMatchObject(properties);
  expect(String(error)).toBe(`${Kind.name}: ${error.message}`);
  // Where the caller was, not where native code was.
  expect(error.stack).toContain('errors.test');
  expect(error.stack).not.toContain('Exception raised from');
});

test('what libtorch said is the cause where an argument is named', () => {
  const error = refusal(() => F.crossEntropy(x, [0, 3]));
  expect(error).toMatchObject({ code: 'INDEX', op: 'crossEntropy', argument: 'target' });
  expect(error.cause).toBeInstanceOf(NativeError);
  expect(error.message).toBe(
    `crossEntropy: expected 'target' to hold class indices in [0, 3) or -100 (ignoreIndex), but received 3 at index 1 (libtorch: ${(error.cause as Error).message})`,
  );
});

test('an error can be told by its code alone, and a foreign one is none of ours', () => {
  expect(new TorchError('VALUE', 'text')).toMatchObject({ op: undefined, argument: undefined });
  expect(new TorchError('VALUE', 'text').cause).toBeUndefined();
  expect(new TypeError('text')).not.toBeInstanceOf(TorchError);
  expect(new LoadError('ADDON_NOT_FOUND', 'text', [{ source: 's', outcome: 'o' }])).toMatchObject({
    name: 'LoadError',
    attempts: [{ source: 's', outcome: 'o' }],
  });
});

test('messages stay short, whatever they show', () => {
  const shown: unknown[] = ['x'.repeat(1e6), 2n ** 100_000n, new Array(1e6), new Float64Array(1e5), 'é'.repeat(1e5)];
  for (const value of shown) {
    for (const call of [() => x.add(value as never), () => x.softmax(value as never), () => x.fill_(value as never)]) {
      expect(refusal(call).message.length).toBeLessThan(250);
    }
  }
});

test('native code names what it refuses, and ends no call without an error', () => {
  const n = native();
  const add = n.operator('aten::add', 'Tensor');
  const [a, b] = [n.fromBytes(Float32Array.of(1), 6, [1]), n.fromBytes(Float32Array.of(1, 2), 6, [2])];
  const calls: readonly [() => unknown, Record<string, unknown>][] = [
    [() => add(), { code: 'INVALID_ARGUMENT', op: 'add', argument: 'input' }],
    [() => add(a, {} as never), { code: 'INVALID_ARGUMENT', argument: 'other' }],
    [() => add(a, b, 'x'), { code: 'INVALID_ARGUMENT', argument: 'alpha' }],
    [
      () => add(a, b, 1, 2),
      { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/at most 3 arguments, but received 4/) },
    ],
    [() => n.operator('aten::no_such', ''), { code: 'NOT_IMPLEMENTED' }],
    [() => n.operator('aten::add', 'NoSuch'), { code: 'NOT_IMPLEMENTED' }],
    [() => n.operator(1 as never, ''), { argument: 'name' }],
    [() => n.fromBytes(new Float32Array(3), 6, [2]), { argument: 'array' }],
    [() => n.fromBytes(new Float32Array(3), 6, [-3]), { argument: 'shape' }],
    [() => n.fromBytes(new Float32Array(3), 6, [2 ** 52, 2 ** 52]), { argument: 'shape' }],
    [() => n.fromBytes(new Float32Array(1), 999, [1]), { argument: 'dtype' }],
    [() => n.fromBytes(new Float32Array(1), 8, [1]), { argument: 'dtype' }],
    [() => n.share(new Uint8Array(new ArrayBuffer(9), 1), 6, [2]), { argument: 'array' }],
    [() => n.copyTo(b, new Float32Array(1)), { argument: 'array' }],
    [() => n.shape({} as never), { argument: 'tensor' }],
    [() => n.backward([1] as never, undefined, undefined, false, undefined), { argument: 'tensors[0]' }],
    [() => n.withGradMode(1 as never, () => 1), { argument: 'enabled' }],
    [() => n.synchronize('nonsense'), { code: 'INVALID_ARGUMENT', argument: 'device' }],
  ];
  for (const [call, properties] of calls) expect(refusal(call)).toMatchObject(properties);
  expect(add(a, b)).toBeDefined();
});

test('a resizable array that native code shares is checked against what it was', () => {
  const n = native();
  const buffer = new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(4096, {
    maxByteLength: 65536,
  });
  const shared = n.share(new Float32Array(buffer), 6, [1024]);
  const sum = n.operator('aten::sum', '');
  expect(n.item(sum(shared) as never)).toBe(0);
  (buffer as unknown as { resize(size: number): void }).resize(16);
  expect(refusal(() => sum(shared))).toMatchObject({ code: 'DETACHED' });
  n.dispose(shared);
});

test('kernels of other layouts are out of reach: some write beyond their memory', () => {
  const zeros = native().operator('aten::zeros', '');
  expect(() => zeros([2], 6, 0)).not.toThrow();
  for (const layout of [1, 2, 3]) expect(refusal(() => zeros([2], 0, layout))).toMatchObject({ argument: 'layout' });
});
