// Random arguments that each loss takes: `specs[loss](random)` gives `{ args, options }`, whose tensors are described by
// `{ shape, from }` (real numbers, each made by `from`) or `{ shape, from, dtype }`.

/** Sizes at which vectors, unrolled loops and empty tensors have their edges. */
const sizes = [0, 1, 1, 2, 3, 5, 7, 8, 17, 33, 64];

/**
 * Makers of arguments from choices; `itemsize` is that of the dtype of real numbers. One case in `rarity` is larger than
 * the 2 MB from which on losses are computed in chunks.
 */
function specsOf(random, { rarity = 12 } = {}) {
  const { below, pick, chance, uniform } = random;
  const between = (low, high) => () => low + (high - low) * uniform();
  const sign = () => (chance(0.5) ? 1 : -1);
  const zeroOrOne = () => (chance(0.5) ? 1 : 0);
  const index = (classes) => () => below(Math.max(1, classes));

  let isLarge = false;
  let large = 0;
  /** Chooses the size of a case; 0 elements are refused by some losses, or give NaN. */
  const begin = (itemsize) => {
    isLarge = chance(1 / rarity);
    large = Math.ceil((2.2 * 2 ** 20) / itemsize) + below(1000);
  };
  const shape = () => {
    if (isLarge) return pick([[large], [Math.ceil(large / 7), 7], [17, Math.ceil(large / 17)]]);
    return Array.from({ length: 1 + below(3) }, () => pick(sizes));
  };
  const rows = () => {
    const columns = isLarge ? pick([10, 100, 1000, 1023]) : pick(sizes.filter((size) => size > 0));
    return [isLarge ? Math.ceil(large / columns) : pick(sizes), columns];
  };

  const real = (at, low, high) => ({ shape: at, from: between(low, high) });
  const optional = (make, p = 0.4) => (chance(p) ? make() : undefined);
  const weightOf = (at) => optional(() => real(at, 0.1, 2));
  const alike = (low, high, target, options = () => ({})) => {
    const at = shape();
    return { args: [real(at, low, high), { shape: at, from: target }], options: options(at) };
  };
  const three = (low, high, options) => {
    const at = rows();
    return { args: [real(at, low, high), real(at, low, high), real(at, low, high)], options };
  };
  const triplet = () => three(-1, 1, { margin: pick([0.5, 1, 2]), swap: chance(0.3) });

  /** Scores over classes, and indices or probabilities. */
  function classified(low, high, more) {
    const [count, classes] = rows();
    const more1 = isLarge || chance(0.6) ? [] : [pick([1, 2, 3])];
    const ignoreIndex = pick([-100, -100, 0, classes - 1]);
    const from = () => (chance(0.1) && ignoreIndex < 0 ? ignoreIndex : index(classes)());
    const target = { shape: [count, ...more1], from, dtype: 'int64' };
    return {
      args: [real([count, classes, ...more1], low, high), target],
      options: { weight: weightOf([classes]), ignoreIndex, ...more },
    };
  }

  const specs = {
    l1Loss: () => alike(-3, 3, between(-3, 3), (at) => ({ weight: weightOf(at) })),
    mseLoss: () => alike(-3, 3, between(-3, 3), (at) => ({ weight: weightOf(at) })),
    smoothL1Loss: () => alike(-3, 3, between(-3, 3), () => ({ beta: pick([0, 0.5, 1, 2]) })),
    huberLoss: () => alike(-3, 3, between(-3, 3), (at) => ({ delta: pick([0.5, 1, 2]), weight: weightOf(at) })),
    binaryCrossEntropy: () => alike(0.05, 0.95, between(0, 1), (at) => ({ weight: weightOf(at) })),
    binaryCrossEntropyWithLogits: () =>
      alike(-4, 4, between(0, 1), (at) => ({ weight: weightOf(at), posWeight: weightOf(at) })),
    klDiv: () => {
      const logTarget = chance(0.4);
      return alike(-4, 0, logTarget ? between(-4, 0) : between(0.05, 1), () => ({ logTarget }));
    },
    poissonNllLoss: () => {
      const logInput = chance(0.6);
      const options = () => ({ logInput, full: chance(0.4), eps: pick([1e-8, 1e-3]) });
      return alike(logInput ? -2 : 0.2, logInput ? 2 : 4, between(0, 4), options);
    },
    gaussianNllLoss: () => {
      const at = shape();
      const args = [real(at, -2, 2), real(at, -2, 2), real(at, 0.3, 2)];
      return { args, options: { full: chance(0.4), eps: pick([1e-6, 1e-3]) } };
    },
    hingeEmbeddingLoss: () => alike(-2, 2, sign, () => ({ margin: pick([0.5, 1, 2]) })),
    softMarginLoss: () => alike(-4, 4, sign),
    multiMarginLoss: () => {
      const [count, classes] = rows();
      const options = { p: pick([1, 2]), margin: pick([0.5, 1]), weight: weightOf([classes]) };
      return {
        args: [real([count, classes], -2, 2), { shape: [count], from: index(classes), dtype: 'int64' }],
        options,
      };
    },
    multilabelMarginLoss: () => {
      const [count, classes] = rows();
      const from = () => (chance(0.5) ? -1 : index(classes)());
      return { args: [real([count, classes], -2, 2), { shape: [count, classes], from, dtype: 'int64' }], options: {} };
    },
    multilabelSoftMarginLoss: () => {
      const at = rows();
      return { args: [real(at, -4, 4), { shape: at, from: zeroOrOne }], options: { weight: weightOf([at[1]]) } };
    },
    marginRankingLoss: () => {
      const at = shape();
      return {
        args: [real(at, -2, 2), real(at, -2, 2), { shape: at, from: sign }],
        options: { margin: pick([0, 0.5]) },
      };
    },
    cosineEmbeddingLoss: () => {
      // The gradient by few columns is what is left of terms that cancel.
      const [count, columns] = rows();
      const at = [count, columns + 4];
      const args = [real(at, -1, 1), real(at, -1, 1), { shape: [at[0]], from: sign }];
      return { args, options: { margin: pick([0, 0.3]) } };
    },
    tripletMarginLoss: () => {
      const { args, options } = triplet();
      return { args, options: { ...options, p: pick([1, 2, 3]) } };
    },
    tripletMarginWithDistanceLoss: triplet,
    crossEntropy: () => {
      const labelSmoothing = pick([0, 0, 0.1]);
      if (!chance(0.25)) return classified(-4, 4, { labelSmoothing });
      const at = rows();
      return { args: [real(at, -4, 4), real(at, 0, 1)], options: { labelSmoothing, weight: weightOf([at[1]]) } };
    },
    nllLoss: () => classified(-4, 0, {}),
    linearCrossEntropy: () => {
      const [count, features] = isLarge ? [Math.ceil(large / 256), 256] : [pick(sizes), 1 + below(9)];
      const classes = 1 + below(12);
      const args = [
        real([count, features], -1, 1),
        real([classes, features], -1, 1),
        { shape: [count], from: index(classes), dtype: 'int64' },
      ];
      return { args, options: { linearBias: weightOf([classes]), weight: weightOf([classes]) } };
    },
    ctcLoss: () => {
      const [steps, count, classes, labels] = [6 + below(8), 1 + below(4), 2 + below(6), 1 + below(3)];
      const args = [
        real([steps, count, classes], -4, 0),
        { shape: [count, labels], from: () => 1 + below(classes - 1), dtype: 'int64' },
        { shape: [count], from: () => steps - below(2), dtype: 'int64' },
        { shape: [count], from: () => 1 + below(labels), dtype: 'int64' },
      ];
      return { args, options: { zeroInfinity: chance(0.5) } };
    },
  };
  return { specs, begin, isLarge: () => isLarge };
}

module.exports = { specsOf };
