import { ctcLoss, logSoftmax, NdArray } from '../../../lib/reference';
import { near, Random } from './support';

const infinity = Number.POSITIVE_INFINITY;
/** Two steps of two classes, each 1/2. */
const half = Math.log(0.5);
const fair = [
  [half, half],
  [half, half],
];

describe('ctcLoss by hand, of two fair steps', () => {
  test.each([
    ['one label: 01, 10, 11 of four ways', [1], 1, Math.log(4 / 3)],
    ['no label: 00', [], 0, Math.log(4)],
    ['the same label twice needs a blank between: no way', [1, 1], 2, infinity],
  ] as const)('%s', (_name, targets, length, expected) => {
    expect(ctcLoss(fair, targets, 2, length, { reduction: 'sum' }).item()).toBeCloseTo(expected, 14);
  });

  test('the gradient is the softmax less the share of the ways that are at the class', () => {
    // Two of the three ways are at class 1 at either step.
    expect(ctcLoss(fair, [1], 2, 1).backward().logProbs.toArray()).toEqual(
      near([
        [0.5 - 1 / 3, 0.5 - 2 / 3],
        [0.5 - 1 / 3, 0.5 - 2 / 3],
      ]),
    );
  });

  test('another blank: class 0 is the label then', () => {
    const loss = ctcLoss([[Math.log(0.9), Math.log(0.1)]], [0], 1, 1, { blank: 1 });
    expect(loss.item()).toBeCloseTo(-Math.log(0.9), 14);
  });
});

describe('ctcLoss of a batch', () => {
  const random = new Random(7);
  const logProbs = logSoftmax(random.array([5, 3, 4], -2, 2), 2).value;
  const padded = [
    [1, 2, 3],
    [2, 2, -1],
    [3, -7, 99],
  ];
  const one = (n: number, labels: number[], steps: number): number => {
    const rows = (logProbs.toArray() as number[][][]).map((step) => step[n] as number[]);
    return ctcLoss(rows, labels, steps, labels.length, { reduction: 'none' }).item();
  };
  const losses = [one(0, [1, 2, 3], 5), one(1, [2, 2], 4), one(2, [3], 3)];
  const lengths = [
    [5, 4, 3],
    [3, 2, 1],
  ] as const;

  test('padded targets are read to their length, whatever stands behind; in a row they are as good', () => {
    for (const targets of [padded, [1, 2, 3, 2, 2, 3]]) {
      expect(ctcLoss(logProbs, targets, ...lengths, { reduction: 'none' }).value.toArray()).toEqual(near(losses));
    }
  });

  test('the mean divides each loss by its number of labels first', () => {
    const [a, b, c] = losses as [number, number, number];
    expect(ctcLoss(logProbs, padded, ...lengths).item()).toBeCloseTo((a / 3 + b / 2 + c) / 3, 12);
    expect(ctcLoss(logProbs, padded, ...lengths, { reduction: 'sum' }).item()).toBeCloseTo(a + b + c, 12);
  });

  test('no label counts as one for the mean', () => {
    const empty = { data: [], shape: [0] };
    expect(ctcLoss(fair, empty, 2, 0).item()).toBeCloseTo(Math.log(4), 14);
  });

  test('the gradient ends with the input', () => {
    const gradient = ctcLoss(logProbs, padded, ...lengths, { reduction: 'sum' }).backward().logProbs;
    const steps = gradient.toArray() as number[][][];
    expect(steps[3]?.[2]).toEqual([0, 0, 0, 0]);
    expect(steps[4]?.[1]).toEqual([0, 0, 0, 0]);
    // Of log-probabilities that are normalized, every step sums to 0.
    for (const [t, n] of [
      [4, 0],
      [3, 1],
      [2, 2],
    ] as const) {
      expect(steps[t]?.[n]?.reduce((a, b) => a + b)).toBeCloseTo(0, 12);
    }
  });
});

describe('ctcLoss at the ends', () => {
  test('no steps: nothing costs nothing, a label infinity, and the gradient is 0, as in PyTorch', () => {
    expect(ctcLoss(fair, { data: [], shape: [0] }, 0, 0).item()).toBeCloseTo(0, 14);
    const loss = ctcLoss(fair, [1], 0, 1);
    expect(loss.item()).toBe(infinity);
    expect(loss.backward().logProbs.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('an infinite loss has a gradient of NaN; zeroInfinity makes both 0', () => {
    expect(ctcLoss(fair, [1, 1], 2, 2).backward().logProbs.data.every(Number.isNaN)).toBe(true);
    const zeroed = ctcLoss(fair, [1, 1], 2, 2, { zeroInfinity: true });
    expect(zeroed.item()).toBe(0);
    expect(zeroed.backward().logProbs.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('zeroInfinity leaves the losses of the others alone, and what the mean divides by', () => {
    const both = fair.map((step) => [step, step]);
    const loss = ctcLoss(
      both,
      [
        [1, 1],
        [1, 0],
      ],
      [2, 2],
      [2, 1],
      { zeroInfinity: true },
    );
    expect(loss.item()).toBeCloseTo(Math.log(4 / 3) / 2, 14);
  });

  test('PyTorch 2.13.0: a class of probability 0 has a gradient of NaN, even where no way needs it', () => {
    const steps = fair.map((step) => [...step, -infinity]);
    const loss = ctcLoss(steps, [1], 2, 1);
    expect(loss.item()).toBeCloseTo(Math.log(4 / 3), 14);
    const row = [1 / 6, -1 / 6, Number.NaN];
    expect(loss.backward().logProbs.toArray()).toEqual(near([row, row]));
  });

  test('long inputs neither overflow nor vanish', () => {
    const steps = 2000;
    const loss = ctcLoss(NdArray.full([steps, 2], half), [1], steps, 1);
    // A run of ones has steps (steps + 1) / 2 places.
    expect(loss.item()).toBeCloseTo(steps * Math.log(2) - Math.log((steps * (steps + 1)) / 2), 8);
  });
});
