/** The layers of transformers: attention and a feed-forward network, each with a residual connection and a norm. */
import { expected, show } from '../../errors';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { relu } from '../functional/activation';
import { additiveMasks } from '../functional/attention';
import { gelu } from '../functional/operators.generated';
import { type ForwardImplementations, forwardSchemas, type ModuleOptions } from '../python.generated';
import { GELU, ReLU } from './activation';
import { isWithoutGraph, MultiheadAttention, mergeMasks } from './attention';
import { Dropout } from './dropout';
import { hasForwardHooks } from './hooks';
import { type KeywordLayerClass, layer } from './layer';
import { Linear } from './linear';
import type { Module } from './module';
import { LayerNorm } from './normalization';

type Optional = Tensor | undefined;

/** What both kinds of layers have. */
export interface TransformerLayerState {
  /** Attention among the rows of the input. */
  selfAttn: MultiheadAttention;
  /** The first half of the feed-forward network. */
  linear1: Linear;
  /** Between its halves. */
  dropout: Dropout;
  /** The second half. */
  linear2: Linear;
  /** Whether norms come before what they belong to, rather than behind. */
  normFirst: boolean;
  /** The norm of the attention. */
  norm1: LayerNorm;
  /** The next one. */
  norm2: LayerNorm;
  /** Behind the attention. */
  dropout1: Dropout;
  /** The next one. */
  dropout2: Dropout;
  /** The function between the halves of the network, or a module. */
  activation: (input: Tensor) => Tensor;
}

/** What {@link TransformerDecoderLayer} has besides. */
export interface TransformerDecoderLayerState extends TransformerLayerState {
  /** Attention to the memory. */
  multiheadAttn: MultiheadAttention;
  /** The norm of the network. */
  norm3: LayerNorm;
  /** Behind the network. */
  dropout3: Dropout;
}

type LayerOptions = ModuleOptions['TransformerEncoderLayer'];

function activationOf(op: string, given: LayerOptions['activation']): (input: Tensor) => Tensor {
  if (given === undefined || given === null || given === 'relu') return relu as (input: Tensor) => Tensor;
  if (given === 'gelu') return gelu as (input: Tensor) => Tensor;
  if (typeof given === 'function') return given;
  throw expected(op, "'activation'", "to be 'relu', 'gelu' or a function", show(given));
}

/** Makes what both have, in PyTorch's order: it draws the parameters. */
function makeLayer(
  op: string,
  self: Module & TransformerDecoderLayerState,
  options: LayerOptions,
  isDecoder: boolean,
): void {
  const { dModel, nhead, dimFeedforward, dropout, layerNormEps, batchFirst, bias, device } = options;
  const made = { bias, device, dtype: options.dtype ?? null };
  const attention = (): MultiheadAttention => new MultiheadAttention(dModel, nhead, { dropout, batchFirst, ...made });
  const norm = (): LayerNorm => new LayerNorm(dModel, { eps: layerNormEps, ...made });
  self.selfAttn = attention();
  if (isDecoder) self.multiheadAttn = attention();
  self.linear1 = new Linear(dModel, dimFeedforward, made);
  self.dropout = new Dropout(dropout);
  self.linear2 = new Linear(dimFeedforward, dModel, made);
  self.normFirst = options.normFirst;
  self.norm1 = norm();
  self.norm2 = norm();
  if (isDecoder) self.norm3 = norm();
  self.dropout1 = new Dropout(dropout);
  self.dropout2 = new Dropout(dropout);
  if (isDecoder) self.dropout3 = new Dropout(dropout);
  self.activation = activationOf(op, options.activation);
}

function network(self: TransformerLayerState, dropout: Dropout, x: Tensor): Tensor {
  return dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))));
}

/** Attention without its weights. */
function attended(
  attention: MultiheadAttention,
  [query, memory]: readonly [query: Tensor, memory: Tensor],
  attnMask: Optional,
  keyPaddingMask: Optional,
  isCausal: boolean,
): Tensor {
  return attention(query, memory, memory, { attnMask, keyPaddingMask, needWeights: false, isCausal })[0];
}

type EncoderLayer = Module & TransformerLayerState;

/** Which activation the kernel of a whole layer has for this one. */
function kernelActivation({ activation }: TransformerLayerState): 'relu' | 'gelu' | undefined {
  if (activation === relu || activation instanceof ReLU) return 'relu';
  return activation === (gelu as unknown) || activation instanceof GELU ? 'gelu' : undefined;
}

/** The parameters of a layer in the order of its kernel; `undefined` for what a layer without biases lacks. */
export function parametersOfKernel({ selfAttn, norm1, norm2, linear1, linear2 }: TransformerLayerState): Optional[] {
  return [
    ...[selfAttn.inProjWeight, selfAttn.inProjBias, selfAttn.outProj.weight, selfAttn.outProj.bias],
    ...[norm1.weight, norm1.bias, norm2.weight, norm2.bias],
    ...[linear1.weight, linear1.bias, linear2.weight, linear2.bias],
  ];
}

/** What would keep {@link TransformerEncoder} from its nested tensors, apart from the input. */
export function whyNotNested(layer: TransformerLayerState): string | undefined {
  const { selfAttn, normFirst, norm1, norm2 } = layer;
  if (normFirst) return 'normFirst is true';
  if (!selfAttn.batchFirst) return 'batchFirst is false';
  if (selfAttn.inProjWeight === undefined) return 'keys and values have other features than queries';
  if (selfAttn.inProjBias === undefined) return 'bias is false';
  if (kernelActivation(layer) === undefined) return 'activation is neither relu nor gelu';
  if (norm1.eps !== norm2.eps) return 'the norms differ in eps';
  return selfAttn.numHeads % 2 === 1 ? 'nhead is odd' : undefined;
}

/** Whether one kernel computes the whole layer, as PyTorch decides it. */
function isFast(self: EncoderLayer, src: Tensor): boolean {
  const { selfAttn, training, norm1, norm2 } = self;
  if (src.ndim !== 3 || training || !selfAttn.batchFirst) return false;
  if (selfAttn.inProjBias === undefined || selfAttn.inProjWeight === undefined) return false;
  if (kernelActivation(self) === undefined || norm1.eps !== norm2.eps || selfAttn.numHeads % 2 === 1) return false;
  for (const module of self.modules()) if (hasForwardHooks(module)) return false;
  return isWithoutGraph([src, ...parametersOfKernel(self)]);
}

function byKernel(self: EncoderLayer, src: Tensor, mask: Optional, padding: Optional): Tensor {
  const { selfAttn, normFirst, norm1 } = self;
  const [merged, kind] = mergeMasks(selfAttn, mask, padding, src);
  const [inWeight, inBias, outWeight, outBias, ...rest] = parametersOfKernel(self) as Tensor[];
  const attention = [inWeight, inBias, outWeight, outBias] as [Tensor, Tensor, Tensor, Tensor];
  const others = rest as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  const isGelu = kernelActivation(self) === 'gelu';
  return aten._transformer_encoder_layer_fwd(
    ...([src, selfAttn.embedDim, selfAttn.numHeads, ...attention, isGelu, normFirst, norm1.eps] as const),
    ...([...others, merged, kind] as const),
  );
}

type EncoderInputs = Parameters<ForwardImplementations['transformerEncoderLayer']>;

function encode(self: EncoderLayer, ...[src, srcMask, srcPadding, isCausal]: EncoderInputs): Tensor {
  const op = 'TransformerEncoderLayer';
  const [padding, mask] = additiveMasks(op, ['srcKeyPaddingMask', srcPadding], ['srcMask', srcMask], src.dtype);
  if (isFast(self, src)) return byKernel(self, src, mask, padding);
  const { normFirst, selfAttn, dropout1, dropout2, norm1, norm2 } = self;
  const attention = (x: Tensor): Tensor => dropout1(attended(selfAttn, [x, x], mask, padding, isCausal));
  if (normFirst) {
    const x = src.add(attention(norm1(src)));
    return x.add(network(self, dropout2, norm2(x)));
  }
  const x = norm1(src.add(attention(src)));
  return norm2(x.add(network(self, dropout2, x)));
}

/**
 * Self-attention and a network of `dimFeedforward` features. In eval mode, without gradients, one kernel computes it where
 * PyTorch does so. **Shapes**: src `[L, N, dModel]`, `[N, L, dModel]` with `batchFirst`, or without N -> the same. **Source**:
 * `torch.nn.TransformerEncoderLayer`.
 */
export class TransformerEncoderLayer extends (layer<'TransformerEncoderLayer', EncoderInputs>(
  'TransformerEncoderLayer',
  {
    properties: [],
    make: (self, options) => makeLayer('TransformerEncoderLayer', self as never, options, false),
    inputs: forwardSchemas.transformerEncoderLayer,
    forward: (self, ...inputs) => encode(self as unknown as EncoderLayer, ...inputs),
  },
) as unknown as KeywordLayerClass<'TransformerEncoderLayer', TransformerLayerState>) {}

type DecoderLayer = Module & TransformerDecoderLayerState;

type DecoderInputs = Parameters<ForwardImplementations['transformerDecoderLayer']>;

function decode(self: DecoderLayer, ...inputs: DecoderInputs): Tensor {
  const [tgt, memory, tgtMask, memoryMask, tgtPadding, memoryPadding, isCausal, isMemoryCausal] = inputs;
  const { normFirst, selfAttn, multiheadAttn, dropout1, dropout2, dropout3, norm1, norm2, norm3 } = self;
  const own = (x: Tensor): Tensor => dropout1(attended(selfAttn, [x, x], tgtMask, tgtPadding, isCausal));
  const toMemory = (x: Tensor): Tensor =>
    dropout2(attended(multiheadAttn, [x, memory], memoryMask, memoryPadding, isMemoryCausal));
  if (normFirst) {
    let x = tgt.add(own(norm1(tgt)));
    x = x.add(toMemory(norm2(x)));
    return x.add(network(self, dropout3, norm3(x)));
  }
  let x = norm1(tgt.add(own(tgt)));
  x = norm2(x.add(toMemory(x)));
  return norm3(x.add(network(self, dropout3, x)));
}

/**
 * Self-attention, attention to a memory, and a network of `dimFeedforward` features. **Shapes**: tgt `[L, N, dModel]`, memory
 * `[S, N, dModel]`, with N first by `batchFirst`, or without -> as tgt. **Source**: `torch.nn.TransformerDecoderLayer`.
 */
export class TransformerDecoderLayer extends (layer<'TransformerDecoderLayer', DecoderInputs>(
  'TransformerDecoderLayer',
  {
    properties: [],
    make: (self, options) => makeLayer('TransformerDecoderLayer', self as never, options, true),
    inputs: forwardSchemas.transformerDecoderLayer,
    forward: (self, ...inputs) => decode(self as unknown as DecoderLayer, ...inputs),
  },
) as unknown as KeywordLayerClass<'TransformerDecoderLayer', TransformerDecoderLayerState>) {}
