/** Losses of classifiers that tell one class of many. */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { logSoftmaxGradient, logSoftmaxOf } from './activations';
import { integer, type Options, oneOf, withDefaults, within } from './check';
import { classRows, readClassIndices, readClassWeights, totalWeight } from './class-targets';
import { elementwise, type Rows, sum } from './layout';
import { type ArraySource, holdsIntegers, NdArray, read, sameShape } from './ndarray';
import { type Differentiable, reduced } from './reduction';

/** What {@link crossEntropy} can be told. */
export interface CrossEntropySettings {
  /** A weight for every class, shape `[C]`; 1 each by default. */
  weight: ArraySource | undefined;
  /** Targets that have this index count for nothing; -100 by default. Must be below 0 with class probabilities. */
  ignoreIndex: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
  /** The share ε of every target that is spread evenly over all classes, in [0, 1]; 0 by default. */
  labelSmoothing: number;
}

/** Options of {@link crossEntropy}. @interface */
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
  return crossEntropyOf(op, read(op, "'input'", input), target, withDefaults(op, options, crossEntropyDefaults));
}

/** {@link crossEntropy} in the name of `op`. */
export function crossEntropyOf(
  op: string,
  x: NdArray,
  target: ArraySource,
  settings: CrossEntropySettings,
): Differentiable<CrossEntropyGradients> {
  oneOf(op, "option 'reduction'", settings.reduction, reductions);
  integer(op, "option 'ignoreIndex'", settings.ignoreIndex);
  within(op, "option 'labelSmoothing'", settings.labelSmoothing, 0, 1);
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

/** Options of {@link nllLoss}. @interface */
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
  const { weight, ignoreIndex, reduction } = withDefaults(op, options, nllLossDefaults);
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
