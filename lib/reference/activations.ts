/** The functions between scores, probabilities and log-probabilities. */
import { type Options, withDefaults, within } from './check';
import { axisOf, elementwise, Rows, sum } from './layout';
import { type ArraySource, type NdArray, read } from './ndarray';
import { type Differentiable, differentiable } from './reduction';

/**
 * Probabilities from scores: positive numbers that sum to 1 along `dim`.
 *
 * **Formula** p_k = exp(x_k) / Σ_j exp(x_j)
 * **Shapes** input `[…]` -> the same
 * **Gradient** (input) ∂L/∂x_k = p_k (g_k − Σ_j g_j p_j), g being the gradient by p
 * **Errors** `INVALID_ARGUMENT` if `dim` is not an axis of `input`
 * **Source** `torch.softmax`
 *
 * @param dim the axis along which the probabilities sum to 1; negative ones count from the end
 * @example
 * softmax([[0, Math.log(3)]], 1).value.toArray(); // [[0.25, 0.75]]
 */
export function softmax(input: ArraySource, dim: number): Differentiable<{ input: NdArray }> {
  const op = 'softmax';
  const x = read(op, "'input'", input);
  const rows = new Rows(x.shape, axisOf(op, dim, x.shape));
  const p = rows.map((x) => logSoftmaxOf(x).map(Math.exp), x);
  return differentiable(op, p, (upstream) => ({
    input: rows.map(
      (p, g) => {
        const mean = sum(p.map((pk, k) => pk * (g[k] as number)));
        return p.map((pk, k) => pk * ((g[k] as number) - mean));
      },
      p,
      upstream,
    ),
  }));
}

/**
 * The logarithms of {@link softmax}, exact where the probabilities themselves would round to 0.
 *
 * **Formula** y_k = x_k − log Σ_j exp(x_j)
 * **Shapes** input `[…]` -> the same
 * **Gradient** (input) ∂L/∂x_k = g_k − exp(y_k) Σ_j g_j
 * **Errors** `INVALID_ARGUMENT` if `dim` is not an axis of `input`
 * **Source** `torch.log_softmax`
 *
 * @param dim the axis along which the probabilities sum to 1; negative ones count from the end
 * @example
 * logSoftmax([1000, 1000], 0).value.toArray(); // [-0.693147, -0.693147]
 */
export function logSoftmax(input: ArraySource, dim: number): Differentiable<{ input: NdArray }> {
  const op = 'logSoftmax';
  const x = read(op, "'input'", input);
  const rows = new Rows(x.shape, axisOf(op, dim, x.shape));
  const y = rows.map(logSoftmaxOf, x);
  return differentiable(op, y, (upstream) => ({ input: rows.map(logSoftmaxGradient, y, upstream) }));
}

/**
 * {@link logSoftmax} of one row. Subtracting the greatest score first changes nothing but keeps exp from overflowing:
 * log Σ exp(x_j) = m + log Σ exp(x_j − m).
 */
export function logSoftmaxOf(x: Float64Array): Float64Array {
  const greatest = x.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logSum = Math.log(sum(x.map((xk) => Math.exp(xk - greatest))));
  return x.map((xk) => xk - greatest - logSum);
}

/** The gradient by one row of scores, given the row of log-probabilities `y` and the gradient `g` by them. */
export function logSoftmaxGradient(y: Float64Array, g: Float64Array): Float64Array {
  const total = sum(g);
  return g.map((gk, k) => gk - Math.exp(y[k] as number) * total);
}

/**
 * The probability of a yes whose log-odds are x.
 *
 * **Formula** σ(x) = 1 / (1 + exp(−x))
 * **Shapes** input `[…]` -> the same
 * **Gradient** (input) ∂L/∂x = g σ(x) (1 − σ(x))
 * **Source** `torch.sigmoid`
 *
 * @example
 * sigmoid([0, Math.log(3)]).value.toArray(); // [0.5, 0.75]
 */
export function sigmoid(input: ArraySource): Differentiable<{ input: NdArray }> {
  const op = 'sigmoid';
  const p = elementwise(sigmoidOf, read(op, "'input'", input));
  return differentiable(op, p, (upstream) => ({ input: elementwise((p, g) => g * p * (1 - p), p, upstream) }));
}

/** {@link sigmoid} of one number. exp(−x) may overflow to infinity; the quotient is 0 then, which is right. */
export function sigmoidOf(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The logarithm of {@link sigmoidOf}, without forming the sigmoid: min(x, 0) − log(1 + exp(−|x|)). */
export function logSigmoidOf(x: number): number {
  return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
}

interface LogitSettings {
  /** Probabilities are moved into [eps, 1 − eps] first; in [0, 0.5]. Absent by default: they are taken as they are. */
  eps: number | undefined;
}

/** Options of {@link logit}. @interface */
export type LogitOptions = Options<LogitSettings>;

const logitDefaults: LogitSettings = Object.freeze({ eps: undefined });

/**
 * The log-odds of a probability; the inverse of {@link sigmoid}.
 *
 * **Formula** logit(p) = log(p / (1 − p)); ±infinity at 1 and 0, NaN outside [0, 1]
 * **Shapes** input `[…]` -> the same
 * **Gradient** (input) ∂L/∂p = g / (p (1 − p)); 0 where `eps` moved p, NaN outside [0, 1] without `eps`
 * **Errors** `INVALID_ARGUMENT` for `eps` outside [0, 0.5], `UNKNOWN_OPTION`
 * **Source** `torch.logit`
 *
 * @example
 * logit([0.5, 0.75]).value.toArray(); // [0, 1.098612]
 */
export function logit(input: ArraySource, options: LogitOptions = {}): Differentiable<{ input: NdArray }> {
  const op = 'logit';
  const { eps } = withDefaults(op, options, logitDefaults);
  if (eps !== undefined) within(op, "option 'eps'", eps, 0, 0.5);
  const p = read(op, "'input'", input);
  const low = eps ?? Number.NEGATIVE_INFINITY;
  const high = 1 - low;
  const y = elementwise((p) => logitOf(Math.min(Math.max(p, low), high)), p);
  const slope = (p: number): number => {
    if (eps === undefined && (p < 0 || p > 1)) return Number.NaN;
    return p < low || p > high ? 0 : 1 / (p * (1 - p));
  };
  return differentiable(op, y, (upstream) => ({ input: elementwise((p, g) => g * slope(p), p, upstream) }));
}

/** {@link logit} of one number. */
export function logitOf(p: number): number {
  return Math.log(p / (1 - p));
}
