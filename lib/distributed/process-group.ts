/** Process groups: the processes that work together. */
import { native } from '../binding/load';
import type { GroupHandle } from '../binding/native';
import { expected, show, TorchError } from '../errors';
import { integer, oneOf, withDefaults } from '../options';
import { meetBy } from './rendezvous';
import { milliseconds, PrefixStore, type Store, storeHandle } from './stores';
import { startWork, type Work } from './work';

/** How long Gloo waits by default, in milliseconds. **Source**: `torch.distributed.constants.default_pg_timeout`. */
const defaultTimeout = 1_800_000;

/** A key of this module: only it can make a ProcessGroup. */
const key = Symbol('libtorch-losses.process-group');

let handleOf: (group: ProcessGroup) => GroupHandle | undefined;
let isGroup: (value: unknown) => value is ProcessGroup;

/** What a group consists of. */
interface Members {
  readonly name: string;
  /** The ranks of its processes in the default group, by their ranks in this one. */
  readonly ranks: readonly number[];
  /** The rank of this process in it; -1 if it has none. */
  readonly rank: number;
  readonly timeout: number;
}

/**
 * A group of processes. One that this process is not in has rank -1, and takes no part in collectives.
 *
 * **Source**: `torch.distributed.ProcessGroup`.
 */
export class ProcessGroup {
  readonly #handle: GroupHandle | undefined;
  readonly #members: Members;

  /** @internal Made by initProcessGroup and newGroup. */
  constructor(members: Members, handle: GroupHandle | undefined, made: symbol) {
    if (made !== key) throw new TypeError('ProcessGroup: initProcessGroup and newGroup make them');
    this.#members = members;
    this.#handle = handle;
  }

  static {
    handleOf = (group) => group.#handle;
    isGroup = (value): value is ProcessGroup => typeof value === 'object' && value !== null && #members in value;
  }

  /** The name by which operators of `torch.ops._c10d_functional` know it. */
  get groupName(): string {
    return this.#members.name;
  }

  /** The rank of this process in the group. */
  rank(): number {
    return this.#members.rank;
  }

  /** How many processes are in it. */
  size(): number {
    return this.#members.ranks.length;
  }

  /** @internal How long its operations wait, in milliseconds. */
  get timeout(): number {
    return this.#members.timeout;
  }

  /** @internal The ranks of its processes in the default group, by their ranks in this one. */
  get ranks(): readonly number[] {
    return this.#members.ranks;
  }
}

/** What there is while a default group is. */
interface World {
  readonly group: ProcessGroup;
  readonly store: Store;
  readonly groups: Set<ProcessGroup>;
  readonly connected: Work;
  /** How many groups have been made, by which they are named. */
  count: number;
}

let world: World | undefined;

/** Options of {@link initProcessGroup}, by PyTorch's names. */
export interface InitProcessGroupOptions {
  /** Where processes meet: `'env://'` (the default), `'tcp://host:port'` or `'file:///path'`. */
  initMethod?: string | null;
  /** How long operations wait for other ranks, in milliseconds. Default 1,800,000, PyTorch's half an hour. */
  timeout?: number | null;
  /** How many processes there are. Default: the variable WORLD_SIZE. */
  worldSize?: number | null;
  /** Which of them this is. Default: the variable RANK. */
  rank?: number | null;
  /** A store to meet in, in the place of `initMethod`; with `rank` and `worldSize`. */
  store?: Store | null;
}

/**
 * Makes the default group of processes. Rank and size are known at once; the promise resolves when all processes are
 * connected, and whatever needs them waits for that.
 *
 * Without options it reads the variables that torchrun sets: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
 *
 * @example await distributed.initProcessGroup('gloo');
 *
 * @throws TorchError `INVALID_ARGUMENT`: a variable that is missing, a rank beyond the size, a backend that cannot be had.
 * The promise rejects with `DISTRIBUTED` if the processes do not find each other within the timeout.
 *
 * **Source**: `torch.distributed.init_process_group`.
 */
export function initProcessGroup(backend?: string | null, options?: InitProcessGroupOptions): Work {
  const op = 'initProcessGroup';
  checkBackend(op, backend);
  const given = withDefaults<InitProcessGroupOptions>(op, options, {
    initMethod: null,
    timeout: defaultTimeout,
    worldSize: null,
    rank: null,
    store: null,
  });
  if (world !== undefined) {
    throw new TorchError('INVALID_ARGUMENT', `${op}: expected no default process group, but one was made before`, {
      op,
    });
  }
  const timeout = milliseconds(op, given.timeout);
  const { rank, worldSize, openStore } = meetingOf(op, given, timeout);
  if (worldSize < 1 || rank < 0 || rank >= worldSize) {
    throw expected(op, "option 'rank'", 'to be in [0, worldSize)', `rank ${rank} of ${worldSize}`);
  }
  const store = openStore();
  const members = { name: '0', ranks: Array.from({ length: worldSize }, (_, i) => i), rank, timeout };
  const [group, connected] = connect(op, store, members, 'default_pg');
  // As in Python, further groups meet behind the name of the default one.
  const behind = new PrefixStore('0/', store);
  const made: World = { group, store: behind, groups: new Set([group]), connected, count: 1 };
  world = made;
  connected.then(
    () => register(group),
    () => {
      if (world === made) world = undefined;
      abandon(group);
    },
  );
  return connected;
}

/** Where the processes meet, by the options. */
function meetingOf(
  op: string,
  { initMethod, rank, worldSize, store }: InitProcessGroupOptions,
  timeout: number,
): ReturnType<typeof meetBy> {
  const known = {
    rank: rank == null || rank === -1 ? undefined : integer(op, "option 'rank'", rank),
    worldSize: worldSize == null || worldSize === -1 ? undefined : integer(op, "option 'worldSize'", worldSize),
    timeout,
  };
  if (store == null) {
    if (initMethod != null && typeof initMethod !== 'string') {
      throw expected(op, "option 'initMethod'", 'to be a string', show(initMethod));
    }
    const { openStore, ...who } = meetBy(initMethod ?? 'env://', known);
    return { ...who, openStore: () => new PrefixStore('default_pg', openStore()) };
  }
  storeHandle(op, store);
  if (initMethod != null) throw expected(op, "option 'initMethod'", "to be absent beside 'store'", show(initMethod));
  if (known.rank === undefined || known.worldSize === undefined) {
    throw expected(op, "options 'rank' and 'worldSize'", "to be given with 'store'", 'none');
  }
  return { rank: known.rank, worldSize: known.worldSize, openStore: () => store };
}

function checkBackend(op: string, backend: unknown): void {
  if (backend == null || backend === 'gloo' || backend === 'cpu:gloo') return;
  if (backend === 'nccl' || backend === 'cuda:nccl' || backend === 'cpu:gloo,cuda:nccl') {
    throw expected(
      op,
      "'backend'",
      "to be 'gloo'",
      `${show(backend)}: this build has no NCCL; Gloo also takes tensors of CUDA devices, through the CPU`,
    );
  }
  oneOf(op, "'backend'", backend, ['gloo']);
}

/** A group that connects in the background. */
function connect(op: string, store: Store, members: Members, description: string): [ProcessGroup, Work] {
  const { name, rank, ranks, timeout } = members;
  let handle: GroupHandle | undefined;
  const connected = startWork((done) => {
    const [group, task] = native().newGroup(
      op,
      storeHandle(op, store),
      name,
      description,
      rank,
      ranks.length,
      timeout,
      done,
    );
    handle = group;
    return task;
  });
  return [new ProcessGroup(members, handle, key), connected];
}

/** Makes it known to operators by its name. */
function register(group: ProcessGroup): void {
  const handle = handleOf(group);
  if (handle !== undefined && world?.groups.has(group)) native().registerGroup(handle);
}

/** Frees what a group holds that has not connected. */
function abandon(group: ProcessGroup): void {
  const handle = handleOf(group);
  if (handle !== undefined) native().destroyGroup(handle, () => {});
}

/** Options of {@link newGroup}, by PyTorch's names. */
export interface NewGroupOptions {
  /** How long operations wait for other ranks, in milliseconds. Default 1,800,000. */
  timeout?: number | null;
  /** Default: that of the default group. */
  backend?: string | null;
  /** What the group is for. */
  groupDesc?: string | null;
}

/**
 * A group of some processes of the default one; all of them, by default. Every process of the default group calls it, also
 * those that will not be in it, and in the same order.
 *
 * @example const pair = await distributed.newGroup([0, 1]);
 *
 * **Source**: `torch.distributed.new_group`.
 */
export async function newGroup(ranks?: readonly number[] | null, options?: NewGroupOptions): Promise<ProcessGroup> {
  const op = 'newGroup';
  const { group: all, store, groups } = expectWorld(op);
  const { timeout, backend, groupDesc } = withDefaults<NewGroupOptions>(op, options, {
    timeout: defaultTimeout,
    backend: 'gloo',
    groupDesc: 'undefined',
  });
  checkBackend(op, backend);
  if (typeof groupDesc !== 'string') throw expected(op, "option 'groupDesc'", 'to be a string', show(groupDesc));
  const sorted = readRanks(op, ranks ?? all.ranks, all.size());
  const members = {
    name: String(expectWorld(op).count++),
    ranks: sorted,
    rank: sorted.indexOf(all.rank()),
    timeout: milliseconds(op, timeout),
  };
  if (members.rank === -1) return new ProcessGroup(members, undefined, key);
  const [group, connected] = connect(op, store, members, groupDesc);
  groups.add(group);
  try {
    await connected;
  } catch (error) {
    groups.delete(group);
    abandon(group);
    throw error;
  }
  register(group);
  return group;
}

function readRanks(op: string, ranks: readonly number[], size: number): number[] {
  if (!Array.isArray(ranks) || ranks.length === 0)
    throw expected(op, "'ranks'", 'to be an array of ranks', show(ranks));
  for (const rank of ranks) {
    if (!Number.isInteger(rank) || rank < 0 || rank >= size) {
      throw expected(op, "'ranks'", `to be integers in [0, ${size})`, show(rank));
    }
  }
  if (new Set(ranks).size < ranks.length) throw expected(op, "'ranks'", 'to be different', `[${ranks.join(', ')}]`);
  return [...ranks].sort((a, b) => a - b);
}

/**
 * Ends a group, by default the default one with all others, after the collectives that were started. Other ranks may go
 * on: it waits for none.
 *
 * **Source**: `torch.distributed.destroy_process_group`.
 */
export async function destroyProcessGroup(group?: ProcessGroup | null): Promise<void> {
  const op = 'destroyProcessGroup';
  const ended = expectWorld(op);
  const isAll = group == null || group === ended.group;
  if (!isAll && !isGroup(group)) throw expected(op, "'group'", 'to be a ProcessGroup', show(group));
  if (!isAll && handleOf(group) === undefined) return;
  if (!isAll && !ended.groups.has(group))
    throw expected(op, "'group'", 'to be a group that lives', 'one that was destroyed');
  const ending = isAll ? [...ended.groups].reverse() : [group];
  for (const each of ending) ended.groups.delete(each);
  if (isAll) world = undefined;
  // One that could not connect has nothing to end; whoever made it was told.
  if (isAll) await ended.connected.catch(() => {});
  for (const each of ending) {
    const handle = handleOf(each);
    if (handle !== undefined) await startWork((done) => native().destroyGroup(handle, done));
  }
}

/** Whether a default group was made. **Source**: `torch.distributed.is_initialized`. */
export function isInitialized(): boolean {
  return world !== undefined;
}

/** The rank of this process in a group, by default the default one; -1 if it is not in it. **Source**: `torch.distributed.get_rank`. */
export function getRank(group?: ProcessGroup | null): number {
  return groupOf('getRank', group).rank();
}

/** How many processes a group has, by default the default one; -1 if this one is not in it. **Source**: `torch.distributed.get_world_size`. */
export function getWorldSize(group?: ProcessGroup | null): number {
  const of = groupOf('getWorldSize', group);
  return of.rank() === -1 ? -1 : of.size();
}

/** The backend of a group: `'gloo'`. **Source**: `torch.distributed.get_backend`. */
export function getBackend(group?: ProcessGroup | null): string {
  groupOf('getBackend', group);
  return 'gloo';
}

/** The rank in a group of a process of the default one. **Source**: `torch.distributed.get_group_rank`. */
export function getGroupRank(group: ProcessGroup, globalRank: number): number {
  return rankIn('getGroupRank', 'globalRank', groupOf('getGroupRank', group), globalRank);
}

/** The rank in the default group of a process of another one. **Source**: `torch.distributed.get_global_rank`. */
export function getGlobalRank(group: ProcessGroup, groupRank: number): number {
  const of = groupOf('getGlobalRank', group);
  const found = of.ranks[groupRank];
  if (found === undefined) {
    throw expected('getGlobalRank', "'groupRank'", `to be an integer in [0, ${of.size()})`, show(groupRank));
  }
  return found;
}

/** The ranks in the default group of a group's processes. **Source**: `torch.distributed.get_process_group_ranks`. */
export function getProcessGroupRanks(group?: ProcessGroup | null): number[] {
  return [...groupOf('getProcessGroupRanks', group).ranks];
}

/** Whether torchrun has started this process. **Source**: `torch.distributed.is_torchelastic_launched`. */
export function isTorchelasticLaunched(): boolean {
  return process.env.TORCHELASTIC_RUN_ID !== undefined;
}

/** @internal The rank in a group of a process of the default one. */
export function rankIn(op: string, argument: string, group: ProcessGroup, globalRank: number): number {
  const found = group.ranks.indexOf(globalRank);
  if (found !== -1) return found;
  throw expected(
    op,
    `'${argument}'`,
    `to be one of the ranks of the group, [${group.ranks.join(', ')}]`,
    show(globalRank),
  );
}

/** @internal The group that was given, or the default one. */
export function groupOf(op: string, group: unknown): ProcessGroup {
  if (group === undefined || group === null) return expectWorld(op).group;
  if (!isGroup(group)) throw expected(op, "option 'group'", 'to be a ProcessGroup', show(group));
  return group;
}

/** @internal The native group; `undefined` if this process is not in it. */
export function nativeGroup(group: ProcessGroup): GroupHandle | undefined {
  return handleOf(group);
}

function expectWorld(op: string): World {
  if (world !== undefined) return world;
  throw new TorchError(
    'INVALID_ARGUMENT',
    `${op}: expected a default process group, but received none; call initProcessGroup first`,
    { op, argument: 'group' },
  );
}
