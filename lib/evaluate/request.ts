/** Requests to evaluate files, checked before anything is read. */
import { expected, show } from '../errors';
import { oneOf } from '../options';
import type { Outputs } from '../output/outputs';
import { deviceCount, whyUnavailable } from '../torch/cuda/availability';
import { type Device, type DType, isFloating } from '../types';
import { type Reading, wholeArray } from './batches';
import { resolveSpec } from './files/spec';
import { type LossDescription, lossDescriptions } from './losses';
import type { Shard } from './shard';
import type { ArraySource } from './source';

const op = 'evaluate';

/** @internal File specs by argument name. */
export type Specs = Readonly<Record<string, readonly string[]>>;

/** A request to evaluate files. */
export interface EvaluationRequest extends Reading {
  /** `crossEntropy`, `cross-entropy`, `cross_entropy` or `CrossEntropyLoss`. */
  readonly loss: string;
  /** Modules that export losses of users' own. */
  readonly plugins?: readonly string[] | undefined;
  /** The files of each argument of the loss; `input` and `target` stand for the first argument and the target. */
  readonly arguments: Specs;
  /** Options of the loss; a string that names an array file stands for its array. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Output file for each loss. */
  readonly perSample: string | undefined;
  /** Output file for the gradient to the first argument. */
  readonly gradient: string | undefined;
  /** The part of the rows to evaluate. Default: all. */
  readonly shard?: Shard | undefined;
  /** Asks for what merging needs of this shard: the version of the package that makes it, and an output file for it. */
  readonly state?: { readonly version: string; readonly path: string | undefined } | undefined;
  /** Files with the group of each sample. */
  readonly groups: readonly string[] | undefined;
  /** Whether to evaluate predictions, where the loss has scores and class indices. */
  readonly predictions: boolean;
  /** Whether the result has a histogram and the worst samples. */
  readonly details: boolean;
}

/** @internal The loss with a name of PyTorch or of this library. */
export function lossNamed(name: string, own: readonly LossDescription[] = []): LossDescription {
  const fold = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '').replace(/loss$/, '');
  const aliases: Readonly<Record<string, string>> = {
    bce: 'binaryCrossEntropy',
    bcewithlogits: 'binaryCrossEntropyWithLogits',
    kldiv: 'klDiv',
  };
  const wanted = aliases[fold(name)] ?? name;
  const all = [...lossDescriptions, ...own];
  const found = all.find((description) => fold(description.name) === fold(wanted));
  if (found !== undefined) return found;
  const names = all.map((description) => description.name);
  oneOf(op, "'--loss'", name, names);
  throw expected(op, "'--loss'", 'to be a loss', name);
}

/** @internal @throws TorchError `INVALID_ARGUMENT` for an unavailable device, with the reason. */
export function checkDevice(device: Device): void {
  if (!device.startsWith('cuda')) return;
  const why = whyUnavailable();
  if (why !== undefined) throw expected(op, "'--device'", 'to be an available device', why);
  const [, index = '0'] = device.split(':');
  const count = deviceCount();
  if (Number(index) >= count) throw expected(op, "'--device'", `to be one of ${count} CUDA devices`, show(device));
}

/** @internal The file specs by the loss's own argument names; each argument must have one. */
export function readArguments({ name, arguments: names }: LossDescription, given: Specs): Specs {
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

/** @internal Refuses requests that would read standard input twice. */
export function checkStandardInput(specs: Specs, { groups = [], gradient, options }: EvaluationRequest): void {
  const streams = [...Object.values(specs).flat(), ...groups].filter((spec) => spec === '-').length;
  if (streams > 1) throw expected(op, "'-'", 'to be given once, for standard input', `${streams} of them`);
  if (streams > 0 && gradient !== undefined && options.reduction !== 'sum') {
    throw expected(op, "'--gradient'", "to come with '--reduction sum'", 'a mean over a stream');
  }
}

/** @internal Protects all input files from being overwritten. */
export async function protectInputs(
  outputs: Outputs,
  specs: Specs,
  { groups = [], options }: EvaluationRequest,
): Promise<void> {
  const files = Object.values(options).filter((value) => typeof value === 'string' && arrayFile.test(value));
  const read = [...Object.values(specs).flat(), ...groups, ...(files as string[])].filter((spec) => spec !== '-');
  for (const { path } of (await Promise.all(read.map(resolveSpec))).flat()) outputs.protect(path);
}

/** @internal The dtype that PyTorch promotes the floating dtypes to; float32 if there are none. */
export function commonDType(sources: readonly ArraySource[]): DType {
  const dtypes = new Set(sources.map(({ dtype }) => dtype).filter(isFloating));
  const [only] = dtypes;
  if (only !== undefined && dtypes.size === 1) return only;
  return dtypes.has('float64') ? 'float64' : 'float32';
}

const arrayFile = /\.(npy|npz|safetensors)(:.+)?$/;

/** @internal The options with the arrays that they name, in the dtype of the first argument as losses require. */
export async function readOptions(
  { options, devices: [device = 'cpu'], dtype, signal }: EvaluationRequest,
  first: ArraySource,
  open: ArraySource[],
): Promise<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    read[name] =
      typeof value === 'string' && arrayFile.test(value)
        ? (await wholeArray(value, { signal }, open)).to({ device, dtype: dtype ?? first.dtype })
        : value;
  }
  return read;
}
