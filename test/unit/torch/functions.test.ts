/** Functions and methods are called as in Python. */
import * as torch from 'libtorch-losses';
import { refusal } from '../reference/support';

const { tensor } = torch;
const x = tensor([
  [1, 5, 3],
  [4, 2, 6],
]);

describe('sizes', () => {
  test('go with or without brackets where they are all that goes by position', () => {
    for (const made of [torch.zeros(2, 3), torch.zeros([2, 3]), torch.zeros({ size: [2, 3] })]) {
      expect(made.shape).toEqual([2, 3]);
    }
    expect(torch.ones(2, { dtype: torch.int64 }).tolist()).toEqual([1, 1]);
    expect(x.view(-1).shape).toEqual([6]);
    expect(x.reshape(3, -1).shape).toEqual([3, 2]);
    expect(x.permute(1, 0).tolist()).toEqual(x.T.tolist());
    expect(x.repeat(2, 1).shape).toEqual([4, 3]);
    expect(x.newZeros(4, { dtype: 'bool' }).dtype).toBe('bool');
  });

  test('a single integer is one where the operator takes one', () => {
    expect(torch.zeros([2, 1, 1]).squeeze(1).shape).toEqual([2, 1]);
    expect(torch.zeros([2, 1, 1]).squeeze(1, 2).shape).toEqual([2]);
    expect(torch.arange(6).hsplit(3)).toHaveLength(3);
  });
});

describe('keywords', () => {
  test('stand for what does not go by position, and for what does', () => {
    expect(x.sum(1, true).shape).toEqual([2, 1]);
    expect(x.sum(1, { keepdim: true }).shape).toEqual([2, 1]);
    expect(x.sum({ dim: 1, keepdim: true }).shape).toEqual([2, 1]);
    expect(torch.add({ input: x, other: 1, alpha: 2 }).tolist()).toEqual(x.add(2).tolist());
  });

  test('null and undefined are absent', () => {
    expect(x.sum(null).item()).toBe(21);
    expect(x.clamp(null, 3).max().item()).toBe(3);
    expect(torch.arange(1, 3, undefined).tolist()).toEqual([1, 2]);
  });

  test('what is wrong is named', () => {
    expect(refusal(() => x.sum(1, { keepDim: true } as never))).toMatchObject({
      code: 'UNKNOWN_OPTION',
      message: expect.stringContaining("sum: unknown option 'keepDim' (did you mean 'keepdim'?); known options are"),
    });
    expect(refusal(() => x.add('1' as never)).message).toBe(
      'add: expected \'other\' to be a Tensor or a number, but received "1"',
    );
    expect(refusal(() => x.sum([0, 0.5])).message).toBe("sum: expected 'dim[1]' to be an integer, but received 0.5");
    expect(refusal(() => x.sum(1, { dim: 1 } as never)).message).toContain("expected 'dim' to be given once");
    expect(refusal(() => torch.zeros(2, { dtype: 'flaot32' as never })).message).toContain("(did you mean 'float32'?)");
  });

  test('a dtype that is undefined is a misspelled constant', () => {
    const misspelled = (torch as unknown as Record<string, torch.DType>).float46;
    expect(refusal(() => torch.zeros(2, { dtype: misspelled as torch.DType }))).toMatchObject({ argument: 'dtype' });
    expect(torch.zeros(2, { dtype: null }).dtype).toBe('float32');
  });

  test('out takes the result, and its shape if it has no elements', () => {
    const out = torch.empty(0);
    expect(torch.add(x, 1, { out })).toBe(out);
    expect(out.tolist()).toEqual(x.add(1).tolist());
    const pair = [torch.empty(0), torch.empty(0, { dtype: 'int64' })] as const;
    torch.max(x, 1, { out: pair });
    expect(pair.map((each) => each.tolist())).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(refusal(() => torch.add(x, 1, { out: torch.empty(2) })).message).toBe(
      "add: expected 'out' to be of shape [2, 3], but received [2]",
    );
  });

  test('requiresGrad makes leaves of factories', () => {
    expect(torch.rand(2, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(torch.zerosLike(x, { requiresGrad: true }).isLeaf).toBe(true);
    expect(refusal(() => torch.rand(2, { requiresGrad: 1 as never }))).toMatchObject({ argument: 'requiresGrad' });
  });
});

describe('operands', () => {
  test('numbers stand for tensors where Python has it', () => {
    expect(torch.where(x.gt(3), x, 0).tolist()).toEqual([
      [0, 5, 0],
      [4, 0, 6],
    ]);
    expect(torch.pow(2, x).index(0).tolist()).toEqual([2, 32, 8]);
    expect(x.where(x.lt(3), -1).index(1).tolist()).toEqual([-1, 2, -1]);
  });

  test('a tensor without dimensions stands for the number that it holds', () => {
    expect(torch.full([2], tensor(3) as never).tolist()).toEqual([3, 3]);
    expect(x.sum(tensor(1n) as never).tolist()).toEqual([9, 12]);
    expect(refusal(() => x.sum(tensor([1n]) as never))).toMatchObject({ argument: 'dim' });
  });

  test('several results have names, and are a list', () => {
    const { values, indices } = x.max(1);
    expect([values.tolist(), indices.tolist()]).toEqual([
      [5, 6],
      [1, 2],
    ]);
    const [sorted] = torch.sort(x, 1, { descending: true });
    expect(sorted.index(0).tolist()).toEqual([5, 3, 1]);
    expect(torch.linalg.slogdet(torch.eye(2)).logabsdet.item()).toBe(0);
  });
});

test('random numbers of a generator', () => {
  const draw = (): number[] => torch.randn(3, { generator: new torch.Generator().manualSeed(5) }).tolist();
  expect(draw()).toEqual(draw());
});

describe('what PyTorch writes in Python', () => {
  test('einsum by equation and by numbers', () => {
    const product = x.matmul(x.T).tolist();
    expect(torch.einsum('ij,kj->ik', x, x).tolist()).toEqual(product);
    expect(torch.einsum('ij,kj->ik', [x, x]).tolist()).toEqual(product);
    expect(torch.einsum(x, [0, 1], x, [2, 1], [0, 2]).tolist()).toEqual(product);
  });

  test('lists of tensors go with or without brackets', () => {
    const [a, b] = [torch.arange(2), torch.arange(3)];
    expect(torch.meshgrid(a, b).map(({ shape }) => shape)).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect(torch.meshgrid([a, b], { indexing: 'xy' })[0]?.shape).toEqual([3, 2]);
    expect(torch.blockDiag(x, x).shape).toEqual([4, 6]);
    expect(torch.broadcastShapes([2, 1], [3])).toEqual([2, 3]);
    expect(torch.atleast2d(tensor(1)).shape).toEqual([1, 1]);
    expect(torch.atleast1d(tensor(1), tensor(2)).map(({ shape }) => shape)).toEqual([[1], [1]]);
  });

  test('norm, unique, nonzero, tensordot, full', () => {
    expect(tensor([3, 4]).norm().item()).toBe(5);
    expect(torch.norm(tensor([3, 4]), 1).item()).toBe(7);
    expect(torch.norm(x, 'nuc').shape).toEqual([]);
    const [values, counts] = torch.unique(tensor([2, 1, 2]), { returnCounts: true }) as torch.Tensor[];
    expect([values?.tolist(), counts?.tolist()]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(torch.nonzero(x.gt(4), { asTuple: true }).map((dim) => dim.tolist())).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(torch.tensordot(x, x, 2).item()).toBe(x.mul(x).sum().item());
    expect(torch.tensordot(x, x, [[1], [1]]).tolist()).toEqual(x.matmul(x.T).tolist());
    expect([torch.full([1], 1), torch.full([1], 1n), torch.full([1], true)].map(({ dtype }) => dtype)).toEqual([
      'float32',
      'int64',
      'bool',
    ]);
    expect(torch.unravelIndex(tensor([4n]), [2, 3]).map((dim) => dim.tolist())).toEqual([[1], [1]]);
  });
});

test('dtypes and devices are their names', () => {
  expect([torch.float32, torch.long, torch.half, torch.device('cuda', 1)]).toEqual([
    'float32',
    'int64',
    'float16',
    'cuda:1',
  ]);
  expect(refusal(() => torch.device('gpu' as never)).argument).toBe('type');
  expect(x.to(torch.float64).type()).toBe('torch.DoubleTensor');
  expect([x.half(), x.long(), x.bool(), x.double()].map(({ dtype }) => dtype)).toEqual([
    'float16',
    'int64',
    'bool',
    'float64',
  ]);
  expect(x.to('cpu', 'float16').dtype).toBe('float16');
  expect(x.long().to(x).dtype).toBe('float32');
});

describe('elements', () => {
  test('complex numbers are { re, im }, and may stand beside real ones', () => {
    const z = tensor([{ re: 1, im: 2 }, 3]);
    expect([z.dtype, z.real.tolist(), z.imag.tolist()]).toEqual(['complex64', [1, 3], [2, 0]]);
    expect(z).toEqual(torch.complex(tensor([1, 3]), tensor([2, 0])));
    expect(z).not.toEqual(torch.complex(tensor([1, 3]), tensor([2, 1])));
    expect(tensor({ re: 1, im: 2 }, { dtype: 'complex128' }).abs().item()).toBe(Math.sqrt(5));
    expect(refusal(() => tensor([{ re: 1, im: 2 }], { dtype: 'float32' })).message).toContain('to be a real number');
    expect(refusal(() => tensor([{ re: 1, im: 2 }, 3n])).message).toContain('to hold elements of one type');
  });

  test('a tensor is copied by tensor(), and taken as it is by asTensor() and to()', () => {
    expect(tensor(x)).not.toBe(x);
    expect(tensor(x, { dtype: 'int64' }).tolist()).toEqual(x.tolist());
    expect([torch.asTensor(x), x.to('float32'), x.float(), x.cpu()].every((same) => same === x)).toBe(true);
    expect(x.to('float32', { copy: true })).not.toBe(x);
    expect(x.newTensor([1]).dtype).toBe('float32');
  });
});

test('the state of the default generator', () => {
  torch.manualSeed(3);
  const state = torch.getRngState();
  const first = torch.rand(1).item();
  torch.setRngState(state);
  expect([torch.rand(1).item(), torch.initialSeed()]).toEqual([first, 3n]);
});

test('out of a factory is what the options say', () => {
  const out = torch.empty(0, { dtype: 'float64' });
  expect(torch.zeros(2, { out, dtype: 'float64' })).toBe(out);
  expect(out.tolist()).toEqual([0, 0]);
  expect(refusal(() => torch.zeros(2, { out, dtype: 'float32' })).message).toBe(
    "zeros: expected 'dtype' to be 'float64', as 'out' has, but received \"float32\"",
  );
});
