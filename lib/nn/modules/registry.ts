/**
 * What a module consists of: its parameters, buffers and modules, which are the properties of a function object.
 *
 * A registered property is an accessor, so that an assignment keeps what it is or is refused, as in Python. There are two
 * ways for a property to be registered: an assignment to a new property meets the proxy behind the prototype of modules;
 * a class field, which JavaScript defines without asking anybody, is found when the module is next looked through.
 */
import { expected, show, TorchError } from '../../errors';
import { isTensor } from '../../torch/bind';
import type { Tensor } from '../../torch/tensor';
import { Buffer, Parameter } from '../parameter';
import { stateName } from './names';

/** What is registered as a property. */
export type Kind = 'parameter' | 'buffer' | 'module';

/** A registered property. */
export interface Entry {
  readonly kind: Kind;
  /** Its name in state dicts. */
  readonly key: string;
  /** `undefined` for what is registered as absent. */
  value: unknown;
  /** Whether state dicts have it. */
  isPersistent: boolean;
}

/** What runs instead of `forward` alone where hooks are registered. */
export interface Interceptor {
  call(inputs: unknown[]): unknown;
}

let registryOf: (module: Registered) => Registry;
let isRegistered: (value: unknown) => value is Registered;
let interceptorOf: (module: Registered) => Interceptor | undefined;

/** The registry of a module. */
export function registry(module: Registered): Registry {
  return registryOf(module);
}

/** Whether a value is a module. */
export function isModule(value: unknown): value is Registered {
  return isRegistered(value);
}

/** What every module has. */
export interface Forward {
  forward(...inputs: unknown[]): unknown;
}

/** A function object with the prototype of its class: a call of it is a call of `forward`. */
class Callable {
  constructor() {
    const called = (...inputs: unknown[]): unknown => {
      const interceptor = interceptorOf(module);
      return interceptor === undefined ? module.forward(...inputs) : interceptor.call(inputs);
    };
    // A function's own properties would hide those of classes.
    for (const name of ['name', 'length'] as const) delete (called as Partial<Record<typeof name, unknown>>)[name];
    const module = Object.setPrototypeOf(called, new.target.prototype) as Registered & Forward;
    // biome-ignore lint/correctness/noConstructorReturn: the object is this function
    return module;
  }
}

/** The properties of a module, in the order of their registration. */
export class Registry {
  readonly #owner: Registered;
  readonly #entries = new Map<string, Entry>();

  constructor(owner: Registered) {
    this.#owner = owner;
  }

  /** What is registered, by property. */
  entries(): ReadonlyMap<string, Entry> {
    this.#findFields();
    return this.#entries;
  }

  /** What is registered of a kind, by its name in state dicts, without what is absent. */
  of(kind: Kind): Entry[] {
    const found: Entry[] = [];
    for (const entry of this.entries().values())
      if (entry.kind === kind && entry.value !== undefined) found.push(entry);
    return found;
  }

  /** The modules, as far as assignments registered them: what a container that only has those goes through in a call. */
  modules(): unknown[] {
    const found: unknown[] = [];
    for (const [property, { kind, value }] of this.#entries) {
      if (kind === 'module' && value !== undefined && Object.hasOwn(this.#owner, property)) found.push(value);
    }
    return found;
  }

  /** The value of a property that is registered. */
  valueOf(property: string): unknown {
    return this.#entries.get(property)?.value;
  }

  /**
   * Registers a property that was none, or changes one that is of the same kind. `key` is its name in state dicts, where
   * it is another than the one that the property has by itself.
   */
  register(
    op: string,
    kind: Kind,
    property: unknown,
    value: unknown,
    { isPersistent = true, key }: { isPersistent?: boolean; key?: string } = {},
  ): void {
    if (typeof property !== 'string' || property === '' || property.includes('.')) {
      throw expected(op, "'name'", 'to be a string that is not empty and has no dot', show(property));
    }
    this.#findFields();
    const taken = this.#entries.get(property);
    if (taken === undefined ? property in this.#owner : taken.kind !== kind) {
      throw expected(op, "'name'", 'to be none of the properties that the module has', show(property));
    }
    if (value !== undefined && value !== null && !fits[kind](value)) {
      throw expected(op, `'${kind === 'buffer' ? 'tensor' : kind}'`, `to be ${whats[kind]}`, show(value));
    }
    this.#put(property, kind, value ?? undefined, isPersistent, key);
  }

  /** An assignment to a property; what is not registered is left to the caller. */
  assign(property: string, value: unknown): boolean {
    const kind = kindOf(value);
    // What was deleted may come back as something else.
    if (!Object.hasOwn(this.#owner, property)) this.#entries.delete(property);
    const entry = this.#entries.get(property);
    if (kind === undefined && entry === undefined) return false;
    const isPersistent = value instanceof Buffer ? value.persistent : (entry?.isPersistent ?? true);
    if (kind !== undefined) {
      if (entry !== undefined && entry.kind !== kind) this.#entries.delete(property);
      this.#put(property, kind, value, isPersistent);
    } else if (entry !== undefined) {
      const isAbsent = value === undefined || value === null;
      if (!isAbsent && !fits[entry.kind](value)) {
        throw expected(className(this.#owner), `'${property}'`, `to be ${whats[entry.kind]}`, show(value));
      }
      entry.value = value ?? undefined;
    }
    return true;
  }

  /** Takes a property away, as `delete` does. */
  remove(property: string): void {
    this.#entries.delete(property);
    Reflect.deleteProperty(this.#owner, property);
  }

  /** Changes a value without asking: what `to()` makes of a buffer. */
  replace(entry: Entry, value: Tensor): void {
    entry.value = value;
  }

  /** Refuses a parameter that an operation in place has made a result of others. */
  #checkLeaf(property: string, value: unknown): void {
    if (!(value instanceof Parameter) || value.isDisposed || value.isLeaf) return;
    throw expected(className(this.#owner), `'${property}'`, 'to be a leaf', `a result of ${value.gradFn}`);
  }

  #put(property: string, kind: Kind, value: unknown, isPersistent: boolean, key = stateName(property)): void {
    const entry = this.#entries.get(property);
    this.#checkLeaf(property, value);
    if (entry === undefined) {
      for (const [other, { key: taken }] of this.#entries) {
        if (taken !== key) continue;
        const message = `${className(this.#owner)}: '${property}' and '${other}' would both be '${key}' in state dicts`;
        throw new TorchError('INVALID_ARGUMENT', message, { op: className(this.#owner), argument: property });
      }
      this.#entries.set(property, { kind, key, value, isPersistent });
    } else {
      entry.value = value;
      entry.isPersistent = isPersistent;
    }
    Object.defineProperty(this.#owner, property, accessorOf(property));
  }

  /** Adopts class fields, and forgets deleted properties. */
  #findFields(): void {
    for (const property of this.#entries.keys()) {
      const found = Object.getOwnPropertyDescriptor(this.#owner, property);
      if (found === undefined) this.#entries.delete(property);
      else if ('value' in found) this.#adopt(property, found.value);
    }
    for (const property of Object.keys(this.#owner)) {
      if (this.#entries.has(property)) continue;
      const value: unknown = Object.getOwnPropertyDescriptor(this.#owner, property)?.value;
      if (kindOf(value) !== undefined) this.#adopt(property, value);
    }
  }

  #adopt(property: string, value: unknown): void {
    this.assign(property, value);
    Object.defineProperty(this.#owner, property, accessorOf(property));
  }
}

/** What modules are made of: a function object with a registry. */
export class Registered extends Callable {
  readonly #registry: Registry = new Registry(this);
  #interceptor: Interceptor | undefined;

  static {
    registryOf = (module) => module.#registry;
    interceptorOf = (module) => module.#interceptor;
    isRegistered = (value): value is Registered => typeof value === 'function' && #registry in value;
  }

  /** @internal What runs instead of `forward` alone, from now on. */
  static intercept(module: Registered, interceptor: Interceptor | undefined): void {
    module.#interceptor = interceptor;
  }
}

/** The class of a module, as errors and the printed form name it. */
export function className(module: Registered): string {
  return module.constructor.name;
}

function kindOf(value: unknown): Kind | undefined {
  if (value instanceof Parameter) return 'parameter';
  if (value instanceof Buffer) return 'buffer';
  return isModule(value) ? 'module' : undefined;
}

const fits: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  parameter: (value) => value instanceof Parameter,
  buffer: isTensor,
  module: isModule,
};

const whats: Readonly<Record<Kind, string>> = {
  parameter: 'an nn.Parameter, or nothing',
  buffer: 'a Tensor, or nothing',
  module: 'an nn.Module, or nothing',
};

/** One accessor for all modules that have the property, so that they share a shape. */
const accessors = new Map<string, PropertyDescriptor>();

function accessorOf(property: string): PropertyDescriptor {
  let accessor = accessors.get(property);
  if (accessor === undefined) {
    accessor = {
      get(this: Registered) {
        return registryOf(this).valueOf(property);
      },
      set(this: Registered, value: unknown) {
        registryOf(this).assign(property, value);
      },
      enumerable: true,
      configurable: true,
    };
    accessors.set(property, accessor);
  }
  return accessor;
}

/** Sees assignments to properties that a module does not have yet. */
const behind: ProxyHandler<object> = {
  set(_, property, value, receiver: object) {
    if (typeof property === 'string' && isModule(receiver) && registryOf(receiver).assign(property, value)) return true;
    return Reflect.defineProperty(receiver, property, { value, writable: true, configurable: true, enumerable: true });
  },
};

Object.setPrototypeOf(Callable.prototype, new Proxy(Object.create(Object.prototype) as object, behind));
