/** Losses of classifiers that answer yes or no. */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { logitOf, logSigmoidOf, sigmoidOf } from './activations';
import { type Options, oneOf, withDefaults } from './check';
import { elementwise, expandTo } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown } from './ndarray';
import { type Differentiable, reduced } from './reduction';

interface BinaryCrossEntropySettings {
  /** A weight for every element; any shape that broadcasts to the input's. 1 each by default. */
  weight: ArraySource | undefined;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link binaryCrossEntropy}. @interface */
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
  const settings = withDefaults(op, options, binaryCrossEntropyDefaults);
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

/** Options of {@link binaryCrossEntropyWithLogits}. @interface */
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
  const settings = withDefaults(op, options, binaryCrossEntropyWithLogitsDefaults);
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
