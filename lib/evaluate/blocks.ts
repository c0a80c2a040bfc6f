/** Cuts batches into blocks, and holds back the rows that have to wait for the next batch. */
import { expected, show } from '../errors';
import { asTensor, type TensorLike } from '../nn/losses/arguments';
import { getNumThreads } from '../torch/runtime';
import { keep } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { type Batch, hasLabels, haveSameRows, joined, narrowed, op, readBatch, readLabels } from './batch';
import type { LossDescription } from './losses';

/** @internal A block of rows, and what is known before it is computed. */
export interface Block {
  readonly batch: Batch;
  /** In the order of the losses; -1 for ignored ones. */
  readonly labels: Float64Array | undefined;
  /** Of each row; NaN for rows that belong to none. */
  readonly groups: Float64Array | undefined;
}

/** @internal A batch in blocks, the rows that wait for the next batch, and how many samples were given. */
export interface Cut {
  readonly blocks: readonly Block[];
  readonly held: Block | undefined;
  readonly given: number;
}

/**
 * @internal Bytes of the first argument that are computed at once. Scores shrink to a number a row on the way; losses
 * of elements are as many as the elements.
 */
export const blockBytes = { samples: 64 * 2 ** 20, elements: 16 * 2 ** 20 };

/** @internal A multiple of the length of the kernels' vectors, unrolled twice: so many elements have no remainder. */
export const vectorElements = 64;

/**
 * @internal Cuts batches. Losses of samples depend on their own rows alone. Losses of elements have the bits of one
 * call over the whole data only if the kernels' vectors have no remainder, so the rows of the remainder are held back.
 */
export class Blocks {
  readonly #description: LossDescription;
  readonly #ignoreIndex: number | bigint;
  #held: Block | undefined;

  constructor(description: LossDescription, ignoreIndex: number | bigint) {
    this.#description = description;
    this.#ignoreIndex = ignoreIndex;
  }

  /** The rows that are held back. */
  get held(): Block | undefined {
    return this.#held;
  }

  /** Replaces the rows that are held back. */
  hold(rows: Block | undefined): void {
    for (const tensor of this.#held === rows ? [] : (this.#held?.batch.args ?? [])) tensor.dispose();
    for (const tensor of rows?.batch.args ?? []) keep(tensor);
    this.#held = rows;
  }

  /** Gives up the rows that were held back: the caller disposes them. */
  release(): Block | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /**
   * The blocks that can be computed now, beginning with the rows held back before, and the rows to hold back.
   *
   * @param firstIndex how many samples were given before, for messages
   * @param target that of the batch on the CPU, where the batch is not
   */
  cut(values: readonly TensorLike[], groups: TensorLike | undefined, firstIndex: number, target?: Tensor): Cut {
    const batch = readBatch(this.#description, values);
    const whole = this.#known(batch, groups, firstIndex, target ?? (batch.args.at(-1) as Tensor));
    const given = whole.labels?.length ?? batch.rows;
    const blockRows = rowsOfBlock(batch, blockBytes[this.#description.lossesOf]);
    if (this.#description.lossesOf === 'samples') {
      return { blocks: this.#split(whole, 0, batch.rows, blockRows), held: undefined, given };
    }
    const waiting = this.#held;
    const joinable = waiting !== undefined && haveSameRows(waiting.batch, batch) ? waiting : undefined;
    // Rows of another shape or dtype cannot be joined with these.
    const before = waiting === joinable ? [] : [this.#join(undefined, waiting as Block)];
    const rowsHeld = joinable?.batch.rows ?? 0;
    const quantum = vectorElements * getNumThreads();
    const ready = rowsHeld + batch.rows - ((rowsHeld + batch.rows) % quantum);
    if (ready === 0) return { blocks: before, held: this.#join(joinable, whole), given };
    // If the number of threads has changed since, more rows may have been held back than needed now.
    const head = rowsHeld === 0 ? 0 : Math.max(0, Math.min(ready, Math.ceil(rowsHeld / quantum) * quantum) - rowsHeld);
    const first = joinable === undefined ? [] : [this.#join(joinable, this.#part(whole, 0, head))];
    const aligned = Math.max(quantum, blockRows - (blockRows % quantum));
    const blocks = [...before, ...first, ...this.#split(whole, head, ready - rowsHeld, aligned)];
    const rest = batch.rows - (ready - rowsHeld);
    const held = rest === 0 ? undefined : this.#join(undefined, this.#part(whole, ready - rowsHeld, rest));
    return { blocks, held, given };
  }

  #known(batch: Batch, groups: TensorLike | undefined, firstIndex: number, target: Tensor): Block {
    const description = this.#description;
    let labels: Float64Array | undefined;
    if (hasLabels(description, batch)) {
      const [first, second] = batch.args as [Tensor, Tensor];
      const classes = description.name === 'linearCrossEntropy' ? second.shape[0] : first.shape[1];
      labels = readLabels(target, classes ?? 0, this.#ignoreIndex, firstIndex);
    }
    return { batch, labels, groups: groups === undefined ? undefined : readGroups(groups, batch.rows) };
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

  /** In memory of their own. */
  #join(first: Block | undefined, second: Block): Block {
    const isGrouped = first?.groups !== undefined || second.groups !== undefined;
    const groups = isGrouped ? Float64Array.from([...groupsOf(first), ...groupsOf(second)]) : undefined;
    return { batch: joined(this.#description, first?.batch, second.batch), labels: undefined, groups };
  }
}

function rowsOfBlock({ args, rows }: Batch, bytes: number): number {
  const [first] = args as [Tensor];
  return Math.max(1, Math.floor((bytes * rows) / Math.max(first.nbytes, 1)));
}

function readGroups(given: TensorLike, rows: number): Float64Array {
  const groups = asTensor(op, 'groups', given).to('float64').toTypedArray<Float64Array>();
  const what = `to hold ${rows} integers, one a sample`;
  if (groups.length !== rows) throw expected(op, "'groups'", what, `${groups.length} elements`);
  const at = groups.findIndex((group) => !Number.isSafeInteger(group));
  if (at >= 0) throw expected(op, "'groups'", what, `${show(groups[at])} at index ${at}`);
  return groups;
}

function groupsOf(block: Block | undefined): Float64Array {
  return block?.groups ?? new Float64Array(block?.batch.rows ?? 0).fill(Number.NaN);
}
