/** The classes of `torch.nn`; the functions are in {@link functional}. */
/** The losses as functions, as `torch.nn.functional`. */
export * as functional from './functional';
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
export {
  CosineEmbeddingLoss,
  CosineSimilarity,
  MarginRankingLoss,
  PairwiseDistance,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './modules/embedding';
export { Linear, type LinearOptions } from './modules/linear';
export { LinearCrossEntropyLoss, type LinearCrossEntropyLossOptions } from './modules/linear-cross-entropy';
export {
  HingeEmbeddingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './modules/margin';
export { Module } from './modules/module';
export { CTCLoss } from './modules/sequence';
