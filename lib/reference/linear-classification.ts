/** Losses that hold a classifier's last, linear layer: cross entropy, and its form for very many classes. */
import { expected, show } from '../errors';
import type { Reduction } from '../types';
import { logSoftmax } from './activations';
import { type Options, withDefaults } from './check';
import { type CrossEntropyGradients, crossEntropyOf } from './classification';
import { elementwise } from './layout';
import { type LinearGradients, type LinearLayer, linear } from './linear';
import { type ArraySource, NdArray, read, sameShape, shown, sizeOf } from './ndarray';
import { type Differentiable, differentiable, reduced } from './reduction';

interface LinearCrossEntropySettings {
  /** Added to the scores; shape `[C]` or `[C, d1…dk]`, as `linearWeight` has it. None by default. */
  linearBias: ArraySource | undefined;
  /** A weight for every class, shape `[C]`; 1 each by default. */
  weight: ArraySource | undefined;
  /** Targets that have this index count for nothing; -100 by default. Not to be given with class probabilities. */
  ignoreIndex: number | undefined;
  /** The share of every target that is spread evenly over all classes, in [0, 1]; 0 by default. */
  labelSmoothing: number;
  /** `'none'`, `'mean'` (the default) or `'sum'`. */
  reduction: Reduction;
}

/** Options of {@link linearCrossEntropy}. @interface */
export type LinearCrossEntropyOptions = Options<LinearCrossEntropySettings>;

const linearCrossEntropyDefaults: LinearCrossEntropySettings = Object.freeze({
  linearBias: undefined,
  weight: undefined,
  ignoreIndex: undefined,
  labelSmoothing: 0,
  reduction: 'mean',
});

/** Gradients of {@link linearCrossEntropy}. */
export interface LinearCrossEntropyGradients extends CrossEntropyGradients {
  linearWeight: NdArray;
  /** Only if a bias was given. */
  linearBias?: NdArray;
}

/**
 * {@link crossEntropy} of the scores that a linear layer gives.
 *
 * **Formula** crossEntropy(W x + b, target)
 * **Shapes** input `[K]`, linearWeight `[C, K]`; or input `[N, K]`, linearWeight `[C, d1…dk, K]`; target class indices
 * `[]`, `[N]` or `[N, d1…dk]`, or class probabilities `[C]`, `[N, C]` or `[N, C, d1…dk]` -> `[]`, or with reduction
 * none the shape of the class indices
 * **Units** nats
 * **Gradient** with g, that of {@link crossEntropy} by the scores: (input) g W, (linearWeight) gᵀ x, (linearBias, if
 * given) g summed over the rows; (target, weight) as there
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, `ignoreIndex` with class probabilities, and those of
 * {@link crossEntropy}; `UNKNOWN_OPTION`
 * **Source** `torch.nn.LinearCrossEntropyLoss`
 *
 * @example
 * linearCrossEntropy([[1, 2]], [[1, 0], [0, 1]], [0]).item(); // 1.313262
 * linearCrossEntropy([[1, 1]], [[1, 0], [0, 1]], [0]).backward().linearWeight.toArray(); // [[-0.5, -0.5], [0.5, 0.5]]
 */
export function linearCrossEntropy(
  input: ArraySource,
  linearWeight: ArraySource,
  target: ArraySource,
  options: LinearCrossEntropyOptions = {},
): Differentiable<LinearCrossEntropyGradients> {
  const op = 'linearCrossEntropy';
  const { linearBias, ignoreIndex, ...settings } = withDefaults(op, options, linearCrossEntropyDefaults);
  const x = read(op, "'input'", input);
  const w = read(op, "'linearWeight'", linearWeight);
  const features = x.shape.at(-1);
  if (features === undefined || x.shape.length > 2) {
    throw expected(op, "'input'", 'to have shape [K] or [N, K]', shown(x.shape));
  }
  const wide = x.shape.length === 1 ? w.shape.length === 2 : w.shape.length >= 2;
  if (!wide || w.shape.at(-1) !== features) {
    const what = x.shape.length === 1 ? `[C, ${features}]` : `[C, ${features}] or [C, d1…dk, ${features}]`;
    throw expected(op, "'linearWeight'", `to have shape ${what}`, shown(w.shape));
  }
  const outputs = w.shape.slice(0, -1);
  const b = linearBias === undefined ? undefined : read(op, "option 'linearBias'", linearBias);
  if (b !== undefined && !sameShape(b.shape, outputs)) {
    throw expected(op, "option 'linearBias'", `to have shape ${shown(outputs)}`, shown(b.shape));
  }
  const layer = linear(asMatrix(x), asMatrix(w), b && new NdArray(b.data, [b.size]));
  const scores = new NdArray(layer.value.data, [...x.shape.slice(0, -1), ...outputs]);
  const t = read(op, "'target'", target);
  if (ignoreIndex !== undefined && sameShape(t.shape, scores.shape)) {
    const what = 'to be absent, as class probabilities have nothing to ignore';
    throw expected(op, "option 'ignoreIndex'", what, show(ignoreIndex));
  }
  const loss = crossEntropyOf(op, scores, target, { ...settings, ignoreIndex: ignoreIndex ?? -100 });
  return differentiable(op, loss.value, (upstream) => {
    const byLoss = loss.backward(upstream);
    const byLayer = layer.backward(new NdArray(byLoss.input.data, layer.value.shape));
    return {
      ...byLoss,
      input: new NdArray(byLayer.input.data, x.shape),
      linearWeight: new NdArray(byLayer.weight.data, w.shape),
      ...(b !== undefined && { linearBias: new NdArray(byLayer.bias.data, b.shape) }),
    };
  });
}

/** Parameters of {@link adaptiveLogSoftmaxWithLoss}, for K features. */
export interface AdaptiveParameters<A = ArraySource> {
  /** Scores of the frequent classes and of the clusters, shape `[cutoffs[0] + number of clusters, K]`. */
  readonly head: A;
  /** Added to these scores, one for each; none by default. */
  readonly headBias?: A | undefined;
  /** Two layers a cluster, shapes `[h, K]` and `[number of its classes, h]`. */
  readonly tail: readonly (readonly [A, A])[];
}

/** Gradients of {@link adaptiveLogSoftmaxWithLoss}: by the input, and by each parameter that was given. */
export interface AdaptiveGradients extends AdaptiveParameters<NdArray> {
  readonly input: NdArray;
}

/** What {@link adaptiveLogSoftmaxWithLoss} gives. */
export interface AdaptiveResult {
  /** The log-probability of every target. */
  readonly output: Differentiable<AdaptiveGradients>;
  /** Minus the mean of `output`. */
  readonly loss: Differentiable<AdaptiveGradients>;
}

/**
 * A softmax for very many classes, sorted from frequent to rare: the head tells the frequent ones and clusters of the
 * rare ones apart, and each cluster has a small classifier of its own.
 *
 * **Formula** with p = softmax(W_head x + b), q_i = softmax(W_i2 W_i1 x): output log p_t for a target t < cutoffs[0],
 * and log p_{cutoffs[0] + i} + log q_{i, t − cutoffs[i]} for one in cluster i, which holds the classes from cutoffs[i]
 * to cutoffs[i + 1] or the last; loss −(1 / N) Σ output
 *
 * **Shapes** input `[N, K]`, target `[N]` -> output `[N]`, loss `[]`; or input `[K]`, target `[]` -> output `[]`
 * **Units** nats
 * **Gradient** (input, head, headBias, tail) by the chain rule through the layers and {@link logSoftmax}
 * **Errors** `INVALID_ARGUMENT` for shapes that do not fit, cutoffs that do not rise, a target that is not a class
 * **Source** `torch.nn.AdaptiveLogSoftmaxWithLoss`; Grave et al. 2017, arXiv:1609.04309
 *
 * @param cutoffs where the clusters begin, as the module's constructor takes them: without the number of classes
 * @example
 * const tail = [[[[1]], [[0], [0]]]];
 * const { output, loss } = adaptiveLogSoftmaxWithLoss([[1], [2]], [0, 2], { head: [[0], [0], [0]], tail }, [2]);
 * output.value.toArray(); // [-1.098612, -1.791759]
 * loss.item(); // 1.445186
 */
export function adaptiveLogSoftmaxWithLoss(
  input: ArraySource,
  target: ArraySource,
  parameters: AdaptiveParameters,
  cutoffs: readonly number[],
): AdaptiveResult {
  const op = 'adaptiveLogSoftmaxWithLoss';
  const x = read(op, "'input'", input);
  const t = read(op, "'target'", target);
  if (t.shape.length > 1) throw expected(op, "'target'", 'to have shape [] or [N]', shown(t.shape));
  if (x.shape.length !== t.shape.length + 1 || !sameShape(x.shape.slice(0, -1), t.shape)) {
    const shape = t.shape.length === 0 ? '[K]' : `[${t.size}, K]`;
    const what = `to have shape ${shape}, as the target has ${shown(t.shape)}`;
    throw expected(op, "'input'", what, shown(x.shape));
  }
  const { head, headBias, tail } = readAdaptive(op, parameters, cutoffs, x.shape.at(-1) as number);
  const clusters = clustersOf(op, t, cutoffs, tail.at(-1)?.[1].shape[0] as number);
  const rows = asMatrix(x);
  const places = clusters.map((cluster, n) => (cluster < 0 ? t.at(n) : (cutoffs[0] as number) + cluster));
  const headed = logProbabilityOf(linear(rows, head, headBias), places);
  const output = NdArray.from({ data: headed.value, shape: t.shape });
  const tails = tail.map(([first, second], cluster) => {
    const members = clusters.flatMap((own, n) => (own === cluster ? [n] : []));
    const hidden = linear(select(rows, members), first);
    const labels = members.map((n) => t.at(n) - (cutoffs[cluster] as number));
    const scored = logProbabilityOf(linear(hidden.value, second), labels);
    for (const [i, n] of members.entries()) output.data[n] = output.at(n) + (scored.value[i] as number);
    return { members, hidden, scored };
  });

  const gradients = (upstream: NdArray): AdaptiveGradients => {
    const byHead = headed.backward(upstream.data);
    const byInput = byHead.input;
    const byTail = tails.map(({ members, hidden, scored }) => {
      const bySecond = scored.backward(Float64Array.from(members, (n) => upstream.at(n)));
      const byFirst = hidden.backward(bySecond.input);
      addRows(byInput, members, byFirst.input);
      return [byFirst.weight, bySecond.weight] as const;
    });
    return {
      input: new NdArray(byInput.data, x.shape),
      head: byHead.weight,
      ...(headBias !== undefined && { headBias: byHead.bias }),
      tail: byTail,
    };
  };
  const minus = (a: NdArray): NdArray => elementwise((a) => -a, a);
  return {
    output: differentiable(op, output, gradients),
    loss: reduced(op, minus(output), 'mean', output.size, (upstream) => gradients(minus(upstream))),
  };
}

/** The cluster of every target, -1 for the frequent classes of the head. */
function clustersOf(op: string, target: NdArray, cutoffs: readonly number[], lastSize: number): readonly number[] {
  const classes = (cutoffs.at(-1) as number) + lastSize;
  return Array.from(target.data, (label) => {
    if (Number.isInteger(label) && label >= 0 && label < classes) return cutoffs.findLastIndex((at) => label >= at);
    throw expected(op, "'target'", `to hold class indices in [0, ${classes - 1}]`, show(label));
  });
}

/** The log-probability that the softmax of a layer's scores gives to one place of each row. */
function logProbabilityOf(
  layer: LinearLayer,
  places: readonly number[],
): { value: Float64Array; backward: (g: Float64Array) => LinearGradients } {
  const log = logSoftmax(layer.value, 1);
  const width = layer.value.shape[1] as number;
  return {
    value: Float64Array.from(places, (place, n) => log.value.at(n * width + place)),
    backward: (g) => {
      const byLog = NdArray.zeros(layer.value.shape);
      for (const [n, place] of places.entries()) byLog.data[n * width + place] = g[n] as number;
      return layer.backward(log.backward(byLog).input);
    },
  };
}

/** `[N, K]` with all axes but the last made one. */
function asMatrix(x: NdArray): NdArray {
  const columns = x.shape.at(-1) as number;
  return new NdArray(x.data, [sizeOf(x.shape.slice(0, -1)), columns]);
}

function select(matrix: NdArray, rows: readonly number[]): NdArray {
  const columns = matrix.shape[1] as number;
  const selected = NdArray.zeros([rows.length, columns]);
  for (const [i, row] of rows.entries()) {
    for (let k = 0; k < columns; k++) selected.data[i * columns + k] = matrix.at(row * columns + k);
  }
  return selected;
}

/** Adds row i of `addend` to row `rows[i]` of a matrix that is being made. */
function addRows(matrix: NdArray, rows: readonly number[], addend: NdArray): void {
  const columns = matrix.shape[1] as number;
  for (const [i, row] of rows.entries()) {
    for (let k = 0; k < columns; k++) {
      matrix.data[row * columns + k] = matrix.at(row * columns + k) + addend.at(i * columns + k);
    }
  }
}

/** The parameters as arrays, every shape as the cutoffs say. */
function readAdaptive(
  op: string,
  parameters: AdaptiveParameters,
  cutoffs: readonly number[],
  features: number,
): AdaptiveParameters<NdArray> {
  const absent = { head: undefined, headBias: undefined, tail: undefined };
  const { head, headBias, tail } = withDefaults<AdaptiveParameters>(op, parameters, absent as never);
  const rising = (at: number, i: number): boolean =>
    Number.isSafeInteger(at) && at > (i === 0 ? 0 : (cutoffs[i - 1] as number));
  if (!Array.isArray(cutoffs) || cutoffs.length === 0 || !cutoffs.every(rising)) {
    const actual = Array.isArray(cutoffs) ? shown(cutoffs) : show(cutoffs);
    throw expected(op, "'cutoffs'", 'to be integers > 0 that rise, at least one', actual);
  }
  if (!Array.isArray(tail) || tail.length !== cutoffs.length) {
    throw expected(op, "'tail'", `to have ${cutoffs.length} clusters, one a cutoff`, show(tail));
  }
  const matrix = (label: string, source: ArraySource, rows: number | undefined, columns: number): NdArray => {
    const given = read(op, label, source);
    const [height, width] = given.shape;
    if (given.shape.length === 2 && (rows ?? height) === height && width === columns) return given;
    throw expected(op, label, `to have shape [${rows ?? 'n'}, ${columns}]`, shown(given.shape));
  };
  const width = (cutoffs[0] as number) + cutoffs.length;
  const bias = headBias === undefined ? undefined : read(op, "'headBias'", headBias);
  if (bias !== undefined && !sameShape(bias.shape, [width])) {
    throw expected(op, "'headBias'", `to have shape [${width}]`, shown(bias.shape));
  }
  return {
    head: matrix("'head'", head, width, features),
    headBias: bias,
    tail: tail.map((layers: readonly [ArraySource, ArraySource], i: number) => {
      const [first, second] = (Array.isArray(layers) ? layers : []) as typeof layers;
      const hidden = matrix(`'tail[${i}][0]'`, first, undefined, features);
      const next = cutoffs[i + 1];
      const size = next === undefined ? undefined : next - (cutoffs[i] as number);
      return [hidden, matrix(`'tail[${i}][1]'`, second, size, hidden.shape[0] as number)] as const;
    }),
  };
}
