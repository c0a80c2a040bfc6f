/** docs/losses.md is what the documentation comments say, and documents name files that exist. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

test('docs/losses.md is up to date with the code', () => {
  const script = join(root, 'scripts', 'generate-docs.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

const documents = [
  ...readdirSync(root),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
].filter((name) => name.endsWith('.md'));

test.each(documents)('the files that %s names exist', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const named = [...text.matchAll(/`((?:docs|examples|lib|native|scripts|test)\/[\w./-]+)`/g)].map(([, path]) => path);
  const linked = [...text.matchAll(/\]\(([\w./-]+)[)#]/g)].map(([, path]) => join(dirname(document), path as string));
  const missing = [...named, ...linked].filter((path) => !existsSync(join(root, path as string)));
  expect(missing).toEqual([]);
});
