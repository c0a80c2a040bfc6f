// Writes lib/torch/ops/aten.schemas.txt: the schema of every aten overload of the libtorch that is found, in the order in
// which packets try them. Its types are made of it by scripts/setup/declarations.mjs.
//
//   node scripts/generate-schemas.mjs               of another minor version than the list: writes what differs, to
//                                                   test/contract/operators-<minor>.txt
//   node scripts/generate-schemas.mjs --move        the list itself, whatever version it is of
//   node scripts/generate-schemas.mjs --from FILE   of what scripts/list-schemas.py has printed, instead of the libtorch
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
const { minorOf } = require('../dist/binding/libtorch-versions.js');
const { values: given } = parseArgs({ options: { move: { type: 'boolean' }, from: { type: 'string' } } });

const listUrl = new URL('../lib/torch/ops/aten.schemas.txt', import.meta.url);
const [recordedVersion, recorded] = listIn(listUrl);
const [version, schemas] = given.from === undefined ? listOfLibtorch() : listIn(given.from);

if (given.move || minorOf(recordedVersion) === minorOf(version)) {
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

/** The version and the schemas of a list, in its order. */
function listIn(file) {
  const [heading, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return [/libtorch (\S+),/.exec(heading)[1], lines];
}

function listOfLibtorch() {
  const { native, loadedLibtorch } = require('../dist/binding/load.js');
  const names = native()
    .operatorNames()
    .filter((name) => name.startsWith('aten::'))
    .map((name) => name.split('.')[0]);
  const schemasOf = (name) =>
    native()
      .operatorSchemas(name)
      .map(({ schema }) => schema);
  return [loadedLibtorch().version, [...new Set(names)].sort().flatMap(schemasOf)];
}
