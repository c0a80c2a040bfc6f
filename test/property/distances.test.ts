/** Identities of the losses between numbers, and over pairs and triplets. */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import { tensorOf } from '../cases/call';
import type { Values } from '../cases/values';
import { valuesOf } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const F = torch.nn.functional;

const number = fc.double({ min: -4, max: 4, noNaN: true });
const sign = fc.constantFrom(-1, 1);
const threshold = fc.double({ min: 0.1, max: 3, noNaN: true });
const none = { reduction: 'none' } as const;

/** Two tables of numbers, a table of signs and a positive number. */
const tables = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain((shape) =>
  fc.record({
    a: valuesOf(shape, number),
    b: valuesOf(shape, number),
    c: valuesOf(shape, number),
    signs: valuesOf(shape, sign),
    rowSigns: valuesOf(shape.slice(0, 1), sign),
    threshold,
  }),
);

test('huberLoss is delta times smoothL1Loss with beta = delta, gradients too', () => {
  holds(tables, ({ a, b, threshold }) => {
    const [x, y, t] = [leaf(a), leaf(a), leaf(b)];
    const huber = F.huberLoss(x, t, { delta: threshold, ...none });
    const smooth = F.smoothL1Loss(y, t, { beta: threshold, ...none }).mul(threshold);
    expectNear('value', huber, smooth);
    huber.sum().backward();
    smooth.sum().backward();
    expectNear('gradient', gradient(x), gradient(y));
  });
});

test('smoothL1Loss with a beta of 0 is l1Loss, to the bit', () => {
  holds(tables, ({ a, b }) => {
    for (const dtype of dtypes) {
      const [x, t] = [tensorOf(a, dtype), tensorOf(b, dtype)];
      expectSame(dtype, F.smoothL1Loss(x, t, { beta: 0, ...none }), F.l1Loss(x, t, none));
    }
  });
});

test('huberLoss is half of mseLoss where delta is beyond all differences', () => {
  holds(tables, ({ a, b }) => {
    const [x, t] = [leaf(a), leaf(b)];
    expectNear('value', F.huberLoss(x, t, { delta: 100 }).mul(2), F.mseLoss(x, t));
  });
});

test('l1Loss and mseLoss do not care which side is the target, and are 0 of equal sides', () => {
  holds(tables, ({ a, b }) => {
    const [x, t] = [leaf(a), leaf(b)];
    for (const loss of [F.l1Loss, F.mseLoss, F.huberLoss, F.smoothL1Loss]) {
      expectSame('value', loss(x, t), loss(t, x));
      expect(loss(x, x).item()).toBe(0);
    }
  });
});

test('weights of 1 change nothing but rounding', () => {
  holds(tables, ({ a, b }) => {
    const [x, t] = [leaf(a), leaf(b)];
    const weight = torch.ones(x.shape, { dtype: 'float64' });
    for (const loss of [F.l1Loss, F.mseLoss, F.huberLoss]) expectNear('value', loss(x, t, { weight }), loss(x, t));
  });
});

test('marginRankingLoss is the same with both inputs exchanged and the target negated', () => {
  holds(tables, ({ a, b, signs, threshold }) => {
    const [x1, x2, t] = [leaf(a), leaf(b), leaf(signs)];
    const options = { margin: threshold, ...none };
    expectSame('value', F.marginRankingLoss(x1, x2, t, options), F.marginRankingLoss(x2, x1, t.neg(), options));
  });
});

test('marginRankingLoss is hingeEmbeddingLoss of the signed difference, of targets -1', () => {
  holds(tables, ({ a, b, signs, threshold }) => {
    const [x1, x2, t] = [leaf(a), leaf(b), leaf(signs)];
    const hinge = F.hingeEmbeddingLoss(t.mul(x1.sub(x2)), t.abs().neg(), { margin: threshold, ...none });
    expectNear('value', F.marginRankingLoss(x1, x2, t, { margin: threshold, ...none }), hinge);
  });
});

test('cosineEmbeddingLoss does not depend on lengths', () => {
  holds(fc.tuple(tables, threshold, threshold), ([{ a, b, rowSigns }, p, q]) => {
    // Beside vectors as short as the constant that keeps the cosine finite, that would count.
    const [x1, x2, t] = [leaf(a).sign().add(0.5), leaf(b).sign().add(0.5), leaf(rowSigns)];
    const [plain, scaled] = [
      F.cosineEmbeddingLoss(x1, x2, t, { margin: 0.25, ...none }),
      F.cosineEmbeddingLoss(x1.mul(p), x2.mul(q), t, { margin: 0.25, ...none }),
    ];
    expectNear('value', scaled as torch.Tensor, plain as torch.Tensor);
  });
});

test('cosineEmbeddingLoss of target 1 is 1 - cosineSimilarity, that of -1 what is above the margin', () => {
  holds(tables, ({ a, b, rowSigns, threshold }) => {
    const [x1, x2, t] = [leaf(a).sign().add(0.5), leaf(b).sign().add(0.5), leaf(rowSigns)];
    const margin = threshold / 3;
    const cosine = F.cosineSimilarity(x1, x2);
    const alike = cosine.neg().add(1).mul(t.add(1).div(2));
    const different = cosine.sub(margin).relu().mul(t.neg().add(1).div(2));
    expectNear('value', F.cosineEmbeddingLoss(x1, x2, t, { margin, ...none }), alike.add(different));
  });
});

test('tripletMarginWithDistanceLoss by pairwiseDistance is tripletMarginLoss, gradients too', () => {
  holds(fc.tuple(tables, fc.boolean()), ([{ a, b, c, threshold }, swap]) => {
    const [direct, composed, given] = [0, 1, 2].map(() => [leaf(a), leaf(b), leaf(c)] as const);
    const options = { margin: threshold, swap, ...none };
    const distanceFunction = (x: torch.Tensor, y: torch.Tensor): torch.Tensor => F.pairwiseDistance(x, y, { p: 2 });
    const losses = [
      F.tripletMarginLoss(...(direct as Triplet), { p: 2, ...options }),
      F.tripletMarginWithDistanceLoss(...(composed as Triplet), options),
      F.tripletMarginWithDistanceLoss(...(given as Triplet), { distanceFunction, ...options }),
    ] as const;
    for (const loss of losses) loss.sum().backward();
    for (const [i, tensors] of [composed, given].entries()) {
      expectSame('value', losses[i + 1] as torch.Tensor, losses[0]);
      tensors?.forEach((tensor, k) => {
        expectNear(`gradient ${k}`, gradient(tensor), gradient((direct as Triplet)[k] as torch.Tensor));
      });
    }
  });
});

test('tripletMarginLoss by one feature is that of absolute differences', () => {
  holds(fc.tuple(tables, fc.constantFrom(1, 2, 3)), ([{ a, b, c, threshold }, p]) => {
    const [x, y, z] = [a, b, c].map((values) => leaf(values).reshape([-1, 1])) as unknown as Triplet;
    const distance = (u: torch.Tensor, v: torch.Tensor): torch.Tensor => u.sub(v).abs().reshape([-1]);
    const expected = distance(x, y).sub(distance(x, z)).add(threshold).relu();
    expectNear('value', F.tripletMarginLoss(x, y, z, { margin: threshold, p, eps: 0, ...none }), expected);
  });
});

test('swap never lowers tripletMarginLoss', () => {
  holds(tables, ({ a, b, c, threshold }) => {
    const triplet = [leaf(a), leaf(b), leaf(c)] as const;
    const [plain, swapped] = [false, true].map((swap) =>
      F.tripletMarginLoss(...triplet, { margin: threshold, swap, ...none }),
    );
    expect(
      (swapped as torch.Tensor)
        .ge(plain as torch.Tensor)
        .all()
        .item(),
    ).toBe(true);
  });
});

type Triplet = readonly [torch.Tensor, torch.Tensor, torch.Tensor];

function leaf(values: Values): torch.Tensor {
  return tensorOf(values, 'float64').requiresGrad_();
}

function gradient(tensor: torch.Tensor): torch.Tensor {
  return tensor.grad as torch.Tensor;
}
