/** The file that one process of an evaluation leaves for `libtorch-losses merge`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadedLibtorch } from '../binding/load';
import { badData, unreadable } from '../io/bad-data';
import { isTensor } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import type { DType } from '../types';
import type { Sources } from './batches';
import type { LossDescription } from './losses';
import type { EvaluationRequest, Specs } from './request';
import type { EvaluationResult } from './result';
import type { Shard, ShardRows } from './shard';
import type { ArraySource } from './source';
import type { EvaluatorState } from './state';

const format = 'libtorch-losses evaluation';

/** What all shards of one evaluation have in common; merging compares it, and names what differs. */
export interface ShardedWork {
  /** The version of this package. */
  readonly 'libtorch-losses': string;
  readonly libtorch: string;
  readonly loss: string;
  readonly reduction: EvaluationResult['reduction'];
  /** The options of the loss as text; those that are arrays by their dtype, shape and SHA-256. */
  readonly options: Readonly<Record<string, string>>;
  /** The kind of device, and the dtype of the arithmetic. */
  readonly device: string;
  readonly dtype: string;
  readonly predictions: boolean;
  readonly details: boolean;
  /** The files of each argument, without their folders, with dtype and shape of a row. */
  readonly files: Readonly<Record<string, string>>;
  /** How many rows all shards have together. */
  readonly rows: number;
}

/** What a file of state holds. */
export interface ShardState {
  readonly shard: Shard;
  readonly rows: ShardRows;
  readonly work: ShardedWork;
  readonly run: { readonly files: readonly string[]; readonly bytes: number; readonly seconds: number };
  readonly state: EvaluatorState;
}

/** @internal What a state is made of. */
export interface EvaluatedWork {
  readonly description: LossDescription;
  readonly reduction: EvaluationResult['reduction'];
  readonly order: EvaluationRequest & { readonly dtype: DType };
  readonly specs: Specs;
  readonly options: Readonly<Record<string, unknown>>;
  readonly sources: Sources;
  readonly groups: ArraySource | undefined;
}

/** @internal The text of the file. */
export function shardStateText(
  work: EvaluatedWork,
  rows: ShardRows,
  run: ShardState['run'],
  state: EvaluatorState,
): string {
  const { shard = { index: 0, count: 1 } } = work.order;
  const content = { format, version: 1, shard, rows, work: describeWork(work, rows), run, state };
  return `${JSON.stringify({ ...content, sha256: digestOf(content) })}\n`;
}

function describeWork(
  { description, reduction, order, specs, options, sources, groups }: EvaluatedWork,
  { total }: ShardRows,
): ShardedWork {
  const [device = 'cpu'] = order.devices;
  const plain = Object.entries(options).filter(([name]) => name !== 'reduction');
  const arrays = description.arguments.map((name, i) => [name, sources.byArgument[i] as ArraySource | Tensor] as const);
  const files = arrays.map(([name, source]) => [name, fileText(specs[name] as readonly string[], source)]);
  if (groups !== undefined) files.push(['groups', fileText(order.groups as readonly string[], groups)]);
  return {
    'libtorch-losses': order.state?.version ?? '',
    libtorch: loadedLibtorch().version,
    loss: description.name,
    reduction,
    options: Object.fromEntries(plain.map(([name, value]) => [name, optionText(value)])),
    device: device.replace(/:.*/, ''),
    dtype: order.dtype,
    predictions: order.predictions,
    details: order.details,
    files: Object.fromEntries(files),
    rows: total,
  };
}

/** The text of a file of state. */
export function readShardText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Reads a state; `name` is for messages.
 *
 * @throws TorchError `BAD_DATA` for what `evaluate --state` has not written, or somebody has changed since.
 */
export function parseShardState(name: string, text: string): ShardState {
  let content: { format?: unknown; version?: unknown; sha256?: unknown } & Partial<ShardState>;
  try {
    content = JSON.parse(text) as typeof content;
  } catch (cause) {
    throw badData(name, `is cut off or damaged: ${(cause as Error).message}`, { cause });
  }
  if (typeof content !== 'object' || content === null || content.format !== format) {
    throw badData(name, 'is not what evaluate --state writes');
  }
  if (content.version !== 1) throw badData(name, `has version ${content.version} of the format; this package reads 1`);
  const { sha256, ...rest } = content;
  if (sha256 !== digestOf(rest)) throw badData(name, 'was changed since evaluate --state has written it');
  return content as ShardState;
}

function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function optionText(value: unknown): string {
  if (!isTensor(value)) return String(value);
  const elements = value.to({ device: 'cpu', dtype: 'float64' }).toTypedArray<Float64Array>();
  const digest = createHash('sha256').update(new Uint8Array(elements.buffer)).digest('hex');
  return `${value.dtype} [${value.shape.join(', ')}] of SHA-256 ${digest}`;
}

/** Names, dtype and shape of a row. Folders may differ from one machine to the next. */
function fileText(specs: readonly string[], source: ArraySource | Tensor): string {
  const shape = 'rowShape' in source ? source.rowShape : source.shape;
  return `${specs.map((spec) => basename(spec)).join(', ')}: ${source.dtype} [${shape.join(', ')}]`;
}
