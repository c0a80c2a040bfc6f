/** Losses of classifiers: one class of many (cross entropy, likelihood), or yes and no (binary cross entropy). */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { logitOf, logSigmoidOf, logSoftmaxGradient, logSoftmaxOf, sigmoidOf } from './activations';
import { integer, type Options, oneOf, settle, within } from './check';
import { classRows, readClassIndices, readClassWeights, totalWeight } from './class-targets';
import { elementwise, expandTo, type Rows, sum } from './layout';
import { type ArraySource, holdsIntegers, NdArray, read, sameShape, shown } from './ndarray';
import { type Differentiable, reduced } from './reduction';

interface CrossEntropySettings {
  /** A weight for every class, shape `[C]`; 1 each by default. */
  weight: ArraySource | undefined;
  /** Targets that have this index count for nothing; -100 by default. Must be below 0 with class probabilities. */
  ignoreIndex: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
  /** The share ε of every target that is spread evenly over all classes, in [0, 1]; 0 by default. */
  labelSmoothing: number;
}

/** Options of {@link crossEntropy}. */
export type CrossEntropyOptions = Options<CrossEntropySettings>;

/** Gradients of {@link crossEntropy}; by `target` and `weight` where the target holds class probabilities. */
export interface CrossEntropyGradients {
  input: NdArray;
  target?: NdArray;
  /** Only if class weights were given. */
  weight?: NdArray;
}

const crossEntropyDefaults: CrossEntropySettings = Object.freeze({
  weight: undefined,
  ignoreIndex: -100,
  reduction: 'mean',
  labelSmoothing: 0,
});

/**
 * How badly scores predict the classes: the negative logarithm of the probability that their softmax gives the target.
 *
 * **Formula** with p = softmax(x) over the classes, weights w and label smoothing ε, for every target
 * - class index t: l = −(1 − ε) w_t log p_t − (ε / C) Σ_c w_c log p_c, and 0 if t is ignored;
 *   mean: Σ l / Σ w_t over the targets that are not ignored
 * - class probabilities q: l = −Σ_c w_c ((1 − ε) q_c + ε / C) log p_c; mean: Σ l / (number of targets)
 *
 * A mean over no targets, or over targets whose weights are all 0, is NaN.
 *
 * **Shapes** input `[C]`, `[N, C]` or `[N, C, d1…dk]`; target class indices `[]`, `[N]` or `[N, d1…dk]`, or class
 * probabilities in the shape of the input -> `[]`, or with reduction none the shape of the class indices
 * **Units** nats
 * **Gradient** (input; with class probabilities also target and weight) by x_c: p_c Σ_j m_j − m_c, m_c being the factor
 * of −log p_c in l; without weights and smoothing that is p_c − [c = t], or p_c − q_c for probabilities that sum to 1
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, a class index out of range, integers where class
 * probabilities would have to be, `labelSmoothing` outside [0, 1]; `UNKNOWN_OPTION`
 * **Source** `torch.nn.CrossEntropyLoss`, `aten::cross_entropy_loss`; label smoothing: Szegedy et al. 2015,
 * arXiv:1512.00567
 *
 * @example
 * const logits = [[1, 2, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4], [2, 1, 0.1, 0.5]];
 * crossEntropy(logits, [1, 3, 0]).item(); // 0.7837
 * crossEntropy([0, 0], [0.3, 0.7]).item(); // 0.693147
 * crossEntropy([0, 0], 1).backward().input.toArray(); // [0.5, -0.5]
 */
export function crossEntropy(
  input: ArraySource,
  target: ArraySource,
  options: CrossEntropyOptions = {},
): Differentiable<CrossEntropyGradients> {
  const op = 'crossEntropy';
  const settings = settle(op, options, crossEntropyDefaults);
  oneOf(op, "option 'reduction'", settings.reduction, reductions);
  integer(op, "option 'ignoreIndex'", settings.ignoreIndex);
  within(op, "option 'labelSmoothing'", settings.labelSmoothing, 0, 1);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  const rows = classRows(op, x);
  const weights = readClassWeights(op, settings.weight, rows.length);
  const scored = { rows, weights, logProbabilities: rows.map(logSoftmaxOf, x) };
  if (!sameShape(t.shape, x.shape)) return indexCrossEntropy(op, scored, t, settings);
  if (holdsIntegers(target)) {
    throw expected(op, "'target'", 'to hold class probabilities, as it has the shape of the input', 'integers');
  }
  if (settings.ignoreIndex >= 0) {
    const what = 'to be below 0, as class probabilities have nothing to ignore';
    throw expected(op, "option 'ignoreIndex'", what, show(settings.ignoreIndex));
  }
  return probabilityCrossEntropy(op, scored, t, settings);
}

/** Log-probabilities of the classes, how they lie in rows, and the weights of the classes. */
interface Scored {
  rows: Rows;
  weights: Float64Array;
  logProbabilities: NdArray;
}

function indexCrossEntropy(
  op: string,
  { rows, weights, logProbabilities }: Scored,
  target: NdArray,
  { ignoreIndex, labelSmoothing, reduction }: CrossEntropySettings,
): Differentiable<CrossEntropyGradients> {
  const indices = readClassIndices(op, target, rows, ignoreIndex, [logProbabilities.shape]);
  const kept = 1 - labelSmoothing;
  const spread = labelSmoothing / rows.length;
  const losses = NdArray.zeros(rows.shape);
  let likelihood = 0;
  for (const [row, t] of indices.entries()) {
    if (t === undefined) continue;
    const costs = rows.get(logProbabilities, row).map((logp, c) => -(weights[c] as number) * logp);
    const cost = costs[t] as number;
    likelihood += cost;
    // Without smoothing the other classes take no part: 0 times the infinite cost of an impossible class would be NaN.
    losses.data[row] = labelSmoothing === 0 ? cost : kept * cost + spread * sum(costs);
  }
  const total = totalWeight(indices, weights);
  // PyTorch takes the mean of the likelihood and that of the smoothing apart: 0 / 0 in the first makes the sum NaN.
  const divisor = total === 0 && likelihood === 0 ? Number.NaN : total;
  return reduced(op, losses, reduction, divisor, (upstream) => {
    const byLogProbabilities = NdArray.zeros(logProbabilities.shape);
    for (const [row, t] of indices.entries()) {
      if (t === undefined) continue;
      const shares = weights.map((_, c) => (c === t ? kept + spread : spread));
      rows.set(
        byLogProbabilities,
        row,
        weights.map((w, c) => -upstream.at(row) * w * (shares[c] as number)),
      );
    }
    return { input: rows.map(logSoftmaxGradient, logProbabilities, byLogProbabilities) };
  });
}

function probabilityCrossEntropy(
  op: string,
  { rows, weights, logProbabilities }: Scored,
  target: NdArray,
  { weight, labelSmoothing, reduction }: CrossEntropySettings,
): Differentiable<CrossEntropyGradients> {
  const w = rows.fill(() => weights);
  const smoothed = elementwise((q) => (1 - labelSmoothing) * q + labelSmoothing / rows.length, target);
  const losses = rows.sums(elementwise((w, q, logp) => -w * q * logp, w, smoothed, logProbabilities));
  // An input without elements has no targets, whatever its shape: 0 / 0 for `[3, 0]` too.
  const count = logProbabilities.size / rows.length;
  return reduced(op, losses, reduction, count, (upstream) => {
    const u = rows.repeat(upstream);
    const byLogProbabilities = elementwise((u, w, q) => -u * w * q, u, w, smoothed);
    const byTarget = elementwise((u, w, logp) => -u * w * (1 - labelSmoothing) * logp, u, w, logProbabilities);
    const byWeight = elementwise((u, q, logp) => -u * q * logp, u, smoothed, logProbabilities);
    return {
      input: rows.map(logSoftmaxGradient, logProbabilities, byLogProbabilities),
      target: byTarget,
      ...(weight !== undefined && { weight: rows.totals(byWeight) }),
    };
  });
}

interface NLLLossSettings {
  /** A weight for every class, shape `[C]`; 1 each by default. */
  weight: ArraySource | undefined;
  /** Targets that have this index count for nothing; -100 by default. */
  ignoreIndex: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link nllLoss}. */
export type NLLLossOptions = Options<NLLLossSettings>;

const nllLossDefaults: NLLLossSettings = Object.freeze({ weight: undefined, ignoreIndex: -100, reduction: 'mean' });

/**
 * The negative log-likelihood: what log-probabilities say against the target class. After {@link logSoftmax} it is
 * {@link crossEntropy}.
 *
 * **Formula** l = −w_t x_t for class index t, and 0 if t is ignored; mean: Σ l / Σ w_t over the targets that are not
 * ignored, NaN if there are none
 * **Shapes** input `[C]`, `[N, C]` or `[N, C, d1…dk]`; target `[]`, `[N]` or `[N, d1…dk]` -> `[]`, or with reduction
 * none the shape of the target
 * **Units** nats
 * **Gradient** (input) −w_t at the target's place, 0 elsewhere
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit or a class index out of range; `UNKNOWN_OPTION`
 * **Source** `torch.nn.NLLLoss`, `aten::nll_loss_nd`
 *
 * @example
 * const logProbabilities = logSoftmax([[1, 2, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4], [2, 1, 0.1, 0.5]], 1).value;
 * nllLoss(logProbabilities, [1, 3, 0]).item(); // 0.7837
 * nllLoss([-0.5, -1.5], 1).backward().input.toArray(); // [0, -1]
 */
export function nllLoss(
  input: ArraySource,
  target: ArraySource,
  options: NLLLossOptions = {},
): Differentiable<{ input: NdArray }> {
  const op = 'nllLoss';
  const { weight, ignoreIndex, reduction } = settle(op, options, nllLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  integer(op, "option 'ignoreIndex'", ignoreIndex);
  const x = read(op, "'input'", input);
  const rows = classRows(op, x);
  const weights = readClassWeights(op, weight, rows.length);
  const indices = readClassIndices(op, read(op, "'target'", target), rows, ignoreIndex);
  const losses = NdArray.zeros(rows.shape);
  for (const [row, t] of indices.entries()) {
    if (t !== undefined) losses.data[row] = -(weights[t] as number) * x.at(rows.position(row, t));
  }
  return reduced(op, losses, reduction, totalWeight(indices, weights), (upstream) => {
    const byInput = NdArray.zeros(x.shape);
    for (const [row, t] of indices.entries()) {
      if (t !== undefined) byInput.data[rows.position(row, t)] = -(weights[t] as number) * upstream.at(row);
    }
    return { input: byInput };
  });
}

interface BinaryCrossEntropySettings {
  /** A weight for every element; any shape that broadcasts to the input's. 1 each by default. */
  weight: ArraySource | undefined;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link binaryCrossEntropy}. */
export type BinaryCrossEntropyOptions = Options<BinaryCrossEntropySettings>;

const binaryCrossEntropyDefaults: BinaryCrossEntropySettings = Object.freeze({ weight: undefined, reduction: 'mean' });

/**
 * How badly probabilities of a yes predict yes (1), no (0) or a probability between.
 *
 * **Formula** l = −w (t log x + (1 − t) log(1 − x)), both logarithms cut off at −100; mean: over the elements
 *
 * **Shapes** input `[…]`, target the same, weight any that broadcasts to it -> `[]`, or with reduction none the input's
 * **Units** nats
 * **Gradient** (input) w (x − t) / max(x (1 − x), 1e-12), (target) −w logit(x). Neither knows the cut-off: at an exact
 * 0 or 1 the first is as steep as 1e12, the second infinite.
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, an input or a target outside [0, 1]; `UNKNOWN_OPTION`
 * **Source** `torch.nn.BCELoss`, `aten::binary_cross_entropy`
 *
 * @example
 * binaryCrossEntropy([0.5, 0.5], [0, 1]).item(); // 0.693147
 * binaryCrossEntropy([0, 1], [0, 0], { reduction: 'none' }).value.toArray(); // [0, 100]
 * binaryCrossEntropy([0.5], [1]).backward().input.toArray(); // [-2]
 */
export function binaryCrossEntropy(
  input: ArraySource,
  target: ArraySource,
  options: BinaryCrossEntropyOptions = {},
): Differentiable<{ input: NdArray; target: NdArray }> {
  const op = 'binaryCrossEntropy';
  const settings = settle(op, options, binaryCrossEntropyDefaults);
  oneOf(op, "option 'reduction'", settings.reduction, reductions);
  const x = readProbabilities(op, "'input'", input);
  const t = readProbabilities(op, "'target'", target);
  checkTargetShape(op, t, x);
  const w = readElementWeights(op, "option 'weight'", settings.weight, x);
  const losses = elementwise(
    (x, t, w) => w * ((t - 1) * Math.max(Math.log1p(-x), -100) - t * Math.max(Math.log(x), -100)),
    x,
    t,
    w,
  );
  return reduced(op, losses, settings.reduction, losses.size, (upstream) => ({
    input: elementwise((u, x, t, w) => (u * w * (x - t)) / Math.max(x * (1 - x), 1e-12), upstream, x, t, w),
    target: elementwise((u, x, w) => -u * w * logitOf(x), upstream, x, w),
  }));
}

interface BinaryCrossEntropyWithLogitsSettings extends BinaryCrossEntropySettings {
  /** What a yes counts against a no; any shape that broadcasts to the input's. 1 each by default. */
  posWeight: ArraySource | undefined;
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export type BinaryCrossEntropyWithLogitsOptions = Options<BinaryCrossEntropyWithLogitsSettings>;

const binaryCrossEntropyWithLogitsDefaults: BinaryCrossEntropyWithLogitsSettings = Object.freeze({
  weight: undefined,
  reduction: 'mean',
  posWeight: undefined,
});

/**
 * {@link binaryCrossEntropy} of {@link sigmoid}, from the log-odds themselves: exact where the sigmoid would round to 0
 * or 1.
 *
 * **Formula** l = −w (p t log σ(x) + (1 − t) log(1 − σ(x))) with p = posWeight; as log(1 − σ(x)) = log σ(x) − x this is
 * w ((1 − t) x − (1 + (p − 1) t) log σ(x)); mean: over the elements
 *
 * **Shapes** input `[…]`, target the same, weight and posWeight any that broadcast to it -> `[]`, or with reduction
 * none the input's
 * **Units** nats
 * **Gradient** (input) w ((1 + (p − 1) t) σ(x) − p t), (target) w (log σ(−x) − p log σ(x)), which is −w x for p = 1.
 * An infinite logit gives NaN, even where the loss tends to 0.
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`. Targets outside [0, 1] are taken.
 * **Source** `torch.nn.BCEWithLogitsLoss`, `aten::binary_cross_entropy_with_logits`
 *
 * @example
 * binaryCrossEntropyWithLogits([0, 0], [0, 1]).item(); // 0.693147
 * binaryCrossEntropyWithLogits([0], [1], { posWeight: 3 }).item(); // 2.079442
 * binaryCrossEntropyWithLogits([0], [1]).backward().input.toArray(); // [-0.5]
 */
export function binaryCrossEntropyWithLogits(
  input: ArraySource,
  target: ArraySource,
  options: BinaryCrossEntropyWithLogitsOptions = {},
): Differentiable<{ input: NdArray; target: NdArray }> {
  const op = 'binaryCrossEntropyWithLogits';
  const settings = settle(op, options, binaryCrossEntropyWithLogitsDefaults);
  oneOf(op, "option 'reduction'", settings.reduction, reductions);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  checkTargetShape(op, t, x);
  const w = readElementWeights(op, "option 'weight'", settings.weight, x);
  const p = readElementWeights(op, "option 'posWeight'", settings.posWeight, x);
  const losses = elementwise((x, t, w, p) => w * ((1 - t) * x - (1 + (p - 1) * t) * logSigmoidOf(x)), x, t, w, p);
  // For p = 1 the difference of logarithms is -x, which cancellation would spoil near 0.
  const targetSlope = (x: number, p: number): number => (p === 1 ? -x : logSigmoidOf(-x) - p * logSigmoidOf(x));
  return reduced(op, losses, settings.reduction, losses.size, (upstream) => ({
    input: elementwise((u, x, t, w, p) => u * w * ((1 + (p - 1) * t) * sigmoidOf(x) - p * t), upstream, x, t, w, p),
    target: elementwise((u, x, w, p) => u * w * targetSlope(x, p), upstream, x, w, p),
  }));
}

function checkTargetShape(op: string, target: NdArray, input: NdArray): void {
  if (sameShape(target.shape, input.shape)) return;
  throw expected(op, "'target'", `to have shape ${shown(input.shape)}`, shown(target.shape));
}

function readProbabilities(op: string, label: string, source: ArraySource): NdArray {
  const probabilities = read(op, label, source);
  for (const p of probabilities.data) {
    if (!(p >= 0 && p <= 1)) throw expected(op, label, 'to hold probabilities in [0, 1]', show(p));
  }
  return probabilities;
}

function readElementWeights(op: string, label: string, weight: ArraySource | undefined, input: NdArray): NdArray {
  if (weight === undefined) return NdArray.full(input.shape, 1);
  return expandTo(op, label, read(op, label, weight), input.shape);
}
