// Prepares a checkout: packages, TypeScript, libtorch, the native addon. Every step is skipped when it is up to date.
// It runs on a fresh clone, where no package is installed yet, so this and scripts/setup/ use Node's own modules only.
//
//   node scripts/setup.mjs [--force-build]
import { setUp } from './setup/set-up.mjs';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--force-build');
if (unknown.length > 0) {
  console.error(`setup: unknown argument ${unknown.join(' ')}; the only one is --force-build`);
  process.exit(2);
}
const root = new URL('..', import.meta.url);
process.exitCode = await setUp(root, { force: process.argv.includes('--force-build') });
