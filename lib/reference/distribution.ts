/** Losses between distributions, the entropy that ties them together, and likelihoods: KL(p‖q) = CE(p, q) − H(p). */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { logSoftmaxOf } from './activations';
import { boolean, number, type Options, oneOf, withDefaults } from './check';
import { checkBroadcast, elementwise, Rows } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown, sizeOf } from './ndarray';
import { pointwise } from './pointwise';
import { type Differentiable, differentiable } from './reduction';

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

/** Options of {@link klDiv}. @interface */
export type KLDivOptions = Options<KLDivSettings>;

const klDivDefaults: KLDivSettings = Object.freeze({ reduction: 'mean', logTarget: false });

/** The terms of the divergence, and their derivatives, for targets that are probabilities. */
const ofProbabilities = {
  loss: (x: number, t: number) => (t === 0 ? 0 : t * Math.log(t)) - t * x,
  slopes: {
    input: (_x: number, t: number) => -t,
    // t / t is 1, but for the NaN that the derivative of t log t has in PyTorch at 0.
    target: (x: number, t: number) => Math.log(t) + t / t - x,
  },
};

/** The same for targets that are log-probabilities. */
const ofLogProbabilities = {
  loss: (x: number, t: number) => Math.exp(t) * (t - x),
  slopes: {
    input: (_x: number, t: number) => -Math.exp(t),
    target: (x: number, t: number) => Math.exp(t) * (t - x + 1),
  },
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
  const { reduction, logTarget } = withDefaults(op, options, klDivDefaults);
  oneOf(op, "option 'reduction'", reduction, klDivReductions);
  boolean(op, "option 'logTarget'", logTarget);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  const shape = checkBroadcast(op, "'target'", x.shape, t.shape);
  const [kind, divisor] =
    reduction === 'batchmean' ? (['mean', x.shape[0] ?? 1] as const) : ([reduction, sizeOf(shape)] as const);
  return pointwise(op, { input: x, target: t }, kind, logTarget ? ofLogProbabilities : ofProbabilities, divisor);
}

interface PoissonNllLossSettings {
  /** True if the input is the logarithm of the rate; true by default. */
  logInput: boolean;
  /** True to add Stirling's approximation of log t!, which the target alone decides; false by default. */
  full: boolean;
  /** Added to the rate before its logarithm is taken, if the input is the rate itself; 1e-8 by default. */
  eps: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link poissonNllLoss}. @interface */
export type PoissonNllLossOptions = Options<PoissonNllLossSettings>;

const poissonNllLossDefaults: PoissonNllLossSettings = Object.freeze({
  logInput: true,
  full: false,
  eps: 1e-8,
  reduction: 'mean',
});

/**
 * The negative log-likelihood of counts that follow a Poisson distribution of a predicted rate.
 *
 * **Formula** logInput: l = exp(x) − t x; else l = x − t log(x + eps). full: + t log t − t + log(2π t) / 2 where t > 1.
 * mean: over the elements
 * **Shapes** input `[…]`, target any shape that broadcasts with it -> `[]`, or with reduction none the joint shape
 * **Units** nats, up to what the target alone adds
 * **Gradient** (input) exp(x) − t, else 1 − t / (x + eps); (target) −x, else −log(x + eps). full: + log t + 1 / 2t
 * where t > 1, and NaN where t <= 0, as PyTorch has it
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast; `UNKNOWN_OPTION`
 * **Source** `torch.nn.PoissonNLLLoss`, `aten::poisson_nll_loss`
 *
 * @example
 * poissonNllLoss([0], [3]).item(); // 1
 * poissonNllLoss([2], [3], { logInput: false, full: true }).item(); // 1.684640
 * poissonNllLoss([0], [3]).backward().input.toArray(); // [-2]
 */
export function poissonNllLoss(
  input: ArraySource,
  target: ArraySource,
  options: PoissonNllLossOptions = {},
): Differentiable<{ input: NdArray; target: NdArray }> {
  const op = 'poissonNllLoss';
  const { logInput, full, eps, reduction } = withDefaults(op, options, poissonNllLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  for (const [name, flag] of Object.entries({ logInput, full })) boolean(op, `option '${name}'`, flag);
  number(op, "option 'eps'", eps);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  checkBroadcast(op, "'target'", x.shape, t.shape);
  const rate = (x: number): number => (logInput ? Math.exp(x) : x);
  const logRate = (x: number): number => (logInput ? x : Math.log(x + eps));
  return pointwise(op, { input: x, target: t }, reduction, {
    loss: (x, t) => rate(x) - t * logRate(x) + (full && t > 1 ? stirling(t) : 0),
    slopes: {
      input: (x, t) => (logInput ? Math.exp(x) - t : 1 - t / (x + eps)),
      target: (x, t) => (full ? stirlingSlope(t) : 0) - logRate(x),
    },
  });
}

/** log t!, as Stirling approximates it. */
function stirling(t: number): number {
  return t * Math.log(t) - t + 0.5 * Math.log(2 * Math.PI * t);
}

/** Its derivative where t > 1. Below, 0 times it, which at 0 and for negative numbers is PyTorch's NaN. */
function stirlingSlope(t: number): number {
  return (t > 1 ? 1 : 0) * (Math.log(t) + 0.5 / t);
}

interface GaussianNllLossSettings {
  /** True to add log(2π) / 2, which makes the loss a likelihood; false by default. */
  full: boolean;
  /** Variances are taken for no less than this; 1e-6 by default. */
  eps: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link gaussianNllLoss}. @interface */
export type GaussianNllLossOptions = Options<GaussianNllLossSettings>;

const gaussianNllLossDefaults: GaussianNllLossSettings = Object.freeze({ full: false, eps: 1e-6, reduction: 'mean' });

/**
 * The negative log-likelihood of targets that follow a normal distribution of predicted mean and variance.
 *
 * **Formula** l = (log v + (x − t)² / v) / 2 with v = max(variance, eps); full: + log(2π) / 2; mean: over the elements
 *
 * **Shapes** input `[…]`; target any shape that broadcasts with it; variance a number for all, the input's shape, that
 * shape without its last axis, or with one axis of size 1 instead -> `[]`, or with reduction none the joint shape
 * **Units** nats
 * **Gradient** (input) (x − t) / v, (target) minus that, (variance) (1 / v − (x − t)² / v²) / 2, also where eps has
 * taken the place of the variance
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, a negative variance; `UNKNOWN_OPTION`
 * **Source** `torch.nn.GaussianNLLLoss`; Nix and Weigend 1994
 *
 * @example
 * gaussianNllLoss([1], [3], 4).item(); // 1.193147
 * gaussianNllLoss([0], [0], [1], { full: true }).item(); // 0.918939
 * gaussianNllLoss([1], [3], [4]).backward().input.toArray(); // [-0.5]
 */
export function gaussianNllLoss(
  input: ArraySource,
  target: ArraySource,
  variance: ArraySource,
  options: GaussianNllLossOptions = {},
): Differentiable<{ input: NdArray; target: NdArray; variance: NdArray }> {
  const op = 'gaussianNllLoss';
  const { full, eps, reduction } = withDefaults(op, options, gaussianNllLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  boolean(op, "option 'full'", full);
  number(op, "option 'eps'", eps);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  const given = read(op, "'variance'", variance);
  const s = typeof variance === 'number' ? given : alignVariance(op, given, x.shape);
  const negative = s.data.find((element) => element < 0);
  if (negative !== undefined) throw expected(op, "'variance'", 'to hold numbers >= 0', show(negative));
  const shape = checkBroadcast(op, "'variance'", x.shape, s.shape);
  checkBroadcast(op, "'target'", shape, t.shape);
  const v = (s: number): number => Math.max(s, eps);
  const constant = full ? 0.5 * Math.log(2 * Math.PI) : 0;
  const loss = pointwise(op, { input: x, target: t, variance: s }, reduction, {
    loss: (x, t, s) => 0.5 * (Math.log(v(s)) + (x - t) ** 2 / v(s)) + constant,
    slopes: {
      input: (x, t, s) => (x - t) / v(s),
      target: (x, t, s) => (t - x) / v(s),
      variance: (x, t, s) => 0.5 * (1 / v(s) - ((x - t) / v(s)) ** 2),
    },
  });
  return differentiable(op, loss.value, (upstream) => {
    const gradients = loss.backward(upstream);
    return { ...gradients, variance: new NdArray(gradients.variance.data, given.shape) };
  });
}

/** The variance with as many axes as the input: one a row gets an axis of size 1 at the end. */
function alignVariance(op: string, variance: NdArray, shape: readonly number[]): NdArray {
  if (sameShape(variance.shape, shape)) return variance;
  if (sameShape(variance.shape, shape.slice(0, -1))) return new NdArray(variance.data, [...variance.shape, 1]);
  const differing = variance.shape.filter((size, axis) => size !== shape[axis]);
  if (variance.shape.length === shape.length && sameShape(differing, [1])) return variance;
  const row = shape.length === 0 ? '' : `, ${shown(shape.slice(0, -1))}`;
  const what = `to be a number or have shape ${shown(shape)}${row} or one with a single axis of size 1 instead`;
  throw expected(op, "'variance'", what, shown(variance.shape));
}

interface EitherParameter {
  probs: ArraySource | undefined;
  logits: ArraySource | undefined;
}

const neitherParameter: EitherParameter = Object.freeze({ probs: undefined, logits: undefined });

/** A distribution over classes, along the last axis: probabilities, which are scaled to sum to 1, or scores. */
export type CategoricalParameters =
  | {
      /** Probabilities. */
      readonly probs: ArraySource;
    }
  | {
      /** Scores before the softmax. */
      readonly logits: ArraySource;
    };

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
  const { probs, logits } = withDefaults<EitherParameter>(op, parameters, neitherParameter);
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
