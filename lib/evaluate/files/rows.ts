/** Sources of rows: over bytes with random access, and over streams. */

import { expected, show } from '../../errors';
import { badData } from '../../io/bad-data';
import type { ByteStream } from '../../io/byte-stream';
import type { ElementType } from '../../io/element';
import type { FileStamp } from '../../io/file-stamp';
import { type ArrayLayout, rowBytes } from '../../io/layout';
import { fromTypedArray } from '../../torch/create';
import type { FilePart } from '../../torch/file-bytes';
import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { scope } from '../../torch/scope';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { type DType, isFloating } from '../../types';
import { type ArraySource, bytesOfRow } from '../source';
import { decodeFortranRows, decodeRows } from './decode';

/** How much of a stream is read at once to go past it. */
const passedBytes = 1 << 24;

/** The base of all sources: reads run one after the other, and none after the end. */
export abstract class Rows implements ArraySource {
  abstract readonly name: string;
  abstract readonly dtype: DType;
  abstract readonly rowShape: readonly number[];
  abstract readonly rows: number | undefined;
  readonly stamps: readonly FileStamp[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** After a read has failed, the position of the next one is unknown. */
  #failure: unknown;

  /** The next rows, at most `count` and at least one. */
  protected abstract next(count: number): Promise<Tensor | undefined>;
  protected abstract release(): void;

  /** Goes past the next rows, as many as there are up to `count`. */
  protected async pass(count: number): Promise<void> {
    const most = Math.max(1, Math.floor(passedBytes / Math.max(1, bytesOfRow(this))));
    for (let left = count; left > 0; ) {
      const rows = await this.next(Math.min(left, most));
      if (rows === undefined) return;
      left -= rows.shape[0] as number;
      rows.dispose();
    }
  }

  read(rows: number): Promise<Tensor | undefined> {
    return this.#inTurn('read', rows, () => this.next(rows));
  }

  skip(rows: number): Promise<void> {
    return this.#inTurn('skip', rows, () => this.pass(rows));
  }

  #inTurn<T>(op: string, rows: number, act: () => Promise<T>): Promise<T> {
    const acting = this.#last.then(() => {
      if (!Number.isSafeInteger(rows) || rows < 1) throw expected(op, "'rows'", 'to be an integer >= 1', show(rows));
      if (this.#closed) throw expected(op, this.name, 'to be open', 'a source that was closed');
      if (this.#failure !== undefined) throw this.#failure;
      return act().catch((error) => {
        this.#failure = error;
        throw error;
      });
    });
    this.#last = acting.catch(() => undefined);
    return acting;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.release();
  }
}

/** Bytes with random access: a file, or memory. */
export interface RandomBytes {
  /** Waited for before bytes are asked for. */
  prepare?(): Promise<void>;
  /** The bytes `[offset, offset + count)` as uint8 of shape `[count]`; `count` is at least 1. */
  bytes(offset: number, count: number): Tensor;
  /** The same where any value will do: possibly a view of a file, in which bytes may change. */
  view?(offset: number, count: number, alignment: number): Tensor;
  /**
   * The same for strides: a view of no bytes at `offset`, whose memory is that of all; `undefined` where that cannot
   * be.
   */
  base?(offset: number, alignment: number): Tensor | undefined;
  /** Chunks of bytes that lie apart, as one tensor. */
  part(part: FilePart): Tensor;
  close(): void;
}

/** The rows of an array whose bytes can be taken in any order. */
export class StoredRows extends Rows {
  readonly name: string;
  readonly dtype: DType;
  readonly rowShape: readonly number[];
  readonly rows: number;
  override readonly stamps: readonly FileStamp[];
  readonly #source: RandomBytes;
  readonly #layout: ArrayLayout;
  #position = 0;

  constructor(name: string, source: RandomBytes, layout: ArrayLayout, stamp: FileStamp) {
    super();
    this.name = name;
    this.stamps = [stamp];
    this.dtype = layout.element.dtype;
    this.rowShape = layout.shape.slice(1);
    this.rows = layout.shape[0] as number;
    this.#source = source;
    this.#layout = layout;
  }

  protected async next(wanted: number): Promise<Tensor | undefined> {
    const first = this.#position;
    const count = Math.min(wanted, this.rows - first);
    if (count === 0) return undefined;
    await this.#source.prepare?.();
    const rows = scope(() => this.#rows(first, count));
    this.#position += count;
    return rows;
  }

  protected override async pass(count: number): Promise<void> {
    this.#position = Math.min(this.rows, this.#position + count);
  }

  protected release(): void {
    this.#source.close();
  }

  #rows(first: number, count: number): Tensor {
    const { element, shape, offset, fortranOrder } = this.#layout;
    const size = rowBytes(this.#layout);
    if (size === 0) return empty([count, ...this.rowShape], { dtype: this.dtype });
    const rows = [count, ...this.rowShape];
    // A vector is the same in both orders.
    if (fortranOrder && shape.length > 1) {
      const start = offset + first * element.size;
      const base = this.#mayShow ? this.#source.base?.(start, element.size) : undefined;
      if (base !== undefined) return decodeFortranRows(this.name, base, element, rows, shape, first);
      const bytes = this.#source.part({
        offset: start,
        size: count * size,
        chunk: count * element.size,
        stride: this.rows * element.size,
      });
      return decodeFortranRows(this.name, bytes, element, rows, rows, first);
    }
    return decodeRows(this.name, this.#bytes(offset + first * size, count * size), element, rows, first);
  }

  /** Indices are looked at before kernels trust them, so that nobody may change them meanwhile. */
  get #mayShow(): boolean {
    const { dtype, bigEndian } = this.#layout.element;
    return isFloating(dtype) && !bigEndian;
  }

  #bytes(offset: number, count: number): Tensor {
    if (this.#mayShow && this.#source.view) return this.#source.view(offset, count, this.#layout.element.size);
    return this.#source.bytes(offset, count);
  }
}

/** What a stream holds: rows of one shape in C order, as many as `rows` says or until it ends. */
export interface StreamLayout {
  readonly element: ElementType;
  readonly rowShape: readonly number[];
  readonly rows: number | undefined;
}

/** The rows of an array that comes in a stream. */
export class StreamedRows extends Rows {
  readonly name: string;
  readonly dtype: DType;
  readonly rowShape: readonly number[];
  readonly rows: number | undefined;
  override readonly stamps: readonly FileStamp[];
  readonly #stream: ByteStream;
  readonly #element: ElementType;
  readonly #rowBytes: number;
  #position = 0;
  #ended = false;

  constructor(
    name: string,
    stream: ByteStream,
    { element, rowShape, rows }: StreamLayout,
    stamps: readonly FileStamp[] = [],
  ) {
    super();
    this.name = name;
    this.stamps = stamps;
    this.dtype = element.dtype;
    this.rowShape = rowShape;
    this.rows = rows;
    this.#stream = stream;
    this.#element = element;
    this.#rowBytes = rowBytes({ element, shape: [0, ...rowShape] });
  }

  protected async next(wanted: number): Promise<Tensor | undefined> {
    const first = this.#position;
    const limit = this.rows === undefined ? wanted : Math.min(wanted, this.rows - first);
    const offset = this.#stream.position;
    const chunks = await this.#stream.takeChunks(limit * this.#rowBytes);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const count = this.rows === undefined ? this.#wholeRows(bytes, offset) : limit;
    if (bytes < count * this.#rowBytes) throw this.#truncated(bytes, offset);
    this.#position += count;
    if (this.#position === this.rows) await this.#expectEnd();
    if (count === 0) return undefined;
    const shape = [count, ...this.rowShape];
    if (bytes === 0) return empty(shape, { dtype: this.dtype });
    return scope(() => decodeRows(this.name, inOnePiece(chunks, bytes), this.#element, shape, first));
  }

  protected release(): void {
    this.#stream.close();
  }

  #wholeRows(bytes: number, offset: number): number {
    const rest = bytes % this.#rowBytes;
    if (rest === 0) return bytes / this.#rowBytes;
    const row = this.#position + Math.floor(bytes / this.#rowBytes);
    const reason = `ends ${rest} bytes into row ${row}; a row has ${this.#rowBytes} bytes`;
    throw badData(this.name, reason, { offset: offset + bytes });
  }

  #truncated(bytes: number, offset: number): Error {
    const whole = (this.rows as number) * this.#rowBytes;
    const there = this.#position * this.#rowBytes + bytes;
    const shape = shapeText([this.rows as number, ...this.rowShape]);
    const reason = `expected ${whole} bytes of data for ${this.#element.name} of shape ${shape}, but received ${there}`;
    return badData(this.name, reason, { offset: offset + bytes });
  }

  async #expectEnd(): Promise<void> {
    if (this.#ended) return;
    const offset = this.#stream.position;
    if (!(await this.#stream.atEnd())) throw badData(this.name, 'more bytes follow the data of the array', { offset });
    this.#ended = true;
  }
}

/**
 * Chunks as one tensor of bytes, in memory of libtorch's that is given back when the tensor is disposed. A chunk is
 * done with before the next one is asked for.
 */
export function inOnePiece(chunks: Iterable<Uint8Array>, length: number): Tensor {
  const all = empty([length], { dtype: 'uint8' });
  copyInto(all, 0, chunks);
  return all;
}

/** Copies chunks to a place of a tensor of bytes; gives the place behind them. */
export function copyInto(all: Tensor, start: number, chunks: Iterable<Uint8Array>): number {
  let at = start;
  for (const chunk of chunks) {
    scope(() => {
      aten.copy_(aten.narrow(all, 0, at, chunk.length), fromTypedArray(chunk));
    });
    at += chunk.length;
  }
  return at;
}
