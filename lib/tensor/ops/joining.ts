/** Functions of several tensors, and tensors made like others: they have no method form. **Source**: `torch`. */

import { checkDType } from '../../aten/dtype';
import * as aten from '../../aten/operators.generated';
import { boolean, integer, withDefaults } from '../../options';
import type { Device, Scalar } from '../../types';
import { checkDevice } from '../cast';
import type { TensorOptions } from '../create';
import type { Tensor } from '../tensor';
import { checkScalar } from './operands';

/** Tensors one after the other along an existing dimension */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  return aten.cat(tensors, integer('cat', "'dim'", dim));
}

/** Tensors of one shape along a new dimension */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return aten.stack(tensors, integer('stack', "'dim'", dim));
}

/** `input` where the condition is true, `other` elsewhere */
export function where(condition: Tensor, input: Tensor, other: Tensor): Tensor {
  return aten.where_self(condition, input, other);
}

const likeDefaults: Readonly<Required<TensorOptions>> = Object.freeze({
  dtype: undefined,
  device: undefined,
  requiresGrad: false,
});

/** Calls a factory of the form `*_like` with checked options. */
function like(
  op: string,
  options: TensorOptions | undefined,
  make: (dtype: TensorOptions['dtype'], device: Device | undefined) => Tensor,
): Tensor {
  const { dtype, device, requiresGrad } = withDefaults<TensorOptions>(op, options, likeDefaults);
  const made = make(
    dtype === undefined ? undefined : checkDType(op, dtype),
    device === undefined ? undefined : checkDevice(op, device),
  );
  return boolean(op, "option 'requiresGrad'", requiresGrad) ? made.requiresGrad_() : made;
}

/** Zeros of the input's shape, dtype and device */
export function zerosLike(input: Tensor, options?: TensorOptions): Tensor {
  return like('zerosLike', options, (dtype, device) => aten.zeros_like(input, dtype, undefined, device));
}

/** Ones of the input's shape, dtype and device */
export function onesLike(input: Tensor, options?: TensorOptions): Tensor {
  return like('onesLike', options, (dtype, device) => aten.ones_like(input, dtype, undefined, device));
}

/** Uninitialised memory of the input's shape, dtype and device */
export function emptyLike(input: Tensor, options?: TensorOptions): Tensor {
  return like('emptyLike', options, (dtype, device) => aten.empty_like(input, dtype, undefined, device));
}

/** One value in the input's shape, dtype and device */
export function fullLike(input: Tensor, value: Scalar, options?: TensorOptions): Tensor {
  const fill = checkScalar('fullLike', "'value'", value);
  return like('fullLike', options, (dtype, device) => aten.full_like(input, fill, dtype, undefined, device));
}

/** Numbers drawn uniformly from [0, 1), in the input's shape, dtype and device */
export function randLike(input: Tensor, options?: TensorOptions): Tensor {
  return like('randLike', options, (dtype, device) => aten.rand_like(input, dtype, undefined, device));
}

/** Numbers drawn from the standard normal distribution, in the input's shape, dtype and device */
export function randnLike(input: Tensor, options?: TensorOptions): Tensor {
  return like('randnLike', options, (dtype, device) => aten.randn_like(input, dtype, undefined, device));
}
