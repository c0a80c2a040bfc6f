// Writes the site to build/docs/site: README and docs with a search, and the API reference from the documentation comments.
// Whatever typedoc warns of is an error (an export without a comment, a link that leads nowhere, a type that is used but
// not exported), and so is a dead link on a page.
//
//   node scripts/docs/docs.mjs [--check] [--base /path/] [typedoc's arguments]
//     --check   looks at the comments and writes nothing
//     --base    where on its host the site will lie; by default at the top
//   SITE_FOLDER, a variable of the environment, is a folder in place of build/docs
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages } from './packages.mjs';
import { folders, writePages } from './site.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const given = process.argv.slice(2);
const check = take('--check') !== undefined;
const base = take('--base', true) ?? '/';

const problem = installPackages();
if (problem !== undefined) {
  console.error(`docs: npm could not install typedoc and vitepress in scripts/docs: ${problem}`);
  process.exit(1);
}
if (!check) {
  writePages();
  const { build } = await import('vitepress');
  await build(here, { base });
}
const typedoc = fileURLToPath(new URL('node_modules/typedoc/bin/typedoc', import.meta.url));
const options = ['--options', here, ...(check ? ['--emit', 'none'] : ['--out', join(folders.site, 'api')]), ...given];
process.exitCode = spawnSync(process.execPath, [typedoc, ...options], { stdio: 'inherit' }).status ?? 1;

/** Takes an argument out of those that typedoc gets; with its value, if it has one. */
function take(name, hasValue = false) {
  const at = given.indexOf(name);
  if (at < 0) return undefined;
  return given.splice(at, hasValue ? 2 : 1).at(-1);
}
