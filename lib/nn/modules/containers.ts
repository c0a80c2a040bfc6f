/** Modules that hold modules. */
import { expected, show } from '../../errors';
import { integer, isPlain } from '../../options';
import type { Tensor } from '../../torch/tensor';
import { type AnyModule, Module } from './module';
import { indented, withLines } from './print';
import { className, isModule, registry } from './registry';

/** Modules by name, in order. */
export type NamedModules = ReadonlyMap<string, AnyModule> | Readonly<Record<string, AnyModule>>;

/** What lists of modules have in common: the indices are their names. */
abstract class Listed<Result> extends Module<Result> {
  /** The module of an index. */
  [index: number]: AnyModule;

  /** How many modules there are. */
  override get length(): number {
    return registry(this).of('module').length;
  }

  /** The modules in order. */
  [Symbol.iterator](): IterableIterator<AnyModule> {
    return (registry(this).modules() as AnyModule[]).values();
  }

  /** The module of an index, from the end if it is negative; `undefined` beyond. */
  at(index: number): AnyModule | undefined {
    return [...this].at(index);
  }

  /** Adds a module at the end. */
  append(module: AnyModule): this {
    put(this, 'append', this.length, module);
    return this;
  }

  /** Adds modules at the end. */
  extend(modules: Iterable<AnyModule>): this {
    const added = listOf('extend', modules);
    for (const module of added) this.append(module);
    return this;
  }

  /** Adds a module before the one of an index; those behind it get other names. */
  insert(index: number, module: AnyModule): this {
    const modules = [...this];
    const at = index < 0 ? index + modules.length : index;
    integer('insert', "'index'", index);
    if (at < 0 || at > modules.length) {
      throw expected('insert', "'index'", `to be in [${-modules.length}, ${modules.length}]`, String(index));
    }
    checkModule('insert', "'module'", module);
    modules.splice(at, 0, module);
    replaceAll(this, modules);
    return this;
  }

  /** Takes the module of an index away, by default the last; those behind it get other names. */
  pop(index = -1): AnyModule {
    const modules = [...this];
    const found = modules.at(integer('pop', "'index'", index));
    if (found === undefined || index >= modules.length) {
      throw expected('pop', "'index'", `to be in [${-modules.length}, ${modules.length})`, String(index));
    }
    modules.splice(index, 1);
    replaceAll(this, modules);
    return found;
  }
}

/**
 * Modules one after the other: each gets what the one before it gives. They are given one by one, or by name in a Map or
 * an object.
 *
 * @example const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU()); model(x);
 *
 * **Source**: `torch.nn.Sequential`.
 */
export class Sequential<Result = Tensor> extends Listed<Result> {
  constructor(...modules: readonly AnyModule[] | readonly [NamedModules]) {
    super();
    const [first] = modules;
    const isNamed = modules.length === 1 && typeof first === 'object' && first !== null;
    const named: Iterable<[number | string, unknown]> = isNamed ? pairsOf('Sequential', first) : modules.entries();
    for (const [name, module] of named) put(this, 'Sequential', name, module);
  }

  // biome-ignore lint/suspicious/noExplicitAny: what the first module takes
  override forward(input: any): Result {
    let value = input;
    for (const module of registry(this).modules() as AnyModule[]) value = module(value);
    return value;
  }

  /** The modules from one index up to another, in a container of their own with the names that they have here. */
  slice(start?: number, end?: number): Sequential<Result> {
    const named = registry(this).of('module').slice(start, end);
    return new Sequential<Result>(new Map(named.map(({ key, value }) => [key, value as AnyModule])));
  }
}

/**
 * A list of modules, which are registered, as those in an array are not.
 *
 * @example new nn.ModuleList([new nn.Linear(2, 3), new nn.Linear(3, 2)])[0];
 *
 * **Source**: `torch.nn.ModuleList`.
 */
export class ModuleList extends Listed<never> {
  constructor(modules?: Iterable<AnyModule> | null) {
    super();
    if (modules !== undefined && modules !== null) this.extend(listOf('ModuleList', modules));
  }

  /** The modules from one index up to another, in a list of their own. */
  slice(start?: number, end?: number): ModuleList {
    return new ModuleList([...this].slice(start, end));
  }

  /** The text that PyTorch prints: neighbours that look the same are told once. */
  override toString(): string {
    const blocks: { text: string; first: number; last: number }[] = [];
    for (const [i, module] of [...this].entries()) {
      const text = String(module);
      const block = blocks.at(-1);
      if (block?.text === text) block.last = i;
      else blocks.push({ text, first: i, last: i });
    }
    const lines = blocks.map(({ text, first, last }) =>
      indented(first === last ? `(${first}): ${text}` : `(${first}-${last}): ${last - first + 1} x ${text}`),
    );
    return withLines(className(this), [], lines);
  }
}

/**
 * Modules by name, which are registered, as those in a Map or an object are not.
 *
 * @example new nn.ModuleDict({ first: new nn.Linear(2, 3) }).get('first');
 *
 * **Source**: `torch.nn.ModuleDict`.
 */
export class ModuleDict extends Module<never> {
  constructor(modules?: NamedModules | ModuleDict | Iterable<readonly [string, AnyModule]> | null) {
    super();
    if (modules !== undefined && modules !== null) this.update(modules);
  }

  /** How many modules there are. */
  override get length(): number {
    return registry(this).of('module').length;
  }

  /** The module of a name. */
  get(name: string): AnyModule | undefined {
    return registry(this)
      .of('module')
      .find(({ key }) => key === name)?.value as AnyModule | undefined;
  }

  /** Whether there is a module of a name. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Puts a module under a name. */
  set(name: string, module: AnyModule): this {
    put(this, 'set', name, module);
    return this;
  }

  /** Puts modules under names. */
  update(modules: NamedModules | ModuleDict | Iterable<readonly [string, AnyModule]>): void {
    for (const [name, module] of pairsOf('update', modules)) this.set(name, module as AnyModule);
  }

  /** Takes the module of a name away. */
  pop(name: string): AnyModule {
    const found = this.get(name);
    if (found === undefined) throw expected('pop', "'name'", 'to be the name of a module', show(name));
    registry(this).remove(name);
    return found;
  }

  /** Takes all modules away. */
  clear(): void {
    for (const name of [...this.keys()]) registry(this).remove(name);
  }

  /** The names, in order. */
  keys(): IterableIterator<string> {
    return registry(this)
      .of('module')
      .map(({ key }) => key)
      .values();
  }

  /** The modules, in order. */
  values(): IterableIterator<AnyModule> {
    return registry(this)
      .of('module')
      .map(({ value }) => value as AnyModule)
      .values();
  }

  /** The modules with their names, in order. **Source**: `torch.nn.ModuleDict.items`. */
  items(): IterableIterator<[string, AnyModule]> {
    return registry(this)
      .of('module')
      .map(({ key, value }): [string, AnyModule] => [key, value as AnyModule])
      .values();
  }

  /** {@link items}, as Maps have it. */
  entries(): IterableIterator<[string, AnyModule]> {
    return this.items();
  }

  /** The names, in order, as Python walks through it. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys();
  }
}

/**
 * Gives back what it is given, whatever it is made with.
 *
 * **Source**: `torch.nn.Identity`.
 */
export class Identity extends Module {
  constructor(..._ignored: unknown[]) {
    super();
  }

  override forward<Input = Tensor>(input: Input): Input & Tensor {
    return input as Input & Tensor;
  }
}

/** Puts a module under a name that state dicts have as it is. */
function put(container: AnyModule, op: string, name: number | string, module: unknown): void {
  checkModule(op, "'module'", module);
  registry(container).register(op, 'module', String(name), module, { key: String(name) });
}

function replaceAll(container: AnyModule, modules: readonly AnyModule[]): void {
  const own = registry(container);
  for (const [property, { kind }] of [...own.entries()]) if (kind === 'module') own.remove(property);
  for (const [i, module] of modules.entries()) put(container, 'insert', i, module);
}

function checkModule(op: string, argument: string, value: unknown): void {
  if (!isModule(value)) throw expected(op, argument, 'to be an nn.Module', show(value));
}

function listOf(op: string, modules: Iterable<AnyModule>): AnyModule[] {
  const isIterable = typeof (modules as Partial<Iterable<AnyModule>> | null)?.[Symbol.iterator] === 'function';
  if (!isIterable || typeof modules === 'string') {
    throw expected(op, "'modules'", 'to be modules that can be gone through', show(modules));
  }
  return Array.from(modules, (module, i) => {
    checkModule(op, `'modules[${i}]'`, module);
    return module;
  });
}

/** The pairs of a Map, an object, a dictionary of this library, or a list of pairs. */
export function pairsOf(op: string, given: unknown): [string, unknown][] {
  const items = (given as { items?: unknown } | null | undefined)?.items;
  if (isModule(given) && typeof items === 'function') return [...(items.call(given) as Iterable<[string, unknown]>)];
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && !(Symbol.iterator in given) && isPlain(given)) return Object.entries(given);
  if (!isObject || !(Symbol.iterator in given)) {
    throw expected(op, "'items'", 'to be a Map, an object or a list of pairs', show(given));
  }
  return Array.from(given as Iterable<unknown>, (pair, i) => {
    if (Array.isArray(pair) && pair.length === 2) return pair as [string, unknown];
    throw expected(op, `'items[${i}]'`, 'to be a pair of a name and a value', show(pair));
  });
}
