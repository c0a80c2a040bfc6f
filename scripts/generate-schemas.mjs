// Writes lib/torch/ops/aten.schemas.txt: the schema of every aten overload of the libtorch that is found, in the order in
// which packets try them. Its types are made of it by scripts/setup/declarations.mjs.
//
//   node scripts/generate-schemas.mjs           of another minor version than the list: writes what differs, to
//                                               test/contract/operators-<minor>.txt
//   node scripts/generate-schemas.mjs --move    the list itself, whatever version it is of
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { native, loadedLibtorch } = require('../dist/binding/load.js');
const { minorOf } = require('../dist/binding/libtorch-versions.js');

const listUrl = new URL('../lib/torch/ops/aten.schemas.txt', import.meta.url);
const { version } = loadedLibtorch();
const [heading, ...recorded] = readFileSync(listUrl, 'utf8').trimEnd().split('\n');
const operators = native()
  .operatorNames()
  .filter((name) => name.startsWith('aten::'))
  .map((name) => name.split('.')[0]);
const schemas = [...new Set(operators)].sort().flatMap((name) =>
  native()
    .operatorSchemas(name)
    .map(({ schema }) => schema),
);

if (process.argv.includes('--move') || minorOf(/libtorch (\S+),/.exec(heading)[1]) === minorOf(version)) {
  const text = [`# The schemas of aten in libtorch ${version}, written by scripts/generate-schemas.mjs.`, ...schemas];
  writeFileSync(listUrl, `${text.join('\n')}\n`);
} else {
  const [before, now] = [new Set(recorded), new Set(schemas)];
  const drift = [
    ...recorded.filter((schema) => !now.has(schema)).map((schema) => `- ${schema}`),
    ...schemas.filter((schema) => !before.has(schema)).map((schema) => `+ ${schema}`),
  ].sort();
  const driftUrl = new URL(`../test/contract/operators-${minorOf(version)}.txt`, import.meta.url);
  writeFileSync(driftUrl, `${drift.join('\n')}\n`);
}
