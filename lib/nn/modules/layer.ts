/**
 * Layers are declarations: what the constructor takes is a line in `python.schemas.txt`, whose arguments become properties;
 * what the layer computes, and what the printed form says of it, is given here.
 */

import { camelCase } from '../../camel-case';
import { expected, NativeError, show } from '../../errors';
import { isTensor } from '../../torch/bind';
import { dtypeName } from '../../torch/dtype';
import { defineFunction, parse } from '../../torch/functions';
import { empty } from '../../torch/operators.generated';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { Device, DType } from '../../types';
import { Parameter } from '../parameter';
import { type ForwardCalls, type ModuleConstructors, type ModuleOptions, moduleSchemas } from '../python.generated';
import { type AnyModule, Module } from './module';
import { pythonText } from './print';
import { className } from './registry';

/** A layer of `python.schemas.txt`. */
export type LayerName = keyof ModuleOptions;

/** What a layer is made with, but keeps otherwise: as a parameter, as what a parameter is, or not at all. */
type Consumed = 'device' | 'dtype' | 'bias' | `_${string}`;

const consumed: ReadonlySet<string> = new Set(['device', 'dtype', 'bias']);

/** Arguments that a layer completes: as properties they have another type, and are members of its state. */
type Completed = 'outputPadding' | 'kdim' | 'vdim';

/** The arguments of its constructor that are properties of a layer. */
export type LayerProperties<Name extends LayerName> = Omit<ModuleOptions[Name], Consumed | Completed>;

/** A layer with what it takes and gives. */
export interface Layer<Inputs extends unknown[], Result> extends Module<Result> {
  /** Computes the layer's result. */
  forward(...inputs: Inputs): Result;
}

/** The constructor of a layer; `Own` is what it has besides the arguments. */
export type LayerClass<
  Name extends LayerName,
  Inputs extends unknown[] = [input: Tensor],
  Result = Tensor,
  Own = object,
> = ModuleConstructors<Layer<Inputs, Result> & LayerProperties<Name> & Own>[Name];

/** A layer whose `forward` is a line of `python.schemas.txt`, too, and takes its arguments by name as well. */
type KeywordLayer<Call> = Call & {
  /** Computes the layer's result. */
  forward: Call;
};

/** The constructor of such a layer; `Own` are its properties. */
export type KeywordLayerClass<
  Name extends LayerName & Capitalize<keyof ForwardCalls>,
  Own,
  Result = Tensor,
> = ModuleConstructors<KeywordLayer<ForwardCalls[Uncapitalize<Name>]> & Module<Result> & Own>[Name];

/** What a declaration sees of its layer. */
type Self<Name extends LayerName, Own> = Module & LayerProperties<Name> & Own;

/** What is known of a layer. */
export interface LayerDeclaration<Name extends LayerName, Inputs extends unknown[], Result, Own> {
  /** What it computes. */
  forward(self: Self<Name, Own>, ...inputs: Inputs): Result;
  /** What `forward` takes, in PyTorch's notation. Default `(Tensor input)`. */
  readonly inputs?: string;
  /** Which arguments are properties, in PyTorch: all, if it is left out. */
  readonly properties?: readonly string[];
  /** Checks the arguments, and makes the parameters, after the properties are there. */
  make?(self: Self<Name, Own>, options: ModuleOptions[Name]): void;
  /**
   * What the printed form says: `{kernel_size}` stands for the value of that name, `{mode!r}` for text in quotes;
   * `{inplace?}` is `inplace=True`, or nothing if it is false; `{bias}` says whether there is one.
   */
  readonly text?: string | ((self: Self<Name, Own>) => string);
  /** Members of the class besides `forward`. */
  readonly members?: object;
  /** Gives the parameters their first values: the layer's `resetParameters()`, which is called when it is made, too. */
  reset?(self: Self<Name, Own>): void;
}

/** A layer whose parameters can be given their first values again. */
export interface Resettable {
  /** Draws the parameters anew, as when the layer was made. */
  resetParameters(): void;
}

/** The class of a layer, to be extended. */
export function layer<
  Name extends LayerName,
  Inputs extends unknown[] = [input: Tensor],
  Result = Tensor,
  Own = object,
>(name: Name, declared: LayerDeclaration<Name, Inputs, Result, Own>): LayerClass<Name, Inputs, Result, Own> {
  const { make, reset, members = {}, text = '', inputs: schema = '(Tensor input)', properties } = declared;
  const forward = declared.forward as (self: unknown, ...inputs: unknown[]) => Result;
  const readInputs = defineFunction<Reader>(name, schema, (...given: unknown[]) => given);
  const plainCount = plainInputs(schema);
  const read = reader(name);
  const made = class extends Module<Result> {
    constructor(...args: unknown[]) {
      super();
      const options = read(args);
      for (const key of Object.keys(options)) {
        if (properties?.includes(key) ?? (!consumed.has(key) && !key.startsWith('_'))) {
          setProperty(this, key, options[key]);
        }
      }
      make?.(this as never, options as never);
      if (reset !== undefined) (this as unknown as Resettable).resetParameters();
    }

    override forward(...inputs: unknown[]): Result {
      // Most calls are of these tensors alone.
      const isPlain = inputs.length === plainCount && inputs.every(isTensor);
      const given = isPlain ? inputs : readInputs(...inputs);
      try {
        return forward(this, ...given);
      } catch (error) {
        throw error instanceof NativeError && !located.has(error) ? refusalOf(this, given, error) : error;
      }
    }

    override extraRepr(): string {
      return typeof text === 'string' ? filled(text, this, name) : text(this as never);
    }
  };
  const resetting = reset === undefined ? {} : { resetParameters: resetterOf(reset) };
  for (const [key, value] of Object.entries({ ...members, ...resetting })) {
    Object.defineProperty(made.prototype, key, { value, writable: true, configurable: true });
  }
  return made as unknown as LayerClass<Name, Inputs, Result, Own>;
}

/** How many tensors are a whole call, of which nothing need be read; `undefined` where what is absent has a default. */
function plainInputs(schema: string): number | undefined {
  return /=(?!None\b)/.test(schema) ? undefined : schema.match(/\b(Tensor|Any) \w/g)?.length;
}

function resetterOf(reset: (self: never) => void): (this: never) => void {
  return function resetParameters(): void {
    reset(this);
  };
}

/** Refusals that name a layer. Layers around that one pass them on as they are. */
const located = new WeakSet<NativeError>();

/** libtorch's refusal, with the layer and the tensors that it was given. */
function refusalOf(self: AnyModule, inputs: readonly unknown[], refusal: NativeError): NativeError {
  const { code, op, argument, message } = refusal;
  const given = inputs
    .filter(isTensor)
    .map((input) => (input.isDisposed ? 'disposed' : `${input.dtype} ${shapeText(input.shape)}`));
  const text = `${message} (in ${className(self)}(${self.extraRepr()}), given ${given.join(', ')})`;
  const made = new NativeError(code, text, { cause: refusal, ...(op && { op }), ...(argument && { argument }) });
  located.add(made);
  return made;
}

/** Refuses sizes that are negative. */
export function checkSizes(op: string, sizes: Readonly<Record<string, number | readonly number[]>>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if ([value].flat().some((size) => size < 0)) throw expected(op, `'${name}'`, 'to be an integer >= 0', show(value));
  }
}

/** How the tensors of a layer are made. */
export function factoryOptions({ device, dtype }: { device: Device | undefined; dtype: DType | undefined }): {
  device: Device | undefined;
  dtype: DType | null;
} {
  return { device, dtype: dtype ?? null };
}

/** A parameter whose elements are not set yet. */
export function uninitialized(
  shape: readonly number[],
  options: { device: Device | undefined; dtype: DType | undefined },
): Parameter {
  return new Parameter(empty(shape, factoryOptions(options)));
}

/** Gives a module a property that is not a parameter, buffer or module. */
export function setProperty(module: AnyModule, name: string, value: unknown): void {
  Object.defineProperty(module, name, { value, writable: true, enumerable: true, configurable: true });
}

/** A value for each of `count` dimensions. **Source**: `torch.nn.modules.utils._ntuple`. */
export function tuple(value: number | readonly number[], count: number): readonly number[] {
  return typeof value === 'number' ? new Array<number>(count).fill(value) : value;
}

type Options = Record<string, unknown>;
type Reader = (...args: readonly unknown[]) => unknown[];

/** What reads the arguments of a constructor: numbers for integers, names for dtypes. */
function reader(name: LayerName): (args: readonly unknown[]) => Options {
  const schemas = moduleSchemas[name];
  let names: readonly string[] | undefined;
  const read = defineFunction<(...args: readonly unknown[]) => Options>(name, schemas, (...given: unknown[]) => {
    names ??= parse(schemas[0] as string).arguments.map((argument) => camelCase(argument.name));
    return Object.fromEntries(names.map((key, i) => [key, key === 'dtype' ? dtypeOf(given[i]) : plain(given[i])]));
  });
  return (args) => read(...args);
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

function dtypeOf(value: unknown): unknown {
  return typeof value === 'number' ? dtypeName(value) : value;
}

const snakeNames = new Map<string, ReadonlyMap<string, { property: string; isFloat: boolean; fallback: unknown }>>();

/** What a layer's arguments are called in Python. */
function argumentsOf(name: LayerName): NonNullable<ReturnType<(typeof snakeNames)['get']>> {
  let found = snakeNames.get(name);
  if (found === undefined) {
    const all = parse(moduleSchemas[name][0] as string).arguments;
    found = new Map(
      all.map(({ name: python, type, default: fallback }) => [
        python,
        { property: camelCase(python), isFloat: type.startsWith('float'), fallback },
      ]),
    );
    snakeNames.set(name, found);
  }
  return found;
}

/**
 * The template with values as Python prints them. A whole number for a float is printed as it was written here, `2`; where it
 * is the default, as Python's.
 */
export function filled(template: string, module: AnyModule, name: LayerName): string {
  const known = argumentsOf(name);
  const text = template.replace(/\{(\w+)(!r|\?)?\}/g, (_, python: string, how?: string) => {
    const { property, isFloat = false, fallback } = known.get(python) ?? { property: camelCase(python) };
    const found: unknown = Reflect.get(module, property);
    const value = python === 'bias' ? found !== undefined : found;
    if (how === '?') return value === true ? `, ${python}=True` : '';
    if (how === '!r' && typeof value === 'string') return `'${value}'`;
    return pythonText(value, isFloat && (value === fallback || !Number.isInteger(value)) ? 'float' : 'int');
  });
  return text.replace(/^, /, '');
}
