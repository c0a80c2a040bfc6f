/** Copies of modules, as Python's `copy.deepcopy` makes them. */
import { expected, show, TorchError } from '../../errors';
import { isPlain } from '../../options';
import { isTensor } from '../../torch/bind';
import { aten } from '../../torch/ops';
import type { Tensor } from '../../torch/tensor';
import { Parameter } from '../parameter';
import { copyHooks } from './hooks';
import { type AnyModule, Module } from './module';
import { isModule, registry } from './registry';

/** What was copied, by what it is a copy of: what is shared stays shared. */
type Copies = Map<unknown, unknown>;

/**
 * A module of the same class with parameters, buffers and modules of its own that equal another's, in which what was shared
 * is shared. Gradients of parameters are not copied; functions are the same, hooks as well. A class with `#private` members
 * cannot be copied this way: JavaScript lets nobody but its constructor make them.
 *
 * @example const teacher = nn.deepcopy(model).eval().requiresGrad_(false);
 *
 * **Source**: Python's `copy.deepcopy` of a `torch.nn.Module`.
 */
export function deepcopy<M extends AnyModule>(module: M): M {
  if (!isModule(module)) throw expected('deepcopy', "'module'", 'to be an nn.Module', show(module));
  return copied(module, new Map()) as M;
}

function copied(value: unknown, copies: Copies): unknown {
  const isCopied = copies.has(value);
  if (isCopied) return copies.get(value);
  const make = maker(value);
  return make === undefined ? value : make(copies);
}

function maker(value: unknown): ((copies: Copies) => unknown) | undefined {
  if (isModule(value)) return (copies) => copyModule(value as AnyModule, copies);
  if (isTensor(value)) return (copies) => remember(copies, value, copyTensor(value));
  if (Array.isArray(value)) {
    return (copies) => {
      const list: unknown[] = remember(copies, value, []);
      for (const item of value) list.push(copied(item, copies));
      return list;
    };
  }
  if (value instanceof Map) {
    return (copies) => {
      const map = remember(copies, value, new Map<unknown, unknown>());
      for (const [key, item] of value) map.set(copied(key, copies), copied(item, copies));
      return map;
    };
  }
  if (value instanceof Set) {
    return (copies) => {
      const set = remember(copies, value, new Set<unknown>());
      for (const item of value) set.add(copied(item, copies));
      return set;
    };
  }
  if (typeof value === 'object' && value !== null && isPlain(value)) {
    return (copies) => {
      const object = remember(copies, value, Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>);
      for (const [key, item] of Object.entries(value)) object[key] = copied(item, copies);
      return object;
    };
  }
  return undefined;
}

function remember<Copy>(copies: Copies, original: unknown, copy: Copy): Copy {
  copies.set(original, copy);
  return copy;
}

function copyTensor(tensor: Tensor): Tensor {
  if (tensor.gradFn !== undefined) {
    throw new TorchError('INVALID_ARGUMENT', 'deepcopy: expected tensors to be leaves, but received one of a graph', {
      op: 'deepcopy',
    });
  }
  const data = aten.clone(tensor.detach());
  if (tensor instanceof Parameter) return new Parameter(data, tensor.requiresGrad);
  const { grad } = tensor;
  const copy = data.requiresGrad_(tensor.requiresGrad);
  if (grad !== undefined) copy.grad = copyTensor(grad);
  return copy;
}

function copyModule(module: AnyModule, copies: Copies): AnyModule {
  const copy = Reflect.construct(Module, [], module.constructor as typeof Module) as AnyModule;
  copies.set(module, copy);
  const entries = registry(module).entries();
  for (const property of Object.keys(module)) {
    const entry = entries.get(property);
    if (entry === undefined) {
      const value = copied(Reflect.get(module, property), copies);
      Object.defineProperty(copy, property, { value, writable: true, enumerable: true, configurable: true });
      continue;
    }
    const { kind, key, value, isPersistent } = entry;
    registry(copy).register('deepcopy', kind, property, copied(value, copies), { isPersistent, key });
  }
  copyHooks(module, copy);
  return copy;
}
