/** The classes of `torch.nn`; the functions are in {@link functional}. */

export type { HookHandle } from '../torch/hooks';
/** The functions of `torch.nn.functional`. */
export * as functional from './functional';
/** Values to begin training with, as `torch.nn.init`. */
export * as init from './init';
export { BCELoss, BCEWithLogitsLoss } from './losses/binary-cross-entropy';
export { CrossEntropyLoss, NLLLoss } from './losses/cross-entropy';
export { GaussianNLLLoss, KLDivLoss, PoissonNLLLoss } from './losses/distribution';
export {
  CosineEmbeddingLoss,
  MarginRankingLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './losses/embedding';
export { LinearCrossEntropyLoss, type LinearCrossEntropyLossOptions } from './losses/linear-cross-entropy-class';
export {
  HingeEmbeddingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  SoftMarginLoss,
} from './losses/margin';
export { HuberLoss, L1Loss, MSELoss, SmoothL1Loss } from './losses/regression';
export { CTCLoss } from './losses/sequence';
export * from './modules/activation';
export {
  AdaptiveLogSoftmaxWithLoss,
  type AdaptiveLogSoftmaxWithLossOptions,
  type AdaptiveResult,
} from './modules/adaptive';
export { type AttentionResult, MultiheadAttention, type MultiheadAttentionState } from './modules/attention';
export type { Gradients } from './modules/backward-hooks';
export * from './modules/batch-norm';
export { Identity, ModuleDict, ModuleList, type NamedModules, Sequential } from './modules/containers';
export * from './modules/convolution';
export { deepcopy } from './modules/copy';
export { CosineSimilarity, PairwiseDistance, type PairwiseDistanceState } from './modules/distance';
export * from './modules/dropout';
export * from './modules/embedding';
export type { ForwardHookOptions, ForwardPreHookOptions, HookOptions } from './modules/hooks';
export type { Resettable } from './modules/layer';
export { Bilinear, type BilinearState, Linear, type LinearOptions, type LinearState } from './modules/linear';
export { type AnyModule, type ForwardHook, type ForwardPreHook, Module } from './modules/module';
export type { NamedOptions } from './modules/module-arguments';
export type { AffineState, RMSNormState } from './modules/normalization';
export { GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm } from './modules/normalization';
export * from './modules/padding';
export { ParameterDict, ParameterList } from './modules/parameter-containers';
export * from './modules/pooling';
export {
  GRU,
  LSTM,
  type LSTMStates,
  type Recurrent,
  type RecurrentState,
  type RecurrentWithCell,
  RNN,
} from './modules/recurrent';
export { type CellState, GRUCell, LSTMCell, RNNCell } from './modules/recurrent-cells';
export * from './modules/shape';
export { type IncompatibleKeys, StateDict, type StateMetadata, type StateSource } from './modules/state-dict';
export * from './modules/transformer';
export {
  TransformerDecoderLayer,
  type TransformerDecoderLayerState,
  TransformerEncoderLayer,
  type TransformerLayerState,
} from './modules/transformer-layers';
/** Models over several processes, as `torch.nn.parallel`. */
export * as parallel from './parallel';
export { Buffer, Parameter } from './parameter';
/** Helpers for training, as `torch.nn.utils`. */
export * as utils from './utils';
