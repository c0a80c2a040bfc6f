/** Activations as modules. */
import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { prelu, sigmoid, tanh } from '../../torch/operators.generated';
import type { Tensor } from '../../torch/tensor';
import * as F from '../functional/activation';
import { gelu, glu, hardshrink, logsigmoid, softplus, softshrink } from '../functional/operators.generated';
import { constant_ } from '../init';
import type { Parameter } from '../parameter';
import { checkSizes, layer, type Resettable, uninitialized } from './layer';

/**
 * `x` where it is greater than `threshold`, else `value`. **Shapes**: any -> the same. **Source**: `torch.nn.Threshold`.
 */
export class Threshold extends layer('Threshold', {
  forward: ({ threshold, value, inplace }, input: Tensor) => F.threshold(input, threshold, value, inplace),
  text: 'threshold={threshold}, value={value}{inplace?}',
}) {}

/** `max(x, 0)`. **Shapes**: any -> the same. **Source**: `torch.nn.ReLU`. */
export class ReLU extends layer('ReLU', {
  forward: ({ inplace }, input: Tensor) => F.relu(input, inplace),
  text: '{inplace?}',
}) {}

/** `min(max(x, 0), 6)`. **Shapes**: any -> the same. **Source**: `torch.nn.ReLU6`. */
export class ReLU6 extends layer('ReLU6', {
  forward: ({ inplace }, input: Tensor) => F.hardtanh(input, 0, 6, inplace),
  text: '{inplace?}',
}) {}

/**
 * `x`, times a slope where it is negative: drawn in `[lower, upper)` for each element in training, else their mean.
 * **Shapes**: any -> the same. **Source**: `torch.nn.RReLU`.
 */
export class RReLU extends layer('RReLU', {
  forward: ({ lower, upper, training, inplace }, input: Tensor) => F.rrelu(input, lower, upper, training, inplace),
  text: 'lower={lower}, upper={upper}{inplace?}',
}) {}

/** `min(max(x, minVal), maxVal)`. **Shapes**: any -> the same. **Source**: `torch.nn.Hardtanh`. */
export class Hardtanh extends layer('Hardtanh', {
  make(self, { minValue, maxValue }) {
    for (const [old, name, value] of [
      ['minValue', 'minVal', minValue],
      ['maxValue', 'maxVal', maxValue],
    ] as const) {
      Reflect.deleteProperty(self, old);
      if (value === undefined) continue;
      emitWarning(`Hardtanh: '${old}' is deprecated; write '${name}'`);
      self[name] = value;
    }
    if (self.maxVal > self.minVal) return;
    throw expected('Hardtanh', "'maxVal'", `to be greater than minVal, ${self.minVal}`, String(self.maxVal));
  },
  forward: ({ minVal, maxVal, inplace }, input: Tensor) => F.hardtanh(input, minVal, maxVal, inplace),
  text: 'min_val={min_val}, max_val={max_val}{inplace?}',
}) {}

/** `1 / (1 + exp(-x))`. **Shapes**: any -> the same. **Source**: `torch.nn.Sigmoid`. */
export class Sigmoid extends layer('Sigmoid', { forward: (_, input: Tensor) => sigmoid(input) }) {}

/** `min(max(x / 6 + 1 / 2, 0), 1)`. **Shapes**: any -> the same. **Source**: `torch.nn.Hardsigmoid`. */
export class Hardsigmoid extends layer('Hardsigmoid', {
  forward: ({ inplace }, input: Tensor) => F.hardsigmoid(input, inplace),
}) {}

/** The hyperbolic tangent. **Shapes**: any -> the same. **Source**: `torch.nn.Tanh`. */
export class Tanh extends layer('Tanh', { forward: (_, input: Tensor) => tanh(input) }) {}

/** `x * sigmoid(x)`. **Shapes**: any -> the same. **Source**: `torch.nn.SiLU`. */
export class SiLU extends layer('SiLU', {
  forward: ({ inplace }, input: Tensor) => F.silu(input, inplace),
  text: '{inplace?}',
}) {}

/** `x * tanh(softplus(x))`. **Shapes**: any -> the same. **Source**: `torch.nn.Mish`. */
export class Mish extends layer('Mish', {
  forward: ({ inplace }, input: Tensor) => F.mish(input, inplace),
  text: '{inplace?}',
}) {}

/** `x * min(max(x + 3, 0), 6) / 6`. **Shapes**: any -> the same. **Source**: `torch.nn.Hardswish`. */
export class Hardswish extends layer('Hardswish', {
  forward: ({ inplace }, input: Tensor) => F.hardswish(input, inplace),
}) {}

/** `x`, or `alpha * (exp(x) - 1)` where it is negative. **Shapes**: any -> the same. **Source**: `torch.nn.ELU`. */
export class ELU extends layer('ELU', {
  forward: ({ alpha, inplace }, input: Tensor) => F.elu(input, alpha, inplace),
  text: 'alpha={alpha}{inplace?}',
}) {}

/** `x`, or `alpha * (exp(x / alpha) - 1)` where it is negative. **Shapes**: any -> the same. **Source**: `torch.nn.CELU`. */
export class CELU extends layer('CELU', {
  forward: ({ alpha, inplace }, input: Tensor) => F.celu(input, alpha, inplace),
  text: 'alpha={alpha}{inplace?}',
}) {}

/** {@link ELU} scaled so that activations keep mean 0 and variance 1. **Shapes**: any -> the same. **Source**: `torch.nn.SELU`. */
export class SELU extends layer('SELU', {
  forward: ({ inplace }, input: Tensor) => F.selu(input, inplace),
  text: '{inplace?}',
}) {}

/** `a * sigmoid(b)` of the halves along `dim`. **Shapes**: `[…, 2N, …]` -> `[…, N, …]`. **Source**: `torch.nn.GLU`. */
export class GLU extends layer('GLU', { forward: ({ dim }, input: Tensor) => glu(input, dim), text: 'dim={dim}' }) {}

/**
 * `x * Phi(x)`, with the normal distribution's Phi or (`'tanh'`) an approximation. **Shapes**: any -> the same. **Source**:
 * `torch.nn.GELU`.
 */
export class GELU extends layer('GELU', {
  forward: ({ approximate }, input: Tensor) => gelu(input, { approximate }),
  text: 'approximate={approximate!r}',
}) {}

/** `x`, or 0 within `[-lambd, lambd]`. **Shapes**: any -> the same. **Source**: `torch.nn.Hardshrink`. */
export class Hardshrink extends layer('Hardshrink', {
  forward: ({ lambd }, input: Tensor) => hardshrink(input, lambd),
  text: '{lambd}',
}) {}

/** `x`, times `negativeSlope` where it is negative. **Shapes**: any -> the same. **Source**: `torch.nn.LeakyReLU`. */
export class LeakyReLU extends layer('LeakyReLU', {
  forward: ({ negativeSlope, inplace }, input: Tensor) => F.leakyRelu(input, negativeSlope, inplace),
  text: 'negative_slope={negative_slope}{inplace?}',
}) {}

/** The logarithm of {@link Sigmoid}. **Shapes**: any -> the same. **Source**: `torch.nn.LogSigmoid`. */
export class LogSigmoid extends layer('LogSigmoid', { forward: (_, input: Tensor) => logsigmoid(input) }) {}

/**
 * `log(1 + exp(beta * x)) / beta`, or `x` where `beta * x` is above `threshold`. **Shapes**: any -> the same. **Source**:
 * `torch.nn.Softplus`.
 */
export class Softplus extends layer('Softplus', {
  forward: ({ beta, threshold }, input: Tensor) => softplus(input, beta, threshold),
  text: 'beta={beta}, threshold={threshold}',
}) {}

/** `x` moved by `lambd` towards 0. **Shapes**: any -> the same. **Source**: `torch.nn.Softshrink`. */
export class Softshrink extends layer('Softshrink', {
  forward: ({ lambd }, input: Tensor) => softshrink(input, lambd),
  text: '{lambd}',
}) {}

/** What {@link PReLU} has besides its options. */
export interface PReLUState extends Resettable {
  /** The slope of negative numbers: one, or one for each channel. */
  weight: Parameter;
}

/**
 * `x`, times a slope to be learned where it is negative: one slope, or (`numParameters`) one for each channel. **Shapes**:
 * `[N, C, …]` -> the same. **Source**: `torch.nn.PReLU`.
 */
export class PReLU extends layer<'PReLU', [input: Tensor], Tensor, PReLUState>('PReLU', {
  make(self, options) {
    checkSizes('PReLU', { numParameters: self.numParameters });
    self.weight = uninitialized([self.numParameters], options);
  },
  reset: ({ weight, init }) => constant_(weight, init),
  forward: ({ weight }, input) => prelu(input, weight),
  text: 'num_parameters={num_parameters}',
}) {}

/** `x / (1 + |x|)`. **Shapes**: any -> the same. **Source**: `torch.nn.Softsign`. */
export class Softsign extends layer('Softsign', { forward: (_, input: Tensor) => F.softsign(input) }) {}

/** `x - tanh(x)`. **Shapes**: any -> the same. **Source**: `torch.nn.Tanhshrink`. */
export class Tanhshrink extends layer('Tanhshrink', { forward: (_, input: Tensor) => F.tanhshrink(input) }) {}

/** {@link Softmax} of `-x`. **Shapes**: any -> the same. **Source**: `torch.nn.Softmin`. */
export class Softmin extends layer('Softmin', {
  forward: ({ dim }, input: Tensor) => F.softmin(input, dim),
  text: 'dim={dim}',
}) {}

/** `exp(x)`, divided by its sum along `dim`. **Shapes**: any -> the same. **Source**: `torch.nn.Softmax`. */
export class Softmax extends layer('Softmax', {
  forward: ({ dim }, input: Tensor) => F.softmax(input, dim),
  text: 'dim={dim}',
}) {}

/** {@link Softmax} over the channels of each pixel. **Shapes**: `[N, C, H, W]` or `[C, H, W]` -> the same. **Source**: `torch.nn.Softmax2d`. */
export class Softmax2d extends layer('Softmax2d', {
  forward(_, input: Tensor) {
    const { ndim } = input;
    if (ndim !== 3 && ndim !== 4) throw expected('Softmax2d', "'input'", 'to have 3 or 4 dimensions', String(ndim));
    return F.softmax(input, -3);
  },
}) {}

/** The logarithm of {@link Softmax}. **Shapes**: any -> the same. **Source**: `torch.nn.LogSoftmax`. */
export class LogSoftmax extends layer('LogSoftmax', {
  forward: ({ dim }, input: Tensor) => F.logSoftmax(input, dim),
  text: 'dim={dim}',
}) {}
