/** The typed operators against the libtorch that is loaded: drift between versions must be seen here, not in a result. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { minorOf } from '../../lib/binding/libtorch-versions';
import { loadedLibtorch, native } from '../../lib/binding/load';
import * as operators from '../../lib/torch/aten/calls.generated';
import listed from '../../lib/torch/aten/calls.json';
import { broken } from './schema';

const root = join(__dirname, '..', '..');
const generated = readFileSync(join(root, 'lib', 'torch', 'aten', 'calls.generated.ts'), 'utf8');
const recordedVersion = /schemas of libtorch (\S+)\. Do not edit/.exec(generated)?.[1] as string;
const { schemas, ...functions } = operators;
const names = Object.values(listed).flat();
const sameMinor = minorOf(recordedVersion) === minorOf(loadedLibtorch().version);

test('every operator of the list has a function and a schema, and no other has', () => {
  expect(Object.keys(schemas).sort()).toEqual([...names].sort());
  expect(Object.keys(functions).sort()).toEqual(names.map((name) => name.replace('.', '_')).sort());
});

test(`libtorch ${loadedLibtorch().version} declares what was recorded of ${recordedVersion}`, () => {
  const differing: string[] = [];
  const breaking: string[] = [];
  for (const [qualified, recorded] of Object.entries(schemas)) {
    const [name, overload = ''] = qualified.split('.');
    const declared = native().schema(`aten::${name}`, overload);
    if (declared === recorded) continue;
    differing.push(`${qualified}\n  recorded ${recorded}\n  declared ${declared}`);
    const reason = broken(recorded, declared);
    if (reason !== undefined) breaking.push(`${qualified}: ${reason}`);
  }
  expect(breaking).toEqual([]);
  if (sameMinor) expect(differing).toEqual([]);
  else if (differing.length > 0) console.info(`Operators that differ, harmlessly:\n${differing.join('\n')}`);
});

test('an operator that does not exist is an error', () => {
  expect(() => native().schema('aten::no_such_operator', '')).toThrow('no_such_operator');
});

if (sameMinor) {
  test('the generated file is what the generator writes', () => {
    // It writes beside itself, so it runs in a copy of the folders that it reads and writes.
    const copy = mkdtempSync(join(tmpdir(), 'libtorch-losses-generate-'));
    try {
      cpSync(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true });
      cpSync(join(root, 'lib', 'torch', 'aten'), join(copy, 'lib', 'torch', 'aten'), { recursive: true });
      symlinkSync(join(root, 'dist'), join(copy, 'dist'), 'junction');
      const program = join(copy, 'scripts', 'generate-operators.mjs');
      const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const written = readFileSync(join(copy, 'lib', 'torch', 'aten', 'calls.generated.ts'), 'utf8');
      expect(written.replace(loadedLibtorch().version, recordedVersion)).toBe(generated);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
}

describe('what breaks a recorded schema', () => {
  const recorded =
    'aten::f(Tensor self, int[2] dims=[0, 1], *, ScalarType? dtype=None) -> (Tensor values, Tensor indices)';

  test.each([
    ['nothing', recorded],
    [
      'an argument with a default at the end',
      'aten::f(Tensor self, int[2] dims=[0, 1], *, ScalarType? dtype=None, bool fast=False) -> (Tensor values, Tensor indices)',
    ],
    [
      'a keyword that may be positional now',
      'aten::f(Tensor self, int[2] dims=[0, 1], ScalarType? dtype=None) -> (Tensor values, Tensor indices)',
    ],
  ])('not %s', (_, declared) => {
    expect(broken(recorded, declared)).toBeUndefined();
  });

  test.each([
    [
      'aten::f(Tensor self, int[2] dims=[0, 1]) -> (Tensor values, Tensor indices)',
      "argument 2 is 'missing' instead of 'ScalarType? dtype=None'",
    ],
    [
      'aten::f(Tensor self, int[2] dims=[1, 0], *, ScalarType? dtype=None) -> (Tensor values, Tensor indices)',
      "argument 1 is 'int[2] dims=[1, 0]' instead of 'int[2] dims=[0, 1]'",
    ],
    [
      'aten::f(Tensor self, bool k, int[2] dims=[0, 1], *, ScalarType? dtype=None) -> (Tensor values, Tensor indices)',
      "argument 1 is 'bool k' instead of",
    ],
    [
      'aten::f(Tensor self, int[2] dims=[0, 1], *, ScalarType? dtype=None, bool k) -> (Tensor values, Tensor indices)',
      "argument 'bool k' is new and has no default",
    ],
    [
      'aten::f(Tensor self, int[2] dims=[0, 1], *, ScalarType? dtype=None) -> Tensor',
      'returns Tensor instead of (Tensor values, Tensor indices)',
    ],
  ])('%s', (declared, reason) => {
    expect(broken(recorded, declared)).toContain(reason);
  });
});
