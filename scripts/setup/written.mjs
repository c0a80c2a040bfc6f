// The types of the functions of torch.nn that are written in TypeScript, from lib/nn/python.schemas.txt: how each is
// called, what implements it, and the schema by which its arguments are read.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, camelCase, resultOf, typeOf } from './schemas.mjs';
import { longestOfNn, signatures } from './signatures.mjs';

const schemasPath = 'lib/nn/python.schemas.txt';

/** Types that no schema has: what they are in TypeScript. Schemas say `Any` for them. */
const own = {
  Tensors: 'Tensor | Iterable<Tensor>',
  Lengths: 'Tensor | readonly number[]',
  PackedSequence: 'PackedSequence',
};

/** What types are imported from. */
const sources = {
  '../torch/generator': ['Generator'],
  '../torch/tensor': ['Tensor'],
  '../types': ['Complex', 'DType', 'Scalar'],
  './utils/rnn': ['PackedSequence'],
};

/** `softmax(Tensor input, int? dim=None) -> Tensor`, taken apart. */
function readLine(line) {
  const [, name, parameters, results, flag, flagged] =
    /^(\w+)\((.*)\) -> (.*?)(?: \| (\w+) -> (.*))?$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`${schemasPath}: cannot read ${line}`);
  const all = argumentsOf(parameters).map((argument) => ({
    ...argument,
    name: camelCase(argument.name),
    type: own[argument.schemaType] ?? argument.type,
    isFlag: argument.name === flag,
  }));
  const plain = parameters.replace(new RegExp(`\\b(${Object.keys(own).join('|')})\\b(?= )`, 'g'), 'Any');
  return { name: camelCase(name), schema: `(${plain})`, all, result: own[results] ?? resultOf(results), flagged };
}

/** How a function is called; one whose result depends on a flag has signatures for each. */
function callsOf({ all, result, flagged }) {
  if (flagged === undefined) return signatures({ all, result }, longestOfNn);
  const withFlag = (type, isOptional) => all.map((given) => (given.isFlag ? { ...given, type, isOptional } : given));
  return [
    ...signatures({ all: withFlag('false', true), result }, longestOfNn),
    ...signatures({ all: withFlag('true', false), result: resultOf(flagged) }, longestOfNn),
    ...signatures({ all: withFlag('boolean', false), result: `${result} | ${resultOf(flagged)}` }, longestOfNn),
  ];
}

/** What the implementation is given for an argument: numbers for integers, lists of fixed length whole. */
function givenType({ schemaType, fallback, type }) {
  if (own[schemaType] !== undefined) return own[schemaType];
  const isOptional = schemaType.endsWith('?');
  const list = /^(int\??|float)\[(\d*)\]\??$/.exec(schemaType);
  const element = list?.[1] === 'int?' ? 'number | null | undefined' : 'number';
  const plain =
    list === null
      ? typeOf(schemaType.replace(/\?$/, ''), false).replace('number | bigint', 'number')
      : `readonly (${element})[]${list[2] === '1' ? ' | number' : ''}`;
  if (plain === undefined) throw new Error(`${schemasPath}: no type for ${type}`);
  return isOptional && (fallback === undefined || fallback === 'None') ? `${plain} | undefined` : plain;
}

function implementationOf({ all, result, flagged }) {
  const parameters = all.map((argument) => `${argument.name}: ${givenType(argument)}`).join(', ');
  return `(${parameters}) => ${flagged === undefined ? result : `${result} | ${resultOf(flagged)}`}`;
}

function sectionModule(section, functions) {
  const type = section[0].toUpperCase() + section.slice(1);
  const calls = functions.map((one) => `  ${one.name}: {\n    ${callsOf(one).join('\n    ')}\n  };`);
  const implementations = functions.map((one) => `  ${one.name}: ${implementationOf(one)};`);
  const schemas = functions.map(({ name, schema }) => `  ${name}: ${JSON.stringify(schema)},`);
  return `/** How the functions are called. */
export interface ${type}Calls {
${calls.join('\n')}
}

/** What implements them: it is given every argument in its place, what is absent as its default. */
export interface ${type}Implementations {
${implementations.join('\n')}
}

/** How their arguments are read. */
export const ${section}Schemas: Readonly<Record<keyof ${type}Calls, string>> = {
${schemas.join('\n')}
};
`;
}

function readSections(root) {
  const sections = {};
  let section = '';
  for (const line of readFileSync(join(root, schemasPath), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(\w+)\]$/.exec(line)?.[1];
    if (heading === undefined) {
      sections[section].push(readLine(line));
    } else {
      section = heading;
      sections[section] = [];
    }
  }
  return sections;
}

/** The module of the functions that are written in TypeScript, by its path. */
export function writtenModules(root) {
  const text = Object.entries(readSections(root))
    .map((entry) => sectionModule(...entry))
    .join('\n');
  const imports = Object.entries(sources).flatMap(([module, names]) => {
    const used = names.filter((name) => new RegExp(`[ (<[]${name}\\b`).test(text));
    return used.length === 0 ? [] : [`import type { ${used.join(', ')} } from '${module}';`];
  });
  const heading = '// Generated by scripts/setup/written.mjs from python.schemas.txt. Do not edit.';
  return { 'lib/nn/python.generated.ts': `${heading}\n${imports.join('\n')}\n\n${text}` };
}
