// TypeScript: the library to dist/, and the test cases to a JSON document that needs no compiler where it is read.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { filesBelow, hashFiles, isStamped, stamp } from '../setup/stamps.mjs';
import { compileLibrary } from '../setup/typescript.mjs';
import { casesDocument } from './cases-document.mjs';
import { UsageError } from './failures.mjs';

/** Where the cases are written. */
export function casesFile(root) {
  return join(root, 'build', 'cuda-check', 'cases.json');
}

/**
 * Compiles everything that is not up to date; with `library: false` the cases alone. Without TypeScript, what a bundle
 * brought has to be there.
 */
export async function compileTypeScript(root, { announce, library = true }) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (existsSync(compiler)) {
    if (library) await compileLibrary({ root, force: false, announce });
    writeCases(root, compiler, announce);
  }
  for (const file of [join(root, 'dist', 'index.js'), casesFile(root)]) {
    if (existsSync(file)) continue;
    const message = `cuda-check: expected ${file.slice(root.length)} to be there, but received none`;
    throw new UsageError(`${message}: npm ci and a run without --no-build make it, or --bundle-from brings it`);
  }
}

/** The cases, and all that they import, compiled to a folder of their own; from there the document. */
function writeCases(root, compiler, announce) {
  const folders = [join('test', 'cases'), join('lib', 'reference')];
  const sources = folders.flatMap((folder) => filesBelow(join(root, folder)).map((file) => join(folder, file)));
  const own = join('scripts', 'cuda', 'cases-document.mjs');
  const hash = hashFiles(root, [...sources, join('test', 'unit', 'reference', 'support.ts'), own, 'package-lock.json']);
  const file = casesFile(root);
  if (existsSync(file) && isStamped(root, 'cuda-cases', hash)) return;
  announce('compiling the test cases …');
  const out = join(root, 'build', 'cuda-check', 'compiled');
  const options = ['-p', join(root, 'scripts', 'cuda', 'tsconfig.json'), '--outDir', out];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the test cases cannot be compiled:\n${stdout}`);
  const compiled = createRequire(import.meta.url)(join(out, 'test', 'cases', 'index.js'));
  mkdirSync(join(root, 'build', 'cuda-check'), { recursive: true });
  writeFileSync(file, JSON.stringify(casesDocument(compiled)));
  stamp(root, 'cuda-cases', hash);
}
