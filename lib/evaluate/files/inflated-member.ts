/** A deflated array in Fortran order: each of its rows is spread over all of its bytes. */

import { badData } from '../../io/bad-data';
import type { ByteStream } from '../../io/byte-stream';
import { type ArrayLayout, arrayBytes } from '../../io/layout';
import { checkMemory } from '../../io/memory';
import { emptyBytes, type FilePart } from '../../torch/file-bytes';
import { aten } from '../../torch/ops';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import { copyInto, type RandomBytes } from './rows';

/** Bytes taken from the stream at a time. */
const step = 1 << 20;

/** The bytes of the whole array, inflated into memory at the first read. */
export class InflatedMember implements RandomBytes {
  readonly #name: string;
  readonly #stream: ByteStream;
  readonly #size: number;
  #all: Tensor | undefined;

  constructor(name: string, stream: ByteStream, layout: ArrayLayout) {
    this.#name = name;
    this.#stream = stream;
    this.#size = arrayBytes(layout);
  }

  async prepare(): Promise<void> {
    if (this.#all !== undefined) return;
    const remedy = 'save it in C order (numpy.ascontiguousarray), or without compression (numpy.savez)';
    checkMemory(this.#name, this.#size, 'an array that is deflated and in Fortran order', remedy);
    const all = emptyBytes(this.#size);
    try {
      for (let at = 0; at < this.#size; ) {
        const chunks = await this.#stream.takeChunks(Math.min(step, this.#size - at));
        if (chunks.length === 0) throw badData(this.#name, `ends after ${at} of ${this.#size} bytes of data`);
        at = copyInto(all, at, chunks);
      }
      // The checksum is compared after the last byte.
      if (!(await this.#stream.atEnd())) throw badData(this.#name, 'more bytes follow the data of the array');
      this.#all = all;
    } catch (error) {
      all.dispose();
      throw error;
    }
  }

  bytes(offset: number, count: number): Tensor {
    return aten.narrow(this.#all as Tensor, 0, offset, count);
  }

  part({ offset, size, chunk, stride }: FilePart): Tensor {
    return scope(() => {
      const spread = aten.as_strided(this.#all as Tensor, [size / chunk, chunk], [stride, 1], offset);
      return aten.view(aten.contiguous(spread), [-1]);
    });
  }

  close(): void {
    this.#stream.close();
    this.#all?.dispose();
    this.#all = undefined;
  }
}
