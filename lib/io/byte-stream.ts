/** The bytes of a stream, taken in chunks of any size. */
import { badData, unreadable } from './bad-data';

/** Reads an async iterable of byte chunks from front to back. */
export class ByteStream {
  readonly #name: string;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  #position = 0;

  constructor(name: string, chunks: AsyncIterable<Uint8Array>) {
    this.#name = name;
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes were taken. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes without taking them; fewer than asked for only at the end. */
  async peek(count: number): Promise<Buffer> {
    await this.#fill(count);
    return Buffer.concat(this.#chunks).subarray(0, count);
  }

  /** The next bytes in one buffer; fewer than asked for only at the end. */
  async take(count: number): Promise<Buffer> {
    return Buffer.concat(await this.takeChunks(count));
  }

  /** The next bytes in the chunks that they came in. */
  async takeChunks(count: number): Promise<Uint8Array[]> {
    await this.#fill(count);
    const taken: Uint8Array[] = [];
    let missing = Math.min(count, this.#buffered);
    this.#buffered -= missing;
    this.#position += missing;
    let whole = 0;
    for (; missing > 0 && missing >= (this.#chunks[whole] as Uint8Array).length; whole++) {
      const chunk = this.#chunks[whole] as Uint8Array;
      taken.push(chunk);
      missing -= chunk.length;
    }
    this.#chunks.splice(0, whole);
    if (missing > 0) {
      const cut = this.#chunks[0] as Uint8Array;
      taken.push(cut.subarray(0, missing));
      this.#chunks[0] = cut.subarray(missing);
    }
    return taken;
  }

  /** Whether all bytes were taken; waits for the next ones or the end. */
  async atEnd(): Promise<boolean> {
    await this.#fill(1);
    return this.#buffered === 0;
  }

  /** Lets go of the stream. */
  close(): void {
    this.#ended = true;
    this.#chunks = [];
    this.#buffered = 0;
    // A stream that fails while it is closed has nothing more to tell.
    this.#iterator.return?.().catch(() => undefined);
  }

  async #fill(count: number): Promise<void> {
    while (this.#buffered < count && !this.#ended) {
      const { value, done } = await this.#next();
      if (done) this.#ended = true;
      else if (!ArrayBuffer.isView(value)) throw badData(this.#name, 'gives text, where bytes are needed');
      else if (value.length > 0) {
        this.#chunks.push(value);
        this.#buffered += value.length;
      }
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      throw unreadable(this.#name, error);
    }
  }
}
