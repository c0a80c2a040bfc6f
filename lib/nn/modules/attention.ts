/** Attention of several heads. */
import { expected } from '../../errors';
import { isGradEnabled } from '../../torch/autograd';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { additiveMasks, multiHeadAttentionForward } from '../functional/attention';
import { constant_, xavierNormal_, xavierUniform_ } from '../init';
import type { Parameter } from '../parameter';
import { type ForwardImplementations, forwardSchemas } from '../python.generated';
import { type KeywordLayerClass, type LayerProperties, layer, uninitialized } from './layer';
import { Linear } from './linear';
import type { Module } from './module';

type Optional = Tensor | undefined;

/** The projection of the result, which has a name of its own in the printed form. */
export class NonDynamicallyQuantizableLinear extends Linear {}

/** What {@link MultiheadAttention} has besides its options. */
export interface MultiheadAttentionState {
  /** The features of keys. */
  kdim: number;
  /** The features of values. */
  vdim: number;
  /** The features of a head. */
  headDim: number;
  /** `[3 embedDim, embedDim]`, where queries, keys and values have as many features. */
  inProjWeight: Parameter | undefined;
  /** `[embedDim, embedDim]`, where they have not. */
  qProjWeight: Parameter | undefined;
  /** `[embedDim, kdim]` */
  kProjWeight: Parameter | undefined;
  /** `[embedDim, vdim]` */
  vProjWeight: Parameter | undefined;
  /** `[3 embedDim]` */
  inProjBias: Parameter | undefined;
  /** The projection of the result. */
  outProj: Linear;
  /** `[1, 1, embedDim]`: one key more for all sequences. */
  biasK: Parameter | undefined;
  /** `[1, 1, embedDim]`: its value. */
  biasV: Parameter | undefined;
}

/** What {@link MultiheadAttention} computes; `weights` is `undefined` unless `needWeights`. */
export type AttentionResult = [output: Tensor, weights: Tensor | undefined];

type Inputs = Parameters<ForwardImplementations['multiheadAttention']>;
type Properties = LayerProperties<'MultiheadAttention'> & MultiheadAttentionState;
type Self = Module<AttentionResult> & Properties;

type MadeWith = Parameters<typeof uninitialized>[1] & { bias: boolean; addBiasKv: boolean };

function makeAttention(self: Self, options: MadeWith): void {
  const { embedDim, numHeads } = self;
  const op = 'MultiheadAttention';
  if (embedDim <= 0) throw expected(op, "'embedDim'", 'to be an integer > 0', String(embedDim));
  if (numHeads <= 0 || embedDim % numHeads !== 0) {
    throw expected(op, "'numHeads'", `to divide embedDim, ${embedDim}`, String(numHeads));
  }
  self.kdim ??= embedDim;
  self.vdim ??= embedDim;
  self.headDim = embedDim / numHeads;
  const isTogether = hasOneMatrix(self);
  const register = (name: string, isPresent: boolean, ...shape: number[]): void =>
    self.registerParameter(name, isPresent ? uninitialized(shape, options) : undefined);
  register('qProjWeight', !isTogether, embedDim, embedDim);
  register('kProjWeight', !isTogether, embedDim, self.kdim);
  register('vProjWeight', !isTogether, embedDim, self.vdim);
  register('inProjWeight', isTogether, 3 * embedDim, embedDim);
  register('inProjBias', options.bias, 3 * embedDim);
  const { bias, device, dtype } = options;
  self.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, device, dtype: dtype ?? null });
  register('biasK', options.addBiasKv, 1, 1, embedDim);
  register('biasV', options.addBiasKv, 1, 1, embedDim);
  resetAttention(self);
}

function hasOneMatrix({ embedDim, kdim, vdim }: Self): boolean {
  return kdim === embedDim && vdim === embedDim;
}

function resetAttention({
  inProjWeight,
  qProjWeight,
  kProjWeight,
  vProjWeight,
  inProjBias,
  outProj,
  biasK,
  biasV,
}: Self): void {
  for (const weight of [inProjWeight, qProjWeight, kProjWeight, vProjWeight]) {
    if (weight !== undefined) xavierUniform_(weight);
  }
  if (inProjBias !== undefined) {
    constant_(inProjBias, 0);
    constant_(outProj.bias as Tensor, 0);
  }
  for (const bias of [biasK, biasV]) if (bias !== undefined) xavierNormal_(bias);
}

/** Attention masks and padding in one, and which it is: 1 of padding, 2 for each head. */
export function mergeMasks(
  { numHeads }: { numHeads: number },
  mask: Optional,
  padding: Optional,
  query: Tensor,
): [merged: Optional, kind: number | undefined] {
  if (mask === undefined) return padding === undefined ? [undefined, undefined] : [padding, 1];
  const [batch, length] = query.shape as [number, number];
  const perHead =
    mask.ndim === 3
      ? mask.view([batch, -1, length, length])
      : mask.view([1, 1, length, length]).expand([batch, numHeads, -1, -1]);
  if (padding === undefined) return [perHead, 2];
  return [perHead.add(padding.view([batch, 1, 1, length]).expand([-1, numHeads, -1, -1])), 2];
}

/** Whether no gradient can be asked for through any of the tensors. */
export function isWithoutGraph(tensors: readonly Optional[]): boolean {
  return !isGradEnabled() || tensors.every((tensor) => tensor?.requiresGrad !== true);
}

/** Whether one kernel computes the whole, as PyTorch decides it. */
function isFast(self: Self, [query, key, value]: readonly [Tensor, Tensor, Tensor]): boolean {
  const { inProjWeight, inProjBias, outProj, training, numHeads, batchFirst, biasK, biasV, addZeroAttn } = self;
  if (query.ndim !== 3 || query !== key || key !== value || inProjWeight === undefined) return false;
  if (inProjBias === undefined || inProjBias.dtype !== query.dtype || inProjWeight.dtype !== query.dtype) return false;
  if (training || numHeads % 2 !== 0 || !batchFirst || biasK !== undefined || biasV !== undefined || addZeroAttn) {
    return false;
  }
  return hasOneMatrix(self) && isWithoutGraph([query, inProjWeight, inProjBias, outProj.weight, outProj.bias]);
}

function attend(
  self: Self,
  ...[query, key, value, padding, needWeights, mask, averageWeights, isCausal]: Inputs
): AttentionResult {
  const hasFloats = mask?.isFloatingPoint() === true || padding?.isFloatingPoint() === true;
  const dtype = query.dtype;
  const op = 'MultiheadAttention';
  const [paddingAdded, maskAdded] = additiveMasks(op, ['keyPaddingMask', padding], ['attnMask', mask], dtype);
  if (!hasFloats && isFast(self, [query, key, value])) {
    const [merged, kind] = mergeMasks(self, maskAdded, paddingAdded, query);
    const { embedDim, numHeads, inProjWeight, inProjBias, outProj } = self;
    const weights = [inProjWeight, inProjBias, outProj.weight, outProj.bias] as [Tensor, Tensor, Tensor, Tensor];
    const [output, attention] = aten._native_multi_head_attention(
      ...([query, key, value, embedDim, numHeads, ...weights, merged, needWeights, averageWeights, kind] as const),
    );
    return [output, needWeights ? attention : undefined];
  }
  const isTurned = self.batchFirst && query.ndim === 3;
  const turned = isTurned ? transposed(query, key, value) : ([query, key, value] as const);
  const [output, weights] = attendSlowly(
    self,
    turned,
    [paddingAdded, maskAdded],
    [needWeights, averageWeights, isCausal],
  );
  return [isTurned ? output.transpose(1, 0) : output, weights];
}

/** The batch in the second dimension; what is the same tensor stays the same. */
function transposed(...inputs: [query: Tensor, key: Tensor, value: Tensor]): [Tensor, Tensor, Tensor] {
  const done = new Map<Tensor, Tensor>();
  return inputs.map((input) => {
    const known = done.get(input) ?? input.transpose(1, 0);
    done.set(input, known);
    return known;
  }) as [Tensor, Tensor, Tensor];
}

function attendSlowly(
  self: Self,
  [query, key, value]: readonly [Tensor, Tensor, Tensor],
  [keyPaddingMask, attnMask]: readonly Optional[],
  [needWeights, averageAttnWeights, isCausal]: readonly [boolean, boolean, boolean],
): AttentionResult {
  const { embedDim, numHeads, inProjWeight, inProjBias, biasK, biasV, addZeroAttn, dropout, outProj, training } = self;
  const { qProjWeight, kProjWeight, vProjWeight } = self;
  const apart = { useSeparateProjWeight: true, qProjWeight, kProjWeight, vProjWeight };
  return multiHeadAttentionForward(
    ...([query, key, value, embedDim, numHeads, inProjWeight ?? null, inProjBias ?? null, biasK ?? null] as const),
    ...([biasV ?? null, addZeroAttn, dropout, outProj.weight, outProj.bias ?? null] as const),
    {
      ...{ training, keyPaddingMask, needWeights, attnMask, averageAttnWeights, isCausal },
      ...(hasOneMatrix(self) ? {} : apart),
    },
  ) as AttentionResult;
}

/**
 * Attention of `numHeads` heads: `softmax(q k^T / sqrt(headDim)) v` of projections, projected again. The result is
 * `[output, weights]`, the weights being `undefined` unless `needWeights`. In eval mode, without gradients, one kernel
 * computes it where PyTorch does so. **Shapes**: query `[L, N, embedDim]`, key `[S, N, kdim]`, value `[S, N, vdim]`, `[N, L, …]`
 * with `batchFirst`, or without N -> `[L, N, embedDim]` and `[N, L, S]`, or `[N, heads, L, S]` without `averageAttnWeights`.
 * **Source**: `torch.nn.MultiheadAttention`; Vaswani et al., Attention Is All You Need, 2017.
 */
export class MultiheadAttention extends (layer<'MultiheadAttention', Inputs, AttentionResult>('MultiheadAttention', {
  properties: ['embedDim', 'numHeads', 'dropout', 'batchFirst', 'kdim', 'vdim', 'addZeroAttn'],
  make: (self, options) => makeAttention(self as unknown as Self, options),
  inputs: forwardSchemas.multiheadAttention,
  forward: (self, ...inputs) => attend(self as unknown as Self, ...inputs),
}) as unknown as KeywordLayerClass<'MultiheadAttention', Properties, AttentionResult>) {}
