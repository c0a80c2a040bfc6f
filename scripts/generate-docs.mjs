// Writes docs/losses.md from the declarations in lib/nn/losses: their documentation comments, and what the code itself
// says of arguments and defaults. Run it after changing either: `npm run generate`. With --check it writes nothing, and
// fails if the page would change.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const folder = new URL('../lib/nn/losses/', import.meta.url);
const page = new URL('../docs/losses.md', import.meta.url);
const { functional } = require('../dist/nn/index.js');
const { declarationOf } = require('../dist/nn/losses/declare.js');

/** The page's parts in their order, by the file that holds the losses; another file's name is its title. */
const titles = {
  'cross-entropy': 'Classes',
  'binary-cross-entropy': 'Classes, each by itself',
  'linear-cross-entropy': 'Classes, with the last layer',
  regression: 'Numbers',
  distribution: 'Distributions',
  margin: 'Margins',
  embedding: 'Pairs and triplets',
  sequence: 'Sequences',
};

/** A comment's text without its frame, one paragraph a line. */
function paragraphs(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  return lines
    .join('\n')
    .split(/\n\s*\n|\n(?=@)/)
    .map((text) => text.replace(/\s*\n\s*/g, ' ').trim())
    .filter((text) => text !== '');
}

const link = (text) => text.replace(/\{@link (\w+)\}/g, '`$1`');

/** Every options interface: its own members with their comments, and what it extends. */
function readInterfaces(source) {
  const found = new Map();
  for (const [, name, , parent, body] of source.matchAll(
    /export interface (\w+)( extends (?:Omit<)?(\w+)[^{]*)? \{\n([\s\S]*?)\n\}/g,
  )) {
    const members = new Map();
    for (const [, comment, key] of body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(?:readonly )?(\w+)\??:/g)) {
      members.set(key, link(paragraphs(comment).join(' ')));
    }
    found.set(name, { parent, members });
  }
  for (const [, name, parent] of source.matchAll(/export type (\w+) = Omit<(\w+)/g)) {
    found.set(name, { parent, members: new Map() });
  }
  return found;
}

function memberComment(interfaces, name, key) {
  for (let at = interfaces.get(name); at !== undefined; at = interfaces.get(at.parent)) {
    if (at.members.has(key)) return at.members.get(key);
  }
  throw new Error(`no comment for option ${key} of ${name}`);
}

/** A default as the page shows it; those that the comment states in words are absent tensors. */
function shownDefault(value) {
  if (value === undefined) return 'absent';
  if (typeof value === 'function') return `\`${value.name}\``;
  return typeof value === 'string' ? `\`'${value}'\`` : `\`${value}\``;
}

function options(interfaces, name, defaults) {
  if (name === undefined) return [];
  const rows = Object.entries(defaults).map(([key, value]) => {
    const text = memberComment(interfaces, name, key)
      .replace(/ ?Default:? [^.]*(?:\.\d[^.]*)?(?:;|\.$|\. |\.)/, (found) => (found.endsWith(';') ? ' ' : ' '))
      .trim();
    const what = text === '' && key === 'reduction' ? "`'none'`, `'mean'` or `'sum'`" : text;
    return `| \`${key}\` | ${shownDefault(value)} | ${what.replaceAll('|', '\\|')} |`;
  });
  return ['', '| option | default | |', '| --- | --- | --- |', ...rows];
}

/** `crossEntropy(input, target, weight, { … })`: what stands by position, and what in the object. */
function callOf(name, { arguments: required, options, positional = [] }) {
  const named = Object.keys(options).filter((option) => !positional.includes(option));
  const keywords = named.length === 0 ? [] : [`{ ${named.join(', ')} }`];
  return `${name}(${[...Object.keys(required), ...positional, ...keywords].join(', ')})`;
}

/** The class of a loss: the one whose comment links the function. */
function classOf(name) {
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    const match = new RegExp(`\\{@link ${name}\\}(?:(?!\\*/)[\\s\\S])*\\*/\\nexport class (\\w+)`).exec(source);
    if (match !== null) return match[1];
  }
  return undefined;
}

/** A loss of a file: `[, comment, name, annotation]`. */
function section(interfaces, [, comment, name, annotation]) {
  const declaration = declarationOf(functional[name]);
  const parts = paragraphs(comment);
  const take = (pattern) => parts.filter((text) => pattern.test(text)).map(link);
  const plain = parts.filter((text) => !/^(?:\*\*|@)/.test(text)).map(link);
  const example = take(/^@example/)[0]?.replace(/^@example /, '');
  const optionsName = [...annotation.matchAll(/\b\w+Options\b/g)].at(0)?.[0];
  const defaults = Object.fromEntries(
    Object.entries(declaration.options).map(([key, option]) => [key, option.default]),
  );
  const className = classOf(name);
  const parameters = take(/^@param/).map((text) => text.replace(/^@param (\w+) (.*)$/, '- `$1`: $2'));
  const ofClass = className === undefined ? '' : `, class \`${className}\``;
  return [
    `### ${name}`,
    '',
    `\`${callOf(name, declaration)}\`${ofClass}. ${plain.join(' ')}`,
    '',
    ...take(/^\*\*(?:Formula|Shapes|Units|Dtypes and devices|Gradient)\*\*/).flatMap((text) => [text, '']),
    ...(parameters.length > 0 ? [...parameters, ''] : []),
    ...options(interfaces, optionsName, defaults).slice(1),
    '',
    take(/^\*\*Difference from PyTorch/)[0] ?? '**Difference from PyTorch**: none.',
    '',
    ...take(/^\*\*Source/),
    '',
    ...(example === undefined ? [] : programOf(example)),
  ];
}

/** The comment's example as a program that prints. */
function programOf(example) {
  const [expression, result] = example.split(' // ');
  const names = new Set(['tensor', 'nn']);
  const call = expression.replace(/^(\w+)\(/, 'nn.functional.$1(');
  const shown = result.replace(/, as .*$/, '').replace(/^\[(.*)\]$/, '[ $1 ]');
  const line = `console.log(${call}); // ${shown}`;
  const used = [...names].filter((name) => new RegExp(`\\b${name}\\b`).test(line)).sort();
  return ['```ts', `import { ${used.join(', ')} } from 'libtorch-losses';`, '', line, '```', ''];
}

const lines = [
  '# Losses',
  '',
  '<!-- Made by `npm run generate` from the declarations in lib/nn/losses; do not edit. -->',
  '',
  "Arguments are tensors, or what one can be made of: nested arrays, typed arrays, `{ data, dims }`. Options follow as in Python: some by position, all of them by name in one trailing object, in camelCase; `null` is absent. The deprecated `size_average`, `reduce` and `reduction: 'elementwise_mean'` are left out on purpose: `reduction` says the same.",
  '',
  'Each function also has the forms `.item(…)`, which gives a number, `.out(buffer, …)`, which writes into existing memory, and `.async(…)`, which computes [off the main thread](async.md); and `valueAndGrad(loss)` computes value and gradient together.',
  '',
];
const files = readdirSync(folder).map((name) => name.replace(/\.ts$/, ''));
const known = Object.keys(titles);
const documented = new Set();
for (const file of [
  ...known.filter((name) => files.includes(name)),
  ...files.filter((name) => !known.includes(name)),
]) {
  const source = readFileSync(new URL(`${file}.ts`, folder), 'utf8');
  const found = [
    ...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\nexport const (\w+): (Loss<[\s\S]*?>) = declareLoss\(/g),
  ];
  if (found.length === 0) continue;
  lines.push(`## ${titles[file] ?? file[0].toUpperCase() + file.slice(1)}`, '');
  for (const match of found) {
    lines.push(...section(readInterfaces(source), match));
    documented.add(match[2]);
  }
}
const missing = Object.keys(functional).filter((name) => declarationOf(functional[name]) && !documented.has(name));
if (missing.length > 0) throw new Error(`no documentation found of ${missing.join(', ')}`);
const text = `${lines.join('\n').trimEnd()}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
  console.log(`docs/losses.md: ${text.split('\n### ').length - 1} losses`);
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/losses.md is not what the comments say: run npm run generate');
  process.exitCode = 1;
}
