/** The loss of sequences without alignment. */

import { expected, type NativeError, show } from '../../errors';
import { classIndex } from '../../options';
import { isTensor } from '../../torch/bind';
import { type FlatData, isFlatData } from '../../torch/create';
import { isTypedArray } from '../../torch/elements';
import { aten } from '../../torch/ops';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { eagerly } from '../../torch/trace';
import { isFloating, type Reduction } from '../../types';
import { asIndexTarget, type TensorLike } from './arguments';
import { lossClass } from './class';
import { declareLoss, type Loss } from './declare';
import { type Explanation, explainHalf, explainIntegers } from './explain';
import { type Argument, booleanOr, type Option, reduction, tensor } from './option';

/** Options of {@link ctcLoss}. */
export interface CTCLossOptions {
  /** The class that stands for "no label", in [0, C). Default 0. */
  blank?: number | bigint | undefined;
  /** Default `'mean'`: each loss divided by its target's length (at least 1), then the mean. */
  reduction?: Reduction | undefined;
  /** Whether infinite losses, of targets that are too long for their input, and their gradients become 0. Default `false`. */
  zeroInfinity?: boolean | undefined;
}

/** Lengths, one a sequence: a tensor of integers, or numbers. A single number is none, as in PyTorch. */
export type Lengths = Tensor | readonly number[] | Int32Array | BigInt64Array | FlatData;

const labels: Argument<Tensor> = (op, name, value, _call, first) =>
  asIndexTarget(op, name, value, { input: first as Tensor });

const lengths: Argument<Tensor | readonly number[]> = (op, name, value, { inputLengths }) => {
  const read = readLengths(op, name, value);
  if (inputLengths === undefined || isTensor(inputLengths) === isTensor(read)) return read;
  throw expected(op, `'${name}'`, "to be of the kind of 'inputLengths': tensors or numbers", show(value));
};

const classOf: Option<number | bigint, number> = {
  default: 0,
  check: (op, label, value) => Number(classIndex(op, label, value)),
};

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
export const ctcLoss: Loss<
  [logProbs: TensorLike, targets: TensorLike, inputLengths: Lengths, targetLengths: Lengths],
  CTCLossOptions,
  ['blank', 'reduction', 'zeroInfinity']
> = declareLoss({
  name: 'ctcLoss',
  arguments: { logProbs: tensor, targets: labels, inputLengths: lengths, targetLengths: lengths },
  options: { blank: classOf, reduction, zeroInfinity: booleanOr(false) },
  positional: ['blank', 'reduction', 'zeroInfinity'],
  anywhere: ['targets', 'inputLengths', 'targetLengths'],
  compute({ logProbs, targets, inputLengths: steps, targetLengths: counts, blank, reduction: code, zeroInfinity }) {
    // Contiguous, because the kernel finds a sequence's labels by its offset as if they were; and a copy, because it
    // trusts them in the backward pass too.
    const copied = eagerly(() => aten.contiguous(aten.clone(targets)));
    eagerly(() => checkLabels('ctcLoss', copied, numbersOf(counts), logProbs.shape.at(-1) ?? 0));
    return isTensor(steps)
      ? aten.ctc_loss.Tensor(logProbs, copied, steps, counts as Tensor, blank, code, zeroInfinity)
      : aten.ctc_loss.IntList(logProbs, copied, steps, counts as readonly number[], blank, code, zeroInfinity);
  },
  explain: explainSequences,
  evaluation: {
    lossesOf: 'samples',
    batchDim: { logProbs: 1 },
    denominator: 'target lengths',
    target: 'indices',
    sampleDims: 2,
  },
});

/** {@link ctcLoss} with its options. **Source**: `torch.nn.CTCLoss`. */
export class CTCLoss extends lossClass(
  ctcLoss,
  'CTCLoss',
  ['blank', 'reduction', 'zeroInfinity'],
  ['blank', 'reduction', 'zeroInfinity'],
) {}

/** Lengths as they are, if they are a tensor, or as numbers. */
function readLengths(op: string, argument: string, lengths: unknown): Tensor | readonly number[] {
  if (isTensor(lengths)) return lengths;
  if (isFlatData(lengths)) return lengthsOf(op, argument, lengths);
  if (!Array.isArray(lengths) && !isTypedArray(lengths)) {
    throw expected(op, `'${argument}'`, 'to be a Tensor or an array of lengths', show(lengths));
  }
  return Array.from(lengths as ArrayLike<number | bigint>, (given, i) => {
    const length = typeof given === 'bigint' ? Number(given) : given;
    if (Number.isSafeInteger(length)) return length;
    throw expected(op, `'${argument}'`, 'to hold integers', `${show(given)} at index ${i}`);
  });
}

/** The lengths of `{ data, dims }`. */
function lengthsOf(op: string, argument: string, lengths: FlatData): readonly number[] {
  return eagerly(() => {
    const made = asIndexTarget(op, argument, lengths);
    if (made.ndim <= 1) return numbersOf(made);
    throw expected(op, `'${argument}'`, 'to have shape [N] or []', shapeText(made.shape));
  });
}

function numbersOf(lengths: Tensor | readonly number[]): readonly number[] {
  return isTensor(lengths) ? Array.from(lengths.toTypedArray() as ArrayLike<number | bigint>, Number) : lengths;
}

interface Sequences {
  logProbs: Tensor;
  targets: Tensor;
  inputLengths: Tensor | readonly number[];
  targetLengths: Tensor | readonly number[];
  blank: number;
}

/** The first argument that does not fit the others. */
function explainSequences(given: Sequences, refusal: NativeError): Explanation | undefined {
  const { logProbs, targets, blank } = given;
  const shape = logProbs.shape;
  if (shape.length < 2 || shape.length > 3 || shape.includes(0)) {
    return {
      label: "'logProbs'",
      what: 'to have shape [T, N, C] or [T, C], no size being 0',
      actual: shapeText(shape),
    };
  }
  const ofScores = explainIntegers('logProbs', logProbs) ?? explainHalf(refusal, 'logProbs', logProbs);
  if (ofScores !== undefined) return ofScores;
  const classes = shape.at(-1) as number;
  if (blank < 0 || blank >= classes) {
    return { label: "option 'blank'", what: `to be a class in [0, ${classes})`, actual: String(blank) };
  }
  const [steps, batch] = [shape[0] as number, shape.length === 3 ? (shape[1] as number) : 1];
  const ofLengths =
    explainLengths('inputLengths', given.inputLengths, batch, steps) ??
    explainLengths('targetLengths', given.targetLengths, batch, Infinity);
  if (ofLengths !== undefined) return ofLengths;
  const counts = numbersOf(given.targetLengths);
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
  if (targets.ndim < 1 || targets.ndim > 2 || targets.numel() === 0) return;
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
