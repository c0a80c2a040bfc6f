/** How far apart vectors are, by the length of their difference or by the angle between them. */
import { expected } from '../errors';
import { boolean, integer, number, type Options, withDefaults } from './check';
import { axisOf, checkBroadcast, elementwise, Rows, sum, sumTo } from './layout';
import { type ArraySource, NdArray, read, shown } from './ndarray';
import { type Differentiable, differentiable } from './reduction';

/** A distance between vectors that knows its derivative by both: {@link pairwiseDistance} is one. */
export type DistanceFunction = (x1: NdArray, x2: NdArray) => Differentiable<{ x1: NdArray; x2: NdArray }>;

interface PairwiseDistanceSettings {
  /** The norm's power; 2 by default. Infinity takes the greatest difference, 0 counts those that are not 0. */
  p: number;
  /** Added to every difference; 1e-6 by default. */
  eps: number;
  /** True to keep the last axis, with size 1; false by default. */
  keepdim: boolean;
}

/** Options of {@link pairwiseDistance}. @interface */
export type PairwiseDistanceOptions = Options<PairwiseDistanceSettings>;

const pairwiseDistanceDefaults: PairwiseDistanceSettings = Object.freeze({ p: 2, eps: 1e-6, keepdim: false });

/**
 * The p-norm of the difference of vectors, which lie along the last axis.
 *
 * **Formula** y = ‖d‖_p = (Σ_k |d_k|^p)^(1/p) with d = x1 − x2 + eps
 * **Shapes** x1 `[…, D]`, x2 any shape that broadcasts with it -> the joint shape without its last axis
 * **Units** those of the inputs
 * **Gradient** (x1) sign(d_k) (|d_k| / y)^(p − 1), 0 where d_k or y is 0; shared between the greatest differences for
 * p = ∞, 0 for p = 0. (x2) minus that
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast, vectors without elements where p is infinite or
 * negative; `UNKNOWN_OPTION`
 * **Source** `torch.nn.PairwiseDistance`, `aten::pairwise_distance`
 *
 * @example
 * pairwiseDistance([[3, 4]], [[0, 0]], { eps: 0 }).value.toArray(); // [5]
 * pairwiseDistance([[3, 4]], [[0, 0]], { eps: 0 }).backward().x1.toArray(); // [[0.6, 0.8]]
 */
export function pairwiseDistance(
  x1: ArraySource,
  x2: ArraySource,
  options: PairwiseDistanceOptions = {},
): Differentiable<{ x1: NdArray; x2: NdArray }> {
  const op = 'pairwiseDistance';
  const { p, eps, keepdim } = withDefaults(op, options, pairwiseDistanceDefaults);
  number(op, "option 'p'", p);
  number(op, "option 'eps'", eps);
  boolean(op, "option 'keepdim'", keepdim);
  const a = read(op, "'x1'", x1);
  const b = read(op, "'x2'", x2);
  const shape = checkBroadcast(op, "'x2'", a.shape, b.shape);
  const rows = new Rows(shape, axisOf(op, -1, shape));
  if (rows.length === 0 && (p < 0 || p === Number.POSITIVE_INFINITY)) {
    throw expected(op, "'x1'", `to have vectors of elements, as p is ${p}`, `shape ${shown(shape)}`);
  }
  const d = elementwise((a, b) => a - b + eps, a, b);
  const norms = rows.reduce((d) => normOf(d, p), d);
  const value = keepdim && shape.length > 0 ? new NdArray(norms.data, [...rows.shape, 1]) : norms;
  return differentiable(op, value, (upstream) => {
    const u = rows.repeat(upstream);
    const slopes = rows.map((d, norm) => normSlopes(d, norm[0] as number, p), d, rows.repeat(norms));
    const byDifference = elementwise((u, slope) => u * slope, u, slopes);
    return {
      x1: sumTo(byDifference, a.shape),
      x2: sumTo(
        elementwise((g) => -g, byDifference),
        b.shape,
      ),
    };
  });
}

function normOf(d: Float64Array, p: number): number {
  const sizes = d.map(Math.abs);
  if (p === 0) return sum(sizes.map((size) => (size === 0 ? 0 : 1)));
  if (p === Number.POSITIVE_INFINITY) return sizes.reduce((a, b) => Math.max(a, b));
  if (p === Number.NEGATIVE_INFINITY) return sizes.reduce((a, b) => Math.min(a, b));
  return sum(sizes.map((size) => size ** p)) ** (1 / p);
}

/** The derivatives of the norm by each difference. */
function normSlopes(d: Float64Array, norm: number, p: number): Float64Array {
  if (p === 0) return d.map(() => 0);
  if (Math.abs(p) === Number.POSITIVE_INFINITY) {
    const decides = d.map((dk) => (Math.abs(dk) === norm ? 1 : 0));
    return d.map((dk, k) => (Math.sign(dk) * (decides[k] as number)) / sum(decides));
  }
  return d.map((dk) => (dk === 0 || norm === 0 ? 0 : Math.sign(dk) * (Math.abs(dk) / norm) ** (p - 1)));
}

interface CosineSimilaritySettings {
  /** The axis of the vectors; negative ones count from the end. 1 by default. */
  dim: number;
  /** A vector's length is taken for no less than this; 1e-8 by default. */
  eps: number;
}

/** Options of {@link cosineSimilarity}. @interface */
export type CosineSimilarityOptions = Options<CosineSimilaritySettings>;

const cosineSimilarityDefaults: CosineSimilaritySettings = Object.freeze({ dim: 1, eps: 1e-8 });

/**
 * The cosine of the angle between vectors.
 *
 * **Formula** y = Σ_k x1_k x2_k / (n1 n2) with n = max(‖x‖, eps)
 * **Shapes** x1 `[…]`, x2 any shape that broadcasts with it -> the joint shape without axis `dim`
 * **Gradient** (x1) x2_k / (n1 n2) − (y / n1) x1_k / ‖x1‖, also where eps has taken the place of the length; the second
 * term is 0 for a vector of zeros. (x2) likewise
 * **Errors** `INVALID_ARGUMENT` for shapes that do not broadcast, a `dim` that is not an axis; `UNKNOWN_OPTION`
 * **Source** `torch.nn.CosineSimilarity`, `aten::cosine_similarity`
 *
 * @example
 * cosineSimilarity([[3, 4]], [[4, 3]]).value.toArray(); // [0.96]
 * cosineSimilarity([1, 0], [0, 2], { dim: 0 }).backward().x1.toArray(); // [0, 1]
 */
export function cosineSimilarity(
  x1: ArraySource,
  x2: ArraySource,
  options: CosineSimilarityOptions = {},
): Differentiable<{ x1: NdArray; x2: NdArray }> {
  const op = 'cosineSimilarity';
  const { dim, eps } = withDefaults(op, options, cosineSimilarityDefaults);
  integer(op, "option 'dim'", dim);
  number(op, "option 'eps'", eps);
  const a = read(op, "'x1'", x1);
  const b = read(op, "'x2'", x2);
  const shape = checkBroadcast(op, "'x2'", a.shape, b.shape);
  const rows = new Rows(shape, axisOf(op, dim, shape));
  const [spreadA, spreadB] = [elementwise((a) => a, a, b), elementwise((_a, b) => b, a, b)];
  const cosines = rows.reduce((a, b) => dot(a, b) / (lengthOf(a, eps) * lengthOf(b, eps)), spreadA, spreadB);
  const slopes = (a: Float64Array, b: Float64Array): Float64Array => {
    const [n1, n2, norm] = [lengthOf(a, eps), lengthOf(b, eps), Math.sqrt(dot(a, a))];
    const y = dot(a, b) / (n1 * n2);
    return a.map((ak, k) => (b[k] as number) / (n1 * n2) - (norm === 0 ? 0 : ((y / n1) * ak) / norm));
  };
  return differentiable(op, cosines, (upstream) => {
    const u = rows.repeat(upstream);
    const times = (byRow: NdArray): NdArray => elementwise((u, slope) => u * slope, u, byRow);
    return {
      x1: sumTo(times(rows.map(slopes, spreadA, spreadB)), a.shape),
      x2: sumTo(times(rows.map(slopes, spreadB, spreadA)), b.shape),
    };
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  return sum(a.map((ak, k) => ak * (b[k] as number)));
}

function lengthOf(x: Float64Array, eps: number): number {
  return Math.max(Math.sqrt(dot(x, x)), eps);
}
