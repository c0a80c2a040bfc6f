/** Writing rows to a .npy file, without knowing how many there will be. */

import { expected, show } from '../errors';
import { withDefaults } from '../options';
import type { OutputFile } from '../output/outputs';
import { isTensor, showForeign } from '../torch/bind';
import { checkDType } from '../torch/dtype';
import { sameShape, shapeText } from '../torch/shape';
import type { Tensor } from '../torch/tensor';
import type { DType } from '../types';
import { npyMagic } from './npy-header';

/** Options of {@link writeNpy}. */
export interface NpyWriterOptions {
  /** Of the tensors that will be appended; bfloat16, which NumPy does not have, is written as float32. */
  dtype: DType;
  /** The shape of one row; `[]` for a vector. */
  rowShape: readonly number[];
}

const descriptors: Readonly<Record<DType, string>> = {
  float64: '<f8',
  float32: '<f4',
  float16: '<f2',
  bfloat16: '<f4',
  int64: '<i8',
  int32: '<i4',
  int16: '<i2',
  int8: '|i1',
  uint8: '|u1',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
};

const absent = Object.freeze({ dtype: undefined, rowShape: undefined });

const op = 'writeNpy';

/**
 * Begins a .npy file (version 1.0, C order) as an output, which gets its name when it is complete.
 *
 * @example
 * const file = writeNpy(outputs.open("'--per-sample'", 'losses.npy'), { dtype: 'float32', rowShape: [] });
 * file.append(losses);
 * file.finish();
 * outputs.finish();
 *
 * @throws TorchError `BAD_DATA` if the file cannot be written; `INVALID_ARGUMENT`; `UNKNOWN_OPTION`.
 */
export function writeNpy(file: OutputFile, options: NpyWriterOptions): NpyWriter {
  const { dtype, rowShape } = withDefaults<{ [key in keyof NpyWriterOptions]: unknown }>(op, options, absent);
  if (!Array.isArray(rowShape) || !rowShape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw expected(op, "option 'rowShape'", 'to be an array of sizes', show(rowShape));
  }
  return new NpyWriter(file, checkDType(op, dtype), rowShape);
}

/** A .npy file that is being written. */
export class NpyWriter {
  readonly #file: OutputFile;
  readonly #dtype: DType;
  readonly #rowShape: readonly number[];
  #position: number;
  #rows = 0;

  /** @internal Made by {@link writeNpy}. */
  constructor(file: OutputFile, dtype: DType, rowShape: readonly number[]) {
    this.#file = file;
    this.#dtype = dtype;
    this.#rowShape = rowShape;
    this.#position = file.write(this.#header(), 0);
  }

  /** The shape of one row. */
  get rowShape(): readonly number[] {
    return this.#rowShape;
  }

  /** How many rows were written. */
  get rows(): number {
    return this.#rows;
  }

  /** Writes rows: a tensor `[rows, ...rowShape]` of the file's dtype, on any device. */
  append(tensor: Tensor): void {
    const what = `to be ${this.#dtype} of shape [rows${this.#rowShape.map((size) => `, ${size}`).join('')}]`;
    if (!isTensor(tensor)) throw expected('append', "'tensor'", what, showForeign(tensor));
    const { dtype, shape } = tensor;
    if (dtype !== this.#dtype || shape.length === 0 || !sameShape(shape.slice(1), this.#rowShape)) {
      throw expected('append', "'tensor'", what, `${dtype} of shape ${shapeText(shape)}`);
    }
    const written = dtype === 'bfloat16' ? tensor.to('float32') : tensor;
    const { buffer, byteOffset, byteLength } = written.toTypedArray();
    if (written !== tensor) written.dispose();
    this.#position = this.#file.write(new Uint8Array(buffer, byteOffset, byteLength), this.#position);
    this.#rows += shape[0] as number;
  }

  /** Writes the final shape into the header. */
  finish(): void {
    this.#file.write(this.#header(), 0);
  }

  /** Always of the same length: there is room for as many rows as a double counts. */
  #header(): Buffer {
    const dictionary = (rows: number): string => {
      const shape = [rows, ...this.#rowShape].join(', ');
      const tuple = this.#rowShape.length === 0 ? `(${shape},)` : `(${shape})`;
      return `{'descr': '${descriptors[this.#dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
    };
    // Magic, version and length take 10 bytes; the elements begin at a multiple of 64.
    const length = Math.ceil((10 + dictionary(Number.MAX_SAFE_INTEGER).length + 1) / 64) * 64;
    const start = Buffer.from([...npyMagic, 1, 0, (length - 10) & 0xff, (length - 10) >> 8]);
    return Buffer.concat([start, Buffer.from(`${dictionary(this.#rows).padEnd(length - 11)}\n`, 'latin1')]);
  }
}
