/** Schedules that multiply rates by factors. */
import { expected, show } from '../../errors';
import { type Numeric, power, times } from '../arithmetic';
import type { Optimizer } from '../optimizer';
import { number, type Option } from '../options';
import { integerFrom, lastEpoch, required, schedulerClass } from './declare';
import { entriesOf, type LRScheduler, objectOf, type SchedulerStateDict, valuesOf, warnOutsideStep } from './scheduler';

/** A function of the epoch, or an object that can be called; its properties are its state. */
export type LrLambda = (epoch: number) => number;

const lambdas: Option<LrLambda | readonly LrLambda[]> = required({
  check: (op, label, value) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    if (list.every((item) => typeof item === 'function')) return value as LrLambda | LrLambda[];
    throw expected(op, label, 'to be a function of the epoch, or an array of them', show(value));
  },
});

function lambdasOf(op: string, optimizer: Optimizer, given: LrLambda | readonly LrLambda[]): { lrLambdas: LrLambda[] } {
  const count = optimizer.paramGroups.length;
  if (!Array.isArray(given)) return { lrLambdas: Array.from({ length: count }, () => given as LrLambda) };
  if (given.length === count) return { lrLambdas: [...(given as LrLambda[])] };
  throw expected(op, "option 'lrLambda'", `to have a function for each of ${count} groups`, `${given.length}`);
}

/** Schedules with functions of users. Of those a state dict holds the properties, if they have some. */
class Lambdas extends schedulerClass({
  options: {
    /** The function of the epoch, of each group or of all. */
    lrLambda: lambdas,
    lastEpoch,
  },
  positional: ['lrLambda', 'lastEpoch'],
  prepare: (op, optimizer, { lrLambda }) => lambdasOf(op, optimizer, lrLambda),
}) {
  /** The function of each group. */
  declare lrLambdas: LrLambda[];

  protected override unsaved(): readonly string[] {
    return ['lrLambdas'];
  }

  override stateDict(): SchedulerStateDict {
    const states = this.lrLambdas.map((lambda) => (Object.keys(lambda).length === 0 ? null : { ...lambda }));
    return { ...super.stateDict(), lr_lambdas: states };
  }

  override loadStateDict(stateDict: SchedulerStateDict | ReadonlyMap<string, unknown>): void {
    const { lrLambdas: states, ...rest } = Object.fromEntries(entriesOf(this.constructor.name, stateDict));
    super.loadStateDict(rest);
    if (!Array.isArray(states)) return;
    for (const [i, state] of states.entries()) Object.assign(this.lrLambdas[i] as object, objectOf(state));
  }

  /** @internal The factors of this epoch. */
  protected factors(): number[] {
    return this.lrLambdas.map((lambda) => lambda(this.lastEpoch));
  }
}

/**
 * The first rate times a function of the epoch.
 *
 * @example new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 0.95 ** epoch);
 *
 * **Source**: `torch.optim.lr_scheduler.LambdaLR`.
 */
export class LambdaLR extends Lambdas {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const factors = this.factors();
    return this.baseLrs.map((lr, i) => times(lr, factors[i] as number));
  }
}

/**
 * The rate before, times a function of the epoch.
 *
 * @example new optim.lrScheduler.MultiplicativeLR(optimizer, () => 0.95);
 *
 * **Source**: `torch.optim.lr_scheduler.MultiplicativeLR`.
 */
export class MultiplicativeLR extends Lambdas {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const rates = valuesOf(this.optimizer, 'lr');
    if (this._isInitial) return rates;
    const factors = this.factors();
    return rates.map((lr, i) => times(lr, factors[i] as number));
  }
}

/** The rates of all groups times a factor. */
function scaled(scheduler: LRScheduler, factor: number): Numeric[] {
  return scheduler.optimizer.paramGroups.map(({ lr }) => times(lr as Numeric, factor));
}

function scaledFirst(scheduler: LRScheduler, factor: number): Numeric[] {
  return scheduler.baseLrs.map((lr) => times(lr, factor));
}

/**
 * Times `gamma` every `stepSize` epochs.
 *
 * @example new optim.lrScheduler.StepLR(optimizer, 30, 0.1);
 *
 * **Source**: `torch.optim.lr_scheduler.StepLR`.
 */
export class StepLR extends schedulerClass({
  options: {
    /** Epochs from one factor to the next. */
    stepSize: required(integerFrom(1)),
    /** The factor. */
    gamma: number(0.1),
    lastEpoch,
  },
  positional: ['stepSize', 'gamma', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const isKept = this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0;
    return isKept ? valuesOf(this.optimizer, 'lr') : scaled(this, this.gamma);
  }

  override _getClosedFormLr(): Numeric[] {
    return scaledFirst(this, power(this.gamma, Math.floor(this.lastEpoch / this.stepSize)));
  }
}

/** How often each epoch is a milestone; a state dict may have brought an object in the place of the Map. */
function countsOf(milestones: unknown): [milestone: number, count: number][] {
  const entries =
    milestones instanceof Map ? [...(milestones as Map<number, number>)] : Object.entries(milestones as object);
  return entries.map(([milestone, count]) => [Number(milestone), count as number]);
}

/**
 * Times `gamma` at each of the `milestones`, which are epochs.
 *
 * @example new optim.lrScheduler.MultiStepLR(optimizer, [30, 80], 0.1);
 *
 * **Source**: `torch.optim.lr_scheduler.MultiStepLR`.
 */
export class MultiStepLR extends schedulerClass({
  options: {
    /** The epochs at which rates change. */
    milestones: required<readonly number[]>({
      check: (op, label, value) => {
        const list = typeof value === 'object' && value !== null && Symbol.iterator in value ? [...(value as [])] : [];
        if (list.length > 0 && list.every((item) => typeof item === 'number')) return list;
        throw expected(op, label, 'to be an array of epochs', show(value));
      },
    }),
    /** The factor. */
    gamma: number(0.1),
    lastEpoch,
  },
  positional: ['milestones', 'gamma', 'lastEpoch'],
  prepare: (_op, _optimizer, { milestones, gamma }) => {
    const counts = new Map<number, number>();
    for (const milestone of milestones) counts.set(milestone, (counts.get(milestone) ?? 0) + 1);
    return { milestones: counts, gamma };
  },
}) {
  /** How often each epoch is a milestone. */
  declare milestones: never;

  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const count = countsOf(this.milestones).find(([milestone]) => milestone === this.lastEpoch)?.[1];
    return count === undefined ? valuesOf(this.optimizer, 'lr') : scaled(this, power(this.gamma, count));
  }

  override _getClosedFormLr(): Numeric[] {
    const passed = countsOf(this.milestones).filter(([milestone]) => milestone <= this.lastEpoch);
    return scaledFirst(
      this,
      power(
        this.gamma,
        passed.reduce((sum, [, count]) => sum + count, 0),
      ),
    );
  }
}

const fractionOf = (otherwise: number, isZeroFine: boolean): Option<number> => ({
  default: otherwise,
  check: (op, label, value) => {
    if (typeof value === 'number' && value <= 1 && (isZeroFine ? value >= 0 : value > 0)) return value;
    throw expected(op, label, `to be a number in ${isZeroFine ? '[' : '('}0, 1]`, show(value));
  },
});

/**
 * Times `factor`, until epoch `totalIters`.
 *
 * @example new optim.lrScheduler.ConstantLR(optimizer, 0.5, 4);
 *
 * **Source**: `torch.optim.lr_scheduler.ConstantLR`.
 */
export class ConstantLR extends schedulerClass({
  options: {
    /** The factor. */
    factor: fractionOf(1 / 3, true),
    /** The epoch from which on rates stay. */
    totalIters: number(5),
    lastEpoch,
  },
  positional: ['factor', 'totalIters', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    if (this.lastEpoch === 0) return scaled(this, this.factor);
    return this.lastEpoch === this.totalIters ? scaled(this, 1 / this.factor) : valuesOf(this.optimizer, 'lr');
  }

  override _getClosedFormLr(): Numeric[] {
    return scaledFirst(this, this.factor + Number(this.lastEpoch >= this.totalIters) * (1 - this.factor));
  }
}

/**
 * Times a factor that goes linearly from `startFactor` to `endFactor` in `totalIters` epochs.
 *
 * @example new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.1, totalIters: 100 });
 *
 * **Source**: `torch.optim.lr_scheduler.LinearLR`.
 */
export class LinearLR extends schedulerClass({
  options: {
    /** The factor at the beginning. */
    startFactor: fractionOf(1 / 3, false),
    /** The factor at the end. */
    endFactor: fractionOf(1, true),
    /** The epoch from which on rates stay. */
    totalIters: number(5),
    lastEpoch,
  },
  positional: ['startFactor', 'endFactor', 'totalIters', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    if (this.lastEpoch === 0) return scaled(this, this.startFactor);
    if (this._isInitial || this.lastEpoch > this.totalIters) return valuesOf(this.optimizer, 'lr');
    const range = this.endFactor - this.startFactor;
    return scaled(this, 1 + range / (this.totalIters * this.startFactor + (this.lastEpoch - 1) * range));
  }

  override _getClosedFormLr(): Numeric[] {
    const range = this.endFactor - this.startFactor;
    const done = Math.min(this.totalIters, this.lastEpoch);
    return scaledFirst(this, this.startFactor + (range * done) / this.totalIters);
  }
}

/**
 * Times `gamma` at every epoch.
 *
 * @example new optim.lrScheduler.ExponentialLR(optimizer, 0.95);
 *
 * **Source**: `torch.optim.lr_scheduler.ExponentialLR`.
 */
export class ExponentialLR extends schedulerClass({
  options: {
    /** The factor. */
    gamma: required(number(1)),
    lastEpoch,
  },
  positional: ['gamma', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    return this._isInitial ? valuesOf(this.optimizer, 'lr') : scaled(this, this.gamma);
  }

  override _getClosedFormLr(): Numeric[] {
    return scaledFirst(this, power(this.gamma, this.lastEpoch));
  }
}

/**
 * The first rate times `(1 - epoch / totalIters)^power`, until epoch `totalIters`.
 *
 * @example new optim.lrScheduler.PolynomialLR(optimizer, 100, 2);
 *
 * **Source**: `torch.optim.lr_scheduler.PolynomialLR`.
 */
export class PolynomialLR extends schedulerClass({
  options: {
    /** The epoch from which on rates stay. */
    totalIters: number(5),
    /** The power of the polynomial. */
    power: number(1),
    lastEpoch,
  },
  positional: ['totalIters', 'power', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    if (this._isInitial || this.lastEpoch > this.totalIters) return valuesOf(this.optimizer, 'lr');
    const left = 1 - this.lastEpoch / this.totalIters;
    const before = 1 - (this.lastEpoch - 1) / this.totalIters;
    return scaled(this, power(left / before, this.power));
  }

  override _getClosedFormLr(): Numeric[] {
    const done = Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return scaledFirst(this, power(1 - done, this.power));
  }
}
