import { categoricalEntropy, gaussianNllLoss, klDiv, poissonNllLoss } from '../../../lib/reference';
import { near, refusal } from './support';

const infinity = Number.POSITIVE_INFINITY;
/** log q, p, and Σ p log(p / q), which is 0.25 log(1/2) + 0.75 log(3/2). */
const logQ = [Math.log(0.5), Math.log(0.5)];
const p = [0.25, 0.75];
const divergence = 0.25 * Math.log(0.5) + 0.75 * Math.log(1.5);

describe('klDiv', () => {
  test('closed form, under every reduction', () => {
    const [input, target] = [
      [logQ, logQ, logQ],
      [p, p, p],
    ];
    expect(klDiv(input, target, { reduction: 'sum' }).item()).toBeCloseTo(3 * divergence, 14);
    expect(klDiv(input, target, { reduction: 'batchmean' }).item()).toBeCloseTo(divergence, 14);
    expect(klDiv(input, target).item()).toBeCloseTo(divergence / 2, 14);
    expect(klDiv(logQ, p, { reduction: 'none' }).value.toArray()).toEqual(
      near([0.25 * Math.log(0.5), 0.75 * Math.log(1.5)]),
    );
  });

  test('the target may be given as logarithms', () => {
    const logP = p.map(Math.log);
    expect(klDiv(logQ, logP, { logTarget: true, reduction: 'sum' }).item()).toBeCloseTo(divergence, 14);
    expect(klDiv(logQ, logP, { logTarget: true, reduction: 'sum' }).backward().input.toArray()).toEqual(
      near([-0.25, -0.75]),
    );
  });

  test('batchmean divides by the first size of the input, and not at all for a single number', () => {
    expect(klDiv(logQ, p, { reduction: 'batchmean' }).item()).toBeCloseTo(divergence / 2, 14);
    expect(klDiv([logQ], [p, p], { reduction: 'batchmean' }).item()).toBeCloseTo(2 * divergence, 14);
    expect(klDiv(Math.log(0.5), 1, { reduction: 'batchmean' }).item()).toBeCloseTo(Math.log(2), 14);
    expect(
      klDiv({ data: [], shape: [0, 2] }, { data: [], shape: [0, 2] }, { reduction: 'batchmean' }).item(),
    ).toBeNaN();
  });

  test('broadcasts both ways; gradients are summed over the axes that were broadcast', () => {
    const loss = klDiv([[0, 0]], [[0.5], [2]], { reduction: 'none' });
    const [half, two] = [0.5 * Math.log(0.5), 2 * Math.log(2)];
    expect(loss.value.toArray()).toEqual(
      near([
        [half, half],
        [two, two],
      ]),
    );
    const { input, target } = loss.backward([
      [1, 1],
      [1, 3],
    ]);
    expect(input.toArray()).toEqual(near([[-2.5, -6.5]]));
    expect(target.toArray()).toEqual(near([[2 * (1 - Math.log(2))], [4 * (1 + Math.log(2))]]));
  });

  test('a target of 0 costs 0; its own gradient is NaN, as in PyTorch', () => {
    const loss = klDiv([-3, -1], [0, 1], { reduction: 'sum' });
    expect(loss.item()).toBe(1);
    expect(loss.backward().input.toArray()).toEqual([0, -1]);
    expect(loss.backward().target.toArray()).toEqual([Number.NaN, 2]);
  });

  test('at the ends: an impossible outcome that happens costs infinity, a negative target gives NaN', () => {
    expect(klDiv([-infinity], [0.5]).item()).toBe(infinity);
    expect(klDiv([-infinity], [0]).item()).toBeNaN();
    expect(klDiv([0], [-1]).item()).toBeNaN();
    expect(klDiv([-infinity], [-infinity], { logTarget: true }).item()).toBeNaN();
    expect(klDiv([-1], [-infinity], { logTarget: true }).item()).toBeNaN();
  });
});

describe('categoricalEntropy', () => {
  test('closed form: equal outcomes take log C, a certain one nothing', () => {
    expect(categoricalEntropy({ probs: [0.25, 0.25, 0.25, 0.25] }).item()).toBeCloseTo(Math.log(4), 14);
    expect(
      categoricalEntropy({
        logits: [
          [3, 3],
          [0, 0],
        ],
      }).value.toArray(),
    ).toEqual(near([Math.log(2), Math.log(2)]));
    expect(categoricalEntropy({ probs: [0, 1] }).item()).toBeCloseTo(0, 14);
    expect(categoricalEntropy({ logits: [0, -infinity] }).item()).toBeCloseTo(0, 14);
  });

  test('closed form: p = 1/4, 3/4, from probabilities of any sum and from scores', () => {
    const expected = 0.25 * Math.log(4) + 0.75 * Math.log(4 / 3);
    expect(categoricalEntropy({ probs: [0.25, 0.75] }).item()).toBeCloseTo(expected, 14);
    expect(categoricalEntropy({ probs: [2, 6] }).item()).toBeCloseTo(expected, 14);
    expect(categoricalEntropy({ logits: [5, 5 + Math.log(3)] }).item()).toBeCloseTo(expected, 14);
  });

  test('impossible outcomes keep the gradients finite', () => {
    expect(
      categoricalEntropy({ logits: [0, 0, -infinity] })
        .backward()
        .logits.toArray(),
    ).toEqual(near([0, 0, 0]));
    // 52 log 2 less the entropy, plus the 1 that the derivative of p log p loses where the logarithm is cut off
    expect(
      categoricalEntropy({ probs: [0.5, 0.5, 0] })
        .backward()
        .probs.toArray(),
    ).toEqual(near([0, 0, 52 * Math.log(2) - Math.log(2) + 1]));
  });

  test.each([
    [{}, "'parameters' to have either 'probs' or 'logits', but received neither"],
    [{ probs: [1], logits: [0] }, "'parameters' to have either 'probs' or 'logits', but received both"],
    [{ probs: 1 }, "'probs' to have at least 1 dimension, but received shape []"],
    [{ probs: [2, -1] }, "'probs' to be numbers >= 0 with a finite sum > 0, but received -1"],
    [{ probs: [Number.NaN, 1] }, "'probs' to be numbers >= 0 with a finite sum > 0, but received NaN"],
    [
      {
        probs: [
          [1, 0],
          [0, 0],
        ],
      },
      "'probs' to be numbers >= 0 with a finite sum > 0, but received 0",
    ],
    [{ logits: [Number.NaN] }, "'logits' to have a softmax that is not NaN, but received NaN or too many infinities"],
    [{ logits: [infinity, 0] }, "'logits' to have a softmax that is not NaN, but received NaN or too many infinities"],
  ])('refuses %p', (parameters, message) => {
    const error = refusal(() => categoricalEntropy(parameters as never));
    expect(error.message).toBe(`categoricalEntropy: expected ${message}`);
    expect(error.code).toBe('INVALID_ARGUMENT');
  });
});

describe('poissonNllLoss', () => {
  test('closed form: rate less count times its logarithm', () => {
    const options = { reduction: 'none' } as const;
    expect(poissonNllLoss([0, 1], [2, 3], options).value.toArray()).toEqual(near([1, Math.E - 3]));
    expect(poissonNllLoss([1, 2], [2, 3], { ...options, logInput: false, eps: 0 }).value.toArray()).toEqual(
      near([1, 2 - 3 * Math.log(2)]),
    );
  });

  test('a rate of 0 is kept finite by eps', () => {
    expect(poissonNllLoss([0], [1], { logInput: false }).item()).toBeCloseTo(8 * Math.log(10), 12);
    expect(poissonNllLoss([0], [1], { logInput: false, eps: 0 }).item()).toBe(infinity);
  });

  test('full: adds nearly log t!, which at 10 is 1/120 short, and nothing up to 1', () => {
    const logFactorial = Math.log(3628800);
    const without = poissonNllLoss([0], [10]).item();
    expect(poissonNllLoss([0], [10], { full: true }).item() - without).toBeCloseTo(logFactorial - 1 / 120, 5);
    for (const t of [-1, 0, 0.5, 1]) {
      expect(poissonNllLoss([0], [t], { full: true }).item()).toBe(poissonNllLoss([0], [t]).item());
    }
  });

  test('the gradient by a target of 0 is NaN where the term is left out, as in PyTorch', () => {
    const { target } = poissonNllLoss([3, 3, 3], [-1, 0, 0.5], { full: true, reduction: 'sum' }).backward();
    expect(target.toArray()).toEqual([Number.NaN, Number.NaN, -3]);
  });
});

describe('gaussianNllLoss', () => {
  test('closed form: the logarithm of the density', () => {
    const density = (x: number, mean: number, variance: number): number =>
      Math.exp(-((x - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
    const loss = gaussianNllLoss([1, 0], [3, 0.5], [4, 0.25], { full: true, reduction: 'none' });
    expect(loss.value.toArray()).toEqual(near([-Math.log(density(3, 1, 4)), -Math.log(density(0.5, 0, 0.25))]));
    expect(gaussianNllLoss([1], [1], [1]).item()).toBe(0);
  });

  test('the variance as a number, one a row, or with an axis of size 1', () => {
    const [x, t] = [
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    ];
    const full = (variances: readonly number[][]): number => gaussianNllLoss(x, t, variances).item();
    const same = [
      [2, 2, 2],
      [3, 3, 3],
    ];
    expect(gaussianNllLoss(x, t, [2, 3]).item()).toBeCloseTo(full(same), 14);
    expect(gaussianNllLoss(x, t, [[2], [3]]).item()).toBeCloseTo(full(same), 14);
    expect(gaussianNllLoss(x, t, 2).item()).toBeCloseTo(
      full([
        [2, 2, 2],
        [2, 2, 2],
      ]),
      14,
    );
    expect(gaussianNllLoss(x, t, [2, 3]).backward().variance.shape).toEqual([2]);
    expect(gaussianNllLoss(x, t, 2).backward().variance.shape).toEqual([]);
    expect(gaussianNllLoss(x, t, [[1, 2, 3]]).backward().variance.shape).toEqual([1, 3]);
    expect(gaussianNllLoss(3, 1, 2).item()).toBeCloseTo(0.5 * (Math.log(2) + 2), 14);
  });

  test('PyTorch 2.13.0, float64: below eps the variance is eps, and its gradient that at eps', () => {
    const loss = gaussianNllLoss([1], [0], [1e-8]);
    expect(loss.item()).toBeCloseTo(0.5 * (Math.log(1e-6) + 1e6), 6);
    expect(loss.backward().variance.item()).toBeCloseTo(0.5 * (1e6 - 1e12), 3);
    expect(gaussianNllLoss([1], [0], [0], { eps: 0.5 }).item()).toBeCloseTo(0.5 * (Math.log(0.5) + 2), 14);
  });
});
