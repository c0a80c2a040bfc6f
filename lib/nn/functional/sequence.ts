/** The loss of sequences without alignment. */
import { isTensor } from '../../aten/bind';
import * as aten from '../../aten/operators.generated';
import { expected, type NativeError, show } from '../../errors';
import { boolean, classIndex, withDefaults } from '../../options';
import { isTypedArray } from '../../tensor/elements';
import { atOnce } from '../../tensor/recording';
import { shapeText } from '../../tensor/shape';
import type { Tensor } from '../../tensor/tensor';
import { isFloating, type Reduction } from '../../types';
import { asIndexTarget, asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { type Explanation, explainHalf, explainIntegers } from './explain';
import { asyncForm, itemForm, outForm } from './forms';

/** Options of {@link ctcLoss}. */
export interface CTCLossOptions {
  /** The class that stands for "no label", in [0, C). Default 0. */
  blank?: number | bigint | undefined;
  /** Default `'mean'`: each loss divided by its target's length (at least 1), then the mean. */
  reduction?: Reduction | undefined;
  /** Whether infinite losses, of targets that are too long for their input, and their gradients become 0. Default `false`. */
  zeroInfinity?: boolean | undefined;
}

/** Lengths, one a sequence: a tensor of integers, or numbers as every other argument takes them. */
export type Lengths = TensorLike;

/** @internal */
export const ctcLossDefaults = Object.freeze({
  blank: 0,
  reduction: 'mean',
  zeroInfinity: false,
}) satisfies Required<CTCLossOptions>;

/**
 * Connectionist temporal classification: the negative log-probability of a sequence of labels, summed over all its
 * alignments with the input.
 *
 * **Formula**: `l = -ln sum_a prod_t p(t, a_t)` over all paths a of length T that give the target when repeats are
 * merged and blanks are dropped; computed by the forward algorithm.
 *
 * **Shapes**: logProbs `[T, N, C]` or `[T, C]`; targets `[N, S]`, or all labels one after the other `[sum of lengths]`;
 * lengths `[N]` or `[]` -> `[]`, with `'none'` `[N]` or `[]`.
 *
 * **Units**: nats.
 *
 * **Dtypes and devices**: float64, float32; every device.
 *
 * **Gradient**: to logProbs.
 *
 * **Difference from PyTorch**, which checks no label: one outside of [0, C) reads memory that is not the tensor's, and
 * labels one after the other that are not contiguous give a wrong loss. Here the first is an error, and the second is
 * made contiguous.
 *
 * @param logProbs log-probabilities, as {@link logSoftmax} over the classes gives them.
 * @param targets labels in [0, C).
 * @param inputLengths how many of the T steps each sequence has.
 * @param targetLengths how many labels each sequence has. Both lengths are tensors, or neither is.
 * @example ctcLoss(tensor([[[0.5, 0.5]], [[0.5, 0.5]]]).log(), [[1]], [2], [1]).item() // 0.2876…
 *
 * @throws TorchError `INVALID_ARGUMENT` for labels outside of [0, C) and lengths of two kinds, `UNKNOWN_OPTION`;
 *   NativeError `RUNTIME` for shapes and lengths that do not fit.
 *
 * **Source**: `torch.nn.functional.ctc_loss`, `aten::ctc_loss`; A. Graves and others, "Connectionist temporal
 * classification" (2006).
 */
export function ctcLoss(
  logProbs: TensorLike,
  targets: TensorLike,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options?: CTCLossOptions,
): Tensor {
  const op = 'ctcLoss';
  const filled = withDefaults<CTCLossOptions>(op, options, ctcLossDefaults);
  const blank = Number(classIndex(op, "option 'blank'", filled.blank));
  const reduction = reductionCode(op, filled.reduction);
  const zeroInfinity = boolean(op, "option 'zeroInfinity'", filled.zeroInfinity);
  const scores = asTensor(op, 'logProbs', logProbs);
  const given = asIndexTarget(op, 'targets', targets, { input: scores });
  const [steps, counts] = readLengths(op, inputLengths, targetLengths);
  const lengths = isTensor(steps) ? { inputLengths: steps, targetLengths: counts as Tensor } : {};
  return explained(
    op,
    {
      arguments: { logProbs: scores, targets: given, ...lengths },
      anywhere: ['targets', 'inputLengths', 'targetLengths'],
    },
    () => {
      // Contiguous, because the kernel finds a sequence's labels by its offset as if they were; and a copy, because it
      // trusts them in the backward pass too.
      const labels = atOnce(() => aten.contiguous(aten.clone(given)));
      atOnce(() => checkLabels(op, labels, numbersOf(counts), scores.shape.at(-1) ?? 0));
      return isTensor(steps)
        ? aten.ctc_loss_Tensor(scores, labels, steps, counts as Tensor, blank, reduction, zeroInfinity)
        : aten.ctc_loss_IntList(scores, labels, steps, counts as readonly number[], blank, reduction, zeroInfinity);
    },
    (refusal) => explainSequences({ scores, targets: given, steps, counts, blank }, refusal),
  );
}
ctcLoss.item = itemForm(ctcLoss);
ctcLoss.out = outForm(ctcLoss);
ctcLoss.async = asyncForm(ctcLoss);

type BothLengths = [steps: Tensor, counts: Tensor] | [steps: readonly number[], counts: readonly number[]];

function readLengths(op: string, inputLengths: Lengths, targetLengths: Lengths): BothLengths {
  const steps = readLength(op, 'inputLengths', inputLengths);
  const counts = readLength(op, 'targetLengths', targetLengths);
  if (isTensor(steps) === isTensor(counts)) return [steps, counts] as BothLengths;
  throw expected(op, "'targetLengths'", "to be of the kind of 'inputLengths': tensors or numbers", show(targetLengths));
}

function readLength(op: string, argument: string, lengths: Lengths): Tensor | readonly number[] {
  if (isTensor(lengths)) return lengths;
  if (!Array.isArray(lengths) && !isTypedArray(lengths)) return lengthsOf(op, argument, lengths);
  return Array.from(lengths as ArrayLike<number | bigint>, (given, i) => {
    const length = typeof given === 'bigint' ? Number(given) : given;
    if (Number.isSafeInteger(length)) return length;
    throw expected(op, `'${argument}'`, 'to hold integers', `${show(given)} at index ${i}`);
  });
}

/** The lengths of `{ data, dims }`, or of one number. */
function lengthsOf(op: string, argument: string, lengths: TensorLike): readonly number[] {
  return atOnce(() => {
    const made = asIndexTarget(op, argument, lengths);
    if (made.ndim <= 1) return numbersOf(made);
    throw expected(op, `'${argument}'`, 'to have shape [N] or []', shapeText(made.shape));
  });
}

function numbersOf(lengths: Tensor | readonly number[]): readonly number[] {
  return isTensor(lengths) ? Array.from(lengths.toTypedArray() as ArrayLike<number | bigint>, Number) : lengths;
}

interface Sequences {
  scores: Tensor;
  targets: Tensor;
  steps: Tensor | readonly number[];
  counts: Tensor | readonly number[];
  blank: number;
}

/** The first argument that does not fit the others. */
function explainSequences(given: Sequences, refusal: NativeError): Explanation | undefined {
  const { scores, targets, blank } = given;
  const shape = scores.shape;
  if (shape.length < 2 || shape.length > 3 || shape.includes(0)) {
    return {
      label: "'logProbs'",
      what: 'to have shape [T, N, C] or [T, C], no size being 0',
      actual: shapeText(shape),
    };
  }
  const ofScores = explainIntegers('logProbs', scores) ?? explainHalf(refusal, 'logProbs', scores);
  if (ofScores !== undefined) return ofScores;
  const classes = shape.at(-1) as number;
  if (blank < 0 || blank >= classes) {
    return { label: "option 'blank'", what: `to be a class in [0, ${classes})`, actual: String(blank) };
  }
  const [steps, batch] = [shape[0] as number, shape.length === 3 ? (shape[1] as number) : 1];
  const ofLengths =
    explainLengths('inputLengths', given.steps, batch, steps) ??
    explainLengths('targetLengths', given.counts, batch, Infinity);
  if (ofLengths !== undefined) return ofLengths;
  const counts = numbersOf(given.counts);
  const [total, longest] = [counts.reduce((a, b) => a + b, 0), Math.max(...counts)];
  const own = targets.shape;
  const fits = own.length === 1 ? own[0] === total : own[0] === batch && (own[1] as number) >= longest;
  if (own.length === 0 || own.length > 2 || !fits) {
    const what = `to have shape [${batch}, S] with S >= ${longest}, or [${total}], as 'targetLengths' says`;
    return { label: "'targets'", what, actual: shapeText(own) };
  }
  return undefined;
}

function explainLengths(
  argument: string,
  given: Tensor | readonly number[],
  batch: number,
  most: number,
): Explanation | undefined {
  const label = `'${argument}'`;
  if (isTensor(given) && isFloating(given.dtype)) return { label, what: 'to be integers', actual: given.dtype };
  const lengths = numbersOf(given);
  if (lengths.length !== batch) {
    return { label, what: `to hold ${batch} lengths, one a sequence`, actual: String(lengths.length) };
  }
  const at = lengths.findIndex((length) => length < 0 || length > most);
  if (at === -1) return undefined;
  const what = most === Infinity ? 'to hold lengths >= 0' : `to hold lengths in [0, ${most}]`;
  return { label, what, actual: `${lengths[at]} at index ${at}` };
}

/**
 * That every label that counts is a class. Lengths that do not fit are left to libtorch, which refuses them before it
 * reads a label.
 */
function checkLabels(op: string, targets: Tensor, counts: readonly number[], classes: number): void {
  if (targets.ndim < 1 || targets.ndim > 2 || targets.numel === 0) return;
  // All of them are classes, nearly always, and libtorch sees that at a glance.
  if (Number(aten.min(targets).item()) >= 0 && Number(aten.max(targets).item()) < classes) return;
  const labels = targets.detach().to('int64').toTypedArray<BigInt64Array>();
  const padded = targets.ndim === 2 ? (targets.shape[1] as number) : undefined;
  let start = 0;
  for (const [n, count] of counts.entries()) {
    const from = padded === undefined ? start : n * padded;
    const end = Math.min(from + Math.min(count, padded ?? count), labels.length);
    for (let i = from; i < end; i++) {
      const label = labels[i] as bigint;
      if (label >= 0n && label < BigInt(classes)) continue;
      const place = padded === undefined ? `index ${i}` : `[${n}][${i - from}]`;
      throw expected(op, "'targets'", `to hold labels in [0, ${classes})`, `${label} at ${place}`);
    }
    start += count;
  }
}
