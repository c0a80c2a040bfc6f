import {
  hingeEmbeddingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
} from '../../../lib/reference';
import { near } from './support';

const infinity = Number.POSITIVE_INFINITY;

describe('hingeEmbeddingLoss', () => {
  test('by hand: the distance of what is alike, the shortfall of what is not', () => {
    const loss = hingeEmbeddingLoss([0.5, 0.5, 2, -1], [1, -1, -1, -1], { margin: 1.5, reduction: 'none' });
    expect(loss.value.toArray()).toEqual([0.5, 1, 0, 2.5]);
    expect(loss.backward(1).input.toArray()).toEqual([1, -1, 0, -1]);
  });

  test('targets other than 1 and -1 take both parts, NaN among them', () => {
    const loss = hingeEmbeddingLoss([0.25, 3], [0, Number.NaN], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([1, 3]);
    expect(loss.backward(1).input.toArray()).toEqual([0, 1]);
  });

  test('exactly at the margin the slope is still -1, as in PyTorch', () => {
    expect(hingeEmbeddingLoss([1], [-1]).backward().input.toArray()).toEqual([-1]);
  });

  test('broadcasts; the gradient is summed over the axes that were broadcast', () => {
    const loss = hingeEmbeddingLoss([0.5, 2], [[1], [-1]], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([
      [0.5, 2],
      [0.5, 0],
    ]);
    expect(loss.backward(1).input.toArray()).toEqual([0, 1]);
    expect(hingeEmbeddingLoss([], []).item()).toBeNaN();
  });
});

describe('softMarginLoss', () => {
  test('closed form: −log σ(t x)', () => {
    const x = Math.log(3);
    expect(softMarginLoss([x, x], [1, -1], { reduction: 'none' }).value.toArray()).toEqual(
      near([Math.log(4 / 3), Math.log(4)]),
    );
    expect(softMarginLoss([x, x], [1, -1], { reduction: 'sum' }).backward().input.toArray()).toEqual(
      near([-0.25, 0.75]),
    );
  });

  test('overflows as PyTorch does: an infinite loss, its gradient NaN', () => {
    const loss = softMarginLoss([-1000, 1000], [1, 1], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([infinity, 0]);
    expect(loss.backward(1).input.data[0]).toBeNaN();
    expect(loss.backward(1).input.data[1]).toBeCloseTo(0, 14);
  });

  test('the target is spread over the input', () => {
    expect(softMarginLoss([[0], [0]], 1, { reduction: 'none' }).value.toArray()).toEqual(
      near([[Math.log(2)], [Math.log(2)]]),
    );
  });
});

describe('multiMarginLoss', () => {
  // Shortfalls of the first row, whose target is class 1: 1 − 2 + 1.5 = 0.5 and 1 − 2 + 0 < 0; of the second: 2 and 1.5.
  const input = [
    [1.5, 2, 0],
    [0, 1, 0.5],
  ];
  const target = [1, 0];

  test.each([
    [{}, [0.5 / 3, 3.5 / 3]],
    [{ p: 2 }, [0.25 / 3, (4 + 2.25) / 3]],
    [{ weight: [2, 10, 100] }, [5 / 3, 7 / 3]],
    [{ margin: 0 }, [0, 1.5 / 3]],
    [{ margin: 3, p: 2, weight: [1, 2, 3] }, [(2 * (6.25 + 1)) / 3, (16 + 12.25) / 3]],
  ] as const)('by hand: %j', (options, expected) => {
    expect(multiMarginLoss(input, target, { ...options, reduction: 'none' }).value.toArray()).toEqual(near(expected));
    expect(multiMarginLoss(input, target, options).item()).toBeCloseTo((expected[0] + expected[1]) / 2, 14);
  });

  test('by hand: what raises the others lowers the target', () => {
    expect(multiMarginLoss(input, target, { p: 2, reduction: 'sum' }).backward(3).input.toArray()).toEqual(
      near([
        [1, -1, 0],
        [-7, 4, 3],
      ]),
    );
  });

  test('one row: the shape of the target is that of the loss', () => {
    expect(multiMarginLoss([1.5, 2, 0], 1, { reduction: 'none' }).value.toArray()).toBeCloseTo(0.5 / 3, 14);
    expect(multiMarginLoss([1.5, 2, 0], [1], { reduction: 'none' }).value.toArray()).toEqual(near([0.5 / 3]));
    expect(multiMarginLoss([[1.5, 2, 0]], 1, { reduction: 'none' }).value.shape).toEqual([]);
    expect(multiMarginLoss(5, 0).item()).toBe(0);
  });

  test('a tie and a NaN cost nothing', () => {
    expect(multiMarginLoss([2, 1, Number.NaN], 0).item()).toBe(0);
    expect(multiMarginLoss([2, 1, Number.NaN], 0).backward().input.toArray()).toEqual(near([0, 0, 0]));
  });

  test('no rows: NaN for the mean, 0 for the sum', () => {
    const none = { data: [], shape: [0, 3] };
    expect(multiMarginLoss(none, []).item()).toBeNaN();
    expect(multiMarginLoss(none, [], { reduction: 'sum' }).item()).toBe(0);
    expect(multiMarginLoss(none, [], { reduction: 'none' }).value.shape).toEqual([0]);
    expect(multiMarginLoss(none, []).backward().input.shape).toEqual([0, 3]);
  });
});

describe('multilabelMarginLoss', () => {
  const input = [0.5, 0.25, 1, 0];

  test('by hand: every label against every class that is none', () => {
    // Labels 2 and 0: 1 − 1 + 0.25, 1 − 1 + 0 (no cost), 1 − 0.5 + 0.25, 1 − 0.5 + 0.
    const loss = multilabelMarginLoss([input], [[2, 0, -1, -1]], { reduction: 'none' });
    expect(loss.value.toArray()).toEqual([(0.25 + 0.75 + 0.5) / 4]);
    expect(loss.backward([4]).input.toArray()).toEqual([[-2, 2, -1, 1]]);
    expect(multilabelMarginLoss(input, [2, 0, -1, -1], { reduction: 'none' }).value.shape).toEqual([]);
  });

  test('labels end at the first -1, and count as often as they stand there', () => {
    const single = multilabelMarginLoss(input, [2, -1, 0, 1]).item();
    expect(single).toBe((0.5 + 0.25) / 4);
    expect(multilabelMarginLoss(input, [2, 2, -1, 1]).item()).toBe(2 * single);
    expect(multilabelMarginLoss(input, [-1, 2, 0, 1]).item()).toBe(0);
    expect(multilabelMarginLoss(input, [0, 1, 2, 3]).item()).toBe(0);
  });

  test('a single number is one class; no rows give NaN for the mean, 0 for the sum', () => {
    for (const target of [0, [0]]) expect(multilabelMarginLoss(5, target).item()).toBe(0);
    expect(multilabelMarginLoss([5], 0).item()).toBe(0);
    const none = { data: [], shape: [0, 3] };
    expect(multilabelMarginLoss(none, none).item()).toBeNaN();
    expect(multilabelMarginLoss(none, none, { reduction: 'sum' }).item()).toBe(0);
  });
});

describe('multilabelSoftMarginLoss', () => {
  const input = [
    [Math.log(3), 0],
    [0, -Math.log(3)],
  ];
  const target = [
    [1, 0],
    [0, 0],
  ];

  test('closed form: the mean of the binary losses of a row', () => {
    const expected = [Math.log(4 / 3) + Math.log(2), Math.log(2) + Math.log(4 / 3)].map((total) => total / 2);
    expect(multilabelSoftMarginLoss(input, target, { reduction: 'none' }).value.toArray()).toEqual(near(expected));
    expect(multilabelSoftMarginLoss(input, target).item()).toBeCloseTo(expected[0] as number, 14);
  });

  test('by hand: weights multiply, and have a gradient if they are given', () => {
    const loss = multilabelSoftMarginLoss(input, target, { weight: [2, 0], reduction: 'sum' });
    expect(loss.item()).toBeCloseTo(Math.log(4 / 3) + Math.log(2), 14);
    const { weight, ...others } = loss.backward();
    expect(weight?.toArray()).toEqual(near([loss.item() / 2, loss.item() / 2]));
    expect(others.input.toArray()).toEqual(
      near([
        [-0.25, 0],
        [0.5, 0],
      ]),
    );
    expect(others.target.toArray()).toEqual(
      near([
        [-Math.log(3), 0],
        [0, 0],
      ]),
    );
    expect(multilabelSoftMarginLoss(input, target).backward()).not.toHaveProperty('weight');
  });

  test('PyTorch 2.13.0: a target of more axes moves the axis that is summed', () => {
    const ones = [1, 1, 1];
    expect(multilabelSoftMarginLoss(ones, [ones, ones], { reduction: 'none' }).value.toArray()).toEqual(
      near([1, 1, 1].map(() => (2 * Math.log1p(Math.exp(-1))) / 3)),
    );
  });

  test('no classes: NaN', () => {
    expect(multilabelSoftMarginLoss({ data: [], shape: [2, 0] }, { data: [], shape: [2, 0] }).item()).toBeNaN();
  });
});
