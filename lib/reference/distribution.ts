/** Losses between distributions, and the entropy that ties them together: KL(p‖q) = CE(p, q) − H(p). */
import { expected, show } from '../errors';
import { reductions } from '../types';
import { logSoftmaxOf } from './activations';
import { boolean, type Options, oneOf, settle } from './check';
import { checkBroadcast, elementwise, Rows, sumTo } from './layout';
import { type ArraySource, type NdArray, read } from './ndarray';
import { type Differentiable, differentiable, reduced } from './reduction';

/** The reductions of {@link klDiv}: `'batchmean'` divides by the number of rows, which is the divergence's own mean. */
export const klDivReductions = [...reductions, 'batchmean'] as const;

/** `'none'`, `'mean'`, `'sum'` or `'batchmean'`. */
export type KLDivReduction = (typeof klDivReductions)[number];

interface KLDivSettings {
  /** `'none'`, `'mean'` (the default: over the elements), `'sum'` or `'batchmean'` (over the input's first size). */
  reduction: KLDivReduction;
  /** True if the target holds log-probabilities too; false by default. */
  logTarget: boolean;
}

/** Options of {@link klDiv}. */
export type KLDivOptions = Options<KLDivSettings>;

const klDivDefaults: KLDivSettings = Object.freeze({ reduction: 'mean', logTarget: false });

/** The terms of the divergence, and their derivatives, for targets that are probabilities. */
const ofProbabilities = {
  loss: (x: number, t: number) => (t === 0 ? 0 : t * Math.log(t)) - t * x,
  byInput: (_x: number, t: number) => -t,
  // t / t is 1, but for the NaN that the derivative of t log t has in PyTorch at 0.
  byTarget: (x: number, t: number) => Math.log(t) + t / t - x,
};

/** The same for targets that are log-probabilities. */
const ofLogProbabilities = {
  loss: (x: number, t: number) => Math.exp(t) * (t - x),
  byInput: (_x: number, t: number) => -Math.exp(t),
  byTarget: (x: number, t: number) => Math.exp(t) * (t - x + 1),
};

/**
 * The Kullback-Leibler divergence: the nats lost by coding for distribution q, whose logarithm is the input, what
 * follows the target distribution p.
 *
 * **Formula** l = t (log t − x), with 0 log 0 = 0; logTarget: l = exp(t) (t − x). mean: over the elements;
 * batchmean: Σ l / N, N being the first size of the input (1 for a single number)
 * **Shapes** input `[…]`, target any shape that broadcasts with it -> `[]`, or with reduction none the joint shape
 * **Units** nats
 * **Gradient** (input) −t; logTarget: −exp(t). (target) log t + 1 − x, NaN where t is 0, as PyTorch has it;
 * logTarget: exp(t) (t − x + 1). Summed over the axes that were broadcast.
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast; `UNKNOWN_OPTION`. A negative target gives NaN.
 * **Source** `torch.nn.KLDivLoss`, `aten::kl_div`
 *
 * @example
 * klDiv([[Math.log(0.5), Math.log(0.5)]], [[0.25, 0.75]], { reduction: 'batchmean' }).item(); // 0.130812
 * klDiv([Math.log(0.25)], [0]).item(); // 0
 */
export function klDiv(
  input: ArraySource,
  target: ArraySource,
  options: KLDivOptions = {},
): Differentiable<{ input: NdArray; target: NdArray }> {
  const op = 'klDiv';
  const { reduction, logTarget } = settle(op, options, klDivDefaults);
  oneOf(op, "option 'reduction'", reduction, klDivReductions);
  boolean(op, "option 'logTarget'", logTarget);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  checkBroadcast(op, "'target'", x.shape, t.shape);
  const divergence = logTarget ? ofLogProbabilities : ofProbabilities;
  const losses = elementwise(divergence.loss, x, t);
  const [kind, divisor] =
    reduction === 'batchmean' ? (['mean', x.shape[0] ?? 1] as const) : ([reduction, losses.size] as const);
  return reduced(op, losses, kind, divisor, (upstream) => ({
    input: sumTo(
      elementwise((u, x, t) => u * divergence.byInput(x, t), upstream, x, t),
      x.shape,
    ),
    target: sumTo(
      elementwise((u, x, t) => u * divergence.byTarget(x, t), upstream, x, t),
      t.shape,
    ),
  }));
}

interface EitherParameter {
  probs: ArraySource | undefined;
  logits: ArraySource | undefined;
}

const neitherParameter: EitherParameter = Object.freeze({ probs: undefined, logits: undefined });

/** A distribution over classes, along the last axis: probabilities, which are scaled to sum to 1, or scores. */
export type CategoricalParameters = { readonly probs: ArraySource } | { readonly logits: ArraySource };

/** The logarithms of probabilities are taken within [2^-52, 1 − 2^-52], the resolution of float64, as PyTorch does. */
const resolution = 2 ** -52;

/**
 * The entropy of a categorical distribution: the nats that its outcomes take to tell.
 *
 * **Formula** H = −Σ_k p_k log p_k with 0 log 0 = 0; p_k = s_k / Σ_j s_j for `probs` s, p = softmax(z) for `logits` z
 * **Shapes** probs or logits `[…, C]` -> `[…]`
 * **Units** nats
 * **Gradient** (probs) −(log p_k + H) / Σ_j s_j, (logits) −p_k (log p_k + H)
 * **Errors** `INVALID_ARGUMENT` unless exactly one of `probs` and `logits` is given, with at least one axis; for
 * probabilities that are negative or sum to 0, and scores whose softmax is NaN
 * **Source** `torch.distributions.Categorical(…).entropy()`
 *
 * @example
 * categoricalEntropy({ probs: [0.5, 0.5] }).item(); // 0.693147
 * categoricalEntropy({ logits: [[0, 0, 0, 0]] }).value.toArray(); // [1.386294]
 */
export function categoricalEntropy(parameters: { readonly probs: ArraySource }): Differentiable<{ probs: NdArray }>;
export function categoricalEntropy(parameters: { readonly logits: ArraySource }): Differentiable<{ logits: NdArray }>;
export function categoricalEntropy(
  parameters: CategoricalParameters,
): Differentiable<{ probs: NdArray } | { logits: NdArray }> {
  const op = 'categoricalEntropy';
  const { probs, logits } = settle<EitherParameter>(op, parameters, neitherParameter);
  if (probs !== undefined && logits === undefined) return entropyOfProbabilities(op, probs);
  if (logits !== undefined && probs === undefined) return entropyOfScores(op, logits);
  throw expected(op, "'parameters'", "to have either 'probs' or 'logits'", probs === undefined ? 'neither' : 'both');
}

function entropyOfProbabilities(op: string, source: ArraySource): Differentiable<{ probs: NdArray }> {
  const s = read(op, "'probs'", source);
  const rows = categoryRows(op, "'probs'", s);
  const totals = rows.sums(s);
  for (const values of [s.data.map((sk) => (sk >= 0 ? 1 : sk)), totals.data]) {
    const wrong = values.find((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
    if (wrong !== undefined) throw expected(op, "'probs'", 'to be numbers >= 0 with a finite sum > 0', show(wrong));
  }
  const p = elementwise((s, total) => s / total, s, rows.repeat(totals));
  const entropies = rows.sums(elementwise((p) => -p * cutLog(p), p));
  return differentiable(op, entropies, (upstream) => {
    // d(−p log p)/dp, without the 1 where the logarithm is cut off and so constant.
    const slopes = elementwise((p) => -cutLog(p) - (isCut(p) ? 0 : 1), p);
    const means = rows.sums(elementwise((p, slope) => p * slope, p, slopes));
    const repeated = [upstream, means, totals].map((array) => rows.repeat(array));
    return { probs: elementwise((slope, u, mean, total) => (u * (slope - mean)) / total, slopes, ...repeated) };
  });
}

function entropyOfScores(op: string, source: ArraySource): Differentiable<{ logits: NdArray }> {
  const z = read(op, "'logits'", source);
  const rows = categoryRows(op, "'logits'", z);
  const logp = rows.map(logSoftmaxOf, z);
  if (logp.data.some(Number.isNaN)) {
    throw expected(op, "'logits'", 'to have a softmax that is not NaN', 'NaN or too many infinities');
  }
  // An impossible class has log-probability -infinity; the greatest finite one makes it count for 0 instead of NaN.
  const log = elementwise((logp) => Math.max(logp, -Number.MAX_VALUE), logp);
  const entropies = rows.sums(elementwise((log) => -Math.exp(log) * log, log));
  return differentiable(op, entropies, (upstream) => ({
    logits: elementwise(
      (u, h, log) => -u * Math.exp(log) * (log + h),
      rows.repeat(upstream),
      rows.repeat(entropies),
      log,
    ),
  }));
}

function isCut(p: number): boolean {
  return p < resolution || p > 1 - resolution;
}

function cutLog(p: number): number {
  return Math.log(Math.min(Math.max(p, resolution), 1 - resolution));
}

function categoryRows(op: string, label: string, array: NdArray): Rows {
  if (array.shape.length === 0) throw expected(op, label, 'to have at least 1 dimension', 'shape []');
  return new Rows(array.shape, array.shape.length - 1);
}
