// The types of the functions and classes of torch.nn that are written in TypeScript, from lib/nn/python.schemas.txt: how
// each is called, what implements it, and the schemas by which its arguments are read.
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
  Module: 'AnyModule',
  Activation: "'relu' | 'gelu' | ((input: Tensor) => Tensor)",
  ParameterPair: '[Parameter, Parameter]',
};

/** The type of TypeScript for one that no schema has. */
function ownType(schemaType) {
  const plain = own[schemaType?.replace(/\?$/, '')];
  return plain === undefined || !schemaType.endsWith('?') ? plain : `${plain} | null | undefined`;
}

/** What types are imported from. */
const sources = {
  '../torch/generator': ['Generator'],
  '../torch/tensor': ['Tensor'],
  '../types': ['Complex', 'Device', 'DType', 'Scalar'],
  './modules/module': ['AnyModule'],
  './parameter': ['Parameter'],
  './utils/rnn': ['PackedSequence'],
};

/** `softmax(Tensor input, int? dim=None) -> Tensor`, taken apart; of a class nothing is returned. */
function readLine(line) {
  const [, name, parameters, results, flag, flagged] =
    /^(\w+)\((.*?)\)(?: -> (.*?))?(?: \| (\w+) -> (.*))?$/.exec(line) ?? [];
  if (name === undefined) throw new Error(`${schemasPath}: cannot read ${line}`);
  const all = argumentsOf(alternative(parameters, 0)).map((argument, i) => ({
    ...argument,
    name: camelCase(argument.name),
    type: ownType(argument.schemaType) ?? unionOf(argumentsOf(parameters)[i], argument),
    isFlag: argument.name === flag,
  }));
  const isEither = parameters.includes('|');
  const schemas = (isEither ? [0, 1] : [0]).map((which) => `(${withoutOwn(alternative(parameters, which))})`);
  const result = results === undefined ? undefined : (own[results] ?? resultOf(results));
  return { name: camelCase(name), schema: schemas[0], schemas, all, result, flagged };
}

const withoutOwn = (parameters) =>
  parameters.replace(new RegExp(`\\b(${Object.keys(own).join('|')})\\b(?=\\?? )`, 'g'), 'Any');

/** `int[2]|str padding=0` as one of the two; the default is the first's. */
function alternative(parameters, which) {
  return parameters.replace(/([\w[\]?]+)\|(\w+) (\w+)(=[^,)]+)?/g, (_, first, second, name, fallback = '') =>
    // Nobody gets the second's default: what lacks the argument fits the first.
    which === 0 ? `${first} ${name}${fallback}` : `${second} ${name}=''`,
  );
}

function unionOf({ schemaType }, { type }) {
  const second = /\|(\w+)$/.exec(schemaType)?.[1];
  return second === undefined ? type : `${type} | ${typeOf(second, false)}`;
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
  if (ownType(schemaType) !== undefined) return ownType(schemaType);
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

/** What the constructor of a class was given. */
function optionType({ name, type, schemaType }, text) {
  const plain = type.replaceAll('number | bigint', 'number').replace(/ \| null \| undefined$/, '');
  const isOptional = schemaType.endsWith('?');
  const comment = text === undefined ? '' : `    /** ${text} */\n`;
  return `${comment}    ${name}: ${plain}${isOptional ? ' | undefined' : ''};`;
}

function classesModule(classes, documentation) {
  const constructors = classes.map((one) => {
    const lines = signatures({ all: one.all, result: 'This' }, longestOfNn).map((line) => `new ${line}`);
    return `  ${one.name}: {\n    ${lines.join('\n    ')}\n  };`;
  });
  const options = classes.map(({ name, all }) => {
    const textOf = (argument) => documentation[`${name}.${argument}`] ?? documentation[argument];
    return `  ${name}: {\n${all.map((argument) => optionType(argument, textOf(argument.name))).join('\n')}\n  };`;
  });
  const schemas = classes.map((one) => `  ${one.name}: ${JSON.stringify(one.schemas)},`);
  return `/** How the classes are constructed. */
export interface ModuleConstructors<This> {
${constructors.join('\n')}
}

/** What they are constructed with, what is absent as its default. */
export interface ModuleOptions {
${options.join('\n')}
}

/** How the arguments of their constructors are read: by the first that fits. */
export const moduleSchemas: Readonly<Record<keyof ModuleOptions, readonly string[]>> = {
${schemas.join('\n')}
};
`;
}

function sectionModule(section, functions, documentation) {
  if (section === 'modules') return classesModule(functions, documentation);
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
      sections[section].push(section === 'documentation' ? line : readLine(line));
    } else {
      section = heading;
      sections[section] = [];
    }
  }
  return sections;
}

/** The module of the functions that are written in TypeScript, by its path. */
export function writtenModules(root) {
  const { documentation: lines = [], ...sections } = readSections(root);
  const documentation = Object.fromEntries(
    lines.map((line) => line.split(/: (.*)/)).map(([name, text]) => [camelCase(name), text]),
  );
  const text = Object.entries(sections)
    .map((entry) => sectionModule(...entry, documentation))
    .join('\n');
  const imports = Object.entries(sources).flatMap(([module, names]) => {
    const used = names.filter((name) => new RegExp(`[ (<[]${name}\\b`).test(text));
    return used.length === 0 ? [] : [`import type { ${used.join(', ')} } from '${module}';`];
  });
  const heading = '// Generated by scripts/setup/written.mjs from python.schemas.txt. Do not edit.';
  return { 'lib/nn/python.generated.ts': `${heading}\n${imports.join('\n')}\n\n${text}` };
}
