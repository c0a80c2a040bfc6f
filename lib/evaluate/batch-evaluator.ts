/** A loss over more data than one call can take. */
import { expected, show } from '../errors';
import { asTensor, type TensorLike } from '../nn/functional/arguments';
import { boolean, callable, classIndex, integer, oneOf, withDefaults } from '../options';
import { noGrad } from '../tensor/autograd';
import { identityTag } from '../tensor/comparison-tag';
import { validating } from '../tensor/cuda/validation';
import { inBackground } from '../tensor/recording';
import { keep, scope } from '../tensor/scope';
import type { Tensor } from '../tensor/tensor';
import { cat } from '../torch/operators.generated';
import { additionOf } from './addition';
import { type Batch, op } from './batch';
import { type Block, Blocks } from './blocks';
import { type AnyLoss, type BatchOf, descriptionOf, type LossDescription, type OptionsOf } from './losses';
import { hasPredictions, type Measured, measure, measurer, tensorsOf, type Wanted } from './measure';
import type { EvaluationResult } from './result';
import { checkSameOptions, type EvaluatorState, readState, writeState } from './state';
import { type Addition, Tally } from './tally';

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

/** What a block adds, and its losses where they are kept. */
interface Found {
  readonly addition: Addition;
  readonly losses?: Tensor;
}

/**
 * @internal Begins a batch, with the group of each sample or without. The function that it gives counts the batch; those
 * of several batches have to be called in the order in which these were begun. Meanwhile other devices may be at work.
 * `target` is the batch's on the CPU, where there is one: nobody then waits for it to come back from the device.
 */
export let begin: (
  evaluator: BatchEvaluator,
  batch: readonly TensorLike[],
  groups: TensorLike | undefined,
  target: Tensor | undefined,
) => () => void;

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
  readonly #ignoreIndex: number | bigint;
  readonly #measurer: ReturnType<typeof measurer>;
  readonly #blocks: Blocks;
  #tally: Tally;
  #kept: Tensor[] | undefined;
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
    this.#ignoreIndex = classIndex(op, "option 'ignoreIndex'", rest.ignoreIndex ?? -100);
    this.#measurer = measurer(description, { options: rest, ignoreIndex: this.#ignoreIndex });
    this.#blocks = new Blocks(description, this.#ignoreIndex);
    const { keepLosses = wanted === 'none', onLosses } = filled;
    this.#own = {
      predictions: boolean(op, "option 'predictions'", filled.predictions),
      details: boolean(op, "option 'details'", filled.details),
      worst: countOf("option 'worst'", filled.worst),
      onLosses: onLosses && callable(op, "option 'onLosses'", onLosses),
    };
    this.#kept = boolean(op, "option 'keepLosses'", keepLosses) ? [] : undefined;
    this.#tally = new Tally(this.#own);
  }

  /** What test runners tell evaluators apart by: each equals itself only. */
  get [Symbol.toStringTag](): string {
    return #tally in this ? identityTag(this, 'BatchEvaluator') : 'BatchEvaluator';
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
    const { blocks, held, given } = scope(() => this.#blocks.cut(batch, undefined, this.#given));
    this.#given += given;
    this.#blocks.hold(held);
    const wanted = this.#wanted(undefined);
    const tally = this.#tally;
    try {
      const measured = await inBackground(
        () =>
          noGrad(() =>
            blocks.map(({ batch: rows, labels }) =>
              checked(labels, () => measure(this.#description, rows, this.#wantedFor(rows, wanted))),
            ),
          ),
        (results) => results.flatMap(tensorsOf),
      );
      for (const [i, block] of blocks.entries()) {
        const own = measured[i] as Measured;
        // A reset meanwhile has forgotten this batch.
        if (tally === this.#tally) this.#take(scope(() => this.#read(block, own)));
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

  /** Computes the rows that wait for others; for the end of the data, where `onLosses` is to see all of it. */
  flush(): this {
    const held = this.#blocks.release();
    if (held === undefined) return this;
    this.#take(this.#find(held));
    for (const tensor of held.batch.args) tensor.dispose();
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
    const { held } = this.#blocks;
    const kept = this.#kept;
    return scope(() => {
      const last = held === undefined ? [] : [this.#find(held).losses as Tensor];
      const all = [...kept, ...last];
      return all.length === 0 ? asTensor(op, 'losses', new Float32Array(0)) : cat(all);
    });
  }

  /** Forgets everything but the options. */
  reset(): this {
    for (const tensor of this.#kept ?? []) tensor.dispose();
    this.#kept = this.#kept && [];
    this.#blocks.hold(undefined);
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
    checkSameOptions("'other'", this.#options, other.#options);
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
    return writeState(this.#description, this.#options, this.#settled());
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
    made.#tally = readState(state, made.#description, made.#options, made.#own);
    made.#given = made.#tally.losses;
    return made;
  }

  #update(values: readonly TensorLike[], groups: TensorLike | undefined): this {
    scope(() => {
      const { blocks, held, given } = this.#blocks.cut(values, groups, this.#given);
      // All of them before any counts: a batch that is refused leaves nothing behind.
      for (const found of blocks.map((block) => this.#find(block))) this.#take(found);
      this.#blocks.hold(held);
      this.#given += given;
    });
    return this;
  }

  /** Measures a batch; what it gives counts it, and waits for the device to be done. */
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
        this.#take(scope(() => this.#read(block, measured)));
        for (const tensor of tensorsOf(measured)) tensor.dispose();
        for (const tensor of block.batch.args) disposeOwn(tensor, values);
      }
    };
  }

  static {
    begin = (evaluator, batch, groups, target) => evaluator.#begin(batch, groups, target);
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

  #measure({ batch, groups, labels }: Block): Measured {
    const { predictions, each } = this.#wantedFor(batch, this.#wanted(groups));
    return noGrad(() => checked(labels, () => this.#measurer(batch, { predictions, each })));
  }

  #find(block: Block): Found {
    return scope(() => this.#read(block, this.#measure(block)));
  }

  #read(block: Block, measured: Measured): Found {
    const losses = this.#keeps ? { losses: flat(measured.losses) } : {};
    return { addition: additionOf(this.#description, this.#options, block, measured), ...losses };
  }

  #take({ addition, losses }: Found): void {
    this.#tally.add(addition);
    if (losses === undefined) return;
    this.#own.onLosses?.(losses);
    if (this.#kept === undefined) losses.dispose();
    else this.#kept.push(keep(losses));
  }

  /** The sums with the rows that are held back. */
  #settled(): Tally {
    if (this.#failure !== undefined) throw this.#failure;
    const { held } = this.#blocks;
    if (held === undefined) return this.#tally;
    const whole = Tally.fromState(this.#tally.state(), this.#own);
    scope(() => whole.add(additionOf(this.#description, this.#options, held, this.#measure(held))));
    return whole;
  }
}

/** Looks at values that would make a GPU fail for good; labels have been looked at when they were read. */
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
