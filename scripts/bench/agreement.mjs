// Whether the peers computed the same: the figures of a wrong result would be worth nothing.

/**
 * How far from each other, relative to the greater, results may be that other code computes. TensorFlow.js adds a
 * million float32 one after the other, which costs it four digits.
 */
const tolerances = { float32: 1e-3, bfloat16: 2e-2 };

/** Whose bits must be the same, as far as each can show them: they run the same kernels of the same libtorch. */
const exact = ['tensors', 'arrays', 'pytorch', 'cpp', 'cpp-direct'];

/** Two peers computed different results. */
export class Disagreement extends Error {}

/**
 * Compares the results of the peers, `{ id: { value, gradient?: { norm, sha256? } } }`, with one of them.
 *
 * @throws Disagreement that names both and their results.
 */
export function compare(kase, form, results) {
  const base = ['pytorch', 'cpp', ...Object.keys(results)].find((id) => id in results);
  for (const [id, result] of Object.entries(results)) {
    const refuse = (what, [a, b]) => {
      const message = `${kase.id}, ${form}: ${id} has the ${what} ${a}, but ${base} has ${b}`;
      throw new Disagreement(message);
    };
    for (const [what, pair, isExact] of comparisons(result, results[base])) {
      const sameKernels = isExact && exact.includes(id) && exact.includes(base);
      if (!(sameKernels ? pair[0] === pair[1] : isNear(...pair, tolerances[kase.dtype]))) refuse(what, pair);
    }
  }
}

/** The comparable parts of two results, as [name, [own, other's], whether equal kernels make it equal]. */
function* comparisons(own, other) {
  yield ['value', [own.value, other.value], true];
  if (own.gradient === undefined) return;
  // The peers add the squares up in different orders.
  yield ['norm of the gradient', [own.gradient.norm, other.gradient.norm], false];
  if (own.gradient.sha256 !== undefined && other.gradient.sha256 !== undefined) {
    yield ['hash of the gradient', [own.gradient.sha256, other.gradient.sha256], true];
  }
}

function isNear(a, b, tolerance) {
  return typeof a === 'string' || Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}
