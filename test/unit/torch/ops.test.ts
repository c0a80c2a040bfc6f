/** `torch.ops`: calls as in Python. */
import * as torch from 'libtorch-losses';
import { DisposedError, Generator, ops, storageOf, type Tensor, TorchError, tensor } from 'libtorch-losses';
import { native } from '../../../lib/binding/load';
import type { Handle } from '../../../lib/binding/native';
import { unwrap, wrap } from '../../../lib/torch/bind';

const { aten } = ops;
const x = tensor([
  [1, 2],
  [3, 4],
]);

function refusal(call: () => unknown): TorchError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TorchError);
    return error as TorchError;
  }
  throw new Error('it was not refused');
}

/** Calls that the types refuse. */
const untyped = aten as unknown as Record<
  string,
  ((...args: unknown[]) => unknown) & Record<string, (...args: unknown[]) => unknown>
>;

describe('arguments', () => {
  test('are positional, in the schema order', () => {
    expect(aten.add.Tensor(x, x).toArray()).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(aten.sum.dim_IntList(x, [0], true).toArray()).toEqual([[4, 6]]);
  });

  test('may be keywords, positional ones too', () => {
    expect(aten.add.Tensor(x, x, { alpha: 2 }).toArray()).toEqual([
      [3, 6],
      [9, 12],
    ]);
    expect(aten.sum.dim_IntList(x, [1], { keepdim: true, dtype: 'float64' }).dtype).toBe('float64');
    const sum = untyped.add?.Tensor?.({ self: x, other: x }) as Tensor;
    expect(sum.toArray()).toEqual([
      [2, 4],
      [6, 8],
    ]);
  });

  test('null and undefined are absent', () => {
    expect(aten.clamp.default(x, null, 2).toArray()).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(aten.sum.dim_IntList(x, [0], null, { dtype: undefined }).shape).toEqual([2]);
  });

  test('what has no default must be mentioned, be it as null', () => {
    expect(aten.native_layer_norm.default(x, [2], null, null, 1e-5)[0].shape).toEqual([2, 2]);
    expect(refusal(() => untyped.native_layer_norm?.default?.(x, [2], { eps: 1e-5 })).argument).toBe('weight');
  });

  test('keyword-only arguments are not positional ones', () => {
    const error = refusal(() => untyped.add?.Tensor?.(x, x, 2));
    expect(error.message).toBe(
      'torch.ops.aten.add.Tensor: expected the call to have at most 2 positional arguments ' +
        '(alpha go into a trailing object), but received 3',
    );
  });

  test('an unknown keyword names the known ones and the nearest', () => {
    const error = refusal(() => untyped.add?.Tensor?.(x, x, { alpa: 2 }));
    expect(error.code).toBe('UNKNOWN_OPTION');
    expect(error.message).toBe(
      "torch.ops.aten.add.Tensor: unknown option 'alpa' (did you mean 'alpha'?); known options are 'self', 'other', 'alpha'",
    );
  });

  test('given twice, or not at all, are refused', () => {
    expect(refusal(() => untyped.add?.Tensor?.(x, x, { other: x })).argument).toBe('other');
    expect(refusal(() => untyped.add?.Tensor?.(x)).message).toBe(
      "torch.ops.aten.add.Tensor: expected 'other' to be given, but received undefined",
    );
  });

  test('numbers stand for tensors where Python has them do so, and promote as numbers do', () => {
    expect(aten.add.Tensor(x, 2.5).dtype).toBe('float32');
    expect(aten.mul.Tensor(2n, tensor([3n])).toArray()).toEqual([6]);
    expect(refusal(() => untyped.mm?.default?.(x, 2)).argument).toBe('mat2');
  });

  test('a single integer stands for a list of fixed length', () => {
    expect(aten.sum.dim_IntList(x, 0).toArray()).toEqual([4, 6]);
    expect(aten.avg_pool2d.default(torch.ones([1, 4, 4]), 2).shape).toEqual([1, 2, 2]);
  });

  test('bigints are integers', () => {
    expect(aten.select.int(x, 0n, 1n).toArray()).toEqual([3, 4]);
  });

  test('dtypes, devices, layouts and memory formats are strings', () => {
    const made = aten.zeros.default([2], { dtype: 'int64', device: 'cpu', layout: 'strided' });
    expect(made.dtype).toBe('int64');
    expect(aten.clone.default(x, { memory_format: 'contiguous_format' }).toArray()).toEqual(x.toArray());
    expect(refusal(() => untyped.zeros?.default?.([2], { dtype: 'float' })).argument).toBe('dtype');
  });

  test('lists of tensors may hold nothing where the schema says so', () => {
    expect(aten.index.Tensor(x, [null, tensor([1n])]).toArray()).toEqual([[2], [4]]);
  });

  test('lists of numbers', () => {
    expect(aten._foreach_add.ScalarList([x, x], [1, 2.5])[1]?.toArray()).toEqual([
      [3.5, 4.5],
      [5.5, 6.5],
    ]);
  });
});

describe('results', () => {
  test('several are an array whose entries have names too', () => {
    const result = aten.max.dim(x, 1);
    const [values, indices] = result;
    expect(values).toBe(result.values);
    expect(indices).toBe(result.indices);
    expect(result.values.toArray()).toEqual([2, 4]);
    expect(result.indices.toArray()).toEqual([1, 1]);
    expect(result).toHaveLength(2);
  });

  test('lists are arrays', () => {
    expect(aten.split.Tensor(x, 1).map((part) => part.shape)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('an argument that was written is given back itself', () => {
    const y = torch.zeros([2, 2]);
    const [values, indices] = [torch.zeros([2]), torch.zeros([2], { dtype: 'int64' })];
    expect(aten.add_.Tensor(y, x)).toBe(y);
    expect(aten.add.out(x, x, { out: y })).toBe(y);
    const result = aten.max.dim_max(x, 1, { max: values, max_values: indices });
    expect(result.values).toBe(values);
    expect(values.toArray()).toEqual([2, 4]);
  });

  test('gradients flow through them', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    aten.sum.default(aten.mul.Tensor(w, w)).backward();
    expect(w.grad?.toArray()).toEqual([2, 4]);
  });
});

describe('packets', () => {
  test('take the first overload that fits', () => {
    expect(aten.add.overloads()).toEqual(['Tensor', 'Scalar', 'out', 'Scalar_out']);
    expect(aten.max(x).item()).toBe(4);
    expect(aten.max(x, 1).values.toArray()).toEqual([2, 4]);
    expect(aten.max(x, tensor([2])).toArray()).toEqual([
      [2, 2],
      [3, 4],
    ]);
    expect(aten.sum(x, { dtype: 'float64' }).dtype).toBe('float64');
  });

  test('say why each overload refused', () => {
    const { message } = refusal(() => untyped.add?.(x, 'y'));
    expect(message).toContain(
      'torch.ops.aten.add: expected arguments of one of its overloads, but received (a Tensor, "y"):',
    );
    expect(message).toContain('aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor');
    expect(message).toContain('expected \'other\' to be a Tensor or a number, but received "y"');
  });

  test('stay the same object, and other namespaces have them', () => {
    expect(aten.add).toBe(aten.add);
    expect(aten.add.Tensor).toBe(aten.add.Tensor);
    expect(Object.keys(aten).length).toBeGreaterThan(1000);
    expect(typeof (ops._c10d_functional as Record<string, unknown>).wait_tensor).toBe('function');
    expect(ops.nothing).toBeUndefined();
    expect((aten as unknown as Record<string, unknown>).nothing).toBeUndefined();
  });

  test('libtorch refuses the rest, in its own words', () => {
    expect(refusal(() => aten.mm(x, tensor([[1]]))).code).toBe('RUNTIME');
    const gone = tensor([1]);
    gone.dispose();
    expect(refusal(() => aten.relu(gone))).toBeInstanceOf(DisposedError);
  });
});

describe('complex numbers', () => {
  const z = aten.complex.default(tensor([1, 2]), tensor([3, -4]));

  test('are made, read and printed', () => {
    expect(z.dtype).toBe('complex64');
    expect(z.toArray()).toEqual([
      { re: 1, im: 3 },
      { re: 2, im: -4 },
    ]);
    expect(z.toTypedArray()).toEqual(Float32Array.of(1, 3, 2, -4));
    expect(String(z)).toBe('tensor([1.+3.j, 2.-4.j])');
    expect(String(aten.to.dtype(z, 'complex128'))).toBe('tensor([1.+3.j, 2.-4.j], dtype=torch.complex128)');
  });

  test('are read as they are where only a flag conjugates them', () => {
    expect(aten._conj.default(z).toTypedArray()).toEqual(Float32Array.of(1, -3, 2, 4));
    expect(aten.imag.default(aten._conj.default(z)).toArray()).toEqual([-3, 4]);
  });

  test('are scalars', () => {
    expect(aten.add.Tensor(z, { re: 0, im: 1 }).toArray()).toEqual([
      { re: 1, im: 4 },
      { re: 2, im: -3 },
    ]);
    expect(aten.item.default(aten.sum.default(z))).toEqual({ re: 3, im: -1 });
    expect(aten.sum.default(z).item()).toEqual({ re: 3, im: -1 });
  });
});

describe('generators', () => {
  test('the same seed draws the same numbers, apart from the default generator', () => {
    const draw = (generator: Generator): unknown => aten.randn.generator([3], { generator }).toArray();
    const first = draw(new Generator().manualSeed(7));
    torch.manualSeed(1);
    expect(draw(new Generator().manualSeed(7n))).toEqual(first);
    torch.manualSeed(7);
    expect(torch.randn([3]).toArray()).toEqual(first);
  });

  test('state is kept and restored', () => {
    const generator = new Generator().manualSeed(-1);
    expect(generator.initialSeed()).toBe(2n ** 64n - 1n);
    const state = generator.getState();
    const draw = (): unknown => aten.rand.generator([2], { generator }).toArray();
    const first = draw();
    expect(draw()).not.toEqual(first);
    generator.setState(state);
    expect(draw()).toEqual(first);
    expect(generator.device).toBe('cpu');
    expect(refusal(() => generator.setState(tensor([1]))).code).toBe('TYPE');
    expect(refusal(() => untyped.rand?.generator?.([2], { generator: {} })).argument).toBe('generator');
  });
});

test('storages and objects of classes pass through', () => {
  const y = torch.zeros([1]);
  aten.set_.source_Storage(y, storageOf(x));
  expect(y.toArray()).toEqual([1, 2, 3, 4]);
  expect(refusal(() => untyped.set_?.source_Storage?.(y, x)).argument).toBe('source');
});

test('calls are traced, with numbers for tensors, lists with absent entries and generators', () => {
  const handle = unwrap(x, 'test', 'x');
  const program = native().trace([handle], ([input]) => {
    const moved = aten.add.Tensor(wrap(input), 1);
    const generator = new Generator().manualSeed(3);
    const drawn = aten.bernoulli.default(aten.mul.Tensor(aten.index.Tensor(moved, [null, tensor([0n])]), 0.1), {
      generator,
    });
    return [unwrap(moved, 'test', 'moved'), unwrap(aten.mul.Tensor(drawn, 0), 'test', 'drawn')];
  });
  const [moved, drawn] = Array.from(native().run(program, 0, handle) as Handle[], wrap);
  expect(moved?.toArray()).toEqual([
    [2, 3],
    [4, 5],
  ]);
  expect(drawn?.shape).toEqual([2, 1]);
});
