/** Opens arrays by their specs: files of three formats, patterns, standard input. */
import { constants, createReadStream, openSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { extname } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { expected, show } from '../../errors';
import { badData, unreadable } from '../../io/bad-data';
import { ByteStream } from '../../io/byte-stream';
import { plainElement } from '../../io/element';
import { npyMagic } from '../../io/npy-header';
import { StoredFile } from '../../io/stored-file';
import { withDefaults } from '../../options';
import { checkDType } from '../../torch/dtype';
import type { DType } from '../../types';
import type { ArraySource } from '../source';
import { concatenate } from './concatenation';
import { foreignFormat } from './foreign';
import { openNpy, openNpyStream } from './npy';
import { openNpz } from './npz';
import { StreamedRows } from './rows';
import { openSafetensors } from './safetensors';
import { type ArrayPath, resolveSpec } from './spec';

/** Options of {@link openArray}: all but `signal` are for `'-'` only. */
export interface OpenArrayOptions {
  /** The dtype of raw elements, little-endian; needs `rowShape`. A stream in .npy format has its own. */
  dtype?: DType | undefined;
  /** The shape of one row of raw elements, `[]` for single numbers; needs `dtype`. */
  rowShape?: readonly number[] | undefined;
  /** Read instead of standard input. */
  input?: AsyncIterable<Uint8Array> | undefined;
  /** Aborts waiting for a pipe or standard input. */
  signal?: AbortSignal | undefined;
}

const defaults: Readonly<Required<OpenArrayOptions>> = Object.freeze({
  dtype: undefined,
  rowShape: undefined,
  input: undefined,
  signal: undefined,
});

const op = 'openArray';

/**
 * Opens an array for reading by rows. Specs:
 *
 * - `x.npy`; `x.npz`, if it has one member, or `x.npz:member`; `x.safetensors`, if it has one tensor, or
 *   `x.safetensors:name`. Files with other names are recognised by their first bytes; pipes must give .npy format.
 * - a pattern, `logits-*.npy`, or a list of specs: one source of all rows, those of a pattern in natural order. Dtypes
 *   and shapes of rows must be the same.
 * - `-`: standard input, in .npy format or, if `dtype` and `rowShape` are given, as raw little-endian elements.
 *
 * **Dtypes**: float16, float32, float64, int8 to int64, uint8 and bool as they are, bfloat16 from .safetensors; uint16
 * becomes int32, uint32 and uint64 int64. A uint64 beyond int64 is an error when its row is read.
 *
 * **Memory**: rows are read into memory of their own, as many as are asked for. A file that is changed, replaced or
 * removed while it is read is an error.
 *
 * @throws TorchError `BAD_DATA` for files that are missing, damaged or of a kind that cannot be read;
 *   `INVALID_ARGUMENT` for a spec or an option that is none; `UNKNOWN_OPTION`.
 *
 * @example
 * const logits = await openArray('logits-*.npy');
 * for (let rows = await logits.read(4096); rows !== undefined; rows = await logits.read(4096)) use(rows);
 * logits.close();
 */
export async function openArray(spec: string | readonly string[], options?: OpenArrayOptions): Promise<ArraySource> {
  const { signal, ...filled } = withDefaults<OpenArrayOptions>(op, options, defaults);
  const specs = Array.isArray(spec) ? (spec as readonly string[]) : [spec as string];
  if (specs.length === 1 && specs[0] === '-') return openStandardInput({ ...filled, signal });
  if (specs.includes('-')) throw expected(op, "'spec'", "to be '-' alone", `a list of ${specs.length}`);
  for (const [key, value] of Object.entries(filled)) {
    if (value !== undefined) throw expected(op, `option '${key}'`, "to be absent unless the spec is '-'", show(value));
  }
  const paths = (await Promise.all(specs.map(resolveSpec))).flat();
  if (paths.length === 1) return openPath(paths[0] as ArrayPath, signal);
  const [first] = specs;
  const name = specs.length === 1 ? (first as string) : `${first} and ${specs.length - 1} more`;
  return concatenate(
    name,
    paths.map((path) => () => openPath(path, signal)),
  );
}

async function openPath({ path, member }: ArrayPath, signal: AbortSignal | undefined): Promise<ArraySource> {
  const stats = statsOf(path);
  if (stats.isDirectory()) throw badData(path, 'is a directory, not a file');
  if (!stats.isFile()) return openStream(path, new ByteStream(path, abortable(pipeOf(path, stats), signal)));
  switch (formatOf(path)) {
    case 'npy':
      return openNpy(path, path);
    case 'npz':
      return openNpz(path, path, member);
    case 'safetensors':
      return openSafetensors(path, path, member);
    default:
      throw badData(
        path,
        foreignFormat(path) ?? 'is no .npy, .npz or .safetensors file, by neither its name nor its first bytes',
      );
  }
}

/** Opening a pipe would wait for a writer and could not be aborted; this way only reading waits. */
function pipeOf(path: string, stats: Stats): Readable {
  if (!stats.isFIFO()) return createReadStream(path);
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

function abortable(stream: Readable, signal: AbortSignal | undefined): Readable {
  return signal === undefined ? stream : addAbortSignal(signal, stream);
}

function statsOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The format of a file, by its name or its first bytes. */
function formatOf(path: string): string | undefined {
  const extension = extname(path).toLowerCase().slice(1);
  if (['npy', 'npz', 'safetensors'].includes(extension)) return extension;
  const file = StoredFile.open(path, path);
  try {
    const start = file.read(0, npyMagic.length);
    if (start.equals(npyMagic)) return 'npy';
    // Those of torch.save are zip archives, too.
    const isZip = start.subarray(0, 4).toString('latin1') === 'PK\x03\x04';
    return isZip && foreignFormat(path) === undefined ? 'npz' : undefined;
  } finally {
    file.close();
  }
}

async function openStream(name: string, stream: ByteStream): Promise<ArraySource> {
  try {
    return await openNpyStream(name, stream);
  } catch (error) {
    stream.close();
    throw error;
  }
}

async function openStandardInput({ dtype, rowShape, input, signal }: OpenArrayOptions): Promise<ArraySource> {
  const name = input === undefined ? 'standard input' : 'the stream';
  if (dtype !== undefined) checkDType(op, dtype);
  if (rowShape !== undefined) checkRowShape(rowShape);
  if ((dtype === undefined) !== (rowShape === undefined)) {
    const [given, missing] = dtype === undefined ? ['rowShape', 'dtype'] : ['dtype', 'rowShape'];
    throw expected(op, `option '${missing}'`, `to be given with option '${given}'`, 'undefined');
  }
  const stream = new ByteStream(name, input ?? abortable(process.stdin, signal));
  const start = await stream.peek(npyMagic.length);
  if (start.equals(npyMagic)) return openStream(name, stream);
  if (dtype === undefined || rowShape === undefined) {
    stream.close();
    throw badData(
      name,
      `is ${start.length === 0 ? 'empty' : 'not in .npy format, and no dtype and row shape were given'}`,
    );
  }
  return new StreamedRows(name, stream, { element: plainElement(dtype), rowShape, rows: undefined });
}

function checkRowShape(rowShape: unknown): void {
  if (!Array.isArray(rowShape)) throw expected(op, "option 'rowShape'", 'to be an array of sizes', show(rowShape));
  const wrong = rowShape.findIndex((size) => !Number.isSafeInteger(size) || size < 1);
  if (wrong >= 0) {
    throw expected(op, `option 'rowShape[${wrong}]'`, 'to be an integer >= 1', show(rowShape[wrong]));
  }
}
