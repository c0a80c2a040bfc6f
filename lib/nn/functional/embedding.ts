/** Look-up tables. */

import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { oneOf } from '../../options';
import { arange } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { define } from './define';

/** Scales the rows that are looked up to a norm of at most `maxNorm`, in place and outside of the graph. */
function renormalize(weight: Tensor, input: Tensor, maxNorm: number, normType: number): void {
  aten.embedding_renorm_(weight.detach(), input, maxNorm, normType);
}

/**
 * The rows of `weight` that the indices name. Rows longer than `maxNorm` are shortened in the weight itself; `paddingIdx`
 * names a row without a gradient. **Shapes**: input `[*]`, weight `[V, D]` -> `[*, D]`. **Source**:
 * `torch.nn.functional.embedding`.
 */
export const embedding = define(
  'embedding',
  (input, weight, paddingIdx, maxNorm, normType, scaleGradByFreq, sparse) => {
    const rows = weight.size(0);
    if (paddingIdx !== undefined && (paddingIdx >= rows || paddingIdx < -rows)) {
      throw expected('embedding', "'paddingIdx'", `to be an index of ${rows} rows`, String(paddingIdx));
    }
    const padding = paddingIdx === undefined ? -1 : paddingIdx < 0 ? rows + paddingIdx : paddingIdx;
    const indices = maxNorm === undefined ? input : input.contiguous();
    if (maxNorm !== undefined) renormalize(weight, indices, maxNorm, normType);
    return aten.embedding(weight, indices, padding, scaleGradByFreq, sparse);
  },
);

const bagModes = ['sum', 'mean', 'max'] as const;

/** Indices and where each bag begins: rows of a matrix are bags, a vector says it in `offsets`. */
function bags(input: Tensor, offsets: Tensor | undefined): { flat: Tensor; starts: Tensor } {
  const op = 'embeddingBag';
  if (input.ndim === 2) {
    if (offsets !== undefined)
      throw expected(op, "'offsets'", "to be absent where 'input' has 2 dimensions", 'a Tensor');
    const { dtype, device } = input;
    return { flat: input.reshape(-1), starts: arange(0, input.numel(), input.size(1), { dtype, device }) };
  }
  if (input.ndim !== 1) throw expected(op, "'input'", 'to have 1 or 2 dimensions', `shape ${shapeText(input.shape)}`);
  if (offsets?.ndim === 1) return { flat: input, starts: offsets };
  const actual = offsets === undefined ? 'undefined' : `shape ${shapeText(offsets.shape)}`;
  throw expected(op, "'offsets'", "to have 1 dimension, as 'input' has", actual);
}

/**
 * Sums, means or maxima of bags of rows of `weight`, without making the rows. **Shapes**: input `[B, N]`, or `[N]` with offsets
 * `[B]`; weight `[V, D]` -> `[B, D]`. **Source**: `torch.nn.functional.embedding_bag`.
 */
export const embeddingBag = define(
  'embeddingBag',
  (
    first,
    second,
    offsets,
    maxNorm,
    normType,
    scaleGradByFreq,
    mode,
    sparse,
    weights,
    includeLastOffset,
    paddingIdx,
  ) => {
    const op = 'embeddingBag';
    let [input, weight] = [first, second];
    if (weight.dtype === 'int64' && input.isFloatingPoint()) {
      emitWarning(`${op}: weight before input is deprecated; write ${op}(input, weight)`);
      [input, weight] = [weight, input];
    }
    if (weights !== undefined && !sameShape(input.shape, weights.shape)) {
      const what = `to have shape ${shapeText(input.shape)} as 'input' has`;
      throw expected(op, "'perSampleWeights'", what, shapeText(weights.shape));
    }
    if (weight.ndim !== 2) throw expected(op, "'weight'", 'to have 2 dimensions', `shape ${shapeText(weight.shape)}`);
    const isMatrix = input.ndim === 2;
    const { flat, starts } = bags(input, offsets);
    const code = bagModes.indexOf(oneOf(op, "'mode'", mode, bagModes));
    if (mode === 'max' && (scaleGradByFreq || sparse)) {
      const option = scaleGradByFreq ? 'scaleGradByFreq' : 'sparse';
      throw expected(op, `'${option}'`, "to be false with mode 'max'", 'true');
    }
    if (maxNorm !== undefined) renormalize(weight, flat, maxNorm, normType);
    if (weights !== undefined && mode !== 'sum') {
      throw expected(op, "'mode'", "to be 'sum' with 'perSampleWeights'", `'${mode}'`);
    }
    const [made] = aten.embedding_bag.padding_idx(
      weight,
      flat,
      starts,
      scaleGradByFreq,
      code,
      sparse,
      isMatrix ? weights?.reshape(-1) : weights,
      includeLastOffset && !isMatrix,
      paddingIdx,
    );
    return made;
  },
);
