/**
 * The recorded cases of the losses that cut large tensors into chunks, with every tensor taken for a large one: chunks of
 * one or two entries give the bits of the whole.
 */
import type { Tensor } from '../../lib';
import { judgeFor, thisHost } from '../../lib/parity/judge';
import { runCase } from '../../lib/parity/run-case';
import { readCases, readManifest, vectors } from '../../lib/parity/vectors';
import { inChunks } from '../../lib/torch/trace';
import { quietly } from '../support/conditions';
import {
  compareAsync,
  compareItem,
  compareOut,
  compareValueAndGrad,
  type LossWithForms,
  lossOf,
  wrongWith,
} from '../support/golden-forms';

/** How many entries a chunk has. */
let mockEntries = 1;

jest.mock('../../lib/nn/losses/chunking', () => ({
  chunkOf: (tensor: Tensor) =>
    tensor.numel() > 0 && /float/.test(tensor.dtype) && tensor.isContiguous() && tensor.device === 'cpu'
      ? mockEntries
      : undefined,
  gpuChunkOf: () => undefined,
  mayBeCut: () => true,
}));

jest.mock('../../lib/torch/trace', () => {
  const actual = jest.requireActual('../../lib/torch/trace');
  return { ...actual, inChunks: jest.fn(actual.inChunks) };
});

quietly();
jest.setTimeout(60_000);

/** How many calls ran in chunks, at least: most of the others are refused, or strided. */
const leastCalls = 50;

const judge = judgeFor(readManifest(vectors), thisHost());

describe.each(['cross_entropy', 'binary_cross_entropy_with_logits', 'kl_div'])('%s', (op) => {
  const loss = lossOf(op) as LossWithForms;
  const cases = readCases(vectors, op);
  // Tensors that ask for no gradient, as those of the other forms: a graph is recorded of whole tensors only.
  const values = cases.map(({ upstream: _, grads: __, ...golden }) => ({ ...golden, grad: [] }));

  /** How many calls of losses ran in chunks meanwhile. */
  async function countChunked(run: () => Promise<void> | void): Promise<number> {
    jest.mocked(inChunks).mockClear();
    await run();
    return jest.mocked(inChunks).mock.calls.length;
  }

  describe.each([1, 2])('chunks of %i', (entries) => {
    beforeAll(() => {
      mockEntries = entries;
    });

    test('the values of PyTorch, where no graph is recorded', async () => {
      const form = {
        form: op,
        call: (args: unknown[], options: unknown) => loss(...args, ...(options ? [options] : [])),
      };
      const count = await countChunked(() => {
        for (const golden of values) if (golden.error === undefined) runCase(golden, form, judge);
      });
      expect(count).toBeGreaterThan(leastCalls);
    });

    test.each([
      ['as a number', compareItem, cases],
      ['into a buffer', compareOut, cases],
      ['off the main thread', compareAsync, values],
      ['value and gradient, against the graph', compareValueAndGrad, cases],
    ])('%s', async (_name, compare, given) => {
      const count = await countChunked(async () => expect(await wrongWith(given, loss, compare)).toEqual([]));
      expect(count).toBeGreaterThan(leastCalls);
    });
  });
});
