/** Losses over probabilities of a yes: binary cross entropy, of probabilities and of logits. */

import { expected } from '../../errors';
import { aten } from '../../torch/ops';
import { shapeText, shareShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import type { TensorLike } from './arguments';
import { lossClass } from './class';
import { constant, unit } from './constants';
import { declareLoss, type Loss } from './declare';
import { checkProbabilities, isValidated } from './device-checks';
import { explainExpand, explainIntegers, explainProbabilities } from './explain';
import { mean, none, optionalTensor, reduction, tensor } from './option';
import { differentiatePointwise, type Pointwise, pointwiseLoss } from './pointwise-fused';

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions {
  /** A weight for each element, broadcast to the target's shape. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A weight for the positive part of each element, broadcast to the target's shape. Absent: 1 each. */
  posWeight?: TensorLike | undefined;
}

type Pair = [input: TensorLike, target: TensorLike];

/**
 * Binary cross entropy between probabilities.
 *
 * **Formula**: `l = -w * (y * ln x + (1 - y) * ln(1 - x))`, both logarithms at least -100.
 *
 * **Shapes**: input and target of the same shape -> `[]`, with `'none'` that shape; the weight broadcasts to it.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, all the same; every device.
 *
 * **Gradient**: to the input and the target; at an exact 0 or 1 the denominator is at least 1e-12.
 *
 * @param input probabilities in [0, 1].
 * @param target probabilities in [0, 1].
 * @example binaryCrossEntropy(tensor([0.5]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for shapes that differ, `UNKNOWN_OPTION`; NativeError `RUNTIME` for values
 *   outside [0, 1] and for dtypes that differ.
 *
 * **Source**: `torch.nn.functional.binary_cross_entropy`, `aten::binary_cross_entropy`.
 */
export const binaryCrossEntropy: Loss<Pair, BinaryCrossEntropyOptions, ['weight']> = declareLoss({
  name: 'binaryCrossEntropy',
  arguments: { input: tensor, target: tensor },
  options: { weight: optionalTensor, reduction },
  positional: ['weight'],
  compute(call) {
    const { input, target, weight } = checkedPair(call);
    return aten.binary_cross_entropy(input, target, weight, call.reduction);
  },
  derivative(call) {
    if (call.reduction === none) return undefined;
    const { input, target, weight } = checkedPair(call);
    return {
      value: aten.binary_cross_entropy(input, target, weight, call.reduction),
      grad: aten.binary_cross_entropy_backward(unit(input), input, target, weight, call.reduction),
    };
  },
  explain: ({ input, target }) => explainProbabilities(input, target),
  evaluation: { lossesOf: 'elements' },
});

/** {@link binaryCrossEntropy} with its options. **Source**: `torch.nn.BCELoss`. */
export class BCELoss extends lossClass(binaryCrossEntropy, 'BCELoss', ['weight', 'reduction'], ['weight']) {}

interface PairCall {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
}

/** Probabilities that are some, of one shape, which the weight is broadcast to: the operator itself would not do that. */
function checkedPair({ input, target, weight }: PairCall): PairCall {
  const op = 'binaryCrossEntropy';
  checkSameShape(op, input, target);
  if (isValidated(input)) {
    checkProbabilities(op, 'input', input);
    checkProbabilities(op, 'target', target);
  }
  const refused = explainExpand('weight', weight, 'target', target);
  if (refused) throw expected(op, refused.label, refused.what, refused.actual);
  return { input, target, weight: weight?.expand(target.shape) };
}

/**
 * Binary cross entropy between logits and probabilities: {@link binaryCrossEntropy} of the sigmoid, without its
 * overflow.
 *
 * **Formula**: `l = -w * (p * y * ln sigmoid(x) + (1 - y) * ln(1 - sigmoid(x)))`, with p the positive weight.
 *
 * **Shapes**: input and target of the same shape -> `[]`, with `'none'` that shape; the weights broadcast to it.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input and the target.
 *
 * @param input logits: any number.
 * @param target probabilities; values outside [0, 1] are accepted, as in PyTorch.
 * @example binaryCrossEntropyWithLogits(tensor([0]), tensor([1])).item() // 0.6931…
 *
 * @throws TorchError `INVALID_ARGUMENT` for shapes that differ, `UNKNOWN_OPTION`; NativeError `RUNTIME` for weights that
 *   do not broadcast.
 *
 * **Source**: `torch.nn.functional.binary_cross_entropy_with_logits`, `aten::binary_cross_entropy_with_logits`.
 */
export const binaryCrossEntropyWithLogits: Loss<Pair, BinaryCrossEntropyWithLogitsOptions, ['weight']> = declareLoss({
  name: 'binaryCrossEntropyWithLogits',
  arguments: { input: tensor, target: tensor },
  options: { weight: optionalTensor, reduction, posWeight: optionalTensor },
  positional: ['weight'],
  compute: (call) => pointwiseLoss(logitsLoss(call)),
  derivative: (call, into) => differentiatePointwise(logitsLoss(call), into),
  explain: ({ input, target, weight, posWeight }) =>
    explainIntegers('input', input) ??
    explainExpand('weight', weight, 'target', target) ??
    explainExpand('posWeight', posWeight, 'target', target),
  evaluation: { lossesOf: 'elements' },
});

/** {@link binaryCrossEntropyWithLogits} with its options. **Source**: `torch.nn.BCEWithLogitsLoss`. */
export class BCEWithLogitsLoss extends lossClass(
  binaryCrossEntropyWithLogits,
  'BCEWithLogitsLoss',
  ['weight', 'reduction', 'posWeight'],
  ['weight'],
) {}

interface LogitsCall extends PairCall {
  posWeight: Tensor | undefined;
  reduction: number;
}

function logitsLoss({ input, target, weight, posWeight, reduction: code }: LogitsCall): Pointwise {
  checkSameShape('binaryCrossEntropyWithLogits', input, target);
  return {
    input,
    operands: [target, weight, posWeight],
    reduction: code,
    splits: () => true,
    whole: () => aten.binary_cross_entropy_with_logits(input, target, weight, posWeight, code),
    losses: (x, [y, w, p], out) => {
      const target = y as Tensor;
      const logSigmoid = aten.log_sigmoid(x);
      if (p !== undefined) {
        const logWeight = aten.add_.Scalar(aten.mul.Tensor(aten.sub.Scalar(p, 1), target), 1);
        aten.mul_.Tensor(logSigmoid, logWeight);
      }
      const negative = aten.mul_.Tensor(aten.rsub.Scalar(target, 1), x);
      if (w === undefined) aten.sub.out(negative, logSigmoid, { out });
      else aten.mul.out(aten.sub_.Tensor(negative, logSigmoid), w, { out });
    },
    gradient: (x, [y, w, p], out) => {
      const grad = aten.sigmoid(x);
      const target = y as Tensor;
      if (p !== undefined) {
        const positive = aten.mul.Tensor(p, target);
        const both = aten.sub_.Tensor(aten.add.Scalar(positive, 1), target);
        aten.copy_(grad, aten.sub_.Tensor(aten.mul_.Tensor(both, grad), positive));
      } else {
        aten.sub_.Tensor(grad, target);
      }
      if (w !== undefined) aten.mul_.Tensor(grad, w);
      if (code === mean) aten.div.out(grad, constant(input.numel(), x), { out });
      else aten.copy_(out, grad);
    },
  };
}

function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  if (shareShape(input, target)) return;
  throw expected(op, "'target'", `to have shape ${shapeText(input.shape)} as 'input' has`, shapeText(target.shape));
}
