/** Losses of scores that shall lie on the right side of a margin. */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { logSigmoidOf, sigmoidOf } from './activations';
import { number, type Options, oneOf, withDefaults } from './check';
import { readClassWeights } from './class-targets';
import { checkBroadcast, elementwise, expandTo, Rows, sum, sumTo } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown } from './ndarray';
import { pointwise } from './pointwise';
import { type Differentiable, reduced } from './reduction';

interface ReductionSettings {
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

const reductionDefaults: ReductionSettings = Object.freeze({ reduction: 'mean' });

interface HingeEmbeddingLossSettings extends ReductionSettings {
  /** The distance from which on a pair that differs costs nothing; 1 by default. */
  margin: number;
}

/** Options of {@link hingeEmbeddingLoss}. @interface */
export type HingeEmbeddingLossOptions = Options<HingeEmbeddingLossSettings>;

const hingeEmbeddingLossDefaults: HingeEmbeddingLossSettings = Object.freeze({ margin: 1, reduction: 'mean' });

/**
 * The distance of a pair that is alike (target 1), or what one that differs (target −1) lacks to the margin.
 *
 * **Formula** l = [t ≠ 1] max(0, margin − x) + [t ≠ −1] x; mean: over the elements. A target that is neither 1 nor −1
 * takes both parts.
 *
 * **Shapes** input `[…]`, target any shape that broadcasts with it -> `[]`, or with reduction none the joint shape
 * **Units** those of the input
 * **Gradient** (input) [t ≠ −1] − [t ≠ 1] [x <= margin]
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast; `UNKNOWN_OPTION`
 * **Source** `torch.nn.HingeEmbeddingLoss`, `aten::hinge_embedding_loss`
 *
 * @example
 * hingeEmbeddingLoss([0.25, 0.25, 3], [1, -1, -1], { reduction: 'none' }).value.toArray(); // [0.25, 0.75, 0]
 * hingeEmbeddingLoss([0.25, 0.25, 3], [1, -1, -1]).backward(3).input.toArray(); // [1, -1, 0]
 */
export function hingeEmbeddingLoss(
  input: ArraySource,
  target: ArraySource,
  options: HingeEmbeddingLossOptions = {},
): Differentiable<{ input: NdArray }> {
  const op = 'hingeEmbeddingLoss';
  const { margin, reduction } = withDefaults(op, options, hingeEmbeddingLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  number(op, "option 'margin'", margin);
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  checkBroadcast(op, "'target'", x.shape, t.shape);
  return pointwise(op, { input: x, target: t }, reduction, {
    loss: (x, t) => (t !== 1 ? Math.max(0, margin - x) : 0) + (t !== -1 ? x : 0),
    slopes: { input: (x, t) => (t !== 1 && margin - x >= 0 ? -1 : 0) + (t !== -1 ? 1 : 0) },
  });
}

/** Options of {@link softMarginLoss}. @interface */
export type SoftMarginLossOptions = Options<ReductionSettings>;

/**
 * The logistic loss: how badly the sign of a score predicts 1 or −1.
 *
 * **Formula** l = log(1 + exp(−t x)); mean: over the elements. As in PyTorch, infinite where exp(−t x) overflows.
 *
 * **Shapes** input `[…]`, target any shape that broadcasts to it -> `[]`, or with reduction none the input's
 * **Units** nats
 * **Gradient** (input) −t exp(−t x) / (1 + exp(−t x)), NaN where exp(−t x) overflows
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`
 * **Source** `torch.nn.SoftMarginLoss`, `aten::soft_margin_loss`
 *
 * @example
 * softMarginLoss([0, Math.log(3)], [1, -1], { reduction: 'none' }).value.toArray(); // [0.693147, 1.386294]
 * softMarginLoss([0], [-1]).backward().input.toArray(); // [0.5]
 */
export function softMarginLoss(
  input: ArraySource,
  target: ArraySource,
  options: SoftMarginLossOptions = {},
): Differentiable<{ input: NdArray }> {
  const op = 'softMarginLoss';
  const { reduction } = withDefaults(op, options, reductionDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  const x = read(op, "'input'", input);
  const t = expandTo(op, "'target'", read(op, "'target'", target), x.shape);
  return pointwise(op, { input: x, target: t }, reduction, {
    loss: (x, t) => Math.log1p(Math.exp(-t * x)),
    slopes: { input: (x, t) => (-t * Math.exp(-t * x)) / (1 + Math.exp(-t * x)) },
  });
}

interface MultiMarginLossSettings extends ReductionSettings {
  /** The power of the shortfalls, 1 or 2; 1 by default. */
  p: number;
  /** How far the target's score shall lie above each other one; 1 by default. */
  margin: number;
  /** A weight for every class, shape `[C]`; 1 each by default. */
  weight: ArraySource | undefined;
}

/** Options of {@link multiMarginLoss}. @interface */
export type MultiMarginLossOptions = Options<MultiMarginLossSettings>;

const multiMarginLossDefaults: MultiMarginLossSettings = Object.freeze({
  p: 1,
  margin: 1,
  weight: undefined,
  reduction: 'mean',
});

/**
 * What the target class lacks to lie a margin above every other class.
 *
 * **Formula** l = (w_t / C) Σ_{c ≠ t} max(0, z_c)^p with z_c = margin − x_t + x_c; mean: over the rows. A score that is
 * NaN costs nothing.
 *
 * **Shapes** input `[]`, `[C]` or `[N, C]` with C > 0; target `[]`, or `[N]` (`[1]` for one row) -> `[]`, or with
 * reduction none the shape of the target
 * **Units** those of the input, to the power p
 * **Gradient** (input) by x_c: p w_t z_c^(p − 1) / C where z_c > 0, else 0; by x_t minus the sum of these
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, no classes, a class index out of range, a `p` other than
 * 1 and 2; `UNKNOWN_OPTION`. The mean over no rows is NaN, the sum 0, where PyTorch's are uninitialised memory.
 * **Source** `torch.nn.MultiMarginLoss`, `aten::multi_margin_loss`
 *
 * @example
 * multiMarginLoss([[0.5, 0, 0.25, -2]], [0]).item(); // 0.3125
 * multiMarginLoss([[0.5, 0, 0.25, -2]], [0]).backward().input.toArray(); // [[-0.5, 0.25, 0.25, 0]]
 */
export function multiMarginLoss(
  input: ArraySource,
  target: ArraySource,
  options: MultiMarginLossOptions = {},
): Differentiable<{ input: NdArray }> {
  const op = 'multiMarginLoss';
  const { p, margin, weight, reduction } = withDefaults(op, options, multiMarginLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  if (p !== 1 && p !== 2) throw expected(op, "option 'p'", 'to be 1 or 2', show(p));
  number(op, "option 'margin'", margin);
  const x = read(op, "'input'", input);
  const rows = vectorsOf(op, x);
  const classes = rows.length;
  const w = readClassWeights(op, weight, classes);
  const t = read(op, "'target'", target);
  if (t.shape.length > 1 || t.size !== rows.count) {
    const shapes = rows.count === 1 ? '[] or [1]' : `[${rows.count}]`;
    throw expected(op, "'target'", `to have shape ${shapes}`, shown(t.shape));
  }
  checkLabels(op, t, 0, classes);
  /** What the target's score lacks to lie a margin above that of class c. */
  const shortfall = (row: Float64Array, target: number, c: number): number => {
    const z = margin - (row[target] as number) + (row[c] as number);
    return c !== target && z > 0 ? z : 0;
  };
  const losses = NdArray.zeros(t.shape);
  for (const [n, target] of t.data.entries()) {
    const row = rows.get(x, n);
    let total = 0;
    for (let c = 0; c < classes; c++) total += (w[target] as number) * shortfall(row, target, c) ** p;
    losses.data[n] = total / classes;
  }
  return reduced(op, losses, reduction, losses.size, (upstream) => {
    const byInput = NdArray.zeros(x.shape);
    for (const [n, target] of t.data.entries()) {
      const row = rows.get(x, n);
      const slopes = row.map((_, c) => {
        const z = shortfall(row, target, c);
        return z > 0 ? (upstream.at(n) * (w[target] as number) * p * z ** (p - 1)) / classes : 0;
      });
      slopes[target] = -sum(slopes);
      rows.set(byInput, n, slopes);
    }
    return { input: byInput };
  });
}

/** Options of {@link multilabelMarginLoss}. @interface */
export type MultilabelMarginLossOptions = Options<ReductionSettings>;

/**
 * What the classes of a row's labels lack to lie 1 above every class that is none of its labels.
 *
 * **Formula** l = (1 / C) Σ_j Σ_{c no label} max(0, 1 − x_{t_j} + x_c), j over the labels before the first −1; mean:
 * over the rows. A label that stands there twice counts twice.
 *
 * **Shapes** input `[]`, `[C]` or `[N, C]` with C > 0; target the same, filled up with −1 -> `[]`, or with reduction
 * none and `[N, C]` `[N]`
 * **Units** those of the input
 * **Gradient** (input) 1 / C by x_c and −1 / C by x_{t_j} for every pair that costs
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, no classes, a label outside [−1, C), behind a −1 too;
 * `UNKNOWN_OPTION`. The mean over no rows is NaN, the sum 0, where PyTorch's are uninitialised memory.
 * **Source** `torch.nn.MultiLabelMarginLoss`, `aten::multilabel_margin_loss`
 *
 * @example
 * multilabelMarginLoss([[0.5, 0.25, 1, 0]], [[2, 0, -1, -1]]).item(); // 0.375
 * multilabelMarginLoss([[0.5, 0.25, 1, 0]], [[2, 0, -1, -1]]).backward(4).input.toArray(); // [[-2, 2, -1, 1]]
 */
export function multilabelMarginLoss(
  input: ArraySource,
  target: ArraySource,
  options: MultilabelMarginLossOptions = {},
): Differentiable<{ input: NdArray }> {
  const op = 'multilabelMarginLoss';
  const { reduction } = withDefaults(op, options, reductionDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  const x = read(op, "'input'", input);
  const rows = vectorsOf(op, x);
  const t = read(op, "'target'", target);
  const fits = x.shape.length === 2 ? sameShape(t.shape, x.shape) : t.shape.length < 2 && t.size === rows.length;
  if (!fits) throw expected(op, "'target'", `to have shape ${shown(x.shape)}`, shown(t.shape));
  checkLabels(op, t, -1, rows.length);
  /** Calls `visit` for every pair of a label and a class that is none, with what the first lacks, where it does. */
  const forEachShortfall = (n: number, visit: (label: number, c: number, z: number) => void): void => {
    const [row, padded] = [rows.get(x, n), rows.get(t, n)];
    const labels = padded.includes(-1) ? padded.subarray(0, padded.indexOf(-1)) : padded;
    for (const label of labels) {
      for (const [c, score] of row.entries()) {
        const z = 1 - (row[label] as number) + score;
        if (!labels.includes(c) && z > 0) visit(label, c, z);
      }
    }
  };
  const losses = NdArray.zeros(rows.shape);
  for (let n = 0; n < rows.count; n++) {
    let total = 0;
    forEachShortfall(n, (_label, _c, z) => {
      total += z;
    });
    losses.data[n] = total / rows.length;
  }
  return reduced(op, losses, reduction, losses.size, (upstream) => {
    const byInput = NdArray.zeros(x.shape);
    for (let n = 0; n < rows.count; n++) {
      const slopes = new Float64Array(rows.length);
      forEachShortfall(n, (label, c) => {
        slopes[label] = (slopes[label] as number) - upstream.at(n) / rows.length;
        slopes[c] = (slopes[c] as number) + upstream.at(n) / rows.length;
      });
      rows.set(byInput, n, slopes);
    }
    return { input: byInput };
  });
}

interface MultilabelSoftMarginLossSettings extends ReductionSettings {
  /** A weight for every class, or any shape that broadcasts with the input's; 1 each by default. */
  weight: ArraySource | undefined;
}

/** Options of {@link multilabelSoftMarginLoss}. @interface */
export type MultilabelSoftMarginLossOptions = Options<MultilabelSoftMarginLossSettings>;

const multilabelSoftMarginLossDefaults: MultilabelSoftMarginLossSettings = Object.freeze({
  weight: undefined,
  reduction: 'mean',
});

/** Gradients of {@link multilabelSoftMarginLoss}. */
export interface MultilabelSoftMarginGradients {
  input: NdArray;
  target: NdArray;
  /** Only if weights were given. */
  weight?: NdArray;
}

/**
 * The mean over the classes of {@link binaryCrossEntropyWithLogits}: a yes or no for each class.
 *
 * **Formula** l = −(1 / C) Σ_c w_c (t_c log σ(x_c) + (1 − t_c) log σ(−x_c)); mean: over the rows
 * **Shapes** input `[…, C]`, target and weight any that broadcast with it -> `[]`, or with reduction none `[…]`
 * **Units** nats
 * **Gradient** (input) w ((1 − t) σ(x) − t σ(−x)) / C, which is w (σ(x) − t) / C; (target) −w x / C; (weight, if given)
 * the loss of weight 1, over C
 * **Errors** `INVALID_ARGUMENT` for an input without axes, shapes that do not broadcast; `UNKNOWN_OPTION`
 * **Source** `torch.nn.MultiLabelSoftMarginLoss`
 *
 * @example
 * multilabelSoftMarginLoss([[0, 0]], [[1, 0]]).item(); // 0.693147
 * multilabelSoftMarginLoss([[0, 0]], [[1, 0]]).backward().input.toArray(); // [[-0.25, 0.25]]
 */
export function multilabelSoftMarginLoss(
  input: ArraySource,
  target: ArraySource,
  options: MultilabelSoftMarginLossOptions = {},
): Differentiable<MultilabelSoftMarginGradients> {
  const op = 'multilabelSoftMarginLoss';
  const { weight, reduction } = withDefaults(op, options, multilabelSoftMarginLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  const x = read(op, "'input'", input);
  const classes = x.shape.at(-1);
  if (classes === undefined) throw expected(op, "'input'", 'to have at least 1 dimension', 'shape []');
  const t = read(op, "'target'", target);
  const w = weight === undefined ? NdArray.full([], 1) : read(op, "option 'weight'", weight);
  const shape = checkBroadcast(op, "'target'", x.shape, t.shape);
  const joint = checkBroadcast(op, "option 'weight'", shape, w.shape);
  // The class axis is counted by the input, as in PyTorch: a target of more axes than it moves another into its place.
  const rows = new Rows(joint, x.shape.length - 1);
  const cost = (x: number, t: number): number => -(t * logSigmoidOf(x) + (1 - t) * logSigmoidOf(-x));
  const losses = rows.reduce(
    (costs) => sum(costs) / classes,
    elementwise((x, t, w) => w * cost(x, t), x, t, w),
  );
  return reduced(op, losses, reduction, losses.size, (upstream) => {
    const u = rows.repeat(elementwise((u) => u / classes, upstream));
    const slope = (x: number, t: number): number => (1 - t) * sigmoidOf(x) - t * sigmoidOf(-x);
    return {
      input: sumTo(
        elementwise((u, x, t, w) => u * w * slope(x, t), u, x, t, w),
        x.shape,
      ),
      target: sumTo(
        elementwise((u, x, w) => -u * w * x, u, x, w),
        t.shape,
      ),
      ...(weight !== undefined && {
        weight: sumTo(
          elementwise((u, x, t) => u * cost(x, t), u, x, t),
          w.shape,
        ),
      }),
    };
  });
}

/** The rows of `[N, C]`, or the only one of `[C]` or `[]`. */
function vectorsOf(op: string, input: NdArray): Rows {
  const axis = Math.max(0, input.shape.length - 1);
  if (input.shape.length <= 2 && input.shape[axis] !== 0) return new Rows(input.shape, axis);
  throw expected(op, "'input'", 'to have shape [C] or [N, C] with C > 0', shown(input.shape));
}

function checkLabels(op: string, target: NdArray, low: number, classes: number): void {
  for (const label of target.data) {
    if (Number.isInteger(label) && label >= low && label < classes) continue;
    throw expected(op, "'target'", `to hold class indices in [${low}, ${classes - 1}]`, show(label));
  }
}
