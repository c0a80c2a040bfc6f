/** Running statistics over all samples. */
import { expected } from '../errors';
import { op } from './batch';
import { ClassificationTally, type Predictions } from './classification-tally';
import { ExactSum } from './exact-sum';
import { LossHistogram } from './histogram';
import type { EvaluationResult, GroupResult } from './result';
import { WorstSamples } from './worst';

/** The statistics of a block, as plain numbers. */
export interface BatchStats {
  readonly rows: number;
  /** Number of losses, including ignored ones. */
  readonly losses: number;
  /** What adds up to the sum of the losses: each of them, or sums of some. */
  readonly sums: Float32Array | Float64Array;
  /** Number of NaN losses. */
  readonly nan: number;
  /** Each loss, if each is needed. */
  readonly each?: Float32Array | Float64Array;
  /** What adds up to the denominator of the mean. Default: the number of losses. */
  readonly weights?: Float64Array;
  /** The divisor of each loss before averaging. */
  readonly divisors?: Float64Array;
  /** -1 for ignored samples. */
  readonly labels?: Float64Array;
  readonly predictions?: Omit<Predictions, 'labels' | 'losses'>;
  readonly classes?: number;
  /** NaN for rows without a group. */
  readonly groups?: Float64Array;
}

/** Options of {@link Tally}. */
export interface TallyOptions {
  readonly details: boolean;
  /** How many of the worst samples to keep. */
  readonly worst: number;
}

interface Group {
  count: number;
  sum: ExactSum;
}

/** The sums over all samples. */
export class Tally {
  rows = 0;
  losses = 0;
  #count = 0;
  #ignored = 0;
  #nan = 0;
  #sum = new ExactSum();
  /** Of the losses as the mean takes them, where that is not as they are. */
  #numerator: ExactSum | undefined;
  #denominator = new ExactSum();
  #classification: ClassificationTally | undefined;
  #groups: Map<number, Group> | undefined;
  #histogram: LossHistogram | undefined;
  #worst: WorstSamples;
  readonly #options: TallyOptions;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#worst = new WorstSamples(options.worst);
    if (options.details) this.#histogram = new LossHistogram();
  }

  add(block: BatchStats): void {
    const { sums, each, labels, weights, divisors, groups, predictions } = block;
    const ignored = labels === undefined ? 0 : countOf(labels, (label) => label < 0);
    const count = block.losses - ignored;
    this.#ignored += ignored;
    this.#count += count;
    this.#nan += block.nan;
    // Losses of ignored samples are 0.
    this.#sum.addAll(sums);
    if (weights === undefined) this.#denominator.add(count);
    else this.#denominator.addAll(weights);
    if (each !== undefined) {
      if (divisors !== undefined) {
        this.#numerator ??= new ExactSum();
        this.#numerator.addAll(Float64Array.from(each, (loss, i) => loss / Math.max(divisors[i] as number, 1)));
      }
      if (this.#options.details) this.#addDetails(each, block);
      if (groups !== undefined) this.#addGroups(each, groups, labels);
    }
    if (predictions !== undefined && labels !== undefined && each !== undefined) {
      this.#classification ??= new ClassificationTally(block.classes as number);
      this.#classification.add({ labels, losses: each, ...predictions });
    }
    this.rows += block.rows;
    this.losses += block.losses;
  }

  #addDetails(each: Float32Array | Float64Array, { labels, predictions }: BatchStats): void {
    const isCounted = (i: number): boolean => labels === undefined || (labels[i] as number) >= 0;
    const counted = labels === undefined ? each : each.filter((_, i) => isCounted(i));
    this.#histogram?.add(counted instanceof Float32Array ? counted : Float32Array.from(counted));
    // Ignored samples keep their place in the count, and are none of the worst.
    const judged =
      labels === undefined ? each : each.map((loss, i) => (isCounted(i) ? loss : Number.NEGATIVE_INFINITY));
    this.#worst.add(judged, this.losses, (i) => {
      const target = labels?.[i];
      const predicted = predictions?.predicted[i];
      return { ...(target === undefined ? {} : { target }), ...(predicted === undefined ? {} : { predicted }) };
    });
  }

  #addGroups(each: Float32Array | Float64Array, groups: Float64Array, labels: Float64Array | undefined): void {
    this.#groups ??= new Map();
    const perGroup = each.length / groups.length;
    for (let i = 0; i < each.length; i++) {
      if (labels !== undefined && (labels[i] as number) < 0) continue;
      const key = groups[Math.floor(i / perGroup)] as number;
      if (Number.isNaN(key)) continue;
      const group = groupOf(this.#groups, key);
      group.count += 1;
      group.sum.add(each[i] as number);
    }
  }

  /** Adds what the other has seen, as the data that follows. */
  merge(other: Tally): void {
    this.#count += other.#count;
    this.#ignored += other.#ignored;
    this.#nan += other.#nan;
    this.#sum.merge(other.#sum);
    if (other.#numerator !== undefined) {
      this.#numerator ??= new ExactSum();
      this.#numerator.merge(other.#numerator);
    }
    this.#denominator.merge(other.#denominator);
    if (other.#classification !== undefined) {
      this.#classification ??= new ClassificationTally(other.#classification.classes);
      this.#classification.merge(other.#classification);
    }
    if (other.#groups !== undefined) {
      this.#groups ??= new Map();
      for (const [key, { count, sum }] of other.#groups) {
        const group = groupOf(this.#groups, key);
        group.count += count;
        group.sum.merge(sum);
      }
    }
    if (other.#histogram !== undefined) this.#histogram?.merge(other.#histogram);
    this.#worst.merge(other.#worst, this.losses);
    this.rows += other.rows;
    this.losses += other.losses;
  }

  /** How many classes there are predictions for; 0 where there are none. */
  get classes(): number {
    return this.#classification?.classes ?? 0;
  }

  result(name: string, reduction: EvaluationResult['reduction']): EvaluationResult {
    const [sum, denominator] = [this.#sum.value, this.#denominator.value];
    const divisor = reduction === 'batchmean' ? this.rows : denominator;
    // Without samples a sum is 0, and a mean 0 / 0.
    const loss = reduction === 'sum' ? sum : (this.#numerator ?? this.#sum).value / divisor;
    const worst = this.#worst.samples.filter(({ loss: own }) => own !== Number.NEGATIVE_INFINITY);
    return {
      name,
      reduction,
      loss,
      count: this.#count,
      ignored: this.#ignored,
      sum,
      denominator,
      nan: this.#nan,
      ...(this.#classification === undefined ? {} : { classification: this.#classification.result() }),
      ...(this.#groups === undefined ? {} : { groups: groupResults(this.#groups) }),
      ...(this.#histogram === undefined ? {} : { histogram: this.#histogram.bins(), worst }),
    };
  }

  state(): TallyState {
    return {
      rows: this.rows,
      losses: this.losses,
      count: this.#count,
      ignored: this.#ignored,
      nan: this.#nan,
      sum: this.#sum.parts,
      denominator: this.#denominator.parts,
      worst: this.#worst.samples,
      ...(this.#numerator === undefined ? {} : { numerator: this.#numerator.parts }),
      ...(this.#classification === undefined ? {} : { classification: this.#classification.state() }),
      ...(this.#groups === undefined
        ? {}
        : { groups: [...this.#groups].map(([key, { count, sum }]) => [key, count, sum.parts] as const) }),
      ...(this.#histogram === undefined ? {} : { histogram: this.#histogram.state() }),
    };
  }

  static fromState(state: TallyState, options: TallyOptions): Tally {
    const made = new Tally(options);
    made.rows = state.rows;
    made.losses = state.losses;
    made.#count = state.count;
    made.#ignored = state.ignored;
    made.#nan = state.nan;
    made.#sum = ExactSum.of(state.sum);
    if (state.numerator !== undefined) made.#numerator = ExactSum.of(state.numerator);
    made.#denominator = ExactSum.of(state.denominator);
    made.#worst = new WorstSamples(options.worst, state.worst);
    if (state.classification !== undefined) made.#classification = ClassificationTally.fromState(state.classification);
    if (state.groups !== undefined) {
      made.#groups = new Map(state.groups.map(([key, count, parts]) => [key, { count, sum: ExactSum.of(parts) }]));
    }
    if (options.details) {
      if (state.histogram === undefined) throw expected(op, "'state'", 'to have details', 'one without');
      made.#histogram = LossHistogram.fromState(state.histogram);
    }
    return made;
  }
}

function countOf(values: Float32Array | Float64Array, counts: (value: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (counts(values[i] as number)) count += 1;
  return count;
}

function groupOf(groups: Map<number, Group>, key: number): Group {
  const found = groups.get(key) ?? { count: 0, sum: new ExactSum() };
  groups.set(key, found);
  return found;
}

function groupResults(groups: Map<number, Group>): GroupResult[] {
  return [...groups]
    .map(([group, { count, sum }]) => ({ group, count, loss: sum.value / count }))
    .sort((a, b) => a.group - b.group);
}

/** @internal A tally in plain values. */
export interface TallyState {
  rows: number;
  losses: number;
  count: number;
  ignored: number;
  nan: number;
  sum: readonly number[];
  numerator?: readonly number[];
  denominator: readonly number[];
  worst: EvaluationResult['worst'] & object;
  classification?: Parameters<typeof ClassificationTally.fromState>[0];
  groups?: readonly (readonly [group: number, count: number, sum: readonly number[]])[];
  histogram?: Parameters<typeof LossHistogram.fromState>[0];
}
