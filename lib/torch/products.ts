/** Functions of `torch` that multiply and combine several tensors, which PyTorch writes in Python. */
import { expected, show } from '../errors';
import { oneOf } from '../options';
import { isTensor } from './bind';
import { defineFunction, type Variadic } from './functions';
import { aten } from './ops';
import type { Tensor } from './tensor';

type Integer = number | bigint;
type Integers = readonly Integer[];

/**
 * Sums products of elements along the dimensions that an equation names: `einsum('ij,jk->ik', a, b)` is a matrix product.
 * Subscripts may also be numbers: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.
 *
 * **Source**: `torch.einsum`.
 */
export function einsum(equation: string, ...operands: readonly Tensor[] | readonly [readonly Tensor[]]): Tensor;
export function einsum(...operandsAndSubscripts: readonly (Tensor | readonly (number | '...')[])[]): Tensor;
export function einsum(...args: readonly unknown[]): Tensor {
  if (typeof args[0] === 'string') {
    const operands = args.length === 2 && Array.isArray(args[1]) ? (args[1] as Tensor[]) : (args.slice(1) as Tensor[]);
    return readEinsum(args[0], operands);
  }
  if (args.length < 2) {
    const what = 'to have an equation and operands, or operands each with its subscripts';
    throw expected('einsum', 'the call', what, args.length === 0 ? 'no arguments' : show(args[0]));
  }
  if (!isTensor(args[0])) throw expected('einsum', "'equation'", 'to be a string', show(args[0]));
  const isOdd = args.length % 2 === 1;
  const pairs = isOdd ? args.slice(0, -1) : args;
  const subscripts = pairs.filter((_, i) => i % 2 === 1).map(lettersOf);
  const equation = subscripts.join(',') + (isOdd ? `->${lettersOf(args.at(-1))}` : '');
  return readEinsum(equation, pairs.filter((_, i) => i % 2 === 0) as Tensor[]);
}

const readEinsum: (equation: string, tensors: readonly Tensor[]) => Tensor = defineFunction(
  'einsum',
  '(str equation, Tensor[] tensors)',
  (equation: string, tensors: readonly Tensor[]) => aten.einsum(equation, tensors),
);

/** The subscripts of an operand, given as numbers, as an equation has them. */
function lettersOf(subscripts: unknown): string {
  if (!Array.isArray(subscripts)) {
    throw expected('einsum', 'the subscripts', 'to be an array of numbers', show(subscripts));
  }
  return subscripts
    .map((subscript: unknown) => (subscript === '...' ? subscript : subscriptLetter(subscript)))
    .join('');
}

function subscriptLetter(subscript: unknown): string {
  if (!Number.isInteger(subscript) || (subscript as number) < 0 || (subscript as number) >= 52) {
    throw expected('einsum', 'a subscript', "to be an integer in [0, 51] or '...'", show(subscript));
  }
  const index = subscript as number;
  return index < 26 ? String.fromCharCode(65 + index) : String.fromCharCode(97 + index - 26);
}

/** Over how many dimensions, or over which of each tensor: numbers, or a tensor of them. */
type Contraction = number | readonly [Integers, Integers] | Tensor;

/**
 * Sums products over several dimensions: over the last `dims` of `a` and the first of `b`, or over those that are listed.
 *
 * **Source**: `torch.tensordot`.
 */
export const tensordot: (
  a: Tensor,
  b: Tensor,
  dims?: Contraction | { dims?: Contraction | null | undefined; out?: Tensor | null | undefined },
  options?: { out?: Tensor | null | undefined },
) => Tensor = defineFunction(
  'tensordot',
  [
    '(Tensor a, Tensor b, int dims=2, Tensor? out=None)',
    '(Tensor a, Tensor b, int[][] dims, Tensor? out=None)',
    '(Tensor a, Tensor b, Tensor dims, Tensor? out=None)',
  ],
  (a: Tensor, b: Tensor, given: Integer | readonly Integers[] | Tensor, out?: Tensor) => {
    const dims = isTensor(given) ? given.tolist<number | number[][]>() : given;
    const lists = Array.isArray(dims) ? (dims as readonly Integers[]) : contracted(a, b, Number(dims));
    const [ofA, ofB, ...others] = lists;
    if (ofA === undefined || ofB === undefined || others.length > 0) {
      throw expected('tensordot', "'dims'", 'to be a number, or two lists of dimensions', show(dims));
    }
    return out === undefined ? aten.tensordot(a, b, ofA, ofB) : aten.tensordot.out(a, b, ofA, ofB, { out });
  },
);

/** The last dimensions of a and the first of b. */
function contracted(a: Tensor, b: Tensor, dims: number): [number[], number[]] {
  const count = Math.trunc(dims);
  const most = Math.min(a.ndim, b.ndim);
  if (!(count >= 0 && count <= most)) throw expected('tensordot', "'dims'", `to be in [0, ${most}]`, String(dims));
  return [Array.from({ length: count }, (_, i) => i - count), Array.from({ length: count }, (_, i) => i)];
}

/** The matrices along the diagonal of one. **Source**: `torch.block_diag`. */
export const blockDiag: Variadic<Tensor> = defineFunction(
  'blockDiag',
  '(Tensor[] tensors)',
  (tensors: readonly Tensor[]) => aten.block_diag(tensors),
);

/** Every combination of the elements of vectors, one in each row. **Source**: `torch.cartesian_prod`. */
export const cartesianProd: Variadic<Tensor> = defineFunction(
  'cartesianProd',
  '(Tensor[] tensors)',
  (tensors: readonly Tensor[]) => aten.cartesian_prod(tensors),
);

/** The product of matrices, in the order that takes the fewest multiplications. **Source**: `torch.chain_matmul`. */
export const chainMatmul: Variadic<Tensor, { out?: Tensor | null | undefined }> = defineFunction(
  'chainMatmul',
  '(Tensor[] matrices, *, Tensor? out=None)',
  (matrices: readonly Tensor[], out?: Tensor) =>
    out === undefined ? aten.chain_matmul(matrices) : aten.chain_matmul.out(matrices, { out }),
);

const computeModes = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'];

/**
 * The p-norm distance between each row of `x1` `[…, n, d]` and each of `x2` `[…, m, d]`: `[…, n, m]`.
 *
 * **Source**: `torch.cdist`.
 */
export const cdist: (x1: Tensor, x2: Tensor, p?: number, computeMode?: string) => Tensor = defineFunction(
  'cdist',
  `(Tensor x1, Tensor x2, float p=2., str compute_mode='${computeModes[0]}')`,
  (x1: Tensor, x2: Tensor, p: number, computeMode: string) => {
    const mode = oneOf('cdist', "'computeMode'", computeMode, computeModes);
    return aten.cdist(x1, x2, p, computeModes.indexOf(mode) || null);
  },
);
