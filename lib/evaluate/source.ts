/** Where rows come from, one array at a time. */

import type { FileStamp } from '../io/file-stamp';
import type { Tensor } from '../torch/tensor';
import { type DType, itemsizes } from '../types';

/** The rows of one array along its first dimension, front to back. */
export interface ArraySource {
  /** For messages: `logits.npy`, `data.npz:labels`, `standard input`. */
  readonly name: string;
  /** Of the tensors that `read` gives. */
  readonly dtype: DType;
  /** The shape of one row; `[]` where the array is a vector. */
  readonly rowShape: readonly number[];
  /** How many rows there are; `undefined` if only the end of a stream will tell. */
  readonly rows: number | undefined;
  /** What its files were when they were opened; none for a stream. They have to be the same when all is read. */
  readonly stamps: readonly FileStamp[];
  /**
   * The next rows, as many as asked for or, at the end, as many as are left; `undefined` when there are none. A tensor of
   * shape `[rows, ...rowShape]` on the CPU, in memory of its own.
   */
  read(rows: number): Promise<Tensor | undefined>;
  /** Leaves out the next rows, without reading them where they need not be read. */
  skip(rows: number): Promise<void>;
  /** Gives back files and memory. Tensors that were read stay valid. */
  close(): void;
}

/** How many bytes a row takes in memory. */
export function bytesOfRow({ dtype, rowShape }: Pick<ArraySource, 'dtype' | 'rowShape'>): number {
  return rowShape.reduce((product, size) => product * size, itemsizes[dtype]);
}
