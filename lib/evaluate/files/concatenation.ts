/** Several arrays as one, along the first dimension. */

import { badData } from '../../io/bad-data';
import type { FileStamp } from '../../io/file-stamp';
import { aten } from '../../torch/ops';
import { sameShape, shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import type { DType } from '../../types';
import type { ArraySource } from '../source';
import { Rows } from './rows';

/** One of the arrays. */
interface Part {
  readonly name: string;
  readonly rows: number;
  readonly stamps: readonly FileStamp[];
  open(): Promise<ArraySource>;
}

/**
 * The arrays as one source. Each file is opened now, to compare them, and again when its rows are read, so that only
 * one file is open at a time.
 *
 * @throws TorchError `BAD_DATA` if dtypes or shapes of rows differ, or a file is not an array.
 */
export async function concatenate(
  name: string,
  openers: readonly (() => Promise<ArraySource>)[],
): Promise<ArraySource> {
  const parts: Part[] = [];
  let first: ArraySource | undefined;
  for (const open of openers) {
    const source = await open();
    source.close();
    first ??= source;
    checkLike(first, source);
    if (source.rows === undefined) throw badData(source.name, 'does not say how many rows it has');
    parts.push({ name: source.name, rows: source.rows, stamps: source.stamps, open });
  }
  if (first === undefined) throw badData(name, 'names no array');
  return new ConcatenatedRows(name, first, parts);
}

function checkLike(first: ArraySource, source: ArraySource): void {
  if (source.dtype === first.dtype && sameShape(source.rowShape, first.rowShape)) return;
  const describe = ({ dtype, rowShape }: ArraySource): string => `${dtype} with rows of shape ${shapeText(rowShape)}`;
  throw badData(source.name, `is ${describe(source)}, but ${first.name} is ${describe(first)}`);
}

class ConcatenatedRows extends Rows {
  readonly name: string;
  readonly dtype: DType;
  readonly rowShape: readonly number[];
  readonly rows: number;
  override readonly stamps: readonly FileStamp[];
  readonly #waiting: Part[];
  #current: ArraySource | undefined;
  /** How many rows of the current file are still to come. */
  #left = 0;

  constructor(name: string, { dtype, rowShape }: ArraySource, parts: readonly Part[]) {
    super();
    this.name = name;
    this.dtype = dtype;
    this.rowShape = rowShape;
    this.rows = parts.reduce((sum, part) => sum + part.rows, 0);
    this.stamps = parts.flatMap((part) => part.stamps);
    this.#waiting = [...parts];
  }

  protected async next(wanted: number): Promise<Tensor | undefined> {
    const tensors: Tensor[] = [];
    try {
      let missing = wanted;
      while (missing > 0) {
        const source = this.#current ?? (await this.#open());
        if (source === undefined) break;
        const rows = await source.read(missing);
        if (rows === undefined) this.#leave();
        else {
          tensors.push(rows);
          missing -= rows.shape[0] as number;
          this.#left -= rows.shape[0] as number;
        }
      }
      if (tensors.length > 1) return aten.cat(tensors);
      return tensors.pop();
    } finally {
      for (const rows of tensors) rows.dispose();
    }
  }

  /** Files that are left out whole are not opened again. */
  protected override async pass(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const [part] = this.#waiting;
      if (this.#current === undefined && part !== undefined && part.rows <= left) {
        this.#waiting.shift();
        left -= part.rows;
        continue;
      }
      const source = this.#current ?? (await this.#open());
      if (source === undefined) return;
      const passed = Math.min(left, this.#left);
      if (passed > 0) await source.skip(passed);
      this.#left -= passed;
      left -= passed;
      if (this.#left === 0) this.#leave();
    }
  }

  protected release(): void {
    this.#leave();
    this.#waiting.length = 0;
  }

  async #open(): Promise<ArraySource | undefined> {
    const part = this.#waiting.shift();
    if (part === undefined) return undefined;
    // As it was when it was first opened.
    for (const stamp of part.stamps) stamp.check();
    const source = await part.open();
    if (source.dtype !== this.dtype || !sameShape(source.rowShape, this.rowShape) || source.rows !== part.rows) {
      source.close();
      throw badData(part.name, 'has changed since it was first opened');
    }
    this.#current = source;
    this.#left = part.rows;
    return source;
  }

  #leave(): void {
    this.#current?.close();
    this.#current = undefined;
  }
}
