/** Functions of `torch` that multiply and combine several tensors, which PyTorch writes in Python. */
import { oneOf } from '../options';
import { defineFunction, type Variadic } from './functions';
import { aten } from './ops';
import type { Tensor } from './tensor';

type Integers = readonly (number | bigint)[];

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
  const letters = (list: unknown): string =>
    (list as readonly (number | '...')[]).map((n) => (n === '...' ? n : subscriptLetter(n))).join('');
  const isOdd = args.length % 2 === 1;
  const pairs = isOdd ? args.slice(0, -1) : args;
  const subscripts = pairs.filter((_, i) => i % 2 === 1).map(letters);
  const equation = subscripts.join(',') + (isOdd && args.length > 1 ? `->${letters(args.at(-1))}` : '');
  return readEinsum(equation, pairs.filter((_, i) => i % 2 === 0) as Tensor[]);
}

const readEinsum: (equation: string, tensors: readonly Tensor[]) => Tensor = defineFunction(
  'einsum',
  '(str equation, Tensor[] tensors)',
  (equation: string, tensors: readonly Tensor[]) => aten.einsum(equation, tensors),
);

function subscriptLetter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : String.fromCharCode(97 + index - 26);
}

/**
 * Sums products over several dimensions: over the last `dims` of `a` and the first of `b`, or over those that are listed.
 *
 * **Source**: `torch.tensordot`.
 */
export const tensordot: (
  a: Tensor,
  b: Tensor,
  dims?: number | readonly [Integers, Integers] | { dims?: number | readonly [Integers, Integers]; out?: Tensor },
  options?: { out?: Tensor | null | undefined },
) => Tensor = defineFunction(
  'tensordot',
  ['(Tensor a, Tensor b, int dims=2, Tensor? out=None)', '(Tensor a, Tensor b, int[][] dims, Tensor? out=None)'],
  (a: Tensor, b: Tensor, dims: number | readonly [Integers, Integers], out?: Tensor) => {
    const [ofA, ofB] = typeof dims === 'number' ? contracted(dims) : dims;
    return out === undefined ? aten.tensordot(a, b, ofA, ofB) : aten.tensordot.out(a, b, ofA, ofB, { out });
  },
);

function contracted(count: number): [number[], number[]] {
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
