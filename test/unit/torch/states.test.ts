/**
 * Every method and property on every state of what it is called on: disposed tensors say so, and what is not a tensor of
 * this package is told from one, whatever it pretends.
 */
import { inspect } from 'node:util';
import * as torch from 'libtorch-losses';
import { camelCase } from '../../../lib/camel-case';
import { methodNames } from '../../../lib/torch/methods.generated';
import { refusal } from './support';

type Call = (...args: unknown[]) => unknown;

const descriptors = Object.getOwnPropertyDescriptors(torch.Tensor.prototype) as Record<
  string | symbol,
  PropertyDescriptor
>;
/** They reject where others throw. */
const asynchronous: readonly (string | symbol)[] = ['itemAsync', 'toTypedArrayAsync'];
const names = Reflect.ownKeys(descriptors).filter((name) => name !== 'constructor' && !asynchronous.includes(name));

/** What works on a disposed tensor: asking whether it is, disposing it again, printing it. */
const idempotent: readonly (string | symbol)[] = [
  ...['isDisposed', 'dispose', 'toString', 'toJSON', Symbol.dispose, Symbol.toStringTag, inspect.custom],
];

const x = torch.tensor([[0.5, 0.25]]);
const derived = new Set(methodNames.map(camelCase));
/** Arguments that let each method reach its tensor; those that are not named take none. */
const args = new Map<string | symbol, readonly unknown[]>(
  Object.entries({
    ...Object.fromEntries(
      [
        'add',
        'sub',
        'mul',
        'div',
        'maximum',
        'minimum',
        'eq',
        'ne',
        'lt',
        'le',
        'gt',
        'ge',
        'isclose',
        'allclose',
        'equal',
      ]
        .concat(['logicalAnd', 'logicalOr', 'add_', 'sub_', 'mul_', 'div_', 'copy_', 'pow', 'xlogy'])
        .map((name) => [name, [x]]),
    ),
    ...Object.fromEntries(
      ['softmax', 'logSoftmax', 'amax', 'amin', 'logsumexp', 'cumsum', 'topk', 'unsqueeze', 'fill_'].map((name) => [
        name,
        [1],
      ]),
    ),
    clamp: [{ min: 0 }],
    clamp_: [{ min: 0 }],
    maskedFill: [torch.tensor([true, false]), 0],
    maskedSelect: [torch.tensor([true, false])],
    reshape: [[2]],
    view: [[2]],
    transpose: [0, 1],
    permute: [[1, 0]],
    expand: [[2, 2]],
    asStrided: [[1], [1]],
    select: [0, 0],
    narrow: [0, 0, 1],
    indexSelect: [0, torch.tensor([0n])],
    gather: [0, torch.tensor([[0n]])],
    matmul: [torch.tensor([1, 2])],
    to: ['float64'],
    indexPut_: [[0], 1],
    registerHook: [() => undefined],
    apply_: [() => 1],
    map_: [x, () => 1],
    map2_: [x, x, () => 1],
  }),
);

/** Methods of the schemas that are called without what they need are refused, rather than reach their tensor. */
const isKnown = (name: string | symbol): boolean => typeof name === 'symbol' || args.has(name) || !derived.has(name);

/** The code of what a call on a live tensor throws; empty if it works. */
function outcome(name: string | symbol): string {
  try {
    use(name, torch.tensor([[0.5, 0.25]]));
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(torch.TorchError);
    return (error as torch.TorchError).code;
  }
}

function use(name: string | symbol, receiver: unknown): unknown {
  const { get, value } = descriptors[name] as PropertyDescriptor;
  return get === undefined ? (value as Call).apply(receiver, [...(args.get(name) ?? [])]) : get.call(receiver);
}

describe.each(names.map((name) => [String(name), name]))('%s', (_text, name) => {
  test('works on a live tensor, or refuses it by itself', () => {
    const live = torch.tensor([[0.5, 0.25]]);
    const unfit: Readonly<Record<string | symbol, string>> = {
      __proto__: null as never,
      item: 'RUNTIME', // of two elements
      stft: 'INVALID_ARGUMENT', // without nFft
      newTensor: 'INVALID_ARGUMENT', // of nothing
      [Symbol.toPrimitive]: 'INVALID_ARGUMENT',
      recordStream: 'INVALID_ARGUMENT', // of what is not a stream
      pinMemory: torch.cuda.isAvailable() ? '' : 'RUNTIME',
      backward: 'RUNTIME', // of what requires no gradient
      retainGrad: 'RUNTIME',
      registerHook: 'RUNTIME',
      cuda: torch.cuda.isAvailable() ? '' : 'INVALID_ARGUMENT',
    };
    const code = unfit[name];
    if (code) expect(refusal(() => use(name, live)).code).toBe(code);
    else if (isKnown(name)) expect(() => use(name, live)).not.toThrow();
    else expect(['', 'INVALID_ARGUMENT', 'RUNTIME', 'NOT_IMPLEMENTED', 'LINALG', 'INDEX']).toContain(outcome(name));
  });

  test('says that a disposed tensor is one', () => {
    const gone = torch.tensor([[0.5, 0.25]]);
    gone.dispose();
    if (idempotent.includes(name)) {
      expect(() => use(name, gone)).not.toThrow();
      return;
    }
    if (name === 'cuda' && !torch.cuda.isAvailable()) return;
    if ((!isKnown(name) || name === 'stft') && outcome(name) === 'INVALID_ARGUMENT') return;
    const error = refusal(() => use(name, gone));
    expect(error).toBeInstanceOf(torch.DisposedError);
    expect({ code: error.code, message: error.message }).toEqual({
      code: 'DISPOSED',
      message: expect.stringMatching(
        /^\w+: expected '[\w[\]]+' to be a live tensor, but received one that was disposed$/,
      ),
    });
  });

  // Properties and methods of the class itself read a private field, which is JavaScript's own TypeError.
  test.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['null', () => null],
    ['an object', () => ({})],
    ['an object of the class that was not made by it', () => Object.create(torch.Tensor.prototype)],
    ['a proxy of a tensor', () => new Proxy(x, {})],
  ])('refuses %s as its tensor', (_state, receiver) => {
    if (name === 'cuda' && !torch.cuda.isAvailable()) return;
    // Prints whatever has a text.
    if (name === inspect.custom && _state === 'an object') return;
    // Whatever is compared has a tag.
    if (name === Symbol.toStringTag && _state !== 'undefined' && _state !== 'null') return;
    expect(() => use(name, receiver())).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/^(TorchError|TypeError)$/) }),
    );
  });
});

describe.each(asynchronous.map((name) => [String(name), name]))('%s', (_text, name) => {
  test('gives what the synchronous method gives', async () => {
    const one = torch.tensor([0.5]);
    const expected = name === 'itemAsync' ? one.item() : one.toTypedArray();
    expect(await use(name, one)).toEqual(expected);
  });

  test('says that a disposed tensor is one', async () => {
    const gone = torch.tensor([0.5]);
    gone.dispose();
    await expect(use(name, gone)).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  test('refuses what is not a tensor', async () => {
    await expect(use(name, {})).rejects.toThrow(TypeError);
  });
});

test('itemAsync is of one element', async () => {
  await expect(x.itemAsync()).rejects.toMatchObject({ code: 'RUNTIME' });
});

describe('what is not a tensor, in the place of one', () => {
  const revoked = (): unknown => {
    const { proxy, revoke } = Proxy.revocable(x, {});
    revoke();
    return proxy;
  };
  const throwing = (): unknown =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('asked');
        },
      },
    );
  const foreign: readonly [string, () => unknown][] = [
    ['an object with the methods of a tensor', () => ({ ...x, shape: [1], dtype: 'float32', add: x.add })],
    ['an object of the class that was not made by it', () => Object.create(torch.Tensor.prototype)],
    ['a proxy of a tensor', () => new Proxy(x, {})],
    ['an object whose properties throw', throwing],
    [
      'an object with a constructor that throws',
      () => Object.defineProperty({}, 'constructor', { get: throwing as never }),
    ],
    ['the class', () => torch.Tensor],
    ['a symbol', () => Symbol('tensor')],
    ['a function', () => () => x],
    ['a date', () => new Date()],
  ];
  const places: readonly [string, string, string, (value: never) => unknown][] = [
    ['the first operand', 'add', 'input', (value) => torch.add(value, 1)],
    ['the second operand', 'add', 'other', (value) => x.add(value)],
    ['an operand that is not a number', 'maximum', 'other', (value) => x.maximum(value)],
    ['an index', 'indexSelect', 'index', (value) => x.indexSelect(0, value)],
    ['an element of a list', 'stack', 'tensors[1]', (value) => torch.stack([x, value])],
    ['an in-place operand', 'mul_', 'other', (value) => x.mul_(value)],
    ['a function in two words', 'logSoftmax', 'input', (value) => torch.logSoftmax(value, 1)],
    ['an output of grad', 'grad', 'outputs', (value) => torch.grad(value, x)],
    ['an input of backward', 'backward', 'inputs[0]', (value) => x.backward({ inputs: [value] })],
    ['an input of a loss', 'crossEntropy', 'input', (value) => torch.nn.functional.crossEntropy(value, [0])],
    ['a target of a loss', 'nllLoss', 'target', (value) => torch.nn.functional.nllLoss(x, value)],
    ['a weight', 'crossEntropy', 'weight', (value) => torch.nn.functional.crossEntropy(x, [0], { weight: value })],
    ['probabilities', 'Categorical', 'probs', (value) => new torch.distributions.Categorical({ probs: value })],
  ];

  describe.each(places)('%s', (_place, op, argument, call) => {
    test.each(foreign)('%s', (_name, value) => {
      expect(refusal(() => call(value() as never))).toMatchObject({ code: 'INVALID_ARGUMENT', op, argument });
    });
  });

  test.each(places)('a proxy that was revoked: %s', (_place, _op, _argument, call) => {
    // It refuses to say whether it is an array, with a TypeError of JavaScript's own.
    expect(() => call(revoked() as never)).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/^(TorchError|TypeError)$/) }),
    );
  });

  test('what looks like a tensor is told from one', () => {
    expect(refusal(() => x.add(new Proxy(x, {}))).message).toBe(
      "add: expected 'other' to be a Tensor or a number, but received a proxy of a Tensor, or a Tensor of another copy of this package",
    );
  });

  test('nobody makes a tensor but the library', () => {
    const Constructor = torch.Tensor as unknown as new (...args: unknown[]) => torch.Tensor;
    for (const values of [[], [{}], [x], [{}, Symbol('libtorch-losses.tensor')]]) {
      expect(refusal(() => new Constructor(...values))).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'Tensor' });
    }
  });
});

describe('another copy of the library', () => {
  function loadCopy(): typeof torch {
    let loaded: typeof torch | undefined;
    jest.isolateModules(() => {
      loaded = require('libtorch-losses');
    });
    return loaded as typeof torch;
  }

  test('works beside the first, each refusing the other’s tensors', () => {
    const other = loadCopy();
    expect(other.Tensor).not.toBe(torch.Tensor);
    expect(other.ones([2]).add(1).toArray()).toEqual([2, 2]);
    expect(refusal(() => x.add(other.ones([1, 2]) as never)).message).toContain('another copy of this package');
  });

  test('each throws errors of its own classes', () => {
    const other = loadCopy();
    expect(() => other.ones([2]).add(other.ones([3]))).toThrow(other.NativeError);
    expect(() => torch.ones([2]).add(torch.ones([3]))).toThrow(torch.NativeError);
    expect(() => other.ones([2]).add(1 as never, { alfa: 1 } as never)).toThrow(other.TorchError);
  });
});
