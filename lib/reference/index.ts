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
  type CrossEntropyGradients,
  type CrossEntropyOptions,
  crossEntropy,
  type NLLLossOptions,
  nllLoss,
} from './classification';
export {
  type CategoricalParameters,
  categoricalEntropy,
  type KLDivOptions,
  type KLDivReduction,
  klDiv,
  klDivReductions,
} from './distribution';
export { type ArraySource, type FlatArray, NdArray, type NumberArray } from './ndarray';
export type { Differentiable } from './reduction';
