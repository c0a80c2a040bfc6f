/** The loss of sequences without alignment. */
import { isTensor } from '../../aten/bind';
import * as aten from '../../aten/operators.generated';
import { expected, show } from '../../errors';
import { boolean, integer, withDefaults } from '../../options';
import { isTypedArray } from '../../tensor/elements';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { asIndexTarget, asTensor, reductionCode, type TensorLike } from './arguments';

/** Options of {@link ctcLoss}. */
export interface CTCLossOptions {
  /** The class that stands for "no label", in [0, C). Default 0. */
  blank?: number | undefined;
  /** Default `'mean'`: each loss divided by its target's length (at least 1), then the mean. */
  reduction?: Reduction | undefined;
  /** Whether infinite losses, of targets that are too long for their input, and their gradients become 0. Default `false`. */
  zeroInfinity?: boolean | undefined;
}

/** Lengths, one a sequence: a tensor of integers, or numbers. */
export type Lengths = Tensor | readonly number[] | Int32Array | BigInt64Array;

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
 * @param targetLengths how many labels each sequence has. Both lengths are tensors, or both are numbers.
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
  const blank = integer(op, "option 'blank'", filled.blank);
  const reduction = reductionCode(op, filled.reduction);
  const zeroInfinity = boolean(op, "option 'zeroInfinity'", filled.zeroInfinity);
  const scores = asTensor(op, 'logProbs', logProbs);
  const given = asIndexTarget(op, 'targets', targets);
  // The kernel finds a sequence's labels by its offset, as if they were contiguous.
  const labels = given.ndim === 1 ? given.contiguous() : given;
  const [steps, counts] = readLengths(op, inputLengths, targetLengths);
  checkLabels(op, labels, countsOf(counts), scores.shape.at(-1) ?? 0);
  return isTensor(steps)
    ? aten.ctc_loss_Tensor(scores, labels, steps, counts as Tensor, blank, reduction, zeroInfinity)
    : aten.ctc_loss_IntList(scores, labels, steps, counts as readonly number[], blank, reduction, zeroInfinity);
}

type BothLengths = [steps: Tensor, counts: Tensor] | [steps: readonly number[], counts: readonly number[]];

function readLengths(op: string, inputLengths: Lengths, targetLengths: Lengths): BothLengths {
  const steps = readLength(op, 'inputLengths', inputLengths);
  const counts = readLength(op, 'targetLengths', targetLengths);
  if (isTensor(steps) === isTensor(counts)) return [steps, counts] as BothLengths;
  throw expected(op, "'targetLengths'", "to be of the kind of 'inputLengths': tensors or numbers", show(targetLengths));
}

function readLength(op: string, argument: string, lengths: Lengths): Tensor | readonly number[] {
  if (isTensor(lengths)) return lengths;
  if (!Array.isArray(lengths) && !isTypedArray(lengths)) {
    throw expected(op, `'${argument}'`, 'to be a Tensor or an array of lengths', show(lengths));
  }
  return Array.from(lengths as ArrayLike<number | bigint>, (length, i) =>
    integer(op, `'${argument}[${i}]'`, typeof length === 'bigint' ? Number(length) : length),
  );
}

function countsOf(counts: Tensor | readonly number[]): readonly number[] {
  return isTensor(counts) ? Array.from(counts.toTypedArray() as ArrayLike<number | bigint>, Number) : counts;
}

/**
 * That every label that counts is a class. Lengths that do not fit are left to libtorch, which refuses them before it
 * reads a label.
 */
function checkLabels(op: string, targets: Tensor, counts: readonly number[], classes: number): void {
  if (targets.ndim < 1 || targets.ndim > 2) return;
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
