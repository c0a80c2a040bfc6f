/**
 * Losses in chunks against the graph, which computes them whole: chunks of every size, random elements, several threads.
 * That a call ran in chunks is seen at what cuts them.
 */
import * as torch from 'libtorch-losses';
import { chunkOf } from '../../../lib/nn/losses/chunking';
import { bitsOf, difference } from '../../../lib/parity/bits';
import { inChunks } from '../../../lib/torch/trace';
import { byGraph, refusal } from '../torch/support';

jest.setTimeout(60_000);

const { functional: F } = torch.nn;

/** How many entries a chunk has; `undefined`: what it has outside of tests. */
let mockEntries: number | undefined;

jest.mock('../../../lib/nn/losses/chunking', () => {
  const real = jest.requireActual('../../../lib/nn/losses/chunking');
  const chunkOf = (tensor: torch.Tensor): number | undefined => {
    if (mockEntries === undefined) return real.chunkOf(tensor);
    return tensor.numel() > 0 && tensor.isContiguous() && /float/.test(tensor.dtype) ? mockEntries : undefined;
  };
  const mayBeCut = (tensor: torch.Tensor): boolean => mockEntries !== undefined || real.mayBeCut(tensor);
  return { ...real, chunkOf, mayBeCut };
});

jest.mock('../../../lib/torch/trace', () => {
  const actual = jest.requireActual('../../../lib/torch/trace');
  return { ...actual, inChunks: jest.fn(actual.inChunks) };
});

const floats = ['float32', 'float64', 'bfloat16', 'float16'] as const;
type Float = (typeof floats)[number];

/** Expects the same bits; unlike jest's own comparison it is done with a million elements at once. */
function expectSame(actual: torch.Tensor, expected: torch.Tensor): void {
  expect(difference('it', bitsOf(actual.detach()), bitsOf(expected.detach()), undefined, 'the graph gives')).toBe(
    undefined,
  );
}

function expectBoth(actual: torch.ValueAndGrad, expected: torch.ValueAndGrad): void {
  expectSame(actual.value, expected.value);
  expectSame(actual.grad, expected.grad);
}

/** A loss with all it takes but its input. */
type Call = (loss: (...args: never[]) => unknown, input: torch.Tensor) => unknown;

const call =
  (...rest: readonly unknown[]): Call =>
  (loss, input) =>
    loss(...([input, ...rest] as never[]));

/** The value in the graph, without one, as a number, and both with the gradient; each in its own way. */
async function expectTheGraphs(loss: typeof F.crossEntropy, input: torch.Tensor, apply: Call): Promise<void> {
  const expected = apply(byGraph(loss) as never, input) as torch.ValueAndGrad;
  jest.mocked(inChunks).mockClear();
  const plain = apply(loss, input) as torch.Tensor;
  expect(inChunks).toHaveBeenCalledTimes(1);
  expectSame(plain, expected.value);
  const item = expected.value.item();
  expect(apply(loss.item, input)).toBe(item);
  expect(inChunks).toHaveBeenCalledTimes(2);
  const both = apply(torch.valueAndGrad(loss) as never, input) as torch.ValueAndGrad;
  expect(inChunks).toHaveBeenCalledTimes(3);
  expectBoth(both, expected);
  const later = (await apply(torch.valueAndGrad(loss).async as never, input)) as torch.ValueAndGrad;
  expect(inChunks).toHaveBeenCalledTimes(4);
  expectBoth(later, expected);
  const own = input.clone();
  const written = apply(torch.valueAndGrad(loss, { gradInto: own }) as never, own) as torch.ValueAndGrad;
  expect(written.grad).toBe(own);
  expectBoth(written, expected);
}

/** The losses one by one: what `'none'` gives. */
function expectTheLosses(loss: typeof F.crossEntropy, input: torch.Tensor, apply: Call): void {
  const expected = apply(loss, input.detach().requiresGrad_()) as torch.Tensor;
  jest.mocked(inChunks).mockClear();
  const actual = apply(loss, input) as torch.Tensor;
  expect(inChunks).toHaveBeenCalledTimes(1);
  expectSame(actual, expected);
}

let threads: number;

beforeAll(() => {
  threads = torch.getNumThreads();
  jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});

afterEach(() => {
  torch.setNumThreads(threads);
});

afterAll(() => jest.restoreAllMocks());

describe.each([1, 2, 4])('with %i threads', (count) => {
  beforeEach(() => {
    torch.setNumThreads(count);
    torch.manualSeed(7);
  });

  describe.each([1, 7, 64])('chunks of %i', (size) => {
    // Programs are kept by shape, and the size of chunks with them: these are shapes that no other test has.
    const unseen = size + count;

    beforeEach(() => {
      mockEntries = size;
    });

    describe.each(floats)('crossEntropy, %s', (dtype: Float) => {
      const [rows, classes] = [127, 30 + unseen];
      /** Where a weighted mean of 16 bits is computed whole. */
      const isHalf = dtype === 'float16' || dtype === 'bfloat16';

      test.each([undefined, 0.1])('labelSmoothing %s', async (labelSmoothing) => {
        const input = torch.randn([rows, classes]).mul(5).to(dtype);
        const target = torch.randint(0, classes, [rows]);
        const weights = process.arch === 'x64' && !isHalf ? [undefined, torch.rand([classes]).to(dtype)] : [undefined];
        for (const weight of weights) {
          for (const ignoreIndex of [-100, 5]) {
            for (const reduction of ['mean', 'sum'] as const) {
              const options = { weight, ignoreIndex, reduction, labelSmoothing };
              await expectTheGraphs(F.crossEntropy, input, call(target, options));
            }
            const options = { weight, ignoreIndex, reduction: 'none', labelSmoothing };
            expectTheLosses(F.crossEntropy, input, call(target, options));
          }
        }
      });

      test('rows that are all ignored, and one row', async () => {
        const input = torch.randn([rows, classes]).to(dtype);
        const all = torch.full([rows], -100, { dtype: 'int64' });
        for (const reduction of ['mean', 'sum'] as const) {
          await expectTheGraphs(F.crossEntropy, input, call(all, { reduction }));
          await expectTheGraphs(F.crossEntropy, input.narrow(0, 3, 1), call(torch.tensor([2n]), { reduction }));
        }
      });
    });

    describe.each(floats)('losses of single elements, %s', (dtype: Float) => {
      test.each([
        ['5,000 elements', [5000 + unseen]],
        ['rows of an odd length', [37, 51 + 2 * unseen]],
        ['a few', [unseen]],
      ])('%s', async (_name, shape) => {
        const input = torch.randn(shape).mul(3).to(dtype);
        const target = torch.rand(shape).to(dtype);
        const [weight, posWeight] = [torch.rand(shape).to(dtype), torch.rand(shape).to(dtype)];
        for (const reduction of ['mean', 'sum'] as const) {
          for (const options of [{}, { weight }, { posWeight }, { weight, posWeight }]) {
            const apply = call(target, { ...options, reduction });
            await sameAsGraph(F.binaryCrossEntropyWithLogits, input, apply);
          }
          await sameAsGraph(F.mseLoss, input, call(target, { reduction }));
        }
        for (const reduction of ['mean', 'sum', 'batchmean'] as const) {
          for (const logTarget of [false, true]) {
            await sameAsGraph(F.klDiv, input, call(target, { reduction, logTarget }));
          }
        }
      });
    });
  });

  test.each(['float16', 'bfloat16'] as const)('more rows than %s counts', async (dtype) => {
    mockEntries = 64;
    const [rows, classes] = [4100 + count, 5];
    const input = torch.randn([rows, classes]).to(dtype);
    const target = torch.randint(0, classes, [rows]);
    for (const labelSmoothing of [0, 0.1]) {
      for (const ignoreIndex of [-100, 2]) {
        await expectTheGraphs(F.crossEntropy, input, call(target, { labelSmoothing, ignoreIndex }));
      }
    }
  });

  /** Some losses are not split for some dtypes: the same bits, whether or not. */
  async function sameAsGraph(loss: unknown, input: torch.Tensor, apply: Call): Promise<void> {
    const given = loss as typeof F.crossEntropy;
    const expected = apply(byGraph(given) as never, input) as torch.ValueAndGrad;
    expect(apply(given.item, input)).toBe(expected.value.item());
    expectSame(apply(given, input) as torch.Tensor, expected.value);
    expectBoth(apply(torch.valueAndGrad(given) as never, input) as torch.ValueAndGrad, expected);
    const later = (await apply(torch.valueAndGrad(given).async as never, input)) as torch.ValueAndGrad;
    expectBoth(later, expected);
    const own = input.clone();
    const written = apply(torch.valueAndGrad(given, { gradInto: own }) as never, own) as torch.ValueAndGrad;
    expectBoth(written, expected);
  }

  test('tensors that are large enough by themselves', async () => {
    mockEntries = undefined;
    const [rows, classes] = [700 + count, 1600];
    const input = torch.randn([rows, classes]);
    expect(chunkOf(input)).toBeLessThan(rows);
    const target = torch.randint(0, classes, [rows]);
    for (const options of [{}, { weight: torch.rand([classes]) }, { labelSmoothing: 0.2, ignoreIndex: 3 }]) {
      if (!('weight' in options) || process.arch === 'x64') {
        await expectTheGraphs(F.crossEntropy, input, call(target, options));
      }
    }
    const soft = torch.rand([rows, classes]);
    await expectTheGraphs(F.binaryCrossEntropyWithLogits as never, input, call(soft));
    await expectTheGraphs(F.klDiv as never, input, call(soft, { reduction: 'sum' }));
    await expectTheGraphs(F.mseLoss as never, input, call(soft));
  });
});

describe('what chunks leave as it is', () => {
  beforeEach(() => {
    mockEntries = 1;
    jest.mocked(inChunks).mockClear();
  });

  test('a graph is recorded of the whole', () => {
    const x = torch.randn([5, 3], { requiresGrad: true });
    const loss = F.crossEntropy(x, [0, 1, 2, 0, 1]);
    expect([loss.requiresGrad, jest.mocked(inChunks).mock.calls.length]).toEqual([true, 0]);
    loss.backward();
    expect(x.grad?.shape).toEqual([5, 3]);
  });

  test('a class index out of range is refused in the same words, and the input stays as it was unless it is written', () => {
    const [x, y] = [torch.randn([5, 3]), [0, 1, 2, 0, 3]];
    const before = x.toTypedArray();
    const whole = refusal(() => F.crossEntropy(x.detach().requiresGrad_(), y));
    for (const attempt of [
      () => F.crossEntropy(x, y),
      () => F.crossEntropy.item(x, y),
      () => torch.valueAndGrad(F.crossEntropy)(x, y),
      () => F.crossEntropy(x, y, { weight: [1, 2, 3] }).item(),
    ]) {
      const { code, message, argument } = refusal(attempt);
      expect({ code, message, argument }).toEqual({ code: whole.code, message: whole.message, argument: 'target' });
    }
    expect(x.toTypedArray()).toEqual(before);
  });

  test('strided tensors, other devices’ rules and shapes that do not fit go the whole way', () => {
    const x = torch.randn([3, 5]).t();
    F.crossEntropy(x, [0, 1, 2, 0, 1]);
    torch.valueAndGrad(F.crossEntropy)(x, [0, 1, 2, 0, 1]);
    F.crossEntropy(torch.randn([2, 3, 4]), torch.randint(0, 3, [2, 4]));
    expect(() => F.crossEntropy(torch.randn([5, 3]), [0, 1])).toThrow(torch.NativeError);
    expect(() => F.crossEntropy(torch.randn([5, 3]), [0, 1, 2, 0, 1], { weight: [1, 2] })).toThrow(torch.NativeError);
    expect(inChunks).not.toHaveBeenCalled();
  });
});
