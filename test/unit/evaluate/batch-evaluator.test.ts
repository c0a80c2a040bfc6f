/** Losses in batches against one call over everything: every loss, several ways to cut the data, every floating dtype. */
import * as torch from '../../../lib';
import { lossNames } from '../../../lib/evaluate/losses';
import { bitsOf, difference, tolerances } from '../../../lib/parity/bits';
import type { FloatingDType } from '../../../lib/types';
import {
  callWhole,
  type Evaluated,
  evaluatedLosses,
  evaluatedNames,
  feed,
  inBatches,
  rowCount,
  ulpsApart,
} from '../../support/batches';
import { quietly } from '../../support/conditions';

const { BatchEvaluator } = torch;

quietly();

const threads = torch.getNumThreads();
// The bits of elementwise losses are those of one thread: more threads cut the data elsewhere.
beforeAll(() => torch.setNumThreads(1));
afterAll(() => torch.setNumThreads(threads));

/** Matrix products add up in an order that depends on how many rows there are. */
const ofMatrixProducts = ['linearCrossEntropy, weighted'];

const cuts: readonly (readonly number[])[] = [[rowCount], [1], [37, 100, 1], [64, 79], [63, 1, 2, 77]];

function evaluate({ description, options }: Evaluated, batches: Iterable<torch.Tensor[]>, own = {}) {
  return feed(new BatchEvaluator(description.loss, options, own), batches);
}

function byName(name: string, dtype: FloatingDType): Evaluated {
  return evaluatedLosses(dtype).find((evaluated) => evaluated.name === name) as Evaluated;
}

/** How many units in the last place of float32 results may be off that PyTorch sums up in float32. */
const relative: Readonly<Record<FloatingDType, number>> = {
  float64: 1e-14,
  float32: 1e-6,
  float16: 2e-3,
  bfloat16: 1e-2,
};

test('every loss is tried', () => {
  expect([...new Set(evaluatedNames.map((name) => name.split(',')[0]))].sort()).toEqual([...lossNames]);
});

describe.each(evaluatedNames)('%s', (name) => {
  test.each(['float32', 'float64'] as const)(
    '%s: each loss has the bits of one call, however the data is cut',
    (dtype) => {
      torch.scope(() => {
        const evaluated = byName(name, dtype);
        const whole = bitsOf(callWhole(evaluated, { reduction: 'none' }).reshape([-1]).contiguous());
        const tolerance = ofMatrixProducts.includes(name) ? tolerances[dtype] : undefined;
        for (const sizes of cuts) {
          const evaluator = evaluate(evaluated, inBatches(evaluated, sizes), { keepLosses: true });
          expect(
            difference(String(sizes), bitsOf(evaluator.losses()), whole, tolerance, 'it should be'),
          ).toBeUndefined();
        }
      });
    },
  );

  test.each(['float32', 'float64'] as const)('%s: the result is that of one call, however the data is cut', (dtype) => {
    torch.scope(() => {
      const evaluated = byName(name, dtype);
      const reductions = evaluated.description.name === 'klDiv' ? ['mean', 'sum', 'batchmean'] : ['mean', 'sum'];
      for (const reduction of reductions) {
        const own = { ...evaluated, options: { ...evaluated.options, reduction } };
        const whole = Number(callWhole(own).item());
        const losses = cuts.map((sizes) => evaluate(own, inBatches(own, sizes)).result().loss);
        const [first] = losses as [number];
        expect(Math.abs(first - whole)).toBeLessThanOrEqual(relative[dtype] * Math.abs(whole));
        expect(Math.max(...losses.map((loss) => ulpsApart(loss, first)))).toBeLessThanOrEqual(
          ofMatrixProducts.includes(name) ? Number.POSITIVE_INFINITY : 1,
        );
      }
    });
  });

  test('in the background it is the same', async () => {
    const evaluated = torch.scope(() => byName(name, 'float32'));
    const expected = torch.scope(() => evaluate(evaluated, inBatches(evaluated, [100, 43])).result());
    const evaluator = new BatchEvaluator(evaluated.description.loss, evaluated.options);
    await Promise.all([...inBatches(evaluated, [100, 43])].map((batch) => evaluator.updateAsync(...batch)));
    expect(evaluator.result()).toEqual(expected);
  });

  test('no rows, and batches of no rows among others', () => {
    torch.scope(() => {
      const evaluated = byName(name, 'float32');
      const empty = evaluate(evaluated, [
        [...inBatches(evaluated, [1])][0]?.map((tensor, i) => none(evaluated, tensor, i)) ?? [],
      ]);
      expect(empty.result()).toMatchObject({ loss: Number.NaN, count: 0, sum: 0, ignored: 0, nan: 0 });
      const before = evaluate(evaluated, inBatches(evaluated, [50])).result();
      const between = evaluate(evaluated, withEmpty(evaluated)).result();
      expect(between).toEqual(before);
    });
  });
});

function none({ description }: Evaluated, tensor: torch.Tensor, i: number): torch.Tensor {
  const name = description.arguments[i] as string;
  return description.constant.includes(name) ? tensor : tensor.narrow(description.batchDim[name] ?? 0, 0, 0);
}

function* withEmpty(evaluated: Evaluated): Generator<torch.Tensor[]> {
  for (const batch of inBatches(evaluated, [50])) {
    yield batch.map((tensor, i) => none(evaluated, tensor, i));
    yield batch;
  }
}
