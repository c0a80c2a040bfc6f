/** Tensors by name, as callers give them. */
import { types } from 'node:util';
import { expected, show } from '../errors';
import { isPlain } from '../options';
import { isTensor, showForeign } from '../torch/bind';
import type { Tensor } from '../torch/tensor';
import { extent, storageUnder } from './storages';

/** Tensors by name: a state dict, or an object. */
export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/** Texts by name. */
export type Metadata = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

/** Half of a surrogate pair, which no text in UTF-8 has. */
const lone = /\p{Cs}/u;

function entriesOf(op: string, argument: string, value: unknown, what: string): [unknown, unknown][] {
  if (types.isMap(value)) return [...value];
  if (typeof value === 'object' && value !== null && isPlain(value)) return Object.entries(value);
  throw expected(op, argument, `to be a Map or an object of ${what}`, show(value));
}

function checkName(op: string, argument: string, name: unknown): string {
  if (typeof name === 'string' && !lone.test(name)) return name;
  const actual = typeof name === 'string' ? `${JSON.stringify(name)}, with half of a surrogate pair` : show(name);
  throw expected(op, argument, 'to have strings as keys', actual);
}

/** The tensors in their order. */
export function namedTensors(op: string, tensors: unknown): Map<string, Tensor> {
  const entries = entriesOf(op, "'tensors'", tensors, 'Tensors').map(([key, value]): [string, Tensor] => {
    const name = checkName(op, "'tensors'", key);
    if (!isTensor(value)) throw expected(op, label(name), 'to be a Tensor', showForeign(value));
    return [name, value];
  });
  return new Map(entries);
}

/** The metadata in its order. */
export function textMap(op: string, metadata: unknown): Map<string, string> {
  const argument = "option 'metadata'";
  const entries = entriesOf(op, argument, metadata, 'strings').map(([key, value]): [string, string] => {
    const name = checkName(op, argument, key);
    if (typeof value === 'string' && !lone.test(value)) return [name, value];
    throw expected(op, `option 'metadata[${JSON.stringify(name)}]'`, 'to be a string', show(value));
  });
  return new Map(entries);
}

/** A tensor of a map, for messages. */
export function label(name: string): string {
  return `'tensors[${JSON.stringify(name)}]'`;
}

/**
 * The names of tensors that show overlapping parts of one memory, a list for each part.
 *
 * **Source**: `_find_shared_tensors` of `safetensors.torch`.
 */
export function sharedNames(tensors: ReadonlyMap<string, Tensor>): string[][] {
  const parts = new Map<string, { name: string; begin: number; end: number }[]>();
  for (const [name, tensor] of tensors) {
    const storage = storageUnder(tensor);
    if (storage === undefined || storage.bytes === 0 || tensor.isMeta || tensor.numel() === 0) continue;
    const [begin, end] = extent(tensor);
    const list = parts.get(storage.key) ?? [];
    list.push({ name, begin, end });
    parts.set(storage.key, list);
  }
  return [...parts.values()].flatMap((list) => {
    const groups: string[][] = [];
    let reached = Number.NEGATIVE_INFINITY;
    for (const { name, begin, end } of list.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
      if (begin >= reached) groups.push([name]);
      else (groups.at(-1) as string[]).push(name);
      reached = Math.max(reached, end);
    }
    return groups.filter((group) => group.length > 1);
  });
}

/**
 * Of tensors that share memory, the names but that of one which covers the memory whole, with the name of that one: what
 * a file may leave out. Of several the first is kept, or the first one that is preferred.
 *
 * **Source**: `_remove_duplicate_names` of `safetensors.torch`.
 */
export function duplicateNames(
  op: string,
  tensors: ReadonlyMap<string, Tensor>,
  preferred: { has(name: string): boolean } = new Set(),
): Map<string, string> {
  const duplicates = new Map<string, string>();
  for (const names of sharedNames(tensors)) {
    names.sort();
    const whole = names.filter((name) => isWhole(tensors.get(name) as Tensor));
    const kept = whole.find((name) => preferred.has(name)) ?? whole[0];
    if (kept === undefined) {
      const list = names.map((name) => JSON.stringify(name)).join(', ');
      throw expected(op, "'tensors'", 'to have one that covers its memory, of those that share it', `parts: ${list}`);
    }
    for (const name of names) if (name !== kept) duplicates.set(name, kept);
  }
  return duplicates;
}

function isWhole(tensor: Tensor): boolean {
  return extent(tensor)[0] === 0 && tensor.nbytes === storageUnder(tensor)?.bytes;
}
