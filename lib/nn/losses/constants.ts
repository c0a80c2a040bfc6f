/** Numbers as tensors of no dimensions, made before anything is traced. */

import { synchronize } from '../../torch/cuda/devices';
import { full } from '../../torch/functional';
import { ones } from '../../torch/operators.generated';
import type { Tensor } from '../../torch/tensor';
import { eagerly, isTracing } from '../../torch/trace';

/** The gradient of a value with respect to itself, which every backward pass begins with. */
export function unit({ dtype, device }: Tensor): Tensor {
  return made(() => ones([], { dtype, device }));
}

/**
 * A number to divide by or multiply with, for operators that take tensors alone: of float64, which changes the dtype of no
 * result and is rounded where a plain number is.
 */
export function constant(value: number, { device }: Tensor): Tensor {
  return made(() => full([], value, { dtype: 'float64', device }));
}

/** A program may use the number on another stream than the one that it is made on: it is there when this returns. */
function made(make: () => Tensor): Tensor {
  const isKept = isTracing();
  const tensor = eagerly(make);
  if (isKept && tensor.device.startsWith('cuda')) synchronize(tensor.device);
  return tensor;
}
