/** Reads the arrays of a loss over files in step, and transfers them to the devices. */

import { badData } from '../io/bad-data';
import { keep, scope } from '../torch/scope';
import { stage } from '../torch/staging';
import type { Tensor } from '../torch/tensor';
import { type Device, type DType, isFloating } from '../types';
import { blockBytes } from './blocks';
import { type OpenArrayOptions, openArray } from './files/open';
import type { LossDescription } from './losses';
import { type ArraySource, bytesOfRow } from './source';

/** How files are read. */
export interface Reading {
  /** The devices that compute batches, in turn. */
  readonly devices: readonly Device[];
  /** Rows to read at once. Default: as many as make a block. */
  readonly batchRows: number | undefined;
  /** The dtype that floating arguments are cast to. Default: their common dtype. */
  readonly dtype: DType | undefined;
  /** How raw standard input is to be read. */
  readonly standardInput: OpenArrayOptions | undefined;
  /** Receives the number of bytes read so far, and the total if it is known. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** The longest time that the event loop is blocked, in milliseconds. */
const patience = 50;

/** @internal A small array, all at once. */
export async function wholeArray(
  spec: string,
  { signal }: Pick<Reading, 'signal'>,
  open: ArraySource[],
): Promise<Tensor> {
  const source = await openArray(spec, { signal });
  open.push(source);
  const rows = await source.read(source.rows ?? Number.MAX_SAFE_INTEGER);
  if (rows === undefined) throw badData(source.name, 'has no rows');
  return rows.clone();
}

/** @internal One array of the batches, which the caller closes. */
export async function openOne(
  specs: readonly string[],
  { standardInput, signal }: Pick<Reading, 'standardInput' | 'signal'>,
  open: ArraySource[],
): Promise<ArraySource> {
  const source = await openArray(specs, { ...(specs.length === 1 && specs[0] === '-' ? standardInput : {}), signal });
  open.push(source);
  return source;
}

/** @internal The arrays of a loss's arguments. */
export interface Sources {
  readonly first: ArraySource;
  readonly batched: readonly ArraySource[];
  /** By position among the loss's arguments. */
  readonly byArgument: readonly (ArraySource | Tensor)[];
}

/** @internal The arrays of all arguments, which the caller closes. */
export async function openAll(
  { arguments: names, constant }: LossDescription,
  specs: Readonly<Record<string, readonly string[]>>,
  order: Reading,
  open: ArraySource[],
): Promise<Sources> {
  const byArgument: (ArraySource | Tensor)[] = [];
  for (const name of names) {
    const own = specs[name] as readonly string[];
    byArgument.push(
      constant.includes(name) ? await wholeArray(own[0] as string, order, open) : await openOne(own, order, open),
    );
  }
  const batched = byArgument.filter((source): source is ArraySource => 'read' in source);
  return { first: batched[0] as ArraySource, batched, byArgument };
}

/** @internal Checks that all arrays have the same number of rows, and that they are not empty. */
export function checkRows(sources: readonly ArraySource[]): void {
  const [first] = sources as [ArraySource];
  for (const { name, rows, rowShape } of sources) {
    if (rowShape.includes(0)) throw badData(name, `has no elements in its rows of shape [${rowShape.join(', ')}]`);
    if (rows === undefined || first.rows === undefined || rows === first.rows) continue;
    throw badData(name, `has ${rows} rows, but ${first.name} has ${first.rows}`);
  }
}

/** @internal How many rows are read at once. */
export function rowsOfBatch(
  { lossesOf }: LossDescription,
  first: ArraySource,
  { batchRows }: Pick<Reading, 'batchRows'>,
): number {
  return batchRows ?? Math.max(1, Math.floor(blockBytes[lossesOf] / Math.max(bytesOfRow(first), 1)));
}

/** @internal Rows of all arguments of a loss, and the groups they belong to. */
export interface DeviceBatch {
  readonly args: readonly Tensor[];
  readonly ids: Tensor | undefined;
  /** The target on the CPU, so that its values can be read without waiting for the device. */
  readonly target: Tensor | undefined;
}

/** Rows in transfer to a device. */
interface StagedBatch {
  readonly bytes: number;
  readonly arrive: () => Tensor[];
  readonly ids: Tensor | undefined;
  readonly target: Tensor | undefined;
}

/** @internal Reads all arrays in step. */
export class Batches {
  bytes = 0;
  #read = 0;
  #ended = false;
  /** How many batches went to devices. */
  #staged = 0;
  readonly #constants = new Map<Device, Map<Tensor, Tensor>>();
  readonly #description: LossDescription;
  readonly #sources: Sources;
  readonly #groups: ArraySource | undefined;
  readonly #order: Reading;

  constructor(description: LossDescription, sources: Sources, groups: ArraySource | undefined, order: Reading) {
    this.#description = description;
    this.#sources = sources;
    this.#groups = groups;
    this.#order = order;
  }

  /** Calls `use` for every batch, on the devices in turn, while the next batches are in transfer. */
  async each(use: (batch: DeviceBatch) => void): Promise<void> {
    const { signal, onProgress, devices } = this.#order;
    let turn = performance.now();
    const ahead = [await this.#next()];
    for (let batch = ahead.shift(); batch !== undefined; batch = ahead.shift()) {
      signal.throwIfAborted();
      while (ahead.length < devices.length && !this.#ended) ahead.push(await this.#next());
      const { bytes, arrive, ids, target } = batch;
      scope(() => use({ args: arrive(), ids, target }));
      ids?.dispose();
      target?.dispose();
      this.bytes += bytes;
      onProgress(this.bytes, this.#total);
      if (performance.now() - turn < patience) continue;
      // Signals and progress bars need the event loop.
      await new Promise(setImmediate);
      turn = performance.now();
    }
  }

  /** How many rows were read so far. */
  get rows(): number {
    return this.#read;
  }

  get #all(): readonly ArraySource[] {
    const { batched } = this.#sources;
    return this.#groups === undefined ? batched : [...batched, this.#groups];
  }

  get #rowBytes(): number {
    return this.#all.reduce((sum, source) => sum + bytesOfRow(source), 0);
  }

  /** Of all arrays; 0 where the length of a stream is not known. */
  get #total(): number {
    return (this.#sources.first.rows ?? 0) * this.#rowBytes;
  }

  /** Reads the next rows of all arrays and starts their transfer to a device. */
  async #next(): Promise<StagedBatch | undefined> {
    const all = this.#all;
    const { first, byArgument } = this.#sources;
    const wanted = rowsOfBatch(this.#description, first, this.#order);
    const read: (Tensor | undefined)[] = [];
    for (const source of all) read.push(await source.read(wanted));
    this.#ended = read.every((tensor) => tensor === undefined);
    if (this.#ended) return undefined;
    const counts = read.map((tensor) => tensor?.shape[0] ?? 0);
    const rows = counts[0] as number;
    const other = counts.findIndex((count) => count !== rows);
    if (other >= 0) {
      const count = counts[other] as number;
      const short = (count < rows ? all[other] : first) as ArraySource;
      throw badData(short.name, `ends after ${this.#read + Math.min(count, rows)} rows, before the others`);
    }
    this.#read += rows;
    const ids = this.#groups === undefined ? undefined : read.pop();
    const { devices } = this.#order;
    const device = devices[this.#staged++ % devices.length] as Device;
    const { arrive, target } = scope(() => {
      let at = 0;
      const args = byArgument.map((source) => ('read' in source ? (read[at++] as Tensor) : this.#on(device, source)));
      const prepared = this.#prepared(args);
      return { arrive: stage(prepared, device), target: device === 'cpu' ? undefined : prepared.at(-1) };
    });
    for (const tensor of read) if (tensor !== target) tensor?.dispose();
    return { bytes: rows * this.#rowBytes, arrive, ids, target };
  }

  /** An argument that is the same for every batch is copied to each device once. */
  #on(device: Device, constant: Tensor): Tensor {
    const there = this.#constants.get(device) ?? new Map<Tensor, Tensor>();
    this.#constants.set(device, there);
    const found = there.get(constant) ?? keep(constant.to({ device }));
    there.set(constant, found);
    return found;
  }

  /** In the dtypes and the order of dimensions that the loss takes. */
  #prepared(args: readonly Tensor[]): Tensor[] {
    const { arguments: names, target, batchDim } = this.#description;
    const { dtype } = this.#order;
    const given = args[0] as Tensor;
    const first = dtype === undefined ? given : given.to(dtype);
    return args.map((tensor, i) => {
      const name = names[i] as string;
      if (i === 0) return batchDim[name] === 1 ? first.transpose(0, 1) : first;
      if (isFloating(tensor.dtype)) return dtype === undefined ? tensor : tensor.to(first.dtype);
      const holdsIndices = target !== 'elements' && (name.startsWith('target') || name.endsWith('Lengths'));
      return tensor.to(holdsIndices ? 'int64' : first.dtype);
    });
  }
}
