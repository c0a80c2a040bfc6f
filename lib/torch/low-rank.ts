/** Decompositions of matrices of low rank, by random projections: algorithms 4.4 and 5.1 of Halko et al., 2009. */

import { expected } from '../errors';
import { type DType, isComplex, isFloating } from '../types';
import { defineFunction } from './functions';
import { aten } from './ops';
import type { Tensor } from './tensor';

/** Named arguments of {@link svdLowrank}. */
export interface SvdLowrankOptions {
  /** A rank that is a little too high. Default 6. */
  q?: number | null | undefined;
  /** How often the subspace is refined. Default 2. */
  niter?: number | null | undefined;
  /** What is taken off the matrix first; it broadcasts to that. */
  M?: Tensor | null | undefined;
}

/**
 * The largest singular values and vectors `[U, S, V]` of matrices `[…, m, n]`, nearly: `A ≈ U diag(S) Vᴴ`. The
 * projection is drawn anew each time.
 *
 * **Shapes**: `A [*, m, n]` -> `U [*, m, q]`, `S [*, q]`, `V [*, n, q]`.
 *
 * **Source**: `torch.svd_lowrank`, for dense matrices.
 */
export const svdLowrank: {
  (A: Tensor, q?: number | null, niter?: number | null, M?: Tensor | null): Tensor[];
  (A: Tensor, options: SvdLowrankOptions): Tensor[];
} = defineFunction(
  'svdLowrank',
  '(Tensor A, int q=6, int niter=2, Tensor? M=None)',
  (A: Tensor, q: number, niter: number, M?: Tensor) => decompose('svdLowrank', A, q, niter, M),
);

/** Named arguments of {@link pcaLowrank}. */
export interface PcaLowrankOptions {
  /** A rank that is a little too high, at most that of the matrix. Default: the least of 6, m and n. */
  q?: number | null | undefined;
  /** Take the mean of each column off it first. Default `true`. */
  center?: boolean | null | undefined;
  /** How often the subspace is refined. Default 2. */
  niter?: number | null | undefined;
}

/**
 * The principal components of m samples of n features: `[U, S, V]` of the centred matrix, where the columns of V are
 * the components, and `S² / (m - 1)` their variances.
 *
 * **Source**: `torch.pca_lowrank`, for dense matrices.
 */
export const pcaLowrank: {
  (A: Tensor, q?: number | null, center?: boolean | null, niter?: number | null): Tensor[];
  (A: Tensor, options: PcaLowrankOptions): Tensor[];
} = defineFunction(
  'pcaLowrank',
  '(Tensor A, int? q=None, bool center=True, int niter=2)',
  (A: Tensor, given: number | undefined, center: boolean, niter: number) => {
    const op = 'pcaLowrank';
    const [m, n] = sizes(op, A);
    const q = given ?? Math.min(6, m, n);
    if (!(q >= 0 && q <= Math.min(m, n))) throw expected(op, "'q'", `to be in [0, ${Math.min(m, n)}]`, String(q));
    if (niter < 0) throw expected(op, "'niter'", 'to be >= 0', String(niter));
    return decompose(op, center ? A.sub(aten.mean.dim(A, [-2], true)) : A, q, niter, undefined);
  },
);

/** Rows and columns. */
function sizes(op: string, { shape, layout }: Tensor): [number, number] {
  if (layout !== 'strided') throw expected(op, "'A'", 'to be strided', `${layout} (toDense() makes it so)`);
  if (shape.length < 2) throw expected(op, "'A'", 'to have at least two dimensions', `${shape.length}`);
  return [shape.at(-2) as number, shape.at(-1) as number];
}

function decompose(op: string, A: Tensor, q: number, niter: number, M: Tensor | undefined): Tensor[] {
  const [m, n] = sizes(op, A);
  const mean = M === undefined ? undefined : aten.broadcast_to(M, A.shape);
  const isWide = m < n;
  const [tall, offset] = isWide ? [A.mH, mean?.mH] : [A, mean];
  const Q = basis(tall, q, niter, offset);
  let B = aten.matmul(Q.mH, tall);
  if (offset !== undefined) B = B.sub(aten.matmul(Q.mH, offset));
  const [left, S, Vh] = aten.linalg_svd(B, false);
  const [U, V] = [aten.matmul(Q, left), Vh.mH];
  return isWide ? [V, S, U] : [U, S, V];
}

/** Orthonormal columns that span nearly what the columns of A (less M) span. */
function basis(A: Tensor, q: number, niter: number, M: Tensor | undefined): Tensor {
  const dtype: DType = isFloating(A.dtype) || isComplex(A.dtype) ? A.dtype : 'float32';
  const times = (x: Tensor, less: Tensor | undefined, other: Tensor): Tensor => {
    const product = aten.matmul(x, other);
    return less === undefined ? product : product.sub(aten.matmul(less, other));
  };
  const orthonormal = (X: Tensor): Tensor => aten.linalg_qr(X)[0];
  const R = aten.randn([A.shape.at(-1) as number, q], { dtype, device: A.device });
  let Q = orthonormal(times(A, M, R));
  for (let i = 0; i < niter; i++) {
    Q = orthonormal(times(A.mH, M?.mH, Q));
    Q = orthonormal(times(A, M, Q));
  }
  return Q;
}
