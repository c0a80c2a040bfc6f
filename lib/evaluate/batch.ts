/** What a caller gives as a batch, made ready: tensors of equally many rows, labels checked, cut into blocks. */

import { expected, TorchError } from '../errors';
import { asClassTarget, asIndexTarget, asTensor, type TensorLike } from '../nn/losses/arguments';
import { isTensor } from '../torch/bind';
import { aten } from '../torch/ops';
import { sameShape, shapeText } from '../torch/shape';
import type { Tensor } from '../torch/tensor';
import { isFloating } from '../types';
import type { LossDescription } from './losses';

/** @internal The operation that messages name. */
export const op = 'BatchEvaluator';

/** @internal Rows of all arguments of a loss. */
export interface Batch {
  /** By the loss's own order. */
  readonly args: readonly Tensor[];
  readonly rows: number;
}

/** How a loss's class indices are to be read. */
export interface ClassOptions {
  readonly ignoreIndex: number | bigint;
}

/** @internal The arguments as tensors with a batch dimension. */
export function readBatch(description: LossDescription, values: readonly TensorLike[]): Batch {
  const { arguments: names, constant, sampleDims } = description;
  if (values.length !== names.length) {
    throw expected(op, 'update', `to be given ${names.join(', ')}`, `${values.length} arguments`);
  }
  let args = values.map((value, i) => asArgument(description, names[i] as string, value, values));
  const first = args[0] as Tensor;
  if (first.ndim <= sampleDims) args = args.map((tensor, i) => withBatch(description, names[i] as string, tensor));
  // One variance may stand for all elements; by its rows it is like any other argument.
  args = args.map((tensor, i) =>
    names[i] === 'variance' && tensor.ndim === 0 ? aten.expand(tensor, (args[0] as Tensor).shape) : tensor,
  );
  const rows = rowsOf(description, names[0] as string, args[0] as Tensor);
  args.forEach((tensor, i) => {
    const name = names[i] as string;
    if (constant.includes(name)) return;
    const own = rowsOf(description, name, tensor);
    if (own === rows) return;
    throw expected(
      op,
      `'${name}'`,
      `to have ${rows} rows, as '${names[0]}' has`,
      `${own} of shape ${shapeText(tensor.shape)}`,
    );
  });
  return { args, rows };
}

function asArgument(
  { target }: LossDescription,
  name: string,
  value: TensorLike,
  [first]: readonly TensorLike[],
): Tensor {
  if (isTensor(value)) return value;
  if (name.endsWith('Lengths')) return asIndexTarget(op, name, value);
  const isTarget = name.startsWith('target');
  const input = asTensor(op, 'input', first as TensorLike);
  if (isTarget && target === 'indices') return asIndexTarget(op, name, value, { input });
  if (isTarget && target === 'classes or probabilities') return asClassTarget(op, name, value, input);
  return value === first ? input : asTensor(op, name, value, input);
}

function withBatch({ batchDim, constant }: LossDescription, name: string, tensor: Tensor): Tensor {
  return constant.includes(name) ? tensor : aten.unsqueeze(tensor, batchDim[name] ?? 0);
}

function rowsOf({ batchDim }: LossDescription, name: string, tensor: Tensor): number {
  const rows = tensor.shape[batchDim[name] ?? 0];
  if (rows !== undefined) return rows;
  throw expected(op, `'${name}'`, 'to have a batch dimension', `a tensor of shape ${shapeText(tensor.shape)}`);
}

/** @internal Some of the rows, as views. */
export function narrowed(description: LossDescription, { args }: Batch, start: number, rows: number): Batch {
  const { arguments: names, constant, batchDim } = description;
  const cut = args.map((tensor, i) => {
    const name = names[i] as string;
    return constant.includes(name) ? tensor : aten.narrow(tensor, batchDim[name] ?? 0, start, rows);
  });
  return { args: cut, rows };
}

/** @internal The rows of the first batch, then those of the second, in memory of their own. */
export function joined(description: LossDescription, first: Batch | undefined, second: Batch): Batch {
  const { arguments: names, constant, batchDim } = description;
  const args = second.args.map((tensor, i) => {
    const name = names[i] as string;
    if (constant.includes(name)) return tensor;
    const parts = first === undefined ? [tensor] : [first.args[i] as Tensor, tensor];
    return aten.cat(parts, batchDim[name] ?? 0);
  });
  return { args, rows: (first?.rows ?? 0) + second.rows };
}

/** @internal Whether rows of elementwise losses have one shape and dtype, so that they can be joined. */
export function haveSameRows(first: Batch, second: Batch): boolean {
  return first.args.every((tensor, i) => {
    const other = second.args[i] as Tensor;
    const isSame = tensor.dtype === other.dtype && tensor.device === other.device;
    return isSame && sameShape(tensor.shape.slice(1), other.shape.slice(1));
  });
}

/** @internal Whether the loss compares scores with class indices, not with probabilities. */
export function hasLabels({ denominator }: LossDescription, { args }: Batch): boolean {
  return denominator === 'class weights' && !isFloating((args.at(-1) as Tensor).dtype);
}

/**
 * @internal The class indices of a batch's target in the order of its losses, -1 where they are ignored.
 *
 * @throws TorchError `INDEX` for one out of range; `firstIndex` is that of the first in the whole data.
 */
export function readLabels(
  target: Tensor,
  classes: number,
  ignoreIndex: number | bigint,
  firstIndex: number,
): Float64Array {
  const labels = target.to('float64').toTypedArray<Float64Array>();
  // float64 would take neighbours of so large an index for it.
  const exact = typeof ignoreIndex === 'bigint' ? target.to('int64').toTypedArray<BigInt64Array>() : labels;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (exact[i] === ignoreIndex) labels[i] = -1;
    else if (!(label >= 0 && label < classes)) {
      const what = `to hold class indices in [0, ${classes}) or ${ignoreIndex} (ignoreIndex)`;
      const received = target.to('int64').reshape([-1]).toTypedArray()[i];
      const message = `${op}: expected 'target' ${what}, but received ${received} at index ${firstIndex + i}`;
      throw new TorchError('INDEX', message, { op, argument: 'target' });
    }
  }
  return labels;
}
