/** The class of linear cross entropy: it owns the linear layer. */
import { loadedLibtorch } from '../../binding/load';
import { expected, show } from '../../errors';
import { integer } from '../../options';
import type { Call } from '../../torch/call';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import { Linear, type LinearOptions } from '../modules/linear';
import { Module } from '../modules/module';
import { pythonText } from '../modules/print';
import { asOptionalTensor, type TensorLike } from './arguments';
import { checkedOptions, declarationOf, type LossDeclaration, parametersOf } from './declare';
import {
  checkLinearCrossEntropyVersion,
  type LinearCrossEntropyCallOptions,
  linearCrossEntropy,
} from './linear-cross-entropy';
import type { LinearCrossEntropyOptions } from './linear-cross-entropy-options';
import { booleanOr, type Option, reduction, tensor } from './option';

/** Options of {@link LinearCrossEntropyLoss}. */
export interface LinearCrossEntropyLossOptions
  extends Omit<LinearCrossEntropyCallOptions, 'linearBias'>,
    Omit<LinearOptions, 'bias'> {
  /** The sizes `[d1, …, dk]` that each class has scores for. Default `[]`: one score. */
  outFeatures?: readonly number[] | undefined;
  /** Whether the layer adds a bias. Default `false`. */
  bias?: boolean | undefined;
}

const op = 'LinearCrossEntropyLoss';

/** What the layer checks. */
const ofLayer: Option = { default: undefined, check: (_op, _label, value) => value };

const { linearBias: _, ...ofLoss } = (declarationOf(linearCrossEntropy) as LossDeclaration).options;
const ownOptions: LossDeclaration['options'] = {
  ...ofLoss,
  reduction,
  outFeatures: { default: Object.freeze([]), check: sizes },
  bias: booleanOr(false),
  dtype: ofLayer,
  device: ofLayer,
};
const required = { inFeatures: tensor, numClasses: tensor };
const parameters = parametersOf(op, { arguments: required, options: ownOptions });

type Checked = Required<LinearCrossEntropyLossOptions> & {
  [Name in 'outFeatures' | 'reduction' | 'labelSmoothing']: NonNullable<LinearCrossEntropyLossOptions[Name]>;
};

/**
 * {@link linearCrossEntropy} with its options and a linear layer to train: weight `[C * d1 * … * dk, F]` and, if asked
 * for, a bias, drawn as {@link Linear} draws them.
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `NOT_IMPLEMENTED` before libtorch 2.13.
 *
 * **Source**: `torch.nn.LinearCrossEntropyLoss`.
 */
export class LinearCrossEntropyLoss extends Module {
  /** The number of classes C. */
  readonly numClasses: number;
  /** The sizes of the target behind the batch. */
  readonly outFeatures: readonly number[];
  /** A weight for each class. */
  declare weight: Tensor | undefined;
  /** `'none'`, `'mean'` or `'sum'`. */
  readonly reduction: Reduction;
  /** A class index that counts for nothing. */
  readonly ignoreIndex: number | bigint | undefined;
  /** How much of each target is spread evenly over all classes. */
  readonly labelSmoothing: number;
  /** The layer before the loss. */
  declare linear: Linear;
  /** How the loss is computed in chunks. */
  readonly options: LinearCrossEntropyOptions | undefined;

  constructor(...args: Call<[inFeatures: number, numClasses: number], LinearCrossEntropyLossOptions>) {
    super();
    checkLinearCrossEntropyVersion(op, loadedLibtorch().version);
    const [inFeatures, numClasses] = args;
    const checked = checkedOptions(ownOptions, parameters, args) as Checked;
    this.numClasses = size(op, "'numClasses'", numClasses);
    this.outFeatures = checked.outFeatures;
    this.registerBuffer('weight', asOptionalTensor(op, 'weight', checked.weight));
    if (this.weight !== undefined && !sameShape(this.weight.shape, [numClasses])) {
      const what = `to have shape [${numClasses}], one weight a class`;
      throw expected(op, "option 'weight'", what, shapeText(this.weight.shape));
    }
    this.reduction = checked.reduction;
    this.ignoreIndex = checked.ignoreIndex;
    this.labelSmoothing = checked.labelSmoothing;
    this.options = checked.options;
    const { bias, dtype, device } = checked;
    const outputs = this.outFeatures.reduce((product, count) => product * count, numClasses);
    this.linear = new Linear(inFeatures, outputs, { bias, dtype: dtype ?? null, device });
  }

  override extraRepr(): string {
    const { numClasses, outFeatures, reduction, ignoreIndex, labelSmoothing, options, linear } = this;
    const sizes = outFeatures.length === 1 ? `(${outFeatures[0]},)` : `(${outFeatures.join(', ')})`;
    return [
      `in_features=${linear.inFeatures}, num_classes=${numClasses}, out_features=${sizes}`,
      `bias=${pythonText(linear.bias !== undefined)}, reduction=${reduction}, ignore_index=${pythonText(ignoreIndex)}`,
      `label_smoothing=${pythonText(labelSmoothing, 'float')}, options=${pythonText(options)}`,
    ].join(', ');
  }

  /** The loss of features `[N, F]` against class indices `[N, d1, …, dk]` or probabilities `[N, C, d1, …, dk]`. */
  override forward(input: TensorLike, target: TensorLike): Tensor {
    const { weight, reduction, ignoreIndex, labelSmoothing, options } = this;
    const outputs = [this.numClasses, ...this.outFeatures];
    const linearWeight = this.linear.weight.reshape([...outputs, this.linear.weight.shape[1] as number]);
    const linearBias = this.linear.bias?.reshape(outputs);
    const call = { linearBias, weight, reduction, ignoreIndex, labelSmoothing, options };
    return linearCrossEntropy(input, linearWeight, target, call);
  }
}

function size(op: string, argument: string, value: unknown): number {
  const count = integer(op, argument, value);
  if (count >= 0) return count;
  throw expected(op, argument, 'to be an integer >= 0', show(value));
}

function sizes(op: string, label: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw expected(op, label, 'to be an array of sizes', show(value));
  return Object.freeze(Array.from(value, (count, i) => size(op, `option 'outFeatures[${i}]'`, count)));
}
