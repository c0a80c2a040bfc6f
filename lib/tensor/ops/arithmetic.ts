/**
 * Elementwise arithmetic. Shapes broadcast and dtypes promote as PyTorch's do; every function is differentiable where
 * its formula is. **Source**: the functions of the same names in `torch`.
 */
import * as aten from '../../aten/operators.generated';
import { withDefaults } from '../../options';
import type { Scalar } from '../../types';
import type { Tensor } from '../tensor';
import { byOperand, checkScalar } from './operands';

/** Options of {@link add} and {@link sub}. */
export interface AlphaOptions {
  /** What the second operand is multiplied with. Default 1. */
  alpha?: Scalar | undefined;
}

/** Options of {@link clamp}: an absent bound does not bound. */
export interface ClampOptions {
  /** The lower bound. Absent: none. */
  min?: Scalar | undefined;
  /** The upper bound. Absent: none. */
  max?: Scalar | undefined;
}

const alphaDefaults: Readonly<Required<AlphaOptions>> = Object.freeze({ alpha: 1 });
const clampDefaults: Readonly<Required<ClampOptions>> = Object.freeze({ min: undefined, max: undefined });

/** The checked `alpha` of an options object. */
export function readAlpha(op: string, options: AlphaOptions | undefined): Scalar {
  if (options === undefined) return 1;
  return checkScalar(op, "option 'alpha'", withDefaults<AlphaOptions>(op, options, alphaDefaults).alpha);
}

/** `input + alpha * other` */
export function add(input: Tensor, other: Tensor | Scalar, options?: AlphaOptions): Tensor {
  const alpha = readAlpha('add', options);
  return byOperand(
    'add',
    'other',
    other,
    (x) => aten.add_Tensor(input, x, alpha),
    (x) => aten.add_Scalar(input, x, alpha),
  );
}

/** `input - alpha * other` */
export function sub(input: Tensor, other: Tensor | Scalar, options?: AlphaOptions): Tensor {
  const alpha = readAlpha('sub', options);
  return byOperand(
    'sub',
    'other',
    other,
    (x) => aten.sub_Tensor(input, x, alpha),
    (x) => aten.sub_Scalar(input, x, alpha),
  );
}

/** `input * other` */
export function mul(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'mul',
    'other',
    other,
    (x) => aten.mul_Tensor(input, x),
    (x) => aten.mul_Scalar(input, x),
  );
}

/** `input / other`; integers divide to floats */
export function div(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'div',
    'other',
    other,
    (x) => aten.div_Tensor(input, x),
    (x) => aten.div_Scalar(input, x),
  );
}

/** `input ^ exponent` */
export function pow(input: Tensor, exponent: Tensor | Scalar): Tensor {
  return byOperand(
    'pow',
    'exponent',
    exponent,
    (x) => aten.pow_Tensor_Tensor(input, x),
    (x) => aten.pow_Tensor_Scalar(input, x),
  );
}

/** `-input` */
export function neg(input: Tensor): Tensor {
  return aten.neg(input);
}

/** `|input|` */
export function abs(input: Tensor): Tensor {
  return aten.abs(input);
}

/** -1, 0 or 1 */
export function sign(input: Tensor): Tensor {
  return aten.sign(input);
}

/** `e ^ input` */
export function exp(input: Tensor): Tensor {
  return aten.exp(input);
}

/** `e ^ input - 1`, exact near 0 */
export function expm1(input: Tensor): Tensor {
  return aten.expm1(input);
}

/** `ln input` */
export function log(input: Tensor): Tensor {
  return aten.log(input);
}

/** `ln(1 + input)`, exact near 0 */
export function log1p(input: Tensor): Tensor {
  return aten.log1p(input);
}

/** The square root */
export function sqrt(input: Tensor): Tensor {
  return aten.sqrt(input);
}

/** `1 / sqrt(input)` */
export function rsqrt(input: Tensor): Tensor {
  return aten.rsqrt(input);
}

/** `input * input` */
export function square(input: Tensor): Tensor {
  return aten.square(input);
}

/** `1 / input` */
export function reciprocal(input: Tensor): Tensor {
  return aten.reciprocal(input);
}

/** The largest integer that is not greater */
export function floor(input: Tensor): Tensor {
  return aten.floor(input);
}

/** The smallest integer that is not less */
export function ceil(input: Tensor): Tensor {
  return aten.ceil(input);
}

/** The nearest integer; halves go to the even one */
export function round(input: Tensor): Tensor {
  return aten.round(input);
}

/** The greater of both, element by element; NaN wins */
export function maximum(input: Tensor, other: Tensor): Tensor {
  return aten.maximum(input, other);
}

/** The lesser of both, element by element; NaN wins */
export function minimum(input: Tensor, other: Tensor): Tensor {
  return aten.minimum(input, other);
}

/** `min(max(input, options.min), options.max)` */
export function clamp(input: Tensor, options: ClampOptions): Tensor {
  const { min, max } = readBounds('clamp', options);
  return aten.clamp(input, min, max);
}

/** The checked bounds of {@link clamp} and `clamp_`. */
export function readBounds(op: string, options: ClampOptions): ClampOptions {
  const { min, max } = withDefaults<ClampOptions>(op, options, clampDefaults);
  return {
    min: min === undefined ? undefined : checkScalar(op, "option 'min'", min),
    max: max === undefined ? undefined : checkScalar(op, "option 'max'", max),
  };
}

/** `input * ln other`, and 0 where input is 0 */
export function xlogy(input: Tensor, other: Tensor): Tensor {
  return aten.xlogy_Tensor(input, other);
}

/** A copy with `value` where `mask` is true */
export function maskedFill(input: Tensor, mask: Tensor, value: Scalar): Tensor {
  return aten.masked_fill_Scalar(input, mask, checkScalar('maskedFill', "'value'", value));
}
