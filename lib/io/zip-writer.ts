/**
 * Zip archives as PyTorch writes them: members are stored, and begin at multiples of 64 bytes, so that they can be mapped;
 * checksums follow them. **Source**: `caffe2/serialize/inline_container.cc`, and miniz.
 */
import { crc32 } from 'node:zlib';
import { ByteWriter } from './byte-writer';
import type { Sink } from './write-file';

/** What members begin at multiples of. */
const alignment = 64;

/** Sizes and places from here on need 64 bits. */
const wide = 0xffffffff;

interface Written {
  readonly name: Buffer;
  readonly size: number;
  readonly crc: number;
  readonly header: number;
}

/** Writes one archive, front to back. */
export class ZipWriter {
  readonly #sink: Sink;
  readonly #written: Written[] = [];
  #at = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** The names and the checksums of the members so far. */
  get members(): readonly Pick<Written, 'name' | 'crc'>[] {
    return this.#written;
  }

  /** Adds a member of `size` bytes, which `write` gives. */
  add(path: string, size: number, write: (sink: Sink) => void): void {
    const name = Buffer.from(path);
    const header = this.#at;
    this.#out(localHeader(name, size, header));
    let [crc, given] = [0, 0];
    write((bytes) => {
      crc = crc32(bytes, crc);
      given += bytes.length;
      this.#out(bytes);
    });
    if (given !== size) throw new Error(`${path} has ${given} bytes instead of ${size}`);
    if (size > 0) this.#out(descriptor(size, crc, header));
    this.#written.push({ name, size, crc, header });
  }

  /** Adds a member of text. */
  text(path: string, text: string): void {
    const bytes = Buffer.from(text);
    this.add(path, bytes.length, (sink) => sink(bytes));
  }

  /** Writes the directory. */
  finish(): void {
    const start = this.#at;
    for (const member of this.#written) this.#out(directoryEntry(member));
    const [count, end] = [this.#written.length, this.#at];
    const size = end - start;
    const record = new ByteWriter().text('PK\x06\x06').uint64(44).uint16(0x031e, 45).uint32(0, 0);
    record.uint64(count, count, size, start);
    record.text('PK\x06\x07').uint32(0).uint64(end).uint32(1);
    const few = Math.min(count, 0xffff);
    record.text('PK\x05\x06').uint16(0, 0, few, few).uint32(Math.min(size, wide), Math.min(start, wide)).uint16(0);
    this.#out(record.finish());
  }

  #out(bytes: Uint8Array): void {
    this.#at += bytes.length;
    this.#sink(bytes);
  }
}

function localHeader(name: Buffer, size: number, header: number): Uint8Array {
  const extra = new ByteWriter();
  const sizes = size >= wide ? [size, size] : [];
  const places = header >= wide ? [header] : [];
  const large = [...sizes, ...places];
  if (large.length > 0) extra.uint16(1, 8 * large.length).uint64(...large);
  const start = header + 30 + name.length + extra.length + 4;
  const padding = (alignment - (start % alignment)) % alignment;
  extra.text('FB').uint16(padding).text('Z'.repeat(padding));
  const flags = size > 0 ? 0x0808 : 0x0800;
  const out = new ByteWriter().text('PK\x03\x04').uint16(0, flags, 0, 0, 0).uint32(0);
  out.uint32(...(size >= wide ? [wide, wide] : [0, 0])).uint16(name.length, extra.length);
  return out.append(name).append(extra.finish()).finish();
}

function descriptor(size: number, crc: number, header: number): Uint8Array {
  const out = new ByteWriter().text('PK\x07\x08').uint32(crc);
  return (size >= wide || header >= wide ? out.uint64(size, size) : out.uint32(size, size)).finish();
}

function directoryEntry({ name, size, crc, header }: Written): Uint8Array {
  const large = [...(size >= wide ? [size, size] : []), ...(header >= wide ? [header] : [])];
  const extra =
    large.length > 0
      ? new ByteWriter()
          .uint16(1, 8 * large.length)
          .uint64(...large)
          .finish()
      : new Uint8Array();
  const narrow = Math.min(size, wide);
  const out = new ByteWriter().text('PK\x01\x02').uint16(0, 0, size > 0 ? 0x0808 : 0x0800, 0, 0, 0);
  out.uint32(crc, narrow, narrow).uint16(name.length, extra.length, 0, 0, 0).uint32(0, Math.min(header, wide));
  return out.append(name).append(extra).finish();
}
