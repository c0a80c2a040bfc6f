/** Helpers for training, as `torch.nn.utils`. */
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip-grad';
export { parametersToVector, skipInit, vectorToParameters } from './parameters';
/** Sequences of different lengths in one tensor, as `torch.nn.utils.rnn`. */
export * as rnn from './rnn';
