/** A schedule that looks at how training goes. */
import { expected, show } from '../../errors';
import { isTensor } from '../../torch/bind';
import { type Call, readOptions } from '../../torch/call';
import type { Tensor } from '../../torch/tensor';
import { larger, type Numeric, numberIn } from '../arithmetic';
import { declared } from '../declare';
import type { Optimizer } from '../optimizer';
import { number, type Option, type OptionValues } from '../options';
import { choiceOf, perGroup } from './declare';
import { bare, checkOptimizer, LRScheduler, setValue, valuesOf, warnOfEpoch } from './scheduler';

const options = {
  /** Whether a better metric is smaller or greater. */
  mode: choiceOf(['min', 'max'], 'min'),
  /** The factor of a change. */
  factor: {
    default: 0.1,
    check: (op, label, value) => {
      if (typeof value === 'number' && value < 1) return value;
      throw expected(op, label, 'to be a number < 1', show(value));
    },
  } satisfies Option<number> as Option<number>,
  /** Epochs without a better metric that are let pass. */
  patience: number(10),
  /** By how much a metric must be better to count. */
  threshold: number(1e-4),
  /** Whether that is a share of the best metric or a difference. */
  thresholdMode: choiceOf(['rel', 'abs'], 'rel'),
  /** Epochs after a change in which none counts. */
  cooldown: number(0),
  /** The least rate, of each group or of all. */
  minLr: perGroup(0),
  /** The least change of a rate that is made. */
  eps: number(1e-8),
} as const;

const names = Object.keys(options) as (keyof typeof options)[];
const defaults = Object.fromEntries(names.map((name) => [name, options[name].default]));

type PlateauValues = OptionValues<typeof options>;

/**
 * Times `factor` when a metric has not become better for more than `patience` epochs. `step` is given the metric.
 *
 * @example
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, 'min', { patience: 3 });
 * scheduler.step(validationLoss);
 *
 * **Source**: `torch.optim.lr_scheduler.ReduceLROnPlateau`.
 */
export class ReduceLROnPlateau extends LRScheduler {
  /** The factor of a change. */
  declare readonly factor: number;
  /** Whether a better metric is smaller or greater. */
  declare readonly mode: 'min' | 'max';
  /** Epochs without a better metric that are let pass. */
  declare readonly patience: number;
  /** By how much a metric must be better to count. */
  declare readonly threshold: number;
  /** Whether that is a share of the best metric or a difference. */
  declare readonly thresholdMode: 'rel' | 'abs';
  /** Epochs after a change in which none counts. */
  declare readonly cooldown: number;
  /** The least change of a rate that is made. */
  declare readonly eps: number;
  /** The best metric so far. */
  declare best: number;
  /** Epochs since then. */
  declare numBadEpochs: number;
  /** @internal */
  declare cooldownCounter: number;
  /** The least rate of each group. */
  declare minLrs: Numeric[];
  /** @internal */
  declare defaultMinLr: Numeric | null;

  constructor(
    ...args: Call<
      [optimizer: Optimizer],
      { [Name in keyof PlateauValues]?: PlateauValues[Name] | null | undefined },
      ['mode', 'factor', 'patience', 'threshold', 'thresholdMode', 'cooldown', 'minLr', 'eps']
    >
  ) {
    const op = 'ReduceLROnPlateau';
    const optimizer = checkOptimizer(op, args[0]);
    const given = readOptions({ op, required: ['optimizer'], defaults, positional: names }, args);
    const read = Object.fromEntries(
      names.map((name) => [name, options[name].check(op, `option '${name}'`, given[name])]),
    ) as unknown as PlateauValues;
    const { minLr, mode, ...rest } = read;
    const count = optimizer.paramGroups.length;
    if (Array.isArray(minLr) && minLr.length !== count) {
      throw expected(op, "option 'minLr'", `to have a number for each of ${count} groups`, `${minLr.length}`);
    }
    const modeWorse = mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    super(optimizer, bare, {
      ...rest,
      mode,
      defaultMinLr: Array.isArray(minLr) ? null : minLr,
      minLrs: Array.isArray(minLr) ? [...(minLr as Numeric[])] : Array.from({ length: count }, () => minLr),
      lastEpoch: 0,
      modeWorse,
      best: modeWorse,
      cooldownCounter: 0,
      numBadEpochs: 0,
    });
    this._lastLr = valuesOf(optimizer, 'lr');
  }

  /**
   * Looks at the metric of an epoch.
   *
   * @param epoch deprecated in PyTorch: the number of the epoch.
   */
  override step(metrics?: Tensor | number | null, epoch?: number | null): void {
    const current = isTensor(metrics) ? metrics.item<number>() : metrics;
    if (typeof current !== 'number') throw expected('step', "'metrics'", 'to be a number', show(metrics));
    if (epoch !== undefined && epoch !== null) warnOfEpoch();
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (this.#isBetter(current)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else this.numBadEpochs += 1;
    if (this.inCooldown) {
      this.cooldownCounter -= 1;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this._lastLr = valuesOf(this.optimizer, 'lr');
  }

  /** Whether bad epochs do not count, so soon after a reduction. */
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode, best } = this;
    if (mode === 'min') return value < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
    return value > (thresholdMode === 'rel' ? best * (threshold + 1) : best + threshold);
  }

  #reduce(): void {
    const { paramGroups } = this.optimizer;
    if (paramGroups.length !== this.minLrs.length) {
      const { defaultMinLr } = this;
      if (defaultMinLr === null) {
        const what = `to have a number for each of ${paramGroups.length} groups`;
        throw expected('ReduceLROnPlateau', "'minLrs'", what, `${this.minLrs.length}`);
      }
      this.minLrs = paramGroups.map(() => defaultMinLr);
    }
    for (const [i, group] of paramGroups.entries()) {
      const before = numberIn(group.lr as Numeric);
      const next = larger(before * this.factor, numberIn(this.minLrs[i] as Numeric));
      if (before - next > this.eps) setValue(group, 'lr', next);
    }
  }
}

declared(ReduceLROnPlateau, { options, positional: names });
