// Writes the API reference to build/api from the documentation comments: `npm run docs`. Whatever typedoc warns of is an
// error: an export without a comment, a link that leads nowhere, a type that is used but not exported.
//
//   node scripts/docs/docs.mjs [--check] [typedoc's arguments]     --check writes nothing
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from './packages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const check = process.argv.includes('--check');
const given = process.argv.slice(2).filter((argument) => argument !== '--check');

const problem = installPackages();
if (problem !== undefined) {
  console.error(`docs: npm could not install typedoc in scripts/docs: ${problem}`);
  process.exit(1);
}
const typedoc = fileURLToPath(new URL('node_modules/typedoc/bin/typedoc', import.meta.url));
const options = ['--options', here, ...(check ? ['--emit', 'none'] : []), ...given];
process.exitCode = spawnSync(process.execPath, [typedoc, ...options], { stdio: 'inherit' }).status ?? 1;
