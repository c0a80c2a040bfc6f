/** Normalization of channels with running statistics: of batches, and of each sample. */
import { emitWarning } from '../../binding/load';
import { expected } from '../../errors';
import { tensor } from '../../torch/create';
import { ones, zeros } from '../../torch/operators.generated';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { batchNorm, instanceNorm } from '../functional/normalization';
import { checkSizes, factoryOptions, type LayerClass, type LayerName, layer, type uninitialized } from './layer';
import type { Module } from './module';
import { type AffineState, makeAffine, resetAffine } from './normalization';

/** What a normalization with running statistics has besides its options. */
export interface RunningState extends AffineState {
  /** The running mean of each channel; `undefined` where it is not tracked. */
  runningMean: Tensor | undefined;
  /** The running variance of each channel; `undefined` where it is not tracked. */
  runningVar: Tensor | undefined;
  /** How many batches the running statistics have seen. */
  numBatchesTracked: Tensor | undefined;
  /** Sets the running statistics back to those of the beginning. */
  resetRunningStats(): void;
}

/** The options that these layers share. */
interface Options {
  numFeatures: number;
  eps: number;
  momentum: number | undefined;
  affine: boolean;
  trackRunningStats: boolean;
}

type Self = Module & Options & RunningState;

const text =
  '{num_features}, eps={eps}, momentum={momentum}, affine={affine}, bias={bias}, track_running_stats={track_running_stats}';

type Given = Parameters<typeof uninitialized>[1] & { bias: boolean };

function make(self: Self, options: Given): void {
  const { numFeatures, affine, trackRunningStats } = self;
  checkSizes(self.constructor.name, { numFeatures });
  const made = factoryOptions(options);
  makeAffine(self, [numFeatures], options, [affine, options.bias]);
  self.registerBuffer('runningMean', trackRunningStats ? zeros([numFeatures], made) : undefined);
  self.registerBuffer('runningVar', trackRunningStats ? ones([numFeatures], made) : undefined);
  const count = trackRunningStats ? tensor(0, { dtype: 'int64', device: options.device }) : undefined;
  self.registerBuffer('numBatchesTracked', count);
}

/** What the classes share besides what they compute. */
const members = {
  _version: 2,
  resetRunningStats(this: Self): void {
    this.runningMean?.zero_();
    this.runningVar?.fill_(1);
    this.numBatchesTracked?.zero_();
  },
  /** Version 1 counted no batches. */
  upgradeState(this: Self, state: Map<string, unknown>, prefix: string, version: number | undefined): void {
    const key = `${prefix}num_batches_tracked`;
    if ((version !== undefined && version >= 2) || !this.trackRunningStats || state.has(key)) return;
    const count = this.numBatchesTracked;
    state.set(key, count?.isMeta === false ? count : tensor(0, { dtype: 'int64' }));
  },
};

function reset(self: Self): void {
  self.resetRunningStats();
  resetAffine(self);
}

function checkDims(op: string, { shape }: Tensor, dims: readonly number[]): void {
  if (dims.includes(shape.length)) return;
  throw expected(op, "'input'", `to have ${dims.join(' or ')} dimensions`, `shape ${shapeText(shape)}`);
}

type Numbered<Begin extends string> = `${Begin}${1 | 2 | 3}d`;
type Running<Name extends LayerName> = LayerClass<Name, [input: Tensor], Tensor, RunningState>;

function batchNormOf<Name extends Numbered<'BatchNorm'>>(name: Name, dims: readonly number[]): Running<Name> {
  return layer<Name, [input: Tensor], Tensor, Options & RunningState>(name, {
    make: (self, options) => make(self, options as unknown as Given),
    reset,
    members,
    forward(self, input) {
      checkDims(name, input, dims);
      const {
        training,
        trackRunningStats,
        numBatchesTracked: count,
        runningMean,
        runningVar,
        weight,
        bias,
        eps,
      } = self;
      if (training && trackRunningStats) count?.add_(1);
      // Without a momentum the running statistics are the means of all batches.
      const mean = training && trackRunningStats && count !== undefined ? 1 / Number(count.item()) : 0;
      const usesBatch = training || (runningMean === undefined && runningVar === undefined);
      const [ofMean, ofVar] = training && !trackRunningStats ? [undefined, undefined] : [runningMean, runningVar];
      return batchNorm(input, ofMean, ofVar, weight, bias, usesBatch, self.momentum ?? mean, eps);
    },
    text,
  });
}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` for each channel: in training with mean and variance of the batch, which
 * move the running ones by `momentum` (`null`: to the means of all batches); then with the running ones. **Shapes**:
 * `[N, C]` or `[N, C, L]` -> the same. **Source**: `torch.nn.BatchNorm1d`; Ioffe and Szegedy, Batch Normalization, 2015.
 */
export class BatchNorm1d extends batchNormOf('BatchNorm1d', [2, 3]) {}

/** {@link BatchNorm1d} of images. **Shapes**: `[N, C, H, W]` -> the same. **Source**: `torch.nn.BatchNorm2d`. */
export class BatchNorm2d extends batchNormOf('BatchNorm2d', [4]) {}

/** {@link BatchNorm1d} of volumes. **Shapes**: `[N, C, D, H, W]` -> the same. **Source**: `torch.nn.BatchNorm3d`. */
export class BatchNorm3d extends batchNormOf('BatchNorm3d', [5]) {}

function instanceNormOf<Name extends Numbered<'InstanceNorm'>>(name: Name): Running<Name> {
  const withoutBatch = Number(name.at(-2)) + 1;
  return layer<Name, [input: Tensor], Tensor, Options & RunningState>(name, {
    make: (self, options) => make(self, options as unknown as Given),
    reset,
    members,
    forward(self, input) {
      checkDims(name, input, [withoutBatch, withoutBatch + 1]);
      const { shape } = input;
      checkFeatures(name, self, shape, shape.length - withoutBatch);
      const { runningMean, runningVar, weight, bias, training, trackRunningStats, momentum = 0, eps } = self;
      const run = (x: Tensor): Tensor =>
        instanceNorm(x, runningMean, runningVar, weight, bias, training || !trackRunningStats, momentum, eps);
      return shape.length === withoutBatch ? run(input.unsqueeze(0)).squeeze(0) : run(input);
    },
    text,
  });
}

function checkFeatures(name: string, { affine, numFeatures }: Options, shape: readonly number[], dim: number): void {
  if (shape[dim] === numFeatures) return;
  const what = `to have numFeatures, ${numFeatures}, elements along dimension ${dim}`;
  if (affine) throw expected(name, "'input'", what, `shape ${shapeText(shape)}`);
  emitWarning(`${name}: expected 'input' ${what}, but received shape ${shapeText(shape)}; numFeatures is not used`);
}

/**
 * `(x - mean) / sqrt(var + eps) * weight + bias` for each channel of each sample by itself. **Shapes**: `[N, C, L]` or
 * `[C, L]` -> the same. **Source**: `torch.nn.InstanceNorm1d`; Ulyanov et al., Instance Normalization, 2016.
 */
export class InstanceNorm1d extends instanceNormOf('InstanceNorm1d') {}

/** {@link InstanceNorm1d} of images. **Shapes**: `[N, C, H, W]` or `[C, H, W]` -> the same. **Source**: `torch.nn.InstanceNorm2d`. */
export class InstanceNorm2d extends instanceNormOf('InstanceNorm2d') {}

/** {@link InstanceNorm1d} of volumes. **Shapes**: `[N, C, D, H, W]` or `[C, D, H, W]` -> the same. **Source**: `torch.nn.InstanceNorm3d`. */
export class InstanceNorm3d extends instanceNormOf('InstanceNorm3d') {}
