/** How the reductions of every loss hang together. */
import * as torch from '../../lib';
import { type Loss, type LossCase, losses } from '../cases';
import { callNative, type NativeCall } from '../cases/call';
import { Values } from '../cases/values';
import { calls } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const overClasses = ['crossEntropy', 'nllLoss'];

describe.each(losses)('$name', (loss) => {
  test('the sum of none is sum, and so are the gradients', () => {
    holds(calls[loss.name], (lossCase) => {
      const [none, sum] = [callNative(loss, lossCase, 'float64', 'none'), callNative(loss, lossCase, 'float64', 'sum')];
      expectNear('sum', none.value.sum(), sum.value);
      for (const { value } of [none, sum]) value.sum().backward();
      expectNearGradients(none, sum);
    });
  });

  test('mean is the sum over what it averages, and so are the gradients', () => {
    holds(calls[loss.name], (lossCase) => {
      const [sum, mean] = [callNative(loss, lossCase, 'float64', 'sum'), callNative(loss, lossCase, 'float64', 'mean')];
      const divisor = divisorOf(lossCase);
      // A mean over nothing, or over weights of 0 alone.
      if (divisor === 0) {
        expect(mean.value.item()).toBeNaN();
        return;
      }
      const quotient = sum.value.div(divisor);
      expectNear('mean', mean.value, quotient);
      quotient.backward();
      mean.value.backward();
      expectNearGradients(mean, sum);
    });
  });

  test('the order of the batch matters little, and over classes not to a bit of none', () => {
    // Kernels that go element by element compute the last few of a batch in other ways than the rest.
    const compare = overClasses.includes(loss.name) ? expectSame : expectNear;
    holds(calls[loss.name], (lossCase) => {
      for (const dtype of dtypes) {
        const shuffled = reversed(lossCase);
        const [before, after] = [callNative(loss, lossCase, dtype, 'none'), callNative(loss, shuffled, dtype, 'none')];
        compare('none', flip(after.value), before.value);
        before.value.sum().backward();
        after.value.sum().backward();
        compare('gradient', flip(gradient(after)), gradient(before));
      }
      for (const reduction of ['sum', 'mean']) {
        const [before, after] = [lossCase, reversed(lossCase)].map(
          (c) => callNative(loss, c, 'float64', reduction).value,
        );
        expectNear(reduction, after as torch.Tensor, before as torch.Tensor);
      }
    });
  });
});

test('batchmean of klDiv is sum by the first size, to the bit', () => {
  const klDiv = losses.find(({ name }) => name === 'klDiv') as Loss;
  holds(calls.klDiv, (lossCase) => {
    for (const dtype of dtypes) {
      const sum = callNative(klDiv, lossCase, dtype, 'sum').value;
      const batchmean = callNative(klDiv, lossCase, dtype, 'batchmean').value;
      expectSame(dtype, batchmean, sum.div(lossCase.input.shape[0] as number));
    }
  });
});

/**
 * What the mean divides by: over class indices the weights of those that count, over class probabilities the rows, else
 * the elements.
 */
function divisorOf({ input, target, options = {} }: LossCase): number {
  const isIndices = target.dtype === 'int64';
  if (!isIndices && !('labelSmoothing' in options)) return input.data.length;
  if (!isIndices) return input.data.length / (input.shape[1] as number);
  const weights = options.weight instanceof Values ? options.weight.data : undefined;
  return target.data
    .filter((label) => label !== options.ignoreIndex)
    .reduce((total, label) => total + (weights?.[label] ?? 1), 0);
}

function expectNearGradients(actual: NativeCall, expected: NativeCall): void {
  for (const [name, leaf] of Object.entries(expected.leaves)) {
    if (leaf.grad !== undefined)
      expectNear(`gradient of ${name}`, actual.leaves[name]?.grad as torch.Tensor, leaf.grad);
  }
}

/** The case with its batch from last to first: input, target, and weights that have one for each element. */
function reversed(lossCase: LossCase): LossCase {
  const { input, target, options = {} } = lossCase;
  const turn = (values: Values): Values => {
    const step = values.data.length / (values.shape[0] as number);
    const rows = Array.from({ length: values.shape[0] as number }, (_, n) =>
      values.data.slice(n * step, (n + 1) * step),
    );
    return new Values(rows.reverse().flat(), values.shape, values.dtype);
  };
  const isElementwise = (value: unknown): value is Values =>
    value instanceof Values && value.shape.length === input.shape.length;
  const turned = Object.entries(options).map(([name, value]) => [name, isElementwise(value) ? turn(value) : value]);
  return { ...lossCase, input: turn(input), target: turn(target), options: Object.fromEntries(turned) };
}

function flip(tensor: torch.Tensor): torch.Tensor {
  const size = tensor.shape[0] as number;
  return tensor.detach().indexSelect(0, torch.tensor(Array.from({ length: size }, (_, i) => BigInt(size - 1 - i))));
}

function gradient({ leaves }: NativeCall): torch.Tensor {
  return leaves.input?.grad as torch.Tensor;
}
