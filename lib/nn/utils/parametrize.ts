/** Parameters that are computed of others whenever they are read, as `torch.nn.utils.parametrize`. */
import { expected, show, TorchError } from '../../errors';
import { boolean, withDefaults } from '../../options';
import { noGrad } from '../../torch/autograd';
import { isTensor } from '../../torch/bind';
import { aten } from '../../torch/ops';
import { shapeText } from '../../torch/shape';
import { synchronous } from '../../torch/synchronous';
import type { Tensor } from '../../torch/tensor';
import { ModuleDict, ModuleList } from '../modules/containers';
import type { AnyModule } from '../modules/module';
import { stateName } from '../modules/names';
import { className, isModule, type Registered, registry } from '../modules/registry';
import { Parameter } from '../parameter';

/** A module that computes a parameter. */
export type Parametrization = AnyModule & {
  /** What the parameter must be computed from to have this value. */
  rightInverse?(value: Tensor): Tensor | readonly Tensor[];
};

/** A module with parametrizations. */
type Parametrized = AnyModule & { parametrizations: ModuleDict };

/** Gives `dest` the elements of `source`: it is the same tensor with other memory. */
function setElements(dest: Tensor, source: Tensor): void {
  noGrad(() => aten.set_.source_Tensor(dest, source));
}

function register(module: AnyModule, name: string, tensor: Tensor): void {
  if (tensor instanceof Parameter) module.registerParameter(name, tensor);
  else module.registerBuffer(name, tensor);
}

function checkAlike(op: string, what: string, tensor: unknown, wanted: Tensor, asksShape: boolean): Tensor {
  if (!isTensor(tensor)) throw expected(op, what, 'to give a Tensor', show(tensor));
  if (tensor.dtype !== wanted.dtype) throw expected(op, what, `to give ${wanted.dtype} as before`, tensor.dtype);
  if (tensor.device !== wanted.device) throw expected(op, what, `to give one on ${wanted.device}`, tensor.device);
  if (asksShape && String(tensor.shape) !== String(wanted.shape)) {
    throw expected(op, what, `to give shape ${shapeText(wanted.shape)} as before`, shapeText(tensor.shape));
  }
  return tensor;
}

/** An inverse that a parametrization has in some of its forms only. */
export class NoInverse extends TorchError {}

/**
 * The parametrizations of one tensor, first to last, with what it is computed of: `original`, or `original0`, `original1`, ….
 *
 * **Source**: `torch.nn.utils.parametrize.ParametrizationList`.
 */
export class ParametrizationList extends ModuleList {
  /** What the tensor is computed from, if that is one tensor. */
  declare original: Tensor;
  /** Whether dtype and shape may change. */
  unsafe: boolean;
  /** How many tensors it is computed of; `undefined` for `original` alone. */
  readonly count: number | undefined;

  constructor(modules: Iterable<Parametrization>, original: Tensor, unsafe = false) {
    const list = [...modules];
    if (list.length === 0) throw expected('ParametrizationList', "'modules'", 'to be at least one', 'none');
    super(list);
    this.unsafe = unsafe;
    const before = { dtype: original.dtype, device: original.device, shape: [...original.shape] } as unknown as Tensor;
    const made = inverted(this, original, true);
    if (isTensor(made)) {
      this.count = undefined;
      checkAlike('registerParametrization', 'rightInverse', made, original, false);
      setElements(original, made);
      register(this, 'original', original);
    } else {
      this.count = made.length;
      for (const [i, tensor] of made.entries()) {
        const own = original instanceof Parameter ? new Parameter(tensor, original.requiresGrad) : tensor;
        register(this, `original${i}`, own.requiresGrad_(original.requiresGrad));
      }
    }
    if (!unsafe) checkAlike('registerParametrization', 'the parametrization', this.forward(), before, true);
  }

  /** What the tensor is computed of. */
  originals(): Tensor[] {
    if (this.count === undefined) return [this.original];
    return Array.from({ length: this.count }, (_, i) => registry(this).valueOf(`original${i}`) as Tensor);
  }

  /** Makes the tensor equal to a value, by changing what it is computed of. */
  rightInverse(value: Tensor): void {
    const made = inverted(this, value, false);
    const list = isTensor(made) ? [made] : made;
    const originals = this.originals();
    if (isTensor(made) !== (this.count === undefined) || list.length !== originals.length) {
      throw expected('rightInverse', 'the parametrization', `to give ${originals.length} tensors`, String(list.length));
    }
    for (const [i, original] of originals.entries()) {
      setElements(original, checkAlike('rightInverse', 'the parametrization', list[i], original, false));
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: the list's own forward takes nothing
  override forward(..._nothing: any[]): never {
    const [first, ...rest] = [...this];
    let value: unknown = (first as AnyModule)(...this.originals());
    for (const module of rest) value = module(value);
    return value as never;
  }
}

/** The inverses, last to first; `optional`: a module without one is passed over. */
function inverted(list: ParametrizationList, value: Tensor, optional: boolean): Tensor | readonly Tensor[] {
  return noGrad(() => {
    let made: Tensor | readonly Tensor[] = value;
    for (const module of ([...list] as Parametrization[]).reverse()) {
      if (module.rightInverse === undefined) {
        if (optional) continue;
        throw expected('rightInverse', `the parametrization ${className(module)}`, 'to have rightInverse', 'none');
      }
      try {
        made = module.rightInverse(made as Tensor);
      } catch (error) {
        if (!optional || !(error instanceof NoInverse)) throw error;
      }
    }
    if (isTensor(made) || Array.isArray(made)) return made;
    throw expected('rightInverse', 'the parametrization', 'to give a Tensor or an array of them', show(made));
  });
}

/** The tensors that `cached` keeps; `undefined` outside of it. */
let cache: Map<Registered, Map<string, Tensor>> | undefined;

/**
 * Runs a function in which every parametrized tensor is computed once only: at its first reading.
 *
 * **Source**: `torch.nn.utils.parametrize.cached`.
 */
export function cached<T>(fn: () => T): T {
  const run = synchronous('cached', fn);
  if (cache !== undefined) return run();
  cache = new Map();
  try {
    return run();
  } finally {
    cache = undefined;
  }
}

function computed(module: Parametrized, name: string): Tensor {
  const compute = (): Tensor => (module.parametrizations.get(stateName(name)) as AnyModule)() as Tensor;
  if (cache === undefined) return compute();
  const own = cache.get(module) ?? new Map<string, Tensor>();
  cache.set(module, own);
  const value = own.get(name) ?? compute();
  own.set(name, value);
  return value;
}

/** The prototypes of parametrized modules. A copy of a module shares its prototype: it is replaced, never changed. */
const injected = new WeakSet<object>();

/** Gives a module a class of its own, `ParametrizedLinear`, with the accessors that it has and a change to them. */
function injectClass(module: AnyModule, change: (own: object) => void): void {
  const current = Object.getPrototypeOf(module) as object;
  const isOwn = injected.has(current);
  const base = (isOwn ? Object.getPrototypeOf(current) : current) as AnyModule;
  const made = class extends (base.constructor as new () => AnyModule) {};
  Object.defineProperty(made, 'name', { value: `Parametrized${base.constructor.name}` });
  const own: AnyModule = made.prototype;
  const { constructor: _, ...members } = isOwn ? Object.getOwnPropertyDescriptors(current) : {};
  Object.defineProperties(own, members);
  change(own);
  injected.add(own);
  Object.setPrototypeOf(module, own);
}

/** The prototype that a parametrized module had before. */
const prototypeBefore = (module: AnyModule): object => Object.getPrototypeOf(Object.getPrototypeOf(module)) as object;

function accessorFor(name: string): PropertyDescriptor {
  return {
    get(this: Parametrized) {
      return computed(this, name);
    },
    set(this: Parametrized, value: Tensor) {
      listOf(this, name).rightInverse(value);
    },
    configurable: true,
  };
}

function listOf(module: AnyModule, name: string): ParametrizationList {
  return (module as Parametrized).parametrizations.get(stateName(name)) as ParametrizationList;
}

function checkModule(op: string, argument: string, module: unknown): void {
  if (!isModule(module)) throw expected(op, `'${argument}'`, 'to be an nn.Module', show(module));
}

/** Whether a module has parametrizations, or one of the tensor of that name. **Source**: `torch.nn.utils.parametrize.is_parametrized`. */
export function isParametrized(module: AnyModule, tensorName?: string): boolean {
  checkModule('isParametrized', 'module', module);
  const { parametrizations } = module as unknown as Partial<Parametrized>;
  if (!(parametrizations instanceof ModuleDict)) return false;
  return tensorName === undefined ? parametrizations.length > 0 : parametrizations.has(stateName(tensorName));
}

/** Checks one more parametrization of a tensor that has some. */
function checkFurther(op: string, tensor: Tensor, parametrization: Parametrization): void {
  const value = checkAlike(op, 'the parametrization', parametrization(tensor), tensor, true);
  if (parametrization.rightInverse === undefined) return;
  try {
    checkAlike(op, 'rightInverse', parametrization.rightInverse(value), tensor, true);
  } catch (error) {
    if (!(error instanceof NoInverse)) throw error;
  }
}

/**
 * Computes a parameter or buffer by a module whenever it is read; several are applied one after the other. What it is
 * computed of is then `parametrizations.<name>.original` in state dicts. An assignment goes through `rightInverse`.
 * `unsafe`: dtype and shape may change.
 *
 * @example
 * class Symmetric extends nn.Module {
 *   forward(x) {
 *     return x.triu().add(x.triu(1).T);
 *   }
 * }
 * nn.utils.parametrize.registerParametrization(layer, 'weight', new Symmetric());
 *
 * **Source**: `torch.nn.utils.parametrize.register_parametrization`.
 */
export function registerParametrization<M extends AnyModule>(
  module: M,
  tensorName: string,
  parametrization: Parametrization,
  options?: { unsafe?: boolean | null | undefined },
): M {
  const op = 'registerParametrization';
  checkModule(op, 'module', module);
  checkModule(op, 'parametrization', parametrization);
  const filled = withDefaults<{ unsafe?: boolean | null | undefined }>(op, options, { unsafe: false });
  const unsafe = boolean(op, "option 'unsafe'", filled.unsafe);
  parametrization.train(module.training);
  if (isParametrized(module, tensorName)) {
    const list = listOf(module, tensorName);
    if (!unsafe) checkFurther(op, (module as never)[tensorName], parametrization);
    list.append(parametrization);
    list.unsafe ||= unsafe;
    return module;
  }
  const original = registry(module).entries().get(tensorName);
  if (original?.kind === undefined || original.kind === 'module' || !isTensor(original.value)) {
    throw expected(op, "'tensorName'", `to be a parameter or buffer of ${className(module)}`, show(tensorName));
  }
  const list = new ParametrizationList([parametrization], original.value, unsafe);
  registry(module).remove(tensorName);
  injectClass(module, (own) => Object.defineProperty(own, tensorName, accessorFor(tensorName)));
  if (!isParametrized(module)) module.addModule('parametrizations', new ModuleDict());
  (module as unknown as Parametrized).parametrizations.set(stateName(tensorName), list);
  return module;
}

/**
 * Takes the parametrizations of a tensor away. It keeps the value that they compute, or with `leaveParametrized: false`
 * becomes again what that was computed of.
 *
 * **Source**: `torch.nn.utils.parametrize.remove_parametrizations`.
 */
export function removeParametrizations<M extends AnyModule>(
  module: M,
  tensorName: string,
  leaveParametrized: boolean | { leaveParametrized?: boolean | null } = true,
): M {
  const op = 'removeParametrizations';
  const given =
    typeof leaveParametrized === 'object' ? (leaveParametrized?.leaveParametrized ?? true) : leaveParametrized;
  const leaves = boolean(op, "'leaveParametrized'", given);
  if (!isParametrized(module, tensorName)) {
    throw expected(op, "'tensorName'", `to be a parametrized tensor of ${className(module)}`, show(tensorName));
  }
  const { parametrizations } = module as unknown as Parametrized;
  const list = listOf(module, tensorName);
  if (list.count !== undefined && !leaves) {
    throw expected(op, "'leaveParametrized'", 'to be true for a tensor that is computed of several', 'false');
  }
  let tensor = list.originals()[0] as Tensor;
  if (leaves) {
    const value = list.count === undefined ? noGrad(() => list.forward() as Tensor) : (list.forward() as Tensor);
    if (list.count === undefined) setElements(tensor, value);
    else tensor = value.requiresGrad ? new Parameter(value) : value;
  }
  parametrizations.pop(stateName(tensorName));
  if (isParametrized(module)) {
    injectClass(module, (own) => Reflect.deleteProperty(own, tensorName));
  } else {
    registry(module).remove('parametrizations');
    Object.setPrototypeOf(module, prototypeBefore(module));
  }
  register(module, tensorName, tensor);
  return module;
}

/** The class of a module, parametrized or not. **Source**: `torch.nn.utils.parametrize.type_before_parametrizations`. */
export function typeBeforeParametrizations(module: AnyModule): unknown {
  checkModule('typeBeforeParametrizations', 'module', module);
  return isParametrized(module) ? prototypeBefore(module).constructor : module.constructor;
}

/**
 * Gives one module the parametrizations of another, with what its tensors are computed of; of one tensor, or of all.
 *
 * **Source**: `torch.nn.utils.parametrize.transfer_parametrizations_and_params`.
 */
export function transferParametrizationsAndParams<M extends AnyModule>(
  fromModule: AnyModule,
  toModule: M,
  tensorName?: string,
): M {
  if (!isParametrized(fromModule)) return toModule;
  const { parametrizations } = fromModule as Parametrized;
  const names = tensorName === undefined ? accessorsOf(fromModule) : [tensorName];
  for (const name of names) {
    const list = parametrizations.get(stateName(name)) as ParametrizationList;
    if (!(name in toModule)) Reflect.set(toModule, name, new Parameter((fromModule as never)[name]));
    for (const parametrization of list) registerParametrization(toModule, name, parametrization);
    const own = listOf(toModule, name);
    if (list.count === undefined) own.original = list.original;
    else for (const [i, tensor] of list.originals().entries()) Reflect.set(own, `original${i}`, tensor);
  }
  return toModule;
}

/** The parametrized properties of a module. */
function accessorsOf(module: AnyModule): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(module)).filter((name) => isParametrized(module, name));
}
