/** Activations. **Source**: the functions of the same names in `torch` and `torch.nn.functional`. */

import { checkDType } from '../../aten/dtype';
import * as aten from '../../aten/operators.generated';
import { finite, integer, withDefaults } from '../../options';
import type { DType } from '../../types';
import type { Tensor } from '../tensor';

/** Options of {@link softmax} and {@link logSoftmax}. */
export interface SoftmaxOptions {
  /** Convert to this dtype first, so that half types do not overflow. */
  dtype?: DType | undefined;
}

const softmaxDefaults: Readonly<Required<SoftmaxOptions>> = Object.freeze({ dtype: undefined });

/** Options of {@link logit}. */
export interface LogitOptions {
  /** Clamp the input to [eps, 1 - eps] first; absent: do not. */
  eps?: number | undefined;
}

const logitDefaults: Readonly<Required<LogitOptions>> = Object.freeze({ eps: undefined });

function readDType(op: string, options: SoftmaxOptions | undefined): DType | undefined {
  const { dtype } = withDefaults<SoftmaxOptions>(op, options, softmaxDefaults);
  return dtype === undefined ? undefined : checkDType(op, dtype);
}

/** `softmax(x)_i = e^(x_i) / sum_j e^(x_j)` along `dim` */
export function softmax(input: Tensor, dim: number, options?: SoftmaxOptions): Tensor {
  return aten.softmax_int(input, integer('softmax', "'dim'", dim), readDType('softmax', options));
}

/** `logSoftmax(x)_i = x_i - ln sum_j e^(x_j)` along `dim`, stable for large inputs */
export function logSoftmax(input: Tensor, dim: number, options?: SoftmaxOptions): Tensor {
  return aten.log_softmax_int(input, integer('logSoftmax', "'dim'", dim), readDType('logSoftmax', options));
}

/** `1 / (1 + e^(-x))` */
export function sigmoid(input: Tensor): Tensor {
  return aten.sigmoid(input);
}

/** `ln sigmoid(x)`, stable for large negative inputs */
export function logSigmoid(input: Tensor): Tensor {
  return aten.log_sigmoid(input);
}

/** `ln(p / (1 - p))`: the inverse of {@link sigmoid} */
export function logit(input: Tensor, options?: LogitOptions): Tensor {
  const { eps } = withDefaults<LogitOptions>('logit', options, logitDefaults);
  return aten.logit(input, eps === undefined ? undefined : finite('logit', "option 'eps'", eps));
}

/** `max(x, 0)` */
export function relu(input: Tensor): Tensor {
  return aten.relu(input);
}

/** The hyperbolic tangent */
export function tanh(input: Tensor): Tensor {
  return aten.tanh(input);
}
