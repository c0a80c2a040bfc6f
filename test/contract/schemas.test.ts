/** The operators that the library calls itself, in the libtorch that is loaded: what breaks them must be seen here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadedLibtorch, native } from '../../lib/binding/load';
import { broken, isCalled } from './schema';

const root = join(__dirname, '..', '..');
const [heading = '', ...recorded] = readFileSync(join(root, 'lib', 'torch', 'ops', 'aten.schemas.txt'), 'utf8')
  .trimEnd()
  .split('\n');
const recordedVersion = /libtorch (\S+),/.exec(heading)?.[1] as string;
const { version } = loadedLibtorch();

test(`libtorch ${version} has what the library calls as ${recordedVersion} had it`, () => {
  const used = recorded.filter(isCalled);
  const breaking = used.flatMap((schema) => {
    const [, name = '', overload = ''] = /^(aten::\w+)(?:\.(\w+))?\(/.exec(schema) ?? [];
    const reason = broken(schema, native().schema(name, overload));
    return reason === undefined ? [] : [`${name}.${overload}: ${reason}`];
  });
  expect(breaking).toEqual([]);
  expect(used.length).toBeGreaterThan(200);
});

test('an operator that does not exist is an error', () => {
  expect(() => native().schema('aten::no_such_operator', '')).toThrow('no_such_operator');
});

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
