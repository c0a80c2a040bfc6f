// Writes lib/torch/aten/calls.generated.ts: a typed function for every operator of lib/torch/aten/calls.json, made from the
// schema that the libtorch which is found declares. Run it after adding an operator: `npm run generate`.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { native, loadedLibtorch } = require('../dist/binding/load.js');

const listUrl = new URL('../lib/torch/aten/calls.json', import.meta.url);
const outputUrl = new URL('../lib/torch/aten/calls.generated.ts', import.meta.url);

/** How a schema type is written in TypeScript, and how a value of it is passed on. */
const types = {
  Tensor: { type: 'Tensor', pass: (name, op) => `unwrap(${name}, '${op}', '${name}')` },
  'Tensor?': { type: 'Tensor | undefined', pass: (name, op) => `unwrapOptional(${name}, '${op}', '${name}')` },
  'Tensor[]': { type: 'readonly Tensor[]', pass: (name, op) => `unwrapList(${name}, '${op}', '${name}')` },
  Scalar: { type: 'Scalar' },
  int: { type: 'number' },
  SymInt: { type: 'number | bigint' },
  float: { type: 'number' },
  bool: { type: 'boolean' },
  str: { type: 'string' },
  ScalarType: { type: 'DType', pass: (name, op) => `code(${name}, '${op}')` },
  Layout: { type: 'undefined' },
  Device: { type: 'Device' },
  Generator: { type: 'undefined' },
  MemoryFormat: { type: 'number' },
  'int[]': { type: 'readonly number[]' },
  'SymInt[]': { type: 'readonly number[]' },
};

const reserved = new Set(['default', 'function', 'in', 'new', 'this', 'typeof', 'var', 'with']);

function typeOf(schemaType) {
  const plain = schemaType.replace(/\([^)]*\)/, '').replace(/\[\d+\]/, '[]');
  if (types[plain]) return types[plain];
  const inner = plain.endsWith('?') ? types[plain.slice(0, -1)] : undefined;
  if (!inner) throw new Error(`no TypeScript type for the schema type ${schemaType}`);
  return { ...inner, type: inner.type === 'undefined' ? 'undefined' : `${inner.type} | undefined` };
}

/** The text between the schema's own parentheses, and what follows the arrow. */
function splitSchema(schema) {
  const open = schema.indexOf('(');
  let depth = 0;
  for (let i = open; i < schema.length; i++) {
    if (schema[i] === '(') depth++;
    if (schema[i] === ')' && --depth === 0) return [schema.slice(open + 1, i), schema.slice(i + 1).replace(' -> ', '')];
  }
  throw new Error(`unbalanced schema ${schema}`);
}

/** Splits at commas outside of brackets. */
function splitList(text) {
  const parts = [];
  let depth = 0;
  let part = '';
  for (const c of text) {
    if ('([{'.includes(c)) depth++;
    if (')]}'.includes(c)) depth--;
    if (c === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += c;
  }
  if (part.trim()) parts.push(part.trim());
  return parts;
}

function parseArgument(text) {
  const match = /^(.+?) (\w+)(?:=(.*))?$/.exec(text);
  const [, schemaType, name, fallback] = match;
  const { type, pass } = typeOf(schemaType);
  const safe = reserved.has(name) ? `${name}_` : name;
  const written = schemaType.includes('!');
  return { name: safe, type, pass: pass ?? ((n) => n), optional: fallback !== undefined, written };
}

function resultOf(returns) {
  if (returns === '()') return { type: 'void', make: (call) => `${call};` };
  if (/^Tensor\(\w!\)$/.test(returns))
    return { type: 'Tensor', make: (call, written) => `${call};\n  return ${written};` };
  const plain = returns.replace(/\([a-z!|*> -]*\)/g, '');
  const wrapped = {
    Tensor: ['Tensor', 'wrap'],
    'Tensor[]': ['Tensor[]', 'wrapList'],
    '(Tensor, Tensor)': ['Tensor[]', 'wrapList'],
    '(Tensor values, Tensor indices)': ['Tensor[]', 'wrapList'],
  }[plain];
  if (wrapped) return { type: wrapped[0], make: (call) => `return ${wrapped[1]}(${call});` };
  const primitive = { bool: 'boolean', int: 'number', float: 'number' }[plain];
  if (primitive) return { type: primitive, make: (call) => `return ${call} as ${primitive};` };
  const named = plain.replace(/^\(|\)$/g, '').split(', ');
  if (named.every((part) => /^Tensor \w+$/.test(part))) {
    return { type: 'Tensor[]', make: (call) => `return wrapList(${call});` };
  }
  throw new Error(`no TypeScript type for the result ${returns}`);
}

function generate(qualified) {
  const [name, overload = ''] = qualified.split('.');
  const schema = native().schema(`aten::${name}`, overload);
  const [inside, returns] = splitSchema(schema);
  const args = splitList(inside)
    .filter((part) => part !== '*')
    .map(parseArgument);
  const lastRequired = args.findLastIndex(({ optional }) => !optional);
  const parameters = args.map(({ name, type, optional }, i) => {
    if (i > lastRequired) return `${name}?: ${type}`;
    return `${name}: ${optional && !type.includes('undefined') ? `${type} | undefined` : type}`;
  });
  const result = resultOf(returns);
  const identifier = qualified.replace('.', '_');
  const passed = args.map((arg) => arg.pass(arg.name, name)).join(', ');
  return `/** \`${schema}\` */
export function ${identifier}(${parameters.join(', ')}): ${result.type} {
  $${identifier} ??= operator('aten::${name}', '${overload}');
  ${result.make(`$${identifier}(${passed})`, args.find(({ written }) => written)?.name)}
}
let $${identifier}: Operator | undefined;
`;
}

const groups = JSON.parse(readFileSync(listUrl, 'utf8'));
const sections = Object.entries(groups).map(([title, names]) => `// ${title}\n\n${names.map(generate).join('\n')}`);
const schemas = Object.values(groups)
  .flat()
  .map((qualified) => {
    const [name, overload = ''] = qualified.split('.');
    return `  '${qualified}': ${JSON.stringify(native().schema(`aten::${name}`, overload))},`;
  });

writeFileSync(
  outputUrl,
  `// Generated by scripts/generate-operators.mjs from the schemas of libtorch ${loadedLibtorch().version}. Do not edit.
import type { Operator } from '../../binding/native';
import type { Tensor } from '../tensor';
import type { Device, DType, Scalar } from '../../types';
import { code, operator, unwrap, unwrapList, unwrapOptional, wrap, wrapList } from '../bind';

${sections.join('\n')}
/** Every operator above with the schema that it was made from; a contract test holds the loaded libtorch to them. */
export const schemas: Readonly<Record<string, string>> = {
${schemas.join('\n')}
};
`,
);
console.log(`${Object.values(groups).flat().length} operators -> lib/torch/aten/calls.generated.ts`);
