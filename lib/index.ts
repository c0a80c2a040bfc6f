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
import './tensor/methods';

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
  arange,
  empty,
  eye,
  type FlatData,
  type FromDataOptions,
  fromTypedArray,
  full,
  linspace,
  ones,
  rand,
  randint,
  randn,
  randperm,
  type TensorData,
  type TensorOptions,
  tensor,
  zeros,
} from './tensor/create';
/** What there is of CUDA, as `torch.cuda`. */
export * as cuda from './tensor/cuda';
export * from './tensor/ops/activations';
export {
  type AlphaOptions,
  abs,
  add,
  type ClampOptions,
  ceil,
  clamp,
  div,
  exp,
  expm1,
  floor,
  log,
  log1p,
  maskedFill,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  round,
  rsqrt,
  sign,
  sqrt,
  square,
  sub,
  xlogy,
} from './tensor/ops/arithmetic';
export * from './tensor/ops/comparisons';
export * from './tensor/ops/in-place';
export * from './tensor/ops/joining';
export * from './tensor/ops/reductions';
export * from './tensor/ops/views';
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
export { defaultGenerator, Generator } from './torch/generator';
export { NativeObject, storageOf } from './torch/native-object';
export { ops } from './torch/ops';
export {
  type Complex,
  type Device,
  type DType,
  dtypes,
  type FloatingDType,
  type NestedArray,
  type Reduction,
  reductions,
  type Scalar,
  type TypedArray,
} from './types';
