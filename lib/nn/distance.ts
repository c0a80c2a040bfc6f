/** Distances between vectors: functions, and modules with their options. */

import { finite } from '../options';
import type { Call } from '../torch/call';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { checkedOptions, parametersOf } from './losses/declare';
import { type Argument, booleanOr, integerOr, numberOr, type Option, tensor } from './losses/option';
import { Module } from './modules/module';

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** The norm. Default 2. */
  p?: number | undefined;
  /** What is added to each difference before the norm. Default 1e-6. */
  eps?: number | undefined;
  /** Keep the last dimension with size 1. Default `false`. */
  keepdim?: boolean | undefined;
}

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default 1. */
  dim?: number | undefined;
  /** The least norm that is divided by. Default 1e-8. */
  eps?: number | undefined;
}

type Vectors = [x1: Tensor, x2: Tensor];
const vectors = { x1: tensor, x2: tensor };

/** A finite number. */
const finiteOr = (otherwise: number): Option<number> => ({ default: otherwise, check: finite });

const pairwise = { p: numberOr(2), eps: finiteOr(1e-6), keepdim: booleanOr(false) };
const readPairwise = reader('pairwiseDistance', pairwise, vectors);
const readPairwiseModule = reader('PairwiseDistance', pairwise);

/**
 * The distance between vectors.
 *
 * **Formula**: `||x1 - x2 + eps||_p` over the last dimension.
 *
 * **Shapes**: `[…, D]` and `[…, D]`, which broadcast -> `[…]`.
 *
 * **Gradient**: to both.
 *
 * @example pairwiseDistance(tensor([[0, 0]]), tensor([[3, 4]]), { eps: 0 }).item() // 5
 *
 * **Source**: `torch.nn.functional.pairwise_distance`, `aten::pairwise_distance`.
 */
export function pairwiseDistance(...args: Call<Vectors, PairwiseDistanceOptions, ['p', 'eps', 'keepdim']>): Tensor {
  const { p, eps, keepdim } = readPairwise(args);
  return aten.pairwise_distance(args[0], args[1], p, eps, keepdim);
}

/** {@link pairwiseDistance} with its options. **Source**: `torch.nn.PairwiseDistance`. */
export class PairwiseDistance extends Module {
  /** The power of the norm. */
  readonly p: number;
  /** What is added to each difference. */
  readonly eps: number;
  /** Whether the last dimension stays, with size 1. */
  readonly keepdim: boolean;

  constructor(...args: Call<[], PairwiseDistanceOptions, ['p', 'eps', 'keepdim']>) {
    super();
    const { p, eps, keepdim } = readPairwiseModule(args);
    this.p = p;
    this.eps = eps;
    this.keepdim = keepdim;
  }

  /** `[…, D]`, `[…, D] -> […]` */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return pairwiseDistance(x1, x2, this.p, this.eps, this.keepdim);
  }
}

const cosine = { dim: integerOr(1), eps: finiteOr(1e-8) };
const readCosine = reader('cosineSimilarity', cosine, vectors);
const readCosineModule = reader('CosineSimilarity', cosine);

/**
 * The cosine of the angle between vectors.
 *
 * **Formula**: `x1 . x2 / (max(||x1||, eps) * max(||x2||, eps))` along `dim`.
 *
 * **Shapes**: two tensors that broadcast -> their common shape without `dim`.
 *
 * **Gradient**: to both.
 *
 * @example cosineSimilarity(tensor([[1, 0]]), tensor([[0, 1]])).item() // 0
 *
 * **Source**: `torch.nn.functional.cosine_similarity`, `aten::cosine_similarity`.
 */
export function cosineSimilarity(...args: Call<Vectors, CosineSimilarityOptions, ['dim', 'eps']>): Tensor {
  const { dim, eps } = readCosine(args);
  return aten.cosine_similarity(args[0], args[1], dim, eps);
}

/** {@link cosineSimilarity} with its options. **Source**: `torch.nn.CosineSimilarity`. */
export class CosineSimilarity extends Module {
  /** The dimension of the vectors. */
  readonly dim: number;
  /** The least product of norms that is divided by. */
  readonly eps: number;

  constructor(...args: Call<[], CosineSimilarityOptions, ['dim', 'eps']>) {
    super();
    const { dim, eps } = readCosineModule(args);
    this.dim = dim;
    this.eps = eps;
  }

  /** Two tensors of vectors along `dim` -> their common shape without `dim`. */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    return cosineSimilarity(x1, x2, this.dim, this.eps);
  }
}

/** What reads the options of a function or a class; each of them may be given by position. */
function reader<Values>(
  op: string,
  options: { readonly [Name in keyof Values]: Option<Values[Name]> },
  required: Readonly<Record<string, Argument>> = {},
): (args: readonly unknown[]) => Values {
  const parameters = parametersOf(op, { arguments: required, options, positional: Object.keys(options) });
  return (args) => checkedOptions(options, parameters, args) as Values;
}
