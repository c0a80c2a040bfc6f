/** Where a float64 formula cannot tell what libtorch must give in the dtype of a case, and why. */
import type { DType } from '../types';
import type { GoldenCase } from './vectors';

/** Results that the reference judges less strictly, or not at all. */
export interface Exception {
  /** The minor version of libtorch from which on it holds, where older ones need none: answers that have changed. */
  since?: number;
  /** The operators; all if there are none. */
  ops?: readonly string[];
  dtypes: readonly DType[];
  /** The groups and the cases, if not all. */
  groups?: RegExp;
  cases?: RegExp;
  /** The results: `value`, `gradient of input`, …; all if absent. */
  of?: RegExp;
  because: string;
  /**
   * `overflow`: a step leaves the range of the dtype, or of float64, on the way to a result within it; elements that are
   * NaN or infinite on either side may differ. `terms of 1`, `terms of 10`: the result is the difference of numbers of
   * that size, which are rounded to the dtype first. `ill-conditioned`: rounding errors grow a hundredfold.
   * `other function`: numbers that belong to the dtype are part of the formula, and nothing can be compared.
   */
  kind: 'overflow' | 'terms of 1' | 'terms of 10' | 'ill-conditioned' | 'other function';
}

const halves: readonly DType[] = ['float16', 'bfloat16'];
const narrow: readonly DType[] = ['float32', ...halves];
const floating: readonly DType[] = ['float64', ...narrow];
const triplets = ['triplet_margin_loss', 'triplet_margin_with_distance_loss'];

/** All exceptions. */
export const exceptions: readonly Exception[] = [
  {
    dtypes: floating,
    groups: /^(edges|eps|overflow|boundaries|specials|weights)\b/,
    because: 'numbers as great as the dtype has them, infinite and NaN, and divisions by 0',
    kind: 'overflow',
  },
  {
    ops: ['sigmoid'],
    dtypes: halves,
    of: /^gradient of input$/,
    because: '1 - p of a p that is rounded',
    kind: 'terms of 1',
  },
  {
    ops: ['logit'],
    dtypes: halves,
    of: /^value$/,
    because: 'the logarithm of odds that are rounded',
    kind: 'terms of 1',
  },
  {
    ops: ['logit'],
    dtypes: halves,
    groups: /^edges$/,
    cases: /^eps/,
    because: '1 - eps is rounded, in bfloat16 to 1',
    kind: 'other function',
  },
  {
    ops: ['categorical_entropy'],
    dtypes: narrow,
    cases: /^probs=zeros/,
    of: /^gradient of probs$/,
    because: 'probabilities are kept from 0 by the resolution of the dtype',
    kind: 'other function',
  },
  {
    ops: ['adaptive_log_softmax_with_loss'],
    dtypes: halves,
    of: /^gradient of/,
    because: 'p - 1 of a p that is rounded',
    kind: 'terms of 1',
  },
  {
    ops: ['linear_cross_entropy'],
    dtypes: ['float64'],
    groups: /^chunks, unbatched$/,
    of: /^gradient of/,
    because: 'where every target is ignored, the mean in chunks divides 0 by 0 in the gradient too',
    kind: 'overflow',
  },
  {
    ops: ['ctc_loss'],
    dtypes: floating,
    groups: /^(batched|normalised|edges)$/,
    cases: /\bblank/,
    of: /^gradient of logProbs$/,
    because: 'where the last label is the blank itself, the kernel leaves out the last blank at the last step',
    kind: 'other function',
  },
  {
    ops: ['ctc_loss'],
    dtypes: ['float32'],
    groups: /^long$/,
    of: /^gradient of logProbs$/,
    because: 'rounding errors of every step add up',
    kind: 'ill-conditioned',
  },
  {
    ops: ['gaussian_nll_loss'],
    dtypes: ['float16'],
    groups: /^(variances|edges|eps)$/,
    of: /^gradient of/,
    because: 'eps, 1e-6, is 1.01e-6 in float16',
    kind: 'other function',
  },
  {
    ops: ['hinge_embedding_loss', 'margin_ranking_loss'],
    dtypes: ['uint8'],
    groups: /^integers$/,
    because: 'differences of integers without sign are taken modulo 256',
    kind: 'other function',
  },
  {
    ops: ['l1_loss'],
    dtypes: ['float32'],
    groups: /^weights$/,
    cases: /negative/,
    because: 'the mean divides by a sum of weights that nearly cancel',
    kind: 'ill-conditioned',
  },
  {
    ops: ['cosine_embedding_loss'],
    dtypes: narrow,
    groups: /^edges$/,
    because: 'lengths near eps, and cosines that rounding moves over the margin',
    kind: 'other function',
  },
  {
    ops: ['cosine_embedding_loss'],
    dtypes: ['float16'],
    groups: /^batched$/,
    of: /^gradient of/,
    because: 'the difference of terms of the size 1 / length',
    kind: 'terms of 1',
  },
  {
    ops: triplets,
    dtypes: halves,
    groups: /^(batched|wide)$/,
    of: /^value$/,
    because: 'the difference of two distances',
    kind: 'terms of 10',
  },
  {
    ops: triplets,
    dtypes: halves,
    groups: /^(edges|specials)$/,
    because: 'distances no longer than eps, which vanishes beside the coordinates',
    kind: 'other function',
  },
  {
    ops: triplets,
    dtypes: ['float32'],
    groups: /^specials$/,
    of: /^gradient of/,
    because: 'eps vanishes beside the coordinates, and with it the direction of a distance of 0',
    kind: 'other function',
  },
  {
    since: 14,
    ops: ['hinge_embedding_loss', 'margin_ranking_loss', 'cosine_embedding_loss', ...triplets],
    dtypes: floating,
    groups: /^(boundaries|edges|specials)$/,
    of: /^gradient of /,
    because: 'at the margin itself the gradient is 0 since libtorch 2.14, and was that of the side within',
    kind: 'other function',
  },
];

/** The exceptions that a result of a case falls under, with the libtorch of a version. */
export function exceptionsFor(op: string, golden: GoldenCase, of: string, libtorch: string): readonly Exception[] {
  const minor = Number(libtorch.split('.')[1]);
  const [group = '', named] = golden.name.slice(0, -`: ${golden.case}`.length).split('/');
  // A group may name the argument that has the dtype: `weight float16`.
  const dtype = named?.split(' ').at(-1);
  return exceptions.filter((exception) => {
    const { since = 0, ops = [op], dtypes, groups = /^/, cases = /^/, of: results = /^/ } = exception;
    if (minor < since) return false;
    const concerns = ops.includes(op) && dtypes.some((known) => known === dtype) && results.test(of);
    return concerns && groups.test(group) && cases.test(golden.case);
  });
}

/** Why a recorded result says nothing of a newer libtorch; `undefined` where it does. */
export function whyChanged(op: string, golden: GoldenCase, of: string, libtorch: string): string | undefined {
  return exceptionsFor(op, golden, of, libtorch).find(({ since }) => since !== undefined)?.because;
}
