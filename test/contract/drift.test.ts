/** How the operators of other minor versions of libtorch differ from those that are listed: each difference is known. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCalled } from './schema';

const torch = join(__dirname, '..', '..', 'lib', 'torch');
const recorded = new Set(
  readFileSync(join(torch, 'ops', 'aten.schemas.txt'), 'utf8')
    .split('\n')
    .slice(1),
);

interface Drift {
  minor: string;
  /** What it declares otherwise or not at all, and what it declares instead or beside. */
  gone: string[];
  added: string[];
}

const drifts = readdirSync(__dirname).flatMap((file): Drift[] => {
  const minor = /^operators-(\d+\.\d+)\.txt$/.exec(file)?.[1];
  if (minor === undefined) return [];
  const lines = readFileSync(join(__dirname, file), 'utf8').trimEnd().split('\n');
  const withSign = (sign: string): string[] =>
    lines.filter((line) => line.startsWith(`${sign} `)).map((line) => line.slice(2));
  return [{ minor, gone: withSign('-'), added: withSign('+') }];
});

/** `add` of `aten::add.Tensor(…)`. */
const operatorOf = (schema: string): string => /^aten::(\w+)/.exec(schema)?.[1] as string;

/** Operators that no overload is left of. Their functions refuse the call, and name the operator and the version. */
const missing: Readonly<Record<string, readonly string[]>> = { '2.14': ['cholesky', 'qr'] };

/** Operators with an overload that takes other arguments, or calls them otherwise. */
const changed: Readonly<Record<string, readonly string[]>> = {
  '2.14': ['_cdist_backward', '_cudnn_attention_forward', '_pdist_backward'],
};

test('there is a list for the newest minor version', () => {
  expect(drifts.map(({ minor }) => minor)).toEqual(['2.14']);
});

describe.each(drifts)('libtorch $minor', ({ minor, gone, added }) => {
  const names = (schemas: readonly string[]): string[] => [...new Set(schemas.map(operatorOf))].sort();
  const others = names([...recorded].filter((schema) => schema !== '' && !gone.includes(schema)));
  const left = new Set([...others, ...names(added)]);

  test('differs from what is listed', () => {
    expect(gone.filter((schema) => !recorded.has(schema))).toEqual([]);
    expect(added.filter((schema) => recorded.has(schema))).toEqual([]);
    expect(gone.length + added.length).toBeGreaterThan(0);
  });

  test('lacks no operator but those that are known', () => {
    expect(names(gone).filter((name) => !left.has(name))).toEqual(missing[minor]);
    expect(names(gone).filter((name) => left.has(name))).toEqual(changed[minor]);
  });

  test('has every operator that the library itself calls, unchanged', () => {
    expect(gone.filter(isCalled)).toEqual([]);
  });
});
