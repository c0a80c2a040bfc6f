/** In-place forms: the same tensor, seen through every view, and what PyTorch's graph refuses of them. */
import * as torch from 'libtorch-losses';
import { aten } from '../../../lib/torch/ops';
import { expectNative, refusal } from './support';

const { tensor } = torch;

test('each changes its tensor, seen through its views, and returns it', () => {
  const x = tensor([1, 2, 3, 4]);
  const view = x.reshape([2, 2]);
  expect(
    x
      .add_(1)
      .sub_(tensor([0, 0, 1, 1]))
      .mul_(2)
      .div_(4),
  ).toBe(x);
  expect(view.toArray()).toEqual([
    [1, 1.5],
    [1.5, 2],
  ]);
  expect(view.neg_()).toBe(view);
  expect(x.clamp_({ min: -1.5 }).toArray()).toEqual([-1, -1.5, -1.5, -1.5]);
  expect(x.copy_(tensor([7n])).toArray()).toEqual([7, 7, 7, 7]);
  expect(x.fill_(2.5).toArray()).toEqual([2.5, 2.5, 2.5, 2.5]);
  expect(x.zero_().toArray()).toEqual([0, 0, 0, 0]);
  expect(x.add_(tensor([1, 2, 3, 4]), { alpha: 10 }).toArray()).toEqual([10, 20, 30, 40]);
});

test('copy_ converts, as PyTorch does, towards zero', () => {
  expect(
    tensor([0n, 0n])
      .copy_(tensor([1.9, -1.9]))
      .toArray(),
  ).toEqual([1, -1]);
});

test('draws fill the tensor from the seeded generator', () => {
  const draw = (): number[] => {
    torch.manualSeed(3);
    return torch.zeros([100]).uniform_(-1, 1).toArray<number[]>();
  };
  expect(draw()).toEqual(draw());
  expect(draw().every((value) => value >= -1 && value < 1)).toBe(true);
  expect(torch.zeros([1000]).normal_(50, 0.1).mean().item()).toBeCloseTo(50, 1);
});

test('a leaf that requires a gradient refuses them, outside of noGrad', () => {
  const leaf = tensor([1], { requiresGrad: true });
  expectNative(
    refusal(() => leaf.add_(1)),
    'RUNTIME',
    /a leaf Variable that requires grad is being used in an in-place/,
  );
  expect(torch.noGrad(() => leaf.add_(1)).item()).toBe(2);
  expect(leaf.isLeaf).toBe(true);
});

test('a value that backward needs must not have changed', () => {
  const leaf = tensor([2], { requiresGrad: true });
  const squared = leaf.mul(1);
  const result = squared.mul(squared).sum();
  squared.add_(1);
  expectNative(
    refusal(() => result.backward()),
    'RUNTIME',
    /modified by an inplace operation/,
  );
});

test.each<[string, () => unknown, RegExp]>([
  ['a result of another dtype', () => tensor([1n]).add_(0.5), /can't be cast to the desired output type/],
  ['a result of another shape', () => tensor([1]).add_(tensor([1, 2])), /doesn't match the broadcast shape/],
  [
    'elements that share memory',
    () => tensor([1]).expand([3]).add_(1),
    /more than one element of the written-to tensor/,
  ],
  ['an upper bound below the lower', () => tensor([1]).uniform_(1, 0), /from=1 > to=0/],
  ['a negative deviation', () => tensor([1]).normal_(0, -1), /std >= 0/],
])('libtorch refuses %s', (_name, call, words) => {
  expectNative(refusal(call), 'RUNTIME', words);
});

test.each<[string, () => unknown, string]>([
  ['add_ of text', () => tensor([1]).add_('1' as never), 'other'],
  ['mul_ of null', () => tensor([1]).mul_(null as never), 'other'],
  ['fill_ of an array', () => tensor([1]).fill_([1] as never), 'value'],
  ['fill_ of nothing', () => tensor([1]).fill_(undefined as never), 'value'],
  ['copy_ of text', () => tensor([1]).copy_('1' as never), 'src'],
  ['copy_ with a flag that is none', () => tensor([1]).copy_(tensor([1]), 1 as never), 'nonBlocking'],
  ['uniform_ of text', () => tensor([1]).uniform_('0' as never), 'from'],
  ['clamp_ of text', () => tensor([1]).clamp_({ min: '0' as never }), 'min'],
])('%s is refused before libtorch', (_name, call, argument) => {
  expect(refusal(call)).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
});

test.each([
  ['memory of its own', tensor([1, 2, 3, 4])],
  ["an array's memory", torch.fromTypedArray(new Float32Array([1, 2, 3, 4]))],
])('what an operator writes into keeps its shape, in %s', (_memory, out) => {
  // libtorch's resize changes the shape before it finds that the memory cannot grow.
  for (const size of [6, 3]) {
    refusal(() => aten.mul.out(torch.ones([size]), tensor(2), { out }));
    expect(out.shape).toEqual([4]);
  }
  expect(aten.mul.out(torch.ones([4]), tensor(2), { out }).toArray()).toEqual([2, 2, 2, 2]);
});
