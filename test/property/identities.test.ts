/** What one loss says of another: identities that hold for every input, to the bit where both sides compute the same. */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import { tensorOf } from '../cases/call';
import { Values } from '../cases/values';
import { distributionsOf, labelsOf, ofIndices, probability, score, valuesOf } from './arbitraries';
import { dtypes, expectNear, expectSame, holds } from './setup';

const F = torch.nn.functional;

/** Scores `[N, C]` with a class and a distribution for each row, weights, and a share of smoothing. */
const classified = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain((shape) =>
  fc.record({
    scores: valuesOf(shape, score),
    labels: labelsOf(shape),
    distributions: distributionsOf(shape),
    weights: valuesOf(shape.slice(1), probability),
    labelSmoothing: fc.constantFrom(0, 0.1, 0.7, 1),
  }),
);

/** Log-odds and what was true, or how likely. */
const binary = fc
  .integer({ min: 1, max: 20 })
  .chain((n) =>
    fc.record({ odds: valuesOf([n], score), outcomes: valuesOf([n], fc.double({ min: 0, max: 1, noNaN: true })) }),
  );

test('crossEntropy is nllLoss of logSoftmax: the same bits, and the same gradients', () => {
  holds(fc.tuple(ofIndices, fc.constantFrom('none', 'mean', 'sum')), ([{ args, options = {} }, reduction]) => {
    const { input, target } = args as Readonly<Record<'input' | 'target', Values>>;
    for (const dtype of dtypes) {
      const [x, y] = [leaf(input, dtype), leaf(input, dtype)];
      const labels = tensorOf(target, dtype);
      const { weight, ...others } = options;
      const given = { ...others, reduction, ...(weight instanceof Values && { weight: tensorOf(weight, dtype) }) };
      const direct = F.crossEntropy(x, labels, given);
      const composed = F.nllLoss(F.logSoftmax(y, 1), labels, given);
      expectSame('value', direct, composed);
      direct.sum().backward();
      composed.sum().backward();
      expectSame('gradient', gradient(x), gradient(y));
    }
  });
});

test('KL(p || q) = CE(p, q) - H(p)', () => {
  holds(classified, ({ scores, distributions }) => {
    const [x, p] = [tensorOf(scores, 'float64'), tensorOf(distributions, 'float64')];
    const divergence = F.klDiv(F.logSoftmax(x, 1), p, { reduction: 'batchmean' });
    const entropy = new torch.distributions.Categorical({ probs: p }).entropy().mean();
    expectNear('divergence', divergence, F.crossEntropy(x, p).sub(entropy));
    expect(divergence.item()).toBeGreaterThan(-1e-12);
  });
});

test('klDiv of logarithms is klDiv', () => {
  holds(classified, ({ scores, distributions }) => {
    const [x, p] = [tensorOf(scores, 'float64'), tensorOf(distributions, 'float64')];
    expectNear(
      'none',
      F.klDiv(x, p.log(), { logTarget: true, reduction: 'none' }),
      F.klDiv(x, p, { reduction: 'none' }),
    );
  });
});

test('adding a number to all scores of a row does not change crossEntropy', () => {
  holds(fc.tuple(classified, score), ([{ scores, labels, labelSmoothing }, shift]) => {
    const [x, y, labelled] = [leaf(scores, 'float64'), leaf(scores, 'float64'), tensorOf(labels, 'float64')];
    const [plain, shifted] = [x, y.add(shift)].map((z) => F.crossEntropy(z, labelled, { labelSmoothing }));
    expectNear('value', shifted as torch.Tensor, plain as torch.Tensor);
    plain?.backward();
    shifted?.backward();
    expectNear('gradient', gradient(y), gradient(x));
  });
});

test('the gradient of crossEntropy by the scores of a row sums to 0', () => {
  holds(classified, ({ scores, labels, distributions, weights, labelSmoothing }) => {
    for (const target of [labels, distributions]) {
      const x = leaf(scores, 'float64');
      const weight = tensorOf(weights, 'float64');
      F.crossEntropy(x, tensorOf(target, 'float64'), { weight, labelSmoothing, reduction: 'sum' }).backward();
      expectNear(
        'sum of the gradient',
        gradient(x).sum(1),
        torch.zeros([scores.shape[0] as number], { dtype: 'float64' }),
      );
    }
  });
});

test('crossEntropy of class indices is that of probabilities that are 1 there', () => {
  holds(classified, ({ scores, labels, labelSmoothing }) => {
    const [x, y] = [leaf(scores, 'float64'), leaf(scores, 'float64')];
    const certain = tensorOf(oneHot(labels, scores), 'float64');
    const options = { labelSmoothing, reduction: 'none' } as const;
    const [indices, probabilities] = [
      F.crossEntropy(x, tensorOf(labels, 'float64'), options),
      F.crossEntropy(y, certain, options),
    ];
    expectNear('value', probabilities, indices);
    indices.sum().backward();
    probabilities.sum().backward();
    expectNear('gradient', gradient(y), gradient(x));
  });
});

test('label smoothing mixes the loss of the target with the mean loss of all classes', () => {
  holds(classified, ({ scores, labels, weights, labelSmoothing }) => {
    const [x, weight] = [tensorOf(scores, 'float64'), tensorOf(weights, 'float64')];
    const loss = (labels: torch.Tensor, share: number): torch.Tensor =>
      F.crossEntropy(x, labels, { weight, labelSmoothing: share, reduction: 'none' });
    const [rows, classes] = scores.shape as [number, number];
    const all = torch.stack(Array.from({ length: classes }, (_, c) => loss(torch.full([rows], BigInt(c)), 0)));
    const target = tensorOf(labels, 'float64');
    const mixture = loss(target, 0)
      .mul(1 - labelSmoothing)
      .add(all.mean(0).mul(labelSmoothing));
    expectNear('value', loss(target, labelSmoothing), mixture);
  });
});

test('binaryCrossEntropyWithLogits is binaryCrossEntropy of sigmoid', () => {
  holds(binary, ({ odds, outcomes }) => {
    const [x, y, t] = [leaf(odds, 'float64'), leaf(odds, 'float64'), tensorOf(outcomes, 'float64')];
    const [direct, composed] = [F.binaryCrossEntropyWithLogits(x, t), F.binaryCrossEntropy(F.sigmoid(y), t)];
    expectNear('value', direct, composed);
    direct.backward();
    composed.backward();
    expectNear('gradient', gradient(x), gradient(y));
  });
});

test('binaryCrossEntropyWithLogits is crossEntropy over the classes no, of score 0, and yes', () => {
  holds(binary, ({ odds, outcomes }) => {
    const [x, t] = [tensorOf(odds, 'float64'), tensorOf(outcomes, 'float64')];
    const scores = torch.stack([torch.zeros(x.shape, { dtype: 'float64' }), x], 1);
    const chances = torch.stack([t.neg().add(1), t], 1);
    expectNear('value', F.binaryCrossEntropyWithLogits(x, t), F.crossEntropy(scores, chances));
  });
});

test('a posWeight of p counts every yes p times', () => {
  holds(fc.tuple(binary, fc.integer({ min: 1, max: 4 })), ([{ odds, outcomes }, times]) => {
    const x = tensorOf(odds, 'float64');
    const t = tensorOf(new Values(outcomes.data.map(Math.round), outcomes.shape), 'float64');
    const repeated = F.binaryCrossEntropyWithLogits(x, t, { weight: t.mul(times - 1).add(1) });
    expectNear(
      'value',
      F.binaryCrossEntropyWithLogits(x, t, { posWeight: torch.tensor(times, { dtype: 'float64' }) }),
      repeated,
    );
  });
});

test('places after the classes are more rows: [1, C, d] costs what [d, C] does', () => {
  holds(classified, ({ scores, labels, weights, labelSmoothing }) => {
    const [x, labelled] = [tensorOf(scores, 'float64'), tensorOf(labels, 'float64')];
    const options = { weight: tensorOf(weights, 'float64'), labelSmoothing };
    const places = F.crossEntropy(x.t().unsqueeze(0), labelled.unsqueeze(0), options);
    expectNear('value', places, F.crossEntropy(x, labelled, options));
  });
});

function leaf(values: Values, dtype: torch.FloatingDType): torch.Tensor {
  return tensorOf(values, dtype).requiresGrad_();
}

function gradient(tensor: torch.Tensor): torch.Tensor {
  return tensor.grad as torch.Tensor;
}

function oneHot(labels: Values, { shape, data }: Values): Values {
  const classes = shape[1] as number;
  return new Values(
    data.map((_, i) => (i % classes === labels.data[Math.floor(i / classes)] ? 1 : 0)),
    shape,
  );
}
