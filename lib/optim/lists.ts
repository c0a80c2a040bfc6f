/**
 * Operators on lists of tensors: what an optimizer does to many parameters takes one native call instead of one for each.
 * ATen's `_foreach_` operators go through the list on the CPU, so that the bits are those of the single operators, but for
 * half types: there a number that Python makes a tensor of, as in `x.mul_(0.9)`, is rounded at another place.
 */
import { native } from '../binding/load';
import type { Handle, NativeValue, Operator } from '../binding/native';
import { operator } from '../torch/bind';

type Handles = readonly Handle[];

/** The operators: on lists, and the ones that Python calls on single tensors. */
const operators = {
  neg: ['_foreach_neg', 'neg'],
  clone: ['_foreach_clone', 'clone'],
  sign: ['_foreach_sign', 'sign'],
  abs: ['_foreach_abs', 'abs'],
  sqrt: ['_foreach_sqrt', 'sqrt'],
  add: ['_foreach_add.List', 'add.Tensor'],
  addNumber: ['_foreach_add.Scalar', 'add.Tensor'],
  addcmul: ['_foreach_addcmul.Scalar', 'addcmul'],
  divNumbers: ['_foreach_div.ScalarList', 'div.Tensor'],
  mul: ['_foreach_mul.List', 'mul.Tensor'],
  mulNumber: ['_foreach_mul.Scalar', 'mul.Tensor'],
  mulNumbers: ['_foreach_mul.ScalarList', 'mul.Tensor'],
  reciprocal: ['_foreach_reciprocal', 'reciprocal'],
  sub: ['_foreach_sub.List', 'sub.Tensor'],
  add_: ['_foreach_add_.List', 'add_.Tensor'],
  addNumber_: ['_foreach_add_.Scalar', 'add_.Tensor'],
  addNumbers_: ['_foreach_add_.ScalarList', 'add_.Tensor'],
  addcdiv_: ['_foreach_addcdiv_.Scalar', 'addcdiv_'],
  addcdivNumbers_: ['_foreach_addcdiv_.ScalarList', 'addcdiv_'],
  addcmul_: ['_foreach_addcmul_.Scalar', 'addcmul_'],
  copy_: ['_foreach_copy_', 'copy_'],
  div_: ['_foreach_div_.List', 'div_.Tensor'],
  divNumbers_: ['_foreach_div_.ScalarList', 'div_.Tensor'],
  clampMin_: ['_foreach_clamp_min_.Scalar', 'clamp_min_'],
  lerp_: ['_foreach_lerp_.Scalar', 'lerp_.Scalar'],
  maximum_: ['_foreach_maximum_.List', 'clamp_min_.Tensor'],
  mul_: ['_foreach_mul_.List', 'mul_.Tensor'],
  mulNumber_: ['_foreach_mul_.Scalar', 'mul_.Tensor'],
  mulNumbers_: ['_foreach_mul_.ScalarList', 'mul_.Tensor'],
  reciprocal_: ['_foreach_reciprocal_', 'reciprocal_'],
  sqrt_: ['_foreach_sqrt_', 'sqrt_'],
  zero_: ['_foreach_zero_', 'zero_'],
} as const satisfies Record<string, readonly [many: string, one: string]>;

type Name = keyof typeof operators;

type Operand = Handles | readonly number[] | number;

/** Gives new tensors, which are its lists' own. */
type Making = (of: Handles, ...operands: Operand[]) => Handle[];
/** Changes the tensors of the first list. */
type Changing = (of: Handles, ...operands: Operand[]) => void;

/** Operators on lists, and what they have made. */
export type Lists = { readonly [N in Name]: N extends `${string}_` ? Changing : Making } & {
  /** Makes a tensor that was made otherwise the lists' own. */
  own(handle: Handle): Handle;
  /** Gives back all that is the lists' own. */
  dispose(): void;
};

function bind(name: string): Operator {
  let bound: Operator | undefined;
  return (...args) => {
    if (bound === undefined) {
      const [base, overload = ''] = name.split('.') as [string, string?];
      bound = operator(`aten::${base}`, overload);
    }
    return bound(...args);
  };
}

const at = (operand: Operand, i: number): NativeValue => (typeof operand === 'object' ? operand[i] : operand);

function makeLists(isTogether: boolean): Lists {
  const made: Handle[] = [];
  const own = (handle: Handle): Handle => {
    made.push(handle);
    return handle;
  };
  const lists: Record<string, unknown> = { own };
  for (const [name, [many, one]] of Object.entries(operators)) {
    const bound = bind(isTogether ? many : one);
    const run: Making = isTogether
      ? (of, ...operands) => bound(of, ...operands) as Handle[]
      : (of, ...operands) => of.map((handle, i) => bound(handle, ...operands.map((o) => at(o, i))) as Handle);
    // Native arrays belong to another realm under some test runners.
    lists[name] = name.endsWith('_') ? run : (...args: Parameters<Making>) => Array.from(run(...args), own);
  }
  lists.dispose = () => {
    for (const handle of made) native().dispose(handle);
    made.length = 0;
  };
  return lists as unknown as Lists;
}

/** One native call for a list. */
export const together: Lists = makeLists(true);

/** A call for each tensor, as in Python; a graph of gradients can record it. */
export const oneByOne: Lists = makeLists(false);
