/** The class of the sequence loss: options are checked when the object is made. */
import { boolean, classIndex, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { checkReduction, type TensorLike } from '../functional/arguments';
import { type CTCLossOptions, ctcLoss, ctcLossDefaults, type Lengths } from '../functional/sequence';
import { Module } from './module';

/** {@link ctcLoss} with its options. **Source**: `torch.nn.CTCLoss`. */
export class CTCLoss extends Module {
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;

  constructor(options?: CTCLossOptions) {
    super();
    const op = 'CTCLoss';
    const filled = withDefaults<CTCLossOptions>(op, options, ctcLossDefaults);
    this.blank = Number(classIndex(op, "option 'blank'", filled.blank));
    this.reduction = checkReduction(op, filled.reduction);
    this.zeroInfinity = boolean(op, "option 'zeroInfinity'", filled.zeroInfinity);
  }

  /** The loss of log-probabilities `[T, N, C]` against label sequences. */
  override forward(logProbs: TensorLike, targets: TensorLike, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, reduction, zeroInfinity } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, reduction, zeroInfinity });
  }
}
