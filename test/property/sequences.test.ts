/** ctcLoss against its definition, and in all the forms that its arguments have. */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import type { LossCase } from '../cases';
import { tensorOf } from '../cases/call';
import type { Values } from '../cases/values';
import { ofSequences } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const F = torch.nn.functional;
const none = { reduction: 'none' } as const;

interface Sequences {
  logProbs: Values;
  targets: Values;
  inputLengths: readonly number[];
  targetLengths: readonly number[];
}

function sequencesOf({ args }: LossCase): Sequences {
  return args as unknown as Sequences;
}

test('it is -log of the sum over all ways to place the labels', () => {
  holds(ofSequences, (lossCase) => {
    const { logProbs, targets, inputLengths, targetLengths } = sequencesOf(lossCase);
    const losses = F.ctcLoss(
      tensorOf(logProbs, 'float64'),
      tensorOf(targets, 'float64'),
      inputLengths,
      targetLengths,
      none,
    );
    const expected = inputLengths.map((steps, n) => {
      const labels = targets.data.slice(n * 3, n * 3 + (targetLengths[n] as number));
      return -Math.log(probabilityOf(labels, stepsOf(logProbs, n).slice(0, steps)));
    });
    expectNear('loss', losses, torch.tensor(expected, { dtype: 'float64' }));
  });
});

/** The log-probabilities of a sequence, step by step. */
function stepsOf({ data, shape }: Values, n: number): number[][] {
  const [steps, count, classes] = shape as [number, number, number];
  return Array.from({ length: steps }, (_, t) => {
    const start = (t * count + n) * classes;
    return data.slice(start, start + classes);
  });
}

/** The sum over every path, one class a step, that reads as the labels. */
function probabilityOf(labels: readonly number[], steps: readonly (readonly number[])[]): number {
  let paths: { path: number[]; probability: number }[] = [{ path: [], probability: 1 }];
  for (const step of steps) {
    paths = paths.flatMap(({ path, probability }) =>
      step.map((logp, c) => ({ path: [...path, c], probability: probability * Math.exp(logp) })),
    );
  }
  const fitting = paths.filter(({ path }) => read(path).join() === labels.join());
  return fitting.reduce((sum, { probability }) => sum + probability, 0);
}

/** What a path says: neighbours of one class are one label, and blanks, class 0, none. */
function read(path: readonly number[]): number[] {
  return path.filter((c, i) => c !== 0 && c !== path[i - 1]);
}

test('targets in a row, lengths as tensors and as typed arrays: the same bits', () => {
  holds(ofSequences, (lossCase) => {
    const { logProbs, targets, inputLengths, targetLengths } = sequencesOf(lossCase);
    const inRow = targetLengths.flatMap((length, n) => targets.data.slice(n * 3, n * 3 + length));
    for (const dtype of dtypes) {
      const x = tensorOf(logProbs, dtype);
      const padded = tensorOf(targets, dtype);
      const concatenated = torch.tensor(inRow.map(BigInt), { dtype: 'int64', shape: [inRow.length] });
      const expected = F.ctcLoss(x, padded, inputLengths, targetLengths, none);
      const lengths = [inputLengths, targetLengths] as const;
      const forms = {
        numbers: lengths,
        tensors: lengths.map((each) => torch.tensor(each.map(BigInt), { dtype: 'int64' })),
        'tensors of int32': lengths.map((each) => torch.tensor([...each], { dtype: 'int32' })),
        Int32Array: lengths.map((each) => Int32Array.from(each)),
        BigInt64Array: lengths.map((each) => BigInt64Array.from(each.map(BigInt))),
      };
      for (const [form, both] of Object.entries(forms)) {
        const [steps, counts] = both as [torch.nn.functional.Lengths, torch.nn.functional.Lengths];
        expectSame(`padded, ${form}`, F.ctcLoss(x, padded, steps, counts, none), expected);
        expectSame(`in a row, ${form}`, F.ctcLoss(x, concatenated, steps, counts, none), expected);
      }
    }
  });
});

test('targets in a row that are every second of a tensor cost what a contiguous copy does', () => {
  holds(ofSequences, (lossCase) => {
    const { logProbs, targets, inputLengths, targetLengths } = sequencesOf(lossCase);
    const x = tensorOf(logProbs, 'float64');
    const labels = targetLengths.flatMap((length, n) => targets.data.slice(n * 3, n * 3 + length)).map(BigInt);
    const whole = torch.tensor(labels, { dtype: 'int64', shape: [labels.length] });
    const strided = torch.stack([whole, torch.full([labels.length], 0n)], -1).select(-1, 0);
    expectSame(
      'losses',
      F.ctcLoss(x, strided, inputLengths, targetLengths, none),
      F.ctcLoss(x, whole, inputLengths, targetLengths, none),
    );
  });
});

test('a sequence costs the same alone as in a batch', () => {
  holds(ofSequences, (lossCase) => {
    const { logProbs, targets, inputLengths, targetLengths } = sequencesOf(lossCase);
    const [x, labels] = [tensorOf(logProbs, 'float64'), tensorOf(targets, 'float64')];
    const together = F.ctcLoss(x, labels, inputLengths, targetLengths, none);
    const alone = inputLengths.map((steps, n) =>
      F.ctcLoss(
        x.select(1, n),
        labels.select(0, n).narrow(0, 0, targetLengths[n] as number),
        [steps],
        [targetLengths[n] as number],
        none,
      ),
    );
    expectNear('losses', torch.stack(alone), together);
  });
});

test('zeroInfinity replaces what is infinite by 0, and leaves the rest', () => {
  holds(fc.tuple(ofSequences), ([lossCase]) => {
    const { logProbs, targets, inputLengths, targetLengths } = sequencesOf(lossCase);
    const args = [tensorOf(logProbs, 'float64'), tensorOf(targets, 'float64'), inputLengths, targetLengths] as const;
    const plain = F.ctcLoss(...args, none).toArray() as number[];
    const zeroed = F.ctcLoss(...args, { zeroInfinity: true, ...none }).toArray() as number[];
    expect(zeroed).toEqual(plain.map((loss) => (loss === Number.POSITIVE_INFINITY ? 0 : loss)));
  });
});
