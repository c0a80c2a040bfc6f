/** The classes of the losses over pairs and triplets, and of the distances: options are checked when the object is made. */
import { boolean, finite, integer, number, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import type { Reduction } from '../../types';
import { checkReduction, type TensorLike } from '../functional/arguments';
import {
  type CosineSimilarityOptions,
  checkTripletMargin,
  cosineEmbeddingLoss,
  cosineSimilarity,
  cosineSimilarityDefaults,
  type DistanceFunction,
  type MarginOptions,
  marginDefaults,
  marginRankingLoss,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  pairwiseDistanceDefaults,
  readDistance,
  type TripletMarginLossOptions,
  type TripletMarginWithDistanceLossOptions,
  tripletMarginLoss,
  tripletMarginLossDefaults,
  tripletMarginWithDistanceLoss,
  tripletMarginWithDistanceLossDefaults,
} from '../functional/embedding';
import { Module } from './module';

/** {@link marginRankingLoss} with its options. **Source**: `torch.nn.MarginRankingLoss`. */
export class MarginRankingLoss extends Module {
  readonly margin: number;
  readonly reduction: Reduction;

  constructor(options?: MarginOptions) {
    super();
    const op = 'MarginRankingLoss';
    const filled = withDefaults<MarginOptions>(op, options, marginDefaults);
    this.margin = number(op, "option 'margin'", filled.margin);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of two scores against 1 (the first is greater) and -1. */
  override forward(input1: TensorLike, input2: TensorLike, target: TensorLike): Tensor {
    const { margin, reduction } = this;
    return marginRankingLoss(input1, input2, target, { margin, reduction });
  }
}

/** {@link cosineEmbeddingLoss} with its options. **Source**: `torch.nn.CosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Module {
  readonly margin: number;
  readonly reduction: Reduction;

  constructor(options?: MarginOptions) {
    super();
    const op = 'CosineEmbeddingLoss';
    const filled = withDefaults<MarginOptions>(op, options, marginDefaults);
    this.margin = number(op, "option 'margin'", filled.margin);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of vectors `[N, D]` against 1 (similar) and -1 (dissimilar). */
  override forward(input1: TensorLike, input2: TensorLike, target: TensorLike): Tensor {
    const { margin, reduction } = this;
    return cosineEmbeddingLoss(input1, input2, target, { margin, reduction });
  }
}

/** {@link tripletMarginLoss} with its options. **Source**: `torch.nn.TripletMarginLoss`. */
export class TripletMarginLoss extends Module {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;
  readonly reduction: Reduction;

  constructor(options?: TripletMarginLossOptions) {
    super();
    const op = 'TripletMarginLoss';
    const filled = withDefaults<TripletMarginLossOptions>(op, options, tripletMarginLossDefaults);
    this.margin = checkTripletMargin(op, filled.margin);
    this.p = number(op, "option 'p'", filled.p);
    this.eps = number(op, "option 'eps'", filled.eps);
    this.swap = boolean(op, "option 'swap'", filled.swap);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of three batches of vectors `[N, D]`. */
  override forward(anchor: TensorLike, positive: TensorLike, negative: TensorLike): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}

/** {@link tripletMarginWithDistanceLoss} with its options. **Source**: `torch.nn.TripletMarginWithDistanceLoss`. */
export class TripletMarginWithDistanceLoss extends Module {
  readonly distanceFunction: DistanceFunction;
  readonly margin: number;
  readonly swap: boolean;
  readonly reduction: Reduction;

  constructor(options?: TripletMarginWithDistanceLossOptions) {
    super();
    const op = 'TripletMarginWithDistanceLoss';
    const filled = withDefaults<TripletMarginWithDistanceLossOptions>(
      op,
      options,
      tripletMarginWithDistanceLossDefaults,
    );
    this.distanceFunction = readDistance(op, filled.distanceFunction);
    this.margin = checkTripletMargin(op, filled.margin);
    this.swap = boolean(op, "option 'swap'", filled.swap);
    this.reduction = checkReduction(op, filled.reduction);
  }

  /** The loss of three batches of vectors. */
  override forward(anchor: TensorLike, positive: TensorLike, negative: TensorLike): Tensor {
    const { distanceFunction, margin, swap, reduction } = this;
    return tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction, margin, swap, reduction });
  }
}

/** {@link pairwiseDistance} with its options. **Source**: `torch.nn.PairwiseDistance`. */
export class PairwiseDistance extends Module {
  readonly p: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options?: PairwiseDistanceOptions) {
    super();
    const op = 'PairwiseDistance';
    const filled = withDefaults<PairwiseDistanceOptions>(op, options, pairwiseDistanceDefaults);
    this.p = number(op, "option 'p'", filled.p);
    this.eps = finite(op, "option 'eps'", filled.eps);
    this.keepdim = boolean(op, "option 'keepdim'", filled.keepdim);
  }

  /** `[…, D]`, `[…, D] -> […]` */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    const { p, eps, keepdim } = this;
    return pairwiseDistance(x1, x2, { p, eps, keepdim });
  }
}

/** {@link cosineSimilarity} with its options. **Source**: `torch.nn.CosineSimilarity`. */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(options?: CosineSimilarityOptions) {
    super();
    const op = 'CosineSimilarity';
    const filled = withDefaults<CosineSimilarityOptions>(op, options, cosineSimilarityDefaults);
    this.dim = integer(op, "option 'dim'", filled.dim);
    this.eps = finite(op, "option 'eps'", filled.eps);
  }

  /** Two tensors of vectors along `dim` -> their common shape without `dim`. */
  override forward(x1: Tensor, x2: Tensor): Tensor {
    const { dim, eps } = this;
    return cosineSimilarity(x1, x2, { dim, eps });
  }
}
