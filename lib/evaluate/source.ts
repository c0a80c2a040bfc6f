/** Where rows come from, one array at a time. */

import type { FileStamp } from '../io/file-stamp';
import type { Tensor } from '../torch/tensor';
import type { DType } from '../types';

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
  /** Gives back files and memory. Tensors that were read stay valid. */
  close(): void;
}
