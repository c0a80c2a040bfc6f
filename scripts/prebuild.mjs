// Builds the addons that the package brings, with prebuildify: the loader, and one for each minor version of libtorch
// that is at hand. Each lies in a root of its own below addons/, from which node-gyp-build picks the file for a platform.
//
//   node scripts/prebuild.mjs [--libtorch <folder> …] [--out <folder>]
//
// Without --libtorch: the libtorch that is found, and all of the package's cache. Without --out: addons/, which is packed.
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { minorOf } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const prebuildify = promisify(require('prebuildify'));
const { cacheContents, cacheDirectory } = require('../dist/binding/cache.js');
const { thisHost } = require('../dist/binding/host.js');
const { locateLibtorch } = require('../dist/binding/locate.js');

const { values } = parseArgs({ options: { libtorch: { type: 'string', multiple: true }, out: { type: 'string' } } });
const addons = resolve(values.out ?? join(root, 'addons'));
const libtorchs = (values.libtorch ?? foldersAtHand()).map((folder) => locateLibtorch({ LIBTORCH: folder }));
// Of several of one minor the first.
const byMinor = new Map(libtorchs.toReversed().map((libtorch) => [minorOf(libtorch), libtorch]));

await rm(addons, { recursive: true, force: true });
await prebuild('loader', libtorchs[0]);
for (const [minor, libtorch] of byMinor) await prebuild(`libtorch-${minor}`, libtorch);
console.log(`✔ addons for ${process.platform}-${process.arch}: loader, libtorch ${[...byMinor.keys()].join(', ')}`);

function foldersAtHand() {
  const { installs } = cacheContents(cacheDirectory(process.env, thisHost()));
  return [locateLibtorch().root, ...installs.map(({ path }) => join(path, 'torch'))];
}

async function prebuild(name, libtorch) {
  console.log(`· ${name}: libtorch ${libtorch.version} in ${libtorch.root}`);
  const compile = fileURLToPath(new URL('prebuild/compile.mjs', import.meta.url));
  const folder = join(root, 'build', 'prebuild', name);
  process.env.ADDON_NAME = name;
  process.env.ADDON_LIBTORCH = libtorch.root;
  await prebuildify({
    name: 'libtorch-losses',
    cwd: folder,
    out: join(addons, name),
    cache: join(folder, 'cache'),
    napi: true,
    strip: true,
    tagLibc: process.platform === 'linux',
    // What prebuildify calls node-gyp compiles with cmake-js here; as a command line, since Windows runs no scripts.
    nodeGyp: `"${process.execPath}" "${compile}"`,
    shell: true,
  });
}
