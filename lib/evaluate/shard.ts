/** One of several processes that share the rows of an evaluation. */
import { expected } from '../errors';
import { badData } from '../io/bad-data';
import { type Reading, rowsOfBatch, type Sources } from './batches';
import { vectorElements } from './blocks';
import { type RowRange, Window } from './files/window';
import type { LossDescription } from './losses';
import type { EvaluationRequest } from './request';
import type { ArraySource } from './source';

/** Which part of the rows is evaluated: the one with this number, from 0, of so many. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The rows of a shard, and how many there are in all. */
export interface ShardRows extends RowRange {
  readonly total: number;
}

/**
 * The rows of a shard. Shards lie in the order of their numbers and differ by at most one unit: the first ones have one
 * more where they cannot all be equal.
 *
 * @param unit shards begin at multiples of so many rows
 */
export function rowsOfShard({ index, count }: Shard, total: number, unit: number): ShardRows {
  const units = Math.ceil(total / unit);
  const [each, more] = [Math.floor(units / count), units % count];
  const start = (shard: number): number => Math.min(total, (shard * each + Math.min(shard, more)) * unit);
  return { first: start(index), end: start(index + 1), total };
}

/**
 * @internal Where shards may begin, so that each loss has the bits that it has in a single process: losses of samples
 * depend on their own rows alone, those of elements on their place in a vector, matrix products on the whole batch.
 */
export function unitOf(description: LossDescription, first: ArraySource, order: Pick<Reading, 'batchRows'>): number {
  if (description.lossesOf === 'elements') return vectorElements;
  return description.constant.length > 0 ? rowsOfBatch(description, first, order) : 1;
}

/** @internal The rows that a request asks for; `undefined` for all rows of a stream. */
export function findRows(
  description: LossDescription,
  first: ArraySource,
  { shard = { index: 0, count: 1 }, batchRows }: Pick<EvaluationRequest, 'shard' | 'batchRows'>,
): ShardRows | undefined {
  if (first.rows !== undefined) return rowsOfShard(shard, first.rows, unitOf(description, first, { batchRows }));
  if (shard.count === 1) return undefined;
  throw badData(first.name, 'does not say how many rows it has, so that it cannot be evaluated in shards');
}

/** @internal The same arrays with some rows alone. */
export function narrowed(sources: Sources, rows: RowRange): Sources {
  const windows = new Map(sources.batched.map((source) => [source, new Window(source, rows)]));
  const windowOf = (source: ArraySource): ArraySource => windows.get(source) as Window;
  return {
    first: windowOf(sources.first),
    batched: sources.batched.map(windowOf),
    byArgument: sources.byArgument.map((source) => ('read' in source ? windowOf(source) : source)),
  };
}

/** @internal Refuses what a shard alone cannot know. */
export function checkShard({ shard, gradient, options }: EvaluationRequest): void {
  if (shard === undefined || shard.count === 1 || gradient === undefined || options.reduction === 'sum') return;
  const what = "to come with '--reduction sum' in a shard: the denominator of a mean is known when all are merged";
  throw expected('evaluate', "'--gradient'", what, 'a mean');
}
