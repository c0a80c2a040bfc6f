/** Losses between distributions. */
import * as aten from '../../aten/operators.generated';
import { emitWarning } from '../../binding/load';
import { boolean, oneOf, withDefaults } from '../../options';
import type { Tensor } from '../../tensor/tensor';
import { reductions } from '../../types';
import { asTensor, explained, reductionCode, type TensorLike } from './arguments';
import { explainBroadcast, explainIntegers } from './explain';

/** How {@link klDiv} reduces. */
export const klDivReductions = [...reductions, 'batchmean'] as const;

/** Options of {@link klDiv}. */
export interface KLDivOptions {
  /** Default `'mean'`; `'batchmean'`, the sum divided by the first size, is the divergence of the definition. */
  reduction?: (typeof klDivReductions)[number] | undefined;
  /** Whether the target holds log-probabilities too. Default `false`. */
  logTarget?: boolean | undefined;
}

/** @internal */
export const klDivDefaults = Object.freeze({
  reduction: 'mean',
  logTarget: false,
}) satisfies Required<KLDivOptions>;

/** PyTorch's own words, character for character. */
const meanWarning =
  "reduction: 'mean' divides the total loss by both the batch size and the support size." +
  "'batchmean' divides only by the batch size, and aligns with the KL div math definition." +
  "'mean' will be changed to behave the same as 'batchmean' in the next major release.";

/**
 * The Kullback-Leibler divergence of the input's distribution from the target's.
 *
 * **Formula**: `l = y * (ln y - x)`, 0 where y = 0; with `logTarget` `l = e^y * (y - x)`.
 *
 * **Shapes**: input and target of the same shape (they broadcast, unchecked, as in PyTorch) -> `[]`, with `'none'` that
 * shape. `'batchmean'` divides the sum by the input's first size, that of a 0-dimensional input by nothing.
 *
 * **Units**: nats.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16; every device.
 *
 * **Gradient**: to the input and the target (NaN where a target is 0).
 *
 * @param input log-probabilities.
 * @param target probabilities, or with `logTarget` log-probabilities.
 * @example klDiv(tensor([0.5, 0.5]).log(), tensor([0.25, 0.75]), { reduction: 'sum' }).item() // 0.1308…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; NativeError `RUNTIME` for shapes that do not broadcast and
 *   for integer dtypes.
 *
 * **Source**: `torch.nn.functional.kl_div`, `aten::kl_div`.
 */
export function klDiv(input: TensorLike, target: TensorLike, options?: KLDivOptions): Tensor {
  const op = 'klDiv';
  const filled = withDefaults<KLDivOptions>(op, options, klDivDefaults);
  const reduction = oneOf(op, "option 'reduction'", filled.reduction, klDivReductions);
  const logTarget = boolean(op, "option 'logTarget'", filled.logTarget);
  const logProbs = asTensor(op, 'input', input);
  const probs = asTensor(op, 'target', target);
  if (reduction === 'mean') emitWarning(meanWarning);
  const code = reductionCode(op, reduction === 'batchmean' ? 'sum' : reduction);
  const loss = explained(
    op,
    { arguments: { input: logProbs, target: probs } },
    () => aten.kl_div(logProbs, probs, code, logTarget),
    () =>
      explainIntegers('input', logProbs) ??
      explainIntegers('target', probs) ??
      explainBroadcast('target', probs, 'input', logProbs),
  );
  const size = logProbs.shape[0];
  return reduction === 'batchmean' && size !== undefined ? loss.div(size) : loss;
}
