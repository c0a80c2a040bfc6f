/** Some consecutive rows of an array. */
import type { FileStamp } from '../../io/file-stamp';
import type { Tensor } from '../../torch/tensor';
import type { DType } from '../../types';
import type { ArraySource } from '../source';

/** Rows `[first, end)`. */
export interface RowRange {
  readonly first: number;
  readonly end: number;
}

/** The rows of a range as a source of their own; what lies before them is left out at the first read. */
export class Window implements ArraySource {
  readonly name: string;
  readonly dtype: DType;
  readonly rowShape: readonly number[];
  readonly rows: number;
  readonly stamps: readonly FileStamp[];
  readonly #source: ArraySource;
  #before: number;
  #left: number;

  constructor(source: ArraySource, { first, end }: RowRange) {
    this.name = source.name;
    this.dtype = source.dtype;
    this.rowShape = source.rowShape;
    this.stamps = source.stamps;
    this.rows = end - first;
    this.#source = source;
    this.#before = first;
    this.#left = this.rows;
  }

  async read(rows: number): Promise<Tensor | undefined> {
    if (this.#left === 0) return undefined;
    await this.#start();
    const read = await this.#source.read(Math.min(rows, this.#left));
    this.#left -= read?.shape[0] ?? this.#left;
    return read;
  }

  async skip(rows: number): Promise<void> {
    const skipped = Math.min(rows, this.#left);
    this.#before += skipped;
    this.#left -= skipped;
    await this.#start();
  }

  close(): void {
    this.#source.close();
  }

  async #start(): Promise<void> {
    const before = this.#before;
    this.#before = 0;
    if (before > 0) await this.#source.skip(before);
  }
}
