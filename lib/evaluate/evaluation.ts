/** A loss over files: what `libtorch-losses evaluate` runs. */
import { resolve } from 'node:path';
import { loadedLibtorch } from '../binding/load';
import { expected, show, TorchError } from '../errors';
import { oneOf } from '../options';
import { noGrad } from '../tensor/autograd';
import { whyUnavailable } from '../tensor/cuda';
import { scope } from '../tensor/scope';
import { stage } from '../tensor/staging';
import type { Tensor } from '../tensor/tensor';
import { valueAndGrad } from '../tensor/value-and-grad';
import { type DType, isFloating } from '../types';
import { BatchEvaluator } from './batch-evaluator';
import { badData } from './files/bad-data';
import { type NpyWriter, writeNpy } from './files/npy-writer';
import { type OpenArrayOptions, openArray } from './files/open';
import { resolveSpec } from './files/spec';
import { type LossDescription, lossDescriptions } from './losses';
import { batchOptions } from './measure';
import type { EvaluationResult } from './result';
import type { ArraySource } from './source';

/** What to evaluate. */
export interface Evaluation {
  /** `crossEntropy`, `cross-entropy`, `cross_entropy` or `CrossEntropyLoss`. */
  readonly loss: string;
  /** Where each argument of the loss is, by its name; `input` and `target` stand for the first and the last. */
  readonly arguments: Readonly<Record<string, readonly string[]>>;
  /** Options of the loss; text that names an array file is read. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly device: string;
  /** Rows that are read at once; absent: as many as make 16 MB. */
  readonly batchRows: number | undefined;
  /** What floating arguments are cast to; absent: their common dtype. */
  readonly dtype: DType | undefined;
  /** Where each loss is written. */
  readonly perSample: string | undefined;
  /** Where the gradient to the first argument is written. */
  readonly gradient: string | undefined;
  /** Where the group of each sample is. */
  readonly groups: readonly string[] | undefined;
  /** Whether the result has a histogram and the worst samples. */
  readonly details: boolean;
  /** How raw standard input is to be read. */
  readonly standardInput: OpenArrayOptions | undefined;
  /** Is told of the bytes so far, and of all if that is known. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Evaluated {
  readonly result: EvaluationResult;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

const op = 'evaluate';

/** How much is read at once. */
const batchBytes = 16 * 2 ** 20;

/** How long the event loop may wait for its turn, in milliseconds. */
const patience = 50;

/** @internal The loss that a name of PyTorch's or of this library stands for. */
export function lossNamed(name: string): LossDescription {
  const fold = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '').replace(/loss$/, '');
  const aliases: Readonly<Record<string, string>> = {
    bce: 'binaryCrossEntropy',
    bcewithlogits: 'binaryCrossEntropyWithLogits',
    kldiv: 'klDiv',
  };
  const wanted = aliases[fold(name)] ?? name;
  const found = lossDescriptions.find((description) => fold(description.name) === fold(wanted));
  if (found !== undefined) return found;
  const names = lossDescriptions.map((description) => description.name);
  oneOf(op, "'--loss'", name, names);
  throw expected(op, "'--loss'", 'to be a loss', name);
}

/**
 * Evaluates a loss over files.
 *
 * @throws TorchError `BAD_DATA` for files that cannot be read and data that the loss refuses; `INVALID_ARGUMENT` for an
 *   order that cannot be met.
 */
export async function evaluateFiles(given: Evaluation): Promise<Evaluated> {
  const description = lossNamed(given.loss);
  const specs = readArguments(description, given.arguments);
  checkStandardInput(specs, given);
  await checkOutputs(specs, given);
  // Loading libtorch is no part of the time.
  loadedLibtorch();
  const unavailable = given.device.startsWith('cuda') ? whyUnavailable() : undefined;
  if (unavailable !== undefined) throw expected(op, "'--device'", 'to be a device that is there', unavailable);
  const start = performance.now();
  const open: ArraySource[] = [];
  const writers: NpyWriter[] = [];
  try {
    const sources = await openAll(description, specs, given, open);
    const order = { ...given, dtype: given.dtype ?? commonDType(sources.batched) };
    const options = await readOptions(order, sources.first, open);
    const groups = order.groups && (await openOne(order.groups, order, open));
    const all = groups === undefined ? sources.batched : [...sources.batched, groups];
    checkRows(all);
    const { losses, gradients } = outputs(order, sources.first, description, writers);
    const divisor = gradients && (await divisorOf(description, specs, order, options));
    const evaluator = new BatchEvaluator(description.loss, options, {
      details: order.details,
      ...(losses === undefined ? {} : { onLosses: (values: Tensor) => losses.append(shaped(values, losses.rowShape)) }),
    });
    const batches = new Batches(description, sources, groups, order);
    await batches.each(({ args, ids }) => {
      withNames(description, specs, options, () => {
        if (ids === undefined) evaluator.update(...args);
        else evaluator.updateGroups(ids, ...args);
        if (gradients !== undefined)
          gradients.append(gradientOf(description, args as [Tensor, ...Tensor[]], options, divisor as number));
      });
    });
    evaluator.flush();
    const result = evaluator.result();
    for (const writer of writers) writer.finish();
    const seconds = (performance.now() - start) / 1000;
    return { result, files: all.map(({ name }) => name), bytes: batches.bytes, seconds };
  } catch (error) {
    for (const writer of writers) writer.discard();
    throw error;
  } finally {
    for (const source of open) source.close();
  }
}

/** The specs of all arguments by their own names. */
function readArguments(
  { name, arguments: names }: LossDescription,
  given: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  const own: Record<string, readonly string[]> = {};
  const target = names.find((argument) => argument.startsWith('target')) ?? (names.at(-1) as string);
  for (const [key, specs] of Object.entries(given)) {
    const argument = names.includes(key)
      ? key
      : key === 'input'
        ? (names[0] as string)
        : key === 'target'
          ? target
          : key;
    own[oneOf(op, `'--argument' of ${name}`, argument, names)] = specs;
  }
  for (const argument of names) {
    if (own[argument]?.length) continue;
    const flag = argument === names[0] ? '--input' : argument === target ? '--target' : `--argument ${argument}=<file>`;
    throw expected(op, `'${flag}'`, `to name the file of '${argument}', which ${name} takes`, 'nothing');
  }
  return own;
}

/** A stream can be read once. */
function checkStandardInput(
  specs: Readonly<Record<string, readonly string[]>>,
  { groups = [], gradient, options }: Evaluation,
): void {
  const streams = [...Object.values(specs).flat(), ...groups].filter((spec) => spec === '-').length;
  if (streams > 1) throw expected(op, "'-'", 'to be given once, for standard input', `${streams} of them`);
  if (streams > 0 && gradient !== undefined && options.reduction !== 'sum') {
    throw expected(op, "'--gradient'", "to come with '--reduction sum'", 'a mean over a stream');
  }
}

/** What is read is not overwritten. */
async function checkOutputs(
  specs: Readonly<Record<string, readonly string[]>>,
  { groups = [], options, perSample, gradient }: Evaluation,
): Promise<void> {
  const outputs = { '--per-sample': perSample, '--gradient': gradient };
  const files = Object.values(options).filter((value) => typeof value === 'string' && arrayFile.test(value));
  const read = [...Object.values(specs).flat(), ...groups, ...(files as string[])].filter((spec) => spec !== '-');
  for (const [flag, output] of Object.entries(outputs)) {
    if (output === undefined) continue;
    for (const { path } of (await Promise.all(read.map(resolveSpec))).flat()) {
      if (resolve(path) !== resolve(output)) continue;
      throw expected(op, `'${flag}'`, 'to be another file than those that are read', show(output));
    }
  }
}

/** What PyTorch makes of several dtypes, of those that float; float32 where none does. */
function commonDType(sources: readonly ArraySource[]): DType {
  const dtypes = new Set(sources.map(({ dtype }) => dtype).filter(isFloating));
  const [only] = dtypes;
  if (only !== undefined && dtypes.size === 1) return only;
  return dtypes.has('float64') ? 'float64' : 'float32';
}

const arrayFile = /\.(npy|npz|safetensors)(:.+)?$/;

/** The options with the arrays that they name, which losses want in the dtype of the first argument. */
async function readOptions(
  { options, device, dtype }: Evaluation,
  first: ArraySource,
  open: ArraySource[],
): Promise<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    read[name] =
      typeof value === 'string' && arrayFile.test(value)
        ? (await wholeArray(value, open)).to({ device, dtype: dtype ?? first.dtype })
        : value;
  }
  return read;
}

/** A small array, all at once. */
async function wholeArray(spec: string, open: ArraySource[]): Promise<Tensor> {
  const source = await openArray(spec);
  open.push(source);
  const rows = await source.read(source.rows ?? Number.MAX_SAFE_INTEGER);
  if (rows === undefined) throw badData(source.name, 'has no rows');
  return rows.clone();
}

async function openOne(specs: readonly string[], order: Evaluation, open: ArraySource[]): Promise<ArraySource> {
  const source = await openArray(specs, specs.length === 1 && specs[0] === '-' ? order.standardInput : undefined);
  open.push(source);
  return source;
}

interface Sources {
  readonly first: ArraySource;
  readonly batched: readonly ArraySource[];
  /** By position among the loss's arguments. */
  readonly byArgument: readonly (ArraySource | Tensor)[];
}

async function openAll(
  { arguments: names, constant }: LossDescription,
  specs: Readonly<Record<string, readonly string[]>>,
  order: Evaluation,
  open: ArraySource[],
): Promise<Sources> {
  const byArgument: (ArraySource | Tensor)[] = [];
  for (const name of names) {
    const own = specs[name] as readonly string[];
    byArgument.push(
      constant.includes(name) ? await wholeArray(own[0] as string, open) : await openOne(own, order, open),
    );
  }
  const batched = byArgument.filter((source): source is ArraySource => 'read' in source);
  return { first: batched[0] as ArraySource, batched, byArgument };
}

/** All arrays must have the same number of rows, and something in them. */
function checkRows(sources: readonly ArraySource[]): void {
  const [first] = sources as [ArraySource];
  for (const { name, rows, rowShape } of sources) {
    if (rowShape.includes(0)) throw badData(name, `has no elements in its rows of shape [${rowShape.join(', ')}]`);
    if (rows === undefined || first.rows === undefined || rows === first.rows) continue;
    throw badData(name, `has ${rows} rows, but ${first.name} has ${first.rows}`);
  }
}

function outputs(
  order: Evaluation,
  first: ArraySource,
  description: LossDescription,
  writers: NpyWriter[],
): { losses: NpyWriter | undefined; gradients: NpyWriter | undefined } {
  const { batchDim, name } = description;
  const dtype = order.dtype ?? first.dtype;
  const began = (path: string, rowShape: readonly number[]): NpyWriter => {
    const writer = writeNpy(path, { dtype, rowShape });
    writers.push(writer);
    return writer;
  };
  if (order.gradient !== undefined && Object.keys(batchDim).length > 0) {
    throw expected(op, "'--gradient'", 'to be absent', `a file, for ${name}, whose batches are no rows`);
  }
  return {
    losses: order.perSample === undefined ? undefined : began(order.perSample, lossShape(description, first)),
    gradients: order.gradient === undefined ? undefined : began(order.gradient, first.rowShape),
  };
}

/** The losses of one row: of its elements, or of the places beside its classes. */
function lossShape({ lossesOf, scores }: LossDescription, { rowShape }: ArraySource): readonly number[] {
  if (lossesOf === 'elements') return rowShape;
  return scores === undefined ? [] : rowShape.slice(1);
}

function shaped(losses: Tensor, rowShape: readonly number[]): Tensor {
  return losses.reshape([-1, ...rowShape]);
}

/** Reads all arrays in step. */
class Batches {
  bytes = 0;
  #read = 0;
  readonly #description: LossDescription;
  readonly #sources: Sources;
  readonly #groups: ArraySource | undefined;
  readonly #order: Evaluation;

  constructor(description: LossDescription, sources: Sources, groups: ArraySource | undefined, order: Evaluation) {
    this.#description = description;
    this.#sources = sources;
    this.#groups = groups;
    this.#order = order;
  }

  /** Calls `use` for every batch, on the device; the next one is on its way there meanwhile. */
  async each(use: (batch: { args: Tensor[]; ids: Tensor | undefined }) => void): Promise<void> {
    const { signal, onProgress } = this.#order;
    let turn = performance.now();
    let ahead = await this.#next();
    while (ahead !== undefined) {
      signal.throwIfAborted();
      const { bytes, arrive, ids } = ahead;
      ahead = await this.#next();
      scope(() => use({ args: arrive(), ids }));
      ids?.dispose();
      this.bytes += bytes;
      onProgress(this.bytes, this.#total);
      if (performance.now() - turn < patience) continue;
      // Interruptions and progress bars need the event loop.
      await new Promise(setImmediate);
      turn = performance.now();
    }
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

  /** The next rows of all arrays, begun to be copied to the device. */
  async #next(): Promise<{ bytes: number; arrive: () => Tensor[]; ids: Tensor | undefined } | undefined> {
    const all = this.#all;
    const { first, byArgument } = this.#sources;
    const wanted = this.#order.batchRows ?? Math.max(1, Math.floor(batchBytes / Math.max(bytesOfRow(first), 1)));
    const read: (Tensor | undefined)[] = [];
    for (const source of all) read.push(await source.read(wanted));
    if (read.every((tensor) => tensor === undefined)) return undefined;
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
    const arrive = scope(() => {
      let at = 0;
      const args = byArgument.map((source) => ('read' in source ? (read[at++] as Tensor) : source));
      return stage(this.#prepared(args), this.#order.device);
    });
    for (const tensor of read) tensor?.dispose();
    return { bytes: rows * this.#rowBytes, arrive, ids };
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

function bytesOfRow({ dtype, rowShape }: ArraySource): number {
  const bits = /\d+$/.exec(dtype)?.[0];
  return rowShape.reduce((product, size) => product * size, bits === undefined ? 1 : Number(bits) / 8);
}

/** What the gradient of the sum is divided by; it has to be known before the first row is written. */
async function divisorOf(
  description: LossDescription,
  specs: Readonly<Record<string, readonly string[]>>,
  order: Evaluation,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  if (options.reduction === 'sum') return 1;
  const open: ArraySource[] = [];
  try {
    const sources = await openAll(description, specs, order, open);
    const { rows = 0 } = sources.first;
    if (options.reduction === 'batchmean') return rows;
    // What counts depends on targets, weights and what is ignored: the data is gone through once for it.
    const evaluator = new BatchEvaluator(description.loss, options, { predictions: false });
    const batches = new Batches(description, sources, undefined, { ...order, onProgress: () => {} });
    await batches.each(({ args }) => {
      withNames(description, specs, options, () => evaluator.update(...args));
    });
    return evaluator.result().denominator;
  } finally {
    for (const source of open) source.close();
  }
}

function gradientOf(
  description: LossDescription,
  [input, ...rest]: readonly [Tensor, ...Tensor[]],
  options: Readonly<Record<string, unknown>>,
  divisor: number,
): Tensor {
  const own = batchOptions(description, input, options);
  const { grad } = valueAndGrad(description.loss)(input, ...rest, { ...own, reduction: 'sum' });
  return noGrad(() => grad.div_(divisor).cpu());
}

/** What the loss refuses is a matter of the files that the data came from. */
function withNames(
  { arguments: names }: LossDescription,
  specs: Readonly<Record<string, readonly string[]>>,
  options: Readonly<Record<string, unknown>>,
  fn: () => void,
): void {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof TorchError)) throw error;
    const isOption = error.code === 'UNKNOWN_OPTION' || (error.argument !== undefined && error.argument in options);
    if (isOption) throw error;
    const argument = error.argument !== undefined && names.includes(error.argument) ? error.argument : undefined;
    const where = argument === undefined ? Object.values(specs).flat().join(', ') : (specs[argument] ?? []).join(', ');
    throw badData(where, error.message, { cause: error });
  }
}
