/** Modules in .safetensors files, whose tied weights are written once. */
import { expected, show, TorchError } from '../../errors';
import { boolean, withDefaults } from '../../options';
import type { Tensor } from '../../torch/tensor';
import type { Device } from '../../types';
import { duplicateNames, type Metadata, namedTensors } from '../tensor-maps';
import type { FileName } from '../write-file';
import { readMetadata, type SafetensorsSaveOptions } from './options';
import { loadFile, saveFile } from './save-load';

/** What has a state: every module. */
export interface Stateful {
  /** All parameters and buffers by name. */
  stateDict(): ReadonlyMap<string, Tensor>;
  /** Copies the values of a state dict into them; `strict`: keys that do not fit are an error. */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: { strict: boolean }): unknown;
}

/** What {@link loadModel} takes besides the module and the file. */
export interface LoadModelOptions {
  /** Whether keys that do not fit are an error. Default `true`. */
  strict?: boolean | null | undefined;
  /** Where tensors are read to. Default `'cpu'`. */
  device?: Device | null | undefined;
}

const defaults: Readonly<LoadModelOptions> = Object.freeze({ strict: true, device: 'cpu' });

function stateOf(op: string, model: Stateful): Map<string, Tensor> {
  const isStateful = typeof model?.stateDict === 'function' && typeof model.loadStateDict === 'function';
  if (!isStateful) throw expected(op, "'model'", 'to be a Module', show(model));
  return namedTensors(op, model.stateDict());
}

/**
 * Writes the state of a module to a .safetensors file. Of tensors that share memory one is written, and the metadata name
 * the others with the one that stands for them; {@link loadModel} reads such files.
 *
 * @example safetensors.saveModel(model, 'model.safetensors');
 *
 * @throws TorchError `INVALID_ARGUMENT`, `BAD_DATA` as {@link saveFile}.
 *
 * **Source**: `safetensors.torch.save_model`.
 */
export function saveModel(
  model: Stateful,
  filename: FileName,
  metadata?: Metadata | SafetensorsSaveOptions | null,
): void {
  const op = 'saveModel';
  const state = stateOf(op, model);
  const texts = new Map(readMetadata(op, metadata));
  const duplicates = duplicateNames(op, state);
  for (const [name, kept] of duplicates) if (!texts.has(name)) texts.set(name, kept);
  const kept = [...state].filter(([name]) => !duplicates.has(name));
  const tensors = new Map(kept.map(([name, tensor]) => [name, tensor.contiguous()]));
  const hasMetadata = texts.size > 0 || (metadata !== undefined && metadata !== null);
  saveFile(tensors, filename, hasMetadata ? { metadata: texts } : undefined);
}

/**
 * Reads a .safetensors file into a module. Of tensors that share memory the file may have any one. Gives the names of the
 * module that the file lacks, and those of the file that the module lacks; where there are any and `strict` is not false,
 * that is an error, and nothing is loaded.
 *
 * @example safetensors.loadModel(model, 'model.safetensors');
 *
 * @throws TorchError `INVALID_ARGUMENT` for keys and shapes that do not fit; `BAD_DATA` for a file that cannot be read.
 *
 * **Source**: `safetensors.torch.load_model`.
 */
export function loadModel(
  model: Stateful,
  filename: FileName,
  strict?: boolean | LoadModelOptions | null,
  device?: Device | null,
): [missing: string[], unexpected: string[]] {
  const op = 'loadModel';
  const own = stateOf(op, model);
  const options = typeof strict === 'object' ? strict : { strict, device };
  const { strict: isStrict, device: to } = withDefaults<LoadModelOptions>(op, options ?? undefined, defaults);
  boolean(op, "option 'strict'", isStrict);
  const found = loadFile(filename, { device: to ?? null });
  const duplicates = duplicateNames(op, own, found);
  const missing = [...own.keys()].filter((name) => !found.has(name) && !duplicates.has(name));
  const unexpected = [...found.keys()].filter((name) => !own.has(name) || duplicates.has(name));
  if (isStrict && missing.length + unexpected.length > 0) throw misfit(op, missing, unexpected);
  model.loadStateDict(found, { strict: false });
  return [missing, unexpected];
}

function misfit(op: string, missing: readonly string[], unexpected: readonly string[]): TorchError {
  const list = (names: readonly string[]): string =>
    [...names]
      .sort()
      .map((name) => `"${name}"`)
      .join(', ');
  const lines = [
    ...(missing.length > 0 ? [`Missing key(s) in state_dict: ${list(missing)}`] : []),
    ...(unexpected.length > 0 ? [`Unexpected key(s) in state_dict: ${list(unexpected)}`] : []),
  ];
  const message = `${op}: expected the file to fit the module, but received one with error(s):\n\t${lines.join('\n\t')}`;
  return new TorchError('INVALID_ARGUMENT', message, { op, argument: 'filename' });
}
