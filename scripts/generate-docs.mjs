// Writes docs/losses.md from the documentation comments of lib/nn/functional and the defaults that the code has.
// Run it after changing either: `npm run generate`. With --check it writes nothing, and fails if the page would change.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const folder = new URL('../lib/nn/functional/', import.meta.url);
const page = new URL('../docs/losses.md', import.meta.url);
const modules = require('../dist/nn/index.js');

/** Functions that are no losses, though they live beside them. */
const helpers = new Set(['linear', 'pairwiseDistance', 'cosineSimilarity']);

/** The page's parts, by the file that holds the losses. */
const families = {
  classification: 'Classes',
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

/** A default as the page shows it; those that the comment states in words are absent tensors and functions. */
function shownDefault(value) {
  if (value === undefined) return 'absent';
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

/** The class of a loss: the one whose comment links the function. */
function classOf(name) {
  for (const file of readdirSync(new URL('../modules/', folder))) {
    const source = readFileSync(new URL(`../modules/${file}`, folder), 'utf8');
    const match = new RegExp(`\\{@link ${name}\\}[^/]*\\*/\\nexport class (\\w+)`).exec(source);
    if (match !== null && match[1] in modules) return match[1];
  }
  return undefined;
}

function section(source, interfaces, exported, [, comment, name, signature]) {
  const parts = paragraphs(comment);
  const take = (pattern) => parts.filter((text) => pattern.test(text)).map(link);
  const plain = parts.filter((text) => !/^(?:\*\*|@)/.test(text)).map(link);
  const example = take(/^@example/)[0]?.replace(/^@example /, '');
  const optionsName = /options\?: (\w+)/.exec(signature)?.[1];
  const defaults = optionsName === undefined ? undefined : defaultsOf(source, exported, name, optionsName);
  const difference = take(/^\*\*Difference from PyTorch/)[0];
  const className = classOf(name);
  const parameters = take(/^@param/).map((text) => text.replace(/^@param (\w+) (.*)$/, '- `$1`: $2'));
  const positional = Array.from(signature.matchAll(/(\w+): /g), ([, argument]) => argument);
  return [
    `### ${name}`,
    '',
    `\`${name}(${positional.join(', ')}${defaults === undefined ? '' : ', options'})\`${className === undefined ? '' : `, class \`${className}\``}. ${plain.join(' ')}`,
    '',
    ...take(/^\*\*(?:Formula|Shapes|Units|Dtypes and devices|Gradient)\*\*/).flatMap((text) => [text, '']),
    ...(parameters.length > 0 ? [...parameters, ''] : []),
    ...(defaults === undefined ? [] : [...options(interfaces, optionsName, defaults).slice(1), '']),
    difference ?? '**Difference from PyTorch**: none.',
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

function defaultsOf(source, exported, name, optionsName) {
  const used = new RegExp(`withDefaults<${optionsName}>\\([^)]*, (\\w+)\\)`, 'g');
  const body = source.slice(source.indexOf(`export function ${name}(`));
  const [, constant] = used.exec(body) ?? [];
  if (constant === undefined || !(constant in exported)) throw new Error(`no defaults found for ${name}`);
  return exported[constant];
}

const lines = [
  '# Losses',
  '',
  'Made by `npm run generate` from the documentation comments in `lib/nn/functional`; do not edit.',
  '',
  "Arguments are tensors, or what one can be made of: nested arrays, typed arrays, `{ data, dims }`. Everything after them is an option. Options and defaults are PyTorch's in camelCase. The deprecated `size_average`, `reduce` and `reduction: 'elementwise_mean'` are left out on purpose: `reduction` says the same.",
  '',
  'Each function also has the forms `.item(…)`, which gives a number, `.out(buffer, …)`, which writes into memory that is there, and `.async(…)`, which computes [off the main thread](async.md); and `valueAndGrad(loss)` computes value and gradient together.',
  '',
];
for (const [family, title] of Object.entries(families)) {
  const file = readdirSync(folder).find((name) => name === `${family}.ts`);
  if (file === undefined) continue;
  const source = readFileSync(new URL(file, folder), 'utf8');
  const interfaces = readInterfaces(source);
  const exported = require(`../dist/nn/functional/${family}.js`);
  lines.push(`## ${title}`, '');
  for (const match of source.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\nexport function (\w+)\(([^{}]*?)\): Tensor \{/g,
  )) {
    if (!helpers.has(match[2]) && !match[1].includes('@internal'))
      lines.push(...section(source, interfaces, exported, match));
  }
}
const text = `${lines.join('\n').trimEnd()}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(page, text);
  console.log(`docs/losses.md: ${text.split('\n### ').length - 1} losses`);
} else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/losses.md is not what the comments say: run npm run generate');
  process.exitCode = 1;
}
