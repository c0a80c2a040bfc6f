/** JavaScript values and those of operators, by the types that schemas declare. */

import type { ArgumentSchema, GeneratorHandle, NativeResult, NativeValue, ObjectHandle } from '../../binding/native';
import { dtypes, layouts, memoryFormats } from '../../types';
import { handleOf, isTensor, wrap } from '../bind';
import { streamHandleOf } from '../cuda/streams';
import { checkDevice } from '../device';
import { dtypeName, dtypeOf } from '../dtype';
import { isComplexNumber } from '../elements';
import { generatorHandle, generatorOf } from '../generator';
import { objectHandle, objectOf } from '../native-object';

/** How values of a type are passed to operators. */
export interface Conversion {
  /** A description of the type for messages. */
  readonly what: string;
  accepts(value: unknown): boolean;
  /** Whether native code reads, and checks, the elements of an array itself. */
  readonly isPlainList?: boolean;
  /** How elements of an array are passed. */
  readonly element?: Conversion;
  /** The names that are taken. */
  readonly names?: readonly string[];
  /** An accepted value as native code takes it; `op` is who asks, for messages. */
  toNative(value: unknown, op: string): NativeValue;
}

const asIs = (value: unknown): NativeValue => value as NativeValue;

const isInteger = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'bigint' && BigInt.asIntN(64, value) === value;

const isScalar = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'boolean' || isInteger(value) || isComplexNumber(value);

const isInstance = (type: string): Conversion => ({
  what: `a NativeObject of type ${type}`,
  accepts: (value) => objectHandle(value) !== undefined,
  toNative: (value) => objectHandle(value),
});

/** A name that stands for its place in a list. */
const nameOf = (names: readonly string[]): Conversion => ({
  names,
  what: `one of ${names.map((name) => `'${name}'`).join(', ')}`,
  accepts: (value) => (names as readonly unknown[]).includes(value),
  toNative: (value) => names.indexOf(value as string),
});

const tensor: Conversion = { what: 'a Tensor', accepts: isTensor, toNative: (value) => handleOf(value) };

const tensorOrNumber: Conversion = {
  what: 'a Tensor or a number',
  accepts: (value) => isTensor(value) || isScalar(value),
  toNative: (value) => handleOf(value) ?? (value as NativeValue),
};

const any: Conversion = {
  what: 'a value',
  // What is written in TypeScript may take a function.
  accepts: (value) => value !== undefined && typeof value !== 'symbol',
  toNative: (value) => handleOf(value) ?? objectHandle(value) ?? (value as NativeValue),
};

const integer: Conversion = { what: 'an integer', accepts: isInteger, toNative: asIs };
const float: Conversion = { what: 'a number', accepts: (value) => typeof value === 'number', toNative: asIs };
const boolean: Conversion = { what: 'true or false', accepts: (value) => typeof value === 'boolean', toNative: asIs };
const string: Conversion = { what: 'a string', accepts: (value) => typeof value === 'string', toNative: asIs };
const complex: Conversion = { what: 'a number', accepts: isScalar, toNative: asIs };

const base: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ['Tensor', tensor],
  ['int', integer],
  ['SymInt', integer],
  ['QScheme', integer],
  ['float', float],
  ['bool', boolean],
  ['SymBool', boolean],
  ['str', string],
  ['Scalar', complex],
  ['complex', complex],
  ['Any', any],
  [
    'Device',
    { ...string, what: "a device such as 'cpu' or 'cuda:0'", toNative: (value, op) => checkDevice(op, value) },
  ],
  [
    'ScalarType',
    {
      names: dtypes,
      what: `one of ${dtypes.map((name) => `'${name}'`).join(', ')}`,
      accepts: (value) => dtypeOf(value) !== undefined,
      toNative: dtypeOf,
    },
  ],
  ['Layout', nameOf(layouts)],
  ['MemoryFormat', nameOf(memoryFormats)],
  [
    'Generator',
    {
      what: 'a Generator',
      accepts: (value) => generatorHandle(value) !== undefined,
      toNative: generatorHandle,
    },
  ],
  ['Stream', { what: 'a Stream', accepts: (value) => streamHandleOf(value) !== undefined, toNative: streamHandleOf }],
]);

/** Types whose values native code reads as they are, element by element, refusing what does not fit. */
const plainElements = new Set(['int', 'SymInt', 'float', 'bool', 'Scalar', 'str']);

/** More elements than any list of arguments has. */
const longestList = 2 ** 24;

/** Whether a value is an array that can be gone through: a proxy of one may say anything of its length. */
export function isList(value: unknown): value is unknown[] {
  return Array.isArray(value) && Number.isSafeInteger(value.length) && value.length <= longestList;
}

function listOf(type: string, fixedLength: number | undefined): Conversion {
  const isOptional = type.endsWith('?');
  const element = conversionOf(isOptional ? type.slice(0, -1) : type);
  const isAbsent = (value: unknown): boolean => isOptional && (value === undefined || value === null);
  const one = fixedLength !== undefined && (element === integer || element === float);
  const isPlain = plainElements.has(type);
  return {
    isPlainList: isPlain,
    element,
    what: `an array, each element ${element.what}${one ? ', or one for all' : ''}`,
    accepts: (value) => {
      if (!isList(value)) return one && element.accepts(value);
      for (let i = 0; i < value.length; i++) {
        if (!element.accepts(value[i]) && !isAbsent(value[i])) return false;
      }
      return true;
    },
    toNative: (value, op) =>
      isPlain || !Array.isArray(value)
        ? (value as NativeValue)
        : Array.from(value, (entry) => (isAbsent(entry) ? undefined : element.toNative(entry, op))),
  };
}

/** `Dict(K, V)`: a Map. */
function dictionaryOf(key: string, value: string): Conversion {
  const [keys, values] = [conversionOf(key), conversionOf(value)];
  return {
    what: `a Map, each key ${keys.what}, each value ${values.what}`,
    accepts: (map) => map instanceof Map && [...map].every(([k, v]) => keys.accepts(k) && values.accepts(v)),
    toNative: (map, op) =>
      Array.from(map as Map<unknown, unknown>, ([k, v]) => [keys.toNative(k, op), values.toNative(v, op)]),
  };
}

function conversionOf(type: string, fixedLength?: number): Conversion {
  if (type.endsWith('[]')) return listOf(type.slice(0, -2), fixedLength);
  const [, key, value] = /^Dict\((.+), (.+)\)$/.exec(type) ?? [];
  if (key !== undefined && value !== undefined) return dictionaryOf(key, value);
  return base.get(type) ?? isInstance(type);
}

/** A list of one integer as that integer, which native code reads for less than an array. */
function onlyElement(list: readonly unknown[]): NativeValue {
  return (list.length === 1 ? list[0] : list) as NativeValue;
}

/** How values of an argument are passed. */
export function conversionFor(argument: ArgumentSchema): Conversion {
  if (argument.takesNumbers) return tensorOrNumber;
  const conversion = conversionOf(argument.type, argument.fixedLength);
  if (argument.fixedLength !== undefined || !/^(Sym)?[Ii]nt\[\]$/.test(argument.type)) return conversion;
  return { ...conversion, toNative: (value) => onlyElement(value as unknown[]) };
}

/** A result of an operator as JavaScript's own. */
export function fromNative(result: NativeResult, type: string): unknown {
  if (result === undefined || result === null) return undefined;
  if (type.endsWith('?')) return fromNative(result, type.slice(0, -1));
  // Native arrays and objects belong to another realm under some test runners.
  if (type.endsWith('[]')) return Array.from(result as NativeResult[], (entry) => fromNative(entry, type.slice(0, -2)));
  switch (type) {
    case 'Tensor':
      return wrap(result);
    case 'Generator':
      return generatorOf(result as GeneratorHandle);
    case 'ScalarType':
      return dtypeName(result as number);
    case 'int':
    case 'float':
    case 'bool':
    case 'str':
    case 'SymInt':
    case 'SymBool':
    case 'Device':
    case 'QScheme':
      return result;
    case 'Scalar':
    case 'complex':
    case 'Any':
      return isComplexNumber(result) ? { ...(result as object) } : result;
  }
  const [, key, value] = /^Dict\((.+), (.+)\)$/.exec(type) ?? [];
  if (key === undefined || value === undefined) return objectOf(result as ObjectHandle, type);
  const pairs = Array.from(result as [NativeResult, NativeResult][]);
  return new Map(pairs.map(([k, v]) => [fromNative(k, key), fromNative(v, value)]));
}
