/** Rprop. */
import type { Handle, NativeValue } from '../binding/native';
import { operator } from '../torch/bind';
import { fullLike } from '../torch/operators.generated';
import { keep } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { numberIn } from './arithmetic';
import { type Batch, counter, countStep, zeros } from './batch';
import { optimizerClass } from './declare';
import { capturing, common, type OptionValues, pair, rate } from './options';

const options = {
  /** The first step size. */
  lr: rate(1e-2),
  /** The factors by which step sizes shrink and grow. */
  etas: pair(0.5, 1.2, 'two numbers, in (0, 1) and > 1', (a, b) => a > 0 && a < 1 && b > 1),
  /** The least and the largest step size. */
  stepSizes: pair(1e-6, 50, 'two numbers', () => true, false),
  ...common,
  ...capturing,
} as const;

type Group = OptionValues<typeof options>;

function init(parameter: Tensor, group: Group): Record<string, Tensor> {
  const size = numberIn(group.lr);
  const filled = parameter.isComplex() ? { re: size, im: size } : size;
  return {
    step: counter(0, parameter, group),
    prev: zeros(parameter),
    stepSize: keep(fullLike(parameter.detach(), filled)),
  };
}

function update(batch: Batch, group: Group): void {
  const { params, grads, lists, of } = batch;
  const [shrinking, growing] = group.etas;
  const [least, most] = group.stepSizes;
  const make = (name: string, ...args: NativeValue[]): Handle => {
    const [base, overload = ''] = name.split('.') as [string, string?];
    return lists.own(operator(`aten::${base}`, overload)(...args) as Handle);
  };
  const fill = (tensor: Handle, mask: Handle, value: number): void => {
    operator('aten::masked_fill_', 'Scalar')(tensor, mask, value);
  };
  countStep(batch);
  const [before, sizes] = [of('prev'), of('stepSize')];
  const signs = lists.sign(lists.mul(grads, group.differentiable ? lists.clone(before) : before));
  for (const sign of signs) {
    fill(sign, make('gt.Scalar', sign, 0), growing);
    fill(sign, make('lt.Scalar', sign, 0), shrinking);
    fill(sign, make('eq.Scalar', sign, 0), 1);
  }
  lists.mul_(sizes, signs);
  for (const size of sizes) operator('aten::clamp_', '')(size, least, most);
  // Where the direction has changed, this step has none.
  const directions = lists.clone(grads);
  for (const [i, direction] of directions.entries()) fill(direction, make('eq.Scalar', signs[i], shrinking), 0);
  lists.addcmul_(params, lists.sign(directions), sizes, -1);
  lists.copy_(before, directions);
}

/**
 * Rprop: steps whose size grows while the sign of the gradient stays, and shrinks when it changes.
 *
 * **Formula**: with `c = sign(g * gBefore)`, the size is `s = clamp(s * eta)`, `eta` the second of `etas` where c is 1, the
 * first where it is -1, else 1; where c is -1, `g = 0`; `p = p - sign(g) * s`. The first size is `lr`.
 *
 * **Options**, the first three also by position: `lr` (0.01), `etas` ([0.5, 1.2]), `stepSizes` ([1e-6, 50]), the least and
 * the largest size; `capturable`, `foreach`, `maximize`, `differentiable`.
 *
 * @example const optimizer = new optim.Rprop(model.parameters());
 *
 * **Source**: `torch.optim.Rprop`.
 */
export class Rprop extends optimizerClass({
  options,
  positional: ['lr', 'etas', 'stepSizes'],
  init,
  counters: ['step'],
  viewsAsReal: ['prev', 'stepSize'],
  update,
}) {}
