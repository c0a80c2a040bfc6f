/** How the reductions of every loss hang together. */
import * as torch from '../../lib';
import { type Loss, type LossCase, losses } from '../cases';
import { callNative, type NativeCall } from '../cases/call';
import type { Argument } from '../cases/case';
import { Values } from '../cases/values';
import { calls } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const overClasses = ['crossEntropy', 'nllLoss'];
const overWeights = ['l1Loss', 'mseLoss'];

/** How often each property is tried. */
const tries = 40;

describe.each(losses)('$name', (loss) => {
  test('the sum of none is sum, and so are the gradients', () => {
    holds(
      calls[loss.name],
      (lossCase) => {
        const [none, sum] = [
          callNative(loss, lossCase, 'float64', 'none'),
          callNative(loss, lossCase, 'float64', 'sum'),
        ];
        expectNear('sum', none.value.sum(), sum.value);
        for (const { value } of [none, sum]) value.sum().backward();
        expectNearGradients(none, sum);
      },
      tries,
    );
  });

  test('mean is the sum over what it averages, and so are the gradients', () => {
    const check = (lossCase: LossCase): void => {
      const [none, mean] = [
        callNative(loss, lossCase, 'float64', 'none'),
        callNative(loss, lossCase, 'float64', 'mean'),
      ];
      const average = averaged(loss, lossCase, none.value);
      // Over nothing, or over weights of 0 alone.
      if (average === undefined) {
        expect(mean.value.item()).toBeNaN();
        return;
      }
      expectNear('mean', mean.value, average);
      average.backward();
      mean.value.backward();
      // What the mean is divided by depends on the weights too.
      expectNearGradients(mean, none, overWeights.includes(loss.name) ? ['weight'] : []);
    };
    holds(calls[loss.name], check, tries);
  });

  test('the order of the batch matters little, and over classes not to a bit of none', () => {
    // Kernels that go element by element compute the last few of a batch in other ways than the rest.
    const compare = overClasses.includes(loss.name) ? expectSame : expectNear;
    const check = (lossCase: LossCase): void => {
      const turned = reversed(lossCase);
      for (const dtype of dtypes) {
        const [before, after] = [callNative(loss, lossCase, dtype, 'none'), callNative(loss, turned, dtype, 'none')];
        compare('none', flip(after.value, 0), before.value);
        for (const { value } of [before, after]) value.sum().backward();
        for (const name of Object.keys(lossCase.args)) {
          const [actual, expected] = [after, before].map(({ leaves }) => leaves[name]?.grad);
          if (actual && expected) compare(`gradient of ${name}`, flip(actual, batchAxis(name)), expected);
        }
      }
      for (const reduction of ['sum', 'mean']) {
        const [before, after] = [lossCase, turned].map((c) => callNative(loss, c, 'float64', reduction).value);
        expectNear(reduction, after as torch.Tensor, before as torch.Tensor);
      }
    };
    holds(calls[loss.name], check, tries);
  });
});

test('batchmean of klDiv is sum by the first size, to the bit', () => {
  const klDiv = losses.find(({ name }) => name === 'klDiv') as Loss;
  holds(calls.klDiv, (lossCase) => {
    for (const dtype of dtypes) {
      const sum = callNative(klDiv, lossCase, dtype, 'sum').value;
      const batchmean = callNative(klDiv, lossCase, dtype, 'batchmean').value;
      expectSame(dtype, batchmean, sum.div((lossCase.args.input as Values).shape[0] as number));
    }
  });
});

/**
 * The mean of losses: over class indices by the weights of those that count, over class probabilities by the rows, of
 * some losses by the weights if there are any, of sequences each by its labels first; else by the number of losses.
 * `undefined` where that divides by 0.
 */
function averaged({ name }: Loss, { args, options = {} }: LossCase, losses: torch.Tensor): torch.Tensor | undefined {
  if (name === 'ctcLoss') {
    const labels = (args.targetLengths as number[]).map((length) => Math.max(1, length));
    return losses.div(torch.tensor(labels, { dtype: 'float64' })).mean();
  }
  const sum = losses.sum();
  const { input, target } = args as Readonly<Record<string, Values>>;
  const weights = options.weight instanceof Values ? options.weight.data : undefined;
  const by = (divisor: number): torch.Tensor | undefined => (divisor === 0 ? undefined : sum.div(divisor));
  if (overWeights.includes(name) && weights !== undefined) return by(weights.reduce((a, b) => a + b));
  if (!overClasses.includes(name) && name !== 'linearCrossEntropy') return losses.mean();
  if (target?.dtype !== 'int64') return sum.div((input?.data.length as number) / (input?.shape[1] as number));
  const counted = target.data.filter((label) => label !== options.ignoreIndex);
  return by(counted.reduce((total, label) => total + (weights?.[label] ?? 1), 0));
}

function expectNearGradients(actual: NativeCall, expected: NativeCall, butOf: readonly string[] = []): void {
  for (const [name, leaf] of Object.entries(expected.leaves)) {
    if (leaf.grad === undefined || butOf.includes(name)) continue;
    expectNear(`gradient of ${name}`, actual.leaves[name]?.grad as torch.Tensor, leaf.grad);
  }
}

/** The case with its batch from last to first: the arguments, and weights that have one for each element. */
function reversed(lossCase: LossCase): LossCase {
  const { args, options = {} } = lossCase;
  const [first] = Object.values(args) as [Values];
  const isElementwise = (value: unknown): value is Values =>
    value instanceof Values && value.shape.length === first.shape.length;
  const turned = Object.entries(options).map(([name, value]) => [name, isElementwise(value) ? turn(value, 0) : value]);
  const turnedArgs = Object.entries(args).map(([name, value]) => [name, turn(value, batchAxis(name))]);
  return { ...lossCase, args: Object.fromEntries(turnedArgs), options: Object.fromEntries(turned) };
}

/** The dimension of an argument that counts the batch; `undefined` if none does. */
function batchAxis(name: string): 0 | 1 | undefined {
  if (name === 'linearWeight') return undefined;
  return name === 'logProbs' ? 1 : 0;
}

/** An argument with one of its first two dimensions from last to first. */
function turn(value: Argument, axis: 0 | 1 | undefined): Argument {
  if (typeof value === 'number' || axis === undefined) return value;
  if (!(value instanceof Values)) return [...value].reverse();
  const { data, shape, dtype } = value;
  const [outer, size] = axis === 0 ? [1, shape[0] as number] : [shape[0] as number, shape[1] as number];
  const step = data.length / outer / size;
  const row = (n: number): readonly number[] => data.slice(n * step, (n + 1) * step);
  const order = Array.from({ length: outer * size }, (_, i) => i - (i % size) + (size - 1 - (i % size)));
  return new Values(order.flatMap(row), shape, dtype);
}

function flip(tensor: torch.Tensor, dim: number | undefined): torch.Tensor {
  if (dim === undefined) return tensor;
  const size = tensor.shape[dim] as number;
  const order = torch.tensor(Array.from({ length: size }, (_, i) => BigInt(size - 1 - i)));
  return tensor.detach().indexSelect(dim, order);
}
