/** Schedules along a cosine. */
import { expected, show } from '../../errors';
import { cosine, logarithm, minus, type Numeric, over, plus, power, times } from '../arithmetic';
import { number } from '../options';
import { integerFrom, lastEpoch, required, schedulerClass } from './declare';
import { valuesOf, warnOutsideStep } from './scheduler';

/** `low + (high - low) * (1 + cos(angle)) / 2`. */
function between(low: number, high: Numeric, angle: number): Numeric {
  return plus(low, over(times(minus(high, low), 1 + cosine(angle)), 2));
}

/**
 * From the first rate to `etaMin` along half a cosine of `TMax` epochs, and back.
 *
 * @example new optim.lrScheduler.CosineAnnealingLR(optimizer, 100);
 *
 * **Source**: `torch.optim.lr_scheduler.CosineAnnealingLR`.
 */
export class CosineAnnealingLR extends schedulerClass({
  options: {
    /** Epochs of half a cosine. */
    TMax: required(number(1)),
    /** The least rate. */
    etaMin: number(0),
    lastEpoch,
  },
  positional: ['TMax', 'etaMin', 'lastEpoch'],
}) {
  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const { lastEpoch: epoch, etaMin, TMax: most, optimizer } = this;
    if (this._isInitial) return valuesOf(optimizer, 'lr');
    if (this._stepCount === 1 && epoch > 0) return this._getClosedFormLr();
    if ((epoch - 1 - most) % (2 * most) === 0) {
      const share = 1 - cosine(Math.PI / most);
      return optimizer.paramGroups.map(({ lr }, i) => {
        const rise = over(times(minus(this.baseLrs[i] as Numeric, etaMin), share), 2);
        return plus(lr as Numeric, rise);
      });
    }
    const ratio = (1 + cosine((Math.PI * epoch) / most)) / (1 + cosine((Math.PI * (epoch - 1)) / most));
    return optimizer.paramGroups.map(({ lr }) => plus(times(ratio, minus(lr as Numeric, etaMin)), etaMin));
  }

  override _getClosedFormLr(): Numeric[] {
    return this.baseLrs.map((lr) => between(this.etaMin, lr, (Math.PI * this.lastEpoch) / this.TMax));
  }
}

/**
 * From the first rate to `etaMin` along half a cosine of `T0` epochs, and again from the beginning, each time `TMult` times
 * as long.
 *
 * @example new optim.lrScheduler.CosineAnnealingWarmRestarts(optimizer, 10, 2);
 *
 * **Source**: `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.
 */
export class CosineAnnealingWarmRestarts extends schedulerClass({
  options: {
    /** Epochs until the first restart. */
    T0: required(integerFrom(1)),
    /** How many times as long each cycle is as the one before. */
    TMult: integerFrom(1),
    /** The least rate. */
    etaMin: number(0),
    lastEpoch,
  },
  positional: ['T0', 'TMult', 'etaMin', 'lastEpoch'],
  prepare: (_op, _optimizer, { T0, TMult, etaMin, lastEpoch: TCur }) => ({ T0, TI: T0, TMult, etaMin, TCur }),
}) {
  /** Epochs since the last restart. */
  declare TCur: number;
  /** Epochs between the last restart and the next. */
  declare TI: number;

  override getLr(): Numeric[] {
    warnOutsideStep(this);
    return this.baseLrs.map((lr) => between(this.etaMin, lr, (Math.PI * this.TCur) / this.TI));
  }

  /** Goes to the next epoch, or to `epoch`, which may be a fraction: `epoch + batch / batches`. */
  override step(epoch?: number | null): void {
    const next = epoch ?? (this.lastEpoch < 0 ? 0 : undefined);
    if (next === undefined) this.goOn();
    else this.goTo(next);
    this.lastEpoch = Math.floor(next ?? this.lastEpoch + 1);
    this._setLrs(() => this.getLr());
  }

  private goOn(): void {
    this.TCur += 1;
    if (this.TCur < this.TI) return;
    this.TCur %= this.TI;
    this.TI *= this.TMult;
  }

  private goTo(epoch: number): void {
    const { T0, TMult } = this;
    if (typeof epoch !== 'number' || !(epoch >= 0))
      throw expected('step', "'epoch'", 'to be a number >= 0', show(epoch));
    if (epoch < T0) {
      [this.TI, this.TCur] = [T0, epoch];
    } else if (TMult === 1) {
      this.TCur = epoch % T0;
    } else {
      const restarts = Math.trunc(logarithm((epoch / T0) * (TMult - 1) + 1, TMult));
      this.TCur = epoch - (T0 * (power(TMult, restarts) - 1)) / (TMult - 1);
      this.TI = T0 * power(TMult, restarts);
    }
  }
}
