/** Staging on the CPU, which has no streams, and what it refuses; on CUDA it is one of the device's tests. */
import { fromTypedArray, memory, scope, tensor } from 'libtorch-losses';
import { native } from '../../../lib/binding/load';
import { stage } from '../../../lib/torch/staging';
import { refusal } from './support';

test('tensors that are on the device already arrive as they are, once', () => {
  const array = new Float32Array([1, 2]);
  const arrive = stage([fromTypedArray(array), tensor([3n])], 'cpu');
  array[0] = 5;
  const [first, second] = arrive();
  expect([first?.toArray(), second?.toArray()]).toEqual([[5, 2], [3]]);
  expect(arrive()).toEqual([]);
});

test('what is on its way outlives the tensors that it was made of', () => {
  const arrive = scope(() => stage([tensor([1, 2])], 'cpu'));
  expect(arrive()[0]?.toArray()).toEqual([1, 2]);
});

test('arrived tensors are counted, those on their way are not', () => {
  const before = memory().tensors;
  const arrive = scope(() => stage([tensor([1])], 'cpu'));
  expect(memory().tensors).toBe(before);
  const tensors = arrive();
  expect(memory().tensors).toBe(before + 1);
  for (const arrived of tensors) arrived.dispose();
});

test.each([
  ['a device that is none', () => stage([tensor([1])], 'nowhere')],
  ['a device without streams', () => stage([tensor([1])], 'meta')],
  ['what is not a tensor', () => native().startTransfer([{}] as never, 'cpu')],
  ['what was not staged', () => native().finishTransfer({} as never)],
  ['a handle of a tensor', () => native().finishTransfer(native().fromBytes(new Float32Array(1), 6, [1]) as never)],
])('%s is refused', (_what, call) => {
  refusal(call);
});
