/** The functions of `torch.nn.functional`. */
export { logit, logSigmoid, logSoftmax, relu, sigmoid, softmax, tanh } from '../../tensor/ops/activations';
export type { TensorLike } from './arguments';
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  type NLLLossOptions,
  nllLoss,
} from './classification';
export { type KLDivOptions, klDiv } from './distribution';
export { linear } from './linear';
