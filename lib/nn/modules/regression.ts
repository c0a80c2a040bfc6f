/** The classes of the losses between numbers: options are checked when the object is made. */
import { number, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { checkReduction, type TensorLike } from '../functional/arguments';
import { type ReductionOptions, reductionDefaults } from '../functional/margin';
import {
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
  smoothL1LossDefaults,
} from '../functional/regression';
import { Module } from './module';

/** {@link l1Loss} with its options. **Source**: `torch.nn.L1Loss`, which takes no weight. */
export class L1Loss extends Module {
  readonly reduction: Reduction;

  constructor(options?: ReductionOptions) {
    super();
    const op = 'L1Loss';
    this.reduction = checkReduction(op, withDefaults<ReductionOptions>(op, options, reductionDefaults).reduction);
  }

  /** The loss of numbers against numbers of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    return l1Loss(input, target, { reduction: this.reduction });
  }
}

/** {@link mseLoss} with its options. **Source**: `torch.nn.MSELoss`, which takes no weight. */
export class MSELoss extends Module {
  readonly reduction: Reduction;

  constructor(options?: ReductionOptions) {
    super();
    const op = 'MSELoss';
    this.reduction = checkReduction(op, withDefaults<ReductionOptions>(op, options, reductionDefaults).reduction);
  }

  /** The loss of numbers against numbers of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    return mseLoss(input, target, { reduction: this.reduction });
  }
}

/** {@link smoothL1Loss} with its options. **Source**: `torch.nn.SmoothL1Loss`. */
export class SmoothL1Loss extends Module {
  readonly reduction: Reduction;
  readonly beta: number;

  constructor(options?: SmoothL1LossOptions) {
    super();
    const op = 'SmoothL1Loss';
    const { reduction, beta } = withDefaults<SmoothL1LossOptions>(op, options, smoothL1LossDefaults);
    this.reduction = checkReduction(op, reduction);
    this.beta = number(op, "option 'beta'", beta);
  }

  /** The loss of numbers against numbers of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { reduction, beta } = this;
    return smoothL1Loss(input, target, { reduction, beta });
  }
}

const huberDefaults = Object.freeze({ reduction: 'mean', delta: 1 }) satisfies Omit<HuberLossOptions, 'weight'>;

/** {@link huberLoss} with its options. **Source**: `torch.nn.HuberLoss`, which takes no weight. */
export class HuberLoss extends Module {
  readonly reduction: Reduction;
  readonly delta: number;

  constructor(options?: Omit<HuberLossOptions, 'weight'>) {
    super();
    const op = 'HuberLoss';
    const { reduction, delta } = withDefaults<Omit<HuberLossOptions, 'weight'>>(op, options, huberDefaults);
    this.reduction = checkReduction(op, reduction);
    this.delta = number(op, "option 'delta'", delta);
  }

  /** The loss of numbers against numbers of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { reduction, delta } = this;
    return huberLoss(input, target, { reduction, delta });
  }
}
