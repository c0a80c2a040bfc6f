/** Normalization. `rmsNorm` is a single operator, in `operators.generated.ts`. */

import { expected } from '../../errors';
import { aten } from '../../torch/ops';
import { shapeText } from '../../torch/shape';
import { define } from './define';

/** Refuses batches that leave one value a channel: it has no variance. */
function checkBatch(op: string, shape: readonly number[]): void {
  const values = shape.slice(2).reduce((product, size) => product * size, shape[0] as number);
  if (values !== 1) return;
  throw expected(op, "'input'", 'to have more than 1 value per channel when training', `shape ${shapeText(shape)}`);
}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` for each channel: in training with mean and variance of the batch, which
 * move the running ones by `momentum`; otherwise with the running ones. **Shapes**: `[N, C, …]` -> the same, the others
 * `[C]`. **Source**: `torch.nn.functional.batch_norm`.
 */
export const batchNorm = define(
  'batchNorm',
  (input, runningMean, runningVar, weight, bias, training, momentum, eps) => {
    if (training) checkBatch('batchNorm', input.shape);
    if (training ? eps <= 0 : eps < 0) {
      throw expected('batchNorm', "'eps'", training ? 'to be > 0 when training' : 'to be >= 0', String(eps));
    }
    return aten.batch_norm(input, weight, bias, runningMean, runningVar, training, momentum, eps, true);
  },
);

/**
 * {@link batchNorm} of each sample by itself. **Shapes**: `[N, C, L…]` -> the same, the others `[C]`. **Source**:
 * `torch.nn.functional.instance_norm`.
 */
export const instanceNorm = define(
  'instanceNorm',
  (input, runningMean, runningVar, weight, bias, useInputStats, momentum, eps) => {
    const { shape } = input;
    if (useInputStats && shape.slice(2).reduce((product, size) => product * size, 1) === 1) {
      const what = 'to have more than 1 spatial element when training';
      throw expected('instanceNorm', "'input'", what, `shape ${shapeText(shape)}`);
    }
    return aten.instance_norm(input, weight, bias, runningMean, runningVar, useInputStats, momentum, eps, true);
  },
);

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` over the last dimensions. **Shapes**: `[…, normalizedShape]` -> the same.
 * **Source**: `torch.nn.functional.layer_norm`.
 */
export const layerNorm = define('layerNorm', (input, shape, weight, bias, eps) =>
  aten.layer_norm(input, shape, weight, bias, eps, true),
);

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` over each of `numGroups` groups of channels. **Shapes**: `[N, C, …]` -> the
 * same, the others `[C]`. **Source**: `torch.nn.functional.group_norm`.
 */
export const groupNorm = define('groupNorm', (input, numGroups, weight, bias, eps) => {
  const [batch, channels, ...sizes] = input.shape;
  if (batch === undefined || channels === undefined) {
    throw expected('groupNorm', "'input'", 'to have at least 2 dimensions', `shape ${shapeText(input.shape)}`);
  }
  checkBatch('groupNorm', [Math.floor((batch * channels) / numGroups), numGroups, ...sizes]);
  return aten.group_norm(input, numGroups, weight, bias, eps, true);
});

/**
 * `x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta`. **Shapes**: `[N, C, …]` with at least one more
 * dimension -> the same. **Source**: `torch.nn.functional.local_response_norm`.
 */
export const localResponseNorm = define('localResponseNorm', (input, size, alpha, beta, k) => {
  const { shape } = input;
  if (shape.length < 3) {
    throw expected('localResponseNorm', "'input'", 'to have at least 3 dimensions', `shape ${shapeText(shape)}`);
  }
  if (input.numel() === 0) return input;
  const [before, after] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
  const squares = input.mul(input);
  const means =
    shape.length === 3
      ? aten.avg_pool2d(aten.pad(squares.unsqueeze(1), [0, 0, before, after]), [size, 1], 1).squeeze(1)
      : aten
          .avg_pool3d(
            aten.pad(squares.view([shape[0] as number, 1, shape[1] as number, shape[2] as number, -1]), [
              ...[0, 0, 0, 0],
              ...[before, after],
            ]),
            [size, 1, 1],
            1,
          )
          .squeeze(1)
          .view(shape);
  return input.div(means.mul(alpha).add(k).pow(beta));
});

/**
 * Vectors along `dim` divided by their p-norm, at least `eps`. **Shapes**: any -> the same. **Source**:
 * `torch.nn.functional.normalize`.
 */
export const normalize = define('normalize', (input, p, dim, eps, out) => {
  const norm = input.norm(p, dim, true);
  if (out === undefined) return input.div(norm.clampMin(eps).expandAs(input));
  return aten.div.out(input, norm.clampMin_(eps).expandAs(input), { out });
});
