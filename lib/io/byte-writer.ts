/** Bytes that are put together one after the other. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1 << 12);
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes by their values. */
  bytes(...values: number[]): this {
    const at = this.#grow(values.length);
    for (const [i, value] of values.entries()) this.#bytes[at + i] = value;
    return this;
  }

  /** Adds integers of 16 bits, the lowest byte first. */
  uint16(...values: number[]): this {
    const at = this.#grow(2 * values.length);
    for (const [i, value] of values.entries()) this.#bytes.writeUInt16LE(value, at + 2 * i);
    return this;
  }

  /** The same of 32 bits. */
  uint32(...values: number[]): this {
    const at = this.#grow(4 * values.length);
    for (const [i, value] of values.entries()) this.#bytes.writeUInt32LE(value, at + 4 * i);
    return this;
  }

  /** The same of 64 bits. */
  uint64(...values: number[]): this {
    const at = this.#grow(8 * values.length);
    for (const [i, value] of values.entries()) this.#bytes.writeBigUInt64LE(BigInt(value), at + 8 * i);
    return this;
  }

  /** Adds text of which each character is a byte. */
  text(text: string): this {
    const at = this.#grow(text.length);
    this.#bytes.write(text, at, 'latin1');
    return this;
  }

  /** Adds all bytes of an array. */
  append(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** What was put together. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  /** Makes room; where it begins. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
