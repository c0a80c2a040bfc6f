/** What masked operations, windows and decompositions of low rank refuse; their bits are in test/golden/calls. */
import * as torch from 'libtorch-losses';
import { refusal } from './support';

const { masked, tensor, ones, zeros } = torch;
const { windows } = torch.signal;
const x = tensor([
  [1, 2],
  [3, 4],
]);
const mask = tensor([true, false]);

describe('masked', () => {
  test('is called by position and by name', () => {
    expect(masked.sum(x, 1, { mask }).tolist()).toEqual([1, 3]);
    expect(masked.sum(x, { dim: 1, mask }).tolist()).toEqual([1, 3]);
    expect(masked.var(x, 1, { unbiased: false }).tolist()).toEqual([0.25, 0.25]);
    expect(masked.norm(x, 1, 0, { mask }).tolist()).toEqual([4, 0]);
    // Masks are what is true of their elements.
    expect(masked.sum(x, { mask: tensor([0, 2]) }).item()).toBe(6);
  });

  const refused: Record<string, [() => unknown, string]> = {
    'a sparse input': [
      () => masked.sum(x.toSparse()),
      "masked.sum: expected 'input' to be strided, but received sparse_coo (toDense() makes it so)",
    ],
    'a sparse mask': [
      () => masked.amax(x, { mask: ones(2, 2).toSparse() }),
      "masked.amax: expected 'mask' to be strided",
    ],
    'a mask of more dimensions': [
      () => masked.mean(x, { mask: ones(1, 2, 2) }),
      "masked.mean: expected 'mask' to have at most 2 dimensions, as 'input' has, but received [1, 2, 2]",
    ],
    'a mask that does not broadcast': [() => masked.sum(x, { mask: ones(3) }), 'expanded size of the tensor'],
    'a dimension that is not there': [
      () => masked.prod(x, 2),
      "masked.prod: expected 'dim' to be in [-2, 1], but received 2",
    ],
    'a dimension twice': [() => masked.sum(x, [0, 0]), "'dim' to name each dimension once, but received 0 twice"],
    'the mean of integers': [
      () => masked.mean(x.long()),
      "masked.mean: expected 'dtype' to be floating point or complex",
    ],
    'the largest boolean': [
      () => masked.amax(mask, { mask }),
      "masked.amax: expected 'input' to be of a dtype with an order",
    ],
    'a median of nothing': [
      () => masked.median(x.long(), { mask: tensor([false, false]) }),
      "masked.median: expected 'mask' to leave an element",
    ],
    'two corrections': [() => masked.std(x, 1, true, { correction: 1 }), "'correction' to be absent where 'unbiased'"],
    'an unknown option': [
      () => masked.softmax(x, 1, { masks: mask } as never),
      "unknown option 'masks' (did you mean 'mask'?)",
    ],
    'a misspelled dtype': [() => masked.sum(x, { dtype: undefined as never }), 'a misspelled constant is undefined'],
    'no dimension': [() => masked.cumsum(x, undefined as never), "masked.cumsum: expected 'dim' to be given"],
  };

  test.each(Object.entries(refused))('%s', (_, [call, message]) => {
    expect(refusal(call).message).toContain(message);
  });
});

describe('windows', () => {
  test('record their own operations where they are asked to', () => {
    expect(windows.hann(4, { requiresGrad: true }).requiresGrad).toBe(true);
    expect(windows.hann(0, { requiresGrad: true }).isLeaf).toBe(true);
    expect(windows.hann(4, { device: 'meta' }).device).toBe('meta');
  });

  const refused: Record<string, [() => unknown, string]> = {
    'a negative length': [() => windows.hann(-1), "signal.windows.hann: expected 'M' to be >= 0, but received -1"],
    'half a point': [() => windows.hann(1.5), "signal.windows.hann: expected 'M' to be an integer, but received 1.5"],
    'a dtype of integers': [() => windows.cosine(3, { dtype: 'int64' }), "'dtype' to be 'float32' or 'float64'"],
    'a half dtype': [() => windows.cosine(3, { dtype: 'float16' }), "'dtype' to be 'float32' or 'float64'"],
    'a sparse layout': [() => windows.kaiser(3, { layout: 'sparse_coo' }), "'layout' to be 'strided'"],
    tau: [() => windows.exponential(3, { tau: 0 }), "'tau' to be > 0, but received 0"],
    center: [() => windows.exponential(3, { center: 1 }), "'center' to be absent where 'sym' is true"],
    std: [() => windows.gaussian(3, { std: -1 }), "'std' to be > 0, but received -1"],
    beta: [() => windows.kaiser(3, { beta: -1 }), "'beta' to be >= 0, but received -1"],
    'no coefficients': [() => windows.generalCosine(3, { a: [] }), "'a' to have a coefficient"],
    'no list of coefficients': [() => windows.generalCosine(3, {} as never), "expected 'a' to be given"],
    'an unknown option': [
      () => windows.hamming(3, { symm: true } as never),
      "unknown option 'symm' (did you mean 'sym'?)",
    ],
  };

  test.each(Object.entries(refused))('%s', (_, [call, message]) => {
    expect(refusal(call).message).toContain(message);
  });
});

test('decompositions of low rank', () => {
  expect(refusal(() => torch.pcaLowrank(x, 3)).message).toBe(
    "pcaLowrank: expected 'q' to be in [0, 2], but received 3",
  );
  expect(refusal(() => torch.pcaLowrank(x, 1, true, -1)).message).toContain("'niter' to be >= 0");
  expect(refusal(() => torch.pcaLowrank(ones(3))).message).toContain('to have at least two dimensions');
  expect(refusal(() => torch.svdLowrank(x.toSparse())).message).toContain("'A' to be strided");
  expect(torch.svdLowrank(zeros(4, 3), { q: 2 }).map(({ shape }) => shape)).toEqual([[4, 2], [2], [3, 2]]);
  const values = (...options: (number | null)[]): number[] => {
    torch.manualSeed(0);
    return torch.svdLowrank(torch.randn(8, 7), ...options)[1]?.tolist<number[]>() as number[];
  };
  expect(values(null, null)).toEqual(values());
});
