/**
 * The hand-derived gradients of classifiers, distributions and sequences against central differences, over the grid of
 * options, under a random upstream gradient.
 */
import {
  type AdaptiveGradients,
  adaptiveLogSoftmaxWithLoss,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  categoricalEntropy,
  crossEntropy,
  ctcLoss,
  type Differentiable,
  klDiv,
  klDivReductions,
  linearCrossEntropy,
  logit,
  logSoftmax,
  NdArray,
  nllLoss,
  sigmoid,
  softmax,
} from '../../../lib/reference';
import { reductions } from '../../../lib/types';
import { checkGradients, grid, Random } from './support';

type Arrays = Readonly<Record<string, NdArray>>;

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

/** The gradient that PyTorch gives CTC is only that of a loss after logSoftmax, so that is what is compared. */
describe('ctcLoss after logSoftmax', () => {
  const padded = [
    [1, 2, 0],
    [2, 2, 1],
  ];
  test.each(
    grid({ blank: [0, 3], targets: [padded, [1, 2, 2, 2, 1]], zeroInfinity: [false, true], reduction: reductions }),
  )('%j', ({ targets, ...options }) => {
    checkGradients({ input: new Random(35).array([6, 2, 4], -2, 2) }, ({ input }) => {
      const logProbs = logSoftmax(input as NdArray, 2);
      const loss = ctcLoss(logProbs.value, targets, [5, 6], [2, 3], options);
      return { ...loss, backward: (g) => logProbs.backward(loss.backward(g).logProbs) };
    });
  });
});

describe('over a linear layer', () => {
  const shapes = [
    [[3], [4, 3], [4], []],
    [[2, 3], [4, 3], [2, 4], [2]],
    [
      [2, 3],
      [4, 2, 3],
      [2, 4, 2],
      [2, 2],
    ],
  ] as const;
  const weight = [0.5, 2, 1.25, 0];

  test.each(
    grid({
      shapes,
      biased: [false, true],
      weight: [undefined, weight],
      labelSmoothing: [0, 0.1],
      reduction: reductions,
    }),
  )('linearCrossEntropy with class indices: %j', ({ shapes: [input, w, , target], biased, ...options }) => {
    const random = new Random(36);
    const indices = random.integers(target, 4);
    const at = {
      input: random.array(input, -2, 2),
      linearWeight: random.array(w, -1, 1),
      ...(biased && { linearBias: random.array(w.slice(0, -1), -1, 1) }),
    };
    checkGradients(at, ({ input, linearWeight, linearBias }: Arrays) =>
      linearCrossEntropy(input as NdArray, linearWeight as NdArray, indices, { ...options, linearBias }),
    );
  });

  test.each(grid({ shapes, reduction: reductions }))(
    'linearCrossEntropy with class probabilities: %j',
    ({ shapes: [input, w, target], reduction }) => {
      const random = new Random(37);
      const at = {
        input: random.array(input, -2, 2),
        linearWeight: random.array(w, -1, 1),
        linearBias: random.array(w.slice(0, -1), -1, 1),
        target: random.array(target, 0, 1),
        weight: NdArray.from(weight),
      };
      checkGradients(at, ({ input, linearWeight, target, ...options }: Arrays) =>
        linearCrossEntropy(input as NdArray, linearWeight as NdArray, target as NdArray, { ...options, reduction }),
      );
    },
  );

  /** The gradients by the layers of the tail as arguments of their own. */
  function flattened(result: Differentiable<AdaptiveGradients>): Differentiable<object> {
    return {
      ...result,
      backward: (g) => {
        const { tail, ...others } = result.backward(g);
        return { ...others, ...Object.fromEntries(tail.flat().map((layer, i) => [`tail${i}`, layer])) };
      },
    };
  }

  test.each(grid({ shape: [[3], [5, 3]], biased: [false, true], of: ['output', 'loss'] as const }))(
    'adaptiveLogSoftmaxWithLoss: %j',
    ({ shape, biased, of }) => {
      const random = new Random(38);
      const target = random.integers(shape.slice(0, -1), 7);
      const at = {
        input: random.array(shape, -2, 2),
        head: random.array([4, 3], -1, 1),
        ...(biased && { headBias: random.array([4], -1, 1) }),
        tail0: random.array([2, 3], -1, 1),
        tail1: random.array([2, 2], -1, 1),
        tail2: random.array([1, 3], -1, 1),
        tail3: random.array([3, 1], -1, 1),
      };
      checkGradients(at, ({ input, head, headBias, ...tail }: Arrays) => {
        const [a, b, c, d] = Object.values(tail) as [NdArray, NdArray, NdArray, NdArray];
        const parameters = {
          head: head as NdArray,
          headBias,
          tail: [
            [a, b],
            [c, d],
          ],
        } as const;
        return flattened(adaptiveLogSoftmaxWithLoss(input as NdArray, target, parameters, [2, 4])[of]);
      });
    },
  );
});
