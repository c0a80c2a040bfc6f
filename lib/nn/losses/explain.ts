/** Why libtorch refused: looks at the arguments of a call that has failed, for the first thing that is wrong. */
import type { NativeError } from '../../errors';
import { broadcastable, broadcastShapes, sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { isFloating } from '../../types';

/** What was wrong with an argument, in the words of the one formula. */
export interface Explanation {
  /** The argument as messages show it: `'target'`, `option 'weight'`. */
  label: string;
  what: string;
  actual: string;
}

interface Classification {
  input: Tensor;
  target: Tensor;
  weight: Tensor | undefined;
  ignoreIndex: number | bigint;
}

/** The first argument that does not fit the others in a loss over class scores. `probabilities`: whether a target of the input's shape is meant. */
export function explainClassification(
  { input, target, weight, ignoreIndex }: Classification,
  probabilities: boolean,
  refusal: NativeError,
): Explanation | undefined {
  const shape = input.shape;
  if (shape.length === 0) {
    return { label: "'input'", what: 'to have at least 1 dimension', actual: 'shape []' };
  }
  if (refusal.code === 'INDEX') return explainIndex(target, { classes: (shape[1] ?? shape[0]) as number, ignoreIndex });
  const integers = explainIntegers('input', input);
  if (integers !== undefined) return integers;
  const classes = shape.length === 1 ? (shape[0] as number) : (shape[1] as number);
  if (weight !== undefined && !sameShape(weight.shape, [classes])) {
    const what = `to have shape [${classes}], one weight a class`;
    return { label: "option 'weight'", what, actual: shapeText(weight.shape) };
  }
  if (weight !== undefined && weight.dtype !== input.dtype) {
    return { label: "option 'weight'", what: `to be ${input.dtype} as 'input' is`, actual: weight.dtype };
  }
  return explainClassTarget(shape, target, ignoreIndex, probabilities);
}

function explainClassTarget(
  shape: readonly number[],
  target: Tensor,
  ignoreIndex: number | bigint,
  probabilities: boolean,
): Explanation | undefined {
  const indices = shape.length === 1 ? [] : [shape[0] as number, ...shape.slice(2)];
  if (probabilities && sameShape(target.shape, shape)) {
    if (!isFloating(target.dtype)) {
      return { label: "'target'", what: 'to be floating point, as class probabilities are', actual: target.dtype };
    }
    if (ignoreIndex < 0) return undefined;
    const what = 'to be below 0, as class probabilities have nothing to ignore';
    return { label: "option 'ignoreIndex'", what, actual: String(ignoreIndex) };
  }
  if (!sameShape(target.shape, indices)) {
    const other = probabilities ? ` or ${shapeText(shape)}` : '';
    return { label: "'target'", what: `to have shape ${shapeText(indices)}${other}`, actual: shapeText(target.shape) };
  }
  if (target.dtype !== 'int64') {
    const actual = `${target.dtype}; target.to('int64') converts`;
    return { label: "'target'", what: 'to hold class indices as int64', actual };
  }
  return undefined;
}

/** The class indices that are allowed: in [lowest, classes), and one that is ignored. */
export interface IndexRange {
  readonly classes: number;
  /** Default 0. */
  readonly lowest?: number;
  readonly ignoreIndex?: number | bigint;
}

/** The first class index out of range, and where it is. */
export function explainIndex(target: Tensor, range: IndexRange): Explanation | undefined {
  const { classes, lowest = 0, ignoreIndex } = range;
  const labels = target.toTypedArray();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number | bigint;
    const isIgnored = ignoreIndex !== undefined && BigInt(label) === BigInt(ignoreIndex);
    if (isIgnored || (label >= lowest && label < classes)) continue;
    const ignored = ignoreIndex === undefined ? '' : ` or ${ignoreIndex} (ignoreIndex)`;
    const what = `to hold class indices in [${lowest}, ${classes})${ignored}`;
    return { label: "'target'", what, actual: `${label} at index ${i}` };
  }
  return undefined;
}

/** The first argument that holds integers, that differs in dtype, or that has a probability outside of [0, 1]. */
export function explainProbabilities(input: Tensor, target: Tensor): Explanation | undefined {
  const integers = explainIntegers('input', input);
  if (integers !== undefined) return integers;
  if (target.dtype !== input.dtype) {
    return { label: "'target'", what: `to be ${input.dtype} as 'input' is`, actual: target.dtype };
  }
  return firstOutside('input', input) ?? firstOutside('target', target);
}

/** The first value that is not a probability, and where it is. */
export function firstOutside(argument: string, tensor: Tensor): Explanation | undefined {
  const values = tensor.detach().to('float64').toTypedArray();
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    if (value >= 0 && value <= 1) continue;
    return { label: `'${argument}'`, what: 'to be probabilities in [0, 1]', actual: `${value} at index ${i}` };
  }
  return undefined;
}

/** That an argument holds integers, where the loss is of real numbers. */
export function explainIntegers(argument: string, tensor: Tensor): Explanation | undefined {
  if (isFloating(tensor.dtype)) return undefined;
  return { label: `'${argument}'`, what: 'to be floating point', actual: tensor.dtype };
}

/** That two arguments do not broadcast to each other. */
export function explainBroadcast(
  argument: string,
  tensor: Tensor,
  name: string,
  other: Tensor,
): Explanation | undefined {
  if (broadcastable(tensor.shape, other.shape)) return undefined;
  const what = `to broadcast with '${name}' of shape ${shapeText(other.shape)}`;
  return { label: `'${argument}'`, what, actual: shapeText(tensor.shape) };
}

/** That an option does not broadcast to the shape of an argument. */
export function explainExpand(
  option: string,
  tensor: Tensor | undefined,
  name: string,
  other: Tensor,
): Explanation | undefined {
  return tensor && explainExpandOf(`option '${option}'`, tensor, name, other);
}

/** That what `label` names does not broadcast to the shape of an argument. */
export function explainExpandOf(label: string, tensor: Tensor, name: string, other: Tensor): Explanation | undefined {
  const [shape, wanted] = [tensor.shape, other.shape];
  if (broadcastable(shape, wanted) && sameShape(broadcastShapes(shape, wanted), wanted)) return undefined;
  const what = `to broadcast to shape ${shapeText(wanted)} of '${name}'`;
  return { label, what, actual: shapeText(shape) };
}

/** That a kernel has no 16-bit form where the argument is. */
export function explainHalf(refusal: NativeError, argument: string, tensor: Tensor): Explanation | undefined {
  if (refusal.code !== 'NOT_IMPLEMENTED' || !['float16', 'bfloat16'].includes(tensor.dtype)) return undefined;
  return { label: `'${argument}'`, what: `to be float64 or float32 on ${tensor.device}`, actual: tensor.dtype };
}

/** What the margin losses over classes are given. */
interface ClassMargins {
  input: Tensor;
  target: Tensor;
  weight?: Tensor | undefined;
}

/**
 * The first argument that does not fit the others in a margin loss over classes.
 *
 * @param targets the shape of the targets, of which a single one may lack its dimension
 * @param lowest the least class index: -1 where that ends a row of labels
 */
export function explainMargins(
  { input, target, weight }: ClassMargins,
  targets: readonly number[],
  lowest: number,
  refusal: NativeError,
): Explanation | undefined {
  const classes = input.shape.at(-1) ?? 1;
  if (input.ndim > 2 || classes === 0) {
    return { label: "'input'", what: 'to have shape [C] or [N, C], C > 0', actual: shapeText(input.shape) };
  }
  const ofInput = explainIntegers('input', input) ?? explainHalf(refusal, 'input', input);
  if (ofInput !== undefined) return ofInput;
  const isOne = sameShape(targets, [1]) && target.ndim === 0;
  if (!isOne && !sameShape(target.shape, targets)) {
    return { label: "'target'", what: `to have shape ${shapeText(targets)}`, actual: shapeText(target.shape) };
  }
  if (target.dtype !== 'int64') {
    const actual = `${target.dtype}; target.to('int64') converts`;
    return { label: "'target'", what: 'to hold class indices as int64', actual };
  }
  if (weight !== undefined && !sameShape(weight.shape, [classes])) {
    const what = `to have shape [${classes}], one weight a class`;
    return { label: "option 'weight'", what, actual: shapeText(weight.shape) };
  }
  if (weight !== undefined && weight.dtype !== input.dtype) {
    return { label: "option 'weight'", what: `to be ${input.dtype} as 'input' is`, actual: weight.dtype };
  }
  return explainIndex(target, { classes, lowest });
}
