/**
 * Everything that makes a loss whole: function, module, reference, cases, golden vectors and documentation. One of them
 * missing fails.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as torch from '../../lib';
import { camelCase } from '../../lib/camel-case';
import { declarationOf } from '../../lib/nn/losses/declare';
import { readManifest, vectors } from '../../lib/parity/vectors';
import * as reference from '../../lib/reference';
import { losses } from '../cases';
import { Values } from '../cases/values';

/** The loss that is not a function: its parameters and its two results belong to the module. */
const moduleOnly = { module: 'AdaptiveLogSoftmaxWithLoss', name: 'adaptiveLogSoftmaxWithLoss' };

const functions = Object.entries(torch.nn.functional).flatMap(([name, called]) =>
  declarationOf(called) === undefined ? [] : [name],
);
const { files } = readManifest(vectors);
const documentation = readFileSync(join(__dirname, '..', '..', 'docs', 'losses.md'), 'utf8');

/** What is recorded of an operator. */
function recorded(name: string): unknown {
  return Object.entries(files).find(([op]) => camelCase(op) === name)?.[1];
}

/** The text below the heading that a function has in the documentation, as far as the next one. */
function sectionOf(name: string): string | undefined {
  return documentation.split(/^#+ /m).find((section) => section.startsWith(`${name}\n`));
}

test('every loss has cases, and everything with cases is a loss', () => {
  expect(losses.map(({ name }) => name).sort()).toEqual(functions.sort());
});

test('every module that is a loss is that of a loss with cases', () => {
  const modules = Object.keys(torch.nn).filter((name) => name.endsWith('Loss'));
  expect(losses.map(({ module }) => module).sort()).toEqual(
    modules.filter((name) => name !== moduleOnly.module).sort(),
  );
});

test('the loss that is only a module has all the rest', () => {
  expect(Object.keys(torch.nn)).toContain(moduleOnly.module);
  expect(Object.keys(reference)).toContain(moduleOnly.name);
  expect(recorded(moduleOnly.name)).toMatchObject({ module: moduleOnly.module, cases: expect.any(Number) });
});

describe.each(losses)('$name', ({ name, module, reductions, valid, errors }) => {
  test('has golden vectors, of its module too', () => {
    expect(recorded(name)).toMatchObject({ module, cases: expect.any(Number) });
  });

  test('has a section of its own in docs/losses.md, with its class and an example', () => {
    const section = sectionOf(name);
    expect(section).toContain('```ts');
    expect(section).toContain(`class \`${module}\``);
  });

  test('has its other forms', () => {
    const functional = torch.nn.functional as unknown as Readonly<Record<string, object | undefined>>;
    const form = expect.any(Function);
    expect({ ...functional[name] }).toEqual({ item: form, out: form, async: form });
  });

  test('is in the reference', () => {
    expect(Object.entries(reference)).toContainEqual([name, expect.any(Function)]);
  });

  test('has cases for a batch, for nothing at all and for every kind of error', () => {
    expect(valid.length).toBeGreaterThan(5);
    const isEmpty = (value: unknown): boolean => value instanceof Values && value.data.length === 0;
    expect(valid.filter(({ args }) => Object.values(args).some(isEmpty))).not.toHaveLength(0);
    const codes = errors.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['UNKNOWN_OPTION', 'INVALID_ARGUMENT', 'DISPOSED', 'RUNTIME']));
    expect(reductions).toEqual(expect.arrayContaining(['none', 'mean', 'sum']));
  });

  test('has cases of different names', () => {
    for (const cases of [valid, errors]) {
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    }
  });
});
