/** The states of all shards of an evaluation, made one result. */
import { TorchError } from '../errors';
import { badData } from '../io/bad-data';
import type { EvaluationResult } from './result';
import { parseShardState, type ShardedWork, type ShardState } from './shard-state';
import { readTally } from './state';
import { Tally } from './tally';

/** What all shards together have found. */
export interface Merged {
  readonly result: EvaluationResult;
  readonly work: ShardedWork;
  readonly shards: number;
  readonly files: readonly string[];
  /** Of all shards. */
  readonly bytes: number;
  /** Of the slowest shard. */
  readonly seconds: number;
}

interface Named extends ShardState {
  readonly name: string;
}

/** How many of the worst samples are kept, as by an evaluation. */
const worst = 20;

/**
 * Merges states in the order of their shards, whatever order they are given in: their texts by names for messages. The
 * result has the bits of one process's.
 *
 * @throws TorchError `BAD_DATA`, which names the files, for damaged ones, a shard that is missing or there twice, and
 *   shards of evaluations that are not the same.
 */
export function mergeShards(states: readonly (readonly [name: string, text: string])[]): Merged {
  const read = states.map(([name, text]): Named => ({ ...parseShardState(name, text), name }));
  const [first] = read as [Named];
  for (const other of read) checkSame(first, other);
  const shards = inOrder(read);
  const { work, run } = first;
  const options = { details: work.details, worst };
  const all = new Tally(options);
  for (const { state } of shards) all.merge(readTally(state, options));
  return {
    result: all.result(work.loss, work.reduction),
    work,
    shards: shards.length,
    files: run.files,
    bytes: shards.reduce((sum, own) => sum + own.run.bytes, 0),
    seconds: Math.max(...shards.map((own) => own.run.seconds)),
  };
}

/** Refuses a state of another evaluation, and says what differs. */
function checkSame(first: Named, other: Named): void {
  const differs = (what: string, own: unknown, firsts: unknown): Error =>
    badData(other.name, `was evaluated ${withText(what, own)}, but ${first.name} ${withText(what, firsts)}`);
  for (const key of ['files', 'options'] as const) {
    const [own, firsts] = [other.work[key], first.work[key]];
    const names: Readonly<Record<typeof key, string>> = { files: 'the file of', options: 'option' };
    for (const name of Object.keys({ ...firsts, ...own })) {
      if (own[name] !== firsts[name]) throw differs(`${names[key]} '${name}'`, own[name], firsts[name]);
    }
  }
  const { files: _, options: __, ...plain } = first.work;
  for (const name of Object.keys(plain) as (keyof typeof plain)[]) {
    if (other.work[name] !== plain[name]) throw differs(name, other.work[name], plain[name]);
  }
  if (other.shard.count === first.shard.count) return;
  throw badData(other.name, `is ${shardText(other)}, but ${first.name} is ${shardText(first)}`);
}

function withText(what: string, value: unknown): string {
  return value === undefined ? `without ${what}` : `with ${what} ${value}`;
}

function shardText({ shard: { index, count } }: ShardState): string {
  return `shard ${index} of ${count}`;
}

/** The shards by their numbers, if each is there once. */
function inOrder(read: readonly Named[]): Named[] {
  const { count } = (read[0] as Named).shard;
  const shards = new Map<number, Named>();
  for (const own of read) {
    const before = shards.get(own.shard.index);
    if (before !== undefined) throw badData(own.name, `is ${shardText(own)}, and so is ${before.name}`);
    shards.set(own.shard.index, own);
  }
  const missing = Array.from({ length: count }, (_, i) => i).filter((i) => !shards.has(i));
  if (missing.length > 0) throw missingError(missing, count);
  const sorted = [...shards.values()].sort((a, b) => a.shard.index - b.shard.index);
  let [end, last] = [0, ''];
  for (const { name, rows } of sorted) {
    if (rows.first !== end) throw badData(name, `begins at row ${rows.first}, but ${last} ends before row ${end}`);
    [end, last] = [rows.end, name];
  }
  return sorted;
}

function missingError(missing: readonly number[], count: number): Error {
  const shown = missing.slice(0, 20).join(', ');
  const more = missing.length > 20 ? ` and ${missing.length - 20} more` : '';
  const what = missing.length === 1 ? `shard ${shown} of ${count} is` : `shards ${shown}${more} of ${count} are`;
  return new TorchError('BAD_DATA', `merge: ${what} missing (they are counted from 0)`, { op: 'merge' });
}
