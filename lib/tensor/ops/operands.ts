/** Operands that are a tensor or a number, and the checks they share. */
import { isTensor, showForeign } from '../../aten/bind';
import { expected, show } from '../../errors';
import type { Scalar } from '../../types';
import type { Tensor } from '../tensor';

/** The number, if it is one. */
export function checkScalar(op: string, argument: string, value: unknown): Scalar {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  throw expected(op, argument, 'to be a number', show(value));
}

/** Calls the form of an operator that fits its second operand, a tensor or a number. */
export function byOperand<T>(
  op: string,
  argument: string,
  other: Tensor | Scalar,
  withTensor: (other: Tensor) => T,
  withScalar: (other: Scalar) => T,
): T {
  if (isTensor(other)) return withTensor(other);
  if (typeof other === 'number' || typeof other === 'bigint' || typeof other === 'boolean') return withScalar(other);
  throw expected(op, `'${argument}'`, 'to be a Tensor or a number', showForeign(other));
}
