/** Messages from one process to another. Each gives a promise, as collectives do. */
import { expected, show } from '../errors';
import type { Call } from '../torch/call';
import { defineFunction } from '../torch/functions';
import type { Tensor } from '../torch/tensor';
import { peer, plain, run } from './call';
import { groupOf, type ProcessGroup } from './process-group';
import type { Work } from './work';

/** Options of what one process sends to another. */
export interface PairOptions {
  /** The group of both. Default: the default group. */
  group?: ProcessGroup;
  /** What messages are told apart by. Default 0. */
  tag?: number;
}

/** Another process than this one. */
function otherPeer(...args: Parameters<typeof peer>): number {
  const found = peer(...args);
  const [op, argument, , , group] = args;
  if (found !== groupOf(op, group).rank()) return found;
  throw expected(op, `'${argument}'`, 'to be the rank of another process', 'that of this one');
}

/** Options of {@link send} and {@link isend}. */
export interface SendOptions extends PairOptions {
  /** The rank that receives, in the default group. */
  dst?: number;
  /** The rank that receives, in `group`. */
  groupDst?: number;
}

/** {@link send} and {@link isend}, by what they give. */
export type Send<Result> = (
  ...args: Call<[tensor: Tensor], SendOptions, ['dst', 'group', 'tag', 'groupDst']>
) => Result;

function sender<Result>(op: string, asyncOp: boolean): Send<Result> {
  return defineFunction(
    op,
    '(Tensor tensor, int? dst=None, Any? group=None, int tag=0, int? group_dst=None)',
    (tensor: Tensor, dst: number | undefined, group: unknown, tag: number, groupDst: number | undefined) => {
      if (dst === undefined && groupDst === undefined) throw expected(op, "'dst'", 'to be given', 'none');
      const to = otherPeer(op, 'dst', dst, groupDst, group);
      return run(op, 'send', group, [[plain(op, 'tensor', tensor)], to, checkTag(op, tag)], { asyncOp, mode: 'send' });
    },
  );
}

/** Options of {@link recv} and {@link irecv}. */
export interface ReceiveOptions extends PairOptions {
  /** The rank that sends, in the default group. Default: whichever sends first. */
  src?: number;
  /** The rank that sends, in `group`. */
  groupSrc?: number;
}

/** {@link recv} and {@link irecv}, by what they give. */
export type Receive<Result> = (
  ...args: Call<[tensor: Tensor], ReceiveOptions, ['src', 'group', 'tag', 'groupSrc']>
) => Result;

function receiver<Result>(op: string, asyncOp: boolean): Receive<Result> {
  return defineFunction(
    op,
    '(Tensor tensor, int? src=None, Any? group=None, int tag=0, int? group_src=None)',
    (tensor: Tensor, src: number | undefined, group: unknown, tag: number, groupSrc: number | undefined) => {
      const into = [plain(op, 'tensor', tensor)];
      const isAny = src === undefined && groupSrc === undefined;
      const values = isAny ? [into] : [into, otherPeer(op, 'src', src, groupSrc, group)];
      const name = isAny ? 'recv_any_source_' : 'recv_';
      const work = run(op, name, group, [...values, checkTag(op, tag)], { asyncOp, mode: 'recv' });
      if (asyncOp) return work;
      return work.then((source) => groupOf(op, group).ranks[source as number]);
    },
  );
}

function checkTag(op: string, tag: number): number {
  if (tag >= 0 && tag < 2 ** 30) return tag;
  throw expected(op, "option 'tag'", 'to be in [0, 2^30)', show(tag));
}

/** Sends a tensor to another rank, which receives it into one of the same shape and dtype. **Source**: `torch.distributed.send`. */
export const send: Send<Promise<void>> = sender('send', false);

/** {@link send}, as a {@link Work}. **Source**: `torch.distributed.isend`. */
export const isend: Send<Work> = sender('isend', true);

/**
 * Receives a tensor that another rank sends, in place; the promise gives the rank that has sent it.
 *
 * **Source**: `torch.distributed.recv`.
 */
export const recv: Receive<Promise<number>> = receiver('recv', false);

/** {@link recv}, as a {@link Work}. **Source**: `torch.distributed.irecv`. */
export const irecv: Receive<Work<unknown>> = receiver('irecv', true);
