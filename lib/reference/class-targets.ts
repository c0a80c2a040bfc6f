/** What losses over classes share: the class axis, class indices and class weights. */
import { expected, show } from '../errors';
import { Rows } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown } from './ndarray';

/**
 * Scores or log-probabilities seen as one row of C classes for every target: `[C]` is one row, `[N, C, d1…dk]` is
 * N·d1·…·dk of them.
 *
 * @throws TorchError `INVALID_ARGUMENT` for an input without axes.
 */
export function classRows(op: string, input: NdArray): Rows {
  if (input.shape.length === 0) throw expected(op, "'input'", 'to have at least 1 dimension', 'shape []');
  return new Rows(input.shape, input.shape.length === 1 ? 0 : 1);
}

/**
 * One class index for every row, `undefined` where the target is ignored.
 *
 * An unbatched input also takes a target of shape `[1]`, as PyTorch's does.
 *
 * @throws TorchError `INVALID_ARGUMENT` for another shape (`alternatives` lists what else the loss takes), or an index
 *   that is neither a class nor `ignoreIndex`.
 */
export function readClassIndices(
  op: string,
  target: NdArray,
  rows: Rows,
  ignoreIndex: number,
  alternatives: readonly (readonly number[])[] = [],
): readonly (number | undefined)[] {
  const unbatched = rows.shape.length === 0 && sameShape(target.shape, [1]);
  if (!unbatched && !sameShape(target.shape, rows.shape)) {
    const shapes = [rows.shape, ...alternatives].map(shown).join(' or ');
    throw expected(op, "'target'", `to have shape ${shapes}`, shown(target.shape));
  }
  return Array.from(target.data, (index) => {
    if (index === ignoreIndex) return undefined;
    if (Number.isInteger(index) && index >= 0 && index < rows.length) return index;
    const range =
      rows.length === 0 ? 'no class index, as there are no classes' : `class indices in [0, ${rows.length - 1}]`;
    throw expected(op, "'target'", `to hold ${range}, or the ignored ${ignoreIndex}`, show(index));
  });
}

/**
 * One weight for every class, 1 by default.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a shape other than `[C]`.
 */
export function readClassWeights(op: string, weight: ArraySource | undefined, classes: number): Float64Array {
  if (weight === undefined) return NdArray.full([classes], 1).data;
  const w = read(op, "option 'weight'", weight);
  if (sameShape(w.shape, [classes])) return w.data;
  throw expected(op, "option 'weight'", `to have shape [${classes}], one weight a class`, shown(w.shape));
}

/** The sum of the weights of all targets that are not ignored: what the mean over class indices divides by. */
export function totalWeight(indices: readonly (number | undefined)[], weights: Float64Array): number {
  let total = 0;
  for (const index of indices) if (index !== undefined) total += weights[index] as number;
  return total;
}
