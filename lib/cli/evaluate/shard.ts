/** Which shard a process evaluates: as it was told, or as the scheduler that started it says. */
import { expected, show } from '../../errors';
import type { Shard } from '../../evaluate/shard';
import { oneOf } from '../../options';

const op = 'evaluate';

/** The variables by which a scheduler tells its processes apart. */
interface Scheduler {
  readonly index: string;
  /** Absent where the number of processes has to be given. */
  readonly count?: string;
  /** The number of the first process, and the distance from one to the next, where they may differ from 0 and 1. */
  readonly first?: string;
  readonly step?: string;
}

/** The schedulers by the names that `--shard` takes. */
export const schedulers: Readonly<Record<string, Scheduler>> = {
  slurm: {
    index: 'SLURM_ARRAY_TASK_ID',
    count: 'SLURM_ARRAY_TASK_COUNT',
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
  },
  torchrun: { index: 'RANK', count: 'WORLD_SIZE' },
  kubernetes: { index: 'JOB_COMPLETION_INDEX' },
  'aws-batch': { index: 'AWS_BATCH_JOB_ARRAY_INDEX', count: 'AWS_BATCH_JOB_ARRAY_SIZE' },
  'cloud-run': { index: 'CLOUD_RUN_TASK_INDEX', count: 'CLOUD_RUN_TASK_COUNT' },
};

type Environment = Readonly<Record<string, string | undefined>>;

/** A shard, and the variables that said so. */
export interface ShardFound {
  readonly shard: Shard;
  readonly by: readonly string[];
}

const forms = "to be <index>/<count> with an index from 0, or 'auto' under a scheduler";

/**
 * Reads `--shard`: `2/8`, `auto`, the name of a scheduler, and either of these with the number of shards: `auto/8`.
 *
 * @throws TorchError `INVALID_ARGUMENT`, also for variables that are missing, make no shard, or contradict each other.
 */
export function readShard(text: string, env: Environment): ShardFound {
  const [, from, , count] = /^([^/]*)(\/(.*))?$/.exec(text) as RegExpExecArray;
  const given = count === undefined ? undefined : integer(count);
  if (count !== undefined && (given === undefined || given < 1)) throw expected(op, "'--shard'", forms, show(text));
  const index = integer(from as string);
  if (index !== undefined) {
    if (given !== undefined && index < given) return { shard: { index, count: given }, by: [] };
    throw expected(op, "'--shard'", forms, show(text));
  }
  if (from === 'auto') return findShard(given, env);
  oneOf(op, "'--shard'", from, ['<index>/<count>', 'auto', ...Object.keys(schedulers)]);
  return shardOf(schedulers[from as string] as Scheduler, given, env);
}

/** Whether a scheduler has started this process. */
export function isScheduled(env: Environment): boolean {
  return Object.values(schedulers).some(({ index }) => isSet(env[index]));
}

/** Whether torchrun has started this process as one of several. */
export function isOfTorchrun(env: Environment): boolean {
  return isSet(env.TORCHELASTIC_RUN_ID) && isSet(env.RANK) && env.WORLD_SIZE !== '1';
}

/** Whether the processes of all shards can meet: torchrun tells its own where. */
export function canMeet({ shard, by }: ShardFound, env: Environment): boolean {
  return by[0] === 'RANK' && shard.count > 1 && isSet(env.MASTER_ADDR) && isSet(env.MASTER_PORT);
}

/** The shard by the variables of whichever scheduler has set some. */
function findShard(given: number | undefined, env: Environment): ShardFound {
  const set = Object.entries(schedulers).filter(([, { index }]) => isSet(env[index]));
  if (set.length === 0) {
    const variables = Object.values(schedulers).map(({ index }) => index);
    throw expected(op, "'--shard auto'", `to find one of ${variables.join(', ')}`, 'none of them');
  }
  const found = set.map(([, scheduler]) => shardOf(scheduler, given, env));
  // That it is alone says nothing of a process; what else is set does.
  const several = found.filter(({ shard }) => shard.count > 1);
  const [first = found[0] as ShardFound, ...others] = several;
  const other = others.find(({ shard }) => shard.index !== first.shard.index || shard.count !== first.shard.count);
  if (other === undefined) return first;
  const names = set.map(([name]) => `--shard ${name}`).join(' or ');
  const texts = [first, other].map(({ shard, by }) => `${shard.index}/${shard.count} by ${by.join(' and ')}`);
  throw expected(op, "'--shard auto'", `to find one shard (choose by ${names})`, texts.join(', '));
}

function shardOf(scheduler: Scheduler, given: number | undefined, env: Environment): ShardFound {
  const { index: indexName, count: countName, first: firstName, step: stepName } = scheduler;
  const variable = (name: string): number => {
    const value = integer(env[name] ?? '');
    if (value !== undefined) return value;
    throw expected(op, `${name} of the environment`, 'to be an integer >= 0', show(env[name]));
  };
  const optional = (name: string | undefined, otherwise: number): number =>
    name === undefined || !isSet(env[name]) ? otherwise : variable(name);
  const by = countName === undefined ? [indexName] : [indexName, countName];
  if (countName === undefined && given === undefined) {
    const what = `to say how many shards there are, as in 'auto/8': ${indexName} comes without a number of them`;
    throw expected(op, "'--shard'", what, 'none');
  }
  const count = countName === undefined ? (given as number) : variable(countName);
  if (given !== undefined && given !== count) {
    throw expected(op, "'--shard'", `to be of ${count} shards, as ${countName} says`, String(given));
  }
  const index = (variable(indexName) - optional(firstName, 0)) / optional(stepName, 1);
  if (Number.isSafeInteger(index) && index >= 0 && index < count) return { shard: { index, count }, by };
  const what = `to count ${count} shards from ${optional(firstName, 0)} in steps of ${optional(stepName, 1)}`;
  throw expected(op, `${indexName} of the environment`, what, show(env[indexName]));
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function integer(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

/**
 * The path of an output with the number of the shard in the place of `{shard}`, with as many digits as the greatest one.
 *
 * @throws TorchError `INVALID_ARGUMENT` for `{shard}` without a shard.
 */
export function shardPath(flag: string, path: string, shard: Shard | undefined): string {
  if (!path.includes('{shard}')) return path;
  if (shard === undefined) throw expected(op, flag, "to name a file without {shard}, or with '--shard'", show(path));
  const digits = String(shard.count - 1).length;
  return path.replaceAll('{shard}', String(shard.index).padStart(digits, '0'));
}
