import { adaptiveLogSoftmaxWithLoss, crossEntropy, linearCrossEntropy } from '../../../lib/reference';
import { near } from './support';

describe('linearCrossEntropy', () => {
  const input = [
    [1, 2],
    [3, -1],
  ];
  const linearWeight = [
    [1, 0],
    [0, 1],
    [1, 1],
  ];
  const linearBias = [0.5, 0, -1];
  /** The scores, by hand. */
  const scores = [
    [1.5, 2, 2],
    [3.5, -1, 1],
  ];

  test('by hand: crossEntropy of the scores, whatever the options', () => {
    for (const options of [{}, { weight: [1, 2, 3], labelSmoothing: 0.2 }, { ignoreIndex: 0 }] as const) {
      expect(linearCrossEntropy(input, linearWeight, [2, 0], { ...options, linearBias }).item()).toBeCloseTo(
        crossEntropy(scores, [2, 0], options).item(),
        14,
      );
    }
    const probabilities = [
      [0.2, 0.3, 0.5],
      [1, 0, 0],
    ];
    expect(linearCrossEntropy(input, linearWeight, probabilities, { linearBias }).item()).toBeCloseTo(
      crossEntropy(scores, probabilities).item(),
      14,
    );
  });

  test('closed form: gradients of two equal scores', () => {
    const equal = [
      [3, 0],
      [3, 0],
    ];
    const gradients = linearCrossEntropy([1, 2], equal, 0, { linearBias: [0, 0] }).backward();
    expect(gradients.input.toArray()).toEqual(near([0, 0]));
    expect(gradients.linearWeight.toArray()).toEqual(
      near([
        [-0.5, -1],
        [0.5, 1],
      ]),
    );
    expect(gradients.linearBias?.toArray()).toEqual(near([-0.5, 0.5]));
    expect(gradients).not.toHaveProperty('target');
    expect(linearCrossEntropy([1], [[1], [2]], 0).backward()).not.toHaveProperty('linearBias');
  });

  test('K dimensions: the classes are the first axis of the weight', () => {
    const wide = [
      [[1], [2]],
      [[0], [0]],
    ];
    const loss = linearCrossEntropy([[1]], wide, [[0, 1]], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual(near([[Math.log1p(Math.exp(-1)), Math.log1p(Math.exp(2))]]));
    expect(loss.backward([[1, 0]]).linearWeight.shape).toEqual([2, 2, 1]);
  });
});

describe('adaptiveLogSoftmaxWithLoss', () => {
  /** Two frequent classes; cluster 0 holds classes 2 and 3, cluster 1 classes 4 to 6. All scores are 0. */
  const zeros = (n: number): number[][] => Array.from({ length: n }, () => [0]);
  const parameters = {
    head: zeros(4),
    tail: [
      [[[1]], zeros(2)],
      [[[1]], zeros(3)],
    ],
  } as const;

  test('closed form: equal scores share the head, and every cluster its part of it', () => {
    const target = [0, 1, 2, 3, 4, 6];
    const { output, loss } = adaptiveLogSoftmaxWithLoss(zeros(6), target, parameters, [2, 4]);
    const expected = [4, 4, 8, 8, 12, 12].map((count) => -Math.log(count));
    expect(output.value.toArray()).toEqual(near(expected));
    expect(loss.item()).toBeCloseTo(-expected.reduce((a, b) => a + b) / 6, 14);
  });

  test('by hand: gradients reach the head, and the layers of the cluster that was asked', () => {
    const biased = { ...parameters, headBias: [0, 0, 0, 0] };
    const { output, loss } = adaptiveLogSoftmaxWithLoss([2], 2, biased, [2, 4]);
    expect(output.value.toArray()).toBeCloseTo(-Math.log(8), 14);
    const gradients = output.backward();
    // One less 1/4 at the cluster, one less 1/2 at the class, times the 2 that comes in.
    expect(gradients.headBias?.toArray()).toEqual(near([-0.25, -0.25, 0.75, -0.25]));
    expect(gradients.head.toArray()).toEqual(near([[-0.5], [-0.5], [1.5], [-0.5]]));
    expect(gradients.tail.map(([, second]) => second.toArray())).toEqual([near([[1], [-1]]), near([[0], [0], [0]])]);
    expect(gradients.tail.map(([first]) => first.toArray())).toEqual([near([[0]]), near([[0]])]);
    expect(gradients.input.toArray()).toEqual(near([0]));
    expect(loss.backward(3).head.toArray()).toEqual(near([[1.5], [1.5], [-4.5], [1.5]]));
    expect(adaptiveLogSoftmaxWithLoss([2], 2, parameters, [2, 4]).loss.backward()).not.toHaveProperty('headBias');
  });

  test('no rows: the loss is NaN', () => {
    const { output, loss } = adaptiveLogSoftmaxWithLoss({ data: [], shape: [0, 1] }, [], parameters, [2, 4]);
    expect(output.value.shape).toEqual([0]);
    expect(loss.item()).toBeNaN();
  });
});
