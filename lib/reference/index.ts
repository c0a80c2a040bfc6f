/**
 * PyTorch's losses in plain TypeScript, for reading and for checking: float64, naive loops, gradients derived by hand.
 * It runs where no libtorch is and shares no code with the bridge to it.
 *
 * Every function takes arrays as {@link ArraySource} and gives a {@link Differentiable}: the value, and the gradients
 * by the arguments on request.
 *
 * @example
 * const loss = crossEntropy([[2, 0], [0, 1]], [0, 0], { reduction: 'sum' });
 * loss.item(); // 1.44019
 * loss.backward().input.toArray(); // [[-0.119203, 0.119203], [-0.731059, 0.731059]]
 */
export { type LogitOptions, logit, logSoftmax, sigmoid, softmax } from './activations';
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from './binary';
export {
  type CrossEntropyGradients,
  type CrossEntropyOptions,
  crossEntropy,
  type NLLLossOptions,
  nllLoss,
} from './classification';
export {
  type CosineSimilarityOptions,
  cosineSimilarity,
  type DistanceFunction,
  type PairwiseDistanceOptions,
  pairwiseDistance,
} from './distance';
export {
  type CategoricalParameters,
  categoricalEntropy,
  type GaussianNllLossOptions,
  gaussianNllLoss,
  type KLDivOptions,
  type KLDivReduction,
  klDiv,
  klDivReductions,
  type PoissonNllLossOptions,
  poissonNllLoss,
} from './distribution';
export {
  type CosineEmbeddingLossOptions,
  cosineEmbeddingLoss,
  type MarginRankingLossOptions,
  marginRankingLoss,
  type TripletGradients,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from './embedding';
export {
  type AdaptiveGradients,
  type AdaptiveParameters,
  type AdaptiveResult,
  adaptiveLogSoftmaxWithLoss,
  type LinearCrossEntropyGradients,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
} from './linear-classification';
export {
  type HingeEmbeddingLossOptions,
  hingeEmbeddingLoss,
  type MultilabelMarginLossOptions,
  type MultilabelSoftMarginGradients,
  type MultilabelSoftMarginLossOptions,
  type MultiMarginLossOptions,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  type SoftMarginLossOptions,
  softMarginLoss,
} from './margin';
export { type ArraySource, type FlatArray, NdArray, type NumberArray } from './ndarray';
export type { Differentiable } from './reduction';
export {
  type HuberLossOptions,
  huberLoss,
  type L1LossOptions,
  l1Loss,
  type MSELossOptions,
  mseLoss,
  type RegressionGradients,
  type SmoothL1LossOptions,
  smoothL1Loss,
} from './regression';
export { type CTCLossOptions, ctcLoss } from './sequence';
