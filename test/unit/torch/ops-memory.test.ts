/** Kernels that trust the memory they are given get none that they could write or read beyond. */
import * as torch from 'libtorch-losses';
import { ops, tensor } from 'libtorch-losses';
import { uncheckedOperators } from '../../../lib/torch/ops/unchecked';

const { aten } = ops;
const [g, y] = [torch.randn([3, 4]), torch.softmax(torch.randn([3, 4]), 1)];

test.each([
  ['expanded', () => torch.zeros([1]).expand([3, 4])],
  ['expanded in one dimension', () => torch.zeros([3, 1]).expand([3, 4])],
])('what is written must not show an element twice: %s', (_, make) => {
  expect(() => aten._softmax_backward_data.out(g, y, 1, 'float32', { grad_input: make() })).toThrow(
    'more than one element of the written-to tensor refers to a single memory location',
  );
});

test.each([
  ['transposed', () => torch.zeros([4, 3]).t()],
  ['every other', () => torch.zeros([3, 8]).asStrided([3, 4], [8, 2])],
  ['rows that overlap', () => torch.zeros([16]).asStrided([3, 4], [5, 1])],
])('what is not contiguous gets the values of what is: %s', (_, make) => {
  const out = make();
  aten._softmax_backward_data.out(g, y, 1, 'float32', { grad_input: out });
  expect(out.toArray()).toEqual(aten._softmax_backward_data.default(g, y, 1, 'float32').toArray());
});

test('what overlaps an argument is computed apart', () => {
  const a = torch.randn([3, 3]);
  const expected = aten.mm.default(a, a).toArray();
  aten.mm.out(a, a, { out: a });
  expect(a.toArray()).toEqual(expected);
});

test('results that would reach beyond their memory are refused', () => {
  expect(() => aten._reshape_alias.default(tensor([1]), [1000], [1])).toThrow('would reach beyond its memory');
});

test('out= of another shape is refused, and keeps its shape', () => {
  const out = torch.zeros([2]);
  expect(() => aten.mm.out(g, g.t(), { out })).toThrow("expected 'out' to be of shape [3, 3], but received [2]");
  expect(out.shape).toEqual([2]);
});

test('operators that trust their arguments are refused', () => {
  const arguments_ = [tensor([1, 2, 3]), torch.randn([1, 3, 4, 4, 4]), true] as const;
  expect(() => aten._cholesky_solve_helper.default(...arguments_)).toThrow('LIBTORCH_LOSSES_UNCHECKED_OPS=1 allows it');
  // None that the derivatives of others go through: those are called below.
  expect(uncheckedOperators).not.toContain('_softmax_backward_data');
});

test('zeros without memory are read as zeros', () => {
  expect(aten._efficientzerotensor.default([2]).toArray()).toEqual([0, 0]);
});

test('batch norm refuses weights of another length than the channels', () => {
  const input = torch.randn([2, 3, 4]);
  const call = (weight: torch.Tensor) => aten.native_batch_norm(input, weight, null, null, null, true, 0.1, 1e-5);
  expect(() => call(torch.ones([2]))).toThrow("expected 'weight' to have shape [3], but received [2]");
  expect(call(torch.ones([3]))[0].shape).toEqual([2, 3, 4]);
});
