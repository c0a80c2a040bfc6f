/** A loss over files: what `libtorch-losses evaluate` runs. */
import { loadedLibtorch } from '../binding/load';
import { TorchError } from '../errors';
import { badData } from '../io/bad-data';
import { waitForTick } from '../io/file-stamp';
import { type NpyWriter, writeNpy } from '../io/npy-writer';
import { Outputs } from '../output/outputs';
import { noGrad } from '../torch/autograd';
import { lostMappings } from '../torch/file-bytes';
import { keep, scope } from '../torch/scope';
import type { Tensor } from '../torch/tensor';
import { valueAndGrad } from '../torch/value-and-grad';
import type { DType } from '../types';
import { BatchEvaluator, begin, countFrom } from './batch-evaluator';
import { Batches, checkRows, openAll, openOne, type Sources } from './batches';
import { Window } from './files/window';
import type { LossDescription } from './losses';
import { batchOptions } from './measure';
import { loadPlugins } from './plugins';
import {
  checkDevice,
  checkStandardInput,
  commonDType,
  type EvaluationRequest,
  lossNamed,
  protectInputs,
  readArguments,
  readOptions,
  type Specs,
} from './request';
import type { EvaluationResult } from './result';
import { checkShard, findRows, narrowed, type ShardRows } from './shard';
import { shardStateText } from './shard-state';
import type { ArraySource } from './source';

/** The outcome of an evaluation. */
export interface Evaluated {
  readonly result: EvaluationResult;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
  /** Which rows were evaluated, of how many. */
  readonly rows: ShardRows;
  /** The text of the state, if it was asked for. */
  readonly state: string | undefined;
}

/**
 * Evaluates a loss over files. At the end the outputs are renamed to their final names: by the caller, if it passes
 * `together` with outputs of its own.
 *
 * @throws TorchError `BAD_DATA` for files that cannot be read and data that the loss refuses; `INVALID_ARGUMENT` for an
 *   order that cannot be met.
 */
export async function evaluateFiles(given: EvaluationRequest, together?: Outputs): Promise<Evaluated> {
  const description = lossNamed(given.loss, await loadPlugins(given.plugins ?? []));
  const specs = readArguments(description, given.arguments);
  checkStandardInput(specs, given);
  checkShard(given);
  const outputs = together ?? new Outputs('evaluate');
  await protectInputs(outputs, specs, given);
  // The time does not include loading libtorch.
  loadedLibtorch();
  given.devices.forEach(checkDevice);
  const start = performance.now();
  const open: ArraySource[] = [];
  try {
    const opened = await openRequest(description, specs, given, open);
    const { order, options, sources, groups } = opened;
    const lost = lostMappings();
    const stateFile = order.state?.path === undefined ? undefined : outputs.open("'--state'", order.state.path);
    const { losses, gradients } = writersOf(outputs, order, sources.first, description);
    const divisor = gradients && (await divisorOf(description, specs, order, options));
    const evaluator = new BatchEvaluator(description.loss, options, {
      predictions: order.predictions,
      details: order.details,
      ...(losses === undefined ? {} : { onLosses: (values: Tensor) => losses.append(shaped(values, losses.rowShape)) }),
    });
    countFrom(evaluator, opened.lossesBefore);
    const batches = new Batches(description, sources, groups, order);
    // One more than a GPU computes: the results of a batch are read when the next one is queued.
    const ahead = order.devices.filter((device) => device !== 'cpu').length;
    const running: (() => void)[] = [];
    await batches.each(({ args, ids, target }) => {
      withNames(description, specs, options, () => {
        const count = begin(evaluator, args, ids, target);
        const grad = gradients && gradientOf(description, args as [Tensor, ...Tensor[]], options, divisor as number);
        running.push(() => {
          count();
          if (grad === undefined) return;
          gradients?.append(grad.cpu());
          grad.dispose();
        });
        if (running.length === order.devices.length + ahead) running.shift()?.();
      });
    });
    for (const finish of running) withNames(description, specs, options, () => scope(finish));
    evaluator.flush();
    const result = evaluator.result();
    checkUnchanged(open, lost);
    for (const writer of [losses, gradients]) writer?.finish();
    const rows = opened.rows ?? { first: 0, end: batches.rows, total: batches.rows };
    const seconds = (performance.now() - start) / 1000;
    const run = { files: opened.names, bytes: batches.bytes, seconds };
    const work = { ...opened, description, specs, reduction: result.reduction };
    const state = order.state && shardStateText(work, rows, run, evaluator.state());
    if (state !== undefined) stateFile?.write(Buffer.from(state), 0);
    if (together === undefined) outputs.finish();
    return { result: placed(result, opened.lossesBefore), rows, state, ...run };
  } catch (error) {
    outputs.discard();
    throw error;
  } finally {
    for (const source of open) source.close();
  }
}

/** What was opened for a request. */
interface OpenedRequest {
  readonly order: EvaluationRequest & { readonly dtype: DType };
  readonly options: Readonly<Record<string, unknown>>;
  /** With the rows of the shard alone. */
  readonly sources: Sources;
  readonly groups: ArraySource | undefined;
  /** The names of all files of rows. */
  readonly names: readonly string[];
  /** `undefined` for all rows of a stream. */
  readonly rows: ShardRows | undefined;
  /** How many losses lie before those of the shard. */
  readonly lossesBefore: number;
}

async function openRequest(
  description: LossDescription,
  specs: Specs,
  given: EvaluationRequest,
  open: ArraySource[],
): Promise<OpenedRequest> {
  const sources = await openAll(description, specs, given, open);
  const order = { ...given, dtype: given.dtype ?? commonDType(sources.batched) };
  const options = await readOptions(order, sources.first, open);
  const groups = order.groups && (await openOne(order.groups, order, open));
  const all = groups === undefined ? sources.batched : [...sources.batched, groups];
  checkRows(all);
  await waitForTick(open.flatMap(({ stamps }) => stamps));
  const opened = { order, options, names: all.map(({ name }) => name) };
  const rows = findRows(description, sources.first, order);
  if (rows === undefined) return { ...opened, sources, groups, rows, lossesBefore: 0 };
  const lossesBefore = rows.first * lossShape(description, sources.first).reduce((product, size) => product * size, 1);
  return {
    ...opened,
    sources: narrowed(sources, rows),
    groups: groups && new Window(groups, rows),
    rows,
    lossesBefore,
  };
}

/** The result of a shard with the places of its samples in the whole data. */
function placed(result: EvaluationResult, before: number): EvaluationResult {
  if (result.worst === undefined || before === 0) return result;
  return { ...result, worst: result.worst.map((sample) => ({ ...sample, index: sample.index + before })) };
}

/** The result is valid only if the files have not changed; `lost` counts mappings that were lost before. */
function checkUnchanged(open: readonly ArraySource[], lost: number): void {
  for (const { stamps } of open) for (const stamp of stamps) stamp.check();
  if (lostMappings() === lost) return;
  throw badData(open.map(({ name }) => name).join(', '), 'could not be read as a whole: does the disk work?');
}

function writersOf(
  outputs: Outputs,
  order: EvaluationRequest,
  first: ArraySource,
  description: LossDescription,
): { losses: NpyWriter | undefined; gradients: NpyWriter | undefined } {
  const dtype = order.dtype ?? first.dtype;
  const began = (flag: string, path: string | undefined, rowShape: readonly number[]): NpyWriter | undefined =>
    path === undefined ? undefined : writeNpy(outputs.open(flag, path), { dtype, rowShape });
  return {
    losses: began("'--per-sample'", order.perSample, lossShape(description, first)),
    gradients: began("'--gradient'", order.gradient, first.rowShape),
  };
}

/** The shape of the losses of one row: that of its elements, or of its dimensions other than the classes. */
function lossShape({ lossesOf, scores }: LossDescription, { rowShape }: ArraySource): readonly number[] {
  if (lossesOf === 'elements') return rowShape;
  return scores === undefined ? [] : rowShape.slice(1);
}

function shaped(losses: Tensor, rowShape: readonly number[]): Tensor {
  return losses.reshape([-1, ...rowShape]);
}

/** The divisor of the gradient of the sum, which has to be known before the first row is written. */
async function divisorOf(
  description: LossDescription,
  specs: Specs,
  order: EvaluationRequest,
  options: Readonly<Record<string, unknown>>,
): Promise<number> {
  if (options.reduction === 'sum') return 1;
  const open: ArraySource[] = [];
  try {
    const sources = await openAll(description, specs, order, open);
    const { rows = 0 } = sources.first;
    if (options.reduction === 'batchmean') return rows;
    // It depends on targets, weights and ignored labels, so the data is read once for it.
    const lost = lostMappings();
    const evaluator = new BatchEvaluator(description.loss, options, { predictions: false });
    const batches = new Batches(description, sources, undefined, { ...order, onProgress: () => {} });
    await batches.each(({ args }) => {
      withNames(description, specs, options, () => evaluator.update(...args));
    });
    checkUnchanged(open, lost);
    return evaluator.result().denominator;
  } finally {
    for (const source of open) source.close();
  }
}

/** The gradient of a batch's share of the result, a row for each sample. */
function gradientOf(
  description: LossDescription,
  [input, ...rest]: readonly [Tensor, ...Tensor[]],
  options: Readonly<Record<string, unknown>>,
  divisor: number,
): Tensor {
  const { loss, arguments: names, batchDim, denominator } = description;
  const dim = batchDim[names[0] as string] ?? 0;
  // Only a mean divides each loss by its target's length.
  const isMean = denominator === 'target lengths' && options.reduction !== 'sum';
  const own = { ...batchOptions(description, input, options), reduction: isMean ? 'mean' : 'sum' };
  const { grad } = valueAndGrad(loss)(input, ...rest, own);
  const share = isMean ? divisor / (input.shape[dim] as number) : divisor;
  return keep(noGrad(() => grad.div_(share).transpose(0, dim).contiguous()));
}

/** Errors of the loss name the files that the data came from. */
function withNames(
  { arguments: names }: LossDescription,
  specs: Specs,
  options: Readonly<Record<string, unknown>>,
  fn: () => void,
): void {
  try {
    fn();
  } catch (error) {
    // Errors that name a file already (an output that cannot be written) stay as they are.
    if (!(error instanceof TorchError) || error.code === 'BAD_DATA') throw error;
    const isOption = error.code === 'UNKNOWN_OPTION' || (error.argument !== undefined && error.argument in options);
    if (isOption) throw error;
    const argument = error.argument !== undefined && names.includes(error.argument) ? error.argument : undefined;
    const where = argument === undefined ? Object.values(specs).flat().join(', ') : (specs[argument] ?? []).join(', ');
    throw badData(where, error.message, { cause: error });
  }
}
