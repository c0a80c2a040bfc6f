/** Transformers: stacks of layers. */
import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { full } from '../../torch/functional';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Device, DType } from '../../types';
import { additiveMasks } from '../functional/attention';
import { xavierUniform_ } from '../init';
import { type ForwardImplementations, forwardSchemas } from '../python.generated';
import { isWithoutGraph } from './attention';
import { ModuleList } from './containers';
import { deepcopy } from './copy';
import { type KeywordLayerClass, layer } from './layer';
import type { AnyModule, Module } from './module';
import { LayerNorm } from './normalization';
import {
  parametersOfKernel,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  whyNotNested,
} from './transformer-layers';

type Optional = Tensor | undefined;

/** What stacks of layers have. */
export interface TransformerStackState {
  /** The layers, copies of the given one. */
  layers: ModuleList;
  /** How many there are. */
  numLayers: number;
  /** What the result goes through, if anything. */
  norm: AnyModule | undefined;
}

/** What {@link TransformerEncoder} has besides. */
export interface TransformerEncoderState extends TransformerStackState {
  /** Whether padding may be left out of the computation in eval mode. */
  enableNestedTensor: boolean;
  /** Whether these layers allow it. */
  useNestedTensor: boolean;
  /** Whether it is checked that padding is at the end. */
  maskCheck: boolean;
}

interface StackOptions {
  numLayers: number;
  norm: AnyModule | null | undefined;
}

function makeStack(self: Module & TransformerStackState, given: AnyModule, { numLayers, norm }: StackOptions): void {
  self.layers = new ModuleList(Array.from({ length: numLayers }, () => deepcopy(given)));
  self.numLayers = numLayers;
  self.norm = norm ?? undefined;
}

function firstLayer(op: string, { layers }: TransformerStackState): TransformerEncoderLayer {
  const [first] = layers;
  if (first !== undefined) return first as TransformerEncoderLayer;
  throw expected(op, "'numLayers'", 'to be an integer > 0', '0');
}

/** `[size, size]`: -infinity above the diagonal. */
function subsequentMask(size: number, options: { device?: Device | undefined; dtype?: DType | null }): Tensor {
  return aten.triu(full([size, size], -Infinity, options), 1);
}

/** Whether a mask hides what comes later, if that was not said. */
function detectsCausal(mask: Optional, isCausal: boolean | undefined, length: number): boolean {
  if (isCausal !== undefined || mask === undefined) return isCausal === true;
  const causal = subsequentMask(length, { device: mask.device, dtype: mask.dtype });
  return sameShape(mask.shape, causal.shape) && Boolean(mask.eq(causal).all().item());
}

const lengthOf = (input: Tensor, isBatchFirst: boolean): number => input.size(input.ndim === 3 && isBatchFirst ? 1 : 0);

type Encoder = Module & TransformerEncoderState;

/** Whether the padding of this input is left out, as PyTorch decides it. */
function isNested(
  self: Encoder,
  first: TransformerEncoderLayer,
  src: Tensor,
  mask: Optional,
  padding: Optional,
): boolean {
  if (!self.useNestedTensor || first.training || src.ndim !== 3 || padding === undefined) return false;
  if (self.maskCheck && !aten._nested_tensor_from_mask_left_aligned(src, padding.logicalNot())) return false;
  return mask === undefined && isWithoutGraph([src, ...parametersOfKernel(first)]);
}

type EncoderInputs = Parameters<ForwardImplementations['transformerEncoder']>;

function encode(self: Encoder, ...[src, givenMask, givenPadding, isCausal]: EncoderInputs): Tensor {
  const op = 'TransformerEncoder';
  const [padding, mask] = additiveMasks(op, ['srcKeyPaddingMask', givenPadding], ['mask', givenMask], src.dtype);
  const first = firstLayer(op, self);
  const isCut = isNested(self, first, src, mask, padding);
  const causal = detectsCausal(mask, isCausal, lengthOf(src, first.selfAttn?.batchFirst === true));
  const options = { srcMask: mask, isCausal: causal, srcKeyPaddingMask: isCut ? undefined : padding };
  let output = isCut ? aten._nested_tensor_from_mask(src, (padding as Tensor).logicalNot(), false) : src;
  for (const each of self.layers) output = (each as TransformerEncoderLayer)(output, options);
  if (isCut) output = aten.to_padded_tensor(output, 0, src.shape);
  return self.norm === undefined ? output : (self.norm as Module)(output);
}

/**
 * A stack of copies of a layer. In eval mode, without gradients, padding at the end of sequences is not computed, and 0 in
 * the result. **Shapes**: src `[L, N, dModel]`, `[N, L, dModel]` with `batchFirst`, or without N -> the same. **Source**:
 * `torch.nn.TransformerEncoder`.
 */
export class TransformerEncoder extends (layer<'TransformerEncoder', EncoderInputs>('TransformerEncoder', {
  properties: [],
  make(given, options) {
    const self = given as unknown as Encoder;
    const { encoderLayer, enableNestedTensor, maskCheck } = options;
    makeStack(self, encoderLayer, options);
    const obstacle =
      encoderLayer instanceof TransformerEncoderLayer
        ? whyNotNested(encoderLayer)
        : 'encoderLayer is no TransformerEncoderLayer';
    if (enableNestedTensor && obstacle !== undefined) {
      emitWarning(`TransformerEncoder: 'enableNestedTensor' has no effect, because ${obstacle}`);
    }
    self.enableNestedTensor = enableNestedTensor;
    self.useNestedTensor = enableNestedTensor && obstacle === undefined;
    self.maskCheck = maskCheck;
  },
  inputs: forwardSchemas.transformerEncoder,
  forward: (self, ...inputs) => encode(self as unknown as Encoder, ...inputs),
}) as unknown as KeywordLayerClass<'TransformerEncoder', TransformerEncoderState>) {}

type Decoder = Module & TransformerStackState;

type DecoderInputs = Parameters<ForwardImplementations['transformerDecoder']>;

function decode(self: Decoder, ...inputs: DecoderInputs): Tensor {
  const [tgt, memory, tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, isCausal, memoryIsCausal] = inputs;
  const { selfAttn } = firstLayer('TransformerDecoder', self);
  const tgtIsCausal = detectsCausal(tgtMask, isCausal, lengthOf(tgt, selfAttn?.batchFirst === true));
  const options = { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask, tgtIsCausal, memoryIsCausal };
  let output = tgt;
  for (const each of self.layers) output = (each as TransformerDecoderLayer)(output, memory, options);
  return self.norm === undefined ? output : (self.norm as Module)(output);
}

/**
 * A stack of copies of a layer that attends to a memory. **Shapes**: tgt `[L, N, dModel]`, memory `[S, N, dModel]`, with N
 * first by `batchFirst`, or without -> as tgt. **Source**: `torch.nn.TransformerDecoder`.
 */
export class TransformerDecoder extends (layer<'TransformerDecoder', DecoderInputs>('TransformerDecoder', {
  properties: [],
  make: (self, options) => makeStack(self as unknown as Decoder, options.decoderLayer, options),
  inputs: forwardSchemas.transformerDecoder,
  forward: (self, ...inputs) => decode(self as unknown as Decoder, ...inputs),
}) as unknown as KeywordLayerClass<'TransformerDecoder', TransformerStackState>) {}

/** What {@link Transformer} has. */
export interface TransformerState {
  /** Makes the memory. */
  encoder: AnyModule;
  /** Makes the result of it. */
  decoder: AnyModule;
  /** The number of features. */
  dModel: number;
  /** How many heads attend. */
  nhead: number;
  /** Whether the batch is the first dimension. */
  batchFirst: boolean;
}

type Whole = Module & TransformerState;

function checkInputs({ batchFirst, dModel }: Whole, src: Tensor, tgt: Tensor): void {
  const batchDim = batchFirst ? 0 : 1;
  if (src.ndim === 3 && src.size(batchDim) !== tgt.size(batchDim)) {
    throw expected('Transformer', "'tgt'", `to have the batch of src, ${src.size(batchDim)}`, shapeText(tgt.shape));
  }
  for (const [name, input] of [
    ['src', src],
    ['tgt', tgt],
  ] as const) {
    if (input.size(-1) === dModel) continue;
    throw expected('Transformer', `'${name}'`, `to have dModel, ${dModel}, features`, shapeText(input.shape));
  }
}

type TransformerInputs = Parameters<ForwardImplementations['transformer']>;

function transform(self: Whole, ...inputs: TransformerInputs): Tensor {
  const [src, tgt, srcMask, tgtMask, memoryMask, srcKeyPaddingMask, ...rest] = inputs;
  const [tgtKeyPaddingMask, memoryKeyPaddingMask, srcIsCausal, tgtIsCausal, memoryIsCausal] = rest;
  checkInputs(self, src, tgt);
  const encoder = self.encoder as TransformerEncoder;
  const decoder = self.decoder as TransformerDecoder;
  const memory = encoder(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
  const masks = { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask };
  return decoder(tgt, memory, { ...masks, tgtIsCausal, memoryIsCausal });
}

/**
 * An encoder and a decoder. **Shapes**: src `[S, N, dModel]`, tgt `[T, N, dModel]`, with N first by `batchFirst`, or without ->
 * as tgt. **Source**: `torch.nn.Transformer`; Vaswani et al., Attention Is All You Need, 2017.
 */
export class Transformer extends (layer<'Transformer', TransformerInputs>('Transformer', {
  properties: ['dModel', 'nhead', 'batchFirst'],
  make(given, options) {
    const self = given as unknown as Whole;
    const { dModel, numEncoderLayers, numDecoderLayers, customEncoder, customDecoder } = options;
    const { layerNormEps: eps, bias, device } = options;
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps, bias, device, dtype: options.dtype ?? null });
    const { nhead, dimFeedforward, dropout, activation, batchFirst, normFirst } = options;
    const keywords = {
      ...{ dimFeedforward, dropout, activation, layerNormEps: eps, batchFirst, normFirst, bias, device },
      ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
    };
    self.encoder =
      customEncoder ??
      new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, keywords), numEncoderLayers, norm());
    self.decoder =
      customDecoder ??
      new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, keywords), numDecoderLayers, norm());
    for (const parameter of self.parameters()) if (parameter.ndim > 1) xavierUniform_(parameter);
  },
  inputs: forwardSchemas.transformer,
  forward: (self, ...inputs) => transform(self as unknown as Whole, ...inputs),
}) as unknown as KeywordLayerClass<'Transformer', TransformerState>) {
  /** `[size, size]`, -infinity above the diagonal: nothing attends to what comes later. */
  static generateSquareSubsequentMask(size: number, device?: Device | null, dtype?: DType | null): Tensor {
    return subsequentMask(size, { device: device ?? undefined, dtype: dtype ?? null });
  }
}
