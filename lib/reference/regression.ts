/** Losses of regression: what the difference d = input − target costs. */
import { expected } from '../errors';
import { type Reduction, reductions } from '../types';
import { type Options, oneOf, positive, withDefaults, within } from './check';
import { checkBroadcast, elementwise, sum } from './layout';
import { type ArraySource, type NdArray, read, sameShape, shown } from './ndarray';
import { pointwise } from './pointwise';
import { type Differentiable, differentiable } from './reduction';

interface WeightedSettings {
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
  /** A weight for every element, in the shape of the input; 1 each by default. */
  weight: ArraySource | undefined;
}

const weightedDefaults: WeightedSettings = Object.freeze({ reduction: 'mean', weight: undefined });

/** Gradients of the losses of regression. */
export interface RegressionGradients {
  input: NdArray;
  target: NdArray;
  /** Only if weights were given. */
  weight?: NdArray;
}

/** The cost of a difference, and its derivative. */
interface Cost {
  readonly of: (d: number) => number;
  readonly slope: (d: number) => number;
}

// PyTorch's sign of NaN is 0, so that a missing number has a NaN loss but no gradient.
const absolute: Cost = { of: Math.abs, slope: (d) => (Number.isNaN(d) ? 0 : Math.sign(d)) };

const square: Cost = { of: (d) => d * d, slope: (d) => 2 * d };

/** Options of {@link l1Loss}. @interface */
export type L1LossOptions = Options<WeightedSettings>;

/**
 * The absolute error.
 *
 * **Formula** l = w |x − t|; mean: over the elements, or Σ l / Σ w where weights are given
 * **Shapes** input `[…]`, target any shape that broadcasts with it, weight the shape of the input -> `[]`, or with
 * reduction none the joint shape of input and target
 * **Units** those of the input
 * **Gradient** (input) w sign(x − t), 0 where they are equal; (target) minus that; (weight, if given) |x − t|, in a
 * mean less the mean itself, as its divisor grows too
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`
 * **Source** `torch.nn.L1Loss`, `aten::l1_loss`; weight: `torch.nn.functional.l1_loss`
 *
 * @example
 * l1Loss([1, 2, 4], [1, 0, 5]).item(); // 1
 * l1Loss([1, 2], [0, 0], { weight: [3, 1] }).item(); // 1.25
 * l1Loss([1, 2, 4], [1, 0, 5], { reduction: 'sum' }).backward().input.toArray(); // [0, 1, -1]
 */
export function l1Loss(
  input: ArraySource,
  target: ArraySource,
  options: L1LossOptions = {},
): Differentiable<RegressionGradients> {
  const op = 'l1Loss';
  return regressionLoss(op, input, target, withDefaults(op, options, weightedDefaults), absolute, meanOverWeights);
}

/** Options of {@link mseLoss}. @interface */
export type MSELossOptions = Options<WeightedSettings>;

/**
 * The squared error.
 *
 * **Formula** l = w (x − t)²; mean: over the elements, or Σ l / Σ w where weights are given
 * **Shapes** input `[…]`, target any shape that broadcasts with it, weight the shape of the input -> `[]`, or with
 * reduction none the joint shape of input and target
 * **Units** those of the input, squared
 * **Gradient** (input) 2 w (x − t), (target) minus that; (weight, if given) (x − t)², in a mean less the mean itself
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`
 * **Source** `torch.nn.MSELoss`, `aten::mse_loss`; weight: `torch.nn.functional.mse_loss`
 *
 * @example
 * mseLoss([1, 2, 4], [1, 0, 5], { reduction: 'none' }).value.toArray(); // [0, 4, 1]
 * mseLoss([3], [1]).backward().input.toArray(); // [4]
 */
export function mseLoss(
  input: ArraySource,
  target: ArraySource,
  options: MSELossOptions = {},
): Differentiable<RegressionGradients> {
  const op = 'mseLoss';
  return regressionLoss(op, input, target, withDefaults(op, options, weightedDefaults), square, meanOverWeights);
}

interface SmoothL1LossSettings {
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
  /** Where the square gives way to the absolute error, >= 0; 1 by default. 0 is {@link l1Loss}. */
  beta: number;
}

/** Options of {@link smoothL1Loss}. @interface */
export type SmoothL1LossOptions = Options<SmoothL1LossSettings>;

const smoothL1LossDefaults: SmoothL1LossSettings = Object.freeze({ reduction: 'mean', beta: 1 });

/**
 * The absolute error, rounded at its tip: a square as far as β, slope 1 from there on.
 *
 * **Formula** l = d² / 2β where |d| < β, else |d| − β / 2, with d = x − t; mean: over the elements
 * **Shapes** input `[…]`, target any shape that broadcasts with it -> `[]`, or with reduction none the joint shape
 * **Units** those of the input
 * **Gradient** (input) d / β where |d| < β, else sign(d); (target) minus that
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast, `beta` below 0 or NaN; `UNKNOWN_OPTION`
 * **Source** `torch.nn.SmoothL1Loss`, `aten::smooth_l1_loss`; Girshick 2015, arXiv:1504.08083
 *
 * @example
 * smoothL1Loss([0.5, 3], [0, 0], { reduction: 'none' }).value.toArray(); // [0.125, 2.5]
 * smoothL1Loss([0.5, 3], [0, 0], { reduction: 'sum' }).backward().input.toArray(); // [0.5, 1]
 */
export function smoothL1Loss(
  input: ArraySource,
  target: ArraySource,
  options: SmoothL1LossOptions = {},
): Differentiable<{ input: NdArray; target: NdArray }> {
  const op = 'smoothL1Loss';
  const { reduction, beta } = withDefaults(op, options, smoothL1LossDefaults);
  within(op, "option 'beta'", beta, 0, Number.POSITIVE_INFINITY);
  const rounded: Cost = {
    of: (d) => (Math.abs(d) < beta ? (0.5 * d * d) / beta : Math.abs(d) - 0.5 * beta),
    slope: (d) => (Math.abs(d) < beta ? d / beta : Math.sign(d)),
  };
  return regressionLoss(op, input, target, { reduction, weight: undefined }, beta === 0 ? absolute : rounded);
}

interface HuberLossSettings extends WeightedSettings {
  /** Where the square gives way to a line, > 0; 1 by default. */
  delta: number;
}

/** Options of {@link huberLoss}. @interface */
export type HuberLossOptions = Options<HuberLossSettings>;

const huberLossDefaults: HuberLossSettings = Object.freeze({ reduction: 'mean', delta: 1, weight: undefined });

/**
 * The squared error as far as δ, and the line that continues it: outliers pull no harder than δ.
 *
 * **Formula** l = w d² / 2 where |d| <= δ, else w δ (|d| − δ / 2), with d = x − t; mean: over the elements, whether
 * weights are given or not (unlike {@link l1Loss} and {@link mseLoss})
 * **Shapes** input `[…]`, target any shape that broadcasts with it, weight the shape of the input -> `[]`, or with
 * reduction none the joint shape of input and target
 * **Units** those of the input, squared
 * **Gradient** (input) w times d cut off at ±δ, (target) minus that, (weight, if given) the loss of weight 1
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, `delta` of 0 or below or NaN; `UNKNOWN_OPTION`
 * **Source** `torch.nn.HuberLoss`, `aten::huber_loss`; weight: `torch.nn.functional.huber_loss`; Huber 1964
 *
 * @example
 * huberLoss([0.5, 3], [0, 0], { delta: 2, reduction: 'none' }).value.toArray(); // [0.125, 4]
 * huberLoss([0.5, 3], [0, 0], { delta: 2, reduction: 'sum' }).backward().input.toArray(); // [0.5, 2]
 */
export function huberLoss(
  input: ArraySource,
  target: ArraySource,
  options: HuberLossOptions = {},
): Differentiable<RegressionGradients> {
  const op = 'huberLoss';
  const settings = withDefaults(op, options, huberLossDefaults);
  const delta = positive(op, "option 'delta'", settings.delta);
  const cutOff: Cost = {
    of: (d) => (Math.abs(d) <= delta ? 0.5 * d * d : delta * (Math.abs(d) - 0.5 * delta)),
    slope: (d) => Math.max(-delta, Math.min(d, delta)),
  };
  return regressionLoss(op, input, target, settings, cutOff);
}

const meanOverWeights = true;

/** A cost of x − t, weighted; its mean is over the elements unless it is said to be over the weights. */
function regressionLoss(
  op: string,
  input: ArraySource,
  target: ArraySource,
  { reduction, weight }: WeightedSettings,
  cost: Cost,
  overWeights = false,
): Differentiable<RegressionGradients> {
  oneOf(op, "option 'reduction'", reduction, reductions);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  checkBroadcast(op, "'target'", x.shape, t.shape);
  const ofInput = (x: number, t: number, w = 1): number => w * cost.slope(x - t);
  const formula = {
    loss: (x: number, t: number, w = 1) => w * cost.of(x - t),
    slopes: { input: ofInput, target: (x: number, t: number, w = 1) => -ofInput(x, t, w) },
  };
  if (weight === undefined) return pointwise(op, { input: x, target: t }, reduction, formula);
  const w = read(op, "option 'weight'", weight);
  if (!sameShape(w.shape, x.shape)) {
    throw expected(op, "option 'weight'", `to have shape ${shown(x.shape)}, as the input has`, shown(w.shape));
  }
  const slopes = { ...formula.slopes, weight: (x: number, t: number) => cost.of(x - t) };
  const total = overWeights ? sum(w.data) : undefined;
  const loss = pointwise(op, { input: x, target: t, weight: w }, reduction, { ...formula, slopes }, total);
  if (total === undefined || reduction !== 'mean') return loss;
  return differentiable(op, loss.value, (upstream) => {
    const gradients = loss.backward(upstream);
    // The quotient rule, as the mean L = S / W depends on a weight through W too: ∂L/∂w = (∂S/∂w − L) / W.
    const throughTotal = (upstream.item() * loss.item()) / total;
    return { ...gradients, weight: elementwise((byWeight) => byWeight - throughTotal, gradients.weight) };
  });
}
