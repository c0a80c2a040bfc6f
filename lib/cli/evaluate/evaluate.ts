/** `libtorch-losses evaluate`: a loss over files and streams, bigger than memory. */
import { loadedLibtorch } from '../../binding/load';
import { expected, show } from '../../errors';
import { type Evaluated, evaluateFiles } from '../../evaluate/evaluation';
import { mergeShards } from '../../evaluate/merge';
import { Ranks } from '../../evaluate/ranks';
import type { EvaluationRequest } from '../../evaluate/request';
import type { EvaluationResult } from '../../evaluate/result';
import { oneOf } from '../../options';
import { Outputs } from '../../output/outputs';
import { type Device, type DType, dtypes, floatingDTypes } from '../../types';
import { type CommandContext, packageVersion, parseArguments } from '../shared/command';
import { type Output, reportTo } from '../shared/report';
import { type EvaluationFacts, mergedFacts, typed } from './facts';
import { evaluatePage } from './page';
import { present } from './present';
import { canMeet, isOfTorchrun, isScheduled, readShard, type ShardFound, shardPath } from './shard';

const usage = `Usage: libtorch-losses evaluate --loss <name> --input <file> --target <file> [options]

PyTorch's loss over all rows of files or of a stream, however large: what one call over the whole data gives.

What is evaluated:
  --loss <name>          cross-entropy, mse, binary-cross-entropy-with-logits, … : any loss of torch.nn.functional
  --plugin <file>        a module that exports losses of your own, made by defineLoss; --loss may name one of them
  --input <file>         the loss's first argument: scores, predictions. Several files or a pattern ('logits-*.npy')
                         are one array, in their order along the first dimension
  --target <file>        the loss's target, a row for each row of the input
  --argument <name=file> another argument: variance=var.npy, positive=p.npy, negative=n.npy, inputLengths=t.npy
  --weight <file>        the loss's weight: short for --option weight=<file>
  --option <name=value>  an option of the loss: labelSmoothing=0.1, ignoreIndex=0, posWeight=w.npy
  --reduction <name>     mean (the default), sum, or batchmean for kl-div

Files are .npy, .npz (file.npz:member), .safetensors (file.safetensors:name), or - for standard input: .npy format, or
raw elements with --stdin-dtype and --stdin-row.
  --stdin-dtype <dtype>  the dtype of raw elements, little-endian
  --stdin-row <sizes>    the shape of one row: 1000, or 3x32x32, or 1 for single numbers in a row each

How:
  --device <device>      cpu (the default), cuda, cuda:<index>, or several: cuda:0,cuda:1
  --batch-size <rows>    rows that are read at once, or auto (the default)
  --dtype <dtype>        what the input is cast to before: float64, float32, float16 or bfloat16

In parts:
  --shard <which>        evaluates one part of the rows: 0/8 to 7/8, or auto for what Slurm, Kubernetes, AWS Batch,
                         Cloud Run or torchrun say in the environment; merge makes one result of all parts
  --state <file>         writes what merge needs; under a scheduler it stands for --shard auto as well
Under torchrun, without --state, the ranks share the rows and rank 0 says what all have found; --shard 0/1 prevents it.

What comes out:
  --per-sample <file>    writes each loss, as a .npy file
  --gradient <file>      writes the gradient to the input, as a .npy file; for a mean the data is gone through twice
  --group-by <file>      the mean loss of each group: an integer for each row
  --report <file>        writes a page with charts: how the losses are distributed, classes, calibration, worst samples
  --json                 prints one JSON document
  --quiet                prints the loss alone, and no progress
  --help                 this text
In the paths of outputs {shard} stands for the number of the shard: --state 'parts/{shard}.json'.

Exit status: 0, 1 for data that cannot be read or that the loss refuses, 2 if the arguments are not understood.

Example:
  libtorch-losses evaluate --loss cross-entropy --input logits.npy --target labels.npy --report report.html`;

const flags = {
  loss: { type: 'string' },
  plugin: { type: 'string', multiple: true },
  input: { type: 'string', multiple: true },
  target: { type: 'string', multiple: true },
  argument: { type: 'string', multiple: true },
  weight: { type: 'string' },
  option: { type: 'string', multiple: true },
  reduction: { type: 'string' },
  'stdin-dtype': { type: 'string' },
  'stdin-row': { type: 'string' },
  device: { type: 'string' },
  'batch-size': { type: 'string' },
  dtype: { type: 'string' },
  'per-sample': { type: 'string' },
  gradient: { type: 'string' },
  'group-by': { type: 'string', multiple: true },
  report: { type: 'string' },
  shard: { type: 'string' },
  state: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What the arguments ask for. */
export interface EvaluateArguments {
  readonly help: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly report: string | undefined;
  /** What is said about the shard before the evaluation, where it was not asked for by `--shard`. */
  readonly notice: string | undefined;
  /** Whether the processes of all shards meet, and the first one says what they found. */
  readonly together: boolean;
  readonly evaluation: Omit<EvaluationRequest, 'onProgress' | 'signal'>;
}

const op = 'evaluate';

/**
 * Runs `libtorch-losses evaluate` with the arguments after `evaluate`.
 *
 * @returns the exit status: 1 for data that cannot be evaluated.
 */
export async function evaluate(
  args: readonly string[],
  { env, report, signal }: CommandContext,
  errors: Output = process.stderr,
): Promise<number> {
  const wanted = parseEvaluateArguments(args, env);
  if (wanted.help) {
    report.line(usage);
    return 0;
  }
  if (wanted.notice !== undefined) reportTo(errors).line(wanted.notice);
  // Of ranks that evaluate together the first one does.
  const reports = !wanted.together || wanted.evaluation.shard?.index === 0;
  const progress = wanted.quiet || !reports ? undefined : progressOf(errors);
  const outputs = new Outputs(op);
  let ranks: Ranks | undefined;
  try {
    const page = wanted.report === undefined || !reports ? undefined : outputs.open("'--report'", wanted.report);
    if (wanted.together) ranks = await Ranks.join();
    const onProgress = (done: number, total: number): void => progress?.(done, total);
    const evaluated = await evaluateFiles({ ...wanted.evaluation, onProgress, signal }, outputs);
    progress?.stop();
    const found = ranks === undefined ? factsOf(wanted, evaluated) : await factsOfAll(ranks, evaluated);
    const shown = found && ([found.result, { ...found.facts, ...typed(op, args) }] as const);
    if (shown !== undefined) page?.write(Buffer.from(evaluatePage(...shown)), 0);
    signal.throwIfAborted();
    outputs.finish();
    const { json, quiet, report: path, evaluation } = wanted;
    if (shown !== undefined) present(report, ...shown, { json, quiet, page: path, state: evaluation.state?.path });
    return 0;
  } finally {
    outputs.discard();
    progress?.stop();
    await ranks?.leave();
  }
}

/** A result, and what is said with it. */
interface Found {
  readonly result: EvaluationResult;
  readonly facts: EvaluationFacts;
}

function factsOf({ evaluation }: EvaluateArguments, { result, rows, state: _, ...run }: Evaluated): Found {
  const shard = evaluation.shard === undefined ? {} : { shard: { ...evaluation.shard, ...rows } };
  const device = evaluation.devices.join(', ');
  return { result, facts: { ...run, ...shard, device, libtorch: loadedLibtorch().version, version: packageVersion() } };
}

/** What all ranks have found; only the first one says it. */
async function factsOfAll(ranks: Ranks, { state }: Evaluated): Promise<Found | undefined> {
  const states = await ranks.gather(state as string);
  return states && mergedFacts(mergeShards(states));
}

/** Reads the arguments; every mistake is an `INVALID_ARGUMENT` error. */
export function parseEvaluateArguments(args: readonly string[], env: NodeJS.ProcessEnv): EvaluateArguments {
  const { values } = parseArguments(op, args, { options: flags });
  const { help = false, json = false, quiet = false } = values;
  if (!help && values.loss === undefined) throw expected(op, "'--loss'", 'to name a loss', 'nothing');
  const options: Record<string, unknown> = pairs('--option', values.option, optionValue);
  if (values.weight !== undefined) options.weight = values.weight;
  if (values.reduction !== undefined) {
    options.reduction = oneOf(op, "'--reduction'", values.reduction, ['mean', 'sum', 'batchmean']);
  }
  const given: Record<string, readonly string[]> = {};
  for (const [name, file] of Object.entries(pairs('--argument', values.argument, (text) => text))) given[name] = [file];
  if (values.input !== undefined) given.input = values.input;
  if (values.target !== undefined) given.target = values.target;
  const found = help ? undefined : findShard(values, env);
  const together = found !== undefined && values.state === undefined && canMeet(found, env);
  const output = (name: 'state' | 'per-sample' | 'gradient' | 'report'): string | undefined =>
    values[name] === undefined ? undefined : shardPath(`'--${name}'`, values[name], found?.shard);
  const [report, state] = [output('report'), output('state')];
  if (together) checkTogether(values);
  // What is merged later is to say all that an evaluation says.
  const isWhole = report !== undefined || json || (state !== undefined && !quiet);
  return {
    help,
    json,
    quiet,
    report,
    notice: values.shard === undefined && found?.by.length ? noticeOf(found, together) : undefined,
    together,
    evaluation: {
      loss: values.loss ?? '',
      plugins: values.plugin,
      arguments: given,
      options,
      devices: devicesOf(values.device ?? 'cpu'),
      batchRows: batchSize(values['batch-size']),
      dtype: dtypeOf('--dtype', values.dtype, floatingDTypes),
      perSample: output('per-sample'),
      gradient: output('gradient'),
      shard: found?.shard,
      state: state === undefined && !together ? undefined : { path: state, version: packageVersion() },
      groups: values['group-by'],
      predictions: isWhole || !quiet,
      details: isWhole,
      standardInput: standardInput(values['stdin-dtype'], values['stdin-row']),
    },
  };
}

/** The shard that was asked for: by its number, by `--state` under a scheduler, or by torchrun, which started this. */
function findShard(
  { shard, state }: { shard?: string; state?: string },
  env: NodeJS.ProcessEnv,
): ShardFound | undefined {
  if (shard !== undefined) return readShard(shard, env);
  if (state === undefined) return isOfTorchrun(env) ? readShard('torchrun', env) : undefined;
  return isScheduled(env) ? readShard('auto', env) : { shard: { index: 0, count: 1 }, by: [] };
}

function noticeOf({ shard: { index, count }, by }: ShardFound, together: boolean): string | undefined {
  if (together && index > 0) return undefined;
  const which = together ? `${count} ranks share the rows` : `shard ${index} of ${count}`;
  return `${which}, by ${by.join(' and ')}; --shard 0/1 evaluates all rows`;
}

/** Refuses what several processes cannot do with the same arguments. */
function checkTogether(values: Readonly<Record<string, unknown>>): void {
  for (const name of ['per-sample', 'gradient']) {
    const path = values[name];
    if (typeof path !== 'string' || path.includes('{shard}')) continue;
    throw expected(op, `'--${name}'`, 'to have {shard} in its path, as each rank writes a file', show(path));
  }
  const files = ['input', 'target', 'group-by', 'argument'].flatMap((name) => (values[name] ?? []) as string[]);
  if (files.some((file) => file === '-' || file.endsWith('=-'))) {
    throw expected(op, "'-'", 'to be a file, as ranks cannot share a standard input', 'standard input');
  }
}

/** `name=value`, several times. */
function pairs<T>(flag: string, given: readonly string[] | undefined, read: (text: string) => T): Record<string, T> {
  const found: Record<string, T> = {};
  for (const pair of given ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw expected(op, `'${flag}'`, 'to be <name>=<value>', show(pair));
    found[pair.slice(0, at)] = read(pair.slice(at + 1));
  }
  return found;
}

function optionValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  // A class index may be larger than the integers that doubles hold.
  if (/^-?\d+$/.test(text) && !Number.isSafeInteger(number)) return BigInt(text);
  return text.trim() !== '' && !Number.isNaN(number) ? number : text;
}

/** One, or several with commas between them. */
function devicesOf(text: string): Device[] {
  return text.split(',').map((device) => {
    if (/^(cpu|cuda(:\d{1,3})?)$/.test(device)) return device as Device;
    throw expected(op, "'--device'", 'to be cpu, cuda or cuda:<index>, or several with commas', show(text));
  });
}

function batchSize(text: string | undefined): number | undefined {
  if (text === undefined || text === 'auto') return undefined;
  const rows = Number(text);
  if (Number.isSafeInteger(rows) && rows > 0) return rows;
  throw expected(op, "'--batch-size'", "to be 'auto' or an integer > 0", show(text));
}

function dtypeOf(flag: string, text: string | undefined, known: readonly DType[] = dtypes): DType | undefined {
  return text === undefined ? undefined : oneOf(op, `'${flag}'`, text, known);
}

function standardInput(dtype: string | undefined, row: string | undefined): EvaluationRequest['standardInput'] {
  if ((dtype === undefined) !== (row === undefined)) {
    throw expected(op, "'--stdin-dtype' and '--stdin-row'", 'to come together', 'one of them');
  }
  if (row === undefined) return undefined;
  const sizes = row === '' ? [] : row.split(/[x,]/).map(Number);
  if (!sizes.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw expected(op, "'--stdin-row'", 'to be sizes such as 1000 or 3x32x32', show(row));
  }
  return { dtype: dtypeOf('--stdin-dtype', dtype), rowShape: sizes };
}

/** A bar on a terminal, lines elsewhere, both beside what is printed. */
function progressOf(errors: Output): { (done: number, total: number): void; stop(): void } {
  const report = reportTo(errors);
  let shown: ReturnType<typeof report.progress> | undefined;
  const update = (done: number, total: number): void => {
    shown ??= report.progress('evaluating', total);
    shown.update(done);
  };
  const stop = (): void => {
    shown?.stop();
    shown = undefined;
  };
  return Object.assign(update, { stop });
}
