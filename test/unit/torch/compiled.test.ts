/** Losses that are recorded once and run again: for other shapes, layouts, options and elements they are right, too. */
import * as torch from 'libtorch-losses';
import { byGraph, elements, refusal, scores } from './support';

const { functional: F } = torch.nn;

const tensor = (data: torch.TensorData): torch.Tensor => torch.tensor(data, { dtype: 'float64' });
const crossEntropy = torch.valueAndGrad(F.crossEntropy);

test('many shapes, more than are kept, in turns', () => {
  for (let round = 0; round < 3; round++) {
    for (let n = 1; n <= 40; n++) {
      const [x, y] = [torch.arange(n).to('float32').div(7), torch.zeros([n])];
      expect(elements(torch.valueAndGrad(F.mseLoss)(x, y))).toEqual(elements(byGraph(F.mseLoss)(x, y)));
      expect(F.mseLoss.item(x, y)).toBe(F.mseLoss(x, y).item());
      const array = Float32Array.from(x.toTypedArray() as Float32Array);
      expect(F.mseLoss.item(array, new Float32Array(n))).toBe(F.mseLoss(x, y).item());
    }
  }
});

test('layouts, dtypes and modes of the same shape', () => {
  const y = torch.rand([3, 3]);
  const x = torch.rand([3, 3]);
  const inputs = [
    x,
    x.t(),
    x.narrow(0, 0, 1).expand([3, 3]),
    x.to('float64'),
    x.detach().requiresGrad_(),
    x.to('bfloat16'),
  ];
  for (let i = 0; i < 2; i++) {
    for (const input of inputs) {
      const target = y.to(input.dtype);
      expect(elements(torch.valueAndGrad(F.mseLoss)(input, target))).toEqual(
        elements(byGraph(F.mseLoss)(input, target)),
      );
      const item = F.mseLoss.item(input, target);
      expect(item).toBe(F.mseLoss(input, target).item());
      expect(torch.inferenceMode(() => F.mseLoss.item(input, target))).toBe(item);
    }
    const [a, b] = torch.inferenceMode(() => [torch.ones([3, 3]), torch.zeros([3, 3])] as const);
    expect(F.mseLoss.item(a, b)).toBe(1);
  }
});

test('the plain call is in the graph whenever its arguments are, in whatever order they come', () => {
  const x = scores();
  const y = torch.tensor([0n, 1n]);
  for (let i = 0; i < 3; i++) {
    expect(F.crossEntropy(x, y).requiresGrad).toBe(false);
    const leaf = scores().requiresGrad_();
    const loss = F.crossEntropy(leaf, y);
    loss.backward();
    expect(leaf.grad?.toTypedArray()).toEqual(crossEntropy(x, y).grad.toTypedArray());
    expect(torch.noGrad(() => F.crossEntropy(leaf, y)).requiresGrad).toBe(false);
    expect(torch.inferenceMode(() => F.crossEntropy(leaf, y)).isInference()).toBe(true);
    const p = x.softmax(1).requiresGrad_();
    F.klDiv(x, p, { reduction: 'sum' }).backward();
    expect(p.grad).toBeDefined();
  }
});

test('options that change between calls, in one object too', () => {
  const options: { reduction: 'sum' | 'mean'; ignoreIndex: number; weight?: torch.Tensor | number[] } = {
    reduction: 'sum',
    ignoreIndex: -100,
  };
  const same = (): void => {
    const plain = F.crossEntropy(scores().requiresGrad_(), [0, 1], { ...options });
    expect(F.crossEntropy.item(scores(), [0, 1], options)).toBe(plain.item());
    expect(F.crossEntropy(scores(), [0, 1], options).item()).toBe(plain.item());
    const expected = elements(byGraph(F.crossEntropy)(scores(), [0, 1], { ...options }));
    expect(elements(crossEntropy(scores(), [0, 1], options))).toEqual(expected);
  };
  const weight = torch.tensor([1, 2, 3]);
  for (let i = 0; i < 2; i++) {
    same();
    options.reduction = 'mean';
    same();
    options.ignoreIndex = 1;
    same();
    options.weight = [1, 2, 3];
    same();
    options.weight = [3, 2, 1];
    same();
    options.weight = weight;
    same();
    weight.mul_(2).add_(torch.tensor([0, 1, 0]));
    same();
    options.weight = torch.tensor([5, 1, 1]);
    same();
    delete options.weight;
    Object.assign(options, { reduction: 'sum', ignoreIndex: -100 });
  }
});

test('elements that change between calls: nothing of them is remembered', () => {
  const [x, labels] = [Float32Array.of(1, 2, 0.5), BigInt64Array.of(1n)];
  const input = { data: x, dims: [1, 3] };
  for (let i = 0; i < 5; i++) {
    x[0] = i;
    labels[0] = BigInt(i % 3);
    const expected = F.crossEntropy([[...x]], [i % 3]).item();
    expect(F.crossEntropy.item(input, labels)).toBe(expected);
    expect(crossEntropy(input, labels).value.item()).toBe(expected);
    expect(F.crossEntropy(input, labels).item()).toBe(expected);
  }
  labels[0] = 3n;
  expect(refusal(() => F.crossEntropy.item(input, labels)).code).toBe('INDEX');
  labels[0] = 2n;
  expect(F.crossEntropy.item(input, labels)).toBe(F.crossEntropy([[...x]], [2]).item());
});

test('arrays of other types and lengths with the same dims', () => {
  const single = { data: Float32Array.of(1, 2), dims: [2] };
  const double = { data: Float64Array.of(1, 2), dims: [2] };
  for (let i = 0; i < 2; i++) {
    expect(torch.valueAndGrad(F.mseLoss)(single, single).grad.dtype).toBe('float32');
    expect(torch.valueAndGrad(F.mseLoss)(double, double).grad.dtype).toBe('float64');
    const long = { data: Float32Array.of(1, 2, 3), dims: [2] };
    expect(() => F.mseLoss.item(long, single)).toThrow(torch.TorchError);
    expect(() => F.mseLoss.item({ data: Float32Array.of(1, 2), dims: [2, 1.5] }, single)).toThrow(torch.TorchError);
    expect(() => F.mseLoss.item({ data: Float32Array.of(1, 2), dims: [-1] }, single)).toThrow(torch.TorchError);
  }
  // A part of a buffer, at an offset.
  const view = new Float32Array(Float32Array.of(9, 9, 1, 2, 9).buffer, 8, 2);
  expect(F.mseLoss.item(view, [0, 0])).toBe(2.5);
});

test('options with getters, other prototypes, and none', () => {
  let asked = 0;
  const counting = {
    get reduction(): 'sum' {
      asked += 1;
      return 'sum';
    },
  };
  const inherited = Object.create({ reduction: 'sum' }) as { reduction?: 'sum' };
  const bare = Object.assign(Object.create(null), { reduction: 'sum' }) as { reduction: 'sum' };
  class Options {
    reduction = 'sum' as const;
  }
  const [x, y] = [tensor([1, 2]), tensor([0, 0])];
  const told = (call: () => number): unknown => {
    try {
      return call();
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const options of [counting, inherited, bare, new Options(), undefined, {}, { reduction: undefined }]) {
    const given = options as undefined;
    const expected = told(() => F.mseLoss(x.detach().requiresGrad_(), y, given).item());
    for (let i = 0; i < 2; i++) {
      expect(told(() => F.mseLoss.item(x, y, given))).toBe(expected);
      expect(told(() => F.mseLoss(x, y, given).item())).toBe(expected);
      expect(told(() => torch.valueAndGrad(F.mseLoss)(x, y, given).value.item())).toBe(expected);
    }
  }
  expect(asked).toBeGreaterThan(0);
  const throwing = {
    get reduction(): never {
      throw new RangeError('mine');
    },
  };
  expect(() => F.mseLoss.item([1], [2], throwing)).toThrow(RangeError);
  expect(() => torch.valueAndGrad(F.mseLoss)([1], [2], throwing)).toThrow(RangeError);
});

test('misspelled options are refused every time', () => {
  F.mseLoss.item([1], [2], { reduction: 'sum' });
  for (let i = 0; i < 3; i++) {
    expect(refusal(() => F.mseLoss.item([1], [2], { reductoin: 'sum' } as never)).code).toBe('UNKNOWN_OPTION');
    expect(refusal(() => F.mseLoss.item([1], [2], { reduction: 'Sum' } as never)).code).toBe('INVALID_ARGUMENT');
  }
});

test('too many arguments are refused, in every form', () => {
  const anyhow = F.mseLoss as unknown as Record<'item', (...args: unknown[]) => number> &
    ((...args: unknown[]) => unknown);
  for (const form of [anyhow, anyhow.item]) {
    expect(refusal(() => form([1], [3], undefined, 5))).toMatchObject({ argument: 'options' });
  }
});

test('what earlier calls gave stays as it was', () => {
  const inputs = [0, 1, 2].map((i) =>
    scores()
      .add(i)
      .mul(i + 1),
  );
  const calls = inputs.map(
    (input) => [crossEntropy(input, torch.tensor([0n, 1n])), F.crossEntropy(input, torch.tensor([0n, 1n]))] as const,
  );
  for (const [i, [both, value]] of calls.entries()) {
    const expected = byGraph(F.crossEntropy)(inputs[i] as torch.Tensor, [0, 1]);
    expect(elements(both)).toEqual(elements(expected));
    expect(value.item()).toBe(expected.value.item());
  }
});
