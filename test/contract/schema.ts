/** What an operator's schema promises, whether another one still keeps it, and which the library calls. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';

const root = join(__dirname, '..', '..');

/**
 * How the schema that libtorch declares breaks what was recorded, in words; `undefined` if it does not. Arguments are
 * passed in their order, and what is not passed takes its default: so the recorded ones must come first and unchanged,
 * defaults included, and those that follow must have a default. Keyword-only or not is all the same here.
 */
export function broken(recorded: string, declared: string): string | undefined {
  const [wanted, actual] = [parse(recorded), parse(declared)];
  if (wanted.returns !== actual.returns) return `returns ${actual.returns} instead of ${wanted.returns}`;
  for (const [i, argument] of wanted.arguments.entries()) {
    const found = actual.arguments[i];
    if (found !== argument) return `argument ${i} is '${found ?? 'missing'}' instead of '${argument}'`;
  }
  const required = actual.arguments.slice(wanted.arguments.length).find((argument) => !argument.includes('='));
  return required && `argument '${required}' is new and has no default`;
}

function parse(schema: string): { arguments: string[]; returns: string } {
  const open = schema.indexOf('(');
  let depth = 0;
  let start = open + 1;
  const parts: string[] = [];
  for (let i = open; i < schema.length; i++) {
    const character = schema[i] as string;
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (depth === 0 || (depth === 1 && character === ',')) {
      parts.push(schema.slice(start, i).trim());
      start = i + 1;
    }
    if (depth === 0) break;
  }
  const named = parts.filter((part) => part !== '' && part !== '*');
  return { arguments: named, returns: schema.slice(start).replace('->', '').trim() };
}

/** `add` or `add.Tensor`: as the sources call them. */
const called = new Set(
  globSync('lib/**/*.ts', { cwd: root, ignore: 'lib/**/*.generated.ts' })
    .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/\baten\.(\w+(?:\.\w+)?)\(/g)])
    .map(([, name]) => name as string),
);

/** Whether the library calls the operator itself; where it leaves the overload open, as in `aten.add(x, y)`, any of them. */
export function isCalled(schema: string): boolean {
  const [, name = ''] = /^aten::([\w.]+)\(/.exec(schema) ?? [];
  return called.has(name) || called.has(name.split('.')[0] as string) || called.has(`${name}.default`);
}
