// Checks the C++ sources against .clang-format, or with --write brings them into its form.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './setup/stamps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');
if (!existsSync(join(root, '.clang-format'))) throw new Error('.clang-format, which says the form, is missing');
const binary = clangFormat();
if (binary === undefined) {
  console.log(`no clang-format for ${process.platform} ${process.arch} among the packages: C++ format is not checked`);
} else {
  const files = sources();
  const changed = files.filter(differs);
  for (const file of changed) console.log(write ? `formatted ${file}` : `not formatted: ${file}`);
  console.log(`${files.length - changed.length} of ${files.length} C++ files ${write ? 'were' : 'are'} in form`);
  if (changed.length > 0 && !write) {
    console.error('run: npm run format');
    process.exitCode = 1;
  }
}

/** Whether clang-format would change a file; with --write it is changed. */
function differs(file) {
  const path = join(root, file);
  const formatted = execFileSync(binary, ['--style=file', '--fallback-style=none', path], { encoding: 'utf8' });
  if (formatted === readFileSync(path, 'utf8')) return false;
  if (write) writeFileSync(path, formatted);
  return true;
}

/** The binary for this machine of the package clang-format, whose version all checkouts share. */
function clangFormat() {
  const home = dirname(createRequire(import.meta.url).resolve('clang-format/package.json'));
  const folder = {
    'linux x64': 'linux_x64',
    'darwin x64': 'darwin_x64',
    'darwin arm64': 'darwin_x64',
    'win32 x64': 'win32',
  };
  const name = folder[`${process.platform} ${process.arch}`];
  if (name === undefined) return undefined;
  return join(home, 'bin', name, process.platform === 'win32' ? 'clang-format.exe' : 'clang-format');
}

/** The C++ files that git knows or would add; in an unpacked archive, all below the folders that have some. */
function sources() {
  const folders = ['native', 'scripts/bench/peers', 'test/support/device/native'];
  const isCpp = (file) => /\.(cc|h)$/.test(file);
  try {
    const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z', ...folders];
    const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return files.split('\0').filter(isCpp);
  } catch {
    const below = folders.flatMap((folder) => filesBelow(join(root, folder)).map((file) => `${folder}/${file}`));
    return below.filter(isCpp);
  }
}
