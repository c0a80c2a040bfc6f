/** The base of all schedules of learning rates. */
import { emitWarning } from '../../binding/load';
import { camelCase } from '../../camel-case';
import { expected, show, TorchError } from '../../errors';
import { integer, isPlain } from '../../options';
import { isTensor } from '../../torch/bind';
import { keep } from '../../torch/scope';
import { type Numeric, numberIn } from '../arithmetic';
import type { ParamGroup } from '../groups';
import { snakeCase } from '../names';
import { Optimizer } from '../optimizer';

/** The state of a schedule, by Python's names. */
export type SchedulerStateDict = Record<string, unknown>;

/** A value, or a copy of it if it is a tensor. */
export const copyOf = <T>(value: T): T => (isTensor(value) ? (keep(value.detach().clone()) as T) : value);

/** What all groups have of an option; tensors as copies. */
export function valuesOf(optimizer: Optimizer, key: string): Numeric[] {
  return optimizer.paramGroups.map((group) => copyOf(group[key] as Numeric));
}

/** Sets an option of a group; a tensor stays, and is filled. */
export function setValue(group: ParamGroup, key: string, value: Numeric): void {
  const current: unknown = group[key];
  if (isTensor(current)) current.fill_(numberIn(value));
  else group[key] = value;
}

/** @internal Refuses what is not an optimizer. */
export function checkOptimizer(op: string, value: unknown): Optimizer {
  if (value instanceof Optimizer) return value;
  throw expected(op, "'optimizer'", 'to be an Optimizer', show(value));
}

/** @internal In the place of an epoch: for schedules that begin otherwise. */
export const bare: unique symbol = Symbol('bare');

/**
 * The base class of schedules. A subclass writes `getLr`, which gives the rates of all groups at `lastEpoch`; what that
 * reads goes to `super` as `properties`, because the first rates are set there.
 *
 * @example
 * class Halving extends optim.lrScheduler.LRScheduler {
 *   constructor(optimizer, every) { super(optimizer, -1, { every }); }
 *   getLr() { return this.baseLrs.map((lr) => lr * 0.5 ** Math.floor(this.lastEpoch / this.every)); }
 * }
 *
 * **Source**: `torch.optim.lr_scheduler.LRScheduler`.
 */
export class LRScheduler {
  /** The optimizer whose rates are set. */
  declare readonly optimizer: Optimizer;
  /** How often `step` was called; -1 before the first rates are set. */
  declare lastEpoch: number;
  /** The rate that each group began with. */
  declare baseLrs: Numeric[];
  /** @internal */
  declare _stepCount: number;
  /** @internal */
  declare _isInitial: boolean;
  /** @internal */
  declare _getLrCalledWithinStep: boolean;
  /** @internal */
  declare _lastLr: Numeric[];

  constructor(optimizer: Optimizer, lastEpoch?: number, properties?: object);
  /** @internal */
  constructor(optimizer: Optimizer, lastEpoch: number | typeof bare, properties?: object);
  constructor(optimizer: Optimizer, lastEpoch: number | typeof bare = -1, properties: object = {}) {
    const op = this.constructor.name;
    Object.defineProperty(this, 'optimizer', { value: checkOptimizer(op, optimizer) });
    Object.assign(this, properties);
    if (lastEpoch === bare) return;
    integer(op, "option 'lastEpoch'", lastEpoch);
    for (const [i, group] of optimizer.paramGroups.entries()) {
      if (lastEpoch === -1) group.initialLr ??= copyOf(group.lr as Numeric);
      else if (!('initialLr' in group)) {
        const what = `to have 'initialLr' for lastEpoch ${lastEpoch}, as loaded state dicts do`;
        throw expected(op, `'optimizer.paramGroups[${i}]'`, what, 'none');
      }
    }
    this.baseLrs = valuesOf(optimizer, 'initialLr');
    this.lastEpoch = lastEpoch;
    optimizer.watchSteps();
    this._initialStep();
  }

  /** @internal The step that sets the first rates. */
  _initialStep(): void {
    this._stepCount = 0;
    this._isInitial = true;
    try {
      this.step();
    } finally {
      this._isInitial = false;
    }
  }

  /**
   * Computes the rates of the next epoch and gives them to the optimizer. Call it behind the optimizer's `step`.
   *
   * @param epoch deprecated in PyTorch: the epoch to go to.
   */
  step(epoch?: number | null): void {
    if (this._stepCount === 1) this.#checkOrder();
    this._stepCount += 1;
    if (epoch !== undefined && epoch !== null) warnOfEpoch();
    this._updateLr(epoch ?? undefined);
  }

  #checkOrder(): void {
    if (Object.hasOwn(this.optimizer, 'step')) {
      emitWarning(
        "The optimizer's step() was replaced after the learning rate scheduler was made: call optimizer.step() before scheduler.step()",
      );
    } else if (this.optimizer.hasStepped === false) {
      emitWarning(
        'scheduler.step() was called before optimizer.step(): the first learning rate of the schedule is skipped; call them in the opposite order',
      );
    }
  }

  /** @internal Goes to the next epoch, or to a given one by the closed form where there is one. */
  _updateLr(epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this._setLrs(() => (epoch === undefined ? undefined : this._getClosedFormLr()) ?? this.getLr());
  }

  /** @internal Gives rates to the optimizer. */
  _setLrs(compute: () => Numeric[]): void {
    this._getLrCalledWithinStep = true;
    let rates: Numeric[];
    try {
      rates = compute();
    } finally {
      this._getLrCalledWithinStep = false;
    }
    const { paramGroups } = this.optimizer;
    if (rates.length !== paramGroups.length) {
      const message = `${this.constructor.name}: expected a rate for each of ${paramGroups.length} groups, but received ${rates.length}`;
      throw new TorchError('INVALID_ARGUMENT', message, { op: this.constructor.name });
    }
    for (const [i, group] of paramGroups.entries()) setValue(group, 'lr', rates[i] as Numeric);
    this._lastLr = valuesOf(this.optimizer, 'lr');
  }

  /** The rates of all groups at `lastEpoch`, from those of the epoch before. */
  getLr(): Numeric[] {
    const op = this.constructor.name;
    throw new TorchError('NOT_IMPLEMENTED', `${op}: expected a class that writes getLr(), but received one without`, {
      op,
    });
  }

  /** @internal The rates at `lastEpoch` from the first ones, where a schedule knows them. */
  _getClosedFormLr(): Numeric[] | undefined {
    return undefined;
  }

  /** The rates that were set last, of each group. */
  getLastLr(): Numeric[] {
    return this._lastLr;
  }

  /** The state, by Python's names: all properties but the optimizer. */
  stateDict(): SchedulerStateDict {
    const own = Object.entries(this).filter(([key]) => !this.unsaved().includes(key));
    return Object.fromEntries(own.map(([key, value]) => [snakeCase(key), value as unknown]));
  }

  /** @internal Properties that state dicts lack. */
  protected unsaved(): readonly string[] {
    return [];
  }

  /** Goes on from a state dict, of {@link LRScheduler.stateDict} or of Python. The rates themselves are in that of the optimizer. */
  loadStateDict(stateDict: SchedulerStateDict | ReadonlyMap<string, unknown>): void {
    const entries = entriesOf(this.constructor.name, stateDict);
    for (const [key] of entries) {
      if (key in LRScheduler.prototype || key === 'optimizer') {
        throw expected(this.constructor.name, "'stateDict'", 'to hold values of a schedule', `'${key}'`);
      }
    }
    for (const [key, value] of entries) {
      Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
    }
  }
}

/** The entries of a state dict, by names in camelCase. */
export function entriesOf(op: string, stateDict: unknown): [string, unknown][] {
  const isMap = stateDict instanceof Map;
  if (typeof stateDict !== 'object' || stateDict === null || !(isMap || isPlain(stateDict))) {
    throw expected(op, "'stateDict'", 'to be an object or a Map', show(stateDict));
  }
  const entries = isMap ? [...(stateDict as Map<string, unknown>)] : Object.entries(stateDict);
  return entries.map(([key, value]) => [camelCase(key), value]);
}

/** What a state dict holds as a dict of Python: an object, or a Map as files give it. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  return typeof value === 'object' && value !== null && isPlain(value) ? (value as Record<string, unknown>) : undefined;
}

/** @internal Says that epochs are given no more. */
export function warnOfEpoch(): void {
  emitWarning('scheduler.step(epoch) is deprecated in PyTorch: call scheduler.step() instead');
}

/** @internal Says which method gives the rates that were set last. */
export function warnOutsideStep(scheduler: LRScheduler): void {
  if (!scheduler._getLrCalledWithinStep)
    emitWarning('To get the last learning rates, call getLastLr() in place of getLr()');
}
