/** The functions of `torch.nn.functional`. */

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
export * from './activation';
export { multiHeadAttentionForward } from './attention';
export * from './dropout';
export * from './embedding';
export * from './interpolate';
export * from './matmul';
export * from './normalization';
export * from './operators.generated';
export * from './pooling';
