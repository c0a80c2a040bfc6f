/** The loss of sequences of labels whose place in time is not known. */
import { expected, show } from '../errors';
import { type Reduction, reductions } from '../types';
import { boolean, integerWithin, type Options, oneOf, withDefaults } from './check';
import { sum } from './layout';
import { type ArraySource, NdArray, read, sameShape, shown } from './ndarray';
import { type Differentiable, reduced } from './reduction';

interface CTCLossSettings {
  /** The class that stands for no label; 0 by default. */
  blank: number;
  /** `'none'`, `'mean'` (the default: of the losses, each divided by its number of labels) or `'sum'`. */
  reduction: Reduction;
  /** True to let infinite losses, of labels that do not fit into their time, count 0; false by default. */
  zeroInfinity: boolean;
}

/** Options of {@link ctcLoss}. @interface */
export type CTCLossOptions = Options<CTCLossSettings>;

const ctcLossDefaults: CTCLossSettings = Object.freeze({ blank: 0, reduction: 'mean', zeroInfinity: false });

/**
 * Connectionist temporal classification: the negative logarithm of the probability of a sequence of labels, summed over
 * every way to place it in time. A way is one class a step; neighbours of the same class are one label, blanks none.
 *
 * **Formula** l = −log Σ_π Π_t exp(x_{t, π_t}) over the ways π that read as the target; mean: the mean of
 * l / max(1, number of labels)
 *
 * The sum is taken step by step over the target with a blank before, between and behind its labels, s = 0 … 2L:
 * α_t(s) is the log-probability of all ways that are at s at step t, reached from s, from s − 1, or from s − 2 where
 * that is another label; β_t(s) that of all that go on from there, step t included.
 * l = −log(exp α_T(2L) + exp α_T(2L − 1)).
 *
 * **Shapes** logProbs `[T, N, C]` or `[T, C]`; targets `[N, S]` or all labels of all sequences in a row; lengths `[N]`,
 * or a number for `[T, C]` -> `[]`, or with reduction none `[N]`
 * **Units** nats
 * **Gradient** (logProbs) exp(x_tc) − exp(l − x_tc) Σ_{s of class c} exp(α_t(s) + β_t(s)), and 0 after the end of the
 * input. That is PyTorch's: the first term is no part of the derivative, but of the one by the scores whose
 * {@link logSoftmax} the input is, where it changes nothing. NaN where l is infinite, and for a class of probability 0.
 * **Errors** `INVALID_ARGUMENT` for shapes and lengths that do not fit, no elements, a `blank` or a label that is no
 * class (libtorch checks no label); `UNKNOWN_OPTION`
 * **Source** `torch.nn.CTCLoss`, `aten::ctc_loss`; Graves et al. 2006
 *
 * @example
 * const half = Math.log(0.5);
 * ctcLoss([[half, half], [half, half]], [1], 2, 1).item(); // 0.287682
 * ctcLoss([[half, half]], [1], 1, 1).backward().logProbs.toArray(); // [[0.5, -0.5]]
 */
export function ctcLoss(
  logProbs: ArraySource,
  targets: ArraySource,
  inputLengths: ArraySource,
  targetLengths: ArraySource,
  options: CTCLossOptions = {},
): Differentiable<{ logProbs: NdArray }> {
  const op = 'ctcLoss';
  const { blank, reduction, zeroInfinity } = withDefaults(op, options, ctcLossDefaults);
  oneOf(op, "option 'reduction'", reduction, reductions);
  boolean(op, "option 'zeroInfinity'", zeroInfinity);
  const x = read(op, "'logProbs'", logProbs);
  const batched = x.shape.length === 3;
  if ((!batched && x.shape.length !== 2) || x.size === 0) {
    throw expected(op, "'logProbs'", 'to have shape [T, N, C] or [T, C], no size being 0', shown(x.shape));
  }
  const [steps, count, classes] = (batched ? x.shape : [x.shape[0], 1, x.shape[1]]) as [number, number, number];
  integerWithin(op, "option 'blank'", blank, 0, classes - 1);
  const times = readLengths(op, "'inputLengths'", inputLengths, count, steps);
  const lengths = readLengths(op, "'targetLengths'", targetLengths, count, Number.POSITIVE_INFINITY);
  const labels = readLabels(op, read(op, "'targets'", targets), lengths, classes);

  const place = (t: number, n: number): number => (t * count + n) * classes;
  /** The log-probabilities of sequence n, step by step, to the end of its input. */
  const stepsOf = (n: number): Float64Array[] =>
    Array.from({ length: times[n] as number }, (_, t) => x.data.subarray(place(t, n), place(t, n) + classes));
  const alignments = labels.map((sequence, n) => align(stepsOf(n), sequence, blank));
  const counts = (n: number): boolean => !(zeroInfinity && alignments[n]?.loss === Number.POSITIVE_INFINITY);
  const divisors = lengths.map((length) => (reduction === 'mean' ? Math.max(1, length) : 1));
  const losses = NdArray.from({
    data: alignments.map(({ loss }, n) => (counts(n) ? loss / (divisors[n] as number) : 0)),
    shape: batched ? [count] : [],
  });
  return reduced(op, losses, reduction, count, (upstream) => {
    const byLogProbs = NdArray.zeros(x.shape);
    for (const [n, { loss, occupancy }] of alignments.entries()) {
      if (!counts(n)) continue;
      const u = upstream.at(n) / (divisors[n] as number);
      for (const [t, log] of stepsOf(n).entries()) {
        for (const [c, logp] of log.entries()) {
          const share = (occupancy[t] as Float64Array)[c] as number;
          byLogProbs.data[place(t, n) + c] = u * (Math.exp(logp) - Math.exp(share + loss - logp));
        }
      }
    }
    return { logProbs: byLogProbs };
  });
}

/** A sequence's loss, and for every step and class the logarithm of Σ_s exp(α_t(s) + β_t(s)). */
interface Alignment {
  loss: number;
  occupancy: readonly Float64Array[];
}

/** The forward and the backward pass over all ways to place the labels; `log[t][c]` is the log-probability of c. */
function align(log: readonly Float64Array[], labels: readonly number[], blank: number): Alignment {
  if (log.length === 0) return { loss: labels.length === 0 ? 0 : Number.POSITIVE_INFINITY, occupancy: [] };
  const extended = [blank, ...labels.flatMap((label) => [label, blank])];
  const alpha = forward(log, extended);
  // Going on is going forward on everything reversed; both count the present step, which the gradient divides by once.
  const beta = forward(log.toReversed(), extended.toReversed())
    .map((row) => row.toReversed())
    .toReversed();
  const last = alpha.at(-1) as Float64Array;
  const loss = -logSumExp(Array.from(last.subarray(-2)));
  const occupancy = log.map((row, t) =>
    row.map((_, c) =>
      logSumExp(extended.flatMap((label, s) => (label === c ? [at(alpha, t, s) + at(beta, t, s)] : []))),
    ),
  );
  return { loss, occupancy };
}

/** α: for every step t and place s the log-probability of all ways that are there. */
function forward(log: readonly Float64Array[], extended: readonly number[]): readonly Float64Array[] {
  const alpha: Float64Array[] = [];
  for (const [t, row] of log.entries()) {
    const here = (s: number): number => row[extended[s] as number] as number;
    alpha.push(
      Float64Array.from(extended, (label, s) => {
        if (t === 0) return s < 2 ? here(s) : Number.NEGATIVE_INFINITY;
        const skips = s >= 2 && label !== extended[s - 2];
        const sources = [s, ...(s >= 1 ? [s - 1] : []), ...(skips ? [s - 2] : [])];
        return here(s) + logSumExp(sources.map((source) => at(alpha, t - 1, source)));
      }),
    );
  }
  return alpha;
}

function at(table: readonly Float64Array[], t: number, s: number): number {
  return (table[t] as Float64Array)[s] as number;
}

/** log Σ exp(x_i), −infinity of none. The greatest is taken out, so that exp neither overflows nor vanishes. */
function logSumExp(x: readonly number[]): number {
  const greatest = Math.max(...x);
  if (greatest === Number.NEGATIVE_INFINITY) return greatest;
  return greatest + Math.log(x.reduce((total, xi) => total + Math.exp(xi - greatest), 0));
}

function readLengths(op: string, label: string, source: ArraySource, count: number, most: number): number[] {
  const lengths = read(op, label, source);
  if (lengths.size !== count) {
    throw expected(op, label, `to hold ${count} lengths, one a sequence`, shown(lengths.shape));
  }
  return Array.from(lengths.data, (length) => integerWithin(op, label, length, 0, most));
}

/** The labels of every sequence, out of rows that are longer or one row for all. */
function readLabels(op: string, targets: NdArray, lengths: readonly number[], classes: number): number[][] {
  const [rows, columns] = targets.shape;
  const longest = Math.max(...lengths);
  const total = sum(Float64Array.from(lengths));
  const padded = targets.shape.length === 2;
  const fits = padded ? rows === lengths.length && (columns as number) >= longest : sameShape(targets.shape, [total]);
  if (!fits) {
    const what = `to have shape [${lengths.length}, S] with S >= ${longest}, or [${total}], as the lengths say`;
    throw expected(op, "'targets'", what, shown(targets.shape));
  }
  let start = 0;
  return lengths.map((length, n) => {
    const from = padded ? n * (columns as number) : start;
    start += length;
    return Array.from(targets.data.subarray(from, from + length), (label) => {
      if (Number.isInteger(label) && label >= 0 && label < classes) return label;
      throw expected(op, "'targets'", `to hold labels in [0, ${classes - 1}]`, show(label));
    });
  });
}
