/**
 * Every operator that the loaded libtorch has: `ops.aten.add.Tensor(x, y, { alpha: 2 })`, by ATen's own names.
 *
 * Arguments are positional in the schema's order; keyword arguments, which may be any, go into one trailing object.
 * `ops.aten.add(x, y)` takes the first overload that the arguments fit.
 *
 * **Source**: `torch.ops`.
 */
import { native } from '../../binding/load';
import type { Aten } from './aten.generated';
import { lazily, makePacket, type Packet } from './packet';

/** The operators of a library: `ops.aten`. */
export interface Namespace {
  readonly [operator: string]: Packet;
}

/** Libraries of operators, by namespace. */
export interface Operators {
  readonly aten: Aten;
  readonly [namespace: string]: Namespace | Aten;
}

/** The names of operators, without overloads, by namespace. */
function operatorsOf(namespace: string): Set<string> {
  const prefix = `${namespace}::`;
  const names = Array.from(native().operatorNames()).filter((name) => name.startsWith(prefix));
  return new Set(names.map((name) => (name.slice(prefix.length).split('.') as [string])[0]));
}

/**
 * An object whose missing properties are looked for when they are read, and kept where one is found: libraries that are
 * loaded later register more. What it has already is read without a detour.
 */
function growing(find: (name: string) => unknown): object {
  const object: object = Object.create(
    new Proxy(Object.create(null) as object, {
      get(_, name) {
        const found = typeof name === 'string' ? find(name) : undefined;
        if (found !== undefined)
          Object.defineProperty(object, name, { value: found, configurable: true, enumerable: true });
        return found;
      },
    }),
  );
  return object;
}

/** `ops.aten` for this library's own modules: nothing is loaded before the first call. */
export const aten = growing((name) => makePacket(`aten::${name}`)) as Aten;

function makeNamespace(namespace: string): object | undefined {
  const operators = operatorsOf(namespace);
  if (operators.size === 0) return undefined;
  const object = growing((name) => (/^\w+$/.test(name) ? makePacket(`${namespace}::${name}`) : undefined));
  for (const name of operators) lazily(object, name, () => makePacket(`${namespace}::${name}`));
  return object;
}

/** Every operator of the loaded libtorch, by namespace. **Source**: `torch.ops`. */
export const ops = growing((name) => (/^\w+$/.test(name) ? makeNamespace(name) : undefined)) as Operators;
