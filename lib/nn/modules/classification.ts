/** The classes of the classification losses: options are checked when the object is made. */
import { classIndex, withDefaults, within } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { asOptionalTensor, checkReduction, type TensorLike } from '../functional/arguments';
import {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyDefaults,
  binaryCrossEntropyWithLogits,
  binaryCrossEntropyWithLogitsDefaults,
  type CrossEntropyOptions,
  crossEntropy,
  crossEntropyDefaults,
  type NLLLossOptions,
  nllLoss,
  nllLossDefaults,
} from '../functional/classification';
import { Module } from './module';

/** {@link crossEntropy} with its options. **Source**: `torch.nn.CrossEntropyLoss`. */
export class CrossEntropyLoss extends Module {
  readonly weight: Tensor | undefined;
  readonly ignoreIndex: number | bigint;
  readonly reduction: Reduction;
  readonly labelSmoothing: number;

  constructor(options?: CrossEntropyOptions) {
    super();
    const op = 'CrossEntropyLoss';
    const filled = withDefaults<CrossEntropyOptions>(op, options, crossEntropyDefaults);
    this.weight = asOptionalTensor(op, 'weight', filled.weight);
    this.ignoreIndex = classIndex(op, "option 'ignoreIndex'", filled.ignoreIndex);
    this.reduction = checkReduction(op, filled.reduction);
    this.labelSmoothing = within(op, "option 'labelSmoothing'", filled.labelSmoothing, 0, 1);
  }

  /** The loss of scores `[N, C, …]` against class indices `[N, …]` or probabilities `[N, C, …]`. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

/** {@link nllLoss} with its options. **Source**: `torch.nn.NLLLoss`. */
export class NLLLoss extends Module {
  readonly weight: Tensor | undefined;
  readonly ignoreIndex: number | bigint;
  readonly reduction: Reduction;

  constructor(options?: NLLLossOptions) {
    super();
    const op = 'NLLLoss';
    const filled = withDefaults<NLLLossOptions>(op, options, nllLossDefaults);
    this.weight = asOptionalTensor(op, 'weight', filled.weight);
    this.ignoreIndex = classIndex(op, "option 'ignoreIndex'", filled.ignoreIndex);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of log-probabilities `[N, C, …]` against class indices `[N, …]`. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

/** {@link binaryCrossEntropy} with its options. **Source**: `torch.nn.BCELoss`. */
export class BCELoss extends Module {
  readonly weight: Tensor | undefined;
  readonly reduction: Reduction;

  constructor(options?: BinaryCrossEntropyOptions) {
    super();
    const op = 'BCELoss';
    const filled = withDefaults<BinaryCrossEntropyOptions>(op, options, binaryCrossEntropyDefaults);
    this.weight = asOptionalTensor(op, 'weight', filled.weight);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of probabilities against probabilities of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, reduction } = this;
    return binaryCrossEntropy(input, target, { weight, reduction });
  }
}

/** {@link binaryCrossEntropyWithLogits} with its options. **Source**: `torch.nn.BCEWithLogitsLoss`. */
export class BCEWithLogitsLoss extends Module {
  readonly weight: Tensor | undefined;
  readonly reduction: Reduction;
  readonly posWeight: Tensor | undefined;

  constructor(options?: BinaryCrossEntropyWithLogitsOptions) {
    super();
    const op = 'BCEWithLogitsLoss';
    const filled = withDefaults<BinaryCrossEntropyWithLogitsOptions>(op, options, binaryCrossEntropyWithLogitsDefaults);
    this.weight = asOptionalTensor(op, 'weight', filled.weight);
    this.reduction = checkReduction(op, filled.reduction);
    this.posWeight = asOptionalTensor(op, 'posWeight', filled.posWeight);
  }

  /** The loss of logits against probabilities of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, reduction, posWeight } = this;
    return binaryCrossEntropyWithLogits(input, target, { weight, reduction, posWeight });
  }
}
