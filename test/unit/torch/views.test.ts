/** Views share memory, copies do not; indexing takes what plain loops take; what lies outside is refused. */
import * as torch from 'libtorch-losses';
import { expectNative, refusal } from './support';

const { tensor } = torch;
const make = (): torch.Tensor => torch.arange(6, { dtype: 'float32' }).reshape([2, 3]);

const shared: readonly [string, (x: torch.Tensor) => torch.Tensor][] = [
  ['reshape', (x) => x.reshape([3, -1])],
  ['view', (x) => x.view([6])],
  ['flatten', (x) => x.flatten()],
  ['transpose', (x) => x.transpose(0, -1)],
  ['t', (x) => x.t()],
  ['permute', (x) => x.permute([1, 0])],
  ['unsqueeze', (x) => x.unsqueeze(-1)],
  ['squeeze', (x) => x.unsqueeze(0).squeeze()],
  ['expand', (x) => x.expand([4, -1, -1])],
  ['asStrided', (x) => x.asStrided([3], [1], 3)],
  ['select', (x) => x.select(0, -1)],
  ['narrow', (x) => x.narrow(1, 1, 2)],
  ['index', (x) => x.index('...', torch.slice(0, 3, 2))],
  ['unbind', (x) => x.unbind(1)[2] as torch.Tensor],
  ['detach', (x) => x.detach()],
  ['contiguous, of what is', (x) => x.contiguous()],
  ['to the same dtype', (x) => x.to('float32')],
];

test.each(shared)('%s shares memory', (_name, view) => {
  const x = make();
  const seen = view(x);
  x.fill_(9);
  expect(
    seen
      .toArray<number[]>()
      .flat(3)
      .every((value) => (value as unknown as number) === 9),
  ).toBe(true);
});

const copies: readonly [string, (x: torch.Tensor) => torch.Tensor][] = [
  ['clone', (x) => x.clone()],
  ['contiguous, of what is not', (x) => x.t().contiguous()],
  ['reshape, of what no view can be', (x) => x.t().reshape([6])],
  ['to another dtype', (x) => x.to('float64')],
  ['to with copy', (x) => x.to({ dtype: 'float32', copy: true })],
  ['indexSelect', (x) => x.indexSelect(0, tensor([0n]))],
  ['gather', (x) => x.gather(0, tensor([[0n, 1n, 0n]]))],
  ['maskedSelect', (x) => x.maskedSelect(x.lt(3))],
];

test.each(copies)('%s copies', (_name, copy) => {
  const x = make();
  const made = copy(x);
  const before = made.toArray();
  x.fill_(9);
  expect(made.toArray()).toEqual(before);
});

test('a view lives on when its base is disposed', () => {
  const x = make();
  const row = x.select(0, 1);
  x.dispose();
  expect(row.toArray()).toEqual([3, 4, 5]);
});

test('shapes, strides and contiguity', () => {
  const x = make();
  expect([x.shape, x.stride(), x.isContiguous()]).toEqual([[2, 3], [3, 1], true]);
  expect([x.t().shape, x.t().stride(), x.t().isContiguous()]).toEqual([[3, 2], [1, 3], false]);
  expect(x.expand([4, 2, 3]).stride()).toEqual([0, 3, 1]);
  expect([x.ndim, x.numel(), torch.zeros([]).ndim, torch.zeros([0, 5]).numel()]).toEqual([2, 6, 0, 0]);
  // A list of its own each time: changing it changes no tensor.
  x.shape.push(7);
  expect(x.shape).toEqual([2, 3]);
});

test('elements where they belong', () => {
  const x = make();
  expect(x.t().toArray()).toEqual([
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  expect(x.permute([1, 0]).flatten().toArray()).toEqual([0, 3, 1, 4, 2, 5]);
  expect(torch.zeros([2, 3, 4, 5]).flatten(1, 2).shape).toEqual([2, 12, 5]);
  expect(x.index('...', torch.slice(-2, null)).toArray()).toEqual([
    [1, 2],
    [4, 5],
  ]);
  expect(x.narrow(1, 0, 0).shape).toEqual([2, 0]);
  expect(x.index(torch.slice(5, 9)).shape).toEqual([0, 3]);
  expect(x.unbind().map((row) => row.toArray())).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
  expect(x.indexSelect(1, tensor([2n, 2n, 0n])).toArray()).toEqual([
    [2, 2, 0],
    [5, 5, 3],
  ]);
  expect(x.gather(1, tensor([[2n], [0n]])).toArray()).toEqual([[2], [3]]);
  expect(x.maskedSelect(x.gt(3)).toArray()).toEqual([4, 5]);
  expect(torch.zeros([2, 1, 3]).squeeze(1).shape).toEqual([2, 3]);
  expect(torch.zeros([2, 1, 3]).squeeze(0).shape).toEqual([2, 1, 3]);
});

test('matmul of vectors, matrices and batches', () => {
  const [a, v] = [make(), tensor([1, 0, -1])];
  expect(a.matmul(v).toArray()).toEqual([-2, -2]);
  expect(v.matmul(v).item()).toBe(2);
  expect(a.matmul(a.t()).toArray()).toEqual([
    [5, 14],
    [14, 50],
  ]);
  expect(torch.ones([4, 2, 3]).matmul(torch.ones([3, 5])).shape).toEqual([4, 2, 5]);
  expectNative(
    refusal(() => a.matmul(a)),
    'RUNTIME',
    /mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)/,
  );
  expectNative(
    refusal(() => a.matmul(tensor([1n, 2n, 3n]))),
    'RUNTIME',
    /dtype/,
  );
});

test('cat and stack', () => {
  const x = make();
  expect(torch.cat([x, x], 1).shape).toEqual([2, 6]);
  expect(torch.stack([x, x, x], -1).shape).toEqual([2, 3, 3]);
  expect(torch.cat([tensor([1]), tensor([2n])]).dtype).toBe('float32');
  expectNative(
    refusal(() => torch.cat([])),
    'VALUE',
    /non-empty list/,
  );
  expectNative(
    refusal(() => torch.stack([x, x.t()])),
    'RUNTIME',
    /equal size/,
  );
});

test.each<[string, () => unknown, 'RUNTIME' | 'INDEX', RegExp]>([
  ['a shape with other elements', () => make().reshape([4]), 'RUNTIME', /shape '\[4\]' is invalid for input of size 6/],
  ['two sizes to be found', () => make().reshape([-1, -1]), 'RUNTIME', /only one dimension can be inferred/],
  ['a negative size', () => make().reshape([-2, 3]), 'RUNTIME', /invalid shape dimension -2/],
  ['no view', () => make().t().view([6]), 'RUNTIME', /not compatible with input tensor's size and stride/],
  ['dimensions twice', () => make().permute([0, 0]), 'RUNTIME', /duplicate dims/],
  ['too few dimensions', () => make().permute([0]), 'RUNTIME', /number of dimensions/],
  ['a dimension that is not there', () => make().transpose(0, 2), 'INDEX', /Dimension out of range/],
  ['unsqueeze beyond', () => make().unsqueeze(4), 'INDEX', /Dimension out of range/],
  ['an index beyond', () => make().select(0, 2), 'INDEX', /index 2 out of range for tensor of size \[2, 3\]/],
  ['a range beyond', () => make().narrow(1, 2, 2), 'RUNTIME', /exceeds dimension size \(3\)/],
  ['a larger expand', () => make().expand([5, 3]), 'RUNTIME', /must match the existing size \(2\)/],
  ['a transpose of three', () => torch.zeros([1, 1, 1]).t(), 'RUNTIME', /<= 2/],
  ['a selected row beyond', () => make().indexSelect(0, tensor([2n])), 'INDEX', /index out of range/],
  ['a selected row before', () => make().indexSelect(0, tensor([-3n])), 'INDEX', /index out of range/],
  ['a gathered one beyond', () => make().gather(0, tensor([[5n]])), 'RUNTIME', /index 5 is out of bounds/],
  ['a gathered one before', () => make().gather(0, tensor([[-1n]])), 'RUNTIME', /index -1 is out of bounds/],
  ['a mask that is none', () => make().maskedSelect(tensor([1])), 'RUNTIME', /expected BoolTensor/],
  ['strides beyond the memory', () => make().asStrided([7], [1]), 'RUNTIME', /out of bounds for storage of size 24/],
  ['strides beyond by offset', () => make().asStrided([1], [1], 6), 'RUNTIME', /out of bounds for storage/],
  ['a negative stride', () => make().asStrided([2], [-1]), 'RUNTIME', /[Nn]egative strides/],
  ['a negative offset', () => make().asStrided([1], [1], -1), 'RUNTIME', /invalid storage offset/],
  [
    'sizes whose product overflows',
    () => make().asStrided([2, 2], [2 ** 52, 2 ** 52]),
    'RUNTIME',
    /out of bounds|overflow/,
  ],
])('libtorch refuses %s', (_name, call, code, words) => {
  expectNative(refusal(call), code, words);
});

test.each<[string, () => unknown, string]>([
  ['a shape that is not a list', () => make().reshape('6' as never), 'shape'],
  ['a fraction in a shape', () => make().view([1.5, 4]), 'size[0]'],
  ['an infinite size', () => make().expand([Infinity]), 'size[0]'],
  ['a typed array as shape', () => make().reshape(new Int32Array([6]) as never), 'shape'],
  ['an index beyond integers', () => make().select(0, 2 ** 53), 'index'],
  ['a start as text', () => make().narrow(0, '0' as never, 1), 'start'],
  ['an end as text', () => torch.slice(0, '1' as never), 'the bounds'],
  ['a step of 0', () => torch.slice(0, 2, 0), 'step'],
  ['an index that is not a tensor', () => make().indexSelect(0, [0] as never), 'index'],
  ['a list with something else', () => torch.cat([make(), 1 as never]), 'tensors[1]'],
  ['no list', () => torch.cat(make() as never), 'tensors'],
  ['strides that are not a list', () => make().asStrided([1], 1 as never), 'stride'],
])('%s is refused before libtorch', (_name, call, argument) => {
  expect(refusal(call)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
});
