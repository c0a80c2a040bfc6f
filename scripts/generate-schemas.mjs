// Writes lib/torch/ops/aten.schemas.txt: the schema of every aten overload of the libtorch that is found, in the order in
// which packets try them. Its types are made of it by scripts/setup/declarations.mjs.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { native, loadedLibtorch } = require('../dist/binding/load.js');

const names = new Set(
  native()
    .operatorNames()
    .filter((name) => name.startsWith('aten::'))
    .map((name) => name.split('.')[0]),
);
const schemas = [...names].sort().flatMap((name) =>
  native()
    .operatorSchemas(name)
    .map(({ schema }) => schema),
);
const heading = `# The schemas of aten in libtorch ${loadedLibtorch().version}, written by scripts/generate-schemas.mjs.`;
writeFileSync(new URL('../lib/torch/ops/aten.schemas.txt', import.meta.url), `${[heading, ...schemas].join('\n')}\n`);
