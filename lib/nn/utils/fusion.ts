/** Batch norms taken into the layers before them, and convolutions in another order of memory. */
import { expected, show } from '../../errors';
import { boolean } from '../../options';
import { definer } from '../../torch/functions';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import type { MemoryFormat } from '../../types';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../modules/batch-norm';
import { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../modules/convolution';
import { deepcopy } from '../modules/copy';
import { Linear } from '../modules/linear';
import type { AnyModule, Module } from '../modules/module';
import { className } from '../modules/registry';
import { Parameter } from '../parameter';
import { type UtilsCalls, type UtilsImplementations, utilsSchemas } from '../python.generated';

const define = definer<UtilsCalls, UtilsImplementations>(utilsSchemas);

type Convolution = Conv1d | Conv2d | Conv3d | ConvTranspose1d | ConvTranspose2d | ConvTranspose3d;
type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d;

const convolutions = [Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];
const batchNorms = [BatchNorm1d, BatchNorm2d, BatchNorm3d];

const fusedConvolution: UtilsImplementations['fuseConvBnWeights'] = (
  weight,
  givenBias,
  mean,
  variance,
  eps,
  scale,
  shift,
  transpose,
) => {
  const bias = givenBias ?? aten.zeros_like(mean);
  const factor = variance.add(eps).rsqrt();
  const others = weight.shape.slice(2).map(() => 1);
  const byChannel = transpose ? [1, -1, ...others] : [-1, 1, ...others];
  const gain = scale ?? aten.ones_like(mean);
  const fusedWeight = weight.mul(gain.mul(factor).reshape(byChannel)).to(weight.dtype);
  const fusedBias = bias
    .sub(mean)
    .mul(factor)
    .mul(gain)
    .add(shift ?? aten.zeros_like(mean))
    .to(givenBias?.dtype ?? weight.dtype);
  return [new Parameter(fusedWeight, weight.requiresGrad), new Parameter(fusedBias, bias.requiresGrad)];
};

/**
 * Weight and bias of the convolution that does what one and a batch norm behind it do in evaluation. **Source**:
 * `torch.nn.utils.fuse_conv_bn_weights`.
 */
export const fuseConvBnWeights = define('fuseConvBnWeights', fusedConvolution);

const fusedLinear: UtilsImplementations['fuseLinearBnWeights'] = (
  weight,
  givenBias,
  mean,
  variance,
  eps,
  scale,
  shift,
) => {
  const bias = givenBias ?? aten.zeros_like(mean);
  const factor = scale.mul(variance.add(eps).rsqrt());
  const fusedWeight = weight.mul(factor.unsqueeze(-1).to(weight.dtype));
  const fusedBias = bias
    .sub(mean)
    .mul(factor)
    .add(shift)
    .to(givenBias?.dtype ?? weight.dtype);
  return [new Parameter(fusedWeight, weight.requiresGrad), new Parameter(fusedBias, bias.requiresGrad)];
};

/** {@link fuseConvBnWeights} of a linear layer. **Source**: `torch.nn.utils.fuse_linear_bn_weights`. */
export const fuseLinearBnWeights = define('fuseLinearBnWeights', fusedLinear);

type Statistics = BatchNorm & { runningMean: Tensor; runningVar: Tensor };

/** Refuses what is in training, and batch norms without statistics. */
function checkPair(op: string, layer: AnyModule, isLayer: boolean, norm: BatchNorm): Statistics {
  if (!isLayer) throw expected(op, 'the layer', 'to be of a class that can be fused', show(layer));
  if (!batchNorms.some((made) => norm instanceof made)) throw expected(op, "'bn'", 'to be a batch norm', show(norm));
  for (const module of [layer, norm]) {
    if (module.training) throw expected(op, className(module), 'to be in evaluation, by eval()', 'one in training');
  }
  if (norm.runningMean !== undefined && norm.runningVar !== undefined) return norm as Statistics;
  throw expected(op, "'bn'", 'to have running statistics', 'none');
}

/**
 * A convolution that does what one and a batch norm behind it do in evaluation; `transpose` for transposed convolutions. The
 * two stay as they are. **Source**: `torch.nn.utils.fuse_conv_bn_eval`.
 */
export function fuseConvBnEval<M extends Convolution>(conv: M, bn: BatchNorm, transpose = false): M {
  const op = 'fuseConvBnEval';
  const isConvolution = convolutions.some((made) => conv instanceof made);
  const { runningMean, runningVar, eps, weight, bias } = checkPair(op, conv, isConvolution, bn);
  const isTransposed = boolean(op, "'transpose'", transpose);
  const fused = deepcopy(conv as AnyModule) as unknown as Convolution;
  [fused.weight, fused.bias] = fusedConvolution(
    ...([conv.weight, conv.bias, runningMean, runningVar, eps, weight, bias, isTransposed] as const),
  );
  return fused as M;
}

/** {@link fuseConvBnEval} of a linear layer. **Source**: `torch.nn.utils.fuse_linear_bn_eval`. */
export function fuseLinearBnEval(linear: Linear, bn: BatchNorm): Linear {
  const op = 'fuseLinearBnEval';
  const { runningMean, runningVar, eps, weight, bias, numFeatures } = checkPair(
    op,
    linear,
    linear instanceof Linear,
    bn,
  );
  if (numFeatures !== 1 && numFeatures !== linear.outFeatures) {
    throw expected(op, "'bn'", `to have 1 or ${linear.outFeatures} features`, String(numFeatures));
  }
  if (weight === undefined || bias === undefined) throw expected(op, "'bn'", 'to have weight and bias', 'none');
  const fused = deepcopy(linear);
  [fused.weight, fused.bias] = fusedLinear(
    ...([linear.weight, linear.bias, runningMean, runningVar, eps, weight, bias] as const),
  );
  return fused;
}

function convert<M extends AnyModule>(
  module: M,
  classes: readonly (abstract new (...args: never[]) => Module)[],
  memoryFormat: MemoryFormat,
): M {
  for (const at of module.modules()) {
    if (!classes.some((made) => at instanceof made)) continue;
    const { weight } = at as Conv2d;
    const copy = aten.clone(weight.detach(), { memory_format: memoryFormat });
    aten.set_data(weight, aten.resize_(copy, weight.shape, { memory_format: memoryFormat }));
  }
  return module;
}

/**
 * Has the weights of all two-dimensional convolutions lie in memory in another order: `'channels_last'`. **Source**:
 * `torch.nn.utils.convert_conv2d_weight_memory_format`.
 */
export function convertConv2dWeightMemoryFormat<M extends AnyModule>(module: M, memoryFormat: MemoryFormat): M {
  return convert(module, [Conv2d, ConvTranspose2d], memoryFormat);
}

/** {@link convertConv2dWeightMemoryFormat} of three dimensions. **Source**: `torch.nn.utils.convert_conv3d_weight_memory_format`. */
export function convertConv3dWeightMemoryFormat<M extends AnyModule>(module: M, memoryFormat: MemoryFormat): M {
  return convert(module, [Conv3d, ConvTranspose3d], memoryFormat);
}
