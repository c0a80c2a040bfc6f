/** Schedules made of schedules. */
import { expected, show } from '../../errors';
import { isPlain, unknownOption } from '../../options';
import type { Numeric } from '../arithmetic';
import type { Optimizer } from '../optimizer';
import { ReduceLROnPlateau } from './plateau';
import {
  bare,
  checkOptimizer,
  copyOf,
  entriesOf,
  LRScheduler,
  type SchedulerStateDict,
  setValue,
  valuesOf,
} from './scheduler';

/** Schedules of one optimizer. */
function checkSchedulers(op: string, value: unknown): LRScheduler[] {
  const list: unknown[] = Array.isArray(value) ? value : [];
  if (list.length === 0) throw expected(op, "'schedulers'", 'to be an array of schedulers', show(value));
  for (const [i, item] of list.entries()) {
    if (!(item instanceof LRScheduler)) throw expected(op, `'schedulers[${i}]'`, 'to be a scheduler', show(item));
    if (item instanceof ReduceLROnPlateau) {
      throw expected(op, `'schedulers[${i}]'`, 'to step without a metric', 'a ReduceLROnPlateau');
    }
  }
  return list as LRScheduler[];
}

function checkShared(op: string, schedulers: readonly LRScheduler[], optimizer: Optimizer): void {
  const i = schedulers.findIndex((scheduler) => scheduler.optimizer !== optimizer);
  if (i >= 0) throw expected(op, `'schedulers[${i}]'`, 'to belong to the same optimizer', 'one of another');
}

/** A schedule whose state dict holds those of its parts. */
abstract class Composition extends LRScheduler {
  /** @internal */
  declare _schedulers: LRScheduler[];

  protected override unsaved(): readonly string[] {
    return ['_schedulers'];
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), _schedulers: this._schedulers.map((scheduler) => scheduler.stateDict()) };
  }

  override loadStateDict(stateDict: SchedulerStateDict | ReadonlyMap<string, unknown>): void {
    const op = this.constructor.name;
    const { _schedulers: states, ...rest } = Object.fromEntries(entriesOf(op, stateDict));
    const { length } = this._schedulers;
    if (!Array.isArray(states) || states.length !== length) {
      throw expected(op, "'stateDict._schedulers'", `to be an array of ${length}`, show(states));
    }
    super.loadStateDict(rest);
    for (const [i, scheduler] of this._schedulers.entries()) scheduler.loadStateDict(states[i] as SchedulerStateDict);
  }
}

/** What a call says by position and in a trailing object. */
function readArguments(op: string, names: readonly string[], args: readonly unknown[]): Record<string, unknown> {
  const last = args.at(-1);
  const hasKeywords = typeof last === 'object' && last !== null && !Array.isArray(last) && isPlain(last);
  const positional = hasKeywords ? args.slice(0, -1) : args;
  if (positional.length > names.length) {
    throw expected(op, 'the call', `to have at most ${names.join(', ')}`, `${positional.length} arguments`);
  }
  const read: Record<string, unknown> = Object.fromEntries(positional.map((value, i) => [names[i], value]));
  for (const [key, value] of Object.entries(hasKeywords ? last : {})) {
    if (!names.includes(key)) throw unknownOption(op, key, names);
    if (read[key] !== undefined) throw expected(op, `'${key}'`, 'to be given once', 'it by position and by name');
    read[key] = value;
  }
  return read;
}

/** The first of the milestones beyond an epoch, from the end: as `bisect_right` finds it. */
function passed(milestones: readonly number[], epoch: number): number {
  let [low, high] = [0, milestones.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (epoch < (milestones[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * One schedule after the other: the next begins at each of the `milestones`, which are epochs.
 *
 * @example
 * const warmUp = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 });
 * const decay = new optim.lrScheduler.CosineAnnealingLR(optimizer, 90);
 * new optim.lrScheduler.SequentialLR(optimizer, [warmUp, decay], [10]);
 *
 * **Source**: `torch.optim.lr_scheduler.SequentialLR`.
 */
export class SequentialLR extends Composition {
  /** @internal */
  declare _milestones: number[];

  constructor(
    optimizer: Optimizer,
    schedulers:
      | readonly LRScheduler[]
      | { schedulers: readonly LRScheduler[]; milestones: readonly number[]; lastEpoch?: number | null },
    milestones?: readonly number[] | { milestones: readonly number[]; lastEpoch?: number | null },
    lastEpoch?: number | null | { lastEpoch?: number | null },
  ) {
    const op = 'SequentialLR';
    const names = ['optimizer', 'schedulers', 'milestones', 'lastEpoch'];
    const given = [optimizer, schedulers, milestones, lastEpoch].filter((value) => value !== undefined);
    const read = readArguments(op, names, given);
    const owner = checkOptimizer(op, read.optimizer);
    const list = checkSchedulers(op, read.schedulers);
    checkShared(op, list, owner);
    const epochs = read.milestones as number[];
    if (
      !Array.isArray(epochs) ||
      epochs.length !== list.length - 1 ||
      epochs.some((epoch) => typeof epoch !== 'number')
    ) {
      const actual = Array.isArray(epochs) ? `[${epochs.map(show).join(', ')}]` : show(epochs);
      throw expected(op, "'milestones'", `to be an array of ${list.length - 1} epochs, one between schedulers`, actual);
    }
    const begun = ((read.lastEpoch as number | null | undefined) ?? -1) + 1;
    super(owner, bare, { _schedulers: [...list], _milestones: [...epochs], lastEpoch: begun });
    for (const group of owner.paramGroups) setValue(group, 'lr', copyOf(group.initialLr as Numeric));
    undo(this);
    const first = this._schedulers[passed(epochs, 0)] as LRScheduler;
    first._initialStep();
    this._lastLr = first.getLastLr();
  }

  override step(): void {
    this.lastEpoch += 1;
    const index = passed(this._milestones, this.lastEpoch);
    const scheduler = this._schedulers[index] as LRScheduler;
    if (index > 0 && this._milestones[index - 1] === this.lastEpoch) scheduler._updateLr(0);
    else scheduler.step();
    this._lastLr = scheduler.getLastLr();
  }
}

/** Takes back the steps that schedules made when they were made themselves. */
function undo(scheduler: LRScheduler): void {
  const parts = (scheduler as Partial<Composition>)._schedulers;
  if (parts === undefined) scheduler.lastEpoch -= 1;
  else for (const part of parts) undo(part);
}

/**
 * All of several schedules, one after the other at every step.
 *
 * @example new optim.lrScheduler.ChainedScheduler([warmUp, decay]);
 *
 * **Source**: `torch.optim.lr_scheduler.ChainedScheduler`.
 */
export class ChainedScheduler extends Composition {
  constructor(schedulers: readonly LRScheduler[], optimizer?: Optimizer | null | { optimizer?: Optimizer | null }) {
    const op = 'ChainedScheduler';
    const given = optimizer === undefined ? [schedulers] : [schedulers, optimizer];
    const read = readArguments(op, ['schedulers', 'optimizer'], given);
    const list = checkSchedulers(op, read.schedulers);
    const owner = checkOptimizer(op, read.optimizer ?? (list[0] as LRScheduler).optimizer);
    checkShared(op, list, owner);
    super(owner, bare, { _schedulers: [...list] });
    this._lastLr = valuesOf(owner, 'lr');
  }

  override step(): void {
    for (const scheduler of this._schedulers) scheduler.step();
    this._lastLr = valuesOf(this.optimizer, 'lr');
  }
}
