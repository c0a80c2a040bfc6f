/** Products of matrices in groups, and of narrow formats with scales. */

import { isTensor } from '../../torch/bind';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { define } from './define';

/** What each scale of {@link scaledMm} stands for. **Source**: `torch.nn.functional.ScalingType`. */
export const ScalingType = Object.freeze({
  TensorWise: 0,
  RowWise: 1,
  BlockWise1x16: 2,
  BlockWise1x32: 3,
  BlockWise1x128: 4,
  BlockWise128x128: 5,
});

/** How the scales of {@link scaledMm} lie in memory. **Source**: `torch.nn.functional.SwizzleType`. */
export const SwizzleType = Object.freeze({ NO_SWIZZLE: 0, SWIZZLE_32_4_4: 1 });

/**
 * Products of groups of matrices; `offs` says where the groups end that lie in one matrix. **Source**:
 * `torch.nn.functional.grouped_mm`.
 */
export const groupedMm = define('groupedMm', (a, b, offs, bias, outDtype) =>
  aten._grouped_mm(a, b, offs, bias, outDtype),
);

const listed = <T>(given: T | Iterable<T> | undefined): T[] => {
  if (given === undefined) return [];
  return typeof given === 'number' || isTensor(given) ? [given as T] : [...(given as Iterable<T>)];
};

/**
 * The product of two matrices in a narrow format, with their scales. **Source**: `torch.nn.functional.scaled_mm`; the CPU has
 * few of its combinations.
 */
export const scaledMm = define(
  'scaledMm',
  (a, b, scaleA, recipeA, scaleB, recipeB, swizzleA, swizzleB, bias, dtype, contractionDim, useFastAccum) =>
    aten._scaled_mm_v2(
      ...([a, b, listed<Tensor>(scaleA), listed(recipeA), listed(swizzleA)] as const),
      ...([listed<Tensor>(scaleB), listed(recipeB), listed(swizzleB)] as const),
      ...([bias, dtype, contractionDim, useFastAccum] as const),
    ),
);

/** {@link scaledMm} of groups of matrices, as {@link groupedMm}. **Source**: `torch.nn.functional.scaled_grouped_mm`. */
export const scaledGroupedMm = define(
  'scaledGroupedMm',
  (a, b, scaleA, recipeA, scaleB, recipeB, swizzleA, swizzleB, bias, offs, dtype, contractionDim, useFastAccum) =>
    aten._scaled_grouped_mm_v2(
      ...([a, b, listed<Tensor>(scaleA), listed(recipeA), listed(swizzleA)] as const),
      ...([listed<Tensor>(scaleB), listed(recipeB), listed(swizzleB)] as const),
      ...([offs, bias, dtype, contractionDim, useFastAccum] as const),
    ),
);
