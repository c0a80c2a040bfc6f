/** Scripts are ES modules, which jest's CommonJS cannot load: they are tested in a process of their own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The address of a file of the checkout, as programs import it. */
export function moduleUrl(path: string): string {
  return pathToFileURL(join(__dirname, '../..', path)).href;
}

/**
 * Runs a program, an ES module, and gives what it passed to its function `report`, through JSON.
 *
 * @param imports names and the file that they come from
 */
export function evaluate<T>(imports: Readonly<Record<string, string>>, program: string): T {
  const lines = Object.entries(imports).map(([names, path]) => `import { ${names} } from ${quote(moduleUrl(path))};`);
  const prologue = 'const report = (value) => console.log(JSON.stringify(value));';
  const args = ['--input-type=module', '-e', [...lines, prologue, program].join('\n')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

const quote = (text: string): string => JSON.stringify(text);
