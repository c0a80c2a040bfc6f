/** Runs the examples of the docstrings: after `expression; //` stands the value, to the digits written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as reference from '../../../lib/reference';

const folder = join(__dirname, '../../../lib/reference');

const examples = readdirSync(folder).flatMap((file) =>
  readFileSync(join(folder, file), 'utf8')
    .split('@example\n')
    .slice(1)
    .map((rest) => (rest.split('*/')[0] as string).split('\n').map((line) => line.replace(/^ *\* ?/, '')))
    .map((lines) => ({ file, first: lines[0] as string, lines })),
);

/** Numbers written with four decimals or more are rounded, shorter ones are exact. */
function agrees(written: string, actual: unknown): boolean {
  const numbers = /-?\d+(?:\.(\d+))?/g;
  const [texts, values] = [[...written.matchAll(numbers)], [actual].flat(64) as number[]];
  return (
    texts.length === values.length &&
    JSON.stringify(actual).replace(/[^[\],]/g, '') === written.replace(/[^[\],]/g, '') &&
    texts.every(([text, decimals = ''], i) => {
      const tolerance = decimals.length < 4 ? 1e-12 : 0.5 * 10 ** -decimals.length;
      return Math.abs((values[i] as number) - Number(text)) <= tolerance;
    })
  );
}

test('there are examples in every file of functions', () => {
  const files = new Set(examples.map(({ file }) => file));
  expect([...files].sort()).toEqual([
    'activations.ts',
    'binary.ts',
    'classification.ts',
    'distance.ts',
    'distribution.ts',
    'embedding.ts',
    'index.ts',
    'linear-classification.ts',
    'margin.ts',
    'ndarray.ts',
    'regression.ts',
    'sequence.ts',
  ]);
});

test.each(examples)('$file: $first', ({ lines }) => {
  const wrong: string[] = [];
  const check = (line: string, written: string, actual: unknown): void => {
    if (!agrees(written, actual)) wrong.push(`${line} but received ${JSON.stringify(actual)}`);
  };
  const body = lines.map((line) => {
    const [, expression, written] = /^(?!const )(.+); \/\/ (.+)$/.exec(line) ?? [];
    if (expression === undefined) return line;
    return `check(${JSON.stringify(line)}, ${JSON.stringify(written)}, ${expression});`;
  });
  expect(body.join('\n')).toContain('check(');
  new Function('check', ...Object.keys(reference), body.join('\n'))(check, ...Object.values(reference));
  expect(wrong).toEqual([]);
});
