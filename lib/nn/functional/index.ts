/** The functions of `torch.nn.functional`. */

import { makeFunction } from '../../torch/functions';
import type { Tensor } from '../../torch/tensor';

/** `ln sigmoid(x)`, stable for large negative inputs. **Source**: `torch.nn.functional.logsigmoid`. */
export const logsigmoid: (input: Tensor) => Tensor = makeFunction('logsigmoid', 'aten::log_sigmoid');
/** A vector for each class index, 1 at its place and else 0. **Source**: `torch.nn.functional.one_hot`. */
export const oneHot: (input: Tensor, numClasses?: number) => Tensor = makeFunction('oneHot', 'aten::one_hot');
export { logit, logSoftmax, relu, sigmoid, softmax, tanh } from '../../torch/operators.generated';
export {
  type CosineSimilarityOptions,
  cosineSimilarity,
  type PairwiseDistanceOptions,
  pairwiseDistance,
} from '../distance';
export type { TensorLike } from '../losses/arguments';
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from '../losses/binary-cross-entropy';
export { type CrossEntropyOptions, crossEntropy, type NLLLossOptions, nllLoss } from '../losses/cross-entropy';
export {
  type GaussianNllLossOptions,
  gaussianNllLoss,
  type KLDivOptions,
  klDiv,
  type PoissonNllLossOptions,
  poissonNllLoss,
} from '../losses/distribution';
export {
  cosineEmbeddingLoss,
  type DistanceFunction,
  type MarginOptions,
  marginRankingLoss,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from '../losses/embedding';
export { type LinearCrossEntropyCallOptions, linearCrossEntropy } from '../losses/linear-cross-entropy';
export type { LinearCrossEntropyOptions } from '../losses/linear-cross-entropy-options';
export {
  type HingeEmbeddingLossOptions,
  hingeEmbeddingLoss,
  type MultilabelSoftMarginLossOptions,
  type MultiMarginLossOptions,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  type ReductionOptions,
  softMarginLoss,
} from '../losses/margin';
export {
  type HuberLossOptions,
  huberLoss,
  l1Loss,
  mseLoss,
  type SmoothL1LossOptions,
  smoothL1Loss,
  type WeightedOptions,
} from '../losses/regression';
export { type CTCLossOptions, ctcLoss, type Lengths } from '../losses/sequence';
export { linear } from './linear';
