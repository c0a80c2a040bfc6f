/** Random calls of the losses, in the form of cases. */
import * as fc from 'fast-check';
import type { LossCase, LossName } from '../cases';
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

/** Scores `[N, C, …]` with class indices, class weights and an ignored index or not. */
export const ofIndices: fc.Arbitrary<LossCase> = shape.chain((shape) =>
  fc
    .record({
      input: valuesOf(shape, score),
      target: labelsOf(shape),
      weight: maybe(valuesOf(shape.slice(1, 2), factor)),
      ignoreIndex: maybe(fc.nat((shape[1] as number) - 1)),
    })
    .map(toCase),
);

/** {@link ofIndices} with label smoothing, or scores with class probabilities. */
const ofClasses: fc.Arbitrary<LossCase> = shape.chain((shape) =>
  fc
    .record({
      input: valuesOf(shape, score),
      target: fc.oneof(labelsOf(shape), distributionsOf(shape)),
      weight: maybe(valuesOf(shape.slice(1, 2), factor)),
      labelSmoothing: fc.constantFrom(0, 0.1, 1),
    })
    .map(toCase),
);

function ofElements(
  input: fc.Arbitrary<number>,
  options: (shape: readonly number[]) => Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<LossCase> {
  return shape.chain((shape) =>
    fc
      .record({ input: valuesOf(shape, input), target: valuesOf(shape, probability), ...options(shape) })
      .map((call) => toCase(call as Call)),
  );
}

/** A random call of every loss. */
export const calls: Readonly<Record<LossName, fc.Arbitrary<LossCase>>> = {
  crossEntropy: fc.oneof(ofIndices, ofClasses),
  nllLoss: ofIndices,
  binaryCrossEntropy: ofElements(probability, (shape) => ({
    weight: maybe(fc.oneof(valuesOf(shape, factor), valuesOf(shape.slice(-1), factor))),
  })),
  binaryCrossEntropyWithLogits: ofElements(score, (shape) => ({
    weight: maybe(fc.oneof(valuesOf(shape, factor), valuesOf(shape.slice(-1), factor))),
    posWeight: maybe(valuesOf(shape.slice(-1), factor)),
  })),
  klDiv: fc.oneof(
    ofElements(score, () => ({})),
    ofElements(score, () => ({ logTarget: fc.constant(true) })),
  ),
};

type Call = { input: Values; target: Values } & Readonly<Record<string, unknown>>;

function toCase({ input, target, ...options }: Call): LossCase {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { name: 'random', input, target, options: Object.fromEntries(given) as Record<string, Values | number> };
}

function maybe<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(values, { nil: undefined });
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
