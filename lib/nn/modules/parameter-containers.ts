/** Modules that hold parameters. */
import { expected, show, TorchError } from '../../errors';
import { integer } from '../../options';
import { isTensor } from '../../torch/bind';
import { Parameter } from '../parameter';
import { pairsOf } from './containers';
import { Module } from './module';
import { className, registry } from './registry';

/** The names of a holder's values, in order. */
const names = Symbol('names');

/** Named values of a module, of which tensors become parameters. */
abstract class Holder extends Module<never> {
  /** @internal */
  declare readonly [names]: string[];

  constructor() {
    super();
    Object.defineProperty(this, names, { value: [] });
  }

  override forward(): never {
    const name = className(this);
    throw new TorchError('NOT_IMPLEMENTED', `${name}: expected to be looked into, but received a call`, { op: name });
  }

  /** A line for each value. */
  override extraRepr(): string {
    return this[names].map((name) => `  (${name}): ${describe(this, get(this, name))}`).join('\n');
  }
}

function put(holder: Holder, op: string, name: string, given: unknown): void {
  const value = isTensor(given) && !(given instanceof Parameter) ? new Parameter(given) : given;
  if (!holder[names].includes(name)) {
    if (value instanceof Parameter) registry(holder).register(op, 'parameter', name, value, { key: name });
    else if (typeof name !== 'string' || name in holder) {
      throw expected(op, "'name'", 'to be none of the properties that the module has', show(name));
    }
    holder[names].push(name);
  }
  Reflect.set(holder, name, value);
}

function get(holder: Holder, name: string): Parameter {
  return Reflect.get(holder, name) as Parameter;
}

function drop(holder: Holder, name: string): void {
  registry(holder).remove(name);
  holder[names].splice(holder[names].indexOf(name), 1);
}

function describe(holder: Holder, value: unknown): string {
  if (!isTensor(value)) return `Object of type: ${typeName(value)}`;
  const device = value.isCuda ? ` (${value.device})` : '';
  const what = value instanceof Parameter ? 'Parameter' : 'Tensor';
  const type = holder instanceof ParameterDict ? value.type() : `torch.${value.dtype}`;
  return `${what} containing: [${type} of size ${value.shape.join('x')}${device}]`;
}

/**
 * A list of parameters. Tensors that are put into it become parameters.
 *
 * @example new nn.ParameterList([torch.zeros([2]), torch.ones([3])])[1];
 *
 * **Source**: `torch.nn.ParameterList`.
 */
export class ParameterList extends Holder {
  /** The parameter of an index. */
  [index: number]: Parameter;

  constructor(values?: Iterable<unknown> | null) {
    super();
    if (values !== undefined && values !== null) this.extend(values);
  }

  /** How many values there are. */
  override get length(): number {
    return this[names].length;
  }

  /** The value of an index, from the end if it is negative; `undefined` beyond. */
  at(index: number): Parameter | undefined {
    return [...this].at(index);
  }

  /** Adds a value at the end. */
  append(value: unknown): this {
    put(this, 'append', String(this.length), value);
    return this;
  }

  /** Puts a value in the place of another. */
  set(index: number, value: unknown): this {
    const { length } = this;
    const at = integer('set', "'index'", index) < 0 ? index + length : index;
    if (at < 0 || at >= length) throw expected('set', "'index'", `to be in [${-length}, ${length})`, String(index));
    put(this, 'set', String(at), value);
    return this;
  }

  /** Adds values at the end. */
  extend(values: Iterable<unknown>): this {
    const isIterable = typeof (values as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === 'function';
    if (!isIterable || isTensor(values)) {
      throw expected('extend', "'values'", 'to be a list of tensors', show(values));
    }
    for (const value of [...values]) this.append(value);
    return this;
  }

  /** The values in order. */
  *[Symbol.iterator](): IterableIterator<Parameter> {
    for (const name of this[names]) yield get(this, name);
  }
}

type NamedValues =
  | ReadonlyMap<string, unknown>
  | Readonly<Record<string, unknown>>
  | ParameterDict
  | Iterable<readonly [string, unknown]>;

/**
 * Parameters by name. Tensors that are put into it become parameters. Those of a plain object come in the order of their
 * names, as from Python's `dict`; those of a Map in its own.
 *
 * @example new nn.ParameterDict({ scale: torch.ones([1]) }).get('scale');
 *
 * **Source**: `torch.nn.ParameterDict`.
 */
export class ParameterDict extends Holder {
  constructor(values?: NamedValues | null) {
    super();
    if (values !== undefined && values !== null) this.update(values);
  }

  /** How many values there are. */
  override get length(): number {
    return this[names].length;
  }

  /** The value of a name, or another if there is none. */
  get(name: string, otherwise?: Parameter): Parameter | undefined {
    return this.has(name) ? get(this, name) : otherwise;
  }

  /** Whether there is a value of a name. */
  has(name: string): boolean {
    return this[names].includes(name);
  }

  /** Puts a value under a name. */
  set(name: string, value: unknown): this {
    put(this, 'set', name, value);
    return this;
  }

  /** The value of a name, which is put there if there is none. **Source**: `torch.nn.ParameterDict.setdefault`. */
  setdefault(name: string, otherwise?: unknown): Parameter | undefined {
    if (!this.has(name)) this.set(name, otherwise);
    return this.get(name);
  }

  /** Puts values under names. */
  update(values: NamedValues): void {
    const isOrdered = values instanceof ParameterDict || Symbol.iterator in (Object(values) as object);
    const pairs = pairsOf('update', values);
    if (!isOrdered) pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, value] of pairs) this.set(name, value);
  }

  /** Takes the value of a name away. */
  pop(name: string): Parameter {
    if (!this.has(name)) throw expected('pop', "'name'", 'to be a name that is there', show(name));
    const value = get(this, name);
    drop(this, name);
    return value;
  }

  /** Takes the last value away. **Source**: `torch.nn.ParameterDict.popitem`. */
  popitem(): [string, Parameter] {
    const name = this[names].at(-1);
    if (name === undefined) throw expected('popitem', 'the ParameterDict', 'to hold something', 'an empty one');
    return [name, this.pop(name)];
  }

  /** Takes all values away. */
  clear(): void {
    for (const name of [...this[names]]) drop(this, name);
  }

  /** Another dictionary of the same values. */
  copy(): ParameterDict {
    return new ParameterDict(new Map(this.items()));
  }

  /** The names, in order. */
  keys(): IterableIterator<string> {
    return this[names].values();
  }

  /** The values, in order. */
  values(): IterableIterator<Parameter> {
    return this[names].map((name) => get(this, name)).values();
  }

  /** The values with their names, in order. */
  items(): IterableIterator<[string, Parameter]> {
    return this[names].map((name): [string, Parameter] => [name, get(this, name)]).values();
  }

  /** {@link items}, as Maps have it. */
  entries(): IterableIterator<[string, Parameter]> {
    return this.items();
  }

  /** The names, in order, as Python walks through it. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.keys();
  }
}

function typeName(value: unknown): string {
  if (value === undefined || value === null) return 'NoneType';
  return typeof value === 'object' ? value.constructor.name : typeof value;
}
