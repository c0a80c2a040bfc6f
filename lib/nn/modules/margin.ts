/** The classes of the margin losses: options are checked when the object is made. */
import { number, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { asOptionalTensor, checkReduction, explained, type TensorLike } from '../functional/arguments';
import {
  checkClassWeight,
  checkPower,
  type HingeEmbeddingLossOptions,
  hingeEmbeddingLoss,
  hingeEmbeddingLossDefaults,
  type MultilabelSoftMarginLossOptions,
  type MultiMarginLossOptions,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multilabelSoftMarginLossDefaults,
  multiMarginLoss,
  multiMarginLossDefaults,
  type ReductionOptions,
  reductionDefaults,
  softMarginLoss,
} from '../functional/margin';
import { Module } from './module';

/** {@link hingeEmbeddingLoss} with its options. **Source**: `torch.nn.HingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends Module {
  readonly margin: number;
  readonly reduction: Reduction;

  constructor(options?: HingeEmbeddingLossOptions) {
    super();
    const op = 'HingeEmbeddingLoss';
    const filled = withDefaults<HingeEmbeddingLossOptions>(op, options, hingeEmbeddingLossDefaults);
    this.margin = number(op, "option 'margin'", filled.margin);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of distances against 1 (similar) and -1 (dissimilar). */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { margin, reduction } = this;
    return hingeEmbeddingLoss(input, target, { margin, reduction });
  }
}

/** {@link softMarginLoss} with its options. **Source**: `torch.nn.SoftMarginLoss`. */
export class SoftMarginLoss extends Module {
  readonly reduction: Reduction;

  constructor(options?: ReductionOptions) {
    super();
    const op = 'SoftMarginLoss';
    this.reduction = checkReduction(op, withDefaults<ReductionOptions>(op, options, reductionDefaults).reduction);
  }

  /** The loss of scores against 1 and -1. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    return softMarginLoss(input, target, { reduction: this.reduction });
  }
}

/** {@link multiMarginLoss} with its options. **Source**: `torch.nn.MultiMarginLoss`. */
export class MultiMarginLoss extends Module {
  readonly p: 1 | 2;
  readonly margin: number;
  readonly weight: Tensor | undefined;
  readonly reduction: Reduction;

  constructor(options?: MultiMarginLossOptions) {
    super();
    const op = 'MultiMarginLoss';
    const filled = withDefaults<MultiMarginLossOptions>(op, options, multiMarginLossDefaults);
    this.p = checkPower(op, filled.p);
    this.margin = number(op, "option 'margin'", filled.margin);
    const weight = asOptionalTensor(op, 'weight', filled.weight);
    explained(
      op,
      { arguments: {}, options: { weight } },
      () => checkClassWeight(op, weight),
      () => undefined,
    );
    this.weight = weight;
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of scores `[N, C]` against class indices `[N]`. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { p, margin, weight, reduction } = this;
    return multiMarginLoss(input, target, { p, margin, weight, reduction });
  }
}

/** {@link multilabelMarginLoss} with its options. **Source**: `torch.nn.MultiLabelMarginLoss`. */
export class MultiLabelMarginLoss extends Module {
  readonly reduction: Reduction;

  constructor(options?: ReductionOptions) {
    super();
    const op = 'MultiLabelMarginLoss';
    this.reduction = checkReduction(op, withDefaults<ReductionOptions>(op, options, reductionDefaults).reduction);
  }

  /** The loss of scores `[N, C]` against class indices `[N, C]`, ended by -1. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    return multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}

/** {@link multilabelSoftMarginLoss} with its options. **Source**: `torch.nn.MultiLabelSoftMarginLoss`. */
export class MultiLabelSoftMarginLoss extends Module {
  readonly weight: Tensor | undefined;
  readonly reduction: Reduction;

  constructor(options?: MultilabelSoftMarginLossOptions) {
    super();
    const op = 'MultiLabelSoftMarginLoss';
    const filled = withDefaults<MultilabelSoftMarginLossOptions>(op, options, multilabelSoftMarginLossDefaults);
    this.weight = asOptionalTensor(op, 'weight', filled.weight);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of scores `[N, C]` against 0 and 1 for each class. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, reduction } = this;
    return multilabelSoftMarginLoss(input, target, { weight, reduction });
  }
}
