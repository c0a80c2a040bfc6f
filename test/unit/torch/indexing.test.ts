/** Indexing as Python's brackets do it. */
import * as torch from 'libtorch-losses';
import { refusal } from '../reference/support';

const { slice, tensor } = torch;
const x = torch.arange(24).view(2, 3, 4);

// Each with the shape and the first element of x[...] in Python.
test.each<[string, readonly torch.Index[], number[], number]>([
  ['0', [0], [3, 4], 0],
  ['-1, 2', [-1, 2], [4], 20],
  [':, 1', [slice(), 1], [2, 4], 4],
  ['1:', [slice(1, null)], [1, 3, 4], 12],
  ['..., 1', ['...', 1], [2, 3], 1],
  ['None, ..., ::2', [null, '...', slice(null, null, 2)], [1, 2, 3, 2], 0],
  ['[1, 0]', [[1, 0]], [2, 3, 4], 12],
  ['[1, 0], :, [0, 3]', [[1, 0], slice(), [0, 3]], [2, 3], 12],
  [':, [0, 2], 1', [slice(), [0, 2], 1], [2, 2], 1],
  ['True', [true], [1, 2, 3, 4], 0],
  ['[True, False]', [[true, false]], [1, 3, 4], 0],
  ['tensor(1)', [tensor(1n)], [3, 4], 12],
])('x[%s]', (_text, indices, shape, first) => {
  const found = x.index(...indices);
  expect([found.shape, found.flatten().index(0).item()]).toEqual([shape, first]);
});

test('masks select elements, in any place', () => {
  expect(x.index(x.gt(20)).tolist()).toEqual([21, 22, 23]);
  expect(x.index(1, x.select(0, 1).eq(13)).tolist()).toEqual([13]);
  expect(x.index(false).shape).toEqual([0, 2, 3, 4]);
});

test('numbers, slices and null give views, lists give copies', () => {
  const base = torch.zeros(3, 4);
  base.index(1, slice(1, 3)).fill_(1);
  base.index([0, 2]).fill_(9);
  expect(base.tolist()).toEqual([
    [0, 0, 0, 0],
    [0, 1, 1, 0],
    [0, 0, 0, 0],
  ]);
});

test('indexPut_ is the assignment', () => {
  const base = torch.zeros(3, 4);
  expect(base.indexPut_([0], 1)).toBe(base);
  base.indexPut_([slice(1, null), 0], tensor([2, 3]));
  base.indexPut_([base.eq(0)], -1);
  base.indexPut_(
    [
      [0, 0],
      [1, 1],
    ],
    tensor([1, 1]),
    true,
  );
  expect(base.tolist()).toEqual([
    [1, 3, 1, 1],
    [2, -1, -1, -1],
    [3, -1, -1, -1],
  ]);
  base.indexPut_([1, slice()], [[5, 6, 7, 8]]);
  expect(base.index(1).tolist()).toEqual([5, 6, 7, 8]);
});

test('gradients flow through it', () => {
  const leaf = torch.ones(3, { requiresGrad: true });
  leaf.index([0, 0, 2]).sum().backward();
  expect(leaf.grad?.tolist()).toEqual([2, 0, 1]);
});

test('what is not an index is named', () => {
  expect(refusal(() => x.index('a' as never)).message).toContain('index: expected index 0 to be an integer, slice(),');
  expect(refusal(() => x.index(undefined as never)).message).toContain('null adds a dimension');
  expect(refusal(() => x.index(0, 0, 0, 0)).message).toBe(
    'index: expected at most 3 indices, as the tensor has dimensions, but received 4',
  );
  expect(refusal(() => x.index('...', '...')).message).toContain('to be given once');
  expect(refusal(() => x.index([0.5])).message).toContain('to be an integer that int64 holds');
  expect(refusal(() => slice(0, 4, -1)).message).toContain("'step' to be greater than 0");
});

test('iteration goes over the first dimension', () => {
  expect([...x.index(0, 0)].map((element) => element.item())).toEqual([0, 1, 2, 3]);
  const [first, second] = x;
  expect([first?.shape, second?.shape]).toEqual([
    [3, 4],
    [3, 4],
  ]);
  expect(() => [...(tensor(1) as unknown as Iterable<unknown>)]).toThrow(TypeError);
  expect([...torch.zeros(0, 3)]).toEqual([]);
});
