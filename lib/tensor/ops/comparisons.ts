/** Comparisons and tests. **Source**: the functions of the same names in `torch`. */
import * as aten from '../../aten/operators.generated';
import { boolean, number, withDefaults } from '../../options';
import type { Scalar } from '../../types';
import type { Tensor } from '../tensor';
import { byOperand } from './operands';

/** Options of {@link allclose} and {@link isclose}: `|input - other| <= atol + rtol * |other|`. */
export interface CloseOptions {
  /** Relative tolerance. Default 1e-5. */
  rtol?: number | undefined;
  /** Absolute tolerance. Default 1e-8. */
  atol?: number | undefined;
  /** Whether NaN counts as close to NaN. Default `false`. */
  equalNan?: boolean | undefined;
}

const closeDefaults: Readonly<Required<CloseOptions>> = Object.freeze({ rtol: 1e-5, atol: 1e-8, equalNan: false });

function readClose(op: string, options: CloseOptions | undefined): [number, number, boolean] {
  const { rtol, atol, equalNan } = withDefaults<CloseOptions>(op, options, closeDefaults);
  return [
    number(op, "option 'rtol'", rtol),
    number(op, "option 'atol'", atol),
    boolean(op, "option 'equalNan'", equalNan),
  ];
}

/** Element by element: `input == other` */
export function eq(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'eq',
    'other',
    other,
    (x) => aten.eq_Tensor(input, x),
    (x) => aten.eq_Scalar(input, x),
  );
}

/** Element by element: `input != other` */
export function ne(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'ne',
    'other',
    other,
    (x) => aten.ne_Tensor(input, x),
    (x) => aten.ne_Scalar(input, x),
  );
}

/** Element by element: `input < other` */
export function lt(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'lt',
    'other',
    other,
    (x) => aten.lt_Tensor(input, x),
    (x) => aten.lt_Scalar(input, x),
  );
}

/** Element by element: `input <= other` */
export function le(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'le',
    'other',
    other,
    (x) => aten.le_Tensor(input, x),
    (x) => aten.le_Scalar(input, x),
  );
}

/** Element by element: `input > other` */
export function gt(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'gt',
    'other',
    other,
    (x) => aten.gt_Tensor(input, x),
    (x) => aten.gt_Scalar(input, x),
  );
}

/** Element by element: `input >= other` */
export function ge(input: Tensor, other: Tensor | Scalar): Tensor {
  return byOperand(
    'ge',
    'other',
    other,
    (x) => aten.ge_Tensor(input, x),
    (x) => aten.ge_Scalar(input, x),
  );
}

/** Element by element: is it NaN? */
export function isnan(input: Tensor): Tensor {
  return aten.isnan(input);
}

/** Element by element: is it infinite? */
export function isinf(input: Tensor): Tensor {
  return aten.isinf(input);
}

/** Element by element: is it neither infinite nor NaN? */
export function isfinite(input: Tensor): Tensor {
  return aten.isfinite(input);
}

/** Element by element: `|input - other| <= atol + rtol * |other|` */
export function isclose(input: Tensor, other: Tensor, options?: CloseOptions): Tensor {
  return aten.isclose(input, other, ...readClose('isclose', options));
}

/** Whether all elements are close: `|input - other| <= atol + rtol * |other|` */
export function allclose(input: Tensor, other: Tensor, options?: CloseOptions): boolean {
  return aten.allclose(input, other, ...readClose('allclose', options));
}

/** Whether both have the same shape and the same elements (NaN equals nothing) */
export function equal(input: Tensor, other: Tensor): boolean {
  return aten.equal(input, other);
}

/** Element by element: `!input` */
export function logicalNot(input: Tensor): Tensor {
  return aten.logical_not(input);
}

/** Element by element: `input && other` */
export function logicalAnd(input: Tensor, other: Tensor): Tensor {
  return aten.logical_and(input, other);
}

/** Element by element: `input || other` */
export function logicalOr(input: Tensor, other: Tensor): Tensor {
  return aten.logical_or(input, other);
}
