/**
 * The type tests of this folder against the declarations in dist, as a program that depends on the package sees them.
 * Against the sources they are part of every type check.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

function compile(...options: string[]): { status: number | null; output: string } {
  const project = join(__dirname, 'tsconfig.json');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project, ...options], { encoding: 'utf8' });
  return { status, output: stdout };
}

test('the published declarations accept and refuse what the sources do', () => {
  expect(compile()).toEqual({ status: 0, output: '' });
});

test('it is the published ones that are compiled', () => {
  const files = compile('--listFilesOnly').output.replaceAll('\\', '/').split('\n');
  const below = (folder: string): string[] =>
    files.filter((file) => file.startsWith(`${root}/${folder}/`.replaceAll('\\', '/')));
  expect(below('dist')).toContainEqual(expect.stringMatching(/\/dist\/index\.d\.ts$/));
  expect(below('lib')).toEqual([]);
});
