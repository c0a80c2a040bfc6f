// Tells whether the inputs of a build are those it was last made from, by their content.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The files below a directory, as sorted paths relative to it with `/`; none if there is no such directory. */
export function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const below = files.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
  return below.map((path) => path.replaceAll('\\', '/')).sort();
}

/** A hash over names and contents of files (paths relative to the root; missing ones count as missing). */
export function hashFiles(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const path = join(root, file);
    hash.update(`${file}\0`);
    hash.update(existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'missing');
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** Whether the stamp is there and holds this hash. */
export function isStamped(root, name, hash) {
  const path = stampPath(root, name);
  return existsSync(path) && readFileSync(path, 'utf8') === hash;
}

/** Records that the files of the hash are built. */
export function stamp(root, name, hash) {
  const path = stampPath(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, hash);
}

function stampPath(root, name) {
  return join(root, 'build', 'stamps', name);
}
