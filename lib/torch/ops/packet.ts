/** Packets: an operator with all its overloads, of which a call takes the first that fits, as Python's `torch.ops` does. */
import { native } from '../../binding/load';
import type { OperatorSchema } from '../../binding/native';
import { show, TorchError } from '../../errors';
import { BoundOverload, notShort, type Overload, type Refusal } from './overload';

/** An operator with all its overloads, which are its properties: `torch.ops.aten.add.Tensor`. */
export interface Packet {
  (...args: unknown[]): unknown;
  /** The names of the overloads, in the order in which they are tried. */
  overloads(): string[];
  readonly [overload: string]: Overload | (() => string[]);
}

interface Entry {
  schema: OperatorSchema;
  /** What users call it: `default` where libtorch has no name. */
  name: string;
  bound: BoundOverload | undefined;
}

/** The packet of an operator such as `aten::add`; `undefined` if libtorch has none of this name. */
export function makePacket(name: string): Packet | undefined {
  const schemas = Array.from(native().operatorSchemas(name));
  if (schemas.length === 0) return undefined;
  const op = `torch.ops.${name.replace('::', '.')}`;
  const entries: Entry[] = schemas.map((schema) => ({
    schema,
    name: schema.overload === '' ? 'default' : schema.overload,
    bound: undefined,
  }));
  const boundOf = (entry: Entry): BoundOverload => {
    entry.bound ??= new BoundOverload(`${op}.${entry.name}`, name, entry.schema);
    return entry.bound;
  };
  const [only, ...others] = entries as [Entry, ...Entry[]];
  const packet =
    others.length === 0
      ? (...args: unknown[]) => callOverload(boundOf(only), args)
      : (...args: unknown[]) => callPacket(op, entries, boundOf, args);
  Object.defineProperty(packet, 'name', { value: op });
  Object.defineProperty(packet, 'overloads', { value: () => entries.map((entry) => entry.name) });
  for (const entry of entries) lazily(packet, entry.name, () => overloadFunction(boundOf(entry), entry.schema));
  return packet as unknown as Packet;
}

function overloadFunction(bound: BoundOverload, { schema }: OperatorSchema): Overload {
  const overload = (...args: unknown[]): unknown => callOverload(bound, args);
  Object.defineProperty(overload, 'name', { value: bound.op });
  bound.thrower = overload;
  return Object.assign(overload, { schema });
}

function callOverload(bound: BoundOverload, args: readonly unknown[]): unknown {
  let result = bound.ofTensors(args);
  if (result !== notShort) return result;
  result = bound.short(args, true);
  if (result !== notShort) return result;
  const fitting = bound.fit(args);
  if (typeof fitting === 'function') throw fitting();
  return bound.run(fitting);
}

function callPacket(
  op: string,
  entries: readonly Entry[],
  boundOf: (entry: Entry) => BoundOverload,
  args: readonly unknown[],
): unknown {
  const first = entries[0] as Entry;
  const quick = (first.bound ?? boundOf(first)).ofTensors(args);
  if (quick !== notShort) return quick;
  const refusals: Refusal[] = [];
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    const bound = entry.bound ?? boundOf(entry);
    const result = bound.short(args, false);
    if (result !== notShort) return result;
    const fitting = bound.fit(args);
    if (typeof fitting !== 'function') return bound.run(fitting);
    refusals.push(fitting);
  }
  throw noOverload(op, entries, refusals, args);
}

function noOverload(
  op: string,
  entries: readonly Entry[],
  refusals: readonly Refusal[],
  args: readonly unknown[],
): TorchError {
  const lines = entries.map(({ schema }, i) => {
    const { message } = (refusals[i] as Refusal)();
    return `  ${schema.schema}\n    ${message.slice(message.indexOf(': ') + 2)}`;
  });
  const received = args.map(show).join(', ');
  return new TorchError(
    'INVALID_ARGUMENT',
    `${op}: expected arguments of one of its overloads, but received (${received}):\n${lines.join('\n')}`,
    { op },
  );
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
