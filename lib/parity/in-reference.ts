/** How the reference takes the arguments of the recorded operators. */
import { camelCase } from '../camel-case';
import * as reference from '../reference';
import { elementwise, sumTo } from '../reference/layout';
import { differentiable } from '../reference/reduction';
import type { GoldenCase } from './vectors';

/** A recorded argument as the reference takes it. */
export type Value = reference.ArraySource;

/** A result of the reference; its gradients by the names of {@link Callable.parameters} and of options. */
export type Result = reference.Differentiable<object>;

/** An operator of the reference. */
export interface Callable {
  /** The names of its positional arguments, as its gradients have them. */
  parameters: readonly string[];
  call(args: readonly Value[], options: Readonly<Record<string, unknown>>): Result;
}

type Loss = (...args: unknown[]) => Result;

const twoInputs = ['input1', 'input2', 'target'];
const triplet = ['anchor', 'positive', 'negative'];

/** Positional arguments where they are not the input and the target. */
const parametersOf: Readonly<Record<string, readonly string[]>> = {
  cosine_embedding_loss: twoInputs,
  margin_ranking_loss: twoInputs,
  triplet_margin_loss: triplet,
  triplet_margin_with_distance_loss: triplet,
  ctc_loss: ['logProbs', 'targets', 'inputLengths', 'targetLengths'],
  gaussian_nll_loss: ['input', 'target', 'variance'],
  linear_cross_entropy: ['input', 'linearWeight', 'target'],
};

type Distance = (a: reference.NdArray, b: reference.NdArray) => reference.Differentiable<DistanceGradients>;

interface DistanceGradients {
  x1: reference.NdArray;
  x2: reference.NdArray;
}

/** The distances that a case can name, those of forms.ts. */
const distances: Readonly<Record<string, Distance>> = {
  pairwise_distance: (a, b) => reference.pairwiseDistance(a, b),
  l1: (a, b) => reference.pairwiseDistance(a, b, { p: 1, eps: 0 }),
  squared: (a, b) => {
    const norm = reference.pairwiseDistance(a, b, { eps: 0 });
    const twice = (g: reference.NdArray): reference.NdArray => elementwise((g, y) => 2 * g * y, g, norm.value);
    return differentiable(
      'squared',
      elementwise((y) => y * y, norm.value),
      (upstream) => norm.backward(twice(upstream)),
    );
  },
  cosine: (a, b) => {
    const cosine = reference.cosineSimilarity(a, b, { dim: -1 });
    const minus = (g: reference.NdArray): reference.NdArray => elementwise((g) => -g, g);
    const value = elementwise((y) => 1 - y, cosine.value);
    return differentiable('cosine', value, (upstream) => cosine.backward(minus(upstream)));
  },
  elementwise: (a, b) => {
    const value = elementwise((a, b) => Math.abs(a - b), a, b);
    return differentiable('elementwise', value, (upstream) => {
      const slope = elementwise((g, a, b) => g * Math.sign(a - b), upstream, a, b);
      return {
        x1: sumTo(slope, a.shape),
        x2: sumTo(
          elementwise((g) => -g, slope),
          b.shape,
        ),
      };
    });
  },
};

const special: Readonly<Record<string, Callable['call']>> = {
  softmax: ([x], { dim }) => reference.softmax(given(x), dim as number),
  log_softmax: ([x], { dim }) => reference.logSoftmax(given(x), dim as number),
  categorical_entropy: (_, options) => reference.categoricalEntropy(options as { probs: Value }),
  triplet_margin_with_distance_loss: ([a, p, n], { distanceFunction, ...options }) =>
    reference.tripletMarginWithDistanceLoss(given(a), given(p), given(n), {
      ...options,
      ...(distanceFunction !== undefined && { distanceFunction: given(distances[distanceFunction as string]) }),
    }),
  // How the kernel divides the work is nothing that the formula has.
  linear_cross_entropy: ([x, w, t], { options: _, ...options }) =>
    reference.linearCrossEntropy(given(x), given(w), given(t), options),
  adaptive_log_softmax_with_loss: ([input, target, head, ...layers], { result, headBias, cutoffs }) => {
    const tail = pairs(layers);
    const parameters = { head: given(head), headBias: headBias as Value | undefined, tail };
    const both = reference.adaptiveLogSoftmaxWithLoss(given(input), given(target), parameters, cutoffs as number[]);
    const loss = both[result === 'output' ? 'output' : 'loss'];
    return differentiable('adaptiveLogSoftmaxWithLoss', loss.value, (upstream) => {
      const { tail, ...gradients } = loss.backward(upstream);
      return { ...gradients, ...Object.fromEntries(tail.flat().map((layer, i) => [layerName(i), layer])) };
    });
  },
};

/** The operator and case as the reference has it; `undefined` if it has not. */
export function inReference(op: string, golden: GoldenCase): Callable | undefined {
  // The module's other methods give what no loss is.
  if (['log_prob', 'predict'].includes(golden.kwargs.result as string)) return undefined;
  const name = camelCase(op);
  const loss = (reference as unknown as Record<string, Loss | undefined>)[name];
  if (loss === undefined) return undefined;
  const names = parametersOf[op] ?? ['input', 'target'];
  const isAdaptive = op === 'adaptive_log_softmax_with_loss';
  const layers = isAdaptive ? ['head', ...golden.args.slice(3).map((_, i) => layerName(i))] : [];
  return {
    parameters: [...names, ...layers],
    call:
      special[op] ?? ((args, options) => (Object.keys(options).length === 0 ? loss(...args) : loss(...args, options))),
  };
}

/** The name of a gradient by the weights in the tail of AdaptiveLogSoftmaxWithLoss. */
function layerName(index: number): string {
  return `tail ${index}`;
}

function pairs(layers: readonly Value[]): [Value, Value][] {
  return Array.from({ length: layers.length / 2 }, (_, i) => [given(layers[2 * i]), given(layers[2 * i + 1])]);
}

function given<T>(argument: T | undefined): T {
  if (argument === undefined) throw new Error('the case names fewer arguments than the operator takes');
  return argument;
}
