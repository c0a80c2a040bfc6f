/** The classes of the losses between distributions. */
import { boolean, oneOf, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { TensorLike } from '../functional/arguments';
import { type KLDivOptions, klDiv, klDivDefaults, klDivReductions } from '../functional/distribution';
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
