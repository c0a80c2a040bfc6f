/**
 * Collectives: calls that every process of a group makes, in the same order.
 *
 * Each gives a promise. A tensor that a collective works on can be used at once: whoever reads it waits in place until it
 * is there, as after a CUDA kernel. With `asyncOp: true` the promise is a {@link Work}.
 */
import type { NativeValue } from '../binding/native';
import { expected, show } from '../errors';
import { oneOf } from '../options';
import { unwrap } from '../torch/bind';
import type { Call } from '../torch/call';
import { defineFunction } from '../torch/functions';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { isComplex } from '../types';
import { kind, peer, plain, plainList, run } from './call';
import { groupOf, type ProcessGroup } from './process-group';
import { milliseconds } from './stores';
import type { Work } from './work';

/** How elements of ranks are combined; `band`, `bor` and `bxor` are bitwise. **Source**: `torch.distributed.ReduceOp`. */
export const ReduceOp = Object.freeze({
  SUM: 'sum',
  AVG: 'avg',
  PRODUCT: 'product',
  MIN: 'min',
  MAX: 'max',
  BAND: 'band',
  BOR: 'bor',
  BXOR: 'bxor',
} as const);
/** The name of a reduction: a value of {@link ReduceOp}. */
export type ReduceOp = (typeof ReduceOp)[keyof typeof ReduceOp];

/** Options of every collective. */
export interface GroupOptions {
  /** The group whose processes call it. Default: the default group. */
  group?: ProcessGroup;
  /** Whether the promise is a {@link Work}. Default `false`. */
  asyncOp?: boolean;
}

/** Options of what combines elements. */
export interface ReductionOptions extends GroupOptions {
  /** How elements are combined. Default `'sum'`. */
  op?: ReduceOp;
}

/** A collective in Python's calling convention: options by position or by name. */
export interface Collective<
  Required extends readonly unknown[],
  Options,
  Positional extends readonly (keyof Options)[],
> {
  (...args: [...Required, options: Options & { asyncOp: true }]): Work;
  (...args: Call<Required, Options, Positional>): Promise<void>;
}

/** The reduction; of complex numbers only those that are done part by part. */
function reduction(op: string, value: unknown, tensor: Tensor): ReduceOp {
  const found = oneOf(op, "option 'op'", value, Object.values(ReduceOp));
  if (isComplex(tensor.dtype) && found !== 'sum' && found !== 'avg') {
    throw expected(op, "option 'op'", "to be 'sum' or 'avg' for complex numbers", show(found));
  }
  return found;
}

function checkLength(op: string, argument: string, tensors: readonly Tensor[], group: unknown): void {
  const size = groupOf(op, group).size();
  if (tensors.length === size) return;
  throw expected(op, `'${argument}'`, `to have a tensor for each of the ${size} ranks`, `${tensors.length}`);
}

/**
 * Combines a tensor of every rank into each rank's own, in place.
 *
 * **Shapes and dtypes**: the same on every rank.
 *
 * @example await distributed.allReduce(loss, 'avg');
 *
 * **Source**: `torch.distributed.all_reduce`.
 */
export const allReduce: Collective<[tensor: Tensor], ReductionOptions, ['op', 'group', 'asyncOp']> = defineFunction(
  'allReduce',
  '(Tensor tensor, str op="sum", Any? group=None, bool async_op=False)',
  (tensor: Tensor, op: unknown, group: unknown, asyncOp: boolean) =>
    run(
      'allReduce',
      'allreduce_',
      group,
      [[plain('allReduce', 'tensor', tensor)], reduction('allReduce', op, tensor), null],
      { asyncOp, text: `'${op}' of ${kind(tensor)}` },
    ),
);

/** Options of {@link broadcast}. */
export interface BroadcastOptions extends GroupOptions {
  /** The rank that sends, in the default group. Default: the first of the group. */
  src?: number;
  /** The rank that sends, in `group`. */
  groupSrc?: number;
}

/**
 * Copies the tensor of one rank into each rank's own, in place.
 *
 * **Shapes and dtypes**: the same on every rank.
 *
 * **Source**: `torch.distributed.broadcast`.
 */
export const broadcast: Collective<[tensor: Tensor], BroadcastOptions, ['src', 'group', 'asyncOp', 'groupSrc']> =
  defineFunction(
    'broadcast',
    '(Tensor tensor, int? src=None, Any? group=None, bool async_op=False, int? group_src=None)',
    (tensor: Tensor, src: number | undefined, group: unknown, asyncOp: boolean, groupSrc: number | undefined) => {
      const op = 'broadcast';
      const root = peer(op, 'src', src, groupSrc, group);
      const text = `${kind(tensor)} from ${root}`;
      return run(op, 'broadcast_', group, [[plain(op, 'tensor', tensor)], root, 0], { asyncOp, text });
    },
  );

/** Options of {@link reduce}. */
export interface ReduceOptions extends ReductionOptions {
  /** The rank that receives, in the default group. Default: the first of the group. */
  dst?: number;
  /** The rank that receives, in `group`. */
  groupDst?: number;
}

/**
 * Combines a tensor of every rank into that of one rank, in place; what the others' then hold is not specified.
 *
 * **Shapes and dtypes**: the same on every rank.
 *
 * **Source**: `torch.distributed.reduce`.
 */
export const reduce: Collective<[tensor: Tensor], ReduceOptions, ['dst', 'op', 'group', 'asyncOp', 'groupDst']> =
  defineFunction(
    'reduce',
    '(Tensor tensor, int? dst=None, str op="sum", Any? group=None, bool async_op=False, int? group_dst=None)',
    (
      tensor: Tensor,
      dst: number | undefined,
      reduceOp: unknown,
      group: unknown,
      asyncOp: boolean,
      groupDst: number | undefined,
    ) => {
      const op = 'reduce';
      const root = peer(op, 'dst', dst, groupDst, group);
      const values = [[plain(op, 'tensor', tensor)], reduction(op, reduceOp, tensor), root, 0];
      return run(op, 'reduce_', group, values, { asyncOp, text: `'${reduceOp}' of ${kind(tensor)} to ${root}` });
    },
  );

/**
 * Copies the tensor of every rank into a list that each rank has, by rank.
 *
 * **Shapes and dtypes**: those of `tensor`, the same on every rank.
 *
 * @example
 * const all = Array.from({ length: distributed.getWorldSize() }, () => torch.empty(3));
 * await distributed.allGather(all, mine);
 *
 * **Source**: `torch.distributed.all_gather`.
 */
export const allGather: Collective<
  [tensorList: readonly Tensor[], tensor: Tensor],
  GroupOptions,
  ['group', 'asyncOp']
> = defineFunction(
  'allGather',
  '(Tensor[] tensor_list, Tensor tensor, Any? group=None, bool async_op=False)',
  (tensorList: readonly Tensor[], tensor: Tensor, group: unknown, asyncOp: boolean) => {
    const op = 'allGather';
    checkLength(op, 'tensorList', tensorList, group);
    const values = [[plainList(op, 'tensorList', tensorList)], [plain(op, 'tensor', tensor)]];
    return run(op, 'allgather_', group, values, { asyncOp, text: kind(tensor) });
  },
);

/**
 * Copies the tensor of every rank into one tensor that each rank has: one after the other along the first dimension, or
 * stacked in a new one, as the shape of `output` says.
 *
 * **Source**: `torch.distributed.all_gather_into_tensor`.
 */
export const allGatherIntoTensor: Collective<
  [outputTensor: Tensor, inputTensor: Tensor],
  GroupOptions,
  ['group', 'asyncOp']
> = defineFunction(
  'allGatherIntoTensor',
  '(Tensor output_tensor, Tensor input_tensor, Any? group=None, bool async_op=False)',
  (output: Tensor, input: Tensor, group: unknown, asyncOp: boolean) => {
    const op = 'allGatherIntoTensor';
    const values = [plain(op, 'outputTensor', output), plain(op, 'inputTensor', input)];
    return run(op, '_allgather_base_', group, values, { asyncOp, text: kind(input) });
  },
);

/** Options of {@link gather}. */
export interface GatherOptions extends GroupOptions {
  /** On the rank that receives: a tensor for each rank. */
  gatherList?: readonly Tensor[];
  /** The rank that receives, in the default group. Default: the first of the group. */
  dst?: number;
  /** The rank that receives, in `group`. */
  groupDst?: number;
}

/**
 * Copies the tensor of every rank into a list that one rank has, by rank.
 *
 * **Shapes and dtypes**: those of `tensor`, the same on every rank.
 *
 * **Source**: `torch.distributed.gather`.
 */
export const gather: Collective<
  [tensor: Tensor],
  GatherOptions,
  ['gatherList', 'dst', 'group', 'asyncOp', 'groupDst']
> = defineFunction(
  'gather',
  '(Tensor tensor, Tensor[]? gather_list=None, int? dst=None, Any? group=None, bool async_op=False, int? group_dst=None)',
  (
    tensor: Tensor,
    gatherList: readonly Tensor[] | undefined,
    dst: number | undefined,
    group: unknown,
    asyncOp: boolean,
    groupDst: number | undefined,
  ) => {
    const op = 'gather';
    const root = peer(op, 'dst', dst, groupDst, group);
    const outputs = listOfRoot(op, 'gatherList', gatherList, root, group);
    const text = `${kind(tensor)} to ${root}`;
    return run(op, 'gather_', group, [outputs, [plain(op, 'tensor', tensor)], root], { asyncOp, text });
  },
);

/** Options of {@link scatter}. */
export interface ScatterOptions extends GroupOptions {
  /** On the rank that sends: a tensor for each rank. */
  scatterList?: readonly Tensor[];
  /** The rank that sends, in the default group. Default: the first of the group. */
  src?: number;
  /** The rank that sends, in `group`. */
  groupSrc?: number;
}

/**
 * Copies the tensors of a list that one rank has into the ranks' own, by rank.
 *
 * **Shapes and dtypes**: those of `tensor`, the same on every rank.
 *
 * **Source**: `torch.distributed.scatter`.
 */
export const scatter: Collective<
  [tensor: Tensor],
  ScatterOptions,
  ['scatterList', 'src', 'group', 'asyncOp', 'groupSrc']
> = defineFunction(
  'scatter',
  '(Tensor tensor, Tensor[]? scatter_list=None, int? src=None, Any? group=None, bool async_op=False, int? group_src=None)',
  (
    tensor: Tensor,
    scatterList: readonly Tensor[] | undefined,
    src: number | undefined,
    group: unknown,
    asyncOp: boolean,
    groupSrc: number | undefined,
  ) => {
    const op = 'scatter';
    const root = peer(op, 'src', src, groupSrc, group);
    const inputs = listOfRoot(op, 'scatterList', scatterList, root, group);
    const text = `${kind(tensor)} from ${root}`;
    return run(op, 'scatter_', group, [[plain(op, 'tensor', tensor)], inputs, root], { asyncOp, text });
  },
);

/** The list that one rank has, and no other. */
function listOfRoot(
  op: string,
  argument: string,
  list: readonly Tensor[] | undefined,
  root: number,
  group: unknown,
): NativeValue[][] {
  const isRoot = groupOf(op, group).rank() === root;
  if (!isRoot && list !== undefined && list.length > 0) {
    throw expected(op, `option '${argument}'`, `to be given on rank ${root} alone`, `${list.length} tensors`);
  }
  if (!isRoot) return [];
  if (list === undefined) throw expected(op, `option '${argument}'`, 'to be given on this rank', 'none');
  checkLength(op, argument, list, group);
  return [plainList(op, argument, list)];
}

/**
 * Combines lists of tensors that every rank has, by position; each rank gets the one of its position.
 *
 * **Source**: `torch.distributed.reduce_scatter`.
 */
export const reduceScatter: Collective<
  [output: Tensor, inputList: readonly Tensor[]],
  ReductionOptions,
  ['op', 'group', 'asyncOp']
> = defineFunction(
  'reduceScatter',
  '(Tensor output, Tensor[] input_list, str op="sum", Any? group=None, bool async_op=False)',
  (output: Tensor, inputList: readonly Tensor[], reduceOp: unknown, group: unknown, asyncOp: boolean) => {
    const op = 'reduceScatter';
    checkLength(op, 'inputList', inputList, group);
    const inputs = [plainList(op, 'inputList', inputList)];
    const values = [[plain(op, 'output', output)], inputs, reduction(op, reduceOp, output)];
    return run(op, 'reduce_scatter_', group, values, { asyncOp, text: `'${reduceOp}' of ${kind(output)}` });
  },
);

/**
 * Combines a tensor that every rank has; each rank gets its part, counted along the first dimension.
 *
 * **Source**: `torch.distributed.reduce_scatter_tensor`.
 */
export const reduceScatterTensor: Collective<
  [output: Tensor, input: Tensor],
  ReductionOptions,
  ['op', 'group', 'asyncOp']
> = defineFunction(
  'reduceScatterTensor',
  '(Tensor output, Tensor input, str op="sum", Any? group=None, bool async_op=False)',
  (output: Tensor, input: Tensor, reduceOp: unknown, group: unknown, asyncOp: boolean) => {
    const op = 'reduceScatterTensor';
    const values = [plain(op, 'output', output), plain(op, 'input', input), reduction(op, reduceOp, output)];
    return run(op, '_reduce_scatter_base_', group, values, { asyncOp, text: `'${reduceOp}' of ${kind(output)}` });
  },
);

/**
 * Every rank sends the tensors of a list to the ranks of their positions, and gets one from each.
 *
 * **Source**: `torch.distributed.all_to_all`.
 */
export const allToAll: Collective<
  [outputTensorList: readonly Tensor[], inputTensorList: readonly Tensor[]],
  GroupOptions,
  ['group', 'asyncOp']
> = defineFunction(
  'allToAll',
  '(Tensor[] output_tensor_list, Tensor[] input_tensor_list, Any? group=None, bool async_op=False)',
  (outputs: readonly Tensor[], inputs: readonly Tensor[], group: unknown, asyncOp: boolean) => {
    const op = 'allToAll';
    checkLength(op, 'outputTensorList', outputs, group);
    checkLength(op, 'inputTensorList', inputs, group);
    const values = [plainList(op, 'outputTensorList', outputs), plainList(op, 'inputTensorList', inputs)];
    const bytes = (tensors: readonly Tensor[]): number[] => tensors.map((tensor) => tensor.nbytes);
    return run(op, 'alltoall_', group, values, { asyncOp, sends: bytes(inputs), receives: bytes(outputs) });
  },
);

/** Options of {@link allToAllSingle}. */
export interface AllToAllSingleOptions extends GroupOptions {
  /** How many rows come from each rank. Default: as many from each. */
  outputSplitSizes?: readonly number[];
  /** How many rows go to each rank. Default: as many to each. */
  inputSplitSizes?: readonly number[];
}

/**
 * Every rank sends parts of a tensor, along the first dimension, to the ranks, and gets a part from each.
 *
 * **Source**: `torch.distributed.all_to_all_single`.
 */
export const allToAllSingle: Collective<
  [output: Tensor, input: Tensor],
  AllToAllSingleOptions,
  ['outputSplitSizes', 'inputSplitSizes', 'group', 'asyncOp']
> = defineFunction(
  'allToAllSingle',
  `(Tensor output, Tensor input, int[]? output_split_sizes=None, int[]? input_split_sizes=None, Any? group=None,
    bool async_op=False)`,
  (
    output: Tensor,
    input: Tensor,
    outputSplits: readonly number[] | undefined,
    inputSplits: readonly number[] | undefined,
    group: unknown,
    asyncOp: boolean,
  ) => {
    const op = 'allToAllSingle';
    const values = [plain(op, 'output', output), plain(op, 'input', input), outputSplits ?? [], inputSplits ?? []];
    const size = groupOf(op, group).size();
    return run(op, 'alltoall_base_', group, values, {
      asyncOp,
      text: input.dtype,
      sends: bytesByRank(op, 'inputSplitSizes', input, inputSplits, size),
      receives: bytesByRank(op, 'outputSplitSizes', output, outputSplits, size),
    });
  },
);

/** How many bytes of a tensor go to each rank, or come from it. */
function bytesByRank(
  op: string,
  argument: string,
  tensor: Tensor,
  splits: readonly number[] | undefined,
  size: number,
): number[] {
  const [rows = 0] = tensor.shape;
  if (splits === undefined && rows % size !== 0) {
    throw expected(op, `option '${argument}'`, `to be given, as ${size} ranks cannot share the rows evenly`, `${rows}`);
  }
  const given = splits ?? Array<number>(size).fill(rows / size);
  if (given.length !== size || given.some((part) => part < 0) || given.reduce((sum, part) => sum + part, 0) !== rows) {
    throw expected(
      op,
      `option '${argument}'`,
      `to be ${size} numbers >= 0 whose sum is ${rows}`,
      `[${given.join(', ')}]`,
    );
  }
  return given.map((part) => (rows === 0 ? 0 : (part * tensor.nbytes) / rows));
}

/** Options of {@link barrier}. */
export interface BarrierOptions extends GroupOptions {}

/**
 * Waits until every rank has come here. Await it: nothing else waits for it.
 *
 * **Source**: `torch.distributed.barrier`.
 */
export const barrier: Collective<[], BarrierOptions, ['group', 'asyncOp']> = defineFunction(
  'barrier',
  '(Any? group=None, bool async_op=False)',
  (group: unknown, asyncOp: boolean) => {
    const op = 'barrier';
    return run(op, 'barrier', group, [unwrap(aten.empty([1]), op, 'tensor'), []], { asyncOp });
  },
);

/** Options of {@link monitoredBarrier}. */
export interface MonitoredBarrierOptions {
  /** The group whose ranks are waited for. Default: the default group. */
  group?: ProcessGroup;
  /** How long to wait, in milliseconds. Default: the group's timeout. */
  timeout?: number;
  /** Whether all missing ranks are named, not only the first. Default `false`. */
  waitAllRanks?: boolean;
}

/**
 * A barrier that says which ranks have not come within the timeout.
 *
 * **Source**: `torch.distributed.monitored_barrier`.
 */
export const monitoredBarrier: (
  ...args: Call<[], MonitoredBarrierOptions, ['group', 'timeout', 'waitAllRanks']>
) => Promise<void> = defineFunction(
  'monitoredBarrier',
  '(Any? group=None, int? timeout=None, bool wait_all_ranks=False)',
  (group: unknown, timeout: number | undefined, waitAllRanks: boolean) => {
    const op = 'monitoredBarrier';
    const limit = timeout === undefined ? groupOf(op, group).timeout : milliseconds(op, timeout);
    const values = [unwrap(aten.empty([1]), op, 'tensor'), [], limit, waitAllRanks];
    return run(op, 'monitored_barrier_', group, values, { mode: 'blocking' });
  },
);
