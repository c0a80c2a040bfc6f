/** Packets: an operator with all its overloads, of which a call takes the first that fits, as Python's `torch.ops` does. */
import { native } from '../../binding/load';
import type { OperatorSchema } from '../../binding/native';
import type { Overload } from './overload';
import { Overloads } from './overloads';

/** An operator with all its overloads, which are its properties: `torch.ops.aten.add.Tensor`. */
export interface Packet {
  (...args: unknown[]): unknown;
  /** The names of the overloads, in the order in which they are tried. */
  overloads(): string[];
  readonly [overload: string]: Overload | (() => string[]);
}

/** The packet of an operator such as `aten::add`; `undefined` if libtorch has none of this name. */
export function makePacket(operator: string): Packet | undefined {
  const schemas = Array.from(native().operatorSchemas(operator));
  if (schemas.length === 0) return undefined;
  const op = `torch.ops.${operator.replace('::', '.')}`;
  const packet = functionOf(op, operator, schemas);
  const named = schemas.map((schema) => [schema.overload === '' ? 'default' : schema.overload, schema] as const);
  Object.defineProperty(packet, 'overloads', { value: () => named.map(([name]) => name) });
  for (const [name, schema] of named) {
    lazily(
      packet,
      name,
      () =>
        Object.assign(functionOf(`${op}.${name}`, operator, [schema]), { schema: schema.schema }) satisfies Overload,
    );
  }
  return packet as unknown as Packet;
}

function functionOf(op: string, operator: string, schemas: readonly OperatorSchema[]): (...args: unknown[]) => unknown {
  const overloads = new Overloads(op, operator, schemas, 'schema');
  const called = function (a?: unknown, b?: unknown, c?: unknown, ...rest: unknown[]): unknown {
    // biome-ignore lint/complexity/noArguments: how many there are, without an array of them
    return overloads.call(arguments.length, a, b, c, rest);
  };
  Object.defineProperty(called, 'name', { value: op });
  overloads.thrower = called;
  return called;
}

/** A property that is made when it is first read, and stays. */
export function lazily(target: object, name: string, make: () => unknown): void {
  Object.defineProperty(target, name, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: false });
      return value;
    },
  });
}
