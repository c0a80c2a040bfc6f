/** Distances between vectors as modules. */
import type { Tensor } from '../../torch/tensor';
import { cosineSimilarity, pairwiseDistance } from '../functional/operators.generated';
import { layer, setProperty } from './layer';
import type { Module } from './module';

/** What {@link PairwiseDistance} has besides its options. */
export interface PairwiseDistanceState {
  /** The order of the norm: `p`, by PyTorch's name of the property. */
  norm: number;
}

/**
 * The cosine of the angle between vectors: `x1 . x2 / (max(||x1||, eps) * max(||x2||, eps))` along `dim`. **Shapes**: two that
 * broadcast -> their common shape without `dim`. **Source**: `torch.nn.CosineSimilarity`.
 */
export class CosineSimilarity extends layer('CosineSimilarity', {
  inputs: '(Tensor x1, Tensor x2)',
  forward: ({ dim, eps }, x1: Tensor, x2: Tensor) => cosineSimilarity(x1, x2, dim, eps),
}) {}

/**
 * The distance between vectors: `||x1 - x2 + eps||_p` over the last dimension. **Shapes**: `[…, D]` and `[…, D]`, which
 * broadcast -> `[…]`, or `[…, 1]` with `keepdim`. **Source**: `torch.nn.PairwiseDistance`.
 */
export class PairwiseDistance extends layer('PairwiseDistance', {
  inputs: '(Tensor x1, Tensor x2)',
  make: (self: Module & { p: number } & PairwiseDistanceState) => setProperty(self, 'norm', self.p),
  forward: ({ norm, eps, keepdim }, x1: Tensor, x2: Tensor) => pairwiseDistance(x1, x2, norm, eps, keepdim),
}) {}
