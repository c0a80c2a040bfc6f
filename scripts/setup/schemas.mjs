// Reads the schemas of ATen's operators, and says their types in TypeScript.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const schemasPath = 'lib/torch/ops/aten.schemas.txt';

const types = {
  Tensor: 'Tensor',
  Scalar: 'Scalar | Complex',
  int: 'number | bigint',
  SymInt: 'number | bigint',
  float: 'number',
  bool: 'boolean',
  SymBool: 'boolean',
  str: 'string',
  ScalarType: 'DType',
  Layout: 'Layout',
  Device: 'Device',
  Generator: 'Generator',
  MemoryFormat: 'MemoryFormat',
  Stream: 'Stream',
  QScheme: 'number',
  Any: 'unknown',
};

/** Operators that take a number for any tensor (`TakesNumbers` in native/dispatch/dispatch.cc). */
const takingNumbers =
  /^aten::(add|div|divide|mul|multiply|sub|subtract|true_divide|floor_divide|to|_to_copy|copy)_?(\.|\()/;

/** Words that no parameter can be called by. */
export const reserved = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await'.split(
    ' ',
  ),
);

/** A schema type as TypeScript writes it, for an argument or for a result. */
export function typeOf(schemaType, isResult, takesNumbers = false) {
  const isWritten = schemaType.includes('!');
  const plain = schemaType.replace(/\([a-z!| \->*]*\)/g, '');
  if (plain.endsWith('?'))
    return typeOf(plain.slice(0, -1), isResult) + (isResult ? ' | undefined' : ' | null | undefined');
  const list = /^(.*)\[(\d*)\]$/.exec(plain);
  if (list) {
    const element = typeOf(list[1], isResult);
    const array = isResult ? `(${element})[]` : `readonly (${element})[]`;
    const isOneForAll = list[2] !== '' && /^((Sym)?[Ii]nt|float)\??$/.test(list[1]) && !isResult;
    return isOneForAll ? `${array} | ${typeOf(list[1].replace('?', ''), false)}` : array;
  }
  const dictionary = /^Dict\((.+), (.+)\)$/.exec(plain);
  if (dictionary) return `Map<${typeOf(dictionary[1], isResult)}, ${typeOf(dictionary[2], isResult)}>`;
  const type = types[plain] ?? 'NativeObject';
  if (isResult && (plain === 'int' || plain === 'SymInt')) return 'number';
  return takesNumbers && plain === 'Tensor' && !isWritten ? 'Tensor | Scalar | Complex' : type;
}

/** Splits at commas outside of brackets and strings. */
export function splitList(text) {
  return text === '' ? [] : text.split(/, (?![^([]*[)\]])/);
}

/** A schema with the types of its arguments and results as TypeScript writes them. */
export function parse(schema) {
  const [, name, , overload = '', parameters, results] = /^aten::(\w+)(\.(\w+))?\((.*)\) -> (.*)$/.exec(schema) ?? [];
  if (name === undefined) throw new Error(`cannot read the schema ${schema}`);
  const all = argumentsOf(parameters, takingNumbers.test(schema));
  return { schema, name, overload: overload === '' ? 'default' : overload, all, results };
}

/** The arguments of a schema, with their types in TypeScript. */
export function argumentsOf(parameters, takesNumbers = false) {
  let isKeywordOnly = false;
  const all = [];
  for (const text of splitList(parameters)) {
    if (text === '*') {
      isKeywordOnly = true;
      continue;
    }
    const [, type, parameter, fallback] = /^(.+?) (\w+)(?:=(.*))?$/.exec(text);
    all.push({
      name: parameter,
      type: typeOf(type, false, takesNumbers),
      isOptional: fallback !== undefined,
      isKeywordOnly,
      isOut: isKeywordOnly && type.includes('!'),
      isSizes: /^(Sym)?[Ii]nt\[\d*\]$/.test(type),
      schemaType: type,
      fallback,
    });
  }
  return all;
}

/** The result type of an operator; `nameOf` names its named results. */
export function resultOf(text, nameOf = (name) => name) {
  if (text === '()') return 'void';
  if (!text.startsWith('(')) return typeOf(text.replace(/ \w+$/, ''), true);
  const parts = splitList(text.slice(1, -1)).map((part) => /^(.+?)(?: (\w+))?$/.exec(part));
  const tuple = `[${parts.map(([, type]) => typeOf(type, true)).join(', ')}]`;
  const names = parts.filter(([, , name]) => name !== undefined);
  if (names.length === 0) return tuple;
  return `Results<${tuple}, { ${names.map(([, type, name]) => `${nameOf(name)}: ${typeOf(type, true)}`).join('; ')} }>`;
}

/** A type that may be absent. */
export const optional = (type) => (type.endsWith('| undefined') ? type : `${type} | null | undefined`);

/** The schemas of the list, without its comments. */
export function listedSchemas(root) {
  const lines = readFileSync(join(root, schemasPath), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** `start_dim` as `startDim`; underscores at the ends stay. */
export function camelCase(name) {
  return name.replace(/(?<=[a-zA-Z0-9])_([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase());
}
