/**
 * Collectives of values instead of tensors: whatever JSON can hold, which is what ranks exchange. Ranks of Python send
 * pickles, which these do not read.
 */
import { expected, show, TorchError } from '../errors';
import { tensor as makeTensor } from '../torch/create';
import { empty, zeros } from '../torch/operators.generated';
import { aten } from '../torch/ops';
import type { Tensor } from '../torch/tensor';
import { allGather, broadcast, gather, scatter } from './collectives';
import { recv, send } from './point-to-point';
import { getGlobalRank, groupOf, type ProcessGroup } from './process-group';

/** A value as bytes. */
function encode(op: string, value: unknown): Tensor {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TorchError(
      'INVALID_ARGUMENT',
      `${op}: expected a value that JSON can hold, but received ${show(value)}`,
      {
        op,
        cause,
      },
    );
  }
  if (text === undefined) throw expected(op, 'a value', 'that JSON can hold', show(value));
  return makeTensor(new TextEncoder().encode(text));
}

function decode(bytes: Tensor): unknown {
  return JSON.parse(new TextDecoder().decode(bytes.toTypedArray() as Uint8Array));
}

/** Bytes at the beginning of longer ones. */
function padded(bytes: Tensor, length: number): Tensor {
  const into = zeros(length, { dtype: 'uint8' });
  aten.copy_(aten.narrow(into, 0, 0, bytes.numel()), bytes);
  return into;
}

function part(bytes: Tensor, begin: number, length: number): Tensor {
  return aten.narrow(bytes, 0, begin, length);
}

const integers = (values: readonly number[]): Tensor => makeTensor([...values], { dtype: 'int64' });
const noIntegers = (count: number): Tensor => zeros(count, { dtype: 'int64' });

/** The numbers of bytes of every rank's value. */
async function sizesOf(bytes: Tensor, group: ProcessGroup): Promise<number[]> {
  const sizes = Array.from({ length: group.size() }, () => noIntegers(1));
  await allGather(sizes, integers([bytes.numel()]), { group });
  return sizes.map((size) => Number(size.item()));
}

function checkList(op: string, argument: string, list: unknown): asserts list is unknown[] {
  if (!Array.isArray(list)) throw expected(op, `'${argument}'`, 'to be an array', show(list));
}

/**
 * Puts the value of every rank into an array that each rank has, by rank.
 *
 * @example
 * const all = [];
 * await distributed.allGatherObject(all, { rank: distributed.getRank() });
 *
 * **Source**: `torch.distributed.all_gather_object`.
 */
export async function allGatherObject(objectList: unknown[], obj: unknown, group?: ProcessGroup | null): Promise<void> {
  const op = 'allGatherObject';
  checkList(op, 'objectList', objectList);
  const of = groupOf(op, group);
  const bytes = encode(op, obj);
  const sizes = await sizesOf(bytes, of);
  const longest = Math.max(...sizes);
  const gathered = sizes.map(() => empty(longest, { dtype: 'uint8' }));
  await allGather(gathered, padded(bytes, longest), { group: of });
  objectList.splice(0, objectList.length, ...gathered.map((each, i) => decode(part(each, 0, sizes[i] as number))));
}

/**
 * Puts the value of every rank into an array that one rank has, by rank; the others give none.
 *
 * **Source**: `torch.distributed.gather_object`.
 */
export async function gatherObject(
  obj: unknown,
  objectGatherList?: unknown[] | null,
  dst?: number | null,
  group?: ProcessGroup | null,
): Promise<void> {
  const op = 'gatherObject';
  const of = groupOf(op, group);
  const to = dst ?? getGlobalRank(of, 0);
  const isRoot = of.ranks[of.rank()] === to;
  if (isRoot) checkList(op, 'objectGatherList', objectGatherList);
  const bytes = encode(op, obj);
  const sizes = await sizesOf(bytes, of);
  const longest = Math.max(...sizes);
  const gathered = isRoot ? sizes.map(() => empty(longest, { dtype: 'uint8' })) : undefined;
  await gather(padded(bytes, longest), { ...(gathered && { gatherList: gathered }), dst: to, group: of });
  if (gathered === undefined) return;
  const list = objectGatherList as unknown[];
  list.splice(0, list.length, ...gathered.map((each, i) => decode(part(each, 0, sizes[i] as number))));
}

/** The values in one piece of bytes. */
function splitUp(bytes: Tensor, sizes: readonly number[]): unknown[] {
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return decode(part(bytes, begin - size, size));
  });
}

/**
 * Puts the values of one rank's array into each rank's, which has as many places.
 *
 * **Source**: `torch.distributed.broadcast_object_list`.
 */
export async function broadcastObjectList(
  objectList: unknown[],
  src?: number | null,
  group?: ProcessGroup | null,
): Promise<void> {
  const op = 'broadcastObjectList';
  checkList(op, 'objectList', objectList);
  const of = groupOf(op, group);
  const from = src ?? getGlobalRank(of, 0);
  const isRoot = of.ranks[of.rank()] === from;
  const encoded = isRoot ? objectList.map((value) => encode(op, value)) : [];
  const sizes = isRoot ? integers(encoded.map((each) => each.numel())) : noIntegers(objectList.length);
  await broadcast(sizes, { src: from, group: of });
  const lengths = [...(sizes.toArray() as number[])].map(Number);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const bytes = isRoot && encoded.length > 0 ? aten.cat(encoded) : empty(total, { dtype: 'uint8' });
  await broadcast(bytes, { src: from, group: of });
  if (!isRoot) objectList.splice(0, objectList.length, ...splitUp(bytes, lengths));
}

/**
 * Gives each rank, as the first of its array, the value of its position in one rank's array.
 *
 * **Source**: `torch.distributed.scatter_object_list`.
 */
export async function scatterObjectList(
  outputList: unknown[],
  inputList?: readonly unknown[] | null,
  src?: number | null,
  group?: ProcessGroup | null,
): Promise<void> {
  const op = 'scatterObjectList';
  checkList(op, 'outputList', outputList);
  const of = groupOf(op, group);
  const from = src ?? getGlobalRank(of, 0);
  const isRoot = of.ranks[of.rank()] === from;
  if (isRoot) checkList(op, 'inputList', inputList);
  if (isRoot && inputList?.length !== of.size()) {
    throw expected(op, "'inputList'", `to have a value for each of the ${of.size()} ranks`, `${inputList?.length}`);
  }
  const encoded = isRoot ? (inputList as readonly unknown[]).map((value) => encode(op, value)) : [];
  const sizes = isRoot ? integers(encoded.map((each) => each.numel())) : noIntegers(of.size());
  await broadcast(sizes, { src: from, group: of });
  const lengths = (sizes.toArray() as number[]).map(Number);
  const longest = Math.max(...lengths);
  const own = empty(longest, { dtype: 'uint8' });
  const scatterList = encoded.map((each) => padded(each, longest));
  await scatter(own, { ...(isRoot && { scatterList }), src: from, group: of });
  outputList[0] = decode(part(own, 0, lengths[of.rank()] as number));
}

/** Sends the values of an array to another rank, which has one of as many places. **Source**: `torch.distributed.send_object_list`. */
export async function sendObjectList(
  objectList: readonly unknown[],
  dst: number,
  group?: ProcessGroup | null,
): Promise<void> {
  const op = 'sendObjectList';
  checkList(op, 'objectList', objectList);
  const of = groupOf(op, group);
  const encoded = objectList.map((value) => encode(op, value));
  await send(integers(encoded.map((each) => each.numel())), dst, { group: of });
  await send(aten.cat([empty(0, { dtype: 'uint8' }), ...encoded]), dst, { group: of });
}

/**
 * Receives the values that another rank sends, by default whichever sends first, into an array of as many places; gives
 * the rank that has sent them.
 *
 * **Source**: `torch.distributed.recv_object_list`.
 */
export async function recvObjectList(
  objectList: unknown[],
  src?: number | null,
  group?: ProcessGroup | null,
): Promise<number> {
  const op = 'recvObjectList';
  checkList(op, 'objectList', objectList);
  const of = groupOf(op, group);
  const sizes = noIntegers(objectList.length);
  const source = await recv(sizes, { ...(src != null && { src }), group: of });
  const lengths = (sizes.toArray() as number[]).map(Number);
  const bytes = empty(
    lengths.reduce((sum, length) => sum + length, 0),
    { dtype: 'uint8' },
  );
  await recv(bytes, { src: source, group: of });
  objectList.splice(0, objectList.length, ...splitUp(bytes, lengths));
  return source;
}
