/** State dicts in several .safetensors files with an index, as Hugging Face writes them. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expected, show } from '../../errors';
import { withDefaults } from '../../options';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import type { Device } from '../../types';
import { badData, listNames, quote, readingFor, unreadable } from '../bad-data';
import { storageUnder } from '../storages';
import { duplicateNames, type Metadata, type NamedTensors, namedTensors, textMap } from '../tensor-maps';
import { type FileName, type NewFile, pathOf, writeFiles } from '../write-file';
import { readAll, SafetensorsFile } from './file';
import { layOut } from './layout';
import { readDevice, type SafetensorsLoadOptions } from './options';

/** What {@link saveSharded} takes besides the tensors and the folder. */
export interface SaveShardedOptions {
  /** The most bytes of tensors in one file, as a number or as `'5GB'`; a larger tensor has a file of its own. Default `'5GB'`. */
  maxShardSize?: number | string | null | undefined;
  /** The names of the files: `{suffix}` stands for `-00001-of-00003`, or nothing. Default `'model{suffix}.safetensors'`. */
  filenamePattern?: string | null | undefined;
  /** Texts for the index, or for the file if there is one only. */
  metadata?: Metadata | null | undefined;
}

const defaults = Object.freeze({
  maxShardSize: '5GB' as number | string,
  filenamePattern: 'model{suffix}.safetensors',
  metadata: undefined as unknown,
});

/**
 * Writes a state dict to a folder: to one .safetensors file, or, where it is larger than `maxShardSize`, to several with
 * an index, the way Hugging Face's libraries do. All files appear together; then those of an earlier saving with the same
 * names are removed. Of tensors that share memory the file has one, and the metadata say which.
 *
 * @example safetensors.saveSharded(model.stateDict(), 'checkpoint', { maxShardSize: '1GB' });
 *
 * @throws TorchError `INVALID_ARGUMENT`, `BAD_DATA` as for {@link saveFile}.
 *
 * **Source**: `huggingface_hub.save_torch_state_dict`.
 */
export function saveSharded(tensors: NamedTensors, folder: FileName, options?: SaveShardedOptions | null): void {
  const op = 'saveSharded';
  const into = pathOf(op, "'folder'", folder);
  const given = withDefaults<typeof defaults>(op, options as Partial<typeof defaults>, defaults);
  const pattern = readPattern(op, given.filenamePattern);
  const most = readSize(op, given.maxShardSize);
  const metadata = given.metadata === undefined ? new Map<string, string>() : textMap(op, given.metadata);
  const files = scope(() => {
    const { kept, dropped } = withoutDuplicates(op, namedTensors(op, tensors));
    for (const [name, keeper] of dropped) if (!metadata.has(name)) metadata.set(name, keeper);
    const { shards, size } = split(kept, most);
    const planned =
      shards.length > 1 ? sharded(op, shards, size, pattern, metadata) : single(op, kept, pattern, metadata);
    writeFiles(
      op,
      "'folder'",
      planned.map((file) => ({ ...file, path: join(into, file.path) })),
    );
    return new Set(planned.map(({ path }) => path));
  });
  removeOthers(into, pattern, files);
}

function single(op: string, tensors: Map<string, Tensor>, pattern: Pattern, metadata: Map<string, string>): NewFile[] {
  const { write } = layOut(op, tensors, new Map([['format', 'pt'], ...metadata]));
  return [{ path: nameOf(pattern, ''), write }];
}

function sharded(
  op: string,
  shards: Map<string, Tensor>[],
  size: number,
  pattern: Pattern,
  metadata: ReadonlyMap<string, string>,
): NewFile[] {
  const fiveDigits = (count: number): string => String(count).padStart(5, '0');
  const names = shards.map((_, i) => nameOf(pattern, `-${fiveDigits(i + 1)}-of-${fiveDigits(shards.length)}`));
  const weights = shards.flatMap((shard, i) =>
    [...shard.keys()].map((key): [string, string] => [key, names[i] as string]),
  );
  const index = asciiJson([
    ['metadata', [['total_size', size], ...metadata]],
    ['weight_map', weights],
  ]);
  return [
    ...shards.map((shard, i) => ({
      path: names[i] as string,
      write: layOut(op, shard, new Map([['format', 'pt']])).write,
    })),
    { path: `${nameOf(pattern, '')}.index.json`, write: (sink) => sink(Buffer.from(index)) },
  ];
}

type Fields = [string, string | number | Fields][];

/** JSON as Python's `json.dump(…, indent=2)` writes it, with keys in their order. */
function asciiJson(fields: Fields, indent = ''): string {
  const inner = `${indent}  `;
  const lines = fields.map(([key, value]) => {
    const text = Array.isArray(value) ? asciiJson(value, inner) : JSON.stringify(value);
    return `${inner}${JSON.stringify(key)}: ${text}`;
  });
  const text = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** One of the tensors of each memory, all of them contiguous; and the names of the others, with that of the one. */
function withoutDuplicates(
  op: string,
  tensors: Map<string, Tensor>,
): { kept: Map<string, Tensor>; dropped: Map<string, string> } {
  const dropped = duplicateNames(op, tensors);
  const kept = [...tensors].filter(([name]) => !dropped.has(name));
  return { kept: new Map(kept.map(([name, tensor]) => [name, tensor.contiguous()])), dropped };
}

/** Tensors in their order, cut where a file would become too large; what lies in one memory stays together. */
function split(tensors: Map<string, Tensor>, most: number): { shards: Map<string, Tensor>[]; size: number } {
  const shards: Map<string, Tensor>[] = [];
  const shardOf = new Map<string, Map<string, Tensor>>();
  let current = new Map<string, Tensor>();
  let [filled, size] = [0, 0];
  const later: [name: string, tensor: Tensor, memory: string][] = [];
  for (const [name, tensor] of tensors) {
    const { key, bytes } = storageUnder(tensor) ?? { key: `${name} alone`, bytes: tensor.nbytes };
    const memory = bytes === 0 ? `${name} alone` : key;
    if (shardOf.has(memory)) {
      later.push([name, tensor, memory]);
      continue;
    }
    size += bytes;
    if (bytes > most) {
      const own = new Map([[name, tensor]]);
      shards.push(own);
      shardOf.set(memory, own);
      continue;
    }
    if (filled + bytes > most) {
      shards.push(current);
      current = new Map();
      filled = 0;
    }
    current.set(name, tensor);
    shardOf.set(memory, current);
    filled += bytes;
  }
  if (current.size > 0) shards.push(current);
  for (const [name, tensor, memory] of later) shardOf.get(memory)?.set(name, tensor);
  return { shards, size };
}

/** What stands before and behind the suffix in names of files. */
type Pattern = readonly [before: string, behind: string];

function readPattern(op: string, pattern: unknown): Pattern {
  const parts = typeof pattern === 'string' ? pattern.split('{suffix}') : [];
  if (parts.length === 2 && typeof pattern === 'string' && !/[/\\\0]/.test(pattern)) return parts as unknown as Pattern;
  throw expected(op, "option 'filenamePattern'", "to be the name of a file with '{suffix}' in it", show(pattern));
}

function nameOf([before, behind]: Pattern, suffix: string): string {
  return before + suffix + behind;
}

const units: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

function readSize(op: string, size: unknown): number {
  if (Number.isSafeInteger(size) && (size as number) > 0) return size as number;
  const [, count, unit] = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*$/i.exec(typeof size === 'string' ? size : '') ?? [];
  if (unit !== undefined) return Math.trunc(Number(count) * (units[unit.toUpperCase()] as number));
  throw expected(
    op,
    "option 'maxShardSize'",
    "to be a number of bytes > 0, or one of 'KB', 'MB', 'GB', 'TB'",
    show(size),
  );
}

/** Removes the files of an earlier saving by the same pattern: an index of other files would be read in place of these. */
function removeOthers(folder: string, [before, behind]: Pattern, files: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    const bare = name.endsWith('.index.json') ? name.slice(0, -'.index.json'.length) : name;
    if (files.has(name) || !bare.startsWith(before) || !bare.endsWith(behind)) continue;
    const suffix = bare.slice(before.length, bare.length - behind.length);
    if (bare.length >= before.length + behind.length && /^(?:-\d{5}-of-\d{5})?$/.test(suffix)) {
      rmSync(join(folder, name), { force: true });
    }
  }
}

/**
 * All tensors of a checkpoint that is in several .safetensors files: of a folder with `model.safetensors.index.json` (or
 * `model.safetensors` alone), or of an index that is named. The files have to be what the index says.
 *
 * @example model.loadStateDict(safetensors.loadSharded('checkpoint'));
 *
 * @throws TorchError `BAD_DATA` for files that are missing or damaged, and for an index that does not fit them.
 */
export function loadSharded(
  checkpoint: FileName,
  device?: Device | SafetensorsLoadOptions | null,
): Map<string, Tensor> {
  const op = 'loadSharded';
  const path = pathOf(op, "'checkpoint'", checkpoint);
  const to = readDevice(op, device);
  return readingFor(op, () => {
    const index = findIndex(path);
    if (!index.endsWith('.json')) return readAll(SafetensorsFile.open(index), to);
    const names = readIndex(index);
    return scope(() => new Map([...names].flatMap(([file, keys]) => [...readShard(index, file, keys, to)])));
  });
}

function findIndex(path: string): string {
  if (!statOf(path)?.isDirectory()) return path;
  const single = join(path, 'model.safetensors');
  const index = `${single}.index.json`;
  if (statOf(index) !== undefined) return index;
  if (statOf(single) !== undefined) return single;
  throw badData(path, `has neither ${basename(index)} nor ${basename(single)}`);
}

function statOf(path: string): ReturnType<typeof statSync> {
  return statSync(path, { throwIfNoEntry: false });
}

/** The files that an index names, with the tensors of each. */
function readIndex(path: string): Map<string, Set<string>> {
  let index: unknown;
  try {
    index = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== undefined) throw unreadable(path, cause);
    throw badData(path, `is not JSON: ${(cause as Error).message}`, { cause });
  }
  const weights: unknown = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weights !== 'object' || weights === null || Array.isArray(weights)) {
    throw badData(path, "has no object 'weight_map'");
  }
  const files = new Map<string, Set<string>>();
  for (const [key, file] of Object.entries(weights)) {
    if (typeof file !== 'string' || file === '' || file !== basename(file) || file === '..' || file.includes('\0')) {
      throw badData(
        path,
        `expected the name of a file in the same folder for ${quote(key)}, but received ${show(file)}`,
      );
    }
    const keys = files.get(file) ?? new Set();
    files.set(file, keys.add(key));
  }
  return files;
}

function readShard(index: string, name: string, keys: ReadonlySet<string>, device: Device): Map<string, Tensor> {
  const file = SafetensorsFile.open(join(dirname(index), name));
  const found = new Set(file.names);
  const missing = [...keys].filter((key) => !found.has(key));
  const others = [...found].filter((key) => !keys.has(key));
  if (missing.length === 0 && others.length === 0) return readAll(file, device);
  file.close();
  if (missing.length > 0) throw badData(file.name, `lacks tensors that ${index} says it has: ${listNames(missing)}`);
  throw badData(file.name, `has tensors that ${index} does not list: ${listNames(others)}`);
}
