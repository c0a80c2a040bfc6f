/** Layers without state that losses and examples need. */
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';

/**
 * `input * weight^T + bias`.
 *
 * **Shapes**: input `[*, inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]` -> `[*, outFeatures]`.
 *
 * **Gradient**: to all three.
 *
 * **Source**: `torch.nn.functional.linear`, `aten::linear`.
 */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return aten.linear(input, weight, bias);
}
