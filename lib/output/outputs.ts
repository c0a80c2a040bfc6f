/**
 * The files that a command writes. All of them are written under other names, beside their places, and get their own
 * names together when all is whole: what was broken off never looks whole, and what was there stays until then.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expected, show, TorchError } from '../errors';
import { claimPlace, couldBeSame, isSameFile } from './claim';
import { isAbandoned, processTag, tagPattern } from './process-tag';

/** As much as one system call writes. */
const maxWrite = 1 << 30;

/** A file that is being written, without its name yet. */
export class OutputFile {
  /** As the user gave it. */
  readonly path: string;
  /** @internal */
  readonly target: string;
  /** @internal */
  readonly replaced: Stats | undefined;
  readonly #op: string;
  readonly #partial: string;
  #descriptor: number | undefined;
  #hasName = false;

  /** @internal Made by {@link Outputs}. */
  constructor(op: string, path: string, target: string, replaced: Stats | undefined) {
    this.#op = op;
    this.path = path;
    this.target = target;
    this.replaced = replaced;
    removeLeftovers(target);
    this.#partial = join(dirname(target), `${partialName(target)}${processTag()}-${randomBytes(6).toString('hex')}`);
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
    this.#writing(() => {
      const mode = replaced === undefined ? 0o666 : replaced.mode & 0o777;
      this.#descriptor = openSync(this.#partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      if (replaced !== undefined) fchmodSync(this.#descriptor, mode);
    });
  }

  /** Whether it can be written to. */
  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  /** Writes all bytes at a place; gives the place behind them. */
  write(bytes: Uint8Array, position: number): number {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) {
      throw expected(this.#op, this.path, 'to be open', 'a file that was finished or discarded');
    }
    let at = 0;
    this.#writing(() => {
      while (at < bytes.length) {
        at += writeSync(descriptor, bytes, at, Math.min(bytes.length - at, maxWrite), position + at);
      }
    });
    return position + at;
  }

  /** @internal Hands everything to the disk. */
  sync(): void {
    this.#writing(() => fsyncSync(this.#descriptor as number));
  }

  /** @internal Gives the file its name. */
  publish(): void {
    this.#writing(() => {
      if (!this.#isOurs()) throw new Error('another program has replaced what was written');
      closeSync(this.#descriptor as number);
      this.#descriptor = undefined;
      renameSync(this.#partial, this.target);
      this.#hasName = true;
    });
  }

  /** @internal Removes what was written, unless it has its name. */
  discard(): void {
    if (this.#hasName) return;
    const descriptor = this.#descriptor;
    const isOurs = descriptor === undefined || this.#isOurs();
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
    if (isOurs) rmSync(this.#partial, { force: true });
  }

  #isOurs(): boolean {
    const named = lstatSync(this.#partial, { throwIfNoEntry: false });
    return isSameFile(fstatSync(this.#descriptor as number), named);
  }

  #writing(action: () => void): void {
    try {
      action();
    } catch (cause) {
      if (cause instanceof TorchError) throw cause;
      const reason = `cannot be written: ${(cause as Error).message}`;
      throw new TorchError('BAD_DATA', `${this.path}: ${reason}`, { op: this.#op, cause });
    }
  }
}

/** The outputs of one command. */
export class Outputs {
  readonly #op: string;
  readonly #inputs: Stats[] = [];
  readonly #files: OutputFile[] = [];

  constructor(op: string) {
    this.#op = op;
  }

  /** Names a file that is read: no output may be it. A file that does not exist is none. */
  protect(path: string): void {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined) this.#inputs.push(stats);
    const output = this.#files.find(({ replaced }) => isSameFile(replaced, stats));
    if (output !== undefined) throw this.#isInput('each output', output.path);
  }

  /**
   * Begins an output; `flag` is what the user gave its path by.
   *
   * @throws TorchError `INVALID_ARGUMENT` for what is read, for another output, a link, a device, a pipe, a folder, or a
   *   place in a folder that does not exist; `BAD_DATA` if it cannot be written to.
   */
  open(flag: string, path: string): OutputFile {
    const { target, replaced } = claimPlace(this.#op, flag, path);
    if (this.#inputs.some((input) => isSameFile(input, replaced))) throw this.#isInput(flag, path);
    const other = this.#files.find((file) => couldBeSame(file.target, target) || isSameFile(file.replaced, replaced));
    if (other !== undefined) throw expected(this.#op, 'each output', 'to be a file of its own', show(path));
    // Of a file that is longer than the user's limit this would be the end.
    if (this.#files.length === 0 && process.platform !== 'win32') process.on('SIGXFSZ', ignore);
    const file = new OutputFile(this.#op, path, target, replaced);
    this.#files.push(file);
    return file;
  }

  /** Gives all files their names, when all of them are on the disk. */
  finish(): void {
    for (const file of this.#files) file.sync();
    for (const file of this.#files) file.publish();
    for (const folder of new Set(this.#files.map(({ target }) => dirname(target)))) syncFolder(folder);
    this.#end();
  }

  /** Removes what has no name yet. */
  discard(): void {
    for (const file of this.#files) file.discard();
    this.#end();
  }

  #end(): void {
    this.#files.length = 0;
    process.off('SIGXFSZ', ignore);
  }

  #isInput(flag: string, path: string): Error {
    return expected(this.#op, flag, 'to be another file than those that are read', show(path));
  }
}

function ignore(): void {}

/** The beginning of the other name of an output; names have a bound, so of a long one it is a part. */
function partialName(target: string): string {
  let cut = '';
  for (const character of basename(target)) {
    if (Buffer.byteLength(cut + character) > 100) break;
    cut += character;
  }
  return `${cut}.partial-`;
}

/** Removes what processes that have ended left of the same output. */
function removeLeftovers(target: string): void {
  const [folder, start] = [dirname(target), partialName(target)];
  const rest = new RegExp(`^(${tagPattern})-[0-9a-f]{12}$`);
  for (const name of namesIn(folder)) {
    const tag = name.startsWith(start) ? rest.exec(name.slice(start.length))?.[1] : undefined;
    if (tag === undefined) continue;
    try {
      const path = join(folder, name);
      const stats = lstatSync(path);
      if (stats.isFile() && isAbandoned(tag, stats.mtimeMs)) unlinkSync(path);
    } catch {
      // It is gone by now, or another user's: no obstacle.
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It may be written to, but not be read.
    return [];
  }
}

/** Hands the names in a folder to the disk, where the system knows how. */
function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch {
    // Windows opens no folders, and some network file systems sync none.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
