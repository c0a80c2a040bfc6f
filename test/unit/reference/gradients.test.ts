/**
 * Every hand-derived gradient against central differences, over the grid of options, under a random upstream gradient.
 */
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  categoricalEntropy,
  crossEntropy,
  klDiv,
  klDivReductions,
  logit,
  logSoftmax,
  NdArray,
  nllLoss,
  sigmoid,
  softmax,
} from '../../../lib/reference';
import { reductions } from '../../../lib/types';
import { checkGradients, Random } from './support';

/** One of every combination of the values of every key. */
function grid<T extends Readonly<Record<string, readonly unknown[]>>>(axes: T): { [Key in keyof T]: T[Key][number] }[] {
  let combinations: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(axes)) {
    combinations = combinations.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value })));
  }
  return combinations as { [Key in keyof T]: T[Key][number] }[];
}

const classShapes = [[4], [3, 4], [2, 4, 3], [2, 4, 2, 2]];
const classWeight = [0.5, 2, 1.25, 0];
const elementShapes = [[], [3], [2, 3]];

function rowsOf(shape: readonly number[]): readonly number[] {
  return shape.filter((_, axis) => axis !== Math.min(1, shape.length - 1));
}

describe('crossEntropy', () => {
  test.each(
    grid({
      shape: classShapes,
      weight: [undefined, classWeight],
      ignoreIndex: [-100, 1],
      labelSmoothing: [0, 0.1, 1],
      reduction: reductions,
    }),
  )('with class indices: %j', ({ shape, ...options }) => {
    const random = new Random(1);
    const target = random.integers(rowsOf(shape), 4);
    checkGradients({ input: random.array(shape, -3, 3) }, ({ input }) =>
      crossEntropy(input as NdArray, target, options),
    );
  });

  test.each(grid({ shape: classShapes, weighted: [false, true], labelSmoothing: [0, 0.1, 1], reduction: reductions }))(
    'with class probabilities: %j',
    ({ shape, weighted, ...options }) => {
      const random = new Random(2);
      const at = {
        input: random.array(shape, -3, 3),
        target: random.array(shape, 0, 1),
        ...(weighted && { weight: NdArray.from(classWeight) }),
      };
      checkGradients(at, ({ input, target, weight }) =>
        crossEntropy(input as NdArray, target as NdArray, { ...options, weight }),
      );
    },
  );
});

describe('nllLoss', () => {
  test.each(
    grid({ shape: classShapes, weight: [undefined, classWeight], ignoreIndex: [-100, 1], reduction: reductions }),
  )('%j', ({ shape, ...options }) => {
    const random = new Random(3);
    const target = random.integers(rowsOf(shape), 4);
    checkGradients({ input: random.array(shape, -3, 0) }, ({ input }) => nllLoss(input as NdArray, target, options));
  });
});

describe('klDiv', () => {
  const shapes = [
    ...elementShapes.map((shape) => [shape, shape]),
    [[3], [2, 3]],
    [
      [2, 1],
      [1, 3],
    ],
    [[2, 3], []],
  ];
  test.each(grid({ shapes, logTarget: [false, true], reduction: klDivReductions }))('%j', ({ shapes, ...options }) => {
    const random = new Random(4);
    const [inputShape, targetShape] = shapes as [number[], number[]];
    const at = {
      input: random.array(inputShape, -3, 0),
      target: options.logTarget ? random.array(targetShape, -3, 0) : random.array(targetShape, 0.1, 1),
    };
    checkGradients(at, ({ input, target }) => klDiv(input as NdArray, target as NdArray, options));
  });
});

describe('binary cross entropy', () => {
  const weights = [undefined, 0.5, NdArray.from([2, 0, 1])];
  const fits = (weight: number | NdArray | undefined, shape: readonly number[]): boolean =>
    !(weight instanceof NdArray) || shape.length > 0;

  test.each(
    grid({ shape: elementShapes, weight: weights, reduction: reductions }).filter((one) => fits(one.weight, one.shape)),
  )('binaryCrossEntropy: %j', ({ shape, ...options }) => {
    const random = new Random(5);
    const at = { input: random.array(shape, 0.1, 0.9), target: random.array(shape, 0.1, 0.9) };
    checkGradients(at, ({ input, target }) => binaryCrossEntropy(input as NdArray, target as NdArray, options));
  });

  test.each(
    grid({ shape: elementShapes, weight: weights, posWeight: weights, reduction: reductions }).filter(
      (one) => fits(one.weight, one.shape) && fits(one.posWeight, one.shape),
    ),
  )('binaryCrossEntropyWithLogits: %j', ({ shape, ...options }) => {
    const random = new Random(6);
    const at = { input: random.array(shape, -4, 4), target: random.array(shape, -0.5, 1.5) };
    checkGradients(at, ({ input, target }) =>
      binaryCrossEntropyWithLogits(input as NdArray, target as NdArray, options),
    );
  });
});

describe('activations and entropy', () => {
  test.each(grid({ shape: [[], [4], [2, 3], [2, 3, 2]], dim: [0, -1] }))(
    'softmax, logSoftmax: %j',
    ({ shape, dim }) => {
      const at = { input: new Random(7).array(shape, -3, 3) };
      checkGradients(at, ({ input }) => softmax(input as NdArray, dim));
      checkGradients(at, ({ input }) => logSoftmax(input as NdArray, dim));
    },
  );

  test.each(elementShapes)('sigmoid, logit: %j', (...shape) => {
    checkGradients({ input: new Random(8).array(shape, -3, 3) }, ({ input }) => sigmoid(input as NdArray));
    checkGradients({ input: new Random(9).array(shape, 0.2, 0.8) }, ({ input }) => logit(input as NdArray));
    checkGradients({ input: new Random(9).array(shape, -0.5, 1.5) }, ({ input }) =>
      logit(input as NdArray, { eps: 0.1 }),
    );
  });

  test.each([[[4]], [[3, 2]], [[2, 2, 3]]])('categoricalEntropy: %j', (shape) => {
    checkGradients({ probs: new Random(10).array(shape, 0.1, 1) }, ({ probs }) =>
      categoricalEntropy({ probs: probs as NdArray }),
    );
    checkGradients({ logits: new Random(11).array(shape, -3, 3) }, ({ logits }) =>
      categoricalEntropy({ logits: logits as NdArray }),
    );
  });
});
