/** .safetensors files, and bytes of them, whose tensors are read one by one. */

import { tensor } from '../../torch/create';
import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import { type Device, type DType, itemsizes } from '../../types';
import { badData, listNames, quote } from '../bad-data';
import { safetensorsDTypes } from '../element';
import { checkMemory } from '../memory';
import { contiguousStrides, onDevice, tensorAt } from '../storages';
import { StoredFile } from '../stored-file';
import { readSafetensorsHeader, type SafetensorsHeader, type TensorEntry } from './header';

/** How the bytes of a tensor come into memory: copied, or shown where they lie in the file, if the system can do that. */
export type Access = 'read' | 'map';

/** What tensors are read from. */
interface Source {
  /** The bytes, from where they begin, as a tensor of their own. */
  copy(offset: number, count: number): Tensor;
  /** The bytes as they lie in the file; `undefined` where they cannot be shown. */
  show(offset: number, count: number): Tensor | undefined;
  close(): void;
}

/** An open file, or bytes of one. Errors name the file and the tensor. */
export class SafetensorsFile {
  readonly name: string;
  readonly header: SafetensorsHeader;
  readonly #source: Source;
  readonly #entries: ReadonlyMap<string, TensorEntry>;

  private constructor(name: string, header: SafetensorsHeader, source: Source) {
    this.name = name;
    this.header = header;
    this.#source = source;
    this.#entries = new Map(header.entries.map((entry) => [entry.name, entry]));
  }

  /** @throws TorchError `BAD_DATA` if anything in the header is wrong. */
  static open(path: string): SafetensorsFile {
    const file = StoredFile.open(path, path);
    try {
      const header = readSafetensorsHeader(path, file);
      return new SafetensorsFile(path, header, {
        copy: (offset, count) => file.bytes(offset, count),
        show: (offset, count) => file.mapped(offset, count),
        close: () => file.close(),
      });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The same of bytes in memory. */
  static of(bytes: Uint8Array): SafetensorsFile {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = (offset: number, count: number): Buffer => buffer.subarray(offset, offset + count);
    const header = readSafetensorsHeader('data', { size: buffer.length, read });
    return new SafetensorsFile('data', header, {
      copy: (offset, count) => tensor(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, count)),
      show: () => undefined,
      close: () => undefined,
    });
  }

  /** The names of the tensors, in the order in which they lie in the file. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Where a tensor lies. @throws TorchError `BAD_DATA` if there is none of that name. */
  entry(name: string): TensorEntry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const known = this.#entries.size === 0 ? 'it has none' : `its tensors are ${listNames(this.names)}`;
    throw badData(this.name, `has no tensor ${quote(name)}; ${known}`);
  }

  /** The dtype of a tensor. @throws TorchError `BAD_DATA` if it is one that this package does not have. */
  dtype(entry: TensorEntry): DType {
    const dtype = safetensorsDTypes.get(entry.dtype);
    if (dtype !== undefined) return dtype;
    const known = [...safetensorsDTypes.keys()].join(', ');
    throw badData(`${this.name}:${entry.name}`, `has the dtype ${quote(entry.dtype)}; ${known} are read`);
  }

  /** A tensor, in memory of its own unless it is mapped. */
  tensor(entry: TensorEntry, access: Access): Tensor {
    const { shape, begin, end } = entry;
    const dtype = this.dtype(entry);
    try {
      if (begin === end) return empty(shape, { dtype });
      const place = { dtype, shape, strides: contiguousStrides(shape), offset: 0 };
      const start = this.header.dataStart + begin;
      return scope(() => {
        // Whatever stands in the file, a bool in memory is 0 or 1.
        const mayShow = access === 'map' && dtype !== 'bool' && start % itemsizes[dtype] === 0;
        const shown = mayShow ? this.#source.show(start, end - begin) : undefined;
        const bytes = shown ?? this.#source.copy(start, end - begin);
        return dtype === 'bool' ? aten.view(aten.ne.Scalar(bytes, 0), shape) : tensorAt(bytes, place);
      });
    } catch (cause) {
      if ((cause as { code?: string }).code === 'BAD_DATA') throw cause;
      throw badData(`${this.name}:${entry.name}`, `is not a tensor that can be made: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Closes the file; tensors stay. */
  close(): void {
    this.#source.close();
  }
}

/** Reads every tensor of a file, and closes it. */
export function readAll(file: SafetensorsFile, device: Device): Map<string, Tensor> {
  try {
    const { entries } = file.header;
    for (const entry of entries) file.dtype(entry);
    checkMemory(file.name, entries.at(-1)?.end ?? 0, 'its tensors', 'safeOpen reads them one by one');
    return scope(() => new Map(entries.map((entry) => [entry.name, onDevice(file.tensor(entry, 'read'), device)])));
  } finally {
    file.close();
  }
}
