/** What users write to name arrays: paths, members behind a colon, patterns. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { expected, show } from '../../errors';
import { badData } from '../../io/bad-data';
import { foreignPlace } from './foreign';

/** One array: a file, and the member or tensor of it where one is named. */
export interface ArrayPath {
  readonly path: string;
  readonly member: string | undefined;
}

/**
 * The arrays that a spec names. A file of exactly that name comes first: only what is not a file is split at the colon, and
 * only then taken for a pattern. Matches are in natural order, `shard-2` before `shard-10`.
 *
 * @throws TorchError `BAD_DATA` if no file matches a pattern; `INVALID_ARGUMENT` for a spec that is none.
 */
export async function resolveSpec(spec: string): Promise<ArrayPath[]> {
  if (typeof spec !== 'string' || spec === '') {
    throw expected('openArray', "'spec'", 'to be the path of an array, or a list of them', show(spec));
  }
  if (existsSync(spec)) return [{ path: spec, member: undefined }];
  const { path, member } = split(spec);
  const place = foreignPlace(spec);
  if (place !== undefined) throw badData(spec, place);
  if (existsSync(path) || !isDynamicPattern(path)) return [{ path, member }];
  const pattern = process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
  const paths = await glob(pattern, { absolute: isAbsolute(path), expandDirectories: false });
  if (paths.length === 0) throw badData(spec, 'no file matches the pattern');
  return paths.sort(naturalOrder).map((found) => ({ path: found, member }));
}

function split(spec: string): ArrayPath {
  const [, path, type, member] = /^(.*?\.(npy|npz|safetensors)):(.*)$/is.exec(spec) ?? [];
  if (path === undefined) return { path: spec, member: undefined };
  if (type?.toLowerCase() === 'npy') {
    throw expected('openArray', "'spec'", 'to name no member of a .npy file, which holds one array', show(spec));
  }
  if (member === '') throw expected('openArray', "'spec'", 'to have a name behind the colon', show(spec));
  return { path, member };
}

const collator = new Intl.Collator('en', { numeric: true });

/** Digits count as numbers; names that are equal so are in the order of their characters. */
export function naturalOrder(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
