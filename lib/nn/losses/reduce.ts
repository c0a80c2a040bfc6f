/** How losses become one. */
import * as aten from '../../aten/operators.generated';
import type { Tensor } from '../../tensor/tensor';
import { none, sum } from './option';

/** The losses by ATen's code of a reduction. */
export function reduced(losses: Tensor, code: number): Tensor {
  if (code === none) return losses;
  return code === sum ? aten.sum(losses) : aten.mean(losses);
}
