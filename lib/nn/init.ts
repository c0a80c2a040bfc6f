/**
 * Values to begin training with, as `torch.nn.init`: each function fills a tensor in place, outside of the graph, and gives
 * it back. The same seed gives the numbers that it gives in Python.
 */

import { emitWarning } from '../binding/load';
import { expected } from '../errors';
import { oneOf } from '../options';
import { noGrad } from '../torch/autograd';
import { tensor as makeTensor } from '../torch/create';
import { definer } from '../torch/functions';
import type { Generator } from '../torch/generator';
import { randperm } from '../torch/operators.generated';
import { aten } from '../torch/ops';
import { shapeText } from '../torch/shape';
import type { Tensor } from '../torch/tensor';
import { type InitCalls, type InitImplementations, initSchemas } from './python.generated';

const define = definer<InitCalls, InitImplementations>(initSchemas);

const linear = ['linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d'];
const gains: Readonly<Record<string, number>> = {
  ...Object.fromEntries(linear.map((name) => [name, 1])),
  ...{ sigmoid: 1, tanh: 5 / 3, relu: Math.sqrt(2), selu: 3 / 4 },
};
const nonlinearities = [...Object.keys(gains), 'leaky_relu'];

function gainOf(op: string, nonlinearity: string, slope = 0.01): number {
  const name = oneOf(op, "'nonlinearity'", nonlinearity, nonlinearities);
  return gains[name] ?? Math.sqrt(2 / (1 + slope ** 2));
}

/**
 * The factor by which a nonlinearity changes the standard deviation; `param` is the negative slope of `'leaky_relu'`.
 *
 * @example nn.init.calculateGain('leaky_relu', 1) // 1
 *
 * **Source**: `torch.nn.init.calculate_gain`.
 */
export const calculateGain = define('calculateGain', (nonlinearity, param) =>
  gainOf('calculateGain', nonlinearity, param),
);

function uniformly(tensor: Tensor, low: number, high: number, generator: Generator | undefined): Tensor {
  return noGrad(() => tensor.uniform_(low, high, { generator }));
}

function normally(tensor: Tensor, mean: number, std: number, generator: Generator | undefined): Tensor {
  return noGrad(() => tensor.normal_(mean, std, { generator }));
}

/** Uniform in `[a, b)`. **Source**: `torch.nn.init.uniform_`. */
export const uniform_ = define('uniform_', uniformly);

/** Normal with `mean` and `std`. **Source**: `torch.nn.init.normal_`. */
export const normal_ = define('normal_', normally);

/** Everywhere `val`. **Source**: `torch.nn.init.constant_`. */
export const constant_ = define('constant_', (tensor, value) => noGrad(() => tensor.fill_(value)));

/** Ones. **Source**: `torch.nn.init.ones_`. */
export const ones_ = define('ones_', (tensor) => noGrad(() => tensor.fill_(1)));

/** Zeros. **Source**: `torch.nn.init.zeros_`. */
export const zeros_ = define('zeros_', (tensor) => noGrad(() => tensor.zero_()));

function checkDims(op: string, tensor: Tensor, fits: (dims: number) => boolean, what: string): void {
  if (!fits(tensor.ndim)) throw expected(op, "'tensor'", `to have ${what}`, `shape ${shapeText(tensor.shape)}`);
}

/** The identity matrix. **Shapes**: `[n, m]`. **Source**: `torch.nn.init.eye_`. */
export const eye_ = define('eye_', (tensor) => {
  checkDims('eye_', tensor, (dims) => dims === 2, '2 dimensions');
  const [rows, columns] = tensor.shape as [number, number];
  return noGrad(() => aten.eye.m_out(rows, columns, { out: tensor }));
});

/**
 * The filters of a convolution that keeps its channels, within each of `groups`. **Shapes**: `[outChannels, inChannels,
 * k…]` with 1 to 3 spatial dimensions. **Source**: `torch.nn.init.dirac_`.
 */
export const dirac_ = define('dirac_', (tensor, groups) => {
  checkDims('dirac_', tensor, (dims) => dims >= 3 && dims <= 5, '3, 4 or 5 dimensions');
  const [out, channels, ...kernel] = tensor.shape as [number, number, ...number[]];
  if (out % groups !== 0) throw expected('dirac_', "'groups'", `to divide ${out}, the output channels`, String(groups));
  const perGroup = out / groups;
  noGrad(() => {
    tensor.zero_();
    for (let group = 0; group < groups; group++) {
      for (let d = 0; d < Math.min(perGroup, channels); d++) {
        const place = [group * perGroup + d, d, ...kernel.map((size) => Math.floor(size / 2))];
        place.reduce((at, index) => at.select(0, index), tensor).fill_(1);
      }
    }
  });
  return tensor;
});

/** How many numbers go into an output, and how many outputs a number goes into. */
function fans(op: string, tensor: Tensor): { fanIn: number; fanOut: number } {
  checkDims(op, tensor, (dims) => dims >= 2, 'at least 2 dimensions');
  const [out, channels, ...kernel] = tensor.shape as [number, number, ...number[]];
  const field = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: channels * field, fanOut: out * field };
}

function xavierStd(op: string, tensor: Tensor, gain: number): number {
  const { fanIn, fanOut } = fans(op, tensor);
  if (fanIn + fanOut > 0) return gain * Math.sqrt(2 / (fanIn + fanOut));
  throw expected(op, "'tensor'", 'to have elements', `shape ${shapeText(tensor.shape)}`);
}

/**
 * Uniform within `gain * sqrt(6 / (fanIn + fanOut))`, which keeps the variance both ways. **Source**:
 * `torch.nn.init.xavier_uniform_`; Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
 * networks, 2010.
 */
export const xavierUniform_ = define('xavierUniform_', (tensor, gain, generator) => {
  const bound = Math.sqrt(3) * xavierStd('xavierUniform_', tensor, gain);
  return uniformly(tensor, -bound, bound, generator);
});

/** Normal with the standard deviation of {@link xavierUniform_}. **Source**: `torch.nn.init.xavier_normal_`. */
export const xavierNormal_ = define('xavierNormal_', (tensor, gain, generator) =>
  normally(tensor, 0, xavierStd('xavierNormal_', tensor, gain), generator),
);

/** The standard deviation; `undefined` of a tensor without elements, with a warning. */
function kaimingStd(op: string, tensor: Tensor, slope: number, mode: string, nonlinearity: string): number | undefined {
  if (tensor.shape.includes(0)) {
    emitWarning(`${op}: a tensor without elements stays as it is`);
    return undefined;
  }
  const isIn = oneOf(op, "'mode'", mode.toLowerCase(), ['fan_in', 'fan_out']) === 'fan_in';
  const { fanIn, fanOut } = fans(op, tensor);
  return gainOf(op, nonlinearity, slope) / Math.sqrt(isIn ? fanIn : fanOut);
}

/**
 * Uniform within `gain * sqrt(3 / fan)`, which keeps the variance through layers with a nonlinearity: `'fan_in'` forward,
 * `'fan_out'` backward. `a` is the negative slope of `'leaky_relu'`. **Source**: `torch.nn.init.kaiming_uniform_`; He et al.,
 * Delving deep into rectifiers, 2015.
 */
export const kaimingUniform_ = define('kaimingUniform_', (tensor, a, mode, nonlinearity, generator) => {
  const std = kaimingStd('kaimingUniform_', tensor, a, mode, nonlinearity);
  if (std === undefined) return tensor;
  const bound = Math.sqrt(3) * std;
  return uniformly(tensor, -bound, bound, generator);
});

/** Normal with the standard deviation of {@link kaimingUniform_}. **Source**: `torch.nn.init.kaiming_normal_`. */
export const kaimingNormal_ = define('kaimingNormal_', (tensor, a, mode, nonlinearity, generator) => {
  const std = kaimingStd('kaimingNormal_', tensor, a, mode, nonlinearity);
  return std === undefined ? tensor : normally(tensor, 0, std, generator);
});

/** Draws until every number is within the bounds: fast where most are. */
function resampled(tensor: Tensor, mean: number, std: number, a: number, b: number, generator?: Generator): void {
  const [low, high] = [a, b].map((bound) => makeTensor(bound, { dtype: tensor.dtype }).item<number>()) as [
    number,
    number,
  ];
  let result = tensor.normal_(mean, std, { generator });
  for (;;) {
    const outside = result.lt(low).bitwiseOr(result.gt(high));
    if (!outside.any().item<boolean>()) break;
    const drawn = aten.empty_like(result).normal_(mean, std, { generator });
    result = aten.where.self(outside, drawn, result);
  }
  if (result !== tensor) tensor.copy_(result);
}

/** Draws uniformly within the bounds and keeps each number with the probability of its density. */
function rejected(tensor: Tensor, mean: number, std: number, a: number, b: number, generator?: Generator): void {
  const mode = Math.max(a, Math.min(mean, b));
  const logPeak = -0.5 * ((mode - mean) / std) ** 2;
  const candidates = aten.empty_like(tensor);
  const accepted = aten.empty_like(tensor);
  const tooRare = (): Tensor => {
    candidates.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(logPeak);
    return accepted.uniform_({ generator }).log_().gt(candidates);
  };
  tensor.uniform_(a, b, { generator });
  candidates.copy_(tensor);
  let pending = tooRare();
  if (!pending.any().item<boolean>()) return;
  let result = tensor;
  do {
    candidates.uniform_(a, b, { generator });
    result = aten.where.self(pending, candidates, result);
    pending = aten.where.self(pending, tooRare(), pending);
  } while (pending.any().item<boolean>());
  tensor.copy_(result);
}

/** The probability of a standard normal number below `x`. */
function normalCdf(x: number): number {
  return (1 + aten.erf(makeTensor(x / Math.sqrt(2), { dtype: 'float64' })).item<number>()) / 2;
}

/**
 * Normal with `mean` and `std`, within `[a, b]`. **Source**: `torch.nn.init.trunc_normal_`.
 */
export const truncNormal_ = define('truncNormal_', (tensor, mean, std, a, b, generator) => {
  if (tensor.device === 'meta') return tensor;
  if (std === 0) throw expected('truncNormal_', "'std'", 'to be other than 0', '0');
  if (mean < a - 2 * std || mean > b + 2 * std) {
    emitWarning(
      "truncNormal_: 'mean' is more than 2 standard deviations from [a, b]; the numbers may be distributed otherwise",
    );
  }
  const isFrequent = normalCdf((b - mean) / std) - normalCdf((a - mean) / std) > 0.3;
  noGrad(() => (isFrequent ? resampled : rejected)(tensor, mean, std, a, b, generator));
  return tensor;
});

/**
 * A matrix with orthogonal rows or columns, times `gain`. **Shapes**: at least 2 dimensions, all but the first taken
 * together. **Source**: `torch.nn.init.orthogonal_`; Saxe et al., Exact solutions to the nonlinear dynamics of learning in
 * deep linear neural networks, 2014.
 */
export const orthogonal_ = define('orthogonal_', (tensor, gain, generator) => {
  checkDims('orthogonal_', tensor, (dims) => dims >= 2, '2 or more dimensions');
  if (tensor.numel() === 0 || tensor.device === 'meta') return tensor;
  const rows = tensor.size(0);
  const columns = tensor.numel() / rows;
  const drawn = tensor.newEmpty([rows, columns]).normal_(0, 1, { generator });
  if (rows < columns) drawn.t_();
  const [q, r] = aten.linalg_qr(drawn);
  q.mul_(r.diag(0).sign());
  if (rows < columns) q.t_();
  noGrad(() => {
    tensor.viewAs(q).copy_(q);
    tensor.mul_(gain);
  });
  return tensor;
});

/**
 * Normal with `std`, and the fraction `sparsity` of each column zero, at random places. **Shapes**: `[n, m]`. **Source**:
 * `torch.nn.init.sparse_`, whose places are drawn from the default generator.
 */
export const sparse_ = define('sparse_', (tensor, sparsity, std, generator) => {
  checkDims('sparse_', tensor, (dims) => dims === 2, '2 dimensions');
  if (tensor.device === 'meta') return tensor;
  const [rows, columns] = tensor.shape as [number, number];
  const zeros = Math.ceil(sparsity * rows);
  noGrad(() => {
    tensor.normal_(0, std, { generator });
    for (let column = 0; column < columns; column++) {
      const places = aten.slice.Tensor(randperm(rows), 0, 0, zeros);
      tensor.select(1, column).indexFill_(0, places.to({ device: tensor.device }), 0);
    }
  });
  return tensor;
});
