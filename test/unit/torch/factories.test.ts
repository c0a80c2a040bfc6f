/** What tensors are made of: nested arrays, flat data with a shape, and the factories that take a shape. */
import * as torch from 'libtorch-losses';
import { expectNative, madeBy, refusal, seen } from './support';

const { tensor } = torch;

/** What comes back of data: bigints that are safe integers as numbers, floats rounded to float32. */
function asNumbers(data: torch.TensorData): unknown {
  if (Array.isArray(data)) return data.map(asNumbers);
  if (typeof data === 'bigint') return Number.isSafeInteger(Number(data)) ? Number(data) : data;
  return typeof data === 'number' ? Math.fround(data) : data;
}

describe('nested arrays', () => {
  test.each<[string, torch.TensorData, string, number[]]>([
    ['a number', 1.5, 'float32', []],
    ['a bigint', 3n, 'int64', []],
    ['a boolean', true, 'bool', []],
    ['nothing', [], 'float32', [0]],
    ['a list with nothing in it', [[]], 'float32', [1, 0]],
    ['lists with nothing in them', [[[]], [[]]], 'float32', [2, 1, 0]],
    [
      'numbers',
      [
        [1, 2, NaN],
        [-0, Infinity, 5e-324],
      ],
      'float32',
      [2, 3],
    ],
    ['bigints', [[2n ** 63n - 1n], [-(2n ** 63n)]], 'int64', [2, 1]],
    ['booleans', [[[true], [false]]], 'bool', [1, 2, 1]],
  ])('%s', (_name, data, dtype, shape) => {
    const made = tensor(data);
    expect([made.dtype, made.shape]).toEqual([dtype, shape]);
    expect(made.toArray()).toEqual(asNumbers(data));
  });

  test('float32 rounds, float64 keeps', () => {
    expect(tensor([0.1, 16777217]).toArray()).toEqual([Math.fround(0.1), 16777216]);
    expect(tensor([0.1, 5e-324], { dtype: 'float64' }).toArray()).toEqual([0.1, 5e-324]);
  });

  test('128 levels, but no more, and none that hold themselves', () => {
    const nested = (depth: number): torch.TensorData => {
      let data: torch.TensorData = [1];
      for (let i = 1; i < depth; i++) data = [data] as torch.TensorData;
      return data;
    };
    expect(tensor(nested(128)).ndim).toBe(128);
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const deep of [nested(129), nested(100_000), cycle as torch.TensorData]) {
      expect(refusal(() => tensor(deep))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'data' });
    }
  });

  test.each<[string, unknown, string]>([
    [
      'rows of two lengths',
      [[1, 2], [3]],
      "tensor: expected 'data[1]' to be an array of length 2, as its siblings are, but received an array of length 1",
    ],
    [
      'a number beside a list',
      [1, [2]],
      "tensor: expected 'data[1]' to be a single element, as its siblings are, but received an array of length 1",
    ],
    [
      'a list beside a number',
      [[1], 2],
      "tensor: expected 'data[1]' to be an array of length 1, as its siblings are, but received a single element",
    ],
    [
      'a deeper list',
      [[1], [[2]]],
      "tensor: expected 'data[1][0]' to be a single element, as its siblings are, but received an array of length 1",
    ],
    [
      'a list beside nothing',
      [[], [1]],
      "tensor: expected 'data[1]' to be an array of length 0, as its siblings are, but received an array of length 1",
    ],
    [
      'a number beside nothing',
      [[], 1],
      "tensor: expected 'data[1]' to be an array of length 0, as its siblings are, but received a single element",
    ],
    [
      'text',
      [['1']],
      'tensor: expected \'data[0][0]\' to be a number, bigint or boolean, or an array of them, but received "1"',
    ],
    [
      'a hole',
      new Array(2),
      "tensor: expected 'data[0]' to be a number, bigint or boolean, or an array of them, but received undefined",
    ],
    [
      'null',
      [1, null],
      "tensor: expected 'data[1]' to be a number, bigint or boolean, or an array of them, but received null",
    ],
    [
      'an object',
      [{}],
      "tensor: expected 'data[0]' to be a number, bigint or boolean, or an array of them, but received an object",
    ],
    [
      'numbers and bigints',
      [1, 2n],
      "tensor: expected 'data' to hold elements of one type, but received a number and 2n",
    ],
    [
      'numbers and booleans',
      [[1], [true]],
      "tensor: expected 'data' to hold elements of one type, but received a number and true",
    ],
  ])('%s: refused', (_name, data, message) => {
    expect(refusal(() => tensor(data as torch.TensorData)).message).toBe(message);
  });
});

describe('dtypes', () => {
  const whole = ['int64', 'int32', 'int16', 'int8', 'uint8'] as const;

  test.each([...whole, 'float64', 'float32', 'float16', 'bfloat16'] as const)(
    '%s holds small whole numbers',
    (dtype) => {
      expect(
        seen(
          tensor(
            [
              [1, 0],
              [2, 100],
            ],
            { dtype },
          ),
        ),
      ).toEqual({
        dtype,
        shape: [2, 2],
        values: [
          [1, 0],
          [2, 100],
        ],
      });
    },
  );

  test('bounds of the integer dtypes, and what lies beyond', () => {
    const bounds = { int64: 63, int32: 31, int16: 15, int8: 7 } as const;
    for (const [dtype, bits] of Object.entries(bounds) as [keyof typeof bounds, number][]) {
      const [low, high] = [-(2n ** BigInt(bits)), 2n ** BigInt(bits) - 1n];
      expect(tensor([low, high], { dtype }).toTypedArray()).toHaveLength(2);
      for (const beyond of [low - 1n, high + 1n]) {
        expect(refusal(() => tensor([0n, beyond], { dtype })).message).toBe(
          `tensor: expected element 1 of 'data' to be an integer that ${dtype} holds, but received ${beyond}n`,
        );
      }
    }
    expect(tensor([0, 255], { dtype: 'uint8' }).toArray()).toEqual([0, 255]);
    for (const value of [-1, 256, 0.5, NaN, Infinity]) {
      expect(refusal(() => tensor(value, { dtype: 'uint8' })).code).toBe('INVALID_ARGUMENT');
    }
  });

  test('bool: everything but 0, and NaN is not 0', () => {
    const values = [0, -0, 1, NaN, 0.5];
    expect(tensor(values, { dtype: 'bool' }).toArray()).toEqual([false, false, true, true, true]);
    expect(tensor(Float64Array.from(values), { dtype: 'bool' }).toArray()).toEqual([false, false, true, true, true]);
    expect(tensor([0n, 2n], { dtype: 'bool' }).toArray()).toEqual([false, true]);
  });

  test.each([
    ['float', undefined],
    ['Float32', 'float32'],
    ['int-64', 'int64'],
    ['f', undefined],
    ['complex32', undefined],
  ])("'%s' is none; the nearest is suggested", (dtype, near) => {
    const { message, code, argument } = refusal(() => torch.zeros([1], { dtype: dtype as never }));
    expect([code, argument]).toEqual(['INVALID_ARGUMENT', 'dtype']);
    expect(message).toContain(`expected 'dtype' to be one of 'float64', 'float32',`);
    if (near !== undefined) expect(message).toMatch(/\(did you mean '\w+'\?\)$/);
  });

  test.each([1, ['float32'], 'constructor', '__proto__'])('%p is none', (dtype) => {
    expect(refusal(() => torch.ones([1], { dtype: dtype as never })).argument).toBe('dtype');
  });
});

describe('flat data with a shape', () => {
  test('what onnxruntime calls a tensor goes in as it is', () => {
    const output = { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2], type: 'float32' };
    expect(seen(tensor(output))).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      values: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(tensor({ data: [1n, 2n], shape: [2, 1] }).shape).toEqual([2, 1]);
    expect(tensor(output, { shape: [4] }).shape).toEqual([4]);
    expect(tensor({ data: [5], dims: [] }).shape).toEqual([]);
  });

  test.each<[string, () => unknown, string]>([
    ['too few elements', () => tensor([1, 2, 3], { shape: [2, 2] }), 'shape'],
    ['too many dims', () => tensor({ data: new Float32Array(3), dims: [3, 2] }), 'shape'],
    ['a negative size', () => tensor([1], { shape: [-1] }), 'shape[0]'],
    ['a fraction', () => tensor([1], { shape: [1, 0.5] }), 'shape[1]'],
    ['an infinite size', () => torch.zeros([Infinity]), 'size[0]'],
    ['NaN', () => torch.ones([2, NaN]), 'size[1]'],
    ['text', () => torch.randn(['2'] as never), 'size[0]'],
    ['a hole', () => torch.empty(new Array(1)), 'size[0]'],
    ['no shape', () => torch.zeros(undefined as never), 'size'],
    ['a fraction alone', () => torch.zeros(0.5), 'size[0]'],
    ['a tensor', () => torch.zeros(torch.ones([1]) as never), 'size'],
    ['an unsafe size', () => torch.zeros([2 ** 53]), 'size[0]'],
    ['no data', () => tensor({ dims: [1] } as never), 'data'],
    ['undefined', () => tensor(undefined as never), 'data'],
    ['null', () => tensor(null as never), 'data'],
    ['a function', () => tensor((() => [1]) as never), 'data'],
    ['a date', () => tensor(new Date() as never), 'data'],
    ['a Map', () => tensor(new Map() as never), 'data'],
    ['an ArrayBuffer', () => tensor(new ArrayBuffer(4) as never), 'data'],
    ['a DataView', () => tensor(new DataView(new ArrayBuffer(4)) as never), 'data'],
  ])('%s: refused', (_name, call, argument) => {
    expect(refusal(call)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });

  test('sizes beyond any memory are libtorch’s refusal, and leave nothing behind', () => {
    const made = madeBy(() => {
      expectNative(
        refusal(() => torch.zeros([2 ** 50])),
        'OUT_OF_MEMORY',
        /can't allocate memory/,
      );
      expectNative(
        refusal(() =>
          torch
            .ones([1])
            .expand([2 ** 40])
            .contiguous(),
        ),
        'OUT_OF_MEMORY',
        /can't allocate memory/,
      );
      expectNative(
        refusal(() => torch.zeros([2 ** 52, 2 ** 52, 0])),
        'RUNTIME',
        /overflow/,
      );
    });
    expect(made).toBeLessThanOrEqual(2);
  });

  test('a size of 0 makes every other harmless', () => {
    const empty = torch.zeros([2 ** 40, 0]);
    expect([empty.shape, empty.numel(), String(empty)]).toEqual([[2 ** 40, 0], 0, `tensor([], size=(${2 ** 40}, 0))`]);
    expect(empty.toTypedArray()).toHaveLength(0);
  });
});

describe('options', () => {
  test('requiresGrad makes a leaf, of floating dtypes only', () => {
    const leaf = tensor([1], { requiresGrad: true });
    expect([leaf.requiresGrad, leaf.isLeaf, leaf.grad]).toEqual([true, true, undefined]);
    expect(torch.randn([2], { requiresGrad: true }).requiresGrad).toBe(true);
    expectNative(
      refusal(() => tensor([1n], { requiresGrad: true })),
      'RUNTIME',
      /floating point/,
    );
    expect(refusal(() => tensor([1], { requiresGrad: 1 as never })).argument).toBe('requiresGrad');
  });

  test('unknown keys are named, with the nearest known one', () => {
    expect(refusal(() => tensor([1], { requires_grad: true } as never))).toMatchObject({
      code: 'UNKNOWN_OPTION',
      op: 'tensor',
      argument: 'requires_grad',
      message: expect.stringContaining("(did you mean 'requiresGrad'?)"),
    });
    expect(refusal(() => torch.zeros([1], { shape: [1] } as never)).code).toBe('UNKNOWN_OPTION');
    // Neighbours that are swapped are one slip.
    expect(refusal(() => tensor([1], { dytpe: 'float64' } as never)).message).toContain("(did you mean 'dtype'?)");
    expect(refusal(() => torch.ones([1]).to({ dytpe: 'float64' } as never)).code).toBe('UNKNOWN_OPTION');
  });

  test.each([1, 'float32', [], new Map(), torch.ones([1]), new Float32Array(1)])(
    '%p is not an options object',
    (options) => {
      expect(refusal(() => torch.zeros([1], options as never))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: expect.stringMatching(/^(the call|size)$/),
      });
    },
  );

  test('devices: unknown ones are refused, and those that are not there with what would help', () => {
    for (const device of ['gpu', 'cuda:', 'cuda:x', 'CPU', '', 1]) {
      expect(refusal(() => torch.zeros([1], { device: device as never }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'device',
      });
    }
    expect(torch.zeros([1], { device: 'cpu' }).device).toBe('cpu');
    expect(torch.zeros([2], { device: 'meta' }).shape).toEqual([2]);
    if (torch.cuda.isAvailable()) return;
    const { message } = refusal(() => torch.zeros([1], { device: 'cuda' }));
    expect(message).toContain("expected option 'device' to be available, but received 'cuda' (");
    expect(message).toContain(torch.cuda.whyUnavailable() as string);
    expect(refusal(() => torch.ones([1]).cuda(3)).message).toContain("'cuda:3'");
    expect(refusal(() => torch.ones([1]).cuda('3' as never)).message).toContain("cuda: expected option 'device' to be");
  });
});
