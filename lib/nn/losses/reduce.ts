/** How losses become one. */
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { none, sum } from './option';

/** The losses by ATen's code of a reduction. */
export function reduced(losses: Tensor, code: number): Tensor {
  if (code === none) return losses;
  return code === sum ? aten.sum(losses) : aten.mean(losses);
}
