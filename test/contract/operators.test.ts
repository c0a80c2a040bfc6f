/** The list of aten's schemas, from which the types of `torch.ops.aten` are made, against the libtorch that is loaded. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minorOf } from '../../lib/binding/libtorch-versions';
import { loadedLibtorch, native } from '../../lib/binding/load';
import { camelCase } from '../../lib/camel-case';

const root = join(__dirname, '..', '..');
const [heading = '', ...recorded] = readFileSync(join(root, 'lib', 'torch', 'ops', 'aten.schemas.txt'), 'utf8')
  .trimEnd()
  .split('\n');
const recordedVersion = /libtorch (\S+),/.exec(heading)?.[1] as string;
const { version } = loadedLibtorch();
const minor = minorOf(version);
const isSameMinor = minor === minorOf(recordedVersion);

const names = native().operatorNames();
const loaded = [
  ...new Set(names.filter((name) => name.startsWith('aten::')).map((name) => name.split('.')[0] as string)),
]
  .sort()
  .flatMap((name) => Array.from(native().operatorSchemas(name), ({ schema }) => schema));

/** What another minor has otherwise: `- schema` and `+ schema`, a line each. */
const driftFile = join(__dirname, `operators-${minor}.txt`);

test(`the list of ${recordedVersion} is what libtorch ${version} declares, but for what is listed`, () => {
  const [before, now] = [new Set(recorded), new Set(loaded)];
  const drift = [
    ...recorded.filter((schema) => !now.has(schema)).map((schema) => `- ${schema}`),
    ...loaded.filter((schema) => !before.has(schema)).map((schema) => `+ ${schema}`),
  ].sort();
  const listed = existsSync(driftFile) ? readFileSync(driftFile, 'utf8').trimEnd().split('\n').sort() : [];
  expect(drift).toEqual(listed);
  if (isSameMinor) expect(recorded).toEqual(loaded);
});

test('every overload of every library that is loaded can be bound', () => {
  const failures: string[] = [];
  for (const qualified of names) {
    const [name = '', overload = ''] = qualified.split('.');
    try {
      native().operator(name, overload);
    } catch (error) {
      failures.push(`${qualified}: ${String(error)}`);
    }
  }
  expect(failures).toEqual([]);
  expect(names.length).toBeGreaterThan(3000);
});

/** What a module of the set-up scripts prints: it runs before anything is compiled, in Node alone. */
function printed(program: string): unknown {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout);
}

test('generated names are in the same case as those that are made at run time', () => {
  const program = `import { camelCase, listedSchemas } from './scripts/setup/schemas.mjs';
    const names = new Set(listedSchemas('.').join().match(/\\w+/g));
    process.stdout.write(JSON.stringify([...names].map((name) => [name, camelCase(name)])));`;
  const pairs = printed(program) as [string, string][];
  for (const [name, generated] of pairs) expect(camelCase(name)).toBe(generated);
  expect(pairs.length).toBeGreaterThan(1000);
});

test('the types are those that the list gives, and every schema has its own', () => {
  const program = `import { generatedModules } from './scripts/setup/declarations.mjs';
    process.stdout.write(JSON.stringify(generatedModules('.')));`;
  const modules = printed(program) as Record<string, string>;
  for (const [path, text] of Object.entries(modules)) expect(readFileSync(join(root, path), 'utf8')).toBe(text);
  const operators = modules['lib/torch/ops/aten.generated.ts'] as string;
  for (const schema of recorded) expect(operators.includes(`\`${schema}\``)).toBe(true);
});
