/** Losses that ask for a margin: between classes, or between a score and a threshold. */

import { expected, show } from '../../errors';
import { aten } from '../../torch/ops';
import { shapeText, shareShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import { asOptionalTensor, type TensorLike } from './arguments';
import { lossClass } from './class';
import { unit } from './constants';
import { declareLoss, type Loss } from './declare';
import {
  explainBroadcast,
  explainExpand,
  explainExpandOf,
  explainIntegers,
  explainMargins,
  type IndexRange,
} from './explain';
import { indices, none, numberOr, type Option, optionalTensor, reduction, tensor } from './option';
import { reduced } from './reduce';

/** Options of losses that only reduce. */
export interface ReductionOptions {
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link hingeEmbeddingLoss}. */
export interface HingeEmbeddingLossOptions extends ReductionOptions {
  /** How far apart dissimilar pairs should be. Default 1. */
  margin?: number | undefined;
}

/** Options of {@link multiMarginLoss}. */
export interface MultiMarginLossOptions extends ReductionOptions {
  /** The power of the violation, 1 or 2. Default 1. */
  p?: 1 | 2 | undefined;
  /** By how much the target's score should lead. Default 1. */
  margin?: number | undefined;
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
}

/** Options of {@link multilabelSoftMarginLoss}. */
export interface MultilabelSoftMarginLossOptions extends ReductionOptions {
  /** A weight for each class, broadcast to the input's shape. Absent: 1 each. */
  weight?: TensorLike | undefined;
}

type Pair = [input: TensorLike, target: TensorLike];

/**
 * Hinge loss of a distance: similar pairs (1) should be near, dissimilar ones (-1) at least `margin` apart.
 *
 * **Formula**: `l = x` where y = 1, `max(0, margin - x)` where y = -1, the sum of both for any other y.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch) -> `[]`, with `'none'` that
 * shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; integers with `'none'` and `'sum'`; every device.
 *
 * **Gradient**: to the input.
 *
 * @example hingeEmbeddingLoss(tensor([0.5, 0.25]), tensor([1, -1]), { reduction: 'none' }).toArray() // [0.5, 0.75]
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.hinge_embedding_loss`, `aten::hinge_embedding_loss`.
 */
export const hingeEmbeddingLoss: Loss<Pair, HingeEmbeddingLossOptions, ['margin']> = declareLoss({
  name: 'hingeEmbeddingLoss',
  arguments: { input: tensor, target: tensor },
  options: { margin: numberOr(1), reduction },
  positional: ['margin'],
  compute: (call) => aten.hinge_embedding_loss(call.input, call.target, call.margin, call.reduction),
  explain: ({ input, target }) => explainBroadcast('target', target, 'input', input),
  evaluation: { lossesOf: 'elements' },
});

/** {@link hingeEmbeddingLoss} with its options. **Source**: `torch.nn.HingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends lossClass(
  hingeEmbeddingLoss,
  'HingeEmbeddingLoss',
  ['margin', 'reduction'],
  ['margin'],
) {}

/**
 * Logistic loss of scores with signs as targets.
 *
 * **Formula**: `l = ln(1 + e^(-y x))`. PyTorch does not stabilise it: it overflows for large `-y x`, and so does this.
 *
 * **Shapes**: input and target of the same shape; a target that broadcasts to the input is accepted -> `[]`, with
 * `'none'` the input's shape.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input.
 *
 * @param target 1 or -1.
 * @example softMarginLoss(tensor([0]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not fit.
 *
 * **Source**: `torch.nn.functional.soft_margin_loss`, `aten::soft_margin_loss`.
 */
export const softMarginLoss: Loss<Pair, ReductionOptions> = declareLoss({
  name: 'softMarginLoss',
  arguments: { input: tensor, target: tensor },
  options: { reduction },
  compute: (call) => aten.soft_margin_loss(call.input, call.target, call.reduction),
  derivative({ input, target, reduction: code }) {
    if (code === none || target.dtype !== input.dtype || !shareShape(input, target)) return undefined;
    return {
      value: aten.soft_margin_loss(input, target, code),
      grad: aten.soft_margin_loss_backward(unit(input), input, target, code),
    };
  },
  explain: ({ input, target }) =>
    explainIntegers('input', input) ?? explainExpandOf("'target'", target, 'input', input),
  evaluation: { lossesOf: 'elements' },
});

/** {@link softMarginLoss} with its options. **Source**: `torch.nn.SoftMarginLoss`. */
export class SoftMarginLoss extends lossClass(softMarginLoss, 'SoftMarginLoss', ['reduction']) {}

/** 1 or 2. */
const oneOrTwo: Option<1 | 2> = {
  default: 1,
  check(op, label, value) {
    if (value === 1 || value === 2) return value;
    throw expected(op, label, 'to be 1 or 2', show(value));
  },
};

/** A vector of weights, or nothing. */
const classWeight: typeof optionalTensor = {
  ...optionalTensor,
  check(op, label, value) {
    const weight = asOptionalTensor(op, 'weight', value as TensorLike);
    if (weight === undefined || weight.isDisposed || weight.ndim === 1) return value as TensorLike;
    throw expected(op, label, 'to have 1 dimension, one weight a class', shapeText(weight.shape));
  },
};

/**
 * Hinge loss between the target's score and every other one.
 *
 * **Formula**: `l_n = sum_(i != y) w[y] * max(0, margin - x[y] + x[i])^p / C`.
 *
 * **Shapes**: input `[C]` or `[N, C]`, target `[]` or `[N]` -> `[]`, with `'none'` the target's shape.
 *
 * **Dtypes and devices**: float64, float32; every device.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: for an empty batch PyTorch gives uninitialised memory as mean and sum; here they are NaN
 * and 0.
 *
 * @param target class indices in [0, C).
 * @example multiMarginLoss(tensor([[0.1, 0.2, 0.4, 0.8]]), [3]).item() // 0.3249…
 *
 * @throws TorchError `INVALID_ARGUMENT` for another `p` and a weight that is not 1-D, `UNKNOWN_OPTION`; NativeError
 *   `RUNTIME` for shapes that do not fit and class indices out of range, `NOT_IMPLEMENTED` for half types.
 *
 * **Source**: `torch.nn.functional.multi_margin_loss`, `aten::multi_margin_loss`.
 */
export const multiMarginLoss: Loss<Pair, MultiMarginLossOptions, ['p', 'margin', 'weight']> = declareLoss({
  name: 'multiMarginLoss',
  arguments: { input: tensor, target: indices(({ input }) => classRange(input)) },
  options: { p: oneOrTwo, margin: numberOr(1), weight: classWeight, reduction },
  positional: ['p', 'margin', 'weight'],
  compute: ({ input, target, p, margin, weight, reduction: code }) =>
    reduceEmptyBatch(input, code, (own) => aten.multi_margin_loss(input, target, p, margin, weight, own)),
  derivative({ input, target, p, margin, weight, reduction: code }) {
    if (code === none || input.numel() === 0) return undefined;
    return {
      value: aten.multi_margin_loss(input, target, p, margin, weight, code),
      grad: aten.multi_margin_loss_backward(unit(input), input, target, p, margin, weight, code),
    };
  },
  explain: (call, refusal) =>
    explainMargins(call, call.input.ndim === 2 ? call.input.shape.slice(0, 1) : [1], 0, refusal),
  evaluation: { lossesOf: 'samples', target: 'indices' },
});

/** {@link multiMarginLoss} with its options. **Source**: `torch.nn.MultiMarginLoss`. */
export class MultiMarginLoss extends lossClass(
  multiMarginLoss,
  'MultiMarginLoss',
  ['p', 'margin', 'weight', 'reduction'],
  ['p', 'margin', 'weight'],
) {}

/**
 * Hinge loss between the scores of a sample's labels and those of all other classes.
 *
 * **Formula**: `l_n = sum_j sum_i max(0, 1 - (x[y_j] - x[i])) / C` over the labels y_j before the first -1 and the classes
 * i that are not a label.
 *
 * **Shapes**: input and target `[C]` or `[N, C]` -> `[]`, with `'none'` `[]` or `[N]`.
 *
 * **Dtypes and devices**: float64, float32; every device.
 *
 * **Gradient**: to the input.
 *
 * **Difference from PyTorch**: for an empty batch PyTorch gives uninitialised memory as mean and sum; here they are NaN
 * and 0.
 *
 * @param target class indices in [0, C), ended by -1.
 * @example multilabelMarginLoss(tensor([[0.1, 0.2, 0.4, 0.8]]), [[3, 0, -1, 1]]).item() // 0.85…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not fit and class
 *   indices out of range, behind the -1 too, `NOT_IMPLEMENTED` for half types.
 *
 * **Source**: `torch.nn.functional.multilabel_margin_loss`, `aten::multilabel_margin_loss`.
 */
export const multilabelMarginLoss: Loss<Pair, ReductionOptions> = declareLoss({
  name: 'multilabelMarginLoss',
  // -1 ends a row of labels.
  arguments: { input: tensor, target: indices(({ input }) => ({ ...classRange(input), lowest: -1 })) },
  options: { reduction },
  compute: ({ input, target, reduction: code }) =>
    reduceEmptyBatch(input, code, (own) => aten.multilabel_margin_loss(input, target, own)),
  derivative({ input, target, reduction: code }) {
    if (code === none || input.numel() === 0) return undefined;
    const { output: value, is_target: isTarget } = aten.multilabel_margin_loss_forward(input, target, code);
    return { value, grad: aten.multilabel_margin_loss_backward(unit(input), input, target, code, isTarget) };
  },
  explain: (call, refusal) => explainMargins(call, call.input.ndim === 0 ? [1] : call.input.shape, -1, refusal),
  evaluation: { lossesOf: 'samples', target: 'indices' },
});

/** {@link multilabelMarginLoss} with its options. **Source**: `torch.nn.MultiLabelMarginLoss`. */
export class MultiLabelMarginLoss extends lossClass(multilabelMarginLoss, 'MultiLabelMarginLoss', ['reduction']) {}

/**
 * Binary cross entropy of each class, averaged over the classes.
 *
 * **Formula**: `l_n = -sum_c w[c] * (y ln sigmoid(x) + (1 - y) ln sigmoid(-x)) / C`.
 *
 * **Shapes**: input and target `[…, C]` -> `[]`, with `'none'` `[…]`; target and weight broadcast.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to input, target and weight.
 *
 * @param target 0 or 1 for each class.
 * @example multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for an input without dimensions, `UNKNOWN_OPTION`; NativeError `RUNTIME` for
 *   shapes that do not broadcast.
 *
 * **Source**: `torch.nn.functional.multilabel_soft_margin_loss`, which composes ATen operators as this function does.
 */
export const multilabelSoftMarginLoss: Loss<Pair, MultilabelSoftMarginLossOptions, ['weight']> = declareLoss({
  name: 'multilabelSoftMarginLoss',
  arguments: { input: tensor, target: tensor },
  options: { weight: optionalTensor, reduction },
  positional: ['weight'],
  compute({ input, target, weight, reduction: code }) {
    const classDim = input.ndim - 1;
    if (classDim < 0) {
      throw expected('multilabelSoftMarginLoss', "'input'", 'to have at least 1 dimension, the classes', 'shape []');
    }
    const positive = aten.mul.Tensor(target, aten.log_sigmoid(input));
    const negative = aten.mul.Tensor(aten.rsub.Scalar(target, 1), aten.log_sigmoid(aten.neg(input)));
    const byClass = aten.neg(aten.add.Tensor(positive, negative));
    const weighted = weight === undefined ? byClass : aten.mul.Tensor(byClass, weight);
    const total = aten.sum.dim_IntList(weighted, [classDim]);
    return reduced(aten.div.Scalar(total, input.shape[classDim] as number), code);
  },
  explain: ({ input, target, weight }) =>
    explainIntegers('input', input) ??
    explainBroadcast('target', target, 'input', input) ??
    explainExpand('weight', weight, 'input', input),
  evaluation: { lossesOf: 'samples' },
});

/** {@link multilabelSoftMarginLoss} with its options. **Source**: `torch.nn.MultiLabelSoftMarginLoss`. */
export class MultiLabelSoftMarginLoss extends lossClass(
  multilabelSoftMarginLoss,
  'MultiLabelSoftMarginLoss',
  ['weight', 'reduction'],
  ['weight'],
) {}

/** The class indices that scores allow. */
function classRange(scores: Tensor): IndexRange {
  return { classes: scores.isDisposed ? 0 : (scores.shape.at(-1) ?? 1) };
}

/** The kernels leave mean and sum of an empty batch unwritten: there the (empty) losses are reduced apart. */
function reduceEmptyBatch(input: Tensor, code: number, compute: (code: number) => Tensor): Tensor {
  if (code === none || input.ndim !== 2 || input.shape[0] !== 0) return compute(code);
  return reduced(compute(none), code);
}
