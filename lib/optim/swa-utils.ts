/** Averages of weights over training, as `torch.optim.swa_utils`. */
import { expected, show } from '../errors';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../nn/modules/batch-norm';
import { deepcopy } from '../nn/modules/copy';
import { type AnyModule, Module } from '../nn/modules/module';
import { boolean, callable, within } from '../options';
import { noGrad } from '../torch/autograd';
import { isTensor } from '../torch/bind';
import { type Call, readOptions } from '../torch/call';
import { tensor } from '../torch/create';
import { checkDevice } from '../torch/device';
import { aten } from '../torch/ops';
import { scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import type { Device } from '../types';
import { cosine, minus, type Numeric, numberIn, over, plus, times } from './arithmetic';
import { choiceOf, forGroups, integerFrom, lastEpoch, perGroup, schedulerClass } from './lr-scheduler/declare';
import { warnOutsideStep } from './lr-scheduler/scheduler';

/** What becomes of an averaged tensor, given the tensor of the model and how many models were averaged. */
export type AvgFn = (averaged: Tensor, current: Tensor, numAveraged: Tensor | number) => Tensor;

/** Changes averaged tensors in place, given those of the model and how many models were averaged. */
export type MultiAvgFn = (
  averaged: readonly Tensor[],
  current: readonly Tensor[],
  numAveraged: Tensor | number,
) => void;

function checkDecay(op: string, given: number | { decay?: number | null } | null | undefined): number {
  const decay = typeof given === 'object' && given !== null ? given.decay : given;
  return within(op, "'decay'", decay ?? 0.999, 0, 1);
}

const isInteger = (value: Tensor | undefined): boolean =>
  value !== undefined && !value.isFloatingPoint() && !value.isComplex();

/**
 * The exponential moving average of lists of tensors: `averaged = lerp(averaged, current, 1 - decay)`.
 *
 * @example new optim.swaUtils.AveragedModel(model, { multiAvgFn: optim.swaUtils.getEmaMultiAvgFn(0.99) });
 *
 * **Source**: `torch.optim.swa_utils.get_ema_multi_avg_fn`.
 */
export function getEmaMultiAvgFn(decay?: number | { decay?: number | null } | null): MultiAvgFn {
  const kept = checkDecay('getEmaMultiAvgFn', decay);
  return (averaged, current) =>
    noGrad(() => {
      if (averaged.length === 0) return;
      if (!isInteger(averaged[0])) {
        aten._foreach_lerp_.Scalar(averaged, current, 1 - kept);
        return;
      }
      for (const [i, own] of averaged.entries()) own.copy_(own.mul(kept).add((current[i] as Tensor).mul(1 - kept)));
    });
}

/** The mean of lists of tensors over all updates. **Source**: `torch.optim.swa_utils.get_swa_multi_avg_fn`. */
export function getSwaMultiAvgFn(): MultiAvgFn {
  return (averaged, current, numAveraged) =>
    noGrad(() => {
      if (averaged.length === 0) return;
      const count = plus(numAveraged, 1);
      if (!isInteger(averaged[0])) {
        aten._foreach_lerp_.Scalar(averaged, current, numberIn(over(1, count)));
        return;
      }
      const differences = aten._foreach_sub.List(current, averaged);
      if (isTensor(count))
        aten._foreach_addcdiv_.Scalar(
          averaged,
          differences,
          averaged.map(() => count),
        );
      else aten._foreach_add_.List(averaged, differences, { alpha: 1 / count });
    });
}

/** The exponential moving average of a tensor. **Source**: `torch.optim.swa_utils.get_ema_avg_fn`. */
export function getEmaAvgFn(decay?: number | { decay?: number | null } | null): AvgFn {
  const kept = checkDecay('getEmaAvgFn', decay);
  return (averaged, current) => noGrad(() => averaged.mul(kept).add(current.mul(1 - kept)));
}

/** The mean of a tensor over all updates. **Source**: `torch.optim.swa_utils.get_swa_avg_fn`. */
export function getSwaAvgFn(): AvgFn {
  return (averaged, current, numAveraged) =>
    noGrad(() => averaged.add(current.sub(averaged).div(plus(numAveraged, 1) as Tensor)));
}

/** Options of {@link AveragedModel}. */
export interface AveragedModelOptions {
  /** Where the averages are kept; by default where the model is. */
  device: Device | null;
  /** How a tensor is averaged. */
  avgFn: AvgFn | null;
  /** How lists of tensors are averaged. */
  multiAvgFn: MultiAvgFn | null;
  /** Average buffers too. */
  useBuffers: boolean;
}

const averagedDefaults: Readonly<AveragedModelOptions> = Object.freeze({
  device: null,
  avgFn: null,
  multiAvgFn: null,
  useBuffers: false,
});

/**
 * A copy of a model whose parameters are averages over training: of all updates, or by `avgFn` or `multiAvgFn`. Buffers are
 * those of the model at the last update, unless `useBuffers` has them averaged too.
 *
 * @example
 * const averaged = new optim.swaUtils.AveragedModel(model);
 * averaged.updateParameters(model);
 *
 * **Source**: `torch.optim.swa_utils.AveragedModel`.
 */
export class AveragedModel<M extends AnyModule = AnyModule> extends Module<unknown> {
  /** The averaged copy. */
  module: M;
  /** How many updates there were. */
  declare nAveraged: Tensor;
  /** How a tensor is averaged. */
  readonly avgFn: AvgFn | null;
  /** How lists of tensors are averaged. */
  readonly multiAvgFn: MultiAvgFn | null;
  /** Whether buffers are averaged too. */
  readonly useBuffers: boolean;

  constructor(
    ...args: Call<[model: M], Partial<AveragedModelOptions>, ['device', 'avgFn', 'multiAvgFn', 'useBuffers']>
  ) {
    super();
    const op = 'AveragedModel';
    const positional = ['device', 'avgFn', 'multiAvgFn', 'useBuffers'];
    const given = readOptions({ op, required: ['model'], defaults: { ...averagedDefaults }, positional }, args);
    const { device, avgFn, multiAvgFn, useBuffers } = given as unknown as AveragedModelOptions;
    if (avgFn !== null) callable(op, "option 'avgFn'", avgFn);
    if (multiAvgFn !== null) callable(op, "option 'multiAvgFn'", multiAvgFn);
    if (avgFn !== null && multiAvgFn !== null) {
      throw expected(op, "option 'multiAvgFn'", 'to be absent where avgFn is given', 'both');
    }
    this.avgFn = avgFn;
    this.multiAvgFn = multiAvgFn;
    this.useBuffers = boolean(op, "option 'useBuffers'", useBuffers);
    const on = device === null ? undefined : checkDevice(op, device);
    this.module = deepcopy(args[0]);
    if (on !== undefined) this.module.to(on);
    this.registerBuffer('nAveraged', tensor(0, { dtype: 'int64', device: on }));
  }

  override forward(...inputs: unknown[]): unknown {
    return (this.module as unknown as (...inputs: unknown[]) => unknown)(...inputs);
  }

  /** Takes the parameters of the model into the averages. **Source**: `torch.optim.swa_utils.AveragedModel.update_parameters`. */
  updateParameters(model: M): void {
    if (!(model instanceof Module)) throw expected('updateParameters', "'model'", 'to be an nn.Module', show(model));
    scope(() =>
      noGrad(() => {
        update(this, stateOf(this.module, this.useBuffers), stateOf(model, this.useBuffers));
        if (!this.useBuffers) {
          const buffers = [...model.buffers()];
          for (const [i, own] of [...this.module.buffers()].entries()) own.copy_(buffers[i] as Tensor);
        }
        this.nAveraged.add_(1);
      }),
    );
  }
}

function update(model: AveragedModel, averaged: readonly Tensor[], given: readonly Tensor[]): void {
  const { nAveraged, avgFn, multiAvgFn } = model;
  const own = averaged.map((each) => each.detach());
  const current = own.map((each, i) => (given[i] as Tensor).detach().to(each.device));
  if (nAveraged.item() === 0) {
    for (const [i, each] of own.entries()) each.copy_(current[i] as Tensor);
    return;
  }
  for (const group of grouped(own)) {
    const lists = [group.map((i) => own[i] as Tensor), group.map((i) => current[i] as Tensor)] as const;
    const { device } = lists[0][0] as Tensor;
    const count = nAveraged.to(device);
    // PyTorch takes lists by itself on GPUs only.
    const many = multiAvgFn ?? (avgFn === null && device.startsWith('cuda') ? getSwaMultiAvgFn() : null);
    if (many !== null) many(...lists, count);
    else averageEach(avgFn ?? getSwaAvgFn(), ...lists, count);
  }
}

function averageEach(avgFn: AvgFn, averaged: readonly Tensor[], current: readonly Tensor[], count: Tensor): void {
  for (const [i, own] of averaged.entries()) own.copy_(avgFn(own, current[i] as Tensor, count));
}

/** The parameters of a module, and its buffers if they count. */
function stateOf(module: AnyModule, hasBuffers: boolean): Tensor[] {
  return [...module.parameters(), ...(hasBuffers ? module.buffers() : [])];
}

/** The indices of tensors, by dtype and device. */
function grouped(tensors: readonly Tensor[]): number[][] {
  const groups = new Map<string, number[]>();
  for (const [i, { device, dtype }] of tensors.entries()) {
    const key = `${device} ${dtype}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}

/**
 * Gives the batch norms of a model the running statistics of the data, each the mean over all batches. The model is as it
 * was behind that, also if it throws.
 *
 * @param loader batches for the model, or arrays whose first is one; an asynchronous one gives a promise.
 *
 * **Source**: `torch.optim.swa_utils.update_bn`.
 */
export function updateBn(
  loader: Iterable<unknown>,
  model: AnyModule,
  device?: Device | { device?: Device | null } | null,
): void;
export function updateBn(
  loader: AsyncIterable<unknown>,
  model: AnyModule,
  device?: Device | { device?: Device | null } | null,
): Promise<void>;
export function updateBn(
  loader: Iterable<unknown> | AsyncIterable<unknown>,
  model: AnyModule,
  device?: Device | { device?: Device | null } | null,
): undefined | Promise<void> {
  const op = 'updateBn';
  if (!(model instanceof Module)) throw expected(op, "'model'", 'to be an nn.Module', show(model));
  const given = typeof device === 'object' && device !== null ? device.device : device;
  const on = given === null || given === undefined ? undefined : checkDevice(op, given);
  const isAsync = typeof loader === 'object' && loader !== null && Symbol.asyncIterator in loader;
  if (!isAsync && !(typeof loader === 'object' && loader !== null && Symbol.iterator in loader)) {
    throw expected(op, "'loader'", 'to be an iterable of batches', show(loader));
  }
  const norms = [...model.modules()].filter(isBatchNorm);
  if (norms.length === 0) return isAsync ? Promise.resolve() : undefined;
  const restore = begin(model, norms);
  const see = (batch: unknown): void => {
    const [input] = Array.isArray(batch) ? (batch as unknown[]) : [batch];
    noGrad(() => void call(model, on !== undefined && isTensor(input) ? input.to(on) : input));
  };
  if (isAsync) return updateAsync(loader, see).finally(restore);
  try {
    for (const batch of loader) see(batch);
  } finally {
    restore();
  }
  return undefined;
}

async function updateAsync(loader: AsyncIterable<unknown>, see: (batch: unknown) => void): Promise<void> {
  for await (const batch of loader) see(batch);
}

type BatchNorm = BatchNorm1d | BatchNorm2d | BatchNorm3d;

function isBatchNorm(module: AnyModule): module is BatchNorm & AnyModule {
  return module instanceof BatchNorm1d || module instanceof BatchNorm2d || module instanceof BatchNorm3d;
}

const call = (model: AnyModule, input: unknown): unknown => (model as unknown as (input: unknown) => unknown)(input);

/** Has batch norms begin anew, with means over all batches; gives what sets back how they were. */
function begin(model: AnyModule, norms: readonly BatchNorm[]): () => void {
  const momenta = norms.map((norm) => norm.momentum);
  const { training } = model;
  for (const norm of norms) {
    norm.resetRunningStats();
    norm.momentum = undefined as never;
  }
  model.train();
  return () => {
    for (const [i, norm] of norms.entries()) norm.momentum = momenta[i] as never;
    model.train(training);
  };
}

/**
 * From each group's rate to `swaLr` in `annealEpochs` epochs, and constant from there on.
 *
 * @example new optim.swaUtils.SWALR(optimizer, 0.05, { annealEpochs: 5, annealStrategy: 'linear' });
 *
 * **Source**: `torch.optim.swa_utils.SWALR`.
 */
export class SWALR extends schedulerClass({
  options: {
    /** The rate to go to, of each group or of all. */
    swaLr: perGroup(),
    /** Epochs until it is reached. */
    annealEpochs: integerFrom(0, 10),
    /** Whether rates go along a cosine or a line. */
    annealStrategy: choiceOf(['cos', 'linear'], 'cos'),
    lastEpoch,
  },
  positional: ['swaLr', 'annealEpochs', 'annealStrategy', 'lastEpoch'],
  prepare: (op, optimizer, { swaLr, annealEpochs, annealStrategy }) => {
    const rates = forGroups(op, 'swaLr', optimizer, swaLr);
    for (const [i, group] of optimizer.paramGroups.entries()) group.swaLr = rates[i];
    return { _annealStrategy: annealStrategy, annealEpochs };
  },
}) {
  /** @internal */
  declare _annealStrategy: 'cos' | 'linear';

  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const step = this.annealEpochs === 0 ? Math.max(1, this._stepCount - 1) : this._stepCount - 1;
    const [before, now] = [this.shareAt(step - 1), this.shareAt(step)];
    return this.optimizer.paramGroups.map((group) => {
      const [lr, swaLr] = [group.lr as Numeric, group.swaLr as Numeric];
      const first = before === 1 ? swaLr : over(minus(lr, times(before, swaLr)), 1 - before);
      return plus(times(swaLr, now), times(first, 1 - now));
    });
  }

  /** @internal How much of the way is done at a step. */
  private shareAt(step: number): number {
    const t = Math.max(0, Math.min(1, step / Math.max(1, this.annealEpochs)));
    return this._annealStrategy === 'cos' ? (1 - cosine(Math.PI * t)) / 2 : t;
  }
}
