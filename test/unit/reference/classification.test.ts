import { crossEntropy, logSoftmax, NdArray, nllLoss } from '../../../lib/reference';
import { near } from './support';

/** The example of the comparison article; expected numbers without another source are PyTorch 2.13.0's, in float64. */
const logits = [
  [1, 2, 0.5, 0.1],
  [0.1, 0.2, 0.3, 0.4],
  [2, 1, 0.1, 0.5],
];
const classes = [1, 3, 0];
const weight = [1, 2, 0.5, 3];
const probabilities = [
  [0.1, 0.6, 0.2, 0.1],
  [0, 0, 0, 1],
  [0.25, 0.25, 0.25, 0.25],
];

describe('crossEntropy with class indices', () => {
  test('of the article is 0.7837, not the 1.2321 printed there', () => {
    expect(crossEntropy(logits, classes).item()).toBeCloseTo(0.7836567556051172, 14);
  });

  test.each([
    [{ reduction: 'none' }, [0.5542173686800942, 1.242535529455163, 0.5542173686800942]],
    [{ reduction: 'sum' }, 2.350970266815351],
    [{ weight, reduction: 'none' }, [1.108434737360188, 3.727606588365489, 0.5542173686800942]],
    [{ weight }, 0.8983764490676286],
    [{ labelSmoothing: 0.1, reduction: 'none' }, [0.6642173686800943, 1.257535529455163, 0.6642173686800943]],
    [{ labelSmoothing: 0.1 }, 0.8619900889384505],
    [{ weight, labelSmoothing: 0.1, ignoreIndex: 3, reduction: 'none' }, [1.273901586034685, 0, 0.7751059542226002]],
    [{ weight, labelSmoothing: 0.1, ignoreIndex: 3 }, 0.683002513419095],
  ] as const)('%j', (options, expected) => {
    expect(crossEntropy(logits, classes, options).value.toArray()).toEqual(near(expected, 14));
  });

  test('closed form: uniform scores cost log C', () => {
    for (const count of [1, 2, 10, 1000]) {
      expect(crossEntropy(NdArray.full([2, count], 0.3), [0, count - 1]).item()).toBeCloseTo(Math.log(count), 12);
    }
  });

  test('closed form: the gradient by the scores is softmax less one at the target, over N', () => {
    expect(
      crossEntropy(
        [
          [0, Math.log(3)],
          [0, 0],
        ],
        [1, 0],
      )
        .backward()
        .input.toArray(),
    ).toEqual(
      near([
        [0.125, -0.125],
        [-0.25, 0.25],
      ]),
    );
  });

  test('by hand: smoothing spreads its share over all classes, the target among them', () => {
    // Probabilities 1/4 and 3/4: 0.8 · log 4 + 0.1 · (log 4 + log 4/3)
    const expected = 0.8 * Math.log(4) + 0.1 * (Math.log(4) + Math.log(4 / 3));
    expect(crossEntropy([0, Math.log(3)], 0, { labelSmoothing: 0.2 }).item()).toBeCloseTo(expected, 14);
  });

  test('by hand: the mean divides by the weights of the targets that count', () => {
    const mean = crossEntropy(
      [
        [0, 0],
        [0, 0],
        [5, 9],
      ],
      [0, 1, -1],
      { weight: [1, 3], ignoreIndex: -1 },
    );
    expect(mean.item()).toBeCloseTo(Math.log(2), 14);
    expect(mean.backward().input.toArray()).toEqual(
      near([
        [-0.125, 0.125],
        [0.375, -0.375],
        [0, 0],
      ]),
    );
  });

  test('unbatched input takes a target of shape [] or [1], and gives shape []', () => {
    for (const target of [1, [1]]) {
      const loss = crossEntropy([0, 0], target, { reduction: 'none' });
      expect(loss.value.shape).toEqual([]);
      expect(loss.item()).toBeCloseTo(Math.log(2), 14);
      expect(loss.backward().input.toArray()).toEqual(near([0.5, -0.5]));
    }
  });

  test('K-dimensional input: classes lie on axis 1', () => {
    const input = [
      [
        [0, 7],
        [Math.log(3), 7],
      ],
    ];
    const loss = crossEntropy(input, [[1, 0]], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual(near([[Math.log(4 / 3), Math.log(2)]]));
    expect(loss.backward([[4, 0]]).input.toArray()).toEqual(
      near([
        [
          [1, 0],
          [-1, 0],
        ],
      ]),
    );
  });

  test.each([
    [[1n, 3n, 0n]],
    [Int32Array.of(1, 3, 0)],
    [BigInt64Array.of(1n, 3n, 0n)],
    [{ data: [1, 3, 0], dims: [3] }],
  ])('class indices as %p', (target) => {
    expect(crossEntropy(logits, target).item()).toBeCloseTo(0.7836567556051172, 14);
  });

  test('a mean over no targets is NaN, its gradient 0; a sum over none is 0', () => {
    expect(crossEntropy({ data: [], shape: [0, 3] }, []).item()).toBeNaN();
    expect(crossEntropy({ data: [], shape: [0, 3] }, [], { reduction: 'sum' }).item()).toBe(0);
    const ignored = crossEntropy([[1, 2]], [-100]);
    expect(ignored.item()).toBeNaN();
    expect(ignored.backward().input.toArray()).toEqual([[0, 0]]);
  });

  test('a mean over weights that sum to 0 is NaN, and so is its gradient', () => {
    const loss = crossEntropy([[1, 2]], [0], { weight: [0, 1] });
    expect(loss.item()).toBeNaN();
    expect(loss.backward().input.toArray()).toEqual([[Number.NaN, Number.NaN]]);
  });

  test('an impossible class costs infinity where it is the target, and nothing where it is not', () => {
    const scores = [Number.NEGATIVE_INFINITY, 0, 0];
    expect(crossEntropy(scores, 0).item()).toBe(Number.POSITIVE_INFINITY);
    expect(crossEntropy(scores, 1).item()).toBeCloseTo(Math.log(2), 14);
    expect(crossEntropy(scores, 1, { labelSmoothing: 0.1 }).item()).toBe(Number.POSITIVE_INFINITY);
    expect(crossEntropy([Number.POSITIVE_INFINITY, 0], 0).item()).toBeNaN();
  });
});

describe('crossEntropy with class probabilities', () => {
  test.each([
    [{ reduction: 'none' }, [1.144217368680094, 1.242535529455163, 1.654217368680094]],
    [{}, 1.34699008893845],
    [{ reduction: 'sum' }, 4.040970266815351],
    [{ weight, labelSmoothing: 0.1, reduction: 'none' }, [1.862262896491059, 3.575507953065404, 2.763103224105153]],
    [{ weight, labelSmoothing: 0.1 }, 2.733624691220539],
  ] as const)('%j', (options, expected) => {
    expect(crossEntropy(logits, probabilities, options).value.toArray()).toEqual(near(expected, 14));
  });

  test('identity: one-hot probabilities are class indices, but the mean divides by the number of targets', () => {
    const oneHot = classes.map((index) => [0, 1, 2, 3].map((c) => Number(c === index)));
    for (const options of [{}, { labelSmoothing: 0.3 }, { weight, reduction: 'sum' }] as const) {
      const [byIndex, byProbability] = [crossEntropy(logits, classes, options), crossEntropy(logits, oneHot, options)];
      expect(byProbability.item()).toBeCloseTo(byIndex.item(), 12);
      expect(byProbability.backward().input.toArray()).toEqual(near(byIndex.backward().input.toArray()));
    }
    expect(crossEntropy(logits, oneHot, { weight }).item()).toBeCloseTo(5.390258694405771 / 3, 12);
  });

  test('closed form: the gradient by the target is minus the log-probability, by the weight minus q log p summed', () => {
    const { target, weight: byWeight } = crossEntropy([0, 0], [0.25, 0.75], { weight: [1, 1] }).backward();
    expect(target?.toArray()).toEqual(near([Math.log(2), Math.log(2)]));
    expect(byWeight?.toArray()).toEqual(near([0.25 * Math.log(2), 0.75 * Math.log(2)]));
    expect(crossEntropy([0, 0], [0.25, 0.75]).backward()).not.toHaveProperty('weight');
    expect(crossEntropy([0, 0], 1).backward()).not.toHaveProperty('target');
  });

  test('a mean over no elements is NaN, whatever the shape', () => {
    for (const shape of [[0, 3], [3, 0], [2, 3, 0], [0]]) {
      expect(crossEntropy({ data: [], shape }, { data: [], shape }).item()).toBeNaN();
      expect(crossEntropy({ data: [], shape }, { data: [], shape }, { reduction: 'sum' }).item()).toBeCloseTo(0, 14);
    }
  });

  test('0 times the infinite cost of an impossible class is NaN, as in PyTorch', () => {
    expect(crossEntropy([Number.NEGATIVE_INFINITY, 0], [0, 1]).item()).toBeNaN();
  });
});

describe('nllLoss', () => {
  test('by hand: picks the target out of every row, minus and weighted', () => {
    const input = [
      [-1, -2],
      [-3, -4],
    ];
    expect(nllLoss(input, [1, 0], { reduction: 'none' }).value.toArray()).toEqual([2, 3]);
    expect(nllLoss(input, [1, 0]).item()).toBe(2.5);
    expect(nllLoss(input, [1, 0], { reduction: 'sum' }).item()).toBe(5);
    expect(nllLoss(input, [1, 0], { weight: [2, 0.5] }).item()).toBe((0.5 * 2 + 2 * 3) / 2.5);
    expect(
      nllLoss(input, [1, 0], { weight: [2, 0.5] })
        .backward(5)
        .input.toArray(),
    ).toEqual([
      [0, -1],
      [-4, 0],
    ]);
    expect(nllLoss(input, [1, 0], { ignoreIndex: 0 }).item()).toBe(2);
  });

  test('of the article is 0.7837 after logSoftmax', () => {
    expect(nllLoss(logSoftmax(logits, 1).value, classes).item()).toBeCloseTo(0.7836567556051172, 14);
  });

  test('takes an ignored index that is not a class, in K dimensions too', () => {
    const input = NdArray.full([1, 2, 2, 1], -3);
    expect(nllLoss(input, [[[0], [255]]], { ignoreIndex: 255, reduction: 'none' }).value.toArray()).toEqual([
      [[3], [0]],
    ]);
    expect(nllLoss(input, [[[0], [255]]], { ignoreIndex: 255 }).item()).toBe(3);
  });

  test('positive inputs are taken: nothing asks whether they are log-probabilities', () => {
    expect(nllLoss([5, 0], 0).item()).toBe(-5);
  });

  test('a mean over no targets is NaN, its gradient 0', () => {
    const loss = nllLoss([[1, 2]], [-100]);
    expect(loss.item()).toBeNaN();
    expect(loss.backward().input.toArray()).toEqual([[0, 0]]);
  });
});
