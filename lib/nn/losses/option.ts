/** Arguments and options of losses: their checks and defaults. */
import { boolean, classIndex, integer, number, within } from '../../options';
import type { Tensor } from '../../torch/tensor';
import type { Reduction } from '../../types';
import { asClassTarget, asIndexTarget, asTensor, checkReduction, reductionCode, type TensorLike } from './arguments';
import type { IndexRange } from './explain';

/** An option. `Read` is the type that the loss computes with. */
export interface Option<Value = unknown, Read = Value> {
  readonly default: Value;
  /** The value, if it is one; else an error by the one formula. */
  check(op: string, label: string, value: unknown): Value;
  /** Converts the value for the loss; by default it stays the same. */
  readonly read?: (value: Value) => Read;
  /** Whether it is a tensor, or data for one, which is moved to the device of the first argument. */
  readonly isTensor?: true;
}

/** `'none'`, `'mean'` or `'sum'`; a loss computes with ATen's code. */
export const reduction: Option<Reduction, number> = {
  default: 'mean',
  check: (op, _label, value) => checkReduction(op, value),
  read: (value) => reductionCode('', value),
};

/** ATen's codes of reductions. */
export const [none, mean, sum] = [0, 1, 2] as const;

/** A number; NaN and infinities are numbers. */
export const numberOr = (otherwise: number): Option<number> => ({ default: otherwise, check: number });

/** A number within [low, high]. */
export const numberWithin = (low: number, high: number, otherwise: number): Option<number> => ({
  default: otherwise,
  check: (op, label, value) => within(op, label, value, low, high),
});

/** An integer. */
export const integerOr = (otherwise: number): Option<number> => ({ default: otherwise, check: integer });

/** A class index, or an index that stands for none: an integer of 64 bits. */
export const classIndexOr = (otherwise: number): Option<number | bigint> => ({ default: otherwise, check: classIndex });

/** `true` or `false`. */
export const booleanOr = (otherwise: boolean): Option<boolean> => ({ default: otherwise, check: boolean });

/** A tensor, or data for one, or nothing. */
export const optionalTensor: Option<TensorLike | undefined, Tensor | undefined> = {
  default: undefined,
  check: (_op, _label, value) => value as TensorLike,
  isTensor: true,
};

/** An argument: how it becomes what the loss computes with. `call` has the options, and the arguments before it. */
export type Argument<Read = unknown> = (
  op: string,
  name: string,
  value: TensorLike,
  call: Readonly<Record<string, unknown>>,
  first: Tensor | undefined,
) => Read;

/** A tensor, or data for one; plain numbers take dtype and device of the first argument. */
export const tensor: Argument<Tensor> = (op, name, value, _call, first) => asTensor(op, name, value, first);

/** The indices that a call allows; `undefined` where its other arguments do not fit anyway. */
type RangeOf = (call: Readonly<Record<string, unknown>> & { input: Tensor }) => IndexRange | undefined;

/** Class indices. */
export const indices =
  (range: RangeOf): Argument<Tensor> =>
  (op, name, value, call, first) =>
    asIndexTarget(op, name, value, { input: first as Tensor, range: () => range(call as Parameters<RangeOf>[0]) });

/** Class indices, or probabilities of the input's shape. */
export const classes =
  (range: RangeOf): Argument<Tensor> =>
  (op, name, value, call, first) =>
    asClassTarget(op, name, value, first as Tensor, () => range(call as Parameters<RangeOf>[0]));
