/** What is given is used, or refused: no option, dtype or argument is accepted and left out. */
import * as torch from 'libtorch-losses';
import { refusal } from './support';

const { tensor, ones, zeros, nn } = torch;
const x = ones(2, 2);
/** What `torch.flot32` is to a program without types. */
const misspelled = (torch as unknown as Record<string, torch.DType>).flot32 as torch.DType;

describe('a dtype that is undefined', () => {
  const dtype = misspelled;
  const calls: Record<string, () => unknown> = {
    tensor: () => tensor([1], { dtype }),
    asTensor: () => torch.asTensor([1], { dtype }),
    'asTensor, of a tensor': () => torch.asTensor(x, { dtype }),
    fromTypedArray: () => torch.fromTypedArray(new Float32Array(1), { dtype }),
    newTensor: () => x.newTensor([1], { dtype }),
    zeros: () => zeros(2, { dtype }),
    'zeros, with out': () => zeros(2, { dtype, out: zeros(2) }),
    full: () => torch.full([2], 1, { dtype }),
    onesLike: () => torch.onesLike(x, { dtype }),
    newZeros: () => x.newZeros(2, { dtype }),
    sum: () => x.sum({ dtype }),
    norm: () => torch.norm(x, { dtype }),
    'softmax, by position': () => x.softmax(1, dtype),
    to: () => x.to(dtype),
    'to, with more': () => x.to(dtype, { copy: true }),
    'to, behind a device': () => x.to('cpu', dtype),
    'to, by name': () => x.to({ dtype }),
    type: () => x.type(dtype),
    Linear: () => new nn.Linear(2, 2, { dtype }),
    AdaptiveLogSoftmaxWithLoss: () => new nn.AdaptiveLogSoftmaxWithLoss(4, 4, [2], { dtype }),
    LinearCrossEntropyLoss: () => new nn.LinearCrossEntropyLoss(2, 3, { dtype }),
    'accDtype of linearCrossEntropy': () =>
      nn.functional.linearCrossEntropy(x, x, tensor([0n, 1n]), { options: { accDtype: misspelled as 'float32' } }),
  };

  test.each(Object.entries(calls))('%s', (_, call) => {
    expect(refusal(call).message).toMatch(
      /'(dtype|accDtype)' to be a dtype .*misspelled constant.*received undefined$/,
    );
  });

  test('null, and no dtype at all, are the default', () => {
    expect([tensor([1], { dtype: null }).dtype, zeros(1, { dtype: null }).dtype]).toEqual(['float32', 'float32']);
    expect(x.double().newTensor([1], { dtype: null }).dtype).toBe('float64');
    expect(new nn.Linear(1, 1, { dtype: null }).weight.dtype).toBe('float32');
  });
});

describe('options', () => {
  const options: Record<string, [() => unknown, string]> = {
    'full, whose out has another dtype': [
      () => torch.full([2], 1, { out: zeros(2), dtype: 'float64' }),
      "full: expected 'dtype' to be 'float32', as 'out' has, but received \"float64\"",
    ],
    'full, whose out is elsewhere': [
      () => torch.full([2], 1, { out: zeros(2), device: 'meta' }),
      "full: expected 'device' to be 'cpu', as 'out' has, but received \"meta\"",
    ],
    'full, whose out has another layout': [
      () => torch.full([2], 1, { out: zeros(2), layout: 'sparse_coo' }),
      "full: expected 'layout' to be 'strided', as 'out' has, but received \"sparse_coo\"",
    ],
    'nonzero, asTuple and out': [
      () => torch.nonzero(x, { asTuple: true, out: zeros(2) } as never),
      "nonzero: expected 'out' to be absent where 'asTuple' is true, but received a Tensor",
    ],
    'tensor, the shape of a tensor': [() => tensor(x, { shape: [4] }), "tensor: expected option 'shape' to be absent"],
    'asTensor, the shape of a tensor': [
      () => torch.asTensor(x, { shape: [4] }),
      "asTensor: expected option 'shape' to be absent",
    ],
    'asTensor, requiresGrad': [
      () => torch.asTensor([1], { requiresGrad: true } as never),
      "asTensor: unknown option 'requiresGrad'",
    ],
    'fromTypedArray, device': [
      () => torch.fromTypedArray(new Float32Array(1), { device: 'meta' } as never),
      "fromTypedArray: unknown option 'device'",
    ],
    indexPut_: [() => x.indexPut_([0], 1, { acumulate: true } as never), "unknown option 'acumulate' (did you mean"],
    'indexPut_, a flag of another type': [
      () => x.indexPut_([0], 1, 'yes' as never),
      'indexPut_: expected \'accumulate\' to be true or false, but received "yes"',
    ],
    isContiguous: [() => x.isContiguous({ memoryFromat: 1 } as never), "isContiguous: unknown option 'memoryFromat'"],
    'isContiguous, no format': [
      () => x.isContiguous('channels_lsat' as never),
      "isContiguous: expected 'memoryFormat' to be one of",
    ],
    size: [() => x.size({ dmi: 0 } as never), "size: unknown option 'dmi'"],
    requiresGrad_: [
      () => x.requiresGrad_({ requireGrad: true } as never),
      "requiresGrad_: unknown option 'requireGrad'",
    ],
    float: [() => x.float({ copy: true } as never), "float: unknown option 'copy'"],
    cpu: [() => x.cpu({ nonBlocking: true } as never), "cpu: unknown option 'nonBlocking'"],
    type: [() => x.type('float64', { copy: true } as never), "type: unknown option 'copy'"],
    cuda: [() => x.cuda(0, { copy: true } as never), "cuda: unknown option 'copy'"],
  };

  test.each(Object.entries(options))('%s', (_, [call, message]) => {
    expect(refusal(call).message).toContain(message);
  });

  test('are used where they fit', () => {
    const out = zeros(2);
    expect(torch.full([2], 3, { out, dtype: 'float32', device: 'cpu' })).toBe(out);
    expect(out.tolist()).toEqual([3, 3]);
    expect([x.size({ dim: 0 }), x.stride({ dim: -2 })]).toEqual([2, 2]);
    expect(x.clone().indexPut_([0, 0], 1, { accumulate: true }).tolist()).toEqual([
      [2, 1],
      [1, 1],
    ]);
    expect(x.isContiguous({ memoryFormat: 'contiguous_format' })).toBe(true);
    expect([x.isContiguous({}), x.isContiguous(null)]).toEqual([true, true]);
    expect(zeros(1, 2, 3, 4).isContiguous({ memoryFormat: 'channels_last' })).toBe(false);
    expect(zeros(1, 2, 3, 4).float({ memoryFormat: 'channels_last' }).stride()).toEqual([24, 1, 8, 2]);
    expect(x.type(x.double().type()).dtype).toBe('float64');
    expect(x.type({ dtype: 'int64' }).dtype).toBe('int64');
    expect(x.clone().requiresGrad_({ requiresGrad: true }).requiresGrad).toBe(true);
  });
});

/** What PyTorch 2.13's Python layer refuses, and takes. */
describe('arguments', () => {
  const [v, i] = [ones(2), tensor([1n])];
  const calls: Record<string, [() => unknown, string]> = {
    'tensordot, more dimensions than there are': [
      () => torch.tensordot(v, v, 3),
      "'dims' to be in [0, 1], but received 3",
    ],
    'tensordot, fewer than none': [() => torch.tensordot(v, v, -1), "'dims' to be in [0, 1], but received -1"],
    'tensordot, fewer, as a tensor': [() => torch.tensordot(v, v, tensor(-1n)), 'but received -1'],
    'tensordot, one list': [() => torch.tensordot(v, v, [[0]] as never), 'two lists of dimensions'],
    'tensordot, three lists': [() => torch.tensordot(v, v, [[0], [0], [0]] as never), 'two lists of dimensions'],
    'tensordot, lists that differ': [() => torch.tensordot(v, v, [[0, 0], [0]]), 'should have same length'],
    'einsum, nothing': [() => torch.einsum(), 'expected the call to have an equation and operands'],
    'einsum, no operand': [() => torch.einsum('ij'), 'must provide at least one operand'],
    'einsum, no subscripts': [() => torch.einsum(x), 'expected the call to have an equation and operands'],
    'einsum, no equation': [() => torch.einsum([0, 1], x), "'equation' to be a string"],
    'einsum, a subscript too large': [() => torch.einsum(x, [0, 52]), 'an integer in [0, 51]'],
    'einsum, a negative subscript': [() => torch.einsum(x, [0, -1]), 'an integer in [0, 51]'],
    'einsum, half a subscript': [() => torch.einsum(x, [0, 1.5]), 'an integer in [0, 51]'],
    'einsum, a letter': [() => torch.einsum(x, [0, 'a'] as never), 'an integer in [0, 51]'],
    'einsum, no list': [() => torch.einsum(x, 0 as never), 'the subscripts to be an array'],
    'einsum, two results': [() => torch.einsum(x, [0, 1], [0], [1]), "'tensors[1]' to be a Tensor"],
    'einsum, a wrong equation': [() => torch.einsum('i$->i', x), 'invalid subscript'],
    'einsum, an operand missing': [() => torch.einsum('ij,jk->ik', x), 'fewer operands'],
    'unravelIndex, of floats': [() => torch.unravelIndex(v, [2]), "'indices' to be of an integer dtype"],
    'unravelIndex, of booleans': [() => torch.unravelIndex(tensor([true]), [2]), "'indices' to be of an integer dtype"],
    'unravelIndex, a negative size': [() => torch.unravelIndex(i, [2, -2]), "'shape[1]' to be an integer >= 0"],
    'unravelIndex, a size of 0': [() => torch.unravelIndex(i, [0]), 'ZeroDivisionError'],
    'broadcastShapes, a negative size': [() => torch.broadcastShapes([-2], [1]), 'to have sizes >= 0'],
    'broadcastShapes, half a size': [() => torch.broadcastShapes([1.5]), 'to be a safe integer'],
    'broadcastShapes, no size': [() => torch.broadcastShapes('a' as never), 'to be a safe integer'],
    'broadcastShapes, none that fits': [() => torch.broadcastShapes([2], [3]), "'shapes[1]' to broadcast to [2]"],
    'broadcastShapes, nothing and something': [
      () => torch.broadcastShapes([0], [2]),
      "'shapes[1]' to broadcast to [0]",
    ],
  };

  test.each(Object.entries(calls))('%s', (_, [call, message]) => {
    expect(refusal(call).message).toContain(message);
  });

  test('that fit', () => {
    expect(torch.tensordot(v, v, 0).shape).toEqual([2, 2]);
    expect(torch.tensordot(v, v, tensor([[0n], [0n]])).item()).toBe(2);
    expect(torch.tensordot(v, v, { dims: 1 }).item()).toBe(2);
    expect(torch.einsum(x, [0, 51]).shape).toEqual([2, 2]);
    expect(torch.einsum(x, [0, '...'], ['...']).tolist()).toEqual([2, 2]);
    expect(torch.unravelIndex(tensor([7n, -1n]), [2, 3]).map((t) => t.tolist())).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(torch.unravelIndex(i, [])).toEqual([]);
    expect(torch.broadcastShapes(3, [2, 1], null, [1, 1, 1])).toEqual([1, 2, 3]);
    expect(torch.broadcastShapes([0], [1])).toEqual([0]);
    expect(torch.broadcastShapes([2 ** 40, 1], [1, 2 ** 40])).toEqual([2 ** 40, 2 ** 40]);
    expect(torch.broadcastShapes()).toEqual([]);
  });
});
