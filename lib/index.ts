/**
 * libtorch-losses: PyTorch's loss functions for Node.js. This is the whole public surface; names are PyTorch's.
 *
 * @example
 * import * as torch from 'libtorch-losses';
 * const F = torch.nn.functional;
 * const logits = torch.tensor([[1, 2, 0.5]], { requiresGrad: true });
 * const loss = F.crossEntropy(logits, [1]);
 * loss.backward();
 */
import './torch/methods';

export { isTensor } from './aten/bind';

/** Probability distributions, as `torch.distributions`. */
export * as distributions from './distributions';
export {
  DisposedError,
  type ErrorCode,
  type LoadAttempt,
  LoadError,
  type LoadErrorCode,
  NativeError,
  type NativeErrorCode,
  TorchError,
} from './errors';
export * from './evaluate';
/** The losses as functions (`nn.functional`) and as classes, as `torch.nn`. */
export * as nn from './nn';
export type { Call, Loss } from './nn/losses/declare';
export {
  type ArgumentDefinition,
  type DefinedLoss,
  type DefinedOptions,
  defineLoss,
  type IndicesDefinition,
  type LossCall,
  type LossDefinition,
  type OptionDefault,
} from './nn/losses/define';
/** Gradients as functions, as `torch.autograd`. */
export * as autograd from './tensor/autograd';
export {
  type BackwardAllOptions,
  backward,
  enableGrad,
  type GradOptions,
  grad,
  inferenceMode,
  isGradEnabled,
  isInferenceModeEnabled,
  noGrad,
} from './tensor/autograd';
export type { CastOptions } from './tensor/cast';
export {
  type AsTensorOptions,
  asTensor,
  type FlatData,
  type FromDataOptions,
  fromTypedArray,
  type TensorData,
  type TensorOptions,
  tensor,
} from './tensor/create';
/** What there is of CUDA, as `torch.cuda`. */
export * as cuda from './tensor/cuda';
export {
  cpuCapability,
  emptyCache,
  getNumThreads,
  libtorchVersion,
  type MemoryFigures,
  manualSeed,
  memory,
  setNumThreads,
} from './tensor/runtime';
export { keep, scope } from './tensor/scope';
export { type BackwardOptions, Tensor, type TensorJSON } from './tensor/tensor';
/** Helpers for tests, as `torch.testing`. */
export * as testing from './tensor/testing';
export {
  type Differentiated,
  type ValueAndGrad,
  type ValueAndGradOptions,
  valueAndGrad,
} from './tensor/value-and-grad';
export * from './torch/constants';
export { device } from './torch/device';
/** Fourier transforms, as `torch.fft`. */
export * as fft from './torch/fft.generated';
export * from './torch/functional';
export { defaultGenerator, Generator } from './torch/generator';
export { type Index, Slice, slice } from './torch/indexing';
/** Linear algebra, as `torch.linalg`. */
export * as linalg from './torch/linalg.generated';
export { NativeObject, storageOf } from './torch/native-object';
export * from './torch/operators.generated';
export { ops } from './torch/ops';
export { getRngState, initialSeed, seed, setRngState } from './torch/random';
/** Special functions, as `torch.special`. */
export * as special from './torch/special.generated';
export {
  type Complex,
  type Device,
  type DType,
  dtypes,
  type FloatingDType,
  type Layout,
  type MemoryFormat,
  type NestedArray,
  type Reduction,
  reductions,
  type Scalar,
  type TypedArray,
} from './types';
