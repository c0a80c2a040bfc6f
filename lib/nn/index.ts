/** The classes of `torch.nn`; the functions are in {@link functional}. */
/** The losses as functions, as `torch.nn.functional`. */

export { CosineSimilarity, PairwiseDistance } from './distance';
export * as functional from './functional';
export {
  CosineEmbeddingLoss,
  MarginRankingLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './losses/embedding';
export {
  HingeEmbeddingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './losses/margin';
export { BCELoss, BCEWithLogitsLoss } from './losses/binary-cross-entropy';
export { CrossEntropyLoss, NLLLoss } from './losses/cross-entropy';
export { HuberLoss, L1Loss, MSELoss, SmoothL1Loss } from './losses/regression';
export { type DimOptions, LogSoftmax, ReLU, Sigmoid, Softmax } from './modules/activation';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxWithLossOptions,
  type AdaptiveResult,
} from './modules/adaptive';
export { GaussianNLLLoss, KLDivLoss, PoissonNLLLoss } from './modules/distribution';
export { Linear, type LinearOptions } from './modules/linear';
export { LinearCrossEntropyLoss, type LinearCrossEntropyLossOptions } from './modules/linear-cross-entropy';
export { Module } from './modules/module';
export { CTCLoss } from './modules/sequence';
