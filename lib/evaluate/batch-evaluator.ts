/** A loss over more data than one call can take. */
import { expected, show } from '../errors';
import { asTensor, type TensorLike } from '../nn/losses/arguments';
import { boolean, callable, classIndex, integer, oneOf, withDefaults } from '../options';
import { noGrad } from '../torch/autograd';
import { identityTag } from '../torch/comparison-tag';
import { validating } from '../torch/cuda/validation';
import { cat } from '../torch/operators.generated';
import { keep, scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { inBackground } from '../torch/trace';
import { type Batch, op } from './batch';
import { batchStats } from './batch-stats';
import { type Block, Blocks } from './blocks';
import { type AnyLoss, type BatchOf, descriptionOf, type LossDescription, type OptionsOf } from './losses';
import { hasPredictions, type Measured, measure, measurer, tensorsOf } from './measure';
import type { EvaluationResult } from './result';
import { checkSameOptions, type EvaluatorState, readState, writeState } from './state';
import { type BatchStats, Tally } from './tally';

/** Options of {@link BatchEvaluator}. */
export interface BatchEvaluatorOptions {
  /** Whether predictions are evaluated, where the loss has scores and class indices. Default true. */
  predictions?: boolean | undefined;
  /** Whether the result has a histogram of the losses and the worst samples. Default false. */
  details?: boolean | undefined;
  /** How many of the worst samples `details` gives. Default 20. */
  worst?: number | undefined;
  /** Whether `losses()` gives each loss at the end. Default: with `reduction: 'none'`. */
  keepLosses?: boolean | undefined;
  /** Called with the losses of each block, in order; `flush()` passes the last. The tensor is disposed afterwards. */
  onLosses?: ((losses: Tensor) => void) | undefined;
}

const defaults = Object.freeze({
  predictions: true,
  details: false,
  worst: 20,
  keepLosses: undefined,
  onLosses: undefined,
}) satisfies Required<BatchEvaluatorOptions>;

/** The checked options that later calls read. */
interface Config {
  readonly predictions: boolean;
  readonly details: boolean;
  readonly worst: number;
  readonly onLosses: ((losses: Tensor) => void) | undefined;
}

/** The statistics of a block, and its losses where they are kept. */
interface BlockResult {
  readonly stats: BatchStats;
  readonly losses?: Tensor;
}

/**
 * @internal Starts computing a batch, optionally with the group of each sample. The returned function waits for the
 * device and adds the batch to the result; functions of several batches must be called in the order of their start.
 * Other devices may compute in the meantime. `target`, if given, is the batch's target on the CPU, which saves copying
 * it back from the device.
 */
export let begin: (
  evaluator: BatchEvaluator,
  batch: readonly TensorLike[],
  groups: TensorLike | undefined,
  target: Tensor | undefined,
) => () => void;

/** @internal Says how many samples of the whole data lie before those of the evaluator, for messages. */
export let countFrom: (evaluator: BatchEvaluator, samples: number) => void;

/**
 * The loss over data in batches, equal to that of one call over all of it.
 *
 * Sums are exact and rounded once, at the end: the result depends neither on the batch size nor on how the data is
 * divided among evaluators that are merged. (Losses of elements are first summed in float64 by 64, the same 64 in every
 * batch.) Weighted means, ignored targets and `'batchmean'` are those of the whole data. Each single loss has the same
 * bits as in one call over the whole data on one thread: elementwise losses are computed in blocks that fill the kernels'
 * vectors, and up to 63 rows per thread wait for the next batch. Only `linearCrossEntropy` rounds differently for other
 * batch sizes, as its matrix products do.
 *
 * The weight of `l1Loss`, `mseLoss` and `huberLoss` has the shape of one row and applies to every row. `ctcLoss` takes
 * batches `[T, N, C]`, as the function does.
 *
 * @example
 * const evaluator = new BatchEvaluator(nn.functional.crossEntropy, { labelSmoothing: 0.1 });
 * for (const [logits, labels] of batches) evaluator.update(logits, labels);
 * const { loss, classification } = evaluator.result();
 *
 * @throws TorchError `INVALID_ARGUMENT` for a function that is not a loss of `nn.functional`; `UNKNOWN_OPTION`.
 */
export class BatchEvaluator<Loss extends AnyLoss = AnyLoss> {
  readonly #description: LossDescription;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #reduction: EvaluationResult['reduction'];
  readonly #config: Config;
  readonly #ignoreIndex: number | bigint;
  readonly #measurer: ReturnType<typeof measurer>;
  readonly #blocks: Blocks;
  #tally: Tally;
  #kept: Tensor[] | undefined;
  /** Number of samples passed in so far, whether computed or held back. */
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
    this.#ignoreIndex = classIndex(op, "option 'ignoreIndex'", rest.ignoreIndex ?? -100);
    this.#measurer = measurer(description, { options: rest, ignoreIndex: this.#ignoreIndex });
    this.#blocks = new Blocks(description, this.#ignoreIndex);
    const { keepLosses = wanted === 'none', onLosses } = filled;
    this.#config = {
      predictions: boolean(op, "option 'predictions'", filled.predictions),
      details: boolean(op, "option 'details'", filled.details),
      worst: countOf("option 'worst'", filled.worst),
      onLosses: onLosses && callable(op, "option 'onLosses'", onLosses),
    };
    this.#kept = boolean(op, "option 'keepLosses'", keepLosses) ? [] : undefined;
    this.#tally = new Tally(this.#config);
  }

  /** Test runners compare this tag: an evaluator equals only itself. */
  get [Symbol.toStringTag](): string {
    return #tally in this ? identityTag(this, 'BatchEvaluator') : 'BatchEvaluator';
  }

  /** Adds a batch: the loss's arguments without its options. A batch that is refused changes nothing. */
  update(...batch: BatchOf<Loss>): this {
    return this.#update(batch, undefined);
  }

  /** Adds a batch whose samples belong to groups: an integer for each sample. */
  updateGroups(groups: TensorLike, ...batch: BatchOf<Loss>): this {
    return this.#update(batch, groups);
  }

  /**
   * Adds a batch, computed off the main thread. Batches are added in the order of the calls; the next call may start
   * before this one is done. After a batch that is refused, `result()` throws the same error until `reset()`, because
   * rows that were held back for it are lost.
   */
  async updateAsync(...batch: BatchOf<Loss>): Promise<this> {
    const { blocks, held, given } = scope(() => this.#blocks.cut(batch, undefined, this.#given));
    this.#given += given;
    this.#blocks.hold(held);
    const fixed = { options: this.#options, ignoreIndex: this.#ignoreIndex };
    const tally = this.#tally;
    try {
      const measured = await inBackground(
        () =>
          noGrad(() =>
            blocks.map(({ batch: rows, labels }) =>
              checked(labels, () => {
                return measure(this.#description, rows, { ...fixed, predictions: this.#hasPredictions(rows) });
              }),
            ),
          ),
        (results) => results.flatMap(tensorsOf),
      );
      for (const [i, block] of blocks.entries()) {
        const own = measured[i] as Measured;
        // After a reset in the meantime this batch no longer counts.
        if (tally === this.#tally) this.#add(scope(() => this.#read(block, own)));
        for (const tensor of tensorsOf(own)) tensor.dispose();
      }
    } catch (error) {
      // Rows that were held back may have been among these.
      if (tally === this.#tally) this.#failure ??= error;
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

  /** Computes the rows that were held back. Call it at the end of the data, so that `onLosses` receives all losses. */
  flush(): this {
    const held = this.#blocks.release();
    if (held === undefined) return this;
    this.#add(this.#compute(held));
    for (const tensor of held.batch.args) tensor.dispose();
    return this;
  }

  /** The result so far. More batches may follow. */
  result(): EvaluationResult {
    return this.#withHeldRows().result(this.#description.name, this.#reduction);
  }

  /**
   * Each loss so far in order, flat, with the bits of `reduction: 'none'` over the whole data.
   *
   * @throws TorchError `INVALID_ARGUMENT` if they were not kept.
   */
  losses(): Tensor {
    if (this.#kept === undefined) {
      throw expected(op, "option 'keepLosses'", 'to be true to keep each loss', 'false');
    }
    const { held } = this.#blocks;
    const kept = this.#kept;
    return scope(() => {
      const last = held === undefined ? [] : [this.#compute(held).losses as Tensor];
      const all = [...kept, ...last];
      return all.length === 0 ? asTensor(op, 'losses', new Float32Array(0)) : cat(all);
    });
  }

  /** Clears everything except the options. */
  reset(): this {
    for (const tensor of this.#kept ?? []) tensor.dispose();
    this.#kept = this.#kept && [];
    this.#blocks.hold(undefined);
    this.#failure = undefined;
    this.#given = 0;
    this.#tally = new Tally(this.#config);
    return this;
  }

  /**
   * Appends the data of another evaluator of the same loss and options.
   *
   * @throws TorchError `INVALID_ARGUMENT` for an evaluator of another loss, or without details or losses that this one has.
   */
  merge(other: BatchEvaluator<Loss>): this {
    if (!(other instanceof BatchEvaluator) || other.#description !== this.#description) {
      const actual = other instanceof BatchEvaluator ? `one of ${other.#description.name}` : show(other);
      throw expected(op, "'other'", `to be an evaluator of ${this.#description.name}`, actual);
    }
    checkSameOptions("'other'", this.#options, other.#options);
    if (this.#config.details && !other.#config.details) throw expected(op, "'other'", 'to have details', 'one without');
    if (this.#kept !== undefined && other.#kept === undefined) {
      throw expected(op, "'other'", 'to have kept its losses', 'one that has not');
    }
    this.flush();
    this.#tally.merge(other.#withHeldRows());
    this.#given += other.#given;
    if (this.#kept !== undefined && other.#kept !== undefined) this.#kept.push(keep(other.losses()));
    return this;
  }

  /** What is known so far in plain values: for other processes and machines, where `fromState` goes on with it. */
  state(): EvaluatorState {
    return writeState(this.#description, this.#options, this.#withHeldRows());
  }

  /**
   * Restores an evaluator from a state. Kept losses are not part of a state.
   *
   * @throws TorchError `INVALID_ARGUMENT` for a state of another loss, or something that is not a state.
   */
  static fromState<Loss extends AnyLoss>(
    state: EvaluatorState,
    loss: Loss,
    lossOptions?: OptionsOf<Loss>,
    options?: BatchEvaluatorOptions,
  ): BatchEvaluator<Loss> {
    const made = new BatchEvaluator(loss, lossOptions, options);
    made.#tally = readState(state, made.#description, made.#options, made.#config);
    made.#given = made.#tally.losses;
    return made;
  }

  #update(values: readonly TensorLike[], groups: TensorLike | undefined): this {
    scope(() => {
      const { blocks, held, given } = this.#blocks.cut(values, groups, this.#given);
      // All blocks are computed before any is added, so that a refused batch changes nothing.
      for (const result of blocks.map((block) => this.#compute(block))) this.#add(result);
      this.#blocks.hold(held);
      this.#given += given;
    });
    return this;
  }

  /** Starts computing a batch. The returned function waits for the device and adds the batch. */
  #begin(values: readonly TensorLike[], groups: TensorLike | undefined, target: Tensor | undefined): () => void {
    const begun = scope(() => {
      const { blocks, held, given } = this.#blocks.cut(values, groups, this.#given, target);
      const measured = blocks.map((block) => [block, this.#measure(block)] as const);
      this.#blocks.hold(held);
      this.#given += given;
      return keep(measured);
    });
    return () => {
      for (const [block, measured] of begun) {
        this.#add(scope(() => this.#read(block, measured)));
        for (const tensor of tensorsOf(measured)) tensor.dispose();
        for (const tensor of block.batch.args) disposeOwn(tensor, values);
      }
    };
  }

  static {
    begin = (evaluator, batch, groups, target) => evaluator.#begin(batch, groups, target);
    countFrom = (evaluator, samples) => {
      evaluator.#given += samples;
    };
  }

  get #keeps(): boolean {
    return this.#kept !== undefined || this.#config.onLosses !== undefined;
  }

  #hasPredictions(batch: Batch): boolean {
    return this.#config.predictions && hasPredictions(this.#description, batch);
  }

  #measure({ batch, labels }: Block): Measured {
    const predictions = this.#hasPredictions(batch);
    return noGrad(() => checked(labels, () => this.#measurer(batch, { predictions })));
  }

  #stats(block: Block, measured: Measured): BatchStats {
    const each = this.#description.lossesOf === 'samples' || this.#config.details || block.groups !== undefined;
    return batchStats(this.#description, this.#options, block, measured, each);
  }

  #compute(block: Block): BlockResult {
    return scope(() => this.#read(block, this.#measure(block)));
  }

  #read(block: Block, measured: Measured): BlockResult {
    const losses = this.#keeps ? { losses: flat(measured.losses) } : {};
    return { stats: this.#stats(block, measured), ...losses };
  }

  #add({ stats, losses }: BlockResult): void {
    this.#tally.add(stats);
    if (losses === undefined) return;
    this.#config.onLosses?.(losses);
    if (this.#kept === undefined) losses.dispose();
    else this.#kept.push(keep(losses));
  }

  /** The tally including the rows that are held back. */
  #withHeldRows(): Tally {
    if (this.#failure !== undefined) throw this.#failure;
    const { held } = this.#blocks;
    if (held === undefined) return this.#tally;
    const whole = Tally.fromState(this.#tally.state(), this.#config);
    scope(() => whole.add(this.#stats(held, this.#measure(held))));
    return whole;
  }
}

/** Checks values that would put a GPU into a permanent error state; labels were checked when they were read. */
function checked<T>(labels: Float64Array | undefined, fn: () => T): T {
  return labels === undefined ? validating(fn) : fn();
}

function countOf(argument: string, value: unknown): number {
  const count = integer(op, argument, value);
  if (count >= 0) return count;
  throw expected(op, argument, 'to be 0 or greater', show(value));
}

function flat(losses: Tensor): Tensor {
  return losses.reshape([-1]).clone();
}

function disposeOwn(tensor: Tensor, given: readonly unknown[]): void {
  if (!given.includes(tensor)) tensor.dispose();
}
