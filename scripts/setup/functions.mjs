// The modules of PyTorch's functions (`torch.add`, `torch.linalg.norm`) and the types of its methods (`x.add`): one
// line of code for each name in lib/torch/python.names.txt, with its types and its documentation from the schemas.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { camelCase, optional, parse, reserved, resultOf } from './schemas.mjs';
import { longestOfNn, signatures } from './signatures.mjs';

const words = (text) => text.split(' ');

const namesPath = 'lib/torch/python.names.txt';

/** Names that are written in TypeScript instead: Python has no schema for them, or JavaScript needs another one. */
const handwritten = {
  torch: words('full nonzero'),
  Tensor: words(
    'dim index_put_ is_contiguous is_inference item nonzero numel record_stream requires_grad_ retain_grad size stride to',
  ),
};

/** The prefix of the operators of a section, and the path of its module. */
const places = {
  torch: { prefix: '', path: 'lib/torch/operators' },
  linalg: { prefix: 'linalg_', path: 'lib/torch/linalg' },
  special: { prefix: 'special_', path: 'lib/torch/special' },
  fft: { prefix: 'fft_', path: 'lib/torch/fft' },
  'nn.functional': { prefix: '', path: 'lib/nn/functional/operators', longest: longestOfNn },
};

function readNames(root) {
  const sections = {};
  let section = '';
  for (const line of readFileSync(join(root, namesPath), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[([\w.]+)\]$/.exec(line)?.[1];
    if (heading === undefined) {
      sections[section].push(line);
    } else {
      section = heading;
      sections[section] = [];
    }
  }
  for (const [name, list] of Object.entries(sections)) {
    sections[name] = list.filter((entry) => !handwritten[name]?.includes(entry));
  }
  return sections;
}

/** An overload by Python's names: `input`, `startDim`, `out`. */
function pythonForm({ all, results }, isMethod) {
  const outs = all.filter(({ isOut }) => isOut);
  const given = all
    .filter(({ isOut, name }) => !isOut && !(isMethod && name === 'self'))
    .map((argument) => ({ ...argument, name: argument.name === 'self' ? 'input' : camelCase(argument.name) }));
  if (all.some(({ name }) => name === 'pin_memory')) {
    given.push({ name: 'requiresGrad', type: 'boolean', isOptional: true, isKeywordOnly: true });
  }
  const out = outs.length === 1 ? 'Tensor' : `readonly [${outs.map(() => 'Tensor').join(', ')}]`;
  return { given, out: outs.length === 0 ? undefined : out, result: resultOf(results, camelCase) };
}

/** The overloads, with `out` as a keyword of the one with the same result. */
function withOut(forms) {
  const key = ({ given }) => given.map(({ name, type }) => `${name}: ${type}`).join();
  const isAskedOf = ({ name }) => !['dtype', 'layout', 'device', 'pinMemory', 'requiresGrad'].includes(name);
  const merged = forms.filter(({ out }) => out === undefined).map((form) => ({ ...form }));
  for (const form of forms.filter(({ out }) => out !== undefined)) {
    const same = merged.find(
      (base) => key(base) === key(form) || key({ given: base.given.filter(isAskedOf) }) === key(form),
    );
    if (same === undefined) merged.push({ ...form, isOutRequired: true });
    else same.out = form.out;
  }
  return merged.map(({ given, out, isOutRequired, result }) => {
    if (out === undefined) return { all: given, result };
    const argument = { name: 'out', type: out, isOptional: isOutRequired !== true, isKeywordOnly: true };
    return { all: [...given, argument], result };
  });
}

function isOnlySizes({ all }) {
  const positional = all.filter(({ isKeywordOnly }) => !isKeywordOnly);
  return positional.length === 1 && positional[0].isSizes;
}

/** `x.view(2, -1)`, `zeros(2, 3, { dtype })`: sizes that stand alone may go without brackets. */
function withoutBrackets({ all, result }) {
  if (!isOnlySizes({ all })) return [];
  const { name } = all.find(({ isKeywordOnly }) => !isKeywordOnly);
  const keywords = all.filter(({ isKeywordOnly }) => isKeywordOnly);
  const lines = [`(...${name}: (number | bigint)[]): ${result};`];
  if (keywords.length > 0) {
    const members = keywords.map(({ name: key, type }) => `${key}?: ${optional(type)}`).join('; ');
    lines.push(`(...args: [...${name}: (number | bigint)[], keywords: { ${members} }]): ${result};`);
  }
  return lines;
}

/** Forms that differ in the type of one argument as one that takes both: a tensor or a number. */
function united(forms) {
  const frame = ({ all, result }) =>
    `${all.map(({ name, isOptional, isKeywordOnly }) => `${name} ${isOptional} ${isKeywordOnly}`).join()} ${result}`;
  const merged = [];
  for (const form of forms) {
    const other = merged.find((base) => {
      // Sizes without brackets are another way to call.
      if (frame(base) !== frame(form) || isOnlySizes(base) || isOnlySizes(form)) return false;
      return base.all.filter(({ type }, i) => type !== form.all[i].type).length <= 1;
    });
    if (other === undefined) {
      merged.push(form);
      continue;
    }
    other.all = other.all.map((argument, i) => {
      const types = [...argument.type.split(' | '), ...form.all[i].type.split(' | ')];
      const isMixed = argument.type !== form.all[i].type;
      return isMixed ? { ...argument, isSizes: false, type: [...new Set(types)].join(' | ') } : argument;
    });
  }
  return merged;
}

function callSignatures(schemas, isMethod, longest) {
  const forms = schemas.map((schema) => pythonForm(schema, isMethod));
  const wanted = withOut(isMethod ? forms.filter(({ out }) => out === undefined) : forms);
  const lines = united(wanted).flatMap((form) => [...signatures(form, longest), ...withoutBrackets(form)]);
  return [...new Set(lines)];
}

function documentation(schemas, python) {
  const page = `https://docs.pytorch.org/docs/stable/generated/${python}.html`;
  const lines = schemas.filter(({ all }) => !all.some(({ isOut }) => isOut)).map(({ schema }) => `\`${schema}\``);
  return `/**\n * ${lines.join('\n *\n * ')}\n *\n * **Source**: [\`${python}\`](${page}).\n */`;
}

/** The types to import, by module. */
const sources = {
  '../types': ['Complex', 'Device', 'DType', 'Layout', 'MemoryFormat', 'Scalar'],
  './cuda/streams': ['Stream'],
  './generator': ['Generator'],
  './native-object': ['NativeObject'],
  './ops/declared': ['Results'],
  './tensor': ['Tensor'],
};

/** The imports of the types that a text mentions; `torch` leads to lib/torch. */
function importsOf(text, torch = './') {
  const lines = Object.entries(sources).map(([module, names]) => {
    const used = names.filter((name) => new RegExp(`[ (<[]${name}\\b`).test(text));
    return used.length === 0
      ? ''
      : `import type { ${used.join(', ')} } from '${join(torch, module).replace(/^(?!\.)/, './')}';\n`;
  });
  return lines.join('');
}

const heading =
  '// Generated by scripts/setup/functions.mjs from python.names.txt and ops/aten.schemas.txt. Do not edit.\n';

function functionsModule(section, names, overloadsOf) {
  const { prefix, path, longest } = places[section];
  const python = section === 'torch' ? 'torch' : `torch.${section}`;
  const torch = `${relative(dirname(path), 'lib/torch') || '.'}/`;
  const parts = names.map((line) => {
    // `logsigmoid log_sigmoid`: a function by another name than its operator's.
    const [name, renamed = name] = line.split(' ');
    const operator = prefix + renamed;
    const schemas = overloadsOf(operator);
    const exported = camelCase(name);
    const variable = reserved.has(exported) ? `${exported}_` : exported;
    const type = `{\n  ${callSignatures(schemas, false, longest).join('\n  ')}\n}`;
    const comment = documentation(schemas, `${python}.${name}`);
    const made = `makeFunction('${exported}', 'aten::${operator}')`;
    return exported === variable
      ? `${comment}\nexport const ${exported}: ${type} = ${made};`
      : `${comment}\nconst ${variable}: ${type} = ${made};\nexport { ${variable} as ${exported} };`;
  });
  const text = parts.join('\n\n');
  return `${heading}${importsOf(text, torch)}import { makeFunction } from '${torch}functions';\n\n${text}\n`;
}

function methodsModule(names, overloadsOf) {
  const takesSelf = ({ all }) => all.some(({ name }) => name === 'self') && !all.some(({ isOut }) => isOut);
  const parts = names.map((name) => {
    const schemas = overloadsOf(name).filter(takesSelf);
    const lines = callSignatures(schemas, true);
    const comment = documentation(schemas, `torch.Tensor.${name}`).replaceAll('\n', '\n  ');
    return `  ${comment}\n  ${camelCase(name)}: {\n    ${lines.join('\n    ')}\n  };`;
  });
  const list = names.map((name) => `  '${name}',`).join('\n');
  const text = parts.join('\n');
  return `${heading}${importsOf(text)}
/** The methods of tensors that are operators. */
export interface TensorMethods {
${text}
}

/** Their names in Python. */
export const methodNames: readonly string[] = [
${list}
];
`;
}

/** The modules of functions and methods, by their paths. */
export function functionModules(root, schemas) {
  const operators = new Map();
  for (const parsed of schemas.map(parse)) {
    operators.set(parsed.name, [...(operators.get(parsed.name) ?? []), parsed]);
  }
  const overloadsOf = (name) => {
    const found = operators.get(name);
    if (found === undefined) throw new Error(`${namesPath}: ${name} is not an operator`);
    return found;
  };
  const { Tensor: methods, ...sections } = readNames(root);
  const modules = { 'lib/torch/methods.generated.ts': methodsModule(methods, overloadsOf) };
  for (const [section, names] of Object.entries(sections)) {
    modules[`${places[section].path}.generated.ts`] = functionsModule(section, names, overloadsOf);
  }
  return modules;
}
