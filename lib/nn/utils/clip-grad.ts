/** Clipping of gradients. */
import { emitWarning } from '../../binding/load';
import { TorchError } from '../../errors';
import { noGrad } from '../../torch/autograd';
import { tensor } from '../../torch/create';
import { definer } from '../../torch/functions';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { type UtilsCalls, type UtilsImplementations, utilsSchemas } from '../python.generated';
import { byKind, listed } from './tensors';

const define = definer<UtilsCalls, UtilsImplementations>(utilsSchemas);

type Foreach = boolean | undefined;

function gradientsOf(parameters: readonly Tensor[]): Tensor[] {
  return parameters.flatMap(({ grad }) => (grad === undefined ? [] : [grad]));
}

/** `foreach`: one operator for all of a kind, unless it is false. The bits are the same. */
function totalNorm(op: string, tensors: readonly Tensor[], p: number, refuses: boolean, foreach: Foreach): Tensor {
  const [first] = tensors;
  if (first === undefined) return tensor(0);
  const norms = byKind(tensors).flatMap((group) =>
    foreach === false ? group.map((one) => aten.linalg_vector_norm(one, p)) : aten._foreach_norm.Scalar(group, p),
  );
  const together = aten.stack(norms.map((norm) => norm.to({ device: first.device })));
  const total = aten.linalg_vector_norm(together, p);
  if (!refuses || Number.isFinite(total.item<number>())) return total;
  const message = `${op}: expected a finite total norm of order ${p}, but received ${total.item()}; without 'errorIfNonfinite' gradients are scaled by it all the same`;
  throw new TorchError('RUNTIME', message, { op });
}

function scale(parameters: readonly Tensor[], maxNorm: number, total: Tensor, foreach: Foreach): void {
  const gradients = gradientsOf(parameters);
  if (gradients.length === 0) return;
  const factor = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 });
  for (const group of byKind(gradients)) {
    const here = factor.to({ device: (group[0] as Tensor).device });
    if (foreach === false) for (const gradient of group) gradient.mul_(here);
    else aten._foreach_mul_.Tensor(group, here);
  }
}

/**
 * The norm of all tensors as if they were one vector.
 *
 * @throws TorchError `RUNTIME` for a norm that is not finite, with `errorIfNonfinite`.
 *
 * **Source**: `torch.nn.utils.get_total_norm`.
 */
export const getTotalNorm = define('getTotalNorm', (tensors, p, refuses, foreach) =>
  noGrad(() => totalNorm('getTotalNorm', listed('getTotalNorm', 'tensors', tensors), p, refuses, foreach)),
);

/**
 * Multiplies all gradients by `maxNorm / totalNorm` where that is below 1. **Source**:
 * `torch.nn.utils.clip_grads_with_norm_`.
 */
export const clipGradsWithNorm_ = define('clipGradsWithNorm_', (parameters, maxNorm, total, foreach) =>
  noGrad(() => scale(listed('clipGradsWithNorm_', 'parameters', parameters), maxNorm, total, foreach)),
);

/**
 * Scales all gradients, as if they were one vector, to a norm of at most `maxNorm`. Gives the norm that they had.
 *
 * @example
 * loss.backward();
 * nn.utils.clipGradNorm_(model.parameters(), 1);
 * optimizer.step();
 *
 * @throws TorchError `RUNTIME` for a norm that is not finite, with `errorIfNonfinite`; no gradient is changed then.
 *
 * **Source**: `torch.nn.utils.clip_grad_norm_`.
 */
export const clipGradNorm_ = define('clipGradNorm_', (parameters, maxNorm, p, refuses, foreach) => {
  const op = 'clipGradNorm_';
  const list = listed(op, 'parameters', parameters);
  if (list.length === 0 && !Array.isArray(parameters)) emitWarning(`${op}: there is no parameter to clip`);
  return noGrad(() => {
    const total = totalNorm(op, gradientsOf(list), p, refuses, foreach);
    scale(list, maxNorm, total, foreach);
    return total;
  });
});

/** Clamps every gradient to `[-clipValue, clipValue]`. **Source**: `torch.nn.utils.clip_grad_value_`. */
export const clipGradValue_ = define('clipGradValue_', (parameters, clipValue, foreach) => {
  const gradients = gradientsOf(listed('clipGradValue_', 'parameters', parameters));
  noGrad(() => {
    for (const group of byKind(gradients)) {
      if (foreach === false) {
        for (const gradient of group) gradient.clamp_(-clipValue, clipValue);
      } else {
        aten._foreach_clamp_min_.Scalar(group, -clipValue);
        aten._foreach_clamp_max_.Scalar(group, clipValue);
      }
    }
  });
});
