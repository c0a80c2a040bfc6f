/** Dropout, by element and by channel. The random numbers are those of PyTorch, in its order. */

import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import type { Aten } from '../../torch/ops/aten.generated';
import type { Tensor } from '../../torch/tensor';
import type { FunctionalCalls } from '../python.generated';
import { define, operator } from './define';

type Name = 'dropout' | 'dropout1d' | 'dropout2d' | 'dropout3d' | 'alphaDropout' | 'featureAlphaDropout';

/** `prepare` looks at the input first; `spatial`: with how many dimensions behind the channels it lacks its batch. */
function dropoutOf(
  op: Name,
  [plain, inPlace]: [keyof Aten, keyof Aten],
  prepare?: (dims: number) => void,
  hasBatch: (dims: number) => boolean = () => true,
): FunctionalCalls['dropout'] {
  return define(op, (input, p, training, inplace) => {
    if (p < 0 || p > 1) throw expected(op, "'p'", 'to be a probability in [0, 1]', String(p));
    const dims = input.ndim;
    prepare?.(dims);
    const run = (x: Tensor): Tensor => operator(inplace ? inPlace : plain)(x, p, training);
    if (hasBatch(dims)) return run(input);
    if (inplace) return run(input.unsqueeze_(0)).squeeze_(0);
    return run(input.unsqueeze(0)).squeeze(0);
  });
}

const feature: [keyof Aten, keyof Aten] = ['feature_dropout', 'feature_dropout_'];

function warnOfDims(op: string, dims: number, allowed: readonly [number, number]): void {
  if (allowed.includes(dims)) return;
  const meant = `${allowed[0]} or ${allowed[1]}`;
  emitWarning(`${op}: an input of ${dims} dimensions rather than ${meant} is deprecated; use dropout`);
}

/**
 * Zeroes each element with probability `p` and divides the others by `1 - p`. **Shapes**: any -> the same. **Source**:
 * `torch.nn.functional.dropout`.
 */
export const dropout = dropoutOf('dropout', ['dropout', 'dropout_']);

/** {@link dropout} of whole channels. **Shapes**: `[N, C, L]` or `[C, L]` -> the same. **Source**: `torch.nn.functional.dropout1d`. */
export const dropout1d = dropoutOf(
  'dropout1d',
  feature,
  (dims) => {
    if (dims === 2 || dims === 3) return;
    throw expected('dropout1d', "'input'", 'to have shape [C, L] or [N, C, L]', `${dims} dimensions`);
  },
  (dims) => dims === 3,
);

/**
 * {@link dropout} of whole channels. **Shapes**: `[N, C, H, W]` -> the same; `[N, C, L]` counts as a batch, with a warning.
 * **Source**: `torch.nn.functional.dropout2d`.
 */
export const dropout2d = dropoutOf('dropout2d', feature, (dims) => {
  warnOfDims('dropout2d', dims, [3, 4]);
  if (dims === 3) emitWarning('dropout2d: an input of 3 dimensions is taken for [N, C, L]; use dropout1d for that');
});

/** {@link dropout} of whole channels. **Shapes**: `[N, C, D, H, W]` or `[C, D, H, W]` -> the same. **Source**: `torch.nn.functional.dropout3d`. */
export const dropout3d = dropoutOf(
  'dropout3d',
  feature,
  (dims) => warnOfDims('dropout3d', dims, [4, 5]),
  (dims) => dims === 5,
);

/** Dropout that keeps mean and variance of {@link selu}'s output. **Shapes**: any -> the same. **Source**: `torch.nn.functional.alpha_dropout`. */
export const alphaDropout = dropoutOf('alphaDropout', ['alpha_dropout', 'alpha_dropout_']);

/** {@link alphaDropout} of whole channels. **Shapes**: `[N, C, …]` -> the same. **Source**: `torch.nn.functional.feature_alpha_dropout`. */
export const featureAlphaDropout = dropoutOf('featureAlphaDropout', [
  'feature_alpha_dropout',
  'feature_alpha_dropout_',
]);
