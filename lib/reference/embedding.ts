/** Losses of embeddings: which of two shall rank first, lie closer, or point the same way. */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { boolean, number, type Options, oneOf, positive, withDefaults } from './check';
import { type DistanceFunction, pairwiseDistance } from './distance';
import { checkBroadcast, elementwise, Rows, sumTo } from './layout';
import { type ArraySource, NdArray, read, shown } from './ndarray';
import { pointwise } from './pointwise';
import { type Differentiable, reduced } from './reduction';

interface MarginSettings {
  /** How far apart the right order or the wrong pair shall lie; 0 by default. */
  margin: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

const marginDefaults: MarginSettings = Object.freeze({ margin: 0, reduction: 'mean' });

/** Options of {@link marginRankingLoss}. @interface */
export type MarginRankingLossOptions = Options<MarginSettings>;

/**
 * What the first input lacks to rank a margin above the second (target 1) or below it (target −1).
 *
 * **Formula** l = max(0, margin − t (x1 − x2)); mean: over the elements
 * **Shapes** input1 `[…]`, input2 and target any of as many axes that broadcast with it -> `[]`, or with reduction none
 * the joint shape
 * **Units** those of the inputs
 * **Gradient** where margin − t (x1 − x2) >= 0, else 0: (input1) −t, (input2) t, (target) x2 − x1
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`. Any number is taken for a target.
 * **Source** `torch.nn.MarginRankingLoss`, `aten::margin_ranking_loss`
 *
 * @example
 * marginRankingLoss([3, 3], [1, 1], [1, -1], { margin: 0.5, reduction: 'none' }).value.toArray(); // [0, 2.5]
 * marginRankingLoss([3], [1], [-1]).backward().input1.toArray(); // [1]
 */
export function marginRankingLoss(
  input1: ArraySource,
  input2: ArraySource,
  target: ArraySource,
  options: MarginRankingLossOptions = {},
): Differentiable<{ input1: NdArray; input2: NdArray; target: NdArray }> {
  const op = 'marginRankingLoss';
  const { margin, reduction } = withDefaults(op, options, marginDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  number(op, "option 'margin'", margin);
  const x1 = read(op, "'input1'", input1);
  const x2 = read(op, "'input2'", input2);
  const t = read(op, "'target'", target);
  checkSameAxes(op, { input1: x1, input2: x2, target: t });
  const shape = checkBroadcast(op, "'input2'", x1.shape, x2.shape);
  checkBroadcast(op, "'target'", shape, t.shape);
  const active = (x1: number, x2: number, t: number): number => (margin - t * (x1 - x2) >= 0 ? 1 : 0);
  return pointwise(op, { input1: x1, input2: x2, target: t }, reduction, {
    loss: (x1, x2, t) => Math.max(0, margin - t * (x1 - x2)),
    slopes: {
      input1: (x1, x2, t) => -t * active(x1, x2, t),
      input2: (x1, x2, t) => t * active(x1, x2, t),
      target: (x1, x2, t) => (x2 - x1) * active(x1, x2, t),
    },
  });
}

/** Options of {@link cosineEmbeddingLoss}. @interface */
export type CosineEmbeddingLossOptions = Options<MarginSettings>;

/** Keeps the cosine of a vector of zeros finite. PyTorch's constant is a float32, and so a little less than 1e-12. */
const leastSquare = Math.fround(1e-12);

/**
 * The cosine by which a pair that is alike (target 1) misses 1, or one that differs (target −1) exceeds the margin.
 *
 * **Formula** with cos = Σ_k x1_k x2_k / √((Σ_k x1_k² + 1e-12) (Σ_k x2_k² + 1e-12)): l = 1 − cos for t = 1,
 * max(0, cos − margin) for t = −1, else 0; mean: over the pairs
 * **Shapes** inputs `[D]`, target `[]`; or inputs `[N, D]`, target `[N]`, sizes that broadcast -> `[]`, or with
 * reduction none `[N]`
 * **Gradient** (input1) x2 / √(q1 q2) − cos x1 / q1, q being the sums above, times −1 for t = 1, and 1 for t = −1 where
 * cos >= margin; (input2) likewise
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit; `UNKNOWN_OPTION`
 * **Source** `torch.nn.CosineEmbeddingLoss`, `aten::cosine_embedding_loss`
 *
 * @example
 * cosineEmbeddingLoss([[3, 4]], [[4, 3]], [1]).item(); // 0.0400
 * cosineEmbeddingLoss([3, 4], [4, 3], -1, { margin: 0.5 }).item(); // 0.4600
 */
export function cosineEmbeddingLoss(
  input1: ArraySource,
  input2: ArraySource,
  target: ArraySource,
  options: CosineEmbeddingLossOptions = {},
): Differentiable<{ input1: NdArray; input2: NdArray }> {
  const op = 'cosineEmbeddingLoss';
  const { margin, reduction } = withDefaults(op, options, marginDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  number(op, "option 'margin'", margin);
  const [x1, x2] = [read(op, "'input1'", input1), read(op, "'input2'", input2)];
  const t = read(op, "'target'", target);
  if (t.shape.length > 1) throw expected(op, "'target'", 'to have 0 or 1 dimensions', shown(t.shape));
  for (const [label, { shape }] of Object.entries({ "'input1'": x1, "'input2'": x2 })) {
    if (shape.length === t.shape.length + 1) continue;
    throw expected(op, label, `to have ${counted(t.shape.length + 1)}, one more than the target`, shown(shape));
  }
  const axis = t.shape.length;
  const pairs = new Rows(checkBroadcast(op, "'input2'", x1.shape, x2.shape), axis);
  const products = pairs.sums(elementwise((a, b) => a * b, x1, x2));
  const [q1, q2] = [squares(x1, axis), squares(x2, axis)];
  const cosines = elementwise((product, q1, q2) => product / Math.sqrt(q1 * q2), products, q1, q2);
  checkBroadcast(op, "'target'", cosines.shape, t.shape);
  const loss = (cos: number, t: number): number => (t === 1 ? 1 - cos : t === -1 ? Math.max(0, cos - margin) : 0);
  const slope = (cos: number, t: number): number => (t === 1 ? -1 : t === -1 && cos - margin >= 0 ? 1 : 0);
  const losses = elementwise(loss, cosines, t);
  return reduced(op, losses, reduction, losses.size, (upstream) => {
    const byPair = elementwise((u, cos, t) => u * slope(cos, t), upstream, cosines, t);
    const byCosine = sumTo(byPair, cosines.shape);
    const byProduct = pairs.repeat(elementwise((g, q1, q2) => g / Math.sqrt(q1 * q2), byCosine, q1, q2));
    /** Half the derivative by the squares of one input is −cos / 2q, and that of the squares by the input 2x. */
    const by = (x: NdArray, q: NdArray, other: NdArray): NdArray => {
      const bySquares = sumTo(
        elementwise((g, cos, q) => (-g * cos) / q, byCosine, cosines, q),
        q.shape,
      );
      const throughProduct = sumTo(
        elementwise((g, other) => g * other, byProduct, other),
        x.shape,
      );
      return elementwise((a, g, x) => a + g * x, throughProduct, new Rows(x.shape, axis).repeat(bySquares), x);
    };
    return { input1: by(x1, q1, x2), input2: by(x2, q2, x1) };
  });
}

function squares(x: NdArray, axis: number): NdArray {
  const sums = new Rows(x.shape, axis).sums(elementwise((x) => x * x, x));
  return elementwise((q) => q + leastSquare, sums);
}

interface TripletMarginWithDistanceLossSettings {
  /** The distance and its derivatives; {@link pairwiseDistance} by default. */
  distanceFunction: DistanceFunction | undefined;
  /** How much closer than the negative example the positive one shall lie, > 0; 1 by default. */
  margin: number;
  /** True to measure the negative example from the positive one where that is closer to it; false by default. */
  swap: boolean;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link tripletMarginWithDistanceLoss}. @interface */
export type TripletMarginWithDistanceLossOptions = Options<TripletMarginWithDistanceLossSettings>;

const tripletMarginWithDistanceLossDefaults: TripletMarginWithDistanceLossSettings = Object.freeze({
  distanceFunction: undefined,
  margin: 1,
  swap: false,
  reduction: 'mean',
});

/** Gradients of the losses of triplets. */
export interface TripletGradients {
  anchor: NdArray;
  positive: NdArray;
  negative: NdArray;
}

/**
 * {@link tripletMarginLoss} by any distance.
 *
 * **Formula** l = max(0, margin + δ(a, p) − δ(a, n)); swap: min(δ(a, n), δ(p, n)) in place of δ(a, n); mean: over the
 * distances
 * **Shapes** anchor, positive and negative: of as many axes, such that δ takes them -> `[]`, or with reduction none
 * that of the distances
 * **Units** those of the distance
 * **Gradient** (anchor, positive, negative) by the chain rule through δ, where margin + δ(a, p) − δ(a, n) >= 0, else 0;
 * where both distances of swap are equal each gets half
 * **Errors** `INVALID_ARGUMENT` for arrays of different numbers of axes, `margin` of 0 or below, a distance function
 * that gives no value with its derivatives; `UNKNOWN_OPTION`
 * **Source** `torch.nn.TripletMarginWithDistanceLoss`; swap: Balntas et al. 2016
 *
 * @example
 * const distanceFunction = (x1, x2) => pairwiseDistance(x1, x2, { p: 1, eps: 0 });
 * tripletMarginWithDistanceLoss([[0, 0]], [[1, 1]], [[2, 0.5]], { distanceFunction }).item(); // 0.5
 */
export function tripletMarginWithDistanceLoss(
  anchor: ArraySource,
  positive: ArraySource,
  negative: ArraySource,
  options: TripletMarginWithDistanceLossOptions = {},
): Differentiable<TripletGradients> {
  const op = 'tripletMarginWithDistanceLoss';
  const settings = withDefaults(op, options, tripletMarginWithDistanceLossDefaults);
  const distance = settings.distanceFunction ?? pairwiseDistance;
  if (typeof distance !== 'function') {
    throw expected(op, "option 'distanceFunction'", 'to be a function', show(distance));
  }
  return tripletLoss(op, readTriplet(op, anchor, positive, negative), distance, settings);
}

interface TripletMarginLossSettings {
  /** How much closer than the negative example the positive one shall lie, > 0; 1 by default. */
  margin: number;
  /** The norm's power, as in {@link pairwiseDistance}; 2 by default. */
  p: number;
  /** Added to every difference; 1e-6 by default. */
  eps: number;
  /** True to measure the negative example from the positive one where that is closer to it; false by default. */
  swap: boolean;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link tripletMarginLoss}. @interface */
export type TripletMarginLossOptions = Options<TripletMarginLossSettings>;

const tripletMarginLossDefaults: TripletMarginLossSettings = Object.freeze({
  margin: 1,
  p: 2,
  eps: 1e-6,
  swap: false,
  reduction: 'mean',
});

/**
 * What an anchor lacks to lie a margin closer to its positive example than to its negative one.
 *
 * **Formula** l = max(0, margin + δ(a, p) − δ(a, n)) with δ(x, y) = ‖x − y + eps‖_p; swap: min(δ(a, n), δ(p, n)) in
 * place of δ(a, n); mean: over the triplets
 * **Shapes** anchor, positive and negative `[D]` or `[…, D]`, of as many axes, sizes that broadcast -> `[]`, or with
 * reduction none `[…]`
 * **Units** those of the arrays
 * **Gradient** (anchor, positive, negative) that of {@link pairwiseDistance}, where margin + δ(a, p) − δ(a, n) >= 0,
 * else 0; where both distances of swap are equal each gets half
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, `margin` of 0 or below; `UNKNOWN_OPTION`
 * **Source** `torch.nn.TripletMarginLoss`, `aten::triplet_margin_loss`
 *
 * @example
 * tripletMarginLoss([[0, 0]], [[3, 4]], [[0, 4]], { eps: 0 }).item(); // 2
 * tripletMarginLoss([[0, 0]], [[3, 4]], [[0, 4]], { eps: 0 }).backward().positive.toArray(); // [[0.6, 0.8]]
 */
export function tripletMarginLoss(
  anchor: ArraySource,
  positive: ArraySource,
  negative: ArraySource,
  options: TripletMarginLossOptions = {},
): Differentiable<TripletGradients> {
  const op = 'tripletMarginLoss';
  const { p, eps, ...settings } = withDefaults(op, options, tripletMarginLossDefaults);
  number(op, "option 'p'", p);
  number(op, "option 'eps'", eps);
  const arrays = readTriplet(op, anchor, positive, negative);
  const shape = checkBroadcast(op, "'positive'", arrays.anchor.shape, arrays.positive.shape);
  checkBroadcast(op, "'negative'", shape, arrays.negative.shape);
  return tripletLoss(op, arrays, (x1, x2) => pairwiseDistance(x1, x2, { p, eps }), settings);
}

function tripletLoss(
  op: string,
  arrays: TripletGradients,
  distance: DistanceFunction,
  { margin, swap, reduction }: Pick<TripletMarginLossSettings, 'margin' | 'swap' | 'reduction'>,
): Differentiable<TripletGradients> {
  oneOf(op, "option 'reduction'", reduction, reductions);
  // As in PyTorch, a margin that is NaN is taken, and makes the loss NaN.
  if (!Number.isNaN(margin)) positive(op, "option 'margin'", margin);
  boolean(op, "option 'swap'", swap);
  const { anchor: a, positive: p, negative: n } = arrays;
  const near = measured(op, distance(a, p));
  const far = measured(op, distance(a, n));
  const swapped = swap ? measured(op, distance(p, n)) : undefined;
  const fromPositive = swapped?.value ?? NdArray.full([], Number.POSITIVE_INFINITY);
  const gap = (near: number, far: number, swapped: number): number => margin + near - Math.min(far, swapped);
  const distances = [near.value, far.value, fromPositive] as const;
  const losses = elementwise((...d: number[]) => Math.max(0, gap(...(d as [number, number, number]))), ...distances);
  return reduced(op, losses, reduction, losses.size, (upstream) => {
    const through = (given: NdArray, slope: (far: number, swapped: number) => number): NdArray =>
      sumTo(
        elementwise(
          (u, near, far, swapped) => (gap(near, far, swapped) >= 0 ? u * slope(far, swapped) : 0),
          upstream,
          ...distances,
        ),
        given.shape,
      );
    const byNear = near.backward(through(near.value, () => 1));
    const byFar = far.backward(through(far.value, (far, swapped) => -shareOfLess(far, swapped)));
    const bySwapped = swapped?.backward(through(swapped.value, (far, swapped) => -shareOfLess(swapped, far)));
    const add = (...parts: readonly (NdArray | undefined)[]): NdArray =>
      elementwise((...terms) => terms.reduce((x, y) => x + y), ...parts.filter((part) => part !== undefined));
    return {
      anchor: add(byNear.x1, byFar.x1),
      positive: add(byNear.x2, bySwapped?.x1),
      negative: add(byFar.x2, bySwapped?.x2),
    };
  });
}

function readTriplet(op: string, anchor: ArraySource, positive: ArraySource, negative: ArraySource): TripletGradients {
  const arrays = {
    anchor: read(op, "'anchor'", anchor),
    positive: read(op, "'positive'", positive),
    negative: read(op, "'negative'", negative),
  };
  checkSameAxes(op, arrays);
  return arrays;
}

/** What a distance function gave, if it is a value with its derivatives. */
function measured(op: string, distance: ReturnType<DistanceFunction>): ReturnType<DistanceFunction> {
  if (distance?.value instanceof NdArray && typeof distance.backward === 'function') return distance;
  throw expected(
    op,
    "option 'distanceFunction'",
    'to give { value, backward } as pairwiseDistance does',
    show(distance),
  );
}

/** How much of the derivative of min(x, y) is x's: all, none, or half where both are equal. */
function shareOfLess(x: number, y: number): number {
  return x === y ? 0.5 : x > y ? 0 : 1;
}

function checkSameAxes(op: string, arrays: Readonly<Record<string, NdArray>>): void {
  const shapes = Object.values(arrays).map(({ shape }) => shape);
  const axes = (shapes[0] as readonly number[]).length;
  const [wrong] = Object.entries(arrays).find(([, { shape }]) => shape.length !== axes) ?? [];
  if (wrong === undefined) return;
  const what = `to have ${counted(axes)}, as '${Object.keys(arrays)[0]}' has`;
  throw expected(op, `'${wrong}'`, what, shown((arrays[wrong] as NdArray).shape));
}

function counted(dimensions: number): string {
  return dimensions === 1 ? '1 dimension' : `${dimensions} dimensions`;
}
