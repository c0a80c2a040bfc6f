/** Where a command may write: what stands in the way, found before anything is computed. */
import { accessSync, constants, fstatSync, lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { expected, show } from '../errors';

/** A place for an output. */
export interface Claim {
  /** In the folder's real path. */
  readonly target: string;
  /** The existing file that will be replaced. */
  readonly replaced: Stats | undefined;
}

/**
 * Resolves the path that a user gave for an output.
 *
 * @throws TorchError `INVALID_ARGUMENT` for a folder that does not exist, and for what is not an ordinary file.
 */
export function claimPlace(op: string, flag: string, path: string): Claim {
  const refuse = (what: string, actual = show(path)): Error => expected(op, flag, what, actual);
  if (path === '' || path.includes('\0')) throw refuse('to be the path of a file');
  const name = basename(path);
  if (path.endsWith('/') || path.endsWith(sep) || name === '.' || name === '..')
    throw refuse('to be a file, not a folder');
  const target = join(realFolder(refuse, path), name);
  const replaced = lstatSync(target, { throwIfNoEntry: false });
  if (replaced === undefined) return { target, replaced };
  if (replaced.isSymbolicLink()) throw refuse('to be a file of its own, not a link');
  if (replaced.isDirectory()) throw refuse('to be a file, not a folder');
  if (!replaced.isFile()) throw refuse('to be an ordinary file, not a device, a pipe or a socket');
  try {
    accessSync(target, constants.W_OK);
  } catch (error) {
    throw refuse('to be a file that may be written to', `${show(path)}: ${(error as Error).message}`);
  }
  for (const [descriptor, stream] of [
    [0, 'standard input'],
    [1, 'standard output'],
    [2, 'standard error'],
  ] as const) {
    if (isSameFile(replaced, statsOf(descriptor))) throw refuse(`to be another file than that of ${stream}`);
  }
  return { target, replaced };
}

function realFolder(refuse: (what: string, actual?: string) => Error, path: string): string {
  const folder = dirname(resolve(path));
  try {
    const real = realpathSync(folder);
    if (statSync(real).isDirectory()) return real;
    throw refuse('to be in a folder', `${show(path)}: ${show(folder)} is none`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const shown = show(path);
    if (code === 'ENOENT') {
      throw refuse('to be in an existing folder', `${shown}: make it with mkdir -p ${show(dirname(path))}`);
    }
    if (code === 'ENOTDIR') throw refuse('to be in a folder', `${shown}: a part of its path is a file`);
    if (code === 'EACCES' || code === 'ELOOP' || code === 'ENAMETOOLONG') {
      throw refuse('to be in a folder that can be reached', `${shown}: ${message}`);
    }
    throw error;
  }
}

function statsOf(descriptor: number): Stats | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}

/** Whether two names are of one file, by hard links too. */
export function isSameFile(one: Stats | undefined, other: Stats | undefined): boolean {
  return one !== undefined && other !== undefined && one.isFile() && one.ino === other.ino && one.dev === other.dev;
}

/** Whether two paths could be one file: some file systems do not tell cases and forms of letters apart. */
export function couldBeSame(one: string, other: string): boolean {
  const fold = (path: string): string => path.normalize('NFKC').toLowerCase();
  return fold(one) === fold(other);
}
