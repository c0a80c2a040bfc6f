/** The classes of `torch.nn`; the functions are in {@link functional}. */
/** The losses as functions, as `torch.nn.functional`. */
export * as functional from './functional';
export { GaussianNLLLoss, KLDivLoss, PoissonNLLLoss } from './losses/distribution';
export { LinearCrossEntropyLoss, type LinearCrossEntropyLossOptions } from './losses/linear-cross-entropy-class';
export { HuberLoss, L1Loss, MSELoss, SmoothL1Loss } from './losses/regression';
export { CTCLoss } from './losses/sequence';
export { type DimOptions, LogSoftmax, ReLU, Sigmoid, Softmax } from './modules/activation';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxWithLossOptions,
  type AdaptiveResult,
} from './modules/adaptive';
export { BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, NLLLoss } from './modules/classification';
export {
  CosineEmbeddingLoss,
  CosineSimilarity,
  MarginRankingLoss,
  PairwiseDistance,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './modules/embedding';
export { Linear, type LinearOptions } from './modules/linear';
export {
  HingeEmbeddingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './modules/margin';
export { Module } from './modules/module';
