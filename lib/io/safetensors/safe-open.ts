/** .safetensors files of which tensors are read one by one, by the name of Python's `safetensors.safe_open`. */
import { expected } from '../../errors';
import { oneOf } from '../../options';
import { type Index, index } from '../../torch/indexing';
import { scope } from '../../torch/scope';
import type { Tensor } from '../../torch/tensor';
import type { Device } from '../../types';
import { readingFor } from '../bad-data';
import { onDevice } from '../storages';
import { type FileName, pathOf } from '../write-file';
import { SafetensorsFile } from './file';
import { readDevice, type SafetensorsLoadOptions } from './options';

/** Named arguments of {@link safeOpen}. */
export interface SafeOpenOptions extends SafetensorsLoadOptions {
  /** Whose tensors are meant: always PyTorch's. */
  framework?: 'pt' | 'torch' | 'pytorch' | null | undefined;
}

/**
 * Opens a .safetensors file, whose tensors are read when they are asked for. On the CPU they show the file itself,
 * where the system can map it: only what is used of them is ever read, writes to them stay in memory, and the file must
 * not be changed while they are in use.
 *
 * @example
 * using file = safetensors.safeOpen('model.safetensors');
 * for (const name of file.keys()) console.log(name, file.getSlice(name).getShape());
 * const weight = file.getTensor('linear.weight');
 *
 * @throws TorchError `BAD_DATA` for a file that is missing or damaged.
 *
 * **Source**: `safetensors.safe_open`.
 */
export function safeOpen(filename: FileName, options?: SafeOpenOptions | null): SafeOpen;
export function safeOpen(
  filename: FileName,
  framework: SafeOpenOptions['framework'],
  device?: Device | SafetensorsLoadOptions | null,
): SafeOpen;
export function safeOpen(filename: FileName, ...rest: unknown[]): SafeOpen {
  const op = 'safeOpen';
  const path = pathOf(op, "'filename'", filename);
  const byName = typeof rest[0] === 'object' && rest[0] !== null && rest.length === 1;
  const { framework = 'pt', ...device } = byName ? (rest[0] as SafeOpenOptions) : { framework: rest[0] ?? 'pt' };
  oneOf(op, "option 'framework'", framework ?? 'pt', ['pt', 'torch', 'pytorch']);
  const to = readDevice(op, (byName ? device : rest[1]) as SafetensorsLoadOptions);
  return new SafeOpen(
    readingFor(op, () => SafetensorsFile.open(path)),
    to,
  );
}

/** A .safetensors file that is open: {@link safeOpen} makes it. **Source**: `safetensors.safe_open`. */
export class SafeOpen implements Disposable {
  readonly #file: SafetensorsFile;
  readonly #device: Device;
  #isClosed = false;

  /** @internal Made by {@link safeOpen}. */
  constructor(file: SafetensorsFile, device: Device) {
    this.#file = file;
    this.#device = device;
  }

  /** The names of the tensors, sorted. */
  keys(): string[] {
    return this.#file.names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** The names of the tensors, in the order in which they lie in the file. */
  offsetKeys(): string[] {
    return this.#file.names;
  }

  /** The texts that the file holds besides its tensors; `undefined` if there are none. */
  metadata(): Map<string, string> | undefined {
    const { metadata } = this.#file.header;
    return metadata && new Map(metadata);
  }

  /** One tensor. */
  getTensor(name: string): Tensor {
    return this.#reading('getTensor', () => {
      const file = this.#file;
      const access = this.#device === 'cpu' ? 'map' : 'read';
      return scope(() => onDevice(file.tensor(file.entry(name), access), this.#device));
    });
  }

  /** All tensors, in the order in which they lie in the file. */
  getTensors(): Map<string, Tensor> {
    return scope(() => new Map(this.offsetKeys().map((name) => [name, this.getTensor(name)])));
  }

  /** A tensor of which parts are read: {@link SafeSlice.index} says which. */
  getSlice(name: string): SafeSlice {
    return this.#reading('getSlice', () => {
      const entry = this.#file.entry(name);
      const read = (indices: readonly Index[]): Tensor =>
        this.#reading('index', () =>
          scope(() => onDevice(index(this.#file.tensor(entry, 'map'), indices), this.#device)),
        );
      return new SafeSlice(entry.shape, entry.dtype, read);
    });
  }

  /** Closes the file; tensors that were read stay. */
  close(): void {
    this.#isClosed = true;
    this.#file.close();
  }

  /** {@link close}, at the end of a block that declares the file with `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #reading<T>(op: string, read: () => T): T {
    if (this.#isClosed) throw expected(op, this.#file.name, 'to be open', 'a file that was closed');
    return readingFor(op, read);
  }
}

/** A tensor of an open file, of which parts are read. **Source**: `safe_open.get_slice`. */
export class SafeSlice {
  readonly #shape: readonly number[];
  readonly #dtype: string;
  readonly #read: (indices: readonly Index[]) => Tensor;

  /** @internal Made by {@link SafeOpen.getSlice}. */
  constructor(shape: readonly number[], dtype: string, read: (indices: readonly Index[]) => Tensor) {
    this.#shape = shape;
    this.#dtype = dtype;
    this.#read = read;
  }

  /** The size of each dimension of the whole tensor. */
  getShape(): number[] {
    return [...this.#shape];
  }

  /** The element type by the format's name: `F32`. */
  getDtype(): string {
    return this.#dtype;
  }

  /** The elements at indices, as {@link Tensor.index} takes them. */
  index(...indices: Index[]): Tensor {
    return this.#read(indices);
  }
}
