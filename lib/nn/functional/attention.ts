/** Attention of several heads. `scaledDotProductAttention` is a single operator, in `operators.generated.ts`. */

import { emitWarning } from '../../binding/load';
import { expected, type TorchError } from '../../errors';
import { zeros } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { DType } from '../../types';
import type { FunctionalImplementations } from '../python.generated';
import { define } from './define';

const op = 'multiHeadAttentionForward';

type Three = [Tensor, Tensor, Tensor];
type Optional = Tensor | undefined;

function refuse(argument: string, what: string, actual: string): TorchError {
  return expected(op, `'${argument}'`, what, actual);
}

function checkDims(argument: string, tensor: Optional, allowed: readonly number[]): void {
  if (tensor === undefined || allowed.includes(tensor.ndim)) return;
  throw refuse(argument, `to have ${allowed.join(' or ')} dimensions`, `shape ${shapeText(tensor.shape)}`);
}

function checkShape(argument: string, tensor: Optional, shape: readonly number[]): void {
  if (tensor === undefined || sameShape(tensor.shape, shape)) return;
  throw refuse(argument, `to have shape ${shapeText(shape)}`, shapeText(tensor.shape));
}

/** Whether there is a batch; refuses inputs and masks whose dimensions do not go together. */
function isBatch([query, key, value]: Three, padding: Optional, mask: Optional, heads: number): boolean {
  checkDims('query', query, [2, 3]);
  checkDims('key', key, [query.ndim]);
  checkDims('value', value, [query.ndim]);
  checkDims('keyPaddingMask', padding, [query.ndim - 1]);
  checkDims('attnMask', mask, [2, 3]);
  if (query.ndim === 2 && mask?.ndim === 3) checkShape('attnMask', mask, [heads, query.size(0), key.size(0)]);
  return query.ndim === 3;
}

/** A mask as numbers to add: -infinity where a boolean one is true. */
function additive(by: string, argument: string, mask: Optional, dtype: DType): Optional {
  if (mask === undefined || mask.isFloatingPoint()) return mask;
  if (mask.dtype !== 'bool') throw expected(by, `'${argument}'`, 'to be bool or floating point', mask.dtype);
  return aten.zeros_like(mask, { dtype }).maskedFill_(mask, -Infinity);
}

/** Masks of padding and of attention as numbers to add; those that are given should be of one dtype. */
export function additiveMasks(
  by: string,
  [paddingName, padding]: readonly [name: string, mask: Optional],
  [maskName, mask]: readonly [name: string, mask: Optional],
  dtype: DType,
): [padding: Optional, mask: Optional] {
  const added = additivePadding(by, [paddingName, padding], [maskName, mask], dtype);
  return [added, additive(by, maskName, mask, dtype)];
}

function additivePadding(
  by: string,
  [paddingName, padding]: readonly [name: string, mask: Optional],
  [maskName, mask]: readonly [name: string, mask: Optional],
  dtype: DType,
): Optional {
  if (padding !== undefined && mask !== undefined && padding.dtype !== mask.dtype) {
    emitWarning(`${by}: '${paddingName}' and '${maskName}' of different dtypes are deprecated`);
  }
  return additive(by, paddingName, padding, dtype);
}

/** One product for projections of the same input, cut into parts. */
function projected(input: Tensor, weight: Tensor, bias: Optional, parts: number): Tensor[] {
  const all = aten.linear(input, weight, bias).unflatten(-1, [parts, input.size(-1)]);
  const apart = all.unsqueeze(0).transpose(0, -2).squeeze(-2).contiguous();
  return Array.from({ length: parts }, (_, i) => aten.select.int(apart, 0, i));
}

/** Query, key and value by one matrix: by as few products as there are different inputs. */
function projectedTogether([q, k, v]: Three, weight: Tensor, bias: Optional): Three {
  if (k === v && q === k) return projected(q, weight, bias, 3) as Three;
  if (k === v) {
    const sizes = [q.size(-1), 2 * q.size(-1)];
    const [ofQuery, ofBoth] = aten.split_with_sizes(weight, sizes) as [Tensor, Tensor];
    const [biasOfQuery, biasOfBoth] = bias === undefined ? [] : aten.split_with_sizes(bias, sizes);
    const query = aten.linear(q, ofQuery, biasOfQuery);
    return [query, ...projected(k, ofBoth, biasOfBoth, 2)] as Three;
  }
  return projectedApart([q, k, v], aten.chunk(weight, 3), bias);
}

function projectedApart(inputs: Three, weights: readonly Tensor[], bias: Optional): Three {
  const biases = bias === undefined ? [] : aten.chunk(bias, 3);
  return inputs.map((input, i) => aten.linear(input, weights[i] as Tensor, biases[i])) as Three;
}

function checkSeparate(inputs: Three, weights: readonly Optional[], bias: Optional): readonly Tensor[] {
  const names = ['qProjWeight', 'kProjWeight', 'vProjWeight'];
  const width = inputs[0].size(-1);
  for (const [i, weight] of weights.entries()) {
    if (weight === undefined) throw refuse(names[i] as string, "to be given with 'useSeparateProjWeight'", 'undefined');
    checkShape(names[i] as string, weight, [width, (inputs[i] as Tensor).size(-1)]);
  }
  if (bias !== undefined && bias.size(0) !== 3 * width) checkShape('inProjBias', bias, [3 * width]);
  return weights as readonly Tensor[];
}

/** `[L, N, E]` as `[N heads, L, E / heads]`. */
const byHead = (x: Tensor, rows: number, width: number): Tensor => x.view([x.size(0), rows, width]).transpose(0, 1);

function ofStatic(argument: string, given: Tensor, rows: number, width: number): Tensor {
  if (given.size(0) === rows && given.size(2) === width) return given;
  throw refuse(argument, `to have shape [${rows}, S, ${width}]`, shapeText(given.shape));
}

/** The masks of a call, as numbers to add, and whether the causal one is left to the kernel. */
interface Masks {
  attention: Optional;
  padding: Optional;
  isCausal: boolean;
}

function readMasks(
  padding: Optional,
  attention: Optional,
  isCausal: boolean,
  dtype: DType,
  needWeights: boolean,
): Masks {
  const added = additivePadding(op, ['keyPaddingMask', padding], ['attnMask', attention], dtype);
  if (isCausal && attention === undefined) throw refuse('attnMask', "to be given with 'isCausal'", 'undefined');
  if (isCausal && added === undefined && !needWeights) return { attention: undefined, padding: added, isCausal };
  const mask = additive(op, 'attnMask', attention, dtype);
  return { attention: mask, padding: added, isCausal: isCausal && added === undefined };
}

/** A column more at the end of keys and values, which no mask hides. */
function widen(masks: Masks): void {
  masks.attention &&= aten.pad(masks.attention, [0, 1]);
  masks.padding &&= aten.pad(masks.padding, [0, 1]);
}

/** The mask of attention with that of padding: `[N heads or 1, L or 1, S]`. */
function joined({ attention, padding }: Masks, batch: number, heads: number, length: number): Optional {
  if (padding === undefined) return attention;
  checkShape('keyPaddingMask', padding, [batch, length]);
  const spread = padding.view([batch, 1, 1, length]).expand([-1, heads, -1, -1]);
  const rows = spread.reshape([batch * heads, 1, length]);
  return attention === undefined ? rows : attention.add(rows);
}

type Given = Parameters<FunctionalImplementations[typeof op]>;

/** The arguments by their names. */
function named(given: Given) {
  const [query, key, value, embedDim, heads, inWeight, inBias, biasK, biasV, addZeroAttn, ...second] = given;
  const [dropout, outWeight, outBias, training, padding, needWeights, mask, isSeparate, ...third] = second;
  const [qWeight, kWeight, vWeight, staticK, staticV, averageWeights, isCausal] = third;
  const weights = [qWeight, kWeight, vWeight] as const;
  return {
    ...{ query, key, value, embedDim, heads, inWeight, inBias, isSeparate, weights, biasK, biasV, staticK, staticV },
    ...{ addZeroAttn, dropout: training ? dropout : 0, outWeight, outBias, padding, mask, isCausal },
    ...{ needWeights, averageWeights },
  };
}

type Call = ReturnType<typeof named>;

/** Queries, keys and values, `[L, N, E]` each. */
function projections(call: Call, inputs: Three): Three {
  const [query, key, value] = inputs;
  const { embedDim, heads, inWeight, inBias, isSeparate, weights } = call;
  const width = query.size(-1);
  if (width !== embedDim) throw refuse('query', `to have ${embedDim} features`, String(width));
  if (width % heads !== 0) throw refuse('numHeads', `to divide ${width}, the features of 'query'`, String(heads));
  if (isSeparate) {
    checkShape('value', value, [...key.shape.slice(0, 2), value.size(-1)]);
    return projectedApart(inputs, checkSeparate(inputs, weights, inBias), inBias);
  }
  checkShape('value', value, key.shape);
  if (inWeight === undefined) throw refuse('inProjWeight', "to be given without 'useSeparateProjWeight'", 'undefined');
  return projectedTogether(inputs, inWeight, inBias);
}

/** Adds the learned key and value behind the others. */
function withBias({ biasK, biasV, staticK, staticV }: Call, [q, k, v]: Three, masks: Masks): Three {
  if (biasK === undefined && biasV === undefined) return [q, k, v];
  if (biasK === undefined || biasV === undefined) {
    throw refuse(biasK === undefined ? 'biasK' : 'biasV', 'to be given with the other', 'undefined');
  }
  if (staticK !== undefined || staticV !== undefined) {
    throw refuse(staticK === undefined ? 'staticV' : 'staticK', "to be absent with 'biasK' and 'biasV'", 'a Tensor');
  }
  widen(masks);
  const batch = k.size(1);
  return [q, aten.cat([k, biasK.repeat([1, batch, 1])]), aten.cat([v, biasV.repeat([1, batch, 1])])];
}

function checkMask(mask: Optional, rows: number, from: number, to: number): Optional {
  if (mask === undefined) return undefined;
  checkShape('attnMask', mask, mask.ndim === 2 ? [from, to] : [rows, from, to]);
  return mask.ndim === 2 ? mask.unsqueeze(0) : mask;
}

/**
 * Attention of `numHeads` heads between projections of query, key and value: `[output, weights]`, the weights being
 * `undefined` unless `needWeights`. **Shapes**: query `[L, N, E]`, key and value `[S, N, E]`, or without N -> `[L, N, E]` and
 * `[N, L, S]`, or `[N, heads, L, S]` without `averageAttnWeights`. **Source**:
 * `torch.nn.functional.multi_head_attention_forward`.
 */
export const multiHeadAttentionForward = define(op, (...given) => {
  const call = named(given);
  const { heads, needWeights } = call;
  const hasBatch = isBatch([call.query, call.key, call.value], call.padding, call.mask, heads);
  const batched = (x: Tensor): Tensor => (hasBatch ? x : x.unsqueeze(1));
  const inputs: Three = [batched(call.query), batched(call.key), batched(call.value)];
  const [length, batch, width] = inputs[0].shape as [number, number, number];
  const padding = hasBatch ? call.padding : call.padding?.unsqueeze(0);
  const masks = readMasks(padding, call.mask, call.isCausal, inputs[0].dtype, needWeights);

  const all = projections(call, inputs);
  const [rows, headWidth] = [batch * heads, width / heads];
  masks.attention = checkMask(masks.attention, rows, length, inputs[1].size(0));
  const [query, key, value] = withBias(call, all, masks);
  const q = byHead(query, rows, headWidth);
  const { staticK, staticV } = call;
  let k = staticK === undefined ? byHead(key, rows, headWidth) : ofStatic('staticK', staticK, rows, headWidth);
  let v = staticV === undefined ? byHead(value, rows, headWidth) : ofStatic('staticV', staticV, rows, headWidth);
  if (call.addZeroAttn) {
    const { dtype, device } = k;
    k = aten.cat([k, zeros([rows, 1, headWidth], { dtype, device })], 1);
    v = aten.cat([v, zeros([rows, 1, headWidth], { dtype: v.dtype, device: v.device })], 1);
    widen(masks);
  }
  const mask = joined(masks, batch, heads, k.size(1));
  const sizes: Sizes = { length, batch, width, heads };
  const [output, weights] = needWeights
    ? withWeights(call, [q, k, v], mask, masks.isCausal, sizes)
    : [withoutWeights(call, [q, k, v], mask, masks.isCausal, sizes), undefined];
  return hasBatch ? [output, weights] : [output.squeeze(1), weights?.squeeze(0)];
});

interface Sizes {
  length: number;
  batch: number;
  width: number;
  heads: number;
}

function withWeights(call: Call, [q, k, v]: Three, mask: Optional, isCausal: boolean, sizes: Sizes): [Tensor, Tensor] {
  const { length, batch, width, heads } = sizes;
  if (isCausal && mask === undefined) throw refuse('isCausal', "to be false with 'needWeights'", 'true');
  const scaled = q.mul(Math.sqrt(1 / q.size(-1)));
  const keys = k.transpose(-2, -1);
  const scores = mask === undefined ? aten.bmm(scaled, keys) : aten.baddbmm(mask, scaled, keys);
  const soft = scores.softmax(-1);
  const weights = call.dropout > 0 ? aten.dropout(soft, call.dropout, true) : soft;
  const together = aten
    .bmm(weights, v)
    .transpose(0, 1)
    .reshape([length * batch, width]);
  const output = aten.linear(together, call.outWeight, call.outBias);
  const apart = weights.view([batch, heads, length, k.size(1)]);
  return [output.view([length, batch, output.size(1)]), call.averageWeights ? apart.mean(1) : apart];
}

/** By one kernel, which never makes the weights. */
function withoutWeights(call: Call, all: Three, mask: Optional, isCausal: boolean, sizes: Sizes): Tensor {
  const { length, batch, width, heads } = sizes;
  const to = all[1].size(1);
  const isShared = mask?.ndim === 3 && mask.size(0) === 1;
  const spread = isShared ? mask.unsqueeze(0) : mask?.view([batch, heads, -1, to]);
  const [q, k, v] = all.map((x) => x.view([batch, heads, x.size(1), x.size(-1)])) as Three;
  const attended = aten.scaled_dot_product_attention(q, k, v, spread, call.dropout, isCausal);
  const together = attended.permute([2, 0, 1, 3]).reshape([batch * length, width]);
  const output = aten.linear(together, call.outWeight, call.outBias);
  return output.view([length, batch, output.size(1)]);
}
