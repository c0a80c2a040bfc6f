import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from '../../../lib/reference';
import { near } from './support';

const infinity = Number.POSITIVE_INFINITY;

describe('binaryCrossEntropy', () => {
  test('closed form: −log of the probability given to what happened', () => {
    expect(binaryCrossEntropy([0.25, 0.25], [1, 0], { reduction: 'none' }).value.toArray()).toEqual(
      near([Math.log(4), Math.log(4 / 3)]),
    );
    expect(binaryCrossEntropy([0.5, 0.5], [0.3, 1]).item()).toBeCloseTo(Math.log(2), 14);
  });

  test('by hand: weights broadcast, and do not change what the mean divides by', () => {
    const half = [
      [0.5, 0.5],
      [0.5, 0.5],
    ];
    const loss = binaryCrossEntropy(
      half,
      [
        [0, 1],
        [1, 0],
      ],
      { weight: [1, 3] },
    );
    expect(loss.item()).toBeCloseTo(2 * Math.log(2), 14);
    expect(loss.backward().input.toArray()).toEqual(
      near([
        [0.5, -1.5],
        [-0.5, 1.5],
      ]),
    );
    expect(binaryCrossEntropy(half, half, { weight: [[1], [3]], reduction: 'none' }).value.toArray()).toEqual(
      near([
        [Math.log(2), Math.log(2)],
        [3 * Math.log(2), 3 * Math.log(2)],
      ]),
    );
  });

  test('an exact 0 or 1 costs 100 where it is wrong, and nothing where it is right', () => {
    expect(binaryCrossEntropy([0, 1, 0, 1], [1, 0, 0, 1], { reduction: 'none' }).value.toArray()).toEqual(
      near([100, 100, 0, 0]),
    );
    expect(binaryCrossEntropy([1e-50], [1]).item()).toBe(100);
    expect(binaryCrossEntropy([1e-40], [1]).item()).toBeCloseTo(40 * Math.log(10), 12);
  });

  test('the gradient by the input divides by no less than 1e-12, that by the target is infinite at 0 and 1', () => {
    const { input, target } = binaryCrossEntropy([0, 1, 0], [1, 0, 0], { reduction: 'sum' }).backward();
    expect(input.toArray()).toEqual([-1e12, 1e12, 0]);
    expect(target.toArray()).toEqual([infinity, -infinity, infinity]);
  });

  test('a single number, and a mean over no elements', () => {
    expect(binaryCrossEntropy(0.5, 1, { reduction: 'none' }).value.shape).toEqual([]);
    expect(binaryCrossEntropy([], []).item()).toBeNaN();
    expect(binaryCrossEntropy([], [], { reduction: 'sum' }).item()).toBe(0);
  });
});

describe('binaryCrossEntropyWithLogits', () => {
  test('closed form: log-odds of log 3 give 3/4', () => {
    expect(
      binaryCrossEntropyWithLogits([Math.log(3), Math.log(3)], [1, 0], { reduction: 'none' }).value.toArray(),
    ).toEqual(near([Math.log(4 / 3), Math.log(4)]));
  });

  test('PyTorch 2.13.0, float64: weight and posWeight that broadcast', () => {
    const input = [
      [1, 2, 0.5, 0.1],
      [0.1, 0.2, 0.3, 0.4],
      [2, 1, 0.1, 0.5],
    ];
    const target = [
      [0.1, 0.6, 0.2, 0.1],
      [0, 0, 0, 1],
      [0.25, 0.25, 0.25, 0.25],
    ];
    const options = { weight: [[1], [0.5], [2]], posWeight: [1, 2, 3, 4] };
    expect(binaryCrossEntropyWithLogits(input, target, options).item()).toBeCloseTo(1.371809624885759, 14);
    expect(binaryCrossEntropyWithLogits(input, target, { ...options, reduction: 'none' }).value.toArray()).toEqual(
      near(
        [
          [1.213261687518223, 1.003084817668756, 1.063707777852149, 0.9277156580956422],
          [0.3721983300367854, 0.3990694346907959, 0.4271776222342636, 1.026030504799905],
          [3.253856022085945, 2.283154218795557, 2.083189980220713, 2.409269444630374],
        ],
        14,
      ),
    );
  });

  test('by hand: posWeight multiplies what a yes costs', () => {
    const loss = binaryCrossEntropyWithLogits([0, 0], [1, 0], { posWeight: 3, reduction: 'sum' });
    expect(loss.item()).toBeCloseTo(4 * Math.log(2), 14);
    expect(loss.backward().input.toArray()).toEqual(near([-1.5, 0.5]));
    expect(loss.backward().target.toArray()).toEqual(near([2 * Math.log(2), 2 * Math.log(2)]));
  });

  test('does not lose logits where the sigmoid rounds to 0 or 1', () => {
    expect(binaryCrossEntropyWithLogits([1000, -1000], [0, 1], { reduction: 'none' }).value.toArray()).toEqual([
      1000, 1000,
    ]);
    expect(binaryCrossEntropyWithLogits([-800], [0], { reduction: 'none' }).value.toArray()).toEqual([0]);
    expect(binaryCrossEntropyWithLogits([1e-300], [0]).backward().target.item()).toBe(-1e-300);
  });

  test('infinite logits give NaN wherever 0 times infinity enters, even if the loss tends to 0, as in PyTorch', () => {
    const loss = binaryCrossEntropyWithLogits([infinity, -infinity, infinity, -infinity], [1, 0, 0, 1], {
      reduction: 'none',
    });
    expect(loss.value.toArray()).toEqual([Number.NaN, Number.NaN, infinity, Number.NaN]);
  });

  test('targets outside [0, 1] are taken', () => {
    expect(binaryCrossEntropyWithLogits([1], [2]).item()).toBeCloseTo(-1 + Math.log1p(Math.exp(-1)), 14);
  });
});
