/** The error for files and streams that cannot be read. */
import { TorchError } from '../errors';

/** What {@link badData} may be told besides the reason. */
export interface BadDataDetails {
  /** The byte of the file (of the member, for archives) at which the fault was found. */
  offset?: number;
  cause?: unknown;
}

/** The error `BAD_DATA`: `<name>: <reason>`, or `<name>, byte <offset>: <reason>`. */
export function badData(name: string, reason: string, { offset, cause }: BadDataDetails = {}): TorchError {
  // A name that holds the end of a line must not begin another one, which could say anything.
  const shown = name.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const place = offset === undefined ? shown : `${shown}, byte ${offset}`;
  return new TorchError('BAD_DATA', `${place}: ${reason}`, { op: 'openArray', cause });
}

/** Runs what reads files: errors about them name the function that the caller has called. */
export function readingFor<T>(op: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TorchError) || error.code !== 'BAD_DATA' || error.op === op) throw error;
    throw new TorchError('BAD_DATA', error.message, { op, cause: error.cause });
  }
}

/** The error for what the operating system or a library said about a file. */
export function unreadable(name: string, error: unknown): TorchError {
  if (error instanceof TorchError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : systemErrors[code];
  return badData(name, known ?? `cannot be read: ${message}`, { cause: error });
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  ENOTDIR: 'the file does not exist',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'is a directory, not a file',
};

/** Names for a message: quoted, and cut after the first twenty. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name));
  if (names.length > shown.length) shown.push(`and ${names.length - shown.length} more`);
  return shown.join(', ');
}

/** Text out of a file, for a message: quoted, and cut after sixty characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
