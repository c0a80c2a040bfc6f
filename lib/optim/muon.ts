/** Muon. */
import { expected, show } from '../errors';
import { integer, oneOf } from '../options';
import { wrap } from '../torch/bind';
import { addmm } from '../torch/operators.generated';
import { aten } from '../torch/ops';
import { keep, scope } from '../torch/scope';
import { shapeText } from '../torch/shape';
import type { Tensor } from '../torch/tensor';
import { numberIn, oneMinus, times } from './arithmetic';
import { type Batch, refuseComplex, zeros } from './batch';
import { optimizerClass } from './declare';
import { flag, number, type Option, type OptionValues, positive, rate } from './options';

const rateFunctions = ['original', 'match_rms_adamw'] as const;

const coefficients: Option<readonly [number, number, number]> = {
  default: Object.freeze([3.4445, -4.775, 2.0315] as const),
  isFloat: true,
  check: (op, label, value) => {
    const isOne = Array.isArray(value) && value.length === 3 && value.every((item) => typeof item === 'number');
    if (isOne) return [...(value as [number, number, number])] as const;
    throw expected(op, label, 'to be an array of three numbers', show(value));
  },
};

const options = {
  /** The learning rate; a tensor of one element may stand for it. */
  lr: rate(1e-3),
  /** The share of the parameter that goes with each step, times the learning rate. */
  weightDecay: positive(0.1),
  /** How much of the velocity stays at each step. */
  momentum: positive(0.95),
  /** Look ahead along the velocity. */
  nesterov: flag(true),
  /** The coefficients of the iteration that makes matrices orthogonal. */
  nsCoefficients: coefficients,
  /** The least norm that a matrix is divided by. */
  eps: number(1e-7),
  /** How many such iterations there are. */
  nsSteps: {
    default: 5,
    check: (op, label, value) => {
      const count = integer(op, label, value);
      if (count < 100) return count;
      throw expected(op, label, 'to be an integer < 100', show(value));
    },
  } satisfies Option<number> as Option<number>,
  /** How the learning rate goes with the shape of a matrix: `'original'` by default. */
  adjustLrFn: {
    default: null,
    check: (op, label, value) => (value === null ? null : oneOf(op, label, value, rateFunctions)),
  } satisfies Option<(typeof rateFunctions)[number] | null> as Option<(typeof rateFunctions)[number] | null>,
} as const;

type Group = OptionValues<typeof options>;

/** The nearest matrix with singular values near 1, by iterations of Newton and Schulz in bfloat16. */
function orthogonal(update: Tensor, { nsCoefficients: [a, b, c], nsSteps, eps }: Group): Tensor {
  const isTall = update.size(0) > update.size(1);
  let matrix = update.to('bfloat16');
  if (isTall) matrix = matrix.T;
  matrix.div_(aten.linalg_vector_norm(matrix, 2).clamp(eps));
  for (let i = 0; i < nsSteps; i++) {
    const gram = matrix.matmul(matrix.T);
    matrix = addmm(matrix, addmm(gram, gram, gram, { beta: b, alpha: c }), matrix, { beta: a });
  }
  return isTall ? matrix.T : matrix;
}

function factor(shape: readonly number[], name: Group['adjustLrFn']): number {
  const [rows, columns] = shape as readonly [number, number];
  return name === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns));
}

function update({ grads, tensors, states }: Batch, group: Group): void {
  for (const [i, parameter] of tensors.entries()) {
    scope(() => updateOne(parameter, wrap(grads[i]), states[i]?.momentumBuffer as Tensor, group));
  }
}

function updateOne(parameter: Tensor, grad: Tensor, velocity: Tensor, group: Group): void {
  const { lr, weightDecay, momentum, nesterov, adjustLrFn } = group;
  velocity.lerp_(grad, 1 - momentum);
  const direction = orthogonal(nesterov ? grad.lerp(velocity, momentum) : velocity, group);
  parameter.mul_(oneMinus(times(lr, weightDecay)) as Tensor);
  parameter.add_(direction, { alpha: -numberIn(times(lr, factor(parameter.shape, adjustLrFn))) });
}

/**
 * Muon, for the matrices of hidden layers: the momentum is made orthogonal before each step. Other parameters want another
 * optimizer.
 *
 * **Formula**: `v = lerp(v, g, 1 - momentum)`; `u = orthogonal(nesterov ? lerp(g, v, momentum) : v)`;
 * `p = p * (1 - lr * weightDecay) - lr * r * u`, with `r = sqrt(max(1, rows / columns))`, or by `'match_rms_adamw'`
 * `r = 0.2 * sqrt(max(rows, columns))`.
 *
 * **Options**, all also by position: `lr` (0.001), `weightDecay` (0.1), `momentum` (0.95), `nesterov` (`true`),
 * `nsCoefficients` ([3.4445, -4.775, 2.0315]), `eps` (1e-7), `nsSteps` (5), `adjustLrFn` (`'original'`).
 *
 * @example const optimizer = new optim.Muon([layer.weight], 0.02);
 *
 * **Source**: `torch.optim.Muon`.
 */
export class Muon extends optimizerClass({
  options,
  positional: ['lr', 'weightDecay', 'momentum', 'nesterov', 'nsCoefficients', 'eps', 'nsSteps', 'adjustLrFn'],
  isOneByOne: true,
  checkParameter: (op, label, parameter) => {
    refuseComplex(op, label, parameter);
    if (parameter.ndim !== 2) throw expected(op, label, 'to be a matrix', `one of shape ${shapeText(parameter.shape)}`);
  },
  init: (parameter: Tensor) => ({ momentumBuffer: keep(zeros(parameter)) }),
  update,
}) {}
