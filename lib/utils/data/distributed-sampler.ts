/** Shares of a data set, one for each rank. */
import { getRank, getWorldSize } from '../../distributed/process-group';
import { expected, show } from '../../errors';
import { boolean, integer, withDefaults } from '../../options';
import { Generator } from '../../torch/generator';
import { randperm } from '../../torch/operators.generated';

/** A data set, or how many elements one has. */
export type Sized =
  | number
  | {
      /** Of arrays and data sets. */
      readonly length: number;
    }
  | {
      /** Of sets and maps. */
      readonly size: number;
    };

/** Options of {@link DistributedSampler}, by PyTorch's names. */
export interface DistributedSamplerOptions {
  /** How many ranks share the data. Default: the size of the default group. */
  numReplicas?: number | null;
  /** Whose share it is. Default: the rank in the default group. */
  rank?: number | null;
  /** Whether each epoch has its own order, the same on every rank. Default `true`. */
  shuffle?: boolean | null;
  /** What the orders come from; the same on every rank. Default 0. */
  seed?: number | null;
  /** Whether elements that cannot be shared evenly are left out, instead of some being taken twice. Default `false`. */
  dropLast?: boolean | null;
}

/**
 * The indices of a rank's share of a data set, in PyTorch's order: shares are disjoint and of the same size.
 *
 * @example
 * const sampler = new utils.data.DistributedSampler(1000, { seed: 7 });
 * for (let epoch = 0; epoch < 3; epoch++) {
 *   sampler.setEpoch(epoch);
 *   for (const index of sampler) train(index);
 * }
 *
 * **Source**: `torch.utils.data.distributed.DistributedSampler`.
 */
export class DistributedSampler implements Iterable<number> {
  /** How many ranks share the data. */
  readonly numReplicas: number;
  /** Whose share it is. */
  readonly rank: number;
  readonly #total: number;
  readonly #shuffles: boolean;
  readonly #seed: number;
  readonly #dropsLast: boolean;
  #epoch = 0;

  constructor(dataset: Sized, options?: DistributedSamplerOptions | null) {
    const op = 'DistributedSampler';
    const given = withDefaults<DistributedSamplerOptions>(op, options ?? undefined, {
      numReplicas: null,
      rank: null,
      shuffle: true,
      seed: 0,
      dropLast: false,
    });
    this.#total = countOf(op, dataset);
    this.numReplicas = integer(op, "option 'numReplicas'", given.numReplicas ?? getWorldSize());
    this.rank = integer(op, "option 'rank'", given.rank ?? getRank());
    if (this.rank < 0 || this.rank >= this.numReplicas) {
      throw expected(op, "option 'rank'", `to be in [0, ${this.numReplicas})`, show(this.rank));
    }
    this.#shuffles = boolean(op, "option 'shuffle'", given.shuffle);
    this.#seed = integer(op, "option 'seed'", given.seed);
    this.#dropsLast = boolean(op, "option 'dropLast'", given.dropLast);
  }

  /** How many indices a rank has. */
  get length(): number {
    const shared = this.#total / this.numReplicas;
    return this.#dropsLast ? Math.floor(shared) : Math.ceil(shared);
  }

  /** Has the next iteration use the order of an epoch. */
  setEpoch(epoch: number): void {
    this.#epoch = integer('setEpoch', "'epoch'", epoch);
  }

  /** The indices. */
  *[Symbol.iterator](): Iterator<number, void> {
    const order = this.#order();
    const count = this.length * this.numReplicas;
    for (let i = this.rank; i < count; i += this.numReplicas) yield order[i % order.length] as number;
  }

  #order(): ArrayLike<number> {
    if (!this.#shuffles) return Array.from({ length: this.#total }, (_, i) => i);
    const generator = new Generator().manualSeed(this.#seed + this.#epoch);
    return (randperm(this.#total, { generator }).toArray() as (number | bigint)[]).map(Number);
  }
}

function countOf(op: string, dataset: unknown): number {
  const { length, size } = (dataset ?? {}) as { length?: unknown; size?: unknown };
  const count = typeof dataset === 'number' ? dataset : (length ?? size);
  if (Number.isSafeInteger(count) && (count as number) >= 0) return count as number;
  throw expected(op, "'dataset'", 'to have a length or a size, or to be the number of elements', show(dataset));
}
