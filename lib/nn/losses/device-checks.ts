/**
 * Values that kernels of a GPU refuse by failing for good, found before: class indices out of range, and what should be
 * probabilities. On the CPU the kernels themselves refuse, and name nothing less.
 */

import { TorchError } from '../../errors';
import { getValidateArgs } from '../../torch/cuda/validation';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { eagerly, refuseIf } from '../../torch/trace';
import { isFloating } from '../../types';
import { type Explanation, explainIndex, firstOutside, type IndexRange } from './explain';

/** Whether values of a tensor that is on a device already are to be looked at. */
export function isValidated(tensor: Tensor): boolean {
  return getValidateArgs() && !tensor.isDisposed && tensor.device !== 'cpu';
}

/** Refuses class indices that are out of range. One reduction, wherever they are, and waiting for its result. */
export function checkIndices(op: string, argument: string, target: Tensor, range: IndexRange): void {
  if (isFloating(target.dtype) || target.numel() === 0) return;
  const { classes, lowest = 0, ignoreIndex } = range;
  const outside = aten.logical_or(aten.lt.Scalar(target, lowest), aten.ge.Scalar(target, classes));
  const counts = ignoreIndex === undefined ? outside : aten.logical_and(outside, aten.ne.Scalar(target, ignoreIndex));
  refuseIf(aten.any(counts), () => {
    const found = eagerly(() => explainIndex(target, range)) as Explanation;
    const message = `${op}: expected '${argument}' ${found.what}, but received ${found.actual}`;
    return new TorchError('INDEX', message, { op, argument });
  });
}

/** Refuses values that are not probabilities, of a tensor on a device that is to be looked at. */
export function checkProbabilities(op: string, argument: string, tensor: Tensor): void {
  if (!isFloating(tensor.dtype) || tensor.numel() === 0) return;
  // Written so that NaN is refused too, as the kernels do.
  const inside = aten.logical_and(aten.ge.Scalar(tensor, 0), aten.le.Scalar(tensor, 1));
  refuseIf(aten.logical_not(aten.all(inside)), () => {
    const found = eagerly(() => firstOutside(argument, tensor)) as Explanation;
    const message = `${op}: expected ${found.label} ${found.what}, but received ${found.actual}`;
    return new TorchError('RUNTIME', message, { op, argument });
  });
}
