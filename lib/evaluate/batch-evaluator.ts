/** A loss over more data than one call can take. */
import { expected, show, TorchError } from '../errors';
import { asOptionalTensor, asTensor, type TensorLike } from '../nn/functional/arguments';
import { integer, oneOf, withDefaults } from '../options';
import { noGrad } from '../tensor/autograd';
import { cat } from '../tensor/ops/joining';
import { inBackground } from '../tensor/recording';
import { getNumThreads } from '../tensor/runtime';
import { keep, scope } from '../tensor/scope';
import type { Tensor } from '../tensor/tensor';
import { type Batch, hasLabels, haveSameRows, joined, narrowed, op, readBatch, readLabels } from './batch';
import {
  type AnyLoss,
  type BatchOf,
  descriptionOf,
  type LossDescription,
  lossDescriptions,
  type OptionsOf,
} from './losses';
import {
  confidencesFromScores,
  hasPredictions,
  type Measured,
  measure,
  measurer,
  tensorsOf,
  type Wanted,
} from './measure';
import type { EvaluationResult } from './result';
import { type Addition, Tally, type TallyState } from './tally';

/** Options of {@link BatchEvaluator}. */
export interface BatchEvaluatorOptions {
  /** Whether predictions are judged, where the loss has scores and class indices. Default true. */
  predictions?: boolean | undefined;
  /** Whether the result has a histogram of the losses and the worst samples. Default false. */
  details?: boolean | undefined;
  /** How many of the worst samples `details` gives. Default 20. */
  worst?: number | undefined;
  /** Whether `losses()` gives each loss at the end. Default: with `reduction: 'none'`. */
  keepLosses?: boolean | undefined;
  /** Is given the losses of each block as they come, in order; `flush()` brings the last. The tensor is disposed after. */
  onLosses?: ((losses: Tensor) => void) | undefined;
}

const defaults = Object.freeze({
  predictions: true,
  details: false,
  worst: 20,
  keepLosses: undefined,
  onLosses: undefined,
}) satisfies Required<BatchEvaluatorOptions>;

/** The options that are looked at later. */
interface Own {
  readonly predictions: boolean;
  readonly details: boolean;
  readonly worst: number;
  readonly onLosses: ((losses: Tensor) => void) | undefined;
}

/** What {@link BatchEvaluator.state} gives: plain values that JSON holds. */
export interface EvaluatorState {
  readonly version: 1;
  readonly loss: string;
  readonly tally: unknown;
}

/** Bytes of the first argument that are computed at once: what stays in the caches of a processor. */
const blockBytes = 4 * 2 ** 20;

/** The kernels' vectors, twice unrolled, divide it: no element of a block of so many falls out of them. */
const vectorElements = 64;

/** A block of rows, and what is known of it before anything is computed. */
interface Block {
  readonly batch: Batch;
  readonly labels: Float64Array | undefined;
  readonly groups: Float64Array | undefined;
}

/** A batch in blocks, the rows that wait for the next batch, and how many samples were given. */
interface Cut {
  readonly blocks: Block[];
  readonly carry: Block | undefined;
  readonly given: number;
}

type Predicted = Measured['predictions'] & object;

/** What a block adds, and its losses where they are kept. */
interface Found {
  readonly addition: Addition;
  readonly losses?: Tensor;
}

/**
 * The loss over data that comes in batches, as one call over all of it would give it.
 *
 * Sums are kept in twice the precision of float64, so the result does not depend on the size of the batches but for the
 * rounding of float64 sums of single blocks (some 1e-16 of the result; nothing for losses of samples). Weighted means,
 * ignored targets and `'batchmean'` are those of the whole data. Each single loss has the bits that one call over the
 * whole data gives it on one thread: elementwise losses are computed in blocks that fill the kernels' vectors, and up to
 * 63 rows a thread wait for the next batch. `linearCrossEntropy` alone rounds otherwise for batches of other sizes: so do
 * the matrix products that it is made of.
 *
 * A weight of `l1Loss`, `mseLoss` and `huberLoss` is that of one row, and the same for every row. `ctcLoss` takes its
 * batches as the function does, `[T, N, C]`.
 *
 * @example
 * const evaluator = new BatchEvaluator(nn.functional.crossEntropy, { labelSmoothing: 0.1 });
 * for (const [logits, labels] of batches) evaluator.update(logits, labels);
 * const { loss, classification } = evaluator.result();
 *
 * @throws TorchError `INVALID_ARGUMENT` for a function that is no loss of `nn.functional`; `UNKNOWN_OPTION`.
 */
export class BatchEvaluator<Loss extends AnyLoss = AnyLoss> {
  readonly #description: LossDescription;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #reduction: EvaluationResult['reduction'];
  readonly #own: Own;
  readonly #ignoreIndex: number;
  readonly #measurer: ReturnType<typeof measurer>;
  #tally: Tally;
  #kept: Tensor[] | undefined;
  #carry: Block | undefined;
  /** Samples that were given, counted or still to be. */
  #given = 0;
  #failure: unknown;

  constructor(loss: Loss, lossOptions?: OptionsOf<Loss>, options?: BatchEvaluatorOptions) {
    const description = descriptionOf(loss);
    if (description === undefined) {
      throw expected(op, "'loss'", 'to be a loss of nn.functional', show(loss));
    }
    const filled = withDefaults<BatchEvaluatorOptions>(op, options, defaults);
    const { reduction = 'mean', ...rest } = (lossOptions ?? {}) as Record<string, unknown>;
    const reductions = ['none', 'mean', 'sum', ...(description.name === 'klDiv' ? ['batchmean'] : [])];
    const wanted = oneOf(op, "option 'reduction'", reduction, reductions);
    this.#description = description;
    this.#options = rest;
    this.#reduction = wanted === 'none' ? 'mean' : (wanted as EvaluationResult['reduction']);
    this.#ignoreIndex = typeof rest.ignoreIndex === 'number' ? rest.ignoreIndex : -100;
    this.#measurer = measurer(description, { options: rest, ignoreIndex: this.#ignoreIndex });
    const worst = integer(op, "option 'worst'", filled.worst);
    this.#own = {
      predictions: filled.predictions !== false,
      details: filled.details === true,
      worst,
      onLosses: filled.onLosses,
    };
    this.#kept = (filled.keepLosses ?? wanted === 'none') ? [] : undefined;
    this.#tally = new Tally(this.#own);
  }

  /** Adds a batch: the loss's arguments without its options. A batch that is refused counts for nothing. */
  update(...batch: BatchOf<Loss>): this {
    return this.#update(batch, undefined);
  }

  /** Adds a batch whose samples belong to groups: an integer for each sample. */
  updateGroups(groups: TensorLike, ...batch: BatchOf<Loss>): this {
    return this.#update(batch, groups);
  }

  /**
   * Adds a batch, computed off the main thread. Batches count in the order of the calls; the next may be given before
   * this one is done. After one that is refused, `result()` throws the same error until `reset()`: rows that waited for
   * it are lost.
   */
  async updateAsync(...batch: BatchOf<Loss>): Promise<this> {
    const { blocks, carry, given } = scope(() => this.#cut(batch, undefined));
    this.#given += given;
    this.#replaceCarry(carry);
    const wanted = this.#wanted(undefined);
    try {
      const measured = await inBackground(
        () =>
          noGrad(() =>
            blocks.map(({ batch: rows }) => measure(this.#description, rows, this.#wantedFor(rows, wanted))),
          ),
        (results) => results.flatMap(tensorsOf),
      );
      for (const [i, block] of blocks.entries()) {
        const own = measured[i] as Measured;
        this.#take(scope(() => this.#read(block, own)));
        for (const tensor of tensorsOf(own)) tensor.dispose();
      }
    } catch (error) {
      // Rows that were held back may have been among these.
      this.#failure ??= error;
      throw error;
    } finally {
      for (const { batch: rows } of blocks) for (const tensor of rows.args) disposeOwn(tensor, batch);
    }
    return this;
  }

  /** Adds every batch of an iterable, synchronous or not: arrays of the loss's arguments. */
  async updateFrom(batches: AsyncIterable<BatchOf<Loss>> | Iterable<BatchOf<Loss>>): Promise<this> {
    for await (const batch of batches) this.update(...batch);
    return this;
  }

  /** Computes the rows that wait for others; for the end of the data, where `onLosses` is to see all of it. */
  flush(): this {
    const carry = this.#carry;
    this.#carry = undefined;
    if (carry === undefined) return this;
    this.#take(this.#find(carry));
    for (const tensor of carry.batch.args) tensor.dispose();
    return this;
  }

  /** What is known so far. More batches may follow. */
  result(): EvaluationResult {
    return this.#settled().result(this.#description.name, this.#reduction);
  }

  /**
   * Each loss so far in order, flat, with the bits of `reduction: 'none'` over the whole data.
   *
   * @throws TorchError `INVALID_ARGUMENT` if they were not kept.
   */
  losses(): Tensor {
    if (this.#kept === undefined) {
      throw expected(op, "option 'keepLosses'", 'to be true, for each loss to be there', 'false');
    }
    const [kept, carry] = [this.#kept, this.#carry];
    return scope(() => {
      const last = carry === undefined ? [] : [this.#find(carry).losses as Tensor];
      const all = [...kept, ...last];
      return all.length === 0 ? asTensor(op, 'losses', new Float32Array(0)) : cat(all);
    });
  }

  /** Forgets everything but the options. */
  reset(): this {
    for (const tensor of this.#kept ?? []) tensor.dispose();
    this.#kept = this.#kept && [];
    this.#replaceCarry(undefined);
    this.#failure = undefined;
    this.#given = 0;
    this.#tally = new Tally(this.#own);
    return this;
  }

  /**
   * Adds what another evaluator of the same loss and options has seen, as the data that follows.
   *
   * @throws TorchError `INVALID_ARGUMENT` for an evaluator of another loss, or without details or losses that this one has.
   */
  merge(other: BatchEvaluator<Loss>): this {
    if (!(other instanceof BatchEvaluator) || other.#description !== this.#description) {
      const actual = other instanceof BatchEvaluator ? `one of ${other.#description.name}` : show(other);
      throw expected(op, "'other'", `to be an evaluator of ${this.#description.name}`, actual);
    }
    if (this.#own.details && !other.#own.details) throw expected(op, "'other'", 'to have details', 'one without');
    if (this.#kept !== undefined && other.#kept === undefined) {
      throw expected(op, "'other'", 'to have kept its losses', 'one that has not');
    }
    this.flush();
    this.#tally.merge(other.#settled());
    this.#given += other.#given;
    if (this.#kept !== undefined && other.#kept !== undefined) this.#kept.push(keep(other.losses()));
    return this;
  }

  /** What is known so far in plain values: for other processes and machines, where `fromState` goes on with it. */
  state(): EvaluatorState {
    return { version: 1, loss: this.#description.name, tally: encoded(this.#settled().state()) };
  }

  /**
   * An evaluator that has seen what another one had when its state was taken. Losses that it kept are not part of a state.
   *
   * @throws TorchError `INVALID_ARGUMENT` for a state of another loss, or what is no state.
   */
  static fromState<Loss extends AnyLoss>(
    state: EvaluatorState,
    loss: Loss,
    lossOptions?: OptionsOf<Loss>,
    options?: BatchEvaluatorOptions,
  ): BatchEvaluator<Loss> {
    const made = new BatchEvaluator(loss, lossOptions, options);
    const { name } = made.#description;
    if (typeof state !== 'object' || state === null || state.version !== 1 || state.loss !== name) {
      throw expected(op, "'state'", `to be one of ${name}`, show(state?.loss ?? state));
    }
    try {
      made.#tally = Tally.fromState(decoded(state.tally) as TallyState, made.#own);
    } catch (cause) {
      if (cause instanceof TorchError) throw cause;
      throw expected(op, "'state'", `to be what state() gave of ${name}`, 'one that is damaged');
    }
    made.#given = made.#tally.losses;
    return made;
  }

  #update(values: readonly TensorLike[], groups: TensorLike | undefined): this {
    scope(() => {
      const { blocks, carry, given } = this.#cut(values, groups);
      // All of them before any counts: a batch that is refused leaves nothing behind.
      for (const found of blocks.map((block) => this.#find(block))) this.#take(found);
      this.#replaceCarry(carry);
      this.#given += given;
    });
    return this;
  }

  #replaceCarry(carry: Block | undefined): void {
    for (const tensor of this.#carry === carry ? [] : (this.#carry?.batch.args ?? [])) tensor.dispose();
    for (const tensor of carry?.batch.args ?? []) keep(tensor);
    this.#carry = carry;
  }

  /** The batch in blocks that can be computed now, after the rows that were held back, and those to hold back. */
  #cut(values: readonly TensorLike[], groups: TensorLike | undefined): Cut {
    const batch = readBatch(this.#description, values);
    const whole = this.#known(batch, groups);
    const given = whole.labels?.length ?? batch.rows;
    const blockRows = rowsOfBlock(batch);
    if (this.#description.lossesOf === 'samples') {
      return { blocks: this.#split(whole, 0, batch.rows, blockRows), carry: undefined, given };
    }
    const waiting = this.#carry;
    const carry = waiting !== undefined && haveSameRows(waiting.batch, batch) ? waiting : undefined;
    // Rows of another shape or dtype cannot be put together with these.
    const before = waiting === carry ? [] : [this.#join(undefined, waiting as Block)];
    const held = carry?.batch.rows ?? 0;
    const quantum = vectorElements * getNumThreads();
    const ready = held + batch.rows - ((held + batch.rows) % quantum);
    if (ready === 0) return { blocks: before, carry: this.#join(carry, whole), given };
    // A number of threads that has changed since may have made more wait than are wanted now.
    const head = held === 0 ? 0 : Math.max(0, Math.min(ready, Math.ceil(held / quantum) * quantum) - held);
    const first = carry === undefined ? [] : [this.#join(carry, this.#part(whole, 0, head))];
    const aligned = Math.max(quantum, blockRows - (blockRows % quantum));
    const blocks = [...before, ...first, ...this.#split(whole, head, ready - held, aligned)];
    const rest = batch.rows - (ready - held);
    return {
      blocks,
      carry: rest === 0 ? undefined : this.#join(undefined, this.#part(whole, ready - held, rest)),
      given,
    };
  }

  #known(batch: Batch, groups: TensorLike | undefined): Block {
    const description = this.#description;
    let labels: Float64Array | undefined;
    if (hasLabels(description, batch)) {
      const [first, second] = batch.args as [Tensor, Tensor];
      const classes = description.name === 'linearCrossEntropy' ? second.shape[0] : first.shape[1];
      labels = readLabels(batch, classes ?? 0, this.#ignoreIndex, this.#given);
    }
    const ids =
      groups === undefined ? undefined : asTensor(op, 'groups', groups).to('float64').toTypedArray<Float64Array>();
    if (ids !== undefined) checkGroups(ids, batch.rows);
    return { batch, labels, groups: ids };
  }

  #part({ batch, labels, groups }: Block, start: number, rows: number): Block {
    const perRow = (labels?.length ?? 0) / Math.max(batch.rows, 1);
    return {
      batch: narrowed(this.#description, batch, start, rows),
      labels: labels?.subarray(start * perRow, (start + rows) * perRow),
      groups: groups?.subarray(start, start + rows),
    };
  }

  #split(block: Block, start: number, end: number, rows: number): Block[] {
    const parts: Block[] = [];
    for (let at = start; at < end; at += rows) parts.push(this.#part(block, at, Math.min(rows, end - at)));
    return parts;
  }

  #join(first: Block | undefined, second: Block): Block {
    const isGrouped = first?.groups !== undefined || second.groups !== undefined;
    const groups = isGrouped ? Float64Array.from([...groupsOf(first), ...groupsOf(second)]) : undefined;
    return { batch: joined(this.#description, first?.batch, second.batch), labels: undefined, groups };
  }

  get #keeps(): boolean {
    return this.#kept !== undefined || this.#own.onLosses !== undefined;
  }

  #wanted(groups: Float64Array | undefined): Wanted {
    const each = this.#description.lossesOf === 'samples' || this.#own.details || groups !== undefined;
    const { predictions } = this.#own;
    return { options: this.#options, ignoreIndex: this.#ignoreIndex, predictions, each };
  }

  #wantedFor(batch: Batch, wanted: Wanted): Wanted {
    return { ...wanted, predictions: wanted.predictions && hasPredictions(this.#description, batch) };
  }

  #measure({ batch, groups }: Block): Measured {
    const { predictions, each } = this.#wantedFor(batch, this.#wanted(groups));
    return noGrad(() => this.#measurer(batch, { predictions, each }));
  }

  #find(block: Block): Found {
    return scope(() => this.#read(block, this.#measure(block)));
  }

  #read(block: Block, measured: Measured): Found {
    const losses = this.#keeps ? { losses: flat(measured.losses) } : {};
    return { addition: this.#addition(block, measured), ...losses };
  }

  #take({ addition, losses }: Found): void {
    this.#tally.add(addition);
    if (losses === undefined) return;
    this.#own.onLosses?.(losses);
    if (this.#kept === undefined) losses.dispose();
    else this.#kept.push(keep(losses));
  }

  #addition(block: Block, { losses, sum, weights, predictions }: Measured): Addition {
    const { batch, labels, groups } = block;
    const [first] = batch.args as [Tensor];
    return {
      rows: batch.rows,
      losses: losses.numel,
      ...(sum === undefined ? { each: numbersOf(losses) } : sumAndNaN(Number(sum.item()), losses)),
      ...(labels === undefined ? {} : { labels, ...this.#classWeights(labels, first) }),
      ...(weights === undefined ? {} : { denominator: Number(weights.item()) }),
      ...(this.#description.denominator === 'target lengths'
        ? { divisors: numbers64(batch.args.at(-1) as Tensor) }
        : {}),
      ...(groups === undefined ? {} : { groups }),
      ...(predictions === undefined
        ? {}
        : {
            classes: first.shape[1] as number,
            predictions: {
              logLikelihoods: numbersOf(predictions.logLikelihoods),
              predicted: numbers64(predictions.predicted),
              ranks: numbers64(predictions.ranks),
              confidences: confidencesOf(batch, predictions),
            },
          }),
    };
  }

  #classWeights(labels: Float64Array, input: Tensor): { denominator?: number } {
    if (this.#description.denominator !== 'class weights') return {};
    const weight = asOptionalTensor(op, 'weight', this.#options.weight as TensorLike | undefined, input);
    if (weight === undefined) return {};
    const weights = numbers64(weight);
    return { denominator: labels.reduce((sum, label) => (label < 0 ? sum : sum + (weights[label] as number)), 0) };
  }

  /** The sums with the rows that are held back. */
  #settled(): Tally {
    if (this.#failure !== undefined) throw this.#failure;
    const carry = this.#carry;
    if (carry === undefined) return this.#tally;
    const whole = Tally.fromState(this.#tally.state(), this.#own);
    whole.add(scope(() => this.#addition(carry, this.#measure(carry))));
    return whole;
  }
}

function checkGroups(groups: Float64Array, rows: number): void {
  const what = `to hold ${rows} integers, one a sample`;
  if (groups.length !== rows) throw expected(op, "'groups'", what, `${groups.length} elements`);
  const at = groups.findIndex((group) => !Number.isSafeInteger(group));
  if (at >= 0) throw expected(op, "'groups'", what, `${groups[at]} at index ${at}`);
}

/** The group of each row; NaN for rows that belong to none. */
function groupsOf(block: Block | undefined): Float64Array {
  return block?.groups ?? new Float64Array(block?.batch.rows ?? 0).fill(Number.NaN);
}

/** Which losses are NaN is asked for only where the sum says that there is one. */
function sumAndNaN(sum: number, losses: Tensor): Pick<Addition, 'sum' | 'nan'> {
  return Number.isNaN(sum) ? { sum, nan: Number(losses.isnan().sum().item()) } : { sum };
}

function flat(losses: Tensor): Tensor {
  return losses.reshape([-1]).clone();
}

function disposeOwn(tensor: Tensor, given: readonly unknown[]): void {
  if (!given.includes(tensor)) tensor.dispose();
}

function rowsOfBlock({ args, rows }: Batch): number {
  const [{ numel, dtype }] = args as [Tensor];
  const elementBytes = dtype === 'float64' ? 8 : dtype === 'float32' ? 4 : 2;
  return Math.max(1, Math.floor((blockBytes * rows) / Math.max(numel * elementBytes, 1)));
}

function numbersOf(tensor: Tensor): Float32Array | Float64Array {
  return tensor.dtype === 'float64' ? numbers64(tensor) : tensor.to('float32').toTypedArray<Float32Array>();
}

/** The probabilities of the predictions; a label whose score is -Infinity has an infinite loss, which tells nothing of them. */
function confidencesOf(batch: Batch, { confidences, logLikelihoods }: Predicted): Float32Array | Float64Array {
  const [found, losses] = [numbersOf(confidences), numbersOf(logLikelihoods)];
  const unknown: number[] = [];
  for (let i = 0; i < found.length; i++) {
    if (Number.isNaN(found[i]) && losses[i] === Number.POSITIVE_INFINITY) unknown.push(i);
  }
  if (unknown.length === 0) return found;
  for (const [i, confidence] of numbersOf(confidencesFromScores(batch, unknown)).entries()) {
    found[unknown[i] as number] = confidence;
  }
  return found;
}

function numbers64(tensor: Tensor): Float64Array {
  return tensor.to('float64').toTypedArray<Float64Array>();
}

/** Numbers that JSON does not know, as text. */
function encoded(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? JSON.parse(
        JSON.stringify(value, (_, part) => (typeof part === 'number' && !Number.isFinite(part) ? String(part) : part)),
      )
    : value;
}

function decoded(value: unknown): unknown {
  const numbers: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    '-Infinity': Number.NEGATIVE_INFINITY,
  };
  return JSON.parse(JSON.stringify(value), (_, part) => (typeof part === 'string' ? (numbers[part] ?? part) : part));
}

/** @internal Names of the losses, as the command line takes them. */
export const lossNames: readonly string[] = lossDescriptions.map(({ name }) => name);
