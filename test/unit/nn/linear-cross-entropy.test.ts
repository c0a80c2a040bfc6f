/**
 * Linear cross entropy beyond its golden vectors: how often gradients may be computed, what is refused and warned of,
 * and what becomes of the tensors. Bits of values and gradients are in test/golden.
 */
import * as torch from 'libtorch-losses';
import { TorchError } from '../../../lib/errors';
import { checkLinearCrossEntropyVersion } from '../../../lib/nn/losses/linear-cross-entropy';

const { linearCrossEntropy } = torch.nn.functional;
type CallOptions = torch.nn.functional.LinearCrossEntropyCallOptions;

const target = torch.tensor([1, 0, 3, 1, 2], { dtype: 'int64' });

function leaves(): { input: torch.Tensor; linearWeight: torch.Tensor; linearBias: torch.Tensor } {
  torch.manualSeed(0);
  const leaf = (shape: number[]): torch.Tensor => torch.randn(shape, { dtype: 'float64', requiresGrad: true });
  return { input: leaf([5, 3]), linearWeight: leaf([4, 3]), linearBias: leaf([4]) };
}

function bits(tensor: torch.Tensor): number[] {
  return Array.from(new Uint32Array(tensor.detach().toTypedArray<Float32Array>().slice().buffer));
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof TorchError) return error.code;
    throw error;
  }
  return undefined;
}

describe('in chunks', () => {
  const reductions = ['none', 'mean', 'sum'] as const;

  test.each(reductions)('value and gradients are those of all rows at once: %s', (reduction) => {
    const { input, linearWeight, linearBias } = leaves();
    const weight = torch.tensor([0.5, 1, 2, 0.25], { dtype: 'float64' });
    const options = { linearBias, weight, reduction, ignoreIndex: 3 };
    const inputs = [input, linearWeight, linearBias];
    const whole = linearCrossEntropy(input, linearWeight, target, options);
    const gradOutputs = [torch.arange(1, 1 + whole.numel(), { dtype: 'float64' }).reshape(whole.shape)];
    const expected = torch.grad(whole, inputs, { gradOutputs });
    for (const chunking of [{}, { batchChunkSize: 2 }, { chunkingMethod: 'aspect_ratio' }] as const) {
      const loss = linearCrossEntropy(input, linearWeight, target, { ...options, options: chunking });
      expect(loss.allclose(whole)).toBe(true);
      const grads = torch.grad(loss, inputs, { gradOutputs });
      for (const [i, grad] of grads.entries()) expect(grad.allclose(expected[i] as torch.Tensor)).toBe(true);
    }
  });

  test.each(['mean', 'sum'] as const)('a second backward pass needs allowRetainGraph: %s', (reduction) => {
    const { input, linearWeight } = leaves();
    const once = linearCrossEntropy(input, linearWeight, target, { reduction, options: {} });
    once.backward({ retainGraph: true });
    expect(() => once.backward()).toThrow(/^linearCrossEntropy: expected one backward pass, .*'allowRetainGraph'/);
    expect(codeOf(() => torch.grad(once, input))).toBe('RUNTIME');
    const grad = input.grad?.clone() as torch.Tensor;
    input.grad = undefined;
    const options = { allowRetainGraph: true };
    const often = linearCrossEntropy(input, linearWeight, target, { reduction, options });
    often.backward();
    often.backward();
    expect(input.grad as torch.Tensor | undefined).toBeDefined();
    expect((input.grad as unknown as torch.Tensor).equal(grad.mul(2))).toBe(true);
  });

  test('losses of rows keep their inputs as every operator does', () => {
    const { input, linearWeight } = leaves();
    const each = (): torch.Tensor =>
      linearCrossEntropy(input, linearWeight, target, { reduction: 'none', options: {} });
    const twice = each().sum();
    twice.backward({ retainGraph: true });
    twice.backward();
    expect(() => twice.backward()).toThrow(/backward through the graph a second time/);
    const changed = each();
    torch.noGrad(() => linearWeight.mul_(2));
    expect(() => changed.sum().backward()).toThrow(/modified by an inplace operation/);
  });

  test('there are no higher derivatives', () => {
    const { input, linearWeight } = leaves();
    const options = { reduction: 'none', options: {} } as const;
    const squared = linearCrossEntropy(input, linearWeight, target, options).square().sum();
    expect(codeOf(() => torch.grad(squared, input, { createGraph: true }))).toBe('RUNTIME');
    const plain = linearCrossEntropy(input, linearWeight, target, options).sum();
    expect(torch.grad(plain, input, { createGraph: true })[0]?.requiresGrad).toBe(false);
  });

  test('class weights get no gradient, whoever else does', () => {
    const weight = torch.ones([4], { dtype: 'float64', requiresGrad: true });
    const { input, linearWeight } = leaves();
    for (const reduction of reductions) {
      const [x, w] = [input.detach(), linearWeight.detach()];
      const loss = linearCrossEntropy(x, w, target, { weight, reduction, options: {} });
      expect(loss.requiresGrad).toBe(true);
      loss.sum().backward();
      expect(weight.grad).toBeUndefined();
    }
  });

  test('nothing is recorded without need', () => {
    const { input, linearWeight } = leaves();
    const call = (): torch.Tensor => linearCrossEntropy(input, linearWeight, target, { options: {} });
    expect(torch.noGrad(call).requiresGrad).toBe(false);
    expect(torch.inferenceMode(call).requiresGrad).toBe(false);
    const detached = linearCrossEntropy(input.detach(), linearWeight.detach(), target, { options: {} });
    expect(detached.requiresGrad).toBe(false);
  });

  test('a value outlives the scope that it was computed in, and nothing else does', () => {
    for (const reduction of reductions) {
      const { input, linearWeight } = leaves();
      const before = torch.memory().tensors;
      const options = { reduction, options: { batchChunkSize: 2 } };
      const loss = torch.scope(() => linearCrossEntropy(input, linearWeight, target, options));
      // A garbage collection may have taken tensors of other tests meanwhile.
      expect(torch.memory().tensors).toBeLessThanOrEqual(before + 1);
      torch.scope(() => loss.sum().backward());
      expect(torch.memory().tensors).toBeLessThanOrEqual(before + 1);
      expect(input.grad?.shape).toEqual([5, 3]);
    }
  });
});

describe('refusals', () => {
  const x = torch.ones([5, 3]);
  const w = torch.ones([4, 3]);

  test.each<[string, () => unknown, RegExp]>([
    ['input', () => linearCrossEntropy(torch.ones([1, 5, 3]), w, target), /'input' to have 1 or 2 dimensions/],
    ['linearWeight', () => linearCrossEntropy(x, torch.ones([3]), target), /'linearWeight' to have at least 2 dim/],
    [
      'linearWeight',
      () => linearCrossEntropy(x, torch.ones([4, 2]), target),
      /to have shape \[4, 3\].*received \[4, 2\]/,
    ],
    ['input', () => linearCrossEntropy(torch.ones([3]), torch.ones([4, 2, 3]), 0), /'input' to have 2 dimensions/],
    [
      'linearBias',
      () => linearCrossEntropy(x, w, target, { linearBias: [1, 2] }),
      /to have shape \[4\].*received \[2\]/,
    ],
    ['target', () => linearCrossEntropy(x, w, [0, 1]), /'target' to have shape \[5\]/],
    ['target', () => linearCrossEntropy(x, w, [0, 1, 2, 3, 4]), /class indices in \[0, 4\).*received 4 at index 4/],
    ['target', () => linearCrossEntropy(x, w, [0, 1], { options: {} }), /'target' to have shape \[5\]/],
    ['target', () => linearCrossEntropy(x, w, [0, 1, 2, 3, 4], { options: {} }), /received 4 at index 4/],
    ['weight', () => linearCrossEntropy(x, w, target, { weight: [1] }), /'weight' to have shape \[4\]/],
    ['weight', () => linearCrossEntropy(x, w, target, { weight: [1], options: {} }), /'weight' to have shape \[4\]/],
    ['linearWeight', () => linearCrossEntropy(x, w.to('float64'), target), /'linearWeight' to be float32/],
    ['linearWeight', () => linearCrossEntropy(x, w.to('float64'), target, { options: {} }), /to be float32/],
    ['input', () => linearCrossEntropy(x.to('int64'), w, target, { options: {} }), /'input' to be floating point/],
    ['ignoreIndex', () => linearCrossEntropy(x, w, torch.ones([5, 4]), { ignoreIndex: -1 }), /to be absent/],
    ['labelSmoothing', () => linearCrossEntropy(x, w, target, { labelSmoothing: 2 }), /in \[0, 1\]/],
    ['reduction', () => linearCrossEntropy(x, w, target, { reduction: 'avg' as 'sum' }), /to be one of/],
  ])('%s', (argument, run, message) => {
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ op: 'linearCrossEntropy', argument }));
  });

  test.each<[string, CallOptions['options'], RegExp]>([
    ['accPolicy', { accPolicy: 'exact' as 'auto' }, /to be one of 'auto', 'accurate', 'balanced', 'compact'/],
    ['accDtype', { accDtype: 'int64' as 'float32' }, /to be one of/],
    ['accDtype', { accDtype: 'float64' }, /to be float32 as 'input' is, but received float64/],
    ['batchChunkSize', { batchChunkSize: 0 }, /to be an integer > 0, but received 0/],
    ['batchChunkSize', { batchChunkSize: 3, chunkingMethod: 'aspect_ratio' }, /to be absent, or the 4 that/],
    ['chunkingMethod', { chunkingMethod: 'aspect_ratio:0' }, /'aspect_ratio:N' with an integer N > 0/],
    ['chunkingMethod', { chunkingMethod: 'rows' as 'auto' }, /to be 'auto'/],
    ['allowRetainGraph', { allowRetainGraph: 1 as unknown as boolean }, /to be true or false/],
  ])('of options: %s', (argument, options, message) => {
    const run = (): unknown => linearCrossEntropy(x, w, target, { options });
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
  });

  test('sizes of 0 have no aspect ratio, but may be computed', () => {
    const [noFeatures, weights] = [torch.ones([5, 0]), torch.ones([4, 0])];
    expect(() => linearCrossEntropy(noFeatures, weights, target, { options: {} })).toThrow(/have no aspect ratio/);
    const loss = linearCrossEntropy(noFeatures, weights, target, { options: { chunkingMethod: null } });
    expect(loss.item()).toBeCloseTo(Math.log(4), 6);
  });

  test('a disposed tensor, by its name', () => {
    const gone = torch.ones([5, 3]);
    gone.dispose();
    for (const more of [{}, { options: {} }, { ignoreIndex: 1 }]) {
      const disposed = (argument: string): Error => expect.objectContaining({ code: 'DISPOSED', argument });
      expect(() => linearCrossEntropy(gone, w, target, more)).toThrow(disposed('input'));
      expect(() => linearCrossEntropy(x, gone, target, more)).toThrow(disposed('linearWeight'));
      expect(() => linearCrossEntropy(x, w, gone, more)).toThrow(disposed('target'));
      expect(() => linearCrossEntropy(x, w, target, { ...more, linearBias: gone })).toThrow(disposed('linearBias'));
      expect(() => linearCrossEntropy(x, w, target, { ...more, weight: gone })).toThrow(disposed('weight'));
    }
  });

  test('an unknown key of either options', () => {
    expect(() => linearCrossEntropy(x, w, target, { chunks: 1 } as CallOptions)).toThrow(/unknown option 'chunks'/);
    const options = { batchChunksize: 1 } as CallOptions['options'];
    expect(() => linearCrossEntropy(x, w, target, { options })).toThrow(/did you mean 'batchChunkSize'\?/);
  });

  test('libtorch before 2.13', () => {
    expect(() => checkLinearCrossEntropyVersion('linearCrossEntropy', '2.12.1')).toThrow(
      'linearCrossEntropy: expected libtorch to be 2.13 or newer, which has linear cross entropy, but received 2.12.1',
    );
    for (const version of ['2.13.0', '2.13.0+cpu', '2.14.0']) {
      expect(() => checkLinearCrossEntropyVersion('linearCrossEntropy', version)).not.toThrow();
    }
  });
});

test('where options are ignored, a warning says why', () => {
  const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const [x, w] = [torch.ones([5, 3]), torch.ones([4, 3])];
  const smooth = { labelSmoothing: 0.00001, options: { batchChunkSize: 2 } };
  const loss = linearCrossEntropy(x, w, target, smooth);
  expect(loss.equal(linearCrossEntropy(x, w, target, { labelSmoothing: 0.00001 }))).toBe(true);
  linearCrossEntropy(x, torch.ones([4, 2, 3]), torch.zeros([5, 2], { dtype: 'int64' }), {
    linearBias: torch.ones([4, 2]),
    options: {},
  });
  const texts = emitted.mock.calls.map(([text]) => String(text).replace(/.*Got /, ''));
  emitted.mockRestore();
  expect(texts).toEqual([
    "reduction='mean', label_smoothing=1e-05, target.dtype=torch.int64, out_features=(), tracing=False, " +
      'linear_bias.shape=None.',
    "reduction='mean', label_smoothing=0.0, target.dtype=torch.int64, out_features=(2,), tracing=False, " +
      'linear_bias.shape=(4, 2).',
  ]);
});

test('plain data is made into tensors', () => {
  const [x, w] = [
    [[1, 2]],
    [
      [1, 0],
      [0, 1],
    ],
  ];
  const expected = Math.log(1 + Math.exp(-1));
  expect(linearCrossEntropy(x, w, [1]).item()).toBeCloseTo(expected, 6);
  expect(linearCrossEntropy(x, w, [1], { options: {} }).item()).toBeCloseTo(expected, 6);
  expect(linearCrossEntropy(x, w, [[0, 1]]).item()).toBeCloseTo(expected, 6);
  expect(linearCrossEntropy([1, 2], w, 1, { reduction: 'none', options: {} }).shape).toEqual([]);
});

describe('LinearCrossEntropyLoss', () => {
  const { LinearCrossEntropyLoss } = torch.nn;

  test('draws what PyTorch draws', () => {
    torch.manualSeed(7);
    const { linear } = new LinearCrossEntropyLoss(3, 2, { outFeatures: [2], bias: true });
    expect(linear.weight.shape).toEqual([4, 3]);
    // Recorded from PyTorch 2.13.0: torch.manual_seed(7), LinearCrossEntropyLoss(3, 2, out_features=(2,), bias=True).
    expect(bits(linear.weight)).toEqual([
      0x3d252be8, 0xbeb211cf, 0x3e3c4108, 0x3e398258, 0xbe9dfe3f, 0xbdb1377f, 0xbead2c36, 0x3e1966ea, 0xbe1f4082,
      0x3ecfac15, 0x3ed1d842, 0x3d70e7e8,
    ]);
    expect(bits(linear.bias as torch.Tensor)).toEqual([0xbe7c0b5e, 0xbeada03d, 0xbd81da2b, 0xbe2661d6]);
  });

  test('trains its layer, not its class weights', () => {
    const module = new LinearCrossEntropyLoss(3, 4, { weight: [1, 2, 3, 4], bias: true, options: {} });
    expect([...module.parameters()]).toEqual([module.linear.weight, module.linear.bias]);
    module.forward(torch.ones([5, 3]), target).backward();
    expect(module.linear.weight.grad?.shape).toEqual([4, 3]);
    module.zeroGrad();
    expect(module.linear.weight.grad).toBeUndefined();
  });

  test.each<[string, () => unknown]>([
    ['weight', () => new LinearCrossEntropyLoss(3, 4, { weight: [1] })],
    ['labelSmoothing', () => new LinearCrossEntropyLoss(3, 4, { labelSmoothing: -0.5 })],
    ['outFeatures', () => new LinearCrossEntropyLoss(3, 4, { outFeatures: 2 as unknown as number[] })],
    ['outFeatures[0]', () => new LinearCrossEntropyLoss(3, 4, { outFeatures: [-1] })],
    ['accPolicy', () => new LinearCrossEntropyLoss(3, 4, { options: { accPolicy: 'exact' as 'auto' } })],
    ['numClasses', () => new LinearCrossEntropyLoss(3, -1)],
    ['inFeatures', () => new LinearCrossEntropyLoss(1.5, 4)],
    ['bias', () => new LinearCrossEntropyLoss(3, 4, { bias: 1 as unknown as boolean })],
  ])('refuses %s', (argument, run) => {
    expect(run).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }));
  });
});
