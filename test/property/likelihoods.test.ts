/** Identities of the likelihoods, of the margins over classes, and of the layer before cross entropy. */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import { tensorOf } from '../cases/call';
import type { Values } from '../cases/values';
import { labelsOf, probability, score, valuesOf } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const F = torch.nn.functional;

const number = fc.double({ min: -4, max: 4, noNaN: true });
const positive = fc.double({ min: 0.1, max: 3, noNaN: true });
const none = { reduction: 'none' } as const;

/** Tables of numbers and of positive numbers, counts, yes or no, and a class for each row. */
const tables = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain((shape) =>
  fc.record({
    a: valuesOf(shape, number),
    b: valuesOf(shape, number),
    rates: valuesOf(shape, positive),
    counts: valuesOf(shape, fc.nat(9)),
    outcomes: valuesOf(shape, fc.constantFrom(0, 1)),
    chances: valuesOf(shape, probability),
    labels: labelsOf(shape),
    weights: valuesOf(shape.slice(1), positive),
  }),
);

test('poissonNllLoss of logarithms is that of the rates', () => {
  holds(fc.tuple(tables, fc.boolean()), ([{ rates, counts }, full]) => {
    const [x, k] = [tensor(rates), tensor(counts)];
    const ofRates = F.poissonNllLoss(x, k, { logInput: false, eps: 0, full, ...none });
    expectNear('value', F.poissonNllLoss(x.log(), k, { full, ...none }), ofRates);
  });
});

test('full adds to poissonNllLoss what the count alone decides: within 5 % of ln k!', () => {
  holds(tables, ({ rates, counts }) => {
    const [x, k] = [tensor(rates), tensor(counts)];
    const added = F.poissonNllLoss(x, k, { full: true, ...none }).sub(F.poissonNllLoss(x, k, none));
    const logFactorials = counts.data.map((n) =>
      Array.from({ length: n }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0),
    );
    const apart = added.sub(torch.tensor(logFactorials, { shape: x.shape, dtype: 'float64' })).abs();
    expect(apart.max().item()).toBeLessThan(0.05);
  });
});

test('full adds ln(2 pi) / 2 to gaussianNllLoss', () => {
  holds(tables, ({ a, b, rates }) => {
    const args = [tensor(a), tensor(b), tensor(rates)] as const;
    const plain = F.gaussianNllLoss(...args, none).add(Math.log(2 * Math.PI) / 2);
    expectNear('value', F.gaussianNllLoss(...args, { full: true, ...none }), plain);
  });
});

test('gaussianNllLoss of variance 1 is half of mseLoss', () => {
  holds(tables, ({ a, b }) => {
    const [x, t] = [tensor(a), tensor(b)];
    expectNear('value', F.gaussianNllLoss(x, t, 1).mul(2), F.mseLoss(x, t));
  });
});

test('one variance for all is that variance for each, to the bit', () => {
  holds(fc.tuple(tables, positive), ([{ a, b }, variance]) => {
    for (const dtype of dtypes) {
      const [x, t] = [tensorOf(a, dtype), tensorOf(b, dtype)];
      expectSame(
        dtype,
        F.gaussianNllLoss(x, t, variance),
        F.gaussianNllLoss(x, t, torch.full(x.shape, variance, { dtype })),
      );
    }
  });
});

test('softMarginLoss is binaryCrossEntropyWithLogits with 0 for -1', () => {
  holds(tables, ({ a, outcomes }) => {
    const [x, y] = [tensor(a), tensor(outcomes)];
    const signs = y.mul(2).sub(1);
    expectNear('value', F.softMarginLoss(x, signs, none), F.binaryCrossEntropyWithLogits(x, y, none));
  });
});

test('multilabelSoftMarginLoss is the mean over the classes of binaryCrossEntropyWithLogits', () => {
  holds(tables, ({ a, chances, weights }) => {
    const [x, y, weight] = [tensor(a), tensor(chances), tensor(weights)];
    const byClass = F.binaryCrossEntropyWithLogits(x, y, { weight, ...none }).mean(-1);
    expectNear('value', F.multilabelSoftMarginLoss(x, y, { weight, ...none }), byClass);
  });
});

test('multiMarginLoss over two classes is the hinge of the difference, halved', () => {
  const two = fc.integer({ min: 1, max: 6 }).chain((n) =>
    fc.record({
      scores: valuesOf([n, 2], number),
      labels: labelsOf([n, 2]),
      margin: positive,
      p: fc.constantFrom(1, 2),
    }),
  );
  holds(two, ({ scores, labels, margin, p }) => {
    const [x, t] = [tensor(scores), tensor(labels)];
    const signs = t.to('float64').mul(2).sub(1);
    const lead = x.select(1, 1).sub(x.select(1, 0)).mul(signs);
    const expected = lead.neg().add(margin).relu().pow(p).div(2);
    expectNear('value', F.multiMarginLoss(x, t, { margin, p: p as 1 | 2, ...none }), expected);
  });
});

test('multilabelMarginLoss of one label is multiMarginLoss', () => {
  holds(tables, ({ a, labels }) => {
    const [x, t] = [tensor(a), tensor(labels)];
    const [rows, classes] = x.shape as [number, number];
    const ends = torch.full([rows, classes], -1n);
    const padded = torch.cat([t.unsqueeze(1), ends], 1).narrow(1, 0, classes);
    expectNear('value', F.multilabelMarginLoss(x, padded, none), F.multiMarginLoss(x, t, none));
  });
});

test('a class weight of multiMarginLoss multiplies the losses of its class', () => {
  holds(tables, ({ a, labels, weights }) => {
    const [x, t, weight] = [tensor(a), tensor(labels), tensor(weights)];
    const expected = F.multiMarginLoss(x, t, none).mul(weight.indexSelect(0, t));
    expectNear('value', F.multiMarginLoss(x, t, { weight, ...none }), expected);
  });
});

test('linearCrossEntropy is crossEntropy of linear: the same bits, and the same gradients', () => {
  const layers = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
  );
  const calls = layers.chain(([n, features, classes]) =>
    fc.record({
      input: valuesOf([n, features], score),
      linearWeight: valuesOf([classes, features], number),
      linearBias: valuesOf([classes], number),
      target: labelsOf([n, classes]),
      labelSmoothing: fc.constantFrom(0, 0.1),
    }),
  );
  holds(calls, ({ input, linearWeight, linearBias, target, labelSmoothing }) => {
    for (const dtype of dtypes) {
      const [direct, composed] = [0, 1].map(() =>
        [input, linearWeight, linearBias].map((values) => tensorOf(values, dtype).requiresGrad_()),
      ) as unknown as [Layer, Layer];
      const t = tensor(target);
      const [x, w, bias] = direct;
      const losses = [
        F.linearCrossEntropy(x, w, t, { linearBias: bias, labelSmoothing }),
        F.crossEntropy(F.linear(...composed), t, { labelSmoothing }),
      ] as const;
      expectSame('value', ...losses);
      for (const loss of losses) loss.backward();
      for (const i of [0, 1, 2] as const) expectSame(`gradient ${i}`, grad(direct[i]), grad(composed[i]));
    }
  });
});

type Layer = readonly [torch.Tensor, torch.Tensor, torch.Tensor];

function tensor(values: Values): torch.Tensor {
  return tensorOf(values, 'float64');
}

function grad(leaf: torch.Tensor): torch.Tensor {
  return leaf.grad as torch.Tensor;
}
