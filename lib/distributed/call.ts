/** Calls of c10d's operators in a group: what collectives and messages between two processes share. */
import { native } from '../binding/load';
import type { CollectiveMode, NativeValue } from '../binding/native';
import { expected, show, TorchError } from '../errors';
import { unwrap } from '../torch/bind';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { isComplex } from '../types';
import { groupOf, nativeGroup, rankIn } from './process-group';
import { promiseOf, startWork, type Work } from './work';

/** What ranks compare before they make a call. */
export interface Agreement {
  /** What is the same on every rank besides the operation: `'sum' of float32 [3]`. */
  readonly text?: string;
  /** How many bytes go to each rank. */
  readonly sends?: readonly number[];
  /** How many come from each. */
  readonly receives?: readonly number[];
}

export interface RunOptions extends Agreement {
  readonly asyncOp?: boolean;
  readonly mode?: CollectiveMode;
}

export function run(
  op: string,
  name: string,
  group: unknown,
  values: readonly NativeValue[],
  { asyncOp = false, mode = 'collective', text = '', sends = [], receives = [] }: RunOptions = {},
): Work<unknown> | Promise<unknown> {
  const of = groupOf(op, group);
  const handle = nativeGroup(of);
  if (handle === undefined) {
    throw expected(op, "option 'group'", 'to have this process among its ranks', `[${of.ranks.join(', ')}]`);
  }
  const agreement = [`${op}(${text})`, sends, receives] as const;
  const work = startWork<unknown>((done) =>
    native().collective(handle, op, `c10d::${name}`, values, mode, agreement, done),
  );
  return asyncOp ? work : promiseOf(work);
}

/** A tensor as ranks compare it: `float32 [3]`. */
export function kind(tensor: Tensor): string {
  return `${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

/** A tensor as collectives take it: complex numbers as pairs of real ones. */
export function plain(op: string, argument: string, tensor: Tensor): NativeValue {
  if (!isComplex(tensor.dtype)) return unwrap(tensor, op, argument);
  return unwrap(aten.view_as_real(tensor), op, argument);
}

export function plainList(op: string, argument: string, tensors: readonly Tensor[]): NativeValue[] {
  return tensors.map((tensor, i) => plain(op, `${argument}[${i}]`, tensor));
}

/** The rank of one process, given as its rank in the default group, or in this one. */
export function peer(
  op: string,
  argument: string,
  rank: number | undefined,
  groupRank: number | undefined,
  group: unknown,
): number {
  const of = groupOf(op, group);
  if (rank !== undefined && groupRank !== undefined) {
    throw new TorchError('INVALID_ARGUMENT', `${op}: '${argument}' is given twice, as a rank and as one of the group`, {
      op,
      argument,
    });
  }
  if (rank !== undefined) return rankIn(op, argument, of, rank);
  if (groupRank === undefined) return 0;
  if (groupRank >= 0 && groupRank < of.size()) return groupRank;
  throw expected(op, `'${argument}'`, `to be in [0, ${of.size()})`, show(groupRank));
}
