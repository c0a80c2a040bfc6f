// Writes lib/torch/ops/aten.generated.ts: the types of torch.ops.aten, from the schemas in lib/torch/ops/aten.schemas.txt.
// It is a build output, made by setup and by `npm run typecheck`; it uses Node's own modules only.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const schemasPath = 'lib/torch/ops/aten.schemas.txt';
const outputPath = 'lib/torch/ops/aten.generated.ts';

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
  Layout: "'strided'",
  Device: 'Device',
  Generator: 'Generator',
  MemoryFormat: 'MemoryFormat',
  Stream: 'Stream',
  QScheme: 'number',
  Any: 'unknown',
};

/** Operators that take a number for any tensor (`TakesNumbers` in native/dispatch.cc). */
const takingNumbers =
  /^aten::(add|div|divide|mul|multiply|sub|subtract|true_divide|floor_divide|to|_to_copy|copy)_?(\.|\()/;

const reserved = new Set(
  'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await'.split(
    ' ',
  ),
);

/** A schema type as TypeScript writes it, for an argument or for a result. */
function typeOf(schemaType, isResult, takesNumbers = false) {
  const isWritten = schemaType.includes('!');
  const plain = schemaType.replace(/\([a-z!| \->*]*\)/g, '');
  if (plain.endsWith('?'))
    return typeOf(plain.slice(0, -1), isResult) + (isResult ? ' | undefined' : ' | null | undefined');
  const list = /^(.*)\[(\d*)\]$/.exec(plain);
  if (list) {
    const element = typeOf(list[1], isResult);
    const array = isResult ? `(${element})[]` : `readonly (${element})[]`;
    return list[2] !== '' && /^(Sym)?[Ii]nt$/.test(list[1]) && !isResult ? `${array} | number | bigint` : array;
  }
  const dictionary = /^Dict\((.+), (.+)\)$/.exec(plain);
  if (dictionary) return `Map<${typeOf(dictionary[1], isResult)}, ${typeOf(dictionary[2], isResult)}>`;
  const type = types[plain] ?? 'NativeObject';
  if (isResult && (plain === 'int' || plain === 'SymInt')) return 'number';
  return takesNumbers && plain === 'Tensor' && !isWritten ? 'Tensor | Scalar | Complex' : type;
}

/** Splits at commas outside of brackets and strings. */
function splitList(text) {
  return text === '' ? [] : text.split(/, (?![^([]*[)\]])/);
}

function parse(schema) {
  const [, name, , overload = '', parameters, results] = /^aten::(\w+)(\.(\w+))?\((.*)\) -> (.*)$/.exec(schema) ?? [];
  if (name === undefined) throw new Error(`cannot read the schema ${schema}`);
  const takesNumbers = takingNumbers.test(schema);
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
    });
  }
  return { name, overload: overload === '' ? 'default' : overload, all, result: resultOf(results) };
}

function resultOf(text) {
  if (text === '()') return 'void';
  if (!text.startsWith('(')) return typeOf(text.replace(/ \w+$/, ''), true);
  const parts = splitList(text.slice(1, -1)).map((part) => /^(.+?)(?: (\w+))?$/.exec(part));
  const tuple = `[${parts.map(([, type]) => typeOf(type, true)).join(', ')}]`;
  const names = parts.filter(([, , name]) => name !== undefined);
  if (names.length === 0) return tuple;
  return `Results<${tuple}, { ${names.map(([, type, name]) => `${name}: ${typeOf(type, true)}`).join('; ')} }>`;
}

const optional = (type) => (type.endsWith('| undefined') ? type : `${type} | null | undefined`);

/** Call signatures: everything positional, or from some place on as keywords. */
function signatures({ all, result }, documentation) {
  const positional = all.filter(({ isKeywordOnly }) => !isKeywordOnly);
  const keywordOnly = all.filter(({ isKeywordOnly }) => isKeywordOnly);
  // What has no default may follow what has one, in a few schemas.
  const required = positional.findLastIndex(({ isOptional }) => !isOptional) + 1;
  const lines = [];
  for (let count = positional.length; count >= required; count--) {
    if (count !== positional.length && count !== required && positional.length - required > 3) continue;
    const given = positional.slice(0, count).map(({ name, type, isOptional }, i) => {
      const safe = reserved.has(name) ? `${name}_` : name;
      return isOptional && i >= required && count === positional.length
        ? `${safe}?: ${optional(type)}`
        : `${safe}: ${isOptional ? optional(type) : type}`;
    });
    const rest = [...positional.slice(count), ...keywordOnly];
    const isNeeded = rest.some(({ isOptional }) => !isOptional) && given.every((text) => !text.includes('?: '));
    const keywords = rest.map(
      ({ name, type, isOptional }) => `${name}${isOptional ? '?' : ''}: ${isOptional ? optional(type) : type}`,
    );
    if (rest.length > 0) given.push(`keywords${isNeeded ? '' : '?'}: { ${keywords.join('; ')} }`);
    lines.push(`(${given.join(', ')}): ${result};`);
  }
  return `${documentation}\n  ${lines.join('\n  ')}`;
}

/** The module of the types of operators, from their schemas in the order in which packets try them. */
export function declarations(schemas) {
  const operators = new Map();
  const interfaces = schemas.map((schema) => {
    const parsed = parse(schema);
    const id = `${parsed.name}$${parsed.overload}`;
    const list = operators.get(parsed.name) ?? [];
    operators.set(parsed.name, [...list, parsed.overload]);
    return `interface ${id} extends Callable {\n  ${signatures(parsed, `/** \`${schema}\` */`)}\n}`;
  });
  const members = [...operators].map(([name, overloads]) => {
    const callables = overloads.map((overload) => `${name}$${overload}`).join(' & ');
    const properties = overloads.map((overload) => `readonly ${overload}: ${name}$${overload}`).join('; ');
    return `  readonly ${name}: ${callables} & { ${properties}; overloads(): string[] };`;
  });
  return `// Generated by scripts/setup/declarations.mjs from aten.schemas.txt. Do not edit.
import type { Stream } from '../../tensor/cuda/streams';
import type { Tensor } from '../../tensor/tensor';
import type { Complex, Device, DType, Scalar } from '../../types';
import type { Generator } from '../generator';
import type { NativeObject } from '../native-object';
import type { Callable, MemoryFormat, Results } from './declared';

${interfaces.join('\n')}

/** The operators of ATen: \`torch.ops.aten\`. */
export interface Aten {
${members.join('\n')}
}
`;
}

/** The schemas of the list, without its comments. */
export function listedSchemas(root) {
  const lines = readFileSync(join(root, schemasPath), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Brings the types up to date; gives what was done, or nothing. */
export function declareOperators({ root }) {
  const schemas = listedSchemas(root);
  const text = declarations(schemas);
  const output = join(root, outputPath);
  if (existsSync(output) && readFileSync(output, 'utf8') === text) return undefined;
  writeFileSync(output, text);
  return `types of ${schemas.length} overloads written to ${outputPath}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  declareOperators({ root: fileURLToPath(new URL('../..', import.meta.url)) });
}
