/** Activations. What is a single operator is in `operators.generated.ts`. */

import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { aten } from '../../torch/ops';
import type { Aten } from '../../torch/ops/aten.generated';
import type { Tensor } from '../../torch/tensor';
import type { DType } from '../../types';
import type { FunctionalCalls, FunctionalImplementations } from '../python.generated';
import { define, defineAlike, operator } from './define';

/** The functions whose last argument chooses the operator that works in place. */
type WithInplace = {
  [Name in keyof FunctionalImplementations]: Parameters<FunctionalImplementations[Name]> extends [
    ...unknown[],
    inplace: boolean,
  ]
    ? Name
    : never;
}[keyof FunctionalImplementations];

function withInplace<Name extends WithInplace>(
  name: Name,
  plain: keyof Aten,
  inplace: keyof Aten,
): FunctionalCalls[Name] {
  return defineAlike(name, (...given: unknown[]) => operator(given.pop() === true ? inplace : plain)(...given));
}

/** `max(0, x)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.relu`. */
export const relu = withInplace('relu', 'relu', 'relu_');

/** `min(max(0, x), 6)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.relu6`. */
export const relu6 = withInplace('relu6', 'relu6', 'relu6_');

/** `x` where it is positive, else `alpha * (exp(x) - 1)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.elu`. */
export const elu = withInplace('elu', 'elu', 'elu_');

/** {@link elu} with fixed numbers that keep mean and variance. **Shapes**: any -> the same. **Source**: `torch.nn.functional.selu`. */
export const selu = withInplace('selu', 'selu', 'selu_');

/** `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.celu`. */
export const celu = withInplace('celu', 'celu', 'celu_');

/** `x` where it is positive, else `negativeSlope * x`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.leaky_relu`. */
export const leakyRelu = withInplace('leakyRelu', 'leaky_relu', 'leaky_relu_');

/**
 * `x` where it is positive, else `a * x`: in training `a` is drawn from `[lower, upper]` for each element, otherwise it is
 * their mean. **Shapes**: any -> the same. **Source**: `torch.nn.functional.rrelu`.
 */
export const rrelu = withInplace('rrelu', 'rrelu', 'rrelu_');

/** `min(max(0, x + 3), 6) / 6`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.hardsigmoid`. */
export const hardsigmoid = withInplace('hardsigmoid', 'hardsigmoid', 'hardsigmoid_');

/** `x * hardsigmoid(x)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.hardswish`. */
export const hardswish = withInplace('hardswish', 'hardswish', 'hardswish_');

/** `x * sigmoid(x)`, also called swish. **Shapes**: any -> the same. **Source**: `torch.nn.functional.silu`. */
export const silu = withInplace('silu', 'silu', 'silu_');

/** `x * tanh(softplus(x))`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.mish`. */
export const mish = withInplace('mish', 'mish', 'mish_');

/** `x` where it exceeds `threshold`, else `value`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.threshold`. */
export const threshold = withInplace('threshold', 'threshold', 'threshold_');

/** `min(max(minVal, x), maxVal)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.hardtanh`. */
export const hardtanh = define('hardtanh', (input, minVal, maxVal, inplace) => {
  if (minVal > maxVal) throw expected('hardtanh', "'minVal'", `to be at most 'maxVal' (${maxVal})`, String(minVal));
  return inplace ? aten.hardtanh_(input, minVal, maxVal) : aten.hardtanh(input, minVal, maxVal);
});

/** `x - tanh(x)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.tanhshrink`. */
export const tanhshrink = define('tanhshrink', (input) => input.sub(input.tanh()));

/** `x / (1 + |x|)`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.softsign`. */
export const softsign = define('softsign', (input) => input.div(input.abs().add(1)));

/** The dimension that PyTorch chooses where none is given, with its warning. */
function implicitDim(op: string, dims: number): number {
  emitWarning(`${op}: choosing a dimension where none is given is deprecated; pass 'dim'`);
  return dims === 0 || dims === 1 || dims === 3 ? 0 : 1;
}

function softmaxOf(
  op: 'softmax' | 'softmin' | 'logSoftmax',
  run: (input: Tensor, dim: number, dtype: DType | undefined) => Tensor,
): FunctionalCalls['softmax'] {
  return define(op, (input, dim, dtype) => run(input, dim ?? implicitDim(op, input.ndim), dtype));
}

/**
 * `exp(x_i) / sum_j exp(x_j)` along `dim`, converted to `dtype` first. **Shapes**: any -> the same. **Source**:
 * `torch.nn.functional.softmax`, which takes a private argument behind `dim`: `dtype` goes by name.
 */
export const softmax = softmaxOf('softmax', (input, dim, dtype) => aten.softmax.int(input, dim, dtype));

/** {@link softmax} of `-x`. **Shapes**: any -> the same. **Source**: `torch.nn.functional.softmin`. */
export const softmin = softmaxOf('softmin', (input, dim, dtype) => aten.softmax.int(input.neg(), dim, dtype));

/** `ln softmax(x)`, stable. **Shapes**: any -> the same. **Source**: `torch.nn.functional.log_softmax`. */
export const logSoftmax = softmaxOf('logSoftmax', (input, dim, dtype) => aten.log_softmax.int(input, dim, dtype));

/**
 * A sample of the Gumbel-softmax distribution: `softmax((logits + g) / tau)` with Gumbel noise g; with `hard` one-hot
 * vectors whose gradient is that of the soft sample. **Shapes**: any -> the same. **Source**:
 * `torch.nn.functional.gumbel_softmax`.
 */
export const gumbelSoftmax = define('gumbelSoftmax', (logits, tau, hard, eps, dim) => {
  if (eps !== 1e-10) emitWarning("gumbelSoftmax: 'eps' is deprecated and has no effect");
  const noise = aten.empty_like(logits, { memory_format: 'contiguous_format' }).exponential_().log().neg();
  const soft = logits.add(noise).div(tau).softmax(dim);
  if (!hard) return soft;
  const { indices } = soft.max(dim, { keepdim: true });
  const zeros = aten.zeros_like(logits, { memory_format: 'contiguous_format' });
  return zeros.scatter_(dim, indices, 1).sub(soft.detach()).add(soft);
});
