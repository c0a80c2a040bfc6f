/** Parametrizations by name, as `torch.nn.utils.parametrizations`. */
import { expected, show } from '../../errors';
import { oneOf } from '../../options';
import { noGrad } from '../../torch/autograd';
import { isTensor } from '../../torch/bind';
import type { Call } from '../../torch/call';
import { defineFunction } from '../../torch/functions';
import { eye, randn } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { normalize } from '../functional/normalization';
import { type AnyModule, Module } from '../modules/module';
import { stateName } from '../modules/names';
import { className } from '../modules/registry';
import { asMatrix, outputDim } from './matrix';
import { NoInverse, registerParametrization } from './parametrize';

/** Named arguments of {@link weightNorm}. */
export interface WeightNormOptions {
  /** The parameter. Default `'weight'`. */
  name?: string | undefined;
  /** The dimension whose slices have a norm each; `null` or -1: one norm for all. Default 0. */
  dim?: number | null | undefined;
}

/** Named arguments of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** The parameter. Default `'weight'`. */
  name?: string | undefined;
  /** How many steps of the power iteration a call in training makes. Default 1. */
  nPowerIterations?: number | undefined;
  /** The least norm that is divided by. Default 1e-12. */
  eps?: number | undefined;
  /** The dimension that is the rows of the matrix. Default 0, of transposed convolutions 1. */
  dim?: number | undefined;
}

/** Named arguments of {@link orthogonal}. */
export interface OrthogonalOptions {
  /** The parameter. Default `'weight'`. */
  name?: string | undefined;
  /** `'matrix_exp'`, `'cayley'` or `'householder'`. Default: the first for square matrices, else the last. */
  orthogonalMap?: OrthogonalMap | undefined;
  /** Keep the initial value apart, so that the parameter can be assigned. Default `true`. */
  useTrivialization?: boolean | undefined;
}

/** A tensor of a module by its name. */
function tensorOf(op: string, module: AnyModule, name: string): Tensor {
  const tensor: unknown = (module as unknown as Record<string, unknown>)[name];
  if (isTensor(tensor)) return tensor;
  throw expected(op, "'name'", `to be a parameter or buffer of ${className(module)}`, show(name));
}

/** Weight norm as a module: length and direction make the weight. */
class WeightNorm extends Module {
  readonly dim: number;

  constructor(dim: number) {
    super();
    this.dim = dim;
  }

  override forward(length: Tensor, direction: Tensor): Tensor {
    return aten._weight_norm(direction, length, this.dim);
  }

  rightInverse(weight: Tensor): [Tensor, Tensor] {
    return [aten.norm_except_dim(weight, 2, this.dim), weight];
  }
}

/** The arguments of weight norm behind the module. */
export const readWeightNorm: (...args: unknown[]) => [name: string, dim: number | undefined] = defineFunction(
  'weightNorm',
  "(str name='weight', int? dim=0)",
  (...given: unknown[]) => given,
);

/**
 * Trains a weight as length and direction, `g * v / ||v||`: `original0` and `original1` of its parametrization. States
 * of the older `nn.utils.weightNorm` can be loaded.
 *
 * **Source**: `torch.nn.utils.parametrizations.weight_norm`; Salimans and Kingma, Weight normalization, 2016.
 */
export function weightNorm<M extends AnyModule>(module: M, ...args: Call<[], WeightNormOptions, ['name', 'dim']>): M {
  const [name, dim = -1] = readWeightNorm(...args);
  registerParametrization(module, name, new WeightNorm(dim), { unsafe: true });
  const key = stateName(name);
  const own = Object.getPrototypeOf(module) as AnyModule;
  const upgrade = module.upgradeState;
  own.upgradeState = function (this: AnyModule, state, prefix, version) {
    const [length, direction] = [state.get(`${prefix}${key}_g`), state.get(`${prefix}${key}_v`)];
    if (length !== undefined && direction !== undefined) {
      for (const suffix of ['g', 'v']) state.delete(`${prefix}${key}_${suffix}`);
      state.set(`${prefix}parametrizations.${key}.original0`, length);
      state.set(`${prefix}parametrizations.${key}.original1`, direction);
    }
    upgrade.call(this, state, prefix, version);
  };
  return module;
}

/** Spectral norm as a module: the weight divided by its largest singular value, which power iterations follow. */
class SpectralNorm extends Module {
  readonly dim: number;
  readonly eps: number;
  readonly nPowerIterations: number;
  declare _u: Tensor;
  declare _v: Tensor;

  constructor(weight: Tensor, nPowerIterations: number, dim: number, eps: number) {
    super();
    const { ndim } = weight;
    if (dim >= ndim || dim < -ndim) {
      throw expected('spectralNorm', "'dim'", `to be in [${-ndim}, ${ndim - 1}]`, String(dim));
    }
    this.dim = dim >= 0 ? dim : dim + ndim;
    this.eps = eps;
    this.nPowerIterations = nPowerIterations;
    if (ndim <= 1) return;
    const matrix = asMatrix(weight, this.dim);
    const [u, v] = [0, 1].map((i) => aten.new_empty(matrix, [matrix.size(i)]).normal_(0, 1));
    this.registerBuffer('_u', normalize(u as Tensor, { dim: 0, eps }));
    this.registerBuffer('_v', normalize(v as Tensor, { dim: 0, eps }));
    this.iterate(matrix, 15);
  }

  private iterate(matrix: Tensor, times: number): void {
    const { eps, _u: u, _v: v } = this;
    noGrad(() => {
      for (let i = 0; i < times; i++) {
        normalize(aten.mv(matrix, v), { dim: 0, eps, out: u });
        normalize(aten.mv(matrix.mH, u), { dim: 0, eps, out: v });
      }
    });
  }

  override forward(weight: Tensor): Tensor {
    if (weight.ndim === 1) return normalize(weight, { dim: 0, eps: this.eps });
    const matrix = asMatrix(weight, this.dim);
    if (this.training) this.iterate(matrix, this.nPowerIterations);
    // Copies: the next call changes the vectors, and this one's graph needs them.
    const [u, v] = [this._u, this._v].map((vector) => aten.clone(vector, { memory_format: 'contiguous_format' }));
    return weight.div(aten.vdot(u as Tensor, aten.mv(matrix, v as Tensor)));
  }

  rightInverse(value: Tensor): Tensor {
    return value;
  }
}

const spectralSchema = "(str name='weight', int n_power_iterations=1, float eps=1e-12, int? dim=None)";

/** The arguments of spectral norm behind the module, checked. */
export function readSpectralNorm(
  op: string,
  module: AnyModule,
  args: readonly unknown[],
): [string, number, number, number] {
  const read = defineFunction<(...args: unknown[]) => [string, number, number, number | undefined]>(
    op,
    spectralSchema,
    (...given: unknown[]) => given,
  );
  const [name, times, eps, dim = outputDim(module)] = read(...args);
  if (times <= 0) throw expected(op, "'nPowerIterations'", 'to be > 0', String(times));
  return [name, times, eps, dim];
}

/**
 * Divides a weight by its largest singular value, which is followed by power iterations in training. A vector is
 * divided by its norm.
 *
 * **Source**: `torch.nn.utils.parametrizations.spectral_norm`; Miyato et al., Spectral normalization for generative
 * adversarial networks, 2018.
 */
export function spectralNorm<M extends AnyModule>(
  module: M,
  ...args: Call<[], SpectralNormOptions, ['name', 'nPowerIterations', 'eps', 'dim']>
): M {
  const [name, times, eps, dim] = readSpectralNorm('spectralNorm', module, args);
  const weight = tensorOf('spectralNorm', module, name);
  return registerParametrization(module, name, new SpectralNorm(weight, times, dim, eps));
}

const orthogonalMaps = ['matrix_exp', 'cayley', 'householder'] as const;

/** How a matrix is made orthogonal. */
export type OrthogonalMap = (typeof orthogonalMaps)[number];

/** Steps of rounding at 1, by dtype. */
const epsilons: Readonly<Record<string, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  complex64: 2 ** -23,
  complex128: 2 ** -52,
};

function isOrthogonal(matrix: Tensor): boolean {
  const [rows, columns] = matrix.shape.slice(-2) as [number, number];
  const { dtype, device } = matrix;
  const identity = eye(columns, { dtype, device });
  return aten.allclose(matrix.mH.matmul(matrix), identity, 1e-5, 10 * rows * (epsilons[dtype] ?? 2 ** -23));
}

function madeOrthogonal(matrix: Tensor): Tensor {
  const [factors, tau] = aten.geqrf(matrix);
  const signs = aten.diagonal(factors, 0, -2, -1).sgn().unsqueeze(-2);
  return aten.linalg_householder_product(factors, tau).mul_(signs);
}

/** Orthogonality as a module. */
class Orthogonal extends Module {
  readonly shape: readonly number[];
  readonly orthogonalMap: OrthogonalMap;
  private readonly hasBase: boolean;
  declare base: Tensor;

  constructor(weight: Tensor, map: OrthogonalMap, useTrivialization: boolean) {
    super();
    if (map === 'householder' && weight.isComplex()) {
      throw expected('orthogonal', "'orthogonalMap'", "to be 'matrix_exp' or 'cayley' for complex tensors", `'${map}'`);
    }
    this.shape = weight.shape;
    this.orthogonalMap = map;
    this.hasBase = useTrivialization;
    if (useTrivialization) this.registerBuffer('base', undefined);
  }

  override forward(given: Tensor): Tensor {
    const isWide = given.size(-2) < given.size(-1);
    const matrix = isWide ? given.mT : given;
    const made = this.orthogonalMap === 'householder' ? reflected(matrix) : rotated(matrix, this.orthogonalMap);
    const placed = this.hasBase ? this.base.matmul(made) : made;
    return isWide ? placed.mT : placed;
  }

  rightInverse(given: Tensor): Tensor {
    if (!sameShape(given.shape, this.shape)) {
      throw expected('rightInverse', "'value'", `to have shape ${shapeText(this.shape)}`, shapeText(given.shape));
    }
    return noGrad(() => (this.hasBase ? this.rebase(given) : this.factors(given)));
  }

  /** Takes the value as the new base: what is trained is then minus the identity, or zeros. */
  private rebase(given: Tensor): Tensor {
    const isWide = given.size(-2) < given.size(-1);
    const matrix = isWide ? given.mT : given;
    const [rows, columns] = matrix.shape.slice(-2) as [number, number];
    if (rows === columns) {
      this.base = isOrthogonal(matrix) ? aten.clone(matrix) : madeOrthogonal(matrix);
    } else {
      const { dtype, device } = matrix;
      const more = randn([...matrix.shape.slice(0, -2), rows, rows - columns], { dtype, device });
      this.base = madeOrthogonal(aten.cat([matrix, more], -1));
    }
    const start = aten.zeros_like(given);
    aten.diagonal(start, 0, -2, -1).fill_(-1);
    return start;
  }

  /** The Householder reflections that make the value. */
  private factors(given: Tensor): Tensor {
    if (this.orthogonalMap !== 'householder') {
      const what = 'to be given with useTrivialization, or by householder';
      const { message } = expected('rightInverse', `a value for '${this.orthogonalMap}'`, what, 'neither');
      throw new NoInverse('NOT_IMPLEMENTED', message, { op: 'rightInverse' });
    }
    const isWide = given.size(-2) < given.size(-1);
    const [factors, tau] = aten.geqrf(isWide ? given.mT : given);
    const diagonal = aten.diagonal(factors, 0, -2, -1);
    diagonal.sign_();
    const flipped = aten.where.self(tau.eq(0), diagonal.neg(), diagonal);
    diagonal.copy_(flipped);
    return isWide ? factors.mT : factors;
  }
}

/** An orthogonal matrix of a skew-symmetric one. */
function rotated(matrix: Tensor, map: OrthogonalMap): Tensor {
  const [rows, columns] = matrix.shape.slice(-2) as [number, number];
  const lower = matrix.tril();
  const zeros = (): Tensor =>
    aten.new_zeros(lower, [rows, rows - columns]).expand([...lower.shape.slice(0, -2), -1, -1]);
  const square = rows === columns ? lower : aten.cat([lower, zeros()], -1);
  const skew = square.sub(square.mH);
  if (map === 'matrix_exp') return narrowed(aten.matrix_exp(skew), columns);
  const { dtype, device } = skew;
  const identity = eye(rows, { dtype, device });
  const solved = aten.linalg_solve(identity.add(skew, { alpha: -0.5 }), identity.add(skew, { alpha: 0.5 }));
  return narrowed(solved, columns);
}

const narrowed = (matrix: Tensor, columns: number): Tensor =>
  matrix.size(-1) === columns ? matrix : aten.slice.Tensor(matrix, -1, 0, columns);

/** A product of Householder reflections. */
function reflected(matrix: Tensor): Tensor {
  const below = matrix.tril(-1);
  const tau = below.mul(below).sum(-2).add(1).reciprocal().mul(2);
  const signs = aten.diagonal(matrix, 0, -2, -1).to('int32').unsqueeze(-2);
  return aten.linalg_householder_product(below, tau).mul(signs);
}

const readOrthogonal: (
  ...args: unknown[]
) => [name: string, orthogonalMap: string | undefined, useTrivialization: boolean] = defineFunction(
  'orthogonal',
  "(str name='weight', str? orthogonal_map=None, *, bool use_trivialization=True)",
  (...given: unknown[]) => given,
);

/**
 * Keeps a matrix, or a batch of them, orthogonal while it is trained: rows or columns, whichever are fewer, are
 * orthonormal.
 *
 * **Source**: `torch.nn.utils.parametrizations.orthogonal`; Lezcano Casado, Trivializations for gradient-based
 * optimization on manifolds, 2019.
 */
export function orthogonal<M extends AnyModule>(
  module: M,
  ...args: Call<[], OrthogonalOptions, ['name', 'orthogonalMap']>
): M {
  const op = 'orthogonal';
  const [name, given, useTrivialization] = readOrthogonal(...args);
  const weight = tensorOf(op, module, name);
  if (weight.ndim < 2)
    throw expected(op, `'${name}'`, 'to have at least 2 dimensions', `shape ${shapeText(weight.shape)}`);
  const isSquare = weight.size(-2) === weight.size(-1);
  const map = given ?? (isSquare || weight.isComplex() ? 'matrix_exp' : 'householder');
  const made = new Orthogonal(weight, oneOf(op, "'orthogonalMap'", map, orthogonalMaps), useTrivialization);
  return registerParametrization(module, name, made, { unsafe: true });
}

for (const [printed, made] of Object.entries({
  _WeightNorm: WeightNorm,
  _SpectralNorm: SpectralNorm,
  _Orthogonal: Orthogonal,
})) {
  Object.defineProperty(made, 'name', { value: printed });
}
