/** What optimizers take: how each option is checked, and its default. */
import { expected, show } from '../errors';
import * as check from '../options';
import { isTensor } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';

/** An option of an optimizer. */
export interface Option<Value = unknown> {
  /** The value where none is given. */
  readonly default: Value;
  /** The value, if it is one; else an error by the one formula. */
  check(op: string, label: string, value: unknown): Value;
  /** Whether the default is a float of Python, and printed as one if it is whole. */
  readonly isFloat?: true;
}

/** The options of an optimizer, in Python's order. */
export type Options = Readonly<Record<string, Option>>;

/** The values of options. */
export type OptionValues<O> = { -readonly [Name in keyof O]: O[Name] extends Option<infer Value> ? Value : never };

/** Options as a caller gives them; `null` is absent. */
export type GivenOptions<O extends Options> = { [Name in keyof O]?: OptionValues<O>[Name] | null | undefined };

function isWithin(value: unknown, low: number, isBelow: (value: number) => boolean): value is number {
  return typeof value === 'number' && value >= low && isBelow(value);
}

/** A number of at least 0; infinity is one, NaN is none. */
export const positive = (otherwise: number, isFloat?: true): Option<number> => ({
  default: otherwise,
  check: (op, label, value) => {
    if (isWithin(value, 0, () => true)) return value;
    throw expected(op, label, 'to be a number >= 0', show(value));
  },
  ...(isFloat && { isFloat }),
});

/** A number of at least 0, or a tensor of one element that holds one. */
export const rate = (otherwise: number, isFloat?: true): Option<number | Tensor> => ({
  ...positive(otherwise, isFloat),
  check: (op, label, value) => {
    if (isTensor(value)) {
      if (value.numel() === 1 && numberIn(value) >= 0) return value;
      const what = value.numel() === 1 ? `one of ${numberIn(value)}` : `one of shape [${value.shape.join(', ')}]`;
      throw expected(op, label, 'to be a number >= 0, or a tensor of one element >= 0', what);
    }
    if (isWithin(value, 0, () => true)) return value;
    throw expected(op, label, 'to be a number >= 0', show(value));
  },
});

/** The option, without 0. */
export const above = <Value>(option: Option<Value>): Option<Value> => ({
  ...option,
  check: (op, label, value) => {
    const checked = option.check(op, label, value);
    if (numberIn(checked as number | Tensor) > 0) return checked;
    throw expected(op, label, 'to be a number > 0', show(value));
  },
});

/** Any number. */
export const number = (otherwise: number, isFloat?: true): Option<number> => ({
  default: otherwise,
  check: check.number,
  ...(isFloat && { isFloat }),
});

/** A number in [0, 1]. */
export const fraction = (otherwise: number): Option<number> => ({
  default: otherwise,
  check: (op, label, value) => check.within(op, label, value, 0, 1),
});

/** `true` or `false`. */
export const flag = (otherwise: boolean): Option<boolean> => ({ default: otherwise, check: check.boolean });

/** `true`, `false` or, by default, `null`: the optimizer decides. */
export const choice: Option<boolean | null> = {
  default: null,
  check: (op, label, value) => (value === null ? null : check.boolean(op, label, value)),
};

/** Options that most optimizers share. */
export const common = {
  /** Go up the gradient instead of down. */
  maximize: flag(false),
  /** Take PyTorch's operators on lists; by default on GPUs only. */
  foreach: choice,
  /** Record steps in the graph, for gradients through them. */
  differentiable: flag(false),
} as const;

/** The option of optimizers whose steps may be captured in a graph of a GPU. */
export const capturing = {
  /** Keep counters on the GPU, where steps are captured in a graph of it. */
  capturable: flag(false),
} as const;

/** The option of optimizers for which there is one operator that does everything. */
export const fusing = {
  /** Take the one operator that does everything. Its bits are its own. */
  fused: choice,
} as const;

/** Two numbers that pass a test. */
export const pair = (
  first: number,
  second: number,
  what: string,
  isOne: (first: number, second: number) => boolean,
  isFloat = true,
): Option<readonly [number, number]> => ({
  default: Object.freeze([first, second] as const),
  ...(isFloat && { isFloat }),
  check: (op, label, value) => {
    const [a, b] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
    if (typeof a === 'number' && typeof b === 'number' && isOne(a, b)) return Object.freeze([a, b] as const);
    throw expected(op, label, `to be ${what}`, Array.isArray(value) ? `[${value.map(show).join(', ')}]` : show(value));
  },
});

/** Two numbers in [0, 1). */
export const betas: Option<readonly [number, number]> = pair(
  0.9,
  0.999,
  'two numbers in [0, 1)',
  (a, b) => a >= 0 && a < 1 && b >= 0 && b < 1,
);
