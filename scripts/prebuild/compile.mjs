// What prebuildify runs instead of node-gyp: leaves the one addon ADDON_NAME, for the libtorch in ADDON_LIBTORCH, in
// build/Release of the working directory. A build of the checkout that is up to date is taken as it is.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compile, isBuilt, releaseFolder } from '../build.mjs';

const { ADDON_NAME: name, ADDON_LIBTORCH: folder } = process.env;
const { locateLibtorch } = createRequire(import.meta.url)('../../dist/binding/locate.js');
const libtorch = locateLibtorch({ LIBTORCH: folder });
const out = join(process.cwd(), 'build');

if (isBuilt(libtorch)) {
  mkdirSync(join(out, 'Release'), { recursive: true });
  copyFileSync(join(releaseFolder, `${name}.node`), join(out, 'Release', `${name}.node`));
} else {
  try {
    await compile({ libtorch, out, target: name === 'loader' ? 'loader' : 'bridge' });
  } catch (error) {
    console.error(`${error.output ?? ''}${error.message}`);
    process.exitCode = 1;
  }
}
