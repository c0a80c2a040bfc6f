/** Losses over class scores: cross entropy, and the negative log-likelihood that it comes down to. */
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import type { TensorLike } from './arguments';
import { mayBeCut } from './chunking';
import { lossClass } from './class';
import {
  crossEntropyInChunks,
  differentiateCrossEntropy,
  differentiateNllLoss,
  directCrossEntropy,
} from './cross-entropy-fused';
import { differentiateProbabilities, probabilitiesInChunks } from './cross-entropy-probabilities';
import { declareLoss, type Loss } from './declare';
import { explainClassification, type IndexRange } from './explain';
import { classes, classIndexOr, numberWithin, optionalTensor, reduction, tensor } from './option';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /**
   * A class index that counts for nothing. Default -100. Class probabilities allow only negative values, which do
   * nothing.
   */
  ignoreIndex?: number | bigint | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** How much of each target is spread evenly over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
}

/** Options of {@link nllLoss}. @interface */
export type NLLLossOptions = Omit<CrossEntropyOptions, 'labelSmoothing'>;

type Pair = [input: TensorLike, target: TensorLike];

/** Class indices for the scores before them, ignored indices, or probabilities. */
const labels = classes(({ input, ignoreIndex }) => indexRange(input, ignoreIndex as number | bigint));

/**
 * Cross entropy between scores (logits) and class indices or class probabilities.
 *
 * **Formula**: with class indices y, `l_n = -w[y_n] * logSoftmax(x_n)[y_n]`; with probabilities p,
 * `l_n = -sum_c w[c] * p[n, c] * logSoftmax(x_n)[c]`. `'mean'` divides the sum by `sum_n w[y_n]` over the targets that
 * are not ignored, with probabilities by the number of rows. With smoothing s over C classes a target p becomes `(1 -
 * s) * p + s / C`.
 *
 * **Shapes**: input `[C]`, `[N, C]` or `[N, C, d1, …, dk]`; target `[]`, `[N]` or `[N, d1, …, dk]` class indices, or
 * probabilities of the input's shape -> `[]`, with `'none'` the shape of class indices.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16 scores; int64 class indices (uint8 for 1-D and 2-D
 * input); every device. Plain arrays and integer arrays are cast to int64.
 *
 * **Gradient**: to the input, and to a target of probabilities.
 *
 * **Difference from PyTorch**: a `labelSmoothing` that is negative or NaN is an error; PyTorch ignores it.
 *
 * @param input scores, not normalised.
 * @param target class indices in [0, C) or `ignoreIndex`, or class probabilities.
 * @example crossEntropy(tensor([[1, 2, 0.5]]), [1]).item() // 0.4643…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `INDEX` for a class index out of range, `VALUE` or
 *   `RUNTIME` for shapes and dtypes that do not fit, each with the argument that is meant.
 *
 * **Source**: `torch.nn.functional.cross_entropy`, `aten::cross_entropy_loss`.
 */
export const crossEntropy: Loss<Pair, CrossEntropyOptions, ['weight']> = declareLoss({
  name: 'crossEntropy',
  arguments: { input: tensor, target: labels },
  options: {
    weight: optionalTensor,
    ignoreIndex: classIndexOr(-100),
    reduction,
    labelSmoothing: numberWithin(0, 1, 0),
  },
  positional: ['weight'],
  compute(call) {
    const inChunks = mayBeCut(call.input) ? (crossEntropyInChunks(call) ?? probabilitiesInChunks(call)) : undefined;
    const found = inChunks ?? directCrossEntropy(call);
    if (found !== undefined) return found;
    const { input, target, weight, reduction: code, ignoreIndex, labelSmoothing } = call;
    return aten.cross_entropy_loss(input, target, weight, code, ignoreIndex, labelSmoothing);
  },
  derivative: (call, into) => differentiateCrossEntropy(call, into) ?? differentiateProbabilities(call),
  explain: (call, refusal) => explainClassification(call, true, refusal),
  evaluation: {
    lossesOf: 'samples',
    denominator: 'class weights',
    target: 'classes or probabilities',
    scores: 'logits',
  },
});

/** {@link crossEntropy} with its options. **Source**: `torch.nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends lossClass(
  crossEntropy,
  'CrossEntropyLoss',
  ['weight', 'ignoreIndex', 'reduction', 'labelSmoothing'],
  ['weight'],
) {}

/**
 * Negative log-likelihood of class indices under log-probabilities.
 *
 * **Formula**: `l_n = -w[y_n] * x[n, y_n]`; `'mean'` divides the sum by `sum_n w[y_n]` over the targets that are not
 * ignored.
 *
 * **Shapes**: input `[C]`, `[N, C]` or `[N, C, d1, …, dk]`; target `[]`, `[N]` or `[N, d1, …, dk]` -> `[]`, with
 * `'none'` the target's shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; int64 class indices (uint8 for 1-D and 2-D input); every
 * device. Plain arrays and integer arrays are cast to int64.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: the backward pass of a 4-D input that is not contiguous (channels last) fails there;
 * here it works.
 *
 * @param input log-probabilities, as {@link logSoftmax} gives them.
 * @param target class indices in [0, C) or `ignoreIndex`.
 * @example nllLoss(tensor([[1, 2, 0.5]]).logSoftmax(1), [1]).item() // 0.4643…, as crossEntropy gives
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `INDEX` for a class index out of range, `VALUE` or
 *   `RUNTIME` for shapes and dtypes that do not fit, each with the argument that is meant.
 *
 * **Source**: `torch.nn.functional.nll_loss`, `aten::nll_loss_nd`.
 */
export const nllLoss: Loss<Pair, NLLLossOptions, ['weight']> = declareLoss({
  name: 'nllLoss',
  arguments: { input: tensor, target: labels },
  options: { weight: optionalTensor, ignoreIndex: classIndexOr(-100), reduction },
  positional: ['weight'],
  compute({ input, target, weight, reduction: code, ignoreIndex }) {
    // The backward kernel of 4-D input writes contiguous gradients only, and refuses others after the fact.
    const given = input.ndim === 4 && !input.isContiguous() ? input.contiguous() : input;
    return aten.nll_loss_nd(given, target, weight, code, ignoreIndex);
  },
  derivative: differentiateNllLoss,
  explain: (call, refusal) => explainClassification(call, false, refusal),
  evaluation: {
    lossesOf: 'samples',
    denominator: 'class weights',
    target: 'indices',
    scores: 'log-probabilities',
  },
});

/** {@link nllLoss} with its options. **Source**: `torch.nn.NLLLoss`. */
export class NLLLoss extends lossClass(nllLoss, 'NLLLoss', ['weight', 'ignoreIndex', 'reduction'], ['weight']) {}

/** The class indices that scores allow; `undefined` if the tensor cannot hold scores. */
function indexRange(scores: Tensor, ignoreIndex: number | bigint): IndexRange | undefined {
  if (scores.isDisposed || scores.ndim === 0) return undefined;
  return { classes: scores.shape[scores.ndim === 1 ? 0 : 1] as number, ignoreIndex };
}
