/**
 * Makes assignments to properties that a class does not have errors: `x.requires_grad = true` would otherwise leave a
 * property behind that nobody reads.
 */
import { TorchError } from '../errors';
import { nearest } from '../options';

/** Refuses assignments to unknown properties of a class's objects, and to those that are read only. */
export function refuseAssignments(prototype: object, name: string): void {
  const described = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  const settable = described.filter(([, { set }]) => set !== undefined).map(([key]) => key);
  for (const [key, { get, set }] of described) {
    if (get === undefined || set !== undefined) continue;
    const refuse = (): never => {
      throw refusal(name, `'${key}' to be read only`, settable);
    };
    Object.defineProperty(prototype, key, { set: refuse, configurable: true });
  }
  const refuse = (_: object, key: string | symbol, value: unknown, receiver: object): boolean => {
    if (typeof key === 'symbol') {
      return Reflect.defineProperty(receiver, key, { value, writable: true, configurable: true, enumerable: true });
    }
    throw refusal(name, `a property that it has to be assigned, and '${key}' is none`, settable, key);
  };
  // Behind the prototype, where only what it lacks is looked for: nothing that exists becomes slower.
  Object.setPrototypeOf(prototype, new Proxy(Object.create(Object.prototype) as object, { set: refuse }));
}

function refusal(name: string, what: string, settable: readonly string[], key?: string): TorchError {
  const near = key === undefined ? undefined : nearest(key, settable);
  const hint = near === undefined ? `; ${settable.join(', ')} can be` : ` (did you mean '${near}'?)`;
  return new TorchError('INVALID_ARGUMENT', `${name}: expected ${what}${hint}`, { op: name });
}
