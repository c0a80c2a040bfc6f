/**
 * The examples in documentation comments are true: `@example expression // result` is evaluated, and its result is what
 * the comment says, as `console.log` shows it or as an expression of its own; `0.4643…` is a number that begins so.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import * as torch from 'libtorch-losses';
import * as half from '../../lib/torch/half';
import * as print from '../../lib/torch/print';

const lib = resolve(__dirname, '../../lib');
const x = torch.tensor([[1, 2, 3]]);
const names: Record<string, unknown> = {
  torch,
  ...half,
  ...print,
  ...torch,
  ...torch.nn,
  ...torch.nn.functional,
  ...torch.distributions,
  F: torch.nn.functional,
  x,
  other: torch.ones([1], { dtype: 'float64' }),
  mask: torch.tensor([true, false, true]),
};
// Reserved words are names of functions, but of no parameter.
const { var: _, ...scope } = names;

interface Example {
  file: string;
  expression: string;
  result: string;
}

const examples: Example[] = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  // The reference's examples are run beside its other tests.
  .filter((file) => file.endsWith('.ts') && !/generated|^reference/.test(file))
  .sort()
  .flatMap((file) => {
    const text = readFileSync(join(lib, file), 'utf8');
    const found = text.matchAll(/@example (.*\S) \/\/ (.*\S)\s*$/gm);
    return Array.from(found, ([, expression, result]) => ({
      file,
      expression: expression as string,
      result: (result as string).replace(/, as .*$/, ''),
    }));
  })
  .filter(({ expression }) => !expression.includes('await'));

test.each(examples)('$file: $expression', ({ expression, result }) => {
  const value = evaluate(expression.replace(/;$/, ''));
  if (result.endsWith('…')) expect(String(value).startsWith(result.slice(0, -1))).toBe(true);
  else if (inspect(value) !== result) expect(plain(value)).toEqual(evaluate(result));
});

/** Typed arrays as the arrays that a comment writes. */
function plain(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
}

function evaluate(expression: string): unknown {
  return new Function(...Object.keys(scope), `return (${expression});`)(...Object.values(scope));
}

test('the losses have examples', () => {
  const files = new Set(examples.map(({ file }) => file));
  expect([...files]).toEqual(expect.arrayContaining(['nn/losses/cross-entropy.ts', 'nn/losses/regression.ts']));
});
