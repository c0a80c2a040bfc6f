/** Random calls of the losses, in the form of cases. */
import * as fc from 'fast-check';
import type { LossCase, LossName } from '../cases';
import type { Argument } from '../cases/case';
import { Values } from '../cases/values';

/** Scores whose softmax is far from 0 and 1, as far as float32 goes. */
export const score = fc.double({ min: -10, max: 10, noNaN: true });
/** Probabilities whose logarithms and odds are moderate. */
export const probability = fc.double({ min: 0.01, max: 0.99, noNaN: true });
const factor = fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 3, noNaN: true }));
const size = fc.integer({ min: 1, max: 6 });

/** `[N, C]`, or with one or two further axes. */
const shape = fc.tuple(size, size, fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 })).map(([n, c, places]) => {
  return [n, c, ...places];
});

/** Numbers in a shape. */
export function valuesOf(shape: readonly number[], element: fc.Arbitrary<number>): fc.Arbitrary<Values> {
  const length = count(shape);
  return fc.array(element, { minLength: length, maxLength: length }).map((data) => new Values(data, shape));
}

/** Class indices for rows of scores in a shape. */
export function labelsOf(scores: readonly number[]): fc.Arbitrary<Values> {
  const [rows, classes = 1, ...places] = scores;
  const shape = [rows as number, ...places];
  return fc
    .array(fc.nat(classes - 1), { minLength: count(shape), maxLength: count(shape) })
    .map((data) => new Values(data, shape, 'int64'));
}

/** Probabilities over the classes of `[N, C, …]`, which sum to 1. */
export function distributionsOf(scores: readonly number[]): fc.Arbitrary<Values> {
  return valuesOf(scores, probability).map(({ data }) => {
    const [, classes = 1, ...places] = scores;
    const [inner, outer] = [count(places), classes * count(places)];
    const total = (i: number): number => {
      const first = i - (i % outer) + (i % inner);
      return Array.from({ length: classes }, (_, c) => data[first + c * inner] as number).reduce((a, b) => a + b);
    };
    return new Values(
      data.map((p, i) => p / total(i)),
      scores,
    );
  });
}

/** Real numbers that differences are taken of. */
const real = fc.double({ min: -4, max: 4, noNaN: true });
const sign = fc.constantFrom(-1, 1);
const margin = maybe(fc.double({ min: 0.1, max: 2, noNaN: true }));

/** Scores `[N, C, …]` with class indices, class weights and an ignored index or not. */
export const ofIndices: fc.Arbitrary<LossCase> = shape.chain((shape) =>
  ofArguments(
    { input: valuesOf(shape, score), target: labelsOf(shape) },
    { weight: maybe(valuesOf(shape.slice(1, 2), factor)), ignoreIndex: maybe(fc.nat((shape[1] as number) - 1)) },
  ),
);

/** {@link ofIndices} with label smoothing, or scores with class probabilities. */
const ofClasses: fc.Arbitrary<LossCase> = shape.chain((shape) =>
  ofArguments(
    { input: valuesOf(shape, score), target: fc.oneof(labelsOf(shape), distributionsOf(shape)) },
    { weight: maybe(valuesOf(shape.slice(1, 2), factor)), labelSmoothing: fc.constantFrom(0, 0.1, 1) },
  ),
);

type Options = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** Arguments of one shape, each with its elements. */
function ofElements<Name extends string>(
  elements: Readonly<Record<Name, fc.Arbitrary<number>>>,
  options: (shape: readonly number[]) => Options = () => ({}),
): fc.Arbitrary<LossCase> {
  return shape.chain((shape) => {
    const args = Object.entries<fc.Arbitrary<number>>(elements).map(([name, element]) => [
      name,
      valuesOf(shape, element),
    ]);
    return ofArguments(Object.fromEntries(args), options(shape));
  });
}

/** Scores `[N, C]` and what `target` makes of them. */
function ofRows(
  target: (shape: readonly number[]) => fc.Arbitrary<Values>,
  options: (shape: readonly number[]) => Options = () => ({}),
): fc.Arbitrary<LossCase> {
  return rows.chain((shape) => ofArguments({ input: valuesOf(shape, real), target: target(shape) }, options(shape)));
}

const rows = fc.tuple(size, size);

/** Rows of labels, each as far as the first -1. */
function labelRowsOf(shape: readonly number[]): fc.Arbitrary<Values> {
  const [length, classes] = [count(shape), shape[1] as number];
  return fc
    .array(fc.integer({ min: -1, max: classes - 1 }), { minLength: length, maxLength: length })
    .map((data) => new Values(data, shape, 'int64'));
}

/** Pairs of vectors `[N, D]`, none of zeros, with a sign each. */
const ofVectors: fc.Arbitrary<LossCase> = rows.chain(([n, d]) => {
  const vectors = valuesOf([n, d], fc.double({ min: 0.1, max: 4, noNaN: true }));
  return ofArguments(
    { input1: vectors, input2: vectors, target: valuesOf([n], sign) },
    { margin: maybe(fc.double({ min: -0.5, max: 0.5, noNaN: true })) },
  );
});

function ofTriplets(options: Options): fc.Arbitrary<LossCase> {
  return rows.chain((shape) => {
    const vectors = valuesOf(shape, real);
    return ofArguments(
      { anchor: vectors, positive: vectors, negative: vectors },
      { margin, swap: maybe(fc.boolean()), ...options },
    );
  });
}

/** Features `[N, F]`, a layer for C classes, and class indices or probabilities. */
const ofLayers: fc.Arbitrary<LossCase> = fc.tuple(size, size, size).chain(([n, features, classes]) =>
  ofArguments(
    {
      input: valuesOf([n, features], real),
      linearWeight: valuesOf([classes, features], fc.double({ min: -1, max: 1, noNaN: true })),
      target: fc.oneof(labelsOf([n, classes]), distributionsOf([n, classes])),
    },
    {
      linearBias: maybe(valuesOf([classes], real)),
      weight: maybe(valuesOf([classes], factor)),
      labelSmoothing: maybe(fc.constantFrom(0, 0.1)),
    },
  ),
);

/** Sequences `[T, N, C]` with padded labels, and lengths that fit. */
export const ofSequences: fc.Arbitrary<LossCase> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 2, max: 4 }))
  .chain(([steps, n, classes]) => {
    const labels = fc.array(fc.integer({ min: 1, max: classes - 1 }), { minLength: n * 3, maxLength: n * 3 });
    const lengths = (most: number): fc.Arbitrary<number[]> => fc.array(fc.nat(most), { minLength: n, maxLength: n });
    return ofArguments(
      {
        logProbs: valuesOf([steps, n, classes], probability).map(logarithms),
        targets: labels.map((data) => new Values(data, [n, 3], 'int64')),
        inputLengths: lengths(steps),
        targetLengths: lengths(3),
      },
      // Of what cannot be aligned, gradients are NaN.
      { zeroInfinity: fc.constant(true) },
    );
  });

/** The logarithms of what is scaled to sum to 1 over the last axis. */
function logarithms({ data, shape }: Values): Values {
  const classes = shape.at(-1) as number;
  const total = (i: number): number =>
    data.slice(i - (i % classes), i - (i % classes) + classes).reduce((a, b) => a + b);
  return new Values(
    data.map((p, i) => Math.log(p / total(i))),
    shape,
  );
}

const elementWeight = (shape: readonly number[]): Options => ({ weight: maybe(valuesOf(shape, factor)) });

/** A random call of every loss. */
export const calls: Readonly<Record<LossName, fc.Arbitrary<LossCase>>> = {
  crossEntropy: fc.oneof(ofIndices, ofClasses),
  nllLoss: ofIndices,
  binaryCrossEntropy: ofElements({ input: probability, target: probability }, (shape) => ({
    weight: maybe(fc.oneof(valuesOf(shape, factor), valuesOf(shape.slice(-1), factor))),
  })),
  binaryCrossEntropyWithLogits: ofElements({ input: score, target: probability }, (shape) => ({
    weight: maybe(fc.oneof(valuesOf(shape, factor), valuesOf(shape.slice(-1), factor))),
    posWeight: maybe(valuesOf(shape.slice(-1), factor)),
  })),
  klDiv: fc.oneof(
    ofElements({ input: score, target: probability }),
    ofElements({ input: score, target: probability }, () => ({ logTarget: fc.constant(true) })),
  ),
  l1Loss: ofElements({ input: real, target: real }, elementWeight),
  mseLoss: ofElements({ input: real, target: real }, elementWeight),
  smoothL1Loss: ofElements({ input: real, target: real }, () => ({ beta: maybe(fc.constantFrom(0, 0.5, 2)) })),
  huberLoss: ofElements({ input: real, target: real }, (shape) => ({ delta: margin, ...elementWeight(shape) })),
  poissonNllLoss: fc.oneof(
    ofElements({ input: real, target: fc.nat(9) }, () => ({ full: maybe(fc.boolean()) })),
    ofElements({ input: probability, target: fc.nat(9) }, () => ({
      logInput: fc.constant(false),
      full: maybe(fc.boolean()),
    })),
  ),
  gaussianNllLoss: ofElements(
    { input: real, target: real, variance: fc.double({ min: 0.1, max: 3, noNaN: true }) },
    () => ({
      full: maybe(fc.boolean()),
      eps: maybe(fc.constant(0.5)),
    }),
  ),
  hingeEmbeddingLoss: ofElements({ input: real, target: sign }, () => ({ margin })),
  softMarginLoss: ofElements({ input: real, target: sign }),
  multiMarginLoss: ofRows(labelsOf, (shape) => ({
    p: maybe(fc.constantFrom(1, 2)),
    margin,
    weight: maybe(valuesOf(shape.slice(1), factor)),
  })),
  multilabelMarginLoss: ofRows(labelRowsOf),
  multilabelSoftMarginLoss: ofElements({ input: real, target: probability }, (shape) => ({
    weight: maybe(fc.oneof(valuesOf(shape, factor), valuesOf(shape.slice(-1), factor))),
  })),
  marginRankingLoss: ofElements({ input1: real, input2: real, target: sign }, () => ({ margin })),
  cosineEmbeddingLoss: ofVectors,
  tripletMarginLoss: ofTriplets({ p: maybe(fc.constantFrom(1, 2, 3)), eps: maybe(fc.constant(0.25)) }),
  tripletMarginWithDistanceLoss: ofTriplets({}),
  ctcLoss: ofSequences,
  linearCrossEntropy: ofLayers,
};

function ofArguments(args: Readonly<Record<string, fc.Arbitrary<Argument>>>, options: Options): fc.Arbitrary<LossCase> {
  return fc.record({ args: fc.record(args), options: fc.record(options) }).map(({ args, options }) => {
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return { name: 'random', args, options: Object.fromEntries(given) as Record<string, Values | number | boolean> };
  });
}

function maybe<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(values, { nil: undefined });
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
