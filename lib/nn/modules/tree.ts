/** Going through a module and all that are in it. */
import type { AnyModule } from './module';
import { type Kind, registry } from './registry';

/** The second of each pair. */
export function* values<T>(pairs: Iterable<[string, T]>): IterableIterator<T> {
  for (const [, value] of pairs) yield value;
}

/** The parameters or buffers of a module and of those in it, with their names. */
export function* members<T>(
  module: AnyModule,
  kind: Kind,
  prefix: string,
  recurse: boolean,
  removeDuplicate: boolean,
): IterableIterator<[string, T]> {
  const seen = new Set<unknown>();
  const from: Iterable<[string, AnyModule]> = recurse
    ? modulesOf(module, new Set(), prefix, removeDuplicate)
    : [[prefix, module]];
  for (const [name, each] of from) {
    for (const { key, value } of registry(each).of(kind)) {
      if (seen.has(value)) continue;
      if (removeDuplicate) seen.add(value);
      yield [joined(name, key), value as T];
    }
  }
}

/** A module and all that are in it, with their names, without those in `memo`. */
export function* modulesOf(
  module: AnyModule,
  memo: Set<AnyModule>,
  prefix: string,
  removeDuplicate: boolean,
): IterableIterator<[string, AnyModule]> {
  if (memo.has(module)) return;
  if (removeDuplicate) memo.add(module);
  yield [prefix, module];
  for (const { key, value } of registry(module).of('module')) {
    yield* modulesOf(value as AnyModule, memo, joined(prefix, key), removeDuplicate);
  }
}

function joined(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Calls a function with every module that is in one, and then with that; one that holds itself is gone into once. */
export function inside(
  module: AnyModule,
  fn: (module: AnyModule) => void,
  ancestors: Set<AnyModule> = new Set(),
): void {
  if (ancestors.has(module)) return;
  ancestors.add(module);
  for (const child of module.children()) inside(child, fn, ancestors);
  ancestors.delete(module);
  fn(module);
}
