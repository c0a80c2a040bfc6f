/** The storages of a checkpoint: read from their records when the first tensor asks for them, and shared from then on. */

import { empty } from '../../torch/operators.generated';
import { aten } from '../../torch/ops';
import { keep, scope } from '../../torch/scope';
import { shapeText } from '../../torch/shape';
import type { Tensor } from '../../torch/tensor';
import { type Device, type DType, isComplex, itemsizes } from '../../types';
import type { Archive } from '../archive';
import { badData } from '../bad-data';
import { onDevice, tensorAt } from '../storages';
import { Opaque } from './unpickler';

/** A storage that a pickle names. */
export class StorageReference extends Opaque {
  /** The record in the archive. */
  readonly key: string;
  readonly dtype: DType;
  /** Whether the dtype is only that of the bytes. */
  readonly isUntyped: boolean;
  readonly bytes: number;
  /** Where it was when it was saved. */
  readonly location: string;

  constructor(key: string, dtype: DType, isUntyped: boolean, bytes: number, location: string) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.isUntyped = isUntyped;
    this.bytes = bytes;
    this.location = location;
  }
}

/** How storages are read. */
export interface StorageOptions {
  readonly mmap: boolean;
  readonly isBigEndian: boolean;
  /** Where what was at a location goes. */
  deviceOf(location: string): Device;
}

/** What a pickle says of a tensor in a storage. */
export interface Placement {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The storages of one archive. */
export class Storages {
  readonly #archive: Archive;
  /** In front of all names of records. */
  readonly #prefix: string;
  readonly #options: StorageOptions;
  readonly #loaded = new Map<string, { reference: StorageReference; bytes: Tensor }>();

  constructor(archive: Archive, prefix: string, options: StorageOptions) {
    this.#archive = archive;
    this.#prefix = prefix;
    this.#options = options;
  }

  /** A tensor in a storage. @throws TorchError `BAD_DATA` if it reaches beyond it. */
  tensor(reference: StorageReference, dtype: DType, place: Placement): Tensor {
    const { offset, shape, strides } = place;
    this.#check(reference, dtype, place);
    const bytes = this.#bytes(reference);
    if (bytes !== undefined) return tensorAt(bytes, { dtype, offset, shape, strides });
    const device = this.#options.deviceOf(reference.location);
    return scope(() => aten.as_strided(empty([0], { dtype, device }), shape, strides));
  }

  /** Lets go of the storages; tensors keep theirs. */
  dispose(): void {
    for (const { bytes } of this.#loaded.values()) bytes.dispose();
    this.#loaded.clear();
  }

  #fault(reference: StorageReference, reason: string): Error {
    return badData(`${this.#archive.name}:${this.#prefix}data/${reference.key}`, reason);
  }

  #check(reference: StorageReference, dtype: DType, { offset, shape, strides }: Placement): void {
    const elements = reference.bytes / itemsizes[dtype];
    const isEmpty = shape.includes(0);
    const last = strides.reduce((sum, stride, dim) => sum + stride * ((shape[dim] as number) - 1), offset);
    const count = shape.reduce((product, size) => product * size, 1);
    if (!Number.isSafeInteger(count))
      throw this.#fault(reference, `has a tensor of shape ${shapeText(shape)}, which has too many elements`);
    if (isEmpty ? offset <= elements : last < elements) return;
    const where = `shape ${shapeText(shape)}, strides ${shapeText(strides)} and offset ${offset}`;
    throw this.#fault(reference, `has ${elements} elements of ${dtype}, and a tensor of ${where} reaches beyond them`);
  }

  /** All bytes of a storage, on its device; `undefined` where there are none. */
  #bytes(reference: StorageReference): Tensor | undefined {
    if (reference.bytes === 0) return undefined;
    const known = this.#loaded.get(reference.key);
    if (known !== undefined) {
      if (known.reference.bytes === reference.bytes && known.reference.dtype === reference.dtype) return known.bytes;
      throw this.#fault(reference, 'is described in two ways by the pickle');
    }
    const device = this.#options.deviceOf(reference.location);
    const bytes = scope(() => {
      if (device === 'meta') return keep(empty([reference.bytes], { dtype: 'uint8', device }));
      return keep(onDevice(this.#read(reference), device));
    });
    this.#loaded.set(reference.key, { reference, bytes });
    return bytes;
  }

  #read(reference: StorageReference): Tensor {
    const { key, dtype, bytes: size, isUntyped } = reference;
    const entry = this.#archive.entry(`${this.#prefix}data/${key}`);
    if (entry.size !== size) {
      throw this.#fault(reference, `has ${entry.size} bytes, and the pickle says ${size}`);
    }
    const swap = this.#options.isBigEndian && itemsizes[dtype] > 1;
    if (this.#options.isBigEndian && isUntyped) throw this.#fault(reference, 'is big-endian and has no dtype');
    const shown =
      this.#options.mmap && !swap && dtype !== 'bool' ? this.#archive.shown(entry, itemsizes[dtype]) : undefined;
    if (shown !== undefined) return shown;
    const bytes = this.#archive.tensor(entry);
    if (swap) return swapped(bytes, isComplex(dtype) ? itemsizes[dtype] / 2 : itemsizes[dtype]);
    // Whatever stands in the file, a bool in memory is 0 or 1.
    return dtype === 'bool' ? aten.view.dtype(aten.ne.Scalar(bytes, 0), 'uint8') : bytes;
  }
}

/** The bytes of numbers, each the other way round. */
function swapped(bytes: Tensor, size: number): Tensor {
  return aten.view(aten.flip(aten.view(bytes, [-1, size]), [1]), [-1]);
}
