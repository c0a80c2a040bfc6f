import { logit, logSoftmax, sigmoid, softmax } from '../../../lib/reference';
import { near, refusal } from './support';

describe('softmax and logSoftmax', () => {
  test('closed form: scores log 1, log 2, log 5 have probabilities 1/8, 2/8, 5/8', () => {
    const scores = [0, Math.log(2), Math.log(5)];
    expect(softmax(scores, 0).value.toArray()).toEqual(near([0.125, 0.25, 0.625]));
    expect(logSoftmax(scores, 0).value.toArray()).toEqual(near([Math.log(0.125), Math.log(0.25), Math.log(0.625)]));
  });

  test('sum to 1 along the given axis, negative ones counted from the end', () => {
    const scores = [
      [0, 0],
      [Math.log(3), 0],
    ];
    expect(softmax(scores, 0).value.toArray()).toEqual(
      near([
        [0.25, 0.5],
        [0.75, 0.5],
      ]),
    );
    expect(softmax(scores, 1).value.toArray()).toEqual(
      near([
        [0.5, 0.5],
        [0.75, 0.25],
      ]),
    );
    expect(softmax(scores, -2).value.toArray()).toEqual(softmax(scores, 0).value.toArray());
  });

  test('do not overflow, and keep log-probabilities whose probability rounds to 0', () => {
    expect(softmax([1e300, -1e300], 0).value.toArray()).toEqual([1, 0]);
    expect(logSoftmax([1000, 0], 0).value.toArray()).toEqual([0, -1000]);
  });

  test('of infinite scores: an impossible class is left out, anything else is NaN as in PyTorch', () => {
    expect(softmax([Number.NEGATIVE_INFINITY, 0, 0], 0).value.toArray()).toEqual(near([0, 0.5, 0.5]));
    expect(logSoftmax([Number.NEGATIVE_INFINITY, 0], 0).value.toArray()).toEqual([Number.NEGATIVE_INFINITY, 0]);
    expect(softmax([Number.POSITIVE_INFINITY, 0], 0).value.toArray()).toEqual([Number.NaN, Number.NaN]);
    expect(softmax([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], 0).value.toArray()).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
  });

  test('of a single number is 1, and of no elements nothing', () => {
    expect(softmax(5, 0).value.toArray()).toBe(1);
    expect(softmax(5, -1).value.toArray()).toBe(1);
    expect(softmax([[], []], 1).value.toArray()).toEqual([[], []]);
  });

  test.each([2, -3, 0.5, Number.NaN, '1'])('refuse dim %p', (dim) => {
    const error = refusal(() => softmax([[1, 2]], dim as number));
    expect(error.message).toMatch(/^softmax: expected 'dim' to be an integer in \[-2, 1\], but received /);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'softmax', argument: 'dim' });
    expect(refusal(() => logSoftmax([[1, 2]], dim as number)).op).toBe('logSoftmax');
  });
});

describe('sigmoid and logit', () => {
  test('closed form: odds of 3 to 1 are 3/4', () => {
    expect(sigmoid([0, Math.log(3), -Math.log(3)]).value.toArray()).toEqual(near([0.5, 0.75, 0.25]));
    expect(logit([0.5, 0.75, 0.25]).value.toArray()).toEqual(near([0, Math.log(3), -Math.log(3)]));
  });

  test('at the ends', () => {
    expect(sigmoid([Number.NEGATIVE_INFINITY, -1000, 1000]).value.toArray()).toEqual([0, 0, 1]);
    expect(logit([0, 1]).value.toArray()).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(logit([0, 1]).backward([1, 1]).input.toArray()).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(logit([-0.5, 1.5]).value.toArray()).toEqual([Number.NaN, Number.NaN]);
    expect(logit([-0.5, 1.5]).backward([1, 1]).input.toArray()).toEqual([Number.NaN, Number.NaN]);
  });

  test('eps moves probabilities into [eps, 1 − eps], where their gradient is 0', () => {
    const result = logit([0, 0.5, 1], { eps: 0.25 });
    expect(result.value.toArray()).toEqual(near([-Math.log(3), 0, Math.log(3)]));
    expect(result.backward([1, 1, 1]).input.toArray()).toEqual([0, 4, 0]);
  });

  test('refuse a wrong eps and other options', () => {
    expect(refusal(() => logit(0.5, { eps: 0.6 })).message).toBe(
      "logit: expected option 'eps' to be a number in [0, 0.5], but received 0.6",
    );
    expect(refusal(() => logit(0.5, { epsilon: 0 } as never)).message).toBe(
      "logit: unknown option 'epsilon'; known options are 'eps'",
    );
  });
});
