/**
 * Cross entropy against class probabilities over the rows of `[N, C]`, in chunks that stay in the caches. The products
 * that are added up take the memory of the gradient, which then overwrites them: the sum has to be taken of all of them
 * at once, because its order shows in its bits.
 */

import { recordsGraph } from '../../torch/autograd';
import { aten } from '../../torch/ops';
import { sameShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { inChunks } from '../../torch/trace';
import type { ValueAndGrad } from '../../torch/value-and-grad';
import { isFloating } from '../../types';
import { chunkOf } from './chunking';
import { unit } from './constants';
import type { CrossEntropyCall } from './cross-entropy-fused';

const [none, mean] = [0, 1];

/** How many rows a chunk has; `undefined` if the whole operator is as good. */
function rowsOfChunk({ input, target, weight, reduction, ignoreIndex }: CrossEntropyCall): number | undefined {
  // Probabilities have nothing to ignore: libtorch refuses.
  if (ignoreIndex >= 0) return undefined;
  const chunk = chunkOf(input);
  if (chunk === undefined || reduction === none || input.ndim !== 2 || !isFloating(input.dtype)) return undefined;
  const { shape, dtype } = input;
  if (target.dtype !== dtype || !target.isContiguous() || !sameShape(target.shape, shape)) return undefined;
  const fits = weight === undefined || (weight.dtype === dtype && sameShape(weight.shape, shape.slice(1)));
  return fits ? chunk : undefined;
}

/**
 * Runs `visit` for the log-probabilities of some rows, their targets as smoothing leaves them, and their place in
 * `out`.
 */
function forRows(
  { input, target, weight, labelSmoothing }: CrossEntropyCall,
  chunk: number,
  out: Tensor,
  whole: readonly Tensor[],
  visit: (
    rows: { logProbs: Tensor; target: Tensor; weight: Tensor | undefined; out: Tensor },
    whole: readonly Tensor[],
  ) => void,
): void {
  const classes = input.shape[1] as number;
  inChunks({
    size: input.shape[0] as number,
    chunk,
    cut: [input, target, out],
    whole: weight === undefined ? whole : [...whole, weight],
    compute: (cut, given) => {
      const [x, y, place] = cut as [Tensor, Tensor, Tensor];
      const smoothed =
        labelSmoothing > 0 ? aten.add.Scalar(aten.mul.Scalar(y, 1 - labelSmoothing), labelSmoothing / classes) : y;
      const row = weight === undefined ? undefined : aten.unsqueeze(given.at(-1) as Tensor, 0);
      visit({ logProbs: aten._log_softmax(x, 1, false), target: smoothed, weight: row, out: place }, given);
    },
  });
}

/** The value, with the products that it is the sum of written into `products`. */
function valueThrough(call: CrossEntropyCall, chunk: number, products: Tensor): Tensor {
  forRows(call, chunk, products, [], ({ logProbs, target, weight, out }) => {
    if (weight === undefined) aten.mul.out(logProbs, target, { out });
    else aten.mul.out(aten.mul.Tensor(logProbs, target), weight, { out });
  });
  const total = aten.neg(aten.sum(products));
  return call.reduction === mean ? aten.div.Scalar(total, call.input.shape[0] as number) : total;
}

/** The value alone; `undefined` if the whole operator is as good, or has to record a graph. */
export function probabilitiesInChunks(call: CrossEntropyCall): Tensor | undefined {
  const chunk = rowsOfChunk(call);
  if (chunk === undefined || [call.input, call.target].some(recordsGraph)) return undefined;
  return valueThrough(call, chunk, aten.empty_like(call.input));
}

/** Value and gradient of a sum or mean; `undefined` if only the graph can compute it. */
export function differentiateProbabilities(call: CrossEntropyCall): ValueAndGrad | undefined {
  const chunk = rowsOfChunk(call);
  if (chunk === undefined) return undefined;
  const { input, reduction } = call;
  // Not a buffer of the caller's: it may be the input, which is read once more.
  const grad = aten.empty_like(input);
  const value = valueThrough(call, chunk, grad);
  const one = unit(input);
  const upstream = aten.neg(reduction === mean ? aten.div.Scalar(one, input.shape[0] as number) : one);
  forRows(call, chunk, grad, [upstream], ({ logProbs, target, weight, out }, [up]) => {
    const ofLogProbs =
      weight === undefined
        ? aten.mul.Tensor(target, up as Tensor)
        : aten.mul.Tensor(aten.mul.Tensor(weight, up as Tensor), target);
    aten._log_softmax_backward_data.out(ofLogProbs, logProbs, 1, input.dtype, { out });
  });
  return { value, grad };
}
