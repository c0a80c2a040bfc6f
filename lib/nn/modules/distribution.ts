/** The classes of the losses between distributions. */
import { boolean, number, oneOf, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { checkReduction, type TensorLike } from '../functional/arguments';
import {
  type GaussianNllLossOptions,
  gaussianNllLoss,
  gaussianNllLossDefaults,
  type KLDivOptions,
  klDiv,
  klDivDefaults,
  klDivReductions,
  type PoissonNllLossOptions,
  poissonNllLoss,
  poissonNllLossDefaults,
} from '../functional/distribution';
import { Module } from './module';

/** {@link klDiv} with its options. **Source**: `torch.nn.KLDivLoss`. */
export class KLDivLoss extends Module {
  readonly reduction: (typeof klDivReductions)[number];
  readonly logTarget: boolean;

  constructor(options?: KLDivOptions) {
    super();
    const op = 'KLDivLoss';
    const filled = withDefaults<KLDivOptions>(op, options, klDivDefaults);
    this.reduction = oneOf(op, "option 'reduction'", filled.reduction, klDivReductions);
    this.logTarget = boolean(op, "option 'logTarget'", filled.logTarget);
  }

  /** The divergence of log-probabilities from probabilities of the same shape. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { reduction, logTarget } = this;
    return klDiv(input, target, { reduction, logTarget });
  }
}

/** {@link poissonNllLoss} with its options. **Source**: `torch.nn.PoissonNLLLoss`. */
export class PoissonNLLLoss extends Module {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;
  readonly reduction: Reduction;

  constructor(options?: PoissonNllLossOptions) {
    super();
    const op = 'PoissonNLLLoss';
    const filled = withDefaults<PoissonNllLossOptions>(op, options, poissonNllLossDefaults);
    this.logInput = boolean(op, "option 'logInput'", filled.logInput);
    this.full = boolean(op, "option 'full'", filled.full);
    this.eps = number(op, "option 'eps'", filled.eps);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of rates, or their logarithms, against counts. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { logInput, full, eps, reduction } = this;
    return poissonNllLoss(input, target, { logInput, full, eps, reduction });
  }
}

/** {@link gaussianNllLoss} with its options. **Source**: `torch.nn.GaussianNLLLoss`. */
export class GaussianNLLLoss extends Module {
  readonly full: boolean;
  readonly eps: number;
  readonly reduction: Reduction;

  constructor(options?: GaussianNllLossOptions) {
    super();
    const op = 'GaussianNLLLoss';
    const filled = withDefaults<GaussianNllLossOptions>(op, options, gaussianNllLossDefaults);
    this.full = boolean(op, "option 'full'", filled.full);
    this.eps = number(op, "option 'eps'", filled.eps);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of means against values, with variances. */
  override forward(input: TensorLike, target: TensorLike, variance: TensorLike): Tensor {
    const { full, eps, reduction } = this;
    return gaussianNllLoss(input, target, variance, { full, eps, reduction });
  }
}
