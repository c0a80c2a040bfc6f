/** torch.nn.utils: what it refuses, takes and leaves alone; its numbers are in test/golden/calls. */
import { nn, ones, type Tensor, tensor, zeros } from '../../../../lib';

const { utils } = nn;
const { rnn } = utils;

function withGradient(...values: number[]): Tensor {
  const parameter = new nn.Parameter(zeros([values.length]));
  parameter.grad = tensor(values);
  return parameter;
}

const refused: [name: string, call: () => unknown, message: string][] = [
  [
    'no tensors',
    () => utils.clipGradNorm_(3 as never, 1),
    "clipGradNorm_: expected 'parameters' to be a Tensor, or to go through Tensors, but received 3",
  ],
  [
    'something else among them',
    () => utils.getTotalNorm([ones([1]), 2 as never]),
    "getTotalNorm: expected 'tensors[1]' to be a Tensor, but received 2",
  ],
  [
    'a short vector',
    () => utils.vectorToParameters(ones([3]), [ones([2]), ones([2])]),
    "vectorToParameters: expected 'vec' to have shape [n], n >= 4, but received shape [3]",
  ],
  ['a class', () => utils.skipInit({} as never), "skipInit: expected 'moduleClass' to be a class of a module"],
  [
    'a packed sequence',
    () => rnn.unpackSequence(ones([2]) as never),
    "unpackSequence: expected 'packedSequences' to be a PackedSequence, but received a Tensor",
  ],
  [
    'a total length',
    () => rnn.padPackedSequence(rnn.packSequence([ones([3])]), { totalLength: 2 }),
    "padPackedSequence: expected 'totalLength' to be at least 3, the length of the longest sequence, but received 2",
  ],
  [
    'lengths',
    () => rnn.unpadSequence(ones([2, 3]), tensor([1n]), true),
    "unpadSequence: expected 'lengths' to have shape [2], but received shape [1]",
  ],
  ['ascending lengths', () => rnn.packSequence([ones([1]), ones([2])]), 'must be sorted in decreasing order'],
];

test.each(refused)('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
});

test('gradients are clipped through what parameters() gives, and without any, with a warning', () => {
  const emitted = jest.spyOn(process, 'emitWarning').mockImplementation();
  const layer = new nn.Linear(2, 1);
  layer.weight.grad = tensor([[3, 4]]);
  expect(utils.clipGradNorm_(layer.parameters(), 1).item()).toBe(5);
  expect((layer.weight.grad as Tensor).norm().item()).toBeCloseTo(1, 5);
  expect(utils.clipGradNorm_(new nn.Identity().parameters(), 1).item()).toBe(0);
  expect(emitted.mock.calls.map(([text]) => text)).toEqual(['clipGradNorm_: there is no parameter to clip']);
  emitted.mockRestore();
});

test('a norm that is not finite changes nothing if it is to be an error', () => {
  const parameters = [withGradient(1, 2), withGradient(Infinity)];
  expect(() => utils.clipGradNorm_(parameters, 1, { errorIfNonfinite: true })).toThrow(
    expect.objectContaining({ code: 'RUNTIME', op: 'clipGradNorm_' }),
  );
  expect(parameters[0]?.grad?.toArray()).toEqual([1, 2]);
  utils.clipGradNorm_(parameters, 1);
  expect(parameters[0]?.grad?.toArray()).toEqual([0, 0]);
});

test('parameters share the memory of the vector', () => {
  const vector = tensor([1, 2, 3]);
  const parameter = new nn.Parameter(zeros([3, 1]));
  utils.vectorToParameters(vector, [parameter]);
  vector.mul_(2);
  expect(parameter.toArray()).toEqual([[2], [4], [6]]);
  expect([parameter.requiresGrad, parameter.isLeaf]).toEqual([true, true]);
});

test('skipInit makes a module without drawing its parameters', () => {
  const layer = utils.skipInit(nn.Linear, 3, 2, { bias: false, dtype: 'float64' });
  expect(layer).toBeInstanceOf(nn.Linear);
  expect([layer.weight.shape, layer.weight.dtype, layer.weight.device, layer.bias]).toEqual([
    [2, 3],
    'float64',
    'cpu',
    undefined,
  ]);
});

test('a packed sequence is converted as a whole, and goes through its parts', () => {
  const packed = rnn.packSequence([ones([1]), ones([2])], { enforceSorted: false });
  expect(packed.to('float32')).toBe(packed);
  const double = packed.double();
  expect([double.data.dtype, double.batchSizes.dtype]).toEqual(['float64', 'int64']);
  const [data, batchSizes, sorted, unsorted] = double;
  expect([data?.toArray(), batchSizes?.toArray(), sorted?.toArray(), unsorted?.toArray()]).toEqual([
    [1, 1, 1],
    [2, 1],
    [1, 0],
    [1, 0],
  ]);
});
