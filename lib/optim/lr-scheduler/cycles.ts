/** Schedules that go up and down, with a momentum that goes the other way. */
import { expected, show } from '../../errors';
import { callable } from '../../options';
import { cosine, minus, type Numeric, over, plus, power, times } from '../arithmetic';
import type { ParamGroup } from '../groups';
import type { Optimizer } from '../optimizer';
import { flag, number, type Option } from '../options';
import { choiceOf, forGroups, integerFrom, lastEpoch, optional, perGroup, schedulerClass } from './declare';
import { entriesOf, objectOf, type SchedulerStateDict, setValue, warnOutsideStep } from './scheduler';

/** Whether the momentum of an optimizer is the first of its `betas`. */
function usesBeta1(op: string, optimizer: Optimizer): boolean {
  const { defaults } = optimizer;
  if ('betas' in defaults) return true;
  if ('momentum' in defaults) return false;
  const what = "to go with an optimizer that has 'momentum' or 'betas'";
  throw expected(op, "option 'cycleMomentum'", what, `${optimizer.constructor.name}; set it to false`);
}

function setMomentum(group: ParamGroup, isBeta1: boolean, momentum: Numeric): void {
  if (isBeta1) group.betas = Object.freeze([momentum, ...(group.betas as Numeric[]).slice(1)]);
  else group.momentum = momentum;
}

/** Gives groups the momentum to begin with, and what it goes between. */
function beginMomentum(
  optimizer: Optimizer,
  isBeta1: boolean,
  base: readonly Numeric[],
  most: readonly Numeric[],
): void {
  for (const [i, group] of optimizer.paramGroups.entries()) {
    setMomentum(group, isBeta1, most[i] as Numeric);
    group.maxMomentum = most[i];
    group.baseMomentum = base[i];
  }
}

/** A function of how far a cycle, or how many iterations, have come. */
export type ScaleFn = (x: number) => number;

const scaleFn: Option<ScaleFn | null> = optional({
  check: (op, label, value) => callable(op, label, value as ScaleFn),
});

/** Factors of the height of a cycle. */
const scales = {
  triangular: { mode: 'cycle', factor: () => 1 },
  triangular2: { mode: 'cycle', factor: (x: number) => 1 / power(2, x - 1) },
  exp_range: { mode: 'iterations', factor: (x: number, gamma: number) => power(gamma, x) },
} as const;

type CyclicMode = keyof typeof scales;

const cyclicOptions = {
  /** The least rate, of each group or of all. */
  baseLr: perGroup(),
  /** The highest rate, of each group or of all. */
  maxLr: perGroup(),
  /** Steps of a cycle that go up. */
  stepSizeUp: number(2000),
  /** Steps of a cycle that go down; by default as many. */
  stepSizeDown: optional(number(0)),
  /** How the height of cycles changes. */
  mode: choiceOf(Object.keys(scales) as CyclicMode[], 'triangular'),
  /** The base of the powers that scale cycles. */
  gamma: number(1),
  /** The factor of the height, in the place of `mode`. */
  scaleFn,
  /** Whether `scaleFn` is given cycles or iterations. */
  scaleMode: choiceOf(['cycle', 'iterations'], 'cycle'),
  /** Whether the momentum goes the other way. */
  cycleMomentum: flag(true),
  /** The least momentum, of each group or of all. */
  baseMomentum: perGroup(0.8),
  /** The highest momentum, of each group or of all. */
  maxMomentum: perGroup(0.9),
  lastEpoch,
} as const;

const CyclicOptions = schedulerClass({
  options: cyclicOptions,
  positional: [
    'baseLr',
    'maxLr',
    'stepSizeUp',
    'stepSizeDown',
    'mode',
    'gamma',
    'scaleFn',
    'scaleMode',
    'cycleMomentum',
    'baseMomentum',
    'maxMomentum',
    'lastEpoch',
  ],
  prepare: (op, optimizer, options) => {
    const { stepSizeUp, mode, gamma, cycleMomentum } = options;
    const totalSize = stepSizeUp + (options.stepSizeDown ?? stepSizeUp);
    const _firstLrs = forGroups(op, 'baseLr', optimizer, options.baseLr);
    const maxLrs = forGroups(op, 'maxLr', optimizer, options.maxLr);
    const properties = {
      _firstLrs,
      maxLrs,
      totalSize,
      stepRatio: stepSizeUp / totalSize,
      mode,
      gamma,
      _scaleFnCustom: options.scaleFn,
      scaleMode: options.scaleFn === null ? scales[mode].mode : options.scaleMode,
      cycleMomentum,
    };
    const momenta = cycleMomentum && {
      useBeta1: usesBeta1(op, optimizer),
      baseMomentums: forGroups(op, 'baseMomentum', optimizer, options.baseMomentum),
      maxMomentums: forGroups(op, 'maxMomentum', optimizer, options.maxMomentum),
    };
    if (options.lastEpoch === -1) {
      for (const [i, group] of optimizer.paramGroups.entries()) setValue(group, 'lr', _firstLrs[i] as Numeric);
      if (momenta !== false) beginMomentum(optimizer, momenta.useBeta1, momenta.baseMomentums, momenta.maxMomentums);
    }
    return { ...properties, ...momenta };
  },
});

/**
 * From `baseLr` to `maxLr` in `stepSizeUp` steps and back in `stepSizeDown`, again and again. It is meant to step behind
 * every batch. The height of a cycle is scaled by `mode`, or by `scaleFn`.
 *
 * @example new optim.lrScheduler.CyclicLR(optimizer, 0.001, 0.1, { stepSizeUp: 500, mode: 'triangular2' });
 *
 * **Source**: `torch.optim.lr_scheduler.CyclicLR`.
 */
export class CyclicLR extends CyclicOptions {
  /** The highest rate of each group. */
  declare maxLrs: Numeric[];
  /** Steps of a cycle. */
  declare totalSize: number;
  /** The share of them that goes up. */
  declare stepRatio: number;
  declare private _firstLrs?: Numeric[];
  declare private _scaleFnCustom: ScaleFn | null;
  declare private useBeta1: boolean;
  declare private baseMomentums: Numeric[];
  declare private maxMomentums: Numeric[];

  constructor(...args: ConstructorParameters<typeof CyclicOptions>) {
    super(...args);
    // The first rates were computed from those that groups began with, as in PyTorch.
    this.baseLrs = this._firstLrs as Numeric[];
    delete this._firstLrs;
  }

  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const cycle = Math.floor(1 + this.lastEpoch / this.totalSize);
    const x = 1 + this.lastEpoch / this.totalSize - cycle;
    const height = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    const scale = (): number => this.scale(this.scaleMode === 'cycle' ? cycle : this.lastEpoch);
    const at = (low: Numeric, high: Numeric): Numeric => times(times(minus(high, low), height), scale());
    if (this.cycleMomentum) {
      for (const [i, group] of this.optimizer.paramGroups.entries()) {
        const most = this.maxMomentums[i] as Numeric;
        setMomentum(group, this.useBeta1, minus(most, at(this.baseMomentums[i] as Numeric, most)));
      }
    }
    return this.baseLrs.map((low, i) => plus(low, at(low, this.maxLrs[i] as Numeric)));
  }

  private scale(x: number): number {
    return this._scaleFnCustom?.(x) ?? scales[this.mode].factor(x, this.gamma);
  }

  protected override unsaved(): readonly string[] {
    return ['_scaleFnCustom'];
  }

  override stateDict(): SchedulerStateDict {
    const custom = this._scaleFnCustom;
    const state = custom === null || Object.keys(custom).length === 0 ? null : { ...custom };
    return { ...super.stateDict(), _scale_fn_custom: state };
  }

  override loadStateDict(stateDict: SchedulerStateDict | ReadonlyMap<string, unknown>): void {
    const { _scaleFnCustom: state, ...rest } = Object.fromEntries(entriesOf('CyclicLR', stateDict));
    super.loadStateDict(rest);
    if (this._scaleFnCustom !== null) Object.assign(this._scaleFnCustom, objectOf(state));
  }
}

/** A part of a cycle: until which step, and the options of a group, by Python's names, that it goes between. */
interface Phase {
  readonly end_step: number;
  readonly start_lr: LrName;
  readonly end_lr: LrName;
  readonly start_momentum: MomentumName;
  readonly end_momentum: MomentumName;
}

const lrNames = { initial_lr: 'initialLr', max_lr: 'maxLr', min_lr: 'minLr' } as const;
const momentumNames = { max_momentum: 'maxMomentum', base_momentum: 'baseMomentum' } as const;

type LrName = keyof typeof lrNames;
type MomentumName = keyof typeof momentumNames;

function phase(end: number, lrs: readonly [LrName, LrName], momenta: readonly [MomentumName, MomentumName]): Phase {
  const [start_momentum, end_momentum] = momenta;
  return { end_step: end, start_lr: lrs[0], end_lr: lrs[1], start_momentum, end_momentum };
}

function phasesOf(totalSteps: number, pctStart: number, isThreePhase: boolean): Phase[] {
  const [most, base] = ['max_momentum', 'base_momentum'] as const;
  const up = phase(pctStart * totalSteps - 1, ['initial_lr', 'max_lr'], [most, base]);
  if (!isThreePhase) return [up, phase(totalSteps - 1, ['max_lr', 'min_lr'], [base, most])];
  const down = phase(2 * pctStart * totalSteps - 2, ['max_lr', 'initial_lr'], [base, most]);
  return [up, down, phase(totalSteps - 1, ['initial_lr', 'min_lr'], [most, most])];
}

function stepsOf(
  op: string,
  { totalSteps, epochs, stepsPerEpoch }: Record<'totalSteps' | 'epochs' | 'stepsPerEpoch', number | null>,
): number {
  if (totalSteps !== null) return totalSteps;
  if (epochs !== null && stepsPerEpoch !== null) return epochs * stepsPerEpoch;
  throw expected(op, "option 'totalSteps'", 'to be given, or epochs and stepsPerEpoch', 'neither');
}

const oneCycleOptions = {
  /** The highest rate, of each group or of all. */
  maxLr: perGroup(),
  /** Steps of the whole schedule. */
  totalSteps: optional(integerFrom(1)),
  /** Epochs of the schedule, where `totalSteps` is absent. */
  epochs: optional(integerFrom(1)),
  /** Steps of an epoch, where `totalSteps` is absent. */
  stepsPerEpoch: optional(integerFrom(1)),
  /** The share of the steps that goes up. */
  pctStart: {
    default: 0.3,
    check: (op, label, value) => {
      if (typeof value === 'number' && value >= 0 && value <= 1) return value;
      throw expected(op, label, 'to be a number in [0, 1]', show(value));
    },
  } satisfies Option<number> as Option<number>,
  /** Whether rates go along a cosine or a line. */
  annealStrategy: choiceOf(['cos', 'linear'], 'cos'),
  /** Whether the momentum goes the other way. */
  cycleMomentum: flag(true),
  /** The least momentum, of each group or of all. */
  baseMomentum: perGroup(0.85),
  /** The highest momentum, of each group or of all. */
  maxMomentum: perGroup(0.95),
  /** How many times the highest rate is the first. */
  divFactor: number(25),
  /** How many times the first rate is the last. */
  finalDivFactor: number(1e4),
  /** Go back to the first rate in a phase of its own. */
  threePhase: flag(false),
  lastEpoch,
} as const;

/**
 * Once up to `maxLr` and down to nearly nothing in `totalSteps` steps, or in `epochs` of `stepsPerEpoch`. It is meant to
 * step behind every batch.
 *
 * @example new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: 500 });
 *
 * **Source**: `torch.optim.lr_scheduler.OneCycleLR`.
 */
export class OneCycleLR extends schedulerClass({
  options: oneCycleOptions,
  positional: [
    'maxLr',
    'totalSteps',
    'epochs',
    'stepsPerEpoch',
    'pctStart',
    'annealStrategy',
    'cycleMomentum',
    'baseMomentum',
    'maxMomentum',
    'divFactor',
    'finalDivFactor',
    'threePhase',
    'lastEpoch',
  ],
  prepare: (op, optimizer, options) => {
    const { cycleMomentum } = options;
    const totalSteps = stepsOf(op, options);
    const maxLrs = forGroups(op, 'maxLr', optimizer, options.maxLr);
    const isBeta1 = cycleMomentum && usesBeta1(op, optimizer);
    const base = forGroups(op, 'baseMomentum', optimizer, options.baseMomentum);
    const most = forGroups(op, 'maxMomentum', optimizer, options.maxMomentum);
    if (options.lastEpoch === -1) {
      for (const [i, group] of optimizer.paramGroups.entries()) {
        group.initialLr = over(maxLrs[i] as Numeric, options.divFactor);
        group.maxLr = maxLrs[i];
        group.minLr = over(group.initialLr as Numeric, options.finalDivFactor);
      }
      if (cycleMomentum) beginMomentum(optimizer, isBeta1, base, most);
    }
    return {
      totalSteps,
      _schedulePhases: phasesOf(totalSteps, options.pctStart, options.threePhase),
      _annealFuncType: options.annealStrategy,
      cycleMomentum,
      ...(cycleMomentum && { useBeta1: isBeta1 }),
    };
  },
}) {
  /** Steps of the whole schedule. */
  declare totalSteps: number;
  declare private _schedulePhases: Phase[];
  declare private _annealFuncType: 'cos' | 'linear';
  declare private useBeta1: boolean;

  override getLr(): Numeric[] {
    warnOutsideStep(this);
    const { lastEpoch: step, totalSteps, _schedulePhases: phases } = this;
    if (step > totalSteps) {
      throw expected('OneCycleLR', 'the schedule', `to end after ${totalSteps} steps`, `step ${step}`);
    }
    const found = phases.findIndex(({ end_step: end }) => step <= end);
    const index = found < 0 ? phases.length - 1 : found;
    const current = phases[index] as Phase;
    const start = phases[index - 1]?.end_step ?? 0;
    const share = (step - start) / (current.end_step - start);
    return this.optimizer.paramGroups.map((group) => {
      if (this.cycleMomentum) {
        const [from, to] = [momentumNames[current.start_momentum], momentumNames[current.end_momentum]];
        setMomentum(group, this.useBeta1, this.anneal(group[from] as Numeric, group[to] as Numeric, share));
      }
      const [from, to] = [lrNames[current.start_lr], lrNames[current.end_lr]];
      return this.anneal(group[from] as Numeric, group[to] as Numeric, share);
    });
  }

  override loadStateDict(stateDict: SchedulerStateDict | ReadonlyMap<string, unknown>): void {
    const { _schedulePhases: phases, ...rest } = Object.fromEntries(entriesOf('OneCycleLR', stateDict));
    super.loadStateDict(rest);
    if (Array.isArray(phases)) this._schedulePhases = phases.map((one) => objectOf(one) as unknown as Phase);
  }

  private anneal(start: Numeric, end: Numeric, share: number): Numeric {
    if (this._annealFuncType === 'linear') return plus(times(minus(end, start), share), start);
    return plus(end, times(over(minus(start, end), 2), cosine(Math.PI * share) + 1));
  }
}
