import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../../../lib/reference';
import { near } from './support';

const infinity = Number.POSITIVE_INFINITY;
/** Differences of 0, 1, -2 and 0.5. */
const input = [1, 2, 0, 0.5];
const target = [1, 1, 2, 0];

test.each([
  ['l1Loss', l1Loss, [0, 1, 2, 0.5], [0, 1, -1, 1]],
  ['mseLoss', mseLoss, [0, 1, 4, 0.25], [0, 2, -4, 1]],
  ['smoothL1Loss', smoothL1Loss, [0, 0.5, 1.5, 0.125], [0, 1, -1, 0.5]],
  ['huberLoss', huberLoss, [0, 0.5, 1.5, 0.125], [0, 1, -1, 0.5]],
] as const)('%s by hand, under every reduction', (_name, loss, costs, slopes) => {
  const total = costs.reduce<number>((a, b) => a + b, 0);
  expect(loss(input, target, { reduction: 'none' }).value.toArray()).toEqual(near(costs));
  expect(loss(input, target, { reduction: 'sum' }).item()).toBeCloseTo(total, 14);
  expect(loss(input, target).item()).toBeCloseTo(total / 4, 14);
  const gradients = loss(input, target).backward(4);
  expect(gradients.input.toArray()).toEqual(near(slopes));
  expect(gradients.target.toArray()).toEqual(near(slopes.map((slope) => -slope)));
  expect(gradients).not.toHaveProperty('weight');
});

describe.each([
  ['l1Loss', l1Loss],
  ['mseLoss', mseLoss],
  ['smoothL1Loss', smoothL1Loss],
  ['huberLoss', huberLoss],
] as const)('%s', (_name, loss) => {
  test('broadcasts both ways; gradients are summed over the axes that were broadcast', () => {
    const broad = loss([[0.25], [0.5]], [0, 0, 0], { reduction: 'sum' });
    const full = loss(
      [
        [0.25, 0.25, 0.25],
        [0.5, 0.5, 0.5],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      { reduction: 'sum' },
    );
    expect(broad.item()).toBeCloseTo(full.item(), 14);
    const [[first], [second]] = full.backward().input.toArray() as [[number], [number]];
    expect(broad.backward().input.toArray()).toEqual(near([[3 * first], [3 * second]]));
    expect(broad.backward().target.toArray()).toEqual(near([0, 0, 0].map(() => -first - second)));
  });

  test('a single number, and a mean over no elements', () => {
    expect(loss(2, 2, { reduction: 'none' }).value.shape).toEqual([]);
    expect(loss([], []).item()).toBeNaN();
    expect(loss([], [], { reduction: 'sum' }).item()).toBe(0);
    expect(
      loss({ data: [], shape: [0, 3] }, [0, 0, 0])
        .backward()
        .target.toArray(),
    ).toEqual([0, 0, 0]);
  });

  test('a NaN gives NaN', () => {
    expect(loss([Number.NaN, 0], [0, 0], { reduction: 'none' }).value.toArray()).toEqual([Number.NaN, 0]);
  });
});

test('the gradient of the absolute error of NaN is 0, that of the others NaN, as in PyTorch', () => {
  const [x, t] = [[Number.NaN], [0]];
  expect(l1Loss(x, t).backward().input.toArray()).toEqual([0]);
  expect(smoothL1Loss(x, t, { beta: 0 }).backward().input.toArray()).toEqual([0]);
  for (const loss of [mseLoss, smoothL1Loss, huberLoss]) {
    expect(loss(x, t).backward().input.toArray()).toEqual([Number.NaN]);
  }
});

describe('weights', () => {
  const weight = [4, 3, 1, 2];

  test.each([
    ['l1Loss', l1Loss, [0, 3, 2, 1], 10],
    ['mseLoss', mseLoss, [0, 3, 4, 0.5], 10],
    ['huberLoss', huberLoss, [0, 1.5, 1.5, 0.25], 4],
  ] as const)('%s by hand: the mean of l1 and mse divides by them, that of huber by their number', (...one) => {
    const [, loss, costs, divisor] = one;
    const total = costs.reduce<number>((a, b) => a + b, 0);
    expect(loss(input, target, { weight, reduction: 'none' }).value.toArray()).toEqual(near(costs));
    expect(loss(input, target, { weight, reduction: 'sum' }).item()).toBeCloseTo(total, 14);
    expect(loss(input, target, { weight }).item()).toBeCloseTo(total / divisor, 14);
  });

  test('PyTorch 2.13.0, float64: the gradient by weights that are broadcast with the input, in a mean', () => {
    const loss = l1Loss(
      [1, 0, 3],
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      { weight: [1, 2, 3] },
    );
    expect(loss.item()).toBeCloseTo(3, 14);
    const gradients = loss.backward();
    expect(gradients.weight?.toArray()).toEqual(near([-1 / 3, -1 / 3, 1 / 3]));
    expect(gradients.input.toArray()).toEqual(near([1 / 6, -1 / 3, 1]));
  });

  test('weights of 0 make the mean of l1 and mse NaN, that of huber 0', () => {
    const options = { weight: [0] };
    expect(l1Loss([1], [0], options).item()).toBeNaN();
    expect(mseLoss([1], [0], options).item()).toBeNaN();
    expect(huberLoss([1], [0], options).item()).toBe(0);
  });
});

describe('beta and delta', () => {
  test('by hand: where the square ends', () => {
    const x = [1, 2, 4];
    const zeros = [0, 0, 0];
    expect(smoothL1Loss(x, zeros, { beta: 2, reduction: 'none' }).value.toArray()).toEqual(near([0.25, 1, 3]));
    expect(huberLoss(x, zeros, { delta: 2, reduction: 'none' }).value.toArray()).toEqual(near([0.5, 2, 6]));
  });

  test('infinite ones leave nothing but the square, which beta divides to 0', () => {
    expect(smoothL1Loss([3], [0], { beta: infinity }).item()).toBe(0);
    expect(huberLoss([3], [0], { delta: infinity }).item()).toBe(4.5);
    expect(huberLoss([3], [0], { delta: infinity }).backward().input.toArray()).toEqual([3]);
  });

  test('an infinite difference costs infinity and pulls with slope 1 or delta', () => {
    expect(smoothL1Loss([-infinity], [0]).item()).toBe(infinity);
    expect(smoothL1Loss([-infinity], [0]).backward().input.toArray()).toEqual([-1]);
    expect(huberLoss([infinity], [0], { delta: 3 }).backward().input.toArray()).toEqual([3]);
  });
});
