/** State dicts: all parameters and persistent buffers of a module and of those in it, by name. */
import { expected, show, TorchError } from '../../errors';
import { isPlain } from '../../options';
import { noGrad } from '../../torch/autograd';
import { isTensor } from '../../torch/bind';
import { aten } from '../../torch/ops';
import { sameShape } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { Parameter } from '../parameter';
import { className, type Entry, type Registered, registry } from './registry';

/** What a state dict says of a module besides its tensors. */
export interface StateMetadata {
  /** Of which version of its class the state is. */
  version: number;
}

/** A state dict: tensors by name, in the order of the modules. */
export class StateDict extends Map<string, Tensor> {
  /** The versions of the modules' states, by the names of the modules. Files keep them. */
  readonly _metadata: Map<string, StateMetadata> = new Map();
}

/** What a state dict can be loaded from. */
export type StateSource = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/** Which keys of a state dict that was loaded did not fit the module. */
export interface IncompatibleKeys {
  /** Keys of the module that the state dict lacks. */
  missingKeys: string[];
  /** Keys of the state dict that the module lacks. */
  unexpectedKeys: string[];
}

/** A module with what loading asks it for. */
export interface Stateful extends Registered {
  readonly _version: number;
  /** Brings a state of an older version up to this one. */
  upgradeState(state: Map<string, unknown>, prefix: string, version: number | undefined): void;
}

/** Writes a module's state into a state dict. */
export function saveState(module: Stateful, into: StateDict, prefix: string, keepVars: boolean): void {
  const ancestors = new Set<Registered>();
  const save = (of: Stateful, at: string): void => {
    enter(ancestors, of, 'stateDict');
    into._metadata.set(at.slice(0, -1), { version: of._version });
    for (const { key, value } of stateOf(of)) into.set(at + key, keepVars ? value : aten.detach(value));
    for (const { key, value } of registry(of).of('module')) save(value as Stateful, `${at}${key}.`);
    ancestors.delete(of);
  };
  save(module, prefix);
}

/** A tensor to be loaded. */
interface Item {
  module: Registered;
  property: string;
  target: Tensor;
  input: Tensor;
}

/**
 * Loads a state dict: everything is checked before anything is changed.
 *
 * @throws TorchError `INVALID_ARGUMENT` with all keys and shapes that do not fit.
 */
export function loadState(module: Stateful, source: unknown, strict: boolean, assign: boolean): IncompatibleKeys {
  const found: Findings = { missingKeys: [], unexpectedKeys: [], problems: [], items: [] };
  const ancestors = new Set<Registered>();
  const look = (at: Stateful, state: Map<string, unknown>, prefix: string): void => {
    enter(ancestors, at, 'loadStateDict');
    const version = versionIn((source as Partial<StateDict> | undefined)?._metadata, prefix.slice(0, -1));
    at.upgradeState(state, prefix, version);
    findOwn(at, state, prefix, assign, found);
    for (const { key, value } of registry(at).of('module')) {
      const inner = `${prefix}${key}.`;
      look(value as Stateful, new Map([...state].filter(([name]) => name.startsWith(inner))), inner);
    }
    ancestors.delete(at);
  };
  look(module, readSource(source), '');
  const { missingKeys, unexpectedKeys, problems, items } = found;
  const keys = (list: readonly string[]): string => list.map((key) => `"${key}"`).join(', ');
  if (strict && unexpectedKeys.length > 0)
    problems.unshift(`Unexpected key(s) in state_dict: ${keys(unexpectedKeys)}.`);
  if (strict && missingKeys.length > 0) problems.unshift(`Missing key(s) in state_dict: ${keys(missingKeys)}.`);
  if (problems.length > 0) {
    const name = className(module);
    const message = `loadStateDict: expected 'stateDict' to fit ${name}, but received one with error(s):\n\t${problems.join('\n\t')}`;
    throw new TorchError('INVALID_ARGUMENT', message, { op: 'loadStateDict', argument: 'stateDict' });
  }
  noGrad(() => {
    // Refuses what may not be written to now, before anything is: work off the main thread may read it.
    for (const { target } of assign ? [] : items) {
      if (target.layout === 'strided') aten.zero_(aten.as_strided(target, [0], [1]));
    }
    for (const item of items) load(item, assign);
  });
  return { missingKeys, unexpectedKeys };
}

/** The version of a module's state; files give their dictionaries as Maps. */
function versionIn(metadata: unknown, module: string): number | undefined {
  const found: unknown = metadata instanceof Map ? metadata.get(module) : undefined;
  const version: unknown = found instanceof Map ? found.get('version') : (found as StateMetadata | undefined)?.version;
  return typeof version === 'number' ? version : undefined;
}

interface Findings extends IncompatibleKeys {
  problems: string[];
  items: Item[];
}

/** What fits of a module itself, and what does not. */
function findOwn(
  module: Registered,
  state: Map<string, unknown>,
  prefix: string,
  assign: boolean,
  found: Findings,
): void {
  const own = new Set<string>();
  for (const { property, key, value: target } of stateOf(module)) {
    own.add(key);
    const name = prefix + key;
    if (!state.has(name)) {
      found.missingKeys.push(name);
      continue;
    }
    const given = state.get(name);
    const problem = problemOf(name, given, target, assign);
    if (problem !== undefined) found.problems.push(problem);
    else found.items.push({ module, property, target, input: given as Tensor });
  }
  const modules = new Set(
    [...registry(module).entries().values()].flatMap(({ kind, key }) => (kind === 'module' ? [key] : [])),
  );
  for (const name of state.keys()) {
    if (!name.startsWith(prefix)) continue;
    const [first, ...rest] = name.slice(prefix.length).split('.') as [string, ...string[]];
    if (!(rest.length > 0 ? modules : own).has(first)) found.unexpectedKeys.push(name);
  }
}

function problemOf(name: string, given: unknown, target: Tensor, assign: boolean): string | undefined {
  const named = `While copying the parameter named "${name}", `;
  if (!isTensor(given))
    return `${named}expected torch.Tensor or Tensor-like object from checkpoint but received ${show(given)}`;
  if (given.isDisposed) return `${named}expected a torch.Tensor from checkpoint but received one that was disposed`;
  if (!sameShape(given.shape, target.shape) && !isOldScalar(given, target)) {
    return (
      `size mismatch for ${name}: copying a param with shape ${sizeText(given)} from checkpoint, ` +
      `the shape in current model is ${sizeText(target)}.`
    );
  }
  if (assign) return undefined;
  if (given.isMeta && !target.isMeta)
    return `${named}expected a torch.Tensor from checkpoint but received one of the meta device`;
  if (target.isMeta && !given.isMeta) {
    return `${named}expected a parameter with elements, but the current model's is of the meta device; write { assign: true }`;
  }
  if (given.layout !== target.layout) return `${named}expected layout ${target.layout} but received ${given.layout}`;
  return target.isInference() ? `${named}expected a parameter that was not made in inferenceMode` : undefined;
}

/** Whether a tensor is a number as versions before 0.4 wrote it. */
function isOldScalar(given: Tensor, target: Tensor): boolean {
  return target.ndim === 0 && given.ndim === 1 && given.numel() === 1;
}

function sizeText(tensor: Tensor): string {
  return `torch.Size([${tensor.shape.join(', ')}])`;
}

function load({ module, property, target, input }: Item, assign: boolean): void {
  const given = isOldScalar(input, target) ? aten.select.int(input, 0, 0) : input;
  if (!assign) aten.copy_(target, given);
  else if (!(target instanceof Parameter)) registry(module).assign(property, given);
  else if (given instanceof Parameter) registry(module).assign(property, given.requiresGrad_(target.requiresGrad));
  else registry(module).assign(property, new Parameter(given, target.requiresGrad));
}

/** The parameters and persistent buffers of a module itself, in Python's order. */
function stateOf(module: Registered): (Entry & { property: string; value: Tensor })[] {
  const all = [...registry(module).entries()].map(([property, entry]) => ({ ...entry, property }));
  const there = all.filter(({ value, isPersistent }) => value !== undefined && isPersistent);
  const ofKind = (kind: Entry['kind']): typeof there => there.filter((entry) => entry.kind === kind);
  return [...ofKind('parameter'), ...ofKind('buffer')] as (Entry & { property: string; value: Tensor })[];
}

function readSource(source: unknown): Map<string, unknown> {
  if (source instanceof Map) return new Map(source as Map<string, unknown>);
  if (typeof source === 'object' && source !== null && !Array.isArray(source) && isPlain(source)) {
    return new Map(Object.entries(source));
  }
  throw expected('loadStateDict', "'stateDict'", 'to be a Map or an object of tensors by name', show(source));
}

/** Refuses a module within itself: its state would have no end. */
function enter(ancestors: Set<Registered>, module: Registered, op: string): void {
  if (ancestors.has(module))
    throw expected(op, 'the module', 'to be no part of itself', `a ${className(module)} that is`);
  ancestors.add(module);
}
