/** Dropout as modules: in training elements, or whole channels, become 0 at random. */
import { expected } from '../../errors';
import type { Tensor } from '../../torch/tensor';
import * as F from '../functional/dropout';
import { type LayerClass, layer } from './layer';

type Name = 'Dropout' | 'Dropout1d' | 'Dropout2d' | 'Dropout3d' | 'AlphaDropout' | 'FeatureAlphaDropout';

/** `drop`: the function; alpha dropout ignores `inplace` in Python, too. */
function dropout<Of extends Name>(name: Of, drop: typeof F.dropout, passesInplace: boolean): LayerClass<Of> {
  type Own = { p: number; inplace: boolean };
  return layer<Of, [input: Tensor], Tensor, Own>(name, {
    make({ p }) {
      if (!(p >= 0 && p <= 1)) throw expected(name, "'p'", 'to be a probability in [0, 1]', String(p));
    },
    forward: ({ p, training, inplace }, input) =>
      passesInplace ? drop(input, p, training, inplace) : drop(input, p, training),
    text: 'p={p}, inplace={inplace}',
  });
}

/**
 * Elements become 0 with probability `p`, and the others grow by `1 / (1 - p)`. **Shapes**: any -> the same. **Source**:
 * `torch.nn.Dropout`.
 */
export class Dropout extends dropout('Dropout', F.dropout, true) {}

/** {@link Dropout} of whole channels. **Shapes**: `[N, C, L]` or `[C, L]` -> the same. **Source**: `torch.nn.Dropout1d`. */
export class Dropout1d extends dropout('Dropout1d', F.dropout1d, true) {}

/** {@link Dropout} of whole channels. **Shapes**: `[N, C, H, W]` -> the same. **Source**: `torch.nn.Dropout2d`. */
export class Dropout2d extends dropout('Dropout2d', F.dropout2d, true) {}

/** {@link Dropout} of whole channels. **Shapes**: `[N, C, D, H, W]` or `[C, D, H, W]` -> the same. **Source**: `torch.nn.Dropout3d`. */
export class Dropout3d extends dropout('Dropout3d', F.dropout3d, true) {}

/** Dropout that keeps mean and variance of what `SELU` gives. **Shapes**: any -> the same. **Source**: `torch.nn.AlphaDropout`. */
export class AlphaDropout extends dropout('AlphaDropout', F.alphaDropout, false) {}

/** {@link AlphaDropout} of whole channels. **Shapes**: `[N, C, …]` -> the same. **Source**: `torch.nn.FeatureAlphaDropout`. */
export class FeatureAlphaDropout extends dropout('FeatureAlphaDropout', F.featureAlphaDropout, false) {}
