/** Adafactor. */
import { expected, show } from '../errors';
import { wrap } from '../torch/bind';
import { aten } from '../torch/ops';
import { keep, scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { larger, type Numeric, negated, numberIn, oneMinus, over, power, times } from './arithmetic';
import { type Batch, counter, countStep, refuseComplex, zeros } from './batch';
import { optimizerClass } from './declare';
import { choice, flag, type Option, type OptionValues, positive, rate } from './options';

/** What a test of a number asks for. */
const numberWith = (otherwise: number, what: string, isOne: (value: number) => boolean): Option<number> => ({
  default: otherwise,
  isFloat: true,
  check: (op, label, value) => {
    if (typeof value === 'number' && isOne(value)) return value;
    throw expected(op, label, `to be ${what}`, show(value));
  },
});

const eps: Option<readonly [number | null, number]> = {
  default: Object.freeze([null, 1e-3] as const),
  isFloat: true,
  check: (op, label, value) => {
    const [a, b] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
    const isFirst = a === null || a === undefined || (typeof a === 'number' && a >= 0);
    if (isFirst && typeof b === 'number' && b >= 0) return [a ?? null, b];
    throw expected(op, label, 'to be two numbers >= 0, of which the first may be null', show(value));
  },
};

const options = {
  /** The most that a step may be, relative to the parameter. */
  lr: rate(1e-2),
  /** The power of the step number that is the weight of a new squared gradient. */
  beta2Decay: numberWith(-0.8, 'a number <= 0', (value) => value <= 0),
  /** The least root of the mean of squares (`null`: of the dtype) and the least size of a parameter. */
  eps,
  /** The largest root mean square of an update. */
  d: numberWith(1, 'a number >= 1', (value) => value >= 1),
  /** The share of the parameter that goes with each step, times the learning rate. */
  weightDecay: positive(0, true),
  /** Take PyTorch's operators on lists; by default on GPUs only. */
  foreach: choice,
  /** Go up the gradient instead of down. */
  maximize: flag(false),
} as const;

type Group = OptionValues<typeof options>;

/** The distance of 1 to the next larger number of each dtype. */
const epsilons: Readonly<Record<string, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

function init(parameter: Tensor, group: Group): Record<string, Tensor> {
  const step = counter(0, parameter, group);
  if (parameter.ndim < 2) return { step, variance: zeros(parameter) };
  const { shape } = parameter;
  const without = (dim: number): Tensor => keep(parameter.newZeros(shape.with(dim, 1)));
  return { step, rowVar: without(-1), colVar: without(-2) };
}

function update(batch: Batch, group: Group): void {
  const counts = countStep(batch);
  // PyTorch takes the dtype of the first parameter for all.
  const [first] = batch.tensors as readonly [Tensor];
  const floor = group.eps[0] ?? (epsilons[first.dtype] as number);
  for (const [i, step] of counts.entries()) scope(() => updateOne(batch, i, step, floor, group));
}

function norm(tensor: Tensor): number {
  return aten.linalg_vector_norm(tensor, 2).item<number>() / power(tensor.numel(), 0.5);
}

function updateOne(batch: Batch, i: number, step: number, floor: number, group: Group): void {
  const { lr, weightDecay, d } = group;
  const isList = batch.mode === 'foreach';
  const parameter = batch.tensors[i] as Tensor;
  const grad = wrap(batch.grads[i]);
  const most = 1 / power(step, 0.5);
  const rate: Numeric = most < numberIn(lr) ? most : lr;
  const size = times(rate, larger(group.eps[1], norm(parameter)));
  if (weightDecay !== 0) scaleBy(isList, parameter, oneMinus(times(lr, weightDecay)));
  const weight = power(step, group.beta2Decay);
  const variance = varianceOf(isList, grad, batch.states[i] as Record<string, Tensor>, weight, floor);
  const move = variance.clampMin_(floor * floor).rsqrt_();
  move.mul_(grad);
  const rms = aten.linalg_vector_norm(move, 2).item<number>() / (power(move.numel(), 0.5) * d);
  const scale = over(negated(size), larger(1, rms));
  // With lists PyTorch rounds the product before it is added.
  if (isList) parameter.add_(scaleBy(isList, move, scale));
  else parameter.add_(move, { alpha: numberIn(scale) });
}

/** In lists numbers are rounded at another place, which half types show. */
function scaleBy(isList: boolean, tensor: Tensor, by: Numeric): Tensor {
  return isList && typeof by === 'number' ? aten.mul_.Scalar(tensor, by) : tensor.mul_(by as Tensor);
}

/** The running mean of the squared gradient: of a matrix the product of the means of its rows and columns. */
function varianceOf(
  isList: boolean,
  grad: Tensor,
  { rowVar, colVar, variance }: Record<string, Tensor>,
  weight: number,
  floor: number,
): Tensor {
  if (rowVar === undefined || colVar === undefined) {
    return (variance as Tensor).lerp_(grad.mul(grad), weight).clone();
  }
  const mean = (dim: number): Tensor => {
    const square = aten.linalg_vector_norm(grad, 2, [dim], true).square_();
    return isList ? aten.div_.Scalar(square, grad.size(dim)) : square.div_(grad.size(dim));
  };
  rowVar.lerp_(mean(-1), weight);
  colVar.lerp_(mean(-2), weight);
  return rowVar.matmul(colVar).div_(rowVar.mean(-2, true).clampMin_(floor));
}

/**
 * Adafactor: steps relative to the size of each parameter; of matrices it keeps the means of rows and columns only.
 *
 * **Formula**: with `b = t^beta2Decay`, `v = lerp(v, g^2, b)`, of a matrix `mean of rows * mean of columns / mean of both`;
 * `u = g / max(sqrt(v), eps1)`, `a = max(eps2, rms(p)) * min(lr, 1 / sqrt(t))`; `p = p * (1 - lr * weightDecay)`;
 * `p = p - a * u / max(1, rms(u) / d)`.
 *
 * **Options**, the first five also by position: `lr` (0.01), `beta2Decay` (-0.8), `eps` ([null, 0.001], `null` for the
 * dtype's own), `d` (1), `weightDecay` (0); `foreach`, `maximize`.
 *
 * @example const optimizer = new optim.Adafactor(model.parameters());
 *
 * **Source**: `torch.optim.Adafactor`.
 */
export class Adafactor extends optimizerClass({
  options,
  positional: ['lr', 'beta2Decay', 'eps', 'd', 'weightDecay'],
  isOneByOne: true,
  isForeachOnGpu: false,
  checkParameter: refuseComplex,
  init,
  counters: ['step'],
  update,
}) {}
