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

/** Processes that work together, as `torch.distributed`. */
export * as distributed from './distributed';
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
/** Reading and writing checkpoints, as `torch.serialization`. */
export * as serialization from './io/pt';
export { type LoadOptions, load, type MapLocation, save } from './io/pt';
/** Tensors in .safetensors files, as Python's `safetensors.torch`. */
export * as safetensors from './io/safetensors';
export type { FileName } from './io/write-file';
/** The losses as functions (`nn.functional`) and as classes, as `torch.nn`. */
export * as nn from './nn';
export type { Loss } from './nn/losses/declare';
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
/** Optimizers and schedules of learning rates, as `torch.optim`. */
export * as optim from './optim';
/** Gradients as functions, as `torch.autograd`. */
export * as autograd from './torch/autograd';
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
} from './torch/autograd';
export { isTensor } from './torch/bind';
export type { Call } from './torch/call';
export type { CastOptions } from './torch/cast';
export * from './torch/constants';
export {
  type AsTensorOptions,
  asTensor,
  type FlatData,
  type FromDataOptions,
  fromTypedArray,
  type TensorData,
  type TensorOptions,
  tensor,
} from './torch/create';
/** What there is of CUDA, as `torch.cuda`. */
export * as cuda from './torch/cuda';
export { device } from './torch/device';
export type { ElementResult } from './torch/elementwise';
/** Fourier transforms, as `torch.fft`. */
export * as fft from './torch/fft.generated';
export * from './torch/functional';
export { defaultGenerator, Generator } from './torch/generator';
export type { GradientHook, HookHandle } from './torch/hooks';
export { type Index, Slice, slice } from './torch/indexing';
/** Linear algebra, as `torch.linalg`. */
export * as linalg from './torch/linalg.generated';
export * from './torch/low-rank';
/** Reductions and normalizations of the elements that a mask leaves, as `torch.masked`. */
export * as masked from './torch/masked';
export { NativeObject, storageOf } from './torch/native-object';
export * from './torch/operators.generated';
export { ops } from './torch/ops';
export * from './torch/products';
export { getRngState, initialSeed, seed, setRngState } from './torch/random';
export {
  cpuCapability,
  emptyCache,
  getNumThreads,
  libtorchVersion,
  type MemoryFigures,
  manualSeed,
  memory,
  setNumThreads,
} from './torch/runtime';
export { keep, scope } from './torch/scope';
/** Signal processing, as `torch.signal`. */
export * as signal from './torch/signal';
/** Special functions, as `torch.special`. */
export * as special from './torch/special.generated';
export { Tensor } from './torch/tensor';
export type { BackwardOptions } from './torch/tensor-arguments';
export type { TensorJSON } from './torch/tensor-text';
/** Helpers for tests, as `torch.testing`. */
export * as testing from './torch/testing';
export {
  type Differentiated,
  type ValueAndGrad,
  type ValueAndGradOptions,
  valueAndGrad,
} from './torch/value-and-grad';
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
/** Data for training, as `torch.utils`. */
export * as utils from './utils';
