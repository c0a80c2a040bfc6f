/** Helpers for training, as `torch.nn.utils`. */
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip-grad';
export {
  convertConv2dWeightMemoryFormat,
  convertConv3dWeightMemoryFormat,
  fuseConvBnEval,
  fuseConvBnWeights,
  fuseLinearBnEval,
  fuseLinearBnWeights,
} from './fusion';
export { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from './norms';
export { parametersToVector, skipInit, vectorToParameters } from './parameters';
/** Parametrizations by name, as `torch.nn.utils.parametrizations`. */
export * as parametrizations from './parametrizations';
/** Parameters that are computed whenever they are read, as `torch.nn.utils.parametrize`. */
export * as parametrize from './parametrize';
/** Sequences of different lengths in one tensor, as `torch.nn.utils.rnn`. */
export * as rnn from './rnn';
