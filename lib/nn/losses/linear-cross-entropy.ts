/** Cross entropy of the scores of a linear layer: both as one function, in chunks of rows on request. */

import { compareVersions } from '../../binding/libtorch-versions';
import { emitWarning, loadedLibtorch } from '../../binding/load';
import { expected, type NativeError, TorchError } from '../../errors';
import { classIndex } from '../../options';
import { isTensor } from '../../torch/bind';
import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { ValueAndGrad } from '../../torch/value-and-grad';
import { isFloating, type Reduction, reductions } from '../../types';
import { asClassTarget, reductionCode, type TensorLike, withArgumentErrors } from './arguments';
import { unit } from './constants';
import { declareLoss, type Loss } from './declare';
import { type Explanation, explainClassification, explainIndex } from './explain';
import { type ChunkedCall, chunkedGradients, chunkedLosses } from './linear-cross-entropy-chunks';
import { chunkedEach, chunkedTotal } from './linear-cross-entropy-gradients';
import {
  type CheckedChunking,
  checkChunking,
  type LinearCrossEntropyOptions,
  planChunks,
} from './linear-cross-entropy-options';
import { type Argument, numberWithin, type Option, optionalTensor, tensor } from './option';

const op = 'linearCrossEntropy';

/** Options of {@link linearCrossEntropy}. */
export interface LinearCrossEntropyCallOptions {
  /** Added to the scores, of the linear weight's shape without its last size. Absent: nothing. */
  linearBias?: TensorLike | undefined;
  /** A weight for each class, `[C]`. Absent: 1 each. */
  weight?: TensorLike | undefined;
  /** Default `'mean'`. */
  reduction?: Reduction | undefined;
  /** A class index that counts for nothing. Absent: -100. Class probabilities allow none. */
  ignoreIndex?: number | bigint | undefined;
  /** How much of each target is spread evenly over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number | undefined;
  /** How to compute in chunks of rows. Absent: all rows at once. */
  options?: LinearCrossEntropyOptions | undefined;
}

/** Checked late: PyTorch warns before it refuses a reduction. */
const lateReduction: Option<Reduction> = { default: 'mean', check: (_op, _label, value) => value as Reduction };

const optionalIndex: Option<number | bigint | undefined> = { default: undefined, check: classIndex };

const chunking: Option<LinearCrossEntropyOptions | undefined, CheckedChunking | undefined> = {
  default: undefined,
  check: (op, _label, value) => checkChunking(op, value as LinearCrossEntropyOptions) as LinearCrossEntropyOptions,
};

/** Data as it is: it becomes class indices or probabilities by the shape of the scores. */
const asGiven: Argument<TensorLike> = (_op, _name, value) => value;

/**
 * Cross entropy of `input * linearWeight^T + linearBias` against class indices or class probabilities.
 *
 * **Formula**: {@link crossEntropy} of the scores `z[n, c] = sum_f x[n, f] * W[c, f] + b[c]`. With `options` the scores
 * are computed in chunks of rows, with the gradients in the same pass; value and gradients then differ in the last
 * places, as PyTorch's do.
 *
 * **Shapes**: input `[F]` or `[N, F]`; linear weight `[C, F]`, or with `[N, F]` `[C, d1, …, dk, F]`; target `[]`, `[N]`
 * or `[N, d1, …, dk]` class indices, or probabilities `[C]`, `[N, C]` or `[N, C, d1, …, dk]` -> `[]`, with `'none'` the
 * shape of class indices.
 *
 * **Dtypes and devices**: float64, float32, float16, bfloat16, the same for input, linear weight and bias; int64 class
 * indices; every device.
 *
 * **Gradient**: to the input, the linear weight and bias, and a target of probabilities. With `options` to the first
 * three, without higher derivatives.
 *
 * `options` are ignored, with a warning, for label smoothing, targets other than int64 class indices, and linear
 * weights of more than two dimensions.
 *
 * @param input features.
 * @param linearWeight the weight of a linear layer, a row for each class.
 * @param target class indices in [0, C) or `ignoreIndex`, or class probabilities.
 * @example linearCrossEntropy(tensor([[1, 2]]), tensor([[1, 0], [0, 1], [0, 0.25]]), [1]).item() // 0.4643…
 *
 * @throws TorchError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`; `RUNTIME` for a second backward pass with `options` and without
 *   `allowRetainGraph`; NativeError `INDEX` for a class index out of range, `VALUE` or `RUNTIME` for shapes and dtypes
 *   that do not fit; `NOT_IMPLEMENTED` before libtorch 2.13, whose PyTorch has no such function.
 *
 * **Source**: `torch.nn.functional.linear_cross_entropy`.
 */
export const linearCrossEntropy: Loss<
  [input: TensorLike, linearWeight: TensorLike, target: TensorLike],
  LinearCrossEntropyCallOptions
> = declareLoss({
  name: op,
  arguments: { input: tensor, linearWeight: tensor, target: asGiven },
  options: {
    linearBias: optionalTensor,
    weight: optionalTensor,
    reduction: lateReduction,
    ignoreIndex: optionalIndex,
    labelSmoothing: numberWithin(0, 1, 0),
    options: chunking,
  },
  compute(given) {
    const call = readCall(given);
    return call.chunking === undefined ? plainLoss(call) : chunkedLoss(call, call.chunking);
  },
  derivative(given) {
    const call = readCall(given);
    return call.chunking && chunkedDerivative(call, call.chunking);
  },
  others: 'parameters',
  evaluation: {
    lossesOf: 'samples',
    constant: ['linearWeight'],
    denominator: 'class weights',
    target: 'classes or probabilities',
  },
});

/** What the loss is given. */
interface Given {
  input: Tensor;
  linearWeight: Tensor;
  target: TensorLike;
  linearBias: Tensor | undefined;
  weight: Tensor | undefined;
  reduction: Reduction;
  ignoreIndex: number | bigint | undefined;
  labelSmoothing: number;
  options: CheckedChunking | undefined;
}

/** The input and the layer that makes scores of it. */
type Layer = Pick<Given, 'input' | 'linearWeight' | 'linearBias'>;

/** A call whose arguments fit together, and how it is computed in chunks, if it is. */
interface Call extends Omit<Given, 'options'> {
  target: Tensor;
  ignoreIndex: number | bigint;
  scoresShape: readonly number[];
  chunking: CheckedChunking | undefined;
}

function readCall({ options, ...given }: Given): Call {
  checkLinearCrossEntropyVersion(op, loadedLibtorch().version);
  const { input, ignoreIndex = -100 } = given;
  const scoresShape = checkShapes(given);
  const classes = scoresShape[scoresShape.length === 1 ? 0 : 1] as number;
  const scores = isTensor(given.target) ? given.target : alike(input, scoresShape);
  const target = asClassTarget(op, 'target', given.target, scores, () => ({ classes, ignoreIndex }));
  if (given.ignoreIndex !== undefined && sameShape(target.shape, scoresShape)) {
    const what = "to be absent, as class probabilities have nothing to ignore ('target' has the scores' shape)";
    throw expected(op, "option 'ignoreIndex'", what, String(ignoreIndex));
  }
  const call = { ...given, target, ignoreIndex, scoresShape };
  if (options !== undefined) {
    const ignored = reasonsForNoChunks(call);
    if (ignored === undefined) return { ...call, chunking: options };
    emitWarning(ignored);
  }
  return { ...call, chunking: undefined };
}

/**
 * Refuses a libtorch whose PyTorch has no linear cross entropy.
 *
 * @internal
 */
export function checkLinearCrossEntropyVersion(op: string, version: string): void {
  if (compareVersions(version, '2.13') >= 0) return;
  const message = `${op}: expected libtorch to be 2.13 or newer, which has linear cross entropy, but received ${version}`;
  throw new TorchError('NOT_IMPLEMENTED', message, { op });
}

/** Nothing but a shape and the dtype of a tensor. */
function alike({ dtype, device }: Tensor, shape: readonly number[]): Tensor {
  return empty([], { dtype, device }).expand(shape);
}

/** The shape of the scores, if the arguments fit together. */
function checkShapes({ input, linearWeight, linearBias }: Layer): number[] {
  const [shape, weightShape] = [input.shape, linearWeight.shape];
  if (shape.length < 1 || shape.length > 2) {
    throw expected(op, "'input'", 'to have 1 or 2 dimensions', `shape ${shapeText(shape)}`);
  }
  if (weightShape.length < 2) {
    throw expected(op, "'linearWeight'", 'to have at least 2 dimensions', `shape ${shapeText(weightShape)}`);
  }
  const [features, outputs] = [shape.at(-1) as number, weightShape.slice(0, -1)];
  if (weightShape.at(-1) !== features) {
    const wanted = shapeText([...outputs, features]);
    throw expected(
      op,
      "'linearWeight'",
      `to have shape ${wanted}, with the features of 'input' last`,
      shapeText(weightShape),
    );
  }
  if (linearBias !== undefined && !sameShape(linearBias.shape, outputs)) {
    throw expected(op, "option 'linearBias'", `to have shape ${shapeText(outputs)}`, shapeText(linearBias.shape));
  }
  if (outputs.length > 1 && shape.length === 1) {
    const what = `to have 2 dimensions, because 'linearWeight' has more (${shapeText(weightShape)})`;
    throw expected(op, "'input'", what, `shape ${shapeText(shape)}`);
  }
  return [...shape.slice(0, -1), ...outputs];
}

function plainLoss({ scoresShape, target, ...call }: Call): Tensor {
  const { input, linearBias, weight, ignoreIndex, labelSmoothing } = call;
  const code = reductionCode(op, call.reduction);
  const flat = call.linearWeight.ndim > 2;
  const linearWeight = flat ? aten.flatten.using_ints(call.linearWeight, 0, -2) : call.linearWeight;
  const bias = flat && linearBias !== undefined ? aten.reshape(linearBias, [-1]) : linearBias;
  const scores = withRefusals(
    () => aten.reshape(aten.linear(input, linearWeight, bias), scoresShape),
    () => explainDtypes(call),
  );
  return withRefusals(
    () => aten.cross_entropy_loss(scores, target, weight, code, ignoreIndex, labelSmoothing),
    (refusal) => explainClassification({ input: scores, target, weight, ignoreIndex }, true, refusal),
  );
}

/** Calls operators, and explains refusals of libtorch by what only this loss knows. */
function withRefusals<T>(compute: () => T, explain: (refusal: NativeError) => Explanation | undefined): T {
  return withArgumentErrors(op, () => ({ arguments: {} }), compute, explain);
}

/** That the layer is not of the input's dtype. */
function explainDtypes({ input, linearWeight, linearBias }: Layer): Explanation | undefined {
  const what = `to be ${input.dtype} as 'input' is`;
  if (linearWeight.dtype !== input.dtype) return { label: "'linearWeight'", what, actual: linearWeight.dtype };
  if (linearBias === undefined || linearBias.dtype === input.dtype) return undefined;
  return { label: "option 'linearBias'", what, actual: linearBias.dtype };
}

/** PyTorch's own words, character for character, if it would not compute this in chunks. */
function reasonsForNoChunks(call: Omit<Call, 'chunking'>): string | undefined {
  const { linearWeight, linearBias, reduction, labelSmoothing, target } = call;
  const outFeatures = linearWeight.shape.slice(1, -1);
  const possible = outFeatures.length === 0 && labelSmoothing === 0 && target.dtype === 'int64';
  if (possible && reductions.includes(reduction)) return undefined;
  const smoothing = Number.isInteger(labelSmoothing) ? `${labelSmoothing}.0` : pythonFloat(labelSmoothing);
  return (
    'linear_cross_entropy: ``options`` ignored; chunked path needs reduction in ' +
    "{'mean','sum','none'}, label_smoothing == 0, target.dtype == int64, out_features == (). Got " +
    `reduction='${reduction}', label_smoothing=${smoothing}, target.dtype=torch.${target.dtype}, ` +
    `out_features=${tuple(outFeatures)}, tracing=False, ` +
    `linear_bias.shape=${linearBias === undefined ? 'None' : tuple(linearBias.shape)}.`
  );
}

/** A fraction as Python writes it: an exponent from 1e-5 down, of two digits at least. */
function pythonFloat(value: number): string {
  const text = value < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e-(\d)$/, 'e-0$1');
}

/** Sizes as Python writes a tuple. */
function tuple(sizes: readonly number[]): string {
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}

function chunkedLoss(call: Call, chunking: CheckedChunking): Tensor {
  const chunked = chunkedCall(call, chunking);
  const loss = withChunkRefusals(call, chunked, () =>
    call.reduction === 'none' ? chunkedEach(op, chunked) : chunkedTotal(op, chunked, chunking.allowRetainGraph),
  );
  return call.input.ndim === 2 ? loss : aten.squeeze.dim(loss, 0);
}

/** Value and gradient of one number: the chunks compute both, and need no graph. */
function chunkedDerivative(call: Call, chunking: CheckedChunking): ValueAndGrad | undefined {
  const chunked = chunkedCall(call, chunking);
  const [each, batched] = [call.reduction === 'none', call.input.ndim === 2];
  if (each && chunked.input.shape[0] !== 1) return undefined;
  const upstream = each ? aten.unsqueeze(unit(call.input), 0) : undefined;
  const { loss, input } = withChunkRefusals(call, chunked, () => ({
    ...chunkedGradients(chunked, { input: true, linearWeight: false, linearBias: false }, upstream),
    ...(each && { loss: chunkedLosses(chunked) }),
  }));
  const own = (tensor: Tensor): Tensor => (batched ? tensor : aten.squeeze.dim(tensor, 0));
  return { value: own(loss), grad: own(input as Tensor) };
}

/** The call in chunks; a single row is a batch of one. */
function chunkedCall(call: Call, chunking: CheckedChunking): ChunkedCall {
  const { linearWeight, linearBias, weight, reduction, ignoreIndex } = call;
  if (!isFloating(call.input.dtype)) throw expected(op, "'input'", 'to be floating point', call.input.dtype);
  const batched = call.input.ndim === 2;
  const input = batched ? call.input : aten.unsqueeze(call.input, 0);
  const labels = batched ? call.target : aten.unsqueeze(call.target, 0);
  const [[rows, features], [classes]] = [input.shape as [number, number], linearWeight.shape as [number, number]];
  const { dtype, device } = input;
  const plan = planChunks(op, chunking, { rows, features, classes, dtype, device });
  return { input, linearWeight, target: labels, linearBias, weight, reduction, ignoreIndex, plan };
}

function withChunkRefusals<T>(call: Call, chunked: ChunkedCall, compute: () => T): T {
  return withRefusals(compute, () => explainDtypes(call) ?? explainChunked(chunked));
}

/** The first argument that does not fit, for chunks, where the scores of all rows never exist at once. */
function explainChunked({ input, linearWeight, target, weight, ignoreIndex }: ChunkedCall): Explanation | undefined {
  const [rows, classes] = [input.shape[0] as number, linearWeight.shape[0] as number];
  if (!sameShape(target.shape, [rows])) {
    return { label: "'target'", what: `to have shape [${rows}]`, actual: shapeText(target.shape) };
  }
  if (weight !== undefined && !sameShape(weight.shape, [classes])) {
    const what = `to have shape [${classes}], one weight a class`;
    return { label: "option 'weight'", what, actual: shapeText(weight.shape) };
  }
  return explainIndex(target, { classes, ignoreIndex });
}
